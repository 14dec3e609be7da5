"""Two stages as a generator of reports, on a CPU or a GPU.

In reading order; a file imports only those above it:

- control, progress, events: speaking with a training through its folder; where it stands; TensorBoard's log
- watching, run_folder: one scene drawn at every validation; the folder of a run
- optimiser, patches, schedule, stage, stages: Muon; a cheap start for SlotDec; what an update gets by its number; what
  is asked of a stage; the losses of both
- device_render, device_data, device_optimiser, device_step, device_loop, device_check: whole updates on a GPU, and
  whether it gives the losses of the CPU
- loop: training itself
- ceiling: the relation network trained with the truth: the most it could find
- starters, estimate, gpu_estimate, diagnosis: small experiments to begin with; time and memory beforehand, here and
  on a GPU that is not here; words for a training's numbers
"""

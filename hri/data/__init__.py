"""Where scenes come from: springs, bodies, clips, as tensors.

In reading order; a file imports only those above it:

- motion, gaps, windows: recordings of bodies [T, J, 3] with their tree; joints that were not seen for a while; windows
  of them as scenes by seed
- pixels, timing, video: single frames made small; rates and moments; a clip of one's own as frames
- clips, clip_windows: many grey clips on disk; windows of them as scenes by seed
- trajectories, own_windows: what anybody's objects did, as one file; windows of it as scenes by seed
- dataset: all of them as tensors
- source: what may be asked of any source of scenes
- spring_systems, recorded_bodies, recorded_clips, own_systems: the kinds of sources, a file each
- sources: their register
- raw, regular, grouping, preparation: trajectories as files hold them; gaps and rates; a tree proposed; made ready
- formats.bvh, formats.deepmimic, formats.mocap, formats.human36m, formats.kth, formats.demo, formats.people: files of
  others, recordings that packages ship, and those of one body as a data set
- formats.arrays, formats.nri, formats.cells, formats.tables, formats.own: trajectories in arrays, as relational models
  write them; tables as files hold them, trajectories in tables; whichever of these
"""

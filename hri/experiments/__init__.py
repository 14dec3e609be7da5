"""Many trainings: planned, run, collected, judged, timed.

In reading order; a file imports only those above it:

- plan, processes, jobs, ray_engine: models x seeds x updates; commands as processes; one training of a plan, here or
  on Ray
- many_plan, bundles, many: a plan's runs side by side on a GPU that is there for minutes
- runs, queueing, timings: runs as folders; a queue of trainings that outlives the page; what trainings cost before
- publish: a finished run to a checkpoint and its card
- results, reproduce, reproduce_publish: finished runs to one table; a plan carried out; its runs to checkpoints and
  back
- scoreboard, catalogue, score_tables, claims: results files as records; models in words, for whoever picks one; results
  as tables; the paper's claims held against them
- bench, scaling, scaling_measure, device_bench: how long each part takes; what a larger tree costs, and measuring it;
  a GPU beside one core
"""

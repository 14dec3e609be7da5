"""Hierarchical Relational Inference (Stanić, van Steenkiste, Schmidhuber 2020), to train, to measure and to watch.

The files in reading order; none imports one that comes after it (but for a type's name).

| file                               | what it holds                                                         |
|------------------------------------|-----------------------------------------------------------------------|
| hierarchy.py                       | the tree of nodes, and THE edge order                                 |
| forces.py                          | what acts between two balls, by the name of a physics, in words       |
| files.py                           | arrays in and out of files that are whole at any moment               |
| records.py                         | the glossary of letters; Trajectories, Normalisation, Rollout         |
| terminal.py                        | one sentence for an error, a bar, an answer as words or JSON          |
| config.py, presets.py              | every choice, as one frozen tree of dataclasses; experiments by name  |
| render.py                          | states to frames                                                      |
| projection.py                      | springs between balls to springs between image slots                  |
| particles.py                       | balls without a hierarchy: springs between any two, charges           |
| simulate.py, removal.py            | springs: sample a system, integrate it; what each spring does         |
| motion.py, windows.py              | recordings of bodies, [T, J, 3] with their tree; as scenes by seed    |
| video.py, clips.py                 | a clip of one's own as frames; many grey clips on disk                |
| clip_windows.py                    | windows of clips as scenes by seed                                    |
| dataset.py                         | spring systems, bodies or clips as tensors                            |
| kernels.py, fast.py, recurrence.py | the arithmetic that training waits for, arranged for speed on CPUs    |
| device_recurrence.py               | the recurrent loop as few tensor operations, for GPUs                 |
| nn.py                              | the small parts: batch norm, MLP, message networks                    |
| encoder.py                         | frames to 16 + 4 + 1 slots                                            |
| receptive.py                       | the part of a frame that each slot can see                            |
| relations.py                       | slots to edge types, inferred from the most recent states             |
| dynamics.py                        | slots and edge types to the next slots                                |
| markov.py                          | the same without memory                                               |
| decoders.py                        | slots to frames: SlotDec and ParDec                                   |
| model.py                           | the whole method in one place                                         |
| losses.py, metrics.py, patches.py  | what is minimised, what is reported, a cheap start for SlotDec        |
| checkpoint.py, published.py        | one file a checkpoint; the authors' files                             |
| meanings.py                        | what edge types stand for                                             |
| ceilings.py, edge_scores.py        | what relations could find; how well they agree with true springs      |
| edits.py, edit_text.py             | what a visitor may change, one dataclass a kind; JSON and addresses   |
| interventions.py, steering.py      | a list of edits; what it asks of edges and inputs of a model          |
| scenes.py, imaging.py              | what a checkpoint is shown; slots to pixels                           |
| predicting.py, rollout.py          | a checkpoint, scenes and edits to a Rollout                           |
| likeness.py                        | whether a clip of one's own is like the training data                 |
| control.py, progress.py            | speaking with a training through its folder; where it stands          |
| events.py                          | the log of a training that TensorBoard reads                          |
| watching.py                        | one scene drawn at every validation                                   |
| evaluate.py                        | a checkpoint and a data set to scores                                 |
| optimiser.py, run.py, train.py     | Muon; the run folder; two stages as a generator of reports            |
| ceiling.py                         | the relation network trained with the truth: the most it could find   |
| device_render.py, device_data.py   | frames, data and chance of an update on a GPU                         |
| device_optimiser.py                | Muon and Adam as few tensor operations                                |
| device_step.py, device_loop.py     | an update as a CUDA graph; a stage as blocks of them                  |
| device_check.py                    | whether a GPU gives the losses of the CPU                             |
| settings.py, starters.py           | the config as a form needs it; small experiments to begin with        |
| estimate.py, diagnosis.py          | time and memory before a training; words for its numbers              |
| plan.py, jobs.py, ray_engine.py    | models x seeds x updates; one training as processes, here or on Ray   |
| many_plan.py, bundles.py, many.py  | a plan's runs side by side on a GPU that is there for minutes         |
| runs.py, queueing.py               | runs as folders; a queue of trainings that outlives the page          |
| figures_training.py                | the course of a training as panels of curves                          |
| publish.py                         | a finished run to a model card                                        |
| pictures.py, style.py, layout.py   | what a Rollout shows at a frame; how it looks; where nodes stand      |
| edit_words.py                      | edits in words, and when they hold, told in frames                    |
| beliefs.py                         | which way edges lead, when beliefs change, names of edge types        |
| compare.py, composition.py         | rollouts of one scene side by side; what each slot draws              |
| figures.py, player.py              | the interaction graph as a Plotly figure; all of it to the player     |
| figures_history.py                 | a node or an edge over time                                           |
| influence.py, phases.py            | what each edge does; what happens inside one step                     |
| figures_influence.py               | influence as a picture                                                |
| figures_phases.py                  | one phase of a step as a picture                                      |
| figures_edges.py                   | one edge over time                                                    |
| figures_relations.py               | a scene's true graph beside the inferred one                          |
| player_compare.py                  | several rollouts of one scene to the page's player                    |
| systems.py, ranking.py             | springs drawn by hand; the hardest and easiest of many seeds          |
| figures_ranking.py                 | many seeds in the order of their errors                               |
| rollout_files.py                   | rollouts from strangers, checked before anything is drawn             |
| svg.py, tables.py, offline.py      | a Rollout to drawings, graphs and tables, a page without a network    |
| export.py, script.py               | every export by its ending; the Python that makes a picture           |
| scoreboard.py, claims.py           | results files as records; the paper's claims held against them        |
| bench.py, scaling.py               | how long each part takes; what a larger tree costs                    |
| device_bench.py                    | updates a second on a GPU, beside one core                            |
| results.py, reproduce.py           | finished runs to one table; a plan carried out                        |
| reproduce_publish.py               | runs of a plan to checkpoints and back                                |
| figures_results.py                 | results as Plotly figures                                             |
| bvh.py, mocap.py                   | BVH and npz files to recordings                                       |
| human36m.py, kth.py                | Human3.6M; KTH actions                                                |
| demo_data.py                       | small real recordings that packages ship                              |
| course.py, lessons*.py             | the Learn page's texts; what they state, computed                     |
| game.py                            | Guess the springs: rounds, scores, the model's answer                 |
| handout.py                         | a hand-out for a class, answers apart                                 |
| arena.py, figures_lessons.py       | balls and springs to play with, and figures of lessons                |
| *_cli.py, cli.py                   | ``python -m hri``: one function a command                             |

Whoever reads `records, hierarchy, model, relations, dynamics, decoders` knows the method. Nothing is imported
here: a page that shows a stored rollout never waits for torch.
"""

"""Hierarchical Relational Inference (Stanić, van Steenkiste, Schmidhuber 2020), to train, to measure and to watch.

The files in reading order; none imports one that comes after it (but for a type's name).

| file                               | what it holds                                                         |
|------------------------------------|-----------------------------------------------------------------------|
| hierarchy.py                       | the tree of nodes, and THE edge order                                 |
| files.py                           | arrays in and out of files that are whole at any moment               |
| records.py                         | the glossary of letters; Trajectories, Normalisation, Rollout         |
| config.py                          | every choice, as one frozen tree of dataclasses; PRESETS by name      |
| render.py                          | states to frames                                                      |
| simulate.py                        | springs: sample a system, integrate it, tell its energy               |
| dataset.py                         | spring systems as tensors                                             |
| fast.py                            | the arithmetic that training waits for, arranged for speed            |
| nn.py                              | the small parts: batch norm, MLP, message networks                    |
| encoder.py                         | frames to 16 + 4 + 1 slots                                            |
| relations.py                       | slots to edge types, inferred from the most recent states             |
| dynamics.py                        | slots and edge types to the next slots                                |
| decoders.py                        | slots to frames: SlotDec and ParDec                                   |
| model.py                           | the whole method in one place                                         |
| losses.py, metrics.py, patches.py  | what is minimised, what is reported, a cheap start for SlotDec        |
| checkpoint.py, published.py        | one file a checkpoint; the authors' files                             |
| rollout.py                         | a checkpoint and scenes to a Rollout                                  |
| run.py, train.py                   | the run folder; two stages as a generator of reports                  |
| evaluate.py, publish.py            | a checkpoint and a data set to scores; a finished run to a model card |
| pictures.py, figures.py, player.py | a Rollout to Plotly figures and to the page's player                  |
| export.py                          | a Rollout to GIF and MP4                                              |
| bench.py                           | how long each part takes                                              |
| terminal.py, cli.py                | ``python -m hri``: one function a command                             |

Whoever reads `records, hierarchy, model, relations, dynamics, decoders` knows the method. Nothing is imported
here: a page that shows a stored rollout never waits for torch.
"""

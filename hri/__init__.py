"""Hierarchical Relational Inference (Stanić, van Steenkiste, Schmidhuber 2020), to train, to measure and to watch.

Folders in the order in which data flow. Each imports only those above it, and its ``__init__`` says what is in it:

- core: the tree of nodes, records, configuration, files
- physics: balls and springs, simulated and drawn
- data: springs, bodies and clips as tensors
- model: the method; who reads core.records, core.hierarchy, relations, dynamics, decoders, model knows it
- rollout: a checkpoint, a scene and edits to what the model predicts
- scores: how well it predicts and finds the springs
- training: two stages, on a CPU or a GPU
- experiments: plans, queues, results, claims, benchmarks
- view, export: pictures, players, files
- cli: ``python -m hri``
"""

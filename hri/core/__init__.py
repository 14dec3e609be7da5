"""What everything else stands on. NumPy at most.

In reading order; a file imports only those above it:

- places, errors, memory, files: where the project lies; one sentence for a mistake; memory; files that are whole at
  any moment
- hierarchy: the tree of nodes, THE edge order, names of nodes and levels
- forces: what acts between two balls, by the name of a physics, in words
- notebooks, records: how records show themselves; the glossary of letters; Trajectories, Normalisation, Rollout
- limits, optimisation: ranges beside their fields, dataclasses from JSON; how a model is trained
- decoding: the ways of seeing and drawing frames, each with what it can do
- model_config, origin, config, presets, settings: the choices that make a model; where sequences come from; every
  choice as one frozen tree of dataclasses; experiments by name; the config as a form needs it
"""

"""What everything else stands on. NumPy at most.

In reading order; a file imports only those above it:

- places, errors, memory, files: where the project lies; one sentence for a mistake; memory; files that are whole at
  any moment
- tree_text, node_names, hierarchy: trees as text; what nodes and levels are called; the tree of nodes, THE edge order
- forces: what acts between two balls, by the name of a physics, in words
- trajectories, rollout_record, records: Trajectories, Normalisation; Rollout and its file; the glossary of letters
- limits, optimisation: ranges beside their fields, dataclasses from JSON; how a model is trained
- decoding: the ways of seeing and drawing frames, each with what it can do
- model_config, config, presets, settings: the choices that make a model; every choice as one frozen tree of
  dataclasses; experiments by name; the config as a form needs it
"""

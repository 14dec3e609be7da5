"""The method: frames to slots, slots to edge types, both to the next slots, slots to frames.

To know the method, read core.records, core.hierarchy, relations, dynamics, decoders, model: under 800 lines. What is
of files, names, devices, training or drawing stands beside these six. To come below 700, they would have to lose
docstrings with the shapes of tensors, or the tree what its nodes mean to a body or an image.

In reading order; a file imports only those above it:

- versions: a definition and who else computes the same, faster
- layers: the small parts: batch norm, MLP, message networks, Gumbel-softmax
- encoder, receptive: frames to 16 + 4 + 1 slots; the part of a frame that each slot can see
- relations, choices: slots to edge types, inferred from the most recent states; the types that speak
- inputs, phases, dynamics, markov, joint: what is known beside slots; who speaks when; slots and edge types to the next
  slots: with memory and without; without a graph
- fast.kernels, fast.edges, fast.burn_in, fast.recurrence, fast.device: the arithmetic that training waits for,
  arranged for CPUs and for GPUs
- decoders, overlapping, vision: slots to frames: SlotDec and ParDec, and two of ours; encoder and decoder together
- model, rolls: the whole method in one place; several runs of a model without memory
- losses: what training minimises
- commands, checkpoint, devices: what made a checkpoint, and its one file; where a model is
- wrapped, published: weights as trainers leave them; the authors' files
"""

"""The method: frames to slots, slots to edge types, both to the next slots, slots to frames.

In reading order; a file imports only those above it:

- versions: a definition and who else computes the same, faster
- layers: the small parts: batch norm, MLP, message networks, Gumbel-softmax
- encoder, receptive: frames to 16 + 4 + 1 slots; the part of a frame that each slot can see
- relations, choices: slots to edge types, inferred from the most recent states; the types that speak
- dynamics, markov, joint: slots and edge types to the next slots: with memory and without; without a graph
- fast.kernels, fast.edges, fast.recurrence, fast.device: the arithmetic that training waits for, arranged for CPUs
  and for GPUs
- decoders, vision: slots to frames: SlotDec and ParDec; encoder and decoder together
- model: the whole method in one place
- losses: what training minimises
- commands, checkpoint, devices: what made a checkpoint, and its one file; where a model is
- wrapped, published: weights as trainers leave them; the authors' files
"""

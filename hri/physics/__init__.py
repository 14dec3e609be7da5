"""Balls and springs: simulated, drawn, taken apart. Never torch.

In reading order; a file imports only those above it:

- palette, render: colours and places of balls in a frame; states to frames
- slot_springs: springs between balls to springs between image slots
- particles: balls without a hierarchy: springs between any two, charges
- springs: hierarchical springs: sample a system, integrate it, tell its energy
- removal: what each true spring does
- systems: systems drawn by hand
"""

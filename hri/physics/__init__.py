"""Balls and springs: simulated, drawn, taken apart. Never torch.

In reading order; a file imports only those above it:

- palette, render: colours and places of balls in a frame; states to frames
- slot_springs: springs between balls to springs between image slots
- simulator: what any physics does in the same way, and what each must say of itself
- hierarchical, particles: springs along a hierarchy; springs and charges between any two balls
- springs: the register of simulators; systems of any physics, sampled, integrated, written to a file
- removal: what each true spring does
- systems: systems drawn by hand
"""

"""``python -m hri``: one function a command.

In reading order; a file imports only those above it:

- terminal: what a command says
- data, predict, reproduce, many: recordings; rollouts and exports; plans; many runs on a GPU
- main: all other commands, and the list of all
"""

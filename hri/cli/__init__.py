"""``python -m hri``, or ``hri``: one function a command.

In reading order; a file imports only those above it:

- terminal: what a command says
- checkpoints: finding a checkpoint; ``import`` and ``publish``
- own, data, simulate: trajectories of one's own; recordings of people; systems of balls
- train, many, reproduce: a training and the queue; a plan's runs on a GPU that is there for minutes; a whole plan
- predict, evaluate: rollouts and exports; scores and ceilings
- measure: ``bench``
- main: the list of all commands
"""

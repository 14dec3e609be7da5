"""The glossary of letters, and the records that travel between files, each a frozen dataclass of arrays.

| letter | axis                                                               |
|--------|--------------------------------------------------------------------|
| S      | simulated systems                                                  |
| B      | batch (scenes side by side)                                        |
| T      | time, in stored frames                                             |
| N      | nodes: simulated balls, or slots (root, intermediates, leaves)     |
| L      | leaves, the nodes without children                                 |
| E      | directed edges, rows in the order of :attr:`hri.core.hierarchy.Tree.edges` |
| K      | edge types; in a rollout type 0 carries no message ("no interaction"), also where a model has no such type |
| D      | state or slot width (4 for states: x, y, vx, vy; 6 with depth)     |
| X      | axes of a position: 2, or 3 where depth is known                   |
| H W C  | image rows, columns, channels                                      |

:mod:`hri.core.trajectories` has what is simulated or recorded (Trajectories, Film) and the ranges that normalise it,
:mod:`hri.core.rollout_record` what a model saw, believed and predicted (Rollout). Everything in them is NumPy: a page
that shows a stored rollout never waits for torch.
"""

from __future__ import annotations

from hri.core.rollout_record import NEVER as NEVER
from hri.core.rollout_record import Rollout as Rollout
from hri.core.trajectories import Film as Film
from hri.core.trajectories import Normalisation as Normalisation
from hri.core.trajectories import Trajectories as Trajectories
from hri.core.trajectories import state_names as state_names

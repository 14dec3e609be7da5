"""How far a scene's states lie from what training showed, without any model. Frames: see :mod:`hri.rollout.likeness`.

States are normalised so that those of the training set fill -1 to 1.
"""

from __future__ import annotations

import numpy as np

from hri.core.records import Rollout

FAR = 3.0
"""Times the range of training beyond which a scene is far outside; unseen test scenes stay below 1.2."""


def reach(rollout: Rollout) -> tuple[str, float]:
    """The number of a state that goes farthest beyond the training's range, and how many times that range."""
    farthest = np.abs(np.nan_to_num(rollout.slots, nan=np.inf)).max((0, 1, 2))
    return rollout.number_names[int(farthest.argmax())], float(farthest.max())


def far_outside(rollout: Rollout) -> str:
    """What to think of predictions of scenes that lie far outside the training's range, as a sentence; else ""."""
    if rollout.observation != "states":
        return ""
    number, times = reach(rollout)
    if times <= FAR:
        return ""
    return (
        f"This lies far outside what {rollout.checkpoint or 'the model'} was trained on, so its predictions mean "
        f"little: {number} reaches {times:,.4g} times the training's range. States must be normalised as in training, "
        "to -1 … 1, or be given as positions and velocities in the training's units"
    )

"""Whether a scene of states lies within what a checkpoint's training met: outside it, predictions mean little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from hri.core.config import DataConfig
from hri.core.records import Rollout
from hri.data.sources import source_of

if TYPE_CHECKING:
    from hri.model.checkpoint import Checkpoint

SLACK = 0.1
"""By how much normalised states may leave -1 ... 1: the fastest ball of one test system may outdo all of training."""


def outside(checkpoint: Checkpoint, rollout: Rollout) -> str:
    """One sentence where a scene leaves the range of a checkpoint's training; "" where it does not, or shows frames."""
    return beyond(checkpoint.header.config.data, rollout, checkpoint.name)


def beyond(data: DataConfig, rollout: Rollout, name: str) -> str:
    """The same from what a header says.

    Args:
        data: that the checkpoint was trained on.
        rollout: whose true states are looked at, of all its scenes.
        name: of the checkpoint.
    """
    if rollout.observation != "states" or not source_of(data).ranged:
        return ""
    states = rollout.slots.reshape(-1, rollout.slots.shape[-1])
    low, high = states.min(0), states.max(0)
    excess = np.maximum(high, -low) - 1
    worst = int(excess.argmax())
    if excess[worst] <= SLACK:
        return ""
    ends = _in_words(rollout, worst, np.array([low[worst], high[worst]]))
    usual = _in_words(rollout, worst, np.array([-1.0, 1.0]))
    unit = "" if rollout.units is None else f" {rollout.units[worst]}"
    return (
        f"This scene lies outside what {name} was trained on, so its predictions mean little: "
        f"{rollout.number_names[worst]} is {ends}{unit} here and was {usual} in training."
    )


def _in_words(rollout: Rollout, number: int, ends: Float[np.ndarray, "2"]) -> str:
    """From ... to, of one number of a state."""
    if rollout.state_span is not None:
        low, high = rollout.state_span[number]
        ends = low + (ends + 1) / 2 * (high - low)
    return f"{ends[0]:.4g} to {ends[1]:.4g}"

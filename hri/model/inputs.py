"""What dynamics are given of slots beside the slots: how each changed, and which node it is of (docs/training.md)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

SPAN = 8.0
"""No number of a standardised slot comes near it. A long free run that leaves the slots it knows stays finite."""
PLACE = 16
"""Numbers that tell a node which one it is."""
INERTIA = 0.5
"""Of the last change, the share that the next one starts as: slots whose ball moves on change in another way."""


def with_changes(
    states: Float[Tensor, "T N B D"], before: Float[Tensor, "N B D"] | None = None
) -> Float[Tensor, "T N B D2"]:
    """States and how each changed since the one before; the first has not changed where nothing is known ``before``."""
    earlier = torch.cat([(states[0] if before is None else before)[None], states[:-1]])
    return torch.cat([states, states - earlier], -1)

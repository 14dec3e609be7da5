"""What learned edge types stand for: they have no names, so one assignment matches them to "no spring" and "spring".

Of charges "none" stands for a pair that attracts and "spring" for one that repels (:data:`hri.forces.FORCES` has the
words).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

MEANINGS = ("none", "spring")


def assign(counts: Int[np.ndarray, "K 2"]) -> list[str | None]:
    """The meaning of each of K types so that most edges come out right; further types stand for nothing (None).

    Args:
        counts: how often each type was said where there was [no spring, a spring].
    """
    from scipy.optimize import linear_sum_assignment  # here, because a page that shows raw types never needs it

    stand_for: list[str | None] = [None] * len(counts)
    for kind, meaning in zip(*linear_sum_assignment(-counts), strict=True):
        stand_for[kind] = MEANINGS[meaning]
    return stand_for

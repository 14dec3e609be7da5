"""What learned edge types stand for: they have no names, so one assignment matches them to "no spring" and "spring".

**Edges right**, one definition for every page, card and table: of the pairs that the tree can join, in the frames of
the burn-in whose edges come from a full window of true states (from the longest, where no window is full), the share
whose type stands for the truth.

Of charges "none" stands for a pair that attracts and "spring" for one that repels (:data:`hri.core.forces.FORCES` has
the words).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from jaxtyping import Int

from hri.core.hierarchy import Tree, level_name

MEANINGS = ("none", "spring")
ANY = "any two"
"""The group of all edges where there is no hierarchy."""


def assign(counts: Int[np.ndarray, "K 2"]) -> list[str | None]:
    """The meaning of each of K types so that most edges come out right; further types stand for nothing (None).

    Args:
        counts: how often each type was said where there was [no spring, a spring].
    """
    # Trying every pair of types takes microseconds; SciPy's optimisers would add half a second to the first look.
    said = np.vstack([counts, np.zeros((max(0, 2 - len(counts)), 2), counts.dtype)])
    pair = max(permutations(range(len(said)), 2), key=lambda kinds: said[kinds, [0, 1]].sum())
    stand_for: list[str | None] = [None] * len(said)
    for kind, meaning in zip(pair, MEANINGS, strict=True):
        stand_for[kind] = meaning
    return stand_for[: len(counts)]


def right(counts: Int[np.ndarray, "K 2"], stand_for: Sequence[str | None]) -> float | None:
    """Share of the counted edges whose type stands for the truth; None where none were counted.

    Args:
        counts: how often each type was said where there was [no spring, a spring].
        stand_for: what the types stand for.
    """
    whole = counts.sum()
    return float(counts[[stand_for.index(meaning) for meaning in MEANINGS], [0, 1]].sum() / whole) if whole else None


def burn_in(history: int, last_true_input: int) -> slice:
    """Frames whose edges come from full windows of true states; the last true window alone where none is full.

    Args:
        history: states of a window.
        last_true_input: frame of it; the edges of the frame after it are inferred from true states too.
    """
    return slice(min(history, last_true_input + 1), last_true_input + 2)


def level_pairs(tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]) -> dict[str, np.ndarray]:
    """Which edges join which levels: parent and child by their levels' names, siblings, and all others. Without a
    hierarchy one group: any two.
    """
    if tree.flat:
        return {ANY: np.ones(len(senders), dtype=bool)}
    names = [level_name(tree, level) for level in range(len(tree.levels))]
    family, level = tree.families(senders, receivers)
    vertical = (family == "up") | (family == "down")
    pairs = {f"{upper}-{names[child]}": vertical & (level == child) for child, upper in enumerate(names[:-1], start=1)}
    return pairs | {"siblings": family == "siblings", "unrelated": family == "other"}

"""Where a body's feet are: which joints they are by their names, how high they stand, which joints carry them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.data.windows import swapped_sides

FEET = ("foot", "ankle")


def foot_of(tree: Tree, side: str) -> int | None:
    """The joint that names call the foot of a side, left or right: of several the nearest to the root."""
    swapped = swapped_sides(tree.names, tree)
    if swapped is None:
        return None
    of_side = re.compile(rf"{side}|^(?i:{side[0]})(?=[_A-Z])|{side.title()}|{side.upper()}")
    feet = [joint for joint, name in enumerate(tree.names) if any(word in name.lower() for word in FEET)]
    own = [joint for joint in feet if swapped[joint] != joint and of_side.search(tree.names[joint])]
    return min(own, key=lambda joint: (int(tree.depth[joint]), joint), default=None)


def leg_of(tree: Tree, foot: int) -> list[int]:
    """A foot and all joints above it."""
    chain = [foot]
    while (parent := tree.parents[chain[-1]]) >= 0:
        chain.append(parent)
    return chain


def heights_of(rollout: Rollout, feet: Sequence[int]) -> Float[np.ndarray, "S T 2"] | None:
    """Of feet over the lowest that any of them comes in its scene, in lengths of a leg; None without true states.

    Seen by a camera bones are shorter than they are: the longest that each is seen is taken for its length.
    """
    if rollout.true_states is None:
        return None
    at, tree = rollout.true_states[..., :2].astype(np.float64), rollout.tree
    lengths = [
        sum(np.linalg.norm(at[..., j, :] - at[..., tree.parents[j], :], axis=-1).max() for j in leg_of(tree, foot)[:-1])
        for foot in feet
    ]
    up = at[..., list(feet), 1]
    return (up - up.min((1, 2), keepdims=True)) / max(float(np.mean(lengths)), 1e-9)

"""True springs between balls as true springs between image slots, so that a graph inferred from images has a truth.

**Each ball is in one slot of its own level**: the root ball in the root slot, a leaf ball in the leaf slot whose cell
of the 4 x 4 grid holds its drawn centre, a ball between them in the intermediate slot whose quadrant holds its centre.
**A spring joins the two slots its balls are in**, at each frame anew.

What this can and cannot say:

- *Balls that are not drawn* (root and intermediates, as published) leave no trace in a frame. Upper slots summarise the
  image below them and stand for such balls by place alone: a model may use them otherwise and still predict well.
- *Two balls in one slot*: their spring joins nothing, although it acts; further springs between the same two slots
  count once.
- *Borders*: a ball is wider than the distance by which it can miss a cell, so near a border it is seen in two cells
  (ParDec's encoder sees further still) and the truth jumps from one frame to the next while the picture hardly changes.
- *Time*: the truth of slots changes while that of balls does not. A model that infers edges from the last ten states
  learns of a crossing after it has happened.
- *Curtains* hide balls, not their springs.

A score against this truth tells models apart on the same scenes; 1 is out of reach. :func:`lost` says how much of
the springs the projection and the model's choice of pairs leave out.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.physics.palette import to_pixels


def slot_of(points: Float[np.ndarray, "*shape 2"]) -> Int[np.ndarray, "*shape"]:
    """The leaf slot whose cell holds each point (column, row as shares of the frame); outside: the nearest cell."""
    cells = SLOT_TREE.cells[SLOT_TREE.leaves]
    grid = np.empty((4, 4), dtype=np.int64)
    grid[(cells[:, 0] * 4).astype(int), (cells[:, 1] * 4).astype(int)] = SLOT_TREE.leaves
    column, row = np.moveaxis(np.clip(np.nan_to_num(points) * 4, 0, 3).astype(int), -1, 0)
    return grid[column, row]


def slots_of_balls(tree: Tree, positions: Float[np.ndarray, "*shape N 2"]) -> Int[np.ndarray, "*shape N"]:
    """The slot each ball of a simulated tree is in: root, intermediate or leaf slot by the ball's own level.

    Args:
        tree: of the balls, not of the slots.
        positions: box units (walls at -1 and 1).
    """
    leaf_slots = slot_of(to_pixels(positions, 1))
    slots = np.asarray(SLOT_TREE.parents)[leaf_slots]
    slots[..., tree.leaves] = leaf_slots[..., tree.leaves]
    slots[..., 0] = 0
    return slots


def slot_springs(
    tree: Tree, adjacency: UInt8[np.ndarray, "S N N"], positions: Float[np.ndarray, "S T N 2"]
) -> UInt8[np.ndarray, "S T 21 21"]:
    """1 where a spring joins two slots at a frame; symmetric, zero diagonal (see this file's head).

    Args:
        tree: of the balls.
        adjacency: springs between balls.
        positions: of the balls, box units.
    """
    joined = (_counts(tree, adjacency, positions) > 0).astype(np.uint8)
    joined[..., np.arange(SLOT_TREE.size), np.arange(SLOT_TREE.size)] = 0
    return joined


def lost(
    tree: Tree,
    adjacency: UInt8[np.ndarray, "S N N"],
    positions: Float[np.ndarray, "S T N 2"],
    senders: Int[np.ndarray, " E"],
    receivers: Int[np.ndarray, " E"],
) -> dict[str, float]:
    """How much of the springs no score sees, as means over systems.

    ``same_slot``: share of (spring, frame) pairs whose two balls are in one slot. ``not_inferred``: share of
    (projected spring, frame) pairs between slots that are no edge of the model, such as leaves of different quadrants
    where only the hierarchy's edges are inferred.
    """
    counts, joined = _counts(tree, adjacency, positions), slot_springs(tree, adjacency, positions)
    within = np.trace(counts, axis1=-2, axis2=-1).sum(1)
    springs, projected = counts.sum((1, 2, 3)), joined.sum((1, 2, 3), dtype=np.int64)
    outside = projected - joined[..., senders, receivers].sum((1, 2), dtype=np.int64)
    return {
        "same_slot": float((within / np.maximum(springs, 1)).mean()),
        "not_inferred": float((outside / np.maximum(projected, 1)).mean()),
    }


def _counts(
    tree: Tree, adjacency: UInt8[np.ndarray, "S N N"], positions: Float[np.ndarray, "S T N 2"]
) -> Float[np.ndarray, "S T 21 21"]:
    """How many springs, each in both directions, lead from slot to slot."""
    inside = np.eye(SLOT_TREE.size, dtype=np.float32)[slots_of_balls(tree, positions)]  # S T N 21
    return inside.swapaxes(-1, -2) @ (adjacency[:, None].astype(np.float32) @ inside)

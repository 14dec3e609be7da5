"""What every picture of a rollout needs to know: which edges, where nodes stand, true springs, errors, names.

NumPy only. Every function takes a rollout of one scene (:meth:`Rollout.scene`) and reads its first. A
picture of frame t shows the prediction *for* frame t and the edges that made it, which were inferred one
step earlier; frame 0 has no prediction and shows the first edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.records import Rollout
from hri.physics.palette import to_pixels
from hri.physics.slot_springs import slot_of, slot_springs
from hri.rollout.interventions import Intervention
from hri.rollout.predicted import predicted_nodes, values_to_score

Pairs = Literal["hierarchy", "all"]


def title_of(rollout: Rollout) -> str:
    """What a one-scene rollout is, such as "springs-4-3-slot-hri, seed 200042, edited"."""
    seed = -1 if rollout.seeds is None else int(rollout.seeds[0])
    parts = [rollout.checkpoint or "a model", *([f"seed {seed}"] if seed >= 0 else [])]
    return ", ".join([*parts, *(["edited"] if rollout.edits else [])])


def in_plotly(text: str) -> str:
    """Text from outside for Plotly, which reads tags in labels, hovers and legends: so that it is shown as it is."""
    return escape(text, quote=False)


def edge_rows(rollout: Rollout, pairs: Pairs) -> Int[np.ndarray, " R"]:
    """Rows of the rollout's edges to show: all, or those the hierarchy allows (all where it allows none).

    No rows at all for a model that passes no messages: what its file lists is no belief.
    """
    if rollout.carries is not None and not rollout.carries.any():
        return np.empty(0, dtype=np.int64)
    senders, receivers = rollout.edge_sender_receiver.reshape(-1, 2).T
    in_tree = np.flatnonzero(rollout.tree.possible[senders, receivers])
    return in_tree if pairs == "hierarchy" and len(in_tree) else np.arange(len(senders))


def edge_step(rollout: Rollout, frame: int) -> int:
    """The step whose edges made the prediction shown at ``frame``."""
    return int(np.clip(frame - 1, 0, rollout.edge_types.shape[1] - 1))


def forced_types(rollout: Rollout) -> Int[np.ndarray, "T E"] | None:
    """The type that edits force upon each edge at each frame's step, -1 where it is free; None without such edits."""
    if not rollout.edits:
        return None
    senders, receivers = rollout.edge_sender_receiver.T
    steps = rollout.edge_types.shape[1]
    by_step = Intervention.parse(rollout.edits).forced_types(rollout.tree, senders, receivers, steps)
    by_frame = by_step[[edge_step(rollout, frame) for frame in range(rollout.slots.shape[1])]]
    return by_frame if (by_frame >= 0).any() else None


def node_positions(rollout: Rollout, source: Literal["truth", "prediction"] = "truth") -> Float[np.ndarray, "T N 2"]:
    """Column and row of every node over time, as shares of the frame from its top left corner.

    Image slots stand at the centres of their cells. Balls stand where they are: normalised positions
    differ from box units by the training set's extremes, which touch the walls, so by less than a
    hundredth of a pixel; of bodies they are box units; balls without a hierarchy say where they are, and
    a large box is shown as far as they go (:meth:`Rollout.in_picture`). The prediction of frame 0 is its truth.
    """
    times = rollout.slots.shape[1]
    if rollout.observation == "frames":
        cells = rollout.tree.cells
        centres = (cells[:, :2] + cells[:, 2:]) / 2
        return np.broadcast_to(centres, (times, *centres.shape))
    states = rollout.slots[0]
    if source == "prediction":
        states = np.concatenate([rollout.slots[0, :1], predicted_nodes(rollout)])
    return np.clip(to_pixels(rollout.in_picture(states), 1), -1, 2)


def true_frames(rollout: Rollout) -> UInt8[np.ndarray, "T H W C"] | None:
    """True frames in pixels that lie under nodes at :func:`node_positions`: of a large box as much as pictures show."""
    if rollout.frames is None or (half := rollout.picture_half) == 1:
        return None if rollout.frames is None else rollout.frames[0]
    rows, columns = (
        # Twice as many pixels as there were, each of the one it lies in.
        ((np.arange(2 * size) + 0.5) / (2 * size) - 0.5) * half * size + size / 2
        for size in rollout.frames.shape[2:4]
    )
    return rollout.frames[0][:, rows.astype(int)[:, None], columns.astype(int)]


def bones(rollout: Rollout) -> Int[np.ndarray, "R 2"]:
    """(parent, child) of every bone, where the scene shows a body or a named hierarchy; else none."""
    if rollout.joints is None or rollout.ball_parents is None:
        return np.empty((0, 2), dtype=np.int64)
    parents = np.asarray(rollout.ball_parents)
    below = np.flatnonzero(parents >= 0)
    return np.stack([parents[below], below], 1)


def shows_body(rollout: Rollout) -> bool:
    """Whether the nodes are a body's joints, of which nobody knows which act on each other; somebody's own trajectories
    say their units, and may be of anything.
    """
    known = rollout.true_adjacency is not None or rollout.units is not None
    return rollout.observation == "states" and len(bones(rollout)) > 0 and not known


def joint_positions(rollout: Rollout) -> Float[np.ndarray, "T M 2"] | None:
    """Column and row of every true joint, as :func:`node_positions`, also where the nodes are slots; None for balls."""
    if rollout.joints is None or rollout.true_states is None:
        return None
    return np.clip(to_pixels(rollout.true_states[0, ..., :2], 1), -1, 2)


def true_springs(rollout: Rollout) -> UInt8[np.ndarray, "T N N"] | None:
    """1 where a true spring joins two nodes at each frame; None where springs are unknown.

    Balls that are nodes keep their springs. For image slots a spring joins, at each frame, the slots its two balls are
    in (:func:`hri.physics.slot_springs.slot_springs`). A rollout that does not know the tree of its balls, such as one
    of frames from a file, has every ball in a leaf slot.
    """
    if rollout.true_adjacency is None:
        return None
    adjacency, times, nodes = rollout.true_adjacency[0], rollout.slots.shape[1], rollout.tree.size
    if rollout.observation == "states":
        return np.broadcast_to(adjacency, (times, nodes, nodes))
    if rollout.true_states is None:
        return None
    positions = rollout.true_states[0, :, :, :2]
    if rollout.ball_parents is not None:
        balls = Tree(tuple(int(parent) for parent in rollout.ball_parents))
        return slot_springs(balls, adjacency[None], positions[None])[0]
    slots = slot_of(to_pixels(positions, 1))
    first, second = np.nonzero(adjacency)
    between_slots = np.zeros((times, nodes, nodes), dtype=np.uint8)
    between_slots[np.arange(times)[:, None], slots[:, first], slots[:, second]] = 1
    between_slots[:, np.arange(nodes), np.arange(nodes)] = 0
    return between_slots


@dataclass(frozen=True)
class ErrorCurves:
    """How wrong each predicted frame is: mean squared errors of the F = T - 1 predicted frames 1 ... T - 1."""

    model: Float[np.ndarray, " F"]
    copy: Float[np.ndarray, " F"]
    """What repeating the last true frame would score: the line to stay below."""
    unit: str


def error_curves(rollout: Rollout) -> ErrorCurves:
    """Squared error per frame: over pixels and channels in 0 ... 1, or over nodes and normalised features."""
    times = rollout.slots.shape[1]
    truth, prediction, unit = values_to_score(rollout)
    frame = np.arange(1, times)
    last_seen = np.minimum(frame - 1, rollout.last_true_input)
    axes = tuple(range(1, truth.ndim))
    return ErrorCurves(
        model=((prediction - truth[1:]) ** 2).mean(axes),
        copy=((truth[last_seen] - truth[1:]) ** 2).mean(axes),
        unit=unit,
    )


def spring_pairs(tree: Tree, pairs: Int[np.ndarray, "R 2"]) -> Int[np.ndarray, "C 2"]:
    """Shown pairs, each once (i < j), between which a true spring can lie."""
    each_once = np.unique(np.sort(pairs.reshape(-1, 2), axis=1), axis=0)
    if tree == SLOT_TREE:
        return each_once[np.isin(each_once, tree.leaves).all(1)]
    return each_once[tree.possible[each_once[:, 0], each_once[:, 1]] > 0]


def scientific(value: float) -> str:
    """As the player writes errors (``marks.js``): two digits and a power of ten; a dash for what is no number."""
    if not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}·10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def against(value: float, other: float, name: str) -> str:
    """One error beside another: ``+52%`` or ``-12%``, and from twice or half on ``10.5 × A``, which nobody misreads.

    Args:
        value: to be compared.
        other: with this.
        name: of the other.
    """
    if not np.isfinite([value, other]).all() or other == 0:
        return ""
    ratio = value / other
    return f"{ratio - 1:+.0%}" if 0.5 < ratio < 2 else f"{ratio:.3g} × {name}"


def type_name(kind: int, edge_types: int) -> str:
    """What an edge type means: type 0 carries no message."""
    return "no interaction" if kind == 0 else "interaction" if edge_types == 2 else f"type {kind}"

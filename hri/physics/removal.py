"""What a true spring does: how far balls would move apart from the truth if it were taken out.

A spring **matters at a frame** if without it, from that frame's true state on, any ball would be a tenth of a pixel or
more away from where it truly goes, at any of the next ten frames (:data:`PIXELS`, :data:`AHEAD`; a pixel is one of the
32 x 32 frames: 0.08 units in the box of hierarchical springs, 0.4 in that of balls without a hierarchy). One that does
not matter cannot be seen in what happens, and no prediction gains by it: finding it is luck. Both courses are
simulated, one for each spring and frame asked about; balls that are not drawn count too. Of charges, which act on each
other wherever they are, every pair is asked about.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.forces import force
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.physics.palette import to_pixels
from hri.physics.springs import lookup

PIXELS = 0.1
"""Distance from the truth, in pixels of a 32 x 32 frame, from which on a spring matters."""
AHEAD = 10
"""Frames over which it is looked for."""
EVERY = 5
"""One frame in so many is looked at where scores are taken: what a spring does changes slowly, and it takes time."""
INTERVAL = 100
"""Steps of simulation between frames."""
_ROWS = 4096
"""Courses simulated at a time."""


def matters(
    tree: Tree,
    physics: str,
    trajectories: Trajectories,
    frames: Int[np.ndarray, " F"],
    progress: Callable[[int], object] | None = None,
) -> UInt8[np.ndarray, "S F N N"]:
    """1 where something acts between two balls and matters at that frame (see this file's head); symmetric.

    Args:
        tree: of the balls.
        physics: that the systems follow.
        trajectories: with their springs; the states at the frames are where the courses start.
        frames: that are looked at.
        progress: hears how many systems are done.

    Raises:
        ValueError: springs are not known, unknown physics, or states that do not follow it.
    """
    adjacency, (systems, _, nodes, _) = trajectories.springs, trajectories.positions.shape
    acts, box = acting(physics, adjacency), force(physics).box
    first, second = np.nonzero(np.triu(acts.any(0)))
    effects = np.zeros((systems, len(frames), nodes, nodes), dtype=np.uint8)
    block = max(1, _ROWS // max(1, len(frames) * len(first)))
    for start in range(0, systems, block):
        rows = slice(start, min(start + block, systems))
        joined = adjacency[rows]
        x, v = (
            np.asarray(values[rows][:, frames], dtype=np.float64)
            for values in (trajectories.positions, trajectories.velocities)
        )
        scene, frame, edge = np.nonzero(np.repeat(acts[rows][:, None, first, second], len(frames), 1))
        every_scene, every_frame = (part.ravel() for part in np.indices(x.shape[:2]))
        truth = course(
            tree, physics, joined[every_scene], None, x[every_scene, every_frame], v[every_scene, every_frame]
        )
        truth = truth.reshape(*x.shape[:2], *truth.shape[1:])
        _check(truth, trajectories.positions[rows], frames, box)
        cut = np.stack([first[edge], second[edge]], 1)
        without = course(tree, physics, joined[scene], cut, x[scene, frame], v[scene, frame])
        moved = pixels_apart(without, truth[scene, frame], box).max((1, 2)) >= PIXELS
        effects[start + scene, frame, first[edge], second[edge]] = moved
        effects[start + scene, frame, second[edge], first[edge]] = moved
        if progress:
            progress(rows.stop)
    return effects


def acting(physics: str, adjacency: UInt8[np.ndarray, "S N N"]) -> UInt8[np.ndarray, "S N N"]:
    """1 where anything acts between two balls: springs as they are, charges everywhere.

    Raises:
        ValueError: unknown physics.
    """
    if force(physics).silent:
        return adjacency
    return np.broadcast_to(1 - np.eye(adjacency.shape[-1], dtype=np.uint8), adjacency.shape)


def course(
    tree: Tree,
    physics: str,
    adjacency: UInt8[np.ndarray, "R N N"],
    cut: Int[np.ndarray, "R 2"] | None,
    positions: Float[np.ndarray, "R N 2"],
    velocities: Float[np.ndarray, "R N 2"],
    frames: int = AHEAD,
) -> Float[np.ndarray, "R frames N 2"]:
    """Where balls go in the frames after a stored state.

    Args:
        adjacency: springs, or which charges repel, a matrix a course.
        cut: the pair of each course between which nothing acts any more; None cuts nothing.
        positions: of the stored states, box units.
        velocities: the same.

    Raises:
        ValueError: unknown physics.
    """
    simulator = lookup(physics)
    coupling = simulator.couplings(adjacency)
    if cut is not None:
        every = np.arange(len(cut))
        coupling[every, cut[:, 0], cut[:, 1]] = coupling[every, cut[:, 1], cut[:, 0]] = 0
    steps = frames * INTERVAL + 1
    return simulator.integrate(tree, coupling, positions, velocities, steps, INTERVAL, continued=True)[0]


def pixels_apart(
    one: Float[np.ndarray, "*shape 2"], other: Float[np.ndarray, "*shape 2"], box: float = 1.0
) -> Float[np.ndarray, "*shape"]:
    """Distance of balls in pixels of a 32 x 32 frame, which shows the whole box: walls at plus and minus ``box``."""
    return np.linalg.norm(to_pixels(one / box) - to_pixels(other / box), axis=-1)


def _check(
    truth: Float[np.ndarray, "S F A N 2"], stored: Float[np.ndarray, "S T N 2"], frames: np.ndarray, box: float
) -> None:
    """Refuse data that do not move as the physics says: then nothing is known of what their springs do.

    Raises:
        ValueError: the course of most systems is not the stored one even a frame later.
    """
    known = frames + 1 < stored.shape[1]
    if not known.any():
        return
    off = pixels_apart(truth[:, known, 0], stored[:, frames[known] + 1], box).max(-1)
    if np.median(off) >= PIXELS:
        raise ValueError("the data do not move as this model's physics says, so what their springs do is not known")

"""Systems of balls, whatever acts between them: sampled by seed, integrated, written to a file.

Each physics has a simulator in a file of its own; :data:`SIMULATORS` lists them, under the names that
:data:`hri.core.forces.FORCES` has words for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.config import RenderConfig
from hri.core.files import write_npz_parts
from hri.core.forces import check_tree, force
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.physics.hierarchical import PHYSICS
from hri.physics.palette import PUBLISHED
from hri.physics.particles import PARTICLES
from hri.physics.render import draw
from hri.physics.simulator import Simulator

SIMULATORS: dict[str, Simulator] = {**PHYSICS, **PARTICLES}
"""By name of the physics."""

_SMALL = 1000
_CHUNK_BALLS = 20_000


def lookup(physics: str | Simulator) -> Simulator:
    """The simulator of that name, or the one given.

    Raises:
        ValueError: unknown name.
    """
    if not isinstance(physics, str):
        return physics
    if physics not in SIMULATORS:
        raise ValueError(f"unknown physics {physics!r}; choose from {', '.join(sorted(SIMULATORS))}")
    return SIMULATORS[physics]


def _box(tree: Tree, physics: str | Simulator) -> float:
    """Where walls stand.

    Raises:
        ValueError: unknown physics, or not of this tree.
    """
    if not isinstance(physics, str):
        return 1.0
    check_tree(tree, physics)
    return force(physics).box


def sample_system(
    tree: Tree, physics: str | Simulator, seed: int
) -> tuple[UInt8[np.ndarray, "N N"], Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]:
    """Adjacency, start positions and start velocities of one system, draw for draw the published ones.

    Positions may lie a little outside the box; the integrator reflects them once.

    Raises:
        ValueError: a seed outside 0 ... 2^32 - 1, physics unknown or not of this tree, more than 62 children of a node.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed} is out of range; choose from 0 to {2**32 - 1}")
    _box(tree, physics)
    return lookup(physics).sample(tree, seed)


def simulate(
    tree: Tree,
    physics: str | Simulator,
    seeds: Sequence[int] | Int[np.ndarray, " S"],
    steps: int = 5000,
    every: int = 100,
) -> Trajectories:
    """Sample and integrate one system per seed; float64, T = (steps - 1) // every frames.

    Each system depends on its own seed alone: any split of the seeds into chunks gives the same numbers.

    Raises:
        ValueError: as :func:`sample_system` and :func:`simulate_from`.
    """
    shape = (len(seeds), tree.size)
    adjacency = np.zeros((*shape, tree.size), dtype=np.uint8)
    positions, velocities = np.zeros((*shape, 2)), np.zeros((*shape, 2))
    for row, seed in enumerate(seeds):
        adjacency[row], positions[row], velocities[row] = sample_system(tree, physics, int(seed))
    return simulate_from(tree, physics, adjacency, positions, velocities, seeds, steps, every)


def simulate_from(
    tree: Tree,
    physics: str | Simulator,
    adjacency: UInt8[np.ndarray, "S N N"],
    positions: Float[np.ndarray, "S N 2"],
    velocities: Float[np.ndarray, "S N 2"],
    seeds: Sequence[int] | Int[np.ndarray, " S"] | None = None,
    steps: int = 5000,
    every: int = 100,
    continued: bool = False,
) -> Trajectories:
    """Integrate from a chosen start with chosen springs; -1 stands for a seed that is not given.

    Any pair may carry a spring, also one the tree does not list as possible. Of charges an
    adjacency entry 1 stands for two that repel, 0 for two that attract (:mod:`hri.physics.particles`). With
    ``continued`` the start is a stored state of a system that moves on: its first kick has rest lengths like all
    others.

    Raises:
        ValueError: shapes or physics that do not fit the tree, springs that are not symmetric, a start that is not
            finite, beyond one reflection (3 boxes) or faster than 1000, steps that leave no frame.
    """
    box = _box(tree, physics)
    shape = (len(adjacency), tree.size)
    for name, array, expectation in (
        ("adjacency", adjacency, (*shape, tree.size)),
        ("positions", positions, (*shape, 2)),
        ("velocities", velocities, (*shape, 2)),
    ):
        if np.shape(array) != expectation:
            raise ValueError(f"{name} have shape {np.shape(array)}; this tree needs {expectation}")
    joined = np.asarray(adjacency) != 0
    if (joined != joined.transpose(0, 2, 1)).any() or joined[:, range(tree.size), range(tree.size)].any():
        raise ValueError("adjacency must be symmetric with a zero diagonal: a spring pulls both its ends")
    if not (np.abs(positions) <= 3 * box).all() or not (np.abs(velocities) <= 1000).all():
        raise ValueError(
            f"start positions must lie within {-3 * box:g} and {3 * box:g}, start velocities within -1000 and 1000"
        )
    if every < 1 or steps <= every:
        raise ValueError(f"{steps} steps with a frame every {every} leave no frame; choose more steps")
    names = np.full(len(adjacency), -1) if seeds is None else np.asarray(seeds, dtype=np.int64)
    simulator = lookup(physics)
    coupling = simulator.couplings(joined.astype(np.uint8))
    path_x, path_v = simulator.integrate(tree, coupling, positions, velocities, steps, every, continued)
    return Trajectories(names, path_x, path_v, joined.astype(np.uint8), tree.possible)


def energy(
    tree: Tree,
    physics: str | Simulator,
    adjacency: UInt8[np.ndarray, "S N N"],
    positions: Float[np.ndarray, "S T N 2"],
    velocities: Float[np.ndarray, "S T N 2"],
) -> Float[np.ndarray, "S T"]:
    """The quantity that a system keeps, up to the order of dt, while no force is clipped."""
    simulator = lookup(physics)
    return simulator.energy(tree, simulator.couplings(adjacency), positions, velocities)


def write_simulation(
    path: str | os.PathLike[str],
    tree: Tree,
    physics: str | Simulator,
    seeds: Sequence[int] | Int[np.ndarray, " S"],
    frames: bool = False,
    render: RenderConfig = PUBLISHED,
    chunk: int = 1000,
    progress: Callable[[int], object] | None = None,
    steps: int = 5000,
) -> None:
    """Simulate into one ``.npz`` of any size, holding at most ``chunk`` systems in memory.

    Arrays: ``seeds`` [S], ``positions`` and ``velocities`` [S, T, N, 2] (float64 up to 1,000 systems, float32
    beyond), ``adjacency`` [S, N, N], ``possible`` [N, N], and on request ``frames`` [S, T, H, W, C], drawn
    from the positions as they are stored. ``progress`` hears the number of systems written so far.

    Raises:
        OSError: the folder cannot be written or the disk is full (nothing is left behind).
        ValueError: no seeds, or as :func:`simulate`.
    """
    names = np.asarray(seeds, dtype=np.int64)
    if not len(names):
        raise ValueError("there are no seeds to simulate; give at least one, such as 42:43")
    number = np.float64 if len(names) <= _SMALL else np.float32
    chunk = max(1, min(chunk, _CHUNK_BALLS // tree.size))

    def parts() -> Iterator[dict[str, np.ndarray]]:
        for start in range(0, len(names), chunk):
            part = simulate(tree, physics, names[start : start + chunk], steps)
            positions = part.positions.astype(number)
            pictures = {}
            if frames:
                scenes = np.repeat(part.seeds, positions.shape[1])
                in_box = positions.astype(np.float64) / _box(tree, physics)
                pixels = draw(in_box.reshape(-1, tree.size, 2), tree, render, scenes)
                pictures["frames"] = pixels.reshape(*positions.shape[:2], *pixels.shape[1:])
            yield pictures | {
                "positions": positions,
                "velocities": part.velocities.astype(number),
                "adjacency": part.springs,
            }
            if progress:
                progress(start + len(part))

    write_npz_parts(path, len(names), parts(), {"seeds": names, "possible": tree.possible})

"""Springs: sample a hierarchical system, integrate it, tell its energy ("HspringsV2").

Balls in a box with walls at -1 and 1 (box units) hang on springs along the edges of a tree. The force on
ball i acts per axis, not along the line of centres, and each component is clipped to +-10:

    F_i = -sum_j k_ij (d - L_ij sign d),     d = x_i - x_j  on that axis
    x <- x + dt speed v;  walls;  v <- v + dt F(x)           (dt = 0.001, 5,000 steps)

Walls reflect elastically (x -> +-2 - x, the velocity component turned inward). The very first kick uses
L = 0; every 100th state is kept, the start is not: 49 frames.

Source: the data of Stanic et al. 2020, section 4.1, rebuilt draw for draw. Only 4-3 with "04" and 3-3
with "05" are published; for other trees more than four children stand evenly on a circle, deeper levels
repeat the last level's constants, and every inner node below the root draws its children's springs as
the intermediates of 4-3 do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, UInt8
from numba import njit

from hri.core.config import RenderConfig
from hri.core.files import write_npz_parts
from hri.core.forces import FORCES, check_tree, force
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.physics import particles
from hri.physics.palette import PUBLISHED
from hri.physics.render import draw, spread


@dataclass(frozen=True)
class Physics:
    """Constants of one physics configuration; levels count from the root's children."""

    speed: float
    """Box units a ball with velocity 1 moves in one unit of time."""
    centred_levels: int
    """Levels, root first, that start exactly at their centres; the others are spread around them."""
    stiffness: tuple[float, ...]
    """k of springs between parent and child, by level of the child; the last repeats."""
    rest: tuple[float, ...]
    """L of springs between parent and child, by level of the child; the last repeats."""
    sibling_stiffness: float = 5.0
    """k of springs between siblings."""
    sibling_rest: float = 0.2
    """L of springs between siblings."""


PHYSICS: dict[str, Physics] = {
    "04": Physics(speed=0.25, centred_levels=3, stiffness=(500.0, 500.0), rest=(0.6, 0.03)),
    "05": Physics(speed=0.0625, centred_levels=2, stiffness=(500.0, 500.0), rest=(0.4, 0.1)),
}
"""Physics configurations by name: 04 goes with tree 4-3, 05 with 3-3."""

STEP = 0.001
"""dt, in units of simulated time."""
FORCE_LIMIT = 10.0
START_SPEED = 0.5
"""Length of every start velocity."""
MAX_CHILDREN = 62
"""The springs to c children are the bits of one 64-bit draw."""

_CORNERS = np.array([(-1.0, -1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0)])
_LANES = 32  # systems integrated side by side: enough for SIMD, few enough for the first-level cache
_SMALL = 1000
_CHUNK_BALLS = 20_000


def lookup(physics: str | Physics) -> Physics:
    """The configuration of that name, or the one given.

    Raises:
        ValueError: unknown name, or one of balls without a hierarchy, whose constants :mod:`hri.physics.particles` has.
    """
    if isinstance(physics, Physics):
        return physics
    if physics not in PHYSICS:
        raise ValueError(f"unknown physics {physics!r}; choose from {', '.join(sorted(PHYSICS))}")
    return PHYSICS[physics]


def _box(tree: Tree, physics: str | Physics) -> float:
    """Where walls stand.

    Raises:
        ValueError: unknown physics, or not of this tree.
    """
    if isinstance(physics, Physics):
        return 1.0
    check_tree(tree, physics)
    return force(physics).box


def springs(tree: Tree, physics: str | Physics) -> tuple[Float[np.ndarray, "N N"], Float[np.ndarray, "N N"]]:
    """Stiffness k and rest length L a spring between each pair would have.

    Parent and child have their level's constants; every other pair, siblings or not, those of siblings.
    """
    physics = lookup(physics)
    stiffness = np.full((tree.size, tree.size), physics.sibling_stiffness)
    rest = np.full((tree.size, tree.size), physics.sibling_rest)
    for child, parent in enumerate(tree.parents[1:], start=1):
        level = int(tree.depth[child]) - 1
        stiffness[child, parent] = stiffness[parent, child] = physics.stiffness[min(level, len(physics.stiffness) - 1)]
        rest[child, parent] = rest[parent, child] = physics.rest[min(level, len(physics.rest) - 1)]
    return stiffness, rest


def sample_system(
    tree: Tree, physics: str | Physics, seed: int
) -> tuple[UInt8[np.ndarray, "N N"], Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]:
    """Adjacency, start positions and start velocities of one system, draw for draw the published ones.

    Positions may lie a little outside the box; the integrator reflects them once.

    Raises:
        ValueError: a seed outside 0 ... 2^32 - 1, physics unknown or not of this tree, more than 62 children of a node.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed} is out of range; choose from 0 to {2**32 - 1}")
    _box(tree, physics)
    if isinstance(physics, str) and FORCES[physics].flat:
        return particles.sample(tree.size, physics, seed)
    random = np.random.RandomState(seed)
    adjacency = np.zeros((tree.size, tree.size), dtype=np.uint8)
    families = _families(tree)
    for parent, children in families:
        if parent == 0:
            adjacency[0, children] = 1
            continue
        bits = random.randint(1, 2 ** len(children))
        adjacency[parent, children] = [int(bit) for bit in f"{bits:0{len(children)}b}"]
        adjacency[np.ix_(children, children)] = _sample_siblings(len(children), random)
    adjacency |= adjacency.T
    centre, spread_out = _start(tree, lookup(physics))
    positions = random.randn(2, tree.size).T * spread_out[:, None] + centre
    velocities = random.randn(2, tree.size).T
    velocities *= START_SPEED / np.linalg.norm(velocities, axis=1, keepdims=True)
    return adjacency, positions, velocities


@lru_cache(maxsize=8)
def _families(tree: Tree) -> list[tuple[int, list[int]]]:
    """(node, children) of every inner node, breadth first.

    Raises:
        ValueError: more children than one draw decides.
    """
    inner = sorted(set(tree.parents[1:]), key=lambda node: (tree.depth[node], node))
    families = [(node, tree.children(node)) for node in inner]
    if any(len(children) > MAX_CHILDREN for node, children in families if node):
        raise ValueError(f"a node below the root has more than {MAX_CHILDREN} children; choose a smaller tree")
    return families


def _sample_siblings(count: int, random: np.random.RandomState) -> UInt8[np.ndarray, "c c"]:
    """Springs among siblings, redrawn until all of them hang together."""
    while True:
        # The same draws and values as choice([0, .5, 1], p=[.75, 0, .25]), twenty times as fast.
        half = random.random_sample((count, count)) >= 0.75
        joined = half | half.T | np.eye(count, dtype=bool)
        reach = joined
        for _ in range(max(1, count - 1).bit_length()):
            reach = reach @ reach
        if reach.all():
            return joined.astype(np.uint8) - np.eye(count, dtype=np.uint8)


@lru_cache(maxsize=8)
def _start(tree: Tree, physics: Physics) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"]]:
    """Centre and spread of each node's start; both halve from level to level."""
    centre, around = np.zeros((tree.size, 2)), np.zeros(tree.size)
    around[0] = 0.0 if physics.centred_levels > 0 else 1.0
    for node, children in _families(tree):
        scale = 0.5 ** (int(tree.depth[node]) + 1)
        offsets = _CORNERS
        if len(children) > len(_CORNERS):
            angle = np.arctan2(-1, -1) + 2 * np.pi * np.arange(len(children)) / len(children)
            offsets = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], 1)
        centre[children] = centre[node] + scale * offsets[: len(children)]
        around[children] = scale if tree.depth[node] + 1 >= physics.centred_levels else 0.0
    return centre, around


def simulate(
    tree: Tree,
    physics: str | Physics,
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
    physics: str | Physics,
    adjacency: UInt8[np.ndarray, "S N N"],
    positions: Float[np.ndarray, "S N 2"],
    velocities: Float[np.ndarray, "S N 2"],
    seeds: Sequence[int] | Int[np.ndarray, " S"] | None = None,
    steps: int = 5000,
    every: int = 100,
    continued: bool = False,
) -> Trajectories:
    """Integrate from a chosen start with chosen springs; -1 stands for a seed that is not given.

    Any pair may carry a spring, also one the tree does not list as possible (see :func:`springs`). Of charges an
    adjacency entry 1 stands for two that repel, 0 for two that attract (:mod:`hri.physics.particles`). With
    ``continued`` the start is a stored state of a system that moves on: its first kick has rest lengths like all
    others.

    Raises:
        ValueError: shapes or physics that do not fit the tree, springs that are not symmetric, a start that is not
            finite, beyond one reflection (3 boxes) or faster than 1000, steps that leave no frame.
    """
    box = _box(tree, physics)
    shape = (len(adjacency), tree.size)
    for name, array, wanted in (
        ("adjacency", adjacency, (*shape, tree.size)),
        ("positions", positions, (*shape, 2)),
        ("velocities", velocities, (*shape, 2)),
    ):
        if np.shape(array) != wanted:
            raise ValueError(f"{name} have shape {np.shape(array)}; this tree needs {wanted}")
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
    if isinstance(physics, str) and FORCES[physics].flat:
        acting = particles.couplings(physics, joined.astype(np.uint8))
        path_x, path_v = particles.integrate(physics, acting, positions, velocities, steps, every)
        return Trajectories(names, path_x, path_v, joined.astype(np.uint8), tree.possible)
    first, second = np.nonzero(np.triu(joined.any(0)))
    stiffness, rest = springs(tree, physics)
    edge_stiffness = np.where(joined[:, first, second], stiffness[first, second], 0.0)
    start_x, start_v = np.asarray(positions, dtype=np.float64), np.asarray(velocities, dtype=np.float64)
    path_x = np.empty((shape[0], (steps - 1) // every, tree.size, 2))
    path_v = np.empty_like(path_x)
    speed, edge_rest = lookup(physics).speed, rest[first, second]

    def integrate(rows: slice) -> None:
        # Systems side by side in the last axis: the inner loops over them become SIMD instructions.
        x, v, k = (np.array(np.moveaxis(a[rows], 0, -1), order="C") for a in (start_x, start_v, edge_stiffness))
        _integrate(first, second, k, edge_rest, x, v, speed, steps, every, continued, path_x[rows], path_v[rows])

    spread(integrate, len(adjacency), _LANES)
    return Trajectories(names, path_x, path_v, joined.astype(np.uint8), tree.possible)


def energy(
    tree: Tree,
    physics: str | Physics,
    adjacency: UInt8[np.ndarray, "S N N"],
    positions: Float[np.ndarray, "S T N 2"],
    velocities: Float[np.ndarray, "S T N 2"],
) -> Float[np.ndarray, "S T"]:
    """The quantity a system keeps, up to the order of dt, while no force is clipped.

    dx/dt = speed v and dv/dt = F = -dU/dx with one potential per axis and spring, so what is conserved is

        E = speed / 2 sum_i |v_i|^2 + sum_springs sum_axes k / 2 (|d| - L)^2

    (kinetic energy with masses 1 / speed in the true velocity speed v). Walls keep it too. Clipping a force
    breaks it: both published systems clip, most of all while the stiff parent-child springs relax.
    """
    stiffness, rest = springs(tree, physics)
    first, second = np.nonzero(np.triu(np.asarray(adjacency).any(0)))
    k = stiffness[first, second] * (np.asarray(adjacency)[:, first, second] != 0)
    stretch = np.abs(positions[:, :, first] - positions[:, :, second]) - rest[first, second, None]
    kinetic = lookup(physics).speed / 2 * np.square(velocities).sum((2, 3))
    return kinetic + np.einsum("se,stea->st", k / 2, np.square(stretch))


def write_simulation(
    path: str | os.PathLike[str],
    tree: Tree,
    physics: str | Physics,
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
            drawn = {}
            if frames:
                scenes = np.repeat(part.seeds, positions.shape[1])
                in_box = positions.astype(np.float64) / _box(tree, physics)
                pixels = draw(in_box.reshape(-1, tree.size, 2), tree, render, scenes)
                drawn["frames"] = pixels.reshape(*positions.shape[:2], *pixels.shape[1:])
            yield drawn | {
                "positions": positions,
                "velocities": part.velocities.astype(number),
                "adjacency": part.springs,
            }
            if progress:
                progress(start + len(part))

    write_npz_parts(path, len(names), parts(), {"seeds": names, "possible": tree.possible})


@njit(cache=True, nogil=True)
def _integrate(first, second, stiffness, rest, x, v, speed, steps, every, continued, path_x, path_v):
    """Integrate S systems at once: springs [E], stiffness [E, S], x and v [N, 2, S], paths [S, T, N, 2]."""
    nodes, axes, systems = x.shape
    force = np.empty_like(x)
    _reflect(x, v)
    for step in range(steps):
        if step > 0:
            for n in range(nodes):
                for axis in range(axes):
                    for s in range(systems):
                        x[n, axis, s] += STEP * speed * v[n, axis, s]
            _reflect(x, v)
            if step % every == 0:
                for n in range(nodes):
                    for axis in range(axes):
                        for s in range(systems):
                            path_x[s, step // every - 1, n, axis] = x[n, axis, s]
                            path_v[s, step // every - 1, n, axis] = v[n, axis, s]
        force[:] = 0.0
        for e in range(len(first)):
            length = rest[e] if step > 0 or continued else 0.0
            for axis in range(axes):
                i, j = first[e], second[e]
                for s in range(systems):
                    d = x[i, axis, s] - x[j, axis, s]
                    side = length if d > 0.0 else (-length if d < 0.0 else 0.0)
                    pull = stiffness[e, s] * (d - side)
                    force[i, axis, s] -= pull
                    force[j, axis, s] += pull
        for n in range(nodes):
            for axis in range(axes):
                for s in range(systems):
                    v[n, axis, s] += STEP * min(max(force[n, axis, s], -FORCE_LIMIT), FORCE_LIMIT)


@njit(cache=True, nogil=True, inline="always")
def _reflect(x, v):
    """Elastic walls at -1 and 1, in place."""
    nodes, axes, systems = x.shape
    for n in range(nodes):
        for axis in range(axes):
            for s in range(systems):
                place, velocity = x[n, axis, s], v[n, axis, s]
                x[n, axis, s] = 2.0 - place if place > 1.0 else (-2.0 - place if place < -1.0 else place)
                v[n, axis, s] = -abs(velocity) if place > 1.0 else (abs(velocity) if place < -1.0 else velocity)

"""Hierarchical springs: how a system is drawn, how it moves, what energy it has ("HspringsV2").

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

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from numba import njit

from hri.core.hierarchy import Tree
from hri.physics.simulator import STEP as STEP
from hri.physics.simulator import Kernel, Pairs, Simulator, Start, kick, move, start_velocities

WALL = 1.0
FORCE_LIMIT = 10.0
MAX_CHILDREN = 62
"""The springs to c children are the bits of one 64-bit draw."""

_CORNERS = np.array([(-1.0, -1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0)])


@dataclass(frozen=True)
class Physics(Simulator):
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

    def sample(self, tree: Tree, seed: int) -> Start:
        """Draw for draw the published systems.

        Raises:
            ValueError: more than 62 children of a node.
        """
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
        centre, spread_out = _start(tree, self)
        positions = random.randn(2, tree.size).T * spread_out[:, None] + centre
        return adjacency, positions, start_velocities(random, tree.size)

    def kernel(self, pairs: Pairs) -> Kernel:
        """The formula in this file's head; only a start that continues nothing is kicked with L = 0."""
        stiffness, rest = self.constants(pairs)

        def integrate(coupling, x, v, steps, every, continued, path_x, path_v):
            k = stiffness[:, None] * coupling
            _integrate(pairs.first, pairs.second, k, rest, x, v, self.speed, steps, every, continued, path_x, path_v)

        return integrate

    def constants(self, pairs: Pairs) -> tuple[Float[np.ndarray, " E"], Float[np.ndarray, " E"]]:
        """Stiffness and rest length of the spring of each pair."""
        stiffness, rest = springs(pairs.tree, self)
        return stiffness[pairs.first, pairs.second], rest[pairs.first, pairs.second]

    def potential(self, pairs: Pairs, apart: Float[np.ndarray, "S T E 2"]) -> Float[np.ndarray, "S T E"]:
        """One potential per axis: sum_axes k / 2 (|d| - L)^2.

        Clipped forces do not keep the energy: both published systems clip, most of all while the stiff parent-child
        springs relax.
        """
        stiffness, rest = self.constants(pairs)
        return stiffness / 2 * np.square(np.abs(apart) - rest[:, None]).sum(-1)


PHYSICS: dict[str, Physics] = {
    "04": Physics(speed=0.25, centred_levels=3, stiffness=(500.0, 500.0), rest=(0.6, 0.03)),
    "05": Physics(speed=0.0625, centred_levels=2, stiffness=(500.0, 500.0), rest=(0.4, 0.1)),
}
"""Physics configurations by name: 04 goes with tree 4-3, 05 with 3-3."""


def springs(tree: Tree, physics: Physics) -> tuple[Float[np.ndarray, "N N"], Float[np.ndarray, "N N"]]:
    """Stiffness k and rest length L a spring between each pair would have.

    Parent and child have their level's constants; every other pair, siblings or not, those of siblings.
    """
    stiffness = np.full((tree.size, tree.size), physics.sibling_stiffness)
    rest = np.full((tree.size, tree.size), physics.sibling_rest)
    for child, parent in enumerate(tree.parents[1:], start=1):
        level = int(tree.depth[child]) - 1
        stiffness[child, parent] = stiffness[parent, child] = physics.stiffness[min(level, len(physics.stiffness) - 1)]
        rest[child, parent] = rest[parent, child] = physics.rest[min(level, len(physics.rest) - 1)]
    return stiffness, rest


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


@njit(cache=True, nogil=True)
def _integrate(first, second, stiffness, rest, x, v, speed, steps, every, continued, path_x, path_v):
    """Integrate S systems at once: springs [E], stiffness [E, S], x and v [N, 2, S], paths [S, T, N, 2]."""
    axes, systems = x.shape[1:]
    force = np.empty_like(x)
    for step in range(steps):
        move(step, x, v, speed, WALL, every, path_x, path_v)
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
        kick(v, force, FORCE_LIMIT)

"""What any physics does in the same way, and what each must say of itself.

A physics is a :class:`Simulator` in a file of its own: how a system is drawn, how strongly two balls act on each other,
a kernel of Numba that adds up the forces between :func:`move` and :func:`kick`, and the potential of a pair. Keeping
frames, many systems side by side, walls and kinetic energy are here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from numba import njit

from hri.core.hierarchy import Tree
from hri.physics.render import spread

STEP = 0.001
"""dt, in units of simulated time."""
START_SPEED = 0.5
"""Length of every start velocity."""
_LANES = 32  # systems integrated side by side: enough for SIMD, few enough for the first-level cache

Start = tuple[UInt8[np.ndarray, "N N"], Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]
"""Adjacency (symmetric, zero diagonal), start positions and start velocities of one system."""
Kernel = Callable[..., None]
"""Integrates S systems in place: ``(strength [E, S], x, v [N, 2, S], steps, every, continued, paths of both [S, T, N,
2])``."""


class Pairs(NamedTuple):
    """Which balls of a tree act on each other, each pair once."""

    tree: Tree
    first: Int[np.ndarray, " E"]
    second: Int[np.ndarray, " E"]


class Simulator(ABC):
    """One physics. Balls have two axes and stay within the walls that :data:`hri.core.forces.FORCES` names."""

    speed: float
    """Box units a ball with velocity 1 moves in one unit of time; its mass is the reciprocal."""

    @abstractmethod
    def sample(self, tree: Tree, seed: int) -> Start:
        """One system, drawn from its seed; a start a little outside the walls is reflected once."""

    @abstractmethod
    def kernel(self, pairs: Pairs) -> Kernel:
        """What moves balls that act on each other in these pairs."""

    @abstractmethod
    def potential(self, pairs: Pairs, apart: Float[np.ndarray, "S T E 2"]) -> Float[np.ndarray, "S T E"]:
        """Energy of pairs of coupling 1 whose balls are ``apart``, from the second to the first."""

    def check(self, adjacency: UInt8[np.ndarray, "N N"]) -> None:  # noqa: B027 (most refuse nothing)
        """Refuse what no system of this physics can be, such as one that somebody drew; by default all can be.

        Raises:
            ValueError: one sentence that says which balls and what to do.
        """

    def couplings(self, adjacency: UInt8[np.ndarray, "S N N"]) -> Float[np.ndarray, "S N N"]:
        """How strongly any two balls act on each other, 0 where nothing acts; by default 1 where the entry is."""
        return (np.asarray(adjacency) != 0).astype(np.float64)

    def integrate(
        self,
        tree: Tree,
        coupling: Float[np.ndarray, "S N N"],
        positions: Float[np.ndarray, "S N 2"],
        velocities: Float[np.ndarray, "S N 2"],
        steps: int = 5000,
        every: int = 100,
        continued: bool = False,
    ) -> tuple[Float[np.ndarray, "S T N 2"], Float[np.ndarray, "S T N 2"]]:
        """Positions and velocities at steps ``every``, 2 ``every``, ... below ``steps``.

        Args:
            tree: of the balls.
            coupling: :meth:`couplings`, symmetric, with 0 for any pair that was taken out; also of pairs that the tree
                does not list as possible.
            positions: of the start, within 3 boxes.
            velocities: of the start.
            steps: of integration.
            every: how-manieth state is kept.
            continued: the start is a stored state of a system that moves on, so that a first kick is like all others.
        """
        pairs = _acting(tree, coupling)
        strength, kernel = coupling[:, pairs.first, pairs.second], self.kernel(pairs)
        path_x = np.empty((len(positions), (steps - 1) // every, *positions.shape[1:]))
        path_v = np.empty_like(path_x)

        def part(rows: slice) -> None:
            # Systems side by side in the last axis: the inner loops over them become SIMD instructions.
            x, v, c = (
                np.array(np.moveaxis(np.asarray(a)[rows], 0, -1), order="C", dtype=np.float64)
                for a in (positions, velocities, strength)
            )
            kernel(c, x, v, steps, every, continued, path_x[rows], path_v[rows])

        spread(part, len(positions), _LANES)
        return path_x, path_v

    def energy(
        self,
        tree: Tree,
        coupling: Float[np.ndarray, "S N N"],
        positions: Float[np.ndarray, "S T N 2"],
        velocities: Float[np.ndarray, "S T N 2"],
    ) -> Float[np.ndarray, "S T"]:
        """What a system keeps, up to the order of dt, while no force is clipped; walls keep it too.

        E = speed / 2 sum_i |v_i|^2 + sum_pairs c U(d): dx/dt = speed v and dv/dt = -dU/dx, so speed v is the true
        velocity and 1 / speed the mass.
        """
        pairs = _acting(tree, coupling)
        potential = self.potential(pairs, positions[:, :, pairs.first] - positions[:, :, pairs.second])
        kinetic = self.speed / 2 * np.square(velocities).sum((2, 3))
        return kinetic + np.einsum("se,ste->st", coupling[:, pairs.first, pairs.second], potential)


def _acting(tree: Tree, coupling: Float[np.ndarray, "S N N"]) -> Pairs:
    """Pairs that act on each other in any of the systems."""
    return Pairs(tree, *np.nonzero(np.triu(np.any(coupling != 0, axis=0), 1)))


def start_velocities(random: np.random.RandomState, balls: int) -> Float[np.ndarray, "N 2"]:
    """Directions at random, as the published generators draw them."""
    velocities = random.randn(2, balls).T
    return velocities * (START_SPEED / np.linalg.norm(velocities, axis=1, keepdims=True))


# Numba inlines these two into the kernels of other files and keeps those compiled on disk: whoever changes them has to
# touch the files of the kernels too, or the old ones go on being used.


@njit(cache=True, nogil=True, inline="always")
def move(step, x, v, speed, wall, every, path_x, path_v):
    """Begin a step: x <- x + dt speed v but at the start, elastic walls, and a frame where it is due; in place.

    Walls stand at -wall and wall: x -> +-2 wall - x, the velocity component turned inward.
    """
    nodes, axes, systems = x.shape
    if step > 0:
        for n in range(nodes):
            for axis in range(axes):
                for s in range(systems):
                    x[n, axis, s] += STEP * speed * v[n, axis, s]
    for n in range(nodes):
        for axis in range(axes):
            for s in range(systems):
                place, velocity = x[n, axis, s], v[n, axis, s]
                x[n, axis, s] = (
                    2.0 * wall - place if place > wall else (-2.0 * wall - place if place < -wall else place)
                )
                v[n, axis, s] = -abs(velocity) if place > wall else (abs(velocity) if place < -wall else velocity)
    if step > 0 and step % every == 0:
        for n in range(nodes):
            for axis in range(axes):
                for s in range(systems):
                    path_x[s, step // every - 1, n, axis] = x[n, axis, s]
                    path_v[s, step // every - 1, n, axis] = v[n, axis, s]


@njit(cache=True, nogil=True, inline="always")
def kick(v, force, limit):
    """End a step: v <- v + dt force, each component clipped to +-limit; in place."""
    nodes, axes, systems = v.shape
    for n in range(nodes):
        for axis in range(axes):
            for s in range(systems):
                v[n, axis, s] += STEP * min(max(force[n, axis, s], -limit), limit)

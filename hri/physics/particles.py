"""Balls without a hierarchy: springs between any two, and electric charges (Kipf et al. 2018, NRI).

Balls of mass 1 move in a box with elastic walls at -5 and 5. With c_ij what acts between balls i and j,

    springs:  F_i = -0.1 sum_j c_ij (x_i - x_j)                  c_ij = 1 where a spring joins them, else 0
    charged:  F_i = sum_j c_ij (x_i - x_j) / |x_i - x_j|^3       c_ij = q_i q_j, charges +1 and -1

each component of F_i clipped to +-100. Leapfrog: the first kick, a whole dt, comes from the forces at the start; then

    x <- x + dt v;  walls;  v <- v + dt F(x)           (dt = 0.001, 5,000 steps; 10,000 for long tests)

A system of seed s is drawn in the order of the published generator, from ``RandomState(s)``: springs (each pair with
probability 1/2) or charges (each sign with probability 1/2), positions N(0, 0.5^2) or N(0, 1), directions of the start
velocities, whose length is 0.5.

An adjacency entry 1 stands for a spring, or for two charges that repel (0: they attract; every pair interacts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numba import njit

from hri.core.forces import FORCES
from hri.core.hierarchy import Tree
from hri.physics.render import spread

BOX = FORCES["springs"].box
STEP = 0.001
"""dt, in units of simulated time."""
FORCE_LIMIT = 100.0
START_SPEED = 0.5
"""Length of every start velocity."""
_LANES = 32


@dataclass(frozen=True)
class Particles:
    """Constants of one physics, and how its systems are drawn and move."""

    strength: float
    """Factor of every force."""
    spread: float
    """Standard deviation of start positions along each axis."""
    charged: bool
    """Inverse square instead of springs."""

    def sample(
        self, tree: Tree, seed: int
    ) -> tuple[UInt8[np.ndarray, "N N"], Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]:
        """Adjacency, start positions and start velocities of one system; a start outside the box is reflected once."""
        random, balls = np.random.RandomState(seed), tree.size
        if self.charged:
            # The same draws and values as choice([-1, 0, 1], p=[.5, 0, .5]).
            positive = random.random_sample(balls) >= 0.5
            joined = positive[:, None] == positive[None]
        else:
            lower = np.tril(random.random_sample((balls, balls)) >= 0.5, -1)
            joined = lower | lower.T
        np.fill_diagonal(joined, False)
        positions = random.randn(2, balls).T * self.spread
        velocities = random.randn(2, balls).T
        velocities *= START_SPEED / np.linalg.norm(velocities, axis=1, keepdims=True)
        return joined.astype(np.uint8), positions, velocities

    def check(self, adjacency: UInt8[np.ndarray, "N N"]) -> None:
        """Refuse pairs that repel where no charges of two signs could have them do so."""
        if not self.charged:
            return
        sign = adjacency[0] != 0
        sign[0] = True
        for first, second in zip(*np.triu_indices(len(adjacency), 1), strict=True):
            if (adjacency[first, second] != 0) != (sign[first] == sign[second]):
                raise ValueError(
                    f"no charges of two signs let 0, {first} and {second} act on each other like this; "
                    "list every pair of equal charges"
                )

    def couplings(self, adjacency: UInt8[np.ndarray, "S N N"]) -> Float[np.ndarray, "S N N"]:
        """c, what acts between two balls: 1 or 0, a spring or none; 1 or -1, charges that repel or attract."""
        joined = np.asarray(adjacency) != 0
        return np.where(joined, 1.0, -1.0) if self.charged else joined.astype(np.float64)

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
        """Positions and velocities at steps ``every``, 2 ``every``, ... below ``steps``, from a start within 3 boxes.

        Args:
            tree: of the balls, which any physics is told.
            coupling: symmetric; 0 where nothing acts, whatever the physics, so that one pair can be taken out.
            positions: of the start.
            velocities: of the start.
            steps: of integration.
            every: how-manieth state is kept.
            continued: makes no difference here: a first kick is like all others.
        """
        first, second = np.nonzero(np.triu(np.any(coupling != 0, axis=0), 1))
        strength = self.strength * coupling[:, first, second].astype(np.float64)
        path_x = np.empty((len(positions), (steps - 1) // every, *positions.shape[1:]))
        path_v = np.empty_like(path_x)

        def part(rows: slice) -> None:
            # Systems side by side in the last axis: the inner loops over them become SIMD instructions.
            x, v, c = (
                np.array(np.moveaxis(a[rows], 0, -1), order="C", dtype=np.float64)
                for a in (positions, velocities, strength)
            )
            _integrate(first, second, c, self.charged, x, v, steps, every, path_x[rows], path_v[rows])

        spread(part, len(positions), _LANES)
        return path_x, path_v

    def energy(
        self,
        tree: Tree,
        coupling: Float[np.ndarray, "S N N"],
        positions: Float[np.ndarray, "S T N 2"],
        velocities: Float[np.ndarray, "S T N 2"],
    ) -> Float[np.ndarray, "S T"]:
        """The quantity a system keeps, up to the order of dt, while no force is clipped; walls keep it too.

        E = 1/2 sum_i |v_i|^2 + sum_pairs c (0.1 r^2 / 2 for springs, 1 / r for charges), r the distance of the two.
        """
        first, second = np.triu_indices(positions.shape[2], 1)
        square = np.square(positions[:, :, first] - positions[:, :, second]).sum(-1)
        potential = 1 / np.sqrt(square) if self.charged else square / 2
        kinetic = np.square(velocities).sum((2, 3)) / 2
        return kinetic + self.strength * np.einsum("se,ste->st", coupling[:, first, second], potential)


PARTICLES: dict[str, Particles] = {
    "springs": Particles(strength=0.1, spread=0.5, charged=False),
    "charged": Particles(strength=1.0, spread=1.0, charged=True),
}
"""By name of the physics (:data:`hri.core.forces.FORCES`)."""


@njit(cache=True, nogil=True)
def _integrate(first, second, strength, charged, x, v, steps, every, path_x, path_v):
    """Integrate S systems at once: pairs [E], strength [E, S], x and v [N, 2, S], paths [S, T, N, 2]."""
    nodes, axes, systems = x.shape
    force, share = np.empty_like(x), np.empty(systems)
    _reflect(x, v)
    for step in range(steps):
        if step > 0:
            for n in range(nodes):
                for axis in range(axes):
                    for s in range(systems):
                        x[n, axis, s] += STEP * v[n, axis, s]
            _reflect(x, v)
            if step % every == 0:
                for n in range(nodes):
                    for axis in range(axes):
                        for s in range(systems):
                            path_x[s, step // every - 1, n, axis] = x[n, axis, s]
                            path_v[s, step // every - 1, n, axis] = v[n, axis, s]
        force[:] = 0.0
        for e in range(len(first)):
            i, j = first[e], second[e]
            if charged:
                for s in range(systems):
                    dx, dy = x[i, 0, s] - x[j, 0, s], x[i, 1, s] - x[j, 1, s]
                    square = dx * dx + dy * dy
                    # Two balls at one point push each other nowhere.
                    share[s] = strength[e, s] / (square * np.sqrt(square)) if square > 0.0 else 0.0
            else:
                for s in range(systems):
                    share[s] = -strength[e, s]
            for axis in range(axes):
                for s in range(systems):
                    push = share[s] * (x[i, axis, s] - x[j, axis, s])
                    force[i, axis, s] += push
                    force[j, axis, s] -= push
        for n in range(nodes):
            for axis in range(axes):
                for s in range(systems):
                    v[n, axis, s] += STEP * min(max(force[n, axis, s], -FORCE_LIMIT), FORCE_LIMIT)


@njit(cache=True, nogil=True, inline="always")
def _reflect(x, v):
    """Elastic walls, in place."""
    nodes, axes, systems = x.shape
    for n in range(nodes):
        for axis in range(axes):
            for s in range(systems):
                place, velocity = x[n, axis, s], v[n, axis, s]
                x[n, axis, s] = 2.0 * BOX - place if place > BOX else (-2.0 * BOX - place if place < -BOX else place)
                v[n, axis, s] = -abs(velocity) if place > BOX else (abs(velocity) if place < -BOX else velocity)

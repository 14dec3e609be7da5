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
from hri.physics.simulator import START_SPEED as START_SPEED
from hri.physics.simulator import STEP as STEP
from hri.physics.simulator import Kernel, Pairs, Simulator, Start, kick, move, start_velocities

BOX = FORCES["springs"].box
FORCE_LIMIT = 100.0


@dataclass(frozen=True)
class Particles(Simulator):
    """Constants of one physics, and how its systems are drawn and move."""

    strength: float
    """Factor of every force."""
    spread: float
    """Standard deviation of start positions along each axis."""
    charged: bool
    """Inverse square instead of springs."""
    speed: float = 1.0
    """Velocities are as they are called."""

    def sample(self, tree: Tree, seed: int) -> Start:
        """In the order of the published generator."""
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
        return joined.astype(np.uint8), positions, start_velocities(random, balls)

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

    def kernel(self, pairs: Pairs) -> Kernel:
        """The formulas in this file's head; a start that continues makes no difference, its first kick is like all."""

        def integrate(coupling, x, v, steps, every, continued, path_x, path_v):
            strength = self.strength * coupling
            _integrate(pairs.first, pairs.second, strength, self.charged, x, v, steps, every, path_x, path_v)

        return integrate

    def potential(self, pairs: Pairs, apart: Float[np.ndarray, "S T E 2"]) -> Float[np.ndarray, "S T E"]:
        """0.1 r^2 / 2 for springs, 1 / r for charges, r the distance of the two."""
        square = np.square(apart).sum(-1)
        return self.strength * (1 / np.sqrt(square) if self.charged else square / 2)


PARTICLES: dict[str, Particles] = {
    "springs": Particles(strength=0.1, spread=0.5, charged=False),
    "charged": Particles(strength=1.0, spread=1.0, charged=True),
}
"""By name of the physics (:data:`hri.core.forces.FORCES`)."""


@njit(cache=True, nogil=True)
def _integrate(first, second, strength, charged, x, v, steps, every, path_x, path_v):
    """Integrate S systems at once: pairs [E], strength [E, S], x and v [N, 2, S], paths [S, T, N, 2]."""
    axes, systems = x.shape[1:]
    force, share = np.empty_like(x), np.empty(systems)
    for step in range(steps):
        move(step, x, v, 1.0, BOX, every, path_x, path_v)
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
        kick(v, force, FORCE_LIMIT)

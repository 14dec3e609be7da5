"""What a physics must be able to do: draw a system from a seed, and let it move."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.hierarchy import Tree


@runtime_checkable
class Simulator(Protocol):
    """One physics. Balls have two axes and stay within the walls that :data:`hri.core.forces.FORCES` names."""

    def sample(
        self, tree: Tree, seed: int
    ) -> tuple[UInt8[np.ndarray, "N N"], Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]:
        """Adjacency (symmetric, zero diagonal), start positions and start velocities of one system.

        A start may lie a little outside the walls; :meth:`integrate` reflects it once.
        """

    def check(self, adjacency: UInt8[np.ndarray, "N N"]) -> None:
        """Refuse what no system of this physics can be, such as one that somebody drew.

        Raises:
            ValueError: one sentence that says which balls and what to do.
        """

    def couplings(self, adjacency: UInt8[np.ndarray, "S N N"]) -> Float[np.ndarray, "S N N"]:
        """How strongly any two balls act on each other: a factor, 0 where nothing acts."""

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
            coupling: :meth:`couplings`, with 0 for any pair that was taken out.
            positions: of the start.
            velocities: of the start.
            steps: of integration.
            every: how-manieth state is kept.
            continued: the start is a stored state of a system that moves on.
        """

    def energy(
        self,
        tree: Tree,
        coupling: Float[np.ndarray, "S N N"],
        positions: Float[np.ndarray, "S T N 2"],
        velocities: Float[np.ndarray, "S T N 2"],
    ) -> Float[np.ndarray, "S T"]:
        """What a system keeps while no force is clipped."""

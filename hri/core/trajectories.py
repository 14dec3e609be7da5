"""What is simulated or recorded, before any model sees it: trajectories with their true graph, films, their ranges.

The letters of all shapes are in :mod:`hri.core.records`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8


def state_names(dimensions: int) -> tuple[str, ...]:
    """Names of the numbers of a state, in their order: x, y, vx, vy, or x, y, z, vx, vy, vz where depth is known."""
    places = ("x", "y", "z")[:dimensions]
    return (*places, *(f"v{place}" for place in places))


@dataclass(frozen=True)
class Trajectories:
    """Systems in box units (walls at -1 and 1, without a hierarchy at -5 and 5) and simulator time, or bodies as a
    camera sees them.

    Bodies have a third axis, away from the viewer, and their time is in seconds.
    """

    seeds: Int[np.ndarray, " S"]
    positions: Float[np.ndarray, "S T N X"]
    velocities: Float[np.ndarray, "S T N X"]
    adjacency: UInt8[np.ndarray, "S N N"] | None
    """1 where a spring joins two balls, or two charges repel; symmetric, zero diagonal. None where no true graph is
    known."""
    possible: UInt8[np.ndarray, "N N"]
    """1 where the tree allows a spring."""

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def springs(self) -> UInt8[np.ndarray, "S N N"]:
        """:attr:`adjacency`, for those who cannot do without.

        Raises:
            ValueError: no true graph is known.
        """
        if self.adjacency is None:
            raise ValueError("these recordings know no true graph; choose simulated springs")
        return self.adjacency

    def __getitem__(self, rows: slice | np.ndarray) -> Trajectories:
        """The chosen systems as a smaller record (views, no copy, for a slice)."""
        return Trajectories(
            self.seeds[rows],
            self.positions[rows],
            self.velocities[rows],
            None if self.adjacency is None else self.adjacency[rows],
            self.possible,
        )

    @staticmethod
    def of(arrays: dict[str, np.ndarray], name: str) -> Trajectories:
        """The systems in arrays read from ``name``; seeds may be missing (-1 stands for them).

        An adjacency entry above 0 counts as 1: charges may be told as products of their signs, 1 and -1.

        Raises:
            ValueError: an array is missing, or its shape does not fit the others.
        """
        if missing := sorted({"positions", "velocities", "adjacency"} - arrays.keys()):
            raise ValueError(
                f"{name} is not a simulation: it lacks {', '.join(missing)}; write one with `python -m hri simulate`"
            )
        x = arrays["positions"]
        if x.ndim != 4 or x.shape[3] != 2 or 0 in x.shape or x.dtype.kind != "f":
            raise ValueError(f"positions in {name} are {x.dtype} {list(x.shape)}; they must be floats [S, T, N, 2]")
        systems, _, nodes, _ = x.shape
        adjacency = arrays["adjacency"]
        shapes = {"velocities": x.shape, "adjacency": (systems, nodes, nodes), "seeds": (systems,)}
        for key, shape in shapes.items():
            if key in arrays and (arrays[key].shape != shape or arrays[key].dtype.kind not in "biuf"):
                description = f"{arrays[key].dtype} {list(arrays[key].shape)}"
                raise ValueError(f"{key} in {name} are {description}; its positions need numbers {list(shape)}")
        joined = (adjacency > 0).astype(np.uint8)
        joined[:, range(nodes), range(nodes)] = 0
        return Trajectories(
            arrays.get("seeds", np.full(systems, -1)).astype(np.int64),
            x,
            arrays["velocities"].astype(x.dtype, copy=False),
            joined,
            (arrays.get("possible", adjacency.any(0)) != 0).astype(np.uint8),
        )


@dataclass(frozen=True)
class Film:
    """Scenes of which nothing is known but their frames."""

    seeds: Int[np.ndarray, " S"]
    frames: UInt8[np.ndarray, "S T H W C"]

    def __len__(self) -> int:
        return len(self.seeds)


@dataclass(frozen=True)
class Normalisation:
    """Raw ranges of the training set; they normalise whatever comes later (paper, appendix: to [-1, 1]).

    Positions share one range and velocities another. The published code first divides by the largest
    position, which this map undoes.
    """

    position_low: float = -1.0
    position_high: float = 1.0
    velocity_low: float = -1.0
    velocity_high: float = 1.0

    @staticmethod
    def of(trajectories: Trajectories) -> Normalisation:
        """The ranges of a training set."""
        x, v = trajectories.positions, trajectories.velocities
        return Normalisation(float(x.min()), float(x.max()), float(v.min()), float(v.max()))

    def states(
        self, positions: Float[np.ndarray, "*shape X"], velocities: Float[np.ndarray, "*shape X"]
    ) -> Float[np.ndarray, "*shape D"]:
        """Raw positions and velocities -> float32 states (x, y, vx, vy), or (x, y, z, vx, vy, vz), in [-1, 1]."""
        x = (positions - self.position_low) / (self.position_high - self.position_low)
        v = (velocities - self.velocity_low) / (self.velocity_high - self.velocity_low)
        return (np.concatenate([x, v], -1) * 2 - 1).astype(np.float32)

    def positions(self, states: Float[np.ndarray, "*shape D"]) -> Float[np.ndarray, "*shape X"]:
        """States -> raw positions in box units, to draw them."""
        return (states[..., : states.shape[-1] // 2] + 1) / 2 * (
            self.position_high - self.position_low
        ) + self.position_low

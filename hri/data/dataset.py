"""Sequences as tensors: balls and joints on their courses, or frames of clips; states are stored, frames drawn or read
when asked for.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.core.config import DataConfig
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.records import Normalisation, Trajectories
from hri.physics.render import draw


class Sequences(ABC):
    """One split of a data set: what training, validation and evaluation ask of it, wherever it comes from.

    It says how many sequences of how many frames there are, gives parts of itself, and what a model sees of them:
    ``states``, where it has any, and ``pictures``. A source (:mod:`hri.data.source`) makes it.
    """

    data: DataConfig
    normalisation: Normalisation

    @abstractmethod
    def __len__(self) -> int:
        """S, the number of sequences."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """T, frames of a sequence."""

    @property
    @abstractmethod
    def objects(self) -> int:
        """Number of balls or joints in a scene: the N that the edge prior is divided by."""

    @property
    def joined(self) -> bool:
        """Whether the true graph is known."""
        return False

    @abstractmethod
    def part(self, rows: slice | np.ndarray) -> Sequences:
        """The chosen sequences as a smaller set."""

    @property
    @abstractmethod
    def states(self) -> Float[Tensor, "S T N D"]:
        """Normalised states of every node; a source of frames alone has none and raises ValueError."""

    @abstractmethod
    def pictures(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        """The frame of each (sequence, time), uint8 [M, H, W, C]."""

    def frames(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> Float[Tensor, "M C H W"]:
        """The same with pixels in 0 ... 1."""
        return to_tensor(self.pictures(systems, times))

    def true_types(self, senders: np.ndarray, receivers: np.ndarray) -> Int[Tensor, "S E"]:
        """1 where the true graph joins sender and receiver, else 0, in the order of the given edges.

        Raises:
            ValueError: no true graph is known.
        """
        raise ValueError("these recordings know no true graph, so no model can be told it; infer the edges")


@dataclasses.dataclass(frozen=True)
class Springs(Sequences):
    """Balls of simulated systems or joints of bodies on their courses, and how these are normalised and drawn."""

    data: DataConfig
    trajectories: Trajectories
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.trajectories)

    @property
    def steps(self) -> int:
        return self.trajectories.positions.shape[1]

    @property
    def objects(self) -> int:
        return self.trajectories.positions.shape[2]

    @property
    def joined(self) -> bool:
        return self.trajectories.adjacency is not None

    def part(self, rows: slice | np.ndarray) -> Springs:
        return type(self)(self.data, self.trajectories[rows], self.normalisation)

    @cached_property
    def states(self) -> Float[Tensor, "S T N D"]:
        """Normalised (x, y, vx, vy) of every ball, or (x, y, z, vx, vy, vz) of joints whose depth is known."""
        axes = slice(self.data.dimensions)
        moving = self.trajectories.positions[..., axes], self.trajectories.velocities[..., axes]
        return torch.from_numpy(self.normalisation.states(*moving))

    def true_types(self, senders: np.ndarray, receivers: np.ndarray) -> Int[Tensor, "S E"]:
        if self.trajectories.adjacency is None:
            return super().true_types(senders, receivers)
        return torch.from_numpy(self.trajectories.adjacency[:, senders, receivers].astype(np.int64))

    def pictures(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        positions = self.trajectories.positions[systems, times].astype(np.float64) / self.data.force.box
        return draw(positions, Tree.parse(self.data.tree), self.data.render, self.trajectories.seeds[systems])


@runtime_checkable
class FrameWindows(Protocol):
    """Where the frames of S sequences are, and how they are read."""

    def __len__(self) -> int:
        """S."""

    def part(self, rows: Int[np.ndarray, " M"]) -> FrameWindows:
        """The chosen ones."""

    def pictures(self, data: DataConfig, rows: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        """The frame of each (sequence, time), uint8 [M, H, W, C]."""


@dataclasses.dataclass(frozen=True)
class Clips(Sequences):
    """Windows of clips: frames without states or a true graph."""

    data: DataConfig
    windows: FrameWindows
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def steps(self) -> int:
        return self.data.steps

    @property
    def objects(self) -> int:
        return SLOT_TREE.size

    def part(self, rows: slice | np.ndarray) -> Clips:
        return Clips(self.data, self.windows.part(np.arange(len(self))[rows]), self.normalisation)

    @property
    def states(self) -> Float[Tensor, "S T N D"]:
        raise ValueError("clips hold frames and no states; choose a preset with slot or par")

    def pictures(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        return self.windows.pictures(self.data, systems, times)


def body_normalisation(trajectories: Trajectories) -> Normalisation:
    """Box units stay as they are; the fastest joint's speed along an axis becomes 1."""
    fastest = float(np.abs(trajectories.velocities).max()) or 1.0
    return Normalisation(-1.0, 1.0, -fastest, fastest)


def single_precision(trajectories: Trajectories) -> Trajectories:
    """The same courses with numbers of half as many bytes."""
    return dataclasses.replace(
        trajectories,
        positions=trajectories.positions.astype(np.float32),
        velocities=trajectories.velocities.astype(np.float32),
    )


def to_tensor(pictures: np.ndarray) -> Float[Tensor, "M C H W"]:
    """uint8 [M, H, W, C] -> float in 0 ... 1; the memory stays channels last, as convolutions like it."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)

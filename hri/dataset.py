"""Spring systems as tensors: states are stored, frames are drawn when asked for."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.config import DataConfig
from hri.hierarchy import Tree
from hri.records import Normalisation, Trajectories
from hri.render import draw
from hri.simulate import simulate


@dataclasses.dataclass(frozen=True)
class Springs:
    """One split: simulated systems, and how they are normalised and drawn."""

    data: DataConfig
    trajectories: Trajectories
    normalisation: Normalisation

    @staticmethod
    def simulated(
        data: DataConfig, split: Literal["train", "validation", "test"], normalisation: Normalisation | None = None
    ) -> Springs:
        """Simulate a split; without ``normalisation`` its own ranges are taken (the training split)."""
        trajectories = simulate(Tree.parse(data.tree), data.physics, data.seeds(split))
        small = dataclasses.replace(
            trajectories,
            positions=trajectories.positions.astype(np.float32),
            velocities=trajectories.velocities.astype(np.float32),
        )
        return Springs(data, small, normalisation or Normalisation.of(trajectories))

    def __len__(self) -> int:
        return len(self.trajectories)

    @property
    def steps(self) -> int:
        """T, stored frames a system."""
        return self.trajectories.positions.shape[1]

    @cached_property
    def states(self) -> Float[Tensor, "S T N 4"]:
        """Normalised (x, y, vx, vy) of every ball."""
        return torch.from_numpy(self.normalisation.states(self.trajectories.positions, self.trajectories.velocities))

    def true_types(self, senders: np.ndarray, receivers: np.ndarray) -> Int[Tensor, "S E"]:
        """1 where a spring joins sender and receiver, else 0, in the order of the given edges."""
        return torch.from_numpy(self.trajectories.adjacency[:, senders, receivers].astype(np.int64))

    def frames(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> Float[Tensor, "M C H W"]:
        """The frame of each (system, time), pixels in 0 ... 1."""
        return to_tensor(self.pictures(systems, times))

    def pictures(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        """The same as uint8 [M, H, W, C]."""
        positions = self.trajectories.positions[systems, times].astype(np.float64)
        return draw(positions, Tree.parse(self.data.tree), self.data.render, self.trajectories.seeds[systems])


def to_tensor(pictures: np.ndarray) -> Float[Tensor, "M C H W"]:
    """uint8 [M, H, W, C] -> float in 0 ... 1; the memory stays channels last, as convolutions like it."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)

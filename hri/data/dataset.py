"""Sequences as tensors: spring systems, bodies, or video clips; states are stored, frames are drawn when asked for."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.core.config import DataConfig
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.records import Normalisation, Trajectories
from hri.data import clip_windows, windows
from hri.physics.render import draw
from hri.physics.springs import simulate

Split = Literal["train", "validation", "test"]
FEW, FEW_TOLD = 5000, ". So few frames only show the method at work on real movement: no model of how people move"
"""Frames of clips below which a checkpoint says so."""


class Sequences(ABC):
    """One split of a data set: what training, validation and evaluation ask of it, wherever it comes from.

    A source of its own (:func:`sequences` chooses) says how many sequences of how many frames there are, gives parts
    of itself, and what a model sees of them: ``states``, where it has any, and ``pictures``.
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
    @abstractmethod
    def about(self) -> str:
        """What it is, in words, for the header of a checkpoint."""

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
    """Simulated systems, and how they are normalised and drawn."""

    data: DataConfig
    trajectories: Trajectories
    normalisation: Normalisation

    @staticmethod
    def simulated(data: DataConfig, split: Split, normalisation: Normalisation | None = None) -> Springs:
        """Simulate a split; without ``normalisation`` its own ranges are taken (the training split)."""
        trajectories = simulate(Tree.parse(data.tree), data.physics, data.seeds(split))
        return Springs(data, _small(trajectories), normalisation or Normalisation.of(trajectories))

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

    @property
    def about(self) -> str:
        seeds = self.data.seeds("train")
        count, force = self.data.train, self.data.force
        told = f"(seeds {seeds[0]} to {seeds[-1]})"
        if force.flat:
            return (
                f"{count} simulated {force.systems}, {Tree.parse(self.data.tree).size} balls without a hierarchy {told}"
            )
        return f"{count} simulated {self.data.tree} {force.systems} {told}"

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


@dataclasses.dataclass(frozen=True)
class Bodies(Springs):
    """Windows of recordings of a body (:mod:`hri.data.windows`), with no true graph."""

    @staticmethod
    def recorded(data: DataConfig, split: Split, normalisation: Normalisation | None = None) -> Bodies:
        """Cut a split's windows; without ``normalisation`` its own fastest joint sets the range of velocities.

        Raises:
            ValueError: no recordings, of another body, or too short.
        """
        trajectories = windows.scenes(data, data.seeds(split))
        return Bodies(data, _small(trajectories), normalisation or body_normalisation(trajectories))

    @property
    def about(self) -> str:
        assert self.data.motion is not None
        motion = self.data.motion
        found = windows.recordings(motion).of("train")
        seconds = sum(len(recording.positions) / recording.fps for recording in found)
        named = ", ".join(recording.name.replace("_", " ") for recording in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        rate = found[0].fps / motion.every
        bent = f"bones bent by up to {motion.bend:g}°"
        changes = [text for text, done in (("half of them mirrored", motion.mirror), (bent, motion.bend)) if done]
        return (
            f"{len(found)} recording{'s' if len(found) != 1 else ''} of a body ({named}{more}), {seconds:.0f} seconds "
            f"in all, as {self.data.train} windows of {self.steps} frames at {rate:g} a second from random camera "
            f"angles{''.join(f', {change}' for change in changes)}; validated and tested on others"
        )


@dataclasses.dataclass(frozen=True)
class Clips(Sequences):
    """Windows of video clips (:mod:`hri.data.clip_windows`): frames without states or a true graph."""

    data: DataConfig
    windows: clip_windows.Windows
    normalisation: Normalisation

    @staticmethod
    def recorded(data: DataConfig, split: Split) -> Clips:
        """A split's windows; the frames stay on disk.

        Raises:
            ValueError: no clips, of another size, or too short.
        """
        return Clips(data, clip_windows.draw(data, data.seeds(split)), Normalisation())

    def __len__(self) -> int:
        return len(self.windows.starts)

    @property
    def steps(self) -> int:
        return self.data.steps

    @property
    def objects(self) -> int:
        return SLOT_TREE.size

    @property
    def about(self) -> str:
        assert self.data.clips is not None
        config = self.data.clips
        found = clip_windows.of_split(config, clip_windows.clips(config), "train")
        frames = sum(clip.stop - clip.start for clip in found)
        changed = [text for text, done in (("half of them mirrored", config.mirror), ("shifted", config.shift)) if done]
        return (
            f"{len(found)} video clip{'s' if len(found) != 1 else ''} from {config.folder} ({frames} frames of "
            f"{self.data.render.size} x {self.data.render.size} in all), as {self.data.train} windows of {self.steps} "
            f"frames{', ' + ' and '.join(changed) if changed else ''}; validated and tested on others or on later parts"
            f"{FEW_TOLD if frames < FEW else ''}"
        )

    def part(self, rows: slice | np.ndarray) -> Clips:
        every = np.arange(len(self))[rows]
        drawn = self.windows
        few = clip_windows.Windows(
            tuple(drawn.clips[row] for row in every), drawn.starts[every], drawn.mirrored[every], drawn.shifts[every]
        )
        return Clips(self.data, few, self.normalisation)

    @property
    def states(self) -> Float[Tensor, "S T N D"]:
        raise ValueError("clips hold frames and no states; choose a preset with slot or par")

    def pictures(self, systems: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]) -> np.ndarray:
        return clip_windows.pictures(self.data, self.windows, systems, times)


def body_normalisation(trajectories: Trajectories) -> Normalisation:
    """Box units stay as they are; the fastest joint's speed along an axis becomes 1."""
    fastest = float(np.abs(trajectories.velocities).max()) or 1.0
    return Normalisation(-1.0, 1.0, -fastest, fastest)


def sequences(data: DataConfig, split: Split, normalisation: Normalisation | None = None) -> Sequences:
    """A split from wherever the configuration says that sequences come from.

    Args:
        normalisation: of the training split; without it the split's own.

    Raises:
        ValueError: recordings that are not there or do not fit.
    """
    if data.motion is not None:
        return Bodies.recorded(data, split, normalisation)
    if data.clips is not None:
        return Clips.recorded(data, split)
    return Springs.simulated(data, split, normalisation)


def _small(trajectories: Trajectories) -> Trajectories:
    """In single precision."""
    return dataclasses.replace(
        trajectories,
        positions=trajectories.positions.astype(np.float32),
        velocities=trajectories.velocities.astype(np.float32),
    )


def to_tensor(pictures: np.ndarray) -> Float[Tensor, "M C H W"]:
    """uint8 [M, H, W, C] -> float in 0 ... 1; the memory stays channels last, as convolutions like it."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)

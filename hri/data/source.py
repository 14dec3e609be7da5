"""What a source of scenes is: all that the rest of the house may ask of one, whatever it is made of.

A source is what a :class:`hri.core.config.DataConfig` says, with answers to it: which scene a seed is, what the numbers
of a state mean, what is known of a scene beside them, whether the data are on this machine, and words for people. Each
kind has a file of its own; :mod:`hri.data.sources` lists them. Answers that need no scene need neither torch nor Numba.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Float

from hri.core.config import Config, DataConfig
from hri.core.hierarchy import Tree
from hri.core.records import state_names

if TYPE_CHECKING:
    from hri.core.records import Film, Normalisation, Trajectories
    from hri.data.dataset import Sequences

Split = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class Axis:
    """What one number of a state is."""

    name: str
    """Such as x, or vx for the velocity along it."""
    unit: str


@dataclasses.dataclass(frozen=True)
class Piece:
    """Something that scenes are cut from, to be picked by its picture."""

    name: str
    split: Split
    seconds: float
    seed: int | None
    """The smallest of its split whose scene is cut from it; None where none is: it is too short."""
    poses: Float[np.ndarray, "P J 2"]
    """A body at a few moments, seen from its side: metres to the right of its root and above the ground."""


@dataclasses.dataclass(frozen=True)
class Source(ABC):
    """Scenes by seed, and what is known of them."""

    data: DataConfig

    simulated: ClassVar[bool] = False
    """Whether a seed simulates its scene, so that any scene can be had anywhere, also one that a visitor draws."""
    has_states: ClassVar[bool] = True
    """Whether scenes hold states of nodes; otherwise they hold frames alone."""
    space: ClassVar[int] = 2
    """X, axes of the positions in a scene, which may have a depth that states leave out."""
    states: ClassVar[str] = "ball states"
    """What its states are of, in words."""
    shows: ClassVar[str]
    """What a scene shows, such as "simulated balls" or "a recorded body"."""
    files: ClassVar[str]
    """What a folder or file of it holds, such as "a motion.npz"."""
    ranged: ClassVar[bool] = False
    """Whether states are normalised by the range of positions and velocities that training met."""
    folder_flag: ClassVar[str] = ""
    """Of ``train``: the flag whose :attr:`folder` settles how a training is sized (:meth:`sized`)."""
    caution: ClassVar[str] = ""
    """What models of it are for, where that must be said on their card."""

    # What states and nodes are

    @property
    def truth_known(self) -> bool:
        """Whether it is known what acts between any two nodes."""
        return not self.data.origin.no_truth

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What the D numbers of a state are, in their order; none where there are no states."""
        if not self.has_states:
            return ()
        names = state_names(self.data.dimensions)
        places, speeds = self.units
        return tuple(Axis(name, places if k < len(names) // 2 else speeds) for k, name in enumerate(names))

    @property
    @abstractmethod
    def units(self) -> tuple[str, str]:
        """Of positions and of velocities, before they are normalised."""

    @property
    def tree(self) -> Tree | None:
        """How the nodes of states hang together, with the names they have; None where there are no states."""
        return Tree(Tree.parse(self.data.tree).parents, self.data.origin.joints) if self.has_states else None

    # Words

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is, in words: simulated spring systems, a recorded body, video clips."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a page calls the data set, such as springs-4-3, or the name of a folder."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What a form calls it, to choose from several."""

    @property
    @abstractmethod
    def seeds_mean(self) -> str:
        """What a seed stands for, as a sentence."""

    @property
    @abstractmethod
    def about(self) -> str:
        """What the training split is, in words, for the header of a checkpoint."""

    def part(self, seed: int) -> str:
        """Which part of which recording a seed's scene is, in words; the data must be here."""
        return f"seed {seed}"

    def standing(self, seed: int) -> str:
        """Which scene a seed is, and whether training met the recording or system that it is of."""
        met = "met in training" if self.data.split_of(seed) == "train" else "never seen in training"
        return f"{self.part(seed)}; {met}" if self.here else f"a {self.piece} {met}"

    piece: ClassVar[str] = "system"
    """What a scene is cut from or is."""
    pieces_pictured: ClassVar[bool] = False
    """Whether the pieces can be told apart by pictures (:meth:`pieces`)."""

    def pieces(self) -> tuple[Piece, ...]:
        """All that scenes are cut from, in the order of the file; the data must be here, and it takes a moment.

        Raises:
            ValueError: the data are not here or damaged, or have no pictures.
        """
        raise ValueError(f"{self.label} have no pieces to pick from")

    def piece_of(self, seed: int) -> int:
        """Which of :meth:`pieces` a seed's scene is cut from.

        Raises:
            ValueError: as :meth:`pieces`.
        """
        raise ValueError(f"{self.label} have no pieces to pick from")

    # Whether it is here

    @property
    def here(self) -> bool:
        """Whether scenes can be made on this machine."""
        return True

    @property
    def file(self) -> Path | None:
        """Where the pieces lie on this machine, to tell when they change; None where they are not or are in no file."""
        return None

    @property
    def folder(self) -> str:
        """Where the data lie, where a flag of ``train`` says so; else empty."""
        return ""

    @property
    def how_to_get(self) -> str:
        """The command that brings the data; empty where none is needed."""
        return ""

    def in_folder(self, folder: str) -> DataConfig:
        """The same kind of data from another folder.

        Raises:
            ValueError: it comes from no folder.
        """
        raise ValueError(f"{self.label} come from no folder; give what `simulate` wrote")

    def fitting(self) -> DataConfig:
        """The configuration with what only the data themselves can tell, such as the tree of whatever body they are of.

        Raises:
            ValueError: they are not here, or damaged.
        """
        return self.data

    def sized(self, config: Config) -> Config:
        """An experiment on these data with whatever else only they can tell, such as how long to train.

        Raises:
            ValueError: they are not here, or the model cannot be trained on them.
        """
        return dataclasses.replace(config, data=self.fitting())

    def measures(self, normalisation: Normalisation) -> dict[str, np.ndarray]:
        """What normalised numbers are in the data's own units, as fields of a rollout; empty where that says nothing
        that box units do not.
        """
        return {}

    # Scenes

    @abstractmethod
    def scenes(self, seeds: Sequence[int]) -> Trajectories | Film:
        """The scene of each seed.

        Raises:
            ValueError: the data are not here or do not fit the configuration.
        """

    @abstractmethod
    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        """A split as tensors.

        Args:
            split: whose seeds.
            normalisation: of the training split; without it the split's own.

        Raises:
            ValueError: as :meth:`scenes`.
        """

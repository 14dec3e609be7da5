"""Trajectories of anybody's objects, from and to the one file that models learn from.

A data set is one ``trajectories.npz``: the states of all sequences joined along time, where each starts, its name and
split, the objects with their names and (where they have one) their tree, units, rate, and what is known of what acts on
what. Numbers are in the units of whoever recorded them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int8

from hri.core.files import read_npz, write_npz
from hri.core.hierarchy import MOST_BALLS, Tree
from hri.data.motion import Split

FILE = "trajectories.npz"
LEAST_FRAMES = 12
"""Frames of the shortest sequence that a model can be shown."""
Truth = Literal["none", "relations", "signs"]
"""What is known of pairs: nothing; whether they are related; the sign, -1 or 1, with which all of them act."""


@dataclasses.dataclass(frozen=True)
class Sequence:
    """Objects that move through one stretch of time together."""

    name: str
    split: Split
    positions: Float[np.ndarray, "T N X"]
    velocities: Float[np.ndarray, "T N X"]
    relations: Int8[np.ndarray, "T N N"] | None = None
    """What the sender (row) does to the receiver (column) at each frame: 0 or 1, or signs; None where nobody knows."""


@dataclasses.dataclass(frozen=True)
class TrajectorySet:
    """Sequences of the same objects."""

    names: tuple[str, ...]
    tree: Tree
    """One node an object, every one after its parent; flat where there is no hierarchy."""
    sequences: tuple[Sequence, ...]
    fps: float = 1.0
    """Frames a second; frames a frame where ``timed`` is off."""
    timed: bool = False
    """Whether it is known how long a frame takes."""
    unit: str = ""
    """Of positions, as its owner calls it; empty where nobody said."""
    speed_unit: str = ""
    truth: Truth = "none"
    notes: tuple[str, ...] = ()
    """What was guessed, filled or cut when it was read, a sentence each."""

    def __post_init__(self) -> None:
        size = self.tree.size
        if not 2 <= size <= MOST_BALLS:
            raise ValueError(f"{size} object{'s' if size != 1 else ''} cannot be related; choose 2 to {MOST_BALLS}")
        if len(self.names) != size:
            raise ValueError(f"{len(self.names)} names for {size} objects; give one name an object")
        if not self.sequences:
            raise ValueError("there is no sequence to keep")
        axes = self.sequences[0].positions.shape[2]
        for sequence in self.sequences:
            shape = sequence.positions.shape
            if shape[1:] != (size, axes) or axes not in (2, 3) or sequence.velocities.shape != shape:
                raise ValueError(f"{sequence.name} is of shape {list(shape)}, not [T, {size}, {axes}]")
            if (self.truth == "none") != (sequence.relations is None):
                raise ValueError(f"{sequence.name} must know what acts on what as all others do, or none of them")
            if sequence.relations is not None and sequence.relations.shape != (shape[0], size, size):
                raise ValueError(f"{sequence.name} has relations of shape {list(sequence.relations.shape)}")
            if not (np.isfinite(sequence.positions).all() and np.isfinite(sequence.velocities).all()):
                raise ValueError(f"{sequence.name} holds numbers that are not finite; cut those frames out first")

    @property
    def axes(self) -> int:
        """X, 2 or 3."""
        return self.sequences[0].positions.shape[2]

    def of(self, split: Split) -> tuple[Sequence, ...]:
        """The sequences of one split."""
        return tuple(sequence for sequence in self.sequences if sequence.split == split)

    def ranges(self) -> Float[np.ndarray, "X 2"]:
        """Least and greatest position along each axis, in the data's own units, over what trains."""
        places = np.concatenate([sequence.positions.reshape(-1, self.axes) for sequence in self.of("train")])
        return np.stack([places.min(0), places.max(0)], 1).astype(np.float64)

    def summary(self) -> dict[str, Any]:
        """What it holds, as plain JSON types."""
        return {
            "sequences": len(self.sequences),
            **{split: len(self.of(split)) for split in get_args(Split)},
            "frames": sum(len(sequence.positions) for sequence in self.sequences),
            "objects": len(self.names),
            "names": list(self.names),
            "tree": self.tree.text,
            "frames_a_second": self.fps if self.timed else None,
            "ranges": {
                axis: [float(f"{end:.6g}") for end in ends]
                for axis, ends in zip("xyz", self.ranges().tolist(), strict=False)
            },
            "unit": self.unit,
            "speed_unit": self.speed_unit,
            "truth": self.truth,
            "notes": list(self.notes),
        }

    def write(self, path: Path) -> None:
        """One ``.npz`` without pickles, atomically."""
        counts = [len(sequence.positions) for sequence in self.sequences]

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(sequence, name) for sequence in self.sequences])

        arrays: dict[str, np.ndarray] = {
            "positions": joined("positions").astype(np.float32),
            "velocities": joined("velocities").astype(np.float32),
            "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "sequences": np.array([sequence.name for sequence in self.sequences]),
            "splits": np.array([sequence.split for sequence in self.sequences]),
            "names": np.array(self.names),
            "parents": np.array(self.tree.parents, dtype=np.int64),
            "fps": np.array(self.fps),
            "timed": np.array(self.timed),
            "units": np.array([self.unit, self.speed_unit]),
            "truth": np.array(self.truth),
            "notes": np.array(self.notes, dtype=str),
        }
        if self.truth != "none":
            lasting = all(s.relations is not None and (s.relations == s.relations[:1]).all() for s in self.sequences)
            known = [s.relations for s in self.sequences if s.relations is not None]
            arrays["relations"] = np.concatenate([part[:1] if lasting else part for part in known]).astype(np.int8)
        write_npz(path, arrays)

    @staticmethod
    def read(path: Path) -> TrajectorySet:
        """What :meth:`write` wrote.

        Raises:
            OSError: the file is not there.
            ValueError: not a data set of trajectories, or a damaged one.
        """
        arrays = read_npz(path)
        keys = (
            "positions", "velocities", "starts", "sequences", "splits", "names", "parents", "fps", "timed", "units",
            "truth", "notes",
        )  # fmt: skip
        if missing := [name for name in keys if name not in arrays]:
            raise ValueError(
                f"{path} is no data set of trajectories: it lacks {missing[0]}; make one with `data trajectories`"
            )
        starts, positions, truth = arrays["starts"], arrays["positions"], str(arrays["truth"])
        fits = (
            starts.ndim == 1
            and len(starts) == len(arrays["sequences"]) + 1 == len(arrays["splits"]) + 1 > 1
            and starts[0] == 0
            and starts[-1] == len(positions)
            and (np.diff(starts) > 0).all()
            and positions.ndim == 3
            and set(arrays["splits"].tolist()) <= set(get_args(Split))
            and truth in get_args(Truth)
            and arrays["units"].shape == (2,)
            and (truth == "none" or "relations" in arrays)
        )
        if not fits:
            raise ValueError(
                f"{path} is damaged: its sequences do not fit its positions; make it again with `data trajectories`"
            )
        size = positions.shape[1]

        def relations(index: int, start: int, stop: int) -> np.ndarray | None:
            """As many as there are sequences: those that last; else one a frame."""
            if truth == "none":
                return None
            known = arrays["relations"]
            lasting = len(known) == len(starts) - 1 != len(positions)
            return np.broadcast_to(known[index], (stop - start, size, size)) if lasting else known[start:stop]

        sequences = tuple(
            Sequence(
                str(name),
                str(split),  # type: ignore[arg-type]
                positions[start:stop],
                arrays["velocities"][start:stop],
                relations(index, int(start), int(stop)),
            )
            for index, (name, split, start, stop) in enumerate(
                zip(arrays["sequences"], arrays["splits"], starts[:-1], starts[1:], strict=True)
            )
        )
        return TrajectorySet(
            names=tuple(map(str, arrays["names"])),
            tree=Tree(tuple(int(parent) for parent in arrays["parents"])),
            sequences=sequences,
            fps=float(arrays["fps"]),
            timed=bool(arrays["timed"]),
            unit=str(arrays["units"][0]),
            speed_unit=str(arrays["units"][1]),
            truth=truth,  # type: ignore[arg-type]
            notes=tuple(map(str, arrays["notes"])),
        )

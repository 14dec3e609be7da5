"""Recordings of moving bodies, ``[T, J, 3]`` in metres with z up, from and to files.

A motion data set is one ``motion.npz``: the positions of all recordings joined along time, where each starts, its
name, frame rate and split, and the joints with their parents, which are the body's tree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from hri.core.files import read_npz, write_npz
from hri.core.hierarchy import Tree

Split = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class Recording:
    """One take of one body."""

    name: str
    subject: str
    split: Split
    fps: float
    positions: Float[np.ndarray, "T J 3"]
    """Metres, z up."""


@dataclasses.dataclass(frozen=True)
class MotionSet:
    """Recordings of bodies with the same joints."""

    joints: tuple[str, ...]
    tree: Tree
    """One node a joint; every joint after its parent."""
    recordings: tuple[Recording, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != self.tree.size:
            raise ValueError(
                f"{len(self.joints)} names of joints for a body of {self.tree.size}; give one name a joint"
            )
        if not self.recordings:
            raise ValueError("there is no recording to keep")
        for recording in self.recordings:
            if recording.positions.shape[1:] != (self.tree.size, 3):
                raise ValueError(
                    f"{recording.name} is of shape {recording.positions.shape}, not [T, {self.tree.size}, 3]"
                )
            if not np.isfinite(recording.positions).all():
                raise ValueError(f"{recording.name} holds positions that are not numbers; cut those frames out first")

    def of(self, split: Split) -> tuple[Recording, ...]:
        """The recordings of one split."""
        return tuple(recording for recording in self.recordings if recording.split == split)

    def bone_lengths(self, recording: Recording) -> Float[np.ndarray, "T bones"]:
        """Distance of every joint but the root from its parent, metres."""
        parents = list(self.tree.parents[1:])
        return np.linalg.norm(recording.positions[:, 1:] - recording.positions[:, parents], axis=-1)

    def stretch(self) -> float:
        """By how much the most variable bone departs from its own median length, as a share of the mean bone length.

        A real body's is about zero: joints that are misread, or a wrong tree, show here first.
        """
        worst = 0.0
        for recording in self.recordings:
            lengths = self.bone_lengths(recording)
            if lengths.size:
                typical = np.median(lengths, axis=0)
                worst = max(worst, float(np.abs(lengths - typical).max() / max(typical.mean(), 1e-12)))
        return worst

    def write(self, path: Path) -> None:
        """One ``.npz`` without pickles, atomically."""
        counts = [len(recording.positions) for recording in self.recordings]
        arrays: dict[str, np.ndarray] = {
            "positions": np.concatenate([recording.positions for recording in self.recordings]).astype(np.float32),
            "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "names": np.array([recording.name for recording in self.recordings]),
            "subjects": np.array([recording.subject for recording in self.recordings]),
            "splits": np.array([recording.split for recording in self.recordings]),
            "fps": np.array([recording.fps for recording in self.recordings], dtype=np.float64),
            "joints": np.array(self.joints),
            "parents": np.array(self.tree.parents, dtype=np.int64),
        }
        write_npz(path, arrays)

    @staticmethod
    def read(path: Path) -> MotionSet:
        """What :meth:`write` wrote.

        Raises:
            OSError: the file is not there.
            ValueError: not a motion data set, or a damaged one.
        """
        arrays = read_npz(path)
        keys = ("positions", "starts", "names", "subjects", "splits", "fps", "joints", "parents")
        if missing := [name for name in keys if name not in arrays]:
            raise ValueError(f"{path} is not a motion data set: it lacks {missing[0]}; make one with `data`")
        starts, positions = arrays["starts"], arrays["positions"]
        if (
            starts.ndim != 1
            or not all(len(arrays[name]) == len(starts) - 1 for name in ("names", "subjects", "splits", "fps"))
            or len(starts) < 2
            or starts[0] != 0
            or starts[-1] != len(positions)
            or (np.diff(starts) < 1).any()
            or not set(arrays["splits"].tolist()) <= set(get_args(Split))
        ):
            raise ValueError(f"{path} is damaged: its recordings do not fit its positions; make it again with `data`")
        recordings = tuple(
            Recording(str(name), str(subject), str(split), float(fps), positions[start:stop])  # type: ignore[arg-type]
            for name, subject, split, fps, start, stop in zip(
                arrays["names"],
                arrays["subjects"],
                arrays["splits"],
                arrays["fps"],
                starts[:-1],
                starts[1:],
                strict=True,
            )
        )
        return MotionSet(
            tuple(map(str, arrays["joints"])), Tree(tuple(int(parent) for parent in arrays["parents"])), recordings
        )


AMP_PARENTS = {
    "pelvis": -1, "torso": 0, "head": 1, "right_upper_arm": 1, "right_lower_arm": 3, "right_hand": 4,
    "left_upper_arm": 1, "left_lower_arm": 6, "left_hand": 7, "right_thigh": 0, "right_shin": 9, "right_foot": 10,
    "left_thigh": 0, "left_shin": 12, "left_foot": 13,
}  # fmt: skip
"""The body of the humanoid recordings that ``data fetch-demo`` gets: their files name joints but not their parents."""


def from_npz(path: Path) -> tuple[tuple[str, ...], Tree, float, Float[np.ndarray, "T J 3"]]:
    """Joints, tree, frames a second and positions of ``[T, J, 3]`` positions in an npz, metres with z up.

    Keys: ``positions`` (or ``body_positions``), ``fps``, ``names`` (or ``body_names``) and ``parents`` [J], -1 for the
    root; without ``parents`` the names must be those of :data:`AMP_PARENTS`.

    Raises:
        OSError: the file is not there.
        ValueError: an array is missing or does not fit.
    """
    arrays = read_npz(path)
    positions = arrays.get("positions", arrays.get("body_positions"))
    if positions is None or positions.ndim != 3 or positions.shape[2] != 3:
        raise ValueError(f"{path} holds no positions [T, J, 3]; store them under the name positions")
    if "fps" not in arrays or arrays["fps"].size != 1 or not float(arrays["fps"].reshape(())) > 0:
        raise ValueError(f"{path} does not say how many frames a second it has; store that number as fps")
    named = arrays.get("names", arrays.get("body_names"))
    names = tuple(map(str, named)) if named is not None else tuple(f"joint {j}" for j in range(positions.shape[1]))
    if "parents" in arrays:
        parents = tuple(int(parent) for parent in arrays["parents"])
    elif names == tuple(AMP_PARENTS):
        parents = tuple(AMP_PARENTS.values())
    else:
        raise ValueError(f"{path} does not say how its joints hang together; store each one's parent as parents [J]")
    if not len(names) == len(parents) == positions.shape[1]:
        raise ValueError(f"{path} has {positions.shape[1]} joints, {len(names)} names and {len(parents)} parents")
    return names, Tree(parents), *without_repeats(float(arrays["fps"].reshape(())), positions.astype(np.float32))


def without_repeats(fps: float, positions: Float[np.ndarray, "T J 3"]) -> tuple[float, Float[np.ndarray, "T2 J 3"]]:
    """Frames a second and positions at the rate at which they were recorded, where a file holds each frame n times.

    Files that were brought to a higher rate by repeating frames would teach that bodies stand still every other frame.
    Nothing is lost: what is left out equals what is kept.
    """
    changes = np.flatnonzero((np.diff(positions, axis=0) != 0).any((1, 2))) + 1
    if len(changes) < 2:
        return fps, positions
    held = int(np.gcd.reduce(np.diff(changes)))
    return fps / held, positions[changes[0] % held :: held]


def split_by_recording(names: Sequence[str]) -> dict[str, Split]:
    """Whole recordings to splits, the last (in the order of their names) to test and the one before to validation.

    With two there is no validation, with one no test: nothing of a training recording is ever tested on.
    """
    ordered = sorted(names)
    splits: dict[str, Split] = dict.fromkeys(ordered, "train")
    if len(ordered) > 1:
        splits[ordered[-1]] = "test"
    if len(ordered) > 2:
        splits[ordered[-2]] = "validation"
    return splits

"""Recordings of moving bodies, ``[T, J, 3]`` in metres with z up, from and to files.

A motion data set is one ``motion.npz``: the positions of all recordings joined along time, where each starts, its
name, frame rate and split, and the joints with their parents, which are the body's tree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from hri.core.files import read_npz, write_npz
from hri.core.hierarchy import Tree
from hri.core.node_names import printable

Split = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class Care:
    """How motion capture is taken that is not as it should be."""

    fps: float | None = None
    """Frames a second of .bvh and .npz files, where they are wrong about them or do not say."""
    stretch: float = 0.02
    """Share of the mean bone by which a bone may change its length; bodies that were measured keep theirs, poses that
    were estimated from video need about 0.5."""
    gap: float = 0.2
    """Seconds for which a joint may be missing (NaN) and is filled in; longer gaps cut a take in two."""

    def check(self) -> None:
        """Refuse numbers that mean nothing.

        Raises:
            ValueError: the first of them.
        """
        if self.fps is not None and not 0.1 <= self.fps <= 10_000:
            raise ValueError(f"--fps is {self.fps:g}; choose 0.1 to 10000 frames a second")
        if not 0 <= self.stretch <= 10:
            raise ValueError(f"--stretch is {self.stretch:g}; choose 0 to 10 times the mean bone")
        if not 0 <= self.gap <= 60:
            raise ValueError(f"--gap is {self.gap:g}; choose 0 to 60 seconds")


USUAL = Care()
"""As measured bodies need it."""


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

    def divided(self) -> MotionSet:
        """The same where it has recordings of all three splits; else with what trains divided in time.

        With one or two recordings the first part of each trains; the last fifth tests where nothing else does, and the
        fifth before that, or the last, validates. Nothing of it is used twice.
        """
        needed: tuple[Split, ...] = ("validation", "test")
        missing = [split for split in needed if not self.of(split)]
        if not missing or not self.of("train"):
            return self
        parts: list[Recording] = []
        for recording in self.recordings:
            if recording.split != "train":
                parts.append(recording)
                continue
            length, start = len(recording.positions), 0
            for place, split in enumerate(("train", *missing)):
                stop = round(length * (1 - 0.2 * (len(missing) - place)))
                name = recording.name if place == 0 else f"{recording.name}, {split} part"
                if stop > start:
                    parts.append(
                        Recording(name, recording.subject, split, recording.fps, recording.positions[start:stop])
                    )
                start = stop
        return dataclasses.replace(self, recordings=tuple(parts))

    def bone_lengths(self, recording: Recording) -> Float[np.ndarray, "T bones"]:
        """Distance of every joint but the root from its parent, metres."""
        return bone_lengths(recording.positions, self.tree)

    def stretch(self) -> float:
        """By how much the most variable bone departs from its own median length, as a share of the mean bone length.

        A real body's is about zero: joints that are misread, or a wrong tree, show here first.
        """
        return max(stretch(recording.positions, self.tree)[0] for recording in self.recordings)

    def height(self) -> float:
        """Metres between the two joints of a body that are farthest apart, the median over time; end sites, such as the
        top of the head, are not among them.
        """
        return float(np.median(np.concatenate([extents(recording.positions) for recording in self.recordings])))

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


def bone_lengths(positions: Float[np.ndarray, "T J 3"], tree: Tree) -> Float[np.ndarray, "T bones"]:
    """Distance of every joint but the root from its parent; NaN where one of them is missing."""
    return np.linalg.norm(positions[:, 1:] - positions[:, list(tree.parents[1:])], axis=-1)


def stretch(positions: Float[np.ndarray, "T J 3"], tree: Tree) -> tuple[float, int]:
    """As :meth:`MotionSet.stretch` and the joint at the end of that bone; missing joints (NaN) are passed over."""
    lengths = bone_lengths(positions, tree)
    lengths = lengths[np.isfinite(lengths).all(1)] if np.isfinite(lengths).all(1).any() else np.nan_to_num(lengths)
    if not lengths.size:
        return 0.0, 0
    typical = np.median(lengths, axis=0)
    departures = np.abs(lengths - typical).max(0) / max(typical.mean(), 1e-12)
    return float(departures.max()), 1 + int(departures.argmax())


def extents(positions: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, " t"]:
    """Distance of the two joints that are farthest apart, at most 100 frames evenly over time."""
    few = positions[:: -(-len(positions) // 100)].astype(np.float64)
    return np.array([np.linalg.norm(frame[:, None] - frame, axis=-1).max() for frame in few])


AMP_PARENTS = {
    "pelvis": -1, "torso": 0, "head": 1, "right_upper_arm": 1, "right_lower_arm": 3, "right_hand": 4,
    "left_upper_arm": 1, "left_lower_arm": 6, "left_hand": 7, "right_thigh": 0, "right_shin": 9, "right_foot": 10,
    "left_thigh": 0, "left_shin": 12, "left_foot": 13,
}  # fmt: skip
"""The body of the humanoid recordings that ``data fetch-demo`` gets: their files name joints but not their parents."""


def from_npz(
    path: Path, metres: float = 1.0, fps: float | None = None, say: Callable[[str], object] = lambda _: None
) -> tuple[tuple[str, ...], Tree, float, Float[np.ndarray, "T J 3"]]:
    """Joints, tree, frames a second and positions of ``[T, J, 3]`` positions in an npz, z up; NaN where one is missing.

    Keys: ``positions`` (or ``body_positions``), ``fps``, ``names`` (or ``body_names``) and ``parents`` [J], -1 (or
    itself) for the root; without ``parents`` the names must be those of :data:`AMP_PARENTS`. Joints that stand before
    their parents are put after them.

    Args:
        path: The file.
        metres: What one unit of the file is.
        fps: Frames a second, where the file is wrong about them or does not say.
        say: Called with a sentence for everything that had to be guessed.

    Raises:
        OSError: the file is not there.
        ValueError: an array is missing or does not fit.
    """
    arrays = read_npz(path)
    positions = arrays.get("positions", arrays.get("body_positions"))
    if positions is None or positions.ndim != 3 or positions.shape[2] != 3 or positions.dtype.kind not in "iuf":
        raise ValueError(f"{path} holds no positions [T, J, 3]; store them under the name positions")
    if fps is None and ("fps" not in arrays or arrays["fps"].size != 1 or not float(arrays["fps"].reshape(())) > 0):
        raise ValueError(
            f"{path} does not say how many frames a second it has; store that number as fps, or give it with --fps"
        )
    named = arrays.get("names", arrays.get("body_names"))
    count = positions.shape[1]
    names = tuple(map(str, named)) if named is not None else tuple(f"joint {j}" for j in range(count))
    if "parents" in arrays:
        parents = [int(parent) for parent in arrays["parents"].reshape(-1)]
    elif names == tuple(AMP_PARENTS):
        parents = list(AMP_PARENTS.values())
    else:
        raise ValueError(f"{path} does not say how its joints hang together; store each one's parent as parents [J]")
    if not len(names) == len(parents) == count:
        raise ValueError(f"{path} has {count} joints, {len(names)} names and {len(parents)} parents")
    order, tree = _parents_first(parents, path)
    if order != list(range(count)):
        say(f"{path.name} lists joints before their parents: they are put after them")
    at_origin = (positions == 0).all(2)
    if missed := [names[joint] for joint in range(count) if joint and 0 < at_origin[:, joint].sum() < len(positions)]:
        say(
            f"{path.name} has {missed[0]!r} at exactly 0, 0, 0 in {at_origin[:, names.index(missed[0])].sum()} frames: "
            "where that stands for a joint that was not seen, store NaN, which is filled"
        )
    rate = fps or float(arrays["fps"].reshape(()))
    placed = (metres * positions.astype(np.float64)[:, order]).astype(np.float32)
    shown = tuple(printable(names[joint]) or f"joint {joint}" for joint in order)
    return shown, tree, *without_repeats(rate, placed)


def _parents_first(parents: Sequence[int], path: Path) -> tuple[list[int], Tree]:
    """Joints in an order in which each comes after its parent, and the tree of them.

    Raises:
        ValueError: no root, several, a parent that is not there, or a ring.
    """
    count = len(parents)
    above = [-1 if parent in (joint, -1, 2**32 - 1) else parent for joint, parent in enumerate(parents)]
    roots = [joint for joint, parent in enumerate(above) if parent == -1]
    if len(roots) != 1 or not all(-1 <= parent < count for parent in above):
        raise ValueError(
            f"the parents in {path} make no body: {len(roots)} joints are roots, of {count}; store -1 for one root, "
            "and for each other joint the number of the joint that it hangs on"
        )
    if all(parent < joint for joint, parent in enumerate(above)):
        return list(range(count)), Tree(tuple(above))
    order: list[int] = list(roots)
    for joint in order:
        order += [other for other, parent in enumerate(above) if parent == joint]
    if len(order) != count:
        raise ValueError(f"the parents in {path} make a ring; store for each joint the number of the one it hangs on")
    place = {joint: index for index, joint in enumerate(order)}
    return order, Tree((-1, *(place[above[joint]] for joint in order[1:])))


def without_repeats(fps: float, positions: Float[np.ndarray, "T J 3"]) -> tuple[float, Float[np.ndarray, "T2 J 3"]]:
    """Frames a second and positions at the rate at which they were recorded, where a file holds each frame n times.

    Files that were brought to a higher rate by repeating frames would teach that bodies stand still every other frame.
    Nothing is lost: what is left out equals what is kept.
    """
    missing = np.isnan(positions)
    differ = (np.diff(positions, axis=0) != 0) & ~(missing[1:] & missing[:-1])
    changes = np.flatnonzero(differ.any((1, 2))) + 1
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

"""Motion capture files of one body to a motion data set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hri.core.hierarchy import Tree
from hri.core.node_names import LONGEST_NAME, printable
from hri.data.formats import bvh, deepmimic
from hri.data.gaps import without_gaps
from hri.data.motion import USUAL, Care, MotionSet, Recording, from_npz, split_by_recording, stretch

HEIGHTS = (0.3, 3.0)
"""Metres that a body measures, child or adult; beyond them its unit is asked about."""
MOST_JOINTS = 100
"""Joints of a body, as many nodes as a page shows."""
ENDINGS = (".bvh", ".npz")


class Capture(NamedTuple):
    """A motion data set, and what one should know of how it was read."""

    motion: MotionSet
    notes: tuple[str, ...]
    """What had to be guessed or mended, a sentence each."""
    skipped: tuple[dict[str, str], ...]
    """Name and reason of each file of a folder that is not in it."""


def read(path: Path, metres: float | None = None, only: Collection[str] = (), care: Care = USUAL) -> MotionSet:
    """What :func:`capture` makes of a file or folder, without a word about it."""
    return capture(path, metres, only, care).motion


def capture(path: Path, metres: float | None = None, only: Collection[str] = (), care: Care = USUAL) -> Capture:
    """One ``.bvh``, ``.npz`` or motion of DeepMimic's humanoid (``.txt``, ``.json``), or all of a folder, whatever the
    case of their endings; whole recordings are split into train, validation and test.

    Args:
        path: the file or folder.
        metres: what one unit of a ``.bvh`` or ``.npz`` file is; None: centimetres and metres, if that gives a body of
            child's or adult's height.
        only: names of the files of a folder to read, by default all.
        care: what is done about gaps, bones that change their lengths, and rates.

    Raises:
        OSError: nothing is there.
        ValueError: no recording, different bodies, a body of odd size, bones that change their lengths, or a damaged
            file.
    """
    care.check()
    if metres is not None and not (math.isfinite(metres) and metres > 0):
        raise ValueError(f"--metres is {metres:g}; choose what one unit is in metres, such as 0.01")
    files, skipped = _files(path, only)
    named = Counter(file.stem for file in files)
    names = [printable(file.stem if named[file.stem] == 1 else file.name) or "take" for file in files]
    splits = split_by_recording(names)
    notes: list[str] = []
    recordings: list[Recording] = []
    first: tuple[str, tuple[str, ...], Tree] | None = None
    for file, name in zip(files, names, strict=True):
        try:
            joints, tree, fps, positions = _take(file, metres, care, notes)
        except ValueError as error:
            if len(files) == 1:
                raise
            skipped.append({"name": file.name, "reason": str(error)})
            continue
        if first is not None and (joints, tree) != first[1:]:
            raise ValueError(f"{file.name} shows another body than {first[0]}; convert them one by one")
        first = first or (file.name, joints, tree)
        for piece, part in enumerate(_pieces(file, joints, tree, fps, positions, care, notes)):
            suffix = f" part {piece + 1}" if piece else ""
            short = name[: LONGEST_NAME - len(suffix)]
            recordings.append(Recording(f"{short}{suffix}", "one", splits[name], fps, part))
    if first is None:
        raise ValueError(f"no file of {path} could be read: {skipped[0]['reason']}")
    return Capture(MotionSet(first[1], first[2], tuple(recordings)), tuple(notes), tuple(skipped))


def _files(path: Path, only: Collection[str]) -> tuple[list[Path], list[dict[str, str]]]:
    """The motion capture in a folder, or the file itself; of what else lies there, why it is not taken."""
    there = sorted(path.iterdir()) if path.is_dir() else [path]
    there = [file for file in there if file.name in only or not only]
    files = [file for file in there if _is_motion(file)]
    if not files or not (path.is_dir() or _is_motion(path)):
        raise ValueError(
            f"{path} holds no motion capture; name a .bvh or .npz file, or one of DeepMimic's "
            "humanoid, or a folder of them"
        )
    others = [file for file in there if file not in files and not file.name.startswith(".")]
    why = {True: "a folder; name it itself", False: "no motion capture (.bvh, .npz or DeepMimic's)"}
    return files, [{"name": file.name, "reason": why[file.is_dir()]} for file in others]


def _take(
    file: Path, metres: float | None, care: Care, notes: list[str]
) -> tuple[tuple[str, ...], Tree, float, np.ndarray]:
    """Joints, tree, frames a second and positions of one file, its size looked at."""
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        return deepmimic.read(file)
    usual = {".bvh": 0.01, ".npz": 1.0}[ending]
    reader = {".bvh": bvh.read, ".npz": from_npz}[ending]
    take = joints, tree, _, positions = reader(file, metres or usual, care.fps, notes.append)
    if not 2 <= tree.size <= MOST_JOINTS:
        raise ValueError(f"{file} has {tree.size} joints; bodies of 2 to {MOST_JOINTS} are taken")
    seen = positions[np.isfinite(positions).all((1, 2))]
    if len(seen) and metres is None:
        height = MotionSet(joints, tree, (Recording(file.stem, "one", "train", 1.0, seen),)).height()
        if not HEIGHTS[0] <= height <= HEIGHTS[1]:
            raise ValueError(
                f"{file} shows a body that measures {height:.3g} m from joint to joint if one unit is {usual:g} m, and "
                f"people measure {HEIGHTS[0]:g} to {HEIGHTS[1]:g} m; say what one unit is with --metres: "
                f"{_units(height / usual)}"
            )
    return take


def _units(size: float) -> str:
    """Which units make a body of child's or adult's height of this size, with the height of each."""
    known = {"metres": 1.0, "decimetres": 0.1, "inches": 0.0254, "centimetres": 0.01, "millimetres": 0.001}
    fits = {name: unit for name, unit in known.items() if HEIGHTS[0] <= size * unit <= HEIGHTS[1]}
    if not fits:
        return "no usual unit makes it a person, so any number is taken, such as --metres 0.01 for centimetres"
    return ", or ".join(f"--metres {unit:g} for {name} ({size * unit:.2g} m)" for name, unit in fits.items())


def _pieces(
    file: Path,
    joints: Sequence[str],
    tree: Tree,
    fps: float,
    positions: np.ndarray,
    care: Care,
    notes: list[str],
) -> tuple[np.ndarray, ...]:
    """The take without gaps, of bones that keep their lengths."""
    seen = np.isfinite(positions).all(2).any(0).tolist()
    if unseen := [name for name, known in zip(joints, seen, strict=True) if not known]:
        raise ValueError(f"{file} never says where {unseen[0]!r} is; leave this joint out")
    departure, joint = stretch(positions, tree)
    if departure > care.stretch:
        bone = f"{joints[tree.parents[joint]]} – {joints[joint]}"
        raise ValueError(
            f"a bone of {file} ({bone}) changes its length by {departure:.0%} of the mean bone, and {care.stretch:.0%} "
            f"is allowed: if its poses are estimated, as from video, take them with --stretch "
            f"{math.ceil(departure * 20 + 0.5) / 20:g}; if they were measured, see whether each joint's parent is the "
            "joint that it hangs on"
        )
    whole = without_gaps(positions, tree, int(care.gap * fps + 1e-6))
    if not whole.pieces:
        raise ValueError(
            f"{file} has no two frames in a row in which all joints are known; leave out the joints that are missing "
            "most, or fill longer gaps with --gap"
        )
    if whole.filled:
        notes.append(f"{file.name}: {whole.filled} frames had joints missing, in gaps of up to {care.gap:g} s: filled")
    if whole.left_out:
        into = f", and the take is cut into {len(whole.pieces)}" if len(whole.pieces) > 1 else ""
        notes.append(
            f"{file.name}: {whole.left_out} frames are left out, where joints are missing for more than {care.gap:g} s "
            f"(see --gap) or at an end{into}"
        )
    return whole.pieces


def _is_motion(file: Path) -> bool:
    """By its ending, or where that could be anything's, by its beginning."""
    ending = file.suffix.lower()
    return not file.is_dir() and (
        ending in ENDINGS or (ending in (".txt", ".json") and file.is_file() and deepmimic.is_motion(file))
    )

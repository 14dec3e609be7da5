"""Motion capture files of one body to a motion data set."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hri.data.formats import bvh, deepmimic
from hri.data.motion import MotionSet, Recording, from_npz, split_by_recording

LONGEST_STRETCH = 0.02
"""Share by which a bone may change its length before a file is refused as no rigid body."""


def read(path: Path, metres: float = 0.01, only: Collection[str] = ()) -> MotionSet:
    """One ``.bvh``, ``.npz`` or motion of DeepMimic's humanoid (``.txt``, ``.json``), or all of a folder; whole
    recordings are split into train, validation and test.

    Args:
        path: the file or folder.
        metres: what one unit of a ``.bvh`` file is.
        only: names of the files of a folder to read, by default all.

    Raises:
        OSError: nothing is there.
        ValueError: no recording, different bodies, bones that change their lengths, or a damaged file.
    """
    files = sorted(file for file in path.iterdir() if _is_motion(file)) if path.is_dir() else [path]
    files = [file for file in files if file.name in only or not only]
    if not files or not all(map(_is_motion, files)):
        raise ValueError(
            f"{path} holds no motion capture; name a .bvh or .npz file, or one of DeepMimic's "
            "humanoid, or a folder of them"
        )
    splits = split_by_recording([file.stem for file in files])
    recordings, bodies = [], []
    for file in files:
        if file.suffix == ".bvh":
            joints, tree, fps, positions = bvh.read(file, metres)
        else:
            joints, tree, fps, positions = from_npz(file) if file.suffix == ".npz" else deepmimic.read(file)
        bodies.append((joints, tree))
        if bodies[-1] != bodies[0]:
            raise ValueError(f"{file.name} shows another body than {files[0].name}; convert them one by one")
        recordings.append(Recording(file.stem, "one", splits[file.stem], fps, positions))
    motion = MotionSet(*bodies[0], tuple(recordings))
    if (stretch := motion.stretch()) > LONGEST_STRETCH:
        raise ValueError(f"a bone of {path} changes its length by {stretch:.0%}; its joints or their parents are wrong")
    return motion


def _is_motion(file: Path) -> bool:
    """By its ending, or where that could be anything's, by its beginning."""
    return file.suffix in (".bvh", ".npz") or (
        file.suffix in (".txt", ".json") and file.is_file() and deepmimic.is_motion(file)
    )

"""Motion capture files of one body to a motion data set."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hri.data.formats import bvh
from hri.data.motion import MotionSet, Recording, from_npz, split_by_recording

LONGEST_STRETCH = 0.02
"""Share by which a bone may change its length before a file is refused as no rigid body."""


def read(path: Path, metres: float = 0.01, only: Collection[str] = ()) -> MotionSet:
    """One ``.bvh`` or ``.npz``, or all of a folder; whole recordings are split into train, validation and test.

    Args:
        path: the file or folder.
        metres: what one unit of a ``.bvh`` file is.
        only: names of the files of a folder to read, by default all.

    Raises:
        OSError: nothing is there.
        ValueError: no recording, different bodies, bones that change their lengths, or a damaged file.
    """
    files = sorted(file for file in path.iterdir() if file.suffix in (".bvh", ".npz")) if path.is_dir() else [path]
    files = [file for file in files if file.name in only or not only]
    if not files or any(file.suffix not in (".bvh", ".npz") for file in files):
        raise ValueError(f"{path} holds no motion capture; name a .bvh or .npz file, or a folder of them")
    splits = split_by_recording([file.stem for file in files])
    recordings, bodies = [], []
    for file in files:
        joints, tree, fps, positions = bvh.read(file, metres) if file.suffix == ".bvh" else from_npz(file)
        bodies.append((joints, tree))
        if bodies[-1] != bodies[0]:
            raise ValueError(f"{file.name} shows another body than {files[0].name}; convert them one by one")
        recordings.append(Recording(file.stem, "one", splits[file.stem], fps, positions))
    motion = MotionSet(*bodies[0], tuple(recordings))
    if (stretch := motion.stretch()) > LONGEST_STRETCH:
        raise ValueError(f"a bone of {path} changes its length by {stretch:.0%}; its joints or their parents are wrong")
    return motion

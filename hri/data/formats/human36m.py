"""Human3.6M as the community stores it: VideoPose3D's npz (a pickle), or the raw ``.cdf`` files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hri.core.hierarchy import Tree
from hri.data.motion import MotionSet, Recording, Split

FPS = 50.0
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""17 of the 32 recorded joints; the others are copies, fingers and toes."""
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
JOINTS = (
    "hip", "right hip", "right knee", "right foot", "left hip", "left knee", "left foot", "spine", "thorax", "nose",
    "head", "left shoulder", "left elbow", "left wrist", "right shoulder", "right elbow", "right wrist",
)  # fmt: skip
TRAIN, TEST = ("S1", "S5", "S6", "S7", "S8"), ("S9", "S11")
VALIDATION = "S8"
"""The published split has none: this training subject is held out to choose checkpoints by."""


def read(path: Path, trust_pickle: bool = False) -> MotionSet:
    """``data_3d_h36m.npz``, or the folder that holds ``S1/MyPoseFeatures/D3_Positions/*.cdf``.

    Raises:
        OSError: nothing is there.
        ValueError: another layout, a damaged file, or a pickle without ``trust_pickle``.
    """
    takes = list(_raw(path) if path.is_dir() else _pickled(path, trust_pickle))
    recordings = []
    for subject, action, positions in takes:
        if subject == "S11" and action == "Directions":  # broken in the published data
            continue
        if subject not in TRAIN + TEST:
            raise ValueError(f"{path} has a subject {subject}; Human3.6M's are {', '.join(TRAIN + TEST)}")
        if positions.ndim != 3 or positions.shape[1:] != (32, 3):
            raise ValueError(f"{subject} {action} is of shape {positions.shape}, not [T, 32, 3]; get the file again")
        name = action.replace("TakingPhoto", "Photo").replace("WalkingDog", "WalkDog")
        split: Split = "test" if subject in TEST else "validation" if subject == VALIDATION else "train"
        joints = np.ascontiguousarray(positions[:, KEPT], dtype=np.float32)
        recordings.append(Recording(f"{subject} {name}", subject, split, FPS, joints))
    return MotionSet(JOINTS, Tree(PARENTS), tuple(recordings))


def _pickled(path: Path, trust_pickle: bool) -> Iterator[tuple[str, str, np.ndarray]]:
    if not trust_pickle:
        raise ValueError(
            f"{path} is read as a pickle, which can run any code that its maker put in; "
            "if you trust where it came from, say so with --trust-pickle"
        )
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=True) as archive:
            subjects = archive["positions_3d"].item()
        pairs = [
            (str(s), str(a), np.asarray(positions))
            for s, actions in subjects.items()
            for a, positions in actions.items()
        ]
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever a damaged archive or pickle raises
        raise ValueError(
            f"{path} is not VideoPose3D's data_3d_h36m.npz, or half a download ({type(error).__name__}); get it again"
        ) from None
    yield from pairs


def _raw(path: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    files = sorted(path.glob("S*/MyPoseFeatures/D3_Positions/*.cdf"))
    if not files:
        raise ValueError(f"{path} holds no S1/MyPoseFeatures/D3_Positions/*.cdf; name the folder above S1")
    for file in files:
        yield file.parts[-4], re.sub(r"\s+", " ", file.stem), _pose(file)


def _pose(file: Path) -> np.ndarray:
    """[T, 32, 3], millimetres to metres."""
    import cdflib

    try:
        flat = np.asarray(cdflib.CDF(file).varget("Pose"), dtype=np.float64)
        return flat.reshape(-1, 32, 3) / 1000
    except Exception as error:  # a damaged file fails in many places of the reader
        raise ValueError(
            f"{file} is not a Human3.6M pose file, or is half a download ({type(error).__name__}); get it again"
        ) from None

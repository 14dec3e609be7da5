"""Motion files of DeepMimic's humanoid: JSON with one row of 44 numbers a frame; pybullet ships twenty.

A row is a duration in seconds, the root's place in metres (x forward, y up, z to the right) and its turn as a
quaternion (w, x, y, z), then the turn of every joint in its parent's frame: a quaternion, or for knees and elbows one
angle about z. Where joints sit on their parents is a fact of ``humanoid.urdf`` beside the files, at a quarter of its
size; they are the fifteen of :data:`hri.data.motion.AMP_PARENTS`, whose recordings are of this very body.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation, Slerp

from hri.core.hierarchy import Tree
from hri.data.motion import AMP_PARENTS

LARGEST = 64 * 2**20
"""Bytes of the largest file that is read; those of pybullet have 0.2 million."""
FPS = 30.0
"""Frames a second that are read by default: files have 16 to 60, and one model takes one rate."""
SEAM = 0.25
"""Seconds in which a motion that goes round again leaves the pose it ended with for the one it began with."""
NUMBERS = 44

OFFSETS = {
    "pelvis": (0, 0, 0), "torso": (0, 0.944604, 0), "head": (0, 0.895576, 0),
    "right_upper_arm": (-0.0962, 0.974, 0.73244), "right_lower_arm": (0, -1.099152, 0),
    "right_hand": (0, -1.035788, 0),
    "left_upper_arm": (-0.0962, 0.974, -0.73244), "left_lower_arm": (0, -1.099152, 0), "left_hand": (0, -1.035788, 0),
    "right_thigh": (0, 0, 0.339548), "right_shin": (0, -1.686184, 0), "right_foot": (0, -1.63948, 0),
    "left_thigh": (0, 0, -0.339548), "left_shin": (0, -1.686184, 0), "left_foot": (0, -1.63948, 0),
}  # fmt: skip
"""Of each joint from its parent, at four times the size, in the parent's frame: forward, up, right."""
SCALE = 0.25
BALLS = {
    "pelvis": 4, "torso": 8, "head": 12, "right_thigh": 16, "right_foot": 21, "right_upper_arm": 25, "left_thigh": 30,
    "left_foot": 35, "left_upper_arm": 39,
}  # fmt: skip
"""First column of the quaternion of each joint that has one; hands have none and do not turn."""
HINGES = {"right_shin": 20, "right_lower_arm": 29, "left_shin": 34, "left_lower_arm": 43}
"""Column of the angle (radians, about z) of each joint that only bends."""
TREE = Tree(tuple(AMP_PARENTS.values()))


def is_motion(path: Path) -> bool:
    """Whether a file looks like one of these, by its beginning."""
    with open(path, "rb") as file:
        begin = file.read(4096)
    return begin.lstrip().startswith(b"{") and b'"Frames"' in begin


def read(
    path: Path, fps: float = FPS, more: float = 0.0
) -> tuple[tuple[str, ...], Tree, float, Float[np.ndarray, "T 15 3"]]:
    """Joints, tree, frames a second and where each joint is: metres, z up, x forward, y to the left.

    Args:
        path: the file.
        fps: frames a second to read it at; turns between two frames follow the shortest way.
        more: seconds by which a motion whose ``Loop`` is ``wrap`` goes on after its end: round again from where it has
            come to, in the direction it has turned to, through :data:`SEAM` seconds of passage. Others just end.

    Raises:
        OSError: the file is not there.
        ValueError: not such a file, or a damaged one; a rate or time that makes no sense.
    """
    if not (np.isfinite([fps, more]).all() and 1 <= fps <= 1000 and 0 <= more <= 3600):
        raise ValueError(
            f"{fps:g} frames a second for {more:g} seconds more make no sense; choose 1 to 1000, 0 to 3600"
        )
    motion = _parsed(path)
    last = motion.times[-1] + (more if motion.wraps else 0.0)
    placed = _place(*motion.at(np.arange(int(last * fps + 1e-6) + 1) / fps))
    upright = np.stack([placed[..., 0], -placed[..., 2], placed[..., 1]], -1)
    return tuple(AMP_PARENTS), TREE, float(fps), upright.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Motion:
    """What a file says, frame by frame."""

    times: Float[np.ndarray, " F"]
    """Seconds from the first frame, which stands at 0."""
    roots: Float[np.ndarray, "F 3"]
    balls: dict[str, Rotation]
    """F turns each."""
    hinges: dict[str, Float[np.ndarray, " F"]]
    wraps: bool

    def at(
        self, seconds: Float[np.ndarray, " T"]
    ) -> tuple[Float[np.ndarray, "T 3"], dict[str, Rotation], dict[str, Float[np.ndarray, " T"]]]:
        """Root, turns and angles at any times; after the end of a motion that wraps, of its next rounds."""
        period = self.times[-1]
        rounds = np.floor(seconds / period + 1e-9).astype(np.int64)
        rounds = np.maximum(rounds - (np.abs(seconds - rounds * period) < 1e-9), 0)  # the last frame ends its round
        within = np.clip(seconds - rounds * period, 0.0, period)
        # How much of the last pose of the round before is left: all at its end, none when the passage is over.
        share = np.clip(within / min(SEAM, period), 0.0, 1.0)
        left = np.where(rounds > 0, 1 - share * share * (3 - 2 * share), 0.0)

        turned = self.balls["pelvis"][-1] * self.balls["pelvis"][0].inv()
        _, y, _, w = turned.as_quat()
        heading = 2 * np.arctan2(y, w)  # the part of that turn about the vertical
        headings = Rotation.from_rotvec(heading * rounds[:, None] * [0.0, 1.0, 0.0])

        balls = {}
        for name, keys in self.balls.items():
            end = Rotation.from_rotvec([0.0, -heading, 0.0]) * keys[-1] if name == "pelvis" else keys[-1]
            passage = Rotation.from_rotvec(left[:, None] * (keys[0].inv() * end).as_rotvec())
            balls[name] = Slerp(self.times, keys)(within) * passage
        balls["pelvis"] = headings * balls["pelvis"]
        hinges = {
            name: np.interp(within, self.times, keys) + left * (keys[-1] - keys[0])
            for name, keys in self.hinges.items()
        }
        roots = np.stack([np.interp(within, self.times, axis) for axis in self.roots.T], -1)
        roots[:, 1] += left * (self.roots[-1, 1] - self.roots[0, 1])
        return self._carried_on(roots, rounds, heading), balls, hinges

    def _carried_on(
        self, roots: Float[np.ndarray, "T 3"], rounds: np.ndarray, heading: float
    ) -> Float[np.ndarray, "T 3"]:
        """Over the ground each round begins where, and in the direction in which, the one before it ended."""
        first, way = self.roots[0], self.roots[-1] - self.roots[0]
        start = first.copy()
        placed = np.empty_like(roots)
        for k in range(int(rounds.max(initial=0)) + 1):
            turn = Rotation.from_rotvec([0.0, k * heading, 0.0])
            placed[rounds == k] = start + turn.apply(roots[rounds == k] - first)
            start = start + turn.apply(way * [1.0, 0.0, 1.0])
        return placed


def _place(
    roots: Float[np.ndarray, "T 3"], balls: dict[str, Rotation], hinges: dict[str, Float[np.ndarray, " T"]]
) -> Float[np.ndarray, "T 15 3"]:
    """Forward kinematics, in the file's own axes: child = parent + R_parent offset, R_child = R_parent turn."""
    names = tuple(AMP_PARENTS)
    places = np.empty((len(roots), len(names), 3))
    turns: list[Rotation] = []
    for joint, (name, parent) in enumerate(AMP_PARENTS.items()):
        own = balls[name] if name in balls else Rotation.identity(len(roots))
        if name in hinges:
            own = Rotation.from_rotvec(hinges[name][:, None] * [0.0, 0.0, 1.0])
        if parent < 0:
            places[:, joint] = roots
            turns.append(own)
        else:
            places[:, joint] = places[:, parent] + turns[parent].apply(SCALE * np.array(OFFSETS[name]))
            turns.append(turns[parent] * own)
    return places


def _parsed(path: Path) -> _Motion:
    """Check a file on the way in.

    Raises:
        OSError: the file is not there.
        ValueError: one sentence.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST >> 20} MB; cut it into shorter motions")
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        rows = whole["Frames"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(
            f"{path} is not a motion of DeepMimic's humanoid: it is not JSON with Frames; get it again"
        ) from None
    if not isinstance(rows, list) or len(rows) < 2:
        raise ValueError(f"{path} has fewer than two frames; get it again, or choose another motion")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != NUMBERS:
            size = f"{len(row)} numbers" if isinstance(row, list) else "no numbers"
            raise ValueError(f"frame {index} of {path} has {size}; the humanoid's have {NUMBERS}: choose one of those")
    try:
        frames = np.array(rows, dtype=np.float64)
    except (ValueError, TypeError):
        frames = np.full((len(rows), NUMBERS), np.nan)
    if not np.isfinite(frames).all():
        raise ValueError(f"{path} holds frames that are not numbers; get it again")
    if (frames[:-1, 0] <= 0).any():  # how long the last frame lasts says nothing: no other follows it
        raise ValueError(f"{path} has a frame that lasts no time; get it again")
    for name, column in BALLS.items():
        if (np.linalg.norm(frames[:, column : column + 4], axis=1) < 0.5).any():
            raise ValueError(f"{path} has a frame in which the {name.replace('_', ' ')} has no turn; get it again")
    balls = {
        name: Rotation.from_quat(frames[:, [column + 1, column + 2, column + 3, column]])
        for name, column in BALLS.items()
    }
    hinges = {name: frames[:, column] for name, column in HINGES.items()}
    times = np.concatenate([[0.0], np.cumsum(frames[:-1, 0])])
    return _Motion(times, frames[:, 1:4], balls, hinges, whole.get("Loop") == "wrap")

"""Motion capture that the tests write themselves, as programs in the field do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

FRAMES = 12
JOINTS = ("Hips", "Spine", "Head")
OFFSETS = np.array([(0, 90, 0), (0, 20, 0), (0, 30, 5)], dtype=float)
SIX = "Xposition Yposition Zposition Zrotation Xrotation Yrotation"
THREE = "Zrotation Xrotation Yrotation"


@dataclass(frozen=True)
class Bvh:
    """A chain of three joints whose root walks a centimetre a frame along x while all of them turn."""

    names: Sequence[str] = JOINTS
    scale: float = 1.0
    channels: Sequence[str] = (SIX, THREE, THREE)
    end: str = "End Site"
    end_channels: str = ""
    words: Sequence[str] = ("HIERARCHY", "ROOT", "JOINT", "MOTION", "Frames:", "Frame Time:")
    announced: int = FRAMES
    frames: int = FRAMES
    frame_time: str | None = "0.04"
    brace: str = "\n{"
    newline: str = "\n"

    def offsets(self) -> np.ndarray:
        """Of the joints, in the file's units [3, 3]."""
        return self.scale * OFFSETS

    def angles(self) -> np.ndarray:
        """Degrees about z, x and y of each joint in each frame [T, 3, 3]."""
        time = np.arange(self.frames)[:, None, None]
        return 20 * np.sin(0.3 * time + np.arange(9).reshape(3, 3)).round(6)

    def root(self) -> np.ndarray:
        """Where the root is, in the file's units [T, 3]."""
        return self.offsets()[0] + np.outer(np.arange(self.frames), [1.0, 0, 0])

    def truth(self, metres: float = 0.01) -> np.ndarray:
        """Where the joints are, metres, z up [T, 3, 3]; by SciPy's turns."""
        turns = [Rotation.from_euler("ZXY", self.angles()[:, joint], degrees=True) for joint in range(3)]
        hips = self.root()
        spine = hips + turns[0].apply(self.offsets()[1])
        head = spine + (turns[0] * turns[1]).apply(self.offsets()[2])
        places = np.stack([hips, spine, head], 1)
        return metres * np.stack([places[..., 0], -places[..., 2], places[..., 1]], -1)

    def rows(self) -> list[list[float]]:
        """The numbers of each frame, in the order of the channels."""
        angles = self.angles()
        rows = []
        for frame in range(self.frames):
            row: list[float] = []
            for joint, kinds in enumerate((*self.channels, self.end_channels)):
                for kind in kinds.lower().split():
                    if joint == 3:
                        row.append(77.0)
                    elif kind.endswith("position"):
                        row.append(self.root()[frame]["xyz".index(kind[0])] if joint == 0 else 0.0)
                    else:
                        row.append(angles[frame, joint]["zxy".index(kind[0])])
            rows.append(row)
        return rows

    def text(self) -> str:
        """The file."""
        hierarchy, root, joint, motion, frames, frame_time = self.words

        def opened(word: str, name: str, number: int) -> str:
            offset = " ".join(map(str, self.offsets()[number].tolist()))
            kinds = self.channels[number]
            line = f"  CHANNELS {len(kinds.split())} {kinds}\n" if kinds else ""
            return f"{word} {name}{self.brace}\n  OFFSET {offset}\n{line}"

        end = f"  CHANNELS {len(self.end_channels.split())} {self.end_channels}\n" if self.end_channels else ""
        text = f"{hierarchy}\n{opened(root, self.names[0], 0)}{opened(joint, self.names[1], 1)}"
        text += f"{opened(joint, self.names[2], 2)}{self.end}{self.brace}\n  OFFSET 0 10 0\n{end}}}\n}}\n}}\n}}\n"
        text += f"{motion}\n{frames} {self.announced}\n"
        text += "" if self.frame_time is None else f"{frame_time} {self.frame_time}\n"
        text += "".join(" ".join(f"{number:.9f}" for number in row) + "\n" for row in self.rows())
        return text.replace("\n", self.newline)

    def but(self, **changes: object) -> Bvh:
        return replace(self, **changes)  # type: ignore[arg-type]


PERSON = (-1, 0, 1, 2, 0, 4, 5)
"""Hip and two legs of three joints each."""


def legs(frames: int = 40, noise: float = 0.0) -> np.ndarray:
    """A hip that walks and legs that swing with bones of 0.2 to 0.4 m, metres [T, 7, 3]; ``noise`` as of poses that
    were estimated from video.
    """
    time = np.arange(frames) / 30
    places = np.zeros((frames, 7, 3))
    places[:, 0] = np.stack([0.9 * time, 0.05 * np.sin(5 * time), np.full(frames, 0.9)], -1)
    for joint in range(1, 7):
        parent, side = PERSON[joint], 1 if joint < 4 else -1
        swing = 0.5 * np.sin(4 * time + side + joint)
        bone = np.stack([np.sin(swing), np.zeros(frames), -np.cos(swing)], -1) * (0.4 if joint % 3 != 1 else 0)
        places[:, joint] = places[:, parent] + (bone if joint % 3 != 1 else np.array([0, 0.2 * side, 0]))
    return places + np.random.default_rng(0).normal(0, noise, places.shape)

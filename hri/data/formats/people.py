"""Recordings of one body of fifteen joints from two packages as one data set, split by recording.

Models are trained on twelve of them and chosen on two others. They are tested on kinds of motion that training has not
met (jumps, kicks, a punch), and, in a set of its own, on other takes of kinds that it has: another walk, the other
turn, another dance. What is tested was never trained on, but how new it is differs: over 20 frames the joints of walk
and turn_right_1 come within 2 to 3 cm of a training recording's, as steps of one person do; all others stay 12 cm away.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple

from hri.data.formats import deepmimic
from hri.data.motion import MotionSet, Recording, Split, from_npz

MORE = 2.0
"""Seconds by which motions that go round are carried on: windows of up to so much can begin at any of their phases."""


class Take(NamedTuple):
    """A recording, what it shows, and what it is for."""

    name: str
    package: str
    file: str
    kind: str
    split: Literal["train", "validation", "kinds", "takes"]
    """The last two are tests: of a kind that no training recording shows, or another take of one that some show."""


TAKES = (
    Take("humanoid_walk", "isaaclab", "humanoid_walk.npz", "walk", "train"),
    Take("humanoid_run", "isaaclab", "humanoid_run.npz", "run", "train"),
    Take("humanoid_dance", "isaaclab", "humanoid_dance.npz", "dance", "train"),
    Take("walk_forward", "pybullet", "0walk_forward.txt", "walk", "train"),
    Take("turn_left_0", "pybullet", "turn_left0.txt", "turn", "train"),
    Take("turn_right_0", "pybullet", "turn_right0.txt", "turn", "train"),
    Take("dance_a", "pybullet", "humanoid3d_dance_a.txt", "dance", "train"),
    Take("getup_faceup", "pybullet", "humanoid3d_getup_faceup.txt", "getup", "train"),
    Take("roll", "pybullet", "humanoid3d_roll.txt", "roll", "train"),
    Take("crawl", "pybullet", "humanoid3d_crawl.txt", "crawl", "train"),
    Take("cartwheel", "pybullet", "humanoid3d_cartwheel.txt", "cartwheel", "train"),
    Take("backflip", "pybullet", "humanoid3d_backflip.txt", "backflip", "train"),
    Take("turn_left_1", "pybullet", "turn_left1.txt", "turn", "validation"),
    Take("spin", "pybullet", "humanoid3d_spin.txt", "spin", "validation"),
    Take("jump", "pybullet", "humanoid3d_jump.txt", "jump", "kinds"),
    Take("kick", "pybullet", "humanoid3d_kick.txt", "kick", "kinds"),
    Take("spinkick", "pybullet", "humanoid3d_spinkick.txt", "kick", "kinds"),
    Take("punch", "pybullet", "humanoid3d_punch.txt", "punch", "kinds"),
    Take("walk", "pybullet", "humanoid3d_walk.txt", "walk", "takes"),
    Take("turn_right_1", "pybullet", "turn_right1.txt", "turn", "takes"),
    Take("run", "pybullet", "humanoid3d_run.txt", "run", "takes"),
    Take("dance_b", "pybullet", "humanoid3d_dance_b.txt", "dance", "takes"),
    Take("getup_facedown", "pybullet", "humanoid3d_getup_facedown.txt", "getup", "takes"),
)
"""Kinds by what is seen in them; spin is a leap with a turn in the air."""

FOLDERS: dict[Literal["kinds", "takes"], str] = {"kinds": "", "takes": "takes"}
"""Where the set with each test lies, below the folder of the recordings. Both train and validate on the same."""


def takes_of(packages: Collection[str]) -> tuple[Take, ...]:
    """Those that some packages ship."""
    return tuple(take for take in TAKES if take.package in packages)


def read(folder: Path, packages: Collection[str], test: Literal["kinds", "takes"], fps: float = 30.0) -> MotionSet:
    """The data set with one of the two tests, of the files that ``data fetch-demo`` brought into a folder.

    Raises:
        OSError: a file is not there.
        ValueError: a file is damaged, or at another rate than all others; one sentence.
    """
    recordings = []
    for take in takes_of(packages):
        path = folder / take.file
        if take.split not in ("train", "validation", test):
            continue
        if path.suffix == ".txt":
            joints, tree, rate, positions = deepmimic.read(path, fps, MORE)
        else:
            joints, tree, rate, positions = from_npz(path)
        if tree != deepmimic.TREE or abs(rate - fps) > 1e-6:
            raise ValueError(f"{path} has {len(joints)} joints at {rate:g} frames a second; fetch it again")
        split: Split = "test" if take.split == test else take.split  # type: ignore[assignment]  # one of the three
        recordings.append(Recording(take.name, take.package, split, rate, positions))
    return MotionSet(tuple(deepmimic.OFFSETS), deepmimic.TREE, tuple(recordings))

"""Scenes from recordings of a body: a window of time, seen by a camera, mirrored or not; a seed draws all of it.

The camera stands upright and looks at the body from an angle: x is to its right, y up, and the third axis leads away
from it. One box unit is ``metres`` of the world, and the origin is where the body's root was at the first frame, so
that nothing tells where it will go; a camera that follows moves along with the root over the ground.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Float, Int

from hri.core.config import DataConfig, MotionConfig
from hri.core.hierarchy import Tree
from hri.core.places import ROOT
from hri.core.presets import PACKAGES
from hri.core.records import Trajectories
from hri.data.motion import MotionSet, Recording, Split

FILE = "motion.npz"
TRIED = 20_000
"""Seeds that are tried for each split to find one of every recording."""


def recordings(motion: MotionConfig) -> MotionSet:
    """The recordings that a configuration names, from where the program was started or from the project's folder.

    Raises:
        ValueError: they are not there, or damaged; the sentence says how to get them.
    """
    path = motion_file(motion)
    if path is None:
        only = PACKAGES.get(Path(motion.folder).name)
        fetching = f"--only {only} --out {motion.folder}" if only else "--out recordings"
        raise ValueError(
            f"there is no {FILE} in {motion.folder}; get recordings with `python -m hri data fetch-demo {fetching}`, "
            "or convert yours with `data human36m` or `data mocap`, and name their folder in data.motion.folder"
        )
    return _read(path, path.stat().st_mtime_ns)


def available(motion: MotionConfig) -> bool:
    """Whether the recordings are there."""
    return motion_file(motion) is not None


def motion_file(motion: MotionConfig) -> Path | None:
    """Where they are; None where they are not."""
    places = [Path(motion.folder), ROOT / motion.folder]
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> MotionSet:
    return MotionSet.read(path).divided()


def fitting(data: DataConfig) -> DataConfig:
    """The same with the tree and the names of the joints of its recordings, whatever body they are of."""
    if data.motion is None:
        return data
    motion_set = recordings(data.motion)
    if motion_set.tree == Tree.parse(data.tree) and [*map(_plain, motion_set.joints)] == [
        *map(_plain, data.motion.joints)
    ]:
        return data
    return replace(data, tree=motion_set.tree.text, motion=replace(data.motion, joints=motion_set.joints))


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().lower()


def scenes(data: DataConfig, seeds: Sequence[int] | Int[np.ndarray, " S"]) -> Trajectories:
    """One window a seed, of the recordings of the seed's split; positions and velocities have depth [S, T, J, 3].

    Velocities are backward differences, in box units a second: a state knows nothing of the next one.

    Raises:
        ValueError: no recordings, another body than ``data.tree`` says, or none of a split that is long enough.
    """
    assert data.motion is not None
    motion, motion_set = data.motion, recordings(data.motion)
    tree = Tree.parse(data.tree)
    if motion_set.tree != tree:
        raise ValueError(
            f"the recordings in {motion.folder} are of {motion_set.tree.size} joints (tree {motion_set.tree.text}), "
            f"not of the body with tree {data.tree}; name a folder with recordings of that body"
        )
    swapped = swapped_sides(motion_set.joints, tree)
    places, speeds = [], []
    for seed in seeds:
        placed, moving = _scene(motion, motion_set, data.split_of(int(seed)), int(seed), swapped)
        places.append(placed)
        speeds.append(moving)
    shape = (0, motion.frames, tree.size, 3)
    return Trajectories(
        np.asarray(seeds, dtype=np.int64).reshape(-1),
        np.stack(places) if places else np.zeros(shape),
        np.stack(speeds) if speeds else np.zeros(shape),
        None,
        tree.possible,
    )


def starts(motion: MotionConfig, recording: Recording) -> range:
    """Frames of a recording at which a window can begin; one earlier frame gives the first velocities."""
    return range(motion.every, len(recording.positions) - motion.every * (motion.frames - 1))


def recording_of(data: DataConfig, seed: int) -> int:
    """Which of the recordings a seed's scene is cut from, by its place among all of them.

    Raises:
        ValueError: as :func:`recordings`, or none of the seed's split is long enough.
    """
    assert data.motion is not None
    motion_set = recordings(data.motion)
    drawn = _drawn(data.motion, motion_set, data.split_of(seed), seed)[0]
    return next(index for index, recording in enumerate(motion_set.recordings) if recording is drawn)


def first_seeds(data: DataConfig) -> list[int | None]:
    """The smallest seed of its split whose scene is cut from each recording, by trying one after another; None where
    the recording is too short for a window, or :data:`TRIED` seeds do not draw it.

    Raises:
        ValueError: as :func:`recordings`.
    """
    assert data.motion is not None
    motion_set = recordings(data.motion)
    seeds: list[int | None] = [None] * len(motion_set.recordings)
    for split in get_args(Split):
        waiting = {
            index
            for index, recording in enumerate(motion_set.recordings)
            if recording.split == split and len(starts(data.motion, recording))
        }
        first = data.seeds(split).start
        for seed in range(first, first + TRIED):
            if not waiting:
                break
            index = recording_of(data, seed)
            if index in waiting:
                seeds[index] = seed
                waiting.remove(index)
    return seeds


def side_view(positions: Float[np.ndarray, "T J 3"], poses: int = 4) -> Float[np.ndarray, "P J 2"]:
    """A body at moments spread evenly over a recording, from where its way, or its width if it stays, is seen best.

    Returns:
        Metres to the right of its root, and above the lowest joint of the whole recording.
    """
    ground = positions[:, 0, :2]
    offsets = ground - ground.mean(0)
    if float(np.linalg.norm(np.ptp(ground, axis=0))) < 0.3:  # it stays: what its limbs do is seen instead
        offsets = (positions[..., :2] - positions[:, :1, :2]).reshape(-1, 2)
    along = np.linalg.svd(offsets - offsets.mean(0), full_matrices=False)[2][0]
    along = along if along @ (ground[-1] - ground[0]) >= 0 else -along
    moments = np.linspace(0, len(positions) - 1, poses).round().astype(int)
    shown = positions[moments].astype(np.float64)
    right = (shown[..., :2] - shown[:, :1, :2]) @ along
    return np.stack([right, shown[..., 2] - positions[..., 2].min()], -1)


def about(data: DataConfig, seed: int) -> str:
    """Which part of which recording a seed's scene is, in words."""
    assert data.motion is not None
    recording, start, angle, _, mirrored = _drawn(data.motion, recordings(data.motion), data.split_of(seed), seed)
    seconds = start / recording.fps
    is_bent = data.motion.bend > 0 and data.split_of(seed) == "train"
    return (
        f"{recording.name.replace('_', ' ')}, from {seconds:.1f} s, camera at {np.degrees(angle):.0f}°"
        f"{', mirrored' if mirrored else ''}{', bones bent' if is_bent else ''}"
    )


def _drawn(
    motion: MotionConfig, motion_set: MotionSet, split: str, seed: int
) -> tuple[Recording, int, float, float, bool]:
    """Recording, first frame, camera angle (radians), its speed (radians a second), mirrored or not."""
    usable = [(recording, starts(motion, recording)) for recording in motion_set.recordings if recording.split == split]
    counts = np.array([len(frames) for _, frames in usable], dtype=np.int64)
    if not counts.sum():
        raise ValueError(
            f"no {split} recording in {motion.folder} has {motion.every * motion.frames + 1} frames, which a window of "
            f"data.motion.frames = {motion.frames} needs; give longer recordings, or at least three of them, or fewer "
            "frames"
        )
    random = np.random.default_rng([seed, 3])
    pick = int(random.integers(counts.sum()))
    turned, moved, mirrored = random.random(3)
    index = int(np.searchsorted(np.cumsum(counts), pick, side="right"))
    recording, frames = usable[index]
    start = frames[pick - int(counts[:index].sum())]
    angle, speed = np.radians(motion.angles) * turned, np.radians(motion.orbit) * (2 * moved - 1)
    return recording, start, float(angle), float(speed), bool(motion.mirror and split == "train" and mirrored < 0.5)


def _scene(
    motion: MotionConfig, motion_set: MotionSet, split: str, seed: int, swapped: Int[np.ndarray, " J"] | None
) -> tuple[Float[np.ndarray, "T J 3"], Float[np.ndarray, "T J 3"]]:
    recording, start, angle, speed, mirrored = _drawn(motion, motion_set, split, seed)
    world = recording.positions[start - motion.every :: motion.every][: motion.frames + 1].astype(np.float64)
    if mirrored and swapped is not None:
        world = (world * [-1.0, 1.0, 1.0])[:, swapped]
    if motion.bend and split == "train":
        world = bent(world, motion_set.tree, np.radians(motion.bend), np.random.default_rng([seed, 4]))
    origin = world[1, 0].copy()
    centres = np.broadcast_to(origin, (len(world), 3)).copy()
    if motion.follow:
        centres[:, :2] = world[:, 0, :2]
    seconds = motion.every / recording.fps
    turns = angle + speed * seconds * (np.arange(len(world)) - 1)
    placed = seen_from(world - centres[:, None], turns) / motion.metres
    return placed[1:], np.diff(placed, axis=0) / seconds


def bent(
    world: Float[np.ndarray, "T J 3"], tree: Tree, most: float, random: np.random.Generator
) -> Float[np.ndarray, "T J 3"]:
    """The same movement with every bone turned about its joint, and what hangs on it with it; lengths are kept.

    Turns are drawn once for all T, about any axis and by any angle up to ``most`` (radians), and add up along a limb.
    """
    from scipy.spatial.transform import Rotation  # here, because a page that shows a stored scene turns nothing

    axes = random.normal(size=(tree.size, 3))
    axes *= (most * random.random(tree.size) / np.linalg.norm(axes, axis=1))[:, None]
    turns = [Rotation.identity()] * tree.size
    placed = world.copy()
    for joint, parent in enumerate(tree.parents):
        if parent >= 0:
            turns[joint] = turns[parent] * Rotation.from_rotvec(axes[joint])
            placed[:, joint] = placed[:, parent] + turns[joint].apply(world[:, joint] - world[:, parent])
    return placed


def seen_from(world: Float[np.ndarray, "T J 3"], angles: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T J 3"]:
    """World (x, y on the ground, z up) to the camera's right, up and away; at angle 0 it looks along y."""
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = np.moveaxis(world, -1, 0)
    return np.stack([x * cosine + y * sine, z, y * cosine - x * sine], -1)


def swapped_sides(joints: Sequence[str], tree: Tree) -> Int[np.ndarray, " J"] | None:
    """The joint of the other side for each joint, itself where it has none; None where names tell no sides.

    Names tell sides by the words left and right, or by a first letter l or r before a capital, as in LeftArm, lShldr.
    The exchange must leave the tree as it is, or a mirrored body would be no body.
    """
    place = {name: index for index, name in enumerate(joints)}
    other = np.array([place.get(_other_side(name), place[name]) for name in joints])
    has_sides = (other != np.arange(len(joints))).any()
    keeps_tree = all(tree.parents[other[n]] == (other[p] if p >= 0 else -1) for n, p in enumerate(tree.parents))
    return other if has_sides and keeps_tree and (other[other] == np.arange(len(joints))).all() else None


_SIDES = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}


def _other_side(name: str) -> str:
    swapped = re.sub("|".join(_SIDES), lambda name_match: _SIDES[name_match.group()], name)
    if swapped != name:
        return swapped
    letters = {"l": "r", "r": "l", "L": "R", "R": "L"}
    return letters[name[0]] + name[1:] if re.match(r"[lrLR][_A-Z]", name) else name

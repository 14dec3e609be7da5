"""Scenes from video clips: a window of frames, mirrored, shifted or not; a seed draws all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from hri.core.config import ClipsConfig, DataConfig
from hri.core.places import ROOT
from hri.core.records import Film
from hri.data.clips import Clip, ClipSet


@dataclass(frozen=True)
class Windows:
    """What the seeds drew: where each window begins in the folder's frames, and how it is changed."""

    clips: tuple[Clip, ...]
    starts: Int[np.ndarray, " S"]
    mirrored: np.ndarray
    shifts: Int[np.ndarray, " S"]
    """Columns to the right; what comes in is black."""

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, rows: Int[np.ndarray, " M"]) -> Windows:
        """The chosen windows."""
        return Windows(
            tuple(self.clips[row] for row in rows), self.starts[rows], self.mirrored[rows], self.shifts[rows]
        )

    def pictures(
        self, data: DataConfig, rows: Int[np.ndarray, " M"], times: Int[np.ndarray, " M"]
    ) -> UInt8[np.ndarray, "M H W 1"]:
        """The frame of each (window, time)."""
        assert data.clips is not None
        frames = np.array(clips(data.clips).frames[self.starts[rows] + data.clips.every * times])
        turned = self.mirrored[rows]
        frames[turned] = frames[turned, :, ::-1]
        for shift in np.unique(self.shifts[rows]):
            if shift:
                moved = self.shifts[rows] == shift
                rolled = np.roll(frames[moved], shift, 2)
                rolled[:, :, slice(0, shift) if shift > 0 else slice(shift, None)] = 0
                frames[moved] = rolled
        return frames[..., None]


def clips(config: ClipsConfig) -> ClipSet:
    """The clips that a configuration names, from where the program was started or from the project's folder.

    Raises:
        ValueError: they are not there, or damaged; the sentence says how to get them.
    """
    path = _folder(config)
    if path is None:
        raise ValueError(
            f"there are no clips in {config.folder}; convert KTH with `python -m hri data kth`, or your own videos "
            "with `python -m hri data video`, and name their folder in data.clips.folder"
        )
    return _read(path, (path / "clips.json").stat().st_mtime_ns)


def available(config: ClipsConfig) -> bool:
    """Whether the clips are there."""
    return _folder(config) is not None


def _folder(config: ClipsConfig) -> Path | None:
    places = [Path(config.folder), ROOT / config.folder]
    return next((place for place in places if (place / "clips.json").is_file()), None)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> ClipSet:
    return ClipSet.read(path)


def of_split(config: ClipsConfig, clip_set: ClipSet, split: str) -> list[Clip]:
    """The clips of a split. A way to split that has no validation takes the last eighth of the training persons."""
    rows = [(clip, clip.splits.get(config.split)) for clip in clip_set.clips]
    if not any(named == "validation" for _, named in rows):
        persons = sorted({clip.person for clip, named in rows if named == "train"})
        held = set(persons[len(persons) - max(1, len(persons) // 8) :]) if len(persons) > 1 else set()
        rows = [(clip, "validation" if named == "train" and clip.person in held else named) for clip, named in rows]
    return [clip for clip, named in rows if named == split]


def draw(data: DataConfig, seeds: Sequence[int] | Int[np.ndarray, " S"]) -> Windows:
    """One window a seed, of the clips of the seed's split, each possible window as likely as any other.

    Raises:
        ValueError: no clips, of another size, or none of a split that is long enough.
    """
    assert data.clips is not None
    config, clip_set = data.clips, clips(data.clips)
    if clip_set.frames.shape[1] != data.render.size:
        raise ValueError(
            f"the clips in {config.folder} are {clip_set.frames.shape[1]} pixels wide, and data.render.size is "
            f"{data.render.size}; convert them with --size {data.render.size}"
        )
    usable: dict[str, list[tuple[Clip, int]]] = {}
    picks, starts, mirrored, shifts = [], [], [], []
    for seed in (int(seed) for seed in seeds):
        split = data.split_of(seed)
        if split not in usable:
            usable[split] = [
                (clip, count)
                for clip in of_split(config, clip_set, split)
                if (count := clip.stop - clip.start - config.every * (config.frames - 1)) > 0
            ]
            if not usable[split]:
                raise ValueError(
                    f"no {split} clip in {config.folder} has {config.every * (config.frames - 1) + 1} frames, which a "
                    f"window of data.clips.frames = {config.frames} needs; give longer clips, or fewer frames"
                )
        counts = np.cumsum([count for _, count in usable[split]])
        random = np.random.default_rng([seed, 5])
        at = int(random.integers(counts[-1]))
        index = int(np.searchsorted(counts, at, side="right"))
        clip, count = usable[split][index]
        turn, shift = random.random(), int(random.integers(-config.shift, config.shift + 1))
        picks.append(clip)
        starts.append(clip.start + at - int(counts[index]) + count)
        mirrored.append(split == "train" and config.mirror and turn < 0.5)
        shifts.append(shift if split == "train" else 0)
    whole = np.array(starts, dtype=np.int64)
    return Windows(tuple(picks), whole, np.array(mirrored, dtype=bool), np.array(shifts, dtype=np.int64))


def scenes(data: DataConfig, seeds: Sequence[int]) -> Film:
    """The whole window of each seed.

    Raises:
        ValueError: as :func:`draw`.
    """
    windows, steps = draw(data, seeds), data.steps
    rows = np.repeat(np.arange(len(seeds)), steps)
    flat = windows.pictures(data, rows, np.tile(np.arange(steps), len(seeds)))
    return Film(np.asarray(seeds, dtype=np.int64), flat.reshape(len(seeds), steps, *flat.shape[1:]))


def about(data: DataConfig, seed: int) -> str:
    """Which part of which clip a seed's scene is, in words."""
    assert data.clips is not None
    windows = draw(data, [seed])
    clip, first = windows.clips[0], int(windows.starts[0])
    begin = first - clip.start + 1
    return f"{clip.name.replace('_', ' ')}, frames {begin} to {begin + data.clips.every * (data.clips.frames - 1)}"

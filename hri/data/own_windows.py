"""Scenes from trajectories of one's own: a window of a sequence; a seed says which.

Positions are drawn in box units (walls at -1 and 1): x_box = (x - centre) / scale, with one scale for all axes, so that
shapes stay what they are. Velocities are divided by the scale alone, and keep their time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from hri.core.config import Config, DataConfig, OwnConfig
from hri.core.hierarchy import Tree
from hri.core.places import ROOT
from hri.core.records import Trajectories
from hri.data.trajectories import FILE, LEAST_FRAMES, TrajectorySet

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
USUAL_FRAMES = 50
"""Frames of a window, where sequences are as long."""
MARGIN = 1.05
"""Of the box, beyond the range of what trains."""
NUMBERS = 60_000_000
"""Of all training windows together, so that they fit into memory several times."""
PASSES, LEAST_UPDATES, MOST_UPDATES = 60, 1500, 12_000
"""How often a training sees every window, and within which bounds."""


def data_set(own: OwnConfig) -> TrajectorySet:
    """The trajectories that a configuration names, from where the program was started or from the project's folder.

    Raises:
        ValueError: they are not there, or damaged; the sentence says how to get them.
    """
    path = _file(own)
    if path is None:
        raise ValueError(
            f"there is no {FILE} in {own.folder}; make it with `python -m hri data trajectories FILE --out "
            f"{own.folder}`, or name the folder that has it in data.own.folder"
        )
    return _read(path, path.stat().st_mtime_ns)


def available(own: OwnConfig) -> bool:
    """Whether the trajectories are there."""
    return _file(own) is not None


def _file(own: OwnConfig) -> Path | None:
    places = [Path(own.folder), ROOT / own.folder]
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> TrajectorySet:
    return TrajectorySet.read(path)


def starts(trajectories: TrajectorySet, split: Split, frames: int) -> Int[np.ndarray, "W 2"]:
    """(sequence, first frame) of every window of a split, shuffled the same way each time: seeds count through them."""
    counts = np.array([
        max(0, len(sequence.positions) - frames + 1) * (sequence.split == split) for sequence in trajectories.sequences
    ])  # fmt: skip
    index = np.repeat(np.arange(len(counts)), counts)
    start = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([index, start], 1)[np.random.default_rng(0).permutation(len(index))]


@lru_cache(maxsize=12)
def _starts(path: Path, changed: int, split: Split, frames: int) -> Int[np.ndarray, "W 2"]:
    return starts(_read(path, changed), split, frames)


def window_of(data: DataConfig, seed: int) -> tuple[int, int]:
    """Sequence and first frame of a seed's window; seeds beyond the last window begin anew.

    Raises:
        ValueError: no data, or no sequence of the seed's split is long enough.
    """
    own = _own(data)
    data_set(own)  # says what is missing
    path = _file(own)
    assert path is not None
    split = data.split_of(seed)
    windows = _starts(path, path.stat().st_mtime_ns, split, own.frames)
    if not len(windows):
        raise ValueError(
            f"no {split} sequence in {own.folder} has the {own.frames} frames of a window; set data.own.frames lower, "
            "or bring longer sequences"
        )
    index, start = windows[(seed - data.seeds(split).start) % len(windows)]
    return int(index), int(start)


def scenes(data: DataConfig, seeds: Sequence[int] | Int[np.ndarray, " S"]) -> Trajectories:
    """One window a seed, in box units; relations that change in time hold if they do for most of a window.

    Raises:
        ValueError: no data, other objects than the configuration's, or sequences that are too short.
    """
    own, trajectories = _own(data), data_set(_own(data))
    tree = Tree.parse(data.tree)
    if trajectories.tree != tree or trajectories.axes != own.dimensions:
        raise ValueError(
            f"the trajectories in {own.folder} are of {trajectories.tree.size} objects along {trajectories.axes} axes "
            f"(tree {trajectories.tree.text}), not of tree {data.tree} along {own.dimensions}; name a folder of such "
            "objects"
        )
    shape = (len(seeds), own.frames, tree.size, own.dimensions)
    places, speeds = np.zeros(shape), np.zeros(shape)
    # A model that was trained without truth may be held against relations, but not against signs.
    known = trajectories.truth == own.truth != "none" or (own.truth, trajectories.truth) == ("none", "relations")
    adjacency = np.zeros((len(seeds), tree.size, tree.size), dtype=np.uint8) if known else None
    for row, seed in enumerate(seeds):
        index, start = window_of(data, int(seed))
        sequence, span = trajectories.sequences[index], slice(start, start + own.frames)
        places[row], speeds[row] = sequence.positions[span], sequence.velocities[span]
        if adjacency is not None and sequence.relations is not None:
            adjacency[row] = (sequence.relations[span] > 0).mean(0) > 0.5
    boxed = in_box(own, places)
    return Trajectories(
        np.asarray(seeds, dtype=np.int64).reshape(-1), boxed, speeds / own.scale, adjacency, tree.possible
    )


def as_simulated(folder: Path, split: Split = "test") -> Trajectories:
    """All sequences of a split as they are, in their own units, for a model of simulated balls; those of the commonest
    length.

    Raises:
        ValueError: no trajectories there, or objects with depth, a hierarchy, or no relations: no simulated system is
            like them.
    """
    trajectories = data_set(OwnConfig(folder=str(folder)))
    if trajectories.axes != 2 or not trajectories.tree.flat or trajectories.truth == "none":
        raise ValueError("a model of simulated balls needs two axes, no hierarchy and known relations; train on your "
                         "own data instead")  # fmt: skip
    parts = trajectories.of(split)
    lengths = [len(part.positions) for part in parts]
    usual = max(set(lengths), key=lengths.count)
    parts = tuple(part for part in parts if len(part.positions) == usual)
    relations = [(part.relations > 0).mean(0) > 0.5 for part in parts if part.relations is not None]
    return Trajectories(
        np.full(len(parts), -1),
        np.stack([part.positions for part in parts]).astype(np.float64),
        np.stack([part.velocities for part in parts]).astype(np.float64),
        np.stack(relations).astype(np.uint8),
        trajectories.tree.possible,
    )


def in_box(own: OwnConfig, places: Float[np.ndarray, "*shape X"]) -> Float[np.ndarray, "*shape X"]:
    """Positions in the data's own units as box units."""
    return (places - np.array(own.centre)) / own.scale


def about(data: DataConfig, seed: int) -> str:
    """Which part of which sequence a seed's scene is, in words."""
    own = _own(data)
    trajectories, (index, start) = data_set(own), window_of(data, seed)
    name = trajectories.sequences[index].name
    if trajectories.timed:
        return f"{name}, from {start / trajectories.fps:.1f} s"
    return f"{name}, from frame {start}"


def _own(data: DataConfig) -> OwnConfig:
    assert data.own is not None
    return data.own


# What a training of these data needs ---------------------------------------------------------------------


def window_frames(trajectories: TrajectorySet) -> int:
    """Frames of a window: as many as usual, or fewer, so that every split has one and most frames are in one.

    Raises:
        ValueError: no split into train, validation and test with sequences of :data:`LEAST_FRAMES` frames.
    """
    lengths = {split: np.array([len(part.positions) for part in trajectories.of(split)]) for split in SPLITS}
    for split, counts in lengths.items():
        if not len(counts) or counts.max() < LEAST_FRAMES:
            raise ValueError(
                f"no {split} sequence has {LEAST_FRAMES} frames; bring longer ones and make the data set again"
            )
    every = np.concatenate(list(lengths.values()))
    for frames in range(USUAL_FRAMES, LEAST_FRAMES, -1):
        in_reach = every[every >= frames].sum() / every.sum()
        if in_reach >= 0.8 and all(counts.max() >= frames for counts in lengths.values()):
            return frames
    return LEAST_FRAMES


def fitting(data: DataConfig) -> DataConfig:
    """The same with all that only the data can say: objects, tree, units, range, truth, and how many windows."""
    own = _own(data)
    trajectories = data_set(own)
    ranges = trajectories.ranges()
    scale = float((ranges[:, 1] - ranges[:, 0]).max() / 2 * MARGIN)
    own = dataclasses.replace(
        own,
        names=trajectories.names,
        dimensions=trajectories.axes,  # type: ignore[arg-type]
        centre=tuple(float(f"{middle:.6g}") for middle in ranges.mean(1)),
        scale=float(f"{scale:.6g}") or 1.0,
        unit=trajectories.unit,
        speed_unit=trajectories.speed_unit,
        truth=trajectories.truth,
    )
    return dataclasses.replace(data, tree=trajectories.tree.text, own=own)


def sized(config: Config) -> Config:
    """The experiment with window, numbers of windows, updates and free steps that suit the data.

    Raises:
        ValueError: the data are not here, or the model cannot be trained on them; the sentence says which can.
    """
    own = _own(config.data)
    trajectories = data_set(own)
    frames = window_frames(trajectories)
    counts = {
        split: sum(max(0, len(part.positions) - frames + 1) for part in trajectories.of(split)) for split in SPLITS
    }
    a_window = frames * trajectories.tree.size * 2 * trajectories.axes
    train = max(1, min(counts["train"], 20_000, NUMBERS // a_window))
    free_steps = min(10, (frames - 2) // 3)
    history = min(config.model.relations.history, frames - free_steps - 1, 10)
    updates = int(np.clip(PASSES * train / config.train.batch, LEAST_UPDATES, MOST_UPDATES))
    relations = config.model.relations
    signs = trajectories.truth == "signs" and relations.source == "inferred"
    if trajectories.tree.flat and config.model.dynamics.passing == "hierarchical":
        raise ValueError(
            f"the objects in {own.folder} have no hierarchy; choose own-state-nri, own-state-nri-mlp or "
            "own-state-lstm, or make the data set again with --tree cluster"
        )
    data = fitting(dataclasses.replace(
        config.data,
        train=train,
        validation=max(1, min(counts["validation"], 200)),
        test=max(1, min(counts["test"], 1000)),
        own=dataclasses.replace(own, frames=frames),
    ))  # fmt: skip
    return Config(
        config.name,
        data,
        dataclasses.replace(
            config.model,
            relations=dataclasses.replace(relations, history=history, silent=relations.silent and not signs),
        ),
        dataclasses.replace(
            config.train,
            updates=updates,
            batch=min(config.train.batch, train),
            free_steps=free_steps,
            free_steps_start=min(config.train.free_steps_start, free_steps),
            evaluate_every=max(50, updates // 40),
        ),
    )

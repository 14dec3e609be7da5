"""Whatever trajectories somebody brings: which reader is right, and the data set they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hri.data.formats import arrays, nri, tables
from hri.data.preparation import only, prepared
from hri.data.raw import ENDINGS, PLAIN, TABLES, USUAL, Choices, Layout, RawSet
from hri.data.trajectories import TrajectorySet

LARGEST = 2_000_000_000
"""Bytes of all files together, looked at before anything is read."""


def read(paths: Sequence[Path], choices: Choices = USUAL, layout: Layout = PLAIN) -> TrajectorySet:
    """The trajectories in files and folders, as one data set.

    Args:
        paths: files, or folders of some; sequences of several files are taken together.
        choices: what to make of them.
        layout: how they are to be read, where they do not show it.

    Raises:
        OSError: a file cannot be read.
        ValueError: what is wrong with which file, and what to do; one sentence.
    """
    return prepared(read_raw(paths, layout, choices.objects), choices)


def read_raw(paths: Sequence[Path], layout: Layout = PLAIN, objects: tuple[str, ...] = ()) -> RawSet:
    """The same before anything is filled, cut or split.

    Args:
        paths: as for :func:`read`.
        layout: as for :func:`read`.
        objects: only these; of several files those that are in all.

    Raises:
        OSError: a file cannot be read.
        ValueError: as :func:`read`.
    """
    if not paths:
        raise ValueError("name the files or folders to read: data trajectories FILE --out DIR")
    for path in paths:
        if not path.exists():
            raise ValueError(f"there is no {path}; name the file or folder to read")
    if len(paths) == 1 and nri.is_set(paths[0]):
        _check_size(nri.files_of(paths[0], layout))
        return nri.read(paths[0], layout)
    files = [file for path in paths for file in ([path] if path.is_file() else _inside(path))]
    _check_size(files)
    parts = [only(_one(file, layout), objects) for file in files]
    first = parts[0]
    for file, part in zip(files[1:], parts[1:], strict=True):
        if set(part.names) != set(first.names):
            odd = sorted(set(part.names) ^ set(first.names))[0]
            raise ValueError(
                f"{odd!r} is in only one of {files[0].name} and {file.name}; bring files of the same objects, or "
                "choose those that are in all with --objects"
            )
        if (part.unit, part.parents) != (first.unit, first.parents):
            raise ValueError(f"{file.name} has other units or parents than {files[0].name}; convert them one by one")
    if any((part.fps > 0, part.in_seconds) != (first.fps > 0, first.in_seconds) for part in parts):
        raise ValueError("some files say how many frames a second they have and some do not; add it to all of them")
    if len({part.fps for part in parts}) > 1:
        parts = [_in_seconds(part) for part in parts]
        first = parts[0]
    sequences = [
        dataclasses.replace(
            sequence,
            positions=sequence.positions[:, order],
            velocities=None if sequence.velocities is None else sequence.velocities[:, order],
            relations=None if sequence.relations is None else sequence.relations[..., order, :][..., order],
        )
        for part in parts
        for order in ([part.names.index(name) for name in first.names],)
        for sequence in part.sequences
    ]
    names = [sequence.name for sequence in sequences]
    if len(set(names)) < len(names):
        sequences = [
            dataclasses.replace(sequence, name=f"{sequence.name} ({place})") for place, sequence in enumerate(sequences)
        ]
    notes = tuple(note for part in parts for note in part.notes)
    return dataclasses.replace(first, sequences=tuple(sequences), notes=notes)


def _in_seconds(raw: RawSet) -> RawSet:
    """The same with the times of its frames, so that files of unlike rates can be brought to one."""
    sequences = [
        dataclasses.replace(sequence, times=np.arange(len(sequence.positions)) / raw.fps) for sequence in raw.sequences
    ]
    return dataclasses.replace(raw, sequences=tuple(sequences), fps=0.0, in_seconds=True)


def _inside(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)
    if not files:
        raise ValueError(f"{folder} holds no trajectories; they end in {', '.join(ENDINGS)}")
    return files


def _check_size(files: Sequence[Path]) -> None:
    """Refuse what would not fit into memory, before it is read."""
    size = sum(file.stat().st_size for file in files)
    if size > LARGEST:
        most = max(files, key=lambda file: file.stat().st_size)
        raise ValueError(
            f"{most.name if len(files) == 1 else 'the files'} take {size:,} bytes; the limit is {LARGEST:,}: bring a "
            "part of the sequences, or fewer frames a second"
        )


def _one(file: Path, layout: Layout) -> RawSet:
    ending = file.suffix.lower()
    if ending in (".npz", ".npy"):
        return arrays.read(file, layout)
    if ending in TABLES:
        return tables.read(file, layout)
    raise ValueError(f"{file.name} ends in {ending or 'nothing'}; trajectories end in {', '.join(ENDINGS)}")

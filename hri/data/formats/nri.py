"""The files that relational models of this field train on, as their generators write them.

ethanfetaya/NRI and loeweX/AmortizedCausalDiscovery (ACD): ``loc_train_springs5.npy`` [S, T, 2, N] with ``vel_…`` of the
same shape and ``edges_…`` [S, N, N] (springs 0, 0.5 or 1; charges 1 where two repel, -1 where they attract), each also
for valid and test; ``feat_train_….npy`` [S, N, T, D] instead of both. Row i and column j of edges say what j does to i.

cgraber/cvpr_dNRI: ``train_feats`` [S, T, N, D] and ``train_edges`` [S, T, E] (by sender), each also for val and test;
tensors that torch saved, or ``.npy``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from hri.data.formats.arrays import from_vectors, plain_array
from hri.data.motion import Split
from hri.data.raw import PLAIN, Layout, RawSequence, RawSet

SPLITS: dict[str, Split] = {"train": "train", "valid": "validation", "val": "validation", "test": "test"}
"""By what names of files call them."""
_NAME = re.compile(r"(loc|vel|feat|edges)_(train|valid|test)_?(.*)\.npy")
_DYNAMIC = re.compile(r"(train|val|test)_(feats|edges)(\.npy|\.pt|)")


def sets(folder: Path) -> list[str]:
    """Suffixes of the sets in a folder, such as springs5; the empty one for files without."""
    matches = [_NAME.fullmatch(path.name) for path in sorted(folder.iterdir())]
    return sorted({match[3] for match in matches if match and match[1] in ("loc", "feat")})


def is_set(path: Path) -> bool:
    """Whether a folder, or the folder of a file, holds such files."""
    if path.is_file():
        return bool(_NAME.fullmatch(path.name) or _DYNAMIC.fullmatch(path.name))
    return bool(sets(path)) or any(_DYNAMIC.fullmatch(file.name) for file in path.iterdir())


def files_of(path: Path, layout: Layout = PLAIN) -> list[Path]:
    """The files that :func:`read` would open.

    Raises:
        ValueError: several sets in a folder and none named.
    """
    folder = path.parent if path.is_file() else path
    dynamic = [file for file in sorted(folder.iterdir()) if _DYNAMIC.fullmatch(file.name)]
    named = _NAME.fullmatch(path.name) if path.is_file() else None
    if dynamic and not named:
        return dynamic
    suffix, there = layout.suffix.lstrip("_"), sets(folder)
    if named and not suffix:
        suffix = named[3]
    elif not suffix and len(there) == 1:
        suffix = there[0]
    if suffix not in there:
        listed = ", ".join(there)
        asked = f"nothing that ends with {suffix}" if suffix else f"several sets ({listed})"
        raise ValueError(f"{folder} holds {asked}; choose one with --suffix, such as --suffix {there[0]}")
    return [file for file in sorted(folder.iterdir()) if (match := _NAME.fullmatch(file.name)) and match[3] == suffix]


def read(path: Path, layout: Layout = PLAIN) -> RawSet:
    """All splits of a set.

    Args:
        path: its folder, or one of its files.
        layout: the suffix of a set, where the folder holds several.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is missing or its shape does not fit the others; the sentence names it.
    """
    files = files_of(path, layout)
    sequences: list[RawSequence] = []
    notes: list[str] = []
    for word, split in SPLITS.items():
        parts = {_part(file): file for file in files if _word(file) == word}
        if parts:
            sequences += _split(parts, split, notes)
    if not sequences:
        raise ValueError(f"{path} holds no loc_… or …_feats file; bring it together with its vel_… and edges_…")
    size = sequences[0].positions.shape[1]
    if odd := next((part for part in sequences if part.positions.shape[1:] != sequences[0].positions.shape[1:]), None):
        raise ValueError(
            f"{odd.name} has {odd.positions.shape[1]} objects along {odd.positions.shape[2]} axes and "
            f"{sequences[0].name} {size} along {sequences[0].positions.shape[2]}; bring files of one generator"
        )
    return RawSet(tuple(f"ball {node}" for node in range(size)), tuple(sequences), notes=tuple(notes))


def _word(file: Path) -> str:
    match = _NAME.fullmatch(file.name)
    return match[2] if match else file.name.partition("_")[0]


def _part(file: Path) -> str:
    match = _NAME.fullmatch(file.name)
    return match[1] if match else file.stem.partition("_")[2]


def _split(parts: dict[str, Path], split: Split, notes: list[str]) -> list[RawSequence]:
    """The sequences of one split."""
    positions, velocities, source = _moving(parts)
    count, frames, size, _ = positions.shape
    relations = None
    if "edges" in parts:
        edges = _array(parts["edges"])
        name = parts["edges"].name
        if edges.ndim == 3 and edges.shape[1:] == (size, size) and len(edges) == count:
            relations = np.swapaxes(edges.astype(np.float64), 1, 2)
        elif edges.ndim == 2 and edges.shape == (size, size):
            relations = np.broadcast_to(edges.astype(np.float64).T, (count, size, size))
        elif edges.ndim == 3 and edges.shape[1] == edges.shape[2]:
            raise ValueError(
                f"{name} is {list(edges.shape)} and {source} holds {count} sequences of {size} objects, so it must be "
                f"[{count}, {size}, {size}]; bring files of one run of the generator"
            )
        else:
            order = "dnri" if "feats" in parts else "nri"
            relations = from_vectors(edges, order, name, (count, frames, size))
    else:
        notes.append(f"there is no file of edges beside {source}, so what acts on what is not known")
    return [
        RawSequence(
            f"{split} {index}",
            positions[index],
            velocities[index],
            None if relations is None else relations[index],
            None,
            split,
        )
        for index in range(count)
    ]


def _moving(parts: dict[str, Path]) -> tuple[np.ndarray, np.ndarray, str]:
    """Positions and velocities [S, T, N, X], and the file they are from."""
    if "loc" in parts:
        name = parts["loc"].name
        if "vel" not in parts:
            raise ValueError(f"there is no vel_… file beside {name}; bring both")
        loc, vel = _array(parts["loc"]), _array(parts["vel"])
        if loc.ndim != 4 or loc.shape[2] not in (2, 3):
            raise ValueError(f"{name} is {list(loc.shape)}; it must be [sequences, frames, 2, balls]")
        if vel.shape != loc.shape:
            raise ValueError(f"{parts['vel'].name} is {list(vel.shape)} and {name} {list(loc.shape)}; bring one pair")
        return np.swapaxes(loc, 2, 3), np.swapaxes(vel, 2, 3), name
    file = parts.get("feats") or parts.get("feat")
    if file is None:
        raise ValueError(f"there is no loc_… or feat_… file beside {next(iter(parts.values())).name}; bring both")
    feat = _array(file)
    if feat.ndim != 4 or feat.shape[3] not in (4, 6):
        raise ValueError(
            f"{file.name} is {list(feat.shape)}; it must hold 4 numbers an object and frame (x, y, vx, vy), or 6"
        )
    feat = feat if "feats" in parts else np.swapaxes(feat, 1, 2)
    axes = feat.shape[3] // 2
    return feat[..., :axes], feat[..., axes:], file.name


def _array(file: Path) -> np.ndarray:
    """A plain array of numbers; tensors that torch saved are read without running anything in them."""
    if file.suffix == ".npy":
        array = plain_array(file)
    else:
        import torch

        try:
            tensor = torch.load(file, map_location="cpu", weights_only=True)
            array = np.asarray(tensor)
        except Exception:  # damage, or objects that are no tensors: whatever torch finds
            raise ValueError(f"{file.name} is no tensor that torch saved; save it again as .npy") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{file.name} holds {array.dtype}; it must hold numbers")
    return array

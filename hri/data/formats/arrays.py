"""Trajectories in arrays: ``.npz`` with named arrays, ``.npy`` with one.

| key        | shape                                | meaning                                                |
|------------|--------------------------------------|--------------------------------------------------------|
| states     | [S, T, N, D] or [T, N, D]            | positions, then velocities: D = 4 or 6                 |
| positions  | [S, T, N, X] or [T, N, X]            | X = 2 or 3                                             |
| velocities | as positions                         | optional; else differences of positions                |
| adjacency  | [N, N], [S, N, N] or [S, T, N, N]    | optional: row sends to column, 0 and 1, or -1 and 1    |
| edges      | [E], [S, E], [S, T, E], or [.., E, K] | instead of adjacency: all E = N (N - 1) pairs         |
| edge_order | "nri" or "dnri"                      | NRI lists pairs by receiver, dNRI by sender            |
| names      | [N]                                  | optional                                               |
| parents    | [N]                                  | optional: number or name of each one's parent, -1 none |
| fps, units | one number, one word                 | optional: frames a second; unit of positions           |
| sequences  | [S]                                  | optional: names                                        |
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hri.core.files import read_npz
from hri.core.hierarchy import Tree
from hri.data.raw import PLAIN, Layout, RawSequence, RawSet


def read(path: Path, layout: Layout = PLAIN) -> RawSet:
    """The sequences in an ``.npz`` or ``.npy``.

    Raises:
        OSError: the file is not there.
        ValueError: an array is missing, of another kind, or does not fit the others; the sentence names its key.
    """
    if path.suffix.lower() == ".npz":
        return from_arrays(read_npz(path), path.name, layout)
    array = plain_array(path)
    if array.ndim not in (3, 4):
        raise ValueError(f"{path.name} is {array.dtype} {list(array.shape)}; it must be [S, T, N, D] or [T, N, D]")
    key = "states" if array.shape[-1] in (4, 6) else "positions"
    raw = from_arrays({key: array}, path.name, layout)
    words = "positions and velocities" if key == "states" else "positions"
    note = f"{path.name} is one array, read as {words} [sequences, frames, objects, {array.shape[-1]}]"
    return RawSet(raw.names, raw.sequences, raw.fps, raw.in_seconds, raw.parents, raw.unit, (*raw.notes, note))


def plain_array(path: Path) -> np.ndarray:
    """The array in an ``.npy``; pickled objects are refused, never opened.

    Raises:
        OSError: the file is not there.
        ValueError: not a plain array.
    """
    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it holds several arrays")
        return array
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path.name} is no plain .npy ({error}); write it again with numpy.save") from None


def from_arrays(arrays: dict[str, np.ndarray], name: str, layout: Layout = PLAIN) -> RawSet:
    """The sequences in arrays that were read from the file ``name``.

    Raises:
        ValueError: as :func:`read`.
    """
    if "states" in arrays:
        states = _numbers(arrays, "states", name)
        if states.shape[-1] not in (4, 6):
            raise ValueError(
                f"states in {name} have {states.shape[-1]} numbers an object; they need 4 (x, y, vx, vy) or 6, or "
                "store positions alone under positions"
            )
        axes = states.shape[-1] // 2
        positions, velocities = states[..., :axes], states[..., axes:]
    elif "positions" in arrays:
        positions, velocities = _numbers(arrays, "positions", name), None
        if positions.shape[-1] not in (2, 3):
            raise ValueError(f"positions in {name} have {positions.shape[-1]} numbers an object; they need 2 or 3")
        if "velocities" in arrays:
            velocities = _numbers(arrays, "velocities", name)
            if velocities.shape != positions.shape:
                raise ValueError(
                    f"velocities in {name} are {list(velocities.shape)} and positions {list(positions.shape)}; give "
                    "both one shape"
                )
    else:
        listed = ", ".join(sorted(arrays)) or "nothing"
        raise ValueError(f"{name} holds {listed}; store states [S, T, N, 4] or positions [S, T, N, 2] in it")
    count, frames, size, _ = positions.shape
    relations = _relations(arrays, name, layout, (count, frames, size))
    names = _words(arrays, "names", name, size, "object")
    sequences = _words(arrays, "sequences", name, count, "sequence") if "sequences" in arrays else None
    stem = Path(name).stem
    labels = sequences or ([stem] if count == 1 else [f"{stem} {index}" for index in range(count)])
    return RawSet(
        names=tuple(names or [f"object {node + 1}" for node in range(size)]),
        sequences=tuple(
            RawSequence(
                label,
                positions[index],
                None if velocities is None else velocities[index],
                None if relations is None else relations[index],
            )
            for index, label in enumerate(labels)
        ),
        fps=_rate(arrays, name),
        parents=_parents(arrays, name, names, size),
        unit=_unit(arrays),
    )


def _numbers(arrays: dict[str, np.ndarray], key: str, name: str) -> np.ndarray:
    """[S, T, N, D] of floats."""
    array = arrays[key]
    if array.dtype.kind not in "iuf" or array.ndim not in (3, 4) or 0 in array.shape:
        raise ValueError(f"{key} in {name} are {array.dtype} {list(array.shape)}; they must be numbers [S, T, N, D]")
    return array.astype(np.float64).reshape((-1, *array.shape[-3:]))


def _relations(
    arrays: dict[str, np.ndarray], name: str, layout: Layout, shape: tuple[int, int, int]
) -> np.ndarray | None:
    """[S, N, N] or [S, T, N, N], sender before receiver; None where the file says nothing."""
    count, frames, size = shape
    if "adjacency" in arrays:
        adjacency = arrays["adjacency"]
        fits = {(size, size), (count, size, size), (count, frames, size, size)}
        if adjacency.shape not in fits or adjacency.dtype.kind not in "biuf":
            raise ValueError(
                f"adjacency in {name} is {adjacency.dtype} {list(adjacency.shape)}; {size} objects in {count} "
                f"sequences of {frames} frames need numbers [{count}, {size}, {size}] or "
                f"[{count}, {frames}, {size}, {size}]"
            )
        adjacency = adjacency.astype(np.float64)
        return np.broadcast_to(adjacency, (count, size, size)) if adjacency.ndim == 2 else adjacency
    if "edges" not in arrays:
        return None
    order = layout.edge_order or (str(arrays["edge_order"]) if "edge_order" in arrays else "")
    return from_vectors(arrays["edges"], order, name, shape)


def from_vectors(edges: np.ndarray, order: str, name: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Edge vectors as matrices [S, N, N] or [S, T, N, N], sender before receiver.

    Args:
        edges: [E], [S, E], [S, T, E], or one-hot with K more; E = N (N - 1), without the diagonal.
        order: "nri": by receiver, then sender; "dnri": by sender, then receiver; "": only where both are the same.
        name: of the file.
        shape: S, T and N.

    Raises:
        ValueError: another number of pairs, or an order that matters and is not named.
    """
    count, frames, size = shape
    pairs = size * (size - 1)
    shapes = [(pairs,), (count, pairs), (count, frames, pairs)]
    if edges.dtype.kind in "biuf" and edges.shape[:-1] in shapes and edges.shape not in shapes:
        edges = edges.argmax(-1)  # one-hot
    if edges.dtype.kind not in "biuf" or edges.shape not in shapes:
        raise ValueError(
            f"edges in {name} are {edges.dtype} {list(edges.shape)}; {size} objects have {pairs} pairs, so they must "
            f"be [{count}, {pairs}] or [{count}, {frames}, {pairs}]"
        )
    if order not in ("", "nri", "dnri"):
        raise ValueError(f"edge_order in {name} is {order[:40]!r}; write nri or dnri")
    senders, receivers = Tree.balls(size).edges
    whole = np.broadcast_to(edges, (count, pairs)) if edges.ndim == 1 else edges
    matrices = np.zeros((*whole.shape[:-1], size, size))
    matrices[..., senders, receivers] = whole
    turned = np.swapaxes(matrices, -1, -2)
    if order == "nri":
        return turned
    if not order and (matrices != turned).any():
        raise ValueError(
            f"edges in {name} are not the same both ways, so their order matters; name it with --edge-order nri (by "
            "receiver) or dnri (by sender)"
        )
    return matrices


def _words(arrays: dict[str, np.ndarray], key: str, name: str, count: int, what: str) -> list[str]:
    if key not in arrays:
        return []
    words = arrays[key]
    if words.shape != (count,):
        raise ValueError(f"{key} in {name} has {words.size} entries and there are {count} {what}s; give one {what} one")
    return [word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in words.tolist()]


def _rate(arrays: dict[str, np.ndarray], name: str) -> float:
    if "fps" not in arrays:
        return 0.0
    fps = arrays["fps"]
    if fps.size != 1 or fps.dtype.kind not in "iuf" or not 0 < float(fps.reshape(())) < np.inf:
        raise ValueError(f"fps in {name} is {fps.tolist()!r:.60}; it must be one number above 0, the frames a second")
    return float(fps.reshape(()))


def _unit(arrays: dict[str, np.ndarray]) -> str:
    unit = arrays.get("units", arrays.get("unit"))
    if unit is None or unit.size == 0:
        return ""
    word = unit.reshape(-1)[0]
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _parents(arrays: dict[str, np.ndarray], name: str, names: list[str], size: int) -> tuple[int, ...] | None:
    """By number; a file may also name them."""
    if "parents" not in arrays:
        return None
    parents = arrays["parents"]
    if parents.shape != (size,):
        raise ValueError(
            f"parents in {name} has {parents.size} entries and there are {size} objects; give one an object"
        )
    if parents.dtype.kind == "S":
        parents = np.char.decode(parents, "utf-8", "replace")
    if parents.dtype.kind == "U":
        unknown = [word for word in parents.tolist() if word and word not in names]
        if unknown:
            raise ValueError(f"parents in {name} names {unknown[0][:60]!r}, which is no object; leave the root's empty")
        return tuple(names.index(word) if word else -1 for word in parents.tolist())
    if parents.dtype.kind not in "iu":
        raise ValueError(f"parents in {name} are {parents.dtype}; give each object's parent by number or name")
    return tuple(int(parent) for parent in parents)

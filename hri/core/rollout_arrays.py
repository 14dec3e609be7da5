"""A rollout as arrays by name: taken apart by scene, written to one ``.npz``, checked when it is read.

:class:`hri.core.records.Rollout` says which arrays there are; the letters of their shapes are there too.
"""

from __future__ import annotations

import dataclasses
import io
import os
from typing import Any, ClassVar, TypeVar

import numpy as np

from hri.core.files import read_npz, write_npz

SHARED = {
    "parents",
    "ball_parents",
    "physics",
    "position_span",
    "joints",
    "carries",
    "edge_sender_receiver",
    "last_true_input",
    "observation",
    "checkpoint",
    "edges",
    "edges_from",
    "sample_seed",
    "edits",
}
"""Fields that all scenes of a rollout have in common."""


Record = TypeVar("Record", bound="RolloutArrays")  # Self, which beartype checks only where it decorates whole classes


class RolloutArrays:
    """What a rollout can do because it is a frozen dataclass of arrays and plain values."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def scene(self: Record, index: int) -> Record:
        """Scene ``index`` alone, as a rollout with B = 1."""
        batched = {
            f.name: getattr(self, f.name)[index : index + 1]
            for f in dataclasses.fields(self)
            if f.name not in SHARED and getattr(self, f.name) is not None
        }
        return dataclasses.replace(self, **batched)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What a file holds: every field that there is, by name."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: np.asarray(value) for name, value in values.items() if value is not None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one compressed ``.npz``, atomically: an old file survives a full disk.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        write_npz(path, self.arrays)

    @classmethod
    def load(cls: type[Record], path: str | os.PathLike[str] | io.BytesIO) -> Record:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is no rollout; the sentence says what is wrong.
        """
        arrays, fields = read_npz(path), dataclasses.fields(cls)
        needed = {f.name for f in fields if f.default is dataclasses.MISSING}
        if missing := sorted(needed - arrays.keys()):
            raise ValueError(
                f"{path} is not a rollout: it lacks {', '.join(missing)}; make one with `python -m hri rollout`"
            )
        _check_shapes(str(path), arrays)
        known = {f.name for f in fields}
        plain: dict[str, Any] = {
            name: value.item() if value.ndim == 0 else value for name, value in arrays.items() if name in known
        }
        return cls(**plain)


def _check_shapes(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays that do not belong together (:mod:`hri.core.records` has the letters).

    Raises:
        ValueError: the first array that does not fit, with the shape it should have.
    """
    slots, logits = arrays["slots"], arrays["edge_logits"]
    if slots.ndim != 4 or logits.ndim != 4:
        raise ValueError(f"{path} is not a rollout: slots must be [B, T, N, D] and edge_logits [B, T, E, K]")
    (b, t, n, d), (e, k) = slots.shape, logits.shape[2:]
    shapes: dict[str, tuple[int | None, ...]] = {
        "parents": (n,),
        "edge_sender_receiver": (e, 2),
        "predicted_slots": (b, t - 1, None, d),
        "edge_logits": (b, t, e, k),
        "edge_probabilities": (b, t, e, k),
        "edge_types": (b, t, e),
        "frames": (b, t, None, None, None),
        "reconstructed_frames": (b, t, None, None, None),
        "predicted_frames": (b, t - 1, None, None, None),
        "slot_frames": (b, t - 1, None, None, None, None),
        "altered_inputs": (b, t, None, d),
        "ball_parents": (None,),
        "joints": (None,),
        "position_span": (2,),
        "carries": (e,),
    }
    for name, shape in shapes.items():
        if name not in arrays:
            continue
        actual = arrays[name].shape
        if len(actual) != len(shape) or any(want not in (None, have) for want, have in zip(shape, actual, strict=True)):
            text = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"{path} is damaged: {name} has shape {list(actual)} and should have [{text}]")

"""What all visitors share: computed once for the same question, and anew when a file that it came from changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import streamlit as st

from hri.core.records import Rollout

P = ParamSpec("P")
R = TypeVar("R")


def scene_id(rollout: Rollout) -> str:
    """A name for exactly these numbers: what keeps the parts of the page on one scene."""
    digest = hashlib.sha256(rollout.checkpoint.encode())
    digest.update(str(rollout.edits).encode())  # a muted slot may change pictures alone
    for array in (rollout.slots, rollout.predicted_slots, rollout.edge_types, rollout.edge_probabilities):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _as_it_stands(path: Path) -> tuple[Any, ...]:
    """A file and when it last changed, 0 where it is not there; of a folder the same of each of its files."""
    inside = sorted(path.glob("*.*")) if path.is_dir() else []
    return str(path), *(map(_as_it_stands, inside) if inside else [path.stat().st_mtime_ns if path.exists() else 0])


_TOLD_APART: dict[str | type[Any], Callable[[Any], Any]] = {
    type(Path()): _as_it_stands,
    Rollout: scene_id,
    "hri.data.video.VideoClip": repr,  # it stays what it is even when its file is forgotten
}


def shared_cache(max_entries: int, spinner: str | bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the answers of a function for all visitors and hand out the same objects again, which nobody changes.

    Answers are told apart by the arguments: a path by its name and when the file last changed, a rollout by
    :func:`scene_id`, all else by its value.

    Args:
        max_entries: answers that are kept; the oldest goes first.
        spinner: what a page shows while it waits.
    """
    return st.cache_resource(max_entries=max_entries, show_spinner=spinner, hash_funcs=_TOLD_APART)

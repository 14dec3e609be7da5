"""Where the app finds things, and what is read from there anew when it changes: results and runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

from app.compute import shared_cache
from hri.core import places as _places
from hri.core.config import Config
from hri.core.records import Rollout
from hri.experiments import scoreboard
from hri.experiments.scoreboard import Board
from hri.scores import ceilings
from hri.training.progress import Tail
from hri.training.watching import Reconstruction, read_picture

ROOT = _places.ROOT
PLAYER = Path(__file__).parent / "player"
"""What runs in the browser."""
CHECKPOINTS = Path(os.environ.get("HRI_CHECKPOINTS", _places.CHECKPOINTS))
"""Folder of ``<name>.safetensors``; another one through the variable of that name."""
STORED = Path(os.environ.get("HRI_STORED", ROOT / "assets" / "stored"))
"""Folder of stored rollouts ``<name>.npz``, shown without running a model."""
RESULTS = Path(os.environ.get("HRI_RESULTS", _places.RESULTS))
"""Folder of the results files (:mod:`hri.experiments.scoreboard`)."""
CEILINGS = RESULTS / ceilings.STORED.name
"""What relations could find (:mod:`hri.scores.ceilings`)."""
RUNS = Path(os.environ.get("HRI_RUNS", ROOT / "runs"))
"""Folder of the training runs (:mod:`hri.experiments.runs`)."""


OWN = Path(os.environ.get("HRI_OWN", ROOT / "own"))
"""Folder of visitors' own trajectories, a folder each (:mod:`hri.data.trajectories`)."""


def board() -> Board:
    """All results files, read anew when one changes."""
    return _board(RESULTS)


@shared_cache(2)
def _board(folder: Path) -> Board:
    return scoreboard.read(folder)


def ceiling(config: Config, encoder: str | None = None) -> dict[str, Any] | None:
    """What relations of a config could find, where that was measured; read anew when the file changes.

    Args:
        config: of a model.
        encoder: fingerprint of an image model's encoder (:func:`hri.scores.ceilings.encoder_of`).
    """
    return ceilings.find(config, encoder, _ceilings(CEILINGS))


def ceilings_problem() -> list[str]:
    """One sentence where the file of ceilings cannot be used."""
    try:
        ceilings.read(CEILINGS)
    except (OSError, ValueError) as error:
        return [f"{error}."]
    return []


@shared_cache(2)
def _ceilings(path: Path) -> dict[str, Any]:
    try:
        return ceilings.read(path)
    except (OSError, ValueError):  # the Results page says so
        return {}


@st.cache_resource(max_entries=256, show_spinner=False)
def tail(folder: Path) -> Tail:
    """The lines of a run, each read once however many visitors watch."""
    return Tail(folder)


@shared_cache(48)
def picture(path: Path) -> Rollout | Reconstruction:
    """What a training showed of itself at a validation.

    Raises:
        ValueError: the file is damaged or has gone; one sentence.
    """
    return read_picture(path)

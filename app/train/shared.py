"""What the parts of the Train page share: one run's standing, actions that may fail, curves drawn in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app import places
from app.parts import part
from hri.core.errors import sentence
from hri.experiments import runs
from hri.experiments.runs import RunInfo
from hri.view.training_charts import Panel

_curves = part("curves", marks=True, sheet="curves.css", root="charts")

BADGES = {
    "queued": "gray-badge[:material/schedule: waits for its turn]",
    "starting": "blue-badge[:material/hourglass_top: starting]",
    "running": "blue-badge[:material/play_circle: running]",
    "paused": "orange-badge[:material/pause_circle: paused]",
    "stopped": "gray-badge[:material/stop_circle: stopped]",
    "finished": "green-badge[:material/check_circle: finished]",
    "failed": "orange-badge[:material/error: failed]",
    "new": "gray-badge[:material/fiber_new: not started]",
    "damaged": "orange-badge[:material/broken_image: damaged]",
}


def standing(folder: Path) -> RunInfo:
    """How a run stands, from lines that are read once."""
    return runs.info(folder, places.tail(folder).read())


def attempt(action: Callable[..., Any], *arguments: Any) -> Any:
    """Do it; what goes wrong is kept as one sentence for :func:`say_problem`, and None is returned."""
    try:
        return action(*arguments)
    except (ValueError, OSError) as error:
        st.session_state["train_problem"] = sentence(error)
        return None


def say_problem() -> None:
    """What went wrong since the page last ran, once."""
    if problem := st.session_state.pop("train_problem", None):
        st.error(f"{problem[:1].upper()}{problem[1:]}.", icon=":material/error:")


def show_view(view: str, run: str = "") -> None:
    """In a callback: which part of the page is seen next, and which run."""
    st.session_state["view"] = view
    if run:
        st.session_state["run"] = run


def curves(panels: list[Panel], course: str, update: int) -> None:
    """Panels in two columns; called again with more points, the visitor's zoom and hidden curves stay.

    Args:
        course: of which run and stage; another one begins anew.
        update: the newest.
    """
    data = {"course": course, "update": update, "panels": [panel.to_dict() for panel in panels]}
    with st.container(key="live-curves"):
        _curves(key="curves", data=data)

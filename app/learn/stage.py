"""What a lesson is given and what it hands back, and the playground that several of them use."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import places
from app.learn.arena import nothing_told
from app.parts import part

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_arena = part("arena", marks=True, sheet="arena.css")


@dataclass(frozen=True)
class Stage:
    """Where a lesson is shown."""

    seed: int
    """Of the scene."""
    size: float = 1.0
    """Of letters in figures, 1 being usual."""
    still: bool = False
    """Classroom mode: nothing but the lesson's own thing to do."""


@dataclass(frozen=True)
class Shown:
    """What a lesson has computed and found."""

    statement: str
    """What the model or the simulation on the page does, in a sentence with its numbers."""
    values: dict[str, Any]
    """For the lesson's statement (:attr:`app.learn.course.Lesson.statement`), which gives the same sentence."""
    explore: dict[str, str]
    """Parameters of the address that shows the same in Explore."""
    done: bool = False
    """Whether the visitor has done what the lesson asks for."""


def file_of(model: str) -> str:
    """The checkpoint of a model as a path from the repository's folder."""
    return os.path.relpath(places.CHECKPOINTS / f"{model}.safetensors", places.ROOT)


def arena_report(key: str, reset: str, marks: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """What the visitor has done in a playground since it was reset; what cannot be true is left out."""
    report = (st.session_state.get(key) or {}).get("told")
    if not isinstance(report, Mapping) or report.get("reset") != reset:
        return nothing_told(reset, marks)
    pairs = [pair for pair in report.get("marks", []) if isinstance(pair, list) and len(pair) == 2]
    places = {
        str(node): [float(v) for v in place]
        for node, place in dict(report.get("placed", {})).items()
        if isinstance(place, list)
        and len(place) == 2
        and all(isinstance(v, int | float) and math.isfinite(v) for v in place)
    }
    return {"reset": reset, "marks": pairs, "placed": places, "cell": report.get("cell")}


def arena(key: str, data: dict[str, Any]) -> None:
    """Balls to watch and to play with; what is done there is in :func:`told` of the same key."""
    with st.container(key=f"{key}-arena"):
        _arena(key=key, data=data, on_told_change=lambda: None)


def chart(figure: Figure, key: str, alt: str) -> None:
    """A figure that stands still under the mouse."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)

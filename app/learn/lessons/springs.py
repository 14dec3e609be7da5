"""What is a system of springs? Drag balls, cut springs: the distance of two balls with and without theirs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from app import drawn
from app.learn import course, figures
from app.learn.arena import arena_data, to_box
from app.learn.stage import Shown, Stage, arena, arena_report, chart
from hri.core.hierarchy import Tree
from hri.view import style
from hri.view.style import STYLE

if TYPE_CHECKING:
    from hri.physics.systems import Pair, System

SMALL = "1-3"
"""The tree of this lesson: one family of the large systems, and the root that it hangs on."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Apart:
    """How far two balls are from each other (box units: the box is 2 wide), with a spring between them and without."""

    pair: Pair
    with_spring: Float[np.ndarray, " T"]
    without_spring: Float[np.ndarray, " T"]

    def says(self) -> str:
        """Such as "With its spring …, without it …"."""
        i, j = self.pair
        with_it, without = self.with_spring.mean(), self.without_spring.mean()
        means = f"Balls {i} and {j} are {with_it:.2f} apart on average with their spring, {without:.2f} without it"
        if without > 1.1 * with_it:
            return f"{means}: {without / with_it:.1f} times as far. (The box is 2 wide.)"
        return f"{means}: here the spring hardly holds them together. (The box is 2 wide.)"


def family(seed: int) -> System:
    """The system of this lesson: the root, one intermediate and its leaves, on the springs of the tree alone.

    So a cut leaves a ball free; with springs between leaves it would go on hanging on its siblings.
    """
    from hri.physics.systems import System

    return dataclasses.replace(System.of_seed(SMALL, "04", seed), springs=((0, 1), (1, 2), (1, 3), (1, 4)))


def apart(system: System, pair: Pair) -> Apart:
    """Simulate a system twice, with and without one spring.

    Raises:
        ValueError: a pair that no spring can join.
    """
    key = (min(pair), max(pair))
    without = tuple(spring for spring in system.springs if spring != key)
    tracks = [
        dataclasses.replace(system, springs=springs).simulate().positions[0] for springs in ((*without, key), without)
    ]
    with_spring, without_spring = (np.linalg.norm(track[:, key[0]] - track[:, key[1]], axis=1) for track in tracks)
    return Apart(key, with_spring, without_spring)


def statement(system: str, pair: Pair) -> str:
    """How far two balls of a system (an address of one) are apart with and without their spring."""
    from hri.physics.systems import System

    return apart(System.parse(system), pair).says()


def class_values(_: Path, seed: int) -> dict[str, Any]:
    """A leaf's spring to its parent."""
    return {"system": family(seed).to_address(), "pair": (1, 4)}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """A playground of five balls beside the distance of the two whose spring was cut last."""
    tree = Tree.parse(SMALL)
    start = family(stage.seed)
    key, reset = "learn-springs", f"springs-{stage.seed}-{st.session_state.get('springs_again', 0)}"
    now = arena_report(key, reset, start.springs)
    system = _current_system(start, now)
    cuts = [pair for pair in start.springs if pair not in system.springs]
    pair = cuts[-1] if cuts else next(p for p in start.springs if p[0] > 0)
    later = system.simulate().positions[0]
    track = np.concatenate([np.array(system.positions)[None], later])
    left, right = st.columns([1, 1], gap="medium")
    with left:
        arena(
            key,
            arena_data(
                f"{reset}-{system.to_address()}", track, tree, label="Five balls and their springs",
                reset=reset, report=now,
                pairs=start.springs, marking=True, chips="Springs", drag=True,
            ),
        )  # fmt: skip
    with right:
        distances = apart(system, pair)
        drawn.load_pandas()
        chart(
            apart_figure(distances, stage.size), "springs-apart",
            f"Distance of balls {pair[0]} and {pair[1]} with and without their spring",
        )  # fmt: skip
        st.button("Put everything back", icon=":material/undo:", key="springs-back", on_click=_back)
    return Shown(
        statement=distances.says(),
        values={"system": system.to_address(), "pair": pair},
        explore={"model": course.IMAGE_MODELS["SlotDec"], "system": system.to_address()},  # it sees any tree
        done=bool(cuts),
    )


def _back() -> None:
    st.session_state["springs_again"] = st.session_state.get("springs_again", 0) + 1


def _current_system(start: System, now: dict[str, Any]) -> System:
    """The system as the visitor has it: springs cut, balls put elsewhere. What no system can be is left out."""
    marks = {tuple(sorted(pair)) for pair in now["marks"]}
    places = list(start.positions)
    for node, place in now["placed"].items():
        if node.isdecimal() and int(node) < len(places):
            places[int(node)] = to_box(place)
    springs = tuple(pair for pair in start.springs if pair in marks)
    return dataclasses.replace(start, springs=springs, positions=tuple(places))


def apart_figure(distances: Apart, size: float = 1.0) -> go.Figure:
    """The distance of two balls over time, with and without their spring."""
    frames = np.arange(len(distances.with_spring))
    return figures.lines(
        [
            ("with the spring", frames, distances.with_spring, STYLE.spring, "solid"),
            ("without it", frames, distances.without_spring, style.GREY, "dash"),
        ],
        "frame",
        "distance (box: 2)",
        size,
    )


LESSON = course.Lesson(
    key="springs",
    title="What is a system of springs?",
    idea=(
        "Balls fly about in a box. Some pairs are joined by a spring, which pulls its two balls together when they are "
        "far apart and pushes them away from each other when they are too close. A model never sees the springs. All "
        "that it can watch is how the balls move, and yet it is the springs that decide how they move."
    ),
    do="Drag a ball and let go. Then click a golden spring to cut it, and watch again.",
    notice="How far apart are the two balls with their spring, and how far without it?",
    section="4.1",
    mathematics=(
        (
            "The force on ball $i$, on each axis by itself. $k_{ij}$: stiffness of the spring, $L_{ij}$: its length at "
            "rest, $d$: how far $i$ is from $j$ on that axis.",
            r"F_i = -\sum_{j} k_{ij}\,\bigl(d - L_{ij}\,\operatorname{sign} d\bigr), \qquad d = x_i - x_j",
        ),
        (
            "A small step in time $\\Delta t = 0.001$ moves every ball and changes its velocity; $s$ is a constant "
            "factor. Every 100th step is kept as a frame.",
            r"x_i \leftarrow x_i + \Delta t\, s\, v_i, \qquad v_i \leftarrow v_i + \Delta t\, F_i",
        ),
    ),
    question="Two balls are never more than a finger's breadth apart, wherever they fly. What does that suggest?",
    answer=(
        "That a strong spring joins them, directly or through a third ball: without one they would drift apart. It is "
        "evidence, not proof; cutting the spring would be the test."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

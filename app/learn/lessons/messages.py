"""Messages up, across, down: follow the news of one leaf through the phases of a step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Bool

from app import drawn
from app.learn import course, lesson_state
from app.learn.stage import Shown, Stage, chart, file_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout

if TYPE_CHECKING:
    from hri.rollout.phases import Phases

STEP = 20
"""The step whose messages are followed."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewsReach:
    """How far the news of one node gets within one step."""

    origin: int
    names: tuple[str, ...]
    """Message phases in words, in their order."""
    has_news: Bool[np.ndarray, "R N"]
    """Who knows after each phase, the origin included."""
    edges: int
    """Edges over which messages may pass in the step."""

    def says(self, phase: int) -> str:
        """Who has heard after a phase (counted from 0)."""
        others, after = self.has_news.shape[1] - 1, int(self.has_news[phase].sum()) - 1
        end = int(self.has_news[-1].sum()) - 1
        return (
            f"News of ball {self.origin} has reached {after} of {others} other balls after phase {phase + 1} "
            f"({self.names[phase]}), and {end} by the end of the step, over {self.edges} edges."
        )


def news_reach(tree: Tree, inside: Phases, rollout: Rollout, origin: int) -> NewsReach:
    """Follow one node's hidden state through the message phases of a step: along edges that speak, one phase a hop."""
    phases = len(inside.names) - 2  # without LSTM and decoding
    listeners, now = np.zeros((phases, tree.size), dtype=bool), np.zeros(tree.size, dtype=bool)
    now[origin] = True
    pairs = rollout.edge_sender_receiver[inside.row]
    for phase in range(phases):
        speaks = (inside.phase == phase) & (inside.type > 0)
        senders, receivers = pairs[speaks].T
        after = now.copy()
        after[receivers[now[senders]]] = True
        listeners[phase] = now = after
    return NewsReach(origin, inside.titles[:phases], listeners, len(inside.row))


def most_heard(tree: Tree, inside: Phases, rollout: Rollout) -> int:
    """The first of the leaves whose news goes furthest within a step: one that hangs on no spring reaches nobody."""
    leaves = tree.leaves.tolist()
    return max(leaves, key=lambda leaf: int(news_reach(tree, inside, rollout, leaf).has_news[-1].sum()))


def statement(checkpoint: str, seed: int, step: int, leaf: int, phase: int) -> str:
    """How far the news of a leaf has got after a phase (counted from 0) of a step."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.phases import phases
    from hri.rollout.rollout import roll_out

    model, tree = load(checkpoint), Tree.parse("4-3")
    rollout = roll_out(model, simulate(tree, "04", [seed]))
    return news_reach(tree, phases(model, rollout, step), rollout, leaf).says(phase)


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """The leaf whose news goes furthest, and the last phase."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.phases import phases
    from hri.rollout.rollout import roll_out

    checkpoint = str(folder / f"{course.STATE_MODEL}.safetensors")
    model, tree = load(checkpoint), Tree.parse("4-3")
    rollout = roll_out(model, simulate(tree, "04", [seed]))
    leaf = most_heard(tree, phases(model, rollout, STEP), rollout)
    return {"checkpoint": checkpoint, "seed": seed, "step": STEP, "leaf": leaf, "phase": 4}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """A leaf and a phase to choose beside the messages of the phase."""
    tree = Tree.parse("4-3")
    rollout = lesson_state.rollout(course.STATE_MODEL, stage.seed)
    inside = lesson_state.phases(course.STATE_MODEL, rollout, STEP)
    left, right = st.columns([stage.size, 1.7], gap="medium")
    with left:
        leaves = tree.leaves.tolist()
        first = leaves.index(most_heard(tree, inside, rollout))
        leaf = st.selectbox("Leaf", leaves, first, key="messages-leaf")
        news = news_reach(tree, inside, rollout, leaf)
        phase = st.radio(
            "Phase", range(len(news.names)), key="messages-phase",
            format_func=lambda k: f"{k + 1}. {news.names[k]}",
        )  # fmt: skip
        phase = phase or 0
    with right:
        drawn.load_pandas()
        chart(
            news_figure(news, inside, rollout, phase, stage.size), "messages-graph",
            f"Messages of phase {phase + 1}, and who has heard of ball {leaf}",
        )  # fmt: skip
        st.caption("Orange: has heard of the leaf. Arrows: messages of this phase.")
    return Shown(
        statement=news.says(phase),
        values={
            "checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "step": STEP, "leaf": leaf, "phase": phase,
        },
        explore={
            "model": course.STATE_MODEL, "seed": str(stage.seed), "frame": str(STEP + 1), "panel": "inside a step",
        },
        done=phase > 0,
    )  # fmt: skip


def news_figure(news: NewsReach, inside: Phases, rollout: Rollout, phase: int, size: float = 1.0) -> go.Figure:
    """The messages of a phase; who has heard of the origin has an orange rim."""
    from hri.view.phase_chart import MOVED, phase_graph
    from hri.view.style import RIM

    figure = phase_graph(inside, rollout, phase)
    nodes = next(trace for trace in figure.data if trace.meta == "nodes")
    nodes.marker.line.width = [5 if has_news else 1 for has_news in news.has_news[phase]]
    nodes.marker.line.color = [MOVED if has_news else RIM for has_news in news.has_news[phase]]
    nodes.marker.size = [width * size for width in nodes.marker.size]
    nodes.textfont.size *= size
    return figure.update_layout(height=round(400 * size))


LESSON = course.Lesson(
    key="messages",
    title="Messages up, across, down",
    idea=(
        "Between two frames the nodes talk. Leaves talk to their parents, parents to the root, siblings to each other, "
        "then the root to the parents, and these to the leaves. What a node hears is added to its memory before the "
        "next phase begins. So within one step the news of a leaf can climb up one branch and down another."
    ),
    do="Step through the phases; then choose another leaf.",
    notice="After which phase has most of the system heard of the leaf? And of one that no spring joins to its parent?",
    section="3.3",
    mathematics=(
        (
            "In every phase a node $i$ adds what it hears from the senders $j$ of that phase to its hidden state "
            "$h_i$; $z_{ij}$ is 0 for an edge that is silent.",
            r"h_i \leftarrow h_i + \sum_{j} z_{ij}\, \tanh W_2 \tanh\bigl(W_1 [h_i, h_j]\bigr)",
        ),
        (
            "After all phases the LSTM takes one step on the present state $x_i$, and the change of the state is read "
            "from the memory.",
            r"h_i \leftarrow \operatorname{LSTM}(x_i, h_i), \qquad \hat x_i(t+1) = x_i(t) + f(h_i)",
        ),
    ),
    question="If siblings did not talk, how long would the way from a leaf to a leaf of another family be?",
    answer=(
        "Four messages: leaf to parent, parent to root, root to the other parent, other parent to its leaf. All of "
        "them are sent within one step, because in each phase the nodes know what was said in the phase before."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

"""Cause, or only belief? Cut an edge: belief beside effect, and where the predictions go without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from app import drawn
from app.learn import course, figures, lesson_state
from app.learn.stage import Shown, Stage, chart, file_of
from hri.core.hierarchy import Tree, edge_name, node_name
from hri.core.records import Rollout
from hri.rollout.edits import SetEdge
from hri.rollout.interventions import Intervention
from hri.view import style

if TYPE_CHECKING:
    from hri.rollout.influence import Influence

# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Causes:
    """What a model believes of its edges beside what cutting each of them does."""

    sender_receiver: np.ndarray
    """[R, 2], edges that carry messages."""
    belief: Float[np.ndarray, " R"]
    """Mean probability of a message over the steps."""
    effect: Float[np.ndarray, " R"]
    """Root mean square by which predictions move without the edge, normalised states."""

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of both; NaN where one of them does not vary."""
        ranks = [_ranks(values) for values in (self.belief, self.effect)]
        if min(np.ptp(rank) for rank in ranks) == 0:
            return float("nan")
        return float(np.corrcoef(np.stack(ranks))[0, 1])

    def says(self, row: int | None, tree: Tree) -> str:
        """What cutting an edge does (None: the one with the largest effect), and how far belief agrees with effect."""
        row = int(self.effect.argmax()) if row is None else row
        i, j = (int(node) for node in self.sender_receiver[row])
        place = int((self.effect > self.effect[row]).sum()) + 1
        one = (
            f"The edge {edge_name(tree, i, j)} speaks with probability {self.belief[row]:.2f}; "
            f"cutting it moves predictions by {self.effect[row]:.2g}, rank {place} of {len(self.effect)}."
        )
        if np.isnan(self.correlation):
            return one
        return f"{one} Over all edges, belief and effect have a rank correlation of {self.correlation:.2f}."


def causes(rollout: Rollout, influence: Influence) -> Causes:
    """Beliefs and effects of the edges that carry messages."""
    rows = np.arange(len(influence.spoke)) if rollout.carries is None else np.flatnonzero(rollout.carries)
    chances = 1 - rollout.edge_probabilities[0, :-1, :, 0].mean(0).astype(np.float64)
    return Causes(rollout.edge_sender_receiver[rows], chances[rows], np.sqrt(influence.score[rows]))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return (ends - (count - 1) / 2)[place]


def statement(checkpoint: str, seed: int, row: int | None) -> str:
    """What cutting an edge (a row of those that carry messages) does to a model's predictions."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.influence import influence
    from hri.rollout.rollout import roll_out

    model, tree = load(checkpoint), Tree.parse("4-3")
    rollout = roll_out(model, simulate(tree, "04", [seed]))
    return causes(rollout, influence(model, rollout)).says(row, tree)


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """The edge with the largest effect."""
    return {"checkpoint": str(folder / f"{course.STATE_MODEL}.safetensors"), "seed": seed, "row": None}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """An edge to choose above all edges by belief and effect."""
    rollout = lesson_state.rollout(course.STATE_MODEL, stage.seed)
    with st.spinner("Cutting every edge in turn …"):
        edges = causes(rollout, lesson_state.influence(course.STATE_MODEL, rollout))
    order = edges.effect.argsort()[::-1].tolist()
    tree = rollout.tree
    names = [" → ".join(node_name(tree, int(node)) for node in pair) for pair in edges.sender_receiver]
    row = st.selectbox(
        "Edge to cut, the largest effect first", order, key="cutting-edge", format_func=lambda k: names[k], width=330
    )
    row = order[0] if row is None else row
    drawn.load_pandas()
    chart(
        causes_figure(edges, row, names, stage.size), "cutting-chart",
        "Effect of cutting each edge against the model's belief in it",
    )  # fmt: skip
    sender, receiver = (int(node) for node in edges.sender_receiver[row])
    return Shown(
        statement=edges.says(row, tree),
        values={"checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "row": row},
        explore={
            "model": course.STATE_MODEL, "seed": str(stage.seed), "select": f"{sender}-{receiver}",
            "edits": Intervention((SetEdge(sender, receiver),)).to_address(),
        },
        done=row != order[0],
    )  # fmt: skip


def causes_figure(edges: Causes, row: int, names: Sequence[str], size: float = 1.0) -> go.Figure:
    """Every edge: how sure the model is of it, and how far predictions move without it."""
    figure = go.Figure(
        go.Scatter(
            x=edges.belief.tolist(),
            y=edges.effect.tolist(),
            mode="markers",
            text=list(names),
            marker={"size": 10, "color": style.BLUE, "opacity": 0.6},
            hovertemplate="%{text}<br>probability %{x:.2f}, effect %{y:.2g}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_scatter(
        x=[float(edges.belief[row])],
        y=[float(edges.effect[row])],
        mode="markers+text",
        text=[names[row]],
        textposition="middle left",
        marker={"size": 17, "color": style.VERMILLION, "symbol": "circle-open", "line": {"width": 3}},
        hoverinfo="skip",
        showlegend=False,
    )
    figures.with_style(figure, "probability of a message (belief)", "predictions move by (effect)", size, 400)
    return figure.update_layout(hovermode="closest")


LESSON = course.Lesson(
    key="cutting",
    title="Cause, or only belief?",
    idea=(
        "The model gives every edge a probability. Is an edge that it is sure of also important? Looking is not enough "
        "to find out. We cut the edge, let the model predict the same scene again, and measure how far its predictions "
        "move. What is left unchanged by the cut was not caused by the edge, however sure the model was."
    ),
    do="Choose an edge to cut: first one high up in the chart, then one far down.",
    notice=(
        "Points far to the right are edges that the model is sure of; points high up are edges with a large effect. "
        "Are they the same?"
    ),
    section="3.3",
    mathematics=(
        (
            "The effect of an edge: predictions $\\hat x$ with it and predictions $\\hat x^{\\setminus ij}$ when it is "
            "silent from the first step on.",
            r"\text{effect}_{ij} = \sqrt{\operatorname{mean}_{t,n}\, \bigl(\hat x_n(t) - \hat x_n^{\setminus "
            r"ij}(t)\bigr)^2}",
        ),
        (
            "Rank correlation ($r$: ranks): 1 if a more probable edge always has the larger effect, 0 if the one says "
            "nothing about the other.",
            r"\rho = \frac{\operatorname{cov}(r_p, r_e)}{\sigma_{r_p}\, \sigma_{r_e}}",
        ),
    ),
    question=(
        "Whenever the barometer falls, it rains soon after. Does the barometer cause the rain, and how would you test "
        "it?"
    ),
    answer=(
        "Turn its needle by hand and watch the sky. An experiment that changes one thing and leaves the rest alone "
        "tells cause from correlation; cutting an edge is such an experiment."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

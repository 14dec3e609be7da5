"""Figures of the lessons: few marks, large letters, one thing to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from app.learn.statements import Apart, Beliefs, Grouped
from hri.core.records import Rollout
from hri.view.facts import error_curves
from hri.view.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RIM, SKY, STYLE, VERMILLION

if TYPE_CHECKING:
    from app.learn.statements_models import Causes, Draws, Heard, Horizon
    from hri.rollout.phases import Phases

GROUPS = (SKY, ORANGE, GREEN, PURPLE)
"""A colour a family, told apart by colour-blind readers on black."""


def lines(
    curves: Sequence[tuple[str, np.ndarray, Float[np.ndarray, " T"], str, str]],
    across: str,
    up: str,
    size: float = 1.0,
    height: int = 260,
) -> go.Figure:
    """Curves with their names at their ends, so that no legend has to be looked up.

    Args:
        curves: (name, x, y, colour, dash) of each; an empty name gets no label.
        across: title of the x axis.
        up: title of the y axis.
        size: of letters, 1 being usual.
        height: in pixels at that size.
    """
    figure = go.Figure()
    for name, x, y, ink, dash in curves:
        figure.add_scatter(
            x=np.asarray(x).tolist(),
            y=np.asarray(y, dtype=float).tolist(),
            name=name,
            mode="lines",
            line={"color": ink, "width": 2.6 if name else 1.1, "dash": dash},
            opacity=1.0 if name else 0.45,
            hovertemplate="%{y:.3g}" if name else None,
            hoverinfo=None if name else "skip",
            showlegend=bool(name),
        )
    return styled(figure, across, up, size, height)


def styled(figure: go.Figure, across: str, up: str, size: float, height: int) -> go.Figure:
    """Axes, margins and letters that all lessons share."""
    figure.update_layout(
        height=round(height * size),
        font={"size": round(13 * size)},
        margin={"l": 62 * size, "r": 12, "t": 30 * size, "b": 46 * size},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="x unified",
        xaxis={"title": {"text": across}, "fixedrange": True},
        yaxis={"title": {"text": up}, "fixedrange": True, "rangemode": "tozero", "nticks": 6},
    )
    return figure


def apart_figure(found: Apart, size: float = 1.0) -> go.Figure:
    """The distance of two balls over time, with and without their spring."""
    frames = np.arange(len(found.joined))
    return lines(
        [
            ("with the spring", frames, found.joined, STYLE.spring, "solid"),
            ("without it", frames, found.cut, GREY, "dash"),
        ],
        "frame",
        "distance (box: 2)",
        size,
    )


def bars(names: Sequence[str], values: Sequence[float], inks: Sequence[str], up: str, size: float = 1.0) -> go.Figure:
    """A few numbers as bars, each with its value."""
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=[float(value) for value in values],
            marker={"color": list(inks)},
            text=[f"{value:.3g}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    return styled(figure, "", up, size, 300).update_layout(hovermode=False)


def grouped_figure(found: Grouped, shown: float, name: str, size: float = 1.0) -> go.Figure:
    """What the middles of families explain, of chance groups on average, and of the groups on the screen."""
    values = {"families": found.families, "by chance, mean": found.chance}
    if name != "families":
        values["these groups"] = shown
    figure = bars(list(values), list(values.values()), [BLUE, GREY, VERMILLION], "explained by middles", size)
    figure.update_traces(text=[f"{value:.0%}" for value in values.values()])
    return figure.update_layout(yaxis={"tickformat": ".0%", "range": [min(0, *values.values()), 1.08]})


def beliefs_figure(found: Beliefs, seen: int, size: float = 1.0) -> go.Figure:
    """Every leaf's probability so far, and the mean of those with a spring and of those without."""
    frames = np.arange(seen + 1)
    curves = [
        ("", frames, found.chances[: seen + 1, row], STYLE.spring if joined else GREY, "solid")
        for row, joined in enumerate(found.springs)
    ]
    for name, rows, ink, dash in (
        ("with a spring", found.springs, STYLE.spring, "solid"),
        ("without", ~found.springs, GREY, "dash"),
    ):
        if rows.any():
            curves.append((name, frames, found.chances[: seen + 1, rows].mean(1), ink, dash))
    figure = lines(curves, "frames seen", "probability", size, 330)
    figure.update_layout(xaxis_range=[-0.5, len(found.chances) - 0.5], yaxis_range=[-0.03, 1.03])
    return figure.update_traces(mode="lines+markers", marker_size=4)


def draws_figure(found: Draws, size: float = 1.0) -> go.Figure:
    """How many draws give which share of the message to "interaction"."""
    counts, edges = np.histogram(found.weights, bins=20, range=(0, 1))
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(
        go.Bar(
            x=middles.tolist(),
            y=counts.tolist(),
            marker={"color": [BLUE if at > 0.5 else GREY for at in middles]},
            hovertemplate="%{y} draws near %{x:.2f}<extra></extra>",
        )
    )
    styled(figure, "share that interaction gets", "draws", size, 320)
    return figure.update_layout(hovermode="closest", bargap=0.08, yaxis_range=[0, 1.05 * len(found.weights)])


def heard_figure(found: Heard, inside: Phases, rollout: Rollout, phase: int, size: float = 1.0) -> go.Figure:
    """The messages of a phase; who has heard of the origin has an orange rim."""
    from hri.view.phase_chart import MOVED, phase_graph

    figure = phase_graph(inside, rollout, phase)
    nodes = next(trace for trace in figure.data if trace.meta == "nodes")
    nodes.marker.line.width = [5 if known else 1 for known in found.reached[phase]]
    nodes.marker.line.color = [MOVED if known else RIM for known in found.reached[phase]]
    return figure.update_layout(height=round(400 * size))


def horizon_figure(found: Horizon, size: float = 1.0) -> go.Figure:
    """Error of the model and of "nothing moves" by steps without truth."""
    steps = np.arange(1, len(found.model) + 1)
    curves = [("model", steps, found.model, BLUE, "solid"), ("nothing moves", steps, found.copy, GREY, "dash")]
    return lines(curves, "steps without truth", "distance (box: 2)", size, 320)


def causes_figure(found: Causes, row: int, names: Sequence[str], size: float = 1.0) -> go.Figure:
    """Every edge: how sure the model is of it, and how far predictions move without it."""
    figure = go.Figure(
        go.Scatter(
            x=found.belief.tolist(),
            y=found.effect.tolist(),
            mode="markers",
            text=list(names),
            marker={"size": 10, "color": BLUE, "opacity": 0.6},
            hovertemplate="%{text}<br>probability %{x:.2f}, effect %{y:.2g}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_scatter(
        x=[float(found.belief[row])],
        y=[float(found.effect[row])],
        mode="markers+text",
        text=[names[row]],
        textposition="middle left",
        marker={"size": 17, "color": VERMILLION, "symbol": "circle-open", "line": {"width": 3}},
        hoverinfo="skip",
        showlegend=False,
    )
    styled(figure, "probability of a message (belief)", "predictions move by (effect)", size, 400)
    return figure.update_layout(hovermode="closest")


def contest_figure(rollouts: Sequence[Rollout], names: Sequence[str], size: float = 1.0) -> go.Figure:
    """Error of each model by frame, on a logarithmic axis; the free run is shaded."""
    curves = []
    for rollout, name, ink, dash in zip(
        rollouts, names, (BLUE, VERMILLION, GREEN, PURPLE), ("solid", "dash", "dot", "dashdot"), strict=False
    ):
        found = error_curves(rollout)
        curves.append((name, np.arange(1, len(found.model) + 1), found.model, ink, dash))
    figure = lines(curves, "frame", "squared error", size, 300)
    figure.add_vrect(
        x0=int(rollouts[0].last_true_input) + 1.5, x1=rollouts[0].slots.shape[1] - 1, fillcolor=VERMILLION, opacity=0.1,
        line_width=0, layer="below", annotation_text="on its own", annotation_position="bottom right",
        annotation_xanchor="right",
    )  # fmt: skip
    return figure.update_layout(
        xaxis_range=[0, rollouts[0].slots.shape[1]],
        yaxis={"type": "log", "rangemode": "normal", "dtick": 1, "exponentformat": "power"},
    )

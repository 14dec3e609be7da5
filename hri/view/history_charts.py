"""One edge or node over time, as small Plotly figures."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go

from hri.core.records import Rollout
from hri.rollout.predicted import predicted_nodes
from hri.view.facts import type_name
from hri.view.style import STYLE, colour, stroke


def edge_history(rollout: Rollout, row: int) -> go.Figure:
    """Probability of each type of one edge over the frames it helped to predict; free run shaded."""
    chances = rollout.edge_probabilities[0, :, row]
    frames = np.arange(1, len(chances))
    figure = go.Figure(
        [
            go.Scatter(
                x=frames,
                y=chances[:-1, kind],
                mode="lines",
                name=type_name(kind, chances.shape[1]),
                line={"color": colour(kind), "width": 2 if kind else 1.2, "dash": stroke(kind).pattern},
                hovertemplate="frame %{x}: %{y:.2f}",
            )
            for kind in range(chances.shape[1])
        ]
    )
    _shade_free_run(figure, rollout)
    return _small(figure, "probability", [-0.04, 1.04])


def node_history(rollout: Rollout, node: int) -> go.Figure:
    """How far the prediction of one node is from its truth over time (root mean square over its features)."""
    gap = np.sqrt(((predicted_nodes(rollout)[:, node] - rollout.slots[0, 1:, node]) ** 2).mean(-1))
    frames = np.arange(1, len(gap) + 1)
    figure = go.Figure(
        go.Scatter(
            x=frames,
            y=gap,
            mode="lines",
            line={"color": STYLE.colours[2], "width": 2},
            hovertemplate="frame %{x}: %{y:.3g}<extra></extra>",
        )
    )
    _shade_free_run(figure, rollout)
    return _small(figure, "RMS error", None)


def node_states(rollout: Rollout, node: int) -> go.Figure:
    """The numbers of one node over time: true (or encoded) as lines, predicted as dashes; free run shaded.

    Balls and joints: places and velocities along each axis, normalised to -1 ... 1, or in the data's own units, where a
    rollout knows them: places on the left axis, velocities on the right one. Slots: their D numbers, which have no
    names.
    """
    true, prediction = rollout.in_units(rollout.slots[0, :, node]), rollout.in_units(predicted_nodes(rollout)[:, node])
    names, units = rollout.number_names, rollout.units
    places = len(names) // 2 if units is not None else len(names)
    figure = go.Figure()
    for k, name in enumerate(names):
        ink = STYLE.colours[1 + k % (len(STYLE.colours) - 1)]
        for values, first, dash in ((true, 0, "solid"), (prediction, 1, "dot")):
            figure.add_scatter(
                x=np.arange(first, first + len(values)),
                y=values[:, k],
                mode="lines",
                name=name if dash == "solid" else f"{name} predicted",
                line={"color": ink, "width": 1.6, "dash": dash},
                hovertemplate="%{y:.3f}" if units is None else f"%{{y:.4g}} {escape(str(units[k]))}",
                yaxis="y" if k < places else "y2",
            )
    _shade_free_run(figure, rollout)
    # The numbers of a state fit a legend and a hover box; the sixteen of a slot would cover what they explain.
    few = len(names) <= 6
    figure = _small(figure, "state" if units is None else escape(str(units[0])), None)
    if units is not None:
        right = {"title": {"text": escape(str(units[-1]))}, "overlaying": "y", "side": "right", "showgrid": False}
        figure.update_layout(
            yaxis2=right | {"fixedrange": True, "nticks": 4},
            yaxis_rangemode="normal",
            margin={"r": 56, "t": 46},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        )
    return figure.update_layout(height=210, showlegend=few, hovermode="x" if few else "closest")


def _shade_free_run(figure: go.Figure, rollout: Rollout) -> None:
    first_free = rollout.last_true_input + 1.5
    if first_free < rollout.slots.shape[1] - 1:
        figure.add_vrect(
            x0=first_free,
            x1=rollout.slots.shape[1] - 1,
            fillcolor=STYLE.colours[2],
            opacity=0.1,
            line_width=0,
            layer="below",
        )


def _small(figure: go.Figure, label: str, span: list[float] | None) -> go.Figure:
    figure.update_layout(
        height=104,
        margin={"l": 62, "r": 6, "t": 4, "b": 20},
        font={"size": 10},
        showlegend=False,
        hovermode="x unified",
        xaxis={"showgrid": False, "fixedrange": True},
        yaxis={
            "title": {"text": label, "standoff": 8},
            "range": span,
            "nticks": 4,
            "rangemode": "tozero",
            "fixedrange": True,
        },
    )
    return figure

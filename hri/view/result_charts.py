"""Results as Plotly figures: error over the horizon, and what a training step costs as the tree grows.

NumPy in, Plotly out; no torch, no streamlit. A model keeps its colour, dash and marker in every figure, so that none of
them alone carries the meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from hri.experiments.scaling import SERIES, Growth
from hri.experiments.scoreboard import Entry
from hri.view.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, rgba

LOOKS: dict[str, tuple[str, str, str]] = {
    "lstm": (GREEN, "solid", "circle"),
    "lstm-lo": (GREEN, "dot", "circle-open"),
    "nri": (VERMILLION, "solid", "square"),
    "nri-residual": (ORANGE, "solid", "diamond"),
    "nri-gt": (VERMILLION, "dash", "square-open"),
    "nri-lo": (VERMILLION, "dot", "square-open"),
    "fcmp": (PURPLE, "solid", "x"),
    "hri": (BLUE, "solid", "triangle-up"),
    "hri-h": (SKY, "solid", "triangle-down"),
    "hri-gt": (BLUE, "dash", "triangle-up-open"),
    "hri-h-one": (SKY, "dot", "triangle-down-open"),
    "hri-h-published": (SKY, "dashdot", "triangle-down-open"),
}
"""Colour (Okabe and Ito), dash and marker of each model: a family shares its colour, springs told are dashed."""
_OTHER = (PURPLE, "dashdot", "star")
FIRST_SHOWN = ("lstm", "nri", "nri-residual", "nri-gt", "hri", "hri-h", "hri-gt")
"""Drawn at once; the others wait in the legend."""
_BAND = 0.16


def error_over_horizon(entries: Sequence[Entry], curve: str, log: bool = True) -> go.Figure:
    """Mean squared error k steps after the last true input, with a band of one standard deviation over seeds.

    Args:
        entries: models of one setting; those without the curve are left out.
        curve: name of the error by step; ``copy_baseline.<curve>`` is that of copying the last true input.
        log: logarithmic axis, on which a factor is the same height everywhere.
    """
    figure = go.Figure()
    with_curve = [entry for entry in entries if curve in entry.curves]
    first = {entry.model for entry in with_curve} & set(FIRST_SHOWN) or {entry.model for entry in with_curve}
    for entry in with_curve:
        line = entry.curves[curve]
        _add_line(figure, entry, np.array(line.mean), None if line.std is None else np.array(line.std), log)
        if entry.model not in first:
            figure.update_traces({"visible": "legendonly"}, {"legendgroup": entry.model})
    copy_curve = next(
        (e.curves[copy] for e in entries for copy in [f"copy_baseline.{curve}"] if copy in e.curves), None
    )
    if copy_curve is not None:
        figure.add_scatter(
            x=np.arange(1, len(copy_curve.mean) + 1),
            y=np.array(copy_curve.mean),
            name="copying the last state",
            mode="lines",
            line={"color": GREY, "width": 2, "dash": "4px,4px"},
            hovertemplate="%{y:.3g}",
            meta="copy",
        )
    figure.update_layout(
        height=440,
        margin={"l": 64, "r": 8, "t": 8, "b": 40},
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
        xaxis={"title": {"text": "steps after the last true input"}, "dtick": 5, "tick0": 0, "zeroline": False},
        yaxis=_axis("mean squared error", log),
    )
    return figure


def _add_line(
    figure: go.Figure,
    entry: Entry,
    mean: Float[np.ndarray, " K"],
    std: Float[np.ndarray, " K"] | None,
    log: bool,
) -> None:
    """One model: its band, and its line over it; both go by one entry of the legend."""
    colour, dash, symbol = LOOKS.get(entry.model, _OTHER)
    steps = np.arange(1, len(mean) + 1)
    if std is not None:
        # On a logarithmic axis a band that reaches zero would have no lower end.
        low = np.maximum(mean - std, mean / 20 if log else 0)
        figure.add_scatter(
            x=np.concatenate([steps, steps[::-1]]),
            y=np.concatenate([mean + std, low[::-1]]),
            fill="toself",
            fillcolor=rgba(colour, _BAND),
            line={"width": 0},
            mode="lines",
            legendgroup=entry.model,
            showlegend=False,
            hoverinfo="skip",
            meta=f"band_{entry.model}",
        )
    figure.add_scatter(
        x=steps,
        y=mean,
        customdata=np.zeros_like(mean) if std is None else std,
        name=entry.label,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": symbol, "size": 7},
        legendgroup=entry.model,
        hovertemplate="%{y:.3g}, " + ("one run" if std is None else f"± %{{customdata:.2g}}, {entry.n} runs"),
        meta=entry.model,
    )


# Scaling -------------------------------------------------------------------------------------------------

Cost = Literal["time", "memory"]
COSTS: dict[Cost, tuple[str, str]] = {
    "time": ("1024³ products per sequence", "%{y:.3g} products"),
    "memory": ("MB per sequence", "%{y:,.0f} MB"),
}
SCALING_LOOKS: dict[str, tuple[str, str, str]] = {
    "flat": (VERMILLION, "solid", "square"),
    "wider": (BLUE, "solid", "triangle-up"),
    "deeper": (SKY, "dash", "triangle-down"),
}


def scaling(growths: Sequence[Growth], cost: Cost) -> go.Figure:
    """What one training step costs by the number of nodes, both axes logarithmic: powers of N are straight.

    The fitted power stands at the end of each line, where it can be read off without the legend.
    """
    title, hover = COSTS[cost]
    figure = go.Figure()
    for growth in growths:
        colour, dash, symbol = SCALING_LOOKS.get(growth.series, _OTHER)
        label = SERIES.get(growth.series, growth.series)
        values = np.array(growth.matmuls if cost == "time" else growth.memory_mb)
        figure.add_scatter(
            x=np.array(growth.nodes),
            y=values,
            customdata=list(growth.trees),
            name=label,
            mode="lines+markers+text",
            text=[""] * (len(values) - 1) + [f" N<sup>{growth.slopes[cost]:.1f}</sup>"],
            textposition="middle right",
            textfont={"size": 14},
            cliponaxis=False,
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 9},
            hovertemplate=f"tree %{{customdata}}, %{{x}} nodes: {hover}<extra>{label}</extra>",
            meta=growth.series,
        )
    every = np.concatenate([np.array(growth.nodes) for growth in growths])
    reach = [float(np.log10(every.min())) - 0.08, float(np.log10(every.max())) + 0.3]
    ticks = [tick for tick in (5, 10, 20, 50, 100, 200, 500) if every.min() * 0.8 <= tick <= every.max() * 1.5]
    figure.update_layout(
        height=380,
        margin={"l": 60, "r": 8, "t": 8, "b": 40},
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
        xaxis={"type": "log", "range": reach, "tickvals": ticks, "title": {"text": "nodes N"}},
        yaxis=_axis(title, True),
    )
    return figure


def _axis(title: str, log: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": title, "standoff": 6}, "tickformat": ",~g"}
    return axis | ({"type": "log", "dtick": 1} if log else {"rangemode": "tozero"})

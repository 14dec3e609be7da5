"""What the figures of lessons share: few marks, large letters, one thing to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from hri.view.style import GREEN, ORANGE, PURPLE, SKY

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
    return with_style(figure, across, up, size, height)


def with_style(figure: go.Figure, across: str, up: str, size: float, height: int) -> go.Figure:
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
    return with_style(figure, "", up, size, 300).update_layout(hovermode=False)

"""Many scenes in the order of their errors, as a Plotly figure. NumPy and Plotly only."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from hri.view.style import STYLE


def ranking_curve(
    seeds: Int[np.ndarray, " S"], errors: Float[np.ndarray, " S"], unit: str, current: int | None = None
) -> go.Figure:
    """A marker a seed, the easiest left; the current one, if it is among them, wears a ring.

    Args:
        seeds: from the easiest to the hardest.
        errors: mean squared errors, ascending.
        unit: what the errors are squared in.
        current: the seed that is shown.
    """
    rank = np.arange(1, len(seeds) + 1)
    words = [[int(seed), f"{error:.2g}"] for seed, error in zip(seeds, errors, strict=True)]
    figure = go.Figure(
        go.Scatter(
            x=rank.tolist(),
            y=errors.tolist(),
            mode="markers",
            marker={"color": STYLE.colours[1], "size": 6},
            selected={"marker": {"color": STYLE.colours[2], "opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            customdata=words,
            hovertemplate="seed %{customdata[0]}<br>error %{customdata[1]}, rank %{x}<extra></extra>",
            showlegend=False,
        )
    )
    here = np.flatnonzero(seeds == (-1 if current is None else current))
    if len(here):
        figure.add_scatter(
            x=rank[here].tolist(),
            y=errors[here].tolist(),
            mode="markers+text",
            text=["shown"],
            textposition="top left",
            marker={"symbol": "circle-open", "size": 14, "line": {"width": 2.5}, "color": STYLE.colours[2]},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.update_layout(
        height=260,
        margin={"l": 56, "r": 10, "t": 8, "b": 40},
        xaxis={"title": {"text": "rank (1: easiest)", "standoff": 4}, "showgrid": False, "fixedrange": True},
        yaxis={"title": {"text": f"error, {unit}"}, "type": "log", "exponentformat": "power", "fixedrange": True},
        dragmode=False,
    )
    return figure

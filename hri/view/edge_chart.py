"""One edge over time, large enough to read: what the model believed, when it changed its mind, and the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from hri.core.records import Rollout
from hri.view import beliefs
from hri.view.facts import forced_types, true_springs
from hri.view.style import GREY, STYLE, stroke

_TRUTH, _EDIT = 1.1, 1.2
"""Where above the probabilities the spring's and the edits' bars lie."""


def edge_timeline(rollout: Rollout, row: int, names: Sequence[str]) -> go.Figure:
    """Probability of each type over the frames it helped to predict; burn-in and free run are named and shaded.

    A bar above tells at which frames a true spring joins the two, a second one where edits hold the edge, and a
    dotted line marks each frame from which on another type was the most probable.

    Args:
        rollout: of one scene.
        row: of its edges.
        names: of its edge types.
    """
    chances, figure = rollout.edge_probabilities[0, :-1, row], go.Figure()
    frames = np.arange(1, len(chances) + 1)
    for kind, name in enumerate(names):
        look = stroke(kind)
        line = {"color": look.colour, "width": 2.2 if kind else 1.4, "dash": look.pattern}
        figure.add_scatter(
            x=frames.tolist(), y=chances[:, kind].tolist(), mode="lines", name=name, line=line,
            hovertemplate="%{y:.2f}",
        )  # fmt: skip
    springs, edit_types = true_springs(rollout), forced_types(rollout)
    sender, receiver = rollout.edge_sender_receiver[row]
    bars = (
        [] if springs is None else [(rollout.force.truths[1], STYLE.spring, _TRUTH, springs[1:, sender, receiver] > 0)]
    )
    if edit_types is not None and (edit_types[1:, row] >= 0).any():
        bars += [("your edit", STYLE.cuts, _EDIT, edit_types[1:, row] >= 0)]
    for name, ink, height, there in bars:
        figure.add_scatter(
            x=frames.tolist(), y=np.where(there, height, np.nan).tolist(), mode="lines+markers", name=name,
            line={"color": ink, "width": 4}, marker={"size": 4, "symbol": "square", "color": ink},
            hovertemplate="yes",
        )  # fmt: skip
    for frame in beliefs.flips(rollout, row):
        figure.add_vline(x=frame - 0.5, line={"dash": "dot", "width": 1, "color": GREY})
    last, turn = int(frames[-1]), rollout.last_true_input + 1.5
    spans = [("burn-in", 0.5, min(turn, last + 0.5), 0.0), ("free run", turn, last + 0.5, 0.1)]
    for name, first, end, opacity in spans:
        if first < end:
            figure.add_vrect(
                x0=first, x1=end, fillcolor=STYLE.colours[2], opacity=opacity, line_width=0, layer="below",
                annotation={"text": name, "font": {"size": 10}}, annotation_position="top left",
            )  # fmt: skip
    figure.update_layout(
        height=230,
        margin={"l": 50, "r": 6, "t": 6, "b": 44},
        font={"size": 11},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={
            "title": {"text": "frame", "standoff": 8}, "range": [0.5, last + 0.5],
            "showgrid": False, "fixedrange": True,
        },
        yaxis={
            "title": {"text": "probability"}, "range": [-0.04, 1.42], "tickvals": [0, 0.5, 1], "fixedrange": True,
        },
    )  # fmt: skip
    return figure

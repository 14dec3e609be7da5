"""Pictures that hold or fade: light left and balls kept over the free run of one scene, model by model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hri.core.records import Rollout
from hri.scores.pictures import balls_kept, light_left
from hri.view.player_compare import LETTERS
from hri.view.style import BLUE, GREEN, GREY, PURPLE, VERMILLION

_LINES = ((BLUE, "solid"), (VERMILLION, "dash"), (GREEN, "dot"), (PURPLE, "dashdot"))
"""Of A to D, as the timeline draws them (``.curve0`` to ``.curve3`` of player.css)."""
LABELS = {"light": "light left", "balls": "balls kept"}


def picture_chart(rollouts: Sequence[Rollout], area: float | None) -> go.Figure | None:
    """Predicted over true light, and the share of balls that the prediction shows, step by step after the last truth.

    Args:
        rollouts: of one scene, with pictures; the models stand for A, B, ... in this order.
        area: of one whole ball, in pixels; None where pictures show something else, whose light alone is told.

    Returns:
        None where a rollout holds no pictures or has no free run.
    """
    last = rollouts[0].last_true_input  # prediction k is of frame k + 1: this one is step 1, as in all scores
    if any(r.frames is None or r.predicted_frames is None or last >= r.slots.shape[1] - 2 for r in rollouts):
        return None
    kinds = ("light",) if area is None else ("light", "balls")
    titles = [LABELS[kind] for kind in kinds]
    figure = make_subplots(1, len(kinds), subplot_titles=titles, horizontal_spacing=0.06, shared_yaxes=True)
    for letter, rollout, (ink, dash) in zip(LETTERS, rollouts, _LINES, strict=False):
        prediction = rollout.predicted_frames[0, last:].astype(np.float32)  # type: ignore[index]
        truth = rollout.frames[0, last + 1 :].astype(np.float32) / 255  # type: ignore[index]
        for column, kind in enumerate(kinds, start=1):
            shares = light_left(prediction, truth) if area is None or kind == "light" else balls_kept(
                np.clip(prediction, 0, 1), truth, area
            )  # fmt: skip
            figure.add_scatter(
                x=np.arange(1, len(shares) + 1),
                y=shares,
                name=f"{letter} {rollout.checkpoint}",
                legendgroup=letter,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": ink, "dash": dash, "width": 2},
                marker={"size": 5},
                hovertemplate="%{y:.0%}",
                meta=f"{kind}-{letter}",
                row=1,
                col=column,
            )
    figure.add_hline(y=1, line={"color": GREY, "width": 1, "dash": "4px,4px"})
    figure.update_xaxes(title_text="steps ahead", dtick=2, tick0=0, zeroline=False)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(
        height=300,
        margin={"l": 48, "r": 8, "t": 28, "b": 84},
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": -0.34, "yanchor": "top"},
    )
    return figure

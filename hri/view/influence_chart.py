"""How far the predictions move without each edge, as a Plotly map. NumPy and Plotly only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from hri.core.hierarchy import Tree, edge_name
from hri.view.facts import in_plotly, scientific

if TYPE_CHECKING:
    from hri.rollout.influence import Influence

DECADES = 4.0
"""Powers of ten that the colours span, down from the greatest influence."""


def influence_map(influence: Influence, tree: Tree, unit: str) -> go.Figure:
    """Senders as rows, receivers as columns; the brighter, the further predictions move without the edge.

    Pairs without an edge stay blank; edges that never spoke have influence 0 and the darkest colour.

    Args:
        influence: of one scene.
        tree: of the model's nodes.
        unit: what the differences are squared in, for whoever points at a square.
    """
    size = tree.size
    score, words = np.full((size, size), np.nan), np.full((size, size), "", dtype=object)
    top = max(float(influence.score.max(initial=0.0)), 1e-30)
    for row, (sender, receiver) in enumerate(influence.edge_sender_receiver.tolist()):
        value = float(influence.score[row])
        score[sender, receiver] = np.clip(np.log10(value / top), -DECADES, 0) if value > 0 else -DECADES
        words[sender, receiver] = (
            f"{in_plotly(edge_name(tree, sender, receiver))}<br>"
            + (f"{value:.2g}, rank {rank(influence, row)}" if influence.spoke[row] else "carried no message: 0")
            + f"<br>mean squared difference, {unit}"
        )
    names = [str(node) for node in range(size)]
    figure = go.Figure(
        go.Heatmap(
            z=score,
            x=names,
            y=names,
            customdata=words,
            hovertemplate="%{customdata}<extra></extra>",
            colorscale="Cividis",
            zmin=-DECADES,
            zmax=0,
            xgap=1,
            ygap=1,
            colorbar={
                "title": {"text": "influence", "side": "right"},
                "tickvals": [-DECADES, -DECADES / 2, 0],
                "ticktext": [f"≤ {scientific(top / 10**DECADES)}", *map(scientific, (top / 10 ** (DECADES / 2), top))],
                "thickness": 12,
            },
        )
    )
    axis = {"type": "category", "showgrid": False, "zeroline": False, "fixedrange": True, "tickfont": {"size": 10}}
    figure.update_layout(
        height=380,
        margin={"l": 50, "r": 10, "t": 10, "b": 44},
        xaxis=axis | {"title": {"text": "receiver", "standoff": 4}, "constrain": "domain"},
        yaxis=axis | {"title": {"text": "sender", "standoff": 4}, "autorange": "reversed", "scaleanchor": "x"},
    )
    return figure


def shares(influence: Influence) -> Float[np.ndarray, " E"]:
    """1 for the greatest influence, 0 at :data:`DECADES` powers of ten below it; edges that move nothing have 0."""
    score = influence.score
    top = float(score.max(initial=0.0))
    if top <= 0:
        return np.zeros(len(score))
    return np.where(score > 0, np.clip(1 + np.log10(np.maximum(score / top, 1e-300)) / DECADES, 0, 1), 0.0)


def rank(influence: Influence, row: int) -> int:
    """1 for the edge without which predictions move furthest."""
    return 1 + int((influence.score > influence.score[row]).sum())


def spread(influence: Influence) -> str:
    """Over how few edges the influence of a scene is spread, in words; empty where nothing moves."""
    score = np.sort(influence.score)[::-1]
    if not score.sum() > 0:
        return ""
    half = int(np.searchsorted(np.cumsum(score), score.sum() / 2)) + 1
    return f"{half} of the {int((score > 0).sum())} edges that spoke have half of all influence."


def strongest(influence: Influence, tree: Tree, count: int = 3) -> str:
    """The most influential edges in words, the first first; empty where none moves anything."""
    rows = [row for row in np.argsort(-influence.score, kind="stable")[:count] if influence.score[row] > 0]
    return "; ".join(
        f"{edge_name(tree, i, j)} {scientific(float(influence.score[row]))}"
        for row, (i, j) in ((row, influence.edge_sender_receiver[row].tolist()) for row in rows)
    )

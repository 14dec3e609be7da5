"""Edges of a body against their mirror images, as a Plotly figure. NumPy and Plotly only."""

from __future__ import annotations

import plotly.graph_objects as go

from hri.core.hierarchy import edge_name
from hri.scores.body_relations import BodyRelations
from hri.view.facts import in_plotly
from hri.view.style import BLUE, GREEN, GREY, PURPLE, VERMILLION

LOOKS = {
    "up": ("to parents", BLUE, "circle"),
    "down": ("to children", VERMILLION, "square"),
    "siblings": ("among siblings", GREEN, "diamond"),
    "other": ("other pairs", PURPLE, "cross"),
}
"""Words, colour and symbol of each family of edges."""


def mirror_chart(relations: BodyRelations, height: int = 280, letters: int = 12) -> go.Figure:
    """How often each edge speaks, against its mirror image: on the diagonal both sides speak equally often."""
    tree, shares, rows = relations.tree, relations.shares, relations.mirrored
    top = max(float(shares[rows].max(initial=0.0)) * 1.08, 0.05)
    figure = go.Figure(
        go.Scatter(
            x=[0, top], y=[0, top], mode="lines", line={"color": GREY, "dash": "dot", "width": 1}, hoverinfo="skip",
            showlegend=False,
        )
    )  # fmt: skip
    families, _ = tree.families(*relations.pairs[rows[:, 0]].T)
    names = [in_plotly(edge_name(tree, *pair)) for pair in relations.pairs.tolist()]
    for family, (words, ink, symbol) in LOOKS.items():
        own = rows[families == family]
        if len(own):
            # The edge with more of the left in it goes along x.
            sides = [sorted(pair, key=lambda row: -names[row].lower().count("left")) for pair in own.tolist()]
            figure.add_scatter(
                x=[float(shares[a]) for a, _ in sides],
                y=[float(shares[b]) for _, b in sides],
                mode="markers",
                name=words,
                marker={"color": ink, "symbol": symbol, "size": 9, "opacity": 0.75},
                text=[f"{names[a]}: {shares[a]:.0%}<br>{names[b]}: {shares[b]:.0%}" for a, b in sides],
                hovertemplate="%{text}<extra></extra>",
            )
    axis = {"range": [-0.03 * top, top], "tickformat": ".0%", "fixedrange": True, "nticks": 5}
    return figure.update_layout(
        height=height,
        font={"size": letters},
        margin={"l": 60, "r": 10, "t": 30, "b": 44},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
        xaxis=axis | {"title": {"text": f"left edges {relations.verb}"}},
        yaxis=axis | {"title": {"text": f"right edges {relations.verb}"}},
    )

"""A rollout as Plotly figures on networkx layouts.

NumPy, networkx and Plotly only. The interaction graph is drawn twice from the same numbers: here, for notebooks,
exports and pages that stand still, and in ``graph.js``, which repaints the very same figure while a rollout
plays. What there is to draw both find in :class:`hri.view.scene.Marks`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int

from hri.core.forces import force
from hri.core.hierarchy import Tree, edge_name
from hri.core.records import Rollout
from hri.view.facts import in_plotly, spring_pairs, true_frames
from hri.view.layout import HEIGHT, HIT_SHARES, Drawing, Layout, arrange, extent, graph_layout
from hri.view.scene import EDITED, Key, Marks, keys, node_marks, type_names
from hri.view.style import BLACK, CLEAR, STYLE, dash_pattern, rgba, under

_MARKS = {"cuts": ("x", 9), "forces": ("star", 11)}
"""Symbol and size of the marks of edits."""
_BLACK_PIXEL = "data:image/gif;base64,R0lGODlhAQABAPAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="


# The interaction graph ---------------------------------------------------------------------------------


def interaction_graph(
    tree: Tree,
    pairs: Int[np.ndarray, "R 2"],
    edge_types: int,
    layout: Layout = "radial",
    springs: bool = True,
    names: Sequence[str] | None = None,
    physics: str = "",
) -> go.Figure:
    """The graph with every possible edge in place and none painted: :func:`paint_graph` or the player do that.

    It depends on the model's structure only, never on a scene, so a page draws it once and zoom and
    legend survive every change of scene. Each edge is one path shape named ``edge_i_j``, each pair that
    may hold a spring one named ``spring_i_j``; traces are found by their ``meta``.

    Args:
        tree: the nodes.
        pairs: (sender, receiver) of the edges to show, in row order.
        edge_types: K.
        layout: ``radial``, or ``image``: nodes over the current frame.
        springs: keep places for true springs.
        names: of the edge types, where they are not the learned ones.
        physics: of the balls (:data:`hri.core.forces.FORCES`), for the words of the truth; by default springs.
    """
    on_image = layout == "image"
    drawing = arrange(tree, pairs, graph_layout(tree, layout), layout, springs)
    paths = _paths(tree, pairs, drawing)
    line = {"color": CLEAR, "width": STYLE.spring_width}
    axis = {"visible": False, "range": list(extent(layout)), "constrain": "domain"}
    words = list(names or type_names(edge_types)) if len(pairs) else []
    truth = force(physics).truths[1] if len(drawing.springs) else ""
    figure = go.Figure(
        [*_edge_traces(tree, pairs, drawing), *_legend(keys(words, truth)), _nodes(tree, layout, drawing)]
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 4, "r": 4, "t": 4, "b": 30},
        uirevision="keep",
        hovermode="closest",
        hoverdistance=12,
        dragmode="pan",
        shapes=[
            {"type": "path", "name": name, "path": path, "layer": "between", "line": line}
            for name, path in paths.items()
        ],
        paper_bgcolor=CLEAR,
        plot_bgcolor=BLACK if on_image else CLEAR,  # the frame over it is dimmed, so that edges show
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.015, "yanchor": "top"},
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
    )
    figure.update_layout(legend_itemdoubleclick=False)
    if on_image:
        place = {"xref": "x", "yref": "y", "x": 0, "y": 1, "sizex": 1, "sizey": 1, "sizing": "stretch"}
        figure.add_layout_image(place, source=_BLACK_PIXEL, layer="below", opacity=under(tree))
    return figure


def paint_graph(
    figure: go.Figure,
    rollout: Rollout,
    rows: Int[np.ndarray, " R"],
    frame: int,
    layout: Layout = "radial",
    threshold: float = 0.0,
    visible: Bool[np.ndarray, " R"] | None = None,
) -> go.Figure:
    """A copy of an :func:`interaction_graph` that shows one frame of a rollout.

    Args:
        figure: drawn for the same tree and the edges ``rows``.
        rows: rows of the rollout's edges.
        frame: 0 ... T - 1.
        layout: the layout ``figure`` was drawn with.
        threshold: hide edges whose probability of interacting is lower.
        visible: False hides an edge whatever its probability.
    """
    copy = go.Figure(figure)
    shapes = {shape.name: shape for shape in copy.layout.shapes}
    traces = {trace.meta: trace for trace in copy.data}
    types = range(rollout.edge_probabilities.shape[-1] if len(rows) else 0)
    marks = Marks(rollout, rows, layout, tuple(traces[f"type_{kind}"].name for kind in types))
    if layout == "image":
        _show_frame(copy, rollout, frame)
    if marks.moving:
        _move(copy, rollout.tree, marks.pairs, marks.drawing(frame))
    heads, hover = [], []
    edits: dict[str, list[str]] = {name: [] for name in EDITED}
    for index, edge in enumerate(marks.edges(frame, threshold, visible)):
        line = shapes["edge_{}_{}".format(*edge.pair)].line
        line.color, line.width = rgba(edge.stroke.colour, edge.opacity), round(edge.width, 2)
        line.dash = edge.stroke.pattern
        heads.append(rgba(edge.stroke.colour, edge.opacity if edge.stroke.head else 0.0))
        truth = edge.truth and f"<br>{edge.truth}"
        hover += [[index, in_plotly(edge.name), edge.type, edge.probability, truth]] * len(HIT_SHARES)
        for name, inks in edits.items():
            there = edge.edit == name and (visible is None or visible[index])
            inks.append(rgba(getattr(STYLE, name), 1.0) if there else CLEAR)
    for name, inks in edits.items():
        traces[name].marker.color = inks
    traces["heads"].marker.color, traces["hits"].customdata = heads, hover
    if marks.lit is not None:
        for (i, j), lit in zip(marks.capsules.tolist(), marks.lit[frame].tolist(), strict=True):
            if (shape := shapes.get(f"spring_{i}_{j}")) is not None:
                shape.line.color = rgba(STYLE.spring, float(lit))
    return copy


def _move(figure: go.Figure, tree: Tree, pairs: Int[np.ndarray, "R 2"], drawing: Drawing) -> None:
    """Put every mark where ``drawing`` has it."""
    traces = {trace.meta: trace for trace in figure.data}
    places = {"heads": drawing.heads, "hits": drawing.hits.reshape(-1, 2), "nodes": drawing.nodes}
    for meta, at in (places | dict.fromkeys(EDITED, drawing.middles)).items():
        traces[meta].x, traces[meta].y = at[:, 0].tolist(), at[:, 1].tolist()
    traces["heads"].marker.angle = drawing.angles.tolist()
    paths = _paths(tree, pairs, drawing)
    for shape in figure.layout.shapes:
        shape.path = paths[shape.name]


def _paths(tree: Tree, pairs: Int[np.ndarray, "R 2"], drawing: Drawing) -> dict[str, str]:
    """Plotly's paths by name, springs before edges."""

    def points(curves: Float[np.ndarray, "R P 2"]) -> list[list[str]]:
        return [[f"{x:.4f},{y:.4f}" for x, y in curve] for curve in curves.tolist()]

    capsules = spring_pairs(tree, pairs) if len(drawing.springs) else pairs[:0]
    paths = {
        f"spring_{i}_{j}": f"M {a} Q {there} {b} Q {back} {a} Z"
        for (i, j), (a, there, b, back) in zip(capsules.tolist(), points(drawing.springs), strict=True)
    }
    return paths | {
        f"edge_{i}_{j}": f"M {a} Q {c} {b}"
        for (i, j), (a, c, b) in zip(pairs.tolist(), points(drawing.edges), strict=True)
    }


def _show_frame(figure: go.Figure, rollout: Rollout, frame: int) -> None:
    """Put the true frame under the graph."""
    import imageio.v3 as iio

    if (frames := true_frames(rollout)) is not None:
        # Eightfold enlargement keeps pixels square-edged where a viewer would smooth them.
        pixels = frames[frame].repeat(8, 0).repeat(8, 1)
        png = iio.imwrite("<bytes>", pixels if pixels.shape[-1] == 3 else pixels[..., 0], extension=".png")
        figure.layout.images[0].source = "data:image/png;base64," + base64.b64encode(png).decode()


# Traces (lists, not arrays: Plotly would send those as bytes that the player cannot write to) -----------


def _edge_traces(tree: Tree, pairs: Int[np.ndarray, "R 2"], drawing: Drawing) -> list[go.Scatter]:
    """Arrowheads, marks of edits, and the invisible points by which the mouse finds an edge."""
    heads = go.Scatter(
        meta="heads",
        x=drawing.heads[:, 0].round(4).tolist(),
        y=drawing.heads[:, 1].round(4).tolist(),
        mode="markers",
        marker={
            "symbol": "arrow",
            "size": STYLE.arrow,
            "angle": drawing.angles.round(2).tolist(),
            "color": [CLEAR] * len(pairs),
            "line": {"width": 0},
        },
        hoverinfo="skip",
        showlegend=False,
    )
    names = [in_plotly(edge_name(tree, i, j)) for i, j in pairs.tolist()]
    hits = go.Scatter(
        meta="hits",
        x=drawing.hits[..., 0].round(4).ravel().tolist(),
        y=drawing.hits[..., 1].round(4).ravel().tolist(),
        mode="none",
        customdata=[[row, name, "", 0.0, ""] for row, name in enumerate(names) for _ in HIT_SHARES],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}, p = %{customdata[3]:.2f}%{customdata[4]}<extra></extra>",
        showlegend=False,
    )
    middles = drawing.middles.round(4)
    edits = [
        go.Scatter(
            meta=name,
            x=middles[:, 0].tolist(),
            y=middles[:, 1].tolist(),
            mode="markers",
            marker={"symbol": symbol, "size": size, "color": [CLEAR] * len(pairs), "line": {"width": 0}},
            hoverinfo="skip",
            showlegend=False,
        )
        for name, (symbol, size) in _MARKS.items()
    ]
    return [heads, *edits, hits]


def _legend(entries: Sequence[Key]) -> list[go.Scatter]:
    """One entry a type and one for springs; the player reads which are switched off."""
    return [
        go.Scatter(
            meta=key.name, x=[None], y=[None], mode="lines", name=key.words,
            line={"color": key.colour, "width": key.width, "dash": dash_pattern(key.dash)},
        )
        for key in entries
    ]  # fmt: skip


_PLACES = {
    "in": "middle center",
    "above": "top center",
    "below": "bottom center",
    "left": "middle left",
    "right": "middle right",
}
"""Of labels, in Plotly's words."""


def _nodes(tree: Tree, layout: Layout, drawing: Drawing) -> go.Scatter:
    """All nodes. The last trace, to win clicks."""
    marks, at = node_marks(tree, layout), drawing.nodes
    around = any(mark.open for mark in marks)
    rim: dict[str, Any] = {"width": marks[0].rim_width}
    return go.Scatter(
        meta="nodes",
        x=at[:, 0].round(4).tolist(),
        y=at[:, 1].round(4).tolist(),
        # Labels would have to travel with moving balls, and hide them.
        mode="markers" if around else "markers+text",
        text=[escape(mark.label) for mark in marks],
        textposition=[_PLACES[mark.where] for mark in marks],
        textfont={"size": 9 if layout == "image" else 10}
        | ({"color": [mark.ink for mark in marks]} if marks[0].where == "in" else {}),
        marker={
            "symbol": [mark.shape + ("-open" if mark.open else "") for mark in marks],
            "size": [mark.size for mark in marks],
            "color": [mark.fill for mark in marks],
            "line": rim if around else rim | {"color": marks[0].rim},
            "opacity": 1,
        },
        customdata=[[-1, in_plotly(mark.name), node] for node, mark in enumerate(marks)],
        hovertemplate="%{customdata[1]}<extra></extra>",
        showlegend=False,
    )

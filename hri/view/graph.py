"""A rollout as Plotly figures on networkx layouts.

NumPy, networkx and Plotly only. The interaction graph is drawn twice from the same numbers: here, for notebooks,
exports and pages that stand still, and in ``app/player/graph.js``, which repaints the very same figure while a rollout
plays. :data:`hri.view.style.STYLE` is the one place where both find colours, widths and bows.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Int

from hri.core.forces import force
from hri.core.hierarchy import SLOT_TREE, Tree, edge_name, node_name, ranks
from hri.core.records import Rollout
from hri.view.facts import edge_step, forced_types, node_positions, true_springs, type_name
from hri.view.layout import HEIGHT, HIT_SHARES, IMAGE_SHRINK, SIZES, Drawing, Layout, arrange, graph_layout
from hri.view.style import STYLE, colour, edge_look, node_colours

_SHAPES = ("diamond", "square", "circle")
"""Of root, intermediate and leaf."""
_CLEAR = "rgba(0,0,0,0)"
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
    line = {"color": _CLEAR, "width": 1.5}
    axis = {"visible": False, "range": [-0.02, 1.02] if on_image else [-1.14, 1.14], "constrain": "domain"}
    figure = go.Figure(
        [
            *_edge_traces(tree, pairs, drawing),
            *_legend(pairs, edge_types, drawing, names, physics),
            _nodes(tree, layout),
        ]
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
            for name, path in drawing.paths.items()
        ],
        paper_bgcolor=_CLEAR,
        plot_bgcolor="#000000" if on_image else _CLEAR,  # the frame over it is dimmed, so that edges show
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.015, "yanchor": "top"},
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
    )
    figure.update_layout(legend_itemdoubleclick=False)
    if on_image:
        place = {"xref": "x", "yref": "y", "x": 0, "y": 1, "sizex": 1, "sizey": 1, "sizing": "stretch"}
        figure.add_layout_image(place, source=_BLACK_PIXEL, layer="below", opacity=0.75)
    return figure


def paint_graph(
    figure: go.Figure,
    rollout: Rollout,
    rows: Int[np.ndarray, " R"],
    frame: int,
    layout: Layout = "radial",
    threshold: float = 0.0,
    shown: Bool[np.ndarray, " R"] | None = None,
) -> go.Figure:
    """A copy of an :func:`interaction_graph` that shows one frame of a rollout.

    Args:
        figure: drawn for the same tree and the edges ``rows``.
        rows: rows of the rollout's edges.
        frame: 0 ... T - 1.
        layout: the layout ``figure`` was drawn with.
        threshold: hide edges whose probability of interacting is lower.
        shown: False hides an edge whatever its probability.
    """
    painted, tree, step = go.Figure(figure), rollout.tree, edge_step(rollout, frame)
    pairs, springs = rollout.edge_sender_receiver[rows], true_springs(rollout)
    kinds, chances = rollout.edge_types[0, step, rows], rollout.edge_probabilities[0, step, rows]
    shapes = {shape.name: shape for shape in painted.layout.shapes}
    traces = {trace.meta: trace for trace in painted.data}
    if layout == "image":
        _show_frame(painted, rollout, frame)
        if rollout.observation == "states":
            _move(painted, arrange(tree, pairs, node_positions(rollout)[frame] * [1, -1] + [0, 1], layout, True))
    heads, hover, forced = [], [], forced_types(rollout)
    marks: dict[str, list[str]] = {"cuts": [], "forces": []}
    for row, (i, j) in enumerate(pairs.tolist()):
        kind, chance = int(kinds[row]), float(chances[row, kinds[row]])
        width, alpha = edge_look(kind, chance, 1 - float(chances[row, 0]), threshold, len(pairs))
        alpha = alpha if shown is None or shown[row] else 0.0
        line = shapes[f"edge_{i}_{j}"].line
        line.color, line.width, line.dash = _rgba(colour(kind), alpha), round(width, 2), "solid" if kind else "dot"
        heads.append(_rgba(colour(kind), alpha if kind else 0.0))
        known = "" if springs is None else f"<br>{rollout.force.truths[int(springs[frame, i, j])]}"
        told = [row, edge_name(tree, i, j), traces[f"type_{kind}"].name, chance, known]
        hover += [told] * len(HIT_SHARES)
        held = -1 if forced is None else int(forced[frame, rows[row]])
        for meta, shows in (("cuts", held == 0), ("forces", held > 0)):
            marks[meta].append(_rgba(getattr(STYLE, meta), 1.0) if shows and (shown is None or shown[row]) else _CLEAR)
    for meta, colours in marks.items():
        traces[meta].marker.color = colours
    traces["heads"].marker.color, traces["hits"].customdata = heads, hover
    for name, shape in shapes.items():
        if name.startswith("spring_") and springs is not None:
            i, j = map(int, name.split("_")[1:])
            shape.line.color = _rgba(STYLE.spring, float(springs[frame, i, j]))
    return painted


def _move(figure: go.Figure, drawing: Drawing) -> None:
    """Put every mark where ``drawing`` has it."""
    traces = {trace.meta: trace for trace in figure.data}
    middles = drawing.hits[:, HIT_SHARES.index(0.5)]
    places = {"heads": drawing.heads, "hits": drawing.hits.reshape(-1, 2), "nodes": drawing.nodes}
    for meta, at in (places | {"cuts": middles, "forces": middles}).items():
        traces[meta].x, traces[meta].y = at[:, 0].tolist(), at[:, 1].tolist()
    traces["heads"].marker.angle = drawing.angles.tolist()
    for shape in figure.layout.shapes:
        shape.path = drawing.paths[shape.name]


def _show_frame(figure: go.Figure, rollout: Rollout, frame: int) -> None:
    """Put the true frame under the graph."""
    import imageio.v3 as iio

    if rollout.frames is not None:
        # Eightfold enlargement keeps pixels square-edged where a viewer would smooth them.
        pixels = rollout.frames[0, frame].repeat(8, 0).repeat(8, 1)
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
            "color": [_CLEAR] * len(pairs),
            "line": {"width": 0},
        },
        hoverinfo="skip",
        showlegend=False,
    )
    names = [edge_name(tree, i, j) for i, j in pairs.tolist()]
    hits = go.Scatter(
        meta="hits",
        x=drawing.hits[..., 0].round(4).ravel().tolist(),
        y=drawing.hits[..., 1].round(4).ravel().tolist(),
        mode="none",
        customdata=[[row, name, "", 0.0, ""] for row, name in enumerate(names) for _ in HIT_SHARES],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}, p = %{customdata[3]:.2f}%{customdata[4]}<extra></extra>",
        showlegend=False,
    )
    middles = drawing.hits[:, HIT_SHARES.index(0.5)].round(4)
    marks = [
        go.Scatter(
            meta=meta,
            x=middles[:, 0].tolist(),
            y=middles[:, 1].tolist(),
            mode="markers",
            marker={"symbol": symbol, "size": size, "color": [_CLEAR] * len(pairs), "line": {"width": 0}},
            hoverinfo="skip",
            showlegend=False,
        )
        for meta, symbol, size in (("cuts", "x", 9), ("forces", "star", 11))
    ]
    return [heads, *marks, hits]


def _legend(
    pairs: Int[np.ndarray, "R 2"], edge_types: int, drawing: Drawing, names: Sequence[str] | None, physics: str
) -> list[go.Scatter]:
    """One entry a type and one for springs; the player reads which are switched off."""
    names = names or [type_name(kind, edge_types) for kind in range(edge_types)]
    entries = [
        (f"type_{kind}", names[kind], colour(kind), 3.0 if kind else 1.5, "solid" if kind else "dot")
        for kind in range(edge_types if len(pairs) else 0)
    ]
    if any(name.startswith("spring") for name in drawing.paths):
        entries.append(("springs", force(physics).truths[1], STYLE.spring, 1.5, "solid"))
    return [
        go.Scatter(
            meta=meta, x=[None], y=[None], mode="lines", name=name, line={"color": ink, "width": width, "dash": dash}
        )
        for meta, name, ink, width, dash in entries
    ]


def _nodes(tree: Tree, layout: Layout) -> go.Scatter:
    """Nodes by level: shape, size and grey; balls wear their colour in the frame. The last trace, to win clicks."""
    at, levels, on_image, balls = graph_layout(tree, layout), ranks(tree), layout == "image", tree != SLOT_TREE
    fills, inks = node_colours(tree)
    moving = on_image and balls
    return go.Scatter(
        meta="nodes",
        x=at[:, 0].round(4).tolist(),
        y=at[:, 1].round(4).tolist(),
        # Labels would have to travel with moving balls, and hide them.
        mode="markers" if moving else "markers+text",
        text=[str(node) for node in range(tree.size)],
        textfont={"size": 9 if on_image else 10, "color": inks},
        marker={
            "symbol": [_SHAPES[level] + ("-open" if moving else "") for level in levels],
            "size": [int(SIZES[level] * (IMAGE_SHRINK if on_image else 1)) for level in levels],
            "color": ["#d0d7de" if moving and level < 2 else fill for fill, level in zip(fills, levels, strict=True)],
            "line": {"width": 1.5} if moving else {"width": 1, "color": "#d0d7de"},
            "opacity": 1,
        },
        customdata=[[-1, node_name(tree, node), node] for node in range(tree.size)],
        hovertemplate="%{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def _rgba(hexadecimal: str, alpha: float) -> str:
    red, green, blue = (int(hexadecimal[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:.3f})"

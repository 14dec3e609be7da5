"""A rollout as Plotly figures on networkx layouts.

NumPy, networkx and Plotly only. The interaction graph is drawn twice from the same numbers: here, for
notebooks, exports and pages that stand still, and in ``app/player/graph.js``, which repaints the very
same figure while a rollout plays. :data:`STYLE` is the one place where both find colours, widths and bows.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from hri.hierarchy import SLOT_TREE, Tree
from hri.pictures import (
    edge_step,
    node_name,
    node_positions,
    predicted_nodes,
    ranks,
    spring_pairs,
    true_springs,
    type_name,
)
from hri.records import Rollout
from hri.render import LUMINANCE, PALETTE

Layout = Literal["radial", "image"]


@dataclass(frozen=True)
class Style:
    """How edges look; widths in pixels, opacities in 0 ... 1, bows as a share of the edge's length."""

    colours: tuple[str, ...] = ("#8b949e", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
    """Grey for "no interaction", then the Okabe-Ito palette, which colour-blind readers tell apart."""
    spring: str = "#d4a017"
    """True springs: a thin capsule around both directions of a pair."""
    thin: float = 0.8
    thick: float = 3.6
    """Widths of an interaction at probability 0 and 1."""
    faint: float = 0.06
    """Opacity of an interaction at probability 0."""
    none_width: float = 1.0
    none_alpha: float = 0.4
    none_alpha_many: float = 0.1
    """Opacity of "no interaction" where hundreds of edges would make a mesh of it."""
    bow_radial: float = 0.085
    bow_image: float = 0.075
    capsule: float = 0.045
    """How much further than its edges a spring's capsule bends."""
    arrow: int = 9


STYLE = Style()
HIT_SHARES = (0.25, 0.4, 0.5, 0.6, 0.75)
"""Where along an edge the mouse finds it."""

_SIZES = (27, 22, 18)
_SHAPES = ("diamond", "square", "circle")
_GREYS = ("#57606a", "#7d8590", "#a8b1bb")
"""Size in pixels, shape and fill of root, intermediate and leaf."""
_IMAGE_SHRINK = 0.8
_HEIGHT = 432
_CLEAR = "rgba(0,0,0,0)"
_BLACK_PIXEL = "data:image/gif;base64,R0lGODlhAQABAPAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="


# The interaction graph ---------------------------------------------------------------------------------


def interaction_graph(
    tree: Tree, pairs: Int[np.ndarray, "R 2"], edge_types: int, layout: Layout = "radial", springs: bool = True
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
    """
    on_image = layout == "image"
    drawing = arrange(tree, pairs, graph_layout(tree, layout), layout, springs)
    line = {"color": _CLEAR, "width": 1.5}
    axis = {"visible": False, "range": [-0.02, 1.02] if on_image else [-1.14, 1.14], "constrain": "domain"}
    figure = go.Figure(
        [*_edge_traces(tree, pairs, drawing), *_legend(pairs, edge_types, drawing), _nodes(tree, layout)]
    )
    figure.update_layout(
        height=_HEIGHT,
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
) -> go.Figure:
    """A copy of an :func:`interaction_graph` that shows one frame of a rollout.

    Args:
        figure: drawn for the same tree and the edges ``rows``.
        rows: rows of the rollout's edges.
        frame: 0 ... T - 1.
        layout: the layout ``figure`` was drawn with.
        threshold: hide edges whose probability of interacting is lower.
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
    heads, hover = [], []
    for row, (i, j) in enumerate(pairs.tolist()):
        kind, chance = int(kinds[row]), float(chances[row, kinds[row]])
        width, alpha = edge_look(kind, chance, 1 - float(chances[row, 0]), threshold, len(pairs))
        line = shapes[f"edge_{i}_{j}"].line
        line.color, line.width, line.dash = _rgba(colour(kind), alpha), round(width, 2), "solid" if kind else "dot"
        heads.append(_rgba(colour(kind), alpha if kind else 0.0))
        known = "" if springs is None else "<br>true spring" if springs[frame, i, j] else "<br>no spring"
        told = [row, _edge_name(tree, i, j), type_name(kind, chances.shape[1]), chance, known]
        hover += [told] * len(HIT_SHARES)
    traces["heads"].marker.color, traces["hits"].customdata = heads, hover
    for name, shape in shapes.items():
        if name.startswith("spring_") and springs is not None:
            i, j = map(int, name.split("_")[1:])
            shape.line.color = _rgba(STYLE.spring, float(springs[frame, i, j]))
    return painted


def edge_look(kind: int, probability: float, interacts: float, threshold: float, edges: int) -> tuple[float, float]:
    """Width in pixels and opacity of one of ``edges`` edges: the more probable, the wider and the more solid."""
    if interacts < threshold:
        return STYLE.thin, 0.0
    if kind == 0:
        return STYLE.none_width, none_alpha(edges) * probability
    width = STYLE.thin + (STYLE.thick - STYLE.thin) * probability
    return width, STYLE.faint + (1 - STYLE.faint) * probability**1.5


def none_alpha(edges: int) -> float:
    """Opacity of "no interaction" among so many edges."""
    return STYLE.none_alpha if edges <= 120 else STYLE.none_alpha_many


def colour(kind: int) -> str:
    """Colour of an edge type; types beyond the palette repeat it without the grey."""
    count = len(STYLE.colours)
    return STYLE.colours[kind if kind < count else 1 + (kind - 1) % (count - 1)]


# Where things lie --------------------------------------------------------------------------------------


def graph_layout(tree: Tree, layout: Layout) -> Float[np.ndarray, "N 2"]:
    """Where nodes stand while nothing moves: x to the right, y up.

    ``radial`` puts the leaves on networkx' circular layout and every other node at the mean angle of its
    leaves, root in the middle, radius 1. ``image`` is the unit square of the frame: cell centres for image
    slots; for balls, which the player moves, the radial picture until a frame is painted.
    """
    if layout == "image" and tree == SLOT_TREE:
        centres = _centres(tree)
        return np.stack([centres[:, 0], 1 - centres[:, 1]], 1)
    graph = nx.DiGraph((parent, child) for child, parent in enumerate(tree.parents) if child)
    graph.add_node(0)
    around = _angles_in_image(tree) if tree == SLOT_TREE else np.arange(tree.size)
    order = nx.dfs_preorder_nodes(graph, 0, sort_neighbors=lambda nodes: sorted(nodes, key=lambda node: around[node]))
    leaves = [node for node in order if graph.out_degree(node) == 0]
    circle = {leaf: complex(*at) for leaf, at in nx.circular_layout(leaves, scale=1.0).items()}
    directions = np.ones(tree.size, dtype=complex)
    for node in range(1, tree.size):
        directions[node] = np.mean([circle[leaf] for leaf in {node, *nx.descendants(graph, node)} & set(leaves)])
    # The first branch goes to the top left: where slot 1 is in the image, and where reading starts.
    first = min(tree.children(0), key=lambda node: around[node], default=0)
    directions *= np.exp(1j * (0.75 * np.pi - np.angle(directions[first])))
    at = tree.depth / max(1, int(tree.depth.max())) * directions / np.abs(directions)
    radial = np.stack([at.real, at.imag], 1)
    return radial if layout == "radial" else 0.5 + 0.42 * radial


def _centres(tree: Tree) -> Float[np.ndarray, "N 2"]:
    return (tree.cells[:, :2] + tree.cells[:, 2:]) / 2


def _angles_in_image(tree: Tree) -> Float[np.ndarray, " N"]:
    """Angle of each slot around the middle of the frame, anticlockwise from straight up."""
    out = _centres(tree) - 0.5
    return np.mod(np.arctan2(-out[:, 1], out[:, 0]) - 0.5 * np.pi, 2 * np.pi)


def radii(tree: Tree, layout: Layout) -> Float[np.ndarray, " N"]:
    """Radius of each node in layout units, with a little air, by its drawn size at the usual height."""
    span, shrink = (1.04, _IMAGE_SHRINK) if layout == "image" else (2.28, 1.0)
    return (shrink * np.array(_SIZES)[ranks(tree)] / 2 + 3) * span / _HEIGHT


def bow(
    start: Float[np.ndarray, "R 2"], end: Float[np.ndarray, "R 2"], cut: Float[np.ndarray, "R 2"], bend: float
) -> tuple[Float[np.ndarray, "R 2"], Float[np.ndarray, "R 2"], Float[np.ndarray, "R 2"]]:
    """Quadratic curves (from, control, to) bent to the right, so that i to j never hides j to i.

    Args:
        start: centres of the senders.
        end: centres of the receivers.
        cut: length to leave free at both ends (the nodes' radii).
        bend: greatest distance of the curve from its chord, as a share of the chord's length.
    """
    chord = end - start
    length = np.maximum(np.hypot(*chord.T)[:, None], 1e-9)
    along = chord / length
    cut = np.minimum(cut, 0.4 * length)
    control = (start + end) / 2 + bend * 2 * np.stack([chord[:, 1], -chord[:, 0]], 1)
    return start + along * cut[:, :1], control, end - along * cut[:, 1:]


@dataclass(frozen=True)
class Drawing:
    """Where every mark of the graph lies for one arrangement of its nodes, in layout units."""

    nodes: Float[np.ndarray, "N 2"]
    heads: Float[np.ndarray, "R 2"]
    angles: Float[np.ndarray, " R"]
    """Of the arrowheads, in degrees clockwise from up."""
    hits: Float[np.ndarray, "R P 2"]
    paths: dict[str, str]
    """SVG paths by name, springs before edges."""


def arrange(
    tree: Tree, pairs: Int[np.ndarray, "R 2"], at: Float[np.ndarray, "N 2"], layout: Layout, springs: bool
) -> Drawing:
    """Edges, arrowheads, hit points and spring capsules between nodes that stand ``at``."""
    radius, bend = radii(tree, layout), bend_of(layout)
    start, control, end = bow(at[pairs[:, 0]], at[pairs[:, 1]], radius[pairs], bend)
    tangent, share = end - control, np.array(HIT_SHARES)[None, :, None]
    capsules = spring_pairs(tree, pairs) if springs else pairs[:0]
    first, right, last = bow(at[capsules[:, 0]], at[capsules[:, 1]], radius[capsules], bend + STYLE.capsule)
    left = first + last - right  # the same bow seen from the other end
    paths = {
        f"spring_{i}_{j}": f"M {a} Q {r} {b} Q {w} {a} Z"
        for (i, j), a, r, b, w in zip(capsules, *map(_points, (first, right, last, left)), strict=True)
    }
    paths |= {
        f"edge_{i}_{j}": f"M {a} Q {c} {b}"
        for (i, j), a, c, b in zip(pairs, *map(_points, (start, control, end)), strict=True)
    }
    return Drawing(
        nodes=at,
        heads=end,
        angles=np.degrees(np.arctan2(tangent[:, 0], tangent[:, 1])),
        hits=(1 - share) ** 2 * start[:, None] + 2 * share * (1 - share) * control[:, None] + share**2 * end[:, None],
        paths=paths,
    )


def bend_of(layout: Layout) -> float:
    """How far edges bow in a layout."""
    return STYLE.bow_image if layout == "image" else STYLE.bow_radial


def _points(points: Float[np.ndarray, "R 2"]) -> list[str]:
    return [f"{x:.4f},{y:.4f}" for x, y in points]


def _move(figure: go.Figure, drawing: Drawing) -> None:
    """Put every mark where ``drawing`` has it."""
    traces = {trace.meta: trace for trace in figure.data}
    for meta, at in (("heads", drawing.heads), ("hits", drawing.hits.reshape(-1, 2)), ("nodes", drawing.nodes)):
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
    """Arrowheads, and the invisible points by which the mouse finds an edge."""
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
    names = [_edge_name(tree, i, j) for i, j in pairs.tolist()]
    hits = go.Scatter(
        meta="hits",
        x=drawing.hits[..., 0].round(4).ravel().tolist(),
        y=drawing.hits[..., 1].round(4).ravel().tolist(),
        mode="none",
        customdata=[[row, name, "", 0.0, ""] for row, name in enumerate(names) for _ in HIT_SHARES],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}, p = %{customdata[3]:.2f}%{customdata[4]}<extra></extra>",
        showlegend=False,
    )
    return [heads, hits]


def _edge_name(tree: Tree, sender: int, receiver: int) -> str:
    return f"{node_name(tree, sender)} → {node_name(tree, receiver)}"


def _legend(pairs: Int[np.ndarray, "R 2"], edge_types: int, drawing: Drawing) -> list[go.Scatter]:
    """One entry a type and one for springs; the player reads which are switched off."""
    entries = [
        (f"type_{kind}", type_name(kind, edge_types), colour(kind), 3.0 if kind else 1.5, "solid" if kind else "dot")
        for kind in range(edge_types if len(pairs) else 0)
    ]
    if any(name.startswith("spring") for name in drawing.paths):
        entries.append(("springs", "true spring", STYLE.spring, 1.5, "solid"))
    return [
        go.Scatter(
            meta=meta, x=[None], y=[None], mode="lines", name=name, line={"color": ink, "width": width, "dash": dash}
        )
        for meta, name, ink, width, dash in entries
    ]


def _nodes(tree: Tree, layout: Layout) -> go.Scatter:
    """Nodes by level: shape, size and grey; balls wear their colour in the frame. The last trace, to win clicks."""
    at, levels, on_image, balls = graph_layout(tree, layout), ranks(tree), layout == "image", tree != SLOT_TREE
    rgb = PALETTE[np.arange(tree.size) % len(PALETTE)]
    coloured = balls & (levels == 2)
    fills = [
        f"rgb({r},{g},{b})" if own else _GREYS[level]
        for (r, g, b), own, level in zip(rgb, coloured, levels, strict=True)
    ]
    bright = np.where(coloured, rgb @ LUMINANCE > 110, levels == 2)
    moving = on_image and balls
    return go.Scatter(
        meta="nodes",
        x=at[:, 0].round(4).tolist(),
        y=at[:, 1].round(4).tolist(),
        # Labels would have to travel with moving balls, and hide them.
        mode="markers" if moving else "markers+text",
        text=[str(node) for node in range(tree.size)],
        textfont={"size": 9 if on_image else 10, "color": ["#1b1f24" if light else "#ffffff" for light in bright]},
        marker={
            "symbol": [_SHAPES[level] + ("-open" if moving else "") for level in levels],
            "size": [int(_SIZES[level] * (_IMAGE_SHRINK if on_image else 1)) for level in levels],
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


# Over time -----------------------------------------------------------------------------------------------


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
                line={"color": colour(kind), "width": 2 if kind else 1.2, "dash": "solid" if kind else "dot"},
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
        margin={"l": 56, "r": 6, "t": 4, "b": 20},
        font={"size": 10},
        showlegend=False,
        hovermode="x unified",
        xaxis={"showgrid": False, "fixedrange": True},
        yaxis={
            "title": {"text": label, "standoff": 4},
            "range": span,
            "nticks": 4,
            "rangemode": "tozero",
            "fixedrange": True,
        },
    )
    return figure

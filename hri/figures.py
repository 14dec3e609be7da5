"""A rollout as pictures: Plotly figures on networkx layouts, and the arrays a browser's player needs.

NumPy, networkx and Plotly only. Every function takes a rollout of one scene (:meth:`Rollout.scene`)
and draws its first. The same numbers are drawn twice: here, for notebooks, exports and pages that
stand still, and in ``app/player/graph.js``, which repaints the very same figure while a rollout
plays. :data:`STYLE` is the one place where both find colours, widths and bows.

A picture of frame t shows the prediction *for* frame t and the edges that made it, which were
inferred one step earlier; frame 0 has no prediction and shows the first edges.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int, UInt8

from hri.hierarchy import SLOT_TREE, Tree
from hri.records import Rollout
from hri.render import PALETTE, to_pixels

Layout = Literal["radial", "image"]

EDGE_COLOURS = ("#8b949e", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
"""Grey for type 0, "no interaction", then the Okabe-Ito palette, which colour-blind readers tell apart."""

SPRING_COLOUR = "#d4a017"
"""True springs: a thin capsule around both directions of a pair."""

STYLE = {
    "colours": list(EDGE_COLOURS),
    "spring": SPRING_COLOUR,
    "thin": 0.8,
    "thick": 3.6,
    "faint": 0.06,
    "none_width": 1.0,
    "none_alpha": 0.4,
    "none_alpha_many": 0.1,
    "bow": {"radial": 0.085, "image": 0.075},
    "capsule": 0.045,
    "arrow": 9,
}
"""Widths in pixels, opacities in 0 ... 1, bows as a share of the edge's length."""

_NODE_SIZES = (27, 22, 18)
_NODE_SHAPES = ("diamond", "square", "circle")
_NODE_FILLS = ("#57606a", "#7d8590", "#a8b1bb")
_HEIGHT = 432
_HIT_POINTS = (0.25, 0.4, 0.5, 0.6, 0.75)


# What is joined, where it stands, how wrong it is ------------------------------------------------------


def edge_rows(rollout: Rollout, pairs: Literal["all", "hierarchy"]) -> Int[np.ndarray, " R"]:
    """Rows of the rollout's edges to show: all, or those the hierarchy allows (all where it allows none)."""
    senders, receivers = rollout.edge_sender_receiver.reshape(-1, 2).T
    allowed = np.flatnonzero(rollout.tree.possible[senders, receivers])
    return allowed if pairs == "hierarchy" and len(allowed) else np.arange(len(senders))


def edge_step(rollout: Rollout, frame: int) -> int:
    """The step whose edges made the prediction shown at ``frame``."""
    return int(np.clip(frame - 1, 0, rollout.edge_types.shape[1] - 1))


def node_name(tree: Tree, node: int) -> str:
    """Such as "leaf 7": the level in a word, and the node's number."""
    depth, deepest = int(tree.depth[node]), int(tree.depth.max())
    level = "root" if depth == 0 else "leaf" if depth == deepest else "intermediate"
    return f"{level} {node}"


def slot_of(points: Float[np.ndarray, "*shape 2"]) -> Int[np.ndarray, "*shape"]:
    """The leaf slot whose cell holds each point (column, row as shares of the frame)."""
    cells = SLOT_TREE.cells[SLOT_TREE.leaves]
    grid = np.empty((4, 4), dtype=np.int64)
    grid[(cells[:, 0] * 4).astype(int), (cells[:, 1] * 4).astype(int)] = SLOT_TREE.leaves
    column, row = np.moveaxis(np.clip(np.nan_to_num(points) * 4, 0, 3).astype(int), -1, 0)
    return grid[column, row]


def node_positions(rollout: Rollout, source: Literal["truth", "prediction"] = "truth") -> Float[np.ndarray, "T N 2"]:
    """Column and row of every node over time, as shares of the frame from its top left corner.

    Image slots stand at the centres of their cells. Balls stand where they are: normalised positions
    differ from box units by the training set's extremes, which touch the walls, so by less than a
    hundredth of a pixel. The prediction of frame 0 is its truth.
    """
    times = rollout.slots.shape[1]
    if rollout.observation == "frames":
        cells = rollout.tree.cells
        centres = (cells[:, :2] + cells[:, 2:]) / 2
        return np.broadcast_to(centres, (times, *centres.shape))
    states = rollout.slots[0]
    if source == "prediction":
        states = np.concatenate([rollout.slots[0, :1], predicted_nodes(rollout)])
    return np.clip(to_pixels(states[..., :2], 1), -1, 2)


def predicted_nodes(rollout: Rollout) -> Float[np.ndarray, "F N D"]:
    """Predictions of every node, NaN where a model predicts the leaves alone."""
    predicted = rollout.predicted_slots[0]
    if predicted.shape[1] == rollout.tree.size:
        return predicted
    full = np.full((len(predicted), rollout.tree.size, predicted.shape[2]), np.nan, dtype=predicted.dtype)
    full[:, rollout.tree.leaves] = predicted
    return full


def true_springs(rollout: Rollout) -> UInt8[np.ndarray, "T N N"] | None:
    """1 where a true spring joins two nodes at each frame; None where springs are unknown.

    Balls that are nodes keep their springs. For image slots a spring joins the leaf slots that its two
    balls are in at that frame (hidden balls included); two balls in one slot join nothing.
    """
    if rollout.true_adjacency is None:
        return None
    adjacency, times, nodes = rollout.true_adjacency[0], rollout.slots.shape[1], rollout.tree.size
    if rollout.observation == "states":
        return np.broadcast_to(adjacency, (times, nodes, nodes))
    if rollout.true_states is None:
        return None
    slots = slot_of(to_pixels(rollout.true_states[0, :, :, :2], 1))
    first, second = np.nonzero(adjacency)
    joined = np.zeros((times, nodes, nodes), dtype=np.uint8)
    joined[np.arange(times)[:, None], slots[:, first], slots[:, second]] = 1
    joined[:, np.arange(nodes), np.arange(nodes)] = 0
    return joined


@dataclass(frozen=True)
class ErrorCurves:
    """How wrong each predicted frame is: mean squared errors of the F = T - 1 predicted frames 1 ... T - 1."""

    model: Float[np.ndarray, " F"]
    copy: Float[np.ndarray, " F"]
    """What repeating the last true frame would score: the line to stay below."""
    unit: str


def error_curves(rollout: Rollout) -> ErrorCurves:
    """Squared error per frame, over pixels and channels in 0 ... 1, or over nodes and normalised features for states."""
    times = rollout.slots.shape[1]
    if rollout.observation == "frames" and rollout.frames is not None and rollout.predicted_frames is not None:
        truth, predicted, unit = rollout.frames[0] / 255.0, rollout.predicted_frames[0], "pixels in 0 … 1"
    else:
        predicted, unit = rollout.predicted_slots[0], "normalised states"
        truth = (
            rollout.slots[0] if predicted.shape[1] == rollout.tree.size else rollout.slots[0][:, rollout.tree.leaves]
        )
    frame = np.arange(1, times)
    last_seen = np.minimum(frame - 1, rollout.last_true_input)
    axes = tuple(range(1, truth.ndim))
    return ErrorCurves(
        model=((predicted - truth[1:]) ** 2).mean(axes),
        copy=((truth[last_seen] - truth[1:]) ** 2).mean(axes),
        unit=unit,
    )


# The interaction graph ---------------------------------------------------------------------------------


def graph_layout(tree: Tree, layout: Layout) -> Float[np.ndarray, "N 2"]:
    """Where nodes stand while nothing moves: x to the right, y up.

    ``radial`` is networkx' circular layout level by level, the root in the middle, every parent at the
    mean angle of its leaves, radius 1. ``image`` is the unit square of the frame: cell centres for image
    slots; for balls, which the player moves, the radial picture until a frame is painted.
    """
    if layout == "image" and tree == SLOT_TREE:
        cells = tree.cells
        return np.stack([(cells[:, 0] + cells[:, 2]) / 2, 1 - (cells[:, 1] + cells[:, 3]) / 2], 1)
    graph = nx.DiGraph((parent, child) for child, parent in enumerate(tree.parents) if child)
    graph.add_node(0)
    ordered = _around(tree)
    leaves = [
        node
        for node in nx.dfs_preorder_nodes(graph, 0, sort_neighbors=lambda n: sorted(n, key=ordered.get))
        if graph.out_degree(node) == 0
    ]
    circle = nx.circular_layout(leaves)
    # The first branch goes to the top left: where slot 1 is in the image, and where reading starts.
    turn = 0.75 * np.pi
    angle = {leaf: np.arctan2(*circle[leaf][::-1]) for leaf in leaves} if len(leaves) > 1 else {leaves[0]: 0.0}
    first_branch = leaves[: max(1, len(leaves) // max(1, graph.out_degree(0)))]
    offset = turn - np.angle(np.mean([np.exp(1j * angle[leaf]) for leaf in first_branch]))
    positions, deepest = np.zeros((tree.size, 2)), max(1, int(tree.depth.max()))
    for node in range(1, tree.size):
        below = [leaf for leaf in leaves if leaf == node or leaf in nx.descendants(graph, node)]
        direction = np.angle(np.mean([np.exp(1j * (angle[leaf] + offset)) for leaf in below]))
        positions[node] = tree.depth[node] / deepest * np.array([np.cos(direction), np.sin(direction)])
    return positions if layout == "radial" else 0.5 + 0.42 * positions


def _around(tree: Tree) -> dict[int, float]:
    """A sort key of siblings that goes once around: image quadrants anticlockwise, other nodes by number."""
    if tree != SLOT_TREE:
        return {node: float(node) for node in range(tree.size)}
    cells = tree.cells
    centres = (cells[:, :2] + cells[:, 2:]) / 2
    # Seen from the middle of the frame, which starts anticlockwise at the left edge's upper half.
    out = centres - 0.5
    return {
        node: float(np.mod(np.arctan2(-out[node, 1], out[node, 0]) - 0.5 * np.pi, 2 * np.pi))
        for node in range(tree.size)
    }


def bow(
    start: Float[np.ndarray, "R 2"], end: Float[np.ndarray, "R 2"], cut: Float[np.ndarray, "R 2"], bend: float
) -> tuple[Float[np.ndarray, "R 2"], Float[np.ndarray, "R 2"], Float[np.ndarray, "R 2"]]:
    """Quadratic curves (from, control, to) bent to the right, so that i to j never hides j to i.

    Args:
        start: centres of the senders.
        end: centres of the receivers.
        cut: length to leave free at both ends (the nodes' radii).
        bend: distance of the control point from the chord, as a share of its length.
    """
    chord = end - start
    length = np.maximum(np.hypot(*chord.T)[:, None], 1e-9)
    along = chord / length
    cut = np.minimum(cut, 0.4 * length)
    control = (start + end) / 2 + bend * 2 * np.stack([chord[:, 1], -chord[:, 0]], 1)
    return start + along * cut[:, :1], control, end - along * cut[:, 1:]


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
    at = graph_layout(tree, layout)
    radius = _radii(tree, layout)
    start, control, end = bow(at[pairs[:, 0]], at[pairs[:, 1]], radius[pairs], STYLE["bow"][layout])
    capsules = spring_pairs(tree, pairs) if springs else np.empty((0, 2), dtype=np.int64)
    shapes = [
        {
            "type": "path",
            "name": f"spring_{i}_{j}",
            "path": path,
            "layer": "between",
            "line": {"color": "rgba(0,0,0,0)", "width": 1.5},
        }
        for (i, j), path in zip(capsules, _capsule_paths(at, radius, capsules, layout), strict=True)
    ]
    shapes += [
        {"type": "path", "name": f"edge_{i}_{j}", "path": f"M {a[0]:.4f},{a[1]:.4f} Q {c[0]:.4f},{c[1]:.4f} {b[0]:.4f},{b[1]:.4f}", "layer": "between", "line": {"color": "rgba(0,0,0,0)", "width": 1}}
        for (i, j), a, c, b in zip(pairs, start, control, end, strict=True)
    ]  # fmt: skip
    figure = go.Figure(_graph_traces(tree, pairs, edge_types, layout, (start, control, end), bool(len(capsules))))
    reach = [-0.02, 1.02] if on_image else [-1.14, 1.14]
    axis = {"visible": False, "range": reach, "constrain": "domain", "fixedrange": False}
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 4, "r": 4, "t": 4, "b": 30},
        uirevision="keep",
        hovermode="closest",
        hoverdistance=12,
        dragmode="pan",
        shapes=shapes,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="#000000" if on_image else "rgba(0,0,0,0)",  # the frame over it is dimmed, so that edges show
        legend={
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": -0.015,
            "yanchor": "top",
            "itemdoubleclick": False,
        },
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
    )
    if on_image:
        figure.add_layout_image(
            source=_BLACK_PIXEL,
            xref="x",
            yref="y",
            x=0,
            y=1,
            sizex=1,
            sizey=1,
            sizing="stretch",
            layer="below",
            name="frame",
            opacity=0.75,
        )
    return figure


_BLACK_PIXEL = "data:image/gif;base64,R0lGODlhAQABAPAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="


def spring_pairs(tree: Tree, pairs: Int[np.ndarray, "R 2"]) -> Int[np.ndarray, "C 2"]:
    """Shown pairs, each once (i < j), between which a true spring can lie."""
    undirected = np.unique(np.sort(pairs.reshape(-1, 2), axis=1), axis=0)
    if tree == SLOT_TREE:
        return undirected[np.isin(undirected, tree.leaves).all(1)]
    return undirected[tree.possible[undirected[:, 0], undirected[:, 1]] > 0]


def _capsule_paths(at: np.ndarray, radius: np.ndarray, capsules: np.ndarray, layout: Layout) -> list[str]:
    """A closed lens around both directed edges of each pair."""
    bend = STYLE["bow"][layout] + STYLE["capsule"]
    a, right, b = bow(at[capsules[:, 0]], at[capsules[:, 1]], radius[capsules], bend)
    left = a + b - right
    return [
        f"M {p[0]:.4f},{p[1]:.4f} Q {r[0]:.4f},{r[1]:.4f} {q[0]:.4f},{q[1]:.4f} Q {w[0]:.4f},{w[1]:.4f} {p[0]:.4f},{p[1]:.4f} Z"
        for p, r, q, w in zip(a, right, b, left, strict=True)
    ]


def _radii(tree: Tree, layout: Layout) -> Float[np.ndarray, " N"]:
    """Radius of each node in layout units, by its drawn size at the usual height."""
    span = 1.04 if layout == "image" else 2.28
    shrink = 0.8 if layout == "image" else 1.0
    return np.array([(shrink * _NODE_SIZES[rank] / 2 + 3) * span / _HEIGHT for rank in _ranks(tree)])


def _ranks(tree: Tree) -> Int[np.ndarray, " N"]:
    """0 root, 1 intermediate, 2 leaf, for trees of any depth."""
    return np.where(tree.depth == 0, 0, np.where(np.isin(np.arange(tree.size), tree.leaves), 2, 1))


def _graph_traces(tree, pairs, edge_types, layout, curves, springs) -> list[go.Scatter]:
    """Arrowheads, invisible hit points, legend entries and nodes; later traces win clicks."""
    start, control, end = curves
    tangent = end - control
    heads = go.Scatter(
        meta="heads",
        x=end[:, 0].round(4).tolist(),
        y=end[:, 1].round(4).tolist(),
        mode="markers",
        marker={
            "symbol": "arrow",
            "size": STYLE["arrow"],
            "angle": np.degrees(np.arctan2(tangent[:, 0], tangent[:, 1])).round(2).tolist(),
            "color": ["rgba(0,0,0,0)"] * len(pairs),
            "line": {"width": 0},
        },
        hoverinfo="skip",
        showlegend=False,
    )
    share = np.array(_HIT_POINTS)[None, :, None]
    hits = (1 - share) ** 2 * start[:, None] + 2 * share * (1 - share) * control[:, None] + share**2 * end[:, None]
    names = [f"{node_name(tree, i)} → {node_name(tree, j)}" for i, j in pairs.tolist()]
    hit = go.Scatter(
        meta="hits",
        x=hits[..., 0].round(4).ravel().tolist(),
        y=hits[..., 1].round(4).ravel().tolist(),
        mode="none",
        customdata=[[row, name, "", 0.0, ""] for row, name in enumerate(names) for _ in _HIT_POINTS],
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}, p = %{customdata[3]:.2f}%{customdata[4]}<extra></extra>",
        showlegend=False,
    )
    legend = [
        go.Scatter(
            meta=f"type_{kind}",
            x=[None],
            y=[None],
            mode="lines",
            line={"color": colour(kind), "width": 3 if kind else 1.5, "dash": "solid" if kind else "dot"},
            name=type_name(kind, edge_types),
        )
        for kind in range(edge_types if len(pairs) else 0)
    ]
    if springs:
        legend.append(
            go.Scatter(
                meta="springs",
                x=[None],
                y=[None],
                mode="lines",
                line={"color": SPRING_COLOUR, "width": 1.5},
                name="true spring",
            )
        )
    return [heads, hit, *legend, _node_trace(tree, layout)]


def _node_trace(tree: Tree, layout: Layout) -> go.Scatter:
    """Nodes by level: shape, size and grey; balls also wear their colour in the frame."""
    at, ranks, on_image = graph_layout(tree, layout), _ranks(tree), layout == "image"
    fills, inks = [], []
    for node, rank in enumerate(ranks):
        rgb = PALETTE[node % len(PALETTE)] if tree != SLOT_TREE and rank == 2 else None
        fills.append(f"rgb({rgb[0]},{rgb[1]},{rgb[2]})" if rgb is not None else _NODE_FILLS[rank])
        bright = rgb @ [0.299, 0.587, 0.114] > 110 if rgb is not None else rank == 2
        inks.append("#1b1f24" if bright else "#ffffff")
    moving = on_image and tree != SLOT_TREE
    return go.Scatter(
        meta="nodes",
        x=at[:, 0].round(4).tolist(),
        y=at[:, 1].round(4).tolist(),
        # Labels would have to travel with moving balls, and hide them.
        mode="markers" if moving else "markers+text",
        text=[str(node) for node in range(tree.size)],
        textfont={"size": 9 if on_image else 10, "color": inks},
        marker={
            "symbol": [_NODE_SHAPES[rank] + ("-open" if moving else "") for rank in ranks],
            "size": [int(_NODE_SIZES[rank] * (0.8 if on_image else 1)) for rank in ranks],
            "color": ["#d0d7de" if moving and rank < 2 else fill for fill, rank in zip(fills, ranks, strict=True)],
            "line": {"width": 1.5 if moving else 1, "color": "#d0d7de" if not moving else None},
            "opacity": 1,
        },
        customdata=[[-1, node_name(tree, node), node] for node in range(tree.size)],
        hovertemplate="%{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def colour(kind: int) -> str:
    """Colour of an edge type; types beyond the palette repeat it without the grey."""
    return EDGE_COLOURS[kind] if kind < len(EDGE_COLOURS) else EDGE_COLOURS[1 + (kind - 1) % (len(EDGE_COLOURS) - 1)]


def type_name(kind: int, edge_types: int) -> str:
    """What an edge type means: type 0 carries no message."""
    return "no interaction" if kind == 0 else "interaction" if edge_types == 2 else f"type {kind}"


def none_alpha(edges: int) -> float:
    """Opacity of "no interaction": fainter where hundreds of edges would make a mesh of it."""
    return float(STYLE["none_alpha"] if edges <= 120 else STYLE["none_alpha_many"])


def edge_look(kind: int, probability: float, interacts: float, threshold: float, edges: int) -> tuple[float, float]:
    """Width in pixels and opacity of one of ``edges`` edges: the more probable, the wider and the more solid."""
    if interacts < threshold:
        return STYLE["thin"], 0.0
    if kind == 0:
        return STYLE["none_width"], none_alpha(edges) * probability
    return STYLE["thin"] + (STYLE["thick"] - STYLE["thin"]) * probability, STYLE["faint"] + (
        1 - STYLE["faint"]
    ) * probability**2


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
    painted = go.Figure(figure)
    step = edge_step(rollout, frame)
    pairs = rollout.edge_sender_receiver[rows]
    kinds, chances = rollout.edge_types[0, step, rows], rollout.edge_probabilities[0, step, rows]
    shapes = {shape.name: shape for shape in painted.layout.shapes}
    traces = {trace.meta: trace for trace in painted.data}
    springs = true_springs(rollout)
    if layout == "image":
        _place(painted, rollout, pairs, frame)
        _set_background(painted, rollout, frame)
    head_colours, hover = [], []
    for row, (i, j) in enumerate(pairs.tolist()):
        kind, chance = int(kinds[row]), float(chances[row, kinds[row]])
        width, alpha = edge_look(kind, chance, 1 - float(chances[row, 0]), threshold, len(pairs))
        line = shapes[f"edge_{i}_{j}"].line
        line.color, line.width, line.dash = _rgba(colour(kind), alpha), round(width, 2), "solid" if kind else "dot"
        head_colours.append(_rgba(colour(kind), alpha if kind else 0.0))
        known = "" if springs is None else "<br>true spring" if springs[frame, i, j] else "<br>no spring"
        name = f"{node_name(rollout.tree, i)} → {node_name(rollout.tree, j)}"
        hover += [[row, name, type_name(kind, chances.shape[1]), chance, known]] * len(_HIT_POINTS)
    for name, shape in shapes.items():
        if name.startswith("spring_") and springs is not None:
            i, j = map(int, name.split("_")[1:])
            shape.line.color = _rgba(SPRING_COLOUR, 1.0 if springs[frame, i, j] or springs[frame, j, i] else 0.0)
    traces["heads"].marker.color, traces["hits"].customdata = head_colours, hover
    return painted


def _place(figure: go.Figure, rollout: Rollout, pairs: np.ndarray, frame: int) -> None:
    """Move nodes, edges, arrowheads and capsules to where the balls are at ``frame``."""
    if rollout.observation == "frames":
        return
    tree = rollout.tree
    at = node_positions(rollout)[frame] * [1, -1] + [0, 1]
    radius = _radii(tree, "image")
    curves = bow(at[pairs[:, 0]], at[pairs[:, 1]], radius[pairs], STYLE["bow"]["image"])
    for trace, fresh in zip(figure.data[:2], _graph_traces(tree, pairs, 2, "image", curves, False)[:2], strict=True):
        trace.x, trace.y = fresh.x, fresh.y
    figure.data[0].marker.angle = _graph_traces(tree, pairs, 2, "image", curves, False)[0].marker.angle
    figure.data[-1].x, figure.data[-1].y = at[:, 0].tolist(), at[:, 1].tolist()
    capsules = spring_pairs(tree, pairs)
    paths = dict(
        zip([f"spring_{i}_{j}" for i, j in capsules], _capsule_paths(at, radius, capsules, "image"), strict=True)
    )
    for (i, j), a, c, b in zip(pairs, *curves, strict=True):
        paths[f"edge_{i}_{j}"] = f"M {a[0]:.4f},{a[1]:.4f} Q {c[0]:.4f},{c[1]:.4f} {b[0]:.4f},{b[1]:.4f}"
    for shape in figure.layout.shapes:
        shape.path = paths.get(shape.name, shape.path)


def _set_background(figure: go.Figure, rollout: Rollout, frame: int) -> None:
    import imageio.v3 as iio

    if rollout.frames is not None:
        # Eightfold enlargement keeps pixels square-edged where a viewer would smooth them.
        pixels = rollout.frames[0, frame].repeat(8, 0).repeat(8, 1)
        png = iio.imwrite("<bytes>", pixels if pixels.shape[-1] == 3 else pixels[..., 0], extension=".png")
        figure.layout.images[0].source = "data:image/png;base64," + base64.b64encode(png).decode()


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
            line={"color": EDGE_COLOURS[2], "width": 2},
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
            fillcolor=EDGE_COLOURS[2],
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


# Arrays for the player -----------------------------------------------------------------------------------


def image_data(rollout: Rollout) -> dict:
    """All that ``app/player/images.js`` needs, as JSON."""
    tree, ranks = rollout.tree, _ranks(rollout.tree)
    return {
        "root": np.flatnonzero(ranks == 0).tolist(),
        "middle": np.flatnonzero(ranks == 1).tolist(),
        "leaves": tree.leaves.tolist(),
        "cells": tree.cells.tolist() if rollout.observation == "frames" else None,
        "last_true_input": int(rollout.last_true_input),
        "errors": _numbers(error_curves(rollout).model),
        "arrays": pack(image_arrays(rollout)),
    }


def timeline_data(rollout: Rollout) -> dict:
    """All that ``app/player/timeline.js`` needs, as JSON."""
    curves = error_curves(rollout)
    return {
        "last_true_input": int(rollout.last_true_input),
        "errors": _numbers(curves.model),
        "copying": _numbers(curves.copy),
        "unit": curves.unit,
    }


def _numbers(values: Float[np.ndarray, " T"]) -> list[float | None]:
    """Four digits each; None for what JSON cannot say."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def image_arrays(rollout: Rollout) -> dict[str, np.ndarray]:
    """Truth, prediction and slot images as uint8, and node positions, for the player.

    Frame 0 of a prediction is black: nothing was predicted. A rollout without frames gives black ones.
    """
    times = rollout.slots.shape[1]
    truth = rollout.frames[0] if rollout.frames is not None else np.zeros((times, 32, 32, 1), dtype=np.uint8)
    arrays = {"truth": _rgb(truth)}
    if rollout.predicted_frames is not None:
        arrays["prediction"] = _rgb(_after_blank(_bytes(rollout.predicted_frames[0])))
    if rollout.slot_frames is not None:
        arrays["slots"] = _rgb(_after_blank(_bytes(rollout.slot_frames[0])))
    if rollout.observation == "states":
        arrays["truth_nodes"] = node_positions(rollout, "truth").astype(np.float32)
        arrays["prediction_nodes"] = node_positions(rollout, "prediction").astype(np.float32)
    return arrays


def graph_data(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict:
    """All that ``app/player/graph.js`` needs to repaint ``interaction_graph(tree, pairs, K, layout)``, as JSON."""
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    types = rollout.edge_probabilities.shape[-1]
    capsules = spring_pairs(rollout.tree, pairs) if rollout.true_adjacency is not None else np.empty((0, 2), dtype=int)
    row_of = {(int(i), int(j)): row for row, (i, j) in enumerate(capsules)}
    return {
        "nodes": rollout.tree.size,
        "pairs": pairs.tolist(),
        "capsules": capsules.tolist(),
        "capsule_of": [row_of.get((int(min(pair)), int(max(pair))), -1) for pair in pairs],
        "type_names": [type_name(kind, types) for kind in range(types)],
        "hit_shares": list(_HIT_POINTS),
        "hit_points": len(_HIT_POINTS),
        "bow": STYLE["bow"][layout],
        "style": STYLE | {"colours": [colour(kind) for kind in range(types)], "none_alpha": none_alpha(len(pairs))},
        "arrays": pack(graph_arrays(rollout, rows, layout)),
    }


def graph_arrays(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict[str, np.ndarray]:
    """Probabilities (0 ... 255), types and springs of the shown edges at every frame, for the player."""
    times = rollout.slots.shape[1]
    steps = [edge_step(rollout, frame) for frame in range(times)]
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    arrays = {
        "probabilities": _bytes(rollout.edge_probabilities[0][steps][:, rows]),
        "types": rollout.edge_types[0][steps][:, rows].astype(np.uint8),
    }
    springs = true_springs(rollout)
    if springs is not None:
        capsules = spring_pairs(rollout.tree, pairs)
        arrays["springs"] = np.ascontiguousarray(springs[:, capsules[:, 0], capsules[:, 1]])
    if layout == "image":
        arrays["frames"] = image_arrays(rollout)["truth"]
        if rollout.observation == "states":
            arrays["nodes"] = node_positions(rollout).astype(np.float32)
            arrays["radii"] = _radii(rollout.tree, "image").astype(np.float32)
    return arrays


def pack(arrays: dict[str, np.ndarray]) -> dict:
    """Arrays as JSON: one compressed base64 blob (zlib) and where each lies in it; floats as float32, the rest as bytes."""
    index, blob = {}, b""
    for name, array in arrays.items():
        # Floats come first in no particular order, so every array starts on a multiple of four bytes.
        blob += b"\0" * (-len(blob) % 4)
        index[name] = {"shape": list(array.shape), "type": array.dtype.name, "at": len(blob)}
        blob += np.ascontiguousarray(array).tobytes()
    return {"index": index, "blob": base64.b64encode(zlib.compress(blob, 6)).decode()}


def _bytes(values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """0 ... 1 as 0 ... 255; what is not a number becomes 0."""
    return np.round(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)


def _rgb(images: UInt8[np.ndarray, "*shape C"]) -> UInt8[np.ndarray, "*shape 3"]:
    return images if images.shape[-1] == 3 else np.repeat(images[..., :1], 3, -1)


def _after_blank(images: UInt8[np.ndarray, "F *shape"]) -> UInt8[np.ndarray, "F+1 *shape"]:
    return np.concatenate([np.zeros_like(images[:1]), images])

"""Where nodes stand and how edges run between them, in layout units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import networkx as nx
import numpy as np
from jaxtyping import Complex, Float, Int

from hri.core.hierarchy import SLOT_TREE, Tree, ranks
from hri.view.facts import spring_pairs
from hri.view.style import STYLE

Layout = Literal["radial", "image"]
HIT_SHARES = (0.25, 0.4, 0.5, 0.6, 0.75)
"""Where along an edge the mouse finds it."""
SIZES = (27, 22, 18)
"""Of root, intermediate and leaf, in pixels."""
HEIGHT = 432
"""Usual height of a graph in pixels."""
IMAGE_SHRINK = 0.8
"""Size of nodes that stand on an image, as a share of the usual."""


def graph_layout(tree: Tree, layout: Layout) -> Float[np.ndarray, "N 2"]:
    """Where nodes stand while nothing moves: x to the right, y up.

    ``radial`` puts the leaves on networkx' circular layout and every other node at the mean angle of its
    leaves, root in the middle, radius 1; without a hierarchy all nodes are on the circle. ``image`` is the unit
    square of the frame: cell centres for image slots; for balls, which the player moves, the radial picture until
    a frame is painted.
    """
    if layout == "image" and tree == SLOT_TREE:
        centres = _centres(tree)
        return np.stack([centres[:, 0], 1 - centres[:, 1]], 1)
    if tree.flat:
        places = nx.circular_layout(range(tree.size), scale=1.0)
        # Node 0 at the top left, as the first branch of a tree.
        at = np.array([complex(*places[node]) for node in range(tree.size)]) * np.exp(0.75j * np.pi)
        return _spread(at, layout)
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
    return _spread(at, layout)


def _spread(at: Complex[np.ndarray, " N"], layout: Layout) -> Float[np.ndarray, "N 2"]:
    """The radial picture, or the same within the unit square."""
    radial = np.stack([at.real, at.imag], 1)
    return radial if layout == "radial" else 0.5 + 0.42 * radial


def _centres(tree: Tree) -> Float[np.ndarray, "N 2"]:
    return (tree.cells[:, :2] + tree.cells[:, 2:]) / 2


def _angles_in_image(tree: Tree) -> Float[np.ndarray, " N"]:
    """Angle of each slot around the middle of the frame, anticlockwise from straight up."""
    out = _centres(tree) - 0.5
    return np.mod(np.arctan2(-out[:, 1], out[:, 0]) - 0.5 * np.pi, 2 * np.pi)


def extent(layout: Layout) -> tuple[float, float]:
    """The least and greatest coordinate that is shown, in layout units."""
    return (-0.02, 1.02) if layout == "image" else (-1.14, 1.14)


def radii(tree: Tree, layout: Layout) -> Float[np.ndarray, " N"]:
    """Radius of each node in layout units, with a little air, by its drawn size at the usual height."""
    (low, high), shrink = extent(layout), IMAGE_SHRINK if layout == "image" else 1.0
    return (shrink * np.array(SIZES)[ranks(tree)] / 2 + 3) * (high - low) / HEIGHT


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
    edges: Float[np.ndarray, "R 3 2"]
    """Start, control point and end of each edge's curve, without the nodes' radii."""
    springs: Float[np.ndarray, "C 4 2"]
    """Of each capsule: one end, the control point on the way there, the other end, the one on the way back."""
    angles: Float[np.ndarray, " R"]
    """Of the arrowheads, in degrees clockwise from up."""
    hits: Float[np.ndarray, "R P 2"]
    """Points of each edge by which the mouse finds it, at :data:`HIT_SHARES`."""

    @property
    def heads(self) -> Float[np.ndarray, "R 2"]:
        """Tips of the arrowheads."""
        return self.edges[:, 2]

    @property
    def middles(self) -> Float[np.ndarray, "R 2"]:
        """Where marks of edits lie."""
        return self.hits[:, HIT_SHARES.index(0.5)]


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
    return Drawing(
        nodes=at,
        edges=np.stack([start, control, end], 1),
        springs=np.stack([first, right, last, left], 1),
        angles=np.degrees(np.arctan2(tangent[:, 0], tangent[:, 1])),
        hits=(1 - share) ** 2 * start[:, None] + 2 * share * (1 - share) * control[:, None] + share**2 * end[:, None],
    )


def bend_of(layout: Layout) -> float:
    """How far edges bow in a layout."""
    return STYLE.bow_image if layout == "image" else STYLE.bow_radial

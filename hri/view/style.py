"""How graphs look, for every program that draws them: Plotly here, the player in the browser, SVG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hri.core.config import RenderConfig
from hri.core.hierarchy import SLOT_TREE, Tree, ranks
from hri.physics.palette import LUMINANCE, colours_of


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
    cuts: str = "#D55E00"
    forces: str = "#009E73"
    """Marks of edges that a visitor has cut (a cross) or forced to a type (a star)."""
    heavy: float = 8.0
    """Greatest width where widths stand for something else than probability."""


STYLE = Style()
GREYS = ("#57606a", "#7d8590", "#a8b1bb")
"""Fill of root, intermediate and leaf."""


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


def node_colours(tree: Tree) -> tuple[list[str], list[str]]:
    """Fill of each node and the ink that is read on it: greys by level, leaf balls and all joints as in the frame."""
    levels, body = ranks(tree), bool(tree.names)
    rgb = colours_of(tree, RenderConfig(colours="limb" if body else "node"))
    coloured = (tree != SLOT_TREE) & ((levels == 2) | body)
    fills = [
        f"rgb({r},{g},{b})" if own else GREYS[level]
        for (r, g, b), own, level in zip(rgb, coloured, levels, strict=True)
    ]
    bright = np.where(coloured, rgb @ LUMINANCE > 110, levels == 2)
    return fills, ["#1b1f24" if light else "#ffffff" for light in bright]

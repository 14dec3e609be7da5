"""How everything that is drawn looks, for every program that draws: Plotly, the player in the browser, SVG, films.

No other file names a colour, but :mod:`hri.physics.palette` (of balls) and Streamlit's theme. What draws in the browser
is sent these values with its data (:mod:`hri.view.player`), and :func:`css` gives style sheets their variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.config import RenderConfig
from hri.core.hierarchy import SLOT_TREE, Tree, ranks
from hri.physics.palette import LUMINANCE, colours_of

GREY = "#8b949e"
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
"""The palette of Okabe and Ito, which colour-blind readers tell apart."""
INK, PAPER, BLACK = "#1b1f24", "#ffffff", "#000000"
CLEAR = "rgba(0,0,0,0)"
GREYS = ("#57606a", "#7d8590", "#a8b1bb")
"""Fill of root, intermediate and leaf."""
RIM = "#d0d7de"
"""Outline of nodes."""
PAGE = {"night": "#14181d", "chalk": "#f0f3f6", "pale": "#b4bcc6", "dusk": "#c9d1d9", "sheet": "#f3f5f8"}
"""Grounds and lines of the drawing board, words on black, lines on dark, boxes on paper."""
WIDGETS = {
    "hush": "#4a525c",
    "chosen": "#005f96",
    "chosendark": "#7cc7f2",
    "action": "#0072b2",
    "actiondark": "#2779b5",
}
"""Disabled labels, chosen and primary buttons of the app's own widgets, with contrast in light and dark."""
OFFLINE = {
    "light": {"ground": PAPER, "ink": INK, "faint": "#656d76", "line": RIM},
    "dark": {"ground": "#0e1117", "ink": "#e6edf3", "faint": "#9198a1", "line": "#3d444d"},
}
"""Colours of the page that plays offline, by the reader's preference."""
GROUND, TRACK, TEXT, FREE = (14, 17, 23), (58, 64, 77), (222, 225, 232), (255, 176, 59)
"""Red, green and blue of a film's ground, of its burn-in, of words, and of the free run."""

SCRIPT = Path(__file__).with_name("marks.js")
"""What all programs share that draw in a browser: the app's player and the page that plays offline."""


@dataclass(frozen=True)
class Stroke:
    """How the edges of one type are drawn, by the probability p of that type: the more probable, the more there is.

    Width in pixels: thin + (thick - thin) p; opacity: faint + (solid - faint) p^power.
    """

    colour: str
    thin: float
    thick: float
    faint: float = 0.0
    solid: float = 1.0
    power: float = 1.0
    dash: tuple[int, ...] = ()
    """Lengths of strokes and gaps in pixels; none: a solid line."""
    head: bool = True
    """Whether it ends in an arrowhead: no message, no arrow."""
    key: float = 3.0
    """Width in a legend."""

    def at(self, probability: float) -> tuple[float, float]:
        """Width in pixels and opacity."""
        width = self.thin + (self.thick - self.thin) * probability
        return width, self.faint + (self.solid - self.faint) * probability**self.power

    @property
    def pattern(self) -> str:
        """Its dash as Plotly has it."""
        return dash_pattern(self.dash)


@dataclass(frozen=True)
class Style:
    """How graphs look; widths in pixels, opacities in 0 ... 1, bows as a share of the edge's length."""

    colours: tuple[str, ...] = (GREY, BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW)
    """Of edge types: grey for "no interaction"."""
    thin: float = 0.8
    thick: float = 3.6
    """Widths of an interaction at probability 0 and 1."""
    faint: float = 0.06
    """Opacity of an interaction at probability 0."""
    power: float = 1.5
    """Of the probability, in its opacity."""
    none_width: float = 1.0
    none_dash: tuple[int, ...] = (2, 3)
    none_alpha: float = 0.4
    none_alpha_many: float = 0.1
    """Opacity of "no interaction" where hundreds of edges would make a mesh of it."""
    many: int = 120
    """The most edges that are not many."""
    heavy: float = 8.0
    """Greatest width where widths stand for something else than probability."""
    arrow: int = 9
    bow_radial: float = 0.085
    bow_image: float = 0.075
    spring: str = "#d4a017"
    """True springs: a thin capsule around both directions of a pair."""
    spring_width: float = 1.5
    capsule: float = 0.045
    """How much further than its edges a spring's capsule bends."""
    cuts: str = VERMILLION
    forces: str = GREEN
    """Marks of edges that a visitor has cut (a cross) or forced to a type (a star)."""
    touched: str = ORANGE
    """What is pointed at or selected."""
    dim_edge: float = 0.12
    dim_spring: float = 0.15
    dim_mark: float = 0.2
    """What is left of the opacity of everything else then."""
    frame: float = 0.75
    """Opacity of the frame under a graph, so that edges show."""
    frame_of_body: float = 0.4
    """The same where the frame shows a body's joints, under a skeleton too: it is drawn for the visitor alone."""


STYLE = Style()
WEIGHTED = Stroke(GREY, STYLE.thin, STYLE.heavy, STYLE.faint)
"""Where widths stand for a share instead of a probability; the colour is that of the type."""

# Edges -------------------------------------------------------------------------------------------------


def colour(kind: int) -> str:
    """Colour of an edge type; types beyond the palette repeat it without the grey."""
    count = len(STYLE.colours)
    return STYLE.colours[kind if kind < count else 1 + (kind - 1) % (count - 1)]


def stroke(kind: int, edges: int = 1) -> Stroke:
    """How an edge type is drawn in a graph of so many edges."""
    if kind == 0:
        alpha = STYLE.none_alpha if edges <= STYLE.many else STYLE.none_alpha_many
        width = STYLE.none_width
        return Stroke(colour(0), width, width, 0.0, alpha, dash=STYLE.none_dash, head=False, key=1.5)
    return Stroke(colour(kind), STYLE.thin, STYLE.thick, STYLE.faint, power=STYLE.power)


def edge_look(kind: int, probability: float, interacts: float, threshold: float, edges: int) -> tuple[float, float]:
    """Width in pixels and opacity of one of ``edges`` edges: the more probable, the wider and the more solid."""
    return (STYLE.thin, 0.0) if interacts < threshold else stroke(kind, edges).at(probability)


def dash_pattern(dash: tuple[int, ...]) -> str:
    """Strokes and gaps as Plotly has them."""
    return ",".join(f"{length}px" for length in dash) or "solid"


# Colours -----------------------------------------------------------------------------------------------


def _heat() -> UInt8[np.ndarray, "256 3"]:
    stops = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float64)
    at = np.sqrt(np.arange(256) / 255) * (len(stops) - 1)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)


HEAT: UInt8[np.ndarray, "256 3"] = _heat()
"""Colours of errors 0 ... 255: black, through vermillion, to pale yellow, which every kind of colour vision can read;
over the square root of the error, so that small errors show."""


def heat(errors: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape 3"]:
    """Colours of errors in 0 ... 1."""
    return HEAT[np.rint(255 * np.clip(np.nan_to_num(errors), 0, 1)).astype(np.uint8)]


BRIGHT = 110
"""Luminance, of 255, above which dark ink is read better than white."""


def node_colours(tree: Tree) -> tuple[list[str], list[str]]:
    """Fill of each node and the ink that is read on it: greys by level, leaf balls and all joints as in the frame."""
    levels, body = ranks(tree), bool(tree.names)
    rgb = colours_of(tree, RenderConfig(colours="limb" if body else "node"))
    has_colour = (tree != SLOT_TREE) & ((levels == 2) | body)
    fills = [
        f"rgb({r},{g},{b})" if own else GREYS[level]
        for (r, g, b), own, level in zip(rgb, has_colour, levels, strict=True)
    ]
    bright = np.where(has_colour, rgb @ LUMINANCE > BRIGHT, levels == 2)
    return fills, [INK if light else PAPER for light in bright]


def under(tree: Tree) -> float:
    """Opacity of the frame under a graph of these nodes."""
    return STYLE.frame_of_body if tree.names else STYLE.frame


def rgba(hexadecimal: str, alpha: float) -> str:
    """A colour and its opacity, to three digits, as Plotly has them."""
    red, green, blue = (int(hexadecimal[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:.3f})"


def css() -> str:
    """Style sheet that names these colours as variables: ``var(--touched)``, ``var(--spring)``, ``var(--blue)``, ..."""
    values = {
        "grey": GREY, "blue": BLUE, "vermillion": VERMILLION, "green": GREEN, "purple": PURPLE, "sky": SKY,
        "spring": STYLE.spring, "touched": STYLE.touched, "white": PAPER, "black": BLACK, "ink": INK, "faint": GREYS[0],
    } | PAGE | WIDGETS  # fmt: skip
    return ":root, :host { " + " ".join(f"--{name}: {value};" for name, value in values.items()) + " }\n"

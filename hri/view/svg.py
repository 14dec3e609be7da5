"""One frame of a rollout as SVG, with no program but this one: the interaction graph, the pictures, or both."""

from __future__ import annotations

import base64
import re
from typing import Literal
from xml.sax.saxutils import escape

import imageio.v3 as iio
import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.hierarchy import SLOT_TREE, edge_name, node_name, ranks
from hri.core.records import Rollout
from hri.view.facts import Pairs, edge_rows, edge_step, forced_types, node_positions, true_springs, type_name
from hri.view.layout import HIT_SHARES, Drawing, Layout, arrange, graph_layout, radii
from hri.view.style import STYLE, colour, edge_look, node_colours

Show = Literal["graph", "frame", "both"]

SIDE = 480.0
"""Side of the graph in pixels."""
PANEL = 224.0
"""Side of a picture."""
_GAP, _TITLE, _LEGEND = 12.0, 22.0, 26.0
_INK, _PAPER = "#1b1f24", "#ffffff"
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'
_MARKS = {"cut": "M-4 -4 L4 4 M-4 4 L4 -4", "force": "M0 -5.5 V5.5 M-4.8 -2.8 L4.8 2.8 M-4.8 2.8 L4.8 -2.8"}
"""A cross and a star about the middle of an edge."""
_POINT = re.compile(r"(-?[0-9.]+),(-?[0-9.]+)")


def svg(
    rollout: Rollout,
    frame: int,
    panels: dict[str, UInt8[np.ndarray, "H W 3"]] | None = None,
    show: Show = "both",
    layout: Layout = "radial",
    pairs: Pairs = "hierarchy",
    threshold: float = 0.0,
) -> str:
    """A standing picture of one frame of a one-scene rollout.

    Args:
        frame: 0 ... T - 1.
        panels: pictures by title, such as truth, prediction and error; needed unless only the graph is shown.
        show: the graph, the pictures, or pictures above the graph.
        layout: of the graph: radial, or nodes over the true frame.
        pairs: the hierarchy's edges, or all.
        threshold: hide edges whose probability of interacting is lower.

    Raises:
        ValueError: no such frame.
    """
    times = rollout.slots.shape[1]
    if not 0 <= frame < times:
        raise ValueError(f"there is no frame {frame}; this rollout has frames 0 to {times - 1}")
    panels = panels or {}
    width = max(SIDE if show != "frame" else 0.0, len(panels) * (PANEL + _GAP) - _GAP if show != "graph" else 0.0)
    free = frame > rollout.last_true_input + 1
    words = f"{rollout.checkpoint}, frame {frame} of {times - 1}, {'free run' if free else 'burn-in'}"
    height, parts = _TITLE, [f'<text x="0" y="14" fill="{_INK}">{escape(_printable(words))}</text>']
    if show != "graph":
        parts.append(f'<g transform="translate(0 {height:g})">{_panels(rollout, panels)}</g>')
        height += _TITLE + PANEL + _GAP
    if show != "frame":
        left = (width - SIDE) / 2
        parts.append(
            f'<g transform="translate({left:g} {height:g})">{graph(rollout, frame, layout, pairs, threshold)}</g>'
        )
        height += SIDE + _LEGEND
    size = f'width="{width + 2 * _GAP:g}" height="{height + 2 * _GAP:g}"'
    box = f'viewBox="{-_GAP:g} {-_GAP:g} {width + 2 * _GAP:g} {height + 2 * _GAP:g}"'
    ground = f'<rect x="{-_GAP:g}" y="{-_GAP:g}" width="100%" height="100%" fill="{_PAPER}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} {_FONT} role="img">'
        f"<title>{escape(_printable(words))}</title>{ground}{''.join(parts)}</svg>\n"
    )


def graph(
    rollout: Rollout, frame: int, layout: Layout = "radial", pairs: Pairs = "hierarchy", threshold: float = 0.0
) -> str:
    """The interaction graph and its legend as SVG elements, :data:`SIDE` pixels wide.

    Every edge is a path of class ``edge`` with ``data-row``, its row in the rollout; every true spring one of class
    ``spring`` with ``data-pair``; every mark of an edit one of class ``mark`` with ``data-edge``, the place of its edge
    among those that are drawn.
    """
    tree, step, springs = rollout.tree, edge_step(rollout, frame), true_springs(rollout)
    rows = edge_rows(rollout, pairs)
    shown = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    on_image, balls = layout == "image", tree != SLOT_TREE
    at = graph_layout(tree, layout)
    if on_image and balls:
        at = node_positions(rollout)[frame] * [1, -1] + [0, 1]
    drawing = arrange(tree, shown, at, layout, springs is not None)
    chances, kinds = rollout.edge_probabilities[0, step, rows], rollout.edge_types[0, step, rows]
    parts = []
    if on_image and rollout.frames is not None:
        parts.append(f'<rect width="{SIDE:g}" height="{SIDE:g}" fill="#000"/>')
        parts.append(_image(_rgb(rollout.frames[0, frame]), 0.0, 0.0, SIDE, 'opacity="0.75"'))
    for name, path in drawing.paths.items():
        if name.startswith("spring_"):
            i, j = map(int, name.split("_")[1:])
            lit = float(springs[frame, i, j]) if springs is not None else 0.0
            parts.append(
                f'<path class="spring" data-pair="{i} {j}" d="{_placed(path, layout)}" fill="none" '
                f'stroke="{STYLE.spring}" stroke-width="1.5" stroke-opacity="{lit:g}"/>'
            )
    for index, (i, j) in enumerate(shown.tolist()):
        kind = int(kinds[index])
        chance = float(chances[index, kind])
        width, alpha = edge_look(kind, chance, 1 - float(chances[index, 0]), threshold, len(shown))
        parts.append(_edge(drawing, index, (i, j), int(rows[index]), layout, kind, width, alpha, chance, rollout))
    forced = forced_types(rollout)
    if forced is not None:
        middles = _at(drawing.hits[:, HIT_SHARES.index(0.5)], layout)
        for index, held in enumerate(forced[:, rows].T):
            parts.append(_marks(index, middles[index], held, frame))
    parts.append(_nodes(rollout, at, layout))
    parts.append(_legend(chances.shape[1], "" if springs is None else rollout.force.truths[1], forced is not None))
    return "".join(parts)


def _marks(index: int, middle: Float[np.ndarray, " 2"], held: Int[np.ndarray, " T"], frame: int) -> str:
    """A cross where an edge is cut, a star where a type is forced upon it; only what shows at some frame is drawn."""
    place = f'transform="translate({middle[0]:.1f} {middle[1]:.1f})"'
    return "".join(
        f'<path class="mark {name}" data-edge="{index}" d="{_MARKS[name]}" fill="none" stroke="{ink}" '
        f'stroke-width="2.2" pointer-events="none" {place} opacity="{int(shows[frame])}"/>'
        for name, ink, shows in (("cut", STYLE.cuts, held == 0), ("force", STYLE.forces, held > 0))
        if shows.any()
    )


def _edge(
    drawing: Drawing,
    index: int,
    pair: tuple[int, int],
    row: int,
    layout: Layout,
    kind: int,
    width: float,
    alpha: float,
    chance: float,
    rollout: Rollout,
) -> str:
    """One edge with its arrowhead, and its name for whoever points at it."""
    tree, types = rollout.tree, rollout.edge_probabilities.shape[-1]
    path = _placed(drawing.paths[f"edge_{pair[0]}_{pair[1]}"], layout)
    (x, y), turn = _at(drawing.heads[index : index + 1], layout)[0], drawing.angles[index]
    dash = "" if kind else ' stroke-dasharray="3 3"'
    told = f"{edge_name(tree, pair[0], pair[1])}: {type_name(kind, types)}, p = {chance:.2f}"
    return (
        f'<g class="edge" data-row="{row}" opacity="{alpha:.3f}"><title>{told}</title>'
        f'<path d="{path}" fill="none" stroke="{colour(kind)}" stroke-width="{width:.2f}"{dash}/>'
        f'<path class="head" d="M0 0 L3.4 7 L-3.4 7 Z" fill="{colour(kind)}" fill-opacity="{1 if kind else 0}" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({turn:.1f})"/></g>'
    )


def _nodes(rollout: Rollout, at: Float[np.ndarray, "N 2"], layout: Layout) -> str:
    """Root diamond, intermediate square, leaf circle; balls wear their colour in the frame."""
    tree, levels, parts = rollout.tree, ranks(rollout.tree), []
    span = 1.04 if layout == "image" else 2.28
    sizes = radii(tree, layout) / span * SIDE - 3  # without the air around them
    for node, ((x, y), fill, ink) in enumerate(zip(_at(at, layout), *node_colours(tree), strict=True)):
        r = sizes[node]
        shape = {
            0: f'<path d="M0 {-r:.1f} L{r:.1f} 0 L0 {r:.1f} L{-r:.1f} 0 Z" {{}}/>',
            1: f'<rect x="{-0.85 * r:.1f}" y="{-0.85 * r:.1f}" width="{1.7 * r:.1f}" height="{1.7 * r:.1f}" {{}}/>',
            2: f'<circle r="{r:.1f}" {{}}/>',
        }[int(levels[node])].format(f'fill="{fill}" stroke="#d0d7de"')
        parts.append(
            f'<g class="node" data-node="{node}" transform="translate({x:.1f} {y:.1f})"><title>{node_name(tree, node)}'
            f'</title>{shape}<text text-anchor="middle" dy="3.5" font-size="10" fill="{ink}">{node}</text></g>'
        )
    return "".join(parts)


def _legend(types: int, spring: str, edited: bool) -> str:
    """What the lines, and the marks of edits, mean."""
    entries = [
        (type_name(kind, types), colour(kind), "" if kind else ' stroke-dasharray="3 3"') for kind in range(types)
    ]
    entries += [(spring, STYLE.spring, "")] if spring else []
    parts, x = [], 4.0
    for name, ink, dash in entries:
        parts.append(
            f'<path d="M{x:g} {SIDE + 16:g} h22" stroke="{ink}" stroke-width="2"{dash}/>'
            f'<text x="{x + 27:g}" y="{SIDE + 20:g}" fill="{_INK}" class="key">{escape(name)}</text>'
        )
        x += 46 + 6.6 * len(name)
    for name, ink, word in (("cut", STYLE.cuts, "cut"), ("force", STYLE.forces, "forced")) if edited else ():
        parts.append(
            f'<path d="{_MARKS[name]}" fill="none" stroke="{ink}" stroke-width="2.2" '
            f'transform="translate({x + 6:g} {SIDE + 16:g})"/>'
            f'<text x="{x + 16:g}" y="{SIDE + 20:g}" fill="{_INK}" class="key">{word}</text>'
        )
        x += 35 + 6.6 * len(word)
    return "".join(parts)


def _panels(rollout: Rollout, panels: dict[str, UInt8[np.ndarray, "H W 3"]]) -> str:
    """Pictures side by side, the slots' cells drawn over those of image models."""
    parts = []
    for index, (title, picture) in enumerate(panels.items()):
        left = index * (PANEL + _GAP)
        parts.append(f'<text x="{left:g}" y="14" fill="{_INK}">{escape(title)}</text>')
        parts.append(_image(picture, left, _TITLE, PANEL))
        if rollout.observation == "frames":
            lines = "".join(
                f"M{left + k * PANEL / 4:g} {_TITLE:g} v{PANEL:g} M{left:g} {_TITLE + k * PANEL / 4:g} h{PANEL:g}"
                for k in (1, 2, 3)
            )
            parts.append(f'<path d="{lines}" stroke="#ffffff" stroke-opacity="0.25"/>')
    return "".join(parts)


def _image(picture: UInt8[np.ndarray, "H W 3"], x: float, y: float, side: float, more: str = "") -> str:
    """A picture in the file itself; enlarged, because viewers would smooth its pixels."""
    png = iio.imwrite("<bytes>", picture.repeat(8, 0).repeat(8, 1), extension=".png")
    data = base64.b64encode(png).decode()
    return f'<image x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" {more} href="data:image/png;base64,{data}"/>'


def _rgb(frame: UInt8[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W 3"]:
    return frame if frame.shape[-1] == 3 else np.repeat(frame[..., :1], 3, -1)


def _at(points: Float[np.ndarray, "P 2"] | Int[np.ndarray, "P 2"], layout: Layout) -> Float[np.ndarray, "P 2"]:
    """Layout units (y up) to pixels (y down)."""
    low, span = (0.0, 1.0) if layout == "image" else (-1.14, 2.28)
    share = (np.asarray(points, dtype=np.float64) - low) / span
    return np.stack([share[:, 0], 1 - share[:, 1]], 1) * SIDE


def _placed(path: str, layout: Layout) -> str:
    """A path of layout units in pixels."""

    def place(match: re.Match[str]) -> str:
        x, y = _at(np.array([[float(match[1]), float(match[2])]]), layout)[0]
        return f"{x:.1f} {y:.1f}"

    return _POINT.sub(place, path)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())

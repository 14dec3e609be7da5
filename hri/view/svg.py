"""One frame of a rollout as SVG, with no program but this one: the interaction graph, the pictures, or both."""

from __future__ import annotations

import base64
from typing import Any, Literal
from xml.etree import ElementTree

import imageio.v3 as iio
import numpy as np
from jaxtyping import Float, UInt8

from hri.core.records import Rollout
from hri.view.discs import Discs, discs
from hri.view.facts import Pairs, edge_rows, true_frames
from hri.view.layout import Drawing, Layout, extent, radii
from hri.view.scene import EDITED, EdgeMark, Marks, NodeMark
from hri.view.skeleton import PANEL, Skeleton, skeleton
from hri.view.style import BLACK, INK, PAPER, STYLE, under

Show = Literal["graph", "frame", "both"]
Element = ElementTree.Element

SIDE = 480.0
"""Side of the graph in pixels."""
_GAP, _TITLE, _LEGEND = 12.0, 22.0, 26.0
_CROSSES = {
    "cuts": ("cut", "M-4 -4 L4 4 M-4 4 L4 -4"),
    "forces": ("force", "M0 -5.5 V5.5 M-4.8 -2.8 L4.8 2.8 M-4.8 2.8 L4.8 -2.8"),
}
"""Class and path of the marks of edits: a cross and a star about the middle of an edge."""
_CROSS_WIDTH = 2.2


def svg(
    rollout: Rollout,
    frame: int,
    panels: dict[str, UInt8[np.ndarray, "H W 3"]] | None = None,
    show: Show = "both",
    layout: Layout = "radial",
    pairs: Pairs = "hierarchy",
    threshold: float = 0.0,
    width: float | None = None,
) -> str:
    """A standing picture of one frame of a one-scene rollout.

    Args:
        frame: 0 ... T - 1.
        panels: pictures by title, such as truth, prediction and error; needed unless only the graph is shown.
        show: the graph, the pictures, or pictures above the graph.
        layout: of the graph: radial, or nodes over the true frame.
        pairs: the hierarchy's edges, or all.
        threshold: hide edges whose probability of interacting is lower.
        width: of the drawing in centimetres; None: a pixel of the screen for each of its units.

    Raises:
        ValueError: no such frame.
    """
    times = rollout.slots.shape[1]
    if not 0 <= frame < times:
        raise ValueError(f"there is no frame {frame}; this rollout has frames 0 to {times - 1}")
    panels = panels or {}
    wide = max(SIDE if show != "frame" else 0.0, len(panels) * (PANEL + _GAP) - _GAP if show != "graph" else 0.0)
    free = frame > rollout.last_true_input + 1
    words = f"{rollout.checkpoint}, frame {frame} of {times - 1}, {'free run' if free else 'burn-in'}"
    height, parts = _TITLE, [_text(0.0, 14.0, words)]
    if show != "graph":
        parts.append(_new("g", *_panels(rollout, panels, frame), transform=f"translate(0 {height:g})"))
        height += _TITLE + PANEL + _GAP
    if show != "frame":
        elements = _graph(rollout, frame, layout, pairs, threshold)
        parts.append(_new("g", *elements, transform=f"translate({(wide - SIDE) / 2:g} {height:g})"))
        height += SIDE + _LEGEND
    wide, height = wide + 2 * _GAP, height + 2 * _GAP
    size = (wide, height) if width is None else (f"{width:g}cm", f"{width * height / wide:.4g}cm")
    whole = _new(
        "svg",
        _new("title", text=words),
        _new("rect", x=-_GAP, y=-_GAP, width=wide, height=height, fill=PAPER),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        width=size[0],
        height=size[1],
        viewBox=f"{-_GAP:g} {-_GAP:g} {wide:g} {height:g}",
        font_family="system-ui, sans-serif",
        font_size=12,
        role="img",
    )
    return _as_text(whole) + "\n"


def graph(
    rollout: Rollout, frame: int, layout: Layout = "radial", pairs: Pairs = "hierarchy", threshold: float = 0.0
) -> str:
    """The interaction graph and its legend as SVG elements, :data:`SIDE` pixels wide.

    Every edge is a group of class ``edge`` with ``data-row``, its row in the rollout; every true spring a path of class
    ``spring`` with ``data-pair``; every mark of an edit one of class ``mark`` with ``data-edge``, the place of its edge
    among those that are drawn.
    """
    return "".join(map(_as_text, _graph(rollout, frame, layout, pairs, threshold)))


def _graph(rollout: Rollout, frame: int, layout: Layout, pairs: Pairs, threshold: float) -> list[Element]:
    marks = Marks(rollout, edge_rows(rollout, pairs), layout)
    drawing, parts = marks.drawing(frame), []
    if layout == "image" and (frames := true_frames(rollout)) is not None:
        parts.append(_new("rect", width=SIDE, height=SIDE, fill=BLACK))
        parts.append(_image(_rgb(frames[frame]), 0.0, 0.0, SIDE, opacity=under(marks.rollout.tree)))
    if marks.lit is not None:
        for (i, j), curve, lit in zip(marks.capsules.tolist(), drawing.springs, marks.lit[frame].tolist(), strict=True):
            a, there, b, back = _points(curve, layout)
            path = f"M {a} Q {there} {b} Q {back} {a} Z"
            parts.append(
                _new(
                    "path", class_="spring", data_pair=f"{i} {j}", d=path, fill="none", stroke=STYLE.spring,
                    stroke_width=STYLE.spring_width, stroke_opacity=lit,
                )
            )  # fmt: skip
    parts += [_edge(edge, drawing, index, layout) for index, edge in enumerate(marks.edges(frame, threshold))]
    parts += _edits(marks, drawing, frame)
    return [*parts, *_nodes(marks, drawing), *_legend(marks)]


def _edge(edge: EdgeMark, drawing: Drawing, index: int, layout: Layout) -> Element:
    """One edge with its arrowhead, and its name for whoever points at it."""
    start, control, end = _points(drawing.edges[index], layout)
    look = edge.stroke
    line = _new(
        "path", d=f"M {start} Q {control} {end}", fill="none", stroke=look.colour, stroke_width=f"{edge.width:.2f}"
    )
    if look.dash:
        line.set("stroke-dasharray", " ".join(map(str, look.dash)))
    head = _new(
        "path", class_="head", d="M0 0 L3.4 7 L-3.4 7 Z", fill=look.colour, fill_opacity=int(look.head),
        transform=f"translate({end}) rotate({drawing.angles[index]:.1f})",
    )  # fmt: skip
    title = _new("title", text=f"{edge.name}: {edge.type}, p = {edge.probability:.2f}")
    return _new("g", title, line, head, class_="edge", data_row=edge.row, opacity=f"{edge.opacity:.3f}")


def _edits(marks: Marks, drawing: Drawing, frame: int) -> list[Element]:
    """A cross where an edge is cut, a star where a type is forced upon it; only what shows at some frame is drawn."""
    parts = []
    for index, types in enumerate([] if marks.edit_types is None else marks.edit_types.T):
        place = f"translate({_points(drawing.middles[index : index + 1], marks.layout)[0]})"
        for name, there in (("cuts", types == 0), ("forces", types > 0)):
            if there.any():
                more = {"data_edge": index, "pointer_events": "none", "opacity": int(there[frame])}
                parts.append(_cross(name, place, class_=f"mark {_CROSSES[name][0]}", **more))
    return parts


def _cross(name: str, place: str, **more: Any) -> Element:
    look = {"fill": "none", "stroke": getattr(STYLE, name), "stroke_width": _CROSS_WIDTH, "transform": place}
    return _new("path", d=_CROSSES[name][1], **look, **more)


def _nodes(marks: Marks, drawing: Drawing) -> list[Element]:
    """Root diamond, intermediate square, leaf circle; balls wear their colour in the frame."""
    parts, (low, high) = [], extent(marks.layout)
    sizes = radii(marks.rollout.tree, marks.layout) / (high - low) * SIDE - 3  # without the air around them
    for node, (mark, place, r) in enumerate(zip(marks.nodes, _points(drawing.nodes, marks.layout), sizes, strict=True)):
        if mark.shape == "diamond":
            body = _new("path", d=f"M0 {-r:.1f} L{r:.1f} 0 L0 {r:.1f} L{-r:.1f} 0 Z")
        elif mark.shape == "square":
            corner, side = f"{-0.85 * r:.1f}", f"{1.7 * r:.1f}"
            body = _new("rect", x=corner, y=corner, width=side, height=side)
        else:
            body = _new("circle", r=f"{r:.1f}")
        for name, value in (
            ("fill", "none" if mark.open else mark.fill),
            ("stroke", mark.fill if mark.open else mark.rim),
        ):
            body.set(name, value)
        body.set("stroke-width", f"{mark.rim_width:g}")
        whole = _new("g", _new("title", text=mark.name), body, class_="node", data_node=node)
        whole.set("transform", f"translate({place})")
        if not mark.open:
            whole.append(_new("text", text=mark.label, font_size=10, **_label(mark, float(r))))
        parts.append(whole)
    return parts


def _label(mark: NodeMark, r: float) -> dict[str, Any]:
    """Where what is written of a node of radius r stands, and in which ink."""
    if mark.where == "in":
        return {"dy": 3.5, "fill": mark.ink, "text_anchor": "middle"}
    place: dict[str, Any] = {"fill": INK, "class_": "key", "dy": 3.5}
    if mark.where in ("above", "below"):
        return place | {"dy": -r - 4 if mark.where == "above" else r + 11, "text_anchor": "middle"}
    right = mark.where == "right"
    return place | {"dx": r + 4 if right else -r - 4, "text_anchor": "start" if right else "end"}


def _legend(marks: Marks) -> list[Element]:
    """What the lines, and the marks of edits, mean."""
    parts, x = [], 4.0
    for key in marks.legend():
        line = _new("path", d=f"M{x:g} {SIDE + 16:g} h22", stroke=key.colour, stroke_width=2)
        if key.dash:
            line.set("stroke-dasharray", " ".join(map(str, key.dash)))
        parts += [line, _text(x + 27, SIDE + 20, key.words, class_="key")]
        x += 46 + 6.6 * len(key.words)
    for name, words in EDITED.items() if marks.edit_types is not None else ():
        word = words.split()[0]
        parts.append(_cross(name, f"translate({x + 6:g} {SIDE + 16:g})"))
        parts.append(_text(x + 16, SIDE + 20, word, class_="key"))
        x += 35 + 6.6 * len(word)
    return parts


def _panels(rollout: Rollout, panels: dict[str, UInt8[np.ndarray, "H W 3"]], frame: int) -> list[Element]:
    """Pictures side by side: the slots' cells over those of image models, the skeleton over a body's, balls of states
    as discs.
    """
    parts, body, exact = [], skeleton(rollout), discs(rollout)
    for index, (title, picture) in enumerate(panels.items()):
        left = index * (PANEL + _GAP)
        parts.append(_text(left, 14.0, title))
        if body is not None:
            parts.append(_new("rect", x=left, y=_TITLE, width=PANEL, height=PANEL, fill=BLACK))
            parts.append(_image(picture, left, _TITLE, PANEL, opacity=body.frame))
            bones = _skeleton(body, title, frame)
            parts.append(_new("g", *bones, class_="skeleton", transform=f"translate({left:g} {_TITLE:g})"))
        elif exact is not None and title in ("truth", "prediction"):
            places = exact.truth if title == "truth" else exact.prediction
            parts += _discs(exact, places[frame], left, index)
        else:
            parts.append(_image(picture, left, _TITLE, PANEL))
        if rollout.observation == "frames":
            lines = "".join(
                f"M{left + k * PANEL / 4:g} {_TITLE:g} v{PANEL:g} M{left:g} {_TITLE + k * PANEL / 4:g} h{PANEL:g}"
                for k in (1, 2, 3)
            )
            parts.append(_new("path", d=lines, stroke=PAPER, stroke_opacity=0.25))
    return parts


def _skeleton(body: Skeleton, panel: str, frame: int) -> list[Element]:
    """The bones over one picture."""
    parts = []
    for stroke in body.strokes(panel, frame):
        look: dict[str, Any] = {"stroke": stroke.colour, "stroke_opacity": stroke.look.opacity}
        (x1, y1), (x2, y2) = (PANEL * stroke.ends.astype(np.float64)).round(2).tolist()
        line = _new("line", class_=f"bone {stroke.look.name}", x1=x1, y1=y1, x2=x2, y2=y2, **look,
                    stroke_width=stroke.width, stroke_linecap="butt" if stroke.look.dash else "round")  # fmt: skip
        if stroke.look.dash:
            line.set("stroke-dasharray", " ".join(map(str, stroke.look.dash)))
        parts.append(line)
        if stroke.head:
            parts.append(_new("circle", cx=x2, cy=y2, r=stroke.head, fill=stroke.colour))
    return parts


def _discs(exact: Discs, places: Float[np.ndarray, "M 2"], left: float, index: int) -> list[Element]:
    """Balls in a black square, cut off where they leave it."""
    box: dict[str, Any] = {"x": left, "y": _TITLE, "width": PANEL, "height": PANEL}
    clip = f"frame-{index}"
    balls = [
        _new("ellipse", cx=left + PANEL * x, cy=_TITLE + PANEL * y, rx=PANEL * a, ry=PANEL * b, fill=colour)
        for colour, (x, y), (a, b) in zip(exact.colours, places.tolist(), exact.axes.tolist(), strict=True)
        if np.isfinite(x + y)
    ]
    return [
        _new("clipPath", _new("rect", **box), id=clip),
        _new("rect", **box, fill=BLACK),
        _new("g", *balls, clip_path=f"url(#{clip})"),
    ]


def _image(picture: UInt8[np.ndarray, "H W 3"], x: float, y: float, side: float, **more: Any) -> Element:
    """A picture in the file itself; enlarged, because viewers would smooth its pixels."""
    times = max(1, 256 // len(picture))
    png = iio.imwrite("<bytes>", picture.repeat(times, 0).repeat(times, 1), extension=".png")
    data = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return _new("image", x=x, y=y, width=side, height=side, **more, href=data)


def _text(x: float, y: float, words: str, **more: Any) -> Element:
    return _new("text", text=words, x=x, y=y, fill=INK, **more)


def _rgb(frame: UInt8[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W 3"]:
    return frame if frame.shape[-1] == 3 else np.repeat(frame[..., :1], 3, -1)


def _points(points: Float[np.ndarray, "P 2"], layout: Layout) -> list[str]:
    """Layout units (y up) as pixels (y down)."""
    low, high = (0.0, 1.0) if layout == "image" else extent(layout)
    share = (np.asarray(points, dtype=np.float64) - low) / (high - low)
    return [f"{SIDE * x:.1f} {SIDE * (1 - y):.1f}" for x, y in share.tolist()]


# ElementTree escapes what names and titles hold; they come from strangers' files. ------------------------


def _new(tag: str, *children: Element, text: str = "", **attributes: Any) -> Element:
    """An element; in names of attributes an underscore is a hyphen."""
    values = {
        name.rstrip("_").replace("_", "-"): f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    element = Element(tag, values)
    element.text = "".join(letter for letter in text if letter.isprintable()) or None
    element.extend(children)
    return element


def _as_text(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")

"""Everything in one picture, and a film of it: pictures, interaction graph and the error over time. No torch.

Drawn at twice its size and halved, so that lines are smooth; the pixels that a model sees stay whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageColor, ImageDraw, ImageFont

from hri.core.records import Rollout
from hri.export.film import TITLES, Number, Point, dashes, film_panels, fitting, with_bones
from hri.view.agreement import agreement, hundredth
from hri.view.beliefs import aligned_names
from hri.view.facts import edge_rows, error_curves, scientific, title_of
from hri.view.layout import extent, radii
from hri.view.scene import EdgeMark, Marks
from hri.view.skeleton import skeleton
from hri.view.style import BLUE, FREE, OFFLINE, STYLE, VERMILLION

Shape = Literal["square", "wide"]
Theme = Literal["light", "dark"]

SIZES: dict[Shape, tuple[int, int]] = {"square": (720, 720), "wide": (1280, 720)}
"""Width and height in pixels; even, as H.264 wants them."""
_FINE = 2
_MARGIN, _HEAD, _WORDS = 16, 48, 20
"""Pixels around everything, of the title above, and of a line of words."""
Box = tuple[Number, Number, Number, Number]
"""Left, top, right and bottom in pixels."""


_LABELS = {
    "in": ((0, 0), "mm"),
    "above": ((0, -1), "ms"),
    "below": ((0, 1), "mt"),
    "left": ((-1, 0), "rm"),
    "right": ((1, 0), "lm"),
}
"""Where a node's words stand: steps of its radius to the right and down, and the anchor of the text."""


class Poster:
    """The pictures of one rollout of one scene.

    Args:
        rollout: what is shown; the hierarchy's edges, all where it has none of these.
        shape: of the picture.
        theme: ground and ink.
        title: above everything; "" says which model and scene it is.
    """

    def __init__(self, rollout: Rollout, shape: Shape = "wide", theme: Theme = "light", title: str = "") -> None:
        self.rollout, self.shape, self.title = rollout, shape, title or title_of(rollout)
        self.width, self.height = SIZES[shape]
        look = OFFLINE[theme]
        self.ground, self.ink, self.faint, self.line = (look[name] for name in ("ground", "ink", "faint", "line"))
        self.last = rollout.slots.shape[1] - 1
        self.turn = int(rollout.last_true_input) + 1
        self.marks, self.body = Marks(rollout, edge_rows(rollout, "hierarchy")), skeleton(rollout)
        wide = shape == "wide"
        side = 232 if wide else 164
        lefts = [_MARGIN + index * (side + 12) if wide else _MARGIN for index in range(3)]
        tops = [_HEAD + _WORDS if wide else _HEAD + _WORDS + index * (side + _WORDS + 4) for index in range(3)]
        self.pictures: list[Box] = [(x, y, x + side, y + side) for x, y in zip(lefts, tops, strict=True)]
        right, below = self.width - _MARGIN, self.height - _MARGIN - _WORDS
        self.graph: Box = (right - 500, _HEAD + 4, right, _HEAD + 504)
        self.time: Box = (_MARGIN + 40, 344 if wide else 632, self.pictures[-1][2] if wide else right, below)

    @cached_property
    def panels(self) -> list[UInt8[np.ndarray, "F H W 3"]]:
        """Truth, prediction and error, enlarged as far as they fit."""
        size = 32 if self.rollout.frames is None else self.rollout.frames.shape[2]
        return film_panels(self.rollout, max(1, int(self.pictures[0][2] - self.pictures[0][0]) // size))

    @cached_property
    def right(self) -> Float[np.ndarray, " T"] | None:
        """The share of edges that are right at each frame, where the truth is known."""
        try:
            seen = agreement(aligned_names(self.rollout))
        except ValueError:
            return None
        return None if seen is None else seen.all.right

    def frames(self) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
        """The picture of each predicted frame 1 ... T - 1."""
        return (self.picture(frame) for frame in range(1, self.last + 1))

    def picture(self, frame: int) -> UInt8[np.ndarray, "H W 3"]:
        """The picture of a frame 1 ... T - 1."""
        image = self._standing.copy()
        pen = _Pen(image)
        self._edges(pen, frame)
        self._nodes(pen)
        self._now(pen, frame)
        image = image.reduce(_FINE)
        for title, box, panel in zip(TITLES, self.pictures, self.panels, strict=True):
            picture = Image.fromarray(panel[frame - 1])
            picture = picture if self.body is None else with_bones(picture, self.body, title, frame)
            image.paste(picture, (int(box[0]), int(box[1])))
        if frame > self.turn:
            left, top, _, _ = self.pictures[1]
            size = self.panels[1].shape[1]
            edge = (left - 2, top - 2, left + size + 1, top + size + 1)
            ImageDraw.Draw(image).rectangle(edge, outline=FREE, width=2)
        return np.asarray(image)

    # What stands still -------------------------------------------------------------------------------------

    @cached_property
    def _standing(self) -> Image.Image:
        image = Image.new("RGB", (self.width * _FINE, self.height * _FINE), self.ground)
        pen = _Pen(image)
        pen.text((_MARGIN, _HEAD / 2), self.title, self.ink, 19, "lm", self.width - 2 * _MARGIN - 120)
        pen.text((self.width - _MARGIN, _HEAD / 2), "HRI Explorer", self.faint, 13, "rm")
        for title, (left, top, _, _) in zip(TITLES, self.pictures, strict=True):
            pen.text((left, top - 5), title, self.ink, 13, "ls")
        self._curves(pen)
        left, _, _, bottom = self.graph
        for key in self.marks.legend():
            pen.line([(left, bottom + 12), (left + 24, bottom + 12)], key.colour, min(key.width, 3), key.dash)
            pen.text((left + 30, bottom + 12), key.words, self.ink, 13, "lm")
            left += 48 + 7.2 * len(key.words)
        return image

    def _curves(self, pen: _Pen) -> None:
        """The error of every frame beside copying, burn-in and free run told apart."""
        curves = error_curves(self.rollout)
        values = np.concatenate([curves.model, curves.copy])
        values = values[np.isfinite(values) & (values > 0)]
        high = int(np.ceil(np.log10(values.max()))) if len(values) else 0
        low = max(int(np.floor(np.log10(values.min()))), high - 6) if len(values) else -1
        low = min(low, high - 1)
        left, top, right, bottom = self.time
        turn = self._x(min(self.turn, self.last))
        pen.box((left, top, turn, bottom), _mix(self.ink, self.ground, 0.05))
        pen.box((turn, top, right, bottom), _mix(VERMILLION, self.ground, 0.14))
        for power in range(low, high + 1):
            y = bottom - (bottom - top) * (power - low) / (high - low)
            pen.line([(left, y), (right, y)], self.line, 0.6)
            if power in (low, high):
                word = scientific(10.0**power).replace("1.0·", "")
                pen.text((left - 6, y), _plain_power(word), self.faint, 11, "rm")
        pen.text((left - 6, (top + bottom) / 2), "error", self.faint, 11, "rm")
        pen.text((left + 6, top + 4), "burn-in", self.faint, 11, "lt")
        if right - turn > 50:
            pen.text((right - 6, bottom - 5), "free run", self.faint, 11, "rs")
        for curve, colour, width, dash in ((curves.copy, self.faint, 1.0, (4, 4)), (curves.model, BLUE, 2.0, ())):
            shares = (np.log10(np.maximum(curve, 1e-30)) - low) / (high - low)
            ys = bottom - (bottom - top) * np.clip(shares, 0, 1)
            points = [(self._x(k + 1), float(y)) for k, y in enumerate(ys) if np.isfinite(y)]
            pen.line(points, colour, width, dash)

    def _x(self, frame: int) -> float:
        left, _, right, _ = self.time
        return left + (right - left) * frame / max(1, self.last)

    # What moves --------------------------------------------------------------------------------------------

    def _now(self, pen: _Pen, frame: int) -> None:
        """Where in time it is, as a line over the curves and in words; how many edges are right."""
        _, top, right, bottom = self.time
        x = self._x(frame)
        pen.line([(x, top), (x, bottom)], self.ink, 1.4)
        free = frame > self.turn
        pen.text((_MARGIN, bottom + 8), f"frame {frame} of {self.last}", self.ink, 13, "lt")
        words = "free run: it lives on its own predictions" if free else "burn-in: it sees the truth"
        pen.text((right, bottom + 8), words, VERMILLION if free else self.ink, 13, "rt")
        if self.right is not None:
            left, _, _, low = self.graph
            share = hundredth(float(self.right[frame]))
            pen.text((left, low + 32), f"{share} % of edges right at this frame", self.ink, 13, "lm")

    @cached_property
    def _places(self) -> tuple[Float[np.ndarray, "R P 2"], Float[np.ndarray, "C Q 2"], Float[np.ndarray, "N 2"]]:
        """Points of every edge's and spring's curve, and of the nodes, in pixels."""
        drawing, share = self.marks.drawing(0), np.linspace(0, 1, 17)[None, :, None]

        def curve(a: np.ndarray, c: np.ndarray, b: np.ndarray) -> np.ndarray:
            return (1 - share) ** 2 * a[:, None] + 2 * share * (1 - share) * c[:, None] + share**2 * b[:, None]

        edges = curve(*drawing.edges.swapaxes(0, 1))
        first, there, second, back = drawing.springs.swapaxes(0, 1)
        springs = np.concatenate([curve(first, there, second), curve(second, back, first)], 1)
        return self._pixels(edges), self._pixels(springs), self._pixels(drawing.nodes)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        (low, high), (left, top, right, bottom) = extent("radial"), self.graph
        share = (points - low) / (high - low)
        return np.stack([left + (right - left) * share[..., 0], bottom - (bottom - top) * share[..., 1]], -1)

    def _edges(self, pen: _Pen, frame: int) -> None:
        edges, springs, _ = self._places
        if self.marks.lit is not None:
            for points, lit in zip(springs, self.marks.lit[frame], strict=True):
                if lit:
                    pen.line(points.tolist(), STYLE.spring, STYLE.spring_width)
        shown = sorted(zip(self.marks.edges(frame), edges, strict=True), key=lambda pair: pair[0].opacity)
        for mark, points in shown:  # the surest lie on top: opacity is mixed with the ground, not with what lies below
            colour = _mix(mark.stroke.colour, self.ground, mark.opacity)
            pen.line(points.tolist(), colour, mark.width, mark.stroke.dash)
            if mark.stroke.head:
                pen.head(points[-2], points[-1], colour)
            if mark.edit:
                self._edit(pen, mark, points[len(points) // 2])

    def _edit(self, pen: _Pen, mark: EdgeMark, at: np.ndarray) -> None:
        """A cross over what is cut, a star over what is forced."""
        x, y = at.tolist()
        for dx, dy in ((4, 4), (4, -4)) if mark.edit == "cuts" else ((0, 5.5), (4.8, 2.8), (4.8, -2.8)):
            pen.line([(x - dx, y - dy), (x + dx, y + dy)], getattr(STYLE, mark.edit), 2.2)

    def _nodes(self, pen: _Pen) -> None:
        (low, high), (left, _, right, _) = extent("radial"), self.graph
        sizes = radii(self.rollout.tree, "radial") / (high - low) * (right - left) - 3
        for mark, (x, y), r in zip(self.marks.nodes, self._places[2].tolist(), sizes.tolist(), strict=True):
            pen.node(mark.shape, (x, y), r, mark.fill, mark.rim)
            (right, down), anchor = _LABELS[mark.where]
            at = (x + right * (r + 3), y + down * (r + 3))
            pen.text(at, mark.label, mark.ink if mark.where == "in" else self.ink, 11, anchor)


class _Pen:
    """Draws on an image of :data:`_FINE` times the pixels that it is told of."""

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)

    def text(self, at: Point, words: str, colour: str, size: int, anchor: str, room: Number = 0) -> None:
        font = ImageFont.load_default(size * _FINE)
        words = fitting(words, round(room * _FINE), font) if room else words
        self.draw.text((at[0] * _FINE, at[1] * _FINE), words, colour, font, anchor=anchor)

    def box(self, box: Box, colour: str) -> None:
        self.draw.rectangle(tuple(round(value * _FINE) for value in box), fill=colour)

    def line(self, points: list, colour: str, width: Number, dash: tuple[int, ...] = ()) -> None:
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        thick = max(1, round(width * _FINE))
        for piece in dashes(fine, [length * _FINE for length in dash]):
            if len(piece) > 1:
                self.draw.line(piece, colour, thick, joint="curve")

    def head(self, before: np.ndarray, tip: np.ndarray, colour: str) -> None:
        along = (tip - before) / max(float(np.linalg.norm(tip - before)), 1e-9)
        back, across = tip - 8 * along, np.array([-along[1], along[0]]) * 4
        corners = [tip, back + across, back - across]
        self.draw.polygon([(float(x) * _FINE, float(y) * _FINE) for x, y in corners], colour)

    def node(self, shape: str, at: Point, r: float, fill: str, rim: str) -> None:
        x, y, r = at[0] * _FINE, at[1] * _FINE, r * _FINE
        if shape == "circle":
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill, rim, _FINE)
        elif shape == "square":
            s = 0.85 * r
            self.draw.rectangle((x - s, y - s, x + s, y + s), fill, rim, _FINE)
        else:
            self.draw.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill, rim, _FINE)


def _mix(colour: str, ground: str, share: float) -> str:
    """A colour as it looks when it covers a share of the ground."""
    over, under = np.array(ImageColor.getrgb(colour)[:3]), np.array(ImageColor.getrgb(ground)[:3])
    red, green, blue = np.rint(under + share * (over - under)).astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _plain_power(words: str) -> str:
    """``10⁻³`` as ``1e-3``: the font that films are written in has no raised figures."""
    return f"1e{words[2:].translate(_RAISED)}" if words.startswith("10") and len(words) > 2 else words

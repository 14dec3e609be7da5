"""Balls and springs as JSON for the browser's playground (``app/player/arena.js``): sent once, nothing a frame.

Places are shares of the frame from its top left corner, as the renderer draws them, so that balls lie on their
pictures and on the cells of the slot grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.hierarchy import SLOT_TREE, Tree, node_name, ranks
from hri.physics.palette import LUMINANCE, PALETTE, to_pixels
from hri.view.player import pack
from hri.view.style import BRIGHT, INK, PAPER, PURPLE, STYLE, VERMILLION

Pair = tuple[int, int]

_CORNERS = to_pixels(np.array([[-1.0, 1.0], [1.0, -1.0]]), 1)
WALLS = [*_CORNERS[0].tolist(), *(_CORNERS[1] - _CORNERS[0]).tolist()]
"""The box as left, top, width, height."""
_AIR = 0.045
BOX_VIEW = [WALLS[0] - _AIR, WALLS[1] - _AIR, WALLS[2] + 2 * _AIR, WALLS[2] + 2 * _AIR]
"""What is shown where the box matters: it and a little air, square."""
FRAME_VIEW = [0.0, 0.0, 1.0, 1.0]
"""What is shown where pixels matter: the whole frame."""
RADII = (3.0, 2.6, 2.4)
"""Of root, intermediates and leaves, in hundredths of a frame."""

LOOKS: dict[str, tuple[str, float, float, str]] = {
    "off": (PAPER, 0.45, 1.4, "3 4"),
    "on": (STYLE.spring, 1, 3, ""),
    "right": (STYLE.spring, 1, 3.4, ""),
    "none": (PAPER, 0.25, 1, "3 4"),
    "wrong": (VERMILLION, 1, 3, "2 5"),
    "missed": (PURPLE, 1, 3.4, ""),
}
"""Colour, opacity, width and dash of a pair by the visitor's mark, and by what became of it; chips: arena.css."""


def to_box(place: Sequence[float]) -> tuple[float, float]:
    """A share of the frame (column, row) as a position in box units, kept inside the walls."""
    at = (np.asarray(place, dtype=np.float64) - [WALLS[0], WALLS[1]]) / [WALLS[2], WALLS[3]]
    x, y = np.clip([2 * at[0] - 1, 1 - 2 * at[1]], -1, 1)
    return float(x), float(y)


def arena_data(
    scene: str,
    positions: Float[np.ndarray, "T N 2"],
    tree: Tree,
    *,
    player: str = "learn",
    label: str = "Balls in a box",
    reset: str = "",
    report: Mapping[str, Any] | None = None,
    pairs: Sequence[Pair] = (),
    marking: bool = False,
    looks: Sequence[str | tuple[str, float, float, str]] | None = None,
    pair_words: Sequence[str] | None = None,
    chips: str = "",
    drag: bool = False,
    balls_shown: Sequence[int] | None = None,
    rings: Sequence[str] | None = None,
    hearts: Float[np.ndarray, "T G 2"] | None = None,
    heart_colours: Sequence[str] = (),
    cells: Mapping[str, Any] | None = None,
    image: UInt8[np.ndarray, "F H W 3"] | None = None,
    autoplay: bool = True,
    begin: int = 0,
    part: str = "arena",
    transport: bool = True,
) -> dict[str, Any]:
    """All that ``app/player/arena.js`` needs.

    Args:
        scene: a name for what moves; another name starts from the first frame.
        positions: of all balls over time, box units (walls at -1 and 1).
        tree: of the balls.
        player: whose clock moves them.
        label: what the picture shows, for those who do not see it.
        reset: while it stays the same, the visitor keeps marks and places.
        report: marks, placed and cell to begin with, as the browser tells them (:func:`nothing_told`).
        pairs: that can be seen, and marked where ``marking``.
        looks: of each pair in place of the visitor's marks: right, wrong, missed, none, or (colour, opacity, width,
            dash).
        pair_words: a word about each pair, on its chip.
        chips: heading of the list of pairs; empty: no list.
        drag: whether balls can be moved to another start.
        balls_shown: balls to draw; by default all.
        rings: a colour around each ball.
        hearts: points that move along, such as the middle of each family, with ``heart_colours``.
        cells: the slot grid, from :func:`grid`.
        image: frames behind everything; balls are then not filled, the picture shows them.
        autoplay: begin to move by itself.
        begin: the frame to begin at.
        part: where two playgrounds share a clock, a name for each.
        transport: show what plays and steps.
    """
    arrays = {"x": np.nan_to_num(to_pixels(positions, 1), nan=-9).astype(np.float32)}
    if hearts is not None:
        arrays["hearts"] = np.nan_to_num(to_pixels(hearts, 1), nan=-9).astype(np.float32)
    if image is not None:
        arrays["image"] = np.ascontiguousarray(image)
    levels, nodes = ranks(tree), range(tree.size) if balls_shown is None else balls_shown
    balls: list[dict[str, Any] | None] = [None] * tree.size
    for node in nodes:
        rgb = PALETTE[node % len(PALETTE)]
        balls[node] = {
            "name": f"ball {node} ({node_name(tree, node).split()[0]})",
            "text": str(node) if image is None else "",
            "colour": f"rgb({rgb[0]},{rgb[1]},{rgb[2]})",
            "ink": INK if rgb @ LUMINANCE > BRIGHT else PAPER,
            "radius": RADII[int(levels[node])],
            "ring": rings[node] if rings else "",
            "clear": image is not None,
        }
    return {
        "scene": scene,
        "player": player,
        "label": label,
        "reset": reset,
        "told": dict(report or nothing_told(reset)),
        "view": FRAME_VIEW if image is not None or cells else BOX_VIEW,
        "walls": WALLS,
        "balls": balls,
        "pairs": [list(map(int, pair)) for pair in pairs],
        "marking": marking,
        "looks": [look if isinstance(look, str) else list(look) for look in looks] if looks is not None else None,
        "styles": {name: list(look) for name, look in LOOKS.items()},
        "said": list(pair_words) if pair_words is not None else None,
        "chips": chips,
        "drag": drag,
        "hearts": list(heart_colours),
        "cells": dict(cells) if cells else None,
        "autoplay": autoplay,
        "begin": begin,
        "part": part,
        "transport": transport,
        "arrays": pack(arrays),
    }


def nothing_told(reset: str, marks: Sequence[Pair] = ()) -> dict[str, Any]:
    """What the browser tells before anything was touched."""
    return {"reset": reset, "marks": [list(map(int, pair)) for pair in marks], "placed": {}, "cell": None}


def grid(lit: Float[np.ndarray, " 16"] | None = None, choose: bool = False) -> dict[str, Any]:
    """The 4 x 4 cells of the leaf slots, each lit from 0 to 1."""
    return {
        "boxes": SLOT_TREE.cells[SLOT_TREE.leaves].tolist(),
        "names": [f"slot {node}" for node in SLOT_TREE.leaves.tolist()],
        "lit": [round(float(value), 3) for value in (np.zeros(16) if lit is None else np.clip(lit, 0, 1))],
        "choose": choose,
    }

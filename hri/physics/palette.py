"""Colours and places of balls in a frame: what pictures of every kind must agree on. No Numba.

A ball at (x, y) in [-1, 1]^2 of the box has its centre, in pixels from the top left corner of a frame of ``size``
pixels, at

    column = size (0.125 + 0.775 (x + 1) / 2)
    row    = size (1 - 0.11 - 0.77 (y + 1) / 2)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree

PALETTE: UInt8[np.ndarray, "7 3"] = np.array(
    [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0)],
    dtype=np.uint8,
)
"""Blue, green, red, white, cyan, magenta, yellow: node n has colour n mod 7."""

PUBLISHED = RenderConfig()
"""The look of the published frames."""

LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in a grey frame (ITU-R BT.601)."""

CURTAIN = 12 / 32
"""Side of the curtain as a share of the frame."""

# Pixel = OFFSET + SCALE * box, as shares of the frame; the row axis points down.
_OFFSET = np.array([0.125 + 0.775 / 2, 1 - 0.11 - 0.77 / 2])
_SCALE = np.array([0.775 / 2, -0.77 / 2])
HALF_AXES = np.array([0.04 * 0.775 + 25 / 36 / 32, 0.04 * 0.77 + 25 / 36 / 32])


def to_pixels(positions: Float[np.ndarray, "*shape 2"], size: int = 32) -> Float[np.ndarray, "*shape 2"]:
    """(column, row) of box positions (x, y), in pixels from the top left corner, where an overlay sits on the ball."""
    return size * (_OFFSET + _SCALE * np.asarray(positions))


def colours_of(tree: Tree, config: RenderConfig = PUBLISHED) -> UInt8[np.ndarray, "N 3"]:
    """Red, green and blue of each node's ball."""
    number = tree.limbs if config.colours == "limb" else np.arange(tree.size)
    return PALETTE[number % len(PALETTE)]


def half_axes(tree: Tree, config: RenderConfig) -> Float[np.ndarray, "N 2"]:
    """Half width and half height of each node's ball in pixels; 0 where the node is not drawn."""
    if config.level_radii:
        by_level = np.zeros(int(tree.depth.max()) + 1)
        radii = config.level_radii[: len(by_level)]
        by_level[: len(radii)] = radii
        multiple = by_level[tree.depth]
    else:
        multiple = np.zeros(tree.size)
        multiple[tree.leaves] = 1.0
    return config.size * config.radius * multiple[:, None] * HALF_AXES

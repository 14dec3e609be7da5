"""Trajectories as a small film of named dots, before any model has seen them."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from hri.core.hierarchy import Tree
from hri.view.style import BLACK, PAPER, node_colours

SIDE, MARGIN, DOT, TAIL = 320, 26, 6, 12
"""Pixels of a side, of the rim and of a dot's radius; frames that a trail reaches back."""


def film(positions: Float[np.ndarray, "T N X"], names: tuple[str, ...], tree: Tree, fps: float = 12.0) -> bytes:
    """A GIF of objects that move, each with its name and a trail; x to the right, y up, one scale for both.

    Args:
        positions: in any unit; a third axis is left out.
        names: of the objects.
        tree: whose colours they have.
        fps: frames a second of the film.
    """
    places = np.asarray(positions[..., :2], np.float64)
    low, high = places.min((0, 1)), places.max((0, 1))
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-12)
    middle = (low + high) / 2
    pixels = (places - middle) * scale * np.array([1, -1]) + SIDE / 2
    colours, _ = node_colours(tree)
    pictures = []
    for frame in range(len(pixels)):
        picture = Image.new("RGB", (SIDE, SIDE), BLACK)
        pen = ImageDraw.Draw(picture)
        for node, name in enumerate(names):
            trail = [tuple(point) for point in pixels[max(0, frame - TAIL) : frame + 1, node]]
            if len(trail) > 1:
                pen.line(trail, fill=colours[node], width=1)
            x, y = pixels[frame, node]
            pen.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colours[node])
            left = x > 0.75 * SIDE
            place = (x - DOT - 2 if left else x + DOT + 2, y - DOT - 2)
            pen.text(place, name[:16], fill=PAPER, anchor="ra" if left else "la")
        pictures.append(picture)
    file = io.BytesIO()
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0, optimize=False
    )
    return file.getvalue()

"""Small pictures of a motion: a body at a few moments side by side on the ground, each limb in its colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.physics.palette import colours_of

STEP, TALL = 1.15, 2.0
"""Metres: least distance of two poses, and least height of a picture."""


def poses(bodies: Float[np.ndarray, "P J 2"], tree: Tree) -> dict[str, Any]:
    """A picture as JSON for ``app/player/gallery.js``: one path a limb, in centimetres from the top left corner.

    Args:
        bodies: metres to the right of the root and above the ground; what is not finite is left out.
        tree: of the joints.
    """
    count = len(bodies)
    top = max(TALL, float(np.nanmax(bodies[..., 1], initial=0.0)) + 0.1)
    step = max(STEP, float(np.nan_to_num(np.ptp(bodies[..., 0], axis=1)).max(initial=0.0)))  # a crawl is long
    at = np.stack([bodies[..., 0] + step * (np.arange(count)[:, None] + 0.5), top - bodies[..., 1]], -1)
    lines: dict[str, list[str]] = {}
    rgb = colours_of(tree, RenderConfig(colours="limb")).tolist()
    for joint, parent in enumerate(tree.parents):
        if parent < 0:
            continue
        for ends in np.round(100 * at[:, [parent, joint]]):
            if np.isfinite(ends).all():
                (x1, y1), (x2, y2) = ends.astype(int).tolist()
                lines.setdefault("rgb({},{},{})".format(*rgb[joint]), []).append(f"M{x1} {y1}L{x2} {y2}")
    return {
        "width": round(100 * step * count),
        "height": round(100 * top) + 12,
        "ground": round(100 * top) + 4,
        "limbs": [[colour, "".join(parts)] for colour, parts in lines.items()],
    }

"""Do predicted pictures still show what is there? Light left, and balls kept. NumPy and SciPy only.

Squared errors reward a picture that fades: black is seldom far from a black frame with a few balls. These two do not.

- **Light left**: the sum of predicted pixels over that of true pixels, pixels in 0 ... 1 (what lies outside is cut
  off). 1 is as bright as the truth, 0 is black.
- **Balls kept**: of the balls that the true frame shows, the share that the prediction shows too: a blob of the same
  colour whose middle lies within :data:`REACH` of the true blob's. Blobs are matched one to one, nearest first as far
  as all together allow. A true ball of which others hide more than two thirds (:data:`WHOLE`) does not count.

A blob of a colour is a connected group of pixels (also diagonally) that look more like this colour than :data:`SURE`.
The colours of balls are corners of the colour cube (:data:`hri.physics.palette.PALETTE`), so how much a pixel looks
like one is min over the channels that it has, minus max over those that it has not. Grey frames have one colour.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from hri.physics.palette import PALETTE

REACH = 2.0
"""Pixels of a 32 x 32 frame between the middles of a true and a predicted blob."""
SURE = 0.3
"""From which likeness to a colour on a pixel belongs to a blob: a ball that has faded to less is not shown."""
LEAST = 0.4
"""Of a true ball's light in its own colour that a predicted blob must have."""
WHOLE = 1 / 3
"""Of a whole ball's area that must be seen in the true frame for the ball to count."""
_AROUND = np.ones((3, 3))


def light_left(
    prediction: Float[np.ndarray, "M H W C"], truth: Float[np.ndarray, "M H W C"]
) -> Float[np.ndarray, " M"]:
    """Predicted over true light of each frame; NaN where the true frame is black."""
    light = np.clip(prediction, 0, 1).sum((1, 2, 3))
    there = truth.sum((1, 2, 3))
    return np.divide(light, there, out=np.full(len(truth), np.nan), where=there > 0)


def balls_kept(
    prediction: Float[np.ndarray, "M H W C"], truth: Float[np.ndarray, "M H W C"], area: float
) -> Float[np.ndarray, " M"]:
    """The share of each true frame's balls that the prediction shows; NaN where the true frame shows none.

    Args:
        prediction: pixels in 0 ... 1.
        truth: the same.
        area: of one whole ball, in pixels.
    """
    shares = np.full(len(truth), np.nan)
    reach = REACH * truth.shape[1] / 32
    for row, (picture, real) in enumerate(zip(prediction, truth, strict=True)):
        count = matches = 0
        for colour in colours(truth.shape[3]):
            there, light = blobs(real, colour)
            whole = light >= WHOLE * area
            there, light = there[whole], light[whole]
            if not len(there):
                continue
            count += len(there)
            places, brightness = blobs(picture, colour)
            if not len(places):
                continue
            apart = cdist(there, places)
            fits = (apart <= reach) & (brightness[None] >= LEAST * light[:, None])
            first, second = linear_sum_assignment(np.where(fits, apart, 1e6))
            matches += int(fits[first, second].sum())
        if count:
            shares[row] = matches / count
    return shares


def ball_area(axes: Float[np.ndarray, "N 2"]) -> float:
    """Pixels of the smallest ball that is drawn, from half-axes (:func:`hri.physics.render.half_axes`)."""
    areas = np.pi * axes.prod(1)
    return float(areas[areas > 0].min())


def colours(channels: int) -> Float[np.ndarray, "K C"]:
    """The colours that balls can have, 0 or 1 a channel."""
    return PALETTE / 255.0 if channels == 3 else np.ones((1, channels))


def blobs(
    frame: Float[np.ndarray, "H W C"], colour: Float[np.ndarray, " C"]
) -> tuple[Float[np.ndarray, "R 2"], Float[np.ndarray, " R"]]:
    """Middles (row, column) of the blobs of a colour, weighed by likeness, and the light of each: summed likeness."""
    has = colour > 0
    lacks = frame[..., ~has].max(-1) if (~has).any() else 0.0
    like = np.clip(frame[..., has].min(-1) - lacks, 0, 1)
    labels, count = ndimage.label(like > SURE, _AROUND)
    if not count:
        return np.empty((0, 2)), np.empty(0)
    numbers = np.arange(1, count + 1)
    middles = np.array(ndimage.center_of_mass(like, labels, numbers)).reshape(-1, 2)
    return middles, np.asarray(ndimage.sum_labels(like, labels, numbers))

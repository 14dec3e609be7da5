"""The part of a frame that each slot can see: its receptive field, from the encoder's layers
(:func:`hri.core.decoding.leaf_layers`).

No torch: a field follows from kernels, strides and pooling alone.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from hri.core.config import RenderConfig, VisionConfig
from hri.core.decoding import UPPER, Convolution, leaf_layers
from hri.core.hierarchy import SLOT_TREE

Span = tuple[int, int]
"""First and last pixel, both included."""


def receptive_fields(vision: VisionConfig, render: RenderConfig) -> Float[np.ndarray, "21 4"]:
    """Left, top, right and bottom of what each slot can see, as shares of the frame in 0 ... 1.

    A rectangle because rows and columns pass the same layers, each by itself.
    """
    to_leaves = leaf_layers(vision.decoder, render.size)
    fields = np.empty((SLOT_TREE.size, 4))
    for node, cell in enumerate(SLOT_TREE.cells):
        layers = to_leaves + UPPER[: 2 - int(SLOT_TREE.depth[node])]
        cells = 1 << int(SLOT_TREE.depth[node])  # 1, 2 or 4 along an axis
        for axis in (0, 1):
            at = round(float(cell[axis]) * cells)
            first, last = _seen((at, at), layers, render.size)
            fields[node, axis], fields[node, axis + 2] = first / render.size, (last + 1) / render.size
    return fields


def _seen(span: Span, layers: tuple[Convolution, ...], size: int) -> Span:
    """Pixels of the frame that a span of the last layer's outputs rests on."""
    sizes = [size]
    for layer in layers[:-1]:
        sizes.append(sizes[-1] // (layer.stride * layer.pool))
    for layer, inputs in zip(reversed(layers), reversed(sizes), strict=True):
        span = _inputs(layer, span, inputs)
    return span


def _inputs(layer: Convolution, span: Span, size: int) -> Span:
    """The pixels, of ``size`` there are, that a span of a layer's outputs rests on; padding is no pixel."""
    before, _ = layer.padding
    first, last = span[0] * layer.pool, (span[1] + 1) * layer.pool - 1
    return max(0, first * layer.stride - before), min(size - 1, last * layer.stride - before + layer.kernel - 1)

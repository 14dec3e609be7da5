"""The part of a frame that each slot can see: its receptive field, from the encoder's layers (hri/model/encoder.py).

No torch: a field follows from kernels, strides and pooling alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hri.core.config import RenderConfig, VisionConfig
from hri.core.hierarchy import SLOT_TREE

Span = tuple[int, int]
"""First and last pixel, both included."""


@dataclass(frozen=True)
class _Block:
    """A convolution with "SAME" padding, then max-pooling (:class:`hri.model.layers.ConvBlock`), along one axis."""

    kernel: int
    stride: int = 1
    pool: int = 1

    def inputs(self, span: Span, size: int) -> Span:
        """The pixels, of ``size`` there are, that a span of outputs rests on; padding is no pixel."""
        before = max(0, self.kernel - self.stride) // 2
        first, last = span[0] * self.pool, (span[1] + 1) * self.pool - 1
        return max(0, first * self.stride - before), min(size - 1, last * self.stride - before + self.kernel - 1)


def receptive_fields(vision: VisionConfig, render: RenderConfig) -> Float[np.ndarray, "21 4"]:
    """Left, top, right and bottom of what each slot can see, as shares of the frame in 0 ... 1.

    A rectangle because rows and columns pass the same layers, each by itself.
    """
    blocks = [_Block(8, pool=2)] if render.size == 64 else []
    blocks += [_Block(8, stride=8)] if vision.decoder == "slot" else [_Block(8, pool=2)] * 3
    upper = [_Block(2, pool=2)] * 2
    fields = np.empty((SLOT_TREE.size, 4))
    for node, cell in enumerate(SLOT_TREE.cells):
        layers = blocks + upper[: 2 - int(SLOT_TREE.depth[node])]
        cells = 1 << int(SLOT_TREE.depth[node])  # 1, 2 or 4 along an axis
        for axis in (0, 1):
            at = round(float(cell[axis]) * cells)
            first, last = _seen((at, at), layers, render.size)
            fields[node, axis], fields[node, axis + 2] = first / render.size, (last + 1) / render.size
    return fields


def _seen(span: Span, layers: list[_Block], size: int) -> Span:
    """Pixels of the frame that a span of the last layer's outputs rests on."""
    sizes = [size]
    for layer in layers[:-1]:
        sizes.append(sizes[-1] // (layer.stride * layer.pool))
    for layer, inputs in zip(reversed(layers), reversed(sizes), strict=True):
        span = layer.inputs(span, inputs)
    return span

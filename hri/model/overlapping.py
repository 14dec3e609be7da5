"""Decoders of ours: SlotDec whose slots overlap, ParDec whose cells hear their neighbours (docs/training.md)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from hri.core.config import RenderConfig, VisionConfig
from hri.core.decoding import DecoderName
from hri.model.decoders import PUBLISHED, Decoder, with_index
from hri.model.encoder import LEAF_CELLS
from hri.model.layers import conv_weights, linear, upsample, upsampling


class OverlappingDecoder(Decoder):
    """SlotDec whose slots paint their own 8 x 8 cell and :attr:`hri.core.decoding.DecoderSpec.margin` pixels around it;
    where these overlap, what they paint adds up. A ball on a border is then no business of one slot alone.
    """

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        self.margin, self.size, self.channels = vision.spec.margin, render.size, render.channels
        self.cell = render.size // 4
        self.start = (self.cell + 2 * self.margin) // 4
        """Rows and columns of the map that two doublings turn into a slot's picture."""
        self.hidden = vision.decoder_channels
        self.spread = linear(vision.slot_width + 1, self.hidden * self.start**2)
        self.layers = upsampling(self.hidden, self.hidden // 2, render.channels, 2)
        self.order: Tensor
        self.register_buffer("order", slot_of_cell(), persistent=False)

    def pieces(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M 16 P"]:
        """What each slot paints, flat, cells rows first."""
        maps = F.relu(self.spread(with_index(slots).index_select(1, self.order)))
        drawn = upsample(self.layers, maps.view(-1, self.hidden, self.start, self.start))
        return drawn.flatten(1).unflatten(0, slots.shape[:2])

    def join(self, pieces: Float[Tensor, "M 16 P"]) -> Float[Tensor, "M C H W"]:
        """Pieces in their places, added up; what would lie outside the frame is cut off."""
        side = self.cell + 2 * self.margin
        return F.fold(pieces.float().transpose(1, 2), (self.size, self.size), side, 1, self.margin, self.cell)

    def each(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M L C H W"]:
        """The image of each slot alone."""
        pieces = self.pieces(slots).index_select(1, self.order.argsort())
        alone = torch.diag_embed(pieces.transpose(1, 2)).permute(0, 2, 3, 1)  # M slot cell P, all others black
        places = alone.index_select(2, self.order)
        return self.join(places.flatten(0, 1)).unflatten(0, slots.shape[:2])

    def forward(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M C H W"]:
        return self.join(self.pieces(slots))


class MixingDecoder(Decoder):
    """ParDec whose slots lie where their cells are and first hear their neighbours, by one more 3 x 3 convolution."""

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        hidden, doublings = vision.decoder_channels, {32: 3, 64: 4}[render.size]
        self.mix = nn.Conv2d(vision.slot_width + 1, 2 * hidden, 3, padding=1)
        conv_weights(self.mix, self.mix.out_channels)
        self.layers = upsampling(2 * hidden, hidden, render.channels, doublings)
        self.order: Tensor
        self.register_buffer("order", slot_of_cell(), persistent=False)

    def forward(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M C H W"]:
        cells = with_index(slots).index_select(1, self.order).transpose(1, 2)
        return upsample(self.layers, F.relu(self.mix(cells.unflatten(2, (4, 4)))))


def slot_of_cell() -> Int[Tensor, "16"]:
    """Slot of each cell of the 4 x 4 grid, rows first."""
    return LEAF_CELLS.argsort()


NETWORKS: dict[DecoderName, Callable[[VisionConfig, RenderConfig], Decoder]] = PUBLISHED | {
    "overlap": OverlappingDecoder,
    "strided": MixingDecoder,
}
"""Of each decoder that :data:`hri.core.decoding.DECODERS` describes."""

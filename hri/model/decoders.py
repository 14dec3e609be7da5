"""Slots to frames: SlotDec draws each leaf slot alone and sums, ParDec draws all at once (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from hri.core.config import RenderConfig, VisionConfig
from hri.core.decoding import DecoderName
from hri.model.encoder import LEAF_CELLS
from hri.model.layers import conv_weights, linear, upsample, upsampling


def with_index(slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M L D+1"]:
    """Append (k + 1) / L, so that the decoder knows which slot it draws."""
    count = slots.shape[1]
    index = torch.arange(1, count + 1, device=slots.device, dtype=slots.dtype) / count
    return torch.cat([slots, index[None, :, None].expand(len(slots), -1, 1)], 2)


class Decoder(nn.Module):
    """What every decoder offers: frames of leaf slots [M, 16, D]."""

    layers: nn.ModuleList
    """Transposed convolutions; the last one makes pixels."""

    def forward(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M C H W"]:
        """The frames, pixels around 0 ... 1."""
        raise NotImplementedError

    def each(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M L C H W"]:
        """The image of each slot alone, which sum to the frame.

        Raises:
            ValueError: slots are drawn together (:attr:`hri.core.decoding.DecoderSpec.draws_slots_alone`).
        """
        raise ValueError("this decoder draws all slots together; no slot has an image of its own")


class PatchDecoder(Decoder):
    """A decoder that draws each slot alone, in four doublings from 2 x 2 to 32 x 32 pixels, and so can be trained on
    single patches (:attr:`hri.core.decoding.DecoderSpec.trains_patches`).
    """

    inputs: int
    """Numbers of a slot with its index."""
    spread: nn.Module
    """A slot with its index to its map of 2 x 2."""
    cells: Int[Tensor, " L"]
    """Cell of the 4 x 4 grid, rows first, that each slot stands for."""


class SlotDecoder(PatchDecoder):
    """SlotDec: every leaf slot is decoded to a whole image of its own; the frame is their sum."""

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        self.inputs = vision.slot_width + 1
        self.spread = linear(self.inputs, self.inputs * 4)
        doublings = {32: 4, 64: 5}[render.size]
        self.layers = upsampling(self.inputs, vision.decoder_channels, render.channels, doublings)
        self.register_buffer("cells", LEAF_CELLS.clone(), persistent=False)

    def each(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M L C H W"]:
        """The image of each slot alone."""
        return self.draw(with_index(slots).flatten(0, 1)).unflatten(0, slots.shape[:2])

    def draw(self, indexed: Float[Tensor, "R D1"]) -> Float[Tensor, "R C H W"]:
        """Images of slots that already carry their index."""
        return upsample(self.layers, F.relu(self.spread(indexed)).view(-1, self.inputs, 2, 2))

    def forward(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M C H W"]:
        return self.each(slots).sum(1)


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


class ParallelDecoder(Decoder):
    """ParDec: the slots laid out as a 4 x 4 map (slot order, columns first) are decoded together."""

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        doublings = {32: 3, 64: 4}[render.size]
        self.layers = upsampling(vision.slot_width + 1, vision.decoder_channels, render.channels, doublings)

    def forward(self, slots: Float[Tensor, "M L D"]) -> Float[Tensor, "M C H W"]:
        side = round(slots.shape[1] ** 0.5)
        grid = with_index(slots).unflatten(1, (side, side)).permute(0, 3, 2, 1)
        return upsample(self.layers, grid)


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


NETWORKS: dict[DecoderName, Callable[[VisionConfig, RenderConfig], Decoder]] = {
    "slot": SlotDecoder,
    "par": ParallelDecoder,
    "overlap": OverlappingDecoder,
    "strided": MixingDecoder,
}
"""Of each decoder that :data:`hri.core.decoding.DECODERS` describes."""

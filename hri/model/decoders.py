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
from hri.model.layers import linear, upsample, upsampling


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


PUBLISHED: dict[DecoderName, Callable[[VisionConfig, RenderConfig], Decoder]] = {
    "slot": SlotDecoder,
    "par": ParallelDecoder,
}
"""The paper's two."""

"""Frames to slots: a convolutional map of 4 x 4 cells gives 16 leaf slots, its summaries 4 + 1 upper slots
(paper, section 3.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hri.core.config import RenderConfig, VisionConfig
from hri.core.decoding import UPPER, leaf_layers
from hri.core.hierarchy import SLOT_TREE
from hri.model.layers import ConvBlock, Norm, linear

_CORNER = torch.as_tensor(SLOT_TREE.cells[:, :2]).double()
LEAF_CELLS = (_CORNER[5:] * 4).round().long() @ torch.tensor([1, 4])
"""Index into a flattened 4 x 4 map (rows first) of each leaf slot [16]."""
QUADRANT_CELLS = (_CORNER[1:5] * 2).round().long() @ torch.tensor([1, 2])
"""Index into a flattened 2 x 2 map (rows first) of each intermediate slot [4]."""


SLOT_BIAS = 2.5
"""Initial bias of the leaf slots' layer. With the published 0.1 the ReLU silences some of the 16 features for most
patches, and for good: the slots then hold less, and reconstruction stops early (docs/training.md)."""


class LeafEncoder(nn.Module):
    """Frames -> 4 x 4 feature map -> 16 leaf slots.

    The ParDec version sees the whole frame through three 8 x 8 convolutions with pooling. The SlotDec
    version is one 8 x 8 convolution of stride 8: each slot sees its own patch and nothing else.
    A 64 x 64 frame passes one more convolution first.

    Slots that are standardised (:attr:`hri.core.decoding.DecoderSpec.standardised`) are the map themselves, normalised
    over frames; the paper's are read off the map by a linear layer and rectified.
    """

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        channels = vision.encoder_channels
        blocks = []
        inputs = render.channels + 2
        for layer in leaf_layers(vision.decoder, render.size):
            blocks.append(ConvBlock(inputs, channels, layer))
            inputs = channels
        self.blocks = nn.Sequential(*blocks)
        self.to_slot = linear(channels, vision.slot_width)
        self.standard = Norm(vision.slot_width, affine=False) if vision.spec.standardised else None
        if self.standard is None:
            nn.init.constant_(self.to_slot.bias, SLOT_BIAS)
        self.mesh: Tensor
        line = torch.linspace(-1, 1, render.size)
        mesh = torch.stack(torch.meshgrid(line, line, indexing="xy"))[None]
        self.register_buffer("mesh", mesh, persistent=False)
        self.cells: Tensor
        self.register_buffer("cells", LEAF_CELLS.clone(), persistent=False)

    def map(self, frames: Float[Tensor, "M C H W"]) -> Float[Tensor, "M F 4 4"]:
        """Feature map of each frame (pixels in 0 ... 1): what stage 2 computes once and keeps."""
        mesh = self.mesh.expand(len(frames), -1, -1, -1)
        features = self.blocks(torch.cat([mesh, frames], 1))
        if self.standard is None:
            return features
        cells = F.conv2d(features, self.to_slot.weight[:, :, None, None], self.to_slot.bias)
        return self.standard(cells.float())

    def slots(self, features: Float[Tensor, "M F 4 4"]) -> Float[Tensor, "M 16 D"]:
        """Leaf slots, one a cell, in slot order."""
        cells = features.flatten(2).index_select(2, self.cells).transpose(1, 2)
        return F.relu(self.to_slot(cells)) if self.standard is None else cells


class UpperEncoder(nn.Module):
    """Feature map -> 4 intermediate slots and the root, each a convolution above the last."""

    def __init__(self, vision: VisionConfig):
        super().__init__()
        channels = vision.slot_width if vision.spec.standardised else vision.encoder_channels
        self.intermediate, self.root = (ConvBlock(channels, channels, layer) for layer in UPPER)
        self.to_slot = linear(channels, vision.slot_width)
        self.standardised = vision.spec.standardised
        self.cells: Tensor
        self.register_buffer("cells", QUADRANT_CELLS.clone(), persistent=False)

    def forward(self, features: Float[Tensor, "M F 4 4"]) -> Float[Tensor, "M 5 D"]:
        """[root, 4 intermediates] in slot order."""
        quadrants = self.intermediate(features)
        root = self.root(quadrants).flatten(2)
        ordered = quadrants.flatten(2).index_select(2, self.cells)
        slots = self.to_slot(torch.cat([root, ordered], 2).transpose(1, 2))
        return F.layer_norm(slots, slots.shape[-1:]) if self.standardised else F.relu(slots)

"""A cheap start for SlotDec: train single slots on single 8 x 8 tiles before training whole sums.

A SlotDec slot sees one patch of the frame and should draw that patch on black. So it can be trained alone,
its own patch as target. Only its own tile of its image is decoded, and for some slots a random other tile
that stands for the rest; weights keep the expected loss that of the whole masked image. Decoding a tile
costs about a quarter of decoding an image, and black patches are mostly left out.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from hri.model.decoders import PatchDecoder, with_index
from hri.model.encoder import LEAF_CELLS

EMPTY_KEPT = 1 / 8
"""Share of the black patches that are trained."""
OUTSIDE_KEPT = 1 / 4
"""Share of the trained slots that are also held to black outside their patch."""


def tile_loss(
    decoder: PatchDecoder,
    slots: Float[Tensor, "M 16 D"],
    frames: Float[Tensor, "M C 32 32"],
    rows: Int[Tensor, " R"],
    weights: Float[Tensor, " R"],
    others: Int[Tensor, " R2"],
) -> Float[Tensor, ""]:
    """Squared error of the chosen slots' images against their own masked patches, per frame (as the sum would be).

    Args:
        rows: chosen (frame, slot) pairs as indices into M x 16, from :func:`choose`.
        weights: how many pairs each stands for.
        others: for the first R2 of them (they come in random order), a random other tile (0 ... 15) that
            stands for the 15 tiles outside the patch.
    """
    # Rows are gathered by index_select, whose gradient a CUDA graph can hold.
    own = decoder.cells.index_select(0, rows % 16)
    patches = frames.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)  # M*4*4 C 8 8
    truth = patches.index_select(0, rows // 16 * 16 + own)
    maps = _half_drawn(decoder, with_index(slots).flatten(0, 1).index_select(0, rows))
    inside = ((_tile(decoder, maps, own) - truth) ** 2).sum((1, 2, 3))
    outside = (_tile(decoder, maps[: len(others)], others) ** 2).sum((1, 2, 3))
    held = 15 * len(rows) / max(len(others), 1)
    return ((inside * weights).sum() + held * (outside * weights[: len(others)]).sum()) / len(frames)


def choose(
    frames: Float[Tensor, "M C 32 32"], generator: torch.Generator
) -> tuple[Int[Tensor, " R"], Float[Tensor, " R"], Int[Tensor, " R2"]]:
    """Which (frame, slot) pairs to train, what each stands for, and the other tile each draws."""
    filled = frames.amax(1).unfold(1, 8, 8).unfold(2, 8, 8).amax((3, 4)).flatten(1) > 0  # M 16 in map order
    filled = filled[:, LEAF_CELLS]
    mask = filled | (torch.rand(filled.shape, generator=generator) < EMPTY_KEPT)
    rows = mask.flatten().nonzero().squeeze(1)
    rows = rows[torch.randperm(len(rows), generator=generator)]
    weights = torch.where(filled.flatten()[rows], 1.0, 1 / EMPTY_KEPT)
    held = rows[: int(len(rows) * OUTSIDE_KEPT)]
    others = torch.randint(1, 16, held.shape, generator=generator)
    return rows, weights, (LEAF_CELLS[held % 16] + others) % 16


def _half_drawn(decoder: PatchDecoder, indexed: Float[Tensor, "R D1"]) -> Float[Tensor, "R F 8 8"]:
    """The first two of SlotDec's four layers, whole: they cost a tenth of it."""
    maps = F.relu(decoder.spread(indexed)).view(-1, decoder.inputs, 2, 2)
    for layer in decoder.layers[:2]:
        maps = F.relu(layer(maps), inplace=True)
    return maps


def _tile(decoder: PatchDecoder, maps: Float[Tensor, "R F 8 8"], cells: Int[Tensor, " R"]) -> Float[Tensor, "R C 8 8"]:
    """One 8 x 8 tile of each slot's image, computed from the 4 x 4 part of the map that it depends on.

    A transposed 4 x 4 convolution of stride 2 needs one neighbour on each side: an 8-pixel tile needs 6 pixels
    of the 16 x 16 map, and these need 4 of the 8 x 8 map. Pixels computed without their neighbours are cut off;
    pixels beyond the map's border are zero, as in the whole image.
    """
    top, left = cells // 4 * 2 - 1, cells % 4 * 2 - 1
    part = _Crop.apply(maps, top, left)
    third = F.relu(decoder.layers[2](part))[:, :, 1:7, 1:7]
    line = torch.arange(6, device=maps.device)
    rows, columns = top[:, None] * 2 + 1 + line, left[:, None] * 2 + 1 + line  # of the 16 x 16 map
    exists = ((rows >= 0) & (rows < 16))[:, :, None] & ((columns >= 0) & (columns < 16))[:, None]
    return decoder.layers[3](third * exists[:, None])[:, :, 2:10, 2:10]


class _Crop(torch.autograd.Function):
    """4 x 4 windows of [R, F, 8, 8] maps, zeros beyond the border, from corners (top, left) in -1 ... 5.

    As whole-row copies of a channels-last padded map, both ways: the windows never overlap, so the gradient
    is copied back rather than added.
    """

    @staticmethod
    def forward(context: Any, maps: Tensor, top: Tensor, left: Tensor) -> Tensor:
        rows, width = maps.shape[:2]
        padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).reshape(-1, width)  # R*10*10 F
        line = torch.arange(4, device=maps.device)
        y, x = (top + 1)[:, None] + line, (left + 1)[:, None] + line
        index = torch.arange(rows, device=maps.device)[:, None, None] * 100 + y[:, :, None] * 10 + x[:, None]
        context.save_for_backward(index)
        context.shape = (rows, width)
        return padded.index_select(0, index.flatten()).view(rows, 4, 4, width).permute(0, 3, 1, 2)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (index,) = context.saved_tensors
        rows, width = context.shape
        padded = gradient.new_zeros(rows * 100, width)
        padded.index_copy_(0, index.flatten(), gradient.permute(0, 2, 3, 1).reshape(-1, width))
        return padded.view(rows, 10, 10, width)[:, 1:9, 1:9].permute(0, 3, 1, 2), None, None

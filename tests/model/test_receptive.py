"""What a slot can see is what moves it: fields from the layers against gradients of the encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hri.core.config import RenderConfig, VisionConfig
from hri.core.decoding import DECODERS
from hri.core.hierarchy import SLOT_TREE
from hri.model.encoder import LeafEncoder, UpperEncoder
from hri.model.receptive import receptive_fields


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("decoder", list(DECODERS))
def test_a_field_is_the_rectangle_around_all_pixels_that_matter(decoder: str, size: int) -> None:
    torch.manual_seed(0)
    vision = VisionConfig(decoder=decoder, encoder_channels=4, slot_width=8)  # type: ignore[arg-type]
    render = RenderConfig(size=size)  # type: ignore[arg-type]
    leaves, upper = LeafEncoder(vision, render).eval(), UpperEncoder(vision).eval()
    frames = torch.rand(12, 3, size, size, requires_grad=True)
    features = leaves.map(frames)
    slots = torch.cat([upper(features), leaves.slots(features)], 1)
    fields = receptive_fields(vision, render)
    for node in (0, 1, 4, 5, 8, 14, 20):
        # Weighed, for the sum of numbers that are normalised together is always 0.
        (gradient,) = torch.autograd.grad((slots[:, node] * torch.rand(8)).sum(), frames, retain_graph=True)
        rows, columns = np.nonzero((gradient != 0).any(0).any(0).numpy())
        box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / size
        outwards = (box - fields[node]) * size * [-1, -1, 1, 1]
        assert (outwards <= 1e-6).all(), "nothing beyond the field matters"
        # Three rounds of pooling let few gradients through: the outermost pixels may be missed.
        assert (outwards >= (-4 if decoder == "par" else -1e-6)).all(), (decoder, size, node)


def test_slotdec_s_slots_see_their_own_cells() -> None:
    fields = receptive_fields(VisionConfig(decoder="slot"), RenderConfig())
    assert np.array_equal(fields[SLOT_TREE.leaves], SLOT_TREE.cells[SLOT_TREE.leaves])
    wide = receptive_fields(VisionConfig(decoder="par"), RenderConfig())
    assert ((wide[:, 2:] - wide[:, :2]) >= fields[:, 2:] - fields[:, :2]).all()

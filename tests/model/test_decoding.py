"""What is said of a decoder is what its network does, and nobody asks in another way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

import hri
from hri.core.config import Config, ModelConfig, RenderConfig, VisionConfig
from hri.core.decoding import DECODERS, UPPER, DecoderName, leaf_layers
from hri.core.hierarchy import SLOT_TREE
from hri.core.presets import PRESETS, TRAINING, VISION
from hri.model.model import Model
from hri.model.overlapping import NETWORKS
from hri.model.vision import Vision

ROOT = Path(hri.__file__).parents[1]


def test_every_decoder_has_a_description_a_network_and_presets() -> None:
    assert set(get_args(DecoderName)) == set(DECODERS) == set(NETWORKS)
    assert list(VISION) == list(TRAINING) == ["state", *DECODERS]
    for name in DECODERS:
        config = PRESETS[f"springs-4-3-{name}-hri"]
        assert config.model.seen == name
        assert config.model.sees_frames


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("size", [32, 64])
def test_layers_lead_from_frames_to_four_two_and_one_cells(name: DecoderName, size: int) -> None:
    for layer in leaf_layers(name, size):
        size //= layer.stride * layer.pool
    assert size == 4
    assert [layer.pool for layer in UPPER] == [2, 2]


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_decoder_draws_slots_alone_if_it_says_so(name: DecoderName) -> None:
    vision = VisionConfig(decoder=name, slot_width=4, encoder_channels=4, decoder_channels=4)
    eyes, slots = Vision(vision, RenderConfig()), torch.rand(3, 21, 4)
    config = ModelConfig(vision=vision)
    assert config.draws_slots_alone is Model(Config(model=config)).draws_slots_alone is DECODERS[name].draws_slots_alone
    if DECODERS[name].draws_slots_alone:
        torch.testing.assert_close(eyes.draw_each(slots).sum(1), eyes.draw(slots))
    else:
        with pytest.raises(ValueError, match="no slot has an image of its own"):
            eyes.draw_each(slots)


def test_overlapping_slots_paint_their_cell_and_its_margin() -> None:
    vision = VisionConfig(decoder="overlap", slot_width=4, encoder_channels=4, decoder_channels=4)
    drawn = Vision(vision, RenderConfig()).draw_each(torch.rand(1, 21, 4))[0]
    for leaf, cell in enumerate(SLOT_TREE.cells[SLOT_TREE.leaves]):
        rows, columns = drawn[leaf].abs().amax(0).nonzero().unbind(1)
        left, top, right, bottom = cell * 32 + np.array([-4, -4, 4, 4])
        assert (columns.min(), columns.max() + 1) == (max(0, left), min(32, right))
        assert (rows.min(), rows.max() + 1) == (max(0, top), min(32, bottom))


@pytest.mark.parametrize("name", [name for name, spec in DECODERS.items() if spec.standardised])
def test_standardised_slots_have_mean_0_and_variance_1(name: DecoderName) -> None:
    torch.manual_seed(0)
    vision = VisionConfig(decoder=name, slot_width=6, encoder_channels=8, decoder_channels=4)
    eyes, frames = Vision(vision, RenderConfig()).train(), torch.rand(40, 3, 32, 32)
    leaves = eyes.leaf_slots(eyes.features(frames))
    torch.testing.assert_close(leaves.mean((0, 1)), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(leaves.var((0, 1), unbiased=False), torch.ones(6), atol=0.05, rtol=0)
    for _ in range(60):
        eyes.features(frames)
    torch.testing.assert_close(eyes.eval().leaf_slots(eyes.features(frames)), leaves, atol=0.1, rtol=0.05)
    upper = eyes.slots(eyes.features(frames))[:, :5]
    torch.testing.assert_close(upper.pow(2).mean(2), torch.ones(40, 5), atol=0.02, rtol=0)


def test_what_a_model_sees_is_asked_of_the_model() -> None:
    """Its parts may be missing; only the model and its configuration know which."""
    asking = re.compile(r"\bvision (is|is not) None|\bmodel\.vision else\b|if (\w+\.)*model\.vision\b(?!\.)")
    files = [path for folder in ("hri", "app") for path in (ROOT / folder).rglob("*.py")]
    others = [path for path in files if path.relative_to(ROOT).parts[:2] not in (("hri", "model"), ("hri", "core"))]
    assert [str(path) for path in others if asking.search(path.read_text(encoding="utf-8"))] == []

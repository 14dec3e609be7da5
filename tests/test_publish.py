"""A finished run among the checkpoints: scores, card, stored rollout."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hri.checkpoint import load, read_header
from hri.config import PRESETS, DataConfig
from hri.evaluate import evaluate, springs_of
from hri.publish import STORED_SEEDS, publish
from hri.records import Rollout
from hri.train import train


@pytest.mark.parametrize("seen", ["state", "slot"])
def test_a_run_is_published_with_scores_that_evaluate_repeats(seen: str, tmp_path: Path) -> None:
    config = PRESETS[f"springs-4-3-{seen}-hri-h"]
    settings = {
        "updates": 2,
        "batch": 2,
        "stage1_updates": 0 if seen == "state" else 1,
        "stage1_batch": 2,
        "precision": "no",
    }
    config = dataclasses.replace(
        config,
        data=DataConfig(train=4, validation=2, test=3),
        train=dataclasses.replace(config.train, **settings),  # type: ignore[arg-type]
    )
    list(train(config, tmp_path / "run", command="python -m hri train --preset first"))
    folder, stored = tmp_path / "checkpoints", tmp_path / "stored"
    publish(tmp_path / "run" / "best.safetensors", "one", folder, stored)

    header = read_header(folder / "one.safetensors")
    again = evaluate(load(folder / "one.safetensors"), springs_of(load(folder / "one.safetensors")))
    assert header.metrics["test"]["nll"] == pytest.approx(again["nll"], rel=1e-5)
    assert header.metrics["test"]["systems"] == 3
    card = (folder / "README.md").read_text()
    assert "## one" in card
    assert "python -m hri train --preset first" in card
    assert f"{again['nll']:,.0f}" in card
    rollout = Rollout.load(stored / "one.npz")
    assert tuple(rollout.seeds) == STORED_SEEDS
    assert rollout.checkpoint == "one"
    if seen == "slot":
        np.testing.assert_allclose(rollout.slot_frames.sum(2), rollout.predicted_frames, atol=16 / 512 + 1e-3)


def test_encoder_and_decoder_alone_are_not_published(tmp_path: Path) -> None:
    config = PRESETS["springs-4-3-par-hri-h"]
    config = dataclasses.replace(
        config,
        data=DataConfig(train=2, validation=1),
        train=dataclasses.replace(config.train, updates=0, stage1_updates=1, stage1_batch=2, precision="no"),
    )
    list(train(config, tmp_path / "run"))
    with pytest.raises(ValueError, match="train stage 2 first"):
        publish(tmp_path / "run" / "best.safetensors", "one", tmp_path / "c", tmp_path / "s")

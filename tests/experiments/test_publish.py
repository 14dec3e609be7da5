"""A finished run among the checkpoints: scores, card, stored rollout."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hri.core.config import DataConfig
from hri.core.presets import PRESETS
from hri.core.records import Rollout
from hri.experiments.publish import STORED_SEEDS, portable, publish, write_cards
from hri.model.checkpoint import Header, load, read_header, save
from hri.model.model import Model
from hri.scores.evaluate import evaluate, springs_of
from hri.training.loop import train
from tests.training.test_loop import small


@pytest.mark.parametrize("seen", [pytest.param("state", marks=pytest.mark.slow), "slot"])
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
        model=small(seen).model,
        train=dataclasses.replace(config.train, **settings),  # type: ignore[arg-type]
    )
    list(train(config, tmp_path / "run", command=["python", "-m", "hri", "train", "--preset", "first"]))
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
    edges = header.metrics["test"]["edges"]
    assert edges["burn_in"] == again["edges"]["burn_in"]
    for period in ("burn_in", "free_run"):
        assert f"accuracy found {edges[period]['overall']['accuracy']:.3f}" in card
        assert f"AUROC found {edges[period]['siblings']['auroc']:.3f}" in card
    assert ("PSNR" in card) == ("SSIM" in card) == ("in one slot" in card) == (seen == "slot")
    rollout = Rollout.load(stored / "one.npz")
    assert tuple(rollout.seeds) == STORED_SEEDS
    assert rollout.checkpoint == "one"
    if seen == "slot":
        np.testing.assert_allclose(rollout.slot_frames.sum(2), rollout.predicted_frames, atol=16 / 512 + 1e-3)


def test_checkpoints_from_before_a_score_keep_the_card_they_had(tmp_path: Path) -> None:
    """A header of the time when there were no edges, decibels or similarities."""
    scores = {"systems": 7, "nll": 9464.0, "nll_leaves": 9365.0, "nll_upper": None, "mse_by_step": [0.003, 0.005]}
    scores |= {"copy_baseline": {"nll": 17025.0}, "reconstruction_mse": None, "edge_accuracy": {"overall": 0.506}}
    config = PRESETS["springs-4-3-state-hri-h"]
    save(tmp_path / "old.safetensors", Model(config), Header(config, metrics={"test": scores}))
    write_cards(tmp_path)
    card = (tmp_path / "README.md").read_text()
    rows = card[card.index("| test NLL") : card.index("\n\n```")].splitlines()
    assert rows == [
        "| test NLL (7 systems) | 9,464 (copying the last state: 17,025) |",
        "| of leaves, of upper nodes | 9,365 |",
        "| error after 1, 5, 10, 20 steps | 3.00e-03 |",
        "| edge accuracy | overall 0.506 |",
    ]


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


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (
            "python -m hri train --preset p --run /a/b/runs/x/y --resume",
            "python -m hri train --preset p --run runs/x/y",
        ),
        ("python -m hri train --run /elsewhere/x", "python -m hri train --run runs/x"),
        ("python -m hri train --run ../plans/long/x --seed 0", "python -m hri train --run runs/x --seed 0"),
        ("first --run runs/x\nthen --vision-from /r/runs/s/best", "first --run runs/x\nthen --vision-from runs/s/best"),
        (
            "python -m hri train --run 'runs/a b' --data.tree 4-3",
            "python -m hri train --run 'runs/a b' --data.tree 4-3",
        ),
    ],
)
def test_commands_of_cards_run_on_any_machine(typed: str, told: str) -> None:
    assert portable(typed) == told

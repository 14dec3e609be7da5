"""Training: it learns, it resumes to the same numbers, several processes equal one, it stops with a sentence."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hri.__main__ import main
from hri.core.config import Config, DataConfig, TrainConfig
from hri.core.presets import CONTROLS, PRESETS
from hri.model import checkpoint
from hri.training import loop as training
from hri.training.loop import train
from hri.training.run_folder import Run
from hri.training.schedule import batch_rows, free_steps, learning_rate, prior_share
from hri.training.stages import TrainingStopped

SMALL = DataConfig(train=16, validation=4, test=4)
NARROW: dict[str, Any] = {"encoder_channels": 8, "decoder_channels": 8}
"""An encoder and decoder that are computed quickly."""


def small(seen: str = "state", variant: str = "hri-h", **changes: Any) -> Config:
    preset = PRESETS[f"springs-4-3-{seen}-{variant}"]
    settings = {
        "updates": 6,
        "batch": 4,
        "evaluate_every": 3,
        "stage1_updates": 4 if seen != "state" else 0,
        "stage1_batch": 4,
        "precision": "no",
    }
    model = preset.model
    if model.vision is not None:
        model = dataclasses.replace(model, vision=dataclasses.replace(model.vision, **NARROW))
    return dataclasses.replace(preset, data=SMALL, model=model, train=TrainConfig(**(settings | changes)))


def bare(seen: str = "state", variant: str = "hri-h", **changes: Any) -> Config:
    """The same without snapshots and pictures, which take longer than so few updates."""
    return small(seen, variant, **({"snapshots": 0} | changes))


def lines(folder: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without the clock."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def test_it_learns(tmp_path: Path) -> None:
    reports = list(train(bare(updates=60, evaluate_every=30, learning_rate=3e-3), tmp_path))
    assert reports[-1].losses["nll"] < reports[0].losses["nll"] * 0.7
    assert reports[-1].validation["nll"] < reports[29].validation["nll"]
    loaded = checkpoint.load(tmp_path / "best.safetensors")
    assert loaded.header.steps == {"stage2": 60}
    assert loaded.header.metrics["validation"]["nll"] == min(r.validation["nll"] for r in reports if r.validation)


@pytest.mark.parametrize("seen", [*(pytest.param(seen, marks=pytest.mark.slow) for seen in ("slot", "par")), "overlap"])
def test_two_stages(seen: str, tmp_path: Path) -> None:
    config = bare(seen, patch_share=0.5, precision="bf16")
    reports = list(train(config, tmp_path))
    assert [(r.stage, r.update) for r in reports] == [(1, u) for u in range(1, 5)] + [(2, u) for u in range(1, 7)]
    assert {"reconstruction_mse"} <= reports[3].validation.keys()
    assert {"nll", "frame_mse"} <= reports[-1].validation.keys()
    first = Path(tmp_path / "first")
    list(train(dataclasses.replace(config, train=dataclasses.replace(config.train, updates=0)), first))
    vision = checkpoint.load(first / "last.safetensors")
    assert vision.header.parts == "vision"
    # Stage 2 leaves the encoder's first part and the decoder as stage 1 made them.
    whole = checkpoint.load(tmp_path / "last.safetensors").model.state_dict()
    for name, value in vision.model.state_dict().items():
        if name.startswith(("vision.leaves", "vision.decoder")):
            torch.testing.assert_close(whole[name], value)
    # The same encoder and decoder, taken over, give the same stage 2.
    second = tmp_path / "second"
    alone = list(train(config, second, vision_from=str(first / "last.safetensors")))
    assert [r.losses for r in alone] == [r.losses for r in reports if r.stage == 2]
    header = checkpoint.read_header(second / "last.safetensors")
    assert header.steps == {"stage1": 4, "stage2": 6}


@pytest.mark.slow
def test_upper_slots_can_be_kept_small(tmp_path: Path) -> None:
    sizes, shares, seen = {}, {}, []
    for decay in (0.0, 1.0, 10.0):
        folder = tmp_path / f"{decay:g}"
        *_, last = train(
            bare("par", upper_decay=decay, schedule="constant", learning_rate=0.02, evaluate_every=6), folder
        )
        shares[decay] = last.losses["nll_upper"] / last.losses["nll"]
        weights = checkpoint.load(folder / "last.safetensors").model.state_dict()
        sizes[decay] = sum(float(w.norm()) for n, w in weights.items() if n.startswith("vision.upper") and w.ndim > 1)
        seen.append([w for n, w in weights.items() if n.startswith(("vision.leaves", "vision.decoder"))])
    assert sizes[10.0] < 0.6 * sizes[0.0]
    assert sizes[10.0] < sizes[1.0] < sizes[0.0]
    assert 0 < shares[10.0] < shares[0.0] < 1, "what the diagnosis warns of"
    for others in seen[1:]:
        assert all(map(torch.equal, seen[0], others)), "what stage 1 made stays"


@pytest.mark.slow
def test_seeing_can_be_refined(tmp_path: Path) -> None:
    config = bare("par", updates=0, stage1_updates=8)
    list(train(config, tmp_path / "first"))
    first = str(tmp_path / "first" / "last.safetensors")
    *_, last = train(config, tmp_path / "more", vision_from=first, refine=True, command=("refine", "--refine"))
    before = checkpoint.read_header(first).metrics["validation"]["reconstruction_mse"]
    assert last.validation["reconstruction_mse"] < before
    for report in train(config, tmp_path / "stopped", vision_from=first, refine=True, command=("refine", "--refine")):
        if report.update == 3:
            break
    list(train(config, tmp_path / "stopped", resume=True, vision_from=first, refine=True))
    assert lines(tmp_path / "stopped") == lines(tmp_path / "more")
    assert checkpoint.read_header(tmp_path / "stopped" / "last.safetensors").steps == {"stage1": 16}
    # A checkpoint's commands are all that made it, and no others.
    made = {"updates": 2, "stage1_updates": 8, "evaluate_every": 8}
    taken, by = str(tmp_path / "more" / "last.safetensors"), []
    for name in ("predicts", "again"):
        list(train(bare("par", **made), tmp_path / name, vision_from=taken, command=(name,)))
        taken = str(tmp_path / name / "last.safetensors")
        by.append(checkpoint.read_header(taken).command.splitlines())
    assert by == [["refine --refine", "predicts"], ["refine --refine", "again"]]
    # Updates that did not touch the encoder are not asked for again.
    both = tmp_path / "both"
    typed = "hri train --train.updates 2 --preset par --stage1-updates 8"
    list(train(bare("par", **made), both, command=typed.split()))
    list(train(bare("par", **made), tmp_path / "last", vision_from=str(both / "last.safetensors"), command=["last"]))
    assert checkpoint.read_header(tmp_path / "last" / "last.safetensors").command.splitlines() == [
        "hri train --preset par --stage1-updates 8 --updates 0",
        "last",
    ]
    with pytest.raises(ValueError, match="nothing to refine"):
        next(train(config, tmp_path / "other", refine=True))


@pytest.mark.parametrize("seen", [pytest.param("state", marks=pytest.mark.slow), "slot"])
def test_a_stopped_run_resumes_to_the_same_numbers(seen: str, tmp_path: Path) -> None:
    config = (small if seen == "state" else bare)(seen, patch_share=0.5)
    list(train(config, tmp_path / "straight"))
    for stop in (1, 4, 5, 8):
        for report in train(config, tmp_path / "stopped", resume=True):
            if report.update + (4 if report.stage == 2 and seen == "slot" else 0) == stop:
                break
    list(train(config, tmp_path / "stopped", resume=True))
    assert lines(tmp_path / "stopped") == lines(tmp_path / "straight")
    straight, stopped = (checkpoint.load(tmp_path / name / "last.safetensors") for name in ("straight", "stopped"))
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, stopped.model.state_dict()[name]), name


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """Kill -9 of the real command, again and again, ends with the numbers of an undisturbed run.

    Twice; HRI_KILLS=20 for twenty times.
    """
    kills = int(os.environ.get("HRI_KILLS", 2))
    words = [
        "train", "--preset", "springs-4-3-state-hri-h", "--updates", str(8 * kills),
        "--data.train", "16", "--data.validation", "4", "--train.batch", "4", "--train.evaluate-every", "5",
    ]  # fmt: skip
    assert main([*words, "--run", str(tmp_path / "straight")]) == 0
    killed = [sys.executable, "-m", "hri", *words, "--run", str(tmp_path / "killed"), "--resume"]
    metrics = tmp_path / "killed" / "metrics.jsonl"
    random = np.random.default_rng(0)
    for _ in range(kills):
        process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = metrics.stat().st_size if metrics.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if metrics.exists() and metrics.stat().st_size > before:
                break
            time.sleep(0.02)
        time.sleep(float(random.uniform(0, 0.5)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(killed, check=True, capture_output=True)
    assert lines(tmp_path / "killed") == lines(tmp_path / "straight")
    assert not list((tmp_path / "killed").glob("*.part"))


@pytest.mark.parametrize(("batch_norm", "tolerance"), [("running", 1e-4), ("batch", 2e-3)])
@pytest.mark.slow
def test_two_processes_equal_one(batch_norm: str, tolerance: float, tmp_path: Path) -> None:
    """Torchrun with two processes gives the one-process losses at the same global batch.

    ``--folder`` is ``--run``, which torchrun would take for its own ``--run-path``.
    """
    words = [
        "train", "--preset", "springs-4-3-state-hri-h", "--updates", "5", "--data.train", "16",
        "--data.validation", "4", "--train.batch", "4", "--train.batch-norm", batch_norm,
    ]  # fmt: skip
    launcher = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(29500 + os.getpid() % 1000),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    assert main([*words, "--folder", str(tmp_path / "one")]) == 0
    two_processes = [sys.executable, *launcher, "-m", "hri", *words, "--folder", str(tmp_path / "two")]
    subprocess.run(two_processes, check=True, capture_output=True, env=environment)
    one, two = lines(tmp_path / "one"), lines(tmp_path / "two")
    assert len(one) == len(two) == 5
    for single, shared in zip(one, two, strict=True):
        assert shared["loss"] == pytest.approx(single["loss"], rel=tolerance)


@pytest.mark.parametrize("seen", ["state", "slot", "par"])
@pytest.mark.parametrize("edge_types", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_more_edge_types_a_sparse_prior_and_the_smaller_tree_train(seen: str, edge_types: int, tmp_path: Path) -> None:
    config = bare(seen, updates=2, stage1_updates=1 if seen != "state" else 0, frames_decoded=1, no_edge_prior=0.9)
    relations = dataclasses.replace(config.model.relations, edge_types=edge_types)
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(SMALL, tree="3-3", physics="05", train=4, validation=2),
        model=dataclasses.replace(config.model, relations=relations),
    )
    last = list(train(config, tmp_path))[-1]
    assert (last.stage, last.update) == (2, 2)
    assert last.losses["edge_prior"] > 0  # a divergence from the prior, 0 only where they are equal
    assert np.isfinite([*last.losses.values(), last.validation["nll"]]).all()
    assert checkpoint.load(tmp_path / "best.safetensors").model.edge_types == edge_types


@pytest.mark.parametrize("variant", CONTROLS)
def test_controls_train(variant: str, tmp_path: Path) -> None:
    reports = list(train(bare(variant=variant, updates=6, evaluate_every=6), tmp_path))
    assert reports[-1].losses["nll"] < reports[0].losses["nll"]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = training.PredictionStage.inputs

    def spoiled(self: Any, update: int, rows: np.ndarray) -> dict[str, Any]:
        chosen = inputs(self, update, rows)
        return chosen | {"seen": chosen["seen"] * (float("nan") if update == 4 else 1)}

    monkeypatch.setattr(training.PredictionStage, "inputs", spoiled)
    with pytest.raises(TrainingStopped, match=r"no longer a number at update 5.*update 3 is kept.*lower learning rate"):
        list(train(bare(), tmp_path))
    assert checkpoint.load(tmp_path / "last.safetensors").header.steps == {"stage2": 3}
    monkeypatch.undo()
    assert [r.update for r in train(bare(), tmp_path, resume=True)] == [4, 5, 6]


def test_folders_are_not_overwritten(tmp_path: Path) -> None:
    list(train(bare(updates=1), tmp_path))
    with pytest.raises(ValueError, match="--resume"):
        next(train(bare(updates=1), tmp_path))
    with pytest.raises(ValueError, match="another config"):
        next(train(bare(updates=2), tmp_path, resume=True))
    assert list(train(bare(updates=1), tmp_path, resume=True)) == []
    (tmp_path / "state.safetensors").write_bytes(b"half")
    with pytest.raises(ValueError, match="damaged"):
        next(train(bare(updates=1), tmp_path, resume=True))


def test_a_half_written_line_is_dropped(tmp_path: Path) -> None:
    config = bare()
    list(train(config, tmp_path))
    whole = lines(tmp_path)
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"update": 7, "st')
    with Run(tmp_path, config, resume=True):
        pass
    assert lines(tmp_path) == whole


def test_wrong_encoders_are_refused(tmp_path: Path) -> None:
    list(train(bare("slot", updates=0), tmp_path / "slot"))
    taken = str(tmp_path / "slot" / "last.safetensors")
    with pytest.raises(ValueError, match="same decoder"):
        next(train(bare("par"), tmp_path / "par", vision_from=taken))
    with pytest.raises(ValueError, match="only image models"):
        next(train(bare(), tmp_path / "state", vision_from=taken))


def test_schedule_and_order() -> None:
    rates = [learning_rate(1e-3, update, 1000, 100, "cosine") for update in range(1000)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) < 1e-3
    assert rates[-1] == pytest.approx(1e-5, rel=0.1)
    assert learning_rate(1e-3, 999, 1000, 100, "constant") == 1e-3
    rows = np.concatenate([batch_rows(0, 2, update, 8, 20) for update in range(5)])
    assert sorted(rows[:20]) == sorted(rows[20:]) == list(range(20))
    assert not (rows[:20] == rows[20:]).all()
    assert not (rows[:8] == batch_rows(1, 2, 0, 8, 20)).all()


def test_the_prior_rises_and_eases_and_free_steps_grow() -> None:
    plain = TrainConfig(updates=100)
    assert {prior_share(plain, update) for update in range(100)} == {1.0}
    assert {free_steps(plain, update) for update in range(100)} == {10}
    eased = TrainConfig(updates=100, prior_warmup=10, prior_end=0.01, free_steps_start=5)
    shares = [prior_share(eased, update) for update in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[9]
    assert shares[50] == pytest.approx(0.1)
    assert shares[100] == pytest.approx(0.01)
    steps = [free_steps(eased, update) for update in range(100)]
    assert steps == sorted(steps)
    shares_of = [steps.count(step) for step in range(5, 11)]
    assert sum(shares_of) == 100
    assert max(shares_of) - min(shares_of) <= 1


@pytest.mark.parametrize("changes", [{"edge_sample": "straight"}, {"average": 0.9, "prior_end": 0.1}])
def test_settings_of_relations_resume_to_the_same_numbers(changes: dict[str, Any], tmp_path: Path) -> None:
    config = bare(free_steps_start=4, prior_warmup=2, **changes)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    list(train(config, whole))
    for index, _ in enumerate(train(config, halves)):
        if index == 2:
            break
    list(train(config, halves, resume=True))
    assert lines(whole) == lines(halves)


@pytest.mark.slow
def test_snapshots_over_the_course_of_training_are_few_and_load(tmp_path: Path) -> None:
    reports = list(train(small(updates=9, evaluate_every=1, snapshots=4), tmp_path))
    kept = sorted((tmp_path / "snapshots").glob("*.safetensors"))
    assert 2 <= len(kept) <= 4
    steps = [checkpoint.load(path).header.steps["stage2"] for path in kept]
    assert steps[-1] == 9, "the newest stays"
    assert [f"{step:09}" for step in steps] == [path.stem for path in kept]
    watched = reports[-1].validation
    assert len(watched["mse_by_step"]) == len(watched["copy_mse_by_step"]) == 20
    assert watched["copy_nll"] > 0
    assert 0 <= watched["edge_accuracy"] <= 1
    assert reports[-1].losses["edge_type_0"] + reports[-1].losses["edge_type_1"] == pytest.approx(1)
    assert "nll_upper" not in reports[-1].losses, "upper states of systems that are no images are given"
    list(train(small(updates=1, evaluate_every=1, snapshots=0), tmp_path / "none"))
    assert not (tmp_path / "none" / "snapshots").exists()

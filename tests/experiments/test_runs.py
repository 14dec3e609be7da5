"""Runs as folders: made, listed, noted, cloned, deleted and brought back, exported, promoted; and their commands."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tyro
from tyro.conf import AvoidSubcommands, DisallowNone, FlagCreatePairsOff

from hri.cli.train import training
from hri.core.config import Config
from hri.core.presets import PRESETS, preset
from hri.core.settings import changed
from hri.experiments import runs
from hri.model.checkpoint import load
from hri.training.control import FolderClaim
from hri.training.loop import train
from tests.training.test_loop import small


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    list(train(small(updates=4, evaluate_every=2), root / "first"))
    return root


def read(words: list[str]) -> Config:
    """The config that a command line asks for, read by the command itself."""
    caught: dict[str, Any] = {}
    command = training(words[1:], words)

    def catch(config: Config, *rest: Any) -> Any:
        caught["config"] = config
        return iter(())

    import hri.training.loop

    before, hri.training.loop.train = hri.training.loop.train, catch
    try:
        tyro.cli(command, args=words[1:], config=(FlagCreatePairsOff, AvoidSubcommands, DisallowNone))
    finally:
        hri.training.loop.train = before
    return caught["config"]


@pytest.mark.parametrize("name", ["springs-4-3-state-nri", "springs-3-3-slot-hri-h", "springs-4-3-par-lstm-lo"])
def test_a_command_leads_to_exactly_its_config(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = preset(name)
    many = changed(
        config,
        {
            "train.updates": 3, "train.learning_rate": 0.00125, "train.batch_norm": "running", "data.train": 9,
            "data.render.level_radii": (1.0, 0.5), "data.render.curtain": True, "data.render.size": 64,
            "model.dynamics.residual": not config.model.dynamics.residual, "model.relations.edge_types": 3,
        },
    )  # fmt: skip
    for wanted in (config, many):
        words = runs.command(tmp_path / "a run", wanted)
        assert read(words) == wanted
    assert len(runs.command(tmp_path, config)) == 6, "a preset needs no flags"


def test_a_config_of_no_preset_has_no_command(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown preset"):
        runs.command(tmp_path, replace(preset("springs-4-3-state-nri"), name="mine"))


def test_a_trained_run_is_listed_with_where_it_stands(trained: Path) -> None:
    (found,) = runs.runs(trained)
    assert (found.name, found.state, found.stage, found.update, found.updates) == ("first", "finished", 2, 4, 4)
    assert found.config == small(updates=4, evaluate_every=2)
    best = load(trained / "first" / "best.safetensors").header.metrics["validation"]["nll"]
    assert found.best == pytest.approx(best)
    assert list(runs.checkpoints_of(found.folder)) == [2, 4]
    assert runs.runs(trained / "nowhere") == []


def test_half_a_line_and_a_nonsense_config_are_no_error(trained: Path, tmp_path: Path) -> None:
    folder = runs.clone(tmp_path, trained / "first", "copy")
    text = (trained / "first" / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(text[: len(text) - 40])
    assert runs.info(folder).update == 3
    (folder / "config.json").write_text('{"train": {"batch": "many"}}')
    found = runs.info(folder)
    assert found.state == "damaged"
    assert "config.train.batch must be int" in found.reason
    assert [run.state for run in runs.runs(tmp_path)] == ["damaged"]


def test_names_are_unique_and_safe(tmp_path: Path) -> None:
    config = PRESETS["springs-4-3-state-lstm"]
    runs.create(tmp_path, "one", config, note="the first")
    with pytest.raises(ValueError, match="there is a run one already"):
        runs.create(tmp_path, "one", config)
    for name in ("", "../up", ".hidden", "a/b", "x" * 61, "käse", "-x"):
        with pytest.raises(ValueError, match="a run's name has 1 to 60"):
            runs.create(tmp_path, name, config)
    assert runs.free_name(tmp_path, "one") == "one-2"
    assert runs.free_name(tmp_path, "../ü b") == "b"
    assert runs.info(tmp_path / "one").state == "new"
    assert runs.info(tmp_path / "one").about.note == "the first"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="denied"):
        runs.create(tmp_path, "one", PRESETS["springs-4-3-state-lstm"])


def test_notes_clone_delete_and_back(trained: Path, tmp_path: Path) -> None:
    folder = runs.clone(tmp_path, trained / "first", "second")
    runs.write_about(folder, replace(runs.read_about(folder), note="slower"))
    third = runs.clone(tmp_path, folder, "third")
    assert runs.info(third).config == runs.info(folder).config
    assert runs.info(third).about.note == "slower"
    assert {run.name for run in runs.runs(tmp_path)} == {"second", "third"}

    place = runs.delete(tmp_path, folder)
    assert [run.name for run in runs.runs(tmp_path)] == ["third"]
    assert runs.restore(tmp_path, place, "second") == folder
    assert runs.info(folder).about.note == "slower"
    with pytest.raises(ValueError, match="no longer in the trash"):
        runs.restore(tmp_path, place, "fourth")

    claim = FolderClaim(folder)
    with pytest.raises(ValueError, match="second is being trained"):
        runs.delete(tmp_path, folder)
    claim.release()
    old = runs.delete(tmp_path, folder)
    os.utime(old, (time.time() - runs.KEPT - 60,) * 2)
    runs.delete(tmp_path, third)
    assert not old.exists(), "after a week it is gone"


def test_an_archive_opens_without_us(trained: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(runs.archive(trained / "first"))) as zipped:
        assert zipped.testzip() is None
        names = set(zipped.namelist())
        config = json.loads(zipped.read("first/config.json"))
    assert {"first/best.safetensors", "first/metrics.jsonl", "first/snapshots/000000004.safetensors"} <= names
    assert "first/state.safetensors" not in names
    assert config["train"]["updates"] == 4


def test_promoted_checkpoints_load_and_never_replace_another(trained: Path, tmp_path: Path) -> None:
    target = runs.promote(trained / "first", tmp_path / "checkpoints", "mine")
    assert load(target).header.steps["stage2"] in (2, 4)
    with pytest.raises(ValueError, match="there is a checkpoint mine already"):
        runs.promote(trained / "first", tmp_path / "checkpoints", "mine")
    empty = runs.create(tmp_path, "empty", PRESETS["springs-4-3-state-lstm"])
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        runs.promote(empty, tmp_path / "checkpoints", "other")

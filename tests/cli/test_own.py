"""Trajectories of one's own on the terminal: read, trained on, scored and rolled out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hri.__main__ import main
from hri.core.records import Rollout
from hri.model.checkpoint import load, read_header, save
from hri.rollout.reach import outside
from hri.rollout.rollout_files import read_rollout
from tests.flat_models import made
from tests.trajectories import NAMES, moving, write_generated, write_table

FEW = ["--updates", "3", "--data.train", "16", "--data.validation", "4", "--train.batch", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table and the published generator's files, both made into data sets."""
    folder = tmp_path_factory.mktemp("own")
    write_generated(folder / "generated", "springs", {"train": 40, "valid": 8, "test": 8})
    write_table(folder / "bees.csv", moving(30))
    for source, out in (("generated", "springs"), ("bees.csv", "bees")):
        tree = ["--tree", "cluster"] if out == "bees" else []
        assert main(["data", "trajectories", str(folder / source), "--out", str(folder / out), *tree]) == 0
    return folder


def train(folder: Path, preset: str, data: str, run: str) -> Path:
    flags = ["--preset", preset, "--data.own.folder", str(folder / data), "--run", str(folder / run)]
    assert main(["train", *flags, *FEW]) == 0
    return folder / run / "best.safetensors"


def test_a_table_says_what_was_understood(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "trajectories", str(folder / "bees.csv"), "--out", str(tmp_path / "own" / "bees")]
    assert main([*command, "--objects", "nobody"]) == 1
    assert "there is no object 'nobody'" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()  # nothing is left behind
    assert main(command) == 0
    output = capsys.readouterr()
    assert "id names the object, x (mm), y (mm) are where it is, time [s] the time." in output.err
    assert main([*command[:-1], str(tmp_path / "again"), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["names"] == list(NAMES)
    assert (values["unit"], values["truth"], values["tree"]) == ("mm", "none", "flat-5")
    assert main(command) == 1
    assert "is there already" in capsys.readouterr().err


def test_published_files_are_trained_on_scored_and_rolled_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = train(folder, "own-state-nri-mlp", "springs", "run")
    config = read_header(checkpoint).config
    assert config.data.own is not None
    assert (config.data.own.frames, config.data.own.truth, config.train.free_steps) == (49, "relations", 10)
    capsys.readouterr()
    assert main(["evaluate", "--checkpoint", str(checkpoint), "--data", str(folder / "springs"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["systems"] == 8
    assert 0 <= scores["edges"]["whole"]["overall"]["accuracy"] <= 1
    out = folder / "r.npz"
    assert (
        main(["rollout", "--checkpoint", str(checkpoint), "--input", str(folder / "springs"), "--out", str(out)]) == 0
    )
    rollout = read_rollout(out.read_bytes())
    assert rollout.slots.shape == (8, 49, 5, 4)
    assert rollout.force.truths == ("no relation", "true relation")
    assert rollout.in_units(rollout.slots)[..., :2].max() < 5


def test_models_of_simulated_balls_take_them_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "springs5-state-nri.safetensors"
    save(path, made("springs5-state-nri").model, made("springs5-state-nri").header)
    assert main(["evaluate", "--checkpoint", str(path), "--data", str(folder / "springs"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["systems"] == 8
    assert main(["evaluate", "--checkpoint", str(path), "--data", str(folder / "bees"), "--json"]) == 1
    assert "needs two axes, no hierarchy and known relations" in capsys.readouterr().err


def test_names_and_units_travel_with_a_rollout(folder: Path) -> None:
    checkpoint = train(folder, "own-state-hri", "bees", "hierarchy")
    out = folder / "b.npz"
    assert main(["rollout", "--checkpoint", str(checkpoint), "--input", str(folder / "bees"), "--out", str(out)]) == 0
    rollout = Rollout.load(out)
    assert set(rollout.tree.names) == set(NAMES)
    assert rollout.units is not None
    assert rollout.units.tolist() == ["mm", "mm", "mm/s", "mm/s"]
    inside = rollout.in_units(rollout.slots)
    assert 100 < inside[..., :2].min() < inside[..., :2].max() < 300
    assert rollout.true_adjacency is None


def test_a_scene_beyond_training_is_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = train(folder, "own-state-nri", "bees", "flat")
    write_table(folder / "far.csv", moving(30) * 2)
    assert (
        main(["data", "trajectories", str(folder / "far.csv"), "--out", str(folder / "far"), "--tree", "cluster"]) == 0
    )
    capsys.readouterr()
    command = ["rollout", "--checkpoint", str(checkpoint), "--out", str(folder / "f.npz"), "--input"]
    assert main([*command, str(folder / "bees")]) == 0
    assert "outside" not in capsys.readouterr().out
    assert main([*command, str(folder / "far")]) == 0
    output = capsys.readouterr().out
    assert "This scene lies outside what best was trained on, so its predictions mean little: " in output
    assert " mm here and was " in output
    rollout = Rollout.load(folder / "f.npz")
    assert outside(load(checkpoint), rollout) != ""


def test_what_cannot_be_trained_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for preset, data, sentence in (
        ("own-state-hri", str(folder / "springs"), "have no hierarchy; choose own-state-nri"),
        ("own-state-nri", "nowhere", "there is no trajectories.npz in nowhere; make it with `python -m hri data"),
    ):
        command = ["train", "--preset", preset, "--data.own.folder", data, "--run", str(tmp_path / "x")]
        assert main(command) == 1
        assert sentence in capsys.readouterr().err


def test_depth_is_a_third_axis(tmp_path: Path) -> None:
    turning = np.random.default_rng(0).normal(size=(6, 30, 3, 3)).cumsum(1)
    np.savez(tmp_path / "d.npz", positions=turning, units="m", fps=10, parents=[1, -1, 1])
    assert main(["data", "trajectories", str(tmp_path / "d.npz"), "--out", str(tmp_path / "d")]) == 0
    checkpoint = train(tmp_path, "own-state-hri", "d", "run")
    config = read_header(checkpoint).config
    assert config.data.own is not None
    assert (config.width, config.data.own.frames, config.train.free_steps) == (6, 29, 9)
    command = ["rollout", "--checkpoint", str(checkpoint), "--input", str(tmp_path / "d"), "--free-steps", "5"]
    assert main([*command, "--out", str(tmp_path / "d.out.npz")]) == 0
    rollout = read_rollout((tmp_path / "d.out.npz").read_bytes())
    assert rollout.units is not None
    assert rollout.units.tolist() == ["m"] * 3 + ["m/s"] * 3
    assert np.abs(rollout.in_units(rollout.slots)[..., :3]).max() <= np.abs(turning).max() + 1e-4

"""Models in words: presets in parts, shipped checkpoints with their tests, trainings with their validation."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from hri.core.presets import PRESETS, VARIANTS, preset
from hri.experiments import scoreboard
from hri.experiments.catalogue import SEEN, described, parts_of
from hri.model.checkpoint import Header, read_header
from hri.scores import ceilings

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
FLAGSHIP = "springs-4-3-state-hri-h"


def flagship() -> Header:
    return read_header(CHECKPOINTS / f"{FLAGSHIP}.safetensors")


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_name_has_three_parts(name: str) -> None:
    parts = parts_of(name)
    assert parts is not None
    data, seen, variant = parts
    assert "-".join(parts) == name
    assert seen == PRESETS[name].model.seen
    assert variant in VARIANTS
    assert "state" not in data.split("-")


def test_other_names_have_none() -> None:
    assert parts_of("mine") is None
    assert parts_of("springs-4-3-state") is None


def test_every_variant_has_a_label() -> None:
    assert set(VARIANTS) <= set(scoreboard.MODELS)


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.safetensors")), ids=lambda path: path.stem)
def test_a_shipped_model_is_told_in_its_tests_own_numbers(path: Path) -> None:
    header = read_header(path)
    test = header.metrics["test"]
    told = described(path.stem, header, ceilings.of_header(header, path))
    assert told.sees.startswith(SEEN[header.config.model.seen])
    assert f"{header.steps['stage2']:,} updates" in told.sees
    assert ("edges right" in told.edges) == bool(test.get("edges"))
    if header.config.model.sees_frames:
        assert f"{test['frame_psnr_by_step'][9]:.1f} dB" in told.error
    else:
        share = test["mse_by_step"][9] / test["copy_baseline"]["mse_by_step"][9]
        assert f"{share:.2g} of repeating" in told.error


def test_levels_are_told_apart_because_a_model_may_find_one_and_not_the_other() -> None:
    header = flagship()
    edges = header.metrics["test"]["edges"]["burn_in"]
    told = described(FLAGSHIP, header)
    assert f"intermediate-leaf found {edges['intermediate-leaf']['accuracy']:.2f}" in told.edges
    assert f"siblings found {edges['siblings']['accuracy']:.2f}" in told.edges


def test_what_a_name_adds_to_its_presets_is_told() -> None:
    header = flagship()
    assert described(FLAGSHIP, header).kind == "HRI-H"
    assert described(f"{FLAGSHIP}-seed1", header).kind == "HRI-H, seed 1"
    assert described(f"{FLAGSHIP}-equal", header).kind == "HRI-H, equal"
    assert described("my-run@300", header).kind == "HRI-H"


def test_a_training_is_told_by_its_validation_and_guessing() -> None:
    errors = {"mse_by_step": [0.0] * 9 + [0.1], "copy_mse_by_step": [1.0] * 9 + [0.4]}
    validation = {"edge_accuracy": 0.9, "edge_guess": 0.6} | errors
    header = dataclasses.replace(flagship(), metrics={"validation": validation})
    told = described("run@3", header)
    assert told.edges == "edges right: found 0.90, guessing 0.60"
    assert told.error == "error after 10 free steps: 0.25 of repeating the last state"
    pictures = validation | {"frame_mse_by_step": [0.3] * 10, "copy_frame_mse_by_step": [0.6] * 10}
    told = described("run@3", dataclasses.replace(header, metrics={"validation": pictures}))
    assert told.error == "pixel error after 10 free steps: 0.5 of repeating the last frame"
    nothing = described("run@3", dataclasses.replace(header, metrics={}))
    assert (nothing.edges, nothing.error) == ("", "")


def test_models_stand_as_their_presets_do() -> None:
    header = flagship()
    names = ["springs-4-3-state-hri-h", "springs-3-3-state-hri-h", "mocap-state-hri"]
    headers = [dataclasses.replace(header, config=preset(name)) for name in names]
    places = [described(name, one).place for name, one in zip(names, headers, strict=True)]
    assert sorted(places) == places
    odd = dataclasses.replace(header, config=dataclasses.replace(header.config, name="nobody's"))
    assert described("odd", odd).place > max(places)
    assert re.fullmatch("nobody's.*", described("odd", odd).kind)

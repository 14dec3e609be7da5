"""What relations could find: trained with the truth, stored by what it belongs to, said in one wording."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hri.__main__ import main
from hri.core.config import Config, DataConfig, RelationsConfig
from hri.core.presets import PRESETS
from hri.data.sources import sequences
from hri.model.checkpoint import Header, load, save
from hri.model.choices import most_likely
from hri.model.model import Model
from hri.physics.springs import simulate
from hri.scores import ceilings
from hri.scores.edges import effects_in_words
from hri.scores.evaluate import evaluate, springs_of
from hri.training.ceiling import WithTruth, measure

SMALL = DataConfig(tree="1-3", train=200, validation=20, test=40)
"""One intermediate ball and its three leaves: springs that a small network finds in seconds."""


def config_of(name: str = "springs-4-3-state-hri-h", data: DataConfig = SMALL, **relations: Any) -> Config:
    chosen = PRESETS[name]
    model = dataclasses.replace(chosen.model, relations=dataclasses.replace(chosen.model.relations, **relations))
    return dataclasses.replace(chosen, data=data, model=model)


def saved(path: Path, config: Config, **header: Any) -> Path:
    torch.manual_seed(1)
    save(path, Model(config), Header(config, **header))
    return path


# The measurement ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("relations", [{}, {"graph": "static"}, {"window": "published"}, {"pairs": "all"}], ids=str)
def test_its_network_infers_as_the_models_does(relations: dict[str, Any]) -> None:
    config = config_of(**relations)
    model, learner = Model(config).eval(), WithTruth(config, seed=0)
    assert model.relations is not None
    learner.network.load_state_dict(model.relations.state_dict())
    learner.eval()
    states = sequences(dataclasses.replace(SMALL, test=2), "test").states
    with torch.no_grad():
        expected = model.predict(states, 1, most_likely).logits
        found = learner.logits(states, torch.arange(states.shape[1])).permute(2, 1, 0, 3)
        if model.static:
            whole = learner.logits(states, torch.tensor([states.shape[1]]))[:, 0].transpose(0, 1)
            torch.testing.assert_close(whole, model.whole_graph(states))
    torch.testing.assert_close(found, expected)


def test_strong_springs_are_found_when_they_are_taught() -> None:
    found = measure(config_of(hidden=32), updates=100, test_systems=40)
    leaf = found["burn_in"]["intermediate-leaf"]
    assert leaf["auroc"] > 0.95
    assert leaf["accuracy"] > ceilings.guess(leaf)
    assert [point["updates"] for point in found["curve"]] == list(range(10, 101, 10))
    assert found["curve"][-1]["loss"] < found["curve"][0]["loss"]
    assert json.loads(json.dumps(found)) == found


def test_the_same_seed_finds_the_same() -> None:
    def made(seed: int) -> dict[str, Any]:
        return measure(config_of(hidden=8), updates=3, train_systems=8, test_systems=4, seed=seed) | {"seconds": 0}

    assert made(0) == made(0)
    assert made(0)["burn_in"] != made(1)["burn_in"]


def test_a_static_graph_has_a_ceiling_from_all_states_too() -> None:
    found = measure(config_of(hidden=8, graph="static"), updates=2, train_systems=8, test_systems=4)
    assert found["whole"]["overall"]["count"] == 4 * len(Model(config_of()).senders)
    assert ceilings.brief(found)["whole"] == found["whole"]
    assert "whole" not in measure(config_of(hidden=8), updates=1, train_systems=8, test_systems=4)


def test_slots_of_images_are_held_against_projected_springs(tmp_path: Path) -> None:
    data = DataConfig(train=3, validation=2, test=2)
    path = saved(tmp_path / "one.safetensors", config_of("springs-4-3-slot-hri-h", data))
    found = measure(load(path), updates=2, train_systems=3)
    assert found["parts"]["encoder"] == ceilings.encoder_of(path)
    scores = evaluate(load(path), springs_of(load(path)), effects=False)
    for group in ("intermediate-leaf", "siblings"):
        for name in ("count", "springs"):
            assert found["burn_in"][group][name] == scores["edges"]["burn_in"][group][name]


# What it belongs to -------------------------------------------------------------------------------------


def record(config: Config, encoder: str | None = None, accuracy: float = 0.9) -> dict[str, Any]:
    scores = {"possible": {"accuracy": accuracy, "f1": 0.8, "auroc": 0.95, "springs": 0.7}}
    scores |= {"siblings": scores["possible"]}
    parts = ceilings.belongs_to(config, encoder)
    how = {"updates": 7, "train_systems": 3, "test_systems": 2}
    return {"key": ceilings.key_of(parts), "parts": parts, "burn_in": scores, "free_run": scores} | how


def test_models_share_a_ceiling_that_see_the_same_through_the_same_network(tmp_path: Path) -> None:
    file, own = tmp_path / "ceilings.json", PRESETS["springs-4-3-state-hri"]
    ceilings.store(record(own), file)
    assert ceilings.look_up(own, path=file)[0] == record(own)
    assert ceilings.look_up(PRESETS["springs-4-3-state-nri"], path=file)[0] == record(own)
    for name in ("springs-4-3-state-hri-h", "springs-3-3-state-hri", "springs-4-3-state-nri-lo"):
        found, why = ceilings.look_up(PRESETS[name], path=file)
        assert (found, "not measured yet" in why) == (None, True)
    for other in (RelationsConfig(history=3), RelationsConfig(hidden=32), RelationsConfig(graph="static")):
        changed = dataclasses.replace(own, model=dataclasses.replace(own.model, relations=other))
        assert ceilings.look_up(changed, path=file)[0] is None
    told = dataclasses.replace(own.model.relations, temperature=2.0)
    same = dataclasses.replace(own, model=dataclasses.replace(own.model, relations=told))
    assert ceilings.look_up(same, path=file)[0] is not None


def test_a_look_up_compares_what_was_measured_and_not_names_alone(tmp_path: Path) -> None:
    file, own = tmp_path / "ceilings.json", PRESETS["springs-4-3-state-hri"]
    odd = record(own)
    odd["parts"]["data"]["frames"] = 99
    ceilings.store(odd, file)
    assert ceilings.look_up(own, path=file)[0] is None
    ceilings.store(record(own), file)
    assert list(ceilings.read(file)) == [odd["key"]], "one record a key"


def test_an_image_models_ceiling_is_its_encoders(tmp_path: Path) -> None:
    config = PRESETS["springs-4-3-par-hri-h"]
    path = saved(tmp_path / "one.safetensors", config)
    ceilings.store(record(config, ceilings.encoder_of(path)), tmp_path / "ceilings.json")
    header = Header(config)
    assert ceilings.of_header(header, path, tmp_path / "ceilings.json") is not None
    assert ceilings.of_header(header, None, tmp_path / "ceilings.json") is None
    other = Model(config)
    save(tmp_path / "two.safetensors", other, header)
    assert ceilings.of_header(header, tmp_path / "two.safetensors", tmp_path / "ceilings.json") is None
    weights = {name: value.numpy() for name, value in other.state_dict().items()}
    assert ceilings.fingerprint(weights) == ceilings.encoder_of(tmp_path / "two.safetensors")


def test_evaluate_tells_the_ceiling_or_why_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "STORED", tmp_path / "ceilings.json")
    config = config_of()
    made = load(saved(tmp_path / "one.safetensors", config))
    data = springs_of(made, simulate(config.tree, "04", range(3)))
    scores = evaluate(made, data)
    assert scores["ceiling"] is None
    assert "python -m hri ceiling" in scores["reasons"]["ceiling"]
    ceilings.store(record(config))
    assert evaluate(made, data)["ceiling"] == ceilings.brief(record(config))
    (tmp_path / "ceilings.json").write_text("[")
    assert "cannot be read" in evaluate(made, data)["reasons"]["ceiling"]
    told = load(saved(tmp_path / "two.safetensors", config_of("springs-4-3-state-hri-gt")))
    assert "infers no edges" in evaluate(told, data)["reasons"]["ceiling"]


@pytest.mark.parametrize("content", ["", "[]", '{"a": 3}', '{"a": {}}'])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "ceilings.json").write_text(content)
    with pytest.raises(ValueError, match=r"measure (its ceilings|them) again"):
        ceilings.read(tmp_path / "ceilings.json")
    assert ceilings.read(tmp_path / "nowhere.json") == {}


# Springs that matter ------------------------------------------------------------------------------------


def test_evaluate_tells_springs_that_matter_apart(tmp_path: Path) -> None:
    config = config_of()
    made = load(saved(tmp_path / "one.safetensors", config))
    scores = evaluate(made, springs_of(made, simulate(config.tree, "04", range(4))))
    assert "matters" not in scores["reasons"]
    found = scores["edges"]["burn_in"]
    leaf = found["intermediate-leaf"]
    assert leaf["matters"]["count"] > 0
    assert leaf["does_not_matter"]["count"] == 0
    assert leaf["does_not_matter"]["recall"] is None
    for kind in ("matters", "does_not_matter"):
        levels = [found[level][kind]["count"] for level in ("root-intermediate", "intermediate-leaf", "siblings")]
        assert found["overall"][kind]["count"] == sum(levels)
    assert evaluate(made, springs_of(made), effects=False)["reasons"]["matters"] == "not asked for"


def test_data_that_move_otherwise_say_nothing_of_what_springs_do(tmp_path: Path) -> None:
    config = config_of()
    made = load(saved(tmp_path / "one.safetensors", config))
    scores = evaluate(made, springs_of(made, simulate(config.tree, "05", range(3))))
    assert "do not move as this model's physics says" in scores["reasons"]["matters"]
    assert scores["edges"]["burn_in"]["overall"]["matters"] is None


# Words --------------------------------------------------------------------------------------------------


def test_one_wording_for_all_pages() -> None:
    assert ceilings.in_words(0.97, 1.0, 0.5749) == "found 0.97, findable 1.00, guessing 0.57"
    assert ceilings.in_words(0.97, None, 0.57) == "found 0.97, guessing 0.57"
    assert ceilings.in_words(None, 1.0, None, 3) == "findable 1.000"
    one = {"accuracy": 0.8, "auroc": 0.7, "f1": 0.9, "springs": 0.75}
    scores = {"burn_in": {"overall": one, "possible": one, "siblings": one, "root-leaf": one | {"springs": 1.0}}}
    most = record(PRESETS["springs-4-3-state-hri"])
    assert ceilings.comparison(scores, most, "siblings", "auroc") == "found 0.70, findable 0.95, guessing 0.50"
    assert ceilings.on_unseen(scores, most) == "found 0.80, findable 0.90, guessing 0.75", "the same once"
    scores["burn_in"]["possible"] = one | {"accuracy": 0.9}
    assert ceilings.on_unseen(scores, None) == "found 0.90, guessing 0.75; siblings found 0.80, guessing 0.75"


@pytest.mark.parametrize("springs", [0.0, 0.2, 0.5, 0.7, 1.0])
def test_guessing_is_the_better_of_two_answers(springs: float) -> None:
    truth = np.arange(10) < 10 * springs
    shares = [float((truth == answer).mean()) for answer in (True, False)]
    assert ceilings.guess({"springs": springs}) == pytest.approx(max(shares))
    assert ceilings.guess({"springs": springs}, "f1") == pytest.approx(2 * truth.sum() / (10 + truth.sum()))
    assert ceilings.guess({"springs": springs}, "auroc") == 0.5
    assert ceilings.guess({"springs": None}) is None


def test_effects_are_said_where_they_were_counted() -> None:
    told = {"matters": {"count": 1200, "recall": 0.93}, "does_not_matter": {"count": 0, "recall": None}}
    assert effects_in_words(told) == ["of 1,200 springs that matter 0.930 found"]
    assert effects_in_words(told, "charged") == ["of 1,200 pairs that matter 0.930 found"]
    assert effects_in_words({"matters": None, "does_not_matter": None}) == effects_in_words({}) == []


# The command --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--preset", "mocap-state-hri"], "recordings of a body"),
        (["--preset", "kth-slot-hri"], "video clips"),
        (["--preset", "springs-4-3-state-lstm"], "infers no edges"),
        (["--preset", "springs-4-3-state-fcmp"], "infers no edges"),
        (["--preset", "springs-4-3-state-nri-gt"], "infers no edges"),
        (["--preset", "springs-4-3-slot-hri"], "name a checkpoint with --checkpoint"),
        (["--preset", "springs-4-3-state-nothing"], "unknown preset"),
        (["--checkpoint", "nowhere"], "there is no file nowhere"),
        ([], "give either --checkpoint"),
        (["--preset", "springs-4-3-state-hri", "--checkpoint", "one"], "give either --checkpoint"),
        (["--preset", "springs-4-3-state-hri", "--updates", "0"], "choose 1 or more"),
        (["--preset", "springs-4-3-state-hri", "--train-systems", "0"], "choose 1 to 100000"),
        (["--preset", "springs-4-3-state-hri", "--store", "--systems", "3"], "leave --data and --systems out"),
        (["--preset", "springs-4-3-state-hri", "--out", "nowhere/x.json"], "there is no folder nowhere"),
    ],
    ids=str,
)
def test_what_has_no_ceiling_is_one_sentence(flags: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ceiling", *flags]) == 1
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_encoder_and_decoder_alone_have_no_ceiling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "one.safetensors", PRESETS["springs-4-3-slot-hri-h"], parts="vision")
    assert main(["ceiling", "--checkpoint", str(path)]) == 1
    assert "encoder and decoder only" in capsys.readouterr().err


def test_the_command_stores_what_evaluate_then_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ceilings, "STORED", tmp_path / "ceilings.json")
    config = config_of(data=dataclasses.replace(SMALL, train=4, validation=2, test=3), hidden=8)
    path = saved(tmp_path / "one.safetensors", config)
    flags = ["--checkpoint", str(path), "--updates", "2", "--json"]
    assert main(["ceiling", *flags, "--store", "--out", str(tmp_path / "found.json")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "found.json").read_text())
    assert found["command"] == "python -m hri ceiling --checkpoint one --updates 2 --seed 0"
    assert main(["evaluate", "--checkpoint", str(path), "--systems", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ceiling"] == ceilings.brief(found)
    assert main(["ceiling", "--checkpoint", str(path), "--updates", "2"]) == 0
    assert "guessing" in capsys.readouterr().out

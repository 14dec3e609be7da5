"""One experiment, as objects and as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from hri.core.config import Config, DataConfig, RelationsConfig, RenderConfig, TrainConfig, to_json
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.limits import from_plain
from hri.core.presets import PRESETS, VARIANTS, preset


def changed(path: str, value: Any) -> dict[str, Any]:
    """The default experiment as JSON with one setting replaced or added."""
    values = json.loads(to_json(Config()))
    *folders, name = path.split(".")
    place = values
    for folder in folders:
        place = place[folder]
    place[name] = value
    return values


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_survives_json(name: str) -> None:
    config = preset(name)
    assert config.name == name
    assert Config.from_dict(json.loads(to_json(config))) == config


def test_what_differs_from_the_default_survives_json() -> None:
    render = RenderConfig(size=64, radius=1.5, level_radii=(2.0, 0.0, 1.0), shapes="mixed", curtain=True, grey=True)
    config = Config(
        name="mine",
        data=DataConfig(tree="4-4-4", physics="05", train=7, render=render),
        train=TrainConfig(learning_rate=1e-4, precision="bf16"),
    )
    assert Config.from_dict(json.loads(to_json(config))) == config


def test_settings_left_out_take_their_defaults() -> None:
    assert Config.from_dict({}) == Config()
    assert Config.from_dict({"train": {"updates": 5}}).train == TrainConfig(updates=5)


def test_a_whole_number_may_stand_for_a_float() -> None:
    config = Config.from_dict(changed("train.clip", 2))
    assert isinstance(config.train.clip, float)
    assert Config.from_dict(changed("data.render.level_radii", [1, 2])).data.render.level_radii == (1.0, 2.0)


@pytest.mark.parametrize(
    "path", ["nonsense", "data.nonsense", "data.render.nonsense", "model.relations.nonsense", "train.nonsense"]
)
def test_an_unknown_setting_is_named_with_its_path(path: str) -> None:
    with pytest.raises(ValueError, match=rf"unknown setting config\.{path}; choose from "):
        Config.from_dict(changed(path, 1))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("train.updates", "many"),
        ("train.updates", 1.5),
        ("train.updates", True),
        ("train.updates", None),
        ("train.clip", "x"),
        ("train.clip", True),
        ("data", 3),
        ("data.tree", 43),
        ("data.physics", "06"),
        ("data.render.size", 33),
        ("data.render.grey", 1),
        ("data.render.level_radii", 1.0),
        ("data.render.level_radii", ["x"]),
        ("model.relations", None),
        ("model.relations.source", "guessed"),
        ("model.vision", {"decoder": "none"}),
        ("name", None),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_path(path: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"config\.{path}"):
        Config.from_dict(changed(path, value))


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="config must be an object of settings"):
        from_plain(Config, [], "config")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.train", 0),
        ("data.validation", 100_001),
        ("data.test", -1),
        ("model.relations.edge_types", 1),
        ("model.relations.history", 0),
        ("model.relations.temperature", 0.0),
        ("model.dynamics.hidden", 0),
        ("train.updates", -1),
        ("train.batch", 0),
        ("train.learning_rate", -1e-3),
        ("train.learning_rate", math.nan),
        ("train.learning_rate", math.inf),
        ("train.variance", 0.0),
        ("train.no_edge_prior", 1.0),
        ("train.patch_share", 1.5),
    ],
)
def test_a_value_out_of_range_is_named_with_its_range(path: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{path} is .*; choose a value from .* to "):
        Config.from_dict(changed(path, value))


def test_a_tree_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown tree '4-x'"):
        Config(data=DataConfig(tree="4-x"))


def test_true_springs_are_one_kind_of_edge() -> None:
    assert VARIANTS["hri-gt"][0].source == "true"
    model = dataclasses.replace(Config().model, relations=RelationsConfig(source="true", edge_types=3))
    with pytest.raises(ValueError, match="set edge_types = 2"):
        Config(model=model)


def test_slots_of_an_image_have_no_true_edges() -> None:
    config = preset("springs-3-3-overlap-hri")
    relations = dataclasses.replace(config.model.relations, source="true")
    with pytest.raises(ValueError, match="true springs join balls, and between the slots of an image no edge is true"):
        dataclasses.replace(config, model=dataclasses.replace(config.model, relations=relations))
    with pytest.raises(ValueError, match="unknown preset 'springs-3-3-overlap-hri-gt'"):
        preset("springs-3-3-overlap-hri-gt")


def test_an_unknown_preset_is_answered_with_the_list() -> None:
    with pytest.raises(ValueError, match=r"unknown preset 'hri'; choose from .*springs-4-3-slot-hri"):
        preset("hri")


def test_presets_cover_every_variant_of_every_input() -> None:
    for tree in ("4-3", "3-3"):
        for seen in ("state", "slot", "par"):
            for variant, (relations, _) in VARIANTS.items():
                if seen != "state" and relations.source == "true":
                    continue
                config = preset(f"springs-{tree}-{seen}-{variant}")
                assert config.data.physics == {"4-3": "04", "3-3": "05"}[tree]
                assert config.tree == (Tree.parse(tree) if seen == "state" else SLOT_TREE)
                assert config.width == (4 if seen == "state" else 16)


def test_splits_share_no_seed_at_their_largest() -> None:
    data = DataConfig(train=100_000, validation=100_000, test=100_000)
    splits = [set(data.seeds(split)) for split in ("train", "validation", "test")]
    assert len(set.union(*splits)) == sum(map(len, splits)) == 300_000
    assert [seeds[0] for seeds in map(data.seeds, ("train", "validation", "test"))] == [42, 100_042, 200_042]


def test_settings_cannot_change_under_way() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().train.updates = 3  # type: ignore[misc]


def test_grey_frames_have_one_channel() -> None:
    assert RenderConfig(grey=True).channels == 1
    assert RenderConfig().channels == 3

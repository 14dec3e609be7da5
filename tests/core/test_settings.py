"""Settings as a form needs them: from the dataclasses, with help and ranges, there and back."""

from __future__ import annotations

import pytest

from hri.core.config import Config
from hri.core.limits import limits
from hri.core.presets import PRESETS, preset
from hri.core.settings import changed, differences, settings, value_of


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-slot-lstm"])
def test_every_setting_has_help_a_range_if_a_number_and_its_value(name: str) -> None:
    config = preset(name)
    for setting in settings(config):
        value = value_of(config, setting.path)
        assert len(setting.help) > 10, setting.path
        if setting.kind in ("number", "integer"):
            assert setting.low is not None, setting.path
            assert setting.low <= value <= setting.high
        if setting.kind == "choice":
            assert value in setting.choices
    paths = {setting.path for setting in settings(config)}
    assert ("model.vision.decoder" in paths) == (config.model.vision is not None)
    assert all(
        path in paths
        for path in limits(Config)
        if not any(part in path for part in ("vision", "motion", "clips", "data.own"))
    )


def test_changed_values_are_checked_by_name() -> None:
    config = changed(preset("springs-4-3-state-hri"), {"train.updates": 7, "data.render.level_radii": (1.0, 2.0)})
    assert config.train.updates == 7
    assert config.data.render.level_radii == (1.0, 2.0)
    assert changed(config, {}) == config
    with pytest.raises(ValueError, match=r"train\.batch is 0; choose a value from 1"):
        changed(config, {"train.batch": 0})
    with pytest.raises(ValueError, match=r"no setting train\.bach"):
        changed(config, {"train.bach": 1})
    with pytest.raises(ValueError, match=r"no setting model\.vision\.decoder"):
        changed(config, {"model.vision.decoder": "par"})
    with pytest.raises(ValueError, match=r"config\.train\.precision is 'bf17'"):
        changed(config, {"train.precision": "bf17"})


def test_differences_are_all_and_only_what_differs() -> None:
    one, other = preset("springs-4-3-state-hri"), preset("springs-4-3-slot-hri-h")
    found = differences([one, other])
    assert found["model.relations.pairs"] == ["all", "hierarchy"]
    assert found["model.vision.decoder"] == [None, "slot"]
    assert "model.dynamics.hidden" not in found
    assert differences([one, one]) == {}


def test_presets_pass_their_own_limits() -> None:
    assert all(Config.from_dict(config.to_dict()) == config for config in PRESETS.values())

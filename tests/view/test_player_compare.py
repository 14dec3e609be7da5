"""What the browser is sent of a comparison is what the comparison says."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from hri.core.records import Rollout
from hri.rollout.composition import SlotEffects, own_effects
from hri.scores.compare import apart, compare
from hri.view.facts import error_curves
from hri.view.player_compare import column_data, curves_data, shared_data, shares_data, tree_name
from tests.synthetic import slot_rollout, state_rollout


def other() -> Rollout:
    """The same scene as :func:`slot_rollout`, predicted by a model without pictures of its slots."""
    return slot_rollout(pairs="all", types=4, slots=False)


def unpacked(data: dict[str, Any]) -> dict[str, np.ndarray]:
    """As ``clock.js`` reads the arrays."""
    json.dumps(data)
    index, blob = data["arrays"]["index"], zlib.decompress(base64.b64decode(data["arrays"]["blob"]))
    return {
        name: np.frombuffer(blob, entry["type"], int(np.prod(entry["shape"])), entry["at"]).reshape(entry["shape"])
        for name, entry in index.items()
    }


def test_what_is_shared_is_the_truth_and_how_far_predictions_lie_apart() -> None:
    rollouts = slot_rollout(), state_rollout()
    data = shared_data(*rollouts)
    arrays = unpacked(data)
    assert set(arrays) == {"truth", "apart"}
    assert data["panels"] == ["truth", "apart"]
    assert (arrays["apart"][0] == 0).all()
    assert np.abs(arrays["apart"][1:] / 255 - apart(rollouts)).max() <= 0.5 / 255 + 1e-6
    assert set(unpacked(shared_data(*rollouts[::-1]))) == {"truth", "truth_nodes", "apart"}


def test_a_column_tells_its_own_errors_in_the_unit_of_all() -> None:
    rollouts = slot_rollout(), state_rollout()
    together = compare(rollouts)
    for index, rollout in enumerate(rollouts):
        data = column_data(rollout, index, *rollouts)
        assert (data["letter"], data["line"], data["unit"]) == ("AB"[index], index, "pixels in 0 … 1")
        assert data["errors"] == pytest.approx(together.errors[index], rel=1e-3)
        assert "slots" not in unpacked(data)
    assert tree_name(rollouts[0]) == tree_name(other()) != tree_name(rollouts[1])


def test_curves_are_those_of_all_models_over_one_timeline() -> None:
    rollouts = slot_rollout(), other(), slot_rollout()
    data = curves_data(*rollouts)
    json.dumps(data)
    assert [curve["letter"] for curve in data["curves"]] == ["A", "B", "C"]
    assert [curve["name"] for curve in data["curves"]] == [rollout.checkpoint for rollout in rollouts]
    for curve, rollout in zip(data["curves"], rollouts, strict=True):
        assert curve["errors"] == pytest.approx(error_curves(rollout).model, rel=1e-3)
    assert data["copying"] == pytest.approx(error_curves(rollouts[0]).copy, rel=1e-3)
    assert data["last_true_input"] == 39


def test_shares_are_sent_for_every_frame_and_none_for_the_first() -> None:
    effects = own_effects(slot_rollout())
    assert effects is not None
    data = shares_data(slot_rollout(), effects)
    arrays = unpacked(data)
    assert data["leaves"] == list(range(5, 21))
    assert arrays["effects"].shape == (49, 16, 32, 32, 3)
    assert np.abs(arrays["effects"][1:] / 255 - np.clip(effects.effects, 0, 1)).max() <= 0.5 / 255 + 1e-6
    assert arrays["shares"][1:] == pytest.approx(effects.shares, abs=1e-6)
    assert arrays["shares"][1:].sum(1) == pytest.approx(1, abs=1e-5)
    assert not arrays["shares"][0].any()
    # What only changes the picture is shown by the size of the change; nothing at all has no share.
    signed = SlotEffects(effects.frames, effects.whole, effects.empty, -effects.effects)
    assert unpacked(shares_data(other(), signed))["effects"][1:].any()
    nothing = SlotEffects(effects.frames, effects.whole, effects.empty, np.zeros_like(effects.effects))
    assert not unpacked(shares_data(other(), nothing))["shares"].any()

"""Distances of predicted balls from true ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import future
from hri.physics.springs import simulate
from hri.rollout.rollout import roll_out
from tests.app.lessons.shown import SLOT, TREE, file, model, printed, stored


def test_distances_grow_and_are_those_of_balls() -> None:
    checkpoint = model(course.STATE_MODEL)
    rollout = roll_out(checkpoint, simulate(TREE, "04", [course.SCENE]), 40, pictures=False)
    found = future.horizon(rollout)
    assert found.frames_seen == 10
    assert len(found.model) == 39
    assert found.model[0] < found.model[9] < found.model[-1]
    by_hand = np.hypot(*(rollout.predicted_slots[0, 9, :, :2] - rollout.slots[0, 10, :, :2]).T).mean()
    assert found.model[0] == pytest.approx(by_hand)
    assert (found.first_step_behind is None) == bool((found.model < found.copy).all())
    values = {"checkpoint": str(file(course.STATE_MODEL)), "seed": course.SCENE}
    assert printed("future", free=40, **values) == found.says()
    lost = dataclasses.replace(found, model=found.copy + np.where(np.arange(39) < 5, -0.01, 0.01))
    assert "From step 6 on" in lost.says()
    with pytest.raises(ValueError, match="state model"):
        future.horizon(stored(SLOT))

"""What the lesson says of an edge is what cutting it does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr

from app.learn import course
from app.learn.lessons import cutting
from hri.physics.springs import simulate
from hri.rollout.edits import SetEdge
from hri.rollout.influence import influence
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from tests.app.lessons.shown import TREE, file, model, printed, stored


def test_causes_are_what_cutting_does() -> None:
    checkpoint, rollout = model(course.STATE_MODEL), stored(course.STATE_MODEL)
    found = cutting.causes(rollout, influence(checkpoint, rollout))
    row = int(found.effect.argmax())
    i, j = found.sender_receiver[row].tolist()
    cut = again(checkpoint, rollout, Intervention((SetEdge(i, j),)))
    moved = np.sqrt(np.square(cut.predicted_slots - rollout.predicted_slots).mean())
    assert found.effect[row] == pytest.approx(moved, rel=1e-3)
    assert "rank 1 of 56" in found.says(row, TREE)
    assert found.correlation == pytest.approx(spearmanr(found.belief, found.effect).statistic)
    flat = dataclasses.replace(found, belief=np.ones_like(found.belief))
    assert "correlation" not in flat.says(row, TREE)


def test_the_code_of_cutting_says_what_the_page_says() -> None:
    checkpoint = model(course.STATE_MODEL)
    seen = roll_out(checkpoint, simulate(TREE, "04", [7]))
    found = cutting.causes(seen, influence(checkpoint, seen))
    assert printed("cutting", checkpoint=str(file(course.STATE_MODEL)), seed=7, row=30) == found.says(30, TREE)

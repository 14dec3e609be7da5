"""Failures are failures, and measured as the lesson says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import limits
from hri.core.hierarchy import Tree
from hri.physics.springs import simulate
from hri.rollout.edits import Curtain
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from tests.app.lessons.shown import SLOT, TREE, file, model, printed, stored


def test_failures_are_failures() -> None:
    usual = stored(SLOT)
    covered = again(model(SLOT), usual, Intervention((Curtain(10, 10),)))
    behind = limits.curtain_failure(usual, covered, 10, 10)
    assert behind.failing > 3 * behind.usual
    truth = usual.frames[0, 1:40, 10:22, 10:22] / 255
    by_hand = np.square(covered.predicted_frames[0, :39, 10:22, 10:22] - truth).mean() / np.square(truth).mean()
    assert behind.failing == pytest.approx(by_hand, rel=0.05)
    state = stored(course.STATE_MODEL)
    long = roll_out(model(course.STATE_MODEL), simulate(TREE, "04", [course.SCENE]), 40, pictures=False)
    late = limits.long_failure(dataclasses.replace(state, frames=None), long)
    assert late.failing > 2 * late.usual
    assert "over 9 steps without truth" in late.says().lower()
    assert "times as much" in late.says()
    other = roll_out(model(SLOT), simulate(Tree.parse("3-3"), "05", [course.SCENE]), tree=Tree.parse("3-3"))
    odd = limits.tree_failure(usual, other, "3-3")
    assert odd.failing > odd.usual
    assert "on a 3-3 system" in odd.says()


@pytest.mark.parametrize("case", ["curtain", "another tree", "a long run"])
def test_the_code_of_limits_says_what_the_page_says(case: str) -> None:
    usual = stored(SLOT)
    values = {"checkpoint": str(file(SLOT)), "seed": course.SCENE, "left": 10, "top": 10}
    if case == "curtain":
        covered = again(model(SLOT), usual, Intervention((Curtain(10, 10),)))
        failed = limits.curtain_failure(usual, covered, 10, 10)
    elif case == "another tree":
        tree = Tree.parse("3-3")
        other = roll_out(model(SLOT), simulate(tree, "05", [course.SCENE]), tree=tree)
        failed = limits.tree_failure(usual, other, "3-3")
    else:
        failed = limits.long_failure(usual, roll_out(model(SLOT), simulate(TREE, "04", [course.SCENE]), 40))
    assert printed("limits", case=case, **values) == failed.says()

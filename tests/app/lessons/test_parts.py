"""Middles of families say more of their members than those of random groups."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import parts
from hri.physics.springs import simulate
from tests.app.lessons.shown import TREE, printed


def test_families_explain_more_than_chance_groups() -> None:
    for seed in range(course.SCENE, course.SCENE + 10):
        found = parts.family_shares(simulate(TREE, "04", [seed]), TREE)
        assert found.chance < found.families <= 1
    assert (found.pairs_all, found.pairs_tree) == (272, 56)
    assert printed("parts", seed=seed) == found.says()


def test_explained_knows_its_limits() -> None:
    random = np.random.default_rng(0)
    middle = random.normal(size=(5, 4, 2))
    groups = np.repeat(np.arange(4), 3)
    assert parts.share_explained(middle[:, groups], groups) == pytest.approx(1)  # everyone in the middle of its group
    apart = random.normal(size=(2000, 12, 2))
    assert parts.share_explained(apart, groups) == pytest.approx(3 / 11, abs=0.02)  # independent: (G - 1) / (L - 1)
    assert parts.share_explained(apart, np.zeros(12, dtype=int)) == pytest.approx(0)
    assert np.allclose(parts.middles(middle[:, groups], groups), middle)

"""The best model of a scene, and what the results say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import hierarchy
from hri.experiments.scoreboard import read
from tests.app.lessons.shown import ROOT, file, printed, stored


def test_the_contest_names_the_best_on_the_scene_and_quotes_the_results() -> None:
    names = {"HRI": "hri-h-equal", "NRI": "nri-equal", "LSTM": "lstm-equal"}
    rolled = [stored(f"springs-4-3-state-{name}") for name in names.values()]
    found = hierarchy.contest(rolled, tuple(names))
    free = [np.square(r.predicted_slots[0, 40:] - r.slots[0, 41:]).mean() for r in rolled]
    assert found.errors == pytest.approx(free, rel=1e-4)
    assert f"On this scene {tuple(names)[int(np.argmin(free))]} errs least" in found.says()
    files = {name: str(file(f"springs-4-3-state-{model}")) for name, model in names.items()}
    assert printed("hierarchy", seed=course.SCENE, checkpoints=files) == found.says()
    said = hierarchy.verdicts(read(ROOT / "assets" / "results"))
    assert len(said) == 2
    assert all(re.search("HRI(-H)? errs", sentence) for sentence in said)

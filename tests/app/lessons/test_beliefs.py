"""What the model knows after so many frames, counted again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.explore.drawing import by_level
from app.learn import course
from app.learn.lessons import beliefs
from app.library import ModelSource
from hri.core.records import Rollout
from hri.physics.systems import System
from hri.rollout.rollout import roll_out
from hri.view.beliefs import spring_counts_by_level
from tests.app.lessons.shown import ROOT, file, model, printed, stored
from tests.synthetic import state_rollout


def test_the_model_knows_the_strong_springs_after_some_frames_and_nothing_before() -> None:
    for scene in range(3):
        rollout = Rollout.load(ROOT / "assets" / "stored" / f"{course.STATE_MODEL}.npz").scene(scene)
        found = beliefs.beliefs(rollout)
        assert len(found.chances) == rollout.last_true_input + 2
        assert 0.3 < found.auroc[0] < 0.7
        assert found.auroc[5:].mean() > 0.9
        assert "cannot tell them apart" in found.says(0)
        assert "equal ones count half" in found.says(0)
        assert "tells them apart" in found.says(8)
        # Counted again, one comparison after the other.
        yes, no = found.chances[8, found.springs], found.chances[8, ~found.springs]
        won = sum(a > b for a in yes for b in no) / (len(yes) * len(no))
        assert f"{won:.0%} of {len(yes) * len(no)} comparisons." in found.says(8)
        assert f"get {yes.mean():.2f} on average" in found.says(8)


def test_the_code_of_beliefs_says_what_the_page_says() -> None:
    name = course.STATE_MODEL
    values = {"checkpoint": str(file(name)), "seed": course.SCENE, "frames_seen": 8, "kind": "siblings"}
    assert printed("beliefs", **values) == beliefs.beliefs(stored(name), "siblings").says(8)


def test_beliefs_need_springs_and_inferred_edges() -> None:
    made = state_rollout()
    found = beliefs.beliefs(made)
    assert (found.springs == made.true_adjacency[0][tuple(found.sender_receiver.T)]).all()
    sure = beliefs.Beliefs(found.sender_receiver, found.springs[None] * 0.5 + 0.2, found.springs)
    assert sure.auroc.tolist() == [1.0]
    weak = beliefs.beliefs(made, "siblings")
    parents = np.array(made.tree.parents)
    assert len(weak.springs) == 24, "both directions of three pairs in each of four families"
    assert (parents[weak.sender_receiver[:, 0]] == parents[weak.sender_receiver[:, 1]]).all()
    assert "siblings with a spring between them get" in weak.says(3)
    one_kind = beliefs.Beliefs(found.sender_receiver, found.chances, np.ones(12, dtype=bool))
    assert "nothing to tell apart" in one_kind.says(3)
    with pytest.raises(ValueError, match="state model"):
        beliefs.beliefs(Rollout.load(ROOT / "assets" / "stored" / "springs-4-3-slot-hri.npz").scene(0))


def test_a_drawing_without_any_spring_comes_out_right_where_the_model_can_tell() -> None:
    """Whoever removes all springs sees none between leaves and parents, and why other levels are wrong."""
    system = dataclasses.replace(System.of_seed("4-3", "04", course.SCENE), springs=())
    rollout = roll_out(model(course.STATE_MODEL), system.simulate(), pictures=False)
    levels = spring_counts_by_level(rollout)
    assert (levels["intermediate-leaf"].with_messages, levels["intermediate-leaf"].right) == (0, 12)
    lines = by_level(levels, ModelSource(course.STATE_MODEL, path=file(course.STATE_MODEL)), system)
    root, leaves, siblings = lines
    assert "always joined" in root
    assert leaves.endswith("**12 of 12 right**.")
    assert "On unseen systems: found" in siblings

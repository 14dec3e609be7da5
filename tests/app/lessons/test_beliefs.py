"""What the model knows after so many frames, counted again."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import beliefs
from hri.core.records import Rollout
from tests.app.lessons.shown import ROOT, file, printed, stored
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
    values = {"checkpoint": str(file(name)), "seed": course.SCENE, "frames_seen": 8}
    assert printed("beliefs", **values) == beliefs.beliefs(stored(name)).says(8)


def test_beliefs_need_springs_and_inferred_edges() -> None:
    made = state_rollout()
    found = beliefs.beliefs(made)
    assert (found.springs == made.true_adjacency[0][tuple(found.sender_receiver.T)]).all()
    sure = beliefs.Beliefs(found.sender_receiver, found.springs[None] * 0.5 + 0.2, found.springs)
    assert sure.auroc.tolist() == [1.0]
    one_kind = beliefs.Beliefs(found.sender_receiver, found.chances, np.ones(12, dtype=bool))
    assert "nothing to tell apart" in one_kind.says(3)
    with pytest.raises(ValueError, match="state model"):
        beliefs.beliefs(Rollout.load(ROOT / "assets" / "stored" / "springs-4-3-slot-hri.npz").scene(0))

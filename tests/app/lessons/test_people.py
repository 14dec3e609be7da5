"""What the lesson says of a body's relations is what its code computes, beside models that nobody trained."""

from __future__ import annotations

import pytest

from app.learn.lessons import people
from hri.rollout.untrained import untrained
from tests.app.lessons.shown import ROOT, model, printed, stored


def test_the_code_says_what_the_page_says_of_every_question() -> None:
    values = people.class_values(ROOT / "checkpoints", 7)
    sentence = printed("people", **values | {"scenes": str(ROOT / values["scenes"])})
    assert sentence.startswith("How often an edge and its mirror image")
    assert "are paired at random" in sentence


def test_an_untrained_model_is_of_the_same_kind_and_another_for_each_seed() -> None:
    checkpoint, seen = model(people.MODEL), stored(people.MODEL)
    one, same, other = (untrained(checkpoint, seen, seed) for seed in (0, 0, 1))
    assert (one.edge_sender_receiver == seen.edge_sender_receiver).all()
    assert (one.edge_probabilities == same.edge_probabilities).all()
    assert (one.edge_probabilities != other.edge_probabilities).any()
    assert one.predicted_frames is None
    with pytest.raises(ValueError, match="cannot be asked here; choose from How many"):
        people.says(people.body_relations(seen), "Truth")

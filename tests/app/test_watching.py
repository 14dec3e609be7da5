"""What is said of a scene before anything is clicked: each word follows from the rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import library
from app.address import Share, WholeNumber, Words
from app.explore import guide, watching
from app.library import ModelSource, Scene
from hri.core.records import Rollout
from hri.view.agreement import agreement, percent
from hri.view.beliefs import aligned_names

STORED = Path(__file__).parents[2] / "assets" / "stored"
CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


def scene(name: str) -> Scene:
    path = CHECKPOINTS / f"{name}.safetensors"
    rollout = Rollout.load(STORED / f"{name}.npz").scene(0)
    return Scene(ModelSource(name, path, STORED / f"{name}.npz"), "springs-4-3", 200_042, rollout)


def test_the_opening_exhibit_is_praised_for_what_it_has_found() -> None:
    exhibit = scene(library.FAVOURITE)
    words, _ = watching.sentence(exhibit)
    seen = agreement(aligned_names(exhibit.original, 10), 10)
    assert seen is not None
    leaves = next(level for level in seen.levels if level.name == "intermediate-leaf")
    assert leaves.whole > 0.95
    assert f"{percent(leaves.whole)} of edges between intermediates and leaves right" in words
    siblings = next(level for level in seen.levels if level.name == "siblings")
    assert siblings.whole <= siblings.guess, "what it has not found is said beside what it has"
    assert f"but not those between siblings ({percent(siblings.whole)}" in words
    assert words.startswith("**Watch frames 41 to 48:**")


def test_a_graph_that_is_the_same_in_every_scene_is_said_to_be() -> None:
    words, more = watching.sentence(scene("springs-4-3-slot-hri"))
    assert "the same in every scene" in words
    assert "all 88 edges say the same" in more


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("springs-4-3-state-lstm", "passes no messages"),
        ("springs-4-3-state-hri-gt", "was given the true springs"),
        ("mocap-state-hri", "no longer sees the body"),
    ],
)
def test_models_are_praised_for_nothing_they_have_not_done(name: str, part: str) -> None:
    words, _ = watching.sentence(scene(name))
    assert part in words
    assert " right" not in words


def test_the_tour_points_at_an_edge_that_is_a_true_spring_to_a_leaf_and_cuts_only_where_something_can_be_cut() -> None:
    exhibit = scene(library.FAVOURITE)
    row = guide.exemplar(exhibit.original)
    assert row is not None
    sender, receiver = exhibit.original.edge_sender_receiver[row]
    assert exhibit.original.true_adjacency is not None
    assert exhibit.original.true_adjacency[0, sender, receiver] == 1
    assert receiver in exhibit.original.tree.leaves
    assert [step.title for step in guide.steps(exhibit)][-1] == "Cut it"
    assert len(guide.steps(exhibit)) == 4
    assert len(guide.steps(scene("springs-4-3-state-lstm"))) == 1, "no messages, no graph to show"


@pytest.mark.parametrize("text", ["9" * 400, "-1", "1.5", "", "x", "²", "11"])
def test_no_text_is_a_number_that_is_none(text: str) -> None:
    field = WholeNumber(0, 10, "scenes")
    assert field.value(text) is None
    assert field.problem(text) == "; scenes are whole numbers from 0 to 10."
    assert Words(("a", "b")).problem(text) == ", which is not here."
    if text != "1.5":
        assert Share().problem(text) or text == ""


def test_a_number_in_range_is_itself() -> None:
    assert [WholeNumber(0, 10, "scenes").value(text) for text in ("0", "10", "007")] == [0, 10, 7]
    assert not Share().problem("0.25")

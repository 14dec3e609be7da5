"""Edits in words."""

from __future__ import annotations

import numpy as np
import pytest

from hri.core.hierarchy import SLOT_TREE, Tree, family_name
from hri.core.records import state_names
from hri.rollout.edits import ChooseEdges, Curtain, Edit, Mute, Nudge, SetEdge, SetLevel
from hri.view.edit_words import levels, sentence

TREE = Tree.parse("4-3")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (SetEdge(5, 1), "Cut leaf 5 → intermediate 1, all frames"),
        (SetEdge(5, 1, 0, 19), "Cut leaf 5 → intermediate 1, from frame 20 on"),
        (SetEdge(0, 4, 1, 19, 19), "Force root 0 → intermediate 4 to interaction, frame 20 only"),
        (SetLevel("up", 2, 0, 0, 9), "Clear leaf → intermediate edges, frames 1 to 10"),
        (SetLevel("all", type=1), "Fill all edges with interaction, all frames"),
        (Mute(16, 3), "Mute leaf 16, from frame 4 on"),
        (Nudge(5, 20, (0.3, 0.0, -1.0)), "Nudge leaf 5 at frame 20: x +0.3, vx -1"),
        (Curtain(3, 7, 2, 4), "Curtain at column 3, row 7, frames 2 to 4"),
        (ChooseEdges("sample", 3), "Draw types from their probabilities (draw 3), all frames"),
        (Mute(300), "Mute node 300, all frames"),
    ],
)
def test_an_edit_tells_the_frames_it_changes(edit: Edit, words: str) -> None:
    assert sentence(edit, TREE, 2, state_names(2)) == words


def test_numbers_of_slots_have_no_names() -> None:
    names = ["number 0", "number 1"]
    assert sentence(Nudge(5, 20, (0.0, 2.0)), SLOT_TREE, 2, names) == "Nudge leaf 5 at frame 20: number 1 +2"


def test_a_nudge_in_depth_is_told_as_one() -> None:
    body = Tree.parse("0,1,1")
    up, away, faster = (Nudge(2, 20, delta) for delta in ((0.0, 0.1), (0.0, 0.0, 0.3), (0.0, 0.0, 0.0, 0.0, 0.0, -1.0)))
    assert sentence(up, body, 2, state_names(3)).endswith("at frame 20: y +0.1")
    assert sentence(away, body, 2, state_names(3)).endswith("at frame 20: z +0.3")
    assert sentence(faster, body, 2, state_names(3)).endswith("at frame 20: vz -1")
    assert sentence(away, body, 2, state_names(2)).endswith("at frame 20: vx +0.3")


@pytest.mark.parametrize("pairs", ["hierarchy", "all"])
@pytest.mark.parametrize("shape", ["4-3", "2-2-2", "3-1"])
def test_levels_name_every_edge_once_and_none_that_is_not_there(shape: str, pairs: str) -> None:
    tree = Tree.parse(shape)
    found, rows = tree.families(*tree.edges_among(pairs))
    named = levels(tree, pairs)
    assert len({family_name(tree, *level) for level in named}) == len(named)
    count = np.zeros(len(found), dtype=int)
    for way, level in named[1:]:
        mine = (found == way) & ((level is None) | (rows == level))
        assert mine.any(), (way, level)
        count += mine
    assert (count == 1).all()

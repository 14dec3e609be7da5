"""What an edge does: the rollout without it, in batches, is the rollout without it."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.rollout.edits import Curtain, Mute, Nudge, SetEdge, SetLevel
from hri.rollout.influence import Influence, influence
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from tests.rollout.test_rollout import STEPS, made, scenes

MODELS = ["springs-4-3-state-hri-h", "springs-4-3-state-nri-lo", "springs-4-3-slot-hri-h"]
EDITS = Intervention((SetEdge(1, 0, 1), Nudge(8, 3, (0.2,)), Mute(7, 4)))
FREE = 6


@cache
def rolled(name: str, edits: Intervention = EDITS, edges: str = "argmax") -> Rollout:
    fitting = Intervention(tuple(e for e in edits.edits if "lo" not in name or not isinstance(e, SetEdge)))
    return roll_out(made(name), scenes()[:1], FREE, intervention=fitting, edges=edges)  # type: ignore[arg-type]


@cache
def told(name: str, first: int = 0) -> Influence:
    return influence(made(name), rolled(name), first, pixel_frames=(STEPS - 1,), copies=13)


def without(name: str, row: int, first: int) -> Rollout:
    """The same rollout, one edge cut."""
    sender, receiver = rolled(name).edge_sender_receiver[row].tolist()
    edits = Intervention.parse(rolled(name).edits)
    return again(made(name), rolled(name), edits.add(SetEdge(sender, receiver, 0, first)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("first", [0, STEPS - FREE + 1])
def test_each_edge_alone_gives_the_same_influence(name: str, first: int) -> None:
    whole, original = told(name, first), rolled(name)
    rows = np.argsort(whole.score)[[0, len(whole.score) // 2, -2, -1]]
    for row in rows:
        cut = without(name, int(row), first)
        moved = np.square(cut.predicted_slots - original.predicted_slots)[0]
        assert whole.by_frame[row] == pytest.approx(moved.mean((1, 2)), rel=1e-3, abs=1e-9)
        assert whole.by_node[row] == pytest.approx(moved[first:].mean((0, 2)), rel=1e-3, abs=1e-9)
        assert cut.predicted_frames is not None
        assert original.predicted_frames is not None
        pictures = np.square(cut.predicted_frames[0, -1] - original.predicted_frames[0, -1]).mean()
        assert whole.pixels is not None
        assert whole.pixels[row, 0] == pytest.approx(pictures, rel=2e-2, abs=1e-8)
    assert (whole.by_frame[:, :first] < 1e-9).all()
    assert whole.score.max() > 1e-7


@pytest.mark.parametrize("name", MODELS)
def test_an_edge_that_says_nothing_has_no_influence(name: str) -> None:
    whole = told(name)
    silent = (rolled(name).edge_types[0, :-1] == 0).all(0)
    assert (whole.score[silent] == 0).all()
    assert (whole.spoke == ~silent).all()  # every edge of these models may speak


def test_edges_outside_the_hierarchy_are_not_even_tried() -> None:
    name = "springs-4-3-state-hri"
    full = rolled(name, Intervention((SetLevel("all", type=1),)))
    whole = influence(made(name), full)
    possible = made(name).model.tree.possible[full.edge_sender_receiver[:, 0], full.edge_sender_receiver[:, 1]] > 0
    assert (whole.spoke == possible).all()
    assert (whole.score[possible] > 0).all()


def test_sampled_and_true_edges_keep_their_draws() -> None:
    name = "springs-4-3-state-hri-h"
    for edges in ("sample", "true"):
        original = rolled(name, Intervention(), edges)
        whole = influence(made(name), original, first=4)
        row = int(np.argmax(whole.score))
        sender, receiver = original.edge_sender_receiver[row].tolist()
        cut = again(made(name), original, Intervention((SetEdge(sender, receiver, 0, 4),)))
        moved = np.square(cut.predicted_slots - original.predicted_slots)[0, 4:]
        assert whole.score[row] == pytest.approx(moved.mean(), rel=1e-3)


def test_a_curtain_stays_down() -> None:
    name = "springs-4-3-slot-hri-h"
    covered = rolled(name, Intervention((Curtain(8, 8),)))
    assert influence(made(name), covered).score.max() < 1  # against the covered rollout, not the open one


def test_progress_ends_at_the_last_edge() -> None:
    heard: list[int] = []
    influence(made(MODELS[0]), rolled(MODELS[0]), copies=20, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 56


@pytest.mark.parametrize(
    ("name", "first", "frames", "says"),
    [
        ("springs-4-3-state-lstm", 0, (), "passes no messages"),
        ("springs-4-3-state-hri-h", STEPS - 1, (), "cut from a step of 0 to 14"),
        ("springs-4-3-state-hri-h", -1, (), "cut from a step"),
        ("springs-4-3-state-hri-h", 0, (0,), "frames 1 to 15"),
        ("springs-4-3-state-hri-h", 0, (STEPS,), "frames 1 to 15"),
    ],
)
def test_questions_without_an_answer_are_refused(name: str, first: int, frames: tuple[int, ...], says: str) -> None:
    plain = roll_out(made(name), scenes()[:1], FREE, pictures=False)
    with pytest.raises(ValueError, match=says):
        influence(made(name), plain, first, frames)
    with pytest.raises(ValueError, match="one scene"):
        influence(made(name), roll_out(made(name), scenes(), FREE, pictures=False))


def test_the_map_ranks_edges_and_leaves_other_pairs_blank() -> None:
    from hri.view.influence_chart import influence_map, rank, shares, strongest

    tree = Tree.parse("2-1")
    pairs = np.array([(0, 1), (1, 0), (0, 2)])
    by_frame = np.array([[1.0, 3.0], [0.0, 0.0], [0.0, 0.02]])
    found = Influence(pairs, 0, np.array([True, False, True]), by_frame, np.zeros((3, tree.size)))
    figure = influence_map(found, tree, "states")
    square = np.array(figure.data[0].z, dtype=float)
    assert np.isfinite(square).sum() == 3
    assert square[0, 1] == 0, "the greatest influence has the brightest colour"
    assert square[0, 2] == pytest.approx(np.log10(0.01 / 2.0))
    assert square[1, 0] == square[np.isfinite(square)].min()
    assert "carried no message" in figure.data[0].customdata[1][0]
    assert [rank(found, row) for row in range(3)] == [1, 3, 2]
    assert strongest(found, tree).startswith("root 0 → intermediate 1 2.0·10⁰; ")
    assert shares(found) == pytest.approx([1, 0, 1 + np.log10(0.01 / 2.0) / 4])
    assert not shares(dataclasses.replace(found, by_frame=0 * by_frame)).any()

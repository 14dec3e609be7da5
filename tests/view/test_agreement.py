"""How many edges are right: one definition with the scores, frame by frame; and graphs that never change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.records import Rollout
from hri.view import agreement, beliefs
from hri.view import facts as pictures
from tests.synthetic import slot_rollout, state_rollout

STATES, SLOTS = state_rollout(), slot_rollout(types=4, pairs="all")


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
def test_the_mean_over_the_burn_in_is_what_tables_call_edges_right(rollout: Rollout) -> None:
    naming = beliefs.aligned_names(rollout, 10)
    seen = agreement.agreement(naming, 10)
    assert seen is not None
    assert seen.all.whole == pytest.approx(naming.right)
    assert seen.all.guess == pytest.approx(naming.guess)
    edges = sum(level.edges for level in seen.levels)
    if edges == seen.all.edges:
        whole = sum(level.whole * level.edges for level in seen.levels)
        assert whole == pytest.approx(seen.all.whole * edges), "levels add up to all"


def test_a_frame_counts_the_edges_that_predicted_it() -> None:
    naming = beliefs.aligned_names(STATES)
    seen = agreement.agreement(naming)
    assert seen is not None
    rows = beliefs.speaking_rows(STATES)
    senders, receivers = STATES.edge_sender_receiver[rows].T
    possible = STATES.tree.possible[senders, receivers] > 0
    truth = pictures.true_springs(STATES)[0, senders, receivers]
    for frame in (0, 1, 20, 48):
        types = naming.rollout.edge_types[0, pictures.edge_step(STATES, frame), rows]
        assert seen.all.right[frame] == pytest.approx((types == truth)[possible].mean())


def test_a_model_that_says_the_truth_has_all_right_at_every_frame_whatever_it_calls_it() -> None:
    truth = pictures.true_springs(STATES)[:, *STATES.edge_sender_receiver.T].astype(np.int64)
    said = dataclasses.replace(STATES, edge_types=(1 - truth)[None])
    seen = agreement.agreement(beliefs.aligned_names(said))
    assert seen is not None
    assert (seen.all.right == 1).all()
    best = agreement.best_level(seen)
    assert best is not None
    assert best.guess == min(level.guess for level in seen.levels), "furthest above guessing"
    silent = dataclasses.replace(STATES, edge_types=np.zeros_like(STATES.edge_types))
    nothing = agreement.agreement(beliefs.aligned_names(silent))
    assert nothing is not None
    assert agreement.best_level(nothing) is None
    assert max(nothing.all.whole, 1 - nothing.all.whole) == pytest.approx(nothing.all.guess), "one answer is guessing"


def test_nothing_is_said_where_the_truth_is_not_known() -> None:
    unknown = beliefs.learned_names(dataclasses.replace(STATES, true_adjacency=None))
    assert agreement.agreement(unknown) is None


@pytest.mark.parametrize(("share", "words"), [(0.0, 0), (0.001, 1), (0.5, 50), (0.999, 99), (1.0, 100)])
def test_of_a_hundred_all_means_all(share: float, words: int) -> None:
    assert agreement.hundredth(share) == words


def test_a_graph_that_never_changes_is_said_to_be_one() -> None:
    scenes = [state_rollout(seed) for seed in (7, 8, 9)]
    rows = pictures.edge_rows(STATES, "hierarchy")
    assert agreement.never_changes(scenes, rows) == ""
    star = [dataclasses.replace(scene, edge_types=np.ones_like(scene.edge_types)) for scene in scenes]
    told = agreement.never_changes(star, rows)
    assert f"all {len(rows)} edges say the same in each of 3 scenes" in told
    assert agreement.never_changes(star[:1], rows) == "", "one scene says nothing"
    assert agreement.never_changes([star[0], star[0]], rows) == "", "nor does one system twice"
    types = star[1].edge_types.copy()
    types[..., rows[:1]] = 0
    nearly = [star[0], dataclasses.replace(star[1], edge_types=types)]
    assert f"{len(rows) - 1} of its {len(rows)} edges" in agreement.never_changes(nearly, rows)

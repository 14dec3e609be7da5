"""Every edge as a strip: sorted by what the rollout's numbers say, right as often as the tables count."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.hierarchy import in_families
from hri.core.records import Rollout
from hri.view import agreement, beliefs
from hri.view import facts as pictures
from hri.view.strips import strips_data
from tests.synthetic import slot_rollout, state_rollout

STATES = state_rollout(pairs="hierarchy")


def sent(rollout: Rollout, history: int = 0) -> dict:
    rows = pictures.edge_rows(rollout, "hierarchy")
    return strips_data(beliefs.learned_names(rollout), rows, beliefs.aligned_names(rollout, history), history)


def orders(data: dict) -> dict[str, list[int]]:
    return {sort["key"]: sort["order"] for sort in data["sorts"]}


def test_every_order_holds_every_edge_once_and_means_what_it_says() -> None:
    data = sent(STATES)
    by, count = orders(data), len(data["pairs"])
    assert list(by) == ["tree", "level", "certainty", "change", "wrong"]
    assert all(sorted(order) == list(range(count)) for order in by.values())
    place = np.argsort(in_families(STATES.tree))
    senders = [place[data["pairs"][row][0]] for row in by["tree"]]
    assert senders == sorted(senders)
    levels = [data["levels"].index(data["ways"][row]) for row in by["level"]]
    assert levels == sorted(levels)
    sure = STATES.edge_probabilities[0, :-1].max(-1).mean(0)
    assert (np.diff(sure[by["certainty"]]) <= 1e-7).all()
    first = [min(beliefs.flips(STATES, row), default=10_000) for row in by["change"]]
    assert first == sorted(first)
    slots = sent(slot_rollout())
    shares = [slots["right"][row] for row in orders(slots)["wrong"]]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


@pytest.mark.parametrize("history", [0, 10])
def test_strips_are_right_as_often_as_the_tables_say(history: int) -> None:
    rows = pictures.edge_rows(STATES, "hierarchy")
    naming = beliefs.aligned_names(STATES, history)
    seen = agreement.agreement(naming, history)
    assert seen is not None
    right = sent(STATES, history)["right"]
    assert len(right) == len(rows)
    assert np.mean(right) == pytest.approx(100 * seen.all.whole, abs=1)


def test_a_model_that_says_the_truth_is_never_wrong() -> None:
    truth = pictures.true_springs(STATES)[:, *STATES.edge_sender_receiver.T].astype(np.int64)
    assert set(sent(dataclasses.replace(STATES, edge_types=truth[None]))["right"]) == {100}


def test_without_truth_or_edges_nothing_is_right_or_wrong() -> None:
    slots = slot_rollout()
    unknown = dataclasses.replace(slots, true_adjacency=None)
    data = strips_data(beliefs.learned_names(unknown), pictures.edge_rows(unknown, "hierarchy"))
    assert data["right"] is None
    assert "wrong" not in orders(data)
    assert "springs" not in data["arrays"]["index"]
    silent = dataclasses.replace(slots, carries=np.zeros(len(slots.edge_sender_receiver), dtype=np.uint8))
    empty = strips_data(beliefs.learned_names(silent), pictures.edge_rows(silent, "hierarchy"))
    assert empty["pairs"] == []
    assert all(order == [] for order in orders(empty).values())

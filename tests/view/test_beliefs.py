"""What is said of edges: the ways they lead, when they change, and what their types stand for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.records import Rollout
from hri.rollout.rollout import roll_out
from hri.scores import meanings
from hri.view import beliefs, player, svg
from hri.view import facts as pictures
from hri.view import graph as figures
from tests.rollout.test_rollout import made, scenes
from tests.synthetic import BALLS, slot_rollout, state_rollout

STATES, SLOTS = state_rollout(), slot_rollout(types=4, pairs="all")


@pytest.mark.parametrize("tree", [BALLS, SLOT_TREE, Tree.parse("3-2-2")])
def test_every_edge_leads_one_way_and_the_phases_are_ways(tree: Tree) -> None:
    pairs = np.stack(tree.edges, 1)
    named = dict(zip(map(tuple, pairs.tolist()), beliefs.ways(tree, pairs), strict=True))
    order = beliefs.ways_in_order(tree, pairs)
    assert set(named.values()) == set(order)
    assert order[-1] == beliefs.OTHER
    spoken = 0
    for way, (_, rows) in zip(order, tree.phases, strict=False):
        assert {named[tuple(pair)] for pair in rows.tolist()} == {way}
        spoken += len(rows)
    assert list(named.values()).count(beliefs.OTHER) == len(pairs) - spoken


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
def test_changes_are_those_of_the_edges_on_show_largest_first(rollout: Rollout) -> None:
    rows = pictures.edge_rows(rollout, "hierarchy")
    found = beliefs.changes(rollout, rows)
    best = rollout.edge_probabilities[0].argmax(-1)
    for change in found:
        step = pictures.edge_step(rollout, change.frame)
        assert (best[step - 1, change.row], best[step, change.row]) == (change.before, change.after)
        assert 0 < change.shift <= 1
        assert change.frame in beliefs.flips(rollout, change.row)
    places = [(change.frame == 2, -change.shift) for change in found]  # what leaves the first belief comes last
    assert places == sorted(places)
    assert len(found) == sum(len(beliefs.flips(rollout, int(row))) for row in rows)
    assert beliefs.changes(rollout, rows, 3) == found[:3]
    assert all(2 <= change.frame < rollout.slots.shape[1] for change in found)


@pytest.mark.parametrize("flip", [(1, 0), (0, 1)])
def test_swapped_types_come_out_the_same_when_aligned(flip: tuple[int, int]) -> None:
    truth = pictures.true_springs(STATES)[0][tuple(STATES.edge_sender_receiver.T)].astype(int)
    chances = np.full(STATES.edge_probabilities.shape, 0.1, np.float32)
    np.put_along_axis(chances, truth[None, None, :, None].repeat(chances.shape[1], 1), 0.9, -1)
    said = dataclasses.replace(
        STATES, edge_probabilities=chances[..., list(flip)], edge_types=chances[..., list(flip)].argmax(-1)
    )
    named = beliefs.aligned_names(said)
    assert named.types == ("no spring", "spring")
    assert named.raw == flip
    assert named.right == 1
    assert (named.rollout.edge_types[0] == truth).all()
    assert np.array_equal(named.rollout.edge_probabilities, chances)
    assert beliefs.learned_names(said).rollout is said


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
def test_aligning_only_renames(rollout: Rollout) -> None:
    named = beliefs.aligned_names(rollout)
    assert len(set(named.types)) == len(named.types) == rollout.edge_probabilities.shape[-1]
    for place, kind in enumerate(named.raw):
        same = named.rollout.edge_probabilities[..., place] == rollout.edge_probabilities[..., kind]
        assert same.all()
        assert ((named.rollout.edge_types == place) == (rollout.edge_types == kind)).all()
    # No other assignment of two types is right more often on the edges that speak.
    steps = meanings.burn_in(0, int(rollout.last_true_input))
    joined = pictures.true_springs(rollout)[steps][:, *rollout.edge_sender_receiver.T]
    said = rollout.edge_types[0, steps]

    def right(none: int, spring: int) -> np.ndarray:
        return np.where(joined, said == spring, said == none)

    chosen = right(named.raw[0], named.raw[1])
    for none in range(said.max() + 1):
        for spring in set(range(said.max() + 1)) - {none}:
            assert right(none, spring).mean() <= chosen.mean() + 1e-9
    possible = rollout.tree.possible[*rollout.edge_sender_receiver.T] > 0
    assert named.right == pytest.approx(chosen[:, possible].mean())


def test_filters_keep_what_was_asked_for() -> None:
    named, rows, frame = beliefs.learned_names(SLOTS), pictures.edge_rows(SLOTS, "all"), 7
    assert beliefs.passes(named, rows, frame, [], []).all()
    pairs = SLOTS.edge_sender_receiver[rows]
    siblings = beliefs.passes(named, rows, frame, ["siblings"], [])
    assert (siblings == (np.array(beliefs.ways(SLOT_TREE, pairs)) == "siblings")).all()
    kind = beliefs.passes(named, rows, frame, [], ["type 2"])
    assert (kind == (SLOTS.edge_types[0, frame - 1] == 2)).all()
    figure = figures.interaction_graph(SLOT_TREE, pairs, 4, names=named.types)
    painted = figures.paint_graph(figure, SLOTS, rows, frame, visible=siblings)
    for shape in painted.layout.shapes[-len(rows) :]:
        i, j = map(int, shape.name.split("_")[1:])
        if beliefs.way(SLOT_TREE, i, j) != "siblings":
            assert shape.line.color.endswith("0.000)")


def test_a_model_without_messages_has_no_edges_anywhere() -> None:
    lstm = roll_out(made("springs-4-3-state-lstm"), scenes()[:1], 6)
    assert not lstm.carries.any()
    for pairs in ("hierarchy", "all"):
        rows = pictures.edge_rows(lstm, pairs)
        assert len(rows) == 0
        assert player.graph_data(lstm, rows, "radial")["pairs"] == []
        assert player.ledger_data(lstm, rows)["changes"] == []
    assert player.matrix_data(lstm)["pairs"] == []
    assert 'class="edge"' not in svg.graph(lstm, 3)
    with pytest.raises(ValueError, match="infers no edges"):
        beliefs.aligned_names(lstm)
    hri = roll_out(made("springs-4-3-state-hri"), scenes()[:1], 6)
    assert (hri.carries == BALLS.possible[tuple(hri.edge_sender_receiver.T)]).all()
    assert hri.scene(0).carries is hri.carries
    with pytest.raises(ValueError, match="not known"):
        beliefs.aligned_names(dataclasses.replace(hri, true_adjacency=None))


def test_what_matrix_and_ledger_are_sent_is_json_and_small() -> None:
    import json

    for rollout in (STATES, SLOTS):
        named = beliefs.aligned_names(rollout)
        sent = player.matrix_data(named.rollout, named.types)
        assert sorted(sent["order"]) == list(range(rollout.tree.size))
        place = {node: k for k, node in enumerate(sent["order"])}
        assert all(place[parent] < place[node] for node, parent in enumerate(sent["parents"]) if node)
        told = player.ledger_data(rollout, pictures.edge_rows(rollout, "hierarchy"))
        assert len(json.dumps([sent, told], allow_nan=False)) < 400_000


def test_messages_are_held_against_springs_pair_by_pair() -> None:
    """A model that says exactly where springs are, in one direction only, has found them all and no other."""
    pairs, joined = STATES.edge_sender_receiver, STATES.true_adjacency[0]
    told = (joined[tuple(pairs.T)] > 0) & (pairs[:, 0] < pairs[:, 1])
    types = np.broadcast_to(told, STATES.edge_types.shape).astype(np.int64)
    springs = int(np.triu(joined).sum())
    found = beliefs.spring_counts(dataclasses.replace(STATES, edge_types=types))
    assert (found.pairs, found.with_messages, found.springs, found.both) == (17 * 16 // 2, springs, springs, springs)
    levels = beliefs.spring_counts_by_level(dataclasses.replace(STATES, edge_types=types))
    assert {name: level.pairs for name, level in levels.items() if name != "unrelated"} == {
        "root-intermediate": 4, "intermediate-leaf": 12, "siblings": 12,
    }  # fmt: skip
    assert all(level.right == level.pairs for level in levels.values())
    assert sum(level.springs for level in levels.values()) == springs
    silent = beliefs.spring_counts(dataclasses.replace(STATES, edge_types=0 * types))
    assert (silent.with_messages, silent.springs, silent.both) == (0, springs, 0)
    late = types.copy()
    late[:, : int(STATES.last_true_input) + 1] = 0
    assert beliefs.spring_counts(dataclasses.replace(STATES, edge_types=late)) == silent, "the free run does not count"
    for rollout, says in [
        (SLOTS, "parts of the image"),
        (dataclasses.replace(STATES, carries=np.zeros(len(pairs), np.uint8)), "passes no messages"),
        (dataclasses.replace(STATES, true_adjacency=None), "not known"),
    ]:
        with pytest.raises(ValueError, match=says):
            beliefs.spring_counts(rollout)

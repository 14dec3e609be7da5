"""Edits as data: read, written, refused, ordered, and what they ask of edges, inputs and frames."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.presets import preset
from hri.rollout.edit_kind import Last, Names, Node, Silences, Step
from hri.rollout.edits import KINDS, ChooseEdges, Curtain, Edit, Mute, Nudge, SetEdge, SetLevel
from hri.rollout.interventions import NOTHING, Intervention
from hri.view.edit_words import sentence

TREE = Tree.parse("4-3")
EDGES = TREE.edges
STEPS = 12

ONE_OF_EACH = (
    ChooseEdges("sample", seed=3, first=4),
    SetLevel("up", level=2),
    SetLevel("all", type=1, last=8),
    SetEdge(7, 2),
    SetEdge(2, 7, 1, 3, 9),
    Mute(5, first=2),
    Nudge(7, 4, (0.1, -0.25, 0.0, 1e-05)),
    Curtain(3, 20, 0, 6),
)


def forced(*edits: Edit) -> np.ndarray:
    return Intervention(edits).forced_types(TREE, *EDGES, STEPS)


def rows(chosen: np.ndarray) -> set[tuple[int, int]]:
    return {(int(s), int(r)) for s, r in zip(EDGES[0][chosen], EDGES[1][chosen], strict=True)}


# As text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edits", [(), *((edit,) for edit in ONE_OF_EACH), ONE_OF_EACH])
def test_text_keeps_every_edit(edits: tuple[Edit, ...]) -> None:
    whole = Intervention(edits)
    for text in (whole.to_json(), whole.to_address(), f" {whole.to_json()}\n"):
        assert Intervention.parse(text) == whole
    assert re.fullmatch(r"[0-9A-Za-z._~-]*", whole.to_address())  # needs no escape in an address


def test_text_is_short_and_stays_what_it_is() -> None:
    """Old links and files must keep their meaning: a change here is a new version."""
    edits = Intervention((SetEdge(7, 2, first=20), Mute(5), SetLevel("up", type=1), Nudge(1, 2, (0.5,))))
    assert edits.to_address() == "1~edge_7_2_0_20~mute_5~level_up__1~nudge_1_2_0.5"
    assert edits.to_json() == (
        '{"version":1,"edits":[{"edit":"edge","sender":7,"receiver":2,"first":20},{"edit":"mute","node":5},'
        '{"edit":"level","pairs":"up","type":1},{"edit":"nudge","node":1,"step":2,"delta":[0.5]}]}'
    )
    assert NOTHING.to_address() == ""
    assert set(KINDS) == {"choose", "edge", "level", "mute", "nudge", "curtain"}


def of(*edits: Any) -> str:
    return json.dumps({"version": 1, "edits": list(edits)})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("{}", "one JSON object"),
        ('{"version": 1, "edits": {}}', "one JSON object"),
        ('{"version": 1, "edits": [], "more": 1}', "one JSON object"),
        ('{"version": 2, "edits": []}', "version 2; this program reads version 1"),
        ('{"version": true, "edits": []}', "version True"),
        ('{"version": 1, "edits": [NaN]}', "NaN is no number"),
        ('{"version": 1, "edits": ' + "[" * 30_000 + "]" * 30_000 + "}", "no JSON"),
        ('{"version": 1, "edits": [' + "9" * 5000 + "]}", "no JSON"),
        ("{" + "x" * 70_000, "characters long"),
        (of(3), "3 is no edit"),
        (of({"edit": "explode"}), "must be one of choose, level, edge, mute, nudge, curtain"),
        (of({"edit": ["mute"]}), "is no edit"),
        (of({"edit": "mute"}), "'mute' lacks its node"),
        (of({"edit": "mute", "node": 1, "volume": 0}), "has no 'volume'; choose from node, first, last"),
        (of({"edit": "mute", "node": "1"}), "node of the edit 'mute' is '1'; choose a whole number from 0 to 399"),
        (of({"edit": "mute", "node": 1.0}), "whole number"),
        (of({"edit": "mute", "node": True}), "whole number"),
        (of({"edit": "mute", "node": None}), "whole number"),
        (of({"edit": "mute", "node": -1}), "whole number"),
        (of({"edit": "mute", "node": 10**30}), "whole number"),
        (of({"edit": "mute", "node": 1, "first": 5, "last": 4}), "ends at 4, before it begins at 5"),
        (of({"edit": "edge", "sender": 3, "receiver": 3}), "joins node 3 to itself"),
        (of({"edit": "edge", "sender": 3, "receiver": 4, "type": 16}), "whole number from 0 to 15"),
        (of({"edit": "level", "pairs": "sideways"}), "choose from all, up, down, siblings, other"),
        (of({"edit": "level", "pairs": []}), "choose from all"),
        (of({"edit": "level", "pairs": "other", "level": 1}), "leave the level out"),
        (of({"edit": "choose", "edges": "all"}), "choose from argmax, sample, true, none"),
        (of({"edit": "nudge", "node": 1, "step": 1, "delta": []}), "1 to 256 numbers"),
        (of({"edit": "nudge", "node": 1, "step": 1, "delta": [0.0] * 257}), "1 to 256 numbers"),
        (of({"edit": "nudge", "node": 1, "step": 1, "delta": ["1"]}), "must lie within"),
        (of({"edit": "nudge", "node": 1, "step": 1, "delta": [101]}), "must lie within -100 and 100"),
        (of({"edit": "nudge", "node": 1, "step": 1, "delta": [10**400]}), "must lie within"),
        ('{"version":1,"edits":[{"edit":"nudge","node":1,"step":1,"delta":[1e999]}]}', "must lie within"),
        (of({"edit": "curtain", "left": 21, "top": 0}), "whole number from 0 to 20"),
        (of(*[{"edit": "mute", "node": 1}] * 501), "there are 501 edits; the limit is 500"),
        ("2~mute_1", "version 2"),
        ("mute_1", "version 'mute_1'"),
        ("1~", "is no edit"),
        ("1~mute", "lacks its node"),
        ("1~mute_1_2_3_4", "more parts"),
        ("1~mute_<script>", "node of the edit 'mute' is '<script>'"),
        ("1~edge_1_2_1_x", "whole number"),
        ("1~nudge_1_2_0.1_nan", "must lie within"),
        ("1~nudge_1_2_1e9", "must lie within"),
        ("1" + "~mute_1" * 501, "there are 501 edits"),
    ],
)
def test_nonsense_is_answered_with_a_short_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        Intervention.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


# Lists -------------------------------------------------------------------------------------------------


def test_a_list_never_changes() -> None:
    first = NOTHING.add(SetEdge(7, 2)).add(Mute(5))
    assert first.remove(1).remove(0) == NOTHING
    assert first.replace(0, Mute(6)).edits == (Mute(6), Mute(5))
    assert first.edits == (SetEdge(7, 2), Mute(5))
    for index in (-1, 2):
        with pytest.raises(ValueError, match="this list has 2"):
            first.remove(index)
        with pytest.raises(ValueError, match="this list has 2"):
            first.replace(index, Mute(1))


SMALL = (
    SetEdge(7, 2),
    SetEdge(7, 2, 1, 3, 9),
    SetLevel("up", 2, 1, last=6),
    SetLevel("siblings"),
    Mute(7, 2, 4),
    Nudge(7, 4, (0.1,)),
    Nudge(7, 4, (1 / 3, 0.0)),
    ChooseEdges("none", first=5),
    ChooseEdges("sample", 1),
)


def test_equal_names_mean_equal_changes() -> None:
    """Whatever the order: where the effects differ the names do, and one name never stands for two effects."""
    for edits in itertools.permutations(SMALL[:4]):
        for other in itertools.permutations(SMALL[:4]):
            same = Intervention(edits).identity == Intervention(other).identity
            assert not same or (forced(*edits) == forced(*other)).all()
    names = {Intervention(order).identity for order in itertools.permutations((*SMALL[3:7],))}
    assert len(names) == 1
    sums = [Intervention(order).nudges(17, STEPS, 4) for order in itertools.permutations(SMALL[5:7])]
    assert sums[0] is not None
    assert np.array_equal(sums[0], sums[1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edits", "same"),
    [
        ([SetEdge(7, 2, 1), SetEdge(7, 2)], [SetEdge(7, 2)]),
        ([SetEdge(7, 2, 1, 3, 5), SetEdge(7, 2, 0, 0, 9)], [SetEdge(7, 2, 0, 0, 9)]),
        ([SetEdge(7, 2, 1), SetLevel("all")], [SetLevel("all")]),
        ([SetLevel("up", 1, 1), SetLevel("up")], [SetLevel("up")]),
        ([SetEdge(7, 2), SetEdge(7, 2)], [SetEdge(7, 2)]),
        ([Mute(5), Mute(5, 3, 4)], [Mute(5)]),
        ([Mute(5, 3, 4), Mute(5)], [Mute(5)]),
        ([Mute(5), Mute(5)], [Mute(5)]),
        ([Nudge(1, 1, (0.0, -0.0))], []),
        ([Nudge(1, 1, (0.5, 0.0))], [Nudge(1, 1, (0.5,))]),
        ([ChooseEdges("none", 7)], [ChooseEdges("none")]),
        ([ChooseEdges("none"), ChooseEdges("argmax")], [ChooseEdges("argmax")]),
        ([SetEdge(7, 2), ChooseEdges("none")], [ChooseEdges("none"), SetEdge(7, 2)]),
        ([SetEdge(7, 2), SetEdge(8, 2, 1)], [SetEdge(8, 2, 1), SetEdge(7, 2)]),
        ([SetEdge(7, 2, 0, 0, 3), SetEdge(7, 2, 1, 4)], [SetEdge(7, 2, 1, 4), SetEdge(7, 2, 0, 0, 3)]),
        ([SetLevel("up"), SetLevel("down", type=1)], [SetLevel("down", type=1), SetLevel("up")]),
    ],
)
def test_lists_that_mean_the_same_have_one_name(edits: list[Edit], same: list[Edit]) -> None:
    one, other = Intervention(tuple(edits)), Intervention(tuple(same))
    assert one.identity == other.identity
    assert one.canonical.canonical == other.canonical
    assert (forced(*edits) == forced(*same)).all()


@pytest.mark.parametrize(
    ("edits", "other"),
    [
        ([SetEdge(7, 2)], []),
        ([SetEdge(7, 2, 1), SetEdge(7, 2, 0, 3)], [SetEdge(7, 2, 0, 3), SetEdge(7, 2, 1)]),
        ([SetLevel("up"), SetEdge(7, 2, 1)], [SetEdge(7, 2, 1), SetLevel("up")]),
        ([Nudge(1, 1, (0.5,))], [Nudge(1, 1, (0.5,)), Nudge(1, 1, (0.5,))]),
        ([ChooseEdges("sample", 1)], [ChooseEdges("sample", 2)]),
    ],
)
def test_lists_that_differ_have_different_names(edits: list[Edit], other: list[Edit]) -> None:
    assert Intervention(tuple(edits)).identity != Intervention(tuple(other)).identity
    assert NOTHING.identity == ""


def test_many_edits_are_ordered_quickly() -> None:
    many = [SetEdge(i % 20, 20 + i % 17, i % 2, i % 5) for i in range(120)]
    assert Intervention(tuple(many)).identity


# What they ask of a rollout ----------------------------------------------------------------------------


def test_an_edge_is_forced_in_its_span_alone() -> None:
    plan = forced(SetEdge(7, 2, 1, 3, 5))
    at = rows(np.flatnonzero((plan >= 0).any(0)))
    assert at == {(7, 2)}
    column = plan[:, (EDGES[0] == 7) & (EDGES[1] == 2)][:, 0]
    assert column.tolist() == [-1] * 3 + [1] * 3 + [-1] * 6
    assert (forced(SetEdge(7, 2, 1, 3, 900))[3:] == forced(SetEdge(7, 2, 1, 3))[3:]).all()


def test_levels_are_those_of_the_tree() -> None:
    """The union of all families is every edge, each once; hierarchical phases are the same sets."""
    cleared = {
        (pairs, level): rows(forced(SetLevel(pairs, level))[0] == 0)  # type: ignore[arg-type]
        for pairs, level in [("up", 1), ("up", 2), ("down", 1), ("down", 2), ("siblings", None), ("other", None)]
    }
    assert sum(map(len, cleared.values())) == len(EDGES[0])
    assert set().union(*cleared.values()) == rows(np.arange(len(EDGES[0])))
    for name, pairs in TREE.phases:
        family, _, level = name.partition(" ")
        assert cleared[family, int(level) if level else None] == {tuple(pair) for pair in pairs.tolist()}
    both = rows(forced(SetLevel("up"))[0] == 0)
    assert both == cleared["up", 1] | cleared["up", 2]
    siblings_of_leaves = rows(forced(SetLevel("all", 2))[0] == 0)
    assert siblings_of_leaves == cleared["up", 2] | cleared["down", 2] | cleared["siblings", None]
    kinds, levels = SLOT_TREE.families(*SLOT_TREE.edges)
    assert set(kinds) == {"up", "down", "siblings", "other"}
    assert (levels[kinds == "other"] == -1).all()


def test_later_edits_win_and_a_mute_is_strongest() -> None:
    assert (forced(SetEdge(7, 2, 1), SetLevel("all")) == 0).all()
    plan = forced(SetLevel("all"), SetEdge(7, 2, 1))
    assert rows((plan == 1).all(0)) == {(7, 2)}
    plan = forced(Mute(7, 2, 4), SetLevel("all", type=1))
    silent = EDGES[0] == 7
    assert (plan[2:5, silent] == 0).all()
    assert (plan[2:5, ~silent] == 1).all()
    assert (plan[5:] == 1).all()


def test_nudges_add_up_where_and_when_they_are() -> None:
    added = Intervention((Nudge(3, 5, (0.1, 0.2)), Nudge(3, 5, (0.4,)), Nudge(0, 1, (0.0, 0.0, 0.0, 1.0)))).nudges(
        17, STEPS, 4
    )
    assert added is not None
    assert added[5, 3] == pytest.approx([0.5, 0.2, 0, 0])
    assert added[1, 0].tolist() == [0, 0, 0, 1]
    assert np.count_nonzero(added) == 3
    assert Intervention((Mute(3),)).nudges(17, STEPS, 4) is None


@pytest.mark.parametrize("size", [32, 64])
def test_a_curtain_is_a_black_square_for_a_while(size: int) -> None:
    frames = np.full((2, STEPS, size, size, 3), 200, np.uint8)
    covered = Intervention((Curtain(4, 10, 3, 5),)).cover(frames)
    black = (covered == 0).all(-1)
    scale = size // 32
    assert black.sum((2, 3)).tolist() == [[0] * 3 + [(12 * scale) ** 2] * 3 + [0] * 6] * 2
    assert black[0, 3, 10 * scale : 22 * scale, 4 * scale : 16 * scale].all()
    assert (frames == 200).all()
    assert Intervention((Mute(1),)).cover(frames) is frames


@pytest.mark.parametrize(
    ("model", "edit", "says"),
    [
        ("state-hri", SetEdge(7, 17), "there is no node 17; this model's nodes are 0 to 16"),
        ("state-hri", SetEdge(7, 2, 2), "there is no type 2; this model's types are 0 to 1"),
        ("state-hri-h", SetEdge(7, 3), "7 → 3 is not among the edges this model has (hierarchy)"),
        ("state-nri-lo", SetEdge(7, 2), "is not among the edges"),
        ("state-hri", SetEdge(7, 2, first=49), "begins at 49, and this scene has frames 0 to 48"),
        ("state-hri", SetLevel("up", 3), "there is no level 3; the deepest is 2"),
        ("state-hri", SetLevel("up", type=3), "there is no type 3"),
        ("state-hri", Mute(17), "there is no node 17"),
        ("slot-hri", Mute(21), "this model's nodes are 0 to 20"),
        ("state-hri", Nudge(1, 1, (0.0,) * 5), "adds 5 numbers, and a node has 4"),
        ("state-lstm-lo", Nudge(1, 1, (0.5,)), "sees only the leaves 5 to 16"),
        ("state-hri", Curtain(1, 1), "sees states, not images"),
        ("state-lstm", SetEdge(7, 2), "passes no messages"),
        ("state-lstm", SetLevel("all"), "passes no messages"),
        ("state-lstm", ChooseEdges("none"), "passes no messages"),
        ("slot-hri", ChooseEdges("true"), "true springs join balls, not image slots"),
    ],
)
def test_edits_that_a_model_has_no_place_for_are_refused(model: str, edit: Edit, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        Intervention((Mute(1), edit)).check(preset(f"springs-4-3-{model}"), 49)
    assert str(caught.value).startswith(f"edit 1 ({edit.word}) does not fit: ")


@pytest.mark.parametrize("model", ["state-hri", "slot-hri", "par-nri"])
def test_edits_that_fit_pass(model: str) -> None:
    fitting = [e for e in ONE_OF_EACH if model != "state-hri" or not isinstance(e, Curtain)]
    edits = Intervention(tuple(fitting))
    edits.check(preset(f"springs-4-3-{model}"), 49)
    assert len(edits) == len(fitting) > 0


# A kind of its own -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hush(Silences):
    """Two nodes at once: all that another kind of edit has to say of itself."""

    word: ClassVar[str] = "hush"
    joins: ClassVar[bool] = True
    one: Node
    other: Node
    first: Step = 0
    last: Last = None

    def silence(self, silent: np.ndarray) -> None:
        silent[self.steps(len(silent)), [self.one, self.other]] = True

    def hides(self, earlier: Edit) -> bool:
        return isinstance(earlier, Hush) and {self.one, self.other} == {earlier.one, earlier.other}

    def sentence(self, names: Names) -> str:
        return f"Hush {names.node(self.one)} and {names.node(self.other)}, {self.when}"


def test_another_kind_needs_its_class_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "hush", Hush)
    edits = Intervention((Hush(5, 6, 2), Mute(1), Hush(6, 5, 3, 8)))
    assert edits.to_address() == "1~hush_5_6_2~mute_1~hush_6_5_3_8"
    assert Intervention.parse(edits.to_address()) == Intervention.parse(edits.to_json()) == edits
    assert edits.canonical.edits == (Mute(1), Hush(5, 6, 2))
    silent = np.isin(EDGES[0], [5, 6])
    plan = forced(Hush(5, 6, 2), SetLevel("all", type=1))
    assert (plan[2:, silent] == 0).all()
    assert (plan[:2] == 1).all()
    assert sentence(Hush(5, 1, 2, 4), TREE, 2, ()) == "Hush leaf 5 and intermediate 1, frames 3 to 5"
    with pytest.raises(ValueError, match=re.escape("edit 0 (hush) does not fit: there is no node 17")):
        Intervention((Hush(1, 17),)).check(preset("springs-4-3-state-hri"), 49)
    with pytest.raises(ValueError, match="other of the edit 'hush' is 400; choose a whole number from 0 to 399"):
        Intervention.parse("1~hush_1_400")

"""Edits of every kind, with every value that a kind allows: text and back, one name for what means the same."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hri.core.hierarchy import Tree
from hri.core.records import state_names
from hri.rollout.edit_kind import Edit, Limit, Numbers, Whole, Word
from hri.rollout.edits import KINDS, ChooseEdges
from hri.rollout.interventions import Intervention
from hri.view.edit_words import sentence
from tests.generated import cases, decimals, unless_refused

TREE = Tree.parse("4-3")
STEPS = 12


def values(limit: Limit, small: bool) -> st.SearchStrategy[Any]:
    """All that a field may be; ``small``: so little that edits often meet, and fit a small scene."""
    if isinstance(limit, Word):
        return st.sampled_from(limit.choices)
    if isinstance(limit, Numbers):
        numbers = decimals(-limit.largest, limit.largest)
        return st.lists(numbers, min_size=1, max_size=4 if small else limit.most).map(tuple)
    assert isinstance(limit, Whole)
    whole = st.integers(int(limit.low), min(int(limit.high), 3) if small else int(limit.high))
    return st.none() | whole if limit.may_be_missing else whole


@st.composite
def edits(draw: Any, small: bool = False) -> Edit:
    """One edit of any kind that is registered."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    chosen = {name: draw(values(limit, small)) for name, limit in kind.limits().items()}
    first, last = chosen.get("first"), chosen.get("last")
    if first is not None and last is not None and last < first:
        chosen |= {"first": last, "last": first}
    assume(kind.contradiction(chosen) is None)
    return kind(**chosen)


lists = st.lists(edits(), max_size=5).map(lambda some: Intervention(tuple(some)))
small_lists = st.lists(edits(small=True), max_size=6).map(lambda some: Intervention(tuple(some)))


@cases(120)
@given(lists)
def test_text_keeps_every_edit(whole: Intervention) -> None:
    assert Intervention.parse(whole.to_json()) == whole
    assert Intervention.parse(whole.to_address()) == whole
    assert re.fullmatch(r"[0-9A-Za-z._~-]*", whole.to_address()), "it needs no escape in an address"


@cases(120)
@given(lists, st.data())
def test_an_address_that_was_touched_is_another_list_or_one_sentence(whole: Intervention, data: st.DataObject) -> None:
    text = whole.to_address()
    place = data.draw(st.integers(0, len(text)), label="place")
    letter = data.draw(st.sampled_from("~_.-0123456789eENa \n{\x00é"), label="letter")
    touched = text[:place] + letter + text[place + data.draw(st.integers(0, 1), label="in place of") :]
    read = unless_refused(Intervention.parse, touched)
    if read is not None:
        assert Intervention.parse(read.to_address()) == read


def effects(edits: Intervention) -> list[np.ndarray]:
    """All that a list asks of a rollout of 4-3 balls, drawn in frames of 32."""
    added = edits.nudges(TREE.size, STEPS, 4)
    choice = np.full(STEPS, "own", dtype=object)
    for chosen in edits.choices():
        choice[chosen.steps(STEPS)] = str(chosen.choice())
    return [
        edits.forced_types(TREE, *TREE.edges, STEPS),
        edits.mute_mask(TREE.size, STEPS),
        np.zeros(0) if added is None else added,
        edits.cover(np.full((1, STEPS, 32, 32, 1), 9, np.uint8)),
        choice,
    ]


@cases(80)
@given(small_lists)
@example(Intervention((ChooseEdges(), ChooseEdges(), ChooseEdges(last=0))))
def test_the_canonical_list_does_the_same_and_is_its_own_canonical_list(whole: Intervention) -> None:
    same = whole.canonical
    assert same.canonical == same
    assert same.identity == whole.identity
    for before, after in zip(effects(whole), effects(same), strict=True):
        assert np.array_equal(before, after)


@cases(80)
@given(st.lists(edits(small=True), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_one_name_never_stands_for_two_effects(some: list[Edit], random: Any) -> None:
    turned = list(some)
    random.shuffle(turned)
    one, other = Intervention(tuple(some)), Intervention(tuple(turned))
    if one.identity == other.identity:
        for before, after in zip(effects(one), effects(other), strict=True):
            assert np.array_equal(before, after)


@cases(60)
@given(edits())
def test_every_edit_reads_as_one_line_and_cannot_be_given_a_step_too_many(edit: Edit) -> None:
    assert re.fullmatch(r"[A-Z][^\n]+", sentence(edit, TREE, 2, state_names(2)))
    for name, limit in edit.limits().items():
        if isinstance(limit, Whole):
            with pytest.raises(ValueError, match=f"{name} of the edit '{edit.word}' is .*; choose a whole number from"):
                dataclasses.replace(edit, **{name: limit.high + 1})

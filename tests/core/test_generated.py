"""Laws of trees, and configs that go through JSON, over cases that nobody thought of."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hri.core.config import Config, to_json
from hri.core.hierarchy import FAMILIES, Tree, in_families, ranks
from hri.core.presets import PRESETS
from hri.core.settings import ConfigSetting, changed, differences, settings, value_of
from tests.generated import cases, decimals, flat_trees, trees, unless_refused

ANY = st.one_of(trees(), flat_trees)


# Trees -------------------------------------------------------------------------------------------------


@cases(60)
@given(ANY)
def test_the_edge_order_holds_every_pair_once(tree: Tree) -> None:
    senders, receivers = tree.edges
    assert (np.diff(senders * tree.size + receivers) > 0).all()
    assert len(senders) == tree.size * (tree.size - 1)
    assert (senders != receivers).all()
    for pairs in ("all", "leaves") if tree.flat else ("all", "leaves", "hierarchy"):
        some = np.stack(tree.edges_among(pairs))
        assert (np.diff(some[0] * tree.size + some[1]) > 0).all()


@cases(60)
@given(ANY)
def test_possible_pairs_are_symmetric_and_those_of_the_hierarchy(tree: Tree) -> None:
    assert (tree.possible == tree.possible.T).all()
    assert not tree.possible.diagonal().any()
    family, _ = tree.families(*tree.edges)
    assert ((tree.possible[tree.edges] > 0) == (family != "other")).all()
    if not tree.flat:
        assert tree.possible.sum() == len(tree.edges_among("hierarchy")[0])


@cases(60)
@given(ANY)
def test_families_partition_the_edges(tree: Tree) -> None:
    senders, receivers = tree.edges
    family, level = tree.families(senders, receivers)
    back, back_level = tree.families(receivers, senders)
    assert sum((family == name).sum() for name in FAMILIES) == len(senders)
    turned = {"up": "down", "down": "up", "siblings": "siblings", "other": "other"}
    assert [turned[name] for name in family] == back.tolist(), "an edge and its reverse"
    assert (level == back_level).all()
    assert (family == "up").sum() == sum(parent >= 0 for parent in tree.parents)
    parents = np.asarray(tree.parents)
    assert (parents[senders[family == "siblings"]] == parents[receivers[family == "siblings"]]).all()


@cases(60)
@given(ANY)
def test_levels_and_phases_leave_nothing_out_and_take_nothing_twice(tree: Tree) -> None:
    assert sorted(np.concatenate(tree.levels).tolist()) == list(range(tree.size))
    assert [bool(tree.children(node)) for node in range(tree.size)] == (
        ~np.isin(np.arange(tree.size), tree.leaves)
    ).tolist()
    assert set(tree.leaves) == set(np.flatnonzero(ranks(tree) == 2))
    if not tree.flat:
        spoken = sorted(tuple(pair) for _, pairs in tree.phases for pair in pairs.tolist())
        assert spoken == list(zip(*(ends.tolist() for ends in tree.edges_among("hierarchy")), strict=True))


@cases(60)
@given(ANY)
def test_in_families_descendants_follow_their_node_at_once(tree: Tree) -> None:
    order = in_families(tree)
    assert sorted(order) == list(range(tree.size))

    def below(node: int) -> set[int]:
        return {node}.union(*map(below, tree.children(node)))

    for node in range(tree.size):
        place, family = order.index(node), below(node)
        assert set(order[place : place + len(family)]) == family


@cases(60)
@given(ANY)
def test_a_tree_is_read_back_from_its_text(tree: Tree) -> None:
    assert Tree.parse(tree.text) == tree


# Configs -----------------------------------------------------------------------------------------------


def values(setting: ConfigSetting) -> st.SearchStrategy[Any]:
    """What a form would let somebody choose."""
    if setting.kind == "choice":
        return st.sampled_from(setting.choices)
    if setting.kind == "switch":
        return st.booleans()
    if setting.kind == "text":
        return st.text(max_size=8)
    if setting.kind == "numbers":
        return st.lists(decimals(0, 4), max_size=4).map(tuple)
    assert setting.low is not None, setting.path
    assert setting.high is not None, setting.path
    if setting.kind == "integer":
        return st.integers(int(setting.low), int(setting.high))
    return decimals(setting.low, setting.high)


@st.composite
def choices(draw: Any) -> tuple[Config, dict[str, Any]]:
    """A preset, and other values for some of its settings."""
    config = PRESETS[draw(st.sampled_from(sorted(PRESETS)))]
    offered = [setting for setting in settings(config) if setting.kind != "text"]  # a tree or physics, or a folder
    some = draw(st.lists(st.sampled_from(offered), min_size=1, max_size=4, unique=True))
    return config, {setting.path: draw(values(setting)) for setting in some}


@cases(120)
@given(choices())
def test_what_a_form_offers_makes_a_config_that_json_keeps_or_is_refused_in_one_sentence(
    chosen: tuple[Config, dict[str, Any]],
) -> None:
    config, wanted = chosen
    made = unless_refused(changed, config, wanted)
    if made is None:
        return
    assert Config.from_dict(made.to_dict()) == made
    assert Config.from_dict(json.loads(to_json(made))) == made
    assert {path: value_of(made, path) for path in wanted} == wanted
    others = {path: value for path, value in wanted.items() if value != value_of(config, path)}
    assert differences([config, made]) == {path: [value_of(config, path), value] for path, value in others.items()}


@cases(40)
@given(st.sampled_from(sorted(PRESETS)), st.data())
def test_a_number_outside_its_limits_is_refused_with_its_path(name: str, data: st.DataObject) -> None:
    config = PRESETS[name]
    bounded = [setting for setting in settings(config) if setting.low is not None]
    setting = data.draw(st.sampled_from(bounded), label="setting")
    assert setting.low is not None
    assert setting.high is not None
    outside = data.draw(st.sampled_from([setting.low - 1, setting.high + 1]), label="value")
    said = rf"{re.escape(setting.path)} .*choose a value from {re.escape(str(setting.low))} to"
    with pytest.raises(ValueError, match=said):
        changed(config, {setting.path: outside})

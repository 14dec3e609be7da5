"""The tree, the one edge order, the order of messages, and the cells of the image."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hri.core.hierarchy import SLOT_TREE, Tree

TREES = ["1", "4", "3-3", "4-3", "4-4", "8-8", "4-4-4", "1-1-1-1", "2-3-4"]


@pytest.mark.parametrize("text", TREES)
def test_nodes_are_numbered_breadth_first(text: str) -> None:
    tree, counts = Tree.parse(text), [int(part) for part in text.split("-")]
    sizes = np.cumprod([1, *counts])
    assert tree.size == sizes.sum()
    assert [len(level) for level in tree.levels] == sizes.tolist()
    np.testing.assert_array_equal(np.concatenate(tree.levels), np.arange(tree.size))
    np.testing.assert_array_equal(tree.leaves, tree.levels[-1])
    for node in range(tree.size):
        assert all(tree.parents[child] == node for child in tree.children(node))
        assert len(tree.children(node)) == ([*counts, 0][tree.depth[node]])


def test_the_published_trees() -> None:
    tree = Tree.parse("4-3")
    assert tree.parents == (-1, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)
    assert tree.possible.sum() == 56
    assert not tree.possible[1:5, 1:5].any(), "no springs among intermediates"
    assert (Tree.parse("3-3").size, SLOT_TREE.size) == (13, 21)


@pytest.mark.parametrize("text", TREES)
def test_possible_springs_are_families(text: str) -> None:
    tree = Tree.parse(text)
    for i, j in itertools.product(range(tree.size), repeat=2):
        family = tree.parents[i] == j or tree.parents[j] == i
        siblings = i != j and tree.parents[i] == tree.parents[j] and tree.depth[i] >= 2
        assert tree.possible[i, j] == (family or siblings)


@pytest.mark.parametrize("text", TREES)
def test_edges_are_row_major_over_sender_and_receiver(text: str) -> None:
    tree = Tree.parse(text)
    senders, receivers = tree.edges
    expected = [(s, r) for s in range(tree.size) for r in range(tree.size) if s != r]
    assert list(zip(senders.tolist(), receivers.tolist(), strict=True)) == expected


@pytest.mark.parametrize(("pairs", "count"), [("all", 272), ("hierarchy", 56), ("leaves", 132)])
def test_chosen_edges_keep_the_order(pairs: str, count: int) -> None:
    tree = Tree.parse("4-3")
    senders, receivers = tree.edges_among(pairs)
    assert len(senders) == len(receivers) == count
    assert (np.diff(senders * tree.size + receivers) > 0).all()


def test_chosen_edges_are_those_asked_for() -> None:
    tree = Tree.parse("4-3")
    senders, receivers = tree.edges_among("hierarchy")
    assert tree.possible[senders, receivers].all()
    assert np.isin(np.stack(tree.edges_among("leaves")), tree.leaves).all()
    with pytest.raises(ValueError, match="unknown pairs 'some'; choose from all, hierarchy, leaves"):
        tree.edges_among("some")


@pytest.mark.parametrize("text", TREES)
def test_phases_speak_each_hierarchical_edge_once_and_in_turn(text: str) -> None:
    tree = Tree.parse(text)
    spoken = np.concatenate([pairs for _, pairs in tree.phases])
    order = spoken[:, 0] * tree.size + spoken[:, 1]
    senders, receivers = tree.edges_among("hierarchy")
    np.testing.assert_array_equal(np.sort(order), senders * tree.size + receivers)
    for _, pairs in tree.phases:
        assert (np.diff(pairs[:, 0] * tree.size + pairs[:, 1]) > 0).all(), "each phase keeps the edge order"
    for name, pairs in tree.phases:
        step = np.diff(tree.depth[pairs], axis=1)
        assert (step == {"up": -1, "siblings": 0, "down": 1}[name.split()[0]]).all()


def test_phases_go_up_across_and_down() -> None:
    assert [name for name, _ in Tree.parse("4-3").phases] == ["up 2", "up 1", "siblings", "down 1", "down 2"]
    assert [len(pairs) for _, pairs in Tree.parse("4-3").phases] == [12, 4, 24, 4, 12]
    names = [name for name, _ in Tree.parse("2-2-2").phases]
    assert names == ["up 3", "up 2", "up 1", "siblings", "down 1", "down 2", "down 3"]
    assert [name for name, _ in Tree.parse("3").phases] == ["up 1", "down 1"], "children of the root are not joined"


def test_every_level_of_cells_covers_the_image_exactly_once() -> None:
    pixels = (SLOT_TREE.cells * 32).astype(int)
    np.testing.assert_array_equal(pixels / 32, SLOT_TREE.cells)
    for level in SLOT_TREE.levels:
        cover = np.zeros((32, 32), dtype=int)
        for left, top, right, bottom in pixels[level]:
            cover[top:bottom, left:right] += 1
        np.testing.assert_array_equal(cover, 1)


def test_a_cell_lies_within_its_parents() -> None:
    cells, parents = SLOT_TREE.cells[1:], SLOT_TREE.cells[list(SLOT_TREE.parents[1:])]
    assert (cells[:, :2] >= parents[:, :2]).all()
    assert (cells[:, 2:] <= parents[:, 2:]).all()


def test_slots_go_down_a_column_before_the_next() -> None:
    leaves = SLOT_TREE.cells[5:] * 4
    np.testing.assert_array_equal(leaves[:5, :2], [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2)])
    np.testing.assert_array_equal(SLOT_TREE.cells[1:5, :2] * 2, [(0, 0), (0, 1), (1, 0), (1, 1)])
    with pytest.raises(ValueError, match="slot hierarchy"):
        _ = Tree.parse("4-3").cells


def test_equal_trees_are_one_key() -> None:
    assert Tree.parse("4-4") == SLOT_TREE
    assert len({Tree.parse("4-4"), SLOT_TREE, Tree.parse("4-3")}) == 2


@pytest.mark.parametrize("parents", [(), (0,), (-1, 1), (-1, -1, 0), (-1, 0, -1), (-1, 2, 0), (-1, 0, -2)])
def test_what_is_no_tree_is_refused(parents: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a tree"):
        Tree(parents)


@pytest.mark.parametrize(
    "text", ["4-x", "", "-", "4-", "-4", "0", "4-0", "4--3", "4.0", "4 3", "²", "1-1-1-1-1", "+4", "9" * 5000]
)
def test_what_is_no_tree_in_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown tree .*; write children per level joined by '-'"):
        Tree.parse(text)


@pytest.mark.parametrize("text", ["400", "20-20", "8-8-8", "999999999-999999999", "65536-65536-65536-65536"])
def test_a_tree_too_large_is_refused_before_it_grows(text: str) -> None:
    with pytest.raises(ValueError, match="the limit is 400"):
        Tree.parse(text)


def test_balls_without_a_hierarchy_are_all_leaves_of_one_level() -> None:
    tree = Tree.balls(5)
    assert tree.flat
    assert tree == Tree.parse("flat-5")
    assert tree.text == "flat-5"
    assert tree.leaves.tolist() == [0, 1, 2, 3, 4]
    assert [level.tolist() for level in tree.levels] == [[0, 1, 2, 3, 4]]
    assert np.array_equal(tree.possible, 1 - np.eye(5))
    assert tree.phases == ()
    assert not any(tree.children(node) for node in range(5))
    for pairs in ("all", "leaves"):
        assert len(tree.edges_among(pairs)[0]) == 20
    with pytest.raises(ValueError, match="flat-5 has no hierarchy; choose nri"):
        tree.edges_among("hierarchy")


def test_a_tree_of_one_root_is_no_system_without_a_hierarchy() -> None:
    assert not Tree((-1,)).flat
    assert not Tree.parse("1").flat
    for text in ("flat-1", "flat-0", "flat-", "flat--5", "flat-101", "flat-5-3", "flat-٥"):
        with pytest.raises(ValueError, match="from 2 to 100 balls"):
            Tree.parse(text)

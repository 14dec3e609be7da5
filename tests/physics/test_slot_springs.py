"""Springs of image slots: a ball drawn at a known place is in the known slot, and its springs go with it."""

from __future__ import annotations

import numpy as np
import pytest

from hri.core.config import RenderConfig
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.physics.palette import to_pixels
from hri.physics.render import draw
from hri.physics.slot_springs import lost, slot_of, slot_springs, slots_of_balls

BALLS = Tree.parse("4-3")
LEAF = 5
"""First leaf: of the balls of 4-3 and of the slots alike."""


def at(column: float, row: float) -> tuple[float, float]:
    """Box position whose drawn centre is at these shares of the frame (the renderer's formula, solved for x and y)."""
    return 2 * (column - 0.125) / 0.775 - 1, 2 * (1 - 0.11 - row) / 0.77 - 1


def middle(slot: int) -> tuple[float, float]:
    """Box position drawn in the middle of a leaf slot's cell, by the published numbering."""
    k = slot - LEAF
    return at((2 * (k // 8) + (k % 4) // 2 + 0.5) / 4, (2 * ((k // 4) % 2) + k % 2 + 0.5) / 4)


def scene(places: dict[int, tuple[float, float]], springs: list[tuple[int, int]], rest: int = 5) -> np.ndarray:
    """Springs of slots [21, 21] while the named balls stand at their places and all others in leaf slot ``rest``."""
    positions, adjacency = np.empty((1, 1, 17, 2)), np.zeros((1, 17, 17), dtype=np.uint8)
    positions[:] = middle(rest)
    for ball, place in places.items():
        positions[0, 0, ball] = place
    for a, b in springs:
        adjacency[0, a, b] = adjacency[0, b, a] = 1
    return slot_springs(BALLS, adjacency, positions)[0, 0]


def pairs(joined: np.ndarray) -> set[tuple[int, int]]:
    assert (joined == joined.T).all()
    return {(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(joined)), strict=True)}


@pytest.mark.parametrize("slot", range(5, 21))
def test_a_ball_drawn_in_a_cell_is_in_that_cells_slot(slot: int) -> None:
    positions = np.full((1, 17, 2), np.nan)
    positions[0, LEAF] = middle(slot)
    assert slots_of_balls(BALLS, positions)[0, LEAF] == slot
    rows, columns = np.nonzero(draw(positions, BALLS, RenderConfig())[0].max(-1))
    left, top, right, bottom = SLOT_TREE.cells[slot] * 32
    assert set(columns) <= set(range(int(left), int(right)))
    assert set(rows) <= set(range(int(top), int(bottom)))


def test_cells_own_their_left_and_top_border_and_the_frame_has_no_outside() -> None:
    k = np.arange(16)
    column, row = (2 * (k // 8) + (k % 4) // 2) / 4, (2 * ((k // 4) % 2) + k % 2) / 4
    assert slot_of(np.stack([column, row], 1)).tolist() == list(range(5, 21))
    assert slot_of(np.array([[-0.1, -0.1], [1.0, 1.0]])).tolist() == [5, 20]


def test_each_ball_is_in_a_slot_of_its_own_level() -> None:
    positions = np.random.default_rng(0).uniform(-1, 1, (40, 17, 2))
    slots = slots_of_balls(BALLS, positions)
    assert (slots[:, 0] == 0).all()
    assert ((slots[:, 1:5] >= 1) & (slots[:, 1:5] < 5)).all()
    assert (slots[:, LEAF:] >= LEAF).all()
    cells, drawn = SLOT_TREE.cells[slots], to_pixels(positions, 1)
    assert ((cells[..., :2] <= drawn) & (drawn < cells[..., 2:])).all()


def test_the_start_of_4_3_has_every_hidden_parent_in_its_own_quadrant() -> None:
    """Intermediate balls begin at (-1/2, -1/2), (1/2, 1/2), (1/2, -1/2), (-1/2, 1/2); y points up, rows down."""
    positions = np.zeros((1, 17, 2))
    positions[0, 1:5] = [(-0.5, -0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, 0.5)]
    assert slots_of_balls(BALLS, positions)[0, :5].tolist() == [0, 2, 3, 4, 1]


def test_springs_of_a_hand_made_scene() -> None:
    """Two siblings in neighbouring cells, one further off, their hidden parent in the first quadrant, and the root."""
    places = {0: at(0.5, 0.5), 1: at(0.3, 0.3), 5: middle(5), 6: middle(6), 7: middle(13)}
    joined = scene(places, [(0, 1), (1, 5), (1, 7), (5, 6), (6, 7)])
    assert pairs(joined) == {(0, 1), (1, 5), (1, 13), (5, 6), (6, 13)}


def test_two_balls_in_one_slot_join_nothing() -> None:
    assert pairs(scene({5: middle(9), 6: middle(9)}, [(5, 6)])) == set()


def test_one_of_several_springs_is_enough() -> None:
    assert pairs(scene({5: middle(9), 6: middle(9), 7: middle(10)}, [(5, 7), (6, 7)])) == {(9, 10)}


def test_a_ball_that_crosses_a_border_takes_its_spring_along() -> None:
    adjacency = np.zeros((1, 17, 17), dtype=np.uint8)
    adjacency[0, 5, 6] = adjacency[0, 6, 5] = 1
    positions = np.zeros((1, 3, 17, 2))
    positions[:, :, 6] = middle(8)
    positions[0, :, 5] = [at(0.24, 0.1), at(0.26, 0.1), middle(8)]
    joined = slot_springs(BALLS, adjacency, positions)[0]
    assert [pairs(frame) for frame in joined] == [{(5, 8)}, {(7, 8)}, set()]


def test_other_trees_put_everything_between_root_and_leaves_into_intermediate_slots() -> None:
    balls = Tree.parse("2-2-2")
    positions = np.broadcast_to(middle(20), (1, 1, balls.size, 2)).copy()
    positions[0, 0, 1], positions[0, 0, 3] = middle(5), middle(10)
    assert pairs(slot_springs(balls, _joined(balls.size, [(0, 1), (1, 3)]), positions)[0, 0]) == {(0, 1), (1, 2)}


def test_without_a_level_between_leaves_are_joined_to_the_root() -> None:
    positions = np.broadcast_to(middle(5), (1, 1, 4, 2)).copy()
    assert pairs(slot_springs(Tree.parse("3"), _joined(4, [(0, 1)]), positions)[0, 0]) == {(0, 5)}


def _joined(size: int, springs: list[tuple[int, int]]) -> np.ndarray:
    adjacency = np.zeros((1, size, size), dtype=np.uint8)
    for a, b in springs:
        adjacency[0, a, b] = adjacency[0, b, a] = 1
    return adjacency


def test_what_the_projection_loses_is_told() -> None:
    """Two frames: 5 and 6 share a slot in the first; 6 and 7 are in different quadrants in both."""
    adjacency = _joined(17, [(5, 6), (6, 7)])
    positions = np.zeros((1, 2, 17, 2))
    positions[:, :, 5], positions[:, :, 6], positions[:, :, 7] = middle(5), middle(6), middle(20)
    positions[0, 0, 6] = middle(5)
    shares = lost(BALLS, adjacency, positions, *SLOT_TREE.edges_among("hierarchy"))
    assert shares["same_slot"] == pytest.approx(1 / 4)
    assert shares["not_inferred"] == pytest.approx(2 / 3)  # 5-20 and 6-20 of 5-20, 5-6, 6-20
    assert lost(BALLS, adjacency, positions, *SLOT_TREE.edges)["not_inferred"] == 0
    nothing = lost(BALLS, _joined(17, []), positions, *SLOT_TREE.edges_among("hierarchy"))
    assert nothing == {"same_slot": 0, "not_inferred": 0}

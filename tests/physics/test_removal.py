"""What springs do: the course of a system with and without each of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.physics.removal import AHEAD, acting, course, matters, pixels_apart
from hri.physics.springs import simulate

TREE = Tree.parse("4-3")
SYSTEMS = simulate(TREE, "04", range(900_000, 900_003))
FRAMES = np.array([10, 25])
PAIR = Tree.parse("1")
REST = 0.6
"""Rest length of a spring below the root in physics 04, along each axis."""


def two_balls(apart: tuple[float, float]) -> Trajectories:
    """A ball on a spring to the root, let go from there; both stand still at first."""
    x, v = np.array([[[0.0, 0.0], apart]]), np.zeros((1, 2, 2))
    joined = np.array([[[0, 1], [1, 0]]], dtype=np.uint8)
    later = course(PAIR, "04", joined, None, x, v)
    positions = np.concatenate([x[:, None], later], 1)
    return Trajectories(np.array([-1]), positions, np.zeros_like(positions), joined, PAIR.possible)


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05")])
def test_a_stored_state_moves_on_as_the_system_did(tree: str, physics: str) -> None:
    nodes = Tree.parse(tree)
    whole = simulate(nodes, physics, [42, 43])
    on = course(nodes, physics, whole.springs, None, whole.positions[:, 20], whole.velocities[:, 20])
    np.testing.assert_allclose(on, whole.positions[:, 21 : 21 + AHEAD], atol=1e-12)


def test_a_spring_at_rest_does_nothing_and_a_stretched_one_pulls() -> None:
    at_rest, stretched = two_balls((REST, REST)), two_balls((REST + 0.1, REST))
    first = np.array([0])
    assert not matters(PAIR, "04", at_rest, first).any()
    assert np.array_equal(matters(PAIR, "04", stretched, first)[0, 0], [[0, 1], [1, 0]])


def test_without_its_spring_a_resting_ball_stays() -> None:
    start = two_balls((REST + 0.1, REST))
    still = course(PAIR, "04", start.springs, np.array([[0, 1]]), start.positions[:, 0], start.velocities[:, 0])
    assert (still == start.positions[:, :1]).all()


def test_only_springs_matter_both_ways_and_systems_by_themselves() -> None:
    together = matters(TREE, "04", SYSTEMS, FRAMES)
    assert together.shape == (3, 2, 17, 17)
    assert (together <= SYSTEMS.springs[:, None]).all()
    assert np.array_equal(together, together.swapaxes(-1, -2))
    alone = [matters(TREE, "04", SYSTEMS[row : row + 1], FRAMES)[0] for row in range(3)]
    assert np.array_equal(together, np.stack(alone))


def test_strong_springs_matter_everywhere() -> None:
    found = matters(TREE, "04", SYSTEMS, FRAMES)
    for child, parent in enumerate(TREE.parents[1:], start=1):
        joined = SYSTEMS.springs[:, child, parent] > 0
        assert found[joined][:, :, child, parent].all()


@pytest.mark.parametrize("physics", ["springs", "charged"])
def test_balls_without_a_hierarchy_move_on_too_and_any_pair_may_matter(physics: str) -> None:
    nodes = Tree.parse("flat-5")
    whole = simulate(nodes, physics, [42, 43, 44])
    on = course(nodes, physics, whole.springs, None, whole.positions[:, 20], whole.velocities[:, 20])
    np.testing.assert_allclose(on, whole.positions[:, 21 : 21 + AHEAD], atol=1e-9)
    found, acts = matters(nodes, physics, whole, FRAMES), acting(physics, whole.springs)
    assert (found <= acts[:, None]).all()
    assert found.any()
    assert acts.sum() == (60 if physics == "charged" else whole.springs.sum())


@pytest.mark.parametrize(("apart", "seen"), [(1.0, True), (6.0, False)])
@pytest.mark.parametrize("repel", [0, 1])
def test_charges_matter_to_each_other_where_they_are_near(apart: float, seen: bool, repel: int) -> None:
    """At rest they part by about t^2 / 2 d^2 each, 0.5 and 0.014 here; a tenth of a pixel is 0.04."""
    nodes, v = Tree.parse("flat-2"), np.zeros((1, 2, 2))
    x = np.array([[[-apart / 2, 0.0], [apart / 2, 0.0]]])
    joined = repel * np.array([[[0, 1], [1, 0]]], dtype=np.uint8)
    later = course(nodes, "charged", joined, None, x, v)
    positions = np.concatenate([x[:, None], later], 1)
    scene = Trajectories(np.array([-1]), positions, np.zeros_like(positions), joined, nodes.possible)
    assert matters(nodes, "charged", scene, np.array([0]))[0, 0, 0, 1] == seen


def test_pixels_are_those_of_the_frame() -> None:
    apart = pixels_apart(np.array([[0.0, 0.0]]), np.array([[0.1, 0.0]]))
    assert apart == pytest.approx([32 * 0.775 * 0.1 / 2])


def test_data_of_other_physics_are_refused() -> None:
    with pytest.raises(ValueError, match="do not move as this model's physics says"):
        matters(TREE, "05", SYSTEMS, FRAMES)
    with pytest.raises(ValueError, match="unknown physics"):
        matters(TREE, "06", SYSTEMS, FRAMES)
    with pytest.raises(ValueError, match="no true graph"):
        matters(TREE, "04", dataclasses.replace(SYSTEMS, adjacency=None), FRAMES)

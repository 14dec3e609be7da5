"""Systems drawn by hand: they move as simulated ones do, travel as text, and refuse what cannot be."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest

from hri.core.hierarchy import Tree
from hri.physics.springs import simulate
from hri.physics.systems import System
from hri.rollout.rollout import roll_out
from tests.rollout.test_rollout import made

SMALL = System("2", "04", ((0, 1),), ((0.0, 0.0), (0.5, 0.25), (-0.5, 0.1)), ((0.1, 0.0), (0.0, -0.5), (0.0, 0.0)))


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05"), ("4-4", "05")])
def test_a_seed_s_system_moves_as_that_seed(tree: str, physics: str) -> None:
    """To the last digit, balls that start outside the box included."""
    for seed in range(4):
        drawn, sampled = System.of_seed(tree, physics, seed), simulate(Tree.parse(tree), physics, [seed], 1000)
        moved = drawn.simulate(1000)
        for name in ("positions", "velocities", "adjacency", "possible"):
            assert np.array_equal(getattr(moved, name), getattr(sampled, name))
        assert moved.seeds.tolist() == [-1]


def test_a_ball_without_springs_flies_straight() -> None:
    free = dataclasses.replace(SMALL, springs=())
    moved = free.simulate(1001)
    seconds = 0.001 * 0.25 * np.arange(100, 1001, 100)  # dt times the physics' speed
    assert moved.positions[0, :, 1, 1] == pytest.approx(0.25 - 0.5 * seconds)
    assert moved.positions[0, :, 2] == pytest.approx(np.tile([-0.5, 0.1], (10, 1)))
    pulled = SMALL.simulate(1001)
    assert not np.allclose(pulled.positions[0, :, 1], moved.positions[0, :, 1])
    assert np.array_equal(pulled.positions[0, :, 2], moved.positions[0, :, 2])  # not connected


@pytest.mark.parametrize("system", [SMALL, System.of_seed("4-3", "04", 7)])
def test_text_keeps_every_digit(system: System) -> None:
    for text in (system.to_json(), system.to_address(), f"\n{system.to_json()} "):
        assert System.parse(text) == system
    assert re.fullmatch(r"[0-9A-Za-z._~-]*", system.to_address())
    turned = json.loads(SMALL.to_json()) | {"springs": [[1, 0]]}
    assert System.parse(json.dumps(turned)) == SMALL


def test_fewer_digits_are_a_shorter_address_of_nearly_the_same_system() -> None:
    whole = System.of_seed("4-3", "04", 7)
    short = whole.rounded()
    assert short.springs == whole.springs
    assert np.allclose(short.positions, whole.positions, atol=5e-5)
    assert np.allclose(short.velocities, whole.velocities, atol=5e-5)
    assert len(short.to_address()) < 700 < len(whole.to_address())
    assert System.parse(short.to_address()) == short == short.rounded()


def test_addresses_stay_what_they_are() -> None:
    assert SMALL.to_address() == "1~2~04~0.1~0.0_0.0_0.1_0.0~0.5_0.25_0.0_-0.5~-0.5_0.1_0.0_0.0"


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-slot-hri-h"])
def test_any_checkpoint_of_that_tree_predicts_it(name: str) -> None:
    system = dataclasses.replace(System.of_seed("4-3", "04", 3), springs=((0, 1), (1, 5)))
    rolled = roll_out(made(name), system.simulate(1701), 6)
    assert rolled.true_adjacency is not None
    assert rolled.true_adjacency.sum() == 4
    assert rolled.predicted_frames is not None
    assert np.isfinite(rolled.predicted_frames).all()


def changed(**values: Any) -> str:
    return json.dumps(json.loads(SMALL.to_json()) | values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON"),
        ("{}", "must be a JSON object of version 1 with"),
        (changed(version=2), "of version 1"),
        (changed(more=1), "of version 1"),
        ("x" * 70_000, "the limit is 65536"),
        (changed(tree="9-9-9-9"), "the limit is 400"),
        (changed(tree="10-10"), "has 111 balls; the limit for a system drawn by hand is 100"),
        (changed(tree=4), "the tree is 4"),
        (changed(tree="x" * 500), "the tree is"),
        (changed(physics="06"), "choose from 04, 05"),
        (changed(springs=3), "must be a list of pairs"),
        (changed(springs=[[0]]), "[0] is not a spring"),
        (changed(springs=[[0, 1.0]]), "is not a spring"),
        (changed(springs=[[0, 3]]), "no spring can join 0 and 3 in tree 2"),
        (changed(springs=[[0, -1]]), "no spring can join 0 and -1"),
        (changed(springs=[[1, 2]]), "no spring can join 1 and 2 in tree 2; choose parent and child, or siblings"),
        (changed(springs=[[1, 1]]), "no spring can join 1 and 1"),
        (changed(springs=[[0, 1], [1, 0]]), "two springs join 1 and 0"),
        (changed(positions=[[0, 0]]), "there are 1 positions; tree 2 has 3 balls"),
        (changed(positions=7), "there are no positions"),
        (changed(positions=[[0, 0], [0, 1.01], [0, 0]]), "positions of ball 1 are [0, 1.01]; give two from -1 to 1"),
        (changed(positions=[[0, 0], [0, float("nan")], [0, 0]]), "positions of ball 1"),
        (changed(positions=[[0, 0], ["0", 0], [0, 0]]), "positions of ball 1"),
        (changed(positions=[[0, 0], [True, 0], [0, 0]]), "positions of ball 1"),
        (changed(velocities=[[0, 0], [0, 11], [0, 0]]), "velocities of ball 1 are [0, 11]; give two from -10 to 10"),
        (changed(velocities=[[0, 0], [9, 9], [0, 0]]), "ball 1 starts at speed 12.7; the limit is 10"),
        ("1~2", "is not a system of version 1"),
        ("2~2~04~0.1", "is not a system of version 1"),
        ("1~2~04~0.x~0_0_0_0", "holds something that is not a number"),
        ("1~2~04~0.1~0_0_0_zero", "holds something that is not a number"),
        ("1~2~04~0.1~0_0_0_0", "there are 1 positions"),
    ],
)
def test_impossible_systems_are_answered_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        System.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300

"""Systems that nobody drew: text and back, and the laws of mechanics wherever balls start."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from hri.core.forces import FORCES, force
from hri.core.hierarchy import Tree
from hri.physics.hierarchical import STEP, Physics
from hri.physics.particles import PARTICLES
from hri.physics.springs import energy, simulate, simulate_from
from hri.physics.systems import MAX_SPEED, System
from tests.generated import cases, decimals, unless_refused

FIVE = Tree.balls(5)
SOFT = Physics(speed=0.25, centred_levels=3, stiffness=(2.0, 2.0), rest=(0.6, 0.03), sibling_stiffness=1.0)
"""Springs too weak to reach the force limit."""


# Systems drawn by hand ---------------------------------------------------------------------------------


@st.composite
def systems(draw: Any) -> System:
    """Any that may be drawn: springs where the tree allows them, charges of two signs, balls anywhere in the box."""
    physics = draw(st.sampled_from(sorted(FORCES)))
    name = draw(st.sampled_from(["flat-2", "flat-5", "flat-7"] if force(physics).flat else ["1", "2", "3-3", "4-3"]))
    tree = Tree.parse(name)
    pairs = [(int(a), int(b)) for a, b in np.argwhere(np.triu(tree.possible))]
    if force(physics).silent:
        springs = draw(st.lists(st.sampled_from(pairs), unique=True).map(sorted))
    else:
        signs = draw(st.lists(st.booleans(), min_size=tree.size, max_size=tree.size))
        springs = [(a, b) for a, b in pairs if signs[a] == signs[b]]
    box, fast = force(physics).box, MAX_SPEED / 2
    places, speeds = (
        st.lists(st.tuples(decimals(-most, most), decimals(-most, most)), min_size=tree.size, max_size=tree.size)
        for most in (box, fast)
    )
    return System(name, physics, tuple(springs), tuple(draw(places)), tuple(draw(speeds)))


@cases(60)
@given(systems())
def test_text_keeps_every_digit_of_a_system(system: System) -> None:
    assert System.parse(system.to_json()) == system
    assert System.parse(system.to_address()) == system
    assert re.fullmatch(r"[0-9A-Za-z._~-]*", system.to_address())
    short = system.rounded()
    assert System.parse(short.to_address()) == short == short.rounded()


@cases(60)
@given(systems(), st.data())
def test_an_address_that_was_touched_is_another_system_or_one_sentence(system: System, data: st.DataObject) -> None:
    text = system.to_address()
    place = data.draw(st.integers(0, len(text) - 1), label="place")
    letter = data.draw(st.sampled_from("~_.-0123456789eENa \n\x00é"), label="letter")
    touched = text[:place] + letter + text[place + data.draw(st.integers(0, 1), label="in place of") :]
    if read := unless_refused(System.parse, touched):
        assert System.parse(read.to_address()) == read


# Mechanics ---------------------------------------------------------------------------------------------


@st.composite
def starts(draw: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five balls, about half of their pairs joined, within a part of the box that they do not leave at once."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    joined = np.triu(random.random((5, 5)) < 0.5, 1)
    places, speeds = random.uniform(-2, 2, (1, 5, 2)), random.uniform(-0.5, 0.5, (1, 5, 2))
    return (joined | joined.T).astype(np.uint8)[None], places, speeds


@cases(15)
@given(starts(), st.sampled_from(["springs", "charged"]))
def test_momentum_is_kept_away_from_the_walls(start: tuple[np.ndarray, np.ndarray, np.ndarray], physics: str) -> None:
    ours = simulate_from(FIVE, physics, *start, steps=1500)
    assume(np.abs(ours.positions).max() < 0.95 * force(physics).box)
    assume(np.abs(np.diff(ours.velocities, axis=1)).max() < 100 * STEP * 5)  # no force was clipped
    total = ours.velocities[0].sum(1)
    np.testing.assert_allclose(total, np.broadcast_to(start[2][0].sum(0), total.shape), atol=1e-9)


@cases(25)
@given(starts(), st.floats(1, 20))
def test_springs_keep_their_energy_at_any_speed_walls_included(
    start: tuple[np.ndarray, np.ndarray, np.ndarray], faster: float
) -> None:
    joined, places, speeds = start
    ours = simulate_from(FIVE, "springs", joined, places, faster * speeds)
    kept = energy(FIVE, "springs", ours.adjacency, ours.positions, ours.velocities)
    assert np.ptp(kept) <= 2e-3 * kept.max()


@cases(25)
@given(st.integers(0, 2**32 - 1))
def test_a_closed_hierarchy_keeps_energy_and_momentum(seed: int) -> None:
    tree = Tree.parse("4-3")
    ours = simulate(tree, SOFT, [seed], steps=2000)
    kept = energy(tree, SOFT, ours.adjacency, ours.positions, ours.velocities)
    assert np.ptp(kept) / kept.mean() < 5 * STEP * np.sqrt(2 * 2 * 0.25 * 4)
    assume(np.abs(ours.positions).max() < 0.9)  # nor did any ball meet a wall between two frames
    momentum = ours.velocities[0].sum(1)
    np.testing.assert_allclose(momentum, momentum[:1].repeat(19, 0), atol=1e-10)


@cases(25)
@given(starts(), st.sampled_from(["springs", "charged"]), st.permutations(range(5)), st.sampled_from([-1.0, 1.0]))
def test_names_of_balls_and_the_mirror_change_nothing(
    start: tuple[np.ndarray, np.ndarray, np.ndarray], physics: str, order: list[int], side: float
) -> None:
    """Balls numbered otherwise, in a world that is mirrored, go the same ways."""
    joined, places, speeds = start
    if physics == "charged":
        assume(min(np.linalg.norm(a - b) for k, a in enumerate(places[0]) for b in places[0, :k]) > 0.5)  # no collision
    mirror = np.array([side, 1.0])
    coupling = PARTICLES[physics].couplings(joined)
    ways = PARTICLES[physics].integrate(FIVE, coupling, places, speeds, 501, 100)
    turned = coupling[:, order][:, :, order]
    again = PARTICLES[physics].integrate(FIVE, turned, mirror * places[:, order], mirror * speeds[:, order], 501, 100)
    for one, other in zip(ways, again, strict=True):
        np.testing.assert_allclose(mirror * one[:, :, order], other, atol=1e-9)


@cases(12)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=5), st.sampled_from(["springs", "charged"]))
def test_a_system_depends_on_its_own_seed_alone(seeds: list[int], physics: str) -> None:
    together = simulate(FIVE, physics, seeds, steps=500)
    for row, seed in enumerate(seeds):
        assert np.array_equal(together.positions[row], simulate(FIVE, physics, [seed], steps=500).positions[0])

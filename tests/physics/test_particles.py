"""Balls without a hierarchy: the formulas, the published generator's conventions, and the laws of mechanics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hri.core.files import read_npz
from hri.core.hierarchy import Tree
from hri.physics.particles import BOX, FORCE_LIMIT, PARTICLES, START_SPEED, STEP
from hri.physics.springs import sample_system, simulate, simulate_from, write_simulation

FIVE = Tree.balls(5)


def drawn(physics: str, balls: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A system as the published generator draws it from NumPy's global generator, seeded."""
    random = np.random.RandomState(seed)
    if physics == "springs":
        edges = random.choice([0.0, 0.5, 1.0], size=(balls, balls), p=[0.5, 0, 0.5])
        edges = np.tril(edges, -1)
        coupling = edges + edges.T
    else:
        charge = random.choice([-1.0, 0.0, 1.0], size=balls, p=[0.5, 0, 0.5])
        coupling = np.outer(charge, charge)
    np.fill_diagonal(coupling, 0)
    x = random.randn(2, balls).T * {"springs": 0.5, "charged": 1.0}[physics]
    v = random.randn(2, balls).T
    return coupling, x, 0.5 * v / np.sqrt((v**2).sum(1, keepdims=True))


def formula(
    physics: str, coupling: np.ndarray, x: np.ndarray, v: np.ndarray, steps: int, every: int
) -> tuple[np.ndarray, np.ndarray]:
    """The integration written out plainly."""

    def walls() -> None:
        nonlocal x, v
        v = np.where(x > 5, -np.abs(v), np.where(x < -5, np.abs(v), v))
        x = np.where(x > 5, 10 - x, np.where(x < -5, -10 - x, x))

    def force() -> np.ndarray:
        d = x[:, None] - x[None]
        if physics == "springs":
            pairs = -0.1 * coupling[..., None] * d
        else:
            distance = np.sqrt((d**2).sum(-1)) + np.eye(len(x))
            pairs = (coupling / distance**3)[..., None] * d
        return np.clip(pairs.sum(1), -100, 100)

    places, speeds = [], []
    walls()
    v = v + 0.001 * force()
    for step in range(1, steps):
        x = x + 0.001 * v
        walls()
        if step % every == 0:
            places.append(x)
            speeds.append(v)
        v = v + 0.001 * force()
    return np.array(places), np.array(speeds)


@pytest.mark.parametrize("physics", ["springs", "charged"])
@pytest.mark.parametrize("balls", [2, 5, 7])
def test_systems_are_drawn_and_move_as_the_published_generator_has_them(physics: str, balls: int) -> None:
    ours = simulate(Tree.balls(balls), physics, range(3), steps=900, every=100)
    for row in range(3):
        coupling, x, v = drawn(physics, balls, row)
        acting = PARTICLES[physics].couplings(ours.springs[row : row + 1])[0]
        assert np.array_equal(acting * (1 - np.eye(balls)), coupling)
        places, speeds = formula(physics, coupling, x, v, 900, 100)
        # Charges that pass close by each other magnify the last digits.
        within = {"springs": 1e-9, "charged": 1e-5}[physics]
        assert ours.positions[row] == pytest.approx(places, abs=within)
        assert ours.velocities[row] == pytest.approx(speeds, abs=within)


@pytest.mark.parametrize("physics", ["springs", "charged"])
def test_frames_and_starts_are_as_published(physics: str) -> None:
    ours = simulate(FIVE, physics, range(400, 800))
    assert ours.positions.shape == (400, 49, 5, 2)
    assert simulate(FIVE, physics, [3], steps=10_000).positions.shape == (1, 99, 5, 2)
    assert np.abs(ours.positions).max() <= BOX
    starts = [PARTICLES[physics].sample(FIVE, seed) for seed in range(400, 800)]
    positions, velocities = (np.stack([start[k] for start in starts]) for k in (1, 2))
    assert np.linalg.norm(velocities, axis=-1) == pytest.approx(START_SPEED)
    assert positions.std() == pytest.approx(PARTICLES[physics].spread, rel=0.05)
    pairs = ours.springs[:, *np.triu_indices(5, 1)]
    assert pairs.mean() == pytest.approx(0.5, abs=0.05)
    assert (ours.springs == ours.springs.transpose(0, 2, 1)).all()
    assert not ours.springs[:, range(5), range(5)].any()
    assert np.array_equal(ours.possible, 1 - np.eye(5))


def test_charges_have_two_signs() -> None:
    """So two balls that each repel a third repel each other: one factor of -1 and 1 a ball."""
    for seed in range(30):
        signs = PARTICLES["charged"].couplings(PARTICLES["charged"].sample(Tree.balls(6), seed)[0][None])[0]
        assert np.linalg.matrix_rank(signs + 2 * np.diag(1 - signs.diagonal() > 1)) == 1


@pytest.mark.parametrize("physics", ["springs", "charged"])
def test_any_chunking_gives_the_same_numbers(physics: str) -> None:
    whole = simulate(FIVE, physics, range(70), steps=1000)
    parts = [simulate(FIVE, physics, seeds, steps=1000) for seeds in ([69], range(40), range(40, 69))]
    for name in ("positions", "velocities", "springs"):
        joined = np.concatenate([getattr(part, name) for part in (*parts[1:], parts[0])])
        assert np.array_equal(getattr(whole, name), joined)


def test_a_file_holds_what_is_simulated_whatever_the_chunk(tmp_path: Path) -> None:
    write_simulation(tmp_path / "x.npz", FIVE, "charged", range(5), frames=True, chunk=2, steps=10_000)
    arrays = read_npz(tmp_path / "x.npz")
    ours = simulate(FIVE, "charged", range(5), steps=10_000)
    for name in ("seeds", "positions", "velocities", "adjacency", "possible"):
        assert np.array_equal(arrays[name], getattr(ours, name))
    assert arrays["frames"].shape == (5, 99, 32, 32, 3)
    assert (arrays["frames"].max((2, 3, 4)) > 0).all()  # balls in a box of 5 are drawn in a frame of 1


@pytest.mark.parametrize("physics", ["springs", "charged"])
def test_momentum_is_kept_away_from_the_walls_and_from_clipping(physics: str) -> None:
    ours = simulate(FIVE, physics, range(200), steps=2000)
    start = np.stack([PARTICLES[physics].sample(FIVE, seed)[2].sum(0) for seed in range(200)])
    inside = np.abs(ours.positions).max((1, 2, 3)) < 0.9 * BOX
    # The clipping of a component would show as a speed gained faster than its limit allows.
    gentle = np.abs(np.diff(ours.velocities, axis=1)).max((1, 2, 3)) < 100 * STEP * FORCE_LIMIT / 20
    rows = inside & gentle
    assert rows.sum() > 10
    now = ours.velocities[rows].sum(2)
    assert now == pytest.approx(np.repeat(start[rows, None], now.shape[1], 1), abs=1e-9)


def test_springs_keep_their_energy_walls_included() -> None:
    start = [PARTICLES["springs"].sample(FIVE, seed) for seed in range(20)]
    joined, x, v = (np.stack([system[k] for system in start]) for k in range(3))
    acting = PARTICLES["springs"].couplings(joined)
    # Thrown fast enough to reach the walls.
    places, speeds = PARTICLES["springs"].integrate(FIVE, acting, x, 8 * v, 10_000, 10)
    assert (np.abs(places).max((1, 2, 3)) > 0.99 * BOX).all()
    kept = PARTICLES["springs"].energy(FIVE, acting, places, speeds)
    assert np.ptp(kept, axis=1) == pytest.approx(np.zeros(20), abs=2e-3 * kept.max())


def test_charges_that_repel_keep_their_energy() -> None:
    x, v = PARTICLES["charged"].sample(FIVE, 4)[1:]
    acting = np.ones((1, 5, 5))
    places, speeds = PARTICLES["charged"].integrate(FIVE, acting, 2 * x[None], v[None], 5000, 10)
    kept = PARTICLES["charged"].energy(FIVE, acting, places, speeds)
    assert np.ptp(kept) < 5e-3 * kept.mean()


def test_two_balls_on_a_spring_swing_about_their_middle() -> None:
    """The distance of two balls of mass 1 on a spring k = 0.1 swings as cos(sqrt(2 k) t)."""
    pair, joined = Tree.balls(2), np.array([[[0, 1], [1, 0]]], dtype=np.uint8)
    ours = simulate_from(
        pair, "springs", joined, np.array([[[-1.0, 0.5], [1.0, 0.5]]]), np.zeros((1, 2, 2)), steps=9000
    )
    times = STEP * np.arange(100, 9000, 100)
    assert ours.positions[0, :, 1, 0] - ours.positions[0, :, 0, 0] == pytest.approx(
        2 * np.cos(np.sqrt(0.2) * times), abs=1e-3
    )
    assert ours.positions[0, :, :, 1] == pytest.approx(0.5)


def test_opposite_charges_can_circle_each_other() -> None:
    """Masses 1 at distance r attract with 1 / r^2; at speed sqrt(1 / 2r) each stays on a circle of radius r / 2."""
    distance = 2.0
    speed = np.sqrt(1 / (2 * distance))
    joined = np.zeros((1, 2, 2), dtype=np.uint8)
    x, v = np.array([[[1.0, 0.0], [-1.0, 0.0]]]), np.array([[[0.0, speed], [0.0, -speed]]])
    ours = simulate_from(Tree.balls(2), "charged", joined, x, v, steps=10_000)
    angle = speed / (distance / 2) * STEP * np.arange(100, 10_000, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    assert ours.positions[0, :, 0] == pytest.approx(circle, abs=5e-3)
    assert ours.positions[0, :, 1] == pytest.approx(-circle, abs=5e-3)


def test_walls_reflect() -> None:
    alone = np.zeros((1, 2, 2), dtype=np.uint8)
    x, v = np.array([[[4.0, 0.0], [-6.0, 1.0]]]), np.array([[[2.0, 0.0], [-1.0, 0.25]]])
    ours = simulate_from(Tree.balls(2), "springs", alone, x, v, steps=2001)
    times = STEP * np.arange(100, 2001, 100)
    there = 4 + 2 * times
    assert ours.positions[0, :, 0, 0] == pytest.approx(np.where(there > 5, 10 - there, there))
    assert ours.velocities[0, -1, 0] == pytest.approx([-2.0, 0.0])
    # Beyond the wall at the start: reflected once, and turned inward.
    assert ours.positions[0, :, 1, 0] == pytest.approx(-4 + times)


def test_forces_are_clipped() -> None:
    close = np.array([[[0.0, 0.0], [1e-4, 0.0]]])
    repel = np.array([[[0, 1], [1, 0]]], dtype=np.uint8)
    ours = simulate_from(Tree.balls(2), "charged", repel, close, np.zeros((1, 2, 2)), steps=3, every=1)
    assert ours.velocities[0, 0, :, 0] == pytest.approx([-STEP * FORCE_LIMIT, STEP * FORCE_LIMIT])
    together = simulate_from(Tree.balls(2), "charged", repel, np.zeros((1, 2, 2)), np.zeros((1, 2, 2)))
    assert not together.positions.any()


def test_a_pair_that_is_taken_out_does_not_act() -> None:
    joined, x, v = PARTICLES["charged"].sample(Tree.balls(3), 5)
    acting = PARTICLES["charged"].couplings(joined[None])
    acting[:, 0] = acting[:, :, 0] = 0
    alone, _ = PARTICLES["charged"].integrate(Tree.balls(3), acting, x[None], v[None], 301)
    start = np.clip(x[0], -BOX, BOX)
    assert alone[0, :, 0] == pytest.approx(start + v[0] * 0.1 * np.arange(1, 4)[:, None])


@pytest.mark.parametrize(
    ("tree", "physics", "says"),
    [
        ("4-3", "charged", "physics charged is of balls without a hierarchy; choose a tree such as flat-5"),
        ("flat-5", "04", "flat-5 has no hierarchy; choose physics springs or charged"),
        ("flat-5", "06", "unknown physics '06'; choose from 04, 05, charged, springs"),
    ],
)
def test_hierarchies_and_physics_that_do_not_fit_are_refused(tree: str, physics: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sample_system(Tree.parse(tree), physics, 1)

"""Springs: the published numbers, the laws of mechanics, and what is written to disk."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hri.core.config import RenderConfig
from hri.core.files import read_npz
from hri.core.hierarchy import Tree
from hri.physics import springs as module
from hri.physics.hierarchical import PHYSICS, STEP, Physics, springs
from hri.physics.render import draw
from hri.physics.springs import energy, sample_system, simulate, simulate_from, write_simulation
from tests.disk import disk_of

TREE = Tree.parse("4-3")
TREES = ["4-3", "3-3", "4-4", "8-8", "4-4-4", "2-1", "5", "1"]
SOFT = Physics(speed=0.25, centred_levels=3, stiffness=(2.0, 2.0), rest=(0.6, 0.03), sibling_stiffness=1.0)
"""Springs too weak to reach the force limit: momentum and energy are kept."""


# --- the published systems -------------------------------------------------------------------------------


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05")])
def test_trajectories_equal_the_published_ones(reference: Path, tree: str, physics: str) -> None:
    with np.load(reference / "springs" / f"springs_{tree}_{physics}_seeds_42-45.npz") as published:
        ours = simulate(Tree.parse(tree), physics, published["seeds"])
        np.testing.assert_array_equal(ours.seeds, published["seeds"])
        np.testing.assert_array_equal(ours.adjacency, published["adjacency"])
        np.testing.assert_array_equal(ours.possible, published["possible"])
        np.testing.assert_allclose(ours.positions, published["positions"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours.velocities, published["velocities"], rtol=0, atol=1e-6)


def formula(
    tree: Tree, physics: Physics, adjacency: np.ndarray, x: np.ndarray, v: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The module's equations over dense [N, N, 2] arrays, one system, every state."""
    stiffness, rest = springs(tree, physics)
    k, places, speeds = (adjacency * stiffness)[..., None], [], []
    for step in range(steps):
        if step:
            x = x + STEP * physics.speed * v
        v = np.where(x > 1, -np.abs(v), np.where(x < -1, np.abs(v), v))
        x = np.where(x > 1, 2 - x, np.where(x < -1, -2 - x, x))
        places.append(x)
        speeds.append(v)
        d = x[:, None] - x[None]
        force = -(k * (d - (rest[..., None] * np.sign(d) if step else 0))).sum(1)
        v = v + STEP * np.clip(force, -10, 10)
    return np.array(places[1:]), np.array(speeds[1:])


@pytest.mark.parametrize("tree", ["4-3", "4-4-4", "5", "1"])
@pytest.mark.parametrize("physics", [*PHYSICS])
def test_the_kernel_is_the_formula(tree: str, physics: str) -> None:
    nodes, seeds = Tree.parse(tree), range(3)
    ours = simulate(nodes, physics, seeds, steps=400, every=1)
    for row, seed in enumerate(seeds):
        places, speeds = formula(nodes, PHYSICS[physics], *sample_system(nodes, physics, seed), 400)
        np.testing.assert_allclose(ours.positions[row], places, rtol=0, atol=1e-9)
        np.testing.assert_allclose(ours.velocities[row], speeds, rtol=0, atol=1e-9)


@pytest.mark.parametrize("tree", ["4-3", "3-3", "4-4-4"])
def test_springs_are_drawn_as_described(tree: str) -> None:
    nodes = Tree.parse(tree)
    for seed in range(20):
        random, expected = np.random.RandomState(seed), np.zeros((nodes.size, nodes.size))
        expected[0, nodes.children(0)] = 1
        for parent in range(1, nodes.size):
            if not (children := nodes.children(parent)):
                continue
            c = len(children)
            bits = bin(random.randint(1, 2**c))[2:].zfill(c)
            expected[parent, children] = [float(bit) for bit in bits]
            while True:
                drawn = random.choice([0.0, 0.5, 1.0], size=(c, c), p=[0.75, 0, 0.25])
                joined = (drawn + drawn.T) / 2 + np.eye(c)
                if (np.linalg.matrix_power(joined, c) != 0).all():
                    break
            expected[np.ix_(children, children)] = (joined > 0) - np.eye(c)
        adjacency, positions, velocities = sample_system(nodes, PHYSICS["05"], seed)
        np.testing.assert_array_equal(adjacency, np.maximum(expected, expected.T))
        random.randn(2, nodes.size)
        directions = random.randn(2, nodes.size).T
        np.testing.assert_allclose(velocities, 0.5 * directions / np.linalg.norm(directions, axis=1)[:, None])
        assert positions.shape == (nodes.size, 2)


# --- sampling --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tree", TREES)
def test_springs_follow_the_tree(tree: str) -> None:
    nodes = Tree.parse(tree)
    for seed in range(30):
        adjacency, _, velocities = sample_system(nodes, "04", seed)
        np.testing.assert_array_equal(adjacency, adjacency.T)
        assert not (adjacency > nodes.possible).any()
        assert adjacency[0, nodes.children(0)].all()
        for parent in range(1, nodes.size):
            if children := nodes.children(parent):
                assert adjacency[parent, children].any(), "every group hangs on its parent"
                group = adjacency[np.ix_(children, children)] + np.eye(len(children))
                assert (np.linalg.matrix_power(group, len(children)) > 0).all(), "every group hangs together"
        np.testing.assert_allclose(np.linalg.norm(velocities, axis=1), 0.5)


def test_starts_lie_at_centres_that_halve_from_level_to_level() -> None:
    tree = Tree.parse("4-4-4")
    _, positions, _ = sample_system(tree, "04", 5)
    parents = np.asarray(tree.parents)
    offset = positions[1:] - positions[parents[1:]]
    order = np.array([(-1, -1), (1, 1), (1, -1), (-1, 1)])
    np.testing.assert_allclose(positions[0], 0)
    np.testing.assert_allclose(offset[:4], order / 2)
    np.testing.assert_allclose(offset[4:20].reshape(4, 4, 2), np.broadcast_to(order / 4, (4, 4, 2)))
    assert np.ptp(offset[20:], axis=0).min() > 0.25, "the level below the centred ones is spread"


def test_spread_of_the_leaves_in_05() -> None:
    starts = np.stack([sample_system(Tree.parse("3-3"), "05", seed)[1] for seed in range(300)])
    spread = starts.std(0)
    np.testing.assert_allclose(spread[:4], 0, atol=1e-12)
    np.testing.assert_allclose(spread[4:], 0.25, rtol=0.15)


def test_more_than_four_children_stand_on_a_circle() -> None:
    tree = Tree.parse("8-8")
    _, positions, _ = sample_system(tree, "04", 0)
    np.testing.assert_allclose(np.linalg.norm(positions[1:9], axis=1), np.sqrt(0.5))
    steps = np.diff(np.unwrap(np.arctan2(positions[1:9, 1], positions[1:9, 0])))
    np.testing.assert_allclose(steps, np.pi / 4)
    np.testing.assert_allclose(np.linalg.norm(positions[9:17] - positions[1], axis=1), np.sqrt(0.125))


def test_constants_of_springs_by_level() -> None:
    stiffness, rest = springs(Tree.parse("4-4-4"), PHYSICS["04"])
    assert (rest[0, 1], rest[1, 5], rest[5, 21], rest[5, 6], rest[21, 22]) == (0.6, 0.03, 0.03, 0.2, 0.2)
    assert (stiffness[0, 1], stiffness[1, 5], stiffness[5, 6]) == (500, 500, 5)
    np.testing.assert_array_equal(rest, rest.T)


# --- determinism -----------------------------------------------------------------------------------------


def test_a_system_depends_on_its_seed_alone() -> None:
    together = simulate(TREE, "04", range(70), steps=1000)
    again = simulate(TREE, "04", np.arange(70)[::-1], steps=1000)
    np.testing.assert_array_equal(together.positions, again.positions[::-1])
    for rows in (slice(0, 1), slice(30, 37), slice(69, 70)):
        part = simulate(TREE, "04", range(70)[rows], steps=1000)
        np.testing.assert_array_equal(part.positions, together.positions[rows])
        np.testing.assert_array_equal(part.velocities, together.velocities[rows])
    assert len(np.unique(together.positions[:, -1, 5, 0])) == 70


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    alone = simulate(TREE, "04", range(70), steps=500)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    np.testing.assert_array_equal(alone.positions, simulate(TREE, "04", range(70), steps=500).positions)


def test_several_threads_may_simulate_at_once() -> None:
    expected = simulate(TREE, "04", range(70), steps=500).positions
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: simulate(TREE, "04", range(70), steps=500).positions, range(8)):
            np.testing.assert_array_equal(result, expected)


def test_a_chosen_start_is_the_sampled_one_and_stays_as_it_was() -> None:
    adjacency, positions, velocities = (array[None] for array in sample_system(TREE, "04", 3))
    kept = positions.copy(), velocities.copy()
    ours = simulate_from(TREE, "04", adjacency, positions, velocities)
    np.testing.assert_array_equal(ours.positions, simulate(TREE, "04", [3]).positions)
    np.testing.assert_array_equal(ours.seeds, [-1])
    np.testing.assert_array_equal(positions, kept[0])
    np.testing.assert_array_equal(velocities, kept[1])


# --- mechanics -------------------------------------------------------------------------------------------


def free_start(speed: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    _, positions, velocities = sample_system(TREE, "05", 1)
    return np.zeros((1, 17, 17), np.uint8), positions[None].clip(-1, 1), velocities[None] * speed / 0.5


def test_without_springs_balls_fly_straight_between_the_walls() -> None:
    adjacency, positions, velocities = free_start(speed=20.0)
    ours = simulate_from(TREE, "04", adjacency, positions, velocities)
    time = STEP * 100 * np.arange(1, 50)[:, None, None]
    unfolded = positions + 0.25 * velocities * time + 1
    np.testing.assert_allclose(ours.positions[0], 1 - np.abs(unfolded % 4 - 2), atol=1e-9)
    np.testing.assert_allclose(np.abs(ours.velocities[0]), np.broadcast_to(np.abs(velocities), (49, 17, 2)))
    assert (np.sign(ours.velocities[0]) != np.sign(velocities)).any(), "some ball met a wall"


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05"), ("8-8", "04")])
def test_balls_stay_in_the_box(tree: str, physics: str) -> None:
    ours = simulate(Tree.parse(tree), physics, range(20))
    assert np.isfinite(ours.velocities).all()
    assert np.abs(ours.positions).max() <= 1


def test_a_start_beyond_the_wall_is_reflected() -> None:
    adjacency, positions, velocities = free_start()
    positions[:] = 1.25
    ours = simulate_from(TREE, "04", adjacency, positions, np.abs(velocities), steps=2, every=1)
    np.testing.assert_allclose(ours.positions[0, 0], 0.75 - STEP * 0.25 * np.abs(velocities[0]))


def test_no_force_exceeds_the_limit() -> None:
    ours = simulate(TREE, "04", range(5), steps=300, every=1)
    inside = (np.abs(ours.positions[:, 1:]) < 0.99).all((2, 3)) & (np.abs(ours.positions[:, :-1]) < 0.99).all((2, 3))
    change = np.abs(np.diff(ours.velocities, axis=1))[inside]
    assert change.max() <= STEP * 10 + 1e-12
    assert change.max() > STEP * 9.99, "springs of k = 500 do reach it"


def test_a_closed_system_keeps_its_momentum() -> None:
    ours = simulate(TREE, SOFT, range(8), steps=2000)
    away = np.abs(ours.positions).max((1, 2, 3)) < 1
    assert away.any()
    momentum = ours.velocities[away].sum(2)
    np.testing.assert_allclose(momentum, momentum[:, :1].repeat(19, 1), atol=1e-10)


def test_a_closed_system_keeps_its_energy() -> None:
    """Symplectic Euler's energy wavers by about omega dt / 2, omega^2 = 2 k speed the fastest spring's."""
    ours = simulate(TREE, SOFT, range(8))
    kept = energy(TREE, SOFT, ours.adjacency, ours.positions, ours.velocities)
    assert kept.shape == (8, 49)
    assert np.ptp(ours.velocities, axis=1).max() > 0.5, "energy does change hands"
    assert (np.ptp(kept, axis=1) / kept.mean(1)).max() < 5 * STEP * np.sqrt(2 * 2 * 0.25 * 4)


def test_the_energy_drift_is_of_the_order_of_the_step() -> None:
    """Four times the stiffness doubles omega dt, and with it what the integrator adds or takes."""
    pair = Tree.regular(1)
    start = np.ones((1, 2, 2), np.uint8) - np.eye(2, dtype=np.uint8), np.array([[[-0.3, -0.2], [0.3, 0.2]]])
    drifts = []
    for stiffness in (1.0, 4.0, 16.0):
        physics = Physics(speed=1.0, centred_levels=1, stiffness=(stiffness,), rest=(0.3,))
        ours = simulate_from(pair, physics, *start, np.zeros((1, 2, 2)), steps=20_000, every=10)
        kept = energy(pair, physics, ours.adjacency, ours.positions, ours.velocities)
        drifts.append(np.ptp(kept) / kept.mean())
    np.testing.assert_allclose(np.array(drifts[1:]) / drifts[:-1], 2, rtol=0.15)
    assert drifts[0] < 2 * STEP * np.sqrt(2.0)


def test_two_balls_on_a_spring_swing_as_calculated() -> None:
    """d(t) = L + A cos(omega t) on each axis, omega^2 = 2 k speed, as long as d keeps its sign."""
    pair, k, rest, speed = Tree.regular(1), 4.0, 0.4, 0.5
    physics = Physics(speed=speed, centred_levels=1, stiffness=(k,), rest=(rest,))
    adjacency = np.ones((1, 2, 2), np.uint8) - np.eye(2, dtype=np.uint8)
    positions = np.array([[[0.3, 0.1], [-0.3, -0.1]]])
    ours = simulate_from(pair, physics, adjacency, positions, np.zeros((1, 2, 2)))
    distance = ours.positions[0, :, 0] - ours.positions[0, :, 1]
    time = STEP * 100 * np.arange(1, 50)[:, None]
    expected = rest + (positions[0, 0] - positions[0, 1] - rest) * np.cos(np.sqrt(2 * k * speed) * time)
    np.testing.assert_allclose(distance, expected, atol=5 * STEP)


def test_balls_without_a_path_of_springs_do_not_feel_each_other() -> None:
    adjacency, positions, velocities = free_start()
    adjacency[0, 1, 2] = adjacency[0, 2, 1] = 1
    moved = positions.copy()
    moved[0, 1] = 0.9
    before = simulate_from(TREE, "04", adjacency, positions, velocities).positions
    after = simulate_from(TREE, "04", adjacency, moved, velocities).positions
    differs = (before != after).any((0, 1, 3))
    np.testing.assert_array_equal(np.flatnonzero(differs), [1, 2])


# --- mistakes --------------------------------------------------------------------------------------------


def test_mistakes_are_named() -> None:
    adjacency, positions, velocities = free_start()
    with pytest.raises(ValueError, match=r"unknown physics '06'; choose from 04, 05"):
        simulate(TREE, "06", [1])
    with pytest.raises(ValueError, match="seed -1 is out of range"):
        simulate(TREE, "04", [-1])
    with pytest.raises(ValueError, match="seed 4294967296 is out of range"):
        simulate(TREE, "04", [2**32])
    with pytest.raises(ValueError, match="leave no frame"):
        simulate(TREE, "04", [1], steps=100)
    with pytest.raises(ValueError, match="more than 62 children"):
        sample_system(Tree.parse("1-63"), "04", 0)
    lopsided = adjacency.copy()
    lopsided[0, 0, 1] = 1
    with pytest.raises(ValueError, match="symmetric"):
        simulate_from(TREE, "04", lopsided, positions, velocities)
    for bad in (np.nan, np.inf, 3.5):
        with pytest.raises(ValueError, match="start positions must lie within"):
            simulate_from(TREE, "04", adjacency, positions + bad, velocities)


@pytest.mark.usefixtures("unchecked")
def test_arrays_of_another_tree_are_refused() -> None:
    adjacency, positions, velocities = free_start()
    with pytest.raises(ValueError, match=r"velocities have shape \(1, 16, 2\); this tree needs \(1, 17, 2\)"):
        simulate_from(TREE, "04", adjacency, positions, velocities[:, 1:])
    with pytest.raises(ValueError, match="adjacency have shape"):
        simulate_from(Tree.parse("3-3"), "04", adjacency, positions, velocities)


# --- files -----------------------------------------------------------------------------------------------


def test_a_small_file_holds_what_simulate_gives(tmp_path: Path) -> None:
    done: list[int] = []
    write_simulation(tmp_path / "a.npz", TREE, "04", range(42, 47), chunk=2, progress=done.append)
    written, ours = read_npz(tmp_path / "a.npz"), simulate(TREE, "04", range(42, 47))
    assert sorted(written) == ["adjacency", "positions", "possible", "seeds", "velocities"]
    for name, array in written.items():
        np.testing.assert_array_equal(array, getattr(ours, name))
        assert array.dtype == getattr(ours, name).dtype
    assert done == [2, 4, 5]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_frames_are_drawn_from_the_positions_in_the_file(tmp_path: Path) -> None:
    render = RenderConfig(size=64, grey=True, curtain=True)
    write_simulation(tmp_path / "a.npz", TREE, "04", [5, 9, 5], frames=True, render=render, chunk=2)
    written = read_npz(tmp_path / "a.npz")
    assert written["frames"].shape == (3, 49, 64, 64, 1)
    for row, seed in enumerate([5, 9, 5]):
        frames = draw(written["positions"][row], TREE, render, np.full(49, seed))
        np.testing.assert_array_equal(written["frames"][row], frames)


def test_a_large_set_is_single_precision_and_the_same_in_any_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SMALL", 3)
    whole, chunked = tmp_path / "whole.npz", tmp_path / "chunked.npz"
    write_simulation(whole, TREE, "04", range(7), frames=True)
    write_simulation(chunked, TREE, "04", range(7), frames=True, chunk=3)
    first, second = read_npz(whole), read_npz(chunked)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    assert first["positions"].dtype == first["velocities"].dtype == np.float32
    np.testing.assert_array_equal(first["positions"], simulate(TREE, "04", range(7)).positions.astype(np.float32))


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("size", [100, 20_000, 60_000, 100_000])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, frames: bool, size: int) -> None:
    target = tmp_path / "a.npz"
    target.write_bytes(b"older")
    with disk_of(size), pytest.raises(OSError, match="File too large"):
        write_simulation(target, TREE, "04", range(8), frames=frames, chunk=3)
    assert target.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_simulation(tmp_path / "a.npz", TREE, "04", range(4), chunk=2, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_simulation(tmp_path / "nowhere" / "a.npz", TREE, "04", [1])
    with pytest.raises(ValueError, match="no seeds"):
        write_simulation(tmp_path / "a.npz", TREE, "04", [])
    with pytest.raises(ValueError, match="seed -3"):
        write_simulation(tmp_path / "a.npz", TREE, "04", [1, -3])
    assert not list(tmp_path.iterdir())


# --- start-up --------------------------------------------------------------------------------------------


def test_importing_compiles_nothing_and_a_second_process_finds_the_kernels(tmp_path: Path) -> None:
    program = """
import sys
from hri.core.hierarchy import Tree
from hri.physics import hierarchical, springs
assert "torch" not in sys.modules
assert not hierarchical._integrate.signatures
springs.simulate(Tree.parse("4-3"), "04", [1], steps=3, every=1)
print(sum(hierarchical._integrate.stats.cache_hits.values()))
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    hits = [
        int(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout)
        for _ in range(2)
    ]
    assert hits == [0, 1]

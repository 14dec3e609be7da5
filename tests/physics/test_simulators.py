"""A physics is one file and its registration: a new one is drawn, moved and named without any other change."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hri
from hri.core.forces import FORCES, system_name, system_named
from hri.core.hierarchy import Tree
from hri.physics.removal import matters
from hri.physics.simulator import STEP, Kernel, Pairs, Simulator, Start, kick, move
from hri.physics.springs import SIMULATORS, energy, simulate
from hri.physics.systems import System

ROOT = Path(hri.__file__).parents[1]
THREE = Tree.balls(3)


class Drift(Simulator):
    """Balls that nothing acts on, far from the walls."""

    speed = 1.0

    def sample(self, tree: Tree, seed: int) -> Start:
        random = np.random.default_rng(seed)
        joined = np.ones((tree.size, tree.size), dtype=np.uint8) - np.eye(tree.size, dtype=np.uint8)
        return joined, random.uniform(-1, 1, (tree.size, 2)), random.uniform(-0.1, 0.1, (tree.size, 2))

    def check(self, adjacency: np.ndarray) -> None:
        if not adjacency.any():
            raise ValueError("these balls have to drift together; join some of them")

    def kernel(self, pairs: Pairs) -> Kernel:
        def integrate(
            coupling: np.ndarray,
            x: np.ndarray,
            v: np.ndarray,
            steps: int,
            every: int,
            continued: bool,
            path_x: np.ndarray,
            path_v: np.ndarray,
        ) -> None:
            for step in range(steps):
                move(step, x, v, 1.0, 5.0, every, path_x, path_v)
                kick(v, np.zeros_like(x), 1.0)

        return integrate

    def potential(self, pairs: Pairs, apart: np.ndarray) -> np.ndarray:
        return np.zeros(apart.shape[:-1])


@pytest.fixture
def drift(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a physics that is registered for one test."""
    words = dataclasses.replace(FORCES["springs"], systems="drifting systems", start="drift", balls="free balls")
    monkeypatch.setitem(FORCES, "drift", words)
    monkeypatch.setitem(SIMULATORS, "drift", Drift())
    return "drift"


def test_every_physics_has_words_and_a_simulator() -> None:
    assert SIMULATORS.keys() == FORCES.keys()
    assert all(isinstance(simulator, Simulator) for simulator in SIMULATORS.values())


def test_a_new_physics_moves_balls_wherever_balls_move(drift: str) -> None:
    systems = simulate(THREE, drift, range(4))
    assert systems.positions.shape == (4, 49, 3, 2)
    assert np.ptp(energy(THREE, drift, systems.springs, systems.positions, systems.velocities), axis=1).max() == 0
    assert system_named("drift3") == ("flat-3", drift)
    assert system_name("flat-3", drift) == "drift3"
    straight = systems.positions[:, :1] + systems.velocities * STEP * 100 * np.arange(49)[:, None, None]
    np.testing.assert_allclose(systems.positions, straight, atol=1e-12)
    drawn = System.of_seed("flat-3", drift, 2)
    assert drawn.simulate().positions[0] == pytest.approx(systems.positions[2])
    assert System.parse(drawn.to_address()) == drawn
    with pytest.raises(ValueError, match="have to drift together"):
        dataclasses.replace(drawn, springs=())
    assert not matters(THREE, drift, systems, np.array([10])).any(), "nothing acts, so nothing is missed"


NAMES = """
import dataclasses, typing
from hri.core import forces

forces.FORCES["drift"] = dataclasses.replace(
    forces.FORCES["springs"], systems="drifting systems", start="drift", balls="free balls"
)
forces.PhysicsName = typing.Literal[tuple(forces.FORCES)]  # as where it stands in the table to begin with

from app.train.form import DATA
from hri.core.config import Config
from hri.core.presets import PRESETS, preset
from hri.data.sources import source_of

config = preset("drift3-state-nri")
assert Config.from_dict(config.to_dict()) == config
assert {"drift5-state-nri", "drift10-state-nri-mlp"} <= PRESETS.keys()
assert DATA["drift5"] == "5 free balls, no hierarchy"
assert source_of(config.data).label == "simulated drifting systems"
assert source_of(config.data).about.startswith("20000 simulated drifting systems, 3 balls without a hierarchy")
"""


def test_a_new_physics_has_names_presets_and_a_place_in_the_form() -> None:
    done = subprocess.run([sys.executable, "-c", NAMES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Small motions of DeepMimic's humanoid, made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from hri.data.formats.deepmimic import BALLS, HINGES, NUMBERS


def row(seconds: float = 0.1, root: tuple[float, float, float] = (0.0, 0.9, 0.0), **turns: object) -> list[float]:
    """A frame of a body that stands upright and looks along x, but for the joints whose turns or angles are given."""
    numbers = np.zeros(NUMBERS)
    numbers[0], numbers[1:4] = seconds, root
    for name, column in BALLS.items():
        turn = turns.get(name, Rotation.identity())
        assert isinstance(turn, Rotation)
        x, y, z, w = turn.as_quat()
        numbers[column : column + 4] = w, x, y, z
    for name, column in HINGES.items():
        numbers[column] = turns.get(name, 0.0)
    return numbers.tolist()


def write(path: Path, rows: list[list[float]], loop: str = "none") -> Path:
    """The rows as a file."""
    path.write_text(json.dumps({"Loop": loop, "Frames": rows}))
    return path


def about_the_vertical(degrees: float) -> Rotation:
    """Counter-clockwise, seen from above."""
    return Rotation.from_euler("y", degrees, degrees=True)


def wandering(path: Path, seed: int = 0, frames: int = 40, loop: str = "wrap") -> Path:
    """A body that swings all its joints, walks on and turns; its last pose is almost its first."""
    random = np.random.default_rng(seed)
    axes = {name: random.normal(0, 0.4, 3) for name in BALLS}
    phases = {name: random.uniform(0, 6) for name in (*BALLS, *HINGES)}
    rows = []
    for k in range(frames):
        time = 2 * np.pi * k / (frames - 0.8)
        turns: dict[str, object] = {
            name: Rotation.from_rotvec(axes[name] * np.sin(time + phases[name])) for name in BALLS
        }
        turns |= {name: np.sin(time + phases[name]) - 1 for name in HINGES}
        turns["pelvis"] = about_the_vertical(30 * k / frames) * turns["pelvis"]  # type: ignore[operator]
        rows.append(row(0.03, (0.03 * k, 0.9 + 0.02 * np.sin(time), 0.01 * k), **turns))
    return write(path, rows, loop)

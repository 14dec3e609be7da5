"""Trajectories as others bring them: the files of the published generator, and a table of five objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hri.core.hierarchy import Tree
from hri.physics.springs import simulate

NAMES = ("queen", "worker a", "worker b", "drone <1>", "mite")
FIRST_SEED = {"train": 1, "valid": 100_000, "test": 200_000}


def write_generated(folder: Path, physics: str, counts: dict[str, int], balls: int = 5) -> Path:
    """loc_, vel_ and edges_ files of our simulator's systems, in the layout of the published generator.

    Springs are 0 and 1; charges the products of their signs, which the diagonal has too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for word, count in counts.items():
        systems = simulate(Tree.balls(balls), physics, range(FIRST_SEED[word], FIRST_SEED[word] + count))
        edges = systems.springs.astype(np.float64)
        if physics == "charged":
            edges = np.where(edges > 0, 1.0, -1.0)
            edges[:, range(balls), range(balls)] = 1.0
        for name, array in (
            ("loc", systems.positions.transpose(0, 1, 3, 2)),
            ("vel", systems.velocities.transpose(0, 1, 3, 2)),
            ("edges", edges),
        ):
            np.save(folder / f"{name}_{word}_{physics}{balls}.npy", array)
    return folder


def moving(seconds: float = 120.0, fps: float = 25.0, seed: int = 0) -> np.ndarray:
    """Positions [T, 5, 2] of five objects, in millimetres: one swings about the middle, four circle around it."""
    random, times = np.random.default_rng(seed), np.arange(round(seconds * fps)) / fps
    hub = np.stack([20 * np.sin(0.7 * times), 15 * np.cos(0.5 * times)], 1) + 200.0
    tracks = [hub]
    for _ in range(4):
        reach, pace, phase = random.uniform(30, 60), random.uniform(0.8, 1.6), random.uniform(0, 2 * np.pi)
        tracks.append(hub + reach * np.stack([np.cos(pace * times + phase), np.sin(pace * times + phase)], 1))
    return np.stack(tracks, 1)


def write_table(
    path: Path, positions: np.ndarray | None = None, fps: float = 25.0, names: tuple[str, ...] = NAMES
) -> Path:
    """A long CSV: time [s], id, x (mm), y (mm); a row an object and time."""
    positions = moving() if positions is None else positions
    lines = ["time [s],id,x (mm),y (mm)"]
    for frame, places in enumerate(positions):
        lines += [f"{frame / fps:.3f},{name},{x:.4f},{y:.4f}" for name, (x, y) in zip(names, places, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

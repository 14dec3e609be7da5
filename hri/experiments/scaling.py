"""What a training step costs as the tree grows: hierarchical messages (HRI-H) against flat ones (NRI).

``python -m hri bench --scaling`` measures; :func:`growths` reads what it wrote, without torch. Every size runs in a
process of its own, so that its peak memory is its own. Time is the processor's, told in multiples of the 1024 x 1024 x
1024 float32 product timed in the same moments (:mod:`hri.experiments.bench`); time and memory are per sequence of 49
frames.

HRI-H infers and speaks on the hierarchy's edges only. Their number is linear in N when a tree grows deeper with
families of the same size (4-4, 4-4-4, 4-4-4-4), and N^1.5 when the families grow too (4-4, 8-8, 16-16), for all
siblings are joined. Flat messages join all N (N - 1) pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hri.experiments.scoreboard import SCALING, read_json

WIDER = ("4-4", "8-8", "16-16")
"""Three levels, families grow with the tree."""
DEEPER = ("4-4", "4-4-4", "4-4-4-4")
"""Families of four, levels are added."""
TREES = tuple(dict.fromkeys((*WIDER, *DEEPER)))
FRAMES = 49
"""Of every sequence."""
BATCH = 8
"""Sequences a step: enough that the fixed cost of its many small operations is shared."""
EDGES = 75_000
"""Most edges of all sequences of a step together, a few GB: the flat model on 273 nodes takes one sequence."""
COMMAND = "python -m hri bench --scaling --out assets/results/scaling.json"
SERIES = {"flat": "NRI, all pairs", "wider": "HRI-H, families grow", "deeper": "HRI-H, levels grow"}
"""Label of each series."""


class Growth(NamedTuple):
    """One series: cost per sequence by size, and the powers of N that fit it."""

    series: str
    trees: tuple[str, ...]
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    matmuls: tuple[float, ...]
    memory_mb: tuple[float, ...]

    @property
    def slopes(self) -> dict[str, float]:
        """Least-squares slope of log cost over log N: 1 is linear, 2 quadratic."""
        costs = {"edges": self.edges, "time": self.matmuls, "memory": self.memory_mb}
        return {name: slope(self.nodes, values) for name, values in costs.items()}


def slope(sizes: Sequence[int | float], costs: Sequence[int | float]) -> float:
    """The power p of the best fitting cost = c · size^p, by least squares of the logarithms."""
    x, y = ([math.log(value) for value in values] for values in (sizes, costs))
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - x_mean) ** 2 for a in x)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / spread


def growths(result: dict[str, Any]) -> list[Growth]:
    """The series of a result: flat by all its sizes, hierarchical along :data:`WIDER` and :data:`DEEPER`.

    Raises:
        ValueError: of another shape; half a sentence.
    """
    try:
        sizes = [dict(size) for size in result["sizes"]]
        curves = series(sizes)
        numbers = [x for growth in curves for row in growth[2:] for x in row]
        if not curves or not all(isinstance(x, int | float) and math.isfinite(x) and x > 0 for x in numbers):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError("its sizes are missing or of another shape") from None
    return curves


def series(sizes: list[dict[str, Any]]) -> list[Growth]:
    rows: dict[str, list[dict[str, Any]]] = {
        "flat": [size for size in sizes if size["model"] == "nri"],
        "wider": [size for size in sizes if size["model"] == "hri-h" and size["tree"] in WIDER],
        "deeper": [size for size in sizes if size["model"] == "hri-h" and size["tree"] in DEEPER],
    }
    columns = ("tree", "nodes", "edges", "matmuls", "memory_mb")
    for points in rows.values():
        points.sort(key=lambda size: size["nodes"])
    return [
        Growth(name, *(tuple(size[column] for size in points) for column in columns))
        for name, points in rows.items()
        if len({size["nodes"] for size in points}) > 1
    ]


def sentence(curves: Sequence[Growth]) -> str:
    """What the curves say, in words."""
    words = {
        "flat": "for flat messages (NRI)",
        "deeper": "for hierarchical ones (HRI-H) as levels are added",
        "wider": "for hierarchical ones as families grow",
    }
    powers = {growth.series: growth.slopes["time"] for growth in curves}
    phrases = [f"{powers[series]:.1f} {what}" for series, what in words.items() if series in powers]
    return f"The time of a training step grows with the number of nodes, N, to the power of {', '.join(phrases)}."


def caption(result: dict[str, Any]) -> str:
    """How it was measured."""
    device, threads, commit = (result.get(name) for name in ("device", "threads", "commit"))
    where = f" on {device}" if device else ""
    return (
        f"Time in multiples of a 1024³ float32 matrix product of the same run, memory at its peak; each per sequence "
        f"of {FRAMES} frames, each size in a process of its own, {threads} thread{'' if threads == 1 else 's'}{where}, "
        f"commit {commit}. Powers are fitted; 1 is linear, 2 quadratic. `{result.get('command', COMMAND)}`"
    )


def read(folder: Path) -> dict[str, Any] | None:
    """The committed result; None if there is none.

    Raises:
        ValueError: damaged or of another shape; one sentence.
    """
    path = folder / SCALING
    if not path.is_file():
        return None
    try:
        result = read_json(path)
        growths(result)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path.name} cannot be used ({why}); make it again with `{COMMAND}`.") from None
    return result

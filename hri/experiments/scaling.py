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

import contextlib
import dataclasses
import gc
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from hri.core.config import Config, DataConfig, ModelConfig, TrainConfig
from hri.core.hierarchy import Tree
from hri.core.presets import VARIANTS
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


def measure_all(
    trees: Sequence[str] = TREES,
    batch: int = BATCH,
    threads: int = 1,
    device: str = "cpu",
    seconds: float = 6.0,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, Any]:
    """Measure both models on every tree, one process a size; plain JSON types.

    Args:
        trees: children per level; the flat model is left out where it has more than :data:`EDGES` edges.
        batch: sequences a step, fewer where they would have more than :data:`EDGES` edges.
        threads: CPU threads of each process.
        device: cpu, cuda ...
        seconds: time for the repetitions of each size (three at least).
        progress: hears each size and how many are done before it begins.

    Raises:
        ValueError: not a tree, a batch or threads below 1, or a size that does not fit into memory.
    """
    if batch < 1 or threads < 1:
        raise ValueError(f"a batch of {batch} on {threads} threads cannot be measured; choose 1 or more of each")
    sizes = [(tree, model, edges(tree, model)) for tree in trees for model in ("hri-h", "nri")]
    sizes = [size for size in sizes if size[2] <= EDGES]
    found = []
    # Spawned, not forked: a fresh process has no memory of ours, and torch's threads do not survive a fork.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for done, (tree, model, count) in enumerate(sizes):
            if progress:
                progress(f"{model}, tree {tree}", done)
            few = max(1, min(batch, EDGES // count))
            try:
                found.append(pool.submit(measure, tree, model, few, threads, device, seconds).result())
            except BrokenProcessPool:
                raise ValueError(
                    f"the step of {model} on tree {tree} was ended by the system, most likely for its memory; "
                    "choose a smaller --batch or fewer --trees"
                ) from None
    products = sorted(size.pop("matmul_ms") for size in found)
    return {
        "frames": FRAMES,
        "threads": threads,
        "matmul_ms": products[len(products) // 2],
        "sizes": found,
        "slopes": {growth.series: growth.slopes for growth in _series(found)},
    }


def edges(tree: str, model: str) -> int:
    """How many edges a model infers on a tree."""
    return len(Tree.parse(tree).edges_among(VARIANTS[model][0].pairs)[0])


def measure(tree: str, model: str, batch: int, threads: int, device: str, seconds: float) -> dict[str, Any]:
    """Time and peak memory of one training step at one size; meant for a process of its own."""
    import torch

    from hri.core.memory import keep_freed_memory
    from hri.experiments.bench import Stopwatch, cpu_threads, digits, training_step

    keep_freed_memory()  # as training does
    with cpu_threads(threads):
        # The processor's time where it does the work: a step of a minute would else count what others run meanwhile.
        clock = time.process_time if torch.device(device).type == "cpu" else time.perf_counter
        watch = Stopwatch(torch.device(device), seconds, clock)
        watch.matmul()
        step, built = training_step(config(tree, model, batch), watch.device)
        before = _forget_peak(watch.device)
        step()
        took, multiple = watch.repeat(step, warm_ups=1)
        peak = _peak(watch.device)
    nodes = built.tree
    return {
        "tree": tree,
        "nodes": nodes.size,
        "levels": len(nodes.levels),
        "model": model,
        "edges": len(built.senders),
        "batch": batch,
        "parameters": sum(parameter.numel() for parameter in built.parameters()),
        "seconds": digits(took / batch),
        "matmuls": digits(multiple / batch),
        "memory_mb": digits(max(peak - before, 1e-3) / batch),
        "matmul_ms": digits(1000 * sorted(watch.matmuls)[len(watch.matmuls) // 2]),
    }


def config(tree: str, model: str, batch: int) -> Config:
    """A state model on a tree of any size, one batch of systems."""
    relations, dynamics = VARIANTS[model]
    return Config(
        name=f"scaling-{tree}-{model}",
        data=DataConfig(tree=tree, train=batch, validation=1, test=1),
        model=dataclasses.replace(ModelConfig(), relations=relations, dynamics=dynamics),
        train=TrainConfig(batch=batch, stage1_updates=0),
    )


def _forget_peak(device: Any) -> float:
    """Megabytes in use now; the peak is counted anew from here, where the system allows it."""
    gc.collect()
    if device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device) / 1e6
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: VmHWM becomes VmRSS
    return _resident("VmRSS")


def _peak(device: Any) -> float:
    """Most megabytes in use since :func:`_forget_peak`."""
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device) / 1e6
    return _resident("VmHWM")


def _resident(name: str) -> float:
    """VmRSS or VmHWM of this process in MB; the peak so far for both where there is no /proc.

    Not ru_maxrss on Linux: a process inherits that number from the one that started it.
    """
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if os.uname().sysname == "Darwin" else peak * 1024 / 1e6


# What was measured ---------------------------------------------------------------------------------------


def growths(result: dict[str, Any]) -> list[Growth]:
    """The series of a result: flat by all its sizes, hierarchical along :data:`WIDER` and :data:`DEEPER`.

    Raises:
        ValueError: of another shape; half a sentence.
    """
    try:
        sizes = [dict(size) for size in result["sizes"]]
        found = _series(sizes)
        numbers = [x for growth in found for row in growth[2:] for x in row]
        if not found or not all(isinstance(x, int | float) and math.isfinite(x) and x > 0 for x in numbers):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError("its sizes are missing or of another shape") from None
    return found


def _series(sizes: list[dict[str, Any]]) -> list[Growth]:
    rows: dict[str, list[dict[str, Any]]] = {
        "flat": [size for size in sizes if size["model"] == "nri"],
        "wider": [size for size in sizes if size["model"] == "hri-h" and size["tree"] in WIDER],
        "deeper": [size for size in sizes if size["model"] == "hri-h" and size["tree"] in DEEPER],
    }
    columns = ("tree", "nodes", "edges", "matmuls", "memory_mb")
    for chosen in rows.values():
        chosen.sort(key=lambda size: size["nodes"])
    return [
        Growth(name, *(tuple(size[column] for size in chosen) for column in columns))
        for name, chosen in rows.items()
        if len({size["nodes"] for size in chosen}) > 1
    ]


def sentence(found: Sequence[Growth]) -> str:
    """What the curves say, in words."""
    words = {
        "flat": "for flat messages (NRI)",
        "deeper": "for hierarchical ones (HRI-H) as levels are added",
        "wider": "for hierarchical ones as families grow",
    }
    powers = {growth.series: growth.slopes["time"] for growth in found}
    told = [f"{powers[series]:.1f} {what}" for series, what in words.items() if series in powers]
    return f"The time of a training step grows with the number of nodes, N, to the power of {', '.join(told)}."


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

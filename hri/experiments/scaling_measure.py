"""What a training step costs on trees of any size, measured: the figures of :mod:`hri.experiments.scaling`.

Every size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hri.core.config import Config, DataConfig, ModelConfig, TrainConfig
from hri.core.hierarchy import Tree
from hri.core.presets import VARIANTS
from hri.experiments.scaling import BATCH, EDGES, FRAMES, TREES, series


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
    measured_sizes = []
    # Spawned, not forked: a fresh process has no memory of ours, and torch's threads do not survive a fork.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for done, (tree, model, count) in enumerate(sizes):
            if progress:
                progress(f"{model}, tree {tree}", done)
            few = max(1, min(batch, EDGES // count))
            try:
                measured_sizes.append(pool.submit(measure, tree, model, few, threads, device, seconds).result())
            except BrokenProcessPool:
                raise ValueError(
                    f"the step of {model} on tree {tree} was ended by the system, most likely for its memory; "
                    "choose a smaller --batch or fewer --trees"
                ) from None
    products = sorted(size.pop("matmul_ms") for size in measured_sizes)
    return {
        "frames": FRAMES,
        "threads": threads,
        "matmul_ms": products[len(products) // 2],
        "sizes": measured_sizes,
        "slopes": {growth.series: growth.slopes for growth in series(measured_sizes)},
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
        match = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        match = None
    if match:
        return int(match[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if os.uname().sysname == "Darwin" else peak * 1024 / 1e6

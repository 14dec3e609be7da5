"""How long each part takes, beside a 1024 x 1024 x 1024 float32 matrix product timed in the same moments.

Seconds drift on shared machines; the multiple of that product does not. Each timing of a part is preceded by one of
the product, and the multiple is the median of their quotients.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal

import torch

from hri.core.config import Config
from hri.core.hierarchy import Tree
from hri.core.memory import keep_freed_memory
from hri.core.presets import preset
from hri.core.records import Normalisation
from hri.data.sources import sequences
from hri.model import checkpoint
from hri.model.checkpoint import Header
from hri.model.model import Model
from hri.physics.render import draw
from hri.physics.springs import simulate
from hri.rollout.rollout import roll_out
from hri.training.schedule import batch_rows
from hri.training.stage import TrainingStage
from hri.training.stages import OPTIMISERS, PredictionStage, ReconstructionStage

STEPS: dict[str, str] = {
    "hri": "springs-4-3-state-hri",
    "hri_h": "springs-4-3-state-hri-h",
    "nri": "springs-4-3-state-nri",
    "lstm": "springs-4-3-state-lstm",
    "stage1_slot": "springs-4-3-slot-hri",
    "stage1_slot_patches": "springs-4-3-slot-hri",
    "stage1_par": "springs-4-3-par-hri",
    "stage2_slot": "springs-4-3-slot-hri-h",
    "stage2_par": "springs-4-3-par-hri-h",
}
"""Training steps by name, and the preset each belongs to. ``stage1_slot`` trains the sum of slots,
``stage1_slot_patches`` single slots on their patches, with which SlotDec's stage 1 begins."""
PARTS = ("simulate", "render", *STEPS, "rollout")
STAGE1_FRAMES = 196
SYSTEMS = 32
"""Training systems, one batch of 49 frames each."""
REPETITIONS = (3, 50)
"""Fewest and most of each part."""

Precision = Literal["preset", "no", "bf16", "fp16"]


def bench(
    only: Sequence[str] = PARTS,
    threads: int = 1,
    precision: Precision = "preset",
    device: str = "cpu",
    stored: Path | None = None,
    seconds: float = 6.0,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, Any]:
    """Time the chosen parts; plain JSON types.

    Args:
        only: some of :data:`PARTS`; "train" stands for all training steps.
        threads: CPU threads; by default one, as runs are trained: one a core, side by side.
        precision: of the training steps; by default what their presets use.
        stored: checkpoint whose rollout is timed; by default a fresh springs-4-3-slot-hri.
        seconds: time for the repetitions of each part.
        progress: hears each part's name and how many are done before it begins.

    Raises:
        ValueError: an unknown part, or no such number of threads.
    """
    selection = [part for name in only for part in (STEPS if name == "train" else [name])]
    if unknown := [name for name in selection if name not in PARTS]:
        raise ValueError(
            f"unknown part {unknown[0]!r}; choose from train, {', '.join(PARTS)} (train: all training steps)"
        )
    if threads < 1:
        raise ValueError(f"{threads} threads cannot work; choose 1 or more")
    keep_freed_memory()
    with cpu_threads(threads):
        watch = Stopwatch(torch.device(device), seconds)
        watch.matmul()
        result: dict[str, Any] = {"matmul_ms": 0.0, "threads": threads, "device": device}
        for done, part in enumerate(selection):
            if progress:
                progress(part, done)
            if part in STEPS:
                result.setdefault("train_step", {})[part] = _train_step(watch, part, precision)
            else:
                result[part] = {"simulate": _simulate, "render": _render, "rollout": _rollout}[part](watch, stored)
        result["matmul_ms"] = round(1000 * median(watch.matmuls), 3)
    result["peak_memory_mb"] = round(_peak_memory_mb(), 1)
    return result


class Stopwatch:
    """Times a part and the matrix product in turn, by the clock on the wall unless another is given."""

    def __init__(self, device: torch.device, seconds: float, clock: Callable[[], float] = time.perf_counter):
        self.device, self.seconds, self.clock = device, seconds, clock
        self.factors = torch.randn(2, 1024, 1024, generator=torch.Generator().manual_seed(0)).to(device)
        self.matmuls: list[float] = []

    def once(self, work: Callable[[], object]) -> float:
        """Seconds of one call."""
        started = self.clock()
        work()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock() - started

    def matmul(self) -> float:
        """Seconds of one product, the median of three."""
        self.matmuls.append(median(self.once(lambda: self.factors[0] @ self.factors[1]) for _ in range(3)))
        return self.matmuls[-1]

    def repeat(self, work: Callable[[], object], warm_ups: int = 2) -> tuple[float, float]:
        """(seconds, multiple of the matrix product): medians over a few seconds."""
        for _ in range(warm_ups):
            work()
        took: list[float] = []
        multiples: list[float] = []
        until = time.perf_counter() + self.seconds
        fewest, most = REPETITIONS
        while len(took) < fewest or (time.perf_counter() < until and len(took) < most):
            product = self.matmul()
            took.append(self.once(work))
            multiples.append(took[-1] / product)
        return median(took), median(multiples)


def _simulate(watch: Stopwatch, stored: Path | None) -> dict[str, Any]:
    """Sampling and integrating systems of tree 4-3, without writing them."""
    tree, systems = Tree.parse("4-3"), 256
    seconds, multiple = watch.repeat(lambda: simulate(tree, "04", range(systems)), warm_ups=1)
    return {"ms_per_trajectory": digits(1000 * seconds / systems), "matmuls": digits(multiple / systems)}


def _render(watch: Stopwatch, stored: Path | None) -> dict[str, Any]:
    """Drawing 32 x 32 frames of tree 4-3."""
    tree = Tree.parse("4-3")
    positions = simulate(tree, "04", range(40)).positions.reshape(-1, tree.size, 2)
    seconds, multiple = watch.repeat(lambda: draw(positions, tree))
    return {"ms_per_frame": digits(1000 * seconds / len(positions)), "matmuls": digits(multiple / len(positions))}


def profile(name: str, threads: int, precision: Precision, device: torch.device) -> str:
    """Where the time of one training step goes: its most expensive operations, as a table.

    Raises:
        ValueError: not the name of a training step.
    """
    if name not in STEPS:
        raise ValueError(f"{name!r} is not a training step; choose from {', '.join(STEPS)}")
    keep_freed_memory()
    with cpu_threads(threads):
        step = _step(name, precision, device)
        for _ in range(3):
            step()
        with torch.profiler.profile() as seen:
            step()
    return seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=20, max_name_column_width=40)


def _train_step(watch: Stopwatch, name: str, precision: Precision) -> dict[str, Any]:
    """One update as training makes it: inputs, loss, gradients, clipping, Adam."""
    seconds, multiple = watch.repeat(_step(name, precision, watch.device))
    used = _step_config(name, precision).train.precision
    return {"seconds": digits(seconds), "matmuls": digits(multiple), "precision": used}


def _step(name: str, precision: Precision, device: torch.device) -> Callable[[], None]:
    """What makes one update after another."""
    return training_step(
        _step_config(name, precision), device, ReconstructionStage if name.startswith("stage1") else PredictionStage
    )[0]


def training_step(
    config: Config, device: torch.device, kind: type[TrainingStage] = PredictionStage
) -> tuple[Callable[[], None], Model]:
    """What makes one update after another, and the model that it trains."""
    torch.manual_seed(0)
    model = Model(config).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    data = sequences(config.data, "train")
    stage = kind(config, model, data, data)
    parameters = stage.trained()
    stage.begin()
    stage.train()
    optimiser = OPTIMISERS[config.train.optimiser](parameters, lr=1e-5)
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.train.precision)
    update = 0

    def step() -> None:
        nonlocal update
        rows = batch_rows(0, stage.number, update, stage.batch, stage.population)
        tensors = stage.inputs(update, rows)
        tensors = {name: v.to(device) if isinstance(v, torch.Tensor) else v for name, v in tensors.items()}
        with torch.autocast(device.type, dtype, enabled=dtype is not None):
            loss, _ = stage(**tensors)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1e9)
        optimiser.step()
        update += 1

    return step, model


def _step_config(name: str, precision: Precision) -> Config:
    """The preset with few systems, 196 frames in stage 1, and SlotDec's patches all the time or never."""
    config = preset(STEPS[name])
    patches = 1.0 if name.endswith("patches") else 0.0
    train = dataclasses.replace(config.train, batch=SYSTEMS, stage1_batch=STAGE1_FRAMES, patch_share=patches)
    if precision != "preset":
        train = dataclasses.replace(train, precision=precision)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, train=SYSTEMS), train=train)


def _rollout(watch: Stopwatch, stored: Path | None) -> dict[str, Any]:
    """Loading a checkpoint, and predicting one scene with all its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = stored or Path(folder, "fresh.safetensors")
        if stored is None:
            config = preset("springs-4-3-slot-hri")
            checkpoint.save(path, Model(config), Header(config, normalisation=Normalisation()))
        load, _ = watch.repeat(lambda: checkpoint.load(path, str(watch.device)), warm_ups=1)
        loaded = checkpoint.load(path, str(watch.device))
    data = loaded.header.config.data
    scene = simulate(Tree.parse(data.tree), data.physics, [200_042])
    seconds, multiple = watch.repeat(lambda: roll_out(loaded, scene), warm_ups=1)
    times = {"load_ms": digits(1000 * load), "ms": digits(1000 * seconds), "matmuls": digits(multiple)}
    return times | {"checkpoint": loaded.name}


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """That many threads for torch and, by :func:`hri.physics.render.thread_limit`, for our kernels."""
    name = "NUMBA_NUM_THREADS" if "NUMBA_NUM_THREADS" in os.environ else "OMP_NUM_THREADS"
    before, torch_before = os.environ.get(name), torch.get_num_threads()
    os.environ[name] = str(count)
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(torch_before)
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _peak_memory_mb() -> float:
    """Largest resident memory of this process so far (ru_maxrss is in KiB on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def digits(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")

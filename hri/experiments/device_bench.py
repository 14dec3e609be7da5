"""Updates a second on a device, replayed as training replays them, beside one core of the CPU."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from hri.core.config import Config
from hri.core.memory import keep_freed_memory
from hri.core.presets import preset
from hri.data.sources import sequences
from hri.experiments.bench import cpu_threads, digits, training_step
from hri.model.checkpoint import provenance
from hri.model.model import Model
from hri.training.device_step import DeviceStep, Recorded
from hri.training.run_folder import State
from hri.training.stage import TrainingStage
from hri.training.stages import OPTIMISERS, PredictionStage, ReconstructionStage


@dataclass(frozen=True)
class Part:
    """One kind of update."""

    preset: str
    kind: type[TrainingStage] = PredictionStage
    batch: int = 32
    """Sequences, or single frames in stage 1."""
    patches: float = 0.0
    side_by_side: int = 1

    @property
    def config(self) -> Config:
        """The preset on one batch of systems."""
        config = preset(self.preset)
        train = dataclasses.replace(
            config.train,
            batch=self.batch,
            stage1_batch=self.batch,
            patch_share=self.patches,
            updates=1_000_000,
            stage1_updates=1_000_000 if config.model.sees_frames else 0,
        )
        data = dataclasses.replace(config.data, train=max(32, self.batch if self.kind is PredictionStage else 0))
        return dataclasses.replace(config, data=data, train=train)


PARTS: dict[str, Part] = {
    "hri_h": Part("springs-4-3-state-hri-h"),
    "hri_h_256": Part("springs-4-3-state-hri-h", batch=256),
    "hri_h_side_by_side": Part("springs-4-3-state-hri-h", side_by_side=4),
    "hri": Part("springs-4-3-state-hri"),
    "nri": Part("springs-4-3-state-nri"),
    "lstm": Part("springs-4-3-state-lstm"),
    "stage1_slot": Part("springs-4-3-slot-hri", ReconstructionStage),
    "stage1_slot_patches": Part("springs-4-3-slot-hri", ReconstructionStage, patches=1.0),
    "stage1_par": Part("springs-4-3-par-hri", ReconstructionStage),
    "stage2_slot": Part("springs-4-3-slot-hri-h"),
    "stage2_par": Part("springs-4-3-par-hri-h"),
}
"""Updates by name; all at the sizes that presets train with, but for those named otherwise."""
BRIEF = ("hri_h", "hri_h_256", "hri_h_side_by_side", "stage1_slot", "stage1_par", "stage2_slot", "stage2_par")
"""Those that are worth a part of fifteen minutes."""


def measure(
    device: torch.device,
    only: Sequence[str] = tuple(PARTS),
    seconds: float = 2.0,
    progress: Callable[[str], object] | None = None,
) -> dict[str, Any]:
    """A table by part, plain JSON types.

    | key                | meaning                                                             |
    |--------------------|---------------------------------------------------------------------|
    | batch, runs        | sequences or frames an update; runs side by side                    |
    | updates_per_second | on the device, over all runs                                        |
    | milliseconds       | of one update                                                       |
    | cpu_updates_per_second | of one core, with the loops of CPUs                             |
    | times_one_core     | their quotient                                                      |
    | memory_mb          | most that the device's memory held                                  |
    | set_up_seconds     | model, data, and recording the update                               |

    Args:
        seconds: of each part on the device; the CPU takes about as long, and three updates at least.

    Raises:
        ValueError: an unknown part.
    """
    if unknown := [name for name in only if name not in PARTS]:
        raise ValueError(f"unknown part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    keep_freed_memory()
    table: dict[str, Any] = {}
    cores: dict[tuple[str, type[TrainingStage], int, float], float] = {}
    for name in only:
        if progress is not None:
            progress(name)
        part = PARTS[name]
        row: dict[str, Any] = {"batch": part.batch, "runs": part.side_by_side}
        try:
            row |= _on_device(part, device, seconds)
        except torch.OutOfMemoryError:
            row |= {"reason": f"the device has too little memory for a batch of {part.batch}"}
        alone = part.preset, part.kind, part.batch, part.patches
        if alone not in cores:
            cores[alone] = _on_core(part, seconds)
        row["cpu_updates_per_second"] = digits(cores[alone])
        if "updates_per_second" in row:
            row["times_one_core"] = digits(row["updates_per_second"] / cores[alone])
        table[name] = row
    about = provenance(device.type)
    return {"device": about["device"], "versions": about["versions"], "updates": table}


def recorded_step(part: Part, device: torch.device, seed: int = 0) -> Recorded:
    """An update ready to be replayed."""
    torch.manual_seed(seed)
    config = part.config
    model = Model(config)
    data = sequences(config.data, "train")
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    stage = part.kind(config, model, data, data)
    optimiser = OPTIMISERS[config.train.optimiser](stage.trained(), lr=1e-5)
    stage.begin()
    stage.train()
    recorded = Recorded(DeviceStep(stage, model, optimiser, State(), device))
    recorded.step.begin(0)
    recorded.record()
    return recorded


def _on_device(part: Part, device: torch.device, seconds: float) -> dict[str, Any]:
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    runs = [recorded_step(part, device, seed) for seed in range(part.side_by_side)]
    ready = time.perf_counter() - began
    block, done, took = 1, 0, 0.0
    while took < seconds:
        started = time.perf_counter()
        for run in runs:
            run.launch(range(done, done + block))
        for run in runs:
            run.result()
        elapsed = time.perf_counter() - started
        if done:  # the first block is a warm-up
            took += elapsed
            rate = len(runs) * block / elapsed
        done += block
        block = max(1, min(256, round(0.5 * block / elapsed)))
    row = {"updates_per_second": digits(rate), "milliseconds": digits(1000 / rate), "set_up_seconds": digits(ready)}
    if device.type == "cuda":
        row["memory_mb"] = round(torch.cuda.max_memory_allocated(device) / 2**20)
    return row


def _on_core(part: Part, seconds: float) -> float:
    """Updates a second of one CPU thread, as training on CPUs makes them."""
    with cpu_threads(1):
        step, _ = training_step(part.config, torch.device("cpu"), part.kind)
        step()
        took: list[float] = []
        while len(took) < 3 or sum(took) < seconds:
            started = time.perf_counter()
            step()
            took.append(time.perf_counter() - started)
    return 1 / median(took)


def profile(name: str, device: torch.device, updates: int = 3) -> str:
    """Which kernels take the time of an update on a device, as a table.

    Raises:
        ValueError: an unknown part.
    """
    if name not in PARTS:
        raise ValueError(f"{name!r} is not an update; choose from {', '.join(PARTS)}")
    recorded = recorded_step(PARTS[name], device)
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as seen:
        recorded.launch(range(updates))
        recorded.result()
    sort = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return seen.key_averages().table(sort_by=sort, row_limit=25, max_name_column_width=60)

"""Whether updates on a device give the losses that they give on the CPU, before minutes are spent on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hri.core.config import Config
from hri.data.sources import sequences
from hri.model.fast import device as device_recurrence
from hri.model.fast import edges as fast
from hri.model.model import Model
from hri.training.device_step import DeviceStep, Recorded, shape
from hri.training.run_folder import State
from hri.training.stage import TrainingStage
from hri.training.stages import OPTIMISERS, PredictionStage, ReconstructionStage, train_mode

UPDATES = 3
BATCH = 8
TOLERANCES = {"no": (1e-3, 1e-2), "bf16": (3e-2, 1e-1)}
"""Relative difference of losses at the first update and at the last, by precision: rounding grows with every update."""


@dataclass(frozen=True)
class LossComparison:
    """Losses of the same updates on both."""

    what: str
    here: tuple[float, ...]
    """On the CPU."""
    there: tuple[float, ...]
    precision: str
    unrecorded: str = ""
    """Why the updates there could not be recorded as a graph, if so."""

    @property
    def differences(self) -> tuple[float, ...]:
        return tuple(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(self.here, self.there, strict=True))

    @property
    def holds(self) -> bool:
        first, last = TOLERANCES.get(self.precision, TOLERANCES["bf16"])
        limits = np.linspace(first, last, len(self.here))
        return bool((np.array(self.differences) <= limits).all())  # a loss that is no number is never within them


def kinds(configs: Sequence[Config]) -> Iterator[tuple[Config, type[TrainingStage]]]:
    """The first of the runs that see states, slots each alone, and slots all at once, with their stages."""
    seen: set[str] = set()
    for config in configs:
        what = config.model.seen
        if what in seen:
            continue
        seen.add(what)
        if config.model.sees_frames and config.train.stage1_updates:
            yield config, ReconstructionStage
        if config.train.updates:
            yield config, PredictionStage


def compare(config: Config, kind: type[TrainingStage], device: torch.device) -> LossComparison:
    """A few updates on little data, here and there."""
    train = dataclasses.replace(
        config.train, batch=BATCH, stage1_batch=BATCH, updates=1000, stage1_updates=1000, average=0.0
    )
    data = dataclasses.replace(config.data, train=BATCH, validation=2)
    little = dataclasses.replace(config, data=data, train=train)
    before, fast.ENABLED = fast.ENABLED, False
    try:
        here, _ = losses(little, kind, torch.device("cpu"))
    finally:
        fast.ENABLED = before
    what = f"stage {kind.number} of {config.name}"
    precision = config.train.precision if config.model.sees_frames else "no"
    there, why = losses(little, kind, device)
    return LossComparison(what, here, there, precision, why)


def losses(config: Config, kind: type[TrainingStage], device: torch.device) -> tuple[tuple[float, ...], str]:
    """Of the first updates, and of the last ones where they have another shape; why no graph holds them, if so."""
    torch.manual_seed(config.train.seed)
    model = Model(config)
    data = sequences(config.data, "train")
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    stage = kind(config, model, data, data)
    optimiser = OPTIMISERS[config.train.optimiser](stage.trained(), lr=stage.learning_rate)
    stage.begin()
    train_mode(stage, config.train.batch_norm)
    step = DeviceStep(stage, model, optimiser, State(), device)
    recorded, curve, why = Recorded(step), [], ""
    last = stage.updates - UPDATES
    for start in (0, last) if shape(stage, 0) != shape(stage, last) else (0,):
        step.begin(start)
        why = recorded.record_if_possible() or why
        step.update.fill_(start)
        with recorded.on():
            recorded.launch(range(start, start + UPDATES))
            curve += recorded.result().losses[:, 0].tolist()
    return tuple(curve), why


def plain_loop() -> None:
    """From now on devices take the recurrent loop that is the definition itself."""
    device_recurrence.ENABLED = False

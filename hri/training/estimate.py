"""How long a training will take and how much memory, from a few timed updates at its own sizes."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from hri.core.config import Config
from hri.core.hierarchy import Tree


@dataclass(frozen=True)
class Estimate:
    """Of a whole training, alone on its core."""

    stage1_seconds: float
    """An update of stage 1; 0 where there is none."""
    stage2_seconds: float
    stage1_validation: float
    """Seconds of a validation of stage 1."""
    stage2_validation: float
    hours: float
    """Both stages with their validations; simulating and encoding the training systems comes before them."""
    memory: float
    """Peak, MB."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def estimate(config: Config, vision_from: str = "") -> Estimate:
    """Time a few updates and a validation of each stage on one batch of systems, in this process; nothing is kept.

    Args:
        vision_from: where encoder and decoder come from; stage 1 is then no part of it.
    """
    stage1 = config.train.stage1_updates if config.model.sees_frames and not vision_from else 0
    first = timed(config, 1) if stage1 else (0.0, 0.0)
    second = timed(config, 2) if config.train.updates else (0.0, 0.0)
    seconds = [round(part, 4) for part in (first[0], second[0], first[1], second[1])]
    whole = Estimate(seconds[0], seconds[1], seconds[2], seconds[3], 0.0, round(_peak(), 1))
    return scaled(whole, config, vision_from)


def scaled(measured: Estimate, config: Config, vision_from: str = "") -> Estimate:
    """The same measurements for a config that differs in numbers of updates, validations and systems only.

    ``measured.memory`` is that of one batch.
    """
    stage1 = config.train.stage1_updates if config.model.sees_frames and not vision_from else 0
    seconds = 0.0
    for updates, each, validation in (
        (stage1, measured.stage1_seconds, measured.stage1_validation),
        (config.train.updates, measured.stage2_seconds, measured.stage2_validation),
    ):
        seconds += updates * each + -(-updates // config.train.evaluate_every) * validation
    return replace(measured, hours=round(seconds / 3600, 4), memory=round(measured.memory + _data(config), 1))


def sizes(config: Config) -> Config:
    """What the measurements depend on: the config with the usual numbers of updates, validations and systems."""
    usual = Config()
    train = replace(
        config.train,
        updates=min(1, config.train.updates),
        stage1_updates=min(1, config.train.stage1_updates),
        **{name: getattr(usual.train, name) for name in ("seed", "evaluate_every", "snapshots", "learning_rate")},
        **{name: getattr(usual.train, name) for name in ("stage1_learning_rate", "warmup", "schedule", "clip")},
    )
    data = replace(config.data, train=config.train.batch, test=usual.data.test)
    return replace(config, data=data, train=train)


def seconds_per_update(config: Config, stage: int) -> float:
    """Median wall-clock seconds of an update at the config's own sizes."""
    return timed(config, stage)[0]


def timed(config: Config, stage: int, updates: int = 4) -> tuple[float, float]:
    """Median wall-clock seconds of a few updates at the config's own sizes, on one batch of systems; of a validation.

    As many threads as OMP_NUM_THREADS says, else one.
    """
    import torch

    from hri.training.loop import train

    watched = min(config.data.validation, 20)
    few = replace(config.data, train=config.train.batch, validation=watched)
    settings = replace(config.train, updates=updates, stage1_updates=0, evaluate_every=updates - 1, snapshots=1)
    share = config.train.patch_share if config.model.trains_patches else 0.0
    if stage == 1:  # SlotDec begins on single patches, and both kinds of update are timed
        settings = replace(settings, updates=0, stage1_updates=2 * updates, patch_share=0.5 if share else 0.0)
    threads = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        with tempfile.TemporaryDirectory() as place:
            clock, checked = [], 0
            for report in train(replace(config, data=few, train=settings), place):
                clock.append(report.seconds)
                if report.validation and not checked:
                    checked = len(clock)
                if report.stage == stage and report.update == report.updates:
                    break
    finally:
        torch.set_num_threads(threads)
    took = [after - before for before, after in pairwise(clock)]
    # The clock of a report stands before its validation, which so lies between it and the next one.
    validation = took.pop(checked - 1)
    usual = median(took)
    systems = config.data.validation / watched if stage == 2 else 1.0  # stage 1 looks at a fixed number of frames
    checking = max(0.0, validation - usual) * systems
    if stage == 1 and share:
        usual = share * median(took[: updates - 2]) + (1 - share) * median(took[updates - 2 :])
    return usual, checking


def _peak() -> float:
    """Largest resident size of this process so far, MB; 0 on systems that do not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _data(config: Config) -> float:
    """What the systems beyond one batch add, MB: states, and the features of every frame in stage 2 of image models."""
    more = config.data.train + config.data.validation - config.train.batch
    numbers = config.data.steps * Tree.parse(config.data.tree).size * 4 * 2
    numbers += config.data.steps * config.model.feature_numbers
    return max(0, more) * numbers * 4 / 2**20

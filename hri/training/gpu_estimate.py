"""How long a training would take on a GPU that is not here: its arithmetic, counted on the CPU, at an assumed rate.

An update takes at least as long as its arithmetic at :data:`RATE`, and as the operations it consists of, one after the
other, at :data:`LAUNCH` each: states are many small operations, images few large ones. Nothing of this was measured on
a card; ``train-many`` tells updates a second on the one that is there (docs/gpu.md).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from hri.core.config import Config

RATE = 5e12
"""Floating-point operations a second that a training is assumed to sustain; cards do several times more at best."""
LAUNCH = 5e-6
"""Seconds that a small operation is assumed to take."""
FEW = 2
"""Sequences or frames of an update that is counted; arithmetic grows with the batch, the number of operations not."""


@dataclass(frozen=True)
class Work:
    """Of one update."""

    flops: float
    """Of matrix products and convolutions, forward and backward, at the config's own batch."""
    operations: int

    @property
    def seconds(self) -> float:
        """On the assumed card."""
        return max(self.flops / RATE, self.operations * LAUNCH)


def gpu_estimate(config: Config, vision_from: str = "") -> dict[str, float]:
    """Hours of all updates on the assumed card, without validations, and what they were made of, for each stage.

    Args:
        vision_from: where encoder and decoder come from; stage 1 is then no part of it.

    Raises:
        ValueError: the data are not here.
    """
    stage1 = config.train.stage1_updates if config.model.sees_frames and not vision_from else 0
    hours, parts = 0.0, dict[str, float]()
    for stage, updates in ((1, stage1), (2, config.train.updates)):
        if updates:
            work = work_of(config, stage)
            hours += updates * work.seconds / 3600
            names = {"updates": updates, "flops": work.flops, "operations": work.operations, "seconds": work.seconds}
            parts |= {f"stage{stage}_{name}": float(value) for name, value in names.items()}
    return {
        "gpu_hours": round(hours, 2),
        "assumed_flops_a_second": RATE,
        "assumed_seconds_an_operation": LAUNCH,
        **parts,
    }


def work_of(config: Config, stage: int) -> Work:
    """Count an update of a stage in this process, on few sequences and on twice as many; nothing is kept.

    What does not grow with the batch, such as an optimiser's products of matrices, is told from what does.

    Raises:
        ValueError: the data are not here.
    """
    batch = config.train.stage1_batch if stage == 1 else config.train.batch
    (few, operations), (twice, _) = (_counted(config, stage, size) for size in (FEW, 2 * FEW))
    each = (twice - few) / FEW
    return Work(few + each * (batch - FEW), operations)


def _counted(config: Config, stage: int, batch: int) -> tuple[int, int]:
    """Floating-point operations and operations of an update on so many sequences or frames."""
    from hri.training.loop import train

    data = replace(config.data, train=batch, validation=1)
    settings = replace(
        config.train,
        batch=batch,
        stage1_batch=batch,
        updates=3 if stage == 2 else 0,
        stage1_updates=3 if stage == 1 else 0,
        evaluate_every=3,
        snapshots=1,
        patch_share=0.0,
    )
    flops, operations, last = [], [], (0, 0)
    with tempfile.TemporaryDirectory() as place, _Operations() as count, FlopCounterMode(display=False) as counter:
        for report in train(replace(config, data=data, train=settings), place, device="cpu"):
            now = (counter.get_total_flops(), count.operations)
            flops.append(now[0] - last[0])
            operations.append(now[1] - last[1])
            last = now
            if report.stage == stage and report.update == report.updates:
                break
    return min(flops[1:]), min(operations[1:])


class _Operations(TorchDispatchMode):
    """Counts what is asked of a device."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += 1
        return func(*args, **(kwargs or {}))

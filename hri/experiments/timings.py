"""What trainings cost: what was measured before on this machine, or what a checkpoint's own training took elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hri.core.config import Config, to_json
from hri.core.files import replacing
from hri.training.estimate import Estimate, scaled, sizes

if TYPE_CHECKING:
    from hri.model.checkpoint import Header

FILE = "timings.json"
"""In the folder of runs."""
MOST = 500
"""Measurements that are kept, the newest."""


def key(config: Config, vision_from: str, threads: int) -> str:
    """Names a measurement: of this machine and of all configs that differ in their length only."""
    machine = [platform.node(), platform.machine(), os.cpu_count(), threads]
    return hashlib.sha256(json.dumps([machine, to_json(sizes(config)), vision_from]).encode()).hexdigest()[:16]


def recall(root: Path, name: str) -> Estimate | None:
    """What was measured under this key; None where nothing was, or it cannot be read."""
    try:
        return Estimate(**_read(root)[name])
    except (KeyError, TypeError):
        return None


def keep(root: Path, name: str, measured: Estimate) -> None:
    """Write a measurement down, if the folder allows it."""
    timings = _read(root)
    timings.pop(name, None)
    timings[name] = measured.to_dict()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with replacing(root / FILE) as file:
            file.write(json.dumps(dict(list(timings.items())[-MOST:])).encode())
    except OSError:
        return


def by_a_checkpoint(
    config: Config, headers: Iterable[tuple[str, Header]], vision_from: str = ""
) -> tuple[str, Estimate] | None:
    """Name and cost of a training of the same model on systems of the same size, from what a checkpoint says it took.

    Its validations are spread over its updates, and a sequence of its batch is taken to cost what one of this costs.
    ``memory`` is that of the systems alone: that of a batch is not known.
    """
    wanted = ["stage1"] if config.model.sees_frames and not vision_from and config.train.stage1_updates else []
    wanted += ["stage2"] if config.train.updates else []
    for name, header in headers:
        theirs = header.config
        same = theirs.model == config.model and theirs.data.tree == config.data.tree
        if not same or theirs.data.steps != config.data.steps or header.parts != "all":
            continue
        if not all(header.hours.get(stage) and header.steps.get(stage) for stage in wanted):
            continue
        each = {stage: 3600 * header.hours[stage] / header.steps[stage] for stage in wanted}
        first = each.get("stage1", 0.0) * config.train.stage1_batch / theirs.train.stage1_batch
        second = each.get("stage2", 0.0) * config.train.batch / theirs.train.batch
        return name, scaled(Estimate(first, second, 0.0, 0.0, 0.0, 0.0), config, vision_from)
    return None


def _read(root: Path) -> dict[str, dict[str, float]]:
    try:
        timings = json.loads((root / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return timings if isinstance(timings, dict) else {}

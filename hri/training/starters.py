"""Small experiments that teach something within minutes, each a preset with a few changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hri.core.config import Config
from hri.core.presets import preset
from hri.core.settings import changed


@dataclass(frozen=True)
class Starter:
    """Where an experiment begins."""

    title: str
    about: str
    """What it teaches; how long it takes here is estimated beside it."""
    preset: str
    changes: dict[str, Any] = field(default_factory=dict)
    vision_from: str = ""
    """Name of the checkpoint whose encoder and decoder it takes; without it both stages are trained."""

    @property
    def config(self) -> Config:
        return changed(preset(self.preset), self.changes)


STARTERS: dict[str, Starter] = {
    "first": Starter(
        "First steps",
        "Five balls on hidden springs: nine of ten are found in the end, and you watch them come.",
        "springs5-state-nri-mlp",
        {
            "train.updates": 800, "train.evaluate_every": 50, "data.train": 8000, "data.validation": 60,
        },
    ),
    "hierarchy": Starter(
        "A hierarchy",
        "17 balls in three levels: the springs between parents and leaves come true.",
        "springs-4-3-state-hri-h",
        {
            "train.updates": 1300, "train.evaluate_every": 100, "train.free_steps": 5,
            "train.prior_end": 1.0, "data.train": 5000, "data.validation": 60,
        },
    ),
    "images": Starter(
        "From images",
        "Takes a trained encoder and decoder and learns to predict.",
        "springs-3-3-strided-hri-h",
        {
            "train.updates": 200, "train.batch": 8, "train.evaluate_every": 25,
            "data.train": 400, "data.validation": 20,
        },
        "springs-3-3-strided-hri-h",
    ),
    "stages": Starter(
        "Both stages",
        "Learns to see, then to predict, from nothing.",
        "springs-3-3-strided-hri-h",
        {
            "train.stage1_updates": 1500, "train.updates": 200, "train.batch": 8, "train.evaluate_every": 50,
            "data.train": 400, "data.validation": 20,
        },
    ),
    "full": Starter(
        "A whole preset",
        "As the published results are trained: hours.",
        "springs-4-3-state-hri-h",
    ),
}  # fmt: skip
"""In the order of the page."""

"""Where a training stands, from its metrics.jsonl: lines as they come, throughput, time left."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hri.core.config import Config

RECENT = 60
"""Lines over which throughput is taken: it follows the machine, and a validation among them counts."""


class Tail:
    """The lines of a growing metrics.jsonl; each is read once. Several threads may ask."""

    def __init__(self, folder: Path):
        self.path = folder / "metrics.jsonl"
        self._records: list[dict[str, Any]] = []
        self._place = 0
        self._file = 0
        self._lock = threading.Lock()

    def read(self) -> Sequence[dict[str, Any]]:
        """All whole lines so far; none where the file is not there. A file that was written anew is read anew.

        A list that was handed out never changes.
        """
        with self._lock:
            try:
                with open(self.path, "rb") as file:
                    known = self.path.stat()
                    if known.st_ino != self._file or known.st_size < self._place:
                        self._records, self._place, self._file = [], 0, known.st_ino
                    file.seek(self._place)
                    content = file.read()
            except OSError:
                self._records, self._place, self._file = [], 0, 0
                return self._records
            whole = content[: content.rfind(b"\n") + 1]
            if whole:
                self._place += len(whole)
                self._records = [*self._records, *parsed(whole)]
            return self._records


def parsed(text: bytes) -> list[dict[str, Any]]:
    """The lines that are records; what is damaged is left out."""
    records = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and {"stage", "update", "loss", "seconds"} <= record.keys():
            records.append(record)
    return records


@dataclass(frozen=True)
class Progress:
    """Of the stage that runs, or ran last."""

    stage: int
    stages: int
    """1 for models that begin with prediction, else 2."""
    update: int
    updates: int
    rate: float
    """Updates a second, lately; 0 where that is not known yet."""
    samples: float
    """Sequences (stage 2) or frames (stage 1) a second."""
    spent: float
    """Seconds in this stage, pauses left out."""
    left: float | None
    """Seconds until this stage ends."""

    @property
    def share(self) -> float:
        """Of this stage, 0 ... 1."""
        return min(1.0, self.update / self.updates) if self.updates else 1.0


def progress(records: Sequence[dict[str, Any]], config: Config, vision_from: str = "") -> Progress:
    """Where a run with these lines stands."""
    both = config.model.sees_frames and not vision_from and config.train.stage1_updates > 0
    first = 1 if both else 2
    stages = 2 if both and config.train.updates else 1
    if not records:
        return Progress(first, stages, 0, _planned(config, first), 0.0, 0.0, 0.0, None)
    last = records[-1]
    stage, planned = last["stage"], _planned(config, last["stage"])
    recent = [record for record in records[-RECENT:] if record["stage"] == stage]
    start = recent[0] if len(recent) > 1 else {"update": 0, "seconds": 0.0}
    seconds = last["seconds"] - start["seconds"]
    rate = (last["update"] - start["update"]) / seconds if seconds > 0 else 0.0
    batch = config.train.batch if stage == 2 else config.train.stage1_batch
    left = (planned - last["update"]) / rate if rate > 0 else None
    return Progress(stage, stages, last["update"], planned, rate, rate * batch, last["seconds"], left)


def _planned(config: Config, stage: int) -> int:
    return config.train.updates if stage == 2 else config.train.stage1_updates


def duration(seconds: float | int) -> str:
    """Two units at most: "40 s", "2 min 5 s", "3 h 20 min", "2 d 4 h"."""
    whole = max(0, round(seconds))
    for size, name, smaller, below in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"

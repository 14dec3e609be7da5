"""The runs of a plan, several side by side on one device, until they are done or the time is up.

Each run is a generator that starts a block of updates on a stream of its own and says None while the device is at it
(:func:`hri.training.device_loop.run_stage`), so one process and one thread keep many of them busy.
"""

from __future__ import annotations

import dataclasses
import json
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from hri.core.config import DataConfig
from hri.core.errors import sentence
from hri.core.files import replacing
from hri.core.memory import keep_freed_memory
from hri.core.records import Normalisation
from hri.data.dataset import Sequences
from hri.data.source import Split
from hri.data.sources import sequences
from hri.experiments.bundles import BundleLimits, pack
from hri.experiments.many_plan import PlannedRun
from hri.model.checkpoint import provenance
from hri.training.control import ask
from hri.training.device_loop import TooLittleMemory, run_stage
from hri.training.loop import prepared
from hri.training.run_folder import Run
from hri.training.stages import Report

SAVE_SECONDS = 60.0
"""Time between two bundles."""
IDLE_SECONDS = 0.002
SUMMARY = "summary.json"
Say = Callable[[str], object]


@dataclass
class Lane:
    """One run at work."""

    planned: PlannedRun
    reports: Iterator[Report | None]
    started: float = field(default_factory=time.monotonic)
    first: Report | None = None
    """Of this stage, in this process; the pace is taken from the one after it."""
    last: Report | None = None
    validation: dict[str, Any] = field(default_factory=dict)

    @property
    def pace(self) -> float:
        """Updates a second in this stage, validations and saving included."""
        if self.first is None or self.last is None or self.last.update == self.first.update:
            return 0.0
        return (self.last.update - self.first.update) / max(1e-9, self.last.seconds - self.first.seconds)


@dataclass
class Result:
    """How a run stands."""

    state: Literal["waiting", "running", "finished", "stopped", "failed"] = "waiting"
    reason: str = ""
    stage: int = 0
    update: int = 0
    updates: int = 0
    updates_per_second: float = 0.0
    validation: dict[str, Any] = field(default_factory=dict)


class Busy:
    """How much of the time the device computes, whichever run it is for."""

    def __init__(self, device: torch.device):
        self.start = torch.cuda.Event(enable_timing=True) if device.type == "cuda" else None
        if self.start is not None:
            self.start.record()
        self.clock = time.monotonic()
        self.spans: list[tuple[float, float]] = []

    def __call__(self, started: Any, ended: Any) -> None:
        if self.start is not None:
            self.spans.append((self.start.elapsed_time(started) / 1000, self.start.elapsed_time(ended) / 1000))

    def share(self) -> float | None:
        """0 ... 1 since the start; None where a device does not tell."""
        return covered(self.spans) / max(1e-9, time.monotonic() - self.clock) if self.start is not None else None


def covered(spans: Sequence[tuple[float, float]]) -> float:
    """Length of the union of some spans of time."""
    total, reached = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    return total


class SharedData:
    """Splits of data that runs have in common, made once."""

    def __init__(self) -> None:
        self._made: list[tuple[DataConfig, Split, Normalisation | None, Sequences]] = []

    def __call__(self, data: DataConfig, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        for *key, store in self._made:
            if key == [data, split, normalisation]:
                return store
        store = sequences(data, split, normalisation)
        self._made.append((data, split, normalisation, store))
        return store


class Many:
    """A plan at work: call :meth:`advance` until it says False, :meth:`stop` to end early."""

    def __init__(self, plan: Sequence[PlannedRun], runs: Path, out: Path, device: torch.device, lanes: int, say: Say):
        """Nothing is trained yet.

        Raises:
            OSError: a folder cannot be made.
        """
        keep_freed_memory()
        self.runs, self.out, self.device, self.most, self.say = runs, out, device, lanes, say
        for folder in (runs, out):
            folder.mkdir(parents=True, exist_ok=True)
        self.plan = list(plan)
        self.queue = list(plan)
        self.results = {run.name: Result() for run in plan}
        self.lanes: list[Lane] = []
        self.data = SharedData()
        self.busy = Busy(device)
        self.stopping = False
        self.began = self.saved = time.monotonic()
        self.about = provenance(device.type)

    def advance(self) -> bool:
        """Let every run go on where its device is ready; whether anything is left to do."""
        while not self.stopping and len(self.lanes) < self.most and (planned := self._next()) is not None:
            self.results[planned.name].state = "running"
            self.lanes.append(Lane(planned, self._reports(planned)))
        idle = True
        for lane in list(self.lanes):
            idle = not self._go_on(lane) and idle
        if time.monotonic() - self.saved > SAVE_SECONDS:
            self.save()
        if idle and self.lanes:
            time.sleep(IDLE_SECONDS)
        return bool(self.lanes) or (not self.stopping and self._next(peek=True) is not None)

    def stop(self) -> None:
        """Ask every run to save its state and end; :meth:`advance` until they have."""
        self.stopping = True
        for lane in self.lanes:
            ask(self.runs / lane.planned.name, "stop")

    def save(self) -> dict[str, Any]:
        """Bundles and summary, as things stand.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        self.saved = time.monotonic()
        folders = [self.runs / run.name for run in self.plan if (self.runs / run.name / "config.json").exists()]
        went = pack(folders, self.out, BundleLimits())
        summary = self.summary()
        for run in summary["runs"]:
            packed = went.get(run["name"])
            run |= {"bundle": packed.bundle, "left_out": list(packed.left_out)} if packed else {"bundle": ""}
        with replacing(self.out / SUMMARY) as file:
            file.write(json.dumps(summary, indent=1).encode())
        self.say(self.line())
        return summary

    def summary(self) -> dict[str, Any]:
        """Everything there is to tell, as plain JSON types."""
        share = self.busy.share()
        return {
            "device": self.about["device"],
            "versions": self.about["versions"],
            "commit": self.about["commit"],
            "seconds": round(time.monotonic() - self.began, 1),
            "computing": None if share is None else round(share, 4),
            "updates_per_second": round(sum(lane.pace for lane in self.lanes), 2),
            "runs": [{"name": run.name} | dataclasses.asdict(self.results[run.name]) for run in self.plan],
        }

    def line(self) -> str:
        """How it stands, in a line."""
        share, states = self.busy.share(), [result.state for result in self.results.values()]
        rates = ", ".join(f"{lane.planned.name} {_place(lane)}" for lane in self.lanes) or "nothing runs"
        computing = "" if share is None else f", computing {share:.0%} of the time"
        done = f"{states.count('finished')} of {len(states)} runs finished"
        return f"{time.monotonic() - self.began:.0f} s: {done}{computing}; {rates}"

    def _next(self, peek: bool = False) -> PlannedRun | None:
        """The first run of the queue that need not wait; without ``peek`` it leaves the queue."""
        for planned in self.queue:
            waits_for = self.results[planned.after] if planned.after else None
            if waits_for is None or waits_for.state == "finished":
                if not peek:
                    self.queue.remove(planned)
                return planned
        return None

    def _reports(self, planned: PlannedRun) -> Iterator[Report | None]:
        folder = self.runs / planned.name
        vision = str(self.runs / planned.after / "best.safetensors") if planned.after else planned.vision_from
        loop = partial(run_stage, busy=self.busy)
        with Run(folder, planned.config, resume=True) as run:
            command = planned.command(self.device.type)
            yield from prepared(planned.config, run, self.device, loop, vision or None, command, data=self.data)
            if run.stopped:
                self.results[planned.name].state = "stopped"

    def _go_on(self, lane: Lane) -> bool:
        """All that a run has to tell by now; whether that is anything."""
        reported, result = False, self.results[lane.planned.name]
        try:
            for report in lane.reports:
                if report is None:
                    return reported
                reported = True
                if lane.last is None or report.stage != lane.last.stage:
                    lane.first = report
                lane.last, lane.validation = report, report.validation or lane.validation
                result.stage, result.update, result.updates = report.stage, report.update, report.updates
                result.updates_per_second, result.validation = round(lane.pace, 2), lane.validation
                if self.stopping:
                    ask(self.runs / lane.planned.name, "stop")  # a run that began meanwhile took back what was asked
        except (TooLittleMemory, torch.OutOfMemoryError) as error:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            if len(self.lanes) > 1:
                # Beside others there is no room; it begins again when one of them has gone.
                self.most = len(self.lanes) - 1
                self.queue.insert(0, lane.planned)
                result.state = "waiting"
                self.say(f"{lane.planned.name} waits: the device has memory for {self.most} runs side by side")
            else:
                result.state, result.reason = "failed", sentence(error) or str(error)
                self.say(f"{lane.planned.name} failed: {result.reason}")
        except Exception as error:
            if (text := sentence(error)) is None:  # a fault of ours: it is shown, and the others go on
                text = f"{type(error).__name__}: {error}"
                self.say("".join(traceback.format_exception(error)))
            result.state, result.reason = "failed", text
            self.say(f"{lane.planned.name} failed: {text}")
        else:
            if result.state == "running":
                result.state = "finished"
            where = f"at {_place(lane)}" if lane.last is not None else "before"
            self.say(f"{lane.planned.name} {result.state} {where}")
        self.lanes.remove(lane)
        return True


def _place(lane: Lane) -> str:
    if lane.last is None:
        return "starting"
    report = lane.last
    return (
        f"stage {report.stage}, update {report.update} of {report.updates}, loss {report.losses['loss']:.5g}, "
        f"{lane.pace:.3g} updates/s"
    )

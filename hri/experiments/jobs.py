"""One job of a plan as the commands a person would type, in processes of their own that hold the folder's lock.

Nothing here is needed to go on after a kill: training resumes from its folder, scores are written whole or not at
all, and the system lets go of a lock when the last process that holds it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Literal, Protocol, TypeGuard, runtime_checkable

from hri.core.errors import sentence
from hri.core.files import lock, replacing
from hri.experiments import processes
from hri.experiments.plan import Job


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    state: Literal["done", "failed", "locked"]
    """"locked": another process is at it, and nothing was done."""
    reason: str = ""
    """Of a failure, one sentence."""


@runtime_checkable
class Handle(Protocol):
    """A job that was started, here or elsewhere."""

    def poll(self) -> Outcome | None:
        """How it ended, or None while it runs."""

    def stop(self) -> None:
        """End it now; what it has saved is kept."""


@runtime_checkable
class Engine(Protocol):
    """Where jobs run."""

    slots: int
    """How many at once."""

    def start(self, job: Job, folder: Path, again: bool) -> Handle:
        """Begin a job, or go on with it; ``again``: score it even if it has scores."""

    def close(self) -> None:
        """Nothing more will be started."""


class Local:
    """The cores or GPUs of this machine: one process a job, each on one core or on one GPU."""

    def __init__(self, slots: int | None = None):
        self.gpus = gpus()
        self.slots = slots or len(self.gpus) or cores()
        self._started: list[tuple[int, JobProcess]] = []

    def start(self, job: Job, folder: Path, again: bool) -> JobProcess:
        busy = [slot for slot, process in self._started if process.alive]
        slot = min(range(len(busy) + 1), key=lambda index: (busy.count(index), index))
        devices = {"CUDA_VISIBLE_DEVICES": self.gpus[slot % len(self.gpus)]} if self.gpus else one_thread()
        process = JobProcess(job, folder, devices, again)
        self._started = [*((s, p) for s, p in self._started if p.alive), (slot, process)]
        return process

    def close(self) -> None:
        """Nothing to close."""


class JobProcess:
    """A job's commands, one after the other."""

    def __init__(self, job: Job, folder: Path, devices: Mapping[str, str], again: bool = False, cwd: str = "."):
        """Take the lock of the job's folder; the first command starts with the first :meth:`poll`.

        Args:
            devices: variables that say where it computes.
            again: score it even if it has scores.
            cwd: what a relative folder is relative to.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self.place = Path(cwd, folder, job.name)
        self.place.mkdir(parents=True, exist_ok=True)
        self.devices = devices
        self.cwd = cwd
        self.process: subprocess.Popen[bytes] | None = None
        self.answer: IO[bytes] | None = None
        self.log = self.place / "output.log"
        self.lock = lock(self.place / "lock")
        if self.lock is None:
            return
        for leftover in self.place.glob("*.part"):  # of a process that was killed while it wrote
            leftover.unlink(missing_ok=True)
        train, evaluate = job.commands(folder)
        scored = (self.place / "scores.json").exists()
        self.commands = ([evaluate] if again else []) if scored else [train, evaluate]

    @property
    def alive(self) -> bool:
        """Whether it still holds the folder."""
        return self.lock is not None

    def poll(self) -> Outcome | None:
        """Start the next command when the last one is over; how the job ended, or None while it runs."""
        if self.lock is None:
            return Outcome("locked")
        try:
            outcome = self._step()
        except (OSError, ValueError) as error:
            outcome = Outcome("failed", sentence(error) or str(error))
        if outcome is not None:
            self.stop()
        return outcome

    def _step(self) -> Outcome | None:
        if self.process is not None:
            if (code := self.process.poll()) is None:
                return None
            if code:
                return Outcome("failed", processes.failure(code, self.log))
            if self.answer is not None:
                self.answer.seek(0)
                write_scores(self.place, self.answer.read())
            self.process = None
        if not self.commands:
            return Outcome("done")
        command = self.commands.pop(0)
        assert self.lock is not None
        self.answer = tempfile.TemporaryFile() if command[0] == "evaluate" else None  # noqa: SIM115
        # The lock goes with it: should we be killed, the folder stays taken until training ends too.
        self.process = processes.start(
            command, self.log, answer=self.answer, cwd=self.cwd, variables=self.devices, locks=(self.lock,)
        )
        return None

    def stop(self) -> None:
        """End its process and let go of the folder."""
        if self.process is not None:
            processes.end(self.process)
        if self.answer is not None:
            self.answer.close()
        if self.lock is not None:
            os.close(self.lock)
        self.process, self.answer, self.lock = None, None, None


def carry_out(job: Job, folder: Path, cwd: str, again: bool) -> Outcome:
    """A whole job, waiting for it: what another machine runs."""
    process = JobProcess(job, folder, {} if gpus() else one_thread(), again, cwd)
    try:
        while (outcome := process.poll()) is None:
            time.sleep(0.2)
    finally:
        process.stop()
    return outcome


def write_scores(place: Path, answer: bytes) -> None:
    """What ``evaluate --json`` printed, kept as scores.json.

    Raises:
        ValueError: something else was printed.
        OSError: the folder cannot be written or the disk is full.
    """
    try:
        scores = json.loads(answer)
    except ValueError:
        scores = None
    if not _are_scores(scores):
        raise ValueError(f"evaluate printed no scores, see {place / 'output.log'}")
    with replacing(place / "scores.json") as file:
        file.write(json.dumps(scores, indent=1).encode())


def read_scores(place: Path) -> dict[str, Any] | None:
    """The scores of a job; None before it has any.

    Raises:
        ValueError: the file is damaged.
    """
    path = place / "scores.json"
    try:
        scores = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        scores = None
    if not _are_scores(scores):
        raise ValueError(f"{path} is damaged; delete it, and the same command scores this run anew")
    return scores


def _are_scores(scores: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(scores, dict) and {"nll", "parameters"} <= scores.keys()


def reached(place: Path, stage: int) -> tuple[int, float]:
    """(update, seconds spent) of a job in its stage, from the last whole line of its metrics."""
    try:
        with open(place / "metrics.jsonl", "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return 0, 0.0
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:  # half a line: written just now, or cut by where we began to read
            continue
        if isinstance(record, dict):
            return (int(record["update"]), float(record["seconds"])) if record["stage"] == stage else (0, 0.0)
    return 0, 0.0


def one_thread() -> dict[str, str]:
    """Sums come out the same on every machine, and jobs do not take each other's cores."""
    return {"OMP_NUM_THREADS": "1"}


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """Names of this machine's GPUs for CUDA_VISIBLE_DEVICES, of those that are visible now."""
    if version("torch").endswith("+cpu"):  # known without waiting for torch
        return []
    import torch

    count = torch.cuda.device_count()
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return (visible or [str(index) for index in range(count)])[:count]


def gpu_names() -> dict[str, str]:
    """Number and name of each GPU that this torch can use, without loading torch."""
    if version("torch").endswith("+cpu") or (program := shutil.which("nvidia-smi")) is None:
        return {}
    words = [program, "--query-gpu=index,name", "--format=csv,noheader"]
    answer = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    pairs = (line.partition(",") for line in answer.stdout.splitlines() if "," in line)
    return {number.strip(): name.strip() for number, _, name in pairs}

"""A queue of trainings: one small process starts them in turn, so many at once, whether or not a page is open.

Every training is ``python -m hri train`` in a session of its own: it outlives the queue, the page and the server. The
queue ends when nothing waits and nothing that it started is left; whoever puts a run into the queue wakes it again.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hri.core.errors import sentence
from hri.core.files import is_locked, lock, replacing
from hri.experiments import processes
from hri.experiments.jobs import cores
from hri.experiments.runs import QUEUED, command, folders, info
from hri.training.control import WISHES_KEPT, Presence, State, ask, is_busy, is_held, presence, tell

LOOK = 0.5
"""Seconds between two looks."""
_LOCK, _LIMITS = ".queue.lock", ".queue.json"
_woken: list[subprocess.Popen[bytes]] = []
"""Queues that this process started; they outlive it."""


@dataclass(frozen=True)
class Limits:
    """What trainings may take of this machine."""

    at_once: int = 1
    threads: int = 1
    """CPU threads of each."""
    gpu: str = ""
    """Value of CUDA_VISIBLE_DEVICES; empty: as it is."""

    def __post_init__(self) -> None:
        if not 1 <= self.at_once <= 64:
            raise ValueError(f"{self.at_once} trainings at once: choose 1 to 64")
        if not 1 <= self.threads <= max(64, cores()):
            raise ValueError(f"{self.threads} threads: choose 1 to {max(64, cores())}")


def limits(root: Path) -> Limits:
    """The limits of a root; the usual ones where none were set."""
    try:
        entries = json.loads((root / _LIMITS).read_text())
        return Limits(int(entries["at_once"]), int(entries["threads"]), str(entries["gpu"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Limits()


def set_limits(root: Path, bounds: Limits) -> None:
    """Set them; the queue obeys from its next look.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    root.mkdir(parents=True, exist_ok=True)
    with replacing(root / _LIMITS) as file:
        file.write(json.dumps(asdict(bounds)).encode())


def enqueue(root: Path, folder: Path) -> None:
    """Let a run wait for its turn, and see that a queue is awake. A run that waits or trains already is left alone.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    if not _trains(folder) and not (folder / QUEUED).exists():
        with replacing(folder / QUEUED) as file:
            file.write(f"{time.time():.6f}".encode())
    wake(root)


def _trains(folder: Path) -> bool:
    """Whether a process trains there. Whoever asks holds its lock for a moment too, but leaves no number there."""
    there = presence(folder)
    return there is not None and there.alive and there.pid != 0


def take_back(folder: Path) -> None:
    """Out of the queue again; a run that trains goes on."""
    (folder / QUEUED).unlink(missing_ok=True)


def waiting(root: Path) -> list[Path]:
    """The runs that wait, the next one first."""
    if not root.is_dir():
        return []
    places = []
    for file in root.glob(f"*/{QUEUED}"):
        with suppress(OSError, ValueError):
            places.append((float(file.read_text()), file.parent))
    return [folder for _, folder in sorted(places)]


def wake(root: Path) -> None:
    """Start a queue for this root unless one is awake or nothing waits. Several callers at once start one."""
    root = root.resolve()
    _woken[:] = [process for process in _woken if process.poll() is None]  # asking also buries the dead
    if not waiting(root) or is_locked(root / _LOCK):
        return
    _woken.append(processes.start(["queue", "--folder", str(root)], root / ".queue.log", cwd=root, outlives=True))


def serve(root: Path) -> bool:
    """Start what waits, in turn, until nothing waits and nothing that was started runs; False if another one is awake.

    Raises:
        OSError: the folder cannot be written.
    """
    root = root.resolve()
    started: dict[Path, subprocess.Popen[bytes]] = {}
    while True:
        held = lock(root / _LOCK, patience=0.35)
        if held is None:
            return False
        try:
            while waiting(root) or started:
                _look(root, started)
                time.sleep(LOOK)
        finally:
            os.close(held)
        if not waiting(root):  # somebody may have come while we were leaving
            return True


def _look(root: Path, started: dict[Path, subprocess.Popen[bytes]]) -> None:
    for folder, process in list(started.items()):
        if (code := process.poll()) is not None:
            del started[folder]
            if code:
                _say_failure(folder, code)
    bounds = limits(root)
    # A paused run takes no core.
    busy = [
        there for folder in folders(root) if (there := presence(folder)) and there.alive and there.state != "paused"
    ]
    for folder in waiting(root)[: max(0, bounds.at_once - len(busy))]:
        if _trains(folder):
            take_back(folder)
            continue
        if is_busy(folder):
            continue  # somebody asks how it stands: the next look will do
        # It waits until it is started: at no moment does it look like a run that nobody has asked for.
        try:
            started[folder] = _start(folder, bounds)
            if not (folder / QUEUED).exists():
                ask(folder, "stop")  # somebody took it back meanwhile
        except (ValueError, OSError) as error:
            _tell(folder, "failed", str(sentence(error)))  # nothing where the folder has gone: so has the run
        with suppress(OSError):
            take_back(folder)


def _start(folder: Path, bounds: Limits) -> subprocess.Popen[bytes]:
    """The training as a process of its own; what it prints goes to output.log.

    Raises:
        ValueError: its settings cannot be used.
        OSError: its folder cannot be written.
    """
    run = info(folder)
    if run.config is None:
        raise ValueError(run.reason)
    words = command(folder, run.config, run.about.vision_from)
    ask(folder, "go")  # what is asked from now on is for this process
    variables = {"OMP_NUM_THREADS": str(bounds.threads), WISHES_KEPT: "1"}
    variables |= {"CUDA_VISIBLE_DEVICES": bounds.gpu} if bounds.gpu else {}
    process = processes.start(words, folder / "output.log", append=False, variables=variables, outlives=True)
    with suppress(AttributeError, OSError):  # a page that answers at once comes first; no such call on Windows
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    if not is_held(folder):  # it takes some seconds until it can speak for itself
        tell(folder, Presence(process.pid, "starting"))
    return process


def _say_failure(folder: Path, code: int) -> None:
    """Of a process that ended before it could say why itself."""
    there = presence(folder)
    if there is not None and there.state == "failed":
        return
    _tell(folder, "stopped" if code < 0 else "failed", processes.failure(code, folder / "output.log"))


def _tell(folder: Path, state: State, reason: str) -> None:
    """For a process that cannot; nothing where the folder has gone."""
    with suppress(OSError):
        tell(folder, Presence(0, state, reason))


def stop(folder: Path, patience: float = 0.0) -> bool:
    """Ask a training to stop with its state saved; whether it has, after waiting for so many seconds.

    Raises:
        OSError: the folder cannot be written.
    """
    take_back(folder)
    ask(folder, "stop")
    deadline = time.monotonic() + patience
    while is_busy(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_busy(folder)

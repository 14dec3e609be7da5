"""Speaking with a training through its folder: who trains there, and what is asked of it.

A training holds ``train.lock`` for as long as it lives, so whether one is alive is a question to the system and never
goes stale, however it ended; ``process.json`` says who it is and what became of it. ``asked`` holds one word, which
the training reads after every update.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from hri.core.files import is_locked, lock, replacing

Wish = Literal["go", "pause", "stop"]
State = Literal["starting", "running", "paused", "stopped", "finished", "failed"]
_LOCK, _PROCESS, _ASKED = "train.lock", "process.json", "asked"
STARTING = 180.0
"""Seconds that a process may take from its start until it holds its folder: it loads torch first."""
WISHES_KEPT = "HRI_WISHES_KEPT"
"""Set in the environment of a training by whoever started it and has already put old wishes aside: what is in the
folder then was asked while it started."""


@dataclass(frozen=True)
class Presence:
    """The process that trains in a folder, or the last one that did."""

    pid: int
    state: State
    reason: str = ""
    """Why it failed, one sentence."""
    alive: bool = False


class FolderClaim:
    """A folder that is ours to train in; let go of with :meth:`release`, or by the system when we end."""

    def __init__(self, folder: Path):
        """Take it.

        Raises:
            ValueError: another process trains there.
            OSError: the folder cannot be written.
        """
        self.folder = folder
        handle = lock(folder / _LOCK, patience=1.0)
        if handle is None:
            raise ValueError(f"another process is training in {folder}; wait for it, or choose another folder")
        self._lock: int | None = handle
        if not os.environ.get(WISHES_KEPT):
            ask(folder, "go")  # an old wish was for the last process
        self.tell("running")

    def tell(self, state: State, reason: str = "") -> None:
        """Say how it stands.

        Raises:
            OSError: the folder cannot be written.
        """
        tell(self.folder, Presence(os.getpid(), state, reason))

    def release(self) -> None:
        """Let another process train here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def tell(folder: Path, status: Presence) -> None:
    """Write down how the process of a folder stands, also where a full disk takes no new file.

    Raises:
        OSError: the folder cannot be written.
    """
    known = asdict(status)
    del known["alive"]
    text = json.dumps(known).encode()
    try:
        with replacing(folder / _PROCESS) as file:
            file.write(text)
    except OSError:
        with open(folder / _PROCESS, "r+b", buffering=0) as file:  # a few bytes in the place that it has already
            file.write(text)
            file.truncate()


def ask(folder: Path, wish: Wish) -> None:
    """Ask the training in a folder to pause, to go on, or to stop with its state saved.

    Raises:
        OSError: the folder cannot be written.
    """
    with replacing(folder / _ASKED) as file:
        file.write(wish.encode())


def read_wish(folder: Path) -> Wish:
    """What is asked of the training; "go" where nothing readable is."""
    try:
        word = (folder / _ASKED).read_text()
    except (OSError, UnicodeDecodeError):
        return "go"
    return next((wish for wish in get_args(Wish) if wish == word), "go")


def presence(folder: Path) -> Presence | None:
    """Who trains in a folder or did last; None where nobody ever has.

    A process that ended without a word (killed, or the machine went down) is "stopped": its last state is there to go
    on from.
    """
    alive = is_held(folder)
    try:
        entries = json.loads((folder / _PROCESS).read_text())
        status = Presence(int(entries["pid"]), entries["state"], str(entries["reason"]), alive)
    except (OSError, ValueError, KeyError, TypeError):
        return Presence(0, "running", alive=True) if alive else None
    if status.state not in get_args(State):
        return None
    if status.state == "starting" and not alive:
        alive = _is_young(folder / _PROCESS) and _exists(status.pid)
        status = Presence(status.pid, status.state, status.reason, alive)
    if alive or status.state not in ("starting", "running", "paused"):
        return status
    return Presence(status.pid, "stopped", "it ended without a word, as a killed process does")


def is_busy(folder: Path) -> bool:
    """Whether a process trains in a folder, or was started to."""
    status = presence(folder)
    return status is not None and status.alive


def _is_young(path: Path) -> bool:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime < STARTING
    return False


def _exists(pid: int) -> bool:
    """Whether there is a process of this number: perhaps another one by now, which is why this holds but briefly."""
    try:
        os.kill(pid, 0) if sys.platform != "win32" else None
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_held(folder: Path) -> bool:
    """Whether a process trains in a folder now."""
    return is_locked(folder / _LOCK)

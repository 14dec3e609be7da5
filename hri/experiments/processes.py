"""Commands of this package as processes of their own: started, looked at, ended, and why one failed in a sentence.

The folder that a process works in has a log of what it prints and a lock that it holds (:func:`hri.core.files.lock`),
of which the system lets go however the process ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO

from hri.core.places import CODE

COMMAND = (sys.executable, "-m", "hri")
"""What runs a command of this package."""
PATIENCE = 10.0
"""Seconds in which a process that is asked to end may do so."""


def start(
    words: Sequence[str],
    log: Path | None,
    *,
    append: bool = True,
    answer: IO[bytes] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    variables: Mapping[str, str] | None = None,
    locks: Sequence[int] = (),
    outlives: bool = False,
) -> subprocess.Popen[bytes]:
    """Start one command.

    Args:
        words: what follows ``python -m hri``.
        log: file for what it prints; None: pipes, for a caller who waits for its words (``communicate``).
        append: to what the file holds already, instead of in its place.
        answer: file for its standard output alone.
        cwd: folder that it runs in; by default this one.
        variables: of its environment, beside ours.
        locks: descriptors that it holds too, so that what they stand for stays taken should we be killed.
        outlives: it is no child of our terminal and goes on when we end.

    Raises:
        OSError: the log cannot be written, or the system has no room for another process.
    """
    with nullcontext(subprocess.PIPE) if log is None else open(log, "ab" if append else "wb") as prints:
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": search_path(), **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=answer or prints,
            stderr=prints,
            pass_fds=locks,
            start_new_session=outlives,
        )


def search_path() -> str:
    """Value of PYTHONPATH with which a process anywhere imports this very package."""
    return os.pathsep.join(part for part in (str(CODE), os.environ.get("PYTHONPATH", "")) if part)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it end if it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def failure(code: int, log: Path) -> str:
    """Why a process ended with this code, in one sentence: its own last line where it has said so itself."""
    if code < 0:
        return f"it was killed (signal {signal.Signals(-code).name})"
    text = ""
    with suppress(OSError):
        text = log.read_text(errors="replace")
    return complaint(text) or f"{last_line(text) or f'exit code {code}'} (more in {log})"


def complaint(text: str) -> str:
    """The sentence with which a command of this package ends when it fails; empty where what it printed has none."""
    line = last_line(text)
    return line.removeprefix("hri: ") if line.startswith("hri: ") else ""


def last_line(text: str) -> str:
    """The last line that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")

"""Commands as processes: what they are given, what they print, how they end and what is said of it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hri.core.files import is_locked, lock
from hri.core.places import CODE
from hri.experiments import processes

Put = Callable[[str], None]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a few lines of Python in the place of ``python -m hri``."""

    def put(script: str) -> None:
        monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-S", "-c", f"import sys, os, time\n{script}"))

    return put


def test_a_process_gets_its_words_its_variables_and_this_package(tmp_path: Path, command: Put) -> None:
    command("print(sys.argv[1:], os.environ['OMP_NUM_THREADS'], os.getcwd()); print(sys.path[0] or sys.path[1])")
    log = tmp_path / "output.log"
    for append in (False, True, False):
        process = processes.start(
            ["train", "--run"], log, append=append, cwd=tmp_path, variables={"OMP_NUM_THREADS": "3"}
        )
        assert process.wait(20) == 0
        said = f"['train', '--run'] 3 {tmp_path}\n{CODE}\n"
        assert log.read_text() == said * (1 + append)


def test_answer_and_log_are_apart_and_pipes_are_for_who_waits(tmp_path: Path, command: Put) -> None:
    command("print('answer'); print('hri: complaint', file=sys.stderr)")
    with tempfile.TemporaryFile() as answer:
        assert processes.start([], tmp_path / "log", answer=answer).wait(20) == 0
        answer.seek(0)
        assert answer.read() == b"answer\n"
    assert (tmp_path / "log").read_text() == "hri: complaint\n"
    assert processes.start([], None).communicate(timeout=20) == (b"answer\n", b"hri: complaint\n")


def test_a_lock_lives_as_long_as_the_process_that_was_given_it(tmp_path: Path, command: Put) -> None:
    command("print('there', flush=True); time.sleep(60)")
    descriptor = lock(tmp_path / "lock")
    assert descriptor is not None
    process = processes.start([], tmp_path / "log", locks=[descriptor], outlives=True)
    os.close(descriptor)
    assert os.getsid(process.pid) == process.pid, "a session of its own"
    assert is_locked(tmp_path / "lock")
    began = time.monotonic()
    assert lock(tmp_path / "lock", patience=0.1) is None
    assert time.monotonic() - began >= 0.1
    processes.end(process)
    processes.end(process)
    assert not is_locked(tmp_path / "lock")


def test_a_process_that_does_not_end_when_asked_is_made_to(
    tmp_path: Path, command: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.2)
    command("import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)")
    process = processes.start([], tmp_path / "log")
    while "deaf" not in (tmp_path / "log").read_text():
        time.sleep(0.01)
    processes.end(process)
    assert process.returncode == -9
    assert processes.failure(-9, tmp_path / "log") == "it was killed (signal SIGKILL)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("busy\nhri: the disk is full\n\n", "the disk is full"),
        ("RuntimeError: ours\n", "RuntimeError: ours (more in {log})"),
        (" \n", "exit code 3 (more in {log})"),
        (None, "exit code 3 (more in {log})"),
    ],
)
def test_a_failure_is_the_last_line_that_was_printed(text: str | None, said: str, tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    if text is not None:
        log.write_text(text)
    assert processes.failure(3, log) == said.format(log=log)

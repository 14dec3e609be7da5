"""The queue: in turn, so many at once, one at a time of itself, with trainings that outlive it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from hri.core.config import Config
from hri.core.files import lock
from hri.core.presets import preset
from hri.core.settings import changed
from hri.experiments import queueing, runs
from hri.experiments.queueing import Limits, enqueue, limits, set_limits, stop, take_back, waiting, wake
from hri.training.control import ask, is_busy, is_held
from tests.training.test_loop import lines

TINY = changed(
    preset("springs-4-3-state-lstm"),
    {"data.train": 8, "data.validation": 2, "train.batch": 2, "train.updates": 3, "train.evaluate_every": 3},
)
LONG = changed(TINY, {"train.updates": 100_000})


def until(holds: Callable[[], Any], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def states(root: Path) -> dict[str, str]:
    return {run.name: run.state for run in runs.runs(root)}


def processes(root: Path) -> list[psutil.Process]:
    """Queue and trainings of this root."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "hri" in words and any(str(root) in word for word in words):
            found.append(process)
    return found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield tmp_path
    for process in processes(tmp_path):
        process.kill()


@pytest.fixture
def asked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Config], Path]:
    """``asked_for(name, config)``: a run that waits, with no queue awake."""
    monkeypatch.setattr(queueing, "wake", lambda root: None)

    def make(name: str, config: Config) -> Path:
        folder = runs.create(root, name, config)
        enqueue(root, folder)
        return folder

    return make


def look_and_wait(root: Path) -> None:
    """One look of a queue, to the end of the training that it starts."""
    started: dict[Path, subprocess.Popen[bytes]] = {}
    queueing._look(root, started)
    assert not waiting(root)
    for process in started.values():
        process.wait(120)


def test_limits_are_kept_and_checked(tmp_path: Path) -> None:
    assert limits(tmp_path) == Limits()
    set_limits(tmp_path, Limits(at_once=2, threads=1, gpu="0"))
    assert limits(tmp_path) == Limits(2, 1, "0")
    (tmp_path / ".queue.json").write_text('{"at_once": 0, "threads": 1, "gpu": ""}')
    assert limits(tmp_path) == Limits(), "nonsense is as good as nothing"
    with pytest.raises(ValueError, match="0 trainings at once"):
        Limits(at_once=0)


def test_who_waits_is_known_in_order(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Path] = []
    monkeypatch.setattr(queueing, "wake", woken.append)
    for name in ("b", "a", "c"):
        enqueue(root, runs.create(root, name, TINY))
    enqueue(root, root / "b")  # again: keeps its place
    assert [folder.name for folder in waiting(root)] == ["b", "a", "c"]
    assert states(root) == dict.fromkeys("abc", "queued")
    take_back(root / "b")
    assert [folder.name for folder in waiting(root)] == ["a", "c"]
    runs.delete(root, root / "a")
    assert [folder.name for folder in waiting(root)] == ["c"]
    assert len(woken) == 4


@pytest.mark.slow
def test_runs_are_trained_in_turn_with_the_terminals_numbers(root: Path) -> None:
    for name in ("one", "two"):
        runs.create(root, name, TINY)
    enqueue(root, root / "one")
    enqueue(root, root / "two")
    for _ in range(3):  # two pages at once
        wake(root)
    damaged = runs.create(root, "damaged", TINY)
    (damaged / "config.json").write_text("{}}")
    enqueue(root, damaged)
    seen: list[int] = []

    def done() -> bool:
        seen.append(sum(is_held(root / name) for name in ("one", "two")))
        return states(root)["one"] == states(root)["two"] == "finished"

    until(done)
    assert max(seen) <= 1, "one at a time"
    assert lines(root / "one") == lines(root / "two")
    terminal = [sys.executable, "-m", *("hri", *runs.command(root / "terminal", TINY))]
    subprocess.run(terminal, check=True, capture_output=True)
    assert lines(root / "terminal") == lines(root / "one")
    until(lambda: states(root)["damaged"] == "damaged" and not waiting(root))
    until(lambda: not processes(root))  # the queue has gone too


@pytest.mark.slow
def test_trainings_outlive_the_queue_and_the_next_one_counts_them(root: Path) -> None:
    folder, second = runs.create(root, "long", LONG), runs.create(root, "second", TINY)
    enqueue(root, folder)
    until(lambda: (folder / "metrics.jsonl").exists() and (folder / "metrics.jsonl").stat().st_size)
    (queue,) = (process for process in processes(root) if "queue" in process.cmdline())
    queue.send_signal(signal.SIGKILL)
    queue.wait(10)
    assert is_held(folder)
    enqueue(root, second)
    time.sleep(3)
    assert states(root) == {"long": "running", "second": "queued"}
    ask(folder, "pause")  # a paused run makes room
    until(lambda: states(root)["second"] == "finished")
    assert states(root)["long"] == "paused"
    ask(folder, "go")
    assert stop(folder, patience=30.0)
    assert states(root)["long"] == "stopped"
    before = [json.loads(line)["update"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    enqueue(root, folder)  # resume
    until(lambda: is_held(folder) and states(root)["long"] == "running")
    until(lambda: runs.info(folder).update > before[-1])
    assert stop(folder, patience=30.0)
    assert os.path.getsize(folder / "output.log") > 0


def test_a_run_that_was_asked_for_never_looks_like_one_that_was_not(
    root: Path, asked_for: Callable[[str, Config], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page looks again only at runs that wait or train."""
    folder = asked_for("watched", TINY)
    seen: list[str] = []
    for name in ("ask", "tell", "take_back", "Popen"):
        place: Any = queueing.processes.subprocess if name == "Popen" else queueing
        real = getattr(place, name)

        def spy(*arguments: Any, real: Any = real, **keywords: Any) -> Any:
            seen.append(runs.info(folder).state)
            result = real(*arguments, **keywords)
            seen.append(runs.info(folder).state)
            return result

        monkeypatch.setattr(place, name, spy)
    look_and_wait(root)
    assert len(seen) == 8
    assert set(seen) <= {"queued", "starting", "running"}, seen
    assert states(root) == {"watched": "finished"}


@pytest.mark.slow
def test_a_run_taken_back_while_it_starts_stops(
    root: Path, asked_for: Callable[[str, Config], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asked_for("unwanted", LONG)
    real = queueing.processes.subprocess.Popen

    def popen(*arguments: Any, **keywords: Any) -> Any:
        stop(folder)
        return real(*arguments, **keywords)

    monkeypatch.setattr(queueing.processes.subprocess, "Popen", popen)
    look_and_wait(root)
    assert states(root) == {"unwanted": "stopped"}


def test_a_run_that_cannot_start_says_why_and_leaves_the_queue(
    root: Path, asked_for: Callable[[str, Config], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asked_for("crowded", TINY)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "output.log"))

    monkeypatch.setattr(queueing, "_start", full)
    look_and_wait(root)
    run = runs.info(folder)
    assert run.state == "failed"
    assert run.reason.startswith("the disk is full")


@pytest.mark.slow
def test_somebody_who_asks_is_not_taken_for_a_training(root: Path) -> None:
    """Asking how a run stands holds its lock for a moment: the run stays in the queue all the same."""
    folder = runs.create(root, "asked", TINY)
    held = lock(folder / "train.lock")
    assert held is not None
    try:
        assert is_busy(folder)
        enqueue(root, folder)
        queueing._look(root, {})
        assert waiting(root) == [folder]
    finally:
        os.close(held)
    until(lambda: states(root)["asked"] == "finished")

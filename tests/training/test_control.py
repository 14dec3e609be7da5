"""Speaking with a training through its folder: pause, go on, stop, who is alive."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hri.__main__ import main
from hri.training import control
from hri.training.control import (
    STARTING,
    WISHES_KEPT,
    FolderClaim,
    Presence,
    ask,
    is_busy,
    is_held,
    presence,
    read_wish,
    tell,
)
from hri.training.loop import train
from tests.training.test_loop import bare, lines


def test_a_wish_is_read_back_and_nonsense_means_go(tmp_path: Path) -> None:
    assert read_wish(tmp_path) == "go"
    ask(tmp_path, "pause")
    assert read_wish(tmp_path) == "pause"
    (tmp_path / "asked").write_bytes(b"\xff\x00 something")
    assert read_wish(tmp_path) == "go"


def test_one_process_a_folder(tmp_path: Path) -> None:
    assert presence(tmp_path) is None
    claim = FolderClaim(tmp_path)
    assert is_held(tmp_path)
    with pytest.raises(ValueError, match="another process is training in"):
        FolderClaim(tmp_path)
    claim.tell("paused")
    found = presence(tmp_path)
    assert found is not None
    assert (found.pid, found.state, found.alive) == (os.getpid(), "paused", True)
    claim.release()
    found = presence(tmp_path)
    assert found is not None
    assert (found.state, found.alive) == ("stopped", False), "it said that it runs, and is gone"
    FolderClaim(tmp_path).release()


def test_a_damaged_word_of_the_process_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "process.json").write_text('{"pid": "x"')
    assert presence(tmp_path) is None
    (tmp_path / "process.json").write_text(json.dumps({"pid": 1, "state": "dancing", "reason": ""}))
    assert presence(tmp_path) is None


def test_a_finished_and_a_failed_run_say_so(tmp_path: Path) -> None:
    list(train(bare(updates=2, evaluate_every=2), tmp_path / "good"))
    found = presence(tmp_path / "good")
    assert found is not None
    assert (found.state, found.alive) == ("finished", False)
    with pytest.raises(RuntimeError):
        list(train(bare(updates=40, learning_rate=10.0, optimiser="adam", clip=1e9), tmp_path / "bad"))
    found = presence(tmp_path / "bad")
    assert found is not None
    assert found.state == "failed"
    assert "no longer a number" in found.reason


@pytest.mark.slow
def test_stop_keeps_the_state_and_resuming_ends_with_the_same_numbers(tmp_path: Path) -> None:
    config = bare(updates=6)
    list(train(config, tmp_path / "straight"))
    seen: list[int] = []
    for report in train(config, tmp_path / "stopped"):
        seen.append(report.update)
        if report.update == 2:
            ask(tmp_path / "stopped", "stop")
    assert seen == [1, 2, 3], "it stops after the update that is under way"
    found = presence(tmp_path / "stopped")
    assert found is not None
    assert found.state == "stopped"
    list(train(config, tmp_path / "stopped", resume=True))
    assert lines(tmp_path / "stopped") == lines(tmp_path / "straight")


def test_stop_in_stage_1_does_not_begin_stage_2(tmp_path: Path) -> None:
    config = bare("par", stage1_updates=4, updates=4)
    stages = []
    for report in train(config, tmp_path / "run"):
        stages.append(report.stage)
        ask(tmp_path / "run", "stop")
    assert set(stages) == {1}


WORDS = [
    "train", "--preset", "springs-4-3-state-lstm", "--updates", "4000",
    "--data.train", "8", "--data.validation", "2", "--train.batch", "2", "--train.evaluate-every", "4000",
]  # fmt: skip
COMMAND = [sys.executable, "-m", "hri", *WORDS]


def until(holds: Callable[[], Any], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_real_process_pauses_goes_on_stops_and_is_found_dead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    metrics = folder / "metrics.jsonl"

    def state() -> str:
        found = presence(folder)
        return found.state if found else ""

    def moves() -> None:
        before = metrics.stat().st_size
        until(lambda: metrics.stat().st_size > before)

    process = subprocess.Popen([*COMMAND, "--run", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: metrics.exists() and metrics.stat().st_size)
        ask(folder, "pause")
        until(lambda: state() == "paused")
        still = metrics.stat().st_size
        time.sleep(0.5)
        assert metrics.stat().st_size == still
        assert main([*WORDS, "--run", str(folder), "--resume"]) == 1
        said = capsys.readouterr().err
        assert "another process is training" in said
        assert len(said.splitlines()) <= 2
        ask(folder, "go")
        until(lambda: state() == "running")
        moves()
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = presence(folder)
        assert found is not None
        assert (found.state, found.alive) == ("stopped", False)
        assert "killed" in found.reason
        process = subprocess.Popen(
            [*COMMAND, "--run", str(folder), "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: is_held(folder) and state() == "running")
        moves()
        ask(folder, "stop")
        assert process.wait(30) == 0
        assert state() == "stopped"
    finally:
        process.kill()
        process.wait()
    updates = [json.loads(line)["update"] for line in metrics.read_text().splitlines()]
    assert updates == sorted(set(updates))


def test_what_is_asked_while_a_process_starts_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(tmp_path, "stop")
    FolderClaim(tmp_path).release()
    assert read_wish(tmp_path) == "go", "an old wish was for the last process"
    monkeypatch.setenv(WISHES_KEPT, "1")
    ask(tmp_path, "stop")
    FolderClaim(tmp_path).release()
    assert read_wish(tmp_path) == "stop"


def test_a_process_that_starts_is_alive_while_it_exists_and_not_for_ever(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        tell(tmp_path, Presence(process.pid, "starting"))
        assert is_busy(tmp_path)
        assert not is_held(tmp_path)
        os.utime(tmp_path / "process.json", (time.time() - STARTING - 1,) * 2)
        assert not is_busy(tmp_path), "its number may be another's by now"
        tell(tmp_path, Presence(process.pid, "starting"))
    finally:
        process.kill()
        process.wait()
    found = presence(tmp_path)
    assert found is not None
    assert (found.state, found.alive) == ("stopped", False)


def test_a_full_disk_still_lets_it_say_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(tmp_path, Presence(7, "running"))

    def full(path: Path) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(control, "replacing", full)
    tell(tmp_path, Presence(7, "failed", "the disk is full"))
    found = presence(tmp_path)
    assert found is not None
    assert (found.state, found.reason) == ("failed", "the disk is full")
    (tmp_path / "process.json").unlink()
    with pytest.raises(OSError, match="No such file"):
        tell(tmp_path, Presence(7, "failed", "the disk is full"))


def test_a_folder_deleted_underneath_ends_the_training_with_one_sentence(tmp_path: Path) -> None:
    training = train(bare(updates=40, evaluate_every=40), tmp_path / "run")
    next(training)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(ValueError, match="was deleted while it trained there"):
        list(training)
    assert not (tmp_path / "run").exists()

"""One job as processes: the lock they hold, how they end, what they leave."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hri.core.files import lock
from hri.experiments import jobs, processes
from hri.experiments.jobs import JobProcess, Local, Outcome, reached, read_scores, write_scores
from hri.experiments.plan import Job

Put = Callable[[str], None]
JOB = Job("lstm", "state", "4-3", 0, 6)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a few lines of Python in the place of ``python -m hri``; ``word`` is the command's name."""

    def put(script: str) -> None:
        program = (sys.executable, "-S", "-c", f"import sys, os, json, time\nword = sys.argv[1]\n{script}")
        monkeypatch.setattr(processes, "COMMAND", program)

    return put


def ended(process: JobProcess) -> Outcome:
    deadline = time.monotonic() + 20
    while (outcome := process.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return outcome


SCORES = "print(json.dumps({'nll': 2.5, 'parameters': 3, 'word': word}) if word == 'evaluate' else word)"


def test_a_job_trains_and_keeps_the_scores_that_evaluate_prints(tmp_path: Path, command: Put) -> None:
    command(SCORES)
    process = JobProcess(JOB, Path("runs"), {}, cwd=str(tmp_path))
    place = tmp_path / "runs" / JOB.name
    (place / "state.safetensors.1-2.part").touch()
    assert ended(process) == Outcome("done")
    assert not process.alive
    assert read_scores(place) == {"nll": 2.5, "parameters": 3, "word": "evaluate"}
    assert (place / "output.log").read_text() == "train\n"
    command("sys.exit('nothing is left to do')")
    assert ended(JobProcess(JOB, tmp_path / "runs", {})) == Outcome("done")
    command(SCORES.replace("2.5", "1.5"))
    assert ended(JobProcess(JOB, tmp_path / "runs", {}, again=True)) == Outcome("done")
    assert (read_scores(place) or {})["nll"] == 1.5
    assert (place / "output.log").read_text() == "train\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("print('busy'); print('hri: the disk is full', file=sys.stderr); sys.exit(1)", "^the disk is full$"),
        ("raise RuntimeError('ours')", "^RuntimeError: ours .more in .*output.log.$"),
        ("os.kill(os.getpid(), 9)", r"^it was killed \(signal SIGKILL\)$"),
        ("sys.exit(3)", "^exit code 3$|output.log"),
        ("print('no scores')", "^evaluate printed no scores, see .*output.log$"),
    ],
)
def test_a_failure_is_one_sentence(script: str, says: str, tmp_path: Path, command: Put) -> None:
    command(script)
    process = JobProcess(JOB, tmp_path, {})
    outcome = ended(process)
    assert outcome.state == "failed"
    assert re.search(says, outcome.reason), outcome.reason
    assert read_scores(tmp_path / JOB.name) is None
    assert not process.alive


def test_only_one_process_works_in_a_folder(tmp_path: Path, command: Put) -> None:
    command(SCORES)
    held = lock(tmp_path / "other")
    assert held is not None
    assert lock(tmp_path / "other") is None
    os.close(held)
    first, second = JobProcess(JOB, tmp_path, {}), JobProcess(JOB, tmp_path, {})
    assert second.poll() == Outcome("locked")
    assert ended(first) == Outcome("done")
    assert ended(JobProcess(JOB, tmp_path, {})) == Outcome("done")


def test_training_that_outlives_its_starter_still_holds_the_folder(tmp_path: Path, command: Put) -> None:
    """As after kill -9 of ``reproduce``: nobody may train there until the orphan has ended."""
    command("time.sleep(60)")
    first = JobProcess(JOB, tmp_path, {})
    assert first.poll() is None
    assert first.lock is not None
    os.close(first.lock)  # what the system does to a process that is killed
    first.lock = None
    assert JobProcess(JOB, tmp_path, {}).poll() == Outcome("locked")
    first.stop()
    command(SCORES)
    assert ended(JobProcess(JOB, tmp_path, {})) == Outcome("done")


def test_stopping_ends_the_process(tmp_path: Path, command: Put) -> None:
    command("time.sleep(60)")
    running = JobProcess(JOB, tmp_path, {})
    assert running.poll() is None
    process = running.process
    assert process is not None
    running.stop()
    assert process.poll() is not None
    assert not running.alive


def test_every_gpu_gets_one_job_and_a_core_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = [Job("lstm", "state", "4-3", seed, 6) for seed in range(5)]
    monkeypatch.setattr(jobs, "gpus", lambda: ["0", "3"])
    engine = Local()
    assert engine.slots == 2
    started = [engine.start(job, tmp_path, False) for job in several[:3]]
    assert [process.devices["CUDA_VISIBLE_DEVICES"] for process in started] == ["0", "3", "0"]
    started[1].stop()
    started.append(engine.start(several[3], tmp_path, False))
    assert started[-1].devices["CUDA_VISIBLE_DEVICES"] == "3"
    monkeypatch.setattr(jobs, "gpus", list)
    started.append(Local(1).start(several[4], tmp_path, False))
    assert started[-1].devices["OMP_NUM_THREADS"] == "1"
    assert Local().slots == jobs.cores()
    for process in started:
        process.stop()


def test_damaged_scores_are_refused_with_what_to_do(tmp_path: Path) -> None:
    assert read_scores(tmp_path) is None
    for text in ("", "{", "[1]", '{"nll": 1}'):
        (tmp_path / "scores.json").write_text(text)
        with pytest.raises(ValueError, match=r"scores\.json is damaged; delete it"):
            read_scores(tmp_path)
    with pytest.raises(ValueError, match="printed no scores"):
        write_scores(tmp_path, b"[]")


def test_progress_is_read_from_the_last_whole_line(tmp_path: Path) -> None:
    assert reached(tmp_path, 2) == (0, 0.0)
    records = [{"update": update, "stage": 2, "seconds": update / 2} for update in range(1, 900)]
    text = "\n".join(json.dumps(record) for record in records)
    (tmp_path / "metrics.jsonl").write_text(text + '\n{"update": 900, "sta')
    assert reached(tmp_path, 2) == (899, 449.5)
    assert reached(tmp_path, 1) == (0, 0.0)

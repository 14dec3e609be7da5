"""A plan carried out: order, failures, kills at any moment, images, publishing."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from hri.__main__ import main
from hri.experiments import reproduce as carrying
from hri.experiments.jobs import Outcome, read_scores, write_scores
from hri.experiments.plan import PLANS, Group, Job, Plan
from hri.experiments.reproduce import Status, keep, reproduce
from hri.experiments.reproduce_publish import publish_plan, take_published
from hri.model import checkpoint
from hri.model.checkpoint import read_header

ROOT = Path(__file__).parents[2]
TWO_SEEDS = Plan("two", "", (Group(("hri", "lstm")), Group(("lstm",), seeds=(1,))))


# Order and failures, with jobs that take no time


class Pretended:
    """An engine whose jobs end as told after a few looks."""

    def __init__(self, slots: int = 2, **outcomes: list[Outcome]):
        self.slots, self.outcomes = slots, outcomes
        self.started: list[str] = []
        self.running: set[str] = set()
        self.most = 0

    def start(self, job: Job, folder: Path, again: bool) -> PretendedJob:
        self.started.append(job.name)
        self.running.add(job.name)
        self.most = max(self.most, len(self.running))
        ends = self.outcomes.get(job.model, [])
        return PretendedJob(self, job.name, ends.pop(0) if ends else Outcome("done"))

    def close(self) -> None: ...


class PretendedJob:
    def __init__(self, engine: Pretended, name: str, outcome: Outcome):
        self.engine, self.name, self.outcome, self.looks = engine, name, outcome, 0
        self.stopped = False

    def poll(self) -> Outcome | None:
        self.looks += 1
        if self.looks < 3:
            return None
        self.engine.running.discard(self.name)
        return self.outcome

    def stop(self) -> None:
        self.engine.running.discard(self.name)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between looks, and no results of jobs that were only pretended."""
    monkeypatch.setattr(carrying, "LOOK", 0.0)
    monkeypatch.setattr(carrying, "RETRY", 0.0)
    monkeypatch.setattr(carrying, "keep", lambda plan, folder: {})


def last(events: Iterator[list[Status]]) -> dict[str, tuple[str, str]]:
    for statuses in events:  # noqa: B007 - the last ones are wanted
        pass
    return {status.job.name: (status.state, status.reason) for status in statuses}


@pytest.mark.usefixtures("at_once")
def test_seed_0_of_every_model_comes_first_and_slots_are_kept(tmp_path: Path) -> None:
    engine = Pretended(slots=2)
    states = last(reproduce(TWO_SEEDS, tmp_path, engine))
    assert engine.started == [f"springs-4-3-state-{name}" for name in ("hri-seed0", "lstm-seed0", "lstm-seed1")]
    assert engine.most == 2
    assert {state for state, _ in states.values()} == {"done"}


@pytest.mark.usefixtures("at_once")
def test_a_failed_job_takes_along_only_those_that_need_it(tmp_path: Path) -> None:
    images = dataclasses.replace(PLANS["images"], groups=(*PLANS["images"].groups[:1], Group(("fcmp",))))
    engine = Pretended(**{"hri-h": [Outcome("failed", "no reason")]})
    states = last(reproduce(images, tmp_path, engine))
    assert states["springs-4-3-slot-stage1-seed0"] == ("failed", "no reason")
    assert states["springs-4-3-slot-lstm-seed0"] == (
        "failed",
        "it needs springs-4-3-slot-stage1-seed0, which failed",
    )
    assert states["springs-4-3-state-fcmp-seed0"] == ("done", "")
    assert len(engine.started) == 2


@pytest.mark.usefixtures("at_once")
def test_a_job_that_another_process_trains_is_tried_again(tmp_path: Path) -> None:
    engine = Pretended(hri=[Outcome("locked"), Outcome("locked")])
    seen = [
        {status.job.model: status.state for status in statuses} for statuses in reproduce(TWO_SEEDS, tmp_path, engine)
    ]
    assert "elsewhere" in [states["hri"] for states in seen]
    assert set(seen[-1].values()) == {"done"}
    assert engine.started.count("springs-4-3-state-hri-seed0") == 3


@pytest.mark.usefixtures("at_once")
def test_closing_stops_the_running_jobs(tmp_path: Path) -> None:
    engine = Pretended()
    events = reproduce(TWO_SEEDS, tmp_path, engine)
    next(events)
    assert engine.running
    events.close()
    assert not engine.running


@pytest.mark.usefixtures("at_once")
def test_what_has_scores_is_left_alone_unless_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "springs-4-3-state-lstm-seed0"
    place.mkdir()
    write_scores(place, b'{"nll": 1, "parameters": 1}')
    engine = Pretended()
    assert last(reproduce(TWO_SEEDS, tmp_path, engine))[place.name] == ("done", "")
    assert place.name not in engine.started
    last(reproduce(TWO_SEEDS, tmp_path, engine, rescore=True))
    assert engine.started.count(place.name) == 1


@pytest.mark.usefixtures("at_once")
def test_a_place_that_cannot_be_made_fails_one_job(tmp_path: Path) -> None:
    engine = Pretended()
    start = engine.start

    def blocked(job: Job, folder: Path, again: bool) -> PretendedJob:
        if job.model == "hri":
            raise FileExistsError(errno.EEXIST, "File exists", "hri-seed0")
        return start(job, folder, again)

    engine.start = blocked  # type: ignore[method-assign]
    states = last(reproduce(TWO_SEEDS, tmp_path, engine))
    assert states["springs-4-3-state-hri-seed0"] == (
        "failed",
        "File exists (hri-seed0); choose another file or folder",
    )
    assert states["springs-4-3-state-lstm-seed1"] == ("done", "")


# The real command


def without_clock(value: Any) -> Any:
    """The same without what depends on when and how fast it ran."""
    if isinstance(value, dict):
        clock = ("seconds", "hours", "seconds_per_update")
        return {name: without_clock(item) for name, item in value.items() if name not in clock}
    return [without_clock(item) for item in value] if isinstance(value, list) else value


def process(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hri", "reproduce", "--plan", "quick", "--folder", "quick", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finished(running: subprocess.Popen[str]) -> tuple[str, str]:
    """What it said, when it has ended; it does not outlive a test."""
    try:
        return running.communicate(timeout=550)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        raise


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of a quick plan that nothing came in the way of, and what the command prints of it."""
    folder = tmp_path_factory.mktemp("undisturbed") / "quick"
    answers = io.StringIO()
    with contextlib.redirect_stdout(answers):
        for job in PLANS["quick"].jobs(folder):
            train, evaluate = job.commands(folder)
            assert main(train) == 0
            answers.truncate(answers.seek(0))
            assert main(evaluate) == 0
            write_scores(folder / job.name, answers.getvalue().encode())
        answers.truncate(answers.seek(0))
        assert main(["reproduce", "--plan", "quick", "--folder", str(folder), "--json"]) == 0
    return folder, json.loads(answers.getvalue())


def test_a_plan_ends_with_a_table_and_is_not_done_twice(
    undisturbed: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, found = undisturbed
    monkeypatch.chdir(folder.parent)
    assert found == json.loads((folder / "results.json").read_text())
    assert [(row["model"], row["n"]) for row in found["summary"]] == [("lstm", 2), ("hri-h", 1), ("hri-gt", 1)]
    assert (found["updates"], found["batch"], found["train_systems"], found["test_systems"]) == (6, 4, 16, 4)
    assert found["command"] == "python -m hri reproduce --plan quick --updates 6"
    assert found["unfinished"] == []
    assert all(row["paper_score"] > 0 for row in found["summary"])
    for job in PLANS["quick"].jobs(folder):
        assert read_header(folder / job.name / "best.safetensors").config == job.config
        assert len((folder / job.name / "metrics.jsonl").read_text().splitlines()) == 6

    logs = {path: path.read_text() for path in folder.glob("*/log.txt")}
    assert main(["reproduce", "--plan", "quick", "--folder", "quick"]) == 0
    told = capsys.readouterr()
    assert "lstm" in told.out
    assert "±" in told.out
    assert "4 runs done, 0 not" in told.out
    assert told.err == ""
    assert {path: path.read_text() for path in folder.glob("*/log.txt")} == logs
    assert main(["reproduce", "--plan", "quick", "--folder", "quick", "--dry-run", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [job["state"] for job in listed["jobs"]] == ["done"] * 4
    assert listed["hours"] == 0


def test_evaluate_repeats_the_numbers_of_the_table(
    undisturbed: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, found = undisturbed
    best = folder / "springs-4-3-state-hri-h-seed0" / "best.safetensors"
    assert main(["evaluate", "--checkpoint", str(best), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    (run,) = (run for run in found["runs"] if run["model"] == "hri-h")
    assert again["nll"] == pytest.approx(run["scores"]["nll"], rel=1e-5)


def test_published_runs_are_not_trained_again(undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, found = undisturbed
    checkpoints, plan = tmp_path / "checkpoints", PLANS["quick"]
    copy = tmp_path / "quick"
    shutil.copytree(folder, copy)
    names = publish_plan(plan, copy, checkpoints, tmp_path / "stored", tmp_path / "tables")
    assert names == [f"springs-4-3-state-{end}" for end in ("lstm", "hri-h", "hri-gt", "lstm-seed1")]
    assert len(list((tmp_path / "stored").glob("*.npz"))) == 3, "scenes are stored for seed 0"

    other = checkpoints / "springs-4-3-state-hri-gt.safetensors"
    loaded = checkpoint.load(other)
    header = dataclasses.replace(loaded.header, seed=7, config=plan.jobs(copy)[0].config)
    checkpoint.save(other, loaded.model, header)
    fresh = tmp_path / "fresh"
    taken = take_published(plan, fresh, checkpoints)
    assert taken == [job.name for job in plan.jobs(fresh) if job.model != "hri-gt"], "another configuration is no match"
    again = keep(plan, fresh)
    assert again["unfinished"] == ["springs-4-3-state-hri-gt-seed0"]
    assert [run["checkpoint"] for run in again["runs"]] == [name for name in names if not name.endswith("gt")]
    for run in again["runs"]:
        (before,) = (row for row in found["runs"] if (row["model"], row["seed"]) == (run["model"], run["seed"]))
        assert run["scores"]["nll"] == pytest.approx(before["scores"]["nll"], rel=1e-5)
        assert (run["updates"], run["best_update"]) == (before["updates"], before["best_update"])
    assert take_published(plan, fresh, checkpoints) == []


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_table(
    undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Kill -9 of all processes, of the command alone (its trainings go on), of a training alone; then two at once."""
    random = np.random.default_rng(1)

    def written() -> int:
        return sum(path.stat().st_size for path in tmp_path.glob("quick/*/metrics.jsonl"))

    for victim in ("all", "command", "training"):
        running, before = process(tmp_path), written()
        deadline = time.monotonic() + 120
        while running.poll() is None and written() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(float(random.uniform(0, 1.5)))
        trainings = psutil.Process(running.pid).children() if running.poll() is None else []
        if victim == "training" and trainings:
            trainings[0].send_signal(signal.SIGKILL)
            finished(running)  # the others go on
        elif victim == "command":
            running.kill()
        elif running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)

    both = [process(tmp_path, "--json") for _ in range(2)]
    for running in both:
        out, err = finished(running)
        assert running.returncode == 0, err
    assert without_clock(json.loads(out)) == without_clock(undisturbed[1])
    stored = json.loads((tmp_path / "quick" / "results.json").read_text())
    assert without_clock(stored) == without_clock(undisturbed[1])
    for job in PLANS["quick"].jobs(tmp_path / "quick"):
        lines = (tmp_path / "quick" / job.name / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["update"] for line in lines] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_ctrl_c_stops_everything_with_one_line(tmp_path: Path) -> None:
    with process(tmp_path, "--updates", "5000", "--jobs", "1") as running:
        try:
            deadline = time.monotonic() + 120
            while not list(tmp_path.glob("quick/*/metrics.jsonl")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            children = psutil.Process(running.pid).children(recursive=True)
            running.send_signal(signal.SIGTERM)  # to the command alone: it must end its training itself
            _, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert err.splitlines()[-1] == "hri: stopped; go on with the same command"
    assert children
    assert not any(child.is_running() for child in children)


@pytest.mark.slow
def test_ray_runs_the_same_jobs_to_the_same_table(undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray to test --engine ray")
    with process(tmp_path, "--engine", "ray", "--jobs", "2", "--json") as running:
        out, err = finished(running)
    assert running.returncode == 0, err
    assert without_clock(json.loads(out)) == without_clock(undisturbed[1])


def test_without_ray_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["reproduce", "--plan", "quick", "--folder", str(tmp_path), "--engine", "ray"]) == 1
    assert capsys.readouterr().err == "hri: --engine ray needs the package Ray; install it with `pip install ray`\n"


# Images and publishing


def in_this_process(plan: Plan, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every job by its own commands, without starting a process for each."""
    for job in plan.jobs(folder):
        train, evaluate = job.commands(folder)
        assert main(train) == 0
        capsys.readouterr()
        assert main(evaluate) == 0
        write_scores(folder / job.name, capsys.readouterr().out.encode())


@pytest.mark.slow
def test_models_of_images_are_timed_trained_and_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = {"data.train": 4, "data.validation": 1, "data.test": 1, "train.batch": 2, "train.frames_decoded": 1}
    tiny |= {"train.stage1_updates": 2, "train.stage1_batch": 2, "train.precision": "no"}
    tiny |= {"model.vision.encoder_channels": 8, "model.vision.decoder_channels": 8}
    plan = Plan("tiny", "", (Group(("lstm", "fcmp"), seen="slot"),), updates=2, settings=tuple(tiny.items()))
    folder = tmp_path / "runs"

    counted: list[int] = []
    listed = carrying.survey(plan, folder, 2, counted.append)
    assert counted == [1, 2, 3]
    assert [(job["updates"], job["state"]) for job in listed["jobs"]] == [(2, "to do")] * 3
    assert all(job["seconds_per_update"] > 0 for job in listed["jobs"])
    assert not folder.exists()

    in_this_process(plan, folder, capsys)
    names = publish_plan(plan, folder, tmp_path / "checkpoints", tmp_path / "stored", tmp_path / "tables")
    assert names == ["springs-4-3-slot-lstm", "springs-4-3-slot-fcmp"]
    found = json.loads((tmp_path / "tables" / "tiny.json").read_text())
    assert (tmp_path / "tables" / "tiny.csv").exists()
    assert [(run["checkpoint"], run["seen"], run["updates"]) for run in found["runs"]] == [
        ("springs-4-3-slot-lstm", "slot", 2),
        ("springs-4-3-slot-fcmp", "slot", 2),
    ]
    for run in found["runs"]:
        header = read_header(tmp_path / "checkpoints" / f"{run['checkpoint']}.safetensors")
        assert header.steps == {"stage1": 2, "stage2": run["best_update"]}
        lines = header.command.splitlines()
        assert [line.split(" --run ")[1].split()[0] for line in lines] == [
            "runs/springs-4-3-slot-stage1-seed0",
            f"runs/{run['preset']}-seed0",
        ]
        assert str(tmp_path) not in header.command
        assert header.metrics["test"]["nll"] == pytest.approx(run["scores"]["nll"], rel=1e-5)
        assert run["scores"]["reconstruction_mse"] > 0
    first, second = (read_scores(folder / f"springs-4-3-slot-{name}-seed0") for name in ("lstm", "fcmp"))
    assert first is not None
    assert second is not None
    assert first["reconstruction_mse"] == second["reconstruction_mse"]  # one encoder and decoder for both


# Mistakes


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--plan stats", "unknown plan 'stats'; choose from states, states-3-3, states-long, images, motion, quick"),
        ("", "--plan must be given"),
        ("--plan states --updates 0", "--updates is 0"),
        ("--plan states --jobs 0", "--jobs is 0"),
        ("--plan states --vision-from-slot x", "trains no slot models"),
        ("--plan images --vision-from-slot none.safetensors", "there is no file none.safetensors"),
        ("--plan quick --publish", "trains too little to be published"),
        ("--plan quick --ray-address auto", "--ray-address is for --engine ray"),
        ("--plan quick --folder file", "file"),
        ("--plan quick --folder file/inside", "file/inside"),
        ("--plan quick --folder other", 'other holds a plan with plan = "states", and "quick" was asked for'),
        ("--plan quick --folder mine --updates 7", "mine holds a plan with updates = 6, and 7 was asked for"),
        ("--plan quick --folder mine --dry-run --updates 7", "mine holds a plan with updates = 6"),
        ("--plan quick --folder broken", "broken/plan.json is damaged"),
        ("--plan quick --folder mine", "scores.json is damaged; delete it"),
    ],
)
def test_a_mistake_is_answered_with_one_line(
    words: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    for name, text in (
        ("other", json.dumps(PLANS["states"].fixed())),
        ("mine", json.dumps(PLANS["quick"].fixed())),
        ("broken", "{"),
    ):
        Path(name).mkdir()
        Path(name, "plan.json").write_text(text)
    Path("mine/springs-4-3-state-lstm-seed0").mkdir()
    Path("mine/springs-4-3-state-lstm-seed0/scores.json").write_text('{"nll": 1')
    before = sorted(Path().rglob("*"))
    assert main(["reproduce", *words.split()]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("hri: ")
    assert told.err.count("\n") == 1
    assert says in told.err
    assert sorted(Path().rglob("*")) == before


def test_a_checkpoint_with_another_decoder_is_refused(
    undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = undisturbed[0] / "springs-4-3-state-lstm-seed0" / "best.safetensors"
    words = ["reproduce", "--plan", "images", "--folder", str(tmp_path), "--vision-from-par", str(best)]
    assert main(words) == 1
    assert "has no encoder and decoder; --vision-from-par needs one with the decoder par" in capsys.readouterr().err


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the disk full for files of this name."""
    replace = os.replace

    def fill(name: str) -> None:
        def full(source: object, target: Path) -> None:
            if Path(target).name == name:
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
            replace(source, target)  # type: ignore[arg-type]

        monkeypatch.setattr("hri.core.files.os.replace", full)

    return fill


@pytest.mark.parametrize("name", ["plan.json", "results.json"])
def test_a_full_disk_is_one_line(
    name: str, tmp_path: Path, full_disk: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    full_disk(name)
    assert main(["reproduce", "--plan", "quick", "--folder", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.err.splitlines()[-1].startswith("hri: the disk is full")
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.usefixtures("at_once")
def test_a_failure_ends_with_the_table_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(
        "hri.experiments.processes.COMMAND", (sys.executable, "-S", "-c", "import sys; sys.exit('hri: too hot')")
    )
    assert main(["reproduce", "--plan", "quick", "--folder", str(tmp_path), "--json"]) == 1
    told = capsys.readouterr()
    assert len(json.loads(told.out)["unfinished"]) == 4
    assert "hri: springs-4-3-state-hri-h-seed0 failed: too hot\n" in told.err
    assert told.err.splitlines()[-1] == "hri: 4 of 4 runs failed; the same command tries them again"

"""A plan carried out: which job starts next and where, what each has come to, results after every one of them."""

from __future__ import annotations

import errno
import json
import os
import shlex
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hri.core.errors import sentence
from hri.core.files import lock, replacing
from hri.core.places import ROOT
from hri.experiments import results
from hri.experiments.jobs import Engine, Handle, reached, read_scores
from hri.experiments.plan import Job, Plan
from hri.model.checkpoint import read_header
from hri.training.estimate import seconds_per_update

LOOK = 0.2
"""Seconds between two looks at the running jobs."""
RETRY = 2.0
"""Seconds until a job that another process holds is tried again."""


@dataclass(frozen=True)
class Status:
    """Where one job stands."""

    job: Job
    state: Literal["waiting", "running", "elsewhere", "done", "failed"] = "waiting"
    """"elsewhere": another process is at it."""
    reason: str = ""
    """Of a failure, one sentence."""

    @property
    def open(self) -> bool:
        return self.state not in ("done", "failed")


def reproduce(plan: Plan, folder: Path, engine: Engine, rescore: bool = False) -> Generator[list[Status]]:
    """Train and score every job of a plan that is not done yet, several at once; yields all of them several times a
    second. Results are written after each finished job. Whoever closes the generator stops the running jobs.

    Args:
        folder: of the plan; each job has its own in it.
        rescore: score finished trainings anew.

    Raises:
        ValueError: the folder holds another plan, or something in it is damaged.
        OSError: the folder cannot be written or the disk is full.
    """
    claim(plan, folder)
    jobs = plan.jobs(folder)
    scored = {job.name for job in jobs if read_scores(folder / job.name) is not None}
    fresh = set() if rescore else scored
    statuses = {job.name: Status(job, "done" if job.name in fresh else "waiting") for job in jobs}
    running: dict[str, Handle] = {}
    retry = dict.fromkeys(statuses, 0.0)
    keep(plan, folder)
    try:
        while True:
            for status in list(statuses.values()):
                job = status.job
                if status.state not in ("waiting", "elsewhere") or len(running) >= engine.slots:
                    continue
                before = statuses.get(job.after)
                if before is not None and before.state == "failed":
                    statuses[job.name] = replace(status, state="failed", reason=f"it needs {job.after}, which failed")
                elif (before is None or before.state == "done") and time.monotonic() >= retry[job.name]:
                    try:
                        running[job.name] = engine.start(job, folder, rescore)
                        statuses[job.name] = replace(status, state="running")
                    except OSError as error:
                        statuses[job.name] = replace(status, state="failed", reason=sentence(error) or str(error))
            for name, handle in list(running.items()):
                if (outcome := handle.poll()) is not None:
                    del running[name]
                    state = "elsewhere" if outcome.state == "locked" else outcome.state
                    statuses[name] = replace(statuses[name], state=state, reason=outcome.reason)
                    retry[name] = time.monotonic() + RETRY
                    if state == "done":
                        keep(plan, folder)
            yield list(statuses.values())
            if not any(status.open for status in statuses.values()):
                return
            time.sleep(LOOK)
    finally:
        for handle in running.values():
            handle.stop()


def claim(plan: Plan, folder: Path) -> None:
    """Make the folder this plan's, or see that it is.

    Raises:
        ValueError: it holds another plan or the same with other settings; the sentence says what differs.
        OSError: it cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "the folder may not be written", str(folder))
    path, facts = folder / "plan.json", plan.fixed()
    if not path.exists():
        with replacing(path) as file:
            file.write(json.dumps(facts, indent=1).encode())
        return
    try:
        stored_facts = json.loads(path.read_bytes())
    except ValueError:
        stored_facts = None
    if not isinstance(stored_facts, dict):
        raise ValueError(f"{path} is damaged; put it back, or choose another folder")
    for name, value in facts.items():
        if stored_facts.get(name) != value:
            values = [json.dumps(item) for item in (stored_facts.get(name), value)]
            raise ValueError(
                f"{folder} holds a plan with {name} = {values[0]}, and {values[1]} was asked for; "
                "choose another folder, or ask for the same"
            )


def keep(plan: Plan, folder: Path) -> dict[str, Any]:
    """Write results.json and results.csv from what the jobs' folders hold; returns the results.

    Raises:
        ValueError: scores or a checkpoint are damaged.
        OSError: the folder cannot be written or the disk is full.
    """
    scores = results.collect(plan, folder, command(plan))
    results.write(scores, folder / "results.json")
    return scores


def command(plan: Plan) -> str:
    """What makes the same table anywhere."""
    words = ["python", "-m", "hri", "reproduce", "--plan", plan.name, "--updates", str(plan.updates)]
    if (stage1 := dict(plan.settings).get("train.stage1_updates")) is not None:
        words += ["--stage1-updates", str(stage1)]
    for seen, checkpoint in plan.vision:
        words += [f"--vision-from-{seen}", _anywhere(checkpoint)]
    return shlex.join(words)


def _anywhere(path: str) -> str:
    """A path without what belongs to this machine."""
    place = Path(path)
    if not place.is_absolute():
        return path
    return str(place.relative_to(ROOT)) if place.is_relative_to(ROOT) else place.name


def check_vision(plan: Plan) -> None:
    """See that each checkpoint whose encoder and decoder are to be taken has the right ones.

    Raises:
        ValueError: it cannot be read, or sees something else.
    """
    for seen, checkpoint in plan.vision:
        model = read_header(checkpoint).config.model
        if model.seen != seen:
            has = f"the decoder {model.seen}" if model.sees_frames else "no encoder and decoder"
            raise ValueError(f"{checkpoint} has {has}; --vision-from-{seen} needs one with the decoder {seen}")


def survey(plan: Plan, folder: Path, slots: int, progress: Callable[[int], object] | None = None) -> dict[str, Any]:
    """The jobs with what is done and an estimate of what is left, from a few timed updates of each model.

    Nothing is written. Each model is timed alone; hours are of training only, as if every slot had a core or GPU
    to itself.

    Args:
        slots: jobs at once.
        progress: hears how many models have been timed.

    Raises:
        ValueError: the folder holds another plan, or something in it is damaged.
    """
    if (folder / "plan.json").exists():
        claim(plan, folder)
    jobs, seconds = plan.jobs(folder), dict[tuple[str, int], float]()
    listed: list[dict[str, Any]] = []
    for job in jobs:
        kind, (done, took) = (job.preset, job.stage), reached(folder / job.name, job.stage)
        left = job.counted - done
        if left and kind not in seconds:
            seconds[kind] = seconds_per_update(job.config, job.stage)
            if progress:
                progress(len(seconds))
        pace = seconds[kind] if left else took / job.counted
        listed.append(
            {
                "name": job.name,
                "state": _state(folder / job.name, done),
                "update": done,
                "updates": job.counted,
                "seconds_per_update": round(pace, 4),
                "hours": round(left * pace / 3600, 3),
            }
        )
    hours = [job["hours"] for job in listed]
    return {
        "plan": plan.name,
        "folder": str(folder),
        "at_once": slots,
        "hours": round(max(sum(hours) / slots, *hours), 3),
        "jobs": listed,
    }


def _state(place: Path, done: int) -> str:
    """In a word, without starting anything."""
    if read_scores(place) is not None:
        return "done"
    if (place / "lock").exists():
        if (held := lock(place / "lock")) is None:
            return "running"
        os.close(held)
    return "begun" if done else "to do"

"""Runs of a plan to ``checkpoints/``, and from there back to a folder on another machine."""

from __future__ import annotations

import json
from pathlib import Path

from hri.core.files import replacing
from hri.experiments import results
from hri.experiments.jobs import read_scores, write_scores
from hri.experiments.plan import Job, Plan
from hri.experiments.publish import publish
from hri.experiments.reproduce import claim, keep
from hri.model.checkpoint import read_header


def published_name(plan: Plan, job: Job) -> str:
    """What a job's best checkpoint is called among the project's."""
    name = job.preset + (plan.suffix if job.model in plan.longer else "")
    return name if job.seed == 0 else f"{name}-seed{job.seed}"


def publish_plan(plan: Plan, folder: Path, checkpoints: Path, stored: Path, tables: Path) -> list[str]:
    """Put the best checkpoint of each run among the project's, and the results where a page finds them.

    Args:
        checkpoints: folder of the checkpoints and their cards.
        stored: folder of stored rollouts, which only each model's seed 0 gets.
        tables: folder of results; this plan's go to NAME.json and NAME.csv.

    Returns:
        The names of the checkpoints.

    Raises:
        ValueError: a checkpoint cannot be read.
        OSError: a folder cannot be written or the disk is full.
    """
    names = []
    for job in plan.jobs(folder):
        place = folder / job.name
        if job.stage == 2 and (scores := read_scores(place)) is not None:
            name = published_name(plan, job)
            publish(place / "best.safetensors", name, checkpoints, stored if job.seed == 0 else None, scores=scores)
            with replacing(place / "published") as file:
                file.write(name.encode())
            names.append(name)
    tables.mkdir(parents=True, exist_ok=True)
    results.write(keep(plan, folder), tables / f"{plan.name}.json")
    return names


def take_published(plan: Plan, folder: Path, checkpoints: Path) -> list[str]:
    """Make published checkpoints count as this folder's runs where they are exactly what would be trained.

    A published checkpoint holds the whole configuration, which must equal the job's, and the scores of its test.

    Returns:
        Names of the jobs that are done by this.

    Raises:
        ValueError: the folder holds another plan, or a checkpoint cannot be read.
        OSError: the folder cannot be written or the disk is full.
    """
    claim(plan, folder)
    names = []
    for job in plan.jobs(folder):
        place, source = folder / job.name, checkpoints / f"{published_name(plan, job)}.safetensors"
        if job.stage != 2 or (place / "config.json").exists() or read_scores(place) is not None or not source.exists():
            continue
        header = read_header(source)
        scores = header.metrics.get("test")
        if header.config != job.config or not scores:
            continue
        place.mkdir(exist_ok=True)
        clock = {"update": job.updates, "stage": 2, "seconds": round(3600 * header.hours["stage2"], 3)}
        for name, content in (
            ("best.safetensors", source.read_bytes()),
            ("metrics.jsonl", f"{json.dumps(clock)}\n".encode()),
            ("published", published_name(plan, job).encode()),
        ):
            with replacing(place / name) as file:
                file.write(content)
        write_scores(place, json.dumps(scores).encode())
        names.append(job.name)
    return names

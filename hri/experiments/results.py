"""The jobs of a plan to one table: a row a run, and mean, spread and number over the seeds of each model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from hri.core.files import replacing
from hri.experiments.jobs import reached, read_scores
from hri.experiments.plan import Job, Plan
from hri.model.checkpoint import read_header
from hri.scores.metrics import relative_score

_NOT_SCORES = {"seconds", "systems", "free_steps"}
_PLACE = ("model", "seen", "tree")
_FACTS = (
    *(*_PLACE, "seed", "preset", "checkpoint", "updates", "best_update"),
    *("hours", "seconds_per_update", "paper_score"),
)


def collect(plan: Plan, folder: Path, command: str) -> dict[str, Any]:
    """What the finished jobs in a folder have come to, as plain JSON types.

    | key                         | meaning                                                                     |
    |-----------------------------|-----------------------------------------------------------------------------|
    | plan, updates, batch        | the plan, updates of stage 2 and sequences an update                        |
    | train_systems, test_systems | how many; test systems as the scores say, null before there are any         |
    | command, commit, versions   | the command that makes this table; what the runs were trained with          |
    | runs                        | a row a finished run: model, seen, tree, seed, preset, checkpoint (its name |
    |                             | among the published ones, or null), updates, best_update, hours and         |
    |                             | seconds_per_update (wall clock of stage 2 with its validations), device,    |
    |                             | commit, parameters, paper_score, scores (what ``evaluate`` returns)         |
    | summary                     | model, seen, tree, n, paper_score (its mean), metrics (each scalar score:   |
    |                             | mean, std, min, max), curves (each list of numbers: mean and std a place)   |
    | unfinished                  | names of the jobs that have no scores yet                                   |

    Spread is the sample standard deviation, null for one run.

    Raises:
        ValueError: scores or a checkpoint of a finished job are damaged.
    """
    jobs = plan.jobs(folder)
    predicting = [job for job in jobs if job.stage == 2]
    pairs = [(job, read_scores(folder / job.name)) for job in jobs]
    runs = [_run(job, folder / job.name, scores) for job, scores in pairs if scores is not None and job.stage == 2]
    for run in runs:
        run["paper_score"] = paper_score(run, runs)
    config = predicting[0].config
    headers = [read_header(folder / job.name / "best.safetensors") for job, scores in pairs if scores is not None]
    return {
        "plan": plan.name,
        "updates": plan.updates,
        "batch": config.train.batch,
        "train_systems": config.data.train,
        "test_systems": runs[0]["scores"].get("systems") if runs else None,
        "command": command,
        "commit": ", ".join(dict.fromkeys(header.commit for header in headers)),
        "versions": headers[0].versions if headers else {},
        "runs": runs,
        "summary": [_summary(place, group) for place, group in _groups(runs)],
        "unfinished": [job.name for job, scores in pairs if scores is None],
    }


def paper_score(run: dict[str, Any], runs: Iterable[dict[str, Any]]) -> float | None:
    """NLL(HRI-GT) / NLL(model), the score of the paper's figures: 1 is as good as HRI that knows the true springs.

    Both are test NLLs with 5 free steps; that of HRI-GT is the mean over its runs on the same systems, seen in
    the same way. None where there is no such run or a NLL is not positive.
    """
    nll = run["scores"].get("nll")
    oracles = [
        other["scores"].get("nll")
        for other in runs
        if other["model"] == "hri-gt" and (other["seen"], other["tree"]) == (run["seen"], run["tree"])
    ]
    if not oracles or not all(isinstance(value, int | float) and value > 0 for value in (*oracles, nll)):
        return None
    return relative_score(nll, fmean(oracles))


def _run(job: Job, place: Path, scores: dict[str, Any]) -> dict[str, Any]:
    header = read_header(place / "best.safetensors")
    updates, seconds = reached(place, stage=2)
    published = place / "published"
    return {
        "model": job.model,
        "seen": job.seen,
        "tree": job.tree,
        "seed": job.seed,
        "preset": job.preset,
        "checkpoint": published.read_text() if published.exists() else None,
        "updates": updates,
        "best_update": header.steps.get("stage2", 0),
        "hours": round(seconds / 3600, 4),
        "seconds_per_update": round(seconds / max(1, updates), 4),
        "device": header.device,
        "commit": header.commit,
        "parameters": scores["parameters"],
        "scores": scores,
    }


def _groups(runs: list[dict[str, Any]]) -> list[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """Runs that differ by their seed only, in the order of their first."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(tuple(run[name] for name in _PLACE), []).append(run)
    return list(groups.items())


def _summary(place: tuple[str, ...], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """One model over its seeds."""
    numbers: dict[str, list[float]] = {}
    lists: dict[str, list[list[float | None]]] = {}
    for run in runs:
        for name, value in flat(run["scores"]):
            if isinstance(value, list):
                lists.setdefault(name, []).append(value)
            else:
                numbers.setdefault(name, []).append(float(value))
        if run["paper_score"] is not None:
            numbers.setdefault("paper_score", []).append(run["paper_score"])
    metrics = {
        name: {"mean": fmean(values), "std": _spread(values), "min": min(values), "max": max(values)}
        for name, values in numbers.items()
    }
    curves = {}
    for name, values in lists.items():
        columns = [
            [float(value) for value in column if value is not None]
            for column in zip(*values, strict=False)  # as far as all of them go
        ]
        curves[name] = {
            "mean": [fmean(column) if column else None for column in columns],
            "std": [_spread(column) for column in columns],
        }
    score = metrics["paper_score"]["mean"] if "paper_score" in metrics else None
    head = dict(zip(_PLACE, place, strict=True)) | {"n": len(runs), "paper_score": score}
    return head | {"metrics": metrics, "curves": curves}


def flat(scores: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """(name, number or list of numbers and nulls) of every score, nested names joined with dots.

    What :func:`hri.scores.evaluate.evaluate` returns is taken as it comes. ``mse_at_20``, the error 20 steps after the
    last true input, is read off the curve where it is not told.
    """
    for name, value in scores.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        elif (_is_number(value) or _is_curve(value)) and f"{before}{name}" not in _NOT_SCORES:
            yield f"{before}{name}", value
    curve = scores.get("mse_by_step")
    if not before and "mse_at_20" not in scores and isinstance(curve, list) and len(curve) >= 20 and curve[19]:
        yield "mse_at_20", curve[19]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_curve(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item is None or _is_number(item) for item in value)


def _spread(values: list[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def to_csv(results: dict[str, Any]) -> str:
    """One row a run; its scalar scores in columns of their own."""
    rows = [
        {name: run[name] for name in _FACTS}
        | {name: value for name, value in flat(run["scores"]) if not isinstance(value, list)}
        for run in results["runs"]
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or list(_FACTS)
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def write(results: dict[str, Any], path: Path) -> None:
    """The results as JSON at ``path`` and as CSV beside it, each whole at any moment.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    with replacing(path) as file:
        file.write((json.dumps(results, indent=1) + "\n").encode())
    with replacing(path.with_suffix(".csv")) as file:
        file.write(to_csv(results).encode())

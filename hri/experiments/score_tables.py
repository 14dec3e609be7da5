"""Results as columns of tables: models and their scores, relations by level, single runs; all of it as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Container
from typing import Any

from hri.experiments.scoreboard import Entry, PlanResults, Setting, model_label, number
from hri.scores import ceilings
from hri.scores.names import METRICS

OPEN = ":material/play_circle: Open"
"""On the button of a row whose checkpoint Explore can show."""
RUN_COLUMNS: dict[str, tuple[str, str, str]] = {
    "seed": ("Seed", "Of weights, data order and noise.", "%d"),
    "updates": ("Updates", "Training updates of stage 2.", "%,d"),
    "hours": ("Hours", "Wall-clock hours of training.", "%.2f"),
    "seconds_per_update": ("s / update", "Seconds an update, on the machine it ran on.", "%.2f"),
    "parameters": ("Parameters", "Numbers that training adjusts.", "%,d"),
    "paper_score": (METRICS["paper_score"].label, METRICS["paper_score"].help, METRICS["paper_score"].table),
}
"""Label, meaning and format of what is told of single runs."""


def relations(entries: list[Entry]) -> dict[str, list[Any]]:
    """Columns of the table of relations by level, in words: accuracy and AUROC of each level pair, springs that matter.

    Only models that infer edges have a row; a level whose pairs are all alike has no column.
    """

    def value(entry: Entry, name: str) -> float | None:
        return entry.metrics[name].mean if name in entry.metrics else None

    rows = [entry for entry in entries if "edges.burn_in.overall.accuracy" in entry.metrics]
    names = [name.split(".")[2] for entry in rows for name in entry.metrics if name.startswith("edges.burn_in.")]
    levels = [name for name in dict.fromkeys(names) if name not in ("overall", "possible", "unrelated")]
    columns: dict[str, list[Any]] = {"model": [entry.label for entry in rows]}
    for level in levels:
        for metric in ("accuracy", "auroc"):
            texts = []
            for entry in rows:
                accuracy, springs = (value(entry, f"edges.burn_in.{level}.{name}") for name in (metric, "springs"))
                mixed = accuracy is not None and springs is not None and 0 < springs < 1
                most, least = (
                    value(entry, f"ceiling.burn_in.{level}.{metric}"),
                    ceilings.guess({"springs": springs}, metric),
                )
                texts.append(ceilings.in_words(accuracy, most, least) if mixed else None)
            if any(texts):
                columns[f"{level}, {ceilings.metric_word(metric)}"] = texts
    for kind, words in (("matters", "springs that matter, found"), ("does_not_matter", "springs that do not, found")):
        shares = [value(entry, f"edges.burn_in.possible.{kind}.recall") for entry in rows]
        if any(share is not None for share in shares):
            columns[words] = [None if share is None else f"{share:.2f}" for share in shares]
    return columns


def table(entries: list[Entry], openable: Container[str]) -> dict[str, list[Any]]:
    """Columns of the table of models: label, :data:`OPEN` where that can be, runs, then each score and its spread.

    A score is a column if any model has it, its spread (``± score``) if any model was repeated.
    """
    columns: dict[str, list[Any]] = {
        "model": [entry.label for entry in entries],
        "open": [OPEN if entry.checkpoint in openable else None for entry in entries],
        "n": [entry.n for entry in entries],
    }
    for name, metric in METRICS.items():
        # The error of slots has no unit that a reader could know.
        spreads = [
            entry.metrics.get(name) if entry.setting.seen == "state" or not metric.of_states else None
            for entry in entries
        ]
        if any(spreads):
            columns[name] = [spread.mean if spread else None for spread in spreads]
        if any(spread and spread.std is not None for spread in spreads):
            columns[f"± {name}"] = [spread.std if spread else None for spread in spreads]
    return columns


def run_table(plan: PlanResults, setting: Setting, openable: Container[str]) -> dict[str, list[Any]]:
    """Columns of the table of single runs."""
    runs = [run for run in plan.runs if (run.get("seen"), run.get("tree")) == (setting.seen, setting.tree)]
    names = [run.get("checkpoint") for run in runs]
    columns: dict[str, list[Any]] = {
        "model": [model_label(str(run.get("model"))) for run in runs],
        "open": [OPEN if isinstance(name, str) and name in openable else None for name in names],
        "checkpoint": [name if isinstance(name, str) else None for name in names],
    }
    return columns | {name: [number(run.get(name)) for run in runs] for name in RUN_COLUMNS}


def to_csv(entries: list[Entry]) -> str:
    """Every score of every row: mean, standard deviation and n, one line a score."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["plan", "seen", "tree", "model", "n", "score", "mean", "std", "checkpoint"])
    for e in entries:
        for name, spread in e.metrics.items():
            writer.writerow(
                [e.plan, e.setting.seen, e.setting.tree, e.model, spread.n, name, spread.mean, spread.std, e.checkpoint]
            )
    return out.getvalue()

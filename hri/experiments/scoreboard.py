"""Results files, ``assets/results/<plan>.json``, as records: what every model scored, over its seeds.

Pure Python: a page that shows tables waits for nothing. The files are written by ``python -m hri reproduce --plan PLAN
--publish``. One that is damaged becomes a sentence in :attr:`Board.problems`, and the others are read all the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from hri.core.decoding import DECODERS
from hri.scores import ceilings
from hri.scores.names import EDGE_METRICS, METRICS, Metric

MAKE = "python -m hri reproduce --plan {} --publish"
"""The command that writes the file of a plan."""
PLANS = ("states", "states-long", "states-3-3", "images", "motion")
"""Plans in reading order; others follow."""
LONG = ("states-long",)
"""Plans whose models trained for long; in all others every model trains for equally many updates."""
SCALING = "scaling.json"
NO_PLANS = (SCALING, ceilings.STORED.name)
"""Files of the folder that are no plan (:mod:`hri.experiments.scaling`, :mod:`hri.scores.ceilings`)."""

MODELS: dict[str, tuple[str, str]] = {
    "lstm": ("LSTM", "One recurrent network over all nodes together; it knows no relations."),
    "lstm-lo": ("LSTM-lo", "LSTM that sees and predicts the leaves only."),
    "nri": ("NRI", "Infers every pair's relation; all messages at once, and they replace the hidden state."),
    "nri-lo": ("NRI-lo", "NRI with relations among leaves only; scored on the leaves."),
    "fcmp": ("FCMP", "NRI without inference: every pair always speaks."),
    "nri-residual": ("NRI + residual", "NRI that adds its messages to the hidden state, as HRI does. The control."),
    "nri-mlp": ("NRI without memory", "NRI's first model: one graph a system, messages of states, no hidden state."),
    "nri-gt": ("NRI-GT", "NRI that is told the true springs."),
    "hri": ("HRI", "Infers every pair's relation; messages go up, across and down the hierarchy."),
    "hri-h": ("HRI-H", "HRI that infers the hierarchy's own edges only."),
    "hri-h-one": ("HRI-H (one state)", "HRI-H whose relations see only the last state instead of ten."),
    "hri-h-published": ("HRI-H (published)", "HRI-H with the published code's window: one state, ten steps old."),
    "hri-mlp": ("HRI without memory", "HRI-H whose nodes remember nothing: messages between states alone."),
    "hri-gt": ("HRI-GT", "HRI that is told the true springs."),
}
"""Label and meaning of each model, in the order of the paper."""
MODELS_IN_WORDS = "\n".join(f"- **{label}**: {meaning}" for label, meaning in MODELS.values())


BODIES_IN_WORDS = {"mocap": "Motion capture", "human36m": "Human3.6M"}
"""Recorded bodies, which stand where springs have their tree."""


class Setting(NamedTuple):
    """What models of one contest see; scores of two settings are not comparable unless said so."""

    seen: str
    """"state", "slot" (frames, SlotDec) or "par" (frames, ParDec)."""
    tree: str
    long: bool = False
    """Of :data:`LONG`: fewer models, trained for long, each for as many updates as its runs say."""

    @property
    def label(self) -> str:
        """Such as "4-3, states, long"."""
        return f"{self._contest}{', long' if self.long else ''}"

    @property
    def _contest(self) -> str:
        system = BODIES_IN_WORDS.get(self.tree, self.tree)
        known = {"state": ("States", "")} | {name: ("Images", f", {spec.label}") for name, spec in DECODERS.items()}
        before, after = known.get(self.seen, (self.seen, ""))
        return f"{before} {system}{after}" if system == self.tree else f"{system}, {before.lower()}{after}"


NLL_IN_WORDS = """
The model predicts all 48 next states of a system: 45 from the true state before, the last 3 from its own predictions
(the paper's "5 free steps"). The negative log-likelihood adds up how wrong it was, in nats, mean over nodes:

NLL = Σ (predicted − true)² / (2 · 0.00005), over 48 steps and 4 numbers (x, y and both velocities)

- **Lower is better**, and it is a squared error in disguise: half the NLL is half the squared error.
- **10,000** stands for a typical error of 0.07 in each number, where the box is 2 wide; **1,000** for 0.02.
- Errors grow where no truth corrects them: *NLL, free steps* is the part of the last four predictions.
- Image models predict slots, whose scale is each encoder's own. Compare those models in pixels instead.
- *Paper's score* is NLL(HRI-GT) / NLL(model): 1 is as good as being told the true springs.
"""
"""How to read the main score."""


@dataclass(frozen=True)
class Spread:
    """One score over the seeds of a model."""

    mean: float
    std: float | None
    """Sample standard deviation; None for a single run."""
    n: int

    def text(self, metric: Metric) -> str:
        """Such as "7,172 ± 210"."""
        around = "" if self.std is None else f" ± {metric.text(self.std)}"
        return f"{metric.text(self.mean)}{around}"


@dataclass(frozen=True)
class Curve:
    """A score by step, over the seeds of a model."""

    mean: tuple[float, ...]
    std: tuple[float, ...] | None


@dataclass(frozen=True)
class Entry:
    """One model in one setting: a row of the table."""

    plan: str
    setting: Setting
    model: str
    n: int
    metrics: dict[str, Spread]
    curves: dict[str, Curve]
    checkpoint: str | None = None
    """The run among the project's checkpoints, if there is one."""
    updates: int | None = None
    """Of stage 2, the same for all runs; None where a file does not say or they differ."""

    @property
    def label(self) -> str:
        return model_label(self.model)


@dataclass(frozen=True)
class PlanResults:
    """One results file, as far as it is about the whole plan."""

    name: str
    path: Path
    about: dict[str, Any] = field(default_factory=dict)
    runs: tuple[dict[str, Any], ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        return str(self.about.get("command") or MAKE.format(self.name))

    def terms(self) -> str:
        """Such as "2,000 updates of 32 sequences, 5,000 training systems, 1,000 unseen ones, commit abc1234"."""
        patterns = {
            "updates": "{:,} updates",
            "batch": "of {:,} sequences",
            "train_systems": "{:,} training systems",
            "test_systems": "{:,} unseen ones",
        }
        phrases = [
            p.format(int(value)) for n, p in patterns.items() if (value := number(self.about.get(n))) is not None
        ]
        commit = self.about.get("commit")
        return ", ".join([*phrases, *([f"commit {commit}"] if isinstance(commit, str) and commit else [])]).replace(
            "updates, of", "updates of"
        )


@dataclass(frozen=True)
class Board:
    """All results there are."""

    plans: tuple[PlanResults, ...] = ()
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    """One sentence for each file that cannot be used."""

    def entry(self, setting: Setting, model: str) -> Entry | None:
        return next((e for e in self.entries if (e.setting, e.model) == (setting, model)), None)

    def of(self, setting: Setting) -> list[Entry]:
        """Models of a setting, in the order of :data:`MODELS`."""
        order = list(MODELS)
        matches = [entry for entry in self.entries if entry.setting == setting]
        return sorted(matches, key=lambda e: order.index(e.model) if e.model in order else len(order))

    @property
    def settings(self) -> list[Setting]:
        """Settings in which any model was run, states first."""
        order = ("state", *DECODERS)
        cases = list(dict.fromkeys(entry.setting for entry in self.entries))
        return sorted(cases, key=lambda s: order.index(s.seen) if s.seen in order else len(order))

    def plan(self, setting: Setting) -> PlanResults:
        """The plan that ran a setting."""
        name = next(entry.plan for entry in self.entries if entry.setting == setting)
        return next(plan for plan in self.plans if plan.name == name)


def model_label(model: str) -> str:
    """A model's name as the paper writes it."""
    return MODELS[model][0] if model in MODELS else model


def read(folder: Path) -> Board:
    """All results files of a folder. Never fails: what cannot be used is told in :attr:`Board.problems`."""
    paths = [path for path in folder.glob("*.json") if path.name not in NO_PLANS] if folder.is_dir() else []
    paths.sort(key=lambda path: (PLANS.index(path.stem) if path.stem in PLANS else len(PLANS), path.stem))
    plans: list[PlanResults] = []
    entries: dict[tuple[Setting, str], Entry] = {}
    problems: list[str] = []
    for path in paths:
        try:
            plan, rows = read_plan(path)
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            problems.append(f"{path.name} cannot be used ({why}); make it again with `{MAKE.format(path.stem)}`.")
            continue
        plans.append(plan)
        for entry in rows:  # the first plan that ran a model in a setting speaks for it
            entries.setdefault((entry.setting, entry.model), entry)
    return Board(tuple(plans), tuple(entries.values()), tuple(problems))


def read_plan(path: Path) -> tuple[PlanResults, list[Entry]]:
    """One results file.

    Raises:
        OSError: it cannot be read.
        ValueError: no JSON, or of another shape; half a sentence.
    """
    values = read_json(path)
    runs, summary = (_list_of_objects(values, name) for name in ("runs", "summary"))
    entries = [_entry(path.stem, row, runs) for row in summary]
    about = {name: value for name, value in values.items() if name not in ("runs", "summary", "unfinished")}
    unfinished = values.get("unfinished")
    names = tuple(map(str, unfinished)) if isinstance(unfinished, list) else ()
    return PlanResults(path.stem, path, about, tuple(runs), names), entries


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: not a JSON object; half a sentence.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("it is damaged or no JSON") from None
    if not isinstance(values, dict):
        raise ValueError("it holds no object")
    return values


def _list_of_objects(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = values.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"its {name} are missing or of another shape")
    return rows


def _entry(plan: str, row: dict[str, Any], runs: list[dict[str, Any]]) -> Entry:
    key = {name: row.get(name) for name in ("model", "seen", "tree")}
    n, metrics, curves = row.get("n"), row.get("metrics"), row.get("curves")
    if not all(isinstance(value, str) for value in key.values()) or not isinstance(n, int) or n < 1:
        raise ValueError("a row of its summary does not say which model it is about, or how many runs")
    if not isinstance(metrics, dict) or not isinstance(curves, dict):
        raise ValueError(f"the summary of {key['model']} has no metrics or no curves")
    own = [run for run in runs if all(run.get(name) == value for name, value in key.items())]
    named = [run["checkpoint"] for run in own if isinstance(run.get("checkpoint"), str)]
    scores = {name: Spread(m, number(v.get("std")), n) for name, v, m in _with_mean(metrics)}
    lines = {name: curve for name, v in curves.items() if (curve := _curve(v))}
    for name, metric in METRICS.items():
        line, step = lines.get(metric.curve), metric.step
        if step and line is not None and len(line.mean) >= step and name not in scores:
            scores[name] = Spread(line.mean[step - 1], line.std[step - 1] if line.std else None, n)
    if springs := scores.get("edges.burn_in.possible.springs"):
        for edge_metric in EDGE_METRICS:
            if (least := ceilings.guess({"springs": springs.mean}, edge_metric)) is not None:
                scores[f"guess.{edge_metric}"] = Spread(least, None, n)
    setting = Setting(str(key["seen"]), str(key["tree"]), plan in LONG)
    lengths = {run.get("updates") for run in own}
    updates = next(iter(lengths)) if len(lengths) == 1 else None
    return Entry(
        plan,
        setting,
        str(key["model"]),
        n,
        scores,
        lines,
        next(iter(named), None),
        updates if isinstance(updates, int) else None,
    )


def _with_mean(metrics: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Scores that exist: (name, value, mean)."""
    for name, value in metrics.items():
        if isinstance(value, dict) and (middle := number(value.get("mean"))) is not None:
            yield name, value, middle


def _curve(value: Any) -> Curve | None:
    def numbers(items: Any) -> tuple[float, ...] | None:
        values = tuple(number(item) for item in items) if isinstance(items, list) else ()
        return tuple(x for x in values if x is not None) if values and None not in values else None

    middle, around = (numbers(value.get(part)) if isinstance(value, dict) else None for part in ("mean", "std"))
    return Curve(middle, around if around and len(around) == len(middle) else None) if middle else None


def number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None


def with_ceilings(board: Board, known: Mapping[str, dict[str, Any] | None]) -> Board:
    """The board with what each model could find, where its results file does not say.

    Args:
        board: of results files.
        known: ceilings (:func:`hri.scores.ceilings.of_header`) by name of checkpoint.
    """

    def completed(entry: Entry) -> Entry:
        groups = (known.get(entry.checkpoint or "") or {}).get("burn_in", {})
        derived = {
            f"ceiling.burn_in.{group}.{metric}": Spread(scores[metric], None, entry.n)
            for group, scores in groups.items()
            for metric in EDGE_METRICS
            if scores.get(metric) is not None
        }
        return replace(entry, metrics=derived | entry.metrics)

    return replace(board, entries=tuple(map(completed, board.entries)))

"""Finished runs to one table: means, spreads, the paper's score, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from hri.experiments import results
from hri.experiments.jobs import write_scores
from hri.experiments.plan import Group, Plan
from hri.model.checkpoint import Header, save
from hri.model.model import Model

PLAN = Plan("two", "", (Group(("hri-gt", "lstm")), Group(("lstm",), seeds=(1, 2))), updates=8)
NLL = {("hri-gt", 0): 10.0, ("lstm", 0): 20.0, ("lstm", 1): 40.0}


def scores(nll: float) -> dict[str, Any]:
    return {
        "checkpoint": "best",
        "systems": 7,
        "nll": nll,
        "mse_by_step": [nll + step for step in range(20)],
        "edges": {"overall": {"f1": nll / 100}, "calibration": [None, nll], "count": [0, 3]},
        "reconstruction_mse": None,
        "reasons": {"reconstruction_mse": "states"},
        "parameters": 5,
        "seconds": 0.5,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three of the plan's four runs are done."""
    torch.manual_seed(0)
    for job in PLAN.jobs(tmp_path):
        if (job.model, job.seed) in NLL:
            place = tmp_path / job.name
            place.mkdir()
            header = Header(job.config, steps={"stage2": 4}, commit="abc", device="CPU", versions={"torch": "2"})
            save(place / "best.safetensors", Model(job.config), header)
            write_scores(place, json.dumps(scores(NLL[job.model, job.seed])).encode())
            (place / "metrics.jsonl").write_text('{"update": 8, "stage": 2, "seconds": 36.0}\n')
    return tmp_path


def test_a_row_a_run_and_a_summary_a_model(folder: Path) -> None:
    found = results.collect(PLAN, folder, "the command")
    assert {name: found[name] for name in ("plan", "updates", "batch", "train_systems", "test_systems")} == {
        "plan": "two",
        "updates": 8,
        "batch": 12,
        "train_systems": 20_000,
        "test_systems": 7,
    }
    assert (found["command"], found["commit"], found["versions"]) == ("the command", "abc", {"torch": "2"})
    assert found["unfinished"] == ["springs-4-3-state-lstm-seed2"]
    assert [(run["model"], run["seed"]) for run in found["runs"]] == [("hri-gt", 0), ("lstm", 0), ("lstm", 1)]
    run = found["runs"][1]
    assert {name: value for name, value in run.items() if name != "scores"} == {
        "model": "lstm",
        "seen": "state",
        "tree": "4-3",
        "seed": 0,
        "preset": "springs-4-3-state-lstm",
        "checkpoint": None,
        "updates": 8,
        "best_update": 4,
        "hours": 0.01,
        "seconds_per_update": 4.5,
        "device": "CPU",
        "commit": "abc",
        "parameters": 5,
        "paper_score": 0.5,
    }
    assert run["scores"] == scores(20.0)

    oracle, lstm = found["summary"]
    assert (oracle["model"], oracle["n"], oracle["paper_score"]) == ("hri-gt", 1, 1.0)
    assert oracle["metrics"]["nll"] == {"mean": 10.0, "std": None, "min": 10.0, "max": 10.0}
    assert oracle["curves"]["mse_by_step"]["std"] == [None] * 20
    assert (lstm["model"], lstm["n"]) == ("lstm", 2)
    assert lstm["metrics"]["nll"] == {"mean": 30.0, "std": pytest.approx(math.sqrt(200)), "min": 20.0, "max": 40.0}
    assert lstm["metrics"]["edges.overall.f1"]["mean"] == pytest.approx(0.3)
    assert lstm["metrics"]["mse_at_20"]["mean"] == 49.0
    assert lstm["metrics"]["paper_score"]["mean"] == lstm["paper_score"] == pytest.approx((0.5 + 0.25) / 2)
    assert lstm["metrics"].keys() == {"nll", "edges.overall.f1", "parameters", "mse_at_20", "paper_score"}
    assert lstm["curves"]["mse_by_step"]["mean"] == [30.0 + step for step in range(20)]
    assert lstm["curves"]["edges.calibration"]["mean"] == [None, 30.0]
    assert lstm["curves"]["edges.count"] == {"mean": [0.0, 3.0], "std": [0.0, 0.0]}


def test_there_is_no_paper_score_without_an_oracle_of_the_same_kind() -> None:
    def run(model: str, tree: str, nll: float | None) -> dict[str, Any]:
        return {"model": model, "seen": "state", "tree": tree, "scores": {"nll": nll}}

    lstm = run("lstm", "4-3", 2.0)
    assert results.paper_score(lstm, [lstm, run("hri-gt", "3-3", 1.0)]) is None
    assert results.paper_score(lstm, [lstm, run("hri-gt", "4-3", 1.0), run("hri-gt", "4-3", 2.0)]) == 0.75
    assert results.paper_score(run("lstm", "4-3", None), [run("hri-gt", "4-3", 1.0)]) is None


def test_json_and_csv_say_the_same(folder: Path) -> None:
    found = results.collect(PLAN, folder, "x")
    results.write(found, folder / "results.json")
    assert json.loads((folder / "results.json").read_text()) == found
    rows = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert [(row["model"], row["seed"], float(row["nll"])) for row in rows] == [
        (run["model"], str(run["seed"]), run["scores"]["nll"]) for run in found["runs"]
    ]
    assert [float(row["edges.overall.f1"]) for row in rows] == [0.1, 0.2, 0.4]
    assert rows[0]["checkpoint"] == ""


def test_before_the_first_run_there_is_an_empty_table(tmp_path: Path) -> None:
    found = results.collect(PLAN, tmp_path, "x")
    assert (found["runs"], found["summary"], found["test_systems"]) == ([], [], None)
    assert len(found["unfinished"]) == 4
    assert results.to_csv(found).startswith("model,seen,tree,seed")

"""Results files: what is read, and what is said of files that cannot be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hri.experiments import score_tables, scoreboard
from hri.experiments.scoreboard import METRICS, Setting, read
from tests import synthetic_results as made

STATES = Setting("state", "4-3")


def test_every_row_of_every_plan_is_read(tmp_path: Path) -> None:
    board = read(made.write(tmp_path))
    assert not board.problems
    assert [plan.name for plan in board.plans] == ["states", "states-long", "states-3-3", "images"]
    assert [s.label for s in board.settings] == [
        "States 4-3",
        "States 4-3, long",
        "States 3-3",
        "Images 4-3, SlotDec",
        "Images 4-3, ParDec",
    ]
    nri = board.entry(STATES, "nri")
    assert nri is not None
    assert (nri.n, nri.metrics["nll"].text(METRICS["nll"])) == (3, "14,100 ± 755")
    assert nri.checkpoint == "springs-4-3-state-nri"
    lone = board.entry(STATES, "nri-gt")
    assert lone is not None
    assert lone.metrics["nll"].text(METRICS["nll"]) == "8,000"
    assert [entry.model for entry in board.of(STATES)][:3] == ["lstm", "nri", "nri-lo"]
    assert board.plan(STATES).unfinished == ("springs-4-3-state-lstm-lo seed 0",)
    assert board.plan(STATES).terms().startswith("2,000 updates of 32 sequences, 5,000 training systems, 1,000 unseen")
    assert board.plan(STATES).terms().endswith("commit abc1234")


def test_errors_by_step_become_scores_where_a_file_does_not_tell_them(tmp_path: Path) -> None:
    plan = made.state_plan()
    for row in plan["summary"]:
        del row["metrics"]["mse_at_20"]
    entry = read(made.write(tmp_path, states=plan)).entry(STATES, "nri")
    assert entry is not None
    curve = entry.curves["mse_by_step"]
    assert curve.std is not None
    assert (entry.metrics["mse_at_20"].mean, entry.metrics["mse_at_20"].std) == (curve.mean[19], curve.std[19])


def test_a_table_has_spreads_where_models_were_repeated_and_opens_what_there_is(tmp_path: Path) -> None:
    board = read(made.write(tmp_path))
    table = score_tables.table(board.of(STATES), {"springs-4-3-state-hri"})
    assert all(len(column) == 11 for column in table.values())
    row = table["model"].index("HRI")
    assert table["open"][row] == score_tables.OPEN
    assert [label for label in table["open"] if label] == [score_tables.OPEN]
    assert (table["nll"][row], table["± nll"][row]) == (8700, None)
    images = score_tables.table(board.of(Setting("slot", "4-3")), set())
    assert "± nll" not in images
    assert "frame_mse" in images
    assert "mse_at_20" not in images
    runs = score_tables.run_table(board.plan(STATES), STATES, {"springs-4-3-state-hri"})
    assert runs["open"].count(score_tables.OPEN) == 1
    assert len(runs["seed"]) == 19


def test_the_long_table_is_a_contest_of_its_own(tmp_path: Path) -> None:
    board = read(made.write(tmp_path))
    long = Setting("state", "4-3", long=True)
    assert {entry.model for entry in board.of(long)} == set(made.LONG)
    equal, trained_long = board.entry(STATES, "hri-h"), board.entry(long, "hri-h")
    assert equal is not None
    assert trained_long is not None
    assert (equal.updates, trained_long.updates) == (2000, 20_000)
    assert equal.metrics["nll"].n == 3
    assert trained_long.metrics["nll"].n == 1
    assert board.plan(long).name == "states-long"
    assert set(score_tables.run_table(board.plan(long), long, set())["updates"]) == {12_000.0, 20_000.0}


def test_csv_is_read_by_others(tmp_path: Path) -> None:
    board = read(made.write(tmp_path))
    rows = list(csv.DictReader(score_tables.to_csv(list(board.entries)).splitlines()))
    nri = next(row for row in rows if (row["plan"], row["model"], row["score"]) == ("states", "nri", "nll"))
    assert (float(nri["mean"]), nri["n"]) == (14_100, "3")
    assert len(rows) == sum(len(entry.metrics) for entry in board.entries)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is damaged or no JSON"),
        (b"{", "it is damaged or no JSON"),
        (b"\xff\xfe", "it is damaged or no JSON"),
        (b"[1, 2]", "it holds no object"),
        (b"{}", "its runs are missing or of another shape"),
        (b'{"runs": [], "summary": [3]}', "its summary are missing or of another shape"),
        (b'{"runs": [], "summary": [{"model": "nri"}]}', "does not say which model it is about"),
        (
            json.dumps({"runs": [], "summary": [{"model": "nri", "seen": "state", "tree": "4-3", "n": 1}]}).encode(),
            "the summary of nri has no metrics or no curves",
        ),
        (b"[" * 100_000, ""),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_the_others_stay(
    tmp_path: Path, content: bytes, why: str
) -> None:
    made.write(tmp_path, images=made.image_plan())
    (tmp_path / "states.json").write_bytes(content)
    board = read(tmp_path)
    (problem,) = board.problems
    assert why in problem
    assert "\n" not in problem
    assert "`python -m hri reproduce --plan states --publish`" in problem
    assert len(board.entries) == 8


def test_odd_values_inside_a_file_are_left_out(tmp_path: Path) -> None:
    plan = made.state_plan({"nri": [2.0], "odd model": [1.0]})
    row = plan["summary"][0]
    row["metrics"] |= {"nll_free": {"mean": None}, "mse_at_20": 7, "nll_leaves": {"mean": True}}
    row["curves"] |= {"mse_by_step": {"mean": [1.0, None]}, "other": "text"}
    plan["runs"][0] |= {"hours": "two", "checkpoint": 3, "seed": None}
    plan |= {"updates": "many", "command": None, "unfinished": "none"}
    board = read(made.write(tmp_path, states=plan))
    assert not board.problems
    entry = board.entry(STATES, "nri")
    assert entry is not None
    assert not {"nll_free", "mse_at_20", "nll_leaves"} & entry.metrics.keys()
    assert "mse_by_step" not in entry.curves
    assert board.of(STATES)[-1].label == "odd model"
    assert board.plan(STATES).command == "python -m hri reproduce --plan states --publish"
    assert score_tables.run_table(board.plan(STATES), STATES, set())["hours"][0] is None


def test_no_folder_is_an_empty_board(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere") == scoreboard.Board()

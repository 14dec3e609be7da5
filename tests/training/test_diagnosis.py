"""Words for a training's numbers: each rule speaks when it should, and not on a healthy run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hri.training.diagnosis import diagnose


def run(
    updates: int = 200, stage: int = 2, every: int = 40, fall: float = 3.0, noise: float = 0.02, **more: Any
) -> list[dict[str, Any]]:
    """A training whose loss falls by a factor e**fall."""
    rng = np.random.default_rng(0)
    records = []
    for update in range(1, updates + 1):
        loss = 1e4 * math.exp(-fall * update / updates) * (1 + noise * rng.normal())
        record: dict[str, Any] = {
            "update": update, "stage": stage, "loss": loss, "gradient_norm": 100.0 * (1 + 0.3 * rng.random()),
            "edge_type_0": 0.6, "edge_type_1": 0.4,
        }  # fmt: skip
        if update % every == 0:
            record["validation"] = {"nll": loss, "copy_nll": 8000.0}
        records.append(record | more)
    return records


def titles(records: list[dict[str, Any]], **state: str) -> list[str]:
    return [finding.title for finding in diagnose(records, **state)]


def test_a_healthy_run_is_told_so_and_nothing_else() -> None:
    (finding,) = diagnose(run())
    assert (finding.kind, finding.title) == ("good", "It has learned to move")
    assert "8,000" in finding.text


def test_before_any_number_there_is_nothing_to_say() -> None:
    assert diagnose([]) == []
    assert diagnose(run(updates=3)) == []


def test_no_better_than_copying() -> None:
    assert "No better than copying yet" in titles(run(fall=0.1))


def test_edges_of_one_type() -> None:
    records = run(edge_type_0=0.999, edge_type_1=0.001)
    (finding,) = (f for f in diagnose(records) if "one type" in f.title)
    assert "no interaction" in finding.text
    assert "one type" not in " ".join(titles(run(edge_type_0=0.98, edge_type_1=0.02)))


def test_upper_slots_that_carry_the_loss() -> None:
    def with_upper(nll: float, first: float, last: float) -> list[dict[str, Any]]:
        records = run(nll=nll)
        return [r | {"nll_upper": u} for r, u in zip(records, np.linspace(first, last, len(records)), strict=True)]

    (finding,) = (f for f in diagnose(with_upper(1000.0, 50.0, 700.0)) if f.title == "The upper slots grow")
    assert finding.text.startswith(("66%", "67%"))
    for usual in (
        with_upper(1000.0, 50.0, 240.0),
        with_upper(1000.0, 900.0, 600.0),  # large from the start, and less now
        with_upper(1000.0, 50.0, 700.0)[:30],
        with_upper(0.0, 0.0, 0.0),
        with_upper(math.nan, math.nan, math.nan),
        run(nll=1000.0),
    ):
        assert "The upper slots grow" not in titles(usual)


def test_overfitting() -> None:
    records = run(updates=400)
    for record in records:
        if "validation" in record:
            record["validation"] = {"nll": 1000.0 + 10 * abs(record["update"] - 160), "copy_nll": 8000.0}
    assert "It learns the training systems by heart" in titles(records)
    assert "It learns the training systems by heart" not in titles(records[:200]), "not before it is clear"


def test_learning_rates() -> None:
    bursts = run()
    for record in bursts[100::8]:
        record["gradient_norm"] = 1e5
    assert "The learning rate may be too high" in titles(bursts)
    assert "It learns slowly" in titles(run(fall=0.001, noise=0.0))
    assert "The loss rises" in titles(run(fall=-1.0))


def test_explosion_and_failure_come_first() -> None:
    records = run(fall=0.0)
    for record in records[-3:]:
        record["loss"] = 1e9
    assert titles(records)[0] == "The loss explodes"
    found = diagnose(records, state="failed", reason="the loss of stage 2 is no longer a number")
    assert found[0].kind == "stopped"
    assert found[0].text == "The loss of stage 2 is no longer a number."


@pytest.mark.parametrize(
    ("unused", "alike", "title"), [(0.5, 0.0, "Slots are empty"), (0.0, 0.2, "Slots say the same")]
)
def test_slots(unused: float, alike: float, title: str) -> None:
    records = run(stage=1)
    for record in records:
        record.pop("edge_type_0")
        if "validation" in record:
            record["validation"] = {"reconstruction_mse": 0.01, "slots_unused": unused, "slots_alike": alike}
    assert title in titles(records)

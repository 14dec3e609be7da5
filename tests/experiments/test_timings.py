"""What trainings cost: written down on this machine, and told from a checkpoint before anything was timed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hri.core.presets import preset
from hri.experiments import timings
from hri.model.checkpoint import Header
from hri.training.estimate import Estimate, sizes

STATES, PICTURES = preset("springs-4-3-state-hri-h"), preset("springs-4-3-par-hri-h")
MEASURED = Estimate(0.0, 0.25, 0.0, 2.0, 0.1, 800.0)


def test_a_measurement_is_found_again_for_another_length_and_not_for_another_size_or_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = timings.key(STATES, "", 1)
    assert timings.recall(tmp_path / "none", key) is None
    timings.keep(tmp_path / "runs", key, MEASURED)
    longer = replace(STATES, train=replace(STATES.train, updates=7 * STATES.train.updates))
    assert timings.recall(tmp_path / "runs", timings.key(longer, "", 1)) == MEASURED
    wider = replace(STATES, train=replace(STATES.train, batch=2 * STATES.train.batch))
    for other in (timings.key(wider, "", 1), timings.key(STATES, "", 2), timings.key(PICTURES, "", 1)):
        assert timings.recall(tmp_path / "runs", other) is None
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    assert timings.recall(tmp_path / "runs", timings.key(STATES, "", 1)) is None
    (tmp_path / "runs" / timings.FILE).write_text("[")
    assert timings.recall(tmp_path / "runs", key) is None


def test_a_checkpoint_tells_what_its_own_training_took_by_updates_and_batch() -> None:
    header = Header(config=STATES, steps={"stage2": 1000}, hours={"stage2": 0.5})
    half = replace(STATES, train=replace(STATES.train, updates=100, batch=STATES.train.batch // 2))
    found = timings.by_a_checkpoint(half, [("other", Header(config=PICTURES)), ("mine", header)])
    assert found is not None
    assert found[0] == "mine"
    assert found[1].hours == pytest.approx(0.5 * 100 / 1000 / 2, abs=1e-4)
    assert timings.by_a_checkpoint(PICTURES, [("mine", header)]) is None
    blind = Header(config=PICTURES, steps={"stage2": 10}, hours={"stage2": 1.0})
    assert timings.by_a_checkpoint(PICTURES, [("blind", blind)]) is None, "stage 1 is not told"
    assert timings.by_a_checkpoint(PICTURES, [("blind", blind)], "eyes.safetensors") is not None
    assert sizes(half) != sizes(STATES)

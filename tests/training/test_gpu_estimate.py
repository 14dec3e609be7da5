"""What a GPU is estimated to need is counted: arithmetic grows with the batch, the number of operations does not."""

from __future__ import annotations

import dataclasses

import pytest

from hri.__main__ import main
from hri.core.presets import preset
from hri.training import gpu_estimate


@pytest.mark.slow
def test_arithmetic_is_that_of_the_batch_whatever_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = preset("springs-3-3-state-lstm")
    config = dataclasses.replace(usual, train=dataclasses.replace(usual.train, batch=8))
    counted = gpu_estimate.work_of(config, 2)
    monkeypatch.setattr(gpu_estimate, "FEW", 3)
    assert gpu_estimate.work_of(config, 2).flops == pytest.approx(counted.flops, rel=1e-3)
    assert counted.operations > 49, "at least one a step"
    whole = gpu_estimate.gpu_estimate(config)
    assert whole["gpu_hours"] == pytest.approx(config.train.updates * counted.seconds / 3600, abs=0.01)
    assert "stage1_flops" not in whole, "states need no first stage"


@pytest.mark.parametrize(
    ("kind", "place"), [("human36m", "vision.imar.ro/human3.6m"), ("kth", "csc.kth.se/cvap/actions")]
)
def test_data_sets_that_no_package_ships_say_where_they_are(
    kind: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ([], ["nowhere"]):
        assert main(["data", kind, *path]) != 0
        said = capsys.readouterr().err
        assert place in said
        assert "--estimate-gpu how many on a GPU" in said

"""train-many: plans, bundles, runs side by side, ends in time, and one sentence for every mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from hri.__main__ import main
from hri.cli import many as many_cli
from hri.core.config import Config
from hri.experiments import device_bench, many
from hri.experiments.bundles import BundleLimits, pack, unpack
from hri.experiments.device_bench import Part
from hri.experiments.many import Many, covered
from hri.experiments.many_plan import read_plan
from hri.model import checkpoint
from hri.model.fast import device as device_recurrence
from hri.model.fast import edges as fast
from hri.training import device_check
from hri.training.device_check import LossComparison, compare, kinds
from hri.training.device_step import DeviceStep, Recorded
from hri.training.loop import train
from hri.training.run_folder import State
from hri.training.stages import OPTIMISERS, PredictionStage, TrainingStopped
from tests.training.test_device_loop import CPU, built, small

ROOT = Path(__file__).parents[2]
TINY = {"train.batch": 2, "train.evaluate_every": 3, "train.snapshots": 0, "data.train": 4, "data.validation": 2}
LSTM = {"preset": "springs-4-3-state-lstm", "settings": TINY | {"train.updates": 6}}
NARROW = {"model.vision.encoder_channels": 4, "model.vision.decoder_channels": 4}
SLOT = {
    "preset": "springs-4-3-slot-hri-h",
    "name": "slot",
    "settings": TINY | NARROW | {"train.updates": 2, "train.stage1_updates": 4, "train.stage1_batch": 4},
}
AFTER = {
    "preset": "springs-4-3-slot-lstm",
    "name": "after",
    "after": "slot-seed0",
    "settings": TINY | NARROW | {"train.updates": 2},
}
ABSENT = "tyro,rich,streamlit,plotly,networkx,imageio,av,cdflib,PIL,tensorboard"


def written(path: Path, *runs: Any) -> Path:
    path.write_text(json.dumps({"runs": list(runs)}))
    return path


def test_a_bare_machine_trains_a_plan_and_its_bundles_go_on_anywhere(tmp_path: Path) -> None:
    plan = written(tmp_path / "plan.json", LSTM | {"seeds": [0, 1]}, SLOT, AFTER)
    command = [
        sys.executable, str(ROOT / "tests" / "bare.py"), ABSENT, "train-many", "--plan", str(plan), "--minutes", "9",
        "--out", "out", "--device", "cpu", "--json",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HRI_COMMIT": "abc1234"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["runs"] == summary["runs"]
    names = ["springs-4-3-state-lstm-seed0", "springs-4-3-state-lstm-seed1", "slot-seed0", "after-seed0"]
    assert [run["name"] for run in summary["runs"]] == names
    assert {run["state"] for run in summary["runs"]} == {"finished"}
    assert summary["runs"][0]["update"] == 6
    assert summary["runs"][0]["validation"]["nll"] > 0
    assert "as it should be" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["runs-1.zip", "summary.json"]
    # Bundles become run folders, from which the plain command goes on.
    assert main(["train-many", "--unpack", str(tmp_path / "out"), "--runs", str(tmp_path / "here")]) == 0
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == sorted(names)
    taken = checkpoint.load(tmp_path / "here" / "after-seed0" / "best.safetensors")
    first = checkpoint.load(tmp_path / "here" / "slot-seed0" / "best.safetensors")
    for name, value in first.model.state_dict().items():
        if name.startswith(("vision.leaves", "vision.decoder")):
            torch.testing.assert_close(taken.model.state_dict()[name], value)
    assert "after-seed0" in taken.header.command
    with pytest.raises(ValueError, match="is there already"):
        unpack(tmp_path / "out", tmp_path / "here")


def watched(plan: Path, folder: Path, lanes: int = 4) -> tuple[Many, list[str]]:
    said: list[str] = []
    return Many(read_plan(plan), folder / "runs", folder / "out", CPU, lanes, said.append), said


@pytest.mark.slow
def test_stopped_runs_go_on_from_their_bundles(tmp_path: Path) -> None:
    plan = written(tmp_path / "plan.json", LSTM | {"settings": LSTM["settings"] | {"train.updates": 30}})  # type: ignore[operator]
    first, _ = watched(plan, tmp_path / "a")
    (name,) = first.results
    while first.advance():
        if first.results[name].update >= 4:
            first.stop()
    first.save()
    assert first.results[name].state == "stopped"
    assert 4 <= first.results[name].update < 30
    unpack(tmp_path / "a" / "out", tmp_path / "b" / "runs")
    second, _ = watched(plan, tmp_path / "b")
    while second.advance():
        pass
    assert (second.results[name].state, second.results[name].update) == ("finished", 30)
    config = read_plan(plan)[0].config
    straight, _ = watched(plan, tmp_path / "c")
    while straight.advance():
        pass
    one, other = (checkpoint.load(tmp_path / part / "runs" / name / "last.safetensors").model for part in "bc")
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    # The CPU's own loop takes such a run up, too.
    unpack(tmp_path / "a" / "out", tmp_path / "d")
    assert list(train(config, tmp_path / "d" / name, resume=True, device="cpu"))[-1].update == 30


def test_one_run_that_fails_leaves_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = LSTM | {"name": "odd", "settings": LSTM["settings"] | {"train.batch": 3}}  # type: ignore[operator]
    plan = written(tmp_path / "plan.json", odd, LSTM)
    loop = many.run_stage

    def failing(stage: Any, *rest: Any, **more: Any) -> Iterator[Any]:
        if stage.batch == 3:
            raise TrainingStopped("the loss is no longer a number")
        return loop(stage, *rest, **more)

    monkeypatch.setattr(many, "run_stage", failing)
    at_work, said = watched(plan, tmp_path)
    while at_work.advance():
        pass
    summary = at_work.save()
    assert [run["state"] for run in summary["runs"]] == ["failed", "finished"]
    assert summary["runs"][0]["reason"] == "the loss is no longer a number"
    assert any("odd-seed0 failed: the loss" in line for line in said)


def test_runs_for_which_there_is_no_memory_wait_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = written(tmp_path / "plan.json", LSTM | {"seeds": [0, 1, 2]})
    record, alive = Recorded.record, [0]

    def crowded(self: Any, graphs: bool = True) -> None:
        if len(at_work.lanes) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        alive[0] = max(alive[0], len(at_work.lanes))
        record(self, graphs)

    monkeypatch.setattr(Recorded, "record", crowded)
    at_work, said = watched(plan, tmp_path)
    while at_work.advance():
        pass
    assert {result.state for result in at_work.results.values()} == {"finished"}
    assert alive == [2]
    assert any("has memory for 2 runs side by side" in line for line in said)
    # Alone, it is told what to do.
    monkeypatch.setattr(Recorded, "record", lambda self, graphs=True: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    alone, _ = watched(written(tmp_path / "plan.json", LSTM), tmp_path / "alone")
    while alone.advance():
        pass
    assert "try --train.batch 1" in next(iter(alone.results.values())).reason


@pytest.mark.parametrize("how", ["time", "SIGTERM"])
@pytest.mark.slow
def test_it_ends_in_time_and_when_it_is_asked_to(how: str, tmp_path: Path) -> None:
    plan = written(tmp_path / "plan.json", LSTM | {"settings": LSTM["settings"] | {"train.updates": 100_000}})  # type: ignore[operator]
    minutes = "0.2" if how == "time" else "60"
    command = [sys.executable, "-m", "hri", "train-many", "--plan", str(plan), "--minutes", minutes, "--out", "out"]
    process = subprocess.Popen(
        [*command, "--device", "cpu", "--no-check"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    metrics = tmp_path / "runs" / "many" / "springs-4-3-state-lstm-seed0" / "metrics.jsonl"
    if how == "SIGTERM":
        until = time.monotonic() + 120
        while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert ("the time is up" if how == "time" else "asked to end") in said
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    (run,) = summary["runs"]
    assert run["state"] == "stopped"
    with zipfile.ZipFile(tmp_path / "out" / run["bundle"]) as bundle:
        assert f"{run['name']}/state.safetensors" in bundle.namelist()


def test_mistakes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, out = written(tmp_path / "plan.json", LSTM), str(tmp_path / "out")
    unknown = written(tmp_path / "unknown.json", {"preset": "springs-4-3-state-hrih"})
    odd = written(tmp_path / "odd.json", LSTM | {"settings": {"train.update": 3}})
    key = written(tmp_path / "key.json", LSTM | {"updates": 3})
    twice = written(tmp_path / "twice.json", LSTM, LSTM)
    later = written(tmp_path / "later.json", AFTER, SLOT)
    blind = written(tmp_path / "blind.json", SLOT, LSTM | {"after": "slot-seed0"})
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    for words, wanted in (
        (["--plan", str(plan), "--out", out, "--minutes", "0"], "--minutes is 0"),
        (["--plan", str(plan), "--out", out, "--minutes", "nine"], "invalid float value"),
        (["--plan", str(plan), "--out", out, "--lanes", "0"], "--lanes is 0"),
        (["--plan", str(plan), "--out", out, "--quickly"], "--quickly"),
        (["--out", out], "needs --plan and --out"),
        (["--plan", str(tmp_path / "none.json"), "--out", out], "there is no plan"),
        (["--plan", str(broken), "--out", out], "is not valid JSON"),
        (["--plan", str(unknown), "--out", out], "unknown preset 'springs-4-3-state-hrih'; choose from"),
        (["--plan", str(odd), "--out", out], "unknown setting config.train.update"),
        (["--plan", str(key), "--out", out], "unknown key 'updates'"),
        (["--plan", str(twice), "--out", out], "there is a run springs-4-3-state-lstm-seed0 already"),
        (["--plan", str(later), "--out", out], "no run before it is called"),
        (["--plan", str(blind), "--out", out], "sees states and takes no encoder"),
        (["--plan", str(plan), "--out", out, "--device", "cuda:7"], "there is no device 'cuda:7' here"),
        (["--unpack", str(tmp_path)], "holds no bundle"),
    ):
        assert main(["train-many", *words]) == 1
        said = capsys.readouterr().err
        assert wanted in said
        assert said.count("\n") == 1, said
    assert not (tmp_path / "out").exists()


def test_plans_of_the_project_are_sound() -> None:
    for path in (ROOT / "assets" / "plans").glob("*.json"):
        assert read_plan(path)


def run_folder(folder: Path, size: int, same: bool = False) -> Path:
    folder.mkdir(parents=True)
    noise = np.random.default_rng(len(folder.name) + size)
    for name in ("config.json", "metrics.jsonl", "log.txt"):
        (folder / name).write_text(f"{name} of {folder.name}")
    for name in ("best.safetensors", "state.safetensors", "last.safetensors"):
        content = noise.bytes(size) if not (same and name == "last.safetensors") else None
        (folder / name).write_bytes(content or (folder / "best.safetensors").read_bytes())
    return folder


def test_bundles_keep_their_limits_and_leave_out_the_least(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    runs = [run_folder(tmp_path / "runs" / f"run{number}", 40_000) for number in range(5)]
    limits = BundleLimits(files=3, bytes_each=150_000, bytes_all=330_000)
    went = pack(runs, out, limits)
    sizes = [path.stat().st_size for path in out.glob("*.zip")]
    assert len(sizes) <= 3
    assert max(sizes) <= 150_000
    assert sum(sizes) <= 330_000
    assert went["run0"].bundle == "runs-1.zip"
    assert went["run0"].left_out == ()
    assert went["run4"].left_out, "the run of least worth gives way"
    names = unpack(out, tmp_path / "again")
    for name in names:
        kept = {path.name for path in (tmp_path / "again" / name).iterdir()}
        assert kept >= {"config.json", "best.safetensors", "metrics.jsonl", "log.txt"}
        for path in (tmp_path / "again" / name).iterdir():
            assert path.read_bytes() == (tmp_path / "runs" / name / path.name).read_bytes()
    # Fewer runs later: no old bundle stays behind.
    pack(runs[:1], out, limits)
    assert [path.name for path in out.glob("*.zip")] == ["runs-1.zip"]


def test_equal_files_are_stored_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    pack([run_folder(tmp_path / "runs" / "one", 50_000, same=True)], out)
    assert (out / "runs-1.zip").stat().st_size < 105_000
    unpack(out / "runs-1.zip", tmp_path / "again")
    best, last = ((tmp_path / "again" / "one" / f"{name}.safetensors").read_bytes() for name in ("best", "last"))
    assert best == last


@pytest.mark.parametrize("run", ["../evil", "/evil", "..", "a/b", ".hidden"])
def test_a_bundle_writes_nowhere_else(run: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "runs-1.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps({"runs": [run], "same": {}}))
        archive.writestr(f"{run}/config.json", "{}")
    with pytest.raises(ValueError, match="not a bundle of runs"):
        unpack(tmp_path, tmp_path / "here" / "runs")
    assert not (tmp_path / "here").exists()
    (tmp_path / "runs-1.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="copy it again"):
        unpack(tmp_path, tmp_path / "here" / "runs")


def test_devices_are_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = small()
    found = compare(state, PredictionStage, CPU)
    assert found.holds
    assert max(found.differences) < 1e-6
    assert fast.ENABLED, "only the comparison goes without the fused loops"
    assert not LossComparison("", (1.0, 2.0), (1.0, 2.1), "no").holds
    assert not LossComparison("", (1.0,), (float("nan"),), "no").holds
    assert LossComparison("", (1.0, 2.0), (1.01, 2.01), "bf16").holds
    configs: list[Config] = [state, small(variant="nri"), small("par"), small("slot", updates=0)]
    assert [(c.name, k.number) for c, k in kinds(configs)] == [
        ("springs-4-3-state-hri-h", 2),
        ("springs-4-3-par-hri-h", 1),
        ("springs-4-3-par-hri-h", 2),
        ("springs-4-3-slot-hri-h", 1),
    ]
    # Where they differ nothing is trained; before that, the plain loop is tried.
    asked = []
    monkeypatch.setattr(device_recurrence, "ENABLED", True)
    wrong = LossComparison("stage 2 of x", (100.0, 90.0), (100.0, 95.0), "no")
    monkeypatch.setattr(device_check, "compare", lambda *_: asked.append(device_recurrence.ENABLED) or wrong)
    plan = read_plan(written(tmp_path / "plan.json", LSTM))
    with pytest.raises(ValueError, match=r"differs between CPU and cpu: losses 90 and 95, .*; nothing was trained"):
        many_cli.check(plan, CPU)
    assert asked == [True, False]


def test_time_that_a_device_computes_counts_once() -> None:
    assert covered([]) == 0
    assert covered([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0), (5.2, 5.5)]) == 4


@contextmanager
def pretended_cuda(replay: Callable[[], None]) -> Iterator[SimpleNamespace]:
    """Stand-ins for what is asked of CUDA, that note what was done: the order of calls can be seen without a GPU."""
    seen = SimpleNamespace(captures=0, replays=0)

    class Stream:
        def __init__(self, *_: Any) -> None: ...
        def wait_stream(self, other: Any) -> None: ...
        def synchronize(self) -> None: ...

    class Event:
        def __init__(self, enable_timing: bool = False) -> None: ...
        def record(self) -> None: ...
        def synchronize(self) -> None: ...
        def query(self) -> bool:
            return True

    class Graph:
        def replay(self) -> None:
            seen.replays += 1
            replay()

    @contextmanager
    def within(*_: Any, **__: Any) -> Iterator[None]:
        yield

    @contextmanager
    def capture(graph: Any, stream: Any, capture_error_mode: str) -> Iterator[None]:
        seen.captures += 1
        yield

    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("Stream", Stream), ("Event", Event), ("CUDAGraph", Graph), ("graph", capture)):
            patched.setattr(torch.cuda, name, value)
        patched.setattr(torch.cuda, "stream", within)
        patched.setattr(torch.cuda, "current_stream", Stream)
        patched.setattr(torch.Tensor, "pin_memory", lambda self: self)
        yield seen


def test_a_recorded_step_is_replayed_and_recording_leaves_no_trace() -> None:
    def made() -> tuple[DeviceStep, Recorded]:
        stage, model, _ = built(small(variant="lstm", average=0.9), PredictionStage)
        step = DeviceStep(stage, model, OPTIMISERS["muon"](stage.trained(), lr=1.0), State(), CPU)
        return step, Recorded(step)

    plain, called = made()
    called.launch(range(3))
    wanted = called.result().losses
    step, _ = made()
    with pretended_cuda(step) as seen:
        step.device = torch.device("cuda")
        recorded = Recorded(step)
        before = [tensor.detach().clone() for tensor in step.tensors()]
        step.device = CPU  # where its tensors lie; the recording knows its stream already
        recorded.record()
        assert seen.captures == 1
        for tensor, old in zip(step.tensors(), before, strict=True):
            assert torch.equal(tensor, old)
        recorded.launch(range(3))
        assert recorded.ready()
        np.testing.assert_allclose(recorded.result().losses, wanted, rtol=1e-6)
        assert seen.replays == 3
    for tensor, old in zip(step.tensors(), plain.tensors(), strict=True):
        torch.testing.assert_close(tensor, old)


def test_updates_of_a_device_are_timed_beside_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_bench.PARTS, "few", Part("springs-4-3-state-lstm", batch=2, side_by_side=2))
    heard: list[str] = []
    row = device_bench.measure(CPU, ["few"], seconds=0.1, progress=heard.append)["updates"]["few"]
    assert heard == ["few"]
    assert (row["batch"], row["runs"]) == (2, 2)
    assert row["times_one_core"] == pytest.approx(row["updates_per_second"] / row["cpu_updates_per_second"], rel=1e-2)
    assert "aten::" in device_bench.profile("few", CPU, updates=1)
    with pytest.raises(ValueError, match="unknown part 'many'; choose from hri_h"):
        device_bench.measure(CPU, ["many"])


def test_a_batch_that_memory_does_not_hold_is_told_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, graphs: bool = True) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setitem(device_bench.PARTS, "few", Part("springs-4-3-state-lstm", batch=2))
    monkeypatch.setattr(Recorded, "record", full)
    row = device_bench.measure(CPU, ["few"], seconds=0.1)["updates"]["few"]
    assert "too little memory for a batch of 2" in row["reason"]
    assert row.keys() >= {"batch", "runs", "cpu_updates_per_second"}, "what a core does is measured all the same"
    assert not row.keys() & {"updates_per_second", "milliseconds", "times_one_core"}

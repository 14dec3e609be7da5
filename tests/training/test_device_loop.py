"""Updates on the device: the same numbers as training on a CPU, nothing asked of the host, and a run that goes on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hri.core.config import Config, DataConfig, TrainConfig
from hri.core.presets import PRESETS
from hri.data.dataset import Springs
from hri.data.sources import sequences
from hri.model import checkpoint, dynamics
from hri.model.fast import device as device_recurrence
from hri.model.fast import edges as fast
from hri.model.model import Model
from hri.training import device_loop, device_step
from hri.training.device_data import PredictionInputs
from hri.training.device_loop import out_of_memory, run_stage
from hri.training.device_step import DeviceStep, Recorded, schedule
from hri.training.loop import prepared, train
from hri.training.optimiser import Averaged
from hri.training.run_folder import Run, State
from hri.training.stages import OPTIMISERS, PredictionStage, ReconstructionStage, TrainingStopped

CPU = torch.device("cpu")
SMALL = DataConfig(train=12, validation=3, test=2)


def small(seen: str = "state", variant: str = "hri-h", **changes: Any) -> Config:
    preset = PRESETS[f"springs-4-3-{seen}-{variant}"]
    settings = {
        "updates": 40,
        "batch": 2,
        "evaluate_every": 3,
        "stage1_updates": 30 if seen != "state" else 0,
        "stage1_batch": 4,
        "precision": "no",
        "learning_rate": 1e-3,
        "warmup": 2,
        "frames_decoded": 2,
        "free_steps": 4,
        "snapshots": 0,
    }
    model = preset.model
    if model.vision is not None:
        model = dataclasses.replace(
            model, vision=dataclasses.replace(model.vision, encoder_channels=8, decoder_channels=8)
        )
    else:
        narrow = {part: dataclasses.replace(getattr(model, part), hidden=16) for part in ("relations", "dynamics")}
        model = dataclasses.replace(model, **narrow)
    return dataclasses.replace(preset, data=SMALL, model=model, train=TrainConfig(**(settings | changes)))


def of_relations(config: Config, **changes: Any) -> Config:
    changed = dataclasses.replace(config.model.relations, **changes)
    return dataclasses.replace(config, model=dataclasses.replace(config.model, relations=changed))


def short(config: Config) -> Springs:
    """Training systems, of 16 frames only."""
    data = sequences(config.data, "train")
    assert isinstance(data, Springs)
    whole = data.trajectories
    cut = dataclasses.replace(whole, positions=whole.positions[:, :16], velocities=whole.velocities[:, :16])
    return Springs(data.data, cut, data.normalisation)


def built(config: Config, kind: type) -> tuple[Any, Model, Any]:
    """A stage, its model and optimiser, always from the same weights."""
    torch.manual_seed(0)
    model = Model(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    data = short(config)
    stage = kind(config, model, data, data)
    optimiser = OPTIMISERS[config.train.optimiser](stage.trained(), lr=stage.learning_rate)
    stage.begin()
    return stage.train(), model, optimiser


@contextmanager
def as_on_a_device() -> Iterator[None]:
    """The arithmetic that a device takes, here: no fused loops of CPUs, the recurrent loop of devices."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fast, "ENABLED", False)
        taken = [(lambda values: torch.is_grad_enabled(), device_recurrence.burn_in)]
        patched.setattr(dynamics.BURN_IN, "_registered", taken)
        yield


def clear_updates(config: Config, kind: type, updates: int) -> tuple[np.ndarray, list[torch.Tensor]]:
    """Plain training as :mod:`hri.training.loop` does it, with a device's inputs: losses, terms and gradient norms, [n,
    ...]; gradients of the first update, and averaged weights.
    """
    stage, model, optimiser = built(config, kind)
    inputs = DeviceStep(stage, model, OPTIMISERS[config.train.optimiser](stage.trained(), lr=1.0), State(), CPU)
    ahead = schedule(stage, range(updates))
    averaged = Averaged(model, config.train.average) if config.train.average else None
    norms: list[float] = []
    told, first = [], []
    for update in range(updates):
        inputs.begin(update)
        key = device_step.key_of(config.train.seed, stage.number, torch.tensor([update]))
        share = torch.from_numpy(ahead["shares"][update : update + 1])
        loss, terms = stage(**inputs.inputs(torch.from_numpy(ahead["rows"][update]), key, share))
        optimiser.zero_grad()
        loss.backward()
        first = first or [parameter.grad.clone() for parameter in stage.trained()]
        limit = config.train.clip * median(norms[-100:]) if len(norms) >= 20 else float("inf")
        norms.append(float(torch.nn.utils.clip_grad_norm_(stage.trained(), limit)))
        for group in optimiser.param_groups:
            group["lr"] = float(ahead["rates"][update])
        optimiser.step()
        stage.shrink(float(ahead["rates"][update]))
        if averaged is not None:
            averaged.follow(update)
        told.append([value.item() for value in (loss, *terms.values())] + [norms[-1]])
    return np.array(told), [*first, *(averaged.tensors.values() if averaged else [])]


CASES: dict[str, tuple[Config, type]] = {
    "hri-h": (small(), PredictionStage),
    "adam": (small(optimiser="adam"), PredictionStage),
    "nri": (
        small(variant="nri", edge_sample="straight", prior_warmup=5, prior_end=0.1, edge_pull=0.5),
        PredictionStage,
    ),
    "lstm": (small(variant="lstm"), PredictionStage),
    "lstm-lo": (small(variant="lstm-lo"), PredictionStage),
    "nri-lo": (small(variant="nri-lo"), PredictionStage),
    "hri-gt": (small(variant="hri-gt", average=0.9), PredictionStage),
    "static": (of_relations(small(no_edge_prior=0.9), graph="static", edge_types=3), PredictionStage),
    "all speak": (of_relations(small(), silent=False), PredictionStage),
    "mlp": (small(variant="hri-mlp"), PredictionStage),
    "mlp-static": (of_relations(small(variant="nri-mlp"), graph="static"), PredictionStage),
    "free steps grow": (small(free_steps_start=3, updates=16), PredictionStage),
    "slot, whole": (small("slot"), ReconstructionStage),
    "slot, patches": (small("slot", patch_share=1.0), ReconstructionStage),
    "par, whole": (small("par"), ReconstructionStage),
    "slot, predicts": (small("slot", upper_decay=1.0), PredictionStage),
    "par, predicts": (small("par", "nri"), PredictionStage),
    "overlap, whole": (small("overlap"), ReconstructionStage),
    "overlap, predicts": (small("overlap", decoded_last=5, slot_weight=0.1, similarity_weight=0.1), PredictionStage),
}


LONG = ("hri-h", "lstm", "free steps grow", "slot, whole", "slot, patches", "par, whole", "slot, predicts")
"""Those that are followed over ten updates; the others over two."""


@pytest.mark.parametrize("name", CASES)
def test_updates_equal_plain_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config, kind = CASES[name]
    updates = 10 if name in LONG else 2
    wanted, first = clear_updates(config, kind, updates)
    stage, ours, optimiser = built(config, kind)
    step = DeviceStep(stage, ours, optimiser, State(), CPU)
    gradients: list[torch.Tensor] = []
    clipped = step.clip.clipped
    monkeypatch.setattr(
        step.clip, "clipped", lambda given: (gradients.extend([] if gradients else given), clipped(given))[1]
    )
    recorded, told, update = Recorded(step), [], 0
    while update < updates:
        step.begin(update)
        ends = (
            n for n in range(update + 1, updates) if device_step.shape(stage, n) != device_step.shape(stage, update)
        )
        count = next(ends, updates) - update
        with as_on_a_device():
            recorded.launch(range(update, update + count))
        assert recorded.ready()
        told.append(recorded.result().losses)
        update += count
    found = np.concatenate(told)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[:, 0], wanted[:, 0], rtol=2e-3)
    averages = list(step.averaged.tensors.values()) if step.averaged else []
    # A bias before batch norm has no gradient but rounding, so the largest of all is the measure.
    scale = max(float(part.abs().max()) for part in first[: len(gradients)])
    for mine, theirs in zip([*gradients, *averages], first, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-5 * scale)
    assert step.update.item() == updates


def test_bursts_are_clipped_as_on_a_cpu() -> None:
    config = small(clip=0.6)
    wanted, _ = clear_updates(config, PredictionStage, 26)
    stage, model, optimiser = built(config, PredictionStage)
    step = DeviceStep(stage, model, optimiser, State(), CPU)
    with as_on_a_device():
        Recorded(step).launch(range(26))
    assert step.losses is not None
    np.testing.assert_allclose(step.losses[:26, 0].numpy(), wanted[:, 0], rtol=2e-3)
    np.testing.assert_allclose(step.clip.recent(), wanted[:, -1], rtol=2e-2)


class OnTheDeviceOnly(TorchDispatchMode):
    """Refuses what a CUDA graph cannot hold: numbers asked by the host, shapes that data decide, other devices."""

    REFUSED = ("_local_scalar_dense", "nonzero", "bincount", "unique", "masked_select", "is_nonzero", "aten.equal.")

    def __init__(self) -> None:
        super().__init__()
        self.written: set[int] = set()
        """Tensors that were changed in place, by their id."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        if func._schema.is_mutable:
            self.written |= set(map(id, tree_leaves(args[:1])))
        assert not any(word in name for word in self.REFUSED), name
        given = func(*args, **(kwargs or {}))
        devices = {t.device.type for t in tree_leaves((args, kwargs, given)) if isinstance(t, torch.Tensor)}
        assert devices <= {"meta"}, f"{name} on {devices}"
        return given


RECORDED = (
    "hri-h", "nri", "lstm-lo", "hri-gt", "static", "mlp-static", "slot, patches", "par, whole", "slot, predicts",
    "overlap, whole", "overlap, predicts",
)  # fmt: skip


@pytest.fixture
def without_autocast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """There is none for a device without numbers."""
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    return


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.usefixtures("without_autocast")
def test_an_update_can_be_recorded(name: str) -> None:
    """On a device whose tensors hold no numbers: whoever asked for one would fail, as under a graph."""
    config, kind = CASES[name]
    stage, model, optimiser = built(config, kind)
    for module in [*stage.modules(), *model.modules()]:
        for values in (module._parameters, module._buffers):
            for key, value in values.items():
                if value.device.type == "meta":
                    continue
                bare = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
                values[key] = torch.nn.Parameter(bare) if values is module._parameters else bare
    optimiser = OPTIMISERS[config.train.optimiser](stage.trained(), lr=1.0)
    step = DeviceStep(stage, model, optimiser, State(), torch.device("meta"))
    with as_on_a_device():
        step()
        with OnTheDeviceOnly() as update:
            step()
    unmoved = [weight for weight in stage.trained() if id(weight) not in update.written]
    assert not unmoved, "what was watched is a whole update: it changes every weight that is trained"


def test_who_asks_the_device_for_a_number_is_caught() -> None:
    """Otherwise the test above would hold of anything."""
    number = torch.zeros((), device="meta")
    for asks in (
        lambda: number.item(),
        lambda: torch.zeros(3, device="meta").nonzero(),
        lambda: number + torch.ones(3),
    ):
        with pytest.raises(AssertionError, match="aten"), OnTheDeviceOnly():
            asks()


def on_device(config: Config, folder: Path, resume: bool = False) -> Iterator[Any]:
    """A whole training by the loop of devices, on a CPU."""
    with Run(folder, config, resume) as run:
        for report in prepared(config, run, CPU, run_stage):
            if report is not None:
                yield report


def lines(folder: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


@pytest.mark.parametrize("seen", [pytest.param("state", marks=pytest.mark.slow), "slot"])
def test_a_stopped_run_resumes_to_the_same_numbers(seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_loop, "SAVE_SECONDS", -1.0)
    changes = {"average": 0.9} if seen == "state" else {}
    config = small(seen, updates=7, stage1_updates=5 if seen == "slot" else 0, patch_share=0.4, **changes)
    straight = list(on_device(config, tmp_path / "straight"))
    stages = [1] * config.train.stage1_updates + [2] * 7
    assert [report.stage for report in straight] == stages
    for stop in (2, 4, 9)[: 3 if seen == "slot" else 2]:
        for done, _ in enumerate(on_device(config, tmp_path / "stopped", resume=True), start=1):
            if done == stop:
                break
    list(on_device(config, tmp_path / "stopped", resume=True))
    assert lines(tmp_path / "stopped") == lines(tmp_path / "straight")
    one, other = (checkpoint.load(tmp_path / name / "last.safetensors").model for name in ("straight", "stopped"))
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_a_run_goes_on_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the device's loop saved, the CPU's takes up, and the other way round."""
    config = small(updates=9)
    found: dict[int, float] = {}

    def followed(reports: Iterator[Any], stop: int) -> list[int]:
        """Updates up to one, with their validations noted."""
        made = []
        for report in reports:
            made.append(report.update)
            if report.validation:
                found[report.update] = report.validation["nll"]
            if report.update == stop:
                break
        return made

    assert followed(on_device(config, tmp_path), 6) == [1, 2, 3, 4, 5, 6]
    assert followed(train(config, tmp_path, resume=True), 8) == [7, 8]
    last = followed(on_device(config, tmp_path, resume=True), 9)
    assert last == [7, 8, 9], "the state of update 6 was the last one saved"
    assert list(found) == [3, 6, 9]
    best = checkpoint.load(tmp_path / "best.safetensors").header
    assert best.steps == {"stage2": min(found, key=lambda update: found[update])}, "whoever validated it"
    assert best.metrics["validation"]["nll"] == min(found.values())


def test_train_takes_the_loop_where_there_is_a_gpu(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        assert list(train(small(updates=3), tmp_path, device="cuda"))[-1].update == 3
    else:
        with pytest.raises(ValueError, match="there is no device 'cuda' here; choose auto or cpu"):
            next(train(small(), tmp_path, device="cuda"))
        assert not tmp_path.joinpath("config.json").exists()


def test_a_loss_that_is_no_number_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small(updates=9)
    made = PredictionInputs.__call__

    def spoiled(self: Any, rows: torch.Tensor, key: torch.Tensor, share: torch.Tensor) -> dict[str, Any]:
        inputs = made(self, rows, key, share)
        late = torch.equal(key, device_step.key_of(0, 2, torch.tensor([4])))
        return inputs | {"seen": inputs["seen"] * (torch.nan if late else 1.0)}

    monkeypatch.setattr(PredictionInputs, "__call__", spoiled)
    with pytest.raises(TrainingStopped, match=r"no longer a number at update 5.*update 3 is kept"):
        list(on_device(config, tmp_path))
    assert checkpoint.load(tmp_path / "last.safetensors").header.steps == {"stage2": 3}


def test_too_little_memory_is_said_with_a_smaller_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, graphs: bool = True) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(Recorded, "record", full)
    with pytest.raises(TrainingStopped, match=r"too little memory .* batch of 2: try --train.batch 1; the state is"):
        list(on_device(small(), tmp_path))
    stage, _, _ = built(small("par", stage1_batch=1), ReconstructionStage)
    assert "narrower" in out_of_memory(stage)


def test_a_step_that_cannot_be_recorded_runs_without_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def record(self: Any, graphs: bool = True) -> None:
        if graphs:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(Recorded, "record", record)
    assert list(on_device(small(updates=3), tmp_path))[-1].update == 3
    assert "without a CUDA graph, which could not be recorded (operation not" in (tmp_path / "log.txt").read_text()

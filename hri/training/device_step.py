"""One update of training at fixed shapes, and its recording as a CUDA graph.

Inputs, noise, loss, gradients, clipping, optimiser and counters are in the step; the host only writes rows and learning
rates of the next updates ahead, and reads losses back once a block of updates. The same step runs without a graph on a
CPU, which is how it is tested.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hri.model.model import Model
from hri.training.device_data import PredictionInputs, ReconstructionInputs, key_of
from hri.training.device_optimiser import ClipWindow, DeviceOptimiser
from hri.training.optimiser import Averaged
from hri.training.run_folder import State
from hri.training.schedule import CLIP_WINDOW, batch_rows, free_steps, learning_rate, prior_share
from hri.training.stage import TrainingStage
from hri.training.stages import PredictionStage, ReconstructionStage

ENOUGH_NORMS = 20
"""Gradient norms that must be known before any is clipped, as on a CPU."""
BLOCK = 512
"""Most updates between two looks at their losses."""
WARM_UPS = 3
"""Updates before a graph is recorded, in which libraries set up what they need; they are undone."""


@dataclass
class BlockResult:
    """What the host hears of a block of updates."""

    losses: np.ndarray
    """Loss, its terms and the gradient's norm, a row an update."""
    started: Any
    """CUDA events around the block; None on a CPU."""
    ended: Any


Inputs = ReconstructionInputs | PredictionInputs


def _inputs(stage: TrainingStage, device: torch.device) -> Inputs:
    if isinstance(stage, ReconstructionStage):
        return ReconstructionInputs(stage, device)
    assert isinstance(stage, PredictionStage)  # there are two
    return PredictionInputs(stage, device)


def shape(stage: TrainingStage, update: int) -> int:
    """What the shapes of an update depend on; a graph holds for updates of one such number."""
    if isinstance(stage, ReconstructionStage):
        return int(update < stage.patch_updates)
    return free_steps(stage.config.train, update)


class DeviceStep:
    """One update of a stage, from tensors that stay where they are: call it, or replay what it recorded."""

    def __init__(self, stage: TrainingStage, model: Model, optimiser: Any, state: State, device: torch.device):
        self.stage, self.model, self.device = stage, model, device
        self.parameters = list(optimiser.param_groups[0]["params"])
        self.torch_optimiser, self.optimiser = optimiser, DeviceOptimiser(optimiser, self.parameters)
        config = stage.config.train
        self.clip = ClipWindow(config.clip, CLIP_WINDOW, ENOUGH_NORMS, state.norms, device)
        self.dtype = torch.bfloat16 if config.precision == "bf16" else None
        self.update = torch.tensor([state.update], device=device)
        self.place = torch.zeros_like(self.update)
        """Of the update within its block."""
        self.rows = torch.zeros(BLOCK, stage.batch, dtype=torch.long, device=device)
        self.rates = torch.zeros(BLOCK, dtype=torch.float64, device=device)
        self.shares = torch.zeros(BLOCK, device=device)
        self.names: list[str] = []
        """Of the numbers of an update: the loss, then its terms."""
        self.losses: Tensor | None = None
        """Loss, its terms and the gradient's norm, a row an update of the block."""
        self.averaged = Averaged(model, config.average) if config.average else None
        self.inputs: Inputs = _inputs(stage, device)
        self.begin(state.update)

    def begin(self, update: int) -> None:
        """Take the shapes that hold from this update on."""
        if isinstance(self.inputs, ReconstructionInputs):
            self.inputs.patches = bool(shape(self.stage, update))
        else:
            self.inputs.free_steps = shape(self.stage, update)

    def __call__(self) -> None:
        """The update that the counters stand at."""
        train = self.stage.config.train
        rows = self.rows.index_select(0, self.place)[0]
        rate, share = (table.index_select(0, self.place) for table in (self.rates, self.shares))
        key = key_of(train.seed, self.stage.number, self.update)
        with torch.no_grad():
            inputs = self.inputs(rows, key, share)
        kind = self.device.type
        with torch.autocast(kind, self.dtype) if self.dtype else nullcontext():
            loss, terms = self.stage(**inputs)
        gradients = torch.autograd.grad(loss.float(), self.parameters, materialize_grads=True)
        with torch.no_grad():
            clipped, norm = self.clip.clipped(gradients)
            self.optimiser.step(clipped, rate)
            self.stage.shrink(rate.float())
            if self.averaged is not None:
                self.follow(self.averaged)
            values = torch.stack([loss, *terms.values()]).float()
            row = torch.cat([values, norm])
            if self.losses is None:
                self.names = ["loss", *terms]
                self.losses = torch.zeros(BLOCK, len(row), device=self.device)
            self.losses.index_copy_(0, self.place, row[None])
            self.place += 1
            self.update += 1

    def follow(self, averaged: Averaged) -> None:
        """What :meth:`hri.training.optimiser.Averaged.follow` does, with the update's number on the device."""
        update = self.update.double()
        share = (1 - ((1 + update) / (10 + update)).clamp(max=averaged.decay)).float()[0]
        live = self.model.state_dict()
        behind = torch._foreach_sub([live[name] for name in averaged.tensors], list(averaged.tensors.values()))
        torch._foreach_mul_(behind, share)
        torch._foreach_add_(list(averaged.tensors.values()), behind)

    def tensors(self) -> list[Tensor]:
        """All that an update changes."""
        state = [
            *(self.averaged.tensors.values() if self.averaged else []),
            *self.parameters,
            *self.model.buffers(),
            *self.optimiser.tensors(),
            *self.clip.tensors(),
        ]
        return [*state, self.place, self.update]


class Recorded:
    """A step on a CUDA stream of its own, recorded once and replayed; on a CPU it is simply called."""

    def __init__(self, step: DeviceStep):
        self.step = step
        self.graph: torch.cuda.CUDAGraph | None = None
        self.stream: torch.cuda.Stream | None = None
        if step.device.type == "cuda":
            torch.backends.cudnn.deterministic = True  # a run that stopped goes on to the same numbers
            self.stream = torch.cuda.Stream(step.device)
        self._waiting: tuple[int, Any, Any] | None = None
        self._host: dict[str, Tensor] = {}

    def record(self, graphs: bool = True) -> None:
        """Record the step as it is now; what updates change is then as it was before.

        Args:
            graphs: False launches the step's operations one after the other instead.

        Raises:
            torch.OutOfMemoryError: the device's memory is too small.
            RuntimeError: an operation cannot be recorded.
        """
        if self.stream is None:
            return
        step, self.graph = self.step, None  # the old graph lets go of its memory
        self.stream.wait_stream(torch.cuda.current_stream(step.device))
        before = [tensor.detach().clone() for tensor in step.tensors()]
        self.stream.wait_stream(torch.cuda.current_stream(step.device))
        with torch.cuda.stream(self.stream):
            try:
                for _ in range(WARM_UPS):
                    step()
                self.stream.synchronize()
                if graphs:
                    graph = torch.cuda.CUDAGraph()
                    with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                        step()
                    self.graph = graph
            finally:
                with torch.no_grad():
                    for tensor, old in zip(step.tensors(), before, strict=True):
                        tensor.copy_(old)
        self.stream.synchronize()
        assert step.losses is not None
        tables = {"rows": step.rows, "rates": step.rates, "shares": step.shares, "losses": step.losses}
        for name, table in tables.items():
            if name not in self._host:
                self._host[name] = torch.zeros(table.shape, dtype=table.dtype).pin_memory()

    def record_if_possible(self) -> str:
        """Record the step, or make it ready to be launched operation by operation; why it cannot be recorded, if so.

        Raises:
            torch.OutOfMemoryError: the device's memory is too small.
        """
        try:
            self.record()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.record(graphs=False)
            return str(error).strip().splitlines()[0]
        return ""

    def on(self) -> AbstractContextManager[Any]:
        """Where this step's work is put; whatever else touches its tensors belongs there too."""
        return torch.cuda.stream(self.stream) if self.stream is not None else nullcontext()

    def launch(self, block: range) -> None:
        """Start a block of updates; on CUDA nothing is waited for."""
        step, count = self.step, len(block)
        tables = {"rows": step.rows, "rates": step.rates, "shares": step.shares}
        ahead = schedule(step.stage, block)
        if self.stream is None:
            for name, table in tables.items():
                table[:count] = torch.from_numpy(ahead[name])
            step.place.zero_()
            for _ in block:
                step()
            self._waiting = count, None, None
            return
        assert step.losses is not None
        started, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with torch.cuda.stream(self.stream):
            started.record()
            for name, table in tables.items():
                self._host[name][:count] = torch.from_numpy(ahead[name])
                table[:count].copy_(self._host[name][:count], non_blocking=True)
            step.place.zero_()
            for _ in block:
                self.graph.replay() if self.graph is not None else step()
            self._host["losses"][:count].copy_(step.losses[:count], non_blocking=True)
            ended.record()
        self._waiting = count, started, ended

    def ready(self) -> bool:
        """Whether the block is done."""
        assert self._waiting is not None
        ended = self._waiting[2]
        return ended is None or ended.query()

    def result(self) -> BlockResult:
        """What the block did; waits for it."""
        assert self._waiting is not None
        count, started, ended = self._waiting
        self._waiting = None
        if ended is not None:
            ended.synchronize()
        source = self._host.get("losses", self.step.losses)
        assert source is not None
        return BlockResult(source[:count].numpy().astype(float), started, ended)


def schedule(stage: TrainingStage, block: range) -> dict[str, np.ndarray]:
    """What the host writes ahead: rows [n, B] (those that training on a CPU takes), rates and prior's shares [n]."""
    train = stage.config.train
    rows = [batch_rows(train.seed, stage.number, update, stage.batch, stage.population) for update in block]
    shares = [prior_share(train, update) for update in block]
    rates = [rate_at(stage, update) for update in block]
    return {"rows": np.stack(rows), "rates": np.array(rates), "shares": np.array(shares, dtype=np.float32)}


def rate_at(stage: TrainingStage, update: int) -> float:
    train = stage.config.train
    return learning_rate(stage.learning_rate, update, stage.updates, train.warmup, train.schedule)

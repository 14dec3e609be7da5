"""Whole updates on the device: on CUDA an update of either stage is one replay of a CUDA graph.

Inputs, noise, loss, gradients, clipping, optimiser and counters are in the graph, at fixed shapes. The host writes the
rows and learning rates of the next updates ahead, replays, and reads losses back once a block of updates. The same step
runs without a graph on a CPU, which is how it is tested. What a run folder holds is what :mod:`hri.train` writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hri.checkpoint import Header
from hri.device_data import PredictionInputs, ReconstructionInputs, key_of
from hri.device_optimiser import ClipWindow, DeviceOptimiser
from hri.model import Model
from hri.run import Run, State
from hri.train import (
    CLIP_WINDOW,
    OPTIMISERS,
    SAVE_SECONDS,
    Prediction,
    Reconstruction,
    Report,
    TrainingStopped,
    batch_rows,
    learning_rate,
    no_number,
    train_mode,
)

ENOUGH_NORMS = 20
"""Gradient norms that must be known before any is clipped, as on a CPU."""
BLOCK = 512
"""Most updates between two looks at their losses."""
BLOCK_SECONDS = 0.5
"""Time that a block aims at: long enough to keep the device busy, short enough to be stopped."""
WARM_UPS = 3
"""Updates before a graph is recorded, in which libraries set up what they need; they are undone."""
Stage = Reconstruction | Prediction


def out_of_memory(stage: Stage) -> str:
    """One sentence for a device whose memory a batch does not fit."""
    flag = "--train.stage1-batch" if stage.number == 1 else "--train.batch"
    name, smaller = stage.config.name, stage.batch // 2
    less = f"try {flag} {smaller}" if smaller else "choose a narrower model"
    return f"the GPU has too little memory for {name} with a batch of {stage.batch}: {less}; the state is kept"


@dataclass
class Told:
    """What the host hears of a block of updates."""

    losses: np.ndarray
    """Loss, its terms and the gradient's norm, a row an update."""
    started: torch.cuda.Event | None
    ended: torch.cuda.Event | None


class Step:
    """One update of a stage, from tensors that stay where they are: call it, or replay what it recorded."""

    def __init__(self, stage: Stage, model: Model, optimiser: Any, state: State, device: torch.device):
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
        self.names: list[str] = []
        """Of what is told of an update: the loss, then its terms."""
        self.told: Tensor | None = None
        self.inputs = self.inputs_of(state.update)

    def inputs_of(self, update: int) -> Callable[[Tensor, Tensor], dict[str, Any]]:
        """What makes inputs from this update on."""
        if isinstance(self.stage, Reconstruction):
            return ReconstructionInputs(self.stage, self.device, patches=update < self.stage.patch_updates)
        return PredictionInputs(self.stage, self.device)

    def __call__(self) -> None:
        """The update that the counters stand at."""
        train = self.stage.config.train
        rows = self.rows.index_select(0, self.place)[0]
        rate = self.rates.index_select(0, self.place)
        key = key_of(train.seed, self.stage.number, self.update)
        with torch.no_grad():
            inputs = self.inputs(rows, key)
        kind = self.device.type
        with torch.autocast(kind, self.dtype) if self.dtype else nullcontext():
            loss, terms = self.stage(**inputs)
        gradients = torch.autograd.grad(loss.float(), self.parameters)
        with torch.no_grad():
            clipped, norm = self.clip.clipped(gradients)
            self.optimiser.step(clipped, rate)
            self.stage.shrink(rate.float())
            values = torch.stack([loss, *terms.values()]).float()
            told = torch.cat([values, norm])
            if self.told is None:
                self.names = ["loss", *terms]
                self.told = torch.zeros(BLOCK, len(told), device=self.device)
            self.told.index_copy_(0, self.place, told[None])
            self.place += 1
            self.update += 1

    def tensors(self) -> list[Tensor]:
        """All that an update changes."""
        kept = [*self.parameters, *self.model.buffers(), *self.optimiser.tensors(), *self.clip.tensors()]
        return [*kept, self.place, self.update]


class Recorded:
    """A step on a CUDA stream of its own, recorded once and replayed; on a CPU it is simply called."""

    def __init__(self, step: Step, graphs: bool = True):
        """Record it.

        Raises:
            torch.OutOfMemoryError: the device's memory is too small; everything is as it was before.
        """
        self.step, self.graph, self.stream = step, None, None
        self._waiting: tuple[int, Any, Any] | None = None
        self._host: Tensor | None = None
        if step.device.type != "cuda":
            return
        self.stream = torch.cuda.Stream(step.device)
        self.stream.wait_stream(torch.cuda.current_stream(step.device))
        self._rows = torch.zeros(step.rows.shape, dtype=torch.long).pin_memory()
        self._rates = torch.zeros(step.rates.shape, dtype=torch.float64).pin_memory()
        before = [tensor.detach().clone() for tensor in step.tensors()]
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
        assert step.told is not None
        self._host = torch.zeros(step.told.shape).pin_memory()

    def on(self) -> AbstractContextManager[Any]:
        """Where this step's work is put; whatever else touches its tensors belongs there too."""
        return torch.cuda.stream(self.stream) if self.stream is not None else nullcontext()

    def launch(self, rows: np.ndarray, rates: np.ndarray) -> None:
        """Start a block of updates; on CUDA nothing is waited for.

        Args:
            rows: of each update [n, B].
            rates: learning rate of each [n].
        """
        step, count = self.step, len(rows)
        if self.stream is None:
            step.rows[:count] = torch.from_numpy(rows)
            step.rates[:count] = torch.from_numpy(rates)
            step.place.zero_()
            for _ in range(count):
                step()
            self._waiting = count, None, None
            return
        assert step.told is not None
        assert self._host is not None
        self._rows[:count] = torch.from_numpy(rows)
        self._rates[:count] = torch.from_numpy(rates)
        started, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with torch.cuda.stream(self.stream):
            started.record()
            step.rows[:count].copy_(self._rows[:count], non_blocking=True)
            step.rates[:count].copy_(self._rates[:count], non_blocking=True)
            step.place.zero_()
            for _ in range(count):
                self.graph.replay() if self.graph is not None else step()
            self._host[:count].copy_(step.told[:count], non_blocking=True)
            ended.record()
        self._waiting = count, started, ended

    def ready(self) -> bool:
        """Whether the block is done."""
        assert self._waiting is not None
        ended = self._waiting[2]
        return ended is None or ended.query()

    def told(self) -> Told:
        """What the block did; waits for it."""
        assert self._waiting is not None
        count, started, ended = self._waiting
        self._waiting = None
        if ended is not None:
            ended.synchronize()
        source = self.step.told if self._host is None else self._host
        assert source is not None
        return Told(source[:count].numpy().astype(float), started, ended)


Busy = Callable[[Any, Any], None]
"""Hears the events between which a device worked on a block."""


def run_stage(
    stage: Stage,
    model: Model,
    run: Run,
    header: Header,
    device: torch.device,
    anew: bool,
    busy: Busy | None = None,
) -> Iterator[Report | None]:
    """A stage from where its folder stands to its end; None while the device is at work and there is nothing to tell.

    Args:
        anew: the stage begins with fresh last layers (:meth:`hri.train.Prediction.begin`).
        busy: hears of each block, to tell how much of the time a device computes.

    Raises:
        TrainingStopped: a loss that is no number, or too little memory; what was saved is kept.
    """
    config = stage.config.train
    parameters = stage.trained()
    optimiser = OPTIMISERS[config.optimiser](parameters, lr=stage.learning_rate)
    named = {id(parameter): name for name, parameter in model.named_parameters()}
    names = [named[id(parameter)] for parameter in parameters]
    state = run.restore(stage.number, model, optimiser, names)
    if state.update == 0 and anew:
        stage.begin()
    stage.to(device)
    if stage.updates == 0 or state.update == stage.updates:
        DeviceOptimiser(optimiser, parameters)
        run.save_state(stage.number, model, optimiser, names, state)
        run.finish(stage.number)
        return
    train_mode(stage, config.batch_norm)
    try:
        step = Step(stage, model, optimiser, state, device)
    except torch.OutOfMemoryError as error:
        raise TrainingStopped(out_of_memory(stage)) from error
    recorded = record(step, run)
    clock = _Clock(state)

    def keep() -> None:
        state.update, state.seconds = clock.update, clock.seconds
        with recorded.on():
            state.norms = step.clip.recent()
            run.save_state(stage.number, model, optimiser, names, state)
        clock.saved = time.perf_counter()

    while clock.update < stage.updates:
        block = range(clock.update, clock.update + _block(stage, clock))
        rates = np.array([_rate(stage, update) for update in block])
        launched = time.perf_counter()
        recorded.launch(_rows(stage, block), rates)
        while not recorded.ready():
            yield None
        told = recorded.told()
        clock.pace = (time.perf_counter() - launched) / len(block)
        if busy is not None and told.started is not None:
            busy(told.started, told.ended)
        _check(stage, run, state, clock.update, told.losses)
        seconds = clock.seconds
        for place, (*losses, norm) in enumerate(told.losses.tolist()):
            clock.update += 1
            last = clock.update == stage.updates
            validation: dict[str, Any] = {}
            if last or clock.update % config.evaluate_every == 0:  # blocks end there
                with recorded.on():
                    validation = _validated(stage, model, run, header, state, clock)
            report = Report(
                stage.number,
                clock.update,
                stage.updates,
                dict(zip(step.names, losses, strict=True)),
                float(rates[place]),
                norm,
                seconds - clock.pace * (len(block) - 1 - place),
                validation,
            )
            run.log(report.to_dict(), always=last or bool(validation) or stage.updates <= 2000)
            if validation:
                keep()
            yield report
        if time.perf_counter() - clock.saved > SAVE_SECONDS:
            keep()
        if (wish := run.wish) != "go":
            keep()
            if wish == "pause":
                waited = time.perf_counter()
                run.pause()
                clock.started += time.perf_counter() - waited
            if wish == "stop" or run.wish == "stop":
                run.stopped = True
                run.note(f"stopped as asked, at update {clock.update} of stage {stage.number}")
                return
        if isinstance(stage, Reconstruction) and clock.update == stage.patch_updates < stage.updates:
            step.inputs = step.inputs_of(clock.update)
            recorded = record(step, run)
    run.finish(stage.number)


class _Clock:
    """Where a stage stands, and what the time is."""

    def __init__(self, state: State):
        self.update, self.before = state.update, state.seconds
        self.started = self.saved = time.perf_counter()
        self.pace = 0.0
        """Seconds an update, in the last block."""

    @property
    def seconds(self) -> float:
        """In this stage so far, pauses left out."""
        return self.before + time.perf_counter() - self.started


def record(step: Step, run: Run) -> Recorded:
    """The step ready to be replayed; where its graph cannot be recorded, launched one operation after the other.

    Raises:
        TrainingStopped: too little memory; what was saved is kept.
    """
    try:
        return Recorded(step)
    except torch.OutOfMemoryError as error:
        raise TrainingStopped(out_of_memory(step.stage)) from error
    except RuntimeError as error:
        run.note(f"updates run without a CUDA graph, which could not be recorded ({str(error).splitlines()[0]})")
        return Recorded(step, graphs=False)


def _block(stage: Stage, clock: _Clock) -> int:
    """Updates until the next look: about half a second, and never past a validation or a change of the step."""
    train = stage.config.train
    fitting = round(BLOCK_SECONDS / clock.pace) if clock.pace > 0 else 1
    ends = [stage.updates, (clock.update // train.evaluate_every + 1) * train.evaluate_every]
    if isinstance(stage, Reconstruction) and clock.update < stage.patch_updates:
        ends.append(stage.patch_updates)
    return min(max(1, fitting), BLOCK, min(ends) - clock.update)


def _rows(stage: Stage, block: range) -> np.ndarray:
    """Of each update [n, B]: those that training on a CPU takes."""
    seed = stage.config.train.seed
    return np.stack([batch_rows(seed, stage.number, update, stage.batch, stage.population) for update in block])


def _rate(stage: Stage, update: int) -> float:
    train = stage.config.train
    return learning_rate(stage.learning_rate, update, stage.updates, train.warmup, train.schedule)


def _check(stage: Stage, run: Run, state: State, update: int, told: np.ndarray) -> None:
    """Stop before anything is saved that is no number.

    Raises:
        TrainingStopped: a loss or a gradient is not finite.
    """
    finite = np.isfinite(told).all(1)
    if not finite.all():
        raise TrainingStopped(no_number(stage.number, update + int(finite.argmin()) + 1, state.update, run.folder))


def _validated(stage: Stage, model: Model, run: Run, header: Header, state: State, clock: _Clock) -> dict[str, Any]:
    """Scores of the weights as they are, and checkpoints of them."""
    model.eval()
    validation = stage.validate(model)
    score = stage.score(validation)
    better, state.best = score < state.best, min(state.best, score)
    now = run.describe(header, stage.number, clock.update, clock.seconds, validation)
    run.save_checkpoints(model, now, better)
    train_mode(stage, stage.config.train.batch_norm)
    return validation

"""Whole updates on the device: the loop over blocks of updates around :mod:`hri.training.device_step`.

On CUDA an update of either stage is one replay of a graph. What a run folder holds is what :mod:`hri.training.loop`
writes, so a run can go on here or there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from hri.model.checkpoint import Header
from hri.model.model import Model
from hri.training.device_optimiser import DeviceOptimiser
from hri.training.device_step import BLOCK, DeviceStep, Recorded, rate_at, shape
from hri.training.optimiser import Averaged
from hri.training.run_folder import Run, State
from hri.training.stage import TrainingStage
from hri.training.stages import OPTIMISERS, SAVE_SECONDS, Report, TrainingStopped, no_number, train_mode

BLOCK_SECONDS = 0.5
"""Time that a block aims at: long enough to keep the device busy, short enough to be stopped."""


class TooLittleMemory(TrainingStopped):
    """The device's memory does not hold the run, alone or beside others."""


def out_of_memory(stage: TrainingStage) -> str:
    """One sentence for a device whose memory a batch does not fit."""
    flag = "--train.stage1-batch" if stage.number == 1 else "--train.batch"
    name, smaller = stage.config.name, stage.batch // 2
    less = f"try {flag} {smaller}" if smaller else "choose a narrower model"
    return f"the GPU has too little memory for {name} with a batch of {stage.batch}: {less}; the state is kept"


Busy = Callable[[Any, Any], None]
"""Hears the events between which a device worked on a block."""


def run_stage(
    stage: TrainingStage,
    model: Model,
    run: Run,
    header: Header,
    device: torch.device,
    anew: bool,
    busy: Busy | None = None,
) -> Iterator[Report | None]:
    """A stage from where its folder stands to its end; None while the device is at work and there is nothing to tell.

    Args:
        anew: the stage begins with fresh last layers (:meth:`hri.training.stages.PredictionStage.begin`).
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
        step = DeviceStep(stage, model, optimiser, state, device)
    except torch.OutOfMemoryError as error:
        raise TooLittleMemory(out_of_memory(stage)) from error
    if step.averaged is not None and state.update:
        with torch.no_grad():
            for name, value in run.restored_average().items():
                step.averaged.tensors[name].copy_(value)
    recorded = Recorded(step)
    record(recorded, run)
    clock = _Clock(state)

    def keep() -> None:
        state.update, state.seconds = clock.update, clock.seconds
        with recorded.on():
            state.norms = step.clip.recent()
            averaged = step.averaged.tensors if step.averaged else {}
            run.save_state(stage.number, model, optimiser, names, state, averaged)
        clock.saved = time.perf_counter()

    while clock.update < stage.updates:
        block = range(clock.update, clock.update + _block(stage, clock))
        launched = time.perf_counter()
        recorded.launch(block)
        yield None  # others have their turn, also where a launch waits for its own end
        while not recorded.ready():
            yield None
        result = recorded.result()
        clock.pace = (time.perf_counter() - launched) / len(block)
        if busy is not None and result.started is not None:
            busy(result.started, result.ended)
        _check(stage, run, state, clock.update, result.losses)
        seconds = clock.seconds
        for place, (*losses, norm) in enumerate(result.losses.tolist()):
            clock.update += 1
            last = clock.update == stage.updates
            validation: dict[str, Any] = {}
            if last or clock.update % config.evaluate_every == 0:  # blocks end there
                with recorded.on(), _shown(step.averaged):
                    validation = _validated(stage, model, run, header, state, clock)
            report = Report(
                stage.number,
                clock.update,
                stage.updates,
                dict(zip(step.names, losses, strict=True)),
                rate_at(stage, block[place]),
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
        if clock.update < stage.updates and shape(stage, clock.update) != shape(stage, clock.update - 1):
            step.begin(clock.update)
            record(recorded, run)
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


def record(recorded: Recorded, run: Run) -> None:
    """The step ready to be replayed; where its graph cannot be recorded, launched one operation after the other.

    Raises:
        TrainingStopped: too little memory; what was saved is kept.
    """
    try:
        if why := recorded.record_if_possible():
            run.note(f"updates run without a CUDA graph, which could not be recorded ({why})")
    except torch.OutOfMemoryError as error:
        raise TooLittleMemory(out_of_memory(recorded.step.stage)) from error


def _shown(averaged: Averaged | None) -> AbstractContextManager[Any]:
    return averaged.in_model() if averaged is not None else nullcontext()


def _block(stage: TrainingStage, clock: _Clock) -> int:
    """Updates until the next look: about half a second, and never past a validation or a change of the step."""
    train = stage.config.train
    fitting = round(BLOCK_SECONDS / clock.pace) if clock.pace > 0 else 1
    ends = [stage.updates, (clock.update // train.evaluate_every + 1) * train.evaluate_every]
    most = min(max(1, fitting), BLOCK, min(ends) - clock.update)
    here = shape(stage, clock.update)
    return next((ahead for ahead in range(1, most) if shape(stage, clock.update + ahead) != here), most)


def _check(stage: TrainingStage, run: Run, state: State, update: int, losses: np.ndarray) -> None:
    """Stop before anything is saved that is no number.

    Raises:
        TrainingStopped: a loss or a gradient is not finite.
    """
    finite = np.isfinite(losses).all(1)
    if not finite.all():
        raise TrainingStopped(no_number(stage.number, update + int(finite.argmin()) + 1, state.update, run.folder))


def _validated(
    stage: TrainingStage, model: Model, run: Run, header: Header, state: State, clock: _Clock
) -> dict[str, Any]:
    """Scores of the weights as they are, and checkpoints of them."""
    model.eval()
    validation = stage.validate(model)
    score = stage.score(validation)
    better, state.best = score < state.best, min(state.best, score)
    now = run.describe(header, stage.number, clock.update, clock.seconds, validation)
    run.save_checkpoints(model, now, better)
    train_mode(stage, stage.config.train.batch_norm)
    return validation

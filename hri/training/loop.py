"""Two-stage training as a generator of reports; a terminal or a page only watches (paper, section 3.5).

All chance is a function of (seed, stage, update, sample), so a run that was killed resumes to the same numbers
and several processes see the noise that one would.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from hri.core.config import Config
from hri.core.memory import keep_freed_memory
from hri.data.dataset import Sequences
from hri.data.sources import sequences, source_of
from hri.model import checkpoint
from hri.model.checkpoint import Header
from hri.model.commands import Command, of_vision
from hri.model.devices import device_named
from hri.model.model import Model
from hri.training.control import Wish
from hri.training.device_loop import run_stage
from hri.training.optimiser import Averaged
from hri.training.run_folder import Run
from hri.training.schedule import CLIP_WINDOW, batch_rows, learning_rate
from hri.training.stage import TrainingStage
from hri.training.stages import (
    OPTIMISERS,
    SAVE_SECONDS,
    PredictionStage,
    ReconstructionStage,
    Report,
    TrainingStopped,
    no_number,
    train_mode,
)

WISHES: tuple[Wish, ...] = ("go", "pause", "stop")


def train(
    config: Config,
    folder: str | os.PathLike[str],
    resume: bool = False,
    vision_from: str | None = None,
    command: Sequence[str] = (),
    refine: bool = False,
    device: str = "auto",
) -> Iterator[Report]:
    """Train ``config`` in ``folder``, yielding a report an update; the folder always holds a state to resume from.

    Args:
        resume: go on where the folder's run stopped, to the same numbers as if it had not.
        vision_from: a checkpoint whose encoder and decoder are taken; stage 1 is then skipped.
        command: the words of what was typed, for the header.
        refine: go on with stage 1 from those weights instead of skipping it; its learning rate begins anew.
        device: cpu, cuda, cuda:1, or auto (CUDA where there is one). On CUDA the updates are those of
            :mod:`hri.training.device_loop`, whose noise is another than a CPU's: a run goes on on either, to the same
            numbers only on one.

    Raises:
        ValueError: the folder holds another run, the config cannot be trained, the batch cannot be shared out, or
            there is no such device.
        TrainingStopped: the loss is not finite; the last good state and checkpoints are kept.
        OSError: the folder cannot be written or the disk is full; earlier files are kept.
    """
    keep_freed_memory()
    place = torch.device(device_named(device))
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    origin = vision_from, command, refine
    if place.type == "cuda" and alone and config.train.precision != "fp16":
        if place.index is not None:
            torch.cuda.set_device(place)
        with Run(Path(folder), config, resume) as run:
            for report in prepared(config, run, place, run_stage, *origin):
                if report is not None:
                    yield report
                else:
                    time.sleep(0.001)
        return
    AcceleratorState._reset_state()  # an earlier run of this process may have had another precision
    accelerator = Accelerator(mixed_precision=config.train.precision, cpu=place.type == "cpu")

    def loop(
        stage: TrainingStage,
        model: Model,
        run: Run,
        header: Header,
        device: torch.device,
        anew: bool,
    ) -> Iterator[Report]:
        if stage.batch % accelerator.num_processes:
            raise ValueError(
                f"a batch of {stage.batch} cannot be shared by {accelerator.num_processes} processes; choose a multiple"
            )
        return _run_stage(stage, model, run, header, accelerator, anew)

    with Run(Path(folder), config, resume, main=accelerator.is_main_process) as run:
        for report in prepared(config, run, accelerator.device, loop, *origin):
            assert report is not None
            yield report


def prepared(
    config: Config,
    run: Run,
    device: torch.device,
    loop: Callable[..., Iterator[Report | None]],
    vision_from: str | None = None,
    command: Sequence[str] = (),
    refine: bool = False,
    data: Callable[..., Sequences] = sequences,
) -> Iterator[Report | None]:
    """Make model and data, and train both stages of a run with ``loop`` (stage, model, run, header, device, anew).

    Args:
        data: gives a split, as :func:`hri.data.dataset.sequences` does; several runs may share what it gives.

    Raises:
        ValueError: an encoder that does not fit.
    """
    if refine and not (vision_from and config.train.stage1_updates):
        raise ValueError("nothing to refine: name a checkpoint with --vision-from, and --stage1-updates above 0")
    torch.manual_seed(config.train.seed)
    model = Model(config)
    training = data(config.data, "train")
    validation = data(config.data, "validation", training.normalisation)
    if vision_from:
        source = checkpoint.load(vision_from)
        if not (source.model.sees_frames and model.sees_frames):
            raise ValueError(
                "only image models have an encoder and decoder to take; choose slot or par presets and checkpoints"
            )
        own = model.vision.state_dict()
        offered = {n: v for n, v in source.model.vision.state_dict().items() if not n.startswith("upper")}
        if any(own[n].shape != v.shape for n, v in offered.items() if n in own) or not offered.keys() <= own.keys():
            raise ValueError(
                f"the encoder and decoder of {vision_from} have other shapes than this model's; "
                "use the same decoder and image size"
            )
        model.vision.load_state_dict(offered, strict=False)
        earlier = {name: getattr(source.header, name) for name in ("steps", "hours")}
        earlier = {name: {"stage1": value["stage1"]} if "stage1" in value else {} for name, value in earlier.items()}
        history = of_vision(source.header.history())
    else:
        earlier, history = {}, ()

    stages: list[type[TrainingStage]] = [PredictionStage]
    if model.sees_frames and (refine or not vision_from):
        # Stage 2 begins with the features of every training frame: not for nothing.
        stages = [ReconstructionStage, PredictionStage] if config.train.updates else [ReconstructionStage]
    header = Header(
        config=config,
        normalisation=training.normalisation,
        seed=config.train.seed,
        data=source_of(config.data).about,
        commands=(*history, Command(tuple(command), tuple(stage.number for stage in stages))),
        **earlier,
        **checkpoint.provenance(device.type),
    )
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for stage_class in stages:
        if run.done(stage_class.number):
            continue
        run.restore_weights(model, stage_class.number)
        stage = stage_class(config, model, training, validation)
        yield from loop(stage, model, run, header, device, anew=not (refine and stage.number == 1))
        if run.stopped:
            return


def _run_stage(
    stage: TrainingStage,
    model: Model,
    run: Run,
    header: Header,
    accelerator: Accelerator,
    anew: bool,
) -> Iterator[Report]:
    config = stage.config.train
    parameters = stage.trained()
    optimiser = OPTIMISERS[config.optimiser](parameters, lr=stage.learning_rate)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    state = run.restore(stage.number, model, optimiser, [names[id(p)] for p in parameters])
    if state.update == 0 and anew:
        stage.begin()
    averaged = Averaged(model, config.average) if config.average else None
    if averaged is not None and state.update:
        averaged.tensors.update(run.restored_average())
    module, optimiser = accelerator.prepare(stage, optimiser)
    if accelerator.scaler is not None and state.scaler:
        accelerator.scaler.load_state_dict(state.scaler)
    share = stage.batch // accelerator.num_processes
    mine = slice(accelerator.process_index * share, (accelerator.process_index + 1) * share)
    started = saved = time.perf_counter()
    before = state.seconds

    def keep(update: int) -> None:
        state.update, state.seconds = update, before + time.perf_counter() - started
        state.scaler = accelerator.scaler.state_dict() if accelerator.scaler is not None else {}
        run.save_state(
            stage.number,
            model,
            optimiser,
            [names[id(p)] for p in parameters],
            state,
            averaged.tensors if averaged else {},
        )

    train_mode(module, config.batch_norm)
    for update in range(state.update, stage.updates):
        rows = batch_rows(config.seed, stage.number, update, stage.batch, stage.population)[mine]
        rate = learning_rate(stage.learning_rate, update, stage.updates, config.warmup, config.schedule)
        for group in optimiser.param_groups:
            group["lr"] = rate
        inputs = {
            k: v.to(accelerator.device) if isinstance(v, Tensor) else v for k, v in stage.inputs(update, rows).items()
        }
        loss, terms = module(**inputs)
        optimiser.zero_grad()
        accelerator.backward(loss)
        limit = config.clip * median(state.norms) if len(state.norms) >= 20 else float("inf")
        norm = float(accelerator.clip_grad_norm_(parameters, limit))
        # What is asked of the main process travels to the others with the losses, so that all act alike.
        wish = loss.new_tensor(WISHES.index(run.wish) * accelerator.num_processes)
        *means, word = accelerator.reduce(torch.stack([loss.detach(), *terms.values(), wish]).float(), "mean").tolist()
        losses = dict(zip(["loss", *terms], means, strict=True))
        if not np.isfinite(means).all() or (not np.isfinite(norm) and accelerator.scaler is None):
            raise TrainingStopped(no_number(stage.number, update + 1, state.update, run.folder))
        optimiser.step()
        stage.shrink(rate)
        if averaged is not None:
            averaged.follow(update)
        if np.isfinite(norm):
            state.norms = [*state.norms, norm][-CLIP_WINDOW:]

        last = update + 1 == stage.updates
        validation: dict[str, Any] = {}
        seconds = before + time.perf_counter() - started
        if last or (update + 1) % config.evaluate_every == 0:
            model.eval()
            with averaged.in_model() if averaged is not None else nullcontext():
                validation = stage.validate(model)
        report = Report(stage.number, update + 1, stage.updates, losses, rate, norm, seconds, validation)
        if validation:
            score = stage.score(validation)
            better = score < state.best
            state.best = min(state.best, score)
            now = run.describe(header, stage.number, update + 1, seconds, validation)
            with averaged.in_model() if averaged is not None else nullcontext():
                run.save_checkpoints(model, now, better)
            train_mode(module, config.batch_norm)
        run.log(report.to_dict(), always=last or bool(validation) or stage.updates <= 2000)
        if validation or time.perf_counter() - saved > SAVE_SECONDS:
            keep(update + 1)
            saved = time.perf_counter()
        yield report
        if WISHES[round(word)] != "go":
            keep(update + 1)
            if WISHES[round(word)] == "pause" and accelerator.num_processes == 1:
                waited = time.perf_counter()
                run.pause()
                started += time.perf_counter() - waited
            if WISHES[round(word)] == "stop" or run.wish == "stop":
                run.stopped = True
                run.note(f"stopped as asked, at update {update + 1} of stage {stage.number}")
                return
    if stage.updates == 0 or state.update == stage.updates:
        keep(stage.updates)
    run.finish(stage.number)
    accelerator.free_memory()

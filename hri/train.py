"""Two-stage training as a generator of reports; a terminal or a page only watches (paper, section 3.5).

All chance is a function of (seed, stage, update, sample), so a run that was killed resumes to the same numbers
and several processes see the noise that one would.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from jaxtyping import Int
from torch import Tensor, nn

from hri import checkpoint
from hri.checkpoint import Header
from hri.config import Config, TrainConfig
from hri.control import Wish
from hri.dataset import Sequences, sequences
from hri.decoders import SlotDecoder
from hri.evaluate import while_training
from hri.losses import edge_prior, frame_nll, state_nll
from hri.metrics import copied_frames_mse, free_run_scores, reconstruction_mse, slot_usage
from hri.model import Model
from hri.nn import Norm, gumbel_noise
from hri.optimiser import Averaged, Muon
from hri.patches import choose, tile_loss
from hri.relations import SAMPLES, given, most_likely
from hri.run import Run
from hri.terminal import device_named

CLIP_WINDOW = 100
"""Updates over which the median gradient norm is taken."""
FREE_STEPS = 5
"""Of the validation, as in every reported NLL."""
WATCHED = 40
"""Validation systems of the scores that only watch (:func:`hri.evaluate.while_training`)."""
SAVE_SECONDS = 60.0
"""Time between saves of the resumable state within an evaluation interval."""
WISHES: tuple[Wish, ...] = ("go", "pause", "stop")
OPTIMISERS: dict[str, type[Muon] | type[torch.optim.Adam]] = {"muon": Muon, "adam": torch.optim.Adam}


@dataclass(frozen=True)
class Report:
    """What one update did."""

    stage: int
    update: int
    updates: int
    """Planned updates of this stage."""
    losses: dict[str, float]
    learning_rate: float
    gradient_norm: float
    seconds: float
    """Wall-clock seconds spent in this stage so far, over all resumptions."""
    validation: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """One line of ``metrics.jsonl``."""
        record: dict[str, Any] = {"update": self.update, "stage": self.stage, **self.losses}
        record |= {
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "seconds": round(self.seconds, 3),
        }
        return record | ({"validation": self.validation} if self.validation else {})


class TrainingStopped(RuntimeError):  # noqa: N818 - named for what happened to the run
    """Training cannot go on; the message says why, what was kept and what to try."""


class Reconstruction(nn.Module):
    """Stage 1: each frame from its own slots. Returns the mean squared error a pixel times what the NLL makes of it."""

    number = 1

    def __init__(self, config: Config, model: Model, train: Sequences, validation: Sequences):
        super().__init__()
        assert model.vision is not None
        assert config.model.vision is not None
        self.vision = model.vision
        self.config, self.train_set, self.validation_set = config, train, validation
        self.updates, self.batch = config.train.stage1_updates, config.train.stage1_batch
        self.learning_rate = config.train.stage1_learning_rate
        self.population = len(train) * train.steps
        self.patch_updates = (
            round(self.updates * config.train.patch_share) if config.model.vision.decoder == "slot" else 0
        )
        if self.patch_updates and config.data.render.size != 32:
            raise ValueError("train.patch_share is for frames of 32 x 32 pixels; set it to 0 to train whole frames")
        self.copied = copied_frames_mse(validation)

    def begin(self) -> None:
        """Before the first update."""
        _shrink(self.vision.decoder.layers[-1], self.config.train.last_layer_scale)

    def trained(self) -> list[nn.Parameter]:
        self.vision.upper.requires_grad_(False)
        return [*self.vision.leaves.parameters(), *self.vision.decoder.parameters()]

    def shrink(self, rate: float | Tensor) -> None:
        """After an update; nothing shrinks."""

    def inputs(self, update: int, rows: Int[np.ndarray, " B"]) -> dict[str, Any]:
        """The frames of an update (rows number the (system, time) pairs), and at first the patches to train."""
        frames = self.train_set.frames(*np.divmod(rows, self.train_set.steps))
        if update >= self.patch_updates:
            return {"frames": frames}
        chosen = choose(frames, torch.Generator().manual_seed(_number(self.config.train.seed, 1, update)))
        return {"frames": frames} | dict(zip(("rows", "weights", "others"), chosen, strict=True))

    def forward(
        self, frames: Tensor, rows: Tensor | None = None, weights: Tensor | None = None, others: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if rows is not None and weights is not None and others is not None:
            assert isinstance(self.vision.decoder, SlotDecoder)  # no other draws patches one by one
            slots = self.vision.leaves.slots(self.vision.leaves.map(frames))
            error = tile_loss(self.vision.decoder, slots, frames, rows, weights, others)
        else:
            error = ((self.vision(frames).float() - frames) ** 2).sum((1, 2, 3)).mean()
        mse = error.detach() / frames[0].numel()
        return error / (2 * self.config.train.variance), {"reconstruction_mse": mse}

    def validate(self, model: Model) -> dict[str, Any]:
        error = reconstruction_mse(model, self.validation_set, frames=1000)
        copied = {"copy_reconstruction_mse": self.copied}
        return {"reconstruction_mse": error} | copied | slot_usage(model, self.validation_set)

    def score(self, validation: dict[str, Any]) -> float:
        return validation["reconstruction_mse"]


class Prediction(nn.Module):
    """Stage 2: the next states, from states or from the frozen encoder's features, computed once."""

    number = 2

    def __init__(self, config: Config, model: Model, train: Sequences, validation: Sequences):
        super().__init__()
        self.model, self.config = model, config
        self.train_set, self.validation_set = train, validation
        self.updates, self.batch = config.train.updates, config.train.batch
        self.learning_rate = config.train.learning_rate
        self.population = len(train)
        self.balls = train.objects
        self.features = encode_all(model, train) if model.vision else None
        self.copied = copied_frames_mse(validation, FREE_STEPS) if model.vision else None

    def begin(self) -> None:
        """Before the first update."""
        _shrink(self.model.dynamics.out, self.config.train.last_layer_scale)

    def trained(self) -> list[nn.Parameter]:
        if self.model.vision is None:
            return list(self.model.parameters())
        self.model.vision.upper.requires_grad_(True)
        self.model.vision.leaves.requires_grad_(False)
        self.model.vision.decoder.requires_grad_(False)
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @torch.no_grad()
    def shrink(self, rate: float | Tensor) -> None:
        """After an update: the encoder of upper slots, as ``train.upper_decay`` says."""
        if self.model.vision is not None and self.config.train.upper_decay:
            kept = 1 - rate * self.config.train.upper_decay
            for parameter in self.model.vision.upper.parameters():
                parameter.mul_(kept.clamp(min=0) if isinstance(kept, Tensor) else max(0.0, kept))

    def inputs(self, update: int, rows: Int[np.ndarray, " B"]) -> dict[str, Any]:
        """Sequences of an update, with the noise and the decoded times that belong to each of them."""
        steps, train = self.train_set.steps, self.config.train
        generators = [torch.Generator().manual_seed(_number(train.seed, 2, update, int(row))) for row in rows]
        relations = self.config.model.relations
        chosen: dict[str, Any] = {"noise": None, "types": None, "frames": None, "times": None}
        chosen |= {"prior_share": torch.tensor(prior_share(train, update)), "free_steps": free_steps(train, update)}
        first, predicted = 1, steps - 1  # frames that are predicted, from which on
        if self.config.model.dynamics.memory == "none":
            chosen |= self._starts(update)
            first, predicted = int(chosen["starts"][0]) + 1, len(chosen["starts"]) * train.free_steps
            steps += 1  # edges may come from all frames there are
        shape = (steps, len(self.model.senders), relations.edge_types)
        if relations.source == "true":
            chosen["types"] = self.train_set.true_types(self.model.senders, self.model.receivers)[rows]
        elif relations.source == "inferred":
            chosen["noise"] = torch.stack([gumbel_noise(shape, generator) for generator in generators])
        if self.features is None:
            return chosen | {"seen": self.train_set.states[rows]}
        times = torch.stack(
            [first + torch.randperm(predicted, generator=g)[: train.frames_decoded] for g in generators]
        )
        frames = self.train_set.frames(np.repeat(rows, times.shape[1]), times.flatten().numpy())
        return chosen | {"seen": self.features[rows], "frames": frames, "times": times}

    def _starts(self, update: int) -> dict[str, Tensor]:
        """Where the runs of a model without memory start, one behind the other, and the times their edges are from.

        A dynamic graph is that of each start, so no run sees its own future. A static one is inferred once (an
        autoencoder of the sequence, as NRI is): from as many full windows as fit into the sequence side by side, or
        from one long window that ends anywhere, late more often than early.
        """
        steps, length = self.train_set.steps, self.config.train.free_steps
        runs = (steps - 1) // length
        generator = torch.Generator().manual_seed(_number(self.config.train.seed, 2, update))
        first = torch.randint(steps - runs * length, (1,), generator=generator)
        starts = first + length * torch.arange(runs)
        if self.config.model.relations.graph == "dynamic":
            return {"starts": starts, "edges_at": starts}
        full = min(self.config.model.relations.history, steps)
        if full > steps // 2:
            late = torch.rand(1, generator=generator).sqrt()
            return {"starts": starts, "edges_at": (late * steps).long() + 1}
        return {"starts": starts, "edges_at": torch.randint(full, steps + 1, (steps // full,), generator=generator)}

    def forward(
        self,
        seen: Tensor,
        noise: Tensor | None,
        types: Tensor | None,
        frames: Tensor | None,
        times: Tensor | None,
        prior_share: Tensor,
        free_steps: int,
        starts: Tensor | None = None,
        edges_at: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        train = self.config.train
        # Half precision is for images only: its rounding is as large as the fixed standard deviation of states.
        with torch.autocast(seen.device.type, enabled=False):
            slots = seen if self.model.vision is None else self.model.vision.slots(seen)
            if types is not None:
                pick = given(types)
            elif noise is not None:
                pick = SAMPLES[train.edge_sample](noise, self.config.model.relations.temperature)
            else:
                pick = given(torch.ones(len(slots), len(self.model.senders), dtype=torch.long, device=slots.device))
            if starts is not None and edges_at is not None:
                predicted = self.model.rolls(slots, starts, train.free_steps, edges_at, pick)
                at = starts[0] + torch.arange(1, len(starts) * train.free_steps + 1, device=starts.device)
            else:
                predicted = self.model(slots, free_steps, pick, train.edges_from)
                at = torch.arange(1, slots.shape[1], device=slots.device)
        # Upper slots move while their encoder trains: as targets they are constants, or they would collapse.
        target = slots.index_select(1, at).detach()
        leaves = self.model.tree.leaves
        if self.model.joint_leaves:
            nll = state_nll(predicted.slots, target.index_select(2, self.model.leaf_rows), train.variance)
        else:
            nll = state_nll(predicted.slots, target, train.variance)
            nll = nll.index_select(0, self.model.leaf_rows) if self.model.scores_leaves else nll
        loss, terms = nll.mean(), {"nll": nll.mean().detach()}
        if self.model.vision is not None and len(nll) > len(leaves):
            # Their part of the mean, not their share of it: parts may be averaged over processes.
            terms["nll_upper"] = nll.detach()[: int(leaves[0])].sum() / nll.numel()
        if noise is not None:
            prior = edge_prior(predicted.logits.float(), self.balls, train.no_edge_prior)
            loss, terms["edge_prior"] = loss + train.edge_weight * prior_share * prior, prior.detach()
            used = most_likely(predicted.logits.detach(), slice(None)).flatten(0, -2).mean(0)
            first = 0 if self.config.model.relations.silent else 1  # type 0 is the silent one, as in rollouts
            terms |= {f"edge_type_{kind}": share for kind, share in enumerate(used, start=first)}
        if frames is not None and times is not None and self.model.vision is not None:
            rows = torch.arange(len(slots), device=slots.device).repeat_interleave(times.shape[1])
            places = rows * predicted.slots.shape[1] + times.flatten() - at[0]
            shown = predicted.slots.flatten(0, 1).index_select(0, places)[:, -16:]
            image = frame_nll(self.model.vision.decoder(shown).float(), frames, train.variance)
            loss, terms["frame_nll"] = loss + image, image.detach()
        return loss, terms

    def validate(self, model: Model) -> dict[str, Any]:
        variance, data = self.config.train.variance, self.validation_set
        scores = free_run_scores(model, data, free_steps=FREE_STEPS, variance=variance)
        if self.copied is not None:
            pixels = data.data.render.size**2 * data.data.render.channels
            scores |= {"copy_frame_mse": self.copied, "copy_frame_nll": self.copied * pixels / (2 * variance)}
        return scores | while_training(model, data.part(slice(0, WATCHED)), variance)

    def score(self, validation: dict[str, Any]) -> float:
        return validation["frame_nll"] if "frame_nll" in validation else validation["nll"]


@torch.no_grad()
def encode_all(model: Model, data: Sequences, block: int = 20) -> Tensor:
    """Feature maps of every frame [S, T, F, 4, 4]: the frozen encoder runs once over the data."""
    assert model.vision is not None
    leaves = model.vision.leaves.eval()
    device = next(model.parameters()).device
    kept = []
    for first in range(0, len(data), block):
        systems = np.arange(first, min(first + block, len(data)))
        frames = data.frames(np.repeat(systems, data.steps), np.tile(np.arange(data.steps), len(systems)))
        kept.append(leaves.map(frames.to(device)).cpu().contiguous().unflatten(0, (len(systems), data.steps)))
    return torch.cat(kept)


def train(
    config: Config,
    folder: str | os.PathLike[str],
    resume: bool = False,
    vision_from: str | None = None,
    command: str = "",
    refine: bool = False,
    device: str = "auto",
) -> Iterator[Report]:
    """Train ``config`` in ``folder``, yielding a report an update; the folder always holds a state to resume from.

    Args:
        resume: go on where the folder's run stopped, to the same numbers as if it had not.
        vision_from: a checkpoint whose encoder and decoder are taken; stage 1 is then skipped.
        command: what was typed, for the header.
        refine: go on with stage 1 from those weights instead of skipping it; its learning rate begins anew.
        device: cpu, cuda, cuda:1, or auto (CUDA where there is one). On CUDA updates are :mod:`hri.device_loop`'s,
            whose noise is another than a CPU's: a run goes on on either, to the same numbers only on one.

    Raises:
        ValueError: the folder holds another run, the config cannot be trained, the batch cannot be shared out, or
            there is no such device.
        TrainingStopped: the loss is not finite; the last good state and checkpoints are kept.
        OSError: the folder cannot be written or the disk is full; earlier files are kept.
    """
    keep_freed_memory()
    place = torch.device(device_named(device))
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    given = vision_from, command, refine
    if place.type == "cuda" and alone and config.train.precision != "fp16":
        from hri.device_loop import run_stage

        if place.index is not None:
            torch.cuda.set_device(place)
        with Run(Path(folder), config, resume) as run:
            for report in prepared(config, run, place, run_stage, *given):
                if report is not None:
                    yield report
                else:
                    time.sleep(0.001)
        return
    AcceleratorState._reset_state()  # an earlier run of this process may have had another precision
    accelerator = Accelerator(mixed_precision=config.train.precision, cpu=place.type == "cpu")

    def loop(
        stage: Reconstruction | Prediction, model: Model, run: Run, header: Header, device: torch.device, anew: bool
    ) -> Iterator[Report]:
        if stage.batch % accelerator.num_processes:
            raise ValueError(
                f"a batch of {stage.batch} cannot be shared by {accelerator.num_processes} processes; choose a multiple"
            )
        return _run_stage(stage, model, run, header, accelerator, anew)

    with Run(Path(folder), config, resume, main=accelerator.is_main_process) as run:
        for report in prepared(config, run, accelerator.device, loop, *given):
            assert report is not None
            yield report


def prepared(
    config: Config,
    run: Run,
    device: torch.device,
    loop: Callable[..., Iterator[Report | None]],
    vision_from: str | None = None,
    command: str = "",
    refine: bool = False,
    data: Callable[..., Sequences] = sequences,
) -> Iterator[Report | None]:
    """Make model and data, and train both stages of a run with ``loop`` (stage, model, run, header, device, anew).

    Args:
        data: gives a split, as :func:`hri.dataset.sequences` does; several runs may share what it gives.

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
        taken = checkpoint.load(vision_from)
        if taken.model.vision is None or model.vision is None:
            raise ValueError(
                "only image models have an encoder and decoder to take; choose slot or par presets and checkpoints"
            )
        wanted = model.vision.state_dict()
        offered = {n: v for n, v in taken.model.vision.state_dict().items() if not n.startswith("upper")}
        if (
            any(wanted[n].shape != v.shape for n, v in offered.items() if n in wanted)
            or not offered.keys() <= wanted.keys()
        ):
            raise ValueError(
                f"the encoder and decoder of {vision_from} have other shapes than this model's; "
                "use the same decoder and image size"
            )
        model.vision.load_state_dict(offered, strict=False)
        earlier = {name: getattr(taken.header, name) for name in ("steps", "hours")}
        earlier = {name: {"stage1": value["stage1"]} if "stage1" in value else {} for name, value in earlier.items()}
        command = "\n".join(part for part in [*_made_vision(taken.header), command] if part)
    else:
        earlier = {}

    stages: list[type[Reconstruction] | type[Prediction]] = [Prediction]
    if model.vision is not None and (refine or not vision_from):
        # Stage 2 begins with the features of every training frame: not for nothing.
        stages = [Reconstruction, Prediction] if config.train.updates else [Reconstruction]
    header = Header(
        config=config,
        normalisation=training.normalisation,
        seed=config.train.seed,
        data=training.about,
        command=command,
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
    stage: Reconstruction | Prediction, model: Model, run: Run, header: Header, accelerator: Accelerator, anew: bool
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
            with averaged.shown() if averaged is not None else nullcontext():
                validation = stage.validate(model)
        report = Report(stage.number, update + 1, stage.updates, losses, rate, norm, seconds, validation)
        if validation:
            score = stage.score(validation)
            better = score < state.best
            state.best = min(state.best, score)
            now = run.describe(header, stage.number, update + 1, seconds, validation)
            with averaged.shown() if averaged is not None else nullcontext():
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


def no_number(stage: int, update: int, kept: int, folder: Path) -> str:
    """One sentence for a loss that is no number."""
    return (
        f"the loss of stage {stage} is no longer a number at update {update}: stopped; the state of update {kept} is "
        f"kept in {folder}. Try a lower learning rate or a smaller --train.clip"
    )


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory: every update needs the same arrays again.

    Otherwise each large tensor is returned to the system and faulted in anew; on virtual machines that hand free
    pages back to their host that makes updates far slower. Does nothing on other systems.
    """
    if sys.platform == "linux":
        try:
            mallopt = ctypes.CDLL("libc.so.6").mallopt
        except (OSError, AttributeError):
            return
        trim_threshold, mmap_max = -1, -4  # names of malloc.h
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_max, 0)


@torch.no_grad()
def _shrink(layer: nn.Module, scale: float) -> None:
    for parameter in layer.parameters():
        parameter.mul_(scale)


def train_mode(module: nn.Module, batch_norm: str) -> None:
    """As ``train.batch_norm`` says: with the batch's statistics, or with the running ones."""
    module.train()
    if batch_norm == "running":
        for part in module.modules():
            if isinstance(part, Norm):
                part.eval()


def _made_vision(header: Header) -> list[str]:
    """Those of a checkpoint's commands that its encoder and decoder come from, without updates that left them alone."""
    lines = header.command.splitlines()
    if not lines or "stage2" not in header.steps:
        return lines
    if len(lines) > 1 and "--refine" not in lines[-1].split():
        return lines[:-1]
    if "train" not in lines[-1].split():
        return lines
    # It asked for both stages; stage 1 alone gives the same encoder and decoder.
    return [*lines[:-1], re.sub(r" --(?:train\.)?updates \S+", "", lines[-1]) + " --updates 0"]


def learning_rate(peak: float, update: int, updates: int, warmup: int, schedule: str) -> float:
    """Linear warm-up, then a cosine from the peak to a hundredth of it, or constant."""
    ramp = min(1.0, (update + 1) / max(1, min(warmup, updates // 10)))
    if schedule == "constant":
        return peak * ramp
    return peak * ramp * (0.01 + 0.99 * (1 + np.cos(np.pi * update / max(1, updates))) / 2)


def prior_share(train: TrainConfig, update: int) -> float:
    """What part of ``train.edge_weight`` counts at an update of stage 2: a linear rise, then a geometric fall."""
    rise = min(1.0, (update + 1) / max(1, train.prior_warmup))
    return float(rise * train.prior_end ** (update / max(1, train.updates)))


def free_steps(train: TrainConfig, update: int) -> int:
    """The n of "n free steps" at an update: as configured, or growing evenly up to it from ``free_steps_start``."""
    first = train.free_steps_start or train.free_steps
    return first + int((train.free_steps - first + 1) * update / max(1, train.updates) * (1 - 1e-9))


def batch_rows(seed: int, stage: int, update: int, batch: int, population: int) -> Int[np.ndarray, " B"]:
    """Rows of an update: every epoch is a fresh shuffle, a function of seed, stage and epoch alone."""
    wanted = np.arange(update * batch, (update + 1) * batch)
    rows = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(wanted // population):
        inside = wanted // population == epoch
        rows[inside] = _shuffle(seed, stage, int(epoch), population)[wanted[inside] % population]
    return rows


_shuffles: dict[tuple[int, int, int, int], np.ndarray] = {}


def _shuffle(seed: int, stage: int, epoch: int, population: int) -> np.ndarray:
    key = (seed, stage, epoch, population)
    if key not in _shuffles:
        while len(_shuffles) > 1:
            _shuffles.pop(next(iter(_shuffles)))
        _shuffles[key] = np.random.default_rng(list(key)).permutation(population)
    return _shuffles[key]


def _number(*key: int) -> int:
    """A 63-bit seed from small integers, the same on every machine."""
    return int(np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0] >> np.uint64(1))

"""The two stages of training, each as a loss of a batch and its validation (paper, section 3.5)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from hri.core.config import Config
from hri.data.dataset import Sequences
from hri.model.choices import SAMPLES, given, held, most_likely
from hri.model.decoders import PatchDecoder
from hri.model.layers import Norm, gumbel_noise
from hri.model.losses import dissimilarity, edge_prior, frame_nll, state_nll
from hri.model.model import Model
from hri.model.rolls import rolls
from hri.rollout.settings import SCORED_FREE_STEPS
from hri.scores.evaluate import while_training
from hri.scores.metrics import copied_frames_mse, free_run_scores, reconstruction_mse, slot_usage
from hri.training.optimiser import Muon
from hri.training.patches import choose, tile_loss
from hri.training.schedule import free_steps, number, prior_share
from hri.training.stage import TrainingStage

WATCHED = 40
"""Validation systems of the scores that only watch (:func:`hri.scores.evaluate.while_training`)."""
SAVE_SECONDS = 60.0
"""Time between saves of the resumable state within an evaluation interval."""
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


class ReconstructionStage(TrainingStage):
    """Stage 1: each frame from its own slots. Returns the mean squared error a pixel times what the NLL makes of it."""

    number = 1

    def __init__(self, config: Config, model: Model, train: Sequences, validation: Sequences):
        super().__init__(config, model, train, validation)
        self.vision = model.vision
        self.updates, self.batch = config.train.stage1_updates, config.train.stage1_batch
        self.learning_rate = config.train.stage1_learning_rate
        self.population = len(train) * train.steps
        self.patch_updates = round(self.updates * config.train.patch_share) if config.model.trains_patches else 0
        if self.patch_updates and config.data.render.size != 32:
            raise ValueError("train.patch_share is for frames of 32 x 32 pixels; set it to 0 to train whole frames")
        self.copied = copied_frames_mse(validation)

    def begin(self) -> None:
        _shrink(self.vision.decoder.layers[-1], self.config.train.last_layer_scale)

    def trained(self) -> list[nn.Parameter]:
        self.vision.upper.requires_grad_(False)
        return [parameter for part in self.vision.first for parameter in part.parameters() if parameter.requires_grad]

    def shrink(self, rate: float | Tensor) -> None:
        """Nothing shrinks."""

    def inputs(self, update: int, rows: Int[np.ndarray, " B"]) -> dict[str, Any]:
        """The frames of an update (rows number the (system, time) pairs), and at first the patches to train."""
        frames = self.train_set.frames(*np.divmod(rows, self.train_set.steps))
        if update >= self.patch_updates:
            return {"frames": frames}
        picks = choose(frames, torch.Generator().manual_seed(number(self.config.train.seed, 1, update)))
        return {"frames": frames} | dict(zip(("rows", "weights", "others"), picks, strict=True))

    def forward(
        self, frames: Tensor, rows: Tensor | None = None, weights: Tensor | None = None, others: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if rows is not None and weights is not None and others is not None:
            assert isinstance(self.vision.decoder, PatchDecoder)  # as its specification says
            slots = self.vision.leaf_slots(self.vision.features(frames))
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


class PredictionStage(TrainingStage):
    """Stage 2: the next states, from states or from the frozen encoder's features, computed once."""

    number = 2

    def __init__(self, config: Config, model: Model, train: Sequences, validation: Sequences):
        super().__init__(config, model, train, validation)
        self.model = model
        self.updates, self.batch = config.train.updates, config.train.batch
        self.learning_rate = config.train.learning_rate
        self.population = len(train)
        self.balls = train.objects
        self.features = encode_all(model, train) if model.sees_frames else None
        self.copied = copied_frames_mse(validation, SCORED_FREE_STEPS) if model.sees_frames else None

    def begin(self) -> None:
        _shrink(self.model.dynamics.out, self.config.train.last_layer_scale)

    def trained(self) -> list[nn.Parameter]:
        if self.model.sees_frames:
            self.model.vision.upper.requires_grad_(True)
            for part in self.model.vision.first:
                part.requires_grad_(False)
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @torch.no_grad()
    def shrink(self, rate: float | Tensor) -> None:
        """The encoder of upper slots, as ``train.upper_decay`` says."""
        if self.model.sees_frames and self.config.train.upper_decay:
            share = 1 - rate * self.config.train.upper_decay
            for parameter in self.model.vision.upper.parameters():
                parameter.mul_(share.clamp(min=0) if isinstance(share, Tensor) else max(0.0, share))

    def inputs(self, update: int, rows: Int[np.ndarray, " B"]) -> dict[str, Any]:
        """Sequences of an update, with the noise and the decoded times that belong to each of them."""
        steps, train = self.train_set.steps, self.config.train
        generators = [torch.Generator().manual_seed(number(train.seed, 2, update, int(row))) for row in rows]
        relations = self.config.model.relations
        values: dict[str, Any] = {"noise": None, "types": None, "frames": None, "times": None}
        values |= {"prior_share": torch.tensor(prior_share(train, update)), "free_steps": free_steps(train, update)}
        first, predicted = 1, steps - 1  # frames that are predicted, from which on
        if self.config.model.dynamics.memory == "none":
            values |= self._starts(update)
            first, predicted = int(values["starts"][0]) + 1, len(values["starts"]) * train.free_steps
            steps += 1  # edges may come from all frames there are
        shape = (steps, len(self.model.senders), relations.edge_types)
        if relations.source == "true":
            values["types"] = self.train_set.true_types(self.model.senders, self.model.receivers)[rows]
        elif relations.source == "inferred":
            values["noise"] = torch.stack([gumbel_noise(shape, generator) for generator in generators])
        if self.features is None:
            return values | {"seen": self.train_set.states[rows]}
        if train.decoded_last:
            first, predicted = first + max(0, predicted - train.decoded_last), min(predicted, train.decoded_last)
        times = torch.stack(
            [first + torch.randperm(predicted, generator=g)[: train.frames_decoded] for g in generators]
        )
        frames = self.train_set.frames(np.repeat(rows, times.shape[1]), times.flatten().numpy())
        return values | {"seen": self.features[rows], "frames": frames, "times": times}

    def _starts(self, update: int) -> dict[str, Tensor]:
        """Where the runs of a model without memory start, one behind the other, and the times their edges are from.

        A dynamic graph is that of each start, so no run sees its own future. A static one is inferred once (an
        autoencoder of the sequence, as NRI is): from as many full windows as fit into the sequence side by side, or
        from one long window that ends anywhere, late more often than early.
        """
        steps, length = self.train_set.steps, self.config.train.free_steps
        runs = (steps - 1) // length
        generator = torch.Generator().manual_seed(number(self.config.train.seed, 2, update))
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
            slots = self.model.vision.slots(seen) if self.model.sees_frames else seen
            if types is not None:
                pick = given(types)
            elif noise is not None:
                pick = SAMPLES[train.edge_sample](noise, self.config.model.relations.temperature)
                if train.edge_pull:  # the loss is a mean over nodes and sequences
                    pick = held(pick, train.edge_pull / (self.model.tree.size * len(slots)))
            else:
                pick = given(torch.ones(len(slots), len(self.model.senders), dtype=torch.long, device=slots.device))
            if starts is not None and edges_at is not None:
                predicted = rolls(self.model, slots, starts, train.free_steps, edges_at, pick)
                at = starts[0] + torch.arange(1, len(starts) * train.free_steps + 1, device=starts.device)
            else:
                predicted = self.model.predict(slots, free_steps, pick, train.edges_from)
                at = torch.arange(1, slots.shape[1], device=slots.device)
        # Upper slots move while their encoder trains: as targets they are constants, or they would collapse.
        target = slots.index_select(1, at).detach()
        leaves = self.model.tree.leaves
        if self.model.joint_leaves:
            nll = state_nll(predicted.slots, target.index_select(2, self.model.leaf_rows), train.variance)
        else:
            nll = state_nll(predicted.slots, target, train.variance)
            nll = nll.index_select(0, self.model.leaf_rows) if self.model.scores_leaves else nll
        loss, terms = nll.mean() * (train.slot_weight if self.model.sees_frames else 1.0), {"nll": nll.mean().detach()}
        if self.model.sees_frames and len(nll) > len(leaves):
            # Their part of the mean, not their share of it: parts may be averaged over processes.
            terms["nll_upper"] = nll.detach()[: int(leaves[0])].sum() / nll.numel()
        if noise is not None:
            prior = edge_prior(predicted.logits.float(), self.balls, train.no_edge_prior)
            loss, terms["edge_prior"] = loss + train.edge_weight * prior_share * prior, prior.detach()
            used = most_likely(predicted.logits.detach(), slice(None)).flatten(0, -2).mean(0)
            first = 0 if self.config.model.relations.silent else 1  # type 0 is the silent one, as in rollouts
            terms |= {f"edge_type_{kind}": share for kind, share in enumerate(used, start=first)}
        if frames is not None and times is not None:
            rows = torch.arange(len(slots), device=slots.device).repeat_interleave(times.shape[1])
            places = rows * predicted.slots.shape[1] + times.flatten() - at[0]
            slots_at = predicted.slots.flatten(0, 1).index_select(0, places)
            drawn = self.model.show(slots_at).float()
            image = frame_nll(drawn, frames, train.variance)
            loss, terms["frame_nll"] = loss + image, image.detach()
            if train.similarity_weight:
                unlike = dissimilarity(drawn, frames)
                terms["dissimilarity"] = unlike.detach()
                loss = loss + unlike * (train.similarity_weight * frames[0].numel() / (2 * train.variance))
        return loss, terms

    def validate(self, model: Model) -> dict[str, Any]:
        variance, data = self.config.train.variance, self.validation_set
        scores = free_run_scores(model, data, free_steps=SCORED_FREE_STEPS, variance=variance)
        if self.copied is not None:
            pixels = data.data.render.size**2 * data.data.render.channels
            scores |= {"copy_frame_mse": self.copied, "copy_frame_nll": self.copied * pixels / (2 * variance)}
        return scores | while_training(model, data.part(slice(0, WATCHED)), variance)

    def score(self, validation: dict[str, Any]) -> float:
        return validation["frame_nll"] if "frame_nll" in validation else validation["nll"]


@torch.no_grad()
def encode_all(model: Model, data: Sequences, block: int = 20) -> Tensor:
    """Feature maps of every frame [S, T, F, 4, 4]: the frozen encoder runs once over the data."""
    model.vision.leaves.eval()
    device = next(model.parameters()).device
    blocks = []
    for first in range(0, len(data), block):
        systems = np.arange(first, min(first + block, len(data)))
        frames = data.frames(np.repeat(systems, data.steps), np.tile(np.arange(data.steps), len(systems)))
        blocks.append(
            model.vision.features(frames.to(device)).cpu().contiguous().unflatten(0, (len(systems), data.steps))
        )
    return torch.cat(blocks)


def no_number(stage: int, update: int, last: int, folder: Path) -> str:
    """One sentence for a loss that is no number."""
    return (
        f"the loss of stage {stage} is no longer a number at update {update}: stopped; the state of update {last} is "
        f"kept in {folder}. Try a lower learning rate or a smaller --train.clip"
    )


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

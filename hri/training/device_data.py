"""What an update of training reads, from tensors that stay on its device: data, chance, schedule.

Every shape is fixed and nothing is asked of the host, so that a CUDA graph can hold all of it. Chance is a function of
(seed, stage, update, sample) alone: numbers that are hashed, not a generator whose state moves on.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.core.hierarchy import Tree
from hri.data.dataset import Sequences, Springs
from hri.training.device_render import draw, suits
from hri.training.patches import OUTSIDE_KEPT
from hri.training.stages import PredictionStage, ReconstructionStage

STRIDE = -0x61C8864680B583EB
"""2^64 over the golden ratio as a signed number: neighbouring counts lie far apart (SplitMix64, Steele et al. 2014)."""
_MIX = ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15))
FRAMES_SHARE = 0.25
"""Of the free memory of a GPU, what stored frames may take; beyond it they are drawn anew for each update."""


def mixed(numbers: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """64 bits that look random from 64-bit numbers: the output function of SplitMix64. Products wrap around."""
    for shift, factor in _MIX:
        numbers = (numbers ^ _shifted(numbers, shift)) * factor
    return numbers ^ _shifted(numbers, 31)


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """To the right, zeros coming in (``>>`` of signed numbers repeats the sign)."""
    return (numbers >> bits) & ((1 << (64 - bits)) - 1)


def key_of(seed: int, stage: int, update: Int[Tensor, "1"]) -> Int[Tensor, "1"]:
    """Where the chance of an update begins."""
    start = mixed(torch.full_like(update, 1 + 2 * seed + stage) * STRIDE)
    return mixed(start + update * STRIDE)


def bits(key: Int[Tensor, "1"], samples: Int[Tensor, " B"], count: int) -> Int[Tensor, "B count"]:
    """``count`` hashed numbers of each sample; a sample's are the same in whatever batch it is."""
    places = samples[:, None] * count + torch.arange(count, device=samples.device)
    return mixed(places * STRIDE + key)


def uniform(numbers: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Between 0 and 1, never either of them, in steps of 2^-23."""
    return (_shifted(numbers, 41).float() + 0.5) * 2.0**-23


def gumbel(numbers: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Standard Gumbel noise, -log(-log u)."""
    return uniform(numbers).log_().neg_().log_().neg_()


class FrameStore:
    """Frames of a data set, on a device: kept as bytes, or drawn from positions where bytes would take too much."""

    def __init__(self, data: Sequences, device: torch.device):
        self.steps = data.steps
        self.stored: Tensor | None = None
        size, channels = data.data.render.size, data.data.render.channels
        needed, drawable = len(data) * data.steps * size**2 * channels, suits(data)
        if drawable and needed > FRAMES_SHARE * _free(device):
            assert isinstance(data, Springs)
            self.tree, self.render = Tree.parse(data.data.tree), data.data.render
            positions = data.trajectories.positions / np.float32(data.data.force.box)
            self.positions = torch.from_numpy(positions).flatten(0, 1).to(device)
        else:
            self.stored = torch.empty(len(data) * data.steps, size, size, channels, dtype=torch.uint8, device=device)
            for first in range(0, len(data), 100):
                systems = np.arange(first, min(first + 100, len(data)))
                pixels = data.pictures(np.repeat(systems, data.steps), np.tile(np.arange(data.steps), len(systems)))
                self.stored[first * data.steps :][: len(pixels)] = torch.from_numpy(pixels)

    def frames(self, rows: Int[Tensor, " M"]) -> Float[Tensor, "M C H W"]:
        """Pixels in 0 ... 1 of frames by number (sequence times T, plus time)."""
        if self.stored is None:
            return draw(self.positions.index_select(0, rows), self.tree, self.render)
        return self.stored.index_select(0, rows).permute(0, 3, 1, 2).float().div_(255)


def _free(device: torch.device) -> float:
    return float(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else float("inf")


_SHELF: dict[tuple[int, str, str], tuple[Any, Any]] = {}
"""(data set, what, device) -> what runs side by side share, for as long as the data set lives."""


def shared(data: Sequences, what: str, device: torch.device) -> Any:
    """``states`` or ``frames`` of a data set on a device, made once."""
    key = (id(data), what, str(device))
    owner, store = _SHELF.get(key, (None, None))
    if owner is None or owner() is not data:
        store = data.states.to(device) if what == "states" else FrameStore(data, device)
        _SHELF[key] = weakref.ref(data, lambda _: _SHELF.pop(key, None)), store
    return store


class ReconstructionInputs:
    """Of stage 1: frames by number, and the patches to train where ``patches``.

    All patches are trained, and a quarter of the slots are held to black elsewhere, others in each update: fixed
    shapes, and the same loss on average as :func:`hri.training.patches.choose` samples.
    """

    patches = False

    def __init__(self, stage: ReconstructionStage, device: torch.device):
        self.store: FrameStore = shared(stage.train_set, "frames", device)
        self.cells = stage.vision.leaves.cells

    def __call__(
        self, rows: Int[Tensor, " B"], key: Int[Tensor, "1"], prior_share: Float[Tensor, "1"]
    ) -> dict[str, Tensor]:
        """What :meth:`hri.training.stages.ReconstructionStage.forward` takes."""
        inputs = {"frames": self.store.frames(rows)}
        if self.patches:
            inputs |= patches(len(rows), key, self.cells)
        return inputs


def patches(frames: int, key: Int[Tensor, "1"], cells: Int[Tensor, "16"]) -> dict[str, Tensor]:
    """(frame, slot) pairs, what each stands for, and the other tile that each of the first quarter is held to."""
    parts = round(1 / OUTSIDE_KEPT)
    part = torch.arange(parts, device=key.device)[:, None]
    place = torch.arange(frames * 16 // parts, device=key.device)
    frame, slot = place // (16 // parts), place % (16 // parts) * parts
    # Part j holds the slots k of frame m with k = j + m + turn (mod parts): the turn makes every slot's turn come.
    rows = (frame * 16 + slot + (part + frame + _shifted(key, 33)) % parts).flatten()
    held = rows[: len(place)]
    others = (cells.index_select(0, held % 16) + 1 + _shifted(bits(key, held, 1)[:, 0], 33) % 15) % 16
    return {"rows": rows, "weights": torch.ones(len(rows), device=key.device), "others": others}


class PredictionInputs:
    """Of stage 2: states or features by row, with the noise and the decoded times that belong to each of them."""

    def __init__(self, stage: PredictionStage, device: torch.device):
        model, self.config = stage.model, stage.config
        relations = stage.config.model.relations
        self.steps, self.free_steps = stage.train_set.steps, self.config.train.free_steps
        # Without memory, edges may come from all frames there are.
        times = self.steps + (self.config.model.dynamics.memory == "none")
        self.shape = (times, len(model.senders), relations.edge_types)
        self.inferred = relations.source == "inferred"
        self.types: Tensor | None = None
        if relations.source == "true":
            self.types = stage.train_set.true_types(model.senders, model.receivers).to(device)
        self.store: FrameStore | None = None
        if stage.features is None:
            self.seen: Tensor = shared(stage.train_set, "states", device)
        else:
            self.seen, self.store = stage.features.to(device), shared(stage.train_set, "frames", device)

    def __call__(
        self, rows: Int[Tensor, " B"], key: Int[Tensor, "1"], prior_share: Float[Tensor, "1"]
    ) -> dict[str, Any]:
        """What :meth:`hri.training.stages.PredictionStage.forward` takes."""
        inputs: dict[str, Any] = {"seen": self.seen.index_select(0, rows), "free_steps": self.free_steps}
        inputs |= {"noise": None, "types": None, "frames": None, "times": None, "prior_share": prior_share[0]}
        first: Tensor | int = 1
        predicted = self.steps - 1
        if self.config.model.dynamics.memory == "none":
            inputs |= self.starts(key)
            first, predicted = inputs["starts"][0] + 1, len(inputs["starts"]) * self.config.train.free_steps
        if self.types is not None:
            inputs["types"] = self.types.index_select(0, rows)
        elif self.inferred:
            count = int(np.prod(self.shape))
            inputs["noise"] = gumbel(bits(key, rows, count)).view(len(rows), *self.shape)
        if self.store is not None:
            if last := self.config.train.decoded_last:
                first, predicted = first + max(0, predicted - last), min(predicted, last)
            order = bits(mixed(key + 1), rows, predicted).argsort(1)
            times = first + order[:, : self.config.train.frames_decoded]
            inputs |= {"times": times, "frames": self.store.frames((rows[:, None] * self.steps + times).flatten())}
        return inputs

    def starts(self, key: Int[Tensor, "1"]) -> dict[str, Tensor]:
        """What :class:`hri.training.stages.PredictionStage` draws for models without memory, drawn here."""
        length = self.config.train.free_steps
        runs = (self.steps - 1) // length
        draws = mixed(key + torch.arange(2, 4, device=key.device))
        starts = _shifted(draws[:1], 33) % (self.steps - runs * length) + length * torch.arange(runs, device=key.device)
        if self.config.model.relations.graph == "dynamic":
            return {"starts": starts, "edges_at": starts}
        return {"starts": starts, "edges_at": (uniform(draws[1:]).sqrt() * self.steps).long() + 1}

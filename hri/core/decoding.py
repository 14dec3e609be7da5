"""The ways of seeing and drawing frames, each named after its decoder: what it is called and what it can do, what its
encoder is made of, and how it trains well. The networks are built from this in hri/model/encoder.py and decoders.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DecoderName = Literal["slot", "par", "overlap", "strided"]


@dataclass(frozen=True)
class Convolution:
    """A convolution with "SAME" padding, batch norm and ReLU, then max-pooling; rows and columns alike."""

    kernel: int
    stride: int = 1
    pool: int = 1

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before and behind a row; the odd one stands behind."""
        spare = max(0, self.kernel - self.stride)
        return spare // 2, spare - spare // 2


@dataclass(frozen=True)
class DecoderSpec:
    """What there is to know of a decoder, and of the encoder that goes with it, without its network."""

    label: str
    """As the paper calls it."""
    encoder: tuple[Convolution, ...]
    """From 32 x 32 pixels to the 4 x 4 cells of the leaf slots; what a slot can see follows from it."""
    draws_slots_alone: bool
    """Every slot has a picture of its own and the frame is their sum; else slots are drawn together."""
    trains_patches: bool
    """Stage 1 can begin with single slots on their own 8 x 8 patches (:mod:`hri.training.patches`)."""
    training: Mapping[str, Any]
    """Settings of :class:`hri.core.config.TrainConfig` that trained well on one CPU core."""
    published: bool = True
    """One of the paper's two; the others are ours."""
    margin: int = 0
    """Pixels beyond its own cell that a slot which draws alone can paint; 0: it can paint the whole frame."""
    standardised: bool = False
    """Each number of a slot has mean 0 and variance 1 over frames. The paper's slots are rectified, so many are 0."""
    vision: Mapping[str, Any] = field(default_factory=dict)
    """Settings of :class:`hri.core.config.VisionConfig` that go with it."""
    dynamics: Mapping[str, Any] = field(default_factory=dict)
    """Settings of :class:`hri.core.config.DynamicsConfig` that go with it, where these have a memory."""


_OURS: dict[str, Any] = {
    "stage1_updates": 2000,
    "stage1_batch": 96,
    "stage1_learning_rate": 3e-3,
    "precision": "bf16",
    "updates": 4000,
    "batch": 12,
    "learning_rate": 5e-3,
    "warmup": 60,
    "clip": 4.0,
    "free_steps_start": 2,
    "frames_decoded": 8,
    "decoded_last": 16,
    "slot_weight": 0.05,
    "edge_sample": "straight",
    "no_edge_prior": 0.7,
    "average": 0.99,
}
"""What trained well for our own ways of seeing (docs/training.md)."""
_STRIDES = (Convolution(5, stride=2),) * 3
_WIDE = {"slot_width": 48, "encoder_channels": 64}
_MOVING = {"hidden": 128, "changes": True}

DECODERS: dict[DecoderName, DecoderSpec] = {
    "slot": DecoderSpec(
        label="SlotDec",
        encoder=(Convolution(8, stride=8),),
        draws_slots_alone=True,
        trains_patches=True,
        training={"stage1_updates": 40_000, "stage1_learning_rate": 3e-3, "patch_share": 0.85, "precision": "bf16"},
    ),
    "par": DecoderSpec(
        label="ParDec",
        encoder=(Convolution(8, pool=2),) * 3,
        draws_slots_alone=False,
        trains_patches=False,
        training={"stage1_updates": 60_000, "stage1_learning_rate": 3e-3, "precision": "bf16"},
    ),
    "overlap": DecoderSpec(
        label="SlotDec, overlapping",
        encoder=_STRIDES,
        draws_slots_alone=True,
        trains_patches=False,
        training=_OURS,
        published=False,
        margin=4,
        standardised=True,
        vision=_WIDE,
        dynamics=_MOVING,
    ),
    "strided": DecoderSpec(
        label="ParDec, strided",
        encoder=_STRIDES,
        draws_slots_alone=False,
        trains_patches=False,
        training=_OURS,
        published=False,
        standardised=True,
        vision=_WIDE,
        dynamics=_MOVING,
    ),
}
"""The paper's SlotDec and ParDec, then ours. Small convolutions of stride 2 and wide slots that are not rectified
reconstruct better after minutes than the paper's layers after hours; slots that overlap share what crosses a border."""


def paper_decoder(draws_slots_alone: bool) -> DecoderName:
    """The one of the paper's two decoders that draws every slot alone, or the one that draws all together."""
    return next(name for name, spec in DECODERS.items() if spec.draws_slots_alone is draws_slots_alone)


UPPER = (Convolution(2, pool=2), Convolution(2, pool=2))
"""From the 4 x 4 cells to the 2 x 2 of the intermediate slots, and from there to the one of the root."""


def leaf_layers(decoder: DecoderName, size: int) -> tuple[Convolution, ...]:
    """From a frame of ``size`` x ``size`` pixels to the cells of the leaf slots; 64 x 64 pass one more layer first."""
    return (Convolution(8, pool=2),) * (size == 64) + DECODERS[decoder].encoder

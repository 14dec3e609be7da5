"""What each slot draws, and how far a picture is the sum of its slots.

The effect of a slot is the picture minus the picture with that slot muted (:class:`hri.rollout.edits.Mute`): for
SlotDec exactly the slot's own image, for ParDec what changes when an empty slot takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from hri.core.hierarchy import SLOT_TREE
from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint
from hri.model.devices import device_of
from hri.rollout.imaging import decode
from hri.rollout.predict import check_made_by
from hri.rollout.settings import settings_of


@dataclass(frozen=True)
class SlotEffects:
    """What each of L leaf slots does to G pictures, pixels in 0 ... 1."""

    frames: tuple[int, ...]
    """Which frames of the rollout (1 ... T - 1) these are."""
    whole: Float[np.ndarray, "G H W C"]
    """The predicted pictures."""
    empty: Float[np.ndarray, "G H W C"]
    """The pictures with all slots muted."""
    effects: Float[np.ndarray, "G L H W C"]
    """The pictures minus those without each slot."""

    @property
    def shares(self) -> Float[np.ndarray, "G L"]:
        """Each slot's share of a picture: sum |its effect| / sum over slots of the same; NaN where nothing is drawn."""
        sizes = np.abs(self.effects).sum((2, 3, 4))
        with np.errstate(invalid="ignore"):
            return sizes / sizes.sum(1, keepdims=True)


@torch.no_grad()
def slot_effects(checkpoint: Checkpoint, rollout: Rollout, frames: Sequence[int] | None = None) -> SlotEffects:
    """Mute each leaf slot in turn in the predicted pictures of one scene; slots that edits mute stay muted.

    Args:
        rollout: of an image model, made by this checkpoint.
        frames: which predicted frames (1 ... T - 1); by default all.

    Raises:
        ValueError: a state model, another model's rollout, several scenes or a frame that was not predicted.
    """
    check_made_by(checkpoint, rollout)
    if rollout.observation != "frames":
        raise ValueError(f"{checkpoint.name} sees states, so no slot draws anything; choose an image model")
    steps = rollout.slots.shape[1]
    picks = tuple(range(1, steps)) if frames is None else tuple(frames)
    if len(rollout.slots) != 1 or not all(1 <= frame < steps for frame in picks):
        raise ValueError(f"slots are told apart in frames 1 to {steps - 1} of one scene; choose these")
    at = np.array(picks, dtype=np.int64) - 1
    leaves = torch.from_numpy(rollout.predicted_slots[0, at][:, SLOT_TREE.leaves]).to(device_of(checkpoint.model))
    mute_mask = settings_of(rollout).intervention.mute_mask(SLOT_TREE.size, steps)[at][:, SLOT_TREE.leaves]
    whole, alone = decode(checkpoint, leaves, mute_mask)
    if alone is not None:
        return SlotEffects(picks, whole, np.zeros_like(whole), alone)
    without = [decode(checkpoint, leaves, mute_mask | one)[0] for one in np.eye(leaves.shape[1], dtype=bool)]
    empty, _ = decode(checkpoint, leaves, np.ones_like(mute_mask))
    return SlotEffects(picks, whole, empty, whole[:, None] - np.stack(without, 1))


def own_effects(rollout: Rollout) -> SlotEffects | None:
    """What the slots of SlotDec do, read off its rollout of one scene without the model; None for other decoders.

    As exact as the rollout's pictures, which stored ones round.
    """
    if rollout.slot_frames is None or rollout.predicted_frames is None:
        return None
    alone, whole = rollout.slot_frames[0].astype(np.float32), rollout.predicted_frames[0].astype(np.float32)
    return SlotEffects(tuple(range(1, len(whole) + 1)), whole, np.zeros_like(whole), alone)


@dataclass(frozen=True)
class Composition:
    """How far pictures are made of separate, local parts; every number lies in 0 ... 1."""

    additivity: float
    """1 - sum |whole - empty - sum_k effect_k| / (sum |whole - empty| + sum_k |effect_k|), sums over frames and pixels.

    1: the slots' effects add up to the picture exactly. 0: they have nothing to do with it."""
    locality: float
    """sum_k |effect_k| inside slot k's own cell / sum_k |effect_k|: 1 if no slot draws outside its receptive field."""

    @property
    def score(self) -> float:
        """Compositionality = additivity x locality: 1 only for a picture that is the sum of what its cells draw."""
        return self.additivity * self.locality


def compositionality(effects: SlotEffects, fields: Bool[np.ndarray, "L H W"] | None = None) -> Composition:
    """Score the pictures of :func:`slot_effects`; NaN where nothing at all is drawn.

    A slot's receptive field is its cell of the 4 x 4 grid, what the SlotDec encoder lets it see; the same for both
    decoders, because the same places are asked of both.

    Args:
        fields: other receptive fields, True where a slot may draw.
    """
    rows = effects.whole.shape[1]
    inside = cells(rows) if fields is None else fields
    picture, total_effect = effects.whole - effects.empty, effects.effects.sum(1)
    sizes = np.abs(effects.effects).sum(-1, dtype=np.float64)  # G L H W
    total = sizes.sum()
    bound = np.abs(picture).sum(dtype=np.float64) + total
    if not total or not bound:
        return Composition(float("nan"), float("nan"))
    missing = np.abs(picture - total_effect).sum(dtype=np.float64)
    return Composition(float(1 - missing / bound), float((sizes * inside).sum() / total))


def cells(size: int) -> Bool[np.ndarray, "16 H W"]:
    """True in each leaf slot's cell of a frame of ``size`` x ``size`` pixels."""
    inside = np.zeros((len(SLOT_TREE.leaves), size, size), dtype=bool)
    for slot, (left, top, right, bottom) in enumerate((SLOT_TREE.cells[SLOT_TREE.leaves] * size).round().astype(int)):
        inside[slot, top:bottom, left:right] = True
    return inside

"""What the lessons on pictures state: which slots notice a moved ball, and what each slot draws."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.model.checkpoint import Checkpoint
from hri.physics.render import draw
from hri.rollout.composition import SlotEffects, cells, compositionality
from hri.rollout.imaging import encode

NOTICED = 1e-3
"""A slot has noticed a change if its numbers moved by more than this share of the usual length of a slot."""


def picture_of(positions: Float[np.ndarray, "N 2"], tree: Tree, shown: Collection[int]) -> UInt8[np.ndarray, "32 32 3"]:
    """A frame of some balls only (box units)."""
    alone = np.full_like(positions, np.nan)
    alone[list(shown)] = positions[list(shown)]
    return draw(alone[None], tree)[0]


@dataclass(frozen=True)
class SlotChange:
    """What a changed picture does to the 16 leaf slots."""

    encoder: str
    """Such as SlotDec."""
    moved: Float[np.ndarray, " 16"]
    """How far the numbers of each slot moved, as a share of the usual length of a slot."""
    touched: Bool[np.ndarray, " 16"]
    """Cells in which pixels changed."""

    @property
    def noticed(self) -> Bool[np.ndarray, " 16"]:
        """Slots whose numbers moved."""
        return self.moved > NOTICED

    def says(self) -> str:
        """How many cells changed, how many slots noticed, and whether any noticed from elsewhere."""
        touched, noticed = int(self.touched.sum()), int(self.noticed.sum())
        if not touched:
            return "The picture has not changed, so no slot has."
        elsewhere = int((self.noticed & ~self.touched).sum())
        told = (
            f"Pixels changed in {touched} of 16 cells, and {noticed} of 16 slots noticed with the encoder of "
            f"{self.encoder}"
        )
        if not elsewhere:
            return f"{told}: none of them from another cell."
        return f"{told}: {elsewhere} of them from cells that stayed the same."


def slot_change(
    checkpoint: Checkpoint, before: UInt8[np.ndarray, "H W C"], after: UInt8[np.ndarray, "H W C"]
) -> SlotChange:
    """Encode two pictures and compare their leaf slots.

    Raises:
        ValueError: a model that sees states, or frames of another size.
    """
    if not checkpoint.model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, so it has no slots of a picture; choose an image model")
    leaves = encode(checkpoint, np.stack([before, after])[None])[0][:, SLOT_TREE.leaves].cpu().numpy()
    usual = float(np.linalg.norm(leaves, axis=-1).mean())
    moved = np.linalg.norm(leaves[1] - leaves[0], axis=-1) / max(usual, 1e-9)
    changed = (before != after).any(-1)
    touched = np.array([bool((changed & cell).any()) for cell in cells(len(before))])
    return SlotChange(checkpoint.model.vision.spec.label, moved.astype(np.float64), touched)


@dataclass(frozen=True)
class Muted:
    """What muting one leaf slot does to one picture, for each decoder."""

    slot: int
    """A leaf of the slot hierarchy, 5 ... 20."""
    inside: dict[str, float]
    """Share of the change that lies in the slot's own cell; NaN where nothing changes."""
    scores: dict[str, float]
    """Compositionality of the whole picture (:class:`hri.rollout.composition.Composition`)."""

    def says(self) -> str:
        """Where each decoder's picture changes."""
        parts = [
            f"{name}'s picture does not change"
            if np.isnan(share)
            else f"{share:.0%} of the change in {name}'s picture lies in the slot's own cell"
            for name, share in self.inside.items()
        ]
        scores = " and ".join(f"{score:.2f} for {name}" for name, score in self.scores.items())
        return f"Without slot {self.slot}, {' and '.join(parts)}. Compositionality (1: a sum of local parts): {scores}."


def muted(effects: dict[str, SlotEffects], slot: int) -> Muted:
    """Compare decoders on the first picture of their effects."""
    index = SLOT_TREE.leaves.tolist().index(slot)
    inside = {}
    for name, found in effects.items():
        change = np.abs(found.effects[0, index]).sum(-1)
        total = float(change.sum())
        inside[name] = float(change[cells(len(change))[index]].sum()) / total if total > 1e-6 else float("nan")
    return Muted(slot, inside, {name: compositionality(found).score for name, found in effects.items()})

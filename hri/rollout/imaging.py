"""Frames to slots and back to pixels; a muted slot is left out."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from hri.data.dataset import to_tensor
from hri.model.checkpoint import Checkpoint
from hri.model.devices import device_of
from hri.rollout.scenes import check_frames, frames_of

_BLOCK = 256
"""Frames encoded, or images drawn, at a time."""


@torch.no_grad()
def encode_and_reconstruct(
    checkpoint: Checkpoint, frames: UInt8[np.ndarray, "B T H W C"]
) -> tuple[Float[Tensor, "B T S D"], Float[np.ndarray, "B T H W C"]]:
    """Slots of each frame (21, or 16 leaves where the upper encoder is missing) and frames drawn from them."""
    check_frames(checkpoint, frames)
    vision, whole = checkpoint.model.vision, checkpoint.header.parts == "all"
    flat = frames.reshape(-1, *frames.shape[2:])
    slots, pictures = [], []
    for first in range(0, len(flat), _BLOCK):
        features = vision.features(to_tensor(flat[first : first + _BLOCK]).to(device_of(checkpoint.model)))
        slots.append(vision.slots(features) if whole else vision.leaf_slots(features))
        pictures.append(_pixels(vision.draw(slots[-1])))
    return torch.cat(slots).unflatten(0, frames.shape[:2]), np.concatenate(pictures).reshape(frames.shape)


@torch.no_grad()
def encode(checkpoint: Checkpoint, frames: UInt8[np.ndarray, "B T H W C"]) -> Float[Tensor, "B T 21 D"]:
    """Slots of each frame, without drawing them again."""
    check_frames(checkpoint, frames)
    model = checkpoint.model
    flat = torch.from_numpy(frames).flatten(0, 1).split(_BLOCK)
    parts = [model.observe(to_tensor(part.numpy()).to(device_of(model))[:, None])[:, 0] for part in flat]
    return torch.cat(parts).unflatten(0, frames.shape[:2])


@torch.no_grad()
def empty_slots(checkpoint: Checkpoint) -> Float[Tensor, "16 D"]:
    """The leaf slots of an all-black frame: what a decoder of all slots is given in place of a muted one.

    A slot of zeros would be no neutral choice: from it the decoders draw something that no frame holds.
    """
    vision, render = checkpoint.model.vision, checkpoint.header.config.data.render
    black = torch.zeros(1, render.channels, render.size, render.size, device=device_of(checkpoint.model))
    return vision.leaf_slots(vision.features(black))[0]


@torch.no_grad()
def decode(
    checkpoint: Checkpoint, leaves: Float[Tensor, "M 16 D"], mute_mask: Bool[np.ndarray, "M 16"] | None = None
) -> tuple[Float[np.ndarray, "M H W C"], Float[np.ndarray, "M 16 H W C"] | None]:
    """Images of leaf slots and, where the decoder draws them alone, of each; without what an edit mutes."""
    model = checkpoint.model
    if model.draws_slots_alone:
        alone = np.concatenate([_pixels(model.vision.draw_each(part)) for part in leaves.split(_BLOCK // 4)])
        if mute_mask is not None:
            alone[mute_mask] = 0
        return alone.sum(1), alone
    if mute_mask is not None and mute_mask.any():
        out = torch.from_numpy(mute_mask).to(leaves.device)[:, :, None]
        leaves = torch.where(out, empty_slots(checkpoint), leaves)
    return np.concatenate([_pixels(model.show(part)) for part in leaves.split(_BLOCK)]), None


def draw_states(
    checkpoint: Checkpoint,
    prediction: Float[np.ndarray, "B F P D"],
    states: Float[np.ndarray, "B F N D"],
    seeds: np.ndarray,
    mute_mask: Bool[np.ndarray, "F N"],
) -> Float[np.ndarray, "B F H W C"]:
    """Predicted states as frames in the look of the training data, without muted balls.

    Args:
        states: true ones, where only leaves are predicted (P < N), and only leaves are drawn.
    """
    tree, whole = checkpoint.model.tree, prediction
    if prediction.shape[2] < tree.size:
        whole = states.copy()
        whole[:, :, tree.leaves] = prediction
    positions = checkpoint.header.normalisation.positions(whole)
    positions[:, mute_mask] = np.nan
    return frames_of(checkpoint.header.config, positions, seeds).astype(np.float32) / 255


def _pixels(images: Tensor) -> Float[np.ndarray, "*shape H W C"]:
    """[..., C, H, W] -> float32 [..., H, W, C]."""
    return images.movedim(-3, -1).cpu().numpy()

"""True slots to a Rollout: run the model, keep what it saw, believed and said, and draw it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from hri.core.records import NEVER, Rollout
from hri.data.sources import source_of
from hri.model.checkpoint import Checkpoint
from hri.model.devices import device_of
from hri.model.model import Prediction
from hri.rollout.imaging import decode, draw_states, encode
from hri.rollout.interventions import Intervention
from hri.rollout.settings import Settings, settings_of
from hri.rollout.steering import input_changes, steering_choice

_BLOCK = 50
"""Scenes predicted at a time."""


def check_made_by(checkpoint: Checkpoint, rollout: Rollout) -> None:
    """Refuse a rollout whose nodes or edges are not this model's.

    Raises:
        ValueError: it was made by another kind of model.
    """
    model = checkpoint.model
    same = rollout.observation == model.observation and rollout.tree == model.tree
    same = same and rollout.slots.shape[3] == checkpoint.header.config.width
    if not same or not np.array_equal(rollout.edge_sender_receiver, np.stack([model.senders, model.receivers], 1)):
        raise ValueError(
            f"this rollout was made by another kind of model than {checkpoint.name}; roll the scene out again"
        )


def inputs_of(
    checkpoint: Checkpoint, rollout: Rollout, intervention: Intervention
) -> tuple[Float[Tensor, "B T N D"], Float[Tensor, "B T N D"]]:
    """The true slots of a rollout, and those that the model is shown: of covered frames under a curtain.

    Raises:
        ValueError: the rollout is of another model, or edits do not fit.
    """
    check_made_by(checkpoint, rollout)
    intervention.check(checkpoint.header.config, rollout.slots.shape[1])
    slots = torch.from_numpy(np.asarray(rollout.slots, np.float32)).to(device_of(checkpoint.model))
    if rollout.frames is None:
        return slots, slots
    visible = intervention.cover(rollout.frames)
    return slots, slots if visible is rollout.frames else encode(checkpoint, visible)


def true_types_of(checkpoint: Checkpoint, rollout: Rollout) -> Integer[np.ndarray, "B E"] | None:
    """True springs as edge types, where a rollout of balls knows them."""
    model, adjacency = checkpoint.model, rollout.true_adjacency
    if adjacency is None or model.sees_frames or adjacency.shape[1] != model.tree.size:
        return None
    return adjacency[:, model.senders, model.receivers]


@torch.no_grad()
def predict(
    checkpoint: Checkpoint,
    slots: Float[Tensor, "B T N D"],
    true_types: Integer[np.ndarray, "B E"] | None,
    settings: Settings,
) -> Prediction:
    """Run the model on true states or slots, in blocks of scenes.

    Raises:
        ValueError: too few frames, numbers that are not finite, or settings that do not fit the model.
    """
    model, (_, steps, _, width) = checkpoint.model, slots.shape
    settings.check(steps)
    if not torch.isfinite(slots).all():
        raise ValueError("the input holds numbers that are not finite; clean it first")
    settings.intervention.check(checkpoint.header.config, steps)
    slots = slots.to(device_of(model))
    alter = input_changes(model, settings.intervention, steps, width)
    parts = []
    for first in range(0, len(slots), _BLOCK):
        rows = slice(first, first + _BLOCK)
        types = None if true_types is None else true_types[rows]
        choose = steering_choice(model, settings, len(slots[rows]), steps, types, first)
        parts.append(model.predict(slots[rows], settings.free_steps, choose, settings.edges_from, alter))
    return Prediction(*(torch.cat(part) for part in zip(*parts, strict=True)))


def record(
    checkpoint: Checkpoint,
    slots: Float[Tensor, "B T N D"],
    inputs_seen: Float[Tensor, "B T N D"],
    prediction: Prediction,
    settings: Settings,
    **facts: Any,
) -> Rollout:
    """Everything but pictures of predictions, as NumPy arrays."""
    model = checkpoint.model
    logits, weights = prediction.logits.cpu(), prediction.weights.cpu()
    # Oracles and FCMP are told their edges: what was told is what they believe.
    probabilities, kinds = torch.softmax(logits, -1) if model.source == "inferred" else weights, weights.argmax(-1)
    if not model.silent:
        # In a record type 0 carries no message: here it is never inferred, only what is cut has it.
        logits, probabilities = F.pad(logits, (1, 0), value=NEVER), F.pad(probabilities, (1, 0))
        kinds = torch.where(weights.sum(-1) > 0, kinds + 1, 0)
    data, normalisation = checkpoint.header.config.data, checkpoint.header.normalisation
    if not model.sees_frames:
        facts |= source_of(data).measures(normalisation)
    if not model.sees_frames and (data.force.flat or data.origin.acts):
        span = np.array([normalisation.position_low, normalisation.position_high]) / data.force.box
        facts |= {"physics": data.acts, "position_span": span.astype(np.float32)}
    steps, last = slots.shape[1], slots.shape[1] - settings.free_steps
    inputs, alter = None, input_changes(model, settings.intervention, steps, slots.shape[3])
    if alter is not None or inputs_seen is not slots:
        true = inputs_seen[:, :, model.tree.leaves] if model.joint_leaves else inputs_seen
        whole = torch.cat([true[:, : last + 1], prediction.slots[:, last:]], 1)
        inputs = whole if alter is None else alter(whole.permute(2, 1, 0, 3), slice(0, steps)).permute(2, 1, 0, 3)
    return Rollout(
        parents=np.asarray(model.tree.parents),
        edge_sender_receiver=np.stack([model.senders, model.receivers], 1),
        observation=model.observation,
        slots=slots.cpu().numpy(),
        predicted_slots=prediction.slots.cpu().numpy(),
        edge_logits=logits.numpy(),
        edge_probabilities=probabilities.numpy(),
        edge_types=kinds.numpy().astype(np.int8),
        carries=model.speaking().astype(np.uint8),
        checkpoint=checkpoint.name,
        altered_inputs=None if inputs is None else inputs.cpu().numpy(),
        **settings.to_record(steps),
        **facts,
    )


def with_pictures(checkpoint: Checkpoint, rollout: Rollout) -> Rollout:
    """The rollout with pictures of its predictions: decoded from slots, or drawn from states."""
    model, prediction = checkpoint.model, rollout.predicted_slots
    scenes, count = prediction.shape[:2]
    mute_mask = settings_of(rollout).intervention.mute_mask(model.tree.size, count)
    if not model.sees_frames:
        seeds = np.full(scenes, -1) if rollout.seeds is None else rollout.seeds
        pictures = draw_states(checkpoint, prediction, rollout.slots[:, 1:], seeds, mute_mask)
        return dataclasses.replace(rollout, predicted_frames=pictures)
    leaves = torch.from_numpy(prediction[:, :, model.tree.leaves]).flatten(0, 1).to(device_of(model))
    images, alone = decode(checkpoint, leaves, np.tile(mute_mask[:, model.tree.leaves], (scenes, 1)))
    images = images.reshape(scenes, count, *images.shape[1:])
    slot_frames = None if alone is None else alone.reshape(scenes, count, *alone.shape[1:])
    return dataclasses.replace(rollout, predicted_frames=images, slot_frames=slot_frames)

"""The same scenes by a model of the same kind that nobody trained: what its edges do is no sign of having learned."""

from __future__ import annotations

import dataclasses

import torch

from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint
from hri.model.model import Model
from hri.rollout.rollout import again


def untrained(checkpoint: Checkpoint, rollout: Rollout, seed: int = 0) -> Rollout:
    """Roll a model's scenes out by one with its configuration and fresh weights.

    Args:
        checkpoint: that made the rollout.
        rollout: of any number of scenes.
        seed: of the weights.

    Raises:
        ValueError: a rollout of another model.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Model(checkpoint.header.config).eval()
    states = dataclasses.replace(rollout, predicted_frames=None, slot_frames=None)  # its pictures are not asked for
    return again(Checkpoint(f"{checkpoint.name}, untrained", model, checkpoint.header), states)

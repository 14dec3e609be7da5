"""Fresh models of balls without a hierarchy, and what they predict: what tests of such systems look at."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from hri.core.presets import preset
from hri.core.records import Normalisation, Rollout, Trajectories
from hri.model.checkpoint import Checkpoint, Header
from hri.model.layers import Norm
from hri.model.model import Model
from hri.physics.springs import simulate
from hri.rollout.rollout import roll_out

NAMES = ("springs5-state-nri", "charged5-state-nri")


@cache
def systems(name: str, count: int = 2) -> Trajectories:
    """Systems that no training sees, of a preset."""
    config = preset(name)
    return simulate(config.tree, config.data.physics, range(200_042, 200_042 + count))


@cache
def made(name: str) -> Checkpoint:
    """A model with small steps and opinions about edges."""
    config = preset(name)
    torch.manual_seed(11)
    model = Model(config).eval()
    with torch.no_grad():
        model.dynamics.out.weight *= 0.05
        model.dynamics.out.bias *= 0.05
        for part in model.modules():
            if isinstance(part, Norm):
                part.running_mean.normal_(0, 0.3)
        if model.relations is not None:
            model.relations.to_type.weight *= 20
            model.relations.to_type.bias.zero_()
    train = simulate(config.tree, config.data.physics, range(42, 92))
    return Checkpoint(name, model, Header(config, normalisation=Normalisation.of(train)))


@cache
def rolled(name: str) -> Rollout:
    """Two scenes, drawn."""
    return roll_out(made(name), systems(name))


def joined(rollout: Rollout) -> np.ndarray:
    """The true entry of each of a scene's edges."""
    assert rollout.true_adjacency is not None
    return rollout.true_adjacency[0][tuple(rollout.edge_sender_receiver.T)]

"""Fresh models of balls without a hierarchy, and what they predict: what tests of such systems look at."""

from __future__ import annotations

from functools import cache

import numpy as np

from hri.core.presets import preset
from hri.core.records import Normalisation, Rollout, Trajectories
from hri.model.checkpoint import Checkpoint, Header
from hri.physics.springs import simulate
from hri.rollout.rollout import roll_out
from tests.fresh_models import opinionated

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
    train = simulate(config.tree, config.data.physics, range(42, 92))
    return Checkpoint(name, opinionated(config, 20), Header(config, normalisation=Normalisation.of(train)))


@cache
def rolled(name: str) -> Rollout:
    """Two scenes, drawn."""
    return roll_out(made(name), systems(name))


def joined(rollout: Rollout) -> np.ndarray:
    """The true entry of each of a scene's edges."""
    assert rollout.true_adjacency is not None
    return rollout.true_adjacency[0][tuple(rollout.edge_sender_receiver.T)]

"""A scene's true graph beside the inferred one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hri.core.presets import preset
from hri.core.records import Normalisation, Rollout
from hri.model.checkpoint import Checkpoint, Header
from hri.model.model import Model
from hri.rollout.rollout import roll_out
from hri.rollout.scenes import scenes_of
from hri.view.relations_chart import relations_of, truth_beside


def rolled(name: str) -> Rollout:
    """Of a model that learned nothing yet."""
    config = preset(name)
    torch.manual_seed(0)
    normalisation = Normalisation.of(scenes_of(config.data, [42, 43]))
    made = Checkpoint(name, Model(config).eval(), Header(config, normalisation=normalisation))
    return roll_out(made, scenes_of(config.data, [200_042]), 10)


@pytest.mark.parametrize(("name", "pairs"), [("springs5-state-nri-mlp", 10), ("springs-4-3-state-hri-h", 28)])
def test_each_pair_stands_once_and_the_truth_is_the_scenes(name: str, pairs: int) -> None:
    rollout = rolled(name)
    found = relations_of(rollout)
    assert len(found.pairs) == pairs
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all()
    assert rollout.true_adjacency is not None
    np.testing.assert_array_equal(found.truth, rollout.true_adjacency[0][tuple(found.pairs.T)])
    assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()


def test_a_rollout_that_knows_the_truth_is_right_everywhere_and_its_opposite_too() -> None:
    """Types have no names: what always says the opposite has found the springs just as well."""
    rollout = rolled("springs5-state-nri-mlp")
    senders, receivers = rollout.edge_sender_receiver.T
    assert rollout.true_adjacency is not None
    truth = rollout.true_adjacency[0, senders, receivers].astype(np.int64)
    for types in (truth, 1 - truth):
        chances = np.eye(2, dtype=np.float32)[types]
        told = dataclasses.replace(
            rollout,
            edge_probabilities=np.broadcast_to(chances, rollout.edge_probabilities.shape).copy(),
            edge_types=np.broadcast_to(types, rollout.edge_types.shape).astype(rollout.edge_types.dtype),
        )
        assert relations_of(told).right == 10
        titles = [note.text for note in truth_beside(told, 1200).layout.annotations]
        assert titles == ["True relations<br> ", "Inferred after 1,200 updates:<br>10 of 10 right"]


def test_without_a_truth_there_is_nothing_to_set_beside() -> None:
    rollout = dataclasses.replace(rolled("springs5-state-nri-mlp"), true_adjacency=None)
    with pytest.raises(ValueError, match="not known"):
        truth_beside(rollout)

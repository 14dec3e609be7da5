"""Inside a step: replaying its phases gives what the rollout computed, and every message is accounted for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.rollout.edits import Curtain, Mute, Nudge, SetLevel
from hri.rollout.interventions import NOTHING, Intervention
from hri.rollout.phases import phase_title, phases
from hri.rollout.rollout import roll_out
from tests.rollout.test_rollout import STEPS, made, near, scenes

MODELS = [f"springs-4-3-{kind}" for kind in ("state-hri", "state-nri", "state-nri-lo", "state-fcmp", "slot-hri-h")]
JOINT = ["springs-4-3-state-lstm", "springs-4-3-state-lstm-lo"]
FREE = 6


@cache
def rolled(name: str, edits: Intervention = NOTHING) -> Rollout:
    return roll_out(made(name), scenes()[:1], FREE, intervention=edits)


@pytest.mark.parametrize("name", MODELS + JOINT)
@pytest.mark.parametrize("step", [0, 1, STEPS - FREE, STEPS - 2])
def test_replayed_phases_give_the_next_state(name: str, step: int) -> None:
    inside = phases(made(name), rolled(name), step)
    assert near(inside.prediction, rolled(name).predicted_slots[0, step])
    assert near(inside.inputs + inside.change, inside.prediction)
    assert near(inside.inputs, rolled(name).inputs[0, step])
    assert inside.names[-2:] == ("LSTM", "decode")
    assert len(inside.hidden) == len(inside.names)


def test_edits_are_seen_from_inside() -> None:
    state, image = "springs-4-3-state-hri", "springs-4-3-slot-hri-h"
    pushed = Intervention((Nudge(8, 4, (0.3,)), SetLevel("siblings", first=3), Mute(6)))
    for name, edits in ((state, pushed), (image, Intervention((Curtain(8, 8, 0, 5), Nudge(8, 4, (0.3,)))))):
        inside = phases(made(name), rolled(name, edits), 4)
        assert near(inside.prediction, rolled(name, edits).predicted_slots[0, 4])
    inside = phases(made(state), rolled(state, pushed), 4)
    siblings = inside.phase == inside.names.index("siblings")
    assert (inside.size[siblings] == 0).all()
    assert (inside.movement(inside.names.index("siblings")) == 0).all()
    silent = rolled(state).edge_sender_receiver[inside.row][:, 0] == 6
    assert (inside.weight[silent] == 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_messages_are_all_that_moves_a_node(name: str) -> None:
    """A phase moves a receiver by at most the messages into it, and nobody else (who adds: a flat NRI replaces)."""
    inside = phases(made(name), rolled(name), 3)
    receivers = rolled(name).edge_sender_receiver[inside.row][:, 1]
    assert ((inside.size > 0) == (inside.type > 0)).all()
    if not made(name).model.dynamics.residual:
        return
    for phase in range(len(inside.names) - 2):
        heard = np.zeros(made(name).model.tree.size)
        np.add.at(heard, receivers[inside.phase == phase], inside.size[inside.phase == phase])
        moved = inside.movement(phase)
        assert (moved <= heard + 1e-5).all()
        assert (moved[heard == 0] == 0).all()


def test_phases_of_each_kind_of_model() -> None:
    tree = made("springs-4-3-state-hri").model.tree
    inside = phases(made("springs-4-3-state-hri"), rolled("springs-4-3-state-hri"), 0)
    assert inside.names == ("up 2", "up 1", "siblings", "down 1", "down 2", "LSTM", "decode")
    assert inside.titles == (
        "leaf → intermediate",
        "intermediate → root",
        "siblings",
        "root → intermediate",
        "intermediate → leaf",
        "LSTM",
        "predicted change",
    )
    for phase, (_, pairs) in enumerate(tree.phases):
        rows = inside.row[inside.phase == phase]
        assert (rolled("springs-4-3-state-hri").edge_sender_receiver[rows] == pairs).all()
    flat = phases(made("springs-4-3-state-nri"), rolled("springs-4-3-state-nri"), 0)
    assert flat.titles == ("all edges", "LSTM", "predicted change")
    joint = phases(made(JOINT[0]), rolled(JOINT[0]), 2)
    assert joint.names == ("LSTM", "decode")
    assert joint.hidden.shape == (2, 1, 64)
    assert len(joint.row) == 0
    assert joint.movement(0).shape == (1,)
    assert joint.movement(1).shape == (17,)
    assert phase_title(Tree.parse("4-3-2"), "up 2") == "level 2 → level 1"


def test_the_first_hidden_state_is_zero_and_then_it_is_the_last_one() -> None:
    name = "springs-4-3-state-hri"
    first, second = (phases(made(name), rolled(name), step) for step in (0, 1))
    assert (first.hidden[0] == 0).all()
    assert near(first.hidden[-1], second.hidden[0])


def test_steps_that_are_not_there_are_refused() -> None:
    name = MODELS[0]
    for step in (-1, STEPS - 1):
        with pytest.raises(ValueError, match="the steps of this rollout are 0 to 14"):
            phases(made(name), rolled(name), step)
    with pytest.raises(ValueError, match="one scene"):
        phases(made(name), roll_out(made(name), scenes(), FREE, pictures=False), 0)
    with pytest.raises(ValueError, match="another kind of model"):
        phases(made("springs-4-3-slot-hri-h"), rolled(name), 0)

"""Edits in a rollout: nothing before them changes, nothing out of reach changes, and what is undone was never there."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from hri.core.hierarchy import SLOT_TREE
from hri.core.presets import VARIANTS
from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint
from hri.model.choices import most_likely
from hri.rollout.edits import ChooseEdges, Curtain, Edit, Mute, Nudge, SetEdge, SetLevel
from hri.rollout.interventions import NOTHING, Intervention
from hri.rollout.rollout import again, from_arrays, roll_out
from tests.rollout.test_rollout import STEPS, made, near, scenes, simulation

IMAGES = ["springs-4-3-slot-hri-h", "springs-4-3-par-nri"]
STATES = [f"springs-4-3-state-{variant}" for variant in VARIANTS]
FREE = 6
LAST = STEPS - FREE


def rolled(name: str, *edits: Edit, **choices: object) -> Rollout:
    return roll_out(made(name), scenes()[:1], FREE, intervention=Intervention(edits), **choices)  # type: ignore[arg-type]


@cache
def plain(name: str) -> Rollout:
    return rolled(name)


def same(one: Rollout, other: Rollout, but: tuple[str, ...] = ("edits", "edges")) -> bool:
    """Equal to the last digit, but for how it was asked for."""
    for field in dataclasses.fields(Rollout):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if field.name not in but and not (
            np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second
        ):
            return False
    return True


def moves(one: Rollout, other: Rollout) -> np.ndarray:
    """Whether the prediction of each node for each frame differs at all [T - 1, P]."""
    return (one.predicted_slots != other.predicted_slots).any((0, 3))


# Without edits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-state-lstm-lo"])
def test_hooks_that_do_nothing_change_no_digit(name: str) -> None:
    model, slots = made(name).model, torch.from_numpy(plain(name).slots)
    with torch.no_grad():
        without = model.predict(slots, FREE, most_likely)
        with_hooks = model.predict(
            slots, FREE, lambda logits, times: most_likely(logits, times).clone(), alter=lambda x, _: x
        )
    assert all(torch.equal(one, two) for one, two in zip(without, with_hooks, strict=True))


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", *IMAGES])
def test_undone_edits_were_never_there(name: str) -> None:
    edits = NOTHING.add(Mute(6)).add(SetLevel("all")).add(Nudge(7, 3, (0.5,)))
    undone = edits.remove(2).remove(1).remove(0)
    assert same(roll_out(made(name), scenes()[:1], FREE, intervention=undone), plain(name), ())


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-state-nri", *IMAGES])
def test_the_same_edits_give_the_same_numbers_in_any_order(name: str) -> None:
    edits = (ChooseEdges("sample", 4), SetEdge(7, 8, 1), Mute(6, 2), Nudge(7, 3, (0.1,)), Nudge(7, 3, (1 / 3, 0.2)))
    one, two = rolled(name, *edits), rolled(name, *edits[::-1])
    assert same(one, two)
    assert one.edits != two.edits
    assert not near(one.predicted_slots, plain(name).predicted_slots, 1e-4)


# Edges -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*[n for n in STATES if "lstm" not in n], *IMAGES])
def test_cutting_every_edge_is_having_none_to_the_last_digit(name: str) -> None:
    none = rolled(name, edges="none")
    senders, receivers = made(name).model.senders, made(name).model.receivers
    ways: list[list[Edit]] = [[SetLevel("all")], [ChooseEdges("none")]]
    if len(senders) <= 100:  # hundreds of edits take seconds
        ways.append([SetEdge(int(s), int(r)) for s, r in zip(senders, receivers, strict=True)])
    for edits in ways:
        cut = rolled(name, *edits)
        assert same(cut, none)
        assert (cut.edge_types == 0).all()


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-state-nri", *IMAGES])
def test_forcing_the_types_it_had_changes_no_digit(name: str) -> None:
    edits = []
    for row, (sender, receiver) in enumerate(plain(name).edge_sender_receiver[:20].tolist()):
        kinds = plain(name).edge_types[0, :, row]
        changes = [0, *np.flatnonzero(np.diff(kinds)) + 1, STEPS]
        edits += [
            SetEdge(sender, receiver, int(kinds[first]), int(first), int(last) - 1) for first, last in pairwise(changes)
        ]
    assert same(rolled(name, *edits), plain(name))


EDITS: list[Edit] = [
    SetEdge(6, 7, 0, 5),
    SetEdge(7, 6, 1, 13),
    SetLevel("siblings", type=1, first=5),
    SetLevel("all", first=LAST),
    SetLevel("all", first=LAST + 2, type=1),
    ChooseEdges("none", first=8),
    ChooseEdges("sample", seed=1, first=12),
    Mute(6, 5),
    Mute(7, LAST + 1),
    Nudge(6, 5, (0.3, -0.2)),
    Nudge(7, LAST, (0.3, -0.2)),
    Nudge(7, LAST + 1, (0.3, -0.2)),
    Curtain(4, 4, 5),
]


WHERE = [
    (name, edit)
    for name in ["springs-4-3-state-hri", "springs-4-3-state-nri", "springs-4-3-state-lstm", *IMAGES]
    for edit in EDITS
    if isinstance(edit, Mute | Nudge) or (name in IMAGES if isinstance(edit, Curtain) else "lstm" not in name)
]


@pytest.mark.parametrize(("name", "edit"), WHERE, ids=str)
def test_an_edit_changes_nothing_before_it(name: str, edit: Edit) -> None:
    start = edit.span[0]
    before, after = plain(name), rolled(name, edit)
    assert near(before.predicted_slots[:, :start], after.predicted_slots[:, :start])
    assert near(before.predicted_frames[:, :start], after.predicted_frames[:, :start], 1e-4)  # type: ignore[index]
    assert near(before.edge_logits[:, : start + 1], after.edge_logits[:, : start + 1], 1e-4)
    assert (before.edge_types[:, :start] == after.edge_types[:, :start]).all()
    for truth in ("slots", "frames", "reconstructed_frames", "true_states"):
        assert np.array_equal(getattr(before, truth), getattr(after, truth))


@pytest.mark.parametrize("name", STATES + IMAGES)
def test_a_nudge_moves_its_node_from_the_next_prediction_on(name: str) -> None:
    for step in (4, LAST, LAST + 2):
        nudged = rolled(name, Nudge(8, step, (0.25, 0.125)))
        moved = moves(plain(name), nudged)
        place = 3 if "lstm-lo" in name else 8
        assert not moved[:step].any() or near(nudged.predicted_slots[:, :step], plain(name).predicted_slots[:, :step])
        step_by = (nudged.predicted_slots - plain(name).predicted_slots)[0, step, place]
        if step <= LAST:  # the prediction is the nudged input plus a change
            assert np.abs(step_by[:2] - [0.25, 0.125]).max() < 0.2
        assert np.abs(step_by).max() > 1e-3


def reach(model: torch.nn.Module, sender: int, receiver: int) -> set[int]:
    """Nodes that may differ after one step when one edge of a hierarchical model is cut: told phase by phase."""
    touched: set[int] = set()
    for edges in model.dynamics.phases:  # type: ignore[union-attr]
        pairs = set(zip(edges.senders.tolist(), edges.receivers.tolist(), strict=True))
        touched |= {r for s, r in pairs if s in touched} | ({receiver} if (sender, receiver) in pairs else set())
    return touched


@pytest.mark.parametrize("pair", [(6, 7), (7, 6), (5, 1), (1, 0), (0, 4), (4, 15)])
def test_cutting_an_edge_changes_only_what_it_reaches(pair: tuple[int, int]) -> None:
    """With the true graph nothing else can differ: not at that step, and later what has been touched tells others."""
    name, step = "springs-4-3-state-hri-h", 5
    forced = SetEdge(*pair, type=1, first=step, last=step), SetEdge(*pair, type=0, first=step, last=step)
    full = SetLevel("all", type=1)
    one, two = (rolled(name, full, edit) for edit in forced)
    differs = moves(one, two)
    assert set(np.flatnonzero(differs[step])) <= reach(made(name).model, *pair)
    assert differs[step, pair[1]]
    assert not differs[:step].any()


def test_an_edge_outside_the_hierarchy_never_speaks_in_hri() -> None:
    cut, filled = (rolled("springs-4-3-state-hri", SetEdge(7, 3, kind)) for kind in (0, 1))
    assert np.array_equal(cut.predicted_slots, filled.predicted_slots)


def test_sampled_true_or_no_edges_for_a_while() -> None:
    name = "springs-4-3-state-hri"
    part = rolled(name, ChooseEdges("true", first=4, last=6), ChooseEdges("none", first=9))
    senders, receivers = part.edge_sender_receiver.T
    springs = scenes().adjacency[0, senders, receivers]
    types = part.edge_types[0]
    assert (types[4:7] == springs).all()
    assert (types[9:] == 0).all()
    assert (types[:4] == plain(name).edge_types[0, :4]).all()
    assert (types[7:9] == part.edge_probabilities[0, 7:9].argmax(-1)).all()
    sampled = rolled(name, ChooseEdges("sample", seed=5))
    assert same(sampled, rolled(name, edges="sample", seed=5), ("edits", "edges", "sample_seed"))


# Slots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["springs-4-3-state-hri-h", "springs-4-3-state-nri", "springs-4-3-state-fcmp"])
def test_nobody_hears_a_muted_ball(name: str) -> None:
    """With given edges, what a muted ball does is felt by no other ball; unmuted it is."""
    graph = SetLevel("all", type=1)
    for mute in ((Mute(8),), ()):
        still, nudged = (rolled(name, graph, *mute, *push) for push in ((), (Nudge(8, 2, (0.5, 0.5)),)))
        others = np.arange(17) != 8
        assert moves(still, nudged)[:, 8].any()
        assert moves(still, nudged)[:, others].any() == (not mute)
    assert (rolled(name, graph, Mute(8)).edge_types[0, :, rolled(name).edge_sender_receiver[:, 0] == 8] == 0).all()


def test_a_muted_slot_is_left_out_of_the_picture() -> None:
    slot = "springs-4-3-slot-hri-h"
    muted, free = rolled(slot, Mute(9, 3, 5)), plain(slot)
    assert muted.slot_frames is not None
    assert muted.predicted_frames is not None
    assert free.slot_frames is not None
    assert (muted.slot_frames[0, 3:6, 4] == 0).all()
    assert (muted.slot_frames[0, :3] == free.slot_frames[0, :3]).all()
    assert near(muted.slot_frames.sum(2), muted.predicted_frames, 1e-4)
    assert free.slot_frames[0, 3:6, 4].any()


def test_pardec_is_given_an_empty_slot_instead() -> None:
    """All sixteen muted: the reconstruction of a black frame, whatever the scene."""
    name = "springs-4-3-par-nri"
    checkpoint = made(name)
    everything = [Mute(int(leaf)) for leaf in SLOT_TREE.leaves]
    dark = rolled(name, *everything)
    black = from_black(checkpoint)
    assert near(dark.predicted_frames, np.broadcast_to(black, dark.predicted_frames.shape), 1e-5)  # type: ignore[union-attr]
    assert np.array_equal(dark.slots, plain(name).slots)


def from_black(checkpoint: Checkpoint) -> np.ndarray:
    rolled_out = from_arrays(checkpoint, {"frames": np.zeros((1, STEPS, 32, 32, 3), np.uint8)}, "black")
    assert isinstance(rolled_out, Rollout)
    assert rolled_out.reconstructed_frames is not None
    return rolled_out.reconstructed_frames[0, 0]


def test_a_muted_ball_is_not_drawn() -> None:
    name = "springs-4-3-state-lstm"
    leaf = 8
    muted, free = rolled(name, Mute(leaf, 4)), plain(name)
    assert np.array_equal(muted.predicted_slots, free.predicted_slots)
    assert np.array_equal(muted.predicted_frames[:, :4], free.predicted_frames[:, :4])  # type: ignore[index]
    assert (muted.predicted_frames[:, 4:] != free.predicted_frames[:, 4:]).any()  # type: ignore[index]
    upper = rolled(name, Mute(2))
    assert np.array_equal(upper.predicted_frames, free.predicted_frames)  # type: ignore[arg-type]


# Frames ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_a_curtain_hides_the_burn_in_and_nothing_of_the_truth(name: str) -> None:
    covered = rolled(name, Curtain(8, 8))
    assert np.array_equal(covered.frames, plain(name).frames)  # type: ignore[arg-type]
    assert np.array_equal(covered.slots, plain(name).slots)
    assert not near(covered.predicted_slots, plain(name).predicted_slots, 1e-4)
    late = rolled(name, Curtain(8, 8, LAST + 1))
    assert np.array_equal(late.predicted_slots, plain(name).predicted_slots)


def test_the_inputs_that_entered_are_kept() -> None:
    name = "springs-4-3-state-hri"
    assert np.array_equal(plain(name).inputs[:, : LAST + 1], plain(name).slots[:, : LAST + 1])
    assert np.array_equal(plain(name).inputs[:, LAST + 1 :], plain(name).predicted_slots[:, LAST:])
    nudged = rolled(name, Nudge(3, 4, (0.5,)), Nudge(3, LAST + 2, (0.25,)))
    extra = nudged.inputs.copy()
    extra[0, 4, 3, 0] -= 0.5
    extra[0, LAST + 2, 3, 0] -= 0.25
    assert near(extra[:, : LAST + 1], nudged.slots[:, : LAST + 1], 1e-6)
    assert near(extra[:, LAST + 1 :], nudged.predicted_slots[:, LAST:], 1e-6)
    covered = rolled(IMAGES[0], Curtain(8, 8, 0, 3))
    assert not near(covered.inputs[:, :4], covered.slots[:, :4], 1e-4)
    assert near(covered.inputs[:, 4 : LAST + 1], covered.slots[:, 4 : LAST + 1], 1e-5)
    assert plain("springs-4-3-state-lstm-lo").inputs.shape == (1, STEPS, 12, 4)


# Again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-state-lstm-lo", *IMAGES])
def test_rolling_out_again_is_rolling_out_from_the_scene(name: str) -> None:
    edits = [Nudge(8, 3, (0.5,)), Mute(6, 2)]
    if name in IMAGES:
        edits.append(Curtain(8, 8, 2, 4))
    fresh = rolled(name, *edits)
    assert same(again(made(name), plain(name), Intervention(tuple(edits))), fresh, ())
    assert same(again(made(name), fresh), fresh, ())
    assert same(again(made(name), fresh, NOTHING), plain(name), ())
    if "lstm" not in name:
        assert same(again(made(name), plain(name), edges="none"), rolled(name, edges="none"), ())


def test_a_rollout_of_another_model_is_not_rolled_out_again() -> None:
    with pytest.raises(ValueError, match="made by another kind of model than springs-4-3-state-nri"):
        again(made("springs-4-3-state-nri-lo"), plain("springs-4-3-state-hri"))
    with pytest.raises(ValueError, match="made by another kind of model"):
        again(made("springs-4-3-slot-hri-h"), plain("springs-4-3-state-hri"))
    with pytest.raises(ValueError, match="does not fit"):
        again(made("springs-4-3-state-hri"), plain("springs-4-3-state-hri"), Intervention((Mute(20),)))


def test_edits_hold_in_every_scene_of_a_batch() -> None:
    edits = Intervention((SetEdge(7, 8, 1), Nudge(7, 3, (0.5,)), Mute(6)))
    both = roll_out(made(), scenes(), FREE, intervention=edits)
    for scene in range(2):
        alone = roll_out(made(), scenes()[scene : scene + 1], FREE, intervention=edits)
        assert near(both.scene(scene).predicted_slots, alone.predicted_slots)
        assert (both.scene(scene).predicted_frames == alone.predicted_frames).mean() > 0.999  # type: ignore[union-attr]
        assert both.scene(scene).edits == alone.edits


def test_edits_travel_through_files_of_arrays() -> None:
    edits = Intervention((SetLevel("all"),))
    from_file = from_arrays(made(), simulation(scenes()[:1]), "input.npz", FREE, intervention=edits)
    assert isinstance(from_file, Rollout)
    assert same(from_file, rolled("springs-4-3-state-hri", edges="none"))

"""Comparisons are fair or refused; compositionality has known answers."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hri.core.hierarchy import SLOT_TREE
from hri.core.records import Rollout
from hri.rollout.composition import SlotEffects, cells, compositionality, own_effects, slot_effects
from hri.rollout.edits import Mute
from hri.rollout.imaging import decode
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from hri.scores.compare import apart, caveat, check_comparable, compare, difference, edit_effect, unequal
from hri.view.facts import error_curves, true_springs
from tests.rollout.test_rollout import made, near, scenes
from tests.synthetic import slot_rollout, state_rollout

SLOT, PAR, STATE = "springs-4-3-slot-hri-h", "springs-4-3-par-nri", "springs-4-3-state-hri"
FREE = 6
ROOT = Path(__file__).parents[2]


@cache
def rolled(name: str) -> Rollout:
    return roll_out(made(name), scenes()[:1], FREE)


# Errors ------------------------------------------------------------------------------------------------


def test_errors_are_those_of_each_rollout_alone() -> None:
    together = compare([rolled(SLOT), rolled(PAR), rolled(STATE)])
    assert together.unit == "pixels in 0 … 1"
    for name, errors in zip((SLOT, PAR), together.errors, strict=False):  # a state model's own curve is of states
        alone = error_curves(rolled(name))
        assert errors == pytest.approx(alone.model, rel=1e-4)
        assert together.copy == pytest.approx(alone.copy, rel=1e-4)
    assert together.names == (SLOT, PAR, STATE)
    assert together.burn_in == pytest.approx(together.errors[:, :11].mean(1))
    assert together.free_run == pytest.approx(together.errors[:, 11:].mean(1))


def test_a_rollout_compared_with_itself_differs_nowhere() -> None:
    assert (difference(rolled(SLOT), rolled(SLOT)) == 0).all()
    muted = again(made(SLOT), rolled(SLOT), Intervention((Mute(9),)))
    apart = difference(rolled(SLOT), muted)
    assert apart.shape == (15, 32, 32)
    one, other = (rollout.predicted_frames for rollout in (rolled(SLOT), muted))
    assert one is not None
    assert other is not None
    assert apart == pytest.approx(np.abs(one[0].astype(np.float32) - other[0].astype(np.float32)).mean(-1), abs=1e-6)
    assert (apart.max((1, 2)) > 0).all(), "a slot that is mute throughout is missing in every picture"
    assert near(apart, difference(muted, rolled(SLOT)), 0)


@pytest.mark.parametrize("name", [SLOT, STATE])
def test_edits_move_nothing_before_they_begin_and_then_what_pictures_or_states_say(name: str) -> None:
    edited = again(made(name), rolled(name), Intervention((Mute(5, 4),)))
    gap = edit_effect(edited, rolled(name))
    assert (gap[:4] == 0).all()
    assert (gap[4:] > 0).all(), "and from then on every one"
    field = "predicted_frames" if name == SLOT else "predicted_slots"
    one, other = getattr(edited, field)[0, 5], getattr(rolled(name), field)[0, 5]
    assert gap[5] == pytest.approx(np.square(one - other).mean(), rel=1e-5)


def test_states_are_compared_where_there_are_no_pictures() -> None:
    plain = dataclasses.replace(state_rollout(), frames=None, predicted_frames=None)
    leaves = dataclasses.replace(plain, predicted_slots=plain.predicted_slots[:, :, 5:] * np.float32(0.5))
    together = compare([plain, leaves])
    assert together.unit == "normalised states"
    expected = np.square(plain.predicted_slots[0, :, 5:] - plain.slots[0, 1:, 5:]).mean((1, 2))
    assert together.errors[0] == pytest.approx(expected, rel=1e-5)
    assert together.errors[1].mean() > together.errors[0].mean()


def test_models_that_see_the_same_states_are_compared_by_states() -> None:
    other = dataclasses.replace(state_rollout(), predicted_slots=state_rollout().predicted_slots + np.float32(0.5))
    together = compare([state_rollout(), other])
    assert together.unit == "normalised states"
    assert together.errors[0] == pytest.approx(error_curves(state_rollout()).model, rel=1e-5)
    # Normalised otherwise, states have a common unit still: the true ones say how to get from one to the other.
    scaled = dataclasses.replace(state_rollout(), slots=state_rollout().slots * np.float32(2))
    assert compare([state_rollout(), scaled]).unit == "normalised states"


def test_models_apart_are_the_two_that_differ_most_at_each_pixel() -> None:
    rollouts = [rolled(SLOT), rolled(PAR), rolled(STATE)]
    gaps = [difference(rollouts[i], rollouts[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert np.array_equal(apart(rollouts), np.maximum.reduce(gaps))
    assert np.array_equal(apart(rollouts[:2]), gaps[0])


def test_states_against_images_is_told_to_be_no_race() -> None:
    assert caveat([rolled(SLOT), rolled(PAR)]) is None
    assert caveat([rolled(STATE), rolled(STATE)]) is None
    told = caveat([rolled(SLOT), rolled(STATE), rolled(PAR)]) or ""
    assert f"{STATE} is given exact positions" in told
    assert f"{SLOT} and {PAR} have to find the balls" in told
    assert "\n" not in told


def test_unequal_training_is_told() -> None:
    steps = {"a": {"stage1": 24_000, "stage2": 500}, "b": {"stage1": 24_000, "stage2": 500}}
    assert unequal(steps) is None
    told = unequal(steps | {"c": {"stage1": 24_000, "stage2": 3_000}}) or ""
    assert told.endswith("Updates of prediction: a 500, b 500, c 3,000.")
    both = unequal({"a": {"stage1": 24_000, "stage2": 500}, "s": {"stage2": 1_000}}) or ""
    assert both.endswith("Updates of reconstruction and prediction: a 24,000 and 500, s 0 and 1,000.")


def test_a_grey_level_of_rounding_is_no_other_scene() -> None:
    frames = slot_rollout().frames
    assert frames is not None
    level, more = frames.copy(), frames.copy()
    level[0, 3, 4, 5, 0] ^= 1
    more[0, 3, 4, 5, 0] ^= 2
    assert compare([slot_rollout(), changed(frames=level)]).errors.shape == (2, 48)
    with pytest.raises(ValueError, match="different scenes"):
        compare([slot_rollout(), changed(frames=more)])


def changed(**values: Any) -> Rollout:
    return dataclasses.replace(slot_rollout(), **values)


def larger() -> Rollout:
    """Frames of 64 x 64 pixels."""
    truth, predicted = np.zeros((1, 49, 64, 64, 3), np.uint8), np.zeros((1, 48, 64, 64, 3), np.float32)
    return changed(frames=truth, predicted_frames=predicted, reconstructed_frames=None, slot_frames=None)


def twice() -> Rollout:
    """The same scene two times."""
    one = slot_rollout()
    batched = {name: value for name, value in vars(one).items() if getattr(value, "shape", ())[:1] == (1,)}
    return dataclasses.replace(one, **{name: np.repeat(value, 2, 0) for name, value in batched.items()})


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ([], "1 rollouts cannot be compared; choose 2 to 4"),
        ([slot_rollout()] * 4, "5 rollouts cannot be compared"),
        ([slot_rollout(seed=8)], "made of different scenes"),
        ([slot_rollout(free=5)], "saw the truth up to frame 39 and 44; roll both out with the same free steps"),
        ([slot_rollout(times=40, free=1)], "have 49 and 40 frames"),
        ([larger()], "another size or colour"),
        ([changed(frames=None)], "neither frames nor states in common"),
        ([twice()], "holds 2 scenes"),
    ],
)
def test_unfair_comparisons_are_refused_in_one_sentence(others: list[Rollout], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        compare([slot_rollout(), *others])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("springs", ["springs-4-3", "springs-3-3"])
def test_stored_scenes_are_one_scene_for_every_model(springs: str) -> None:
    stored = [Rollout.load(path).scene(0) for path in sorted((ROOT / "assets" / "stored").glob(f"{springs}-*.npz"))]
    first = stored[0]
    for kind in ("frames", "states"):
        alike = [rollout for rollout in stored if rollout.observation == kind]
        for rollout in alike:
            check_comparable([first, rollout])
            true, others = true_springs(rollout), true_springs(alike[0])
            assert true is not None, rollout.checkpoint
            assert np.array_equal(true, others), rollout.checkpoint  # type: ignore[arg-type]
            silent = rollout.carries is not None and not rollout.carries.any()
            assert silent == ("lstm" in rollout.checkpoint), rollout.checkpoint


# Slots -------------------------------------------------------------------------------------------------


def effects(parts: np.ndarray, whole: np.ndarray | None = None) -> SlotEffects:
    """Of slots that draw ``parts`` [L, H, W], in a picture that is their sum unless another is given."""
    parts = parts[None, ..., None].astype(np.float32)
    picture = parts.sum(1) if whole is None else whole[None, ..., None].astype(np.float32)
    return SlotEffects((1,), picture, np.zeros_like(picture), parts)


INSIDE = cells(32)


def test_cells_share_the_frame_without_overlap() -> None:
    assert (INSIDE.sum(0) == 1).all()
    assert (INSIDE.sum((1, 2)) == 64).all()
    assert INSIDE[0, 0, 0]
    assert SLOT_TREE.cells[5].tolist() == [0, 0, 0.25, 0.25]


def test_an_additive_local_decoder_scores_exactly_one() -> None:
    random = np.random.default_rng(0)
    score = compositionality(effects(INSIDE * random.normal(size=(16, 32, 32))))
    assert (score.additivity, score.locality, score.score) == (1.0, 1.0, 1.0)


def test_scores_of_decoders_whose_answer_is_known() -> None:
    spread = np.full((16, 32, 32), 1 / 16)  # every slot draws everywhere: a sixteenth lies in its cell
    assert compositionality(effects(spread)).additivity == pytest.approx(1)
    assert compositionality(effects(spread)).locality == pytest.approx(1 / 16)
    one = INSIDE.astype(float)
    unrelated = compositionality(effects(one, -one.sum(0)))  # the slots say the opposite of the picture
    assert unrelated.additivity == pytest.approx(0)
    assert unrelated.locality == 1
    half = compositionality(effects(one, 0.5 * one.sum(0)))
    assert half.additivity == pytest.approx(1 - 0.5 / 1.5)
    shifted = compositionality(effects(np.roll(one, 4, 2)))
    assert shifted.locality == pytest.approx(0.5)
    assert np.isnan(compositionality(effects(np.zeros((16, 32, 32)))).score)


def test_slotdec_is_additive_and_pardec_is_told_what_it_changes() -> None:
    slot = slot_effects(made(SLOT), rolled(SLOT))
    assert slot.frames == tuple(range(1, 16))
    assert np.array_equal(slot.effects, rolled(SLOT).slot_frames[0])  # type: ignore[index]
    assert compositionality(slot).additivity == 1
    par = slot_effects(made(PAR), rolled(PAR), [3, 15])
    leaves = torch.from_numpy(rolled(PAR).predicted_slots[0, [2, 14]][:, SLOT_TREE.leaves])
    for leaf in (0, 9):  # the slot leaves the picture; what it told others stays told
        without, alone = decode(made(PAR), leaves, np.tile(np.arange(16) == leaf, (2, 1)))
        assert alone is None
        whole = rolled(PAR).predicted_frames
        assert whole is not None
        assert near(par.effects[:, leaf], whole[0, [2, 14]] - without, 1e-4)  # pixels of an untrained decoder reach 20
    score = compositionality(par)
    assert 0 <= score.locality <= 1
    assert 0 <= score.additivity < 1
    for told in (slot, par):
        assert told.shares.sum(1) == pytest.approx(1, rel=1e-5)
        assert (told.shares >= 0).all()


def test_slotdec_tells_its_effects_without_the_model() -> None:
    own, asked = own_effects(rolled(SLOT)), slot_effects(made(SLOT), rolled(SLOT))
    assert own is not None
    for name in ("frames", "whole", "empty", "effects"):
        assert np.allclose(getattr(own, name), getattr(asked, name), rtol=0, atol=1e-5), name
    assert own_effects(rolled(PAR)) is None


def test_a_slot_that_is_muted_already_has_no_effect() -> None:
    for name in (SLOT, PAR):
        muted = again(made(name), rolled(name), Intervention((Mute(9),)))
        assert (slot_effects(made(name), muted, [5]).effects[:, 4] == 0).all()


def test_slots_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="no slot draws anything"):
        slot_effects(made(STATE), rolled(STATE))
    with pytest.raises(ValueError, match="another kind of model"):
        slot_effects(made(SLOT), rolled(PAR))
    with pytest.raises(ValueError, match="frames 1 to 15 of one scene"):
        slot_effects(made(SLOT), rolled(SLOT), [16])


def test_models_normalised_by_other_training_sets_are_compared_in_the_units_of_the_first() -> None:
    first = state_rollout()
    scale, shift = np.array([1.001, 1.001, 1.3, 1.3], np.float32), np.array([0.0, 0.0, -0.05, -0.05], np.float32)
    other = dataclasses.replace(
        first,
        checkpoint="other",
        slots=first.slots * scale + shift,
        predicted_slots=first.predicted_slots * scale + shift,
    )
    both = compare([first, other])
    assert both.unit == "normalised states"
    np.testing.assert_allclose(both.errors[1], both.errors[0], rtol=1e-3, atol=1e-9)
    moved = dataclasses.replace(other, slots=other.slots[:, :, ::-1].copy())
    with pytest.raises(ValueError, match="different scenes"):
        compare([dataclasses.replace(first, frames=None), dataclasses.replace(moved, frames=None)])

"""Relations without a truth: what follows feet is found, what does not is not, and chance is what it says it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.records import Rollout
from hri.data.windows import swapped_sides
from hri.scores.body_relations import BodyRelations, body_relations
from tests.bodies import MOTION, TREE, body_rollout

FEET = [MOTION.joints.index(f"{side} foot") for side in ("left", "right")]
SCENES, TIMES = 4, 40


def believing(interacts: np.ndarray, heights: np.ndarray) -> Rollout:
    """Scenes of the swinging body with these probabilities [S, T, E] and its feet at these heights [S, T, 2]."""
    one = body_rollout(TIMES, 4)
    chances = np.stack([1 - interacts, interacts], -1).astype(np.float32)
    states = np.repeat(one.slots, SCENES, 0)
    states[..., FEET, 1] = heights - 0.9
    return dataclasses.replace(
        one,
        slots=states,
        true_states=states,
        predicted_slots=states[:, 1:],
        edge_logits=np.log(np.clip(chances, 1e-6, 1)),
        edge_probabilities=chances,
        edge_types=chances.argmax(-1),
        seeds=None,
        frames=None,
        predicted_frames=None,
    )


def walking(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Heights of both feet, which take turns at a pace of each scene's own [S, T, 2], and the phase of that."""
    phase = random.uniform(0, 6, (SCENES, 1)) + random.uniform(0.25, 0.45, (SCENES, 1)) * np.arange(TIMES)
    feet = np.stack([np.sin(phase), np.sin(phase + np.pi)], -1)
    return 0.15 * np.clip(feet, 0, None), phase


def noise(random: np.random.Generator, edges: int) -> np.ndarray:
    """What changes slowly, and with nothing else."""
    steps = random.normal(size=(SCENES, TIMES + 8, edges)).cumsum(1)
    smooth = steps[:, 8:] - steps[:, :-8]
    return 1 / (1 + np.exp(-smooth / smooth.std()))


@pytest.fixture(scope="module")
def edges() -> np.ndarray:
    return body_rollout().edge_sender_receiver


def test_what_follows_the_step_and_the_ground_is_found_and_what_only_drifts_is_not(edges: np.ndarray) -> None:
    random = np.random.default_rng(3)
    heights, phase = walking(random)
    drifting = body_relations(believing(noise(random, len(edges)), heights))
    assert drifting.strides.all()
    for found in (drifting.follows_step(), drifting.follows_contact()):
        assert found is not None
        assert not found.clear
    assert drifting.contact is not None
    assert 0.3 < drifting.contact.mean() < 0.7, "each foot rests for half of the time"

    # An edge at index t is inferred from states up to t - 1: it follows the feet one frame later.
    leg = [np.isin(edges, [foot, foot - 1, foot - 2, 0]).all(1) for foot in FEET]
    down = np.roll(heights < 0.01, 1, axis=1)
    following = noise(random, len(edges))
    for side, rows in enumerate(leg):
        following[..., rows] = np.where(down[..., side, None], 0.9, 0.1)
    contact = body_relations(believing(following, heights)).follows_contact()
    assert contact is not None
    assert contact.clear
    assert contact.value > 0.6
    waving = 0.5 + 0.4 * np.cos(np.roll(phase, 1, axis=1)[..., None] + np.arange(len(edges)))
    step = body_relations(believing(waving, heights)).follows_step()
    assert step is not None
    assert step.clear
    assert step.value > 0.8


def test_nothing_is_learned_where_an_untrained_model_does_as_well(edges: np.ndarray) -> None:
    random = np.random.default_rng(4)
    heights, phase = walking(random)
    waving = believing(0.5 + 0.4 * np.cos(np.roll(phase, 1, axis=1)[..., None] + np.arange(len(edges))), heights)
    alone, beside, above = (
        next(finding for finding in body_relations(waving, 0, others).findings if finding.about == "Phase of the step")
        for others in ([], [waving], [believing(noise(random, len(edges)), heights)])
    )
    assert (alone.clear, beside.clear, above.clear) == (True, False, True)
    assert "poses alone do that" in beside.sentence
    assert "more than where nothing was learned" in above.sentence


def test_mirrored_edges_are_those_of_the_other_side(edges: np.ndarray) -> None:
    swapped = swapped_sides(MOTION.joints, TREE)
    assert swapped is not None
    random = np.random.default_rng(5)
    heights, _ = walking(random)
    chances = random.random(len(edges))
    uneven = np.broadcast_to(chances, (SCENES, TIMES, len(edges)))
    found = body_relations(believing(random.random((SCENES, TIMES, len(edges))) * 0 + uneven, heights))
    for first, second in found.mirrored:
        np.testing.assert_array_equal(swapped[found.pairs[first]], found.pairs[second])
    assert len(found.mirrored) == 15
    even = {tuple(pair): chance for pair, chance in zip(edges.tolist(), chances, strict=True)}
    same = [min(even[(i, j)], even[(int(swapped[i]), int(swapped[j]))]) for i, j in edges.tolist()]
    speaking = random.random((SCENES, TIMES, 1)) < np.array(same)
    alike = body_relations(believing(np.where(speaking, 0.9, 0.1), heights)).mirror()
    assert alike is not None
    assert (alike.value, alike.clear) == (0, True)
    apart = body_relations(believing(np.where(random.random((SCENES, TIMES, 1)) < chances, 0.9, 0.1), heights)).mirror()
    assert apart is not None
    assert not apart.clear


def test_what_cannot_be_asked_is_said(edges: np.ndarray) -> None:
    still = np.zeros((SCENES, TIMES, 2))
    constant = body_relations(believing(np.full((SCENES, TIMES, len(edges)), 0.9), still))
    assert constant.mirror() is constant.follows_contact() is constant.follows_step() is None
    assert [finding.clear for finding in constant.findings] == [None] * 4
    assert f"Of {len(edges)} edges {len(edges)}.0 speak" in constant.findings[0].sentence
    silent = dataclasses.replace(body_rollout(), carries=np.zeros(len(edges), dtype=np.uint8))
    assert [finding.about for finding in body_relations(silent).findings] == ["How many"]
    assert isinstance(constant, BodyRelations)
    with pytest.raises(ValueError, match="only models that see a body's joints"):
        body_relations(dataclasses.replace(body_rollout(), joints=None))

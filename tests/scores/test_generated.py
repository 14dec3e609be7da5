"""Light left and balls kept under shifts, fading and other exchanges, wherever the balls lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.physics.palette import half_axes
from hri.physics.render import draw as drawn
from hri.scores.pictures import ball_area, balls_kept, blobs, colours, light_left
from tests.generated import cases

MARGIN = 4
"""Pixels of black around all balls: so far a frame can be shifted without a ball reaching the rim."""
AREA = ball_area(half_axes(Tree.balls(7), RenderConfig()))


@st.composite
def frames(draw: Any, count: int = 1) -> np.ndarray:
    """Frames of up to seven balls of seven colours, one in front of the other or apart [count H W C]."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = random.uniform(-0.55, 0.55, (count, 7, 2))
    places[:, draw(st.integers(1, 7)) :] = np.nan
    made = drawn(places, Tree.balls(7)) / 255.0
    rim = made.copy()
    rim[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = 0
    assert not rim.any()
    return made


shifts = st.tuples(*[st.integers(-MARGIN, MARGIN)] * 2)


@cases(40)
@given(frames(), shifts)
def test_blobs_move_with_the_frame(made: np.ndarray, shift: tuple[int, int]) -> None:
    moved = np.roll(made, shift, (1, 2))
    for colour in colours(3):
        middles, light = blobs(made[0], colour)
        others, brightness = blobs(moved[0], colour)
        assert len(middles) == len(others)
        order, other = np.lexsort((middles + shift).round(6).T), np.lexsort(others.round(6).T)
        assert others[other] == pytest.approx((middles + shift)[order])
        assert brightness[other] == pytest.approx(light[order])


@cases(40)
@given(frames(count=2), shifts)
def test_both_scores_stay_when_truth_and_prediction_are_shifted_together(
    made: np.ndarray, shift: tuple[int, int]
) -> None:
    truth, predicted = made[:1], made[1:]
    moved = [np.roll(part, shift, (1, 2)) for part in (predicted, truth)]
    assert balls_kept(*moved, AREA) == balls_kept(predicted, truth, AREA)
    assert light_left(*moved) == pytest.approx(light_left(predicted, truth))


@cases(40)
@given(frames(count=2), st.permutations(range(3)))
def test_colours_that_change_places_in_both_change_no_score(made: np.ndarray, order: list[int]) -> None:
    truth, predicted = made[:1], made[1:]
    assert balls_kept(predicted[..., order], truth[..., order], AREA) == balls_kept(predicted, truth, AREA)


@cases(40)
@given(frames(count=2), st.floats(0, 1))
def test_light_left_falls_in_proportion_and_balls_kept_never_rises_by_fading(made: np.ndarray, share: float) -> None:
    truth, predicted = made[:1], made[1:]
    assert light_left(share * predicted, truth) == pytest.approx(share * light_left(predicted, truth))
    assert light_left(truth, truth) == [1.0]
    (kept,) = balls_kept(truth, truth, AREA)
    assert np.isnan(kept) or kept == 1
    (faded,) = balls_kept(share * truth, truth, AREA)
    assert np.isnan(kept) or 0 <= faded <= kept


@cases(20)
@given(frames(), frames())
def test_frames_are_scored_each_by_itself(one: np.ndarray, other: np.ndarray) -> None:
    both, turned = np.concatenate([one, other]), np.concatenate([other, one])
    for score in (light_left(both, turned), balls_kept(both, turned, AREA)):
        assert score.shape == (2,)
    assert light_left(both, turned)[0] == light_left(one, other)[0]
    alone, together = balls_kept(one, other, AREA)[0], balls_kept(both, turned, AREA)[0]
    assert alone == together or (np.isnan(alone) and np.isnan(together))

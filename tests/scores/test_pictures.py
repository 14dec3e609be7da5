"""Light left and balls kept, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.physics.palette import PALETTE, half_axes
from hri.physics.render import draw
from hri.physics.springs import simulate
from hri.scores import pictures
from hri.scores.pictures import ball_area, blobs, colours, light_left

TREE = Tree.parse("4-3")
PLACES = np.array([(-0.7, -0.7), (0.7, -0.7), (-0.7, 0.7), (0.7, 0.7), (0.0, 0.0), (0.0, 0.7), (0.0, -0.7)])


def balls_kept(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """With balls as large as the published ones."""
    area = ball_area(half_axes(Tree.balls(7), RenderConfig(size=truth.shape[1])))
    return pictures.balls_kept(predicted, truth, area)


def arrangement(shift: float = 0.0, size: int = 32, shown: int = 7) -> np.ndarray:
    """One frame of seven balls of all seven colours, far apart; ``shift`` in pixels of a 32 x 32 frame to the right."""
    tree = Tree.balls(7)
    places = PLACES + np.array([shift / (32 * 0.775 / 2), 0])
    places = np.where(np.arange(7)[:, None] < shown, places, np.nan)
    return draw(places[None], tree, RenderConfig(size=size)) / 255.0


def test_a_perfect_prediction_keeps_all_and_black_keeps_nothing() -> None:
    truth = arrangement()
    assert balls_kept(truth, truth) == [1.0]
    assert light_left(truth, truth) == [1.0]
    assert balls_kept(np.zeros_like(truth), truth) == [0.0]
    assert light_left(np.zeros_like(truth), truth) == [0.0]
    nothing = np.zeros_like(truth)
    assert np.isnan(balls_kept(truth, nothing)[0])
    assert np.isnan(light_left(truth, nothing)[0])


@pytest.mark.parametrize("shown", range(8))
def test_balls_that_are_gone_are_counted(shown: int) -> None:
    truth = arrangement()
    assert balls_kept(arrangement(shown=shown), truth)[0] == pytest.approx(shown / 7)


@pytest.mark.parametrize("size", [32, 64])
def test_within_two_pixels_is_kept_further_is_not(size: int) -> None:
    truth = arrangement(size=size)
    assert balls_kept(arrangement(1.8, size), truth)[0] == 1.0
    assert balls_kept(arrangement(2.4, size), truth)[0] == 0.0


def test_fading_is_seen_by_both_and_a_wrong_colour_is_no_ball() -> None:
    truth = arrangement()
    assert light_left(0.5 * truth, truth)[0] == pytest.approx(0.5)
    assert balls_kept(0.7 * truth, truth)[0] == 1.0
    assert balls_kept(0.25 * truth, truth)[0] == 0.0
    swapped = truth[..., [1, 0, 2]]  # red balls are green now, cyan ones magenta; blue, white and yellow stay
    assert balls_kept(swapped, truth)[0] == pytest.approx(3 / 7)


def test_two_balls_of_one_colour_need_two() -> None:
    tree = Tree.balls(8)  # balls 0 and 7 are both blue
    places = np.concatenate([PLACES, [(0.7, 0.0)]])
    both = draw(places[None], tree) / 255.0
    places[7] = np.nan
    one = draw(places[None], tree) / 255.0
    assert len(blobs(both[0], PALETTE[0] / 255.0)[0]) == 2
    assert balls_kept(one, both)[0] == pytest.approx(7 / 8)
    assert balls_kept(both, one)[0] == 1.0


def test_middles_are_where_balls_are() -> None:
    frame = arrangement()[0]
    middles, light = blobs(frame, colours(3)[4])
    assert len(middles) == 1
    assert middles[0] == pytest.approx([32 * (1 - 0.11 - 0.77 / 2) - 0.5, 32 * (0.125 + 0.775 / 2) - 0.5], abs=0.1)
    assert light[0] == pytest.approx(np.pi * (32 * (0.04 * 0.775 + 25 / 1152)) ** 2, rel=0.25)


def test_grey_frames_have_one_colour() -> None:
    truth = arrangement().max(-1, keepdims=True)
    assert colours(1).shape == (1, 1)
    assert balls_kept(truth, truth)[0] == 1.0
    assert balls_kept(np.roll(truth, 4, axis=2), truth)[0] < 0.5


def test_balls_that_others_hide_do_not_count() -> None:
    systems = simulate(TREE, "04", [900_000, 900_001])
    frames = draw(systems.positions.reshape(-1, 17, 2), TREE) / 255.0
    area = ball_area(half_axes(TREE, RenderConfig()))
    seen = [sum((blobs(frame, colour)[1] >= area / 3).sum() for colour in colours(3)) for frame in frames]
    assert 6 <= np.mean(seen) <= 12  # twelve leaves are drawn
    assert max(seen) <= 12
    assert (balls_kept(frames, frames) == 1).all()

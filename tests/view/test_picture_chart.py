"""The figure of pictures that hold shows what the scores say of each frame of the free run."""

from __future__ import annotations

import dataclasses

import numpy as np

from hri.scores.pictures import balls_kept, light_left
from hri.view.picture_chart import picture_chart
from hri.view.style import BLUE, VERMILLION
from tests.synthetic import slot_rollout, state_rollout

AREA = 8.0


def test_every_model_has_its_light_and_its_balls_by_step() -> None:
    rollouts = slot_rollout(), slot_rollout(pairs="all", types=4, slots=False)
    figure = picture_chart(rollouts, AREA)
    assert figure is not None
    lines = {trace.meta: trace for trace in figure.data}
    assert set(lines) == {"light-A", "balls-A", "light-B", "balls-B"}
    last = int(rollouts[0].last_true_input)  # frame last + 1 is one step ahead, as in the scores by step
    for letter, rollout in zip("AB", rollouts, strict=True):
        prediction, truth = rollout.predicted_frames[0, last:].astype(np.float32), rollout.frames[0, last + 1 :] / 255
        np.testing.assert_allclose(lines[f"light-{letter}"].y, light_left(prediction, truth), rtol=1e-4)
        kept = balls_kept(np.clip(prediction, 0, 1), truth, AREA)
        np.testing.assert_allclose(lines[f"balls-{letter}"].y, kept, rtol=1e-4)
        assert list(lines[f"light-{letter}"].x) == list(range(1, len(kept) + 1))
        assert lines[f"light-{letter}"].line.color == {"A": BLUE, "B": VERMILLION}[letter], "as in the timeline"
        assert lines[f"light-{letter}"].name == f"{letter} {rollout.checkpoint}"


def test_a_copy_of_the_truth_keeps_everything_and_black_nothing() -> None:
    rollout = slot_rollout()
    truth = (rollout.frames[:, 1:] / 255).astype(np.float32)
    copy, black = (dataclasses.replace(rollout, predicted_frames=frames) for frames in (truth, 0 * truth))
    figure = picture_chart((copy, black), AREA)
    assert figure is not None
    for trace in figure.data:
        known = np.array(trace.y, dtype=float)
        assert np.allclose(known[np.isfinite(known)], 1.0 if trace.meta.endswith("A") else 0.0), trace.meta


def test_without_balls_the_light_is_told_and_without_pictures_or_free_run_nothing() -> None:
    rollout = slot_rollout()
    figure = picture_chart((rollout, rollout), None)
    assert figure is not None
    assert [trace.meta for trace in figure.data] == ["light-A", "light-B"]
    blind = dataclasses.replace(state_rollout(), frames=None, predicted_frames=None)
    assert picture_chart((rollout, blind), AREA) is None
    seen = dataclasses.replace(rollout, last_true_input=rollout.slots.shape[1] - 2)
    assert picture_chart((seen, seen), AREA) is None

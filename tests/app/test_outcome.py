"""What Compare says of a comparison: each word follows from the rollouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.compare import outcome
from app.library import ModelSource, Scene
from hri.core.records import Rollout
from hri.scores.compare import RolloutComparison, compare

ROOT = Path(__file__).parents[2]


def scene(name: str) -> Scene:
    stored = ROOT / "assets" / "stored" / f"{name}.npz"
    source = ModelSource(name, ROOT / "checkpoints" / f"{name}.safetensors", stored)
    return Scene(source, "", 200_042, Rollout.load(stored).scene(0))


def said(*names: str, fair: bool = True) -> str:
    scenes = [scene(name) for name in names]
    return outcome.sentence(scenes, compare([each.rollout for each in scenes]), fair)


def test_the_better_prediction_and_the_graphs_that_say_something_are_named() -> None:
    names = ("springs-4-3-state-lstm", "springs-4-3-state-hri-h")
    errors = compare([scene(name).rollout for name in names]).free_run
    less = round(100 * (1 - errors[1] / errors[0]))
    assert said(*names) == (
        f"In this scene’s free run B errs least, {less} % less than A. Better than guessing: the graph of B."
    )


def test_graphs_that_say_nothing_are_said_to() -> None:
    words = said("springs-3-3-overlap-hri-h", "springs-3-3-strided-hri-h")
    assert words.endswith("Neither graph is better than guessing.")


def test_errors_that_cannot_be_compared_are_not() -> None:
    words = said("springs-4-3-state-lstm", "springs-4-3-state-hri-h", fair=False)
    assert words == "Better than guessing: the graph of B."


@pytest.mark.parametrize(
    ("errors", "copy", "words"),
    [
        ([[4.0, 2.0], [4.0, 2.0]], [4.0, 3.0], "A and B err alike."),
        ([[4.0, 2.0], [4.0, 1.0]], [4.0, 0.5], "B errs least, 50 % less than A, and no less than a picture that"),
        ([[4.0, np.nan], [4.0, 1.0]], [4.0, 3.0], ""),
    ],
)
def test_a_picture_that_stands_still_is_the_mark(errors: list[list[float]], copy: list[float], words: str) -> None:
    comparison = RolloutComparison(("a", "b"), "pixels", np.array(errors), np.array(copy), 0)
    told = outcome.sentence([], comparison, fair=True)
    assert words in told
    assert bool(words) == bool(told)

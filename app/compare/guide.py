"""Compare's tour: one clock, whose prediction holds longer, what each believes, and another scene for all."""

from __future__ import annotations

from collections.abc import Sequence

from app import tour
from app.compare.columns import PLAYER
from app.library import Scene
from app.tour import TourStep
from hri.view.player_compare import LETTERS


def show(scenes: Sequence[Scene]) -> None:
    """The invitation, or the button."""
    tour.tour("compare", "How to tell which model predicts better, and whose edges are right", steps(scenes), PLAYER)


def steps(scenes: Sequence[Scene]) -> list[TourStep]:
    """Those of these scenes."""
    turn, last = int(scenes[0].rollout.last_true_input) + 1, len(scenes) - 1
    return [
        tour.free_run(turn, ".st-key-compare-transport"),
        TourStep(
            "Which comes nearer",
            f"“Free run” is the mean error of the frames that a model predicts from its own predictions. Beside it "
            f"stands how many times that of model {LETTERS[0]} it is. Lower is better.",
            f".st-key-compare-numbers-{last}",
        ),
        TourStep(
            "What each believes",
            "One graph a model, at the frame that is shown: coloured arrows are what it believes, thin gold outlines "
            "what is really there. Under each stands how many of its edges are right.",
            ".st-key-compare-graph-0",
            "Stop where the free run begins",
            ({"pause": True}, {"seek": turn + 1}, {"scroll": ".st-key-compare-graph-0"}),
        ),
        TourStep(
            "Once is chance",
            "One scene says little. “Another scene” shows all models the next one, from the same start.",
            ".st-key-pickers",
            "Another scene for me",
            ({"press": {"within": ".st-key-pickers", "words": "Another scene"}},),
        ),
    ]

"""Train's tour: where to begin, what it costs, Start, and where to watch."""

from __future__ import annotations

from app import tour
from app.tour import TourStep

VIEW = ".st-key-view"


def show(has_runs: bool) -> None:
    """The invitation, or the button.

    Args:
        has_runs: whether there is a run to watch.
    """
    tour.tour("train", "How to train a model and watch it find the hidden springs", steps(has_runs), "train")


def steps(has_runs: bool) -> list[TourStep]:
    """All of them; the last shows a run where there is one."""
    watch = ({"press": {"within": VIEW, "words": "watch"}},) if has_runs else ()
    return [
        TourStep(
            "Begin small",
            "“First steps” trains a model on five balls within minutes. It is told no spring, and has to find them.",
            ".st-key-starter",
            "Show me where",
            ({"press": {"within": VIEW, "words": "new"}}, {"wait": ".st-key-starter"}),
            {"shown": ".st-key-starter"},
            "Here.",
        ),
        TourStep(
            "What it will cost",
            "Before anything starts, you see how long it will take and how much memory: timed on this machine, now or "
            "before.",
            ".st-key-estimate",
        ),
        TourStep(
            "Start",
            "“Start” makes a process of its own: it goes on when this page is closed. The command below the button "
            "does the same from a terminal.",
            ".st-key-start",
        ),
        TourStep(
            "Watch it learn",
            "While it trains: its curves, the inferred graph beside the true one, one scene as it learns to predict "
            "it, and words about what goes wrong. “Explore this moment” opens the model as it is.",
            VIEW,
            "Show me a run" if watch else "",
            watch,
        ),
    ]

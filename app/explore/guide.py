"""Explore's tour: the free run begins, true springs under what the model believes, one edge, what cutting it does."""

from __future__ import annotations

import numpy as np

from app import drawn, library, tour
from app.library import Scene
from app.tour import TourStep
from hri.core.hierarchy import edge_name
from hri.core.records import Rollout


def show(scene: Scene) -> None:
    """The invitation, or the button."""
    tour.tour("explore", "What the model predicts, what an edge is, and whether its edges are right", steps(scene))


def steps(scene: Scene) -> list[TourStep]:
    """Those that this scene and its model have."""
    rollout = scene.original
    turn = int(rollout.last_true_input) + 1
    first = tour.free_run(turn, ".st-key-explore-images")
    row = exemplar(rollout)
    if row is None:
        return [first]
    count = _count(rollout, scene.source, turn + 1)
    truth = "" if rollout.true_adjacency is None else f" Thin gold outlines: {rollout.force.outlined}."
    sender, receiver = (int(node) for node in rollout.edge_sender_receiver[row])
    name = edge_name(rollout.tree, sender, receiver)
    tour_steps = [
        first,
        TourStep(
            "What it believes",
            f"Coloured arrows: what the model believes acts on what, at this frame. Nobody told it.{truth}{count}",
            ".st-key-graph-side",
            "Stop where the free run begins",
            ({"pause": True}, {"seek": turn + 1}),
        ),
        TourStep(
            "One edge",
            "Click an edge of the graph: its probability over time appears under the pictures.",
            ".st-key-graph-side",
            f"Click {name} for me",
            ({"select": {"kind": "edge", "sender": sender, "receiver": receiver}},),
            {"selected": "edge"},
            "Chosen: see it under the pictures.",
        ),
    ]
    if library.config_of(scene.source) is not None and _carries(rollout, row):
        panel = ".st-key-panel"
        tour_steps.append(
            TourStep(
                "Cut it",
                "Under the timeline, “change” holds “Cut”: the scene is predicted again without that message. The "
                "prediction without your cut stays as a grey ghost. “Reset” there takes the cut back. The first time "
                "takes some seconds: the model is loaded.",
                panel,
                "Cut it for me",
                (
                    {"select": {"kind": "edge", "sender": sender, "receiver": receiver}},
                    {"press": {"within": panel, "words": "change"}},
                    {"press": {"within": ".st-key-edge-0", "words": "Cut"}},
                    {"wait": ".ghost"},
                    {"scroll": ".st-key-explore-images"},
                    {"seek": turn},
                    {"play": True},
                ),
                {"shown": ".ghost"},
                "Cut: grey is the prediction without your cut, “Change” how far it moved. Lessons are under “Learn”.",
                ".st-key-explore-images",
                "Predicting again without that message …",
            )
        )
    return tour_steps


def _count(rollout: Rollout, source: library.ModelSource, frame: int) -> str:
    """How many edges are right at a frame: of the level where the model is furthest above guessing, if there is one."""
    from hri.view.agreement import best_level, hundredth

    seen = drawn.agreement(rollout, library.window_of(source))
    if seen is None:
        return ""
    level = best_level(seen) or seen.all
    right, guess = hundredth(float(level.right[frame])), hundredth(level.guess)
    return (
        f" At frame {frame}, {right} % of {level.words} are right (guessing: {guess} %); the line under the graph "
        "counts all, at the frame that is shown."
    )


def exemplar(rollout: Rollout) -> int | None:
    """Row of the edge that most surely carries a message as the free run begins, of the hierarchy's if there are any.

    None where the model passes no messages. A true spring goes before what the model only believes.
    """
    from hri.view.facts import edge_rows, edge_step, true_springs

    rows = edge_rows(rollout, "hierarchy")
    if not len(rows):
        return None
    step = edge_step(rollout, int(rollout.last_true_input) + 1)
    surely = 1 - rollout.edge_probabilities[0, step, rows, 0]
    springs = true_springs(rollout)
    senders, receivers = rollout.edge_sender_receiver[rows].T
    if springs is not None:
        surely = surely + springs[step, senders, receivers]
    from hri.core.hierarchy import ranks

    # An edge to a leaf: what it does is seen in the picture.
    surely = surely + (ranks(rollout.tree)[receivers] == 2)
    return int(rows[int(np.argmax(surely))])


def _carries(rollout: Rollout, row: int) -> bool:
    return rollout.carries is None or bool(rollout.carries[row])

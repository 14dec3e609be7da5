"""What the model does not know: three failures on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.learn import course, lesson_state
from app.learn.arena import arena_data
from app.learn.stage import Shown, Stage, arena, file_of
from hri.core.forces import usual_physics
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.rollout.edits import Curtain
from hri.rollout.interventions import Intervention
from hri.view.facts import error_curves
from hri.view.player import image_arrays

CASES = ("curtain", "another tree", "a long run")
CURTAIN = (10, 10)
"""Left edge and top of the curtain, in pixels of a 32 x 32 frame."""
SIDE = 12
"""Of the curtain, a square, in the same pixels."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failure:
    """The same model where it is at home, and where it is not: its error as a share of a trivial guess's."""

    usually: str
    """Such as "in a usual scene"."""
    here: str
    """Such as "behind a curtain"."""
    guess: str
    """Such as "repeating the last true frame"."""
    usual: float
    failing: float

    def says(self) -> str:
        """Both shares; 100 % is as bad as the guess."""
        change = self.failing / self.usual
        verdict = f"{change:.1f} times as much" if change > 1.1 else "hardly more" if change > 0.9 else "less"
        where = self.usually[:1].upper() + self.usually[1:]
        return (
            f"{where} the model's error is {self.usual:.0%} of that of {self.guess}; "
            f"{self.here} it is {self.failing:.0%}, {verdict}."
        )


def share_of_copying(rollout: Rollout) -> float:
    """Error of all frames after the last true one over that of repeating it, means over these frames."""
    curves, first = error_curves(rollout), int(rollout.last_true_input)  # the error of frame first + 1, step 1
    return float(curves.model[first:].mean() / curves.copy[first:].mean())


def curtain_failure(usual: Rollout, with_curtain: Rollout, left: int, top: int, side: int = SIDE) -> Failure:
    """Behind a curtain (pixels of a 32 x 32 frame), while true frames come in: predicted pixels against none at all.

    Args:
        usual: the scene without a curtain, of an image model.
        with_curtain: the same with it.
        left: column of its left edge.
        top: row of its upper edge.
        side: of the square.
    """
    behind = (slice(top, top + side), slice(left, left + side))

    def share(rollout: Rollout) -> float:
        assert rollout.frames is not None
        assert rollout.predicted_frames is not None
        frames = slice(1, int(rollout.last_true_input) + 2)
        truth = rollout.frames[0, frames, *behind] / 255.0
        prediction = rollout.predicted_frames[0, : truth.shape[0], *behind]
        return float(np.square(prediction - truth).mean() / np.square(truth).mean())

    return Failure("in this square", "behind the curtain", "drawing nothing there", share(usual), share(with_curtain))


def tree_failure(usual: Rollout, other: Rollout, tree: str) -> Failure:
    """On a system of another tree and physics than those of the training."""
    shares = share_of_copying(usual), share_of_copying(other)
    return Failure("on a 4-3 system", f"on a {tree} system", "repeating the last true frame", *shares)


def long_failure(short: Rollout, long: Rollout) -> Failure:
    """In a free run that is longer than those of the training."""
    steps = [rollout.slots.shape[1] - int(rollout.last_true_input) - 1 for rollout in (short, long)]
    names = [f"over {count} steps without truth" for count in steps]
    shares = share_of_copying(short), share_of_copying(long)
    return Failure(names[0], names[1], "repeating the last true frame", *shares)


def statement(checkpoint: str, case: str, seed: int, left: int, top: int) -> str:
    """How badly a model fails in a case ("curtain", "another tree", "a long run")."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.rollout import roll_out

    model, tree = load(checkpoint), Tree.parse("4-3")
    scene = simulate(tree, usual_physics("4-3"), [seed])
    usual = roll_out(model, scene)
    if case == "curtain":
        edits = Intervention((Curtain(left, top),))
        failure = curtain_failure(usual, roll_out(model, scene, intervention=edits), left, top)
    elif case == "another tree":
        tree = Tree.parse("3-3")
        failure = tree_failure(usual, roll_out(model, simulate(tree, usual_physics("3-3"), [seed]), tree=tree), "3-3")
    else:
        failure = long_failure(usual, roll_out(model, scene, free_steps=40))
    return failure.says()


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """The curtain."""
    checkpoint = folder / f"{course.IMAGE_MODELS['SlotDec']}.safetensors"
    return {"checkpoint": str(checkpoint), "case": CASES[0], "seed": seed, "left": CURTAIN[0], "top": CURTAIN[1]}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """A case to choose above its films."""
    case = st.segmented_control("Case", CASES, default=CASES[0], required=True, key="limits-case") or CASES[0]
    model = course.STATE_MODEL if case == "a long run" else course.IMAGE_MODELS["SlotDec"]
    explore = {"model": model, "seed": str(stage.seed)}
    with st.spinner("The model predicts …"):
        usual = lesson_state.rollout(model, stage.seed)
        if case == "curtain":
            edits = Intervention((Curtain(*CURTAIN),))
            failing = lesson_state.rollout(model, stage.seed, edits)
            failure, explore["edits"] = curtain_failure(usual, failing, *CURTAIN), edits.to_address()
        elif case == "another tree":
            failing = lesson_state.rollout(model, stage.seed, dataset="springs-3-3")
            failure, explore["data"] = tree_failure(usual, failing, "3-3"), "springs-3-3"
        else:
            failing = lesson_state.rollout_from(model, stage.seed, 10, pictures=True)
            failure = long_failure(usual, failing)
    _film(f"limits-{stage.seed}-{case}", failing, case == "curtain")
    cases = {*st.session_state.get("limits_seen", ()), case}
    st.session_state["limits_seen"] = cases
    return Shown(
        statement=failure.says(),
        values={"checkpoint": file_of(model), "case": case, "seed": stage.seed, "left": CURTAIN[0], "top": CURTAIN[1]},
        explore=explore,
        done=len(cases) == len(CASES),
    )


def _film(scene: str, rollout: Rollout, curtain: bool) -> None:
    """Truth and prediction side by side, on one clock; the curtain's place as a frame."""
    films = image_arrays(rollout)
    nobody = np.full((len(films["truth"]), 17, 2), np.nan)
    left, top = CURTAIN
    place = {
        "boxes": [[left / 32, top / 32, (left + SIDE) / 32, (top + SIDE) / 32]], "names": ["curtain"], "lit": [0.15],
        "choose": False,
    }  # fmt: skip
    for name, column in zip(("truth", "prediction"), st.columns(2), strict=True):
        with column:
            st.caption(name.capitalize())
            arena(
                f"learn-limits-{name}",
                arena_data(
                    scene, nobody, Tree.parse("4-3"), label=name, balls_shown=(), image=films[name], part=name,
                    begin=max(0, int(rollout.last_true_input) - 3), transport=name == "truth",
                    cells=place if curtain else None,
                ),
            )  # fmt: skip


LESSON = course.Lesson(
    key="limits",
    title="What the model does not know",
    idea=(
        "You know a model best by its failures. Here are three, made on purpose: something blocks the view, the system "
        "is of a kind that the model has never met, or the model is left on its own for too long. In each case its "
        "error is given as a share of that of a guess that needs no model at all; 100 % is as bad as the guess."
    ),
    do="Look at the three cases one after the other.",
    notice="Is there anything in the predicted pictures themselves that warns you?",
    section="4.3",
    mathematics=(
        (
            "Error as a share of that of a guess $g$ without a model: the last true frame, or an empty picture.",
            r"\frac{\sum_t \lVert \hat I(t) - I(t) \rVert^2}{\sum_t \lVert g(t) - I(t) \rVert^2}",
        ),
    ),
    question="A model predicts well on a thousand test systems. What may you not conclude?",
    answer=(
        "That it predicts well on systems of another kind, or further ahead than it was tested. A test speaks only for "
        "what it tested."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

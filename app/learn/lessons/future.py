"""Predicting further: the longer the model is on its own, the further its balls are from the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from app import drawn
from app.learn import course, figures, lesson_state
from app.learn.race import race
from app.learn.stage import Shown, Stage, chart, file_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.view import style

# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Horizon:
    """How far predicted balls are from true ones, k = 1, 2, ... steps after the last true frame (box: 2 wide)."""

    frames_seen: int
    """True frames that the model was shown."""
    model: Float[np.ndarray, " F"]
    copy: Float[np.ndarray, " F"]
    """The same when nothing is taken to move."""

    @property
    def first_step_behind(self) -> int | None:
        """The first step from which copying is closer, if any."""
        worse = np.flatnonzero(self.model >= self.copy)
        return int(worse[0]) + 1 if len(worse) else None

    def says(self) -> str:
        """Distances at the beginning, in the middle and at the end, and when copying is as good."""
        last = len(self.model)
        steps = sorted({1, min(10, last), last})
        off = ", ".join(f"{self.model[k - 1]:.2g} after {k} step{'' if k == 1 else 's'}" for k in steps)
        still = ", ".join(f"{self.copy[k - 1]:.2g}" for k in steps)
        end = (
            "The model is closer all the way."
            if self.first_step_behind is None
            else f"From step {self.first_step_behind} on there are steps at which that guess is closer."
        )
        return (
            f"Predicted balls are off by {off}; the guess that nothing moves is off by {still}. {end} (The box is 2 "
            "wide.)"
        )


def horizon(rollout: Rollout) -> Horizon:
    """Mean distance over balls in the free run of one scene of a state model.

    Raises:
        ValueError: an image model, or one that predicts leaves only.
    """
    if rollout.observation != "states" or rollout.predicted_slots.shape[2] != rollout.tree.size:
        raise ValueError("distances are those of balls; choose a state model that predicts all of them")
    last, places = int(rollout.last_true_input), rollout.slots[0, :, :, :2]
    true, prediction = places[last + 1 :], rollout.predicted_slots[0, last:, :, :2]
    return Horizon(
        frames_seen=last + 1,
        model=np.linalg.norm(prediction - true, axis=-1).mean(1).astype(np.float64),
        copy=np.linalg.norm(places[last] - true, axis=-1).mean(1).astype(np.float64),
    )


def statement(checkpoint: str, seed: int, free: int) -> str:
    """How far off a model is in so many steps without truth."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.rollout import roll_out

    scene = simulate(Tree.parse("4-3"), "04", [seed])
    rollout = roll_out(load(checkpoint), scene, free_steps=free, pictures=False)
    return horizon(rollout).says()


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """On its own as early as the model can be."""
    return {"checkpoint": str(folder / f"{course.STATE_MODEL}.safetensors"), "seed": seed, "free": 40}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """Predicted crosses leave the true balls beside their distance by steps."""
    left, right = st.columns([1, 1], gap="medium")
    with right:
        frames_seen = st.slider(
            "True frames seen", 4, 44, 39, 5, key="future-seen", help="Afterwards it is on its own."
        )
    rollout = lesson_state.rollout_from(course.STATE_MODEL, stage.seed, frames_seen)
    distances = horizon(rollout)
    with right:
        drawn.load_pandas()
        chart(
            horizon_figure(distances, stage.size), "future-error",
            "Distance of predicted from true balls by the number of steps without truth",
        )  # fmt: skip
    with left:
        race("learn-future", f"future-{stage.seed}-{frames_seen}", rollout)
    return Shown(
        statement=distances.says(),
        values={"checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "free": 49 - frames_seen + 1},
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "layout": "image"},
        done=frames_seen != 39,
    )


def horizon_figure(distances: Horizon, size: float = 1.0) -> go.Figure:
    """Error of the model and of "nothing moves" by steps without truth."""
    steps = np.arange(1, len(distances.model) + 1)
    curves = [
        ("model", steps, distances.model, style.BLUE, "solid"),
        ("nothing moves", steps, distances.copy, style.GREY, "dash"),
    ]
    return figures.lines(curves, "steps without truth", "distance (box: 2)", size, 320)


LESSON = course.Lesson(
    key="future",
    title="Predicting further",
    idea=(
        "Predicting one step ahead is easy: hardly anything moves between two frames. To look further ahead, the model "
        "must continue from its own predictions, and every small error goes into the next step. So we show it some "
        "true frames, then none, and measure how far the predicted balls are from the true ones."
    ),
    do="Let the model see more or fewer true frames before it is on its own.",
    notice="Compare with the dashed line, the error of saying that nothing moves. For how long is the model better?",
    section="4.2",
    mathematics=(
        (
            "First the model is given true states; afterwards its own prediction is its next input.",
            r"\hat x(t+1) = M\bigl(x(t)\bigr) \qquad \text{then} \qquad \hat x(t+1) = M\bigl(\hat x(t)\bigr)",
        ),
        (
            "The error $k$ steps after the last true frame $T$, a mean over the balls $i$.",
            r"e_k = \frac{1}{N} \sum_i \bigl\lVert \hat x_i(T+k) - x_i(T+k) \bigr\rVert",
        ),
    ),
    question="Why compare with a forecast that says “nothing moves”?",
    answer=(
        "Because an error alone says little: a slow scene is easy for everybody. A model has understood something "
        "about motion only as far as it beats the forecast that knows nothing about it."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

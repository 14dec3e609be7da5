"""Does the hierarchy help? HRI, NRI and LSTM on one scene, and what many scenes say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app import drawn, places
from app.learn import course, figures, lesson_state
from app.learn.race import race
from app.learn.stage import Shown, Stage, chart, file_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.experiments.claims import CLAIMS, find
from hri.experiments.scoreboard import Board
from hri.scores.compare import compare
from hri.view import style
from hri.view.facts import error_curves

RIVALS = {
    name: f"springs-4-3-state-{model}-equal" for name, model in {"HRI": "hri-h", "NRI": "nri", "LSTM": "lstm"}.items()
}
SENTENCES = ("HRI predicts better than NRI.", "HRI still leads when NRI adds its messages as HRI does.")
"""The claims that the lesson quotes: the lead of the hierarchy, and the control that may explain it."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contest:
    """Several models on one scene: mean squared errors of the free run."""

    names: tuple[str, ...]
    errors: tuple[float, ...]
    unit: str

    def says(self) -> str:
        """The models from best to worst on this scene."""
        order = np.argsort(self.errors)
        best = self.names[order[0]]
        each = ", ".join(f"{self.names[k]} {self.errors[k]:.2g}" for k in order)
        return f"On this scene {best} errs least in the free run: {each} (mean squared error, {self.unit})."


def contest(rollouts: Sequence[Rollout], names: Sequence[str]) -> Contest:
    """Compare rollouts of one scene on the frames that rest on predictions, by the states of balls.

    Raises:
        ValueError: as :func:`hri.scores.compare.check_comparable`.
    """
    # States, not pictures: the models of this lesson see states, and small errors hardly show in pixels.
    bare = [dataclasses.replace(r, frames=None, predicted_frames=None) for r in rollouts]
    comparison = compare(bare)
    return Contest(tuple(names), tuple(float(value) for value in comparison.free_run), comparison.unit)


def verdicts(board: Board) -> list[str]:
    """What the results over many test systems say of the hierarchy: with its control, which may explain the lead."""
    sentences = []
    for claim in CLAIMS:
        if claim.sentence in SENTENCES:
            finding = find(claim, claim.comparisons[0], board)
            if finding.verdict != "not run yet":
                verdict = finding.verdict[:1].upper() + finding.verdict[1:]
                sentences.append(f"{claim.sentence} {verdict}: {finding.says}")
    return sentences


def statement(seed: int, checkpoints: Mapping[str, str]) -> str:
    """Which of some models errs least in the system of a seed."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.rollout import roll_out

    scene = simulate(Tree.parse("4-3"), "04", [seed])
    rollouts = [roll_out(load(file), scene) for file in checkpoints.values()]
    return contest(rollouts, tuple(checkpoints)).says()


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """All three models."""
    return {"seed": seed, "checkpoints": {name: str(folder / f"{file}.safetensors") for name, file in RIVALS.items()}}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """One model's crosses beside the errors of all three and the verdicts of the results."""
    rollouts = {name: lesson_state.rollout(model, stage.seed) for name, model in RIVALS.items()}
    left, right = st.columns([1, 1], gap="medium")
    with left:
        name = st.segmented_control(
            "Predictions of", list(RIVALS), default="HRI", required=True, key="hierarchy-model"
        ) or "HRI"  # fmt: skip
        race("learn-hierarchy", f"hierarchy-{stage.seed}-{name}", rollouts[name])
    with right:
        drawn.load_pandas()
        chart(
            contest_figure(list(rollouts.values()), list(rollouts), stage.size), "hierarchy-error",
            "Error of each model by frame",
        )  # fmt: skip
        for sentence in verdicts(places.board()):
            st.markdown(f":material/leaderboard: {sentence}")
    return Shown(
        statement=contest(list(rollouts.values()), list(rollouts)).says(),
        values={"seed": stage.seed, "checkpoints": {rival: file_of(model) for rival, model in RIVALS.items()}},
        explore={"model": RIVALS[name], "seed": str(stage.seed), "layout": "image"},
        done=name != "HRI",
    )


def contest_figure(rollouts: Sequence[Rollout], names: Sequence[str], size: float = 1.0) -> go.Figure:
    """Error of each model by frame, on a logarithmic axis; the free run is shaded."""
    curves = []
    inks = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE)
    for rollout, name, ink, dash in zip(rollouts, names, inks, ("solid", "dash", "dot", "dashdot"), strict=False):
        errors = error_curves(rollout).model
        curves.append((name, np.arange(1, len(errors) + 1), errors, ink, dash))
    figure = figures.lines(curves, "frame", "squared error", size, 300)
    figure.add_vrect(
        x0=int(rollouts[0].last_true_input) + 1.5, x1=rollouts[0].slots.shape[1] - 1, fillcolor=style.VERMILLION,
        opacity=0.1, line_width=0, layer="below", annotation_text="on its own", annotation_position="bottom right",
        annotation_xanchor="right",
    )  # fmt: skip
    return figure.update_layout(
        xaxis_range=[0, rollouts[0].slots.shape[1]],
        yaxis={"type": "log", "rangemode": "normal", "dtick": 1, "exponentformat": "power"},
    )


LESSON = course.Lesson(
    key="hierarchy",
    title="Does the hierarchy help?",
    idea=(
        "Three models see the same scene. LSTM knows nothing about relations and has one memory for everything. NRI "
        "lets every ball talk to every other. HRI lets them talk only along the tree. All were trained on the same "
        "systems, for the same number of updates. One scene is an anecdote; the sentences below the chart say what "
        "many scenes show."
    ),
    do="Let another model predict, and watch its crosses leave the balls.",
    notice=(
        "NRI and HRI differ in more than the tree. The last sentence below the chart compares HRI with an NRI that "
        "adds its messages as HRI does."
    ),
    section="4.2",
    mathematics=(
        (
            "The score of the tables: half the squared error over the variance $\\sigma^2 = 5 \\cdot 10^{-5}$, summed "
            "over time and features, a mean over balls.",
            r"\mathrm{NLL} = \frac{1}{N} \sum_{i} \sum_{t} \frac{\lVert \hat x_i(t) - x_i(t) \rVert^2}{2 \sigma^2}",
        ),
        (
            "The control: messages $m$ are added to the memory, as in HRI; in the published NRI they take its place.",
            r"h_i \leftarrow h_i + m_i \qquad \text{against} \qquad h_i \leftarrow m_i",
        ),
    ),
    question="Model A beats model B in every scene. Is its idea better?",
    answer=(
        "Not necessarily: the models may differ in other things as well, such as their size or how messages enter the "
        "memory. Only a comparison in which nothing but the idea differs can tell, over several trainings."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

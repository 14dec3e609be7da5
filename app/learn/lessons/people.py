"""When nobody knows the truth: what can be asked of the relations of a body, and what stands beside each answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app import drawn, places
from app.learn import course, figures, lesson_state
from app.learn.stage import Shown, Stage, chart, file_of
from hri.core.records import Rollout
from hri.scores.body_relations import UNTRAINED, AgainstChance, BodyRelations, body_relations
from hri.view import style
from hri.view.body_chart import mirror_chart

MODEL = "mocap-state-hri"
QUESTIONS = ("How many", "Left and right", "Feet on the ground", "Phase of the step")

# What it states ----------------------------------------------------------------------------------------


def says(relations: BodyRelations, question: str) -> str:
    """What the model's edges answer to one of the questions.

    Raises:
        ValueError: it is none of them, or a model without edges.
    """
    answers = {finding.about: finding.sentence for finding in relations.findings}
    if question not in answers:
        raise ValueError(f"{question!r} cannot be asked here; choose from {', '.join(answers)}")
    return answers[question]


def statement(checkpoint: str, scenes: str, question: str) -> str:
    """What a model's edges in its stored scenes answer to a question, beside models that nobody trained."""
    from hri.model.checkpoint import load
    from hri.rollout.untrained import untrained

    model, seen = load(checkpoint), Rollout.load(scenes)
    others = [untrained(model, seen, seed) for seed in range(UNTRAINED)]
    relations = body_relations(seen, model.header.config.model.relations.history, others)
    return says(relations, question)


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """The mirror image; the scene of a class is one of springs and plays no part."""
    return {"checkpoint": str(folder / f"{MODEL}.safetensors"), "scenes": scenes(), "question": QUESTIONS[1]}


def scenes() -> str:
    """The model's stored scenes as a path from the repository's folder."""
    return os.path.relpath(places.STORED / f"{MODEL}.npz", places.ROOT)


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """A question to choose, and a chart of the answer beside what chance gives."""
    question = st.segmented_control(
        "What to ask", QUESTIONS, default=QUESTIONS[0], required=True, key="people-question"
    ) or QUESTIONS[0]  # fmt: skip
    with st.spinner("Looking at the model's edges, and at those of models that nobody trained …"):
        relations, seed = lesson_state.body(MODEL)
    drawn.load_pandas()
    chart(answer_figure(relations, question, stage.size), "people-chart", f"{question}: what the model's edges answer")
    return Shown(
        statement=says(relations, question),
        values={"checkpoint": file_of(MODEL), "scenes": scenes(), "question": question},
        explore={"model": MODEL, "seed": str(seed), "panel": "relations"},
        done=question != QUESTIONS[0],
    )


def answer_figure(relations: BodyRelations, question: str, size: float = 1.0) -> go.Figure:
    """How often each edge speaks, each against its mirror image, or a number beside those of chance."""
    if question == "How many":
        shares = sorted(relations.shares.tolist(), reverse=True)
        figure = go.Figure(go.Bar(x=list(range(1, len(shares) + 1)), y=shares, marker={"color": style.BLUE}))
        figures.with_style(figure, "edges, the most talkative first", "share of frames", size, 300)
        return figure.update_layout(hovermode=False, yaxis={"range": [0, 1], "tickformat": ".0%"})
    if question == "Left and right":
        return mirror_chart(relations, round(320 * size), round(13 * size))
    step = question == "Phase of the step"
    own = relations.follows_step() if step else relations.follows_contact()
    others = [one.follows_step(0) if step else one.follows_contact(0) for one in relations.untrained]
    bars = [("this model", own and own.value), ("shifted in time", own and own.chance)]
    bars += [(f"untrained {number}", other and other.value) for number, other in enumerate(others, 1)]
    known = [(name, float(value)) for name, value in bars if value is not None and not isinstance(value, AgainstChance)]
    inks = [style.BLUE if name == "this model" else style.GREY for name, _ in known]
    up = "share of change explained" if step else "correlation with contact"
    return figures.bars([name for name, _ in known], [value for _, value in known], inks, up, size)


LESSON = course.Lesson(
    key="people",
    title="When nobody knows the truth",
    idea=(
        "In a simulation we know every spring, so we can count which edges are right. When a person walks, nobody "
        "knows which joints act on which. A graph that looks sensible proves nothing. What remains are questions that "
        "need no truth: how many edges speak, whether left and right are treated alike, whether edges follow the feet. "
        "And every answer needs something beside it: what would chance give, and what would a model give that has "
        "learned nothing?"
    ),
    do="Ask the other questions, and compare the model's number with those beside it.",
    notice="A number may be far from chance and still be no discovery: look at the models that nobody trained.",
    section="4.3",
    mathematics=(
        (
            "How far mirrored edges differ: $s_e$ is the share of frames in which edge $e$ speaks, $\\bar e$ its "
            "mirror image. Chance: the same with $\\bar e$ drawn among edges of the same kind.",
            r"d = \operatorname{mean}_e\, \lvert s_e - s_{\bar e} \rvert",
        ),
        (
            "What the step explains of edge probabilities $p$: a cosine of its phase $\\varphi$ is fitted to each "
            "edge. Chance: $\\varphi$ shifted in time.",
            r"R^2 = 1 - \frac{\sum_{e,t} (p_e(t) - a_e - b_e \cos\varphi(t) - c_e \sin\varphi(t))^2}"
            r"{\sum_{e,t} (p_e(t) - \bar p_e)^2}",
        ),
    ),
    question="A model's edges rise and fall with every step of a walker. Has it understood walking?",
    answer=(
        "That does not follow. Edges are computed from poses, and poses rise and fall with every step, so the edges of "
        "a model that has learned nothing do so too. Only what goes beyond such a model can be a sign of learning, and "
        "even then it is the model's belief and not a measurement of the body."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
    of_a_scene=False,
)

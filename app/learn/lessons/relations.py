"""Lessons on what the model believes of pairs."""

from __future__ import annotations

import streamlit as st

from app import drawn
from app.learn import course, lesson_state
from app.learn.lessons.stage import Shown, Stage, chart, file_of
from app.learn.lessons.stage import arena as show_arena
from hri.scores import ceilings

TEMPERATURES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
USUAL = 0.5
STEP = 20
"""The step whose messages are followed."""


def beliefs(stage: Stage) -> Shown:
    """Frames come in one by one; the probabilities of leaves' edges part."""
    from app.learn import arena as playground
    from app.learn import figures as figures_lessons
    from app.learn import statements as lessons
    from hri.core.hierarchy import Tree
    from hri.physics.springs import simulate
    from hri.view.style import PAGE, STYLE

    tree = Tree.parse("4-3")
    scene = simulate(tree, "04", [stage.seed])
    found = lessons.beliefs(lesson_state.rollout(course.STATE_MODEL, stage.seed))
    most = len(found.chances) - 1
    left, right = st.columns([1, 1], gap="medium")
    with right:
        seen = st.slider(
            "Frames seen", 0, most, 0, key="beliefs-seen", help="How many true frames the model was shown."
        )
        drawn.load_pandas()
        chart(
            figures_lessons.beliefs_figure(found, seen, stage.size), "beliefs-course",
            "Probability of each leaf's edge to its parent by the number of frames seen",
        )  # fmt: skip
    with left:
        chances = found.chances[seen]
        show_arena(
            "learn-beliefs",
            playground.arena_data(
                f"beliefs-{stage.seed}-{seen}", scene.positions[0, max(0, seen - 1)][None], tree,
                label=f"The balls after {seen} frames and what the model believes of their pairs",
                pairs=[(int(i), int(j)) for i, j in found.sender_receiver],
                looks=[
                    (STYLE.spring if joined else PAGE["dusk"], 0.25 + 0.75 * chance, 0.5 + 6 * chance, "")
                    for joined, chance in zip(found.springs.tolist(), chances.tolist(), strict=True)
                ],
                autoplay=False,
            ),
        )  # fmt: skip
        st.caption("Line width: the model's probability. Gold: a true spring. Grey: none.")
        if words := lesson_state.edges_right(course.STATE_MODEL):
            st.caption(f"Edges right on unseen systems: {words}.", help=ceilings.EXPLAINED)
    return Shown(
        statement=found.says(seen),
        code={"checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "seen": seen},
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "frame": str(max(seen, 1))},
        done=seen > 0,
    )


def chance(stage: Stage) -> Shown:
    """Draws at one probability and temperature."""
    from app.learn import figures as figures_lessons
    from app.learn.statements_models import draws
    from hri.rollout.edits import ChooseEdges
    from hri.rollout.interventions import Intervention

    left, right = st.columns([1, 2], gap="medium")
    with left:
        temperature = st.select_slider(
            "Temperature", TEMPERATURES, USUAL, key="chance-temperature", help="The models here were trained at 0.5."
        )
        probability = st.slider("Probability of interaction", 0.05, 0.95, 0.7, 0.05, key="chance-probability")
    found = draws(round(probability, 2), temperature)
    with right:
        drawn.load_pandas()
        chart(
            figures_lessons.draws_figure(found, stage.size), "chance-draws",
            "How much of the message each of 400 draws gives to interaction",
        )  # fmt: skip
    return Shown(
        statement=found.says(),
        code={"probability": round(probability, 2), "temperature": temperature},
        explore={
            "model": course.STATE_MODEL,
            "seed": str(stage.seed),
            "edits": Intervention((ChooseEdges("sample"),)).to_address(),
        },
        done=temperature != USUAL,
    )


def messages(stage: Stage) -> Shown:
    """Follow the news of one leaf through the phases of a step."""
    from app.learn import figures as figures_lessons
    from app.learn.statements_models import heard
    from hri.core.hierarchy import Tree

    tree = Tree.parse("4-3")
    seen = lesson_state.rollout(course.STATE_MODEL, stage.seed)
    inside = lesson_state.phases(course.STATE_MODEL, seen, STEP)
    left, right = st.columns([1, 1.7], gap="medium")
    with left:
        leaf = st.selectbox("Leaf", tree.leaves.tolist(), key="messages-leaf")
        found = heard(tree, inside, seen, leaf)
        phase = st.radio(
            "Phase", range(len(found.names)), key="messages-phase",
            format_func=lambda k: f"{k + 1}. {found.names[k]}",
        )  # fmt: skip
        phase = phase or 0
    with right:
        drawn.load_pandas()
        chart(
            figures_lessons.heard_figure(found, inside, seen, phase, stage.size), "messages-graph",
            f"Messages of phase {phase + 1}, and who has heard of ball {leaf}",
        )  # fmt: skip
        st.caption("Orange: has heard of the leaf. Arrows: messages of this phase.")
    return Shown(
        statement=found.says(phase),
        code={
            "checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "step": STEP, "leaf": leaf, "phase": phase,
        },
        explore={
            "model": course.STATE_MODEL, "seed": str(stage.seed), "frame": str(STEP + 1), "panel": "inside a step",
        },
        done=phase > 0,
    )  # fmt: skip


def cutting(stage: Stage) -> Shown:
    """Cut an edge: belief beside effect, and where the predictions go without it."""
    from app.learn import figures as figures_lessons
    from app.learn.statements_models import causes
    from hri.core.hierarchy import node_name
    from hri.rollout.edits import SetEdge
    from hri.rollout.interventions import Intervention

    seen = lesson_state.rollout(course.STATE_MODEL, stage.seed)
    with st.spinner("Cutting every edge in turn …"):
        found = causes(seen, lesson_state.influence(course.STATE_MODEL, seen))
    order = found.effect.argsort()[::-1].tolist()
    tree = seen.tree
    names = [" → ".join(node_name(tree, int(node)) for node in pair) for pair in found.sender_receiver]
    row = st.selectbox(
        "Edge to cut, the largest effect first", order, key="cutting-edge", format_func=lambda k: names[k], width=330
    )
    row = order[0] if row is None else row
    drawn.load_pandas()
    chart(
        figures_lessons.causes_figure(found, row, names, stage.size), "cutting-chart",
        "Effect of cutting each edge against the model's belief in it",
    )  # fmt: skip
    sender, receiver = (int(node) for node in found.sender_receiver[row])
    return Shown(
        statement=found.says(row, tree),
        code={"checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "row": row},
        explore={
            "model": course.STATE_MODEL, "seed": str(stage.seed), "select": f"{sender}-{receiver}",
            "edits": Intervention((SetEdge(sender, receiver),)).to_address(),
        },
        done=row != order[0],
    )  # fmt: skip

"""Lessons that need no model: springs, and parts and wholes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app import drawn
from app.learn import course
from app.learn.lessons.stage import Shown, Stage, arena, chart, told

if TYPE_CHECKING:
    from hri.physics.systems import System

PICTURE_MODEL = "springs-4-3-slot-hri"
"""Sees any tree, so that Explore can show the small system too."""
SMALL = "1-3"
"""The tree of the first lesson: one family of the large systems, and the root that it hangs on."""


def springs(stage: Stage) -> Shown:
    """Drag balls, cut springs; the distance of two balls with and without theirs."""
    from app.learn import arena as playground
    from app.learn import figures as figures_lessons
    from app.learn import statements as lessons
    from app.learn.statements import family
    from hri.core.hierarchy import Tree

    tree = Tree.parse(SMALL)
    start = family(stage.seed)
    key, reset = "learn-springs", f"springs-{stage.seed}-{st.session_state.get('springs_again', 0)}"
    now = told(key, reset, start.springs)
    system = _changed(start, now)
    gone = [pair for pair in start.springs if pair not in system.springs]
    pair = gone[-1] if gone else next(p for p in start.springs if p[0] > 0)
    moved = system.simulate().positions[0]
    track = np.concatenate([np.array(system.positions)[None], moved])
    left, right = st.columns([1, 1], gap="medium")
    with left:
        arena(
            key,
            playground.arena_data(
                f"{reset}-{system.to_address()}", track, tree, label="Five balls and their springs",
                reset=reset, told=now,
                pairs=start.springs, marking=True, chips="Springs", drag=True,
            ),
        )  # fmt: skip
    with right:
        found = lessons.apart(system, pair)
        drawn.load_pandas()
        chart(
            figures_lessons.apart_figure(found, stage.size), "springs-apart",
            f"Distance of balls {pair[0]} and {pair[1]} with and without their spring",
        )  # fmt: skip
        st.button("Put everything back", icon=":material/undo:", key="springs-back", on_click=_back)
    return Shown(
        statement=found.says(),
        code={"system": system.to_address(), "pair": pair},
        explore={"model": PICTURE_MODEL, "system": system.to_address()},
        done=bool(gone),
    )


def _back() -> None:
    st.session_state["springs_again"] = st.session_state.get("springs_again", 0) + 1


def _changed(start: System, now: dict[str, Any]) -> System:
    """The system as the visitor has it: springs cut, balls put elsewhere. What no system can be is left out."""
    from app.learn.arena import to_box

    marks = {tuple(sorted(pair)) for pair in now["marks"]}
    places = list(start.positions)
    for node, place in now["placed"].items():
        if node.isdecimal() and int(node) < len(places):
            places[int(node)] = to_box(place)
    kept = tuple(pair for pair in start.springs if pair in marks)
    return dataclasses.replace(start, springs=kept, positions=tuple(places))


GROUPINGS = ("families", "by chance")


def parts(stage: Stage) -> Shown:
    """Leaves in families or in chance groups; the middles of the groups move along."""
    from app.learn import arena as playground
    from app.learn import figures as figures_lessons
    from app.learn import statements as lessons
    from hri.core.hierarchy import Tree
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    scene = simulate(tree, "04", [stage.seed])
    chosen = st.segmented_control(
        "Group the leaves", GROUPINGS, default="families", required=True, key="parts-groups",
        help="Families: the three leaves of one parent. By chance: four groups of three, shuffled.",
    )  # fmt: skip
    family = np.asarray(tree.parents)[tree.leaves]
    groups = family if chosen == "families" else np.random.default_rng(stage.seed).permutation(family)
    leaves = scene.positions[0][:, tree.leaves]
    rings = [""] * tree.size
    for leaf, group in zip(tree.leaves.tolist(), groups.tolist(), strict=True):
        rings[leaf] = figures_lessons.GROUPS[group - 1]
    found = lessons.grouped(scene, tree)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        arena(
            "learn-parts",
            playground.arena_data(
                f"parts-{stage.seed}-{chosen}", scene.positions[0], tree, label="Twelve leaves in four groups",
                shown=tree.leaves.tolist(), rings=rings, hearts=lessons.middles(leaves, groups),
                heart_colours=figures_lessons.GROUPS,
            ),
        )  # fmt: skip
    with right:
        drawn.load_pandas()
        chart(
            figures_lessons.grouped_figure(found, lessons.explained(leaves, groups), str(chosen), stage.size),
            "parts-explained", "How much of the leaves' positions the middles of their groups explain",
        )  # fmt: skip
    return Shown(
        statement=found.says(),
        code={"seed": stage.seed},
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "layout": "image"},
        done=chosen != "families",
    )

"""Lessons on predicting: how far, who best, and when not at all."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import drawn, places
from app.learn import course, lesson_state
from app.learn.lessons.stage import Shown, Stage, arena, chart, file_of
from hri.core.records import Rollout

RIVALS = {
    "HRI": "springs-4-3-state-hri-h",
    "NRI": "springs-4-3-state-nri",
    "LSTM": "springs-4-3-state-lstm",
}
PICTURE_MODEL = "springs-4-3-slot-hri"
CASES = ("curtain", "another tree", "a long run")
CURTAIN = (10, 10)
"""Left edge and top of the curtain, in pixels of a 32 x 32 frame."""


def future(stage: Stage) -> Shown:
    """The longer the model is on its own, the further its balls are from the true ones."""
    from app.learn import figures as figures_lessons
    from app.learn.statements_models import horizon

    left, right = st.columns([1, 1], gap="medium")
    with right:
        seen = st.slider("True frames seen", 4, 44, 39, 5, key="future-seen", help="Afterwards it is on its own.")
    rolled = lesson_state.rollout_from(course.STATE_MODEL, stage.seed, seen)
    found = horizon(rolled)
    with right:
        drawn.load_pandas()
        chart(
            figures_lessons.horizon_figure(found, stage.size), "future-error",
            "Distance of predicted from true balls by the number of steps without truth",
        )  # fmt: skip
    with left:
        _race("learn-future", f"future-{stage.seed}-{seen}", rolled, stage)
    return Shown(
        statement=found.says(),
        code={"checkpoint": file_of(course.STATE_MODEL), "seed": stage.seed, "free": 49 - seen + 1},
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "layout": "image"},
        done=seen != 39,
    )


def hierarchy(stage: Stage) -> Shown:
    """HRI, NRI and LSTM on one scene, and what many scenes say."""
    from app.learn import figures as figures_lessons
    from app.learn.statements_models import contest, verdicts

    rolled = {name: lesson_state.rollout(model, stage.seed) for name, model in RIVALS.items()}
    found = contest(list(rolled.values()), list(rolled))
    left, right = st.columns([1, 1], gap="medium")
    with left:
        chosen = st.segmented_control("Crosses", list(RIVALS), default="HRI", required=True, key="hierarchy-model")
        _race("learn-hierarchy", f"hierarchy-{stage.seed}-{chosen}", rolled[chosen or "HRI"], stage)
    with right:
        drawn.load_pandas()
        chart(
            figures_lessons.contest_figure(list(rolled.values()), list(rolled), stage.size), "hierarchy-error",
            "Error of each model by frame",
        )  # fmt: skip
        for sentence in verdicts(places.board()):
            st.markdown(f":material/leaderboard: {sentence}")
    return Shown(
        statement=found.says(),
        code={"seed": stage.seed, "checkpoints": {name: file_of(model) for name, model in RIVALS.items()}},
        explore={"model": RIVALS[chosen or "HRI"], "seed": str(stage.seed), "layout": "image"},
        done=chosen != "HRI",
    )


def limits(stage: Stage) -> Shown:
    """Three failures on purpose."""
    from app.learn.statements_models import curtain_failure, long_failure, tree_failure
    from hri.rollout.edits import Curtain
    from hri.rollout.interventions import Intervention

    case = st.segmented_control("Case", CASES, default=CASES[0], required=True, key="limits-case") or CASES[0]
    model = course.STATE_MODEL if case == "a long run" else PICTURE_MODEL
    explore = {"model": model, "seed": str(stage.seed)}
    with st.spinner("The model predicts …"):
        usual = lesson_state.rollout(model, stage.seed)
        if case == "curtain":
            edits = Intervention((Curtain(*CURTAIN),))
            failing = lesson_state.rollout(model, stage.seed, edits)
            found, explore["edits"] = curtain_failure(usual, failing, *CURTAIN), edits.to_address()
        elif case == "another tree":
            failing = lesson_state.rollout(model, stage.seed, dataset="springs-3-3")
            found, explore["data"] = tree_failure(usual, failing, "3-3"), "springs-3-3"
        else:
            failing = lesson_state.rollout_from(model, stage.seed, 10, pictures=True)
            found = long_failure(usual, failing)
    _film(f"limits-{stage.seed}-{case}", failing, case == "curtain")
    visited = {*st.session_state.get("limits_seen", ()), case}
    st.session_state["limits_seen"] = visited
    return Shown(
        statement=found.says(),
        code={"checkpoint": file_of(model), "case": case, "seed": stage.seed, "left": CURTAIN[0], "top": CURTAIN[1]},
        explore=explore,
        done=len(visited) == len(CASES),
    )


def _race(key: str, scene: str, rolled: Rollout, stage: Stage) -> None:
    """True leaves as balls, predicted ones as crosses."""
    from app.learn import arena as playground
    from app.learn.figures import GROUPS
    from app.learn.statements_models import predicted_places

    tree = rolled.tree
    family = np.asarray(tree.parents)[tree.leaves]
    inks = [GROUPS[group - 1] for group in family]
    rings = [""] * tree.size
    for leaf, ink in zip(tree.leaves.tolist(), inks, strict=True):
        rings[leaf] = ink
    arena(
        key,
        playground.arena_data(
            scene, rolled.slots[0, :, :, :2].astype(float), tree, label="True balls and predicted crosses",
            shown=tree.leaves.tolist(), rings=rings, hearts=predicted_places(rolled)[:, tree.leaves],
            heart_colours=inks,            begin=max(0, int(rolled.last_true_input) - 3),
        ),
    )  # fmt: skip
    st.caption(f"Balls: truth. Crosses: prediction. On its own after frame {int(rolled.last_true_input)}.")


def _film(scene: str, rolled: Rollout, curtain: bool) -> None:
    """Truth and prediction side by side, on one clock; the curtain's place as a frame."""
    from app.learn import arena as playground
    from hri.core.hierarchy import Tree
    from hri.view.player import image_arrays

    films = image_arrays(rolled)
    nobody = np.full((len(films["truth"]), 17, 2), np.nan)
    left, top = CURTAIN
    place = {
        "boxes": [[left / 32, top / 32, (left + 12) / 32, (top + 12) / 32]], "names": ["curtain"], "lit": [0.15],
        "choose": False,
    }  # fmt: skip
    for name, column in zip(("truth", "prediction"), st.columns(2), strict=True):
        with column:
            st.caption(name.capitalize())
            arena(
                f"learn-limits-{name}",
                playground.arena_data(
                    scene, nobody, Tree.parse("4-3"), label=name, shown=(), image=films[name], part=name,
                    begin=max(0, int(rolled.last_true_input) - 3), transport=name == "truth",
                    cells=place if curtain else None,
                ),
            )  # fmt: skip

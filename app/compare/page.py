"""Compare: two to four models on one scene, locked in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
with st.container(horizontal=True, vertical_alignment="center", key="headline"):
    st.markdown("**Two to four models predict the same scene from the same start: see where, and why, they part.**")
    invitation = st.container(width="content")

from app import address, library, widgets
from app.compare import columns as comparing
from app.compare import guide, outcome
from app.explore import models, pickers
from app.library import Scene
from hri.scores.compare import RolloutComparison, caveat, compare

COUNTS = ["2", "3", "4"]


def main() -> None:
    """Pickers, then one column a model, what is the same for all at their left."""
    names = list(library.sources())
    if len(names) < 2:
        here = f"here is only {widgets.plain(names[0])}" if names else "here is none yet"
        st.info(
            f"A comparison takes two models, and {here}: put another checkpoint into `checkpoints/`, upload one on "
            "Explore, or train one on the Train page.",
            icon=":material/compare:",
        )
        return
    fields: dict[str, address.Field] = {"models": address.Words(COUNTS), "seed": address.SEED}
    address.check("compare", fields | pickers.FIELDS | dict.fromkeys(comparing.KEYS, address.Words(names)))
    with st.container(horizontal=True, vertical_alignment="bottom", key="pickers"):
        many, data, seed = (st.container(width=width) for width in (140, 170, 170))
        another, listing, gallery = (st.container(width="content") for _ in range(3))
        level, words = st.container(width=260), st.container(width="stretch")
    count = int(many.segmented_control("Models", COUNTS, default="2", required=True, key="models", bind="query-params"))
    with listing:
        models.button(comparing.PLAYER, comparing.KEYS[:count])
    left, *columns = comparing.columns(count)
    sources = comparing.pick_models(columns, names)
    try:
        scenes = comparing.pick_scene(sources, data, seed, another, gallery)
        comparison = compare([scene.rollout for scene in scenes])
    except ValueError as error:
        st.error(widgets.said(str(error)))
        return
    show(scenes, comparison, left, columns, level, words)


def show(
    scenes: list[Scene],
    comparison: RolloutComparison,
    left: Any,
    columns: Sequence[Any],
    level: Any,
    words: Any,
) -> None:
    """Everything below the models' names; what has to run the models comes last."""
    opening = comparing.opening(scenes)
    warning = caveat([scene.rollout for scene in scenes])
    with level, st.container(key="compare-level-sync"):
        pickers.overlay_picker(scenes[0].rollout, comparing.PLAYER)
    words.markdown(f":small[{widgets.plain(outcome.sentence(scenes, comparison, warning is None))}]")
    with left:
        comparing.truth(scenes)
    scores, places = [], []
    for index, place in enumerate(columns):
        with place:
            comparing.column(scenes, index)
            scores.append(comparing.numbers(scenes[index], comparison, index, warning is None))
            places.append(st.container(key=f"compare-strip-{index}"))
    if warning is not None:
        st.info(widgets.plain(warning), icon=":material/balance:")
    elif inequality := comparing.training_inequality(scenes):
        st.caption(widgets.plain(inequality))
    graphs(scenes)
    with st.container(key="compare-inspector"):
        comparing.show_selection(scenes)
    widgets.keep_address(opening, comparing.PLAYER)
    widgets.copy_link(comparing.parameters(scenes), comparing.PLAYER)
    comparing.timeline(scenes)
    with st.container(key="compare-pictures-place"):
        comparing.pictures_over_time(scenes)
    with invitation:
        guide.show(scenes)
    comparing.parts(scenes, places, scores)


def graphs(scenes: list[Scene]) -> None:
    """What each model believes acts on what, under its column."""
    with st.container(horizontal=True, key="compare-graph-controls"):
        layout, pairs = pickers.graph_pickers("a model has", comparing.PLAYER, scenes[0].rollout.tree.flat)
    side, *columns = comparing.columns(len(scenes))
    side.caption("What each model believes acts on what, at this frame.")
    for index, place in enumerate(columns):
        with place:
            comparing.graph(scenes, index, pairs, layout)


widgets.page_style()
main()

"""Hardest and easiest of 200 seeds, by the error of the model's free run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import drawn, running
from app.library import Scene

SHOWN = 5


def panel(scene: Scene) -> None:
    """Score the seeds in the background, and offer those at both ends; looks again every second while it lasts."""
    try:
        ranker = running.ranker_of(scene)
    except ValueError as error:
        st.info(str(error))
        return
    working = ranker.working
    st.fragment(_show, run_every=1.0 if working else None)(scene, ranker, working)


def _show(scene: Scene, ranker: Any, working: bool) -> None:
    ranking = ranker.look()
    if working and not ranker.working:
        st.rerun()  # the page, once, so that nothing looks every second any more
    total, vision = len(ranker.seeds), scene.original.observation == "frames"
    if ranker.problem:
        st.error(f"The seeds were not scored: {ranker.problem}")
        return
    if working:
        st.progress(ranker.seeds_done / total, f"{ranker.seeds_done} of {total} seeds simulated, predicted and scored")
    if not len(ranking.seeds):
        return
    drawn.load_pandas()
    from hri.view.ranking_chart import ranking_curve

    chart, ends = st.columns([1.2, 1], gap="large")
    unit = "pixels in 0 … 1" if vision else "normalised states"
    current = None if scene.own is not None else scene.seed
    with chart:
        st.markdown(
            f":small[**Error of the free run, seeds {ranker.seeds[0]} to {ranker.seeds[-1]}.** Click one to see it.]",
            help=f"Mean squared error, {unit}, over "
            + ("three frames of the free run, evenly spaced." if vision else "all frames of the free run.")
            + " Systems that no model here was trained on.",
        )
        event = st.plotly_chart(
            ranking_curve(ranking.seeds, ranking.errors, unit, current), on_select="rerun", selection_mode="points",
            key=f"ranking-{scene.source.name}-{scene.dataset}-{scene.seed}", config={"displayModeBar": False},
            alt="Error of every seed, in order",
        )  # fmt: skip
        if points := event["selection"]["points"]:
            _go(int(points[0]["customdata"][0]), scene)
    with ends:
        errors = dict(zip(ranking.seeds.tolist(), ranking.errors.tolist(), strict=True))
        for title, seeds in (("Hardest", ranking.hardest(SHOWN)), ("Easiest", ranking.easiest(SHOWN))):
            st.markdown(f":small[**{title}{'' if ranker.seeds_done == total else ' so far'}**]")
            with st.container(horizontal=True, gap="xsmall"):
                for seed in seeds:
                    if st.button(
                        f"{seed}", key=f"{title}-{seed}", type="primary" if seed == current else "secondary",
                        help=f"Error {errors[seed]:.2g}",
                    ):  # fmt: skip
                        _go(seed, scene)
        if current in errors and ranker.seeds_done == total:
            place = ranking.seeds.tolist().index(current)
            st.caption(
                f"Seed {current} is harder than {place / total:.0%} of these {total}.",
                help=f"Its error is {errors[current]:.2g}; the share is that of seeds with a smaller one.",
            )


def _go(seed: int, scene: Scene) -> None:
    """Show this seed."""
    if seed == scene.seed and scene.own is None:
        return
    st.session_state["seed_wanted"] = seed
    st.rerun()

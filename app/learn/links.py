"""Scrubbing through learning: the same scene under one checkpoint of a training after another."""

from __future__ import annotations

import streamlit as st

from app import library


def scrubber(name: str) -> None:
    """For a checkpoint of a run (NAME@UPDATE): a slider over all that the run has kept; else nothing."""
    run = name.rpartition("@")[0]
    checkpoints = library.course(run)
    if name not in checkpoints or len(checkpoints) < 2:
        return

    def turn() -> None:
        st.session_state["model"] = st.session_state[f"course-{run}"]

    st.select_slider(
        f"Scrub through the training of {run}", list(checkpoints), value=name, key=f"course-{run}", on_change=turn,
        format_func=lambda checkpoint: f"update {int(checkpoint.rpartition('@')[2]):,}",
    )  # fmt: skip

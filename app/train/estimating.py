"""Time and memory of a training before it starts, timed by a process of its own while the form is read."""

from __future__ import annotations

import json

import streamlit as st

from app import places
from hri.core.config import Config, to_json
from hri.experiments import processes, queueing, runs
from hri.training.estimate import Estimate, scaled, sizes
from hri.training.progress import duration

PATIENCE = 300
"""Seconds after which an estimate is given up."""


def show(config: Config, vision_from: str) -> None:
    """The estimate of this config; measured once for all that differ in length only."""
    cost_config = sizes(config)
    key = f"{to_json(cost_config)}{vision_from}{queueing.limits(places.RUNS)}"
    estimates: dict[str, Estimate | str] = st.session_state.setdefault("estimates", {})
    waiting = key not in estimates
    st.fragment(_show, run_every=1.0 if waiting else None)(config, cost_config, vision_from, key)


def _show(config: Config, cost_config: Config, vision_from: str, key: str) -> None:
    estimates: dict[str, Estimate | str] = st.session_state.setdefault("estimates", {})
    if key not in estimates:
        estimate = _measurement(cost_config, vision_from, key)
        if estimate is None:
            st.caption(":material/timer: Measuring how long it will take on this machine …")
            return
        # No rerun of the page to end the asking: it would swallow a click on Start that comes at that moment.
        estimates[key] = estimate
    outcome = estimates[key]
    if isinstance(outcome, str):
        st.caption(f":material/timer: No estimate: {outcome}.")
        return
    whole = scaled(outcome, config, vision_from)
    time = duration(3600 * whole.hours)
    speeds = [
        f"{seconds:.2g} s an update of stage {stage}"
        for stage, seconds in ((1, whole.stage1_seconds), (2, whole.stage2_seconds))
        if seconds
    ]
    st.markdown(
        f":material/timer: About **{time}** and **{whole.memory / 1000:.1f} GB** of memory on this machine.",
        help=f"{'; '.join(speeds)}, and validations. Timed just now: slower while other trainings run. "
        "Preparing the training systems comes before.",
    )


def _measurement(config: Config, vision_from: str, key: str) -> Estimate | str | None:
    """What a process says that times a few updates; why it could not; None while it works."""
    running = st.session_state.get("estimating")
    if running is None or running[0] != key:
        if running is not None:
            running[1].kill()
            running[1].communicate()
        words = runs.command(places.RUNS, config, vision_from)
        threads = {"OMP_NUM_THREADS": str(queueing.limits(places.RUNS).threads)}
        process = processes.start([*words, "--estimate"], None, cwd=places.ROOT, variables=threads)
        st.session_state["estimating"] = (key, process)
        return None
    process = running[1]
    if process.poll() is None:
        return None
    output, complaint = process.communicate()
    del st.session_state["estimating"]
    try:
        return Estimate(**json.loads(output))
    except (ValueError, TypeError):
        text = complaint.decode(errors="replace")
        return (
            processes.complaint(text)
            or processes.last_line(text)
            or "the process that measures ended without an answer"
        )

"""Time and memory of a training before it starts: at once from what was measured before, or from what a checkpoint of
the same model took, until a process of its own has timed it here while the form is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app import library, places
from hri.core.config import Config
from hri.experiments import processes, queueing, runs, timings
from hri.training.estimate import Estimate, scaled, sizes
from hri.training.progress import duration

if TYPE_CHECKING:
    from hri.model.checkpoint import Header


def show(config: Config, vision_from: str) -> None:
    """The estimate of this config; measured once on a machine for all that differ in length only."""
    cost_config = sizes(config)
    key = timings.key(config, vision_from, queueing.limits(places.RUNS).threads)
    estimates: dict[str, Estimate | str] = st.session_state.setdefault("estimates", {})
    if key not in estimates and (before := timings.recall(places.RUNS, key)) is not None:
        estimates[key] = before
    waiting = key not in estimates
    st.fragment(_show, run_every=1.0 if waiting else None)(config, cost_config, vision_from, key)


def _show(config: Config, cost_config: Config, vision_from: str, key: str) -> None:
    estimates: dict[str, Estimate | str] = st.session_state.setdefault("estimates", {})
    if key not in estimates:
        estimate = _measurement(cost_config, vision_from, key)
        if estimate is None:
            st.markdown(f":material/timer: {provisional(config, vision_from)}")
            return
        # No rerun of the page to end the asking: it would swallow a click on Start that comes at that moment.
        estimates[key] = estimate
        if isinstance(estimate, Estimate):
            timings.keep(places.RUNS, key, estimate)
    outcome = estimates[key]
    if isinstance(outcome, str):
        st.caption(f":material/timer: No estimate: {outcome}.")
        return
    whole = scaled(outcome, config, vision_from)
    st.markdown(
        f":material/timer: About **{duration(3600 * whole.hours)}** and **{whole.memory / 1000:.1f} GB** of memory on "
        "this machine.",
        help=f"{_speeds(whole)}, and validations. Timed on this machine: slower while other trainings run; while it "
        "runs, its own speed says what is left. Preparing the training systems comes before.",
    )


def provisional(config: Config, vision_from: str) -> str:
    """What can be said before anything was timed here."""
    files = {name: source.path for name, source in library.sources().items() if source.path and not source.uploaded}
    # Nearest by name first: of a preset, its own checkpoint.
    names = sorted(files, key=lambda name: (name != config.name, not name.startswith(config.name), name))
    trained_before = timings.by_a_checkpoint(config, _headers({name: files[name] for name in names}), vision_from)
    if trained_before is None:
        return "Measuring how long it will take on this machine …"
    name, whole = trained_before
    return f"About **{duration(3600 * whole.hours)}**, as {name} took where it was trained; measuring it here …"


def _headers(files: dict[str, Path]) -> Iterator[tuple[str, Header]]:
    for name, path in files.items():
        try:
            yield name, library.header(path)
        except ValueError:  # a damaged file; said where it is chosen
            continue


def _speeds(whole: Estimate) -> str:
    return "; ".join(
        f"{seconds:.2g} s an update of stage {stage}"
        for stage, seconds in ((1, whole.stage1_seconds), (2, whole.stage2_seconds))
        if seconds
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

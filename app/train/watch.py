"""One run, live: where it stands, what its numbers say, its curves, and one scene as it is learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import places, widgets
from app.train.shared import BADGES, attempt, curves, show_view, standing
from hri.core.config import Config
from hri.core.records import Rollout
from hri.experiments import queueing, runs
from hri.experiments.runs import RunInfo
from hri.scores import ceilings
from hri.training.control import ask
from hri.training.diagnosis import Diagnosis, diagnose
from hri.training.progress import Progress, duration, progress
from hri.training.watching import Reconstruction, pictures
from hri.view.facts import edge_rows
from hri.view.relations_chart import truth_beside
from hri.view.training_charts import panels

STAGES = {1: "Stage 1: see (reconstruct single frames)", 2: "Stage 2: predict (slots, relations and dynamics)"}


def show(folder: Path) -> None:
    """The run in this folder; looks again every second while anything may change."""
    watching = _may_change(standing(folder))
    st.fragment(_watch, run_every=1.0 if watching else None)(folder, watching)


def _may_change(run: RunInfo) -> bool:
    """Whether it does or soon may: a new run can be started from a terminal or from another page."""
    return run.alive or run.state in ("new", "queued")


def _watch(folder: Path, watching: bool) -> None:
    if not folder.is_dir():
        st.warning(f"The run {folder.name} has gone: its folder was deleted. Other runs are untouched.")
        return
    run = standing(folder)
    if watching != _may_change(run):
        st.rerun()
    controls(run)
    if run.config is None:
        st.error(f"{run.reason[:1].upper()}{run.reason[1:]}. Put the file right, or delete this run.")
        return
    records = places.tail(folder).read()
    advance = progress(records, run.config, run.about.vision_from)
    waits = run.state in ("starting", "running") and not records
    if run.state not in ("new", "queued") and not waits:
        text = f"{STAGES[advance.stage]}: update {advance.update:,} of {advance.updates:,}"
        st.progress(advance.share, text=text)
        facts(run, advance)
    elif waits:
        st.info("Starting: it loads torch and prepares its data; the first numbers follow in some seconds.")
    for finding in diagnose(records, run.state, run.reason):
        say(finding)
    if not records:
        return
    stages = sorted({record["stage"] for record in records})
    stage = stages[-1]
    if len(stages) > 1:
        stage = (
            st.segmented_control(
                "Stage", stages, default=stage, required=True, key=f"stage-{run.name}-{stage}",
                format_func=lambda number: "1: see" if number == 1 else "2: predict",
            )
            or stage
        )  # fmt: skip
    left, right = st.columns([11, 9], gap="medium")
    with left:
        ceiling = places.ceiling(run.config)
        edges_right(records, ceiling)
        curves(panels(records, stage, ceiling), f"{run.name}/{stage}", records[-1]["update"])
    with right:
        scene(folder, stage, run.config)


def controls(run: RunInfo) -> None:
    """Its state, and what one may ask of it now."""
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        request = {"stop": " · stops after this update", "pause": " · pauses after this update"}.get(run.wish, "")
        st.markdown(f":{BADGES[run.state]}{request if run.state != 'paused' else ''}", width="content")
        if run.state == "running":
            st.button("Pause", icon=":material/pause:", on_click=attempt, args=(ask, run.folder, "pause"))
        if run.state == "paused":
            st.button("Go on", icon=":material/play_arrow:", on_click=attempt, args=(ask, run.folder, "go"))
        if run.alive or run.state == "queued":
            st.button(
                "Stop", icon=":material/stop:", on_click=attempt, args=(queueing.stop, run.folder),
                help="Its state is kept: it can go on later, to the same numbers.",
            )  # fmt: skip
        elif run.config is not None and run.state != "finished":
            label = "Start" if run.state == "new" else "Resume"
            if st.button(label, icon=":material/play_arrow:", type="primary"):
                attempt(queueing.enqueue, places.RUNS, run.folder)
                st.rerun()
        if run.config is not None:
            st.button(
                "Change and run again", icon=":material/content_copy:", on_click=_clone, args=(run.name,),
                help="A new run that begins with these settings.",
            )  # fmt: skip
        checkpoints = runs.checkpoints_of(run.folder)
        if checkpoints and st.button("Open in Explore", icon=":material/open_in_new:", key="open-newest"):
            open_in_explore(run.name, max(checkpoints))


def _clone(name: str) -> None:
    st.session_state["clone"] = name
    show_view("new")


def open_in_explore(run: str, update: int) -> None:
    """Leave for Explore with the checkpoint of one moment."""
    st.session_state.pop("model", None)
    st.switch_page("app/explore/page.py", query_params={"model": f"{run}@{update}"})


def facts(run: RunInfo, advance: Progress) -> None:
    """Throughput, time, best score; one line of numbers."""
    assert run.config is not None
    what = "frames" if advance.stage == 1 else "sequences"
    ends = ", then stage 2" if advance.stage == 1 and advance.stages == 2 else ""
    left = f" · **{duration(advance.left)}** left{ends}" if advance.left is not None and run.alive else ""
    best = "–" if run.best is None else f"{run.best:,.0f}" if run.best >= 100 else f"{run.best:.3g}"
    name = "best validation error" if advance.stage == 1 else "best validation score"
    parts = [
        f"**{advance.rate:.2g}** updates/s · **{advance.samples:.3g}** {what}/s",
        f"**{duration(advance.spent)}** spent{left}",
        f"**{best}** {name}",
    ]
    st.markdown(" &nbsp;·&nbsp; ".join(parts))


def edges_right(records: Sequence[dict[str, Any]], ceiling: dict[str, Any] | None) -> None:
    """How many edges are right at the newest validation, between guessing and what could be found."""
    scores = [record["validation"] for record in records if "edge_accuracy" in (record.get("validation") or {})]
    if scores:
        most = (ceiling or {}).get(ceilings.main_period(ceiling or {}), {}).get("possible", {}).get("accuracy")
        words = ceilings.in_words(scores[-1]["edge_accuracy"], most, scores[-1].get("edge_guess"))
        st.caption(f"Edges right: {words}", help=ceilings.EXPLAINED)


def say(finding: Diagnosis) -> None:
    """One thing that the numbers say, in a box of its kind."""
    box = {"good": st.success, "note": st.info, "warning": st.warning, "stopped": st.error}[finding.kind]
    icon = {"good": "check_circle", "note": "info", "warning": "warning", "stopped": "error"}[finding.kind]
    box(f"**{finding.title}.** {finding.text} {finding.advice}".strip(), icon=f":material/{icon}:")


def scene(folder: Path, stage: int, config: Config) -> None:
    """The scene that every validation draws, now or at an earlier moment of the training by this config."""
    paths = {update: path for (of, update), path in pictures(folder).items() if of == stage}
    if not paths:
        st.caption("Here a scene that it never trains on is drawn with every validation.")
        return
    updates = list(paths)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pick: Any = "newest"
        if len(updates) > 1:
            pick = st.select_slider(
                "Scrub through its training", [*updates, "newest"], value="newest", key=f"moment-{folder.name}-{stage}",
                format_func=lambda moment: moment if isinstance(moment, str) else f"update {moment:,}",
                help="The same scene as the model predicted it then. The newest follows the training.",
            )  # fmt: skip
        update = updates[-1] if pick not in paths else int(pick)
        checkpoint = runs.checkpoints_of(folder).get(update)
        if checkpoint and st.button("Explore this moment", icon=":material/open_in_new:"):
            open_in_explore(folder.name, update)
    try:
        picture = places.picture(paths[update])
    except ValueError as error:
        st.caption(f"{error}.")
        return
    st.caption(f"A scene never trained on, after {update:,} updates of stage {stage}.")
    if isinstance(picture, Rollout):
        relations(picture, update)
        widgets.images(picture, "train")
        widgets.timeline(picture, "train")
        if len(edge_rows(picture, "hierarchy")):
            st.caption("Every edge over time, as the model believes now: they settle as it learns.")
            widgets.strips(picture, "hierarchy", config.model.relations.full_window, "train")
        widgets.keep_place("train")
    else:
        strip(picture)


def relations(rollout: Rollout, update: int) -> None:
    """The scene's true graph beside the inferred one; nothing where either is missing."""
    try:
        figure = truth_beside(rollout, update)
    except ValueError:
        return
    st.plotly_chart(figure, width="stretch", key=f"relations-{update}", config={"displayModeBar": False})
    st.caption("Blue: joined, dotted: not; orange and dashed: wrong. Inferred from the true states alone.")


def strip(pictures: Reconstruction) -> None:
    """True frames above what the decoder makes of their slots."""
    rows = [
        np.concatenate(list(np.pad(part, ((0, 0), (1, 1), (1, 1), (0, 0)))), 1)
        for part in (pictures.frames, pictures.drawn)
    ]
    image = np.repeat(np.repeat(np.concatenate(rows), 4, 0), 4, 1)
    image = image if image.shape[-1] == 3 else np.repeat(image, 3, -1)
    caption = "Above: true frames. Below: decoded from their slots."
    st.image(image, width="stretch", caption=caption, alt=caption)

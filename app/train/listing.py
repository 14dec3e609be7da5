"""All runs: search, compare, notes, copies, delete with undo, export, promote; and what trainings may take."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from app import drawn, files, places
from app.train.shared import attempt, show_view
from hri.core.settings import differences
from hri.experiments import queueing, runs
from hri.experiments.jobs import cores, gpu_names
from hri.experiments.queueing import Limits
from hri.experiments.runs import RunInfo
from hri.view import training_charts as figures_training


def show(all_runs: list[RunInfo]) -> None:
    """The table of runs; what is chosen in it can be opened, changed and compared."""
    _undo()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key="search", bind="query-params", placeholder="name, note, model or state", width=330
        )
        limits_popover()
    words = text.lower().split()
    matches = [run for run in all_runs if all(word in _text(run) for word in words)]
    if not matches:
        st.info("No run fits the search." if all_runs else "There are no runs yet: start one under “new”.")
        return
    # Rows are chosen by their place: another order begins anew.
    key = "runs-" + "-".join(run.name for run in matches)
    answer = st.dataframe(
        _table(matches), hide_index=True, key=key, on_select="rerun", selection_mode="multi-row", height="content",
        placeholder="–", column_config=_COLUMNS, alt="All runs",
    )  # fmt: skip
    picks = [matches[row] for row in answer["selection"]["rows"] if row < len(matches)]
    if not picks:
        st.caption("Choose a run by the box at its left, or several to compare them.")
    elif len(picks) == 1:
        actions(picks[0])
    else:
        st.button("Delete these", icon=":material/delete:", on_click=_delete, args=(picks,))
        compare(picks)
    st.caption("TensorBoard reads the same runs (`pip install tensorboard` before they start):")
    inside = places.RUNS.resolve().is_relative_to(places.ROOT)
    place = places.RUNS.resolve().relative_to(places.ROOT) if inside else places.RUNS
    st.code(f"tensorboard --logdir {place}", language="bash", wrap_lines=True)


_COLUMNS = {
    "name": st.column_config.TextColumn("Run", width=260, pinned=True),
    "state": st.column_config.TextColumn("State", width=90),
    "preset": st.column_config.TextColumn("Preset", width=230),
    "done": st.column_config.ProgressColumn("Done", help="Of the stage it is in.", format="percent", max_value=1.0),
    "stage": st.column_config.NumberColumn("Stage", width=70),
    "best": st.column_config.NumberColumn(
        "Best", help="Best validation score: NLL, or pixels in stage 1.", format="%.5g"
    ),
    "made": st.column_config.DatetimeColumn("Made", format="distance"),
    "note": st.column_config.TextColumn("Note", width="medium"),
}


def _text(run: RunInfo) -> str:
    return f"{run.name} {run.about.note} {run.config.name if run.config else ''} {run.state}".lower()


def _table(rows: list[RunInfo]) -> dict[str, list[Any]]:
    return {
        "name": [run.name for run in rows],
        "state": [run.state for run in rows],
        "preset": [run.config.name if run.config else "unreadable" for run in rows],
        "done": [run.update / run.updates if run.updates else 0.0 for run in rows],
        "stage": [run.stage or None for run in rows],
        "best": [run.best for run in rows],
        "made": [datetime.fromtimestamp(run.about.made, UTC) for run in rows],
        "note": [run.about.note for run in rows],
    }


def actions(run: RunInfo) -> None:
    """What can be done with one run."""
    if run.state == "damaged":
        st.error(f"{run.reason[:1].upper()}{run.reason[1:]}. Put the file right, or delete this run.")
    with st.container(horizontal=True, vertical_alignment="bottom", key="actions"):
        note = st.text_input("Note", run.about.note, key=f"edit-{run.folder}", width=330)
        if note != run.about.note:
            attempt(runs.write_about, run.folder, dataclasses.replace(run.about, note=note))
            st.rerun()
        st.button("Watch", icon=":material/monitoring:", on_click=show_view, args=("watch", run.name))
        if run.config is not None:
            st.button("Change and run again", icon=":material/content_copy:", on_click=_clone, args=(run.name,))
            _promote(run)
        st.button("Delete", icon=":material/delete:", on_click=_delete, args=([run],), disabled=run.alive,
                  help="Stop it first." if run.alive else "It stays in the trash for a week.")  # fmt: skip
    archive = files.File(
        "Export", f"{run.name}.zip", lambda: runs.archive(run.folder),
        "Settings, numbers, log, checkpoints and pictures.", "application/zip",
    )  # fmt: skip
    files.files({"": [archive]}, f"export-{run.name}")


def _clone(name: str) -> None:
    st.session_state["clone"] = name
    show_view("new")


def _promote(run: RunInfo) -> None:
    with st.popover("Promote", icon=":material/verified:", help="Put its best checkpoint into the list of models"):
        name = st.text_input("Name in the list of models", run.name, key=f"promote-{run.name}")
        if st.button("Add its best checkpoint", key=f"promoting-{run.name}"):
            if attempt(runs.promote, run.folder, places.CHECKPOINTS, name) is None:
                st.rerun()
            st.success(f"{name} is now among the models of Explore.")


def _delete(picks: list[RunInfo]) -> None:
    deletions = []
    for run in picks:
        if (place := attempt(runs.delete, places.RUNS, run.folder)) is not None:
            deletions.append((place, run.name))
    st.session_state["deleted"] = deletions


def _undo() -> None:
    if not (deletions := st.session_state.get("deleted")):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Deleted: {', '.join(name for _, name in deletions)}.", width="content")
        st.button("Undo", icon=":material/undo:", on_click=_bring_back, args=(deletions,))


def _bring_back(deletions: list[tuple[Path, str]]) -> None:
    for place, name in deletions:
        attempt(runs.restore, places.RUNS, place, name)
    st.session_state.pop("deleted", None)


def compare(picks: list[RunInfo]) -> None:
    """Curves over each other, and the settings that differ."""
    lines = {run.name: places.tail(run.folder).read() for run in picks}
    both = [
        stage for stage in (1, 2) if any(record["stage"] == stage for records in lines.values() for record in records)
    ]
    drawn.load_pandas()
    for stage in reversed(both):
        st.markdown(f"**Stage {stage}: validation**")
        panels = figures_training.overlaid(lines, stage)
        for first in range(0, len(panels), 2):
            for column, panel in zip(st.columns(2), panels[first : first + 2], strict=False):
                column.markdown(f":small[{panel.title}]", help=panel.help)
                key = f"compare-{stage}-{panel.key}"
                column.plotly_chart(figures_training.figure(panel), key=key, config={"displayModeBar": False})
    st.markdown("**Settings that differ**")
    readable = [run for run in picks if run.config is not None]
    rows = differences([run.config for run in readable if run.config])
    if not rows:
        st.caption("None: they differ only in chance and machine.")
        return
    table: dict[str, list[str]] = {"setting": list(rows)}
    for place, run in enumerate(readable):
        table[run.name] = ["–" if values[place] is None else str(values[place]) for values in rows.values()]
    st.dataframe(table, hide_index=True, height="content", alt="Settings that differ")


def limits_popover() -> None:
    """How many train at once, with how many threads, and where."""
    now = queueing.limits(places.RUNS)
    names = gpu_names()
    where = names.get(now.gpu, now.gpu) if now.gpu else "every GPU" if names else "CPU"
    label = f"{now.at_once} at once, {now.threads} thread{'s' if now.threads > 1 else ''} each, {where}"
    with st.popover(label, icon=":material/memory:", help="How much of this machine training may use"):
        at_once = st.number_input("Trainings at once", 1, 64, now.at_once, key="limit-runs",
                                  help=f"This machine has {cores()} cores; others wait for their turn.")  # fmt: skip
        threads = st.number_input(
            "CPU threads for each", 1, max(64, cores()), now.threads, key="limit-threads",
            help="One is most efficient; with more, sums differ in their last digits.",
        )  # fmt: skip
        options = ["", *names]
        gpu = now.gpu
        if names:
            gpu = st.selectbox(
                "GPU", options, options.index(now.gpu) if now.gpu in options else 0, key="limit-gpu",
                format_func=lambda number: f"{number}: {names[number]}" if number else "any",
            )  # fmt: skip
        else:
            st.caption("No GPU that this torch can use.")
        limits = Limits(int(at_once), int(threads), gpu)
        if limits != now:
            attempt(queueing.set_limits, places.RUNS, limits)
            st.rerun()

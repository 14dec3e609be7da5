"""Tables of results that sort, and whose rows open their checkpoint in Explore."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import library
from hri.experiments import score_tables, scoreboard
from hri.experiments.score_tables import RUN_COLUMNS
from hri.experiments.scoreboard import Board, Entry, PlanResults, Setting
from hri.scores import ceilings
from hri.scores.names import METRICS

MATTERS = (
    "A spring matters if without it a ball would be a tenth of a pixel or more away from where it goes, within ten "
    "frames. One that does not cannot be seen."
)
"""Which springs are told apart, for a reader of the page."""


def models(entries: list[Entry]) -> None:
    """A row a model: its scores, their spread, the number of runs."""
    number = st.column_config.NumberColumn
    config = {"n": number("Runs", help="Seeds; every score is their mean.", format="%d")}
    for name, metric in METRICS.items():
        unit = f" ({metric.unit})" if metric.unit else ""
        config[name] = number(metric.label, help=f"{metric.help}{unit}", format=metric.table)
        spread = f"Standard deviation of {metric.label} over seeds."
        config[f"± {name}"] = number("±", help=spread, format=metric.table)
    _show(
        "models", score_tables.table(entries, set(library.sources())), [entry.checkpoint for entry in entries], config
    )


def relations(entries: list[Entry]) -> None:
    """A row a model that infers edges: how many of each level it found, between guessing and what could be found."""
    columns = score_tables.relations(entries)
    if columns["model"]:
        st.dataframe(columns, hide_index=True, height="content", placeholder="–", key="relations-table")
        st.caption(f"{ceilings.EXPLAINED} {MATTERS}")


def with_ceilings(board: Board) -> Board:
    """The board with what each model could find: of checkpoints that are here."""
    sources = library.sources()
    ceilings: dict[str, dict[str, Any] | None] = {}
    for name in {entry.checkpoint or "" for entry in board.entries} & sources.keys():
        try:
            ceilings[name] = library.ceiling_of(sources[name])
        except ValueError:  # Explore says what is wrong with the file
            continue
    return scoreboard.with_ceilings(board, ceilings)


def runs(plan: PlanResults, setting: Setting) -> None:
    """A row a run."""
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {name: number(label, help=h, format=f) for name, (label, h, f) in RUN_COLUMNS.items()}
    config["checkpoint"] = st.column_config.TextColumn("Checkpoint")
    columns = score_tables.run_table(plan, setting, set(library.sources()))
    _show("runs", columns, columns["checkpoint"], config)


def _show(key: str, columns: dict[str, list[Any]], checkpoints: list[str | None], config: dict[str, Any]) -> None:
    def remember() -> None:
        st.session_state["opening"] = checkpoints[st.session_state[f"{key}-open"]["row"]]

    config |= {
        "model": st.column_config.TextColumn("Model", pinned=True, width=160),
        "open": st.column_config.ButtonColumn(
            "Explore",
            help="Watch this checkpoint predict.",
            type="tertiary",
            on_click=remember,
            key=f"{key}-open",
            pinned=True,
            width=90,
        ),
    }
    with st.container(key=f"{key}-table"):
        st.dataframe(columns, hide_index=True, height="content", placeholder="–", column_config=config)
    if name := st.session_state.pop("opening", None):
        st.switch_page("app/explore/page.py", query_params={"model": name})

"""A new run: where to begin, what to change, what it will cost, and Start."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from typing import Any

import streamlit as st

from app import library, places
from app.train import estimating, own
from app.train.shared import attempt, show_view
from hri.core.config import Config
from hri.core.errors import sentence
from hri.core.presets import PRESETS, VARIANTS, preset
from hri.core.settings import ConfigSetting, changed, settings, value_of
from hri.data.sources import source_of
from hri.experiments import queueing, runs
from hri.experiments.catalogue import SEEN, parts_of
from hri.training.starters import STARTERS

FIRST = ("train.stage1_updates", "train.updates", "train.batch", "train.learning_rate", "data.train", "train.seed")
DATA = {
    scenes.name: scenes.title
    for simulated in (True, False)
    for scenes in (source_of(config.data) for config in PRESETS.values())
    if scenes.simulated == simulated
}
"""Data sets that presets know, those that need no recordings first."""
PARTS = {name: parts for name in PRESETS if (parts := parts_of(name)) is not None}
"""Data, what is seen, and model of every preset."""
GROUPS = {"train": "Training", "model": "Model", "data": "Data"}
NOTHING_TAKEN = "nothing: train both stages"


def show() -> None:
    """The form; every field comes from the config's dataclasses."""
    try:
        base, start, begun_from = _beginning()
    except ValueError as error:
        st.error(f"{sentence(error)}.")
        return
    vision_from = _pick_encoder(start, base, begun_from)
    fields = settings(start)
    few = [
        setting for path in FIRST for setting in fields if setting.path == path and _matters(path, start, vision_from)
    ]
    values: dict[str, Any] = {}
    try:
        values |= _fields(few, start, base)
        with st.expander("All settings", icon=":material/tune:"):
            for group, title in GROUPS.items():
                st.markdown(f"**{title}**")
                rest = [s for s in fields if s.path.startswith(f"{group}.") and s not in few]
                values |= _fields(rest, start, base)
        config = changed(start, values)
    except ValueError as error:
        st.error(f"{sentence(error)}.")
        return
    scenes = source_of(config.data)
    if not scenes.here:
        st.warning(f"These recordings are not here: get them with `{scenes.how_to_get}`, then reload.")
        return
    path = library.sources()[vision_from].path if vision_from else None
    source = str(path.resolve()) if path else ""
    with st.container(key="estimate"):
        estimating.show(config, source)
    _start(config, source, base)


def _beginning() -> tuple[str, Config, str]:
    """A name for where the form begins, its config, and the checkpoint that it takes eyes from."""
    if template := st.session_state.get("clone"):
        run = runs.info(places.RUNS / template)
        if run.config is not None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"Begins with the settings of **{template}**.", width="content")
                st.button("Begin elsewhere", on_click=lambda: st.session_state.pop("clone"))
            return f"{template}-again", run.config, run.about.vision_from
    if (brought := own.beginning()) is not None:
        return *brought, ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.segmented_control(
            "Begin with", list(STARTERS), default="first", required=True, key="starter", bind="query-params",
            format_func=lambda name: STARTERS[name].title,
            help="  \n".join(f"**{starter.title}**: {starter.about}" for starter in STARTERS.values()),
        )  # fmt: skip
        st.caption(STARTERS[key or "first"].about)
    starter = STARTERS[key or "first"]
    about = PARTS[starter.preset]
    columns = st.columns([3, 2, 2, 3])
    data = columns[0].selectbox(
        "Data", list(DATA), list(DATA).index(about[0]), format_func=DATA.__getitem__, key=f"data-{key}",
        help="Systems of balls are simulated when training begins. Recordings must be on this machine.",
    )  # fmt: skip
    there = [parts for parts in PARTS.values() if parts[0] == data]
    ways = [way for way in SEEN if any(way == parts[1] for parts in there)]
    sight = columns[1].selectbox(
        "Model input", ways, ways.index(about[1]) if about[1] in ways else 0, format_func=SEEN.__getitem__,
        key=f"seen-{key}-{data}", help="States of balls or joints, or frames through one of two decoders.",
    )  # fmt: skip
    models = [model for model in VARIANTS if (data, sight, model) in there]
    variant = columns[2].selectbox(
        "Model", models, models.index(about[2]) if about[2] in models else 0, key=f"variant-{key}-{data}",
        help="HRI-H infers only the hierarchy's own edges, HRI all pairs; Results explains each.",
    )  # fmt: skip
    name = f"{data}-{sight}-{variant}"
    columns[3].caption(f"&nbsp;  \nPreset `{name}`")
    start = preset(name)
    if (scenes := source_of(start.data)).folder_flag and scenes.here:
        start = scenes.sized(start)
    fits = {
        path: value
        for path, value in starter.changes.items()
        if not (path == "train.stage1_updates" and sight == "state")
    }
    return f"{key}-{name}", changed(start, fits), starter.vision_from


def _pick_encoder(start: Config, base: str, first: str) -> str:
    """The model whose encoder and decoder are taken; empty for none."""
    if not start.model.sees_frames:
        return ""
    fitting = []
    for name, source in library.sources().items():
        try:
            other = library.config_of(source)
        except ValueError:
            continue
        if other and other.model.vision == start.model.vision and other.data.render.size == start.data.render.size:
            fitting.append(name)
    stem = first.rpartition("/")[2].removesuffix(".safetensors")
    options = [NOTHING_TAKEN, *fitting]
    pick = st.selectbox(
        "Start from this pretrained encoder and decoder", options,
        options.index(stem) if stem in options else 0, key=f"taken-{base}",
        help="Stage 1 is then skipped: the model sees already and learns to predict.",
    )  # fmt: skip
    return "" if pick == NOTHING_TAKEN else pick


def _matters(path: str, start: Config, vision_from: str) -> bool:
    return path != "train.stage1_updates" or (start.model.sees_frames and not vision_from)


def _fields(shown_settings: Iterable[ConfigSetting], start: Config, base: str) -> dict[str, Any]:
    """One widget a setting, in rows of three; what differs from the start is returned.

    Raises:
        ValueError: text that is no list of numbers.
    """
    values: dict[str, Any] = {}
    columns = st.columns(3)
    for place, setting in enumerate(shown_settings):
        before = value_of(start, setting.path)
        with columns[place % 3]:
            value = _field(setting, before, f"field-{base}-{setting.path}")
        if value != before:
            values[setting.path] = value
    return values


def _field(setting: ConfigSetting, value: Any, key: str) -> Any:
    label = "Updates of stage 2" if setting.path == "train.updates" else setting.label.capitalize()
    label = label.replace("Stage1 ", "Stage 1 ")
    label = "Training systems" if setting.path == "data.train" else label
    if setting.kind == "integer":
        return int(st.number_input(label, setting.low, setting.high, value, 1, key=key, help=setting.help))
    if setting.kind == "number":
        step = 10.0 ** math.floor(math.log10(value)) if value > 0 else 0.1
        low, high = (None if end is None else float(end) for end in (setting.low, setting.high))
        return float(st.number_input(label, low, high, value, step, "%g", key=key, help=setting.help))
    if setting.kind == "choice":
        return st.selectbox(label, setting.choices, setting.choices.index(value), key=key, help=setting.help)
    if setting.kind == "switch":
        return st.toggle(label, value, key=key, help=setting.help)
    if setting.kind == "text":
        return st.text_input(label, value, key=key, help=setting.help)
    text = st.text_input(label, ", ".join(f"{number:g}" for number in value), key=key, help=setting.help)
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        raise ValueError(f"{setting.path} is {text!r}; write numbers with commas between, or leave it empty") from None


def _start(config: Config, source: str, base: str) -> None:
    """Name, note and the button; below it the command that does the same."""
    free = runs.free_name(places.RUNS, config.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the run", free, key=f"name-{base}-{free}", width=330)
        note = st.text_input("Note", key=f"note-{base}", placeholder="what you want to find out", width=330)
        start = st.button("Start", type="primary", icon=":material/play_arrow:", key="start")
    if start and (folder := attempt(runs.create, places.RUNS, name, config, source, note)) is not None:
        attempt(queueing.enqueue, places.RUNS, folder)
        st.session_state["watch_next"] = folder.name
        st.rerun()
    if start:
        st.rerun()
    st.caption("It goes on when this page is closed, until it is done or you press Stop. The same from a terminal:")
    words = runs.command(places.RUNS / name, config, source)
    st.code(f"python -m hri {shlex.join(words[:-1])}", language="bash", wrap_lines=True)


def watch_what_started() -> None:
    """Before any widget: a run that was just started is the one to see."""
    if run := st.session_state.pop("watch_next", None):
        st.session_state.pop("clone", None)
        show_view("watch", run)

"""A list of models to pick from: what each has learned from, what it sees, its kind, its edges and its error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from app import library, parts
from app.library import ModelSource
from hri.core.presets import PRESETS
from hri.experiments.catalogue import described

_catalogue = parts.part("catalogue", sheet="player.css")
OWN = "Trainings on this machine"
UPLOADED = "Your files"
STORED = "Stored scenes, without their model"
BROKEN = "Files that cannot be read"


def button(player: str, keys: Sequence[str]) -> None:
    """Opens the list.

    Args:
        player: of the page.
        keys: of the boxes that a pick may go into; the list asks which, where there are several.
    """
    about = "In a list: what each learned from, what it sees, how many of its edges are right, and its error."
    if st.button("All models", icon=":material/list:", key=f"{player}-models", help=about):
        dialog(tuple(keys))


def wanted() -> None:
    """A model was chosen where its box could not be changed any more: it is now, before the boxes are drawn."""
    for key, name in st.session_state.pop("models_wanted", {}).items():
        st.session_state[key] = name


@st.dialog("All models", width="large")
def dialog(keys: tuple[str, ...]) -> None:
    """A row a model; a click puts it into the box."""
    key = keys[0]
    if len(keys) > 1:
        letters = dict(zip(keys, "ABCD", strict=False))
        key = st.segmented_control(
            "Choose", list(keys), default=key, required=True, key="models-which",
            format_func=lambda name: f"Model {letters[name]}",
        ) or key  # fmt: skip
    st.caption(
        "Relations are inferred, never told, unless GT stands in the name. Found, findable and guessing are shares. "
        "Equal: trained for as many updates as the other models of its table, beside one that was trained for longer."
    )
    sources = library.sources()
    listed = groups(sources.values(), st.session_state.get(key))
    _catalogue(key="catalogue", data={"groups": listed}, on_pick_change=lambda: None)
    pick = (st.session_state.get("catalogue") or {}).get("pick")
    if pick in sources:
        st.session_state["models_wanted"] = {key: pick}
        st.rerun()


def groups(sources: Iterable[ModelSource], chosen: str | None) -> list[dict[str, Any]]:
    """The rows by what their models have learned from, as JSON: visitors' own first, then as presets stand.

    Args:
        chosen: the one that is marked.
    """
    rows: dict[str, list[tuple[Any, dict[str, Any]]]] = {OWN: [], UPLOADED: []}
    for source in sources:
        heading, place, row = _row(source)
        rows.setdefault(heading, []).append((place, row | {"name": source.name, "chosen": source.name == chosen}))
    ordered = {heading: sorted(group, key=lambda pair: pair[0]) for heading, group in rows.items() if group}
    others = sorted((heading for heading in ordered if heading not in (OWN, UPLOADED)), key=lambda h: ordered[h][0][0])
    first = [heading for heading in (OWN, UPLOADED) if heading in ordered]
    return [{"heading": heading, "rows": [row for _, row in ordered[heading]]} for heading in (*first, *others)]


def _row(source: ModelSource) -> tuple[str, tuple[int, int, str], dict[str, Any]]:
    """Heading, place and words of a model."""
    last = (len(PRESETS) + 1, 0, source.name)
    if source.path is None:
        return UPLOADED if source.uploaded else STORED, last, {"kind": "Stored scenes", "sees": "", "lines": []}
    try:
        told = described(source.name, library.header(source.path), library.ceiling_of(source))
    except ValueError as error:  # one sentence
        return BROKEN, last, {"kind": "Broken", "sees": "", "lines": [str(error)]}
    lines = [line for line in (told.edges, told.error) if line]
    if source.uploaded:
        return UPLOADED, told.place, {"kind": told.kind, "sees": told.sees, "lines": [told.data, *lines]}
    if "@" in source.name:
        run = source.name.rpartition("@")[0]
        return OWN, told.place, {"kind": f"{run}: {told.kind}", "sees": told.sees, "lines": [told.data, *lines]}
    heading = f"{told.data[:1].upper()}{told.data[1:]}"
    return heading, told.place, {"kind": told.kind, "sees": told.sees, "lines": lines}

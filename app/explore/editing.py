"""The visitor's edits: made, undone and redone in the session, kept in the address, applied to the scene."""

from __future__ import annotations

import dataclasses

import streamlit as st

from app import address, running
from app.library import Scene
from hri.rollout.edit_kind import Edit
from hri.rollout.interventions import NOTHING, Intervention

MOST_STEPS_BACK = 100
LONGEST_ADDRESS = 6_000
"""Characters of edits that an address carries; longer ones would be cut by other programs, or refused by servers."""


def current() -> Intervention:
    """The edits that hold now; at the first look, and after the browser's Back and Forward, those of the address.

    What cannot be read is said in one sentence and left out.
    """
    session = st.session_state
    if "edits_past" not in session or address.navigated():
        session.setdefault("edits_past", [NOTHING])
        session.setdefault("edits_at", 0)
        try:
            _remember(Intervention.parse(st.query_params.get("edits", "")))
        except ValueError as error:
            st.warning(f"The edits in the address were left out: {error}.", icon=":material/link_off:")
    return session["edits_past"][session["edits_at"]]


def put(edits: Intervention) -> None:
    """Make these the edits that hold; what was undone is forgotten."""
    current()
    _remember(edits)


def _remember(edits: Intervention) -> None:
    session = st.session_state
    if edits == session["edits_past"][session["edits_at"]]:
        return
    session["edits_past"] = [*session["edits_past"][: session["edits_at"] + 1], edits][-MOST_STEPS_BACK:]
    session["edits_at"] = len(session["edits_past"]) - 1


def add(*edits: Edit) -> None:
    """Make these edits after all others; the player then shows what comes of them."""
    put(Intervention((*current().edits, *edits)))


def move(by: int) -> None:
    """Undo (-1) or redo (1)."""
    current()
    session = st.session_state
    session["edits_at"] = max(0, min(len(session["edits_past"]) - 1, session["edits_at"] + by))


def can(by: int) -> bool:
    """Whether there is something to undo (-1) or redo (1)."""
    current()
    return 0 <= st.session_state["edits_at"] + by < len(st.session_state["edits_past"])


def with_edits(scene: Scene) -> Scene:
    """The scene with the edits that hold, and the address that says so.

    Edits that do not fit this model are said in one sentence; the scene is shown without them.
    """
    edits = current()
    text = edits.to_address()
    _keep_in_address(text if len(text) <= LONGEST_ADDRESS else "")
    if not edits.edits:
        return scene
    place = (scene.source, scene.dataset, scene.seed)
    try:
        edited_rollout = running.rollout(*place, intervention=edits, own=scene.own)
        original = running.rollout(*place, own=scene.own, live=True)
    except ValueError as error:
        st.warning(f"Your edits do not apply, and the scene is shown without them: {error}", icon=":material/edit_off:")
        if st.button("Remove all edits", key="edits-drop"):
            put(NOTHING)
            st.rerun()
        return scene
    return dataclasses.replace(scene, original=original, intervention=edits, edited=edited_rollout)


def _keep_in_address(text: str) -> None:
    if text == st.query_params.get("edits", ""):
        return
    if text:
        st.query_params["edits"] = text
    else:
        del st.query_params["edits"]

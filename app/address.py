"""What a shared address asks for beyond the widgets' own parameters, and one sentence for each thing that is not there.

Widgets read their parameters themselves and drop what they do not know without a word; the word is said here. Frame
and selection are the player's: they are checked here and handed to it once.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import library, widgets
from app.library import Scene

LONGEST = 60
"""Characters of a wrong value that are repeated."""


def unknown_values(choices: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each parameter whose value is none of its choices, and for a seed or threshold out of range."""
    query, complaints = st.query_params, []
    for name, options in choices.items():
        if name in query and query[name] not in options:
            complaints.append(f"The address asks for {name} {_short(query[name])}, which is not here.")
    seed = query.get("seed", "0")
    if not (re.fullmatch(r"[0-9]{1,10}", seed) and int(seed) <= library.LAST_SEED):
        complaints.append(
            f"The address asks for seed {_short(seed)}; seeds are whole numbers from 0 to {library.LAST_SEED}."
        )
    threshold = query.get("threshold", "0")
    if not (re.fullmatch(r"(0|1)(\.[0-9]{1,17})?", threshold) and float(threshold) <= 1):
        complaints.append(f"The address asks for threshold {_short(threshold)}; it must lie between 0 and 1.")
    return complaints


def opening(scene: Scene) -> tuple[dict[str, Any] | None, list[str]]:
    """The frame and selection that the address asks for, and a sentence for each that this scene does not have."""
    query, complaints, tree = st.query_params, [], scene.original.tree
    frame, selection = None, None
    last = scene.original.slots.shape[1] - 1
    if text := query.get("frame"):
        if re.fullmatch(r"[0-9]{1,6}", text) and int(text) <= last:
            frame = int(text)
        else:
            complaints.append(f"The address asks for frame {_short(text)}; this scene has frames 0 to {last}.")
    if text := query.get("select"):
        numbers = [int(part) for part in text.split("-")] if re.fullmatch(r"[0-9]{1,4}(-[0-9]{1,4})?", text) else []
        if len(numbers) == 1 and numbers[0] < tree.size:
            selection = {"kind": "node", "node": numbers[0]}
        elif len(numbers) == 2 and numbers in scene.original.edge_sender_receiver.tolist():
            selection = {"kind": "edge", "sender": numbers[0], "receiver": numbers[1]}
        else:
            what = "edge" if "-" in text else "node"
            complaints.append(f"The address asks for {what} {_short(text)}, which this model does not have.")
    if frame is None and selection is None:
        return None, complaints
    return {"frame": frame, "selected": selection}, complaints


def first_opening(scene: Scene, page: str = "explore") -> dict[str, Any] | None:
    """What :func:`opening` found at the first scene of this visit of a page; what was wrong is said then."""
    session, key = st.session_state, f"opening-{page}"
    if key not in session:
        session[key], complaints = opening(scene)
        say(complaints)
    return session[key]


def say(complaints: Sequence[str]) -> None:
    """What was wrong with an address, and that the page goes on."""
    if complaints:
        st.warning(widgets.plain(" ".join(complaints)) + " The rest is shown as asked.", icon=":material/link_off:")


def _short(text: str) -> str:
    writer = reprlib.Repr()
    writer.maxstring = LONGEST
    return writer.repr(text)

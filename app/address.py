"""What a shared address asks for, and one sentence for each thing that is not there.

Widgets read their parameters themselves and drop what they do not know without a word, or fail at a number of four
hundred digits. So every page says here first what its parameters may be (:func:`check`), each once a visit and again
after the browser's Back and Forward; what cannot be is said and taken out of the address before a widget reads it.
Frame and selection are the player's: they are checked here and handed to it once.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import library, widgets
from app.library import Scene

LONGEST = 60
"""Characters of a wrong value that are repeated."""


@dataclass(frozen=True)
class Words:
    """One of some words."""

    options: Sequence[str]

    def problem(self, text: str) -> str:
        """The end of a sentence; "" where nothing is wrong."""
        return "" if text in self.options else ", which is not here."


@dataclass(frozen=True)
class WholeNumber:
    """A whole number."""

    low: int
    high: int
    plural: str

    def value(self, text: str) -> int | None:
        """The number; None where there is none, or one out of range."""
        fits = re.fullmatch(r"[0-9]{1,10}", text) is not None and self.low <= int(text) <= self.high
        return int(text) if fits else None

    def problem(self, text: str) -> str:
        """The end of a sentence; "" where nothing is wrong."""
        right = f"; {self.plural} are whole numbers from {self.low} to {self.high}."
        return "" if self.value(text) is not None else right


@dataclass(frozen=True)
class Share:
    """A number from 0 to 1."""

    def problem(self, text: str) -> str:
        """The end of a sentence; "" where nothing is wrong."""
        fits = re.fullmatch(r"(0|1)(\.[0-9]{1,17})?", text) and float(text) <= 1
        return "" if fits else "; it must lie between 0 and 1."


Field = Words | WholeNumber | Share
SEED = WholeNumber(0, library.LAST_SEED, "seeds")
SWITCH = Words(("true", "false", "True", "False", "TRUE", "FALSE"))
NAMES = {"pairs": "edges", "panel": "the panel", "ways": "levels", "models": "models", "math": "mathematics"} | {
    key: f"Model {letter}" for key, letter in zip(library.COMPARED, "ABCD", strict=True)
}
"""What pages call a parameter where its name is another word."""


def navigated() -> bool:
    """Whether the page runs because the browser went back or forward: then the address says what is to be seen."""
    context = get_script_run_ctx()
    return context is not None and bool(context.is_history_navigation)


def check(page: str, fields: Mapping[str, Field]) -> None:
    """Say which of these parameters cannot be, and take them out of the address; call it before their widgets.

    Args:
        page: that they belong to.
        fields: what each may be. A parameter is looked at once a visit of the page, and again after Back and Forward.
    """
    read: set[str] = st.session_state.setdefault("address-read", set())
    new = [name for name in fields if navigated() or f"{page}:{name}" not in read]
    read |= {f"{page}:{name}" for name in new}
    faults = {name: text for name in new for text in _complaints(name, fields[name])[:1]}
    if faults:
        _leave_out(faults)
        say(list(faults.values()))


def unknown_values(choices: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each parameter whose value is none of its choices, and for a seed or threshold out of range."""
    fields: dict[str, Field] = {name: Words(options) for name, options in choices.items()}
    fields |= {"seed": SEED, "threshold": Share()}
    return [complaint for name, field in fields.items() for complaint in _complaints(name, field)]


def _complaints(name: str, field: Field) -> list[str]:
    """A sentence for each value of a parameter that cannot be."""
    query = st.query_params
    if name not in query:
        return []
    values = query.get_all(name) if hasattr(query, "get_all") else [query[name]]
    return [
        f"The address asks for {NAMES.get(name, name)} {_short(value)}{problem}"
        for value in values
        if (problem := field.problem(value))
    ]


def _leave_out(names: Mapping[str, str]) -> None:
    """Take parameters out of the address, also where widgets would still read them."""
    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as params:
        for name in names:
            params.remove_param(name)
        params.set_initial_query_params_from_current()


def opening(scene: Scene) -> tuple[dict[str, Any] | None, list[str]]:
    """The frame and selection that the address asks for, and a sentence for each that this scene does not have."""
    query, complaints, tree = st.query_params, [], scene.original.tree
    selection = None
    last = scene.original.slots.shape[1] - 1
    frames = WholeNumber(0, last, "frames")
    frame = frames.value(query.get("frame") or "")
    if (text := query.get("frame")) and frame is None:
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
    """What :func:`opening` found at the first scene of this visit of a page, or after the browser's Back and Forward.

    What was wrong is said then. ``number`` tells one from the next.
    """
    session, key = st.session_state, f"opening-{page}"
    if key not in session or navigated():
        number = session.get(f"{key}-number", 0) + 1
        start, complaints = opening(scene)
        session[key], session[f"{key}-number"] = start and start | {"number": number}, number
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

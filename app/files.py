"""Buttons whose file is made when one is pressed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app.parts import part
from hri.core.errors import sentence

_save = part("save", sheet="player.css")


@dataclass(frozen=True)
class File:
    """One button that makes a file."""

    label: str
    name: str
    """Of the file, with its ending."""
    make: Callable[[], bytes]
    """Called when the button is pressed; a ValueError or OSError becomes a sentence beside the buttons."""
    help: str = ""
    mime: str = "application/octet-stream"


def files(rows: dict[str, list[File]], key: str) -> None:
    """Buttons whose file is made when one is pressed, and then saved by the browser.

    Args:
        rows: heading (empty: none) to the buttons beside it.
        key: another one for each place.
    """
    by_name = {file.name: file for group in rows.values() for file in group}
    request_key, answer = f"{key}-asked", None

    def remember() -> None:
        st.session_state[request_key] = st.session_state[key]["asked"]

    request = by_name.get(st.session_state.pop(request_key, None))
    if request is not None:
        count = st.session_state[f"{key}-count"] = st.session_state.get(f"{key}-count", 0) + 1
        try:
            content = base64.b64encode(request.make()).decode()
            answer = {"number": count, "name": request.name, "mime": request.mime, "content": content}
        except (ValueError, OSError) as error:
            answer = {"number": count, "problem": f"{request.name} was not made: {sentence(error)}."}
    groups = [
        {"heading": heading, "files": [{"id": f.name, "label": f.label, "help": f.help} for f in group]}
        for heading, group in rows.items()
    ]
    _save(key=key, data={"rows": groups, "answer": answer, "busy": "Making the file …"}, on_asked_change=remember)

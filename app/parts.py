"""The browser's parts: their scripts and style sheets joined into components, so that there is no build step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app import places
from hri.view import browser, style


def part(name: str, *scripts: str, marks: bool = False, sheet: str = "", root: str = "") -> Callable[..., Any]:
    """The component that ``mount(root, data, send)`` of ``<name>.js`` draws (see ``clock.js``).

    Scripts and style sheets are the app's own (:data:`app.places.PLAYER`), or those that offline pages share
    (:mod:`hri.view.browser`). All of it is sent with each of its places on a page.

    Args:
        name: of the part.
        scripts: that it needs beside the clock.
        marks: whether it draws with :data:`hri.view.style.SCRIPT`.
        root: class of the element that it fills, and what the component is called; by default its name.
        sheet: its style sheet, which knows the variables of :func:`hri.view.style.css`; none where nothing is seen.
    """
    before = [style.SCRIPT] if marks else []
    files = [*before, *map(_place, ("clock.js", "streamlit.js", *scripts, f"{name}.js"))]
    js = [file.read_text(encoding="utf-8") for file in files]
    start = f'export default forStreamlit("{root or name}", mount);'
    css = style.css() + _place(sheet).read_text(encoding="utf-8") if sheet else None
    return st.components.v2.component(f"hri_{root or name}", js="\n".join([*js, start]), css=css)


def _place(file: str) -> Path:
    """Where a script or style sheet lies."""
    shared = browser.FOLDER / file
    return shared if shared.exists() else places.PLAYER / file

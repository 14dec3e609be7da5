"""Take it with you: the address, files in many formats, and the Python that makes them."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import Any, get_args

import streamlit as st

from app import files, library, places, widgets
from app.library import Scene
from hri.export.formats import FORMATS, FPS, LONGEST_TITLE, USUAL, WIDTH, Shape, Show, Theme, file_content
from hri.export.script import clip_lines, python_lines
from hri.view.facts import title_of

SHAPES: list[Shape] = ["wide", "square", "strip"]
THEMES: list[Theme] = list(get_args(Theme))
SHOWS: dict[Show, str] = {"both": "pictures and graph", "graph": "graph", "frame": "pictures"}


def panel(scene: Scene) -> None:
    """A link, files, and the Python lines; a file is made when it is asked for."""
    frame = max(1, widgets.frame(scene.original, "share"))
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        address = {"model": scene.source.name, "data": scene.dataset, "seed": str(scene.seed)}
        if scene.source.uploaded:
            st.caption("An uploaded model stays with you: send its file along with the link.")
        if scene.clip is not None:
            st.caption("Your clip stays with you: the link shows the seed's scene instead.")
        widgets.copy_link(address)
        stem = file_stem(scene)
        options = _choices(scene, frame)
        rows: dict[str, list[files.File]] = {}
        for ending, kind in FORMATS.items():
            tail = f"-frame-{frame}" if "frame" in kind.takes else ""
            make = partial(file_content, scene.rollout, ending, **options)
            rows.setdefault(kind.heading, []).append(
                files.File(kind.label, f"{stem}{tail}{ending}", make, kind.about, kind.mime)
            )
        files.files(rows, "export")
    with right:
        _python(scene, frame)


def _choices(scene: Scene, frame: int) -> dict[str, Any]:
    """How films and figures are to look: :class:`hri.export.formats.Options`."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shape = st.segmented_control(
            "Film", SHAPES, default="wide", required=True, key="export-shape",
            help="wide (1280 × 720) and square (720 × 720): pictures, graph and error over time on one page. "
            "strip: the three pictures alone.",
        )  # fmt: skip
        dark = st.context.theme.type == "dark"
        theme = st.segmented_control(
            "Colours", THEMES, default="dark" if dark else "light", required=True, key="export-theme",
            disabled=shape == "strip",
        )  # fmt: skip
        fps = st.number_input(
            "Frames a second", *FPS, int(USUAL.fps), key="export-fps", width=130, help="In films and pages."
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(
            "Title", max_chars=LONGEST_TITLE, placeholder=title_of(scene.rollout), key="export-title",
            disabled=shape == "strip", help="Above films and PNG. Left empty, it says which model and scene it is.",
        )  # fmt: skip
        width = st.number_input(
            "Figure (cm)", *WIDTH, USUAL.width, 0.5, key="export-width", width=130, format="%.1f",
            help="Width of SVG and PDF: one column of a paper has about 8.5 cm, a page 17.",
        )  # fmt: skip
        show = st.selectbox(
            "It shows", list(SHOWS), key="export-show", width=190, format_func=SHOWS.__getitem__,
            help="In SVG and PDF.",
        )  # fmt: skip
    st.caption(f"This frame: {frame}, where the player rests.")
    return {
        "fps": int(fps), "frame": frame, "shape": shape, "theme": theme, "title": title.strip(), "width": float(width),
        "show": show,
    }  # fmt: skip


def file_stem(scene: Scene) -> str:
    """A file name that says what is in it, of letters that every system takes."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scene.source.name).strip("-.") or "rollout"
    where = "clip" if scene.clip else "drawn" if scene.system else f"{scene.dataset}-{scene.seed}"
    return f"{name}-{where}{'-edited' if scene.edited is not None else ''}"


def _python(scene: Scene, frame: int) -> None:
    """Lines that run in the repository's folder and make the same numbers and picture."""
    st.markdown(":small[**The Python that makes this picture**]")
    path = scene.source.path
    if path is None:
        st.caption(f"{scene.source.name} has no checkpoint here, only stored scenes, so no lines can compute it.")
        return
    config = library.header(path).config
    tree, physics = library.DATASETS.get(scene.dataset, (config.data.tree, config.data.physics))
    if scene.system is not None:
        tree = scene.system.tree
    file = path.name if scene.source.uploaded else os.path.relpath(path, places.ROOT)
    try:
        if scene.clip is not None:
            lines = clip_lines(scene.rollout, file, scene.clip, frame)
        else:
            lines = python_lines(scene.rollout, file, tree, physics, frame, scene.system)
    except ValueError as error:
        st.caption(f"No lines for this scene: {error}.")
        return
    st.code(lines, language="python", wrap_lines=True)
    st.download_button(
        "As a file", lines, f"{file_stem(scene)}.py", "text/x-python", key="export.py", on_click="ignore",
        help="Run it from the repository's folder: .venv/bin/python and its name.",
    )  # fmt: skip

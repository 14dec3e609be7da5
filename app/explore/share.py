"""Take it with you: the address, files in many formats, and the Python that makes them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import library, places, widgets
from app.library import Scene
from hri.core.records import Rollout
from hri.export.script import clip_lines, python_lines

FILES = {
    "Film": {".gif": "GIF", ".mp4": "MP4", ".html": "Page that plays offline"},
    "This frame": {".png": "PNG", ".svg": "SVG", ".graphml": "GraphML"},
    "Numbers": {".csv": "CSV", ".json": "JSON", ".npz": "NumPy"},
}
ABOUT = {
    ".gif": "Truth, prediction and error, every frame; plays everywhere.",
    ".mp4": "The same as H.264, sharper and smaller.",
    ".html": "Images, graph and errors in one file that needs no network.",
    ".png": "Truth, prediction and error of this frame.",
    ".svg": "Pictures and graph of this frame, to be edited.",
    ".graphml": "The graph of this frame for networkx, igraph, Gephi, yEd and Cytoscape.",
    ".csv": "One line an edge and step: sender, receiver, types, probabilities.",
    ".json": "Everything but pixels.",
    ".npz": "The whole rollout; hri.core.records.Rollout.load reads it.",
}
MIME = {
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".html": "text/html",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".graphml": "application/xml",
    ".csv": "text/csv",
    ".json": "application/json",
    ".npz": "application/octet-stream",
}


def panel(scene: Scene) -> None:
    """A link, files, and the Python lines; a file is made when it is asked for."""
    frame = max(1, widgets.frame(scene.original, "share"))
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        given = {"model": scene.source.name, "data": scene.dataset, "seed": str(scene.seed)}
        if scene.source.uploaded:
            st.caption("An uploaded model stays with you: send its file along with the link.")
        if scene.clip is not None:
            st.caption("Your clip stays with you: the link shows the seed's scene instead.")
        widgets.copy_link(given)
        stem = file_stem(scene)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            fps = st.number_input("Frames a second", 1, 30, 10, key="export-fps", width=150, help="Of films and pages.")
            st.caption(f"This frame: {frame}, where the player rests.")
        rows: dict[str, list[widgets.File]] = {}
        for heading, endings in FILES.items():
            tail = f"-frame-{frame}" if heading == "This frame" else ""
            rows[heading] = [
                widgets.File(
                    label, f"{stem}{tail}{ending}", maker(scene.rollout, ending, int(fps), frame), ABOUT[ending],
                    MIME[ending],
                )
                for ending, label in endings.items()
            ]  # fmt: skip
        widgets.files(rows, "export")
    with right:
        _python(scene, frame)


def file_stem(scene: Scene) -> str:
    """A file name that says what is in it, of letters that every system takes."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scene.source.name).strip("-.") or "rollout"
    where = "clip" if scene.clip else "drawn" if scene.system else f"{scene.dataset}-{scene.seed}"
    return f"{name}-{where}{'-edited' if scene.edited is not None else ''}"


def maker(rollout: Rollout, ending: str, fps: int, frame: int) -> Callable[[], bytes]:
    """What makes one file when its button is pressed."""

    def make() -> bytes:
        from hri.export.formats import encoded

        if ending != ".npz":
            return encoded(rollout, ending, fps, frame=frame)
        with tempfile.TemporaryDirectory(prefix="hri-export-") as folder:
            path = Path(folder) / "rollout.npz"
            rollout.save(path)
            return path.read_bytes()

    return make


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
    shown = path.name if scene.source.uploaded else os.path.relpath(path, places.ROOT)
    try:
        if scene.clip is not None:
            lines = clip_lines(scene.rollout, shown, scene.clip, frame)
        else:
            lines = python_lines(scene.rollout, shown, tree, physics, frame, scene.system)
    except ValueError as error:
        st.caption(f"No lines for this scene: {error}.")
        return
    st.code(lines, language="python", wrap_lines=True, height=250)
    st.download_button(
        "As a file", lines, f"{file_stem(scene)}.py", "text/x-python", key="export.py", on_click="ignore",
        help="Run it from the repository's folder: .venv/bin/python and its name.",
    )  # fmt: skip

"""Trajectories of the visitor's own: uploaded, looked at before anything is computed, and handed to the Train page."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app import places, uploads, widgets
from app.compute import shared_cache
from hri.core.errors import sentence
from hri.data.motion import Split
from hri.data.raw import ENDINGS, Choices, EdgeOrder, Layout

if TYPE_CHECKING:
    from hri.data.trajectories import TrajectorySet

TREES = {
    "file": "as the file says",
    "flat": "none",
    "cluster": "proposed from how they move",
    "written": "written here",
}
FILM = 90
"""Frames of the preview, at most."""
FIELDS = {
    "--tree cluster": "Hierarchy",
    "--tree": "Hierarchy",
    "--fill": "Fill gaps up to",
    "--frame-rate": "Frames a second",
    "--resample": "Resample to",
    "--objects": "Only these objects",
    "--time": "Time",
    "--object": "Object",
    "--coordinates x y": "Coordinates",
    "--coordinates": "Coordinates",
    "--sequence": "Sequence",
    "--edge-order": "Order of edge vectors",
}
"""Where the page asks for what the terminal has a flag for."""
ORDERS: dict[EdgeOrder, str] = {"": "as the file says", "nri": "by receiver (NRI)", "dnri": "by sender (dNRI)"}
KNOWN = {
    "none": "not known: nobody recorded what acts on what",
    "relations": "known for every pair, so the model's edges can be scored",
    "signs": "known: the sign with which every pair acts, so the model's edges can be scored",
}


@st.dialog("Your own trajectories", width="large")
def dialog() -> None:
    """Upload, look, train."""
    files = st.file_uploader(
        "Tables (CSV, Parquet) or arrays (npz, npy); of NRI's generator its nine files together; 20 MB each at most",
        type=[ending[1:] for ending in ENDINGS], accept_multiple_files=True, key="own-files",
        help="docs/own-data.md has the layouts. Larger files: `python -m hri data trajectories FILE --out own/NAME`.",
    )  # fmt: skip
    if not files:
        st.caption("A row an object and time, with its coordinates, is enough. Nothing is computed before you say so.")
        return
    # On a phone the preview stands before what was understood and the button: page.css.
    with st.container(key="own-look"):
        left, right = st.columns([1.25, 1], gap="large")
    with left:
        choices, layout = _choices(), _layout()
    try:
        folder = uploads.accept_trajectories([(file.name, file.getvalue()) for file in files])
        with st.spinner("Reading …"):
            data = _read(folder, choices, layout)
    except (ValueError, OSError) as error:
        left.error(widgets.said(in_fields(f"{sentence(error)}.")))
        return
    with right:
        _preview(data)
    with left, st.container(key="own-settle"):
        _understood(data)
        _train(data, re.sub(r"^(loc|vel|edges|feat)_(train|valid|test)_", "", Path(files[0].name).stem))


def in_fields(text: str) -> str:
    """A sentence for the terminal with the names of the page's fields in place of flags."""
    return re.sub(
        "|".join(rf"{flag}(?![\w-])" for flag in FIELDS), lambda match: f"the field “{FIELDS[match[0]]}”", text
    )


def _choices() -> Choices:
    """What a visitor may decide; all but the tree as a file has it at first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tree = st.selectbox(
            "Hierarchy", list(TREES), format_func=TREES.__getitem__, key="own-tree", width=230,
            help="HRI needs one; NRI and LSTM do not. A proposal groups objects that move together.",
        )  # fmt: skip
        fill = st.number_input("Fill gaps up to", 0, 1000, 5, key="own-fill", width=120,
                               help="Frames; at longer gaps a sequence is cut.")  # fmt: skip
        rate = st.number_input("Frames a second", 0.0, 1e6, 0.0, key="own-rate", width=130, format="%g",
                               help="Where the file does not say it; 0: not known.")  # fmt: skip
        unit = st.text_input("Unit", key="own-unit", width=90, help="Of positions, where the file does not say it.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        resample = st.number_input("Resample to", 0.0, 1e6, 0.0, key="own-resample", width=130, format="%g",
                                   help="Frames a second, where times are uneven; 0: as they are.")  # fmt: skip
        objects = st.text_input("Only these objects", key="own-objects", placeholder="all", width="stretch",
                                help="By name, with commas between.")  # fmt: skip
    if tree == "written":
        tree = st.text_input(
            "Parent of each object but the first", key="own-parents", placeholder="0,0,1,1",
            help="By number, from 0, in the order of the file.",
        ) or "flat"  # fmt: skip
    names = tuple(word.strip() for word in objects.split(",") if word.strip())
    return Choices(
        tree=tree, objects=names, fill=int(fill), resample=float(resample), frame_rate=float(rate), unit=unit
    )


def _layout() -> Layout:
    """Names of columns, where guessing fails."""
    words: dict[str, Any] = {}
    with st.expander("Which column is what", icon=":material/table:"):
        boxes = st.columns(4)
        for box, name, label in zip(
            boxes,
            ("time", "object", "coordinates", "sequence"),
            ("Time", "Object", "Coordinates", "Sequence"),
            strict=True,
        ):
            words[name] = box.text_input(label, key=f"own-{name}", placeholder="x, y" if name == "coordinates" else "")
        order = st.selectbox(
            "Order of edge vectors", list(ORDERS), format_func=ORDERS.__getitem__, key="own-order", width=230
        )
    coordinates = tuple(word.strip() for word in words.pop("coordinates").split(",") if word.strip())
    stripped = {name: word.strip() for name, word in words.items()}
    return Layout(**stripped, coordinates=coordinates, edge_order=order)


@shared_cache(8)
def _read(folder: Path, choices: Choices, layout: Layout) -> TrajectorySet:
    """The data set that uploaded files become.

    Raises:
        ValueError: what is wrong with which file; one sentence.
    """
    from hri.data.formats import own

    files = sorted(folder.iterdir())
    try:
        return own.read([folder] if len(files) > 1 else files, choices, layout)
    except (ValueError, OSError) as error:  # where an upload lies is nothing to a visitor
        raise ValueError(
            str(sentence(error)).replace(f"{folder}{os.sep}", "").replace(str(folder), "the files")
        ) from None


def _understood(data: TrajectorySet) -> None:
    """What was read, and what was guessed."""
    verbs: dict[Split, str] = {"train": "train", "validation": "validate", "test": "test"}
    counts = ", ".join(f"{len(data.of(split))} to {verb}" for split, verb in verbs.items())
    frames = sum(len(part.positions) for part in data.sequences)
    rate = f"{data.fps:.4g} a second" if data.timed else "how long one takes is not known"
    rows = [
        ("Objects", f"{len(data.names)}: {', '.join(data.names)}"),
        ("Sequences", f"{len(data.sequences)} ({counts})"),
        ("Frames", f"{frames:,} in all, {rate}"),
        ("Ranges", "; ".join(
            f"{axis} {low:.4g} to {high:.4g} {data.unit}".strip()
            for axis, (low, high) in zip("xyz", data.ranges().tolist(), strict=False)
        )),
        ("Hierarchy", "none" if data.tree.flat else _hierarchy(data)),
        ("Truth", KNOWN[data.truth]),
    ]  # fmt: skip
    st.markdown("  \n".join(f"**{name}** {widgets.plain(text)}" for name, text in rows))
    st.caption("  \n".join(widgets.plain(in_fields(f"{note[:1].upper()}{note[1:]}.")) for note in data.notes))


def _hierarchy(data: TrajectorySet) -> str:
    """Who has which children."""
    tree = data.tree
    above = [node for node in range(tree.size) if tree.children(node)]
    return "; ".join(f"{data.names[node]}: {', '.join(data.names[k] for k in tree.children(node))}" for node in above)


def _preview(data: TrajectorySet) -> None:
    """The first sequence that trains, moving."""
    (first, *_) = data.of("train")
    step = max(1, round(data.fps / 12)) if data.timed else 1
    caption = f"{first.name}, its first {len(first.positions[::step][:FILM]) * step} frames"
    film = _film(np.ascontiguousarray(first.positions[::step][:FILM]), data.names, data.tree.parents)
    st.image(film, caption=caption, width="stretch", alt=caption)


@shared_cache(8)
def _film(positions: np.ndarray, names: tuple[str, ...], parents: tuple[int, ...]) -> bytes:
    from hri.core.hierarchy import Tree
    from hri.view.moving import film

    return film(positions, names, Tree(parents, names))


def _train(data: TrajectorySet, stem: str) -> None:
    """Keep the data set and open the Train page on it."""
    if not st.button("Train on this", type="primary", icon=":material/model_training:", key="own-train"):
        return
    try:
        folder = keep(data, stem)
    except OSError as error:
        st.error(widgets.said(f"{sentence(error)}."))
        return
    st.session_state["train_own"] = str(folder)
    st.session_state.pop("clone", None)
    st.switch_page("app/train/page.py", query_params={"view": "new"})


def keep(data: TrajectorySet, stem: str) -> Path:
    """Write the data set where trainings find it; the same one is written once.

    Raises:
        OSError: the folder cannot be written.
    """
    from hri.data.trajectories import FILE, TrajectorySet

    name = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower()[:40] or "data"
    for count in range(1, 1000):
        folder = places.OWN / (name if count == 1 else f"{name}-{count}")
        if not (folder / FILE).exists():
            folder.mkdir(parents=True, exist_ok=True)
            data.write(folder / FILE)
            return folder
        try:
            there = TrajectorySet.read(folder / FILE)
        except ValueError:
            continue
        if _same(there, data):
            return folder
    raise OSError(f"there are too many data sets called {name}")


def _same(first: TrajectorySet, second: TrajectorySet) -> bool:
    """Whether one is the other, as it was written."""
    return first.summary() == second.summary() and all(
        np.array_equal(one.positions, other.positions.astype(np.float32))
        for one, other in zip(first.sequences, second.sequences, strict=True)
    )

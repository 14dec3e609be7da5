"""A gallery of motions: pick a recording of a body by a small picture of it, and see a scene that is cut from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import library, parts
from app.compute import shared_cache
from app.library import ModelSource
from hri.core.config import Config
from hri.data.source import Source
from hri.data.sources import source_of
from hri.data.windows import side_view
from hri.view.poses import poses

_gallery = parts.part("gallery", sheet="player.css")
GROUPS = {
    "test": ("Unseen", "kept out of every training: here a prediction counts"),
    "validation": ("Not trained on", "but the best moment of a training is chosen by them"),
    "train": ("Trained on", "a model may know these by heart"),
}
"""Headings of the splits, in the order in which they are shown."""


def button(model: ModelSource, player: str = "explore") -> None:
    """Opens the gallery, where the model's scenes are of recorded bodies."""
    config = library.config_of(model)
    if config is None or not source_of(config.data).pieces_pictured:
        return
    about = "Pick a recording by its picture. The seed then is the first whose scene is cut from it."
    if st.button("Motions", icon=":material/directions_walk:", key=f"{player}-motions", help=about):
        dialog(model, int(st.session_state["seed"]))


def wanted() -> bool:
    """Whether a seed was chosen where its box could not be changed any more: it is now, before the box is drawn."""
    session = st.session_state
    if "seed_wanted" not in session:
        return False
    session["seed"] = session.pop("seed_wanted")
    return True


@st.dialog("Motions", width="large")
def dialog(model: ModelSource, seed: int) -> None:
    """A picture of every recording; a click shows a scene of it."""
    config = library.config_of(model) or Config()
    scenes = source_of(config.data)
    try:
        groups = of_recordings(scenes, seed) if scenes.here else of_stored(model, scenes, seed)
    except ValueError as error:
        st.error(str(error))
        return
    if not scenes.here:
        st.caption(f"The recordings are not here, only these scenes of them are. All of them: `{scenes.how_to_get}`")
    st.caption(
        "Four moments of each, seen from the side. A click shows a scene of it; other seeds begin elsewhere in it and "
        "look from other sides."
    )
    _gallery(key="gallery", data={"groups": groups}, on_pick_change=lambda: None)
    pick = (st.session_state.get("gallery") or {}).get("pick")
    if isinstance(pick, int) and any(pick == tile["seed"] for group in groups for tile in group["tiles"]):
        st.session_state["seed_wanted"] = pick
        st.rerun()


def of_recordings(scenes: Source, seed: int) -> list[dict[str, Any]]:
    """All recordings by split, as JSON; the one that the seed's scene is cut from is marked.

    Raises:
        ValueError: the recordings cannot be read; one sentence.
    """
    tiles, current = _tiles(scenes, scenes.file), scenes.piece_of(seed)
    return _grouped([(split, tile | {"chosen": place == current}) for place, (split, tile) in enumerate(tiles)])


@shared_cache(4)
def _tiles(scenes: Source, file: Path | None) -> list[tuple[str, dict[str, Any]]]:
    """Split and tile of each recording; ``file`` tells when they were changed."""
    tree = scenes.tree
    assert tree is not None
    return [
        (
            piece.split,
            {
                "name": piece.name,
                "note": f"{piece.seconds:.1f} s" + ("" if piece.seed is not None else ", too short for a scene"),
                "seed": piece.seed,
                "image": poses(piece.poses, tree),
            },
        )
        for piece in scenes.pieces()
    ]


def of_stored(model: ModelSource, scenes: Source, seed: int) -> list[dict[str, Any]]:
    """The model's stored scenes, where there are no recordings to cut others from.

    Raises:
        ValueError: there are none; one sentence.
    """
    seeds = library.stored_seeds(model)
    if not seeds:
        raise ValueError(f"The recordings are not here; get them with `{scenes.how_to_get}`.")
    stored, tree = library.stored_scenes(model), scenes.tree
    tiles: list[tuple[str, dict[str, Any]]] = []
    states = stored.true_states
    if states is None or tree is None:
        raise ValueError(f"The stored scenes hold no joints; get the recordings with `{scenes.how_to_get}`.")
    for place, number in enumerate(seeds):
        x, up = states[place, ..., 0], states[place, ..., 1]
        image = poses(side_view(np.stack([x, np.zeros_like(x), up], -1)), tree)
        tile = {"name": f"scene of seed {number}", "note": "stored", "seed": number, "image": image}
        tiles.append((scenes.data.split_of(number), tile | {"chosen": number == seed}))
    return _grouped(tiles)


def _grouped(tiles: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    groups = {split: [tile for own, tile in tiles if own == split] for split in GROUPS}
    return [
        {"heading": GROUPS[split][0], "about": GROUPS[split][1], "tiles": own} for split, own in groups.items() if own
    ]

"""What the model believes of every edge at every frame, all at once."""

from __future__ import annotations

import streamlit as st

from app import library, widgets
from app.explore import pickers
from app.library import Scene
from hri.view import facts as pictures


def panel(scene: Scene) -> None:
    """A strip for each edge that the graph shows."""
    pairs: pictures.Pairs = "all" if scene.rollout.tree.flat else st.session_state.get("pairs", "hierarchy")
    history = library.window_of(scene.source)
    widgets.strips(scene.rollout, pairs, history, names=pickers.names_shown(scene.rollout))

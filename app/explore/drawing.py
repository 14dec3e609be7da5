"""Springs drawn by the visitor: kept in the session and in the address, and shown in place of data set and seed."""

from __future__ import annotations

import streamlit as st

from app import drawn, library, widgets
from app.library import Scene
from hri.core.config import DataConfig
from hri.core.forces import FORCES, usual_physics
from hri.data.sources import source_of
from hri.physics.systems import System
from hri.scores import ceilings
from hri.view import beliefs

TREES = ("4-3", "3-3", "2-2", "2-3", "4-2", "5-2")
"""Offered to models that see images; a model of states sees its own."""


def current() -> System | None:
    """The drawn system that is to be shown; at the first look the one that the address brought.

    What cannot be read is said in one sentence and left out.
    """
    kept = st.session_state
    if "system" not in kept:
        kept["system"] = None
        if text := st.query_params.get("system"):
            try:
                kept["system"] = System.parse(text)
            except ValueError as error:
                told = widgets.plain(f"The address's springs were left out: {error}.")
                st.warning(f"{told} The scene of the seed is shown.", icon=":material/link_off:")
    return kept["system"]


def put(system: System | None) -> None:
    """Show this system from now on, or the seed's again."""
    kept = st.session_state
    if system is None and kept.get("system") is not None:
        kept["system_before"] = kept["system"]
    elif system is not None:
        kept["clip"] = None  # of two scenes of one's own the later one is shown
    kept["system"] = system


def keep_in_address() -> None:
    """Let the address say what is drawn."""
    system = current()
    text = "" if system is None else system.to_address()
    if text and text != st.query_params.get("system"):
        st.query_params["system"] = text
    elif not text and "system" in st.query_params:
        del st.query_params["system"]


def panel(scene: Scene) -> None:
    """The drawing board, what to begin with, and what the model made of the last drawing."""
    kept = st.session_state
    if kept.pop("system_put", False):
        st.rerun()
    config = library.config_of(scene.source)
    if config is None:
        st.info(f"{scene.source.name} has no checkpoint here, only stored scenes, so it cannot predict your springs.")
        return
    scenes = source_of(config.data)
    if not scenes.simulated:
        st.info(f"{scene.source.name} predicts {scenes.label}; choose a model of springs to draw some.")
        return
    board, choices = st.columns([1.15, 1], gap="large")
    with choices:
        begin = _begin(scene, config.data, list(TREES) if config.model.sees_frames else [config.data.tree])
        if problem := kept.pop("system_problem", None):
            st.error(widgets.plain(problem))
        _verdict(scene)
    with board:
        widgets.board(begin, _accept)


def _begin(scene: Scene, data: DataConfig, trees: list[str]) -> System:
    """What is on the board at first: what is shown, or the balls of a seed."""
    kept, shown = st.session_state, scene.system
    now = shown.tree if shown is not None else library.DATASETS.get(scene.dataset, (trees[0], ""))[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tree = st.selectbox(
            "Tree", trees, index=trees.index(now) if now in trees else 0, key=f"board-tree-{scene.dataset}", width=120,
            help="Children of the root, then of each intermediate; flat: balls without a hierarchy.",
            disabled=len(trees) == 1,
        )  # fmt: skip
        usual = shown.physics if shown is not None and shown.tree == tree else usual_physics(tree)
        usual = data.physics if data.force.flat else usual
        known = [data.physics] if data.force.flat else [name for name, force in FORCES.items() if not force.flat]
        physics = st.selectbox(
            "Physics", known, index=known.index(usual), key=f"board-physics-{tree}-{usual}", width=120,
            help=" ".join(f"{name}: {FORCES[name].note}." for name in known),
            disabled=len(known) == 1,
        )  # fmt: skip
        before = kept.get("system_before")
        if shown is not None and st.button(
            "Back to the seed", icon=":material/undo:", key="board-leave", help=f"Show seed {scene.seed} again."
        ):
            put(None)
            st.rerun()
        if (
            shown is None
            and before is not None
            and st.button("My last springs", icon=":material/redo:", key="board-again")
        ):
            put(before)
            st.rerun()
    if shown is not None and (shown.tree, shown.physics) == (tree, physics):
        return shown
    st.caption(f"Begins with the balls of seed {scene.seed}.")
    return System.of_seed(tree, physics, scene.seed).rounded()


def _accept() -> None:
    """Called with what the board sends; a system that cannot be is told, and the board keeps it."""
    kept = st.session_state
    try:
        put(System.parse(str(kept["board"]["system"])))
        kept["system_put"] = True
    except ValueError as error:
        kept["system_problem"] = f"These springs were not simulated: {error}."


def _verdict(scene: Scene) -> None:
    """Whether messages pass where springs were drawn."""
    if scene.system is None:
        st.caption("Simulate, and the model predicts above what you drew. The link under *share* carries it.")
        return
    try:
        found = beliefs.springs_found(scene.rollout)
    except ValueError as error:
        st.caption(str(error))
        return
    st.markdown(
        f"**Messages pass over {found.heard} of {found.pairs} pairs, among them {found.both} of your {found.joined} "
        "springs.**",
        help="Pairs whose most probable type carries messages in most steps of the burn-in, in either direction.",
    )
    if found.pairs:
        right = (found.pairs - found.heard - found.joined + 2 * found.both) / found.pairs
        guess = max(found.joined, found.pairs - found.joined) / found.pairs
        words = ceilings.in_words(right, drawn.findable(scene.source), guess)
        st.caption(f"Pairs right: {words}.", help=ceilings.EXPLAINED)

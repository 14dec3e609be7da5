"""Springs drawn by the visitor: kept in the session and in the address, and shown in place of data set and seed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import address, drawn, library, widgets
from app.library import Scene
from hri.core.config import DataConfig
from hri.core.forces import FORCES, usual_physics
from hri.core.hierarchy import Tree
from hri.data.sources import source_of
from hri.physics.systems import System, always_joined
from hri.scores import ceilings, meanings
from hri.view import beliefs
from hri.view.agreement import between

TREES = ("4-3", "3-3", "2-2", "2-3", "4-2", "5-2")
"""Offered to models that see images; a model of states sees its own."""


def current() -> System | None:
    """The drawn system that is to be shown; at the first look, and after Back and Forward, the one of the address.

    What cannot be read is said in one sentence and left out.
    """
    session = st.session_state
    if "system" not in session or address.navigated():
        session["system"] = None
        if text := st.query_params.get("system"):
            try:
                session["system"] = System.parse(text)
            except ValueError as error:
                complaint = widgets.plain(f"The springs in the address were left out: {error}.")
                st.warning(f"{complaint} The scene of the seed is shown.", icon=":material/link_off:")
    return session["system"]


def put(system: System | None) -> None:
    """Show this system from now on, or the seed's again."""
    session = st.session_state
    if system is None and session.get("system") is not None:
        session["system_before"] = session["system"]
    elif system is not None:
        session["clip"] = None  # of two scenes of one's own the later one is shown
    session["system"] = system


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
    session = st.session_state
    if session.pop("system_put", False):
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
        if problem := session.pop("system_problem", None):
            st.error(widgets.said(problem))
        _verdict(scene)
        if scene.system is not None:
            widgets.result(scene.rollout, original=scene.original if scene.edited else None)
    with board:
        widgets.board(begin, _accept)


def _begin(scene: Scene, data: DataConfig, trees: list[str]) -> System:
    """What is on the board at first: what is shown, or the balls of a seed."""
    session, drawing = st.session_state, scene.system
    now = drawing.tree if drawing is not None else library.DATASETS.get(scene.dataset, (trees[0], ""))[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tree = st.selectbox(
            "Tree", trees, index=trees.index(now) if now in trees else 0, key=f"board-tree-{scene.dataset}", width=120,
            help="Children of the root, then of each intermediate; flat: balls without a hierarchy.",
            disabled=len(trees) == 1,
        )  # fmt: skip
        usual = drawing.physics if drawing is not None and drawing.tree == tree else usual_physics(tree)
        usual = data.physics if data.force.flat else usual
        forces = [data.physics] if data.force.flat else [name for name, force in FORCES.items() if not force.flat]
        physics = st.selectbox(
            "Physics", forces, index=forces.index(usual), key=f"board-physics-{tree}-{usual}", width=120,
            help=" ".join(f"{name}: {FORCES[name].note}." for name in forces),
            disabled=len(forces) == 1,
        )  # fmt: skip
        before = session.get("system_before")
        if drawing is not None and st.button(
            "Back to the seed", icon=":material/undo:", key="board-leave", help=f"Show seed {scene.seed} again."
        ):
            put(None)
            st.rerun()
        if (
            drawing is None
            and before is not None
            and st.button("My last springs", icon=":material/redo:", key="board-again")
        ):
            put(before)
            st.rerun()
    if drawing is not None and (drawing.tree, drawing.physics) == (tree, physics):
        return drawing
    st.caption(f"Begins with the balls of seed {scene.seed}.")
    return System.of_seed(tree, physics, scene.seed).rounded()


def _accept() -> None:
    """Called with what the board sends; a system that cannot be is told, and the board keeps it."""
    session = st.session_state
    try:
        put(System.parse(str(session["board"]["system"])))
        session["system_put"] = True
    except ValueError as error:
        session["system_problem"] = f"These springs were not simulated: {error}."


def _verdict(scene: Scene) -> None:
    """Whether messages pass where springs were drawn."""
    if scene.system is None:
        st.caption("Simulate, and the model predicts above what you drew. The link under *share* carries it.")
        return
    try:
        counts = beliefs.spring_counts(scene.rollout)
    except ValueError as error:
        st.caption(str(error))
        return
    st.markdown(
        f"**Messages pass over {counts.with_messages} of {counts.pairs} pairs, among them {counts.both} of your "
        f"{counts.springs} springs.**",
        help="Pairs whose most probable type carries messages in most steps of the burn-in, in either direction.",
    )
    levels = beliefs.spring_counts_by_level(scene.rollout)
    if len(levels) > 1:
        st.markdown("\n".join(f"- {line}" for line in by_level(levels, scene.source, scene.system)))
    if counts.pairs:
        guess = max(counts.springs, counts.pairs - counts.springs) / counts.pairs
        words = ceilings.in_words(counts.right / counts.pairs, drawn.findable(scene.source), guess)
        st.caption(f"Pairs right: {words}.", help=ceilings.EXPLAINED)


def by_level(levels: dict[str, beliefs.SpringCounts], source: library.ModelSource, system: System) -> list[str]:
    """Of each two levels what the model says of the drawing, and why it may be wrong there: a line of Markdown each.

    It may never have had to look, where its training knows no system without these springs, or it cannot tell them on
    any unseen system.
    """
    pairs, joined = np.argwhere(np.triu(Tree.parse(system.tree).possible)), always_joined(system.tree, system.physics)
    fixed = {
        name
        for name, members in meanings.level_pairs(Tree.parse(system.tree), *pairs.T).items()
        if members.any() and all((int(i), int(j)) in joined for i, j in pairs[members])
    }
    unseen = library.edges_right_by_level(source)
    lines = []
    for name, counts in levels.items():
        why = ""
        if counts.right < counts.pairs and name in fixed:
            why = " In the systems of its training these are always joined, so it never had to look."
        elif counts.right < counts.pairs and name in unseen:
            why = f" On unseen systems: {unseen[name]}."
        words = between(name)
        lines.append(
            f"{words[:1].upper()}{words[1:]}: messages over {counts.with_messages} of {counts.pairs} pairs, your "
            f"springs on {counts.springs}; **{counts.right} of {counts.pairs} right**.{why}"
        )
    return lines

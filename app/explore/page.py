"""Explore: watch a model predict a scene, and see the relations it believes in while it does."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
with st.container(horizontal=True, vertical_alignment="center", key="headline"):
    st.markdown("**Watch a model predict how things move, and see which parts it believes act on each other.**")
    invitation = st.container(width="content")
with st.container(key="skeleton"):
    skeleton = st.empty()
if "last_scene" not in st.session_state:  # the first look: what is missing has its place already
    st.html(Path(__file__).parents[1] / "player" / "skeleton.css")
    skeleton.html(
        '<div class="skeleton" role="status"><p>Loading the first scene …</p><div class="row"><div></div><div></div>'
        '<div></div></div><div class="graph"></div><div class="line"></div></div>'
    )

from app import address, drawn, library, widgets
from app.explore import (
    beliefs,
    changes,
    clip,
    difficulty,
    drawing,
    guide,
    inspector,
    pickers,
    relations,
    share,
    steps,
    watching,
)
from app.explore.scene import pick_scene
from app.learn import links as learning
from app.library import Scene
from hri.core.records import Rollout
from hri.rollout.far import far_outside
from hri.view import facts as pictures

NAMES: list[drawn.Names] = ["raw", "aligned"]
PICKER = 240
"""Pixels of the picker of levels; the sentence beside it takes what is left."""
PANELS = {
    "inspect": inspector.panel,
    "relations": relations.panel,
    "edges over time": beliefs.panel,
    "inside a step": steps.panel,
    "change": changes.panel,
    "draw": drawing.panel,
    "video": clip.panel,
    "hard and easy": difficulty.panel,
    "share": share.panel,
}
"""What the workbench under the timeline can show, each a function of the scene."""


def show(scene: Scene) -> None:
    """Images left, graph right, timeline below, and under it what one can do with them."""
    opening = address.first_opening(scene)
    rollout, original = scene.rollout, scene.original if scene.edited else None
    if scene.source.only_recorded and (outside := far_outside(scene.original)):
        st.warning(widgets.plain(f"{outside}."), icon=":material/help:")
    with st.container(key="screen"):
        left, right = st.columns(sides(rollout), gap="medium")
    with right, st.container(key="side"):  # first, because the browser takes longest to load what draws it
        with st.container(horizontal=True, vertical_alignment="center"):
            layout, pairs = pickers.graph_pickers("the model has", flat=rollout.tree.flat)
            with st.container(width="content"):
                matrix, names = relation_options(scene, pairs)
        with st.container(horizontal=True, key="relations"):
            with st.container(key="graph-side"):
                widgets.graph(rollout, pairs, layout, names=names, tally=drawn.tally(rollout, scene.source))
            if matrix:
                with st.container(width=310, key="matrix-side"):
                    widgets.matrix(rollout, names=names)
        every, own = (len(pictures.edge_rows(rollout, which)) for which in pickers.PAIRS[::-1])
        if pairs == "all" and every == own > 0 and not rollout.tree.flat:
            st.caption("This model infers only the hierarchy's own edges: all of them are shown either way.")
        widgets.keep_address(opening)
    with left, st.container(key="stage"):
        with st.container(horizontal=True, vertical_alignment="bottom", key="watch"):
            with st.container(width=PICKER):
                pickers.overlay_picker(rollout)
            words, more = watching.sentence(scene)
            st.container(width="stretch", key="what-to-watch").markdown(f":small[{words}]", help=more)
        widgets.images(rollout, original=original, fields=library.fields_of(scene.source))
        with st.container(key="inspector"):
            inspector.glance(rollout)
    widgets.timeline(rollout, original=original)
    with invitation:
        guide.show(scene)
    workbench(scene)


def sides(rollout: Rollout) -> tuple[float, float]:
    """Widths of what stands left and right: pictures are larger where nothing below them needs the height."""
    matrix = st.session_state.get("matrix", st.query_params.get("matrix", "").lower() == "true")
    if matrix or rollout.slot_frames is not None:
        return 11, 9.5
    return (11, 9.1) if pictures.shows_body(rollout) else (11.7, 8.8)


def relation_options(scene: Scene, pairs: pictures.Pairs) -> tuple[bool, drawn.Names]:
    """Whether the matrix stands beside the graph, and how edge types are named; filters act by themselves."""
    with st.popover("View", icon=":material/tune:", help="Matrix, filters, names of edge types"):
        matrix = st.toggle(
            "Matrix", key="matrix", bind="query-params",
            help="Every inferred pair as a square beside the graph: rows send, columns receive.",
        )  # fmt: skip
        try:
            alignment = drawn.named_types(scene.rollout, "aligned", library.window_of(scene.source))
            accuracy = f"Edges right in this scene: {drawn.edges_right(alignment, scene.source)}."
        except ValueError as error:
            alignment, accuracy = None, str(error)
        names = st.segmented_control(
            "Edge types", NAMES, default="raw", required=True, key="names", bind="query-params",
            help=f"Learned types have no names. Aligned: matched to the true relations by assignment. {accuracy}",
            disabled=alignment is None,
        )  # fmt: skip
        names_shown: drawn.Names = "aligned" if names == "aligned" and alignment is not None else "raw"
        pickers.edge_filter(scene.rollout, pairs, names=names_shown)
    return matrix, names_shown


@st.fragment
def workbench(scene: Scene) -> None:
    """One of the panels; only the chosen one costs anything."""
    panels = [name for name in PANELS if name != "relations" or pictures.shows_body(scene.rollout)]
    if st.session_state.get("panel") not in panels:  # a body had more of them
        st.session_state.pop("panel", None)
    panel = st.segmented_control(
        "Workbench", panels, default="inspect", required=True, key="panel", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    with st.container(key="workbench"):
        PANELS[panel or "inspect"](scene)


widgets.page_style()
if not library.sources():
    skeleton.empty()
    st.info(
        "There is nothing to show yet: put a checkpoint into `checkpoints/`, or train one with `python -m hri train`."
    )
    st.stop()
fields: dict[str, address.Field] = {
    "model": address.Words(list(library.sources())),
    "seed": address.SEED,
    "panel": address.Words(list(PANELS)),
    "matrix": address.SWITCH,
    "names": address.Words(NAMES),
}
address.check("explore", fields | pickers.FIELDS)
scene: Scene | None
try:
    scene = pick_scene()
except ValueError as error:
    st.error(str(error))
    scene = st.session_state.get("last_scene")
    if scene is not None:
        st.caption("The scene below is still the previous one.")
if scene is None:
    skeleton.empty()
else:
    st.session_state["last_scene"] = scene
    learning.scrubber(scene.source.name)
    show(scene)

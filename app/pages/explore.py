"""Explore: watch a model predict a scene, and see the relations it believes in while it does."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
st.markdown("**Watch a model predict moving springs, and see which parts it believes act on each other.**")

import numpy as np  # noqa: E402

from app import state, widgets  # noqa: E402
from hri import figures, pictures  # noqa: E402
from hri.records import Rollout  # noqa: E402

LAYOUTS: list[figures.Layout] = ["radial", "image"]
PAIRS: list[pictures.Pairs] = ["hierarchy", "all"]


def another_scene(source: state.Source) -> None:
    """Called before the page runs again, when the seed's box may still be changed."""
    st.session_state["seed"] = state.another_seed(source, st.session_state["seed"])


def pick_scene() -> Rollout:
    """Model, data set and seed in one row, and the rollout they name.

    Raises:
        ValueError: the choice cannot be shown; one sentence.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="pickers"):
        model, data, seed, buttons, about = (st.container(width=width) for width in (330, 170, 170, 265, 290))
    with buttons, st.container(horizontal=True, vertical_alignment="bottom"):
        another, upload = st.container(width="content"), st.container(width="content")
    with upload:
        widgets.uploader()
    sources, kept = state.sources(), st.session_state
    names = list(sources)
    # A default beside a value that is kept already would be a contradiction, and Streamlit says so.
    start = 0 if "model" in kept else state.first_choice(names)
    name = model.selectbox("Model", names, index=start, key="model", bind="query-params")
    source = sources[name]
    choices = state.datasets(source)
    dataset = data.selectbox("Data", choices, key="data", bind="query-params", disabled=len(choices) == 1)
    stored = state.stored_seeds(source)
    if kept.get("model_before") != name and source.path is None and kept.get("seed") not in stored:
        kept.pop("seed", None)  # a model that is only stored begins with a scene it has
    kept["model_before"] = name
    first: int | Literal["min"] = "min" if "seed" in kept else next(iter(stored), state.FIRST_UNSEEN)
    number = seed.number_input(
        "Seed",
        0,
        state.LAST_SEED,
        first,
        key="seed",
        bind="query-params",
        help="Every seed is another system of springs.",
    )
    another.button("Another scene", icon=":material/casino:", on_click=another_scene, args=(source,))
    with about, st.spinner("Rolling the model out …"):
        rollout = state.rollout(source, dataset, int(number))
    about.caption(state.standing(source, dataset, int(number)))
    return rollout


@st.fragment
def inspector(rollout: Rollout) -> None:
    """What is selected, in one sentence and one small chart."""
    chosen = widgets.selection()
    if chosen is None:
        st.caption("Click a slot, a node or an edge to inspect it. Space plays, ← and → step.")
        return
    if chosen["kind"] == "node":
        inspect_node(rollout, chosen["node"])
    else:
        inspect_edge(rollout, chosen)


def inspect_node(rollout: Rollout, node: int) -> None:
    """A slot or ball: its place in the hierarchy, and how well it is predicted."""
    tree = rollout.tree
    if not 0 <= node < tree.size:
        return
    children = tree.children(node)
    family = [f"child of {pictures.node_name(tree, tree.parents[node])}"] if node else []
    family += [f"parent of {', '.join(map(str, children))}"] if children else []
    st.markdown(
        f":small[**{pictures.node_name(tree, node).capitalize()}**, {'; '.join(family)}. Prediction error by frame:]"
    )
    st.plotly_chart(figures.node_history(rollout, node), key=f"node-{node}", config={"displayModeBar": False})


def inspect_edge(rollout: Rollout, chosen: dict[str, Any]) -> None:
    """An edge: what the model believed of it over time, and whether there is a spring."""
    pair = [chosen["sender"], chosen["receiver"]]
    rows = np.flatnonzero((rollout.edge_sender_receiver == pair).all(1))
    if not len(rows):
        st.caption("This model does not infer that edge.")
        return
    springs = pictures.true_springs(rollout)
    if springs is None:
        truth = "The true springs are not known."
    else:
        share = float(springs[:, pair[0], pair[1]].mean())
        truth = (
            "A true spring joins them" + ("." if share == 1 else f" in {share:.0%} of the frames.")
            if share
            else "No true spring joins them."
        )
    sender, receiver = (pictures.node_name(rollout.tree, node) for node in pair)
    st.markdown(f":small[**{sender.capitalize()} → {receiver}.** {truth} Probability by frame:]")
    st.plotly_chart(figures.edge_history(rollout, int(rows[0])), key=f"edge-{pair}", config={"displayModeBar": False})


def show(rollout: Rollout) -> None:
    """Images left, graph right, timeline below."""
    left, right = st.columns([11, 9.5], gap="medium")
    with right, st.container(key="side"):  # first, because the browser takes longest to load what draws it
        with st.container(horizontal=True):
            layout = st.segmented_control(
                "Layout", LAYOUTS, default="radial", required=True, key="layout", bind="query-params",
                help="Radial: the hierarchy from the inside out. Image: every node where it is in the frame.",
            )  # fmt: skip
            pairs = st.segmented_control(
                "Edges", PAIRS, default="hierarchy", required=True, key="pairs", bind="query-params",
                help="The hierarchy's own pairs, or every pair the model has an opinion of.",
            )  # fmt: skip
            with st.container(width=220):
                widgets.threshold_picker()
        widgets.graph(rollout, pairs, layout)
    with left, st.container(key="stage"):
        widgets.overlay_picker(rollout)
        widgets.images(rollout)
        with st.container(key="inspector"):
            inspector(rollout)
    widgets.timeline(rollout)


widgets.page_style()
if not state.sources():
    st.info(
        "There is nothing to show yet: put a checkpoint into `checkpoints/`, or train one with `python -m hri train`."
    )
    st.stop()
scene: Rollout | None
try:
    scene = pick_scene()
except ValueError as error:
    st.error(str(error))
    scene = st.session_state.get("last_scene")
    if scene is not None:
        st.caption("Below is still the scene from before.")
if scene is not None:
    st.session_state["last_scene"] = scene
    show(scene)

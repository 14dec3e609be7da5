"""Controls of the graph and the images that more than one page has."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from app import address, drawn, widgets
from hri.core.records import Rollout
from hri.view import beliefs
from hri.view import facts as pictures
from hri.view.layout import Layout
from hri.view.terms import explained

LAYOUTS: list[Layout] = list(get_args(Layout))
PAIRS: list[pictures.Pairs] = ["hierarchy", "all"]
FIELDS: dict[str, address.Field] = {
    "layout": address.Words(LAYOUTS),
    "pairs": address.Words(PAIRS),
    "threshold": address.Share(),
}
"""What their parameters in an address may be."""


@st.fragment
def overlay_picker(rollout: Rollout, player: str = "explore") -> None:
    """What is drawn over the images: a level's slots (16, 4, 1, all or off), or a body's skeleton."""
    tree = rollout.tree
    body = pictures.shows_body(rollout)
    if body:
        levels = {"skeleton": "bones", "joints": "all", "off": "off"}
    else:
        root = 0 if tree.flat else 1
        sizes = {"leaves": len(tree.leaves), "middle": tree.size - len(tree.leaves) - root, "root": root}
        levels = {str(size): level for level, size in sizes.items() if size}
        levels |= ({} if tree.flat else {"all": "all"}) | {"off": "off"}
    address.check(player, {"overlay": address.Words(list(levels))})
    # Another tree counts otherwise: keep the level, not the number. The address carries what is on the button.
    if st.session_state.get("overlay") not in levels and "overlay_level" in st.session_state:
        labels = [label for label, level in levels.items() if level == st.session_state["overlay_level"]]
        st.session_state["overlay"] = next(iter(labels), next(iter(levels)))
    if body:
        title, about = "Over the images", "The bones, bones and joints, or neither: then the drawn frames alone."
    elif tree.flat:
        title, about = "Balls over the images", "All balls, or none."
    else:
        title = "Levels over the images"
        about = f"Leaves, intermediates, the root, all levels, or none. {explained('slot', 'leaf, intermediate, root')}"
    label = st.segmented_control(
        title,
        list(levels),
        default=next(iter(levels)),
        required=True,
        key="overlay",
        help=about,
        bind="query-params",
    )
    level = st.session_state["overlay_level"] = levels[label or next(iter(levels))]
    widgets.tell(player, "level", {"level": level})


def graph_pickers(whose: str, player: str = "explore", flat: bool = False) -> tuple[Layout, pictures.Pairs]:
    """How the graph is laid out and which pairs it holds, with the threshold beside them.

    Args:
        whose: opinions the pairs are, such as "the model has".
        player: which the threshold is for.
        flat: without a hierarchy, so that there is no choice of pairs.
    """
    layout = st.segmented_control(
        "Layout", LAYOUTS, default="radial", required=True, key="layout", bind="query-params",
        help=f"Radial: {'a circle' if flat else 'the hierarchy from the inside out'}. "
        "Image: every node where it is in the frame.",
    )  # fmt: skip
    pairs: pictures.Pairs = "all"
    if not flat:
        pairs = st.segmented_control(
            "Edges", PAIRS, default="hierarchy", required=True, key="pairs", bind="query-params",
            help=f"The hierarchy's own pairs, or every pair that {whose} an opinion about. {explained('edge')} "
            "Gold outlines are true relations; between slots, which are places, they come and go as balls change cell.",
        )  # fmt: skip
    with st.container(width=118):
        threshold_picker(player)
    return layout, pairs


@st.fragment
def threshold_picker(player: str = "explore") -> None:
    """Which edges are too improbable to be drawn."""
    threshold = st.slider(
        "Hide below p",
        0.0,
        1.0,
        0.0,
        0.05,
        key="threshold",
        help="Hides edges less probable than this. p is the probability that an edge carries any message at all.",
        bind="query-params",
    )
    widgets.tell(player, "threshold", {"threshold": threshold})


def names_shown(rollout: Rollout) -> drawn.Names:
    """How edge types are named now: as the visitor chose, where that can be done."""
    try:
        names: drawn.Names = st.session_state.get("names") or "raw"
        drawn.named_types(rollout, names)
    except ValueError:
        return "raw"
    return names


@st.fragment
def edge_filter(rollout: Rollout, pairs: pictures.Pairs, player: str = "explore", names: drawn.Names = "raw") -> None:
    """Only some levels or types of edges, in the graph, the matrix and the lists."""
    edges = rollout.edge_sender_receiver[pictures.edge_rows(rollout, pairs)].reshape(-1, 2)
    choices = {
        "ways": beliefs.ways_in_order(rollout.tree, edges),
        "types": list(drawn.named_types(rollout, names).types),
    }
    address.check(player, {key: address.Words(options) for key, options in choices.items()})
    for key, options in choices.items():  # another model or choice of edges offers others
        if picks := st.session_state.get(key):
            st.session_state[key] = [name for name in picks if name in options]
    filters = {
        "ways": [] if rollout.tree.flat else st.pills(
            "Only these levels", choices["ways"], selection_mode="multi", key="ways", bind="query-params",
            help="Sender → receiver. None chosen: all. Other pairs are inferred, but not part of the hierarchy.",
        ),
        "types": st.pills(
            "Only these types", choices["types"], selection_mode="multi", key="types", bind="query-params",
            help="The type that carries the message at this frame. None chosen: all.",
        ),
    }  # fmt: skip
    widgets.tell(player, "filter", filters)

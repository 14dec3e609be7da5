"""What pages put together: the player's parts and the pickers.

The player is three small browser components on one clock (``app/player/clock.js``): images, timeline,
and one that repaints the Plotly graph. Their data goes over once a scene; a step asks nothing of the
server. Files are joined here, so there is no build step; text from users travels in ``data`` only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app import state
from hri import figures, pictures
from hri.records import Rollout

_PLAYER = Path(__file__).parent / "player"


def _component(name: str) -> Callable[..., Any]:
    script = "\n".join((_PLAYER / file).read_text() for file in ("clock.js", f"{name}.js"))
    return st.components.v2.component(f"hri_{name}", js=script, css=(_PLAYER / "player.css").read_text())


_images, _timeline, _graph, _link = (_component(name) for name in ("images", "timeline", "graph", "link"))


def page_style() -> None:
    """Spacing that lets the page fit one screen."""
    st.html(_PLAYER / "page.css")


# The player --------------------------------------------------------------------------------------------


def images(rollout: Rollout, player: str = "explore") -> None:
    """Truth, prediction and error with the partition over them; SlotDec's slots below."""
    _images(
        key=f"{player}-images",
        data={"player": player, "scene": state.scene_id(rollout)} | state.payload("images", rollout),
    )


def timeline(rollout: Rollout, player: str = "explore") -> None:
    """Play, step, scrub; the error of every frame."""
    with st.container(key=f"{player}-transport"):
        _timeline(
            key=f"{player}-timeline",
            data={"player": player, "scene": state.scene_id(rollout)} | state.payload("timeline", rollout),
        )


def graph(rollout: Rollout, pairs: pictures.Pairs, layout: figures.Layout, player: str = "explore") -> None:
    """The interaction graph: a Plotly chart that follows the player, or says that it cannot and follows on pause."""
    rows = pictures.edge_rows(rollout, pairs)
    edges = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    figure = state.interaction_graph(
        tuple(rollout.tree.parents),
        tuple((int(i), int(j)) for i, j in edges),
        rollout.edge_probabilities.shape[-1],
        layout,
        rollout.true_adjacency is not None,
    )
    if st.session_state.get("graph_broken"):
        _graph_on_pause(figure, rollout, rows, layout, player)
        return
    chart = f"{player}-graph"
    # Outside any fragment: a fragment's rerun would mount the chart anew and lose the zoom.
    with st.container(key=chart):
        st.plotly_chart(
            figure,
            key=f"{chart}-chart",
            config={
                "scrollZoom": True,
                "doubleClick": False,
                "modeBarButtonsToRemove": ["zoom2d", "pan2d", "autoScale2d"],
            },
            alt="Interaction graph of the current frame",
        )
    with st.container(key=f"{chart}-sync"):
        scene = state.scene_id(rollout)
        data = {"player": player, "scene": scene, "chart": chart} | state.payload("graph", rollout, pairs, layout)
        _graph(key=f"{chart}-painter-{layout}-{pairs}", data=data, on_broken_change=_graph_broke)


def _graph_broke() -> None:
    st.session_state["graph_broken"] = True


@st.fragment
def _graph_on_pause(figure: Any, rollout: Rollout, rows: Any, layout: figures.Layout, player: str) -> None:
    """The slow, safe way: the figure of the frame at which the player stands, drawn by Python."""
    st.caption("The graph cannot follow playback in this browser; it is redrawn on pause.")
    told = _link(
        key=f"{player}-pause", data={"player": player, "report": "frame", "known": None}, on_frame_change=lambda: None
    )
    frame = int(told.get("frame") or 0)
    painted = figures.paint_graph(
        figure, rollout, rows, min(frame, rollout.slots.shape[1] - 1), layout, st.session_state.get("threshold", 0.0)
    )
    with st.container(key=f"{player}-graph"):
        st.plotly_chart(painted, key=f"{player}-still-{frame}")


def selection(player: str = "explore") -> dict[str, Any] | None:
    """What is selected in the player: a node or an edge; call inside a fragment, which alone reruns on a click."""
    told = _link(
        key=f"{player}-selection",
        data={"player": player, "report": "selected", "known": None},
        on_selected_change=lambda: None,
    )
    return told.get("selected")


# Controls ----------------------------------------------------------------------------------------------


@st.fragment
def overlay_picker(rollout: Rollout, player: str = "explore") -> None:
    """Which level's slots are drawn over the images: 16, 4, 1, all or off."""
    tree = rollout.tree
    sizes = {"leaves": len(tree.leaves), "middle": tree.size - len(tree.leaves) - 1, "root": 1}
    levels = {str(size): level for level, size in sizes.items() if size} | {"all": "all", "off": "off"}
    # Another tree counts otherwise: keep the level, not the number. The address carries what is on the button.
    if st.session_state.get("overlay") not in levels and "overlay_level" in st.session_state:
        kept = [label for label, level in levels.items() if level == st.session_state["overlay_level"]]
        st.session_state["overlay"] = next(iter(kept), next(iter(levels)))
    label = st.segmented_control(
        "Levels over the images",
        list(levels),
        default=None if "overlay" in st.session_state else next(iter(levels)),
        required=True,
        key="overlay",
        help="Leaf slots, intermediate slots, the root, all levels, or none.",
        bind="query-params",
    )
    level = st.session_state["overlay_level"] = levels[label or next(iter(levels))]
    _link(key=f"{player}-level", data={"player": player, "settings": {"level": level}})


@st.fragment
def threshold_picker(player: str = "explore") -> None:
    """Which edges are too improbable to be drawn."""
    threshold = st.slider(
        "Hide edges below p",
        0.0,
        1.0,
        0.0,
        0.05,
        key="threshold",
        help="p is the probability that the edge carries any message at all.",
        bind="query-params",
    )
    _link(key=f"{player}-threshold", data={"player": player, "settings": {"threshold": threshold}})


def uploader() -> None:
    """Add a checkpoint of one's own; what is wrong with a file is said in one sentence, where it was given."""
    with st.popover(
        "Upload", icon=":material/upload:", help="Your own checkpoint, a .safetensors file written by this program"
    ):
        file = st.file_uploader("Checkpoint (.safetensors, 20 MB at most)", type=["safetensors"], key="upload")
        if file is None:
            return
        # A file stays in the box while the page runs again and again: look at each once.
        if file.file_id != st.session_state.get("upload_seen"):
            st.session_state["upload_seen"] = file.file_id
            try:
                st.session_state["model"] = state.accept_upload(file.name, file.getvalue())
                st.session_state["upload_answer"] = None
            except ValueError as error:
                st.session_state["upload_answer"] = f"{file.name} was not added: {error}"
        if answer := st.session_state.get("upload_answer"):
            st.error(answer)
        else:
            st.caption("Added to the list of models and chosen.")

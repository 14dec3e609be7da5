"""What the visitor changes in a rollout, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import drawn, library, running, widgets
from app.explore import editing
from app.library import Scene
from hri.core.config import Config
from hri.core.hierarchy import Tree, family_name, node_name
from hri.core.node_names import node_title
from hri.rollout.edit_kind import Edit
from hri.rollout.edit_text import MAX_TEXT
from hri.rollout.edits import CURTAIN_PLACES, ChooseEdges, Curtain, Mute, Nudge, SetEdge, SetLevel
from hri.rollout.interventions import NOTHING, Intervention
from hri.view import edit_words
from hri.view.facts import type_name

if TYPE_CHECKING:
    from hri.rollout.influence import Influence

Span = tuple[int, int | None]
"""First and last frame that an edit changes; None: to the end."""

WHEN = ["all frames", "from here on", "this frame", "span"]
HALF_CURTAIN = 6


def panel(scene: Scene) -> None:
    """Edit what the model does with this scene; it is rolled out again from the same start and seed."""
    config = library.config_of(scene.source)
    if config is None:
        st.info(
            f"{scene.source.name} has no checkpoint here, only stored scenes, so the scene cannot be computed again."
        )
        return
    here = widgets.frame(scene.original, "change")
    tools, edits = st.columns([2, 1.15], gap="large")
    with tools:
        span = _pick_span(here, scene.original.slots.shape[1] - 1)
        selection = widgets.selection(part="change")
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_selection(scene, config, selection, here, span)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _whole(scene, config, span)
        if config.model.dynamics.passing != "joint":
            what_edges_do(scene)
    with edits:
        _list(scene)


def _do(*edits: Edit) -> None:
    """Add edits and run the page again, so that the player shows what comes of them."""
    try:
        editing.add(*edits)
    except ValueError as error:
        st.error(str(error))
        return
    st.rerun()


def _pick_span(here: int, last: int) -> Span:
    """When an edit holds, told in the frames it changes."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        when = st.segmented_control(
            "When", WHEN, default=WHEN[0], required=True, key="when",
            help="Which frames an edit changes. Frame t is predicted by step t − 1. Here: where the player rests.",
        )  # fmt: skip
        if when == "span":
            first = st.number_input("From frame", 1, last, 1, key="span-first", width=120)
            to = st.number_input("to frame", 1, last, last, key="span-last", width=120)
            return min(first, to), max(first, to)
        if when != "all frames":
            st.caption(f"Here is frame {max(here, 1)}.")
    first = 1 if when == "all frames" else max(here, 1)
    return first, (first if when == "this frame" else None)


def _steps(span: Span) -> dict[str, Any]:
    """The steps that predict these frames."""
    return {"first": span[0] - 1, "last": None if span[1] is None else span[1] - 1}


def _show_selection(scene: Scene, config: Config, selection: dict[str, Any] | None, here: int, span: Span) -> None:
    """What can be done to the selected edge or slot."""
    tree = config.tree
    if selection is None:
        st.caption("Click a slot, a node or an edge above to change it.")
    elif selection["kind"] == "edge" and max(selection["sender"], selection["receiver"]) < tree.size:
        _edge(scene, config, selection["sender"], selection["receiver"], span)
    elif selection["kind"] == "node" and selection["node"] < tree.size:
        _node(scene, config, selection["node"], here, span)


def _edge(scene: Scene, config: Config, sender: int, receiver: int, span: Span) -> None:
    st.markdown(
        f"**{_name(config.tree, sender)} → {widgets.plain(node_name(config.tree, receiver))}**", width="content"
    )
    hears = config.model.dynamics.passing != "hierarchical" or config.tree.possible[sender, receiver]
    if config.model.dynamics.passing == "joint" or not hears:
        st.caption("No message passes over this edge, so there is nothing to cut.")
        return
    both = st.checkbox("both ways", key="both-ways", help="Do the same to the edge back.")
    pairs = [(sender, receiver), *([(receiver, sender)] if both else [])]
    types = config.model.relations.recorded_types
    for kind in range(types):
        label = "Cut" if kind == 0 else f"Force {type_name(kind, types)}"
        icon = ":material/content_cut:" if kind == 0 else ":material/link:"
        note = "No message over it." if kind == 0 else "Let its message have this type, whatever the model believes."
        if st.button(label, icon=icon, key=f"edge-{kind}", help=note):
            _do(*(SetEdge(i, j, kind, **_steps(span)) for i, j in pairs))


def _node(scene: Scene, config: Config, node: int, here: int, span: Span) -> None:
    st.markdown(f"**{widgets.plain(_name(config.tree, node))}**", width="content")
    hint = "Its messages and its picture are left out. It still receives messages and moves."
    if st.button("Mute", icon=":material/volume_off:", key="mute", help=hint):
        _do(Mute(node, **_steps(span)))
    last = scene.original.slots.shape[1] - 1
    with st.popover("Nudge", icon=":material/pan_tool_alt:", disabled=here >= last, help="Move its state by hand."):
        st.caption(f"Added to its state at frame {here}; seen from frame {here + 1} on.")
        if not config.model.sees_frames:
            with st.container(horizontal=True):
                numbers = [
                    st.number_input(name, -2.0, 2.0, 0.3 if name == "x" else 0.0, 0.1, key=f"nudge-{name}", width=110,
                                    help="Normalised: the training set spans −1 … 1.")
                    for name in scene.original.number_names
                ]  # fmt: skip
            delta = tuple(float(number) for number in numbers)
        else:
            place = st.number_input(
                "Number", 0, config.width - 1, 0, key="nudge-place", help=f"Which of the slot's {config.width} numbers."
            )
            amount = st.number_input(
                "Add",
                -5.0,
                5.0,
                1.0,
                0.5,
                key="nudge-amount",
                help="In the encoder's own units: 1 is about one standard deviation.",
            )
            delta = (0.0,) * int(place) + (float(amount),)
        if st.button("Nudge it", key="nudge", type="primary"):
            _do(Nudge(node, here, delta))
    if config.model.sees_frames and st.button(
        "Curtain over it", icon=":material/curtains:", key="curtain-slot",
        help="A black square of 12 × 12 pixels hides it from the encoder; true frames and errors stay.",
    ):  # fmt: skip
        left, top, right, bottom = 32 * config.tree.cells[node]
        corner = [
            max(0, min(CURTAIN_PLACES, round((low + high) / 2) - HALF_CURTAIN))
            for low, high in ((left, right), (top, bottom))
        ]
        _do(Curtain(corner[0], corner[1], *_frames(span)))


def _whole(scene: Scene, config: Config, span: Span) -> None:
    """Edits of levels and of how types are chosen, which need no selection."""
    if config.model.dynamics.passing == "joint":
        st.caption("This model passes no messages, so it has no edges to change.")
    else:
        names = {family_name(config.tree, *level): level
                 for level in edit_words.levels(config.tree, config.model.relations.pairs)}  # fmt: skip
        pairs, level = names[st.selectbox("Edges between levels", list(names), key="level-edges", width=250)]
        types = config.model.relations.recorded_types
        for kind in range(types):
            label = "Clear" if kind == 0 else f"Fill with {type_name(kind, types)}" if types > 2 else "Fill"
            note = "No message over any of them." if kind == 0 else f"All of them carry {type_name(kind, types)}."
            if st.button(label, key=f"level-{kind}", help=note):
                _do(SetLevel(pairs, level, kind, **_steps(span)))
        with st.popover("Types", icon=":material/casino:", help="Choose edge types in another way."):
            seed = st.number_input("Seed of the draw", 0, 2**32 - 1, 0, key="draw-seed")
            if st.button("Draw from the probabilities", key="choose-sample", help="Instead of the most probable type."):
                _do(ChooseEdges("sample", int(seed), **_steps(span)))
            knows_graph = not config.model.sees_frames
            hint = (
                "What the model would predict if it knew every true relation." if knows_graph
                else "True springs join balls, and this model's nodes are parts of the image."
            )  # fmt: skip
            if st.button("Give the true graph", key="choose-true", disabled=not knows_graph, help=hint):
                _do(ChooseEdges("true", **_steps(span)))
    if config.model.sees_frames:
        with st.popover("Curtain", icon=":material/curtains:", help="Hide a part of the frames from the encoder."):
            left = st.slider("Column of its left edge, pixels", 0, CURTAIN_PLACES, 10, key="curtain-left")
            top = st.slider("Row of its upper edge, pixels", 0, CURTAIN_PLACES, 10, key="curtain-top")
            if st.button("Drop it", key="curtain", type="primary"):
                _do(Curtain(left, top, *_frames(span)))


def _frames(span: Span) -> Span:
    """A curtain hides frames; "all frames" begins with the first, which is seen and not predicted."""
    return (0 if span[0] == 1 else span[0]), span[1]


def _name(tree: Tree, node: int) -> str:
    return widgets.plain(node_title(tree, node))


# The list ------------------------------------------------------------------------------------------------


def _list(scene: Scene) -> None:
    """The edits in words, each with a button that removes it; undo, redo, reset; to a file and back."""
    edits, types = editing.current(), scene.original.edge_probabilities.shape[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Your edits** ({len(edits)})", width="content")
        for label, icon, by in (("Undo", "undo", -1), ("Redo", "redo", 1)):
            if st.button(label, icon=f":material/{icon}:", key=label.lower(), disabled=not editing.can(by)):
                editing.move(by)
                st.rerun()
        if st.button("Reset", key="reset", help="Remove all edits.", disabled=not edits.edits):
            editing.put(NOTHING)
            st.rerun()
        st.download_button(
            "Save", edits.to_json(), "edits.json", "application/json", key="save-edits", on_click="ignore",
            help="The edits as JSON, to load them here later.", disabled=not edits.edits,
        )  # fmt: skip
        _load()
    if not edits.edits:
        st.caption("None yet. The rollout without edits stays as a ghost.")
    with st.container(key="edit-list", gap="xxsmall"):
        for index, edit in enumerate(edits.edits):
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button("Remove", icon=":material/close:", key=f"remove-{index}", type="tertiary"):
                    editing.put(edits.remove(index))
                    st.rerun()
                words = edit_words.sentence(edit, scene.original.tree, types, scene.original.number_names)
                st.text(words, width="stretch")


def _load() -> None:
    with st.popover("Load", help="Edits that were saved here."):
        file = st.file_uploader("Edits (.json)", type=["json"], key="edits-file", max_upload_size=1)
        if file is None:
            st.session_state.pop("edits_seen", None)
            return
        if file.file_id != st.session_state.get("edits_seen"):
            st.session_state["edits_seen"] = file.file_id
            try:
                content = file.getvalue()
                if not content:
                    raise ValueError("it is empty (0 bytes)")
                if len(content) > 4 * MAX_TEXT:
                    raise ValueError(f"it is {len(content)} bytes long; edits take at most {4 * MAX_TEXT}")
                editing.put(Intervention.parse(content.decode()))
            except UnicodeDecodeError:
                st.session_state["edits_answer"] = f"{file.name} was not loaded: it is no text file."
            except ValueError as error:
                st.session_state["edits_answer"] = f"{file.name} was not loaded: {error}."
            else:
                st.session_state["edits_answer"] = None
                st.rerun()
        if answer := st.session_state.get("edits_answer"):
            st.error(widgets.said(answer))
        else:
            st.caption("Loaded.")


def _as_widths(scene: Scene, influence: Influence) -> None:
    """The influence of each edge as its width in the graph, until this is switched off or another scene comes."""
    from hri.view import influence_chart as figures_influence

    widths = st.toggle(
        "As widths in the graph", key="influence-widths",
        help="Instead of probability: widest for the edge without which predictions move furthest, "
        "thinner by powers of ten.",
    )  # fmt: skip
    shares = figures_influence.shares(influence) if widths else None
    widgets.edge_weights(scene.rollout, influence.edge_sender_receiver, shares, "Widths: influence, not probability")


def what_edges_do(scene: Scene) -> None:
    """The rollout without each edge, as one map."""
    if not st.toggle(
        "What does each edge do?", key="influence",
        help="Rolls the scene out once without each edge and shows how far the predictions move.",
    ):  # fmt: skip
        return
    try:
        with st.spinner("Rolling out without each edge …"):
            influence = running.influence_of(scene)
    except ValueError as error:
        st.error(str(error))
        return
    if not influence.score.any():
        st.caption("No edge carries a message in this rollout, so none has an influence.")
        return
    drawn.load_pandas()
    from hri.view import influence_chart as figures_influence

    _as_widths(scene, influence)
    tree = scene.original.tree
    unit = "states normalised to −1 … 1" if scene.original.observation == "states" else "slot vectors"
    edges = figures_influence.strongest(influence, tree)
    st.markdown(
        f":small[**Without which edge do the predictions move furthest?** {widgets.plain(edges)}. "
        f"{figures_influence.spread(influence)}]",
        help=f"Influence: mean squared difference between this rollout and the one without the edge, over all nodes, "
        f"features and frames, in {unit}. Edges that never carried a message have 0.",
    )
    st.plotly_chart(
        figures_influence.influence_map(influence, tree, unit), key="influence-map", config={"displayModeBar": False}
    )

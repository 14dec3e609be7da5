"""What is selected: a slot or ball, or an edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import drawn, figures, library, widgets
from app.explore import pickers
from app.library import Scene
from hri.core import hierarchy
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.view import beliefs
from hri.view import facts as pictures
from hri.view import history_charts as figures_history
from hri.view.agreement import percent
from hri.view.terms import explained

PIXEL = 4
"""Screen pixels to each pixel of a small picture."""


@st.fragment
def glance(rollout: Rollout) -> None:
    """What is selected, in one sentence and one small chart."""
    selection = widgets.selection()
    if selection is None:
        with st.container(horizontal=True, gap="xsmall"):
            st.caption("Click a slot, a node or an edge to inspect it.", width="content")
            with st.container(width="content", key="hint-of-keys"):  # phones have none
                st.caption("Space plays, ← and → step.")
        if rollout.carries is None or rollout.carries.any():
            gold = "" if rollout.true_adjacency is None else f" Thin gold: {rollout.force.outlined}."
            half = rollout.picture_half
            near = "" if half == 1 else f" The pictures show the middle of the box, {percent(half)} of its width."
            st.caption(f"Edges are the arrows of the graph: what the model believes acts on what.{gold}{near}")
        return
    if selection["kind"] == "node":
        inspect_node(rollout, selection["node"])
    else:
        inspect_edge(rollout, selection)


def inspect_node(rollout: Rollout, node: int, place: str = "") -> None:
    """A slot or ball: its place in the hierarchy, and how well it is predicted; ``place``: where, if in several."""
    tree = rollout.tree
    if not 0 <= node < tree.size:
        return
    children = tree.children(node)
    parent = tree.parents[node]
    family = [f"child of {widgets.plain(hierarchy.node_name(tree, parent))}"] if parent >= 0 else []
    family += [f"parent of {', '.join(map(str, children))}"] if children else []
    name = ", ".join(filter(None, [f"**{widgets.plain(_name(tree, node))}**", "; ".join(family)]))
    st.markdown(
        f":small[{name}. Prediction error by frame:]",
        help="Root mean square over the node's numbers, in the units of its state; shaded: the free run. "
        + ("" if tree.flat else explained("leaf, intermediate, root", "slot")),
    )
    st.plotly_chart(
        figures_history.node_history(rollout, node), key=f"node-{node}{place}", config={"displayModeBar": False}
    )


def inspect_edge(rollout: Rollout, selection: dict[str, Any], place: str = "") -> None:
    """An edge: what the model believed of it over time, and what is true of it; ``place`` as for a node."""
    pair = [selection["sender"], selection["receiver"]]
    rows = np.flatnonzero((rollout.edge_sender_receiver == pair).all(1))
    if not len(rows):
        st.caption("This model does not infer that edge.")
        return
    springs = pictures.true_springs(rollout)
    if springs is None:
        truth = "The true relations are not known."
    elif not rollout.force.silent:
        truth = f"They {rollout.force.truths[int(springs[0, pair[0], pair[1]])]}."
    else:
        cells = ", while the balls that it joins lie in these cells" if rollout.observation != "states" else ""
        share, relation = float(springs[:, pair[0], pair[1]].mean()), rollout.force.truths[1]
        truth = (
            f"A {relation} joins them" + ("." if share == 1 else f" in {share:.0%} of the frames{cells}.")
            if share
            else f"No {relation} joins them."
        )
    name = widgets.plain(_edge_name(rollout.tree, pair))
    st.markdown(
        f":small[**{name}.** {truth} Probability by frame:]",
        help="Of each edge type, when the frame was predicted: 0 to 1, together 1; shaded: the free run.",
    )
    st.plotly_chart(
        figures_history.edge_history(rollout, int(rows[0])), key=f"edge-{pair}{place}", config={"displayModeBar": False}
    )


def panel(scene: Scene) -> None:
    """All about what is selected, beside the edges worth selecting."""
    rollout = scene.rollout
    about, lists = st.columns([11, 9.5], gap="medium")
    with about:
        selection = widgets.selection(part="panel")
        if selection is None:
            st.caption("Click a slot, a node or an edge above, or a line of a list here.")
        elif selection["kind"] == "node" and selection["node"] < rollout.tree.size:
            _about_node(scene, selection["node"])
        elif selection["kind"] == "edge":
            _about_edge(rollout, [selection["sender"], selection["receiver"]])
    with lists:
        widgets.ledger(rollout, st.session_state.get("pairs", "hierarchy"), names=pickers.names_shown(rollout))


# A node ------------------------------------------------------------------------------------------------


def _about_node(scene: Scene, node: int) -> None:
    """Its family, what it sees and draws, and its numbers over time."""
    rollout = scene.rollout
    tree, frame = rollout.tree, widgets.frame(rollout, "panel")
    unit, explained = (
        "normalised to −1 … 1",
        "Position and velocity; −1 and 1 are the extremes of the training systems.",
    )
    if rollout.observation == "frames":
        unit, explained = (
            "the encoder's own units",
            "A slot's numbers have no names: the encoder chooses what they mean.",
        )
    elif rollout.units is not None:
        unit, explained = "in your units", "Position on the left axis, velocity on the right one."
    st.markdown(
        f":small[**{widgets.plain(_name(tree, node))}: state by frame.** Lines: true, dots: predicted ({unit}).]",
        help=explained,
    )
    groups = {"Parent": [tree.parents[node]] if tree.parents[node] >= 0 else [], "Children": tree.children(node)}
    family = [node, *groups["Parent"], *groups["Children"]]
    widgets.family(
        {heading: [(_name(tree, kin), _node(kin)) for kin in kins] for heading, kins in groups.items() if kins},
        within=None if tree.flat else (f"Only {hierarchy.node_name(tree, node)} and its family", family),
    )
    images = _sees(scene, node, frame) + _draws(rollout, node, frame)
    chart, beside = st.columns([3, 1.2]) if images else (st.container(), None)
    drawn.load_pandas()
    chart.plotly_chart(
        figures_history.node_states(rollout, node), key=f"states-{node}", config={"displayModeBar": False}
    )
    with chart:
        figures.save(f"states-{node}", f"{rollout.checkpoint}-states-{node}")
    if beside is not None:
        for image, caption in images:
            large = np.repeat(np.repeat(image, PIXEL, 0), PIXEL, 1)  # whole pixels, not smoothed ones
            beside.image(large, width=PIXEL * image.shape[1], alt=caption)
            beside.caption(caption)


def _sees(scene: Scene, node: int, frame: int) -> list[tuple[np.ndarray, str]]:
    """The part of the frame that the encoder lets a slot see."""
    fields, frames = library.fields_of(scene.source), scene.rollout.frames
    if fields is None or frames is None or scene.rollout.observation != "frames":
        return []
    size = frames.shape[2]
    left, top, right, bottom = (round(share * size) for share in fields[node])
    return [(frames[0, frame, top:bottom, left:right] / 255, f"Sees {right - left} × {bottom - top} pixels")]


def _draws(rollout: Rollout, node: int, frame: int) -> list[tuple[np.ndarray, str]]:
    """What SlotDec draws from a slot alone; an upper slot's leaves together."""
    if rollout.slot_frames is None or frame == 0:
        return []
    leaves = rollout.tree.leaves.tolist()
    below = [leaf for leaf in leaves if node in _line(rollout.tree, leaf)]
    alone = rollout.slot_frames[0, frame - 1, [leaves.index(leaf) for leaf in below]].astype(np.float32).sum(0)
    caption = f"Drawn alone, frame {frame}" if below == [node] else f"Its {len(below)} leaves drawn, frame {frame}"
    return [(np.clip(alone, 0, 1), caption)]


def _line(tree: Tree, node: int) -> list[int]:
    """A node and all that it descends from."""
    line = [node]
    while (parent := tree.parents[line[-1]]) >= 0:
        line.append(parent)
    return line


# An edge -----------------------------------------------------------------------------------------------


def _about_edge(rollout: Rollout, pair: list[int]) -> None:
    """What was believed of it when, how often it changed its mind, and where to go from it."""
    rows = np.flatnonzero((rollout.edge_sender_receiver == pair).all(1))
    if not len(rows):
        st.caption("This model does not infer that edge.")
        return
    row, tree = int(rows[0]), rollout.tree
    turns = beliefs.flips(rollout, row)
    free = sum(frame > rollout.last_true_input + 1 for frame in turns)
    name = widgets.plain(_edge_name(tree, pair))
    when = f" (frame {', '.join(map(str, turns[:6]))}{' …' if len(turns) > 6 else ''}; {free} in the free run)"
    times = "once" if len(turns) == 1 else f"{len(turns)} times"
    history = f"changed {times}{when}" if turns else "never changed"
    st.markdown(
        f"**{name}.** Its most probable type {history}.",
        help="Probabilities at frame t are those that predicted frame t. Dotted lines: another type took the lead.",
    )
    ends = {"Sender": _node(pair[0]), "Receiver": _node(pair[1])}
    groups = {heading: [(_name(tree, what["node"]), what)] for heading, what in ends.items()}
    if (rollout.edge_sender_receiver == pair[::-1]).all(1).any():
        back = {"kind": "edge", "sender": pair[1], "receiver": pair[0]}
        groups["Edge back"] = [(_edge_name(tree, pair[::-1]), back)]
    widgets.family(groups)
    drawn.load_pandas()
    from hri.view.edge_chart import edge_timeline

    naming, chart = drawn.named_types(rollout, pickers.names_shown(rollout)), f"edge-timeline-{pair[0]}-{pair[1]}"
    st.plotly_chart(
        edge_timeline(naming.rollout, row, naming.types), key=chart, config={"displayModeBar": False},
        alt="Probability of each edge type by frame",
    )  # fmt: skip
    figures.save(chart, f"{rollout.checkpoint}-edge-{pair[0]}-{pair[1]}")


def _name(tree: Tree, node: int) -> str:
    return hierarchy.node_title(tree, node)


def _edge_name(tree: Tree, pair: list[int]) -> str:
    return f"{_name(tree, pair[0])} → {hierarchy.node_name(tree, pair[1])}"


def _node(node: int) -> dict[str, Any]:
    return {"kind": "node", "node": node}

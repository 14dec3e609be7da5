"""Edits in words, told in frames: what the visitor sees is the frame that an edit first changes.

A step t takes the input of frame t and predicts frame t + 1. Edits of edges and mutes are told by the frames they
predict, nudges and curtains by the frames they touch.
"""

from __future__ import annotations

from collections.abc import Sequence

from hri.core.hierarchy import Tree, level_name, node_name
from hri.rollout.edits import ChooseEdges, Curtain, Edit, Family, Mute, Nudge, SetEdge, SetLevel
from hri.rollout.interventions import families
from hri.view.facts import type_name

_CHOICES = {
    "argmax": "Use the most probable types",
    "sample": "Draw types from their probabilities",
    "true": "Use the true graph",
    "none": "Use no interaction",
}


def sentence(edit: Edit, tree: Tree, edge_types: int, number_names: Sequence[str]) -> str:
    """One line that tells what an edit does and when, such as "Cut leaf 7 → intermediate 2, all frames".

    Args:
        edit: one of a rollout.
        tree: of its nodes.
        edge_types: K, as the rollout counts them.
        number_names: of a node's numbers (:attr:`hri.core.records.Rollout.number_names`).
    """
    if isinstance(edit, Nudge):
        moves = [
            f"{number_names[k] if k < len(number_names) else f'number {k}'} {number:+.3g}"
            for k, number in enumerate(edit.delta)
            if number
        ]
        return f"Nudge {_node(tree, edit.node)} at frame {edit.step}: {', '.join(moves) or 'by nothing'}"
    if isinstance(edit, Curtain):
        return f"Curtain at column {edit.left}, row {edit.top}, {_when(edit.first, edit.last, 0)}"
    assert isinstance(edit, ChooseEdges | SetEdge | SetLevel | Mute)
    when = _when(edit.first, edit.last, 1)
    if isinstance(edit, Mute):
        return f"Mute {_node(tree, edit.node)}, {when}"
    if isinstance(edit, ChooseEdges):
        draw = f" (draw {edit.seed})" if edit.edges == "sample" else ""
        return f"{_CHOICES[edit.edges]}{draw}, {when}"
    name = type_name(edit.type, edge_types)
    if isinstance(edit, SetEdge):
        pair = f"{_node(tree, edit.sender)} → {_node(tree, edit.receiver)}"
        return f"Cut {pair}, {when}" if edit.type == 0 else f"Force {pair} to {name}, {when}"
    edges = family(tree, edit.pairs, edit.level)
    return f"Clear {edges}, {when}" if edit.type == 0 else f"Fill {edges} with {name}, {when}"


def family(tree: Tree, pairs: Family, level: int | None = None) -> str:
    """The edges between two levels in words."""
    if pairs == "all" and level is None:
        return "all edges"
    if pairs == "other":
        return "edges outside the hierarchy"
    if level is None or not 0 <= level <= int(tree.depth.max()):
        where = "" if level is None else f" of level {level}"
        return {"up": "edges to parents", "down": "edges to children", "siblings": "edges among siblings"}.get(
            pairs, "edges"
        ) + where
    child, parent = level_name(tree, level), level_name(tree, max(level - 1, 0))
    return {
        "up": f"{child} → {parent} edges",
        "down": f"{parent} → {child} edges",
        "siblings": f"{child} ↔ {child} edges",
    }.get(pairs, f"edges of {child} nodes")


def levels(tree: Tree, pairs: str = "hierarchy") -> list[tuple[Family, int | None]]:
    """What a level edit can name: all edges, then each pair of levels that has edges, then other pairs.

    Args:
        pairs: the edges that the model infers (:meth:`hri.core.hierarchy.Tree.edges_among`).
    """
    ways, rows = families(tree, *tree.edges_among(pairs))
    there = set(zip(ways.tolist(), rows.tolist(), strict=True))
    named: list[Family] = ["up", "down", "siblings"]
    deepest = int(tree.depth.max())
    found = [(way, level) for way in named for level in range(deepest, 0, -1) if (way, level) in there]
    return [("all", None), *found, *([("other", None)] if ("other", -1) in there else [])]  # type: ignore[list-item]


def _node(tree: Tree, node: int) -> str:
    return node_name(tree, node) if node < tree.size else f"node {node}"


def _when(first: int, last: int | None, ahead: int) -> str:
    """The frames of a span; ``ahead`` is 1 where a step is told by the frame it predicts."""
    if last is None:
        return "all frames" if first == 0 else f"from frame {first + ahead} on"
    if first == last:
        return f"frame {first + ahead} only"
    return f"frames {first + ahead} to {last + ahead}"

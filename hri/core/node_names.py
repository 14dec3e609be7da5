"""How nodes, levels, edges and families of edges are called, and in what order nodes are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from hri.core.hierarchy import Family, Tree


def level_name(tree: Tree, level: int) -> str:
    """A level in a word: root, intermediate, leaf; "level 2" where several lie between root and leaves; else ball."""
    if tree.flat:
        return "ball"
    deepest = int(tree.depth.max())
    if level in (0, deepest):
        return "root" if level == 0 else "leaf"
    return "intermediate" if deepest == 2 else f"level {level}"


def node_name(tree: Tree, node: int) -> str:
    """Such as "leaf 7": the level in a word, and the node's number; a body's joint by its own name; "ball 3" where
    there is no hierarchy.
    """
    if tree.names:
        return tree.names[node]
    if tree.flat:
        return f"ball {node}"
    depth, deepest = int(tree.depth[node]), int(tree.depth.max())
    level = "root" if depth == 0 else "leaf" if depth == deepest else "intermediate"
    return f"{level} {node}"


def edge_name(tree: Tree, sender: int, receiver: int) -> str:
    """Such as "leaf 7 → intermediate 1"."""
    return f"{node_name(tree, sender)} → {node_name(tree, receiver)}"


def family_name(tree: Tree, family: Family | Literal["all"], level: int | None = None) -> str:
    """The edges of a family, or all edges, of one level (as :meth:`Tree.families` tells it) or of every level.

    In words such as "leaf → intermediate edges", "edges to parents", "edges outside the hierarchy".
    """
    if family == "all" and level is None:
        return "all edges"
    if family == "other":
        return "edges outside the hierarchy"
    if level is None or not 0 <= level <= int(tree.depth.max()):
        where = "" if level is None else f" of level {level}"
        return {"up": "edges to parents", "down": "edges to children", "siblings": "edges among siblings"}.get(
            family, "edges"
        ) + where
    child, parent = level_name(tree, level), level_name(tree, max(level - 1, 0))
    return {
        "up": f"{child} → {parent} edges",
        "down": f"{parent} → {child} edges",
        "siblings": f"{child} ↔ {child} edges",
    }.get(family, f"edges of {child} nodes")


def ranks(tree: Tree) -> np.ndarray:
    """0 root, 1 intermediate, 2 leaf, for trees of any depth; all leaves where there is no hierarchy."""
    if tree.flat:
        return np.full(tree.size, 2)
    return np.where(tree.depth == 0, 0, np.where(np.isin(np.arange(tree.size), tree.leaves), 2, 1))


def in_families(tree: Tree) -> list[int]:
    """All nodes so that each is followed by its descendants: the order of a matrix's rows and columns."""
    order, waiting = [], np.flatnonzero(np.asarray(tree.parents) < 0).tolist()[::-1]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += reversed(tree.children(node))
    return order

"""Edits in words: one line each, told in frames, and the edges that an edit of levels can name.

A step t takes the input of frame t and predicts frame t + 1: what the visitor sees is the frame that an edit first
changes. Edits of edges and mutes are told by the frames they predict, nudges and curtains by the frames they touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hri.core.hierarchy import FAMILIES, Family, Tree
from hri.rollout.edit_kind import Edit, Names
from hri.view.facts import type_name


def sentence(edit: Edit, tree: Tree, edge_types: int, number_names: Sequence[str]) -> str:
    """What an edit does and when, such as "Cut leaf 7 → intermediate 2, all frames".

    Args:
        edit: one of a rollout.
        tree: of its nodes.
        edge_types: K, as the rollout counts them.
        number_names: of a node's numbers (:attr:`hri.core.records.Rollout.number_names`).
    """
    return edit.sentence(Names(tree, lambda kind: type_name(kind, edge_types), tuple(number_names)))


def levels(tree: Tree, pairs: str = "hierarchy") -> list[tuple[Family | Literal["all"], int | None]]:
    """What a level edit can name: all edges, then each pair of levels that has edges, then other pairs.

    Args:
        pairs: the edges that the model infers (:meth:`hri.core.hierarchy.Tree.edges_among`).
    """
    families, rows = tree.families(*tree.edges_among(pairs))
    there = set(zip(families.tolist(), rows.tolist(), strict=True))
    offers: list[tuple[Family | Literal["all"], int | None]] = [("all", None)]
    for family in FAMILIES[:3]:
        offers += [(family, level) for level in range(int(tree.depth.max()), 0, -1) if (family, level) in there]
    if ("other", -1) in there:
        offers.append(("other", None))
    return offers

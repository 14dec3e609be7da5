"""Every edge as a strip: what a model believes of it at each frame, with the truth beside it, and ways to sort them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int

from hri.core.hierarchy import in_families
from hri.scores import meanings
from hri.view.agreement import hundredth, right_by_step
from hri.view.beliefs import Named, flips, ways, ways_in_order
from hri.view.player import edges_data
from hri.view.scene import Marks
from hri.view.style import STYLE

SORTS = {
    "tree": ("tree", "Nodes in the order of the tree: each parent, then all that belongs to it."),
    "level": ("level", "By sender → receiver: which levels an edge joins."),
    "certainty": ("certainty", "The surest first: mean probability of the most probable type."),
    "change": ("change of mind", "Who changes its most probable type earliest comes first; who never does comes last."),
    "wrong": ("wrong first", "Most often wrong in the burn-in first."),
}
"""Ways to sort the strips: the word on a button, and what it means."""


def strips_data(
    naming: Named, rows: Int[np.ndarray, " R"], matched: Named | None = None, history: int = 0
) -> dict[str, Any]:
    """All that ``app/player/strips.js`` needs of R edges, as JSON.

    Args:
        naming: a rollout of one scene and the names of its types.
        rows: of its edges.
        matched: the same with types matched to the truth (:func:`hri.view.beliefs.aligned_names`); None: not known.
        history: states of the model's window: frames without a full one do not count as right or wrong.
    """
    rollout = naming.rollout
    marks = Marks(rollout, rows, type_words=naming.types)
    turns = [flips(rollout, int(row)) for row in rows]
    right = None if matched is None or not len(rows) else right_by_step(matched, rows)
    shares = None
    if right is not None:
        shares = right[meanings.burn_in(history, int(rollout.last_true_input))].mean(0)
    springs = {}
    if marks.springs is not None:
        springs["springs"] = np.ascontiguousarray(marks.springs[:, marks.pairs[:, 0], marks.pairs[:, 1]])
    leads = ways(rollout.tree, marks.pairs)
    sorts = orders(marks, leads, turns, shares)
    return edges_data(marks, springs) | {
        "last_true_input": int(rollout.last_true_input),
        "changes": turns,
        "right": None if shares is None else [hundredth(float(share)) for share in shares],
        "levels": ways_in_order(rollout.tree, marks.pairs),
        "spring": STYLE.spring,
        "sorts": [{"key": key, "word": SORTS[key][0], "about": SORTS[key][1], "order": sorts[key]} for key in sorts],
    }


def orders(marks: Marks, leads: list[str], turns: list[list[int]], shares: np.ndarray | None) -> dict[str, list[int]]:
    """The edges of ``marks`` in each order of :data:`SORTS` that makes a difference; ties in the order of the tree.

    Args:
        leads: the way of each (:func:`hri.view.beliefs.ways`).
        turns: frames at which each changed its most probable type.
        shares: of frames at which each was right, where that is known.
    """
    tree, count = marks.rollout.tree, len(marks.pairs)
    place = np.argsort(in_families(tree))
    family = place[marks.pairs[:, 0]] * tree.size + place[marks.pairs[:, 1]]
    level = {name: index for index, name in enumerate(ways_in_order(tree, marks.pairs))}
    sure = marks.probabilities[1:].max(-1).mean(0) if count else np.zeros(0)
    by: dict[str, np.ndarray] = {
        "tree": np.zeros(count),
        "level": np.array([level[name] for name in leads]),
        "certainty": -sure,
        "change": np.array([turn[0] if turn else np.inf for turn in turns]),
    }
    if tree.flat:
        del by["level"]
    if shares is not None:
        by["wrong"] = shares
    return {name: np.lexsort((family, values)).tolist() for name, values in by.items()}

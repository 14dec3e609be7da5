"""How many edges are right at each frame, beside guessing, and whether a model's graph depends on the scene at all.

One definition with every other place that counts edges (:mod:`hri.scores.meanings`): the mean over the frames of the
burn-in is what tables and cards call "edges right". NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from hri.core.records import Rollout
from hri.scores import meanings
from hri.view.beliefs import Named, speaking_rows
from hri.view.facts import edge_step, shows_body, true_springs

CLEARLY = 0.1
"""So much more than guessing makes a level worth pointing at."""
NEARLY_ALL = 0.95
"""Of the edges: from this share on a graph that is the same in every scene is said to be so."""


@dataclass(frozen=True)
class EdgeGroup:
    """The edges between two levels, or all that may be related."""

    name: str
    """"possible", or as :func:`hri.scores.meanings.level_pairs` calls it."""
    edges: int
    right: Float[np.ndarray, " T"]
    """The share whose type stands for the truth, at each frame."""
    whole: float
    """The mean of that over the burn-in."""
    guess: float
    """What one answer for all of them would have right in the burn-in."""

    @property
    def words(self) -> str:
        """Such as "edges between intermediates and leaves", "edges between siblings", or of all "edges"."""
        return "edges" if self.name == "possible" else f"edges between {between(self.name)}"


def between(name: str) -> str:
    """Two levels in words, such as "intermediates and leaves" or "siblings"; ``name`` as of a :class:`EdgeGroup`."""
    plural = {"root": "the root", "leaf": "leaves", "siblings": "siblings"}
    ends = [plural.get(end, end if end[-1].isdigit() else f"{end}s") for end in name.split("-")]
    return " and ".join(ends)


@dataclass(frozen=True)
class Agreement:
    """Edges right in one scene, frame by frame."""

    all: EdgeGroup
    levels: tuple[EdgeGroup, ...]
    """Those that can be right or wrong, in the order of the tree; none where there is only one such group."""


def agreement(naming: Named, history: int = 0) -> Agreement | None:
    """Edges right at every frame; None where no pair counts.

    Args:
        naming: a rollout of one scene with types matched to the truth (:func:`hri.view.beliefs.aligned_names`).
        history: states of the model's window, where that is known: frames without a full one do not count in ``whole``.
    """
    rollout, rows = naming.rollout, speaking_rows(naming.rollout)
    truth = _truth_by_step(rollout, rows) if len(rows) else None
    if truth is None:
        return None
    right = _says(naming, rows) == truth
    senders, receivers = rollout.edge_sender_receiver[rows].T
    steps = np.array([edge_step(rollout, frame) for frame in range(rollout.slots.shape[1])])
    burn_in = meanings.burn_in(history, int(rollout.last_true_input))

    def group(name: str, members: Bool[np.ndarray, " R"]) -> EdgeGroup:
        by_step, share = right[:, members].mean(1), float(truth[burn_in][:, members].mean())
        return EdgeGroup(
            name, int(members.sum()), by_step[steps], float(by_step[burn_in].mean()), max(share, 1 - share)
        )

    possible = rollout.tree.possible[senders, receivers] > 0
    if not possible.any():
        return None
    pairs = meanings.level_pairs(rollout.tree, senders, receivers)
    levels = [group(name, members) for name, members in pairs.items() if name != "unrelated" and members.any()]
    open_questions = tuple(level for level in levels if level.guess < 1)
    return Agreement(group("possible", possible), open_questions if len(levels) > 1 else ())


def right_by_step(naming: Named, rows: Int[np.ndarray, " R"]) -> Bool[np.ndarray, "T R"] | None:
    """Whether the type of each of these edges stands for the truth, at each step; None where that is not known.

    Args:
        naming: a rollout of one scene with types matched to the truth (:func:`hri.view.beliefs.aligned_names`).
        rows: of its edges.
    """
    truth = _truth_by_step(naming.rollout, rows)
    return None if truth is None else _says(naming, rows) == truth


def _says(naming: Named, rows: Int[np.ndarray, " R"]) -> Int[np.ndarray, "T R"]:
    """0 where the type stands for no spring, 1 for a spring, another number for neither."""
    none = (
        1 if naming.rollout.all_types_speak else 0
    )  # aligned types begin with these two, behind one that never speaks
    return naming.rollout.edge_types[0][:, rows].astype(np.int64) - none


def _truth_by_step(rollout: Rollout, rows: Int[np.ndarray, " R"]) -> Int[np.ndarray, "T R"] | None:
    springs = true_springs(rollout)
    senders, receivers = rollout.edge_sender_receiver[rows].reshape(-1, 2).T
    return None if springs is None else springs[:, senders, receivers].astype(np.int64)


def best_level(seen: Agreement) -> EdgeGroup | None:
    """The level whose edges are furthest above guessing, where that is clearly so; else None."""
    groups = seen.levels or (seen.all,)
    best = max(groups, key=lambda group: group.whole - group.guess)
    return best if best.whole - best.guess >= CLEARLY else None


def hundredth(share: float) -> int:
    """As a percentage: never 100 (or 0) unless it is all (or none)."""
    return min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)


def percent(share: float) -> str:
    """The same with its sign, on one line."""
    return f"{hundredth(share)}\N{NO-BREAK SPACE}%"


def beside(guess: float | None, findable: float | None) -> str:
    """What a share of edges must be read with: "guessing: 57 %; findable: 100 %"; what is not known is left out."""
    values = (("guessing", guess), ("findable", findable))
    return "; ".join(f"{word}: {hundredth(value)} %" for word, value in values if value is not None)


def speaking(rollout: Rollout) -> list[str]:
    """How many edges speak at each frame of a body, of which nobody knows the truth, in words; empty elsewhere."""
    rows = speaking_rows(rollout)
    if not shows_body(rollout) or not len(rows) or rollout.all_types_speak:
        return []
    times = rollout.slots.shape[1]
    counts = [int((rollout.edge_types[0, edge_step(rollout, frame), rows] > 0).sum()) for frame in range(times)]
    return [f"{count} of {len(rows)} edges speak now; nobody knows the truth" for count in counts]


def same_in_all(rollouts: Sequence[Rollout], rows: Int[np.ndarray, " R"]) -> tuple[int, int] | None:
    """How many of a model's edges have the same type in most frames of every scene, and of how many edges.

    Args:
        rollouts: of one scene each, by one model; at least two.
        rows: of the edges that are counted.

    Returns:
        None where that cannot be said: fewer than two scenes, no edges, or scenes that all have the same springs.
    """
    if len(rollouts) < 2 or not len(rows):
        return None
    truths = [rollout.true_adjacency for rollout in rollouts]
    first = truths[0]
    if first is not None and all(other is not None and np.array_equal(first, other) for other in truths[1:]):
        return None
    usual = []
    for rollout in rollouts:
        seen = rollout.edge_types[0, : int(rollout.last_true_input) + 1][:, rows]
        counts = [(seen == kind).sum(0) for kind in range(rollout.edge_probabilities.shape[-1])]
        usual.append(np.argmax(counts, 0))
    same = (np.stack(usual) == usual[0]).all(0)
    return int(same.sum()), len(rows)


def never_changes(rollouts: Sequence[Rollout], rows: Int[np.ndarray, " R"]) -> str:
    """One sentence where a model's graph does not depend on the scene; "" where it does, or that is not known."""
    counts = same_in_all(rollouts, rows)
    if counts is None or counts[0] < NEARLY_ALL * counts[1]:
        return ""
    same, edges = counts
    how_many = f"all {edges}" if same == edges else f"{same} of its {edges}"
    return (
        f"This model's graph does not depend on the scene: {how_many} edges say the same in each of "
        f"{len(rollouts)} scenes."
    )

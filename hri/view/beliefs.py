"""What a model believes of its edges in one scene: which way they lead, when beliefs change, what types stand for.

NumPy only, like :mod:`hri.view.facts`, and with its convention: a picture of frame t shows the edges that predicted it,
which are those of step t - 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from hri.core.hierarchy import Tree, level_name
from hri.core.records import Rollout
from hri.scores import meanings
from hri.view.facts import edge_step, true_springs, type_name

_Matrix = Bool[np.ndarray, "N N"]
OTHER = "other pairs"
ANY = "any two balls"
"""Where there is no hierarchy to name an edge by."""


def way(tree: Tree, sender: int, receiver: int) -> str:
    """Between which levels an edge leads: "leaf → intermediate", "siblings", ... or :data:`OTHER`; :data:`ANY`
    without a hierarchy.
    """
    return ways(tree, np.array([[sender, receiver]]))[0]


def ways(tree: Tree, pairs: Int[np.ndarray, "R 2"]) -> list[str]:
    """The way of each (sender, receiver)."""
    if tree.flat:
        return [ANY] * len(pairs)
    names = [level_name(tree, level) for level in range(len(tree.levels))]
    leads = {"siblings": "siblings", "other": OTHER}
    kinds, _ = tree.families(*pairs.reshape(-1, 2).T)
    return [
        leads.get(kind) or f"{names[tree.depth[i]]} → {names[tree.depth[j]]}"
        for kind, (i, j) in zip(kinds.tolist(), pairs.tolist(), strict=True)
    ]


def ways_in_order(tree: Tree, pairs: Int[np.ndarray, "R 2"]) -> list[str]:
    """The ways that occur, in the order in which a step passes messages (up, across, down), other pairs last."""
    order = [way(tree, *rows[0].tolist()) for _, rows in tree.phases] + [ANY, OTHER]
    present = set(ways(tree, pairs))
    return [name for name in order if name in present]


def passes(
    names: Named, rows: Int[np.ndarray, " R"], frame: int, only_ways: Collection[str], only_types: Collection[str]
) -> Bool[np.ndarray, " R"]:
    """Which edges of a frame are of the chosen levels and types; nothing chosen means all.

    Args:
        names: a rollout of one scene and the names of its types.
        rows: of its edges.
        frame: 0 ... T - 1.
        only_ways: names as :func:`ways` gives them.
        only_types: names of ``names``.
    """
    kinds = names.rollout.edge_types[0, edge_step(names.rollout, frame), rows]
    leads = ways(names.rollout.tree, names.rollout.edge_sender_receiver[rows].reshape(-1, 2))
    visible = [
        (not only_ways or name in only_ways) and (not only_types or names.types[kind] in only_types)
        for name, kind in zip(leads, kinds, strict=True)
    ]
    return np.array(visible, dtype=bool)


# Over time ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """An edge that changed its mind."""

    frame: int
    """First frame that was predicted with the new belief."""
    row: int
    """Of the rollout's edges."""
    before: int
    after: int
    """Its most probable types."""
    shift: float
    """How much probability went elsewhere: half the sum of absolute differences over types, 0 ... 1."""


def changes(rollout: Rollout, rows: Int[np.ndarray, " R"], most: int | None = None) -> list[Change]:
    """Every time the most probable type of one of these edges changed while frames were predicted, largest first.

    The first belief is made from a single state: changes of that one come last.

    Args:
        rollout: of one scene.
        rows: of its edges.
        most: no more than so many.
    """
    chances = rollout.edge_probabilities[0, :-1, rows].swapaxes(0, 1)  # T-1 R K; the last step predicts nothing shown
    best = chances.argmax(-1)
    shifts = np.abs(np.diff(chances, axis=0)).sum(-1) / 2
    steps, columns = np.nonzero(np.diff(best, axis=0))
    order = np.lexsort((columns, steps, -shifts[steps, columns], steps == 0))[:most]
    return [
        Change(
            frame=int(step) + 2,
            row=int(rows[column]),
            before=int(best[step, column]),
            after=int(best[step + 1, column]),
            shift=float(shifts[step, column]),
        )
        for step, column in zip(steps[order], columns[order], strict=True)
    ]


def flips(rollout: Rollout, row: int) -> list[int]:
    """Frames from which on another type of an edge was the most probable."""
    best = rollout.edge_probabilities[0, :-1, row].argmax(-1)
    return (np.flatnonzero(np.diff(best)) + 2).tolist()


# What types stand for ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """A rollout and the names of its edge types."""

    rollout: Rollout
    types: tuple[str, ...]
    raw: tuple[int, ...]
    """Which learned type each of them is."""
    right: float | None = None
    """Edges right in this scene (:mod:`hri.scores.meanings`); None for learned names, or without a pair that counts."""
    guess: float | None = None
    """What one answer for all those pairs would have right."""


def learned_names(rollout: Rollout) -> Named:
    """Types as the model learned them."""
    count = rollout.edge_probabilities.shape[-1]
    return Named(rollout, tuple(type_name(kind, count) for kind in range(count)), tuple(range(count)))


def aligned_names(rollout: Rollout, history: int = 0) -> Named:
    """The rollout with types in the order of what they stand for: no spring, spring, nothing (for charges: attract,
    repel).

    One assignment (:func:`hri.scores.meanings.assign`) over the edges that carry messages and the frames of the
    burn-in. Springs between balls are projected onto slots for image models (:func:`hri.view.facts.true_springs`).

    Args:
        rollout: of one scene.
        history: states of the model's window, where that is known: frames without a full one do not count.

    Raises:
        ValueError: no true springs, or no edges, to match with.
    """
    springs, count = true_springs(rollout), rollout.edge_probabilities.shape[-1]
    rows = speaking_rows(rollout)
    if springs is None:
        raise ValueError("The true relations of this scene are not known, so types keep their learned names.")
    if not len(rows) or count < 2:
        raise ValueError("This model infers no edges, so there are no types to match.")
    steps = meanings.burn_in(history, int(rollout.last_true_input))
    senders, receivers = rollout.edge_sender_receiver[rows].T
    types, spring_there = rollout.edge_types[0, steps][:, rows].astype(np.int64), springs[steps, senders, receivers]
    possible = rollout.tree.possible[senders, receivers] > 0
    counts, of_possible = (
        np.bincount((2 * types + spring_there)[:, mask].ravel(), minlength=2 * count).reshape(count, 2)
        for mask in (np.ones_like(possible), possible)
    )
    unsaid = rollout.all_types_speak  # type 0 is then of cut edges alone: it stays what it is, and the first
    stand_for = [*([None] * unsaid), *meanings.assign(counts[unsaid:])]
    none, spring = (stand_for.index(meaning) for meaning in meanings.MEANINGS)
    rest = [kind for kind in range(unsaid, count) if kind not in (none, spring)]
    order = [*range(unsaid), none, spring, *rest]
    names = (
        *(type_name(kind, count) for kind in range(unsaid)),
        *rollout.force.types,
        *(f"neither ({type_name(kind, count)})" for kind in rest),
    )
    relabelled = dataclasses.replace(
        rollout,
        edge_probabilities=rollout.edge_probabilities[..., order],
        edge_logits=rollout.edge_logits[..., order],
        edge_types=np.argsort(order)[rollout.edge_types].astype(rollout.edge_types.dtype),
    )
    guess = float(of_possible.sum(0).max() / of_possible.sum()) if of_possible.any() else None
    return Named(relabelled, names, tuple(order), meanings.right(of_possible, stand_for), guess)


@dataclass(frozen=True)
class SpringCounts:
    """Pairs of balls over which messages pass, against pairs that a spring joins; each pair once."""

    pairs: int
    """That the model has an opinion of."""
    with_messages: int
    """Over which messages pass."""
    springs: int
    """By a spring."""
    both: int

    @property
    def right(self) -> int:
        """Pairs with a spring and messages, and pairs with neither."""
        return self.pairs - self.with_messages - self.springs + 2 * self.both


def spring_counts(rollout: Rollout) -> SpringCounts:
    """Where messages pass in most steps of the burn-in, in either direction, and where springs are.

    Raises:
        ValueError: springs are not known, no messages, or image slots, between which springs come and go; or charges,
            between which messages always pass.
    """
    possible, with_messages, springs = _pairs_by_ball(rollout)
    return _counts(possible, with_messages, springs)


def spring_counts_by_level(rollout: Rollout) -> dict[str, SpringCounts]:
    """The same between every two levels of the tree, by their names (:func:`hri.scores.meanings.level_pairs`).

    Raises:
        ValueError: as :func:`spring_counts`.
    """
    matrices = _pairs_by_ball(rollout)
    senders, receivers = np.nonzero(matrices[0])
    levels = meanings.level_pairs(rollout.tree, senders, receivers)
    return {
        name: _counts(*(pairs[senders[members], receivers[members]] for pairs in matrices))
        for name, members in levels.items()
        if members.any()
    }


def _counts(possible: np.ndarray, with_messages: np.ndarray, springs: np.ndarray) -> SpringCounts:
    return SpringCounts(*(int(pairs.sum()) for pairs in (possible, with_messages, springs, with_messages & springs)))


def _pairs_by_ball(
    rollout: Rollout,
) -> tuple[Bool[np.ndarray, "N N"], Bool[np.ndarray, "N N"], Bool[np.ndarray, "N N"]]:
    """Pairs that the model has an opinion of, those with messages, those with springs; above the diagonal."""
    if rollout.observation != "states":
        raise ValueError("Springs join balls, and this model's nodes are parts of the image.")
    rows = speaking_rows(rollout)
    if rollout.true_adjacency is None or not len(rows):
        raise ValueError("This model passes no messages." if not len(rows) else "The true springs are not known.")
    if not rollout.force.silent:
        raise ValueError(f"Every two {rollout.force.parts} interact, so messages pass over all pairs.")
    steps, size = slice(0, int(rollout.last_true_input) + 1), rollout.tree.size
    senders, receivers = rollout.edge_sender_receiver[rows].T
    possible, with_messages = np.zeros((2, size, size), dtype=bool)
    possible[senders, receivers] = True
    with_messages[senders, receivers] = (rollout.edge_types[0, steps][:, rows] > 0).mean(0) > 0.5
    possible, with_messages = (np.triu(pairs | pairs.T) for pairs in (possible, with_messages))
    return possible, with_messages, possible & (rollout.true_adjacency[0] > 0)


def speaking_rows(rollout: Rollout) -> Int[np.ndarray, " R"]:
    """Rows of the edges that carry messages; all of them where the file does not say."""
    if rollout.carries is None:
        return np.arange(len(rollout.edge_sender_receiver))
    return np.flatnonzero(rollout.carries)

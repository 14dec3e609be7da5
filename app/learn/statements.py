"""What lessons state, computed from the simulator and the models on the page, and each said in one sentence.

Every fact is a frozen record of numbers with ``says()``, which words them; a test holds the sentences against the
committed checkpoints. NumPy only: what runs a model is handed its rollout.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from hri.core.hierarchy import Tree
from hri.core.records import Rollout, Trajectories
from hri.physics.systems import Pair, System

SHUFFLES = 200
"""Random groupings that families are compared with."""


@dataclass(frozen=True)
class Apart:
    """How far two balls are from each other (box units: the box is 2 wide), with a spring between them and without."""

    pair: Pair
    joined: Float[np.ndarray, " T"]
    cut: Float[np.ndarray, " T"]

    def says(self) -> str:
        """Such as "With its spring …, without it …"."""
        i, j = self.pair
        with_it, without = self.joined.mean(), self.cut.mean()
        told = f"Balls {i} and {j} are {with_it:.2f} apart on average with their spring, {without:.2f} without it"
        if without > 1.1 * with_it:
            return f"{told}: {without / with_it:.1f} times as far. (The box is 2 wide.)"
        return f"{told}: here the spring hardly holds them together. (The box is 2 wide.)"


def family(seed: int) -> System:
    """The system of the first lesson: the root, one intermediate and its leaves, on the springs of the tree alone.

    So a cut leaves a ball free; with springs between leaves it would go on hanging on its siblings.
    """
    return dataclasses.replace(System.of_seed("1-3", "04", seed), springs=((0, 1), (1, 2), (1, 3), (1, 4)))


def apart(system: System, pair: Pair) -> Apart:
    """Simulate a system twice, with and without one spring.

    Raises:
        ValueError: a pair that no spring can join.
    """
    key = (min(pair), max(pair))
    without = tuple(spring for spring in system.springs if spring != key)
    tracks = [
        dataclasses.replace(system, springs=springs).simulate().positions[0] for springs in ((*without, key), without)
    ]
    joined, cut = (np.linalg.norm(track[:, key[0]] - track[:, key[1]], axis=1) for track in tracks)
    return Apart(key, joined, cut)


@dataclass(frozen=True)
class Grouped:
    """Share of the leaves' positions that the middles of their groups explain (1: all, 0: nothing)."""

    families: float
    chance: float
    """Mean over :data:`SHUFFLES` random groupings of the same sizes."""
    pairs_all: int
    """Directed pairs of all balls."""
    pairs_tree: int
    """Directed pairs that the tree allows."""

    def says(self) -> str:
        """Both shares, and how many pairs the tree leaves to judge."""
        return (
            f"The middles of the families explain {self.families:.0%} of where the leaves are; the middles of groups "
            f"thrown together by chance {self.chance:.0%}. The tree leaves {self.pairs_tree} of {self.pairs_all} "
            "directed pairs to judge."
        )


def grouped(scene: Trajectories, tree: Tree) -> Grouped:
    """Compare families with random groups in one scene."""
    leaves = scene.positions[0][:, tree.leaves]
    family = np.asarray(tree.parents)[tree.leaves]
    random = np.random.default_rng(0)
    by_chance = [explained(leaves, random.permutation(family)) for _ in range(SHUFFLES)]
    return Grouped(
        families=explained(leaves, family),
        chance=float(np.mean(by_chance)),
        pairs_all=tree.size * (tree.size - 1),
        pairs_tree=int(tree.possible.sum()),
    )


def explained(positions: Float[np.ndarray, "T L 2"], groups: Int[np.ndarray, " L"]) -> float:
    """1 - scatter around the groups' middles / scatter around the middle of all, both over time."""
    within = sum(
        float(np.square(positions[:, groups == g] - positions[:, groups == g].mean(1, keepdims=True)).sum())
        for g in np.unique(groups)
    )
    return 1 - within / float(np.square(positions - positions.mean(1, keepdims=True)).sum())


def middles(positions: Float[np.ndarray, "T L 2"], groups: Int[np.ndarray, " L"]) -> Float[np.ndarray, "T G 2"]:
    """The middle of each group over time, groups in ascending order."""
    return np.stack([positions[:, groups == g].mean(1) for g in np.unique(groups)], 1)


@dataclass(frozen=True)
class Beliefs:
    """What a model believes of some edges after each true frame of a scene, beside the truth."""

    sender_receiver: Int[np.ndarray, "R 2"]
    chances: Float[np.ndarray, "F R"]
    """``chances[s]``: probability that the edge carries a message, inferred from the first s frames (the last ten of
    them)."""
    springs: Bool[np.ndarray, " R"]

    @property
    def auroc(self) -> Float[np.ndarray, " F"]:
        """Share of (spring, no spring) couples of edges in which the spring's has the higher probability."""
        yes, no = self.chances[:, self.springs, None], self.chances[:, None, ~self.springs]
        if not yes.size or not no.size:
            return np.full(len(self.chances), np.nan)
        return (yes > no).mean((1, 2)) + 0.5 * (yes == no).mean((1, 2))

    def means(self, seen: int) -> tuple[float, float]:
        """Mean probability of edges with a spring and of those without, after so many frames."""
        at = self.chances[seen]
        return float(at[self.springs].mean()), float(at[~self.springs].mean())

    def says(self, seen: int) -> str:
        """What is known after so many frames."""
        share = float(self.auroc[seen])
        if np.isnan(share):
            return "In this scene these pairs are all of one kind, so there is nothing to tell apart."
        yes, no = self.means(seen)
        couples = int(self.springs.sum()) * int((~self.springs).sum())
        at = self.chances[seen]
        ties = " (equal ones count half)" if (at[self.springs, None] == at[~self.springs]).any() else ""
        levels = ((0.9, "tells them apart"), (0.65, "leans the right way"), (0.35, "cannot tell them apart"))
        known = next((words for least, words in levels if share > least), "leans the wrong way")
        return (
            f"After {seen} frame{'' if seen == 1 else 's'} the model {known}: leaves on a spring to their parent get "
            f"{yes:.2f} on average, leaves without one {no:.2f}; the former have the higher one in {share:.0%} of "
            f"{couples} comparisons{ties}."
        )


def beliefs(rollout: Rollout) -> Beliefs:
    """The edges from leaves to their parents in one scene of a state model: the strong springs that may be missing.

    Raises:
        ValueError: a model that infers no such edges, or a scene without known springs.
    """
    tree, pairs = rollout.tree, rollout.edge_sender_receiver
    up = [row for row, (i, j) in enumerate(pairs.tolist()) if i in tree.leaves and tree.parents[i] == j]
    if rollout.observation != "states" or rollout.true_adjacency is None or not up:
        raise ValueError("beliefs are compared with springs between balls; choose a state model that infers edges")
    # Edges of step s are inferred from the states before it; the last that are all true are those of the step after
    # the last true input.
    chances = 1 - rollout.edge_probabilities[0, : rollout.last_true_input + 2][:, up, 0].astype(np.float64)
    return Beliefs(
        sender_receiver=pairs[up],
        chances=chances,
        springs=rollout.true_adjacency[0][pairs[up, 0], pairs[up, 1]].astype(bool),
    )

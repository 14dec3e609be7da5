"""Why parts and wholes? Leaves in families or in random groups, and what the middles of the groups say of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float, Int

from app import drawn
from app.learn import course, figures
from app.learn.arena import arena_data
from app.learn.stage import Shown, Stage, arena, chart
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.view import style

SHUFFLES = 200
"""Random groupings that families are compared with."""
GROUPINGS = ("families", "by chance")


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FamilyShares:
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
            f"made by chance explain {self.chance:.0%}. The tree leaves {self.pairs_tree} of {self.pairs_all} directed "
            "pairs to judge."
        )


def family_shares(scene: Trajectories, tree: Tree) -> FamilyShares:
    """Compare families with random groups in one scene."""
    leaves = scene.positions[0][:, tree.leaves]
    family = np.asarray(tree.parents)[tree.leaves]
    random = np.random.default_rng(0)
    by_chance = [share_explained(leaves, random.permutation(family)) for _ in range(SHUFFLES)]
    return FamilyShares(
        families=share_explained(leaves, family),
        chance=float(np.mean(by_chance)),
        pairs_all=tree.size * (tree.size - 1),
        pairs_tree=int(tree.possible.sum()),
    )


def share_explained(positions: Float[np.ndarray, "T L 2"], groups: Int[np.ndarray, " L"]) -> float:
    """1 - scatter around the groups' middles / scatter around the middle of all, both over time."""
    within = sum(
        float(np.square(positions[:, groups == g] - positions[:, groups == g].mean(1, keepdims=True)).sum())
        for g in np.unique(groups)
    )
    return 1 - within / float(np.square(positions - positions.mean(1, keepdims=True)).sum())


def middles(positions: Float[np.ndarray, "T L 2"], groups: Int[np.ndarray, " L"]) -> Float[np.ndarray, "T G 2"]:
    """The middle of each group over time, groups in ascending order."""
    return np.stack([positions[:, groups == g].mean(1) for g in np.unique(groups)], 1)


def statement(seed: int) -> str:
    """How well families and random groups sum up their members in the system of a seed."""
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    return family_shares(simulate(tree, "04", [seed]), tree).says()


def class_values(_: Path, seed: int) -> dict[str, Any]:
    """Nothing but the scene."""
    return {"seed": seed}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """Twelve leaves ringed by their groups, whose middles move along, beside what the middles explain."""
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    scene = simulate(tree, "04", [stage.seed])
    grouping = st.segmented_control(
        "Group the leaves", GROUPINGS, default="families", required=True, key="parts-groups",
        help="Families: the three leaves of one parent. By chance: four groups of three, shuffled.",
    )  # fmt: skip
    family = np.asarray(tree.parents)[tree.leaves]
    groups = family if grouping == "families" else np.random.default_rng(stage.seed).permutation(family)
    leaves = scene.positions[0][:, tree.leaves]
    rings = [""] * tree.size
    for leaf, group in zip(tree.leaves.tolist(), groups.tolist(), strict=True):
        rings[leaf] = figures.GROUPS[group - 1]
    shares = family_shares(scene, tree)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        arena(
            "learn-parts",
            arena_data(
                f"parts-{stage.seed}-{grouping}", scene.positions[0], tree, label="Twelve leaves in four groups",
                balls_shown=tree.leaves.tolist(), rings=rings, hearts=middles(leaves, groups),
                heart_colours=figures.GROUPS,
            ),
        )  # fmt: skip
    with right:
        drawn.load_pandas()
        chart(
            shares_figure(shares, share_explained(leaves, groups), str(grouping), stage.size),
            "parts-explained", "How much of the leaves' positions the middles of their groups explain",
        )  # fmt: skip
    return Shown(
        statement=shares.says(),
        values={"seed": stage.seed},
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "layout": "image"},
        done=grouping != "families",
    )


def shares_figure(shares: FamilyShares, share: float, name: str, size: float = 1.0) -> go.Figure:
    """What the middles of families explain, of random groups on average, and of the groups on the screen."""
    values = {"families": shares.families, "by chance, mean": shares.chance}
    if name != "families":
        values["these groups"] = share
    inks = [style.BLUE, style.GREY, style.VERMILLION]
    figure = figures.bars(list(values), list(values.values()), inks, "explained by middles", size)
    figure.update_traces(text=[f"{value:.0%}" for value in values.values()])
    return figure.update_layout(yaxis={"tickformat": ".0%", "range": [min(0, *values.values()), 1.08]})


LESSON = course.Lesson(
    key="parts",
    title="Why parts and wholes?",
    idea=(
        "A dancer is hard to describe as a cloud of points and easy to describe as a body with arms and legs. These "
        "systems are built like that: one root ball, four balls around it, and three leaves around each of the four. A "
        "family moves as one, so its middle already tells you most of where its members are. HRI is given such a tree "
        "and passes messages only along it."
    ),
    do="Group the twelve leaves by chance instead of by family, and watch them move.",
    notice=(
        "The crosses are the middles of the groups. A family stays around its cross; a random group is spread over the "
        "whole box."
    ),
    section="3",
    mathematics=(
        (
            "How much of the leaves' positions $x_i(t)$ the middles $\\bar x_g(t)$ of their groups explain: 1 when all "
            "members of a group are always in its middle, 0 when the middles say nothing.",
            r"R^2 = 1 - \frac{\sum_{t,i} \lVert x_i(t) - \bar x_{g(i)}(t) \rVert^2}"
            r"{\sum_{t,i} \lVert x_i(t) - \bar x(t) \rVert^2}",
        ),
        (
            "Edges among $N$ things when each may act on every other, and in a tree, where only parents, children and "
            "leaves of the same parent may.",
            r"N(N-1) = 17 \cdot 16 = 272 \qquad \text{against} \qquad 2\,(4 + 12 + 12) = 56",
        ),
    ),
    question="Why does a tree save a network work?",
    answer=(
        "Fewer pairs have to be judged (56 instead of 272 in a system of 17 balls), and the middle of a family is a "
        "short summary of its members, so parts that are far away need to hear only the summary."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

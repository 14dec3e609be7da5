"""The tree of nodes and THE edge order. No other file invents an order of nodes or edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int

from hri.core.node_names import edge_name as edge_name
from hri.core.node_names import family_name as family_name
from hri.core.node_names import in_families as in_families
from hri.core.node_names import level_name as level_name
from hri.core.node_names import node_name as node_name
from hri.core.node_names import ranks as ranks
from hri.core.tree_text import MOST_BALLS as MOST_BALLS
from hri.core.tree_text import parents_of, regular_parents, text_of

Family = Literal["up", "down", "siblings", "other"]
"""Of an edge: child to parent, parent to child, among siblings that may be joined, or outside the hierarchy."""
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True)
class Tree:
    """Nodes numbered so that every parent comes before its children, root 0.

    ``Tree.regular(4, 3)`` is the paper's 4-3 system: 1 root, 4 intermediates, 12 leaves, numbered
    breadth first. ``Tree.regular(4, 4)`` is the hierarchy of image slots: 1 + 4 + 16. ``Tree.balls(5)`` is five balls
    without a hierarchy: no root, no parents, one level, and any two of them may be related.
    """

    parents: tuple[int, ...]
    """Parent of each node; -1 for the root, and for every node where there is no hierarchy."""
    names: tuple[str, ...] = field(default=(), compare=False)
    """What nodes are called, such as the joints of a body; empty: by their level and number."""

    def __post_init__(self) -> None:
        above = self.parents[1:]
        hangs = self.flat or all(0 <= p < i for i, p in enumerate(above, start=1))
        if not self.parents or self.parents[0] != -1 or not hangs:
            raise ValueError(
                f"not a tree: {self.parents}; node 0 must be the root (-1), every parent must precede its child "
                "(or all are -1: no hierarchy)"
            )
        if self.names and len(self.names) != len(self.parents):
            raise ValueError(f"{len(self.names)} names for {len(self.parents)} nodes; give one a node, or none")

    @staticmethod
    def regular(*children: int) -> Tree:
        """Every node of level l has ``children[l]`` children; breadth-first numbers."""
        return Tree(regular_parents(*children))

    @staticmethod
    def balls(count: int) -> Tree:
        """So many nodes without a hierarchy; at least two, for one alone is a root."""
        if not 2 <= count <= MOST_BALLS:
            raise ValueError(f"{count} balls do not make a system without a hierarchy; choose from 2 to {MOST_BALLS}")
        return Tree((-1,) * count)

    @staticmethod
    def parse(text: str) -> Tree:
        """``"4-3"`` -> ``Tree.regular(4, 3)``; ``"flat-5"`` -> ``Tree.balls(5)``; ``"0,1,1"`` -> the parent of every
        node but the root, as of a body.

        Raises:
            ValueError: neither one to four positive numbers joined by "-" nor parents that make a tree, or more than
                400 nodes (100 without a hierarchy).
        """
        return Tree(parents_of(text))

    @property
    def text(self) -> str:
        """What :meth:`parse` reads: its parents joined by commas; "1" for a root with one child; such as "flat-5"."""
        return text_of(self.parents)

    @property
    def flat(self) -> bool:
        """Whether there is no hierarchy: every node is a leaf, and any two may be related."""
        return len(self.parents) > 1 and set(self.parents) == {-1}

    @cached_property
    def limbs(self) -> np.ndarray:
        """Chain that each node belongs to [N]: a new one begins at the root and below every node with several children.

        A body's arms, legs, trunk and head; chains are numbered in the order of their first nodes.
        """
        limbs = np.zeros(self.size, dtype=np.int64)
        for node, parent in enumerate(self.parents[1:], start=1):
            alone = parent != 0 and len(self.children(parent)) == 1
            limbs[node] = limbs[parent] if alone else limbs.max() + 1
        return limbs

    @property
    def size(self) -> int:
        """N, the number of nodes."""
        return len(self.parents)

    @cached_property
    def depth(self) -> np.ndarray:
        """Level of each node [N]: 0 for the root, and for all without a hierarchy."""
        depth = np.zeros(self.size, dtype=np.int64)
        if self.flat:
            return depth
        for node, parent in enumerate(self.parents[1:], start=1):
            depth[node] = depth[parent] + 1
        return depth

    @cached_property
    def levels(self) -> tuple[np.ndarray, ...]:
        """Node numbers of each level, root first."""
        return tuple(np.flatnonzero(self.depth == level) for level in range(int(self.depth.max()) + 1))

    @cached_property
    def leaves(self) -> np.ndarray:
        """Nodes without children [L], ascending."""
        return np.setdiff1d(np.arange(self.size), np.asarray(self.parents[1:], dtype=np.int64))

    def children(self, node: int) -> list[int]:
        """Children of a node, ascending."""
        return [child for child, parent in enumerate(self.parents) if parent == node]

    @cached_property
    def possible(self) -> np.ndarray:
        """Symmetric uint8 [N, N]: parent with child everywhere, and siblings below the first level.

        Children of the root are not joined to each other (paper, section 4.1; 28 undirected pairs on 4-3). Without a
        hierarchy any two nodes may be.
        """
        if self.flat:
            return 1 - np.eye(self.size, dtype=np.uint8)
        parents = np.asarray(self.parents)
        joined = np.zeros((self.size, self.size), dtype=np.uint8)
        child = np.arange(1, self.size)
        joined[child, parents[child]] = joined[parents[child], child] = 1
        siblings = (parents[:, None] == parents[None]) & (self.depth[:, None] >= 2)
        joined[siblings & ~np.eye(self.size, dtype=bool)] = 1
        return joined

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """(senders, receivers) of all N(N-1) directed pairs, row-major over (sender, receiver)."""
        senders, receivers = np.nonzero(~np.eye(self.size, dtype=bool))
        return senders, receivers

    def edges_among(self, pairs: str) -> tuple[np.ndarray, np.ndarray]:
        """The rows of :attr:`edges` that a model infers, in the same order.

        Args:
            pairs: ``"all"``, ``"hierarchy"`` (pairs in :attr:`possible`) or ``"leaves"``.

        Raises:
            ValueError: another word, or a hierarchy where there is none.
        """
        if pairs == "hierarchy" and self.flat:
            raise ValueError(f"{self.text} has no hierarchy; choose nri, nri-gt, fcmp or lstm, or pairs = all")
        senders, receivers = self.edges
        if pairs == "all":
            return senders, receivers
        if pairs == "hierarchy":
            keep = self.possible[senders, receivers] > 0
        elif pairs == "leaves":
            keep = np.isin(senders, self.leaves) & np.isin(receivers, self.leaves)
        else:
            raise ValueError(f"unknown pairs {pairs!r}; choose from all, hierarchy, leaves")
        return senders[keep], receivers[keep]

    def families(
        self, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]
    ) -> tuple[np.ndarray, Int[np.ndarray, " E"]]:
        """The :data:`Family` of each edge [E], and its level: of the child (up, down) or of the siblings; -1 of others.

        Without a hierarchy any two nodes are siblings of level 0.
        """
        parents = np.asarray(self.parents)
        up, down = parents[senders] == receivers, parents[receivers] == senders
        siblings = (self.possible[senders, receivers] > 0) & ~up & ~down
        family = np.select([up, down, siblings], FAMILIES[:3], FAMILIES[3])
        level = np.select([up | siblings, down], [self.depth[senders], self.depth[receivers]], -1)
        return family, level

    @cached_property
    def phases(self) -> tuple[tuple[str, np.ndarray], ...]:
        """One hierarchical round of messages: (name, [E', 2] sender-receiver pairs) in the order they speak.

        Bottom-up level by level, siblings, top-down level by level (paper, section 3.3). Each phase
        lists its pairs in the edge order. Without a hierarchy there is none.
        """
        if self.flat:
            return ()
        pairs, (family, level) = np.stack(self.edges, 1), self.families(*self.edges)
        levels = range(1, int(self.depth.max()) + 1)
        rounds = [(f"up {child}", pairs[(family == "up") & (level == child)]) for child in reversed(levels)]
        rounds += [("siblings", pairs[family == "siblings"])]
        rounds += [(f"down {child}", pairs[(family == "down") & (level == child)]) for child in levels]
        return tuple((name, rows) for name, rows in rounds if len(rows))

    @cached_property
    def cells(self) -> np.ndarray:
        """Part of the image that each slot of ``Tree.regular(4, 4)`` stands for:
        [21, 4] as left, top, right, bottom in 0 ... 1.

        Slot order is quadrant-major with columns before rows: leaf k covers column
        2 (k // 8) + (k % 4) // 2 and row 2 ((k // 4) % 2) + k % 2 of the 4 x 4 grid.

        Raises:
            ValueError: this tree is not the slot hierarchy.
        """
        if self != SLOT_TREE:
            raise ValueError("only the 16 + 4 + 1 slot hierarchy divides an image into cells")
        k, q = np.arange(16), np.arange(4)
        column, row = 2 * (k // 8) + (k % 4) // 2, 2 * ((k // 4) % 2) + k % 2
        leaves = np.stack([column, row, column + 1, row + 1], 1) / 4
        quadrants = np.stack([q // 2, q % 2, q // 2 + 1, q % 2 + 1], 1) / 2
        return np.concatenate([[[0.0, 0.0, 1.0, 1.0]], quadrants, leaves])


SLOT_TREE = Tree.regular(4, 4)
"""The hierarchy of image slots: root, 4 intermediates, 16 leaves."""

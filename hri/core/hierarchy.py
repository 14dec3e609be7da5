"""The tree of nodes and THE edge order. No other file invents an order of nodes or edges."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int

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
        parents, level = [-1], [0]
        for count in children:
            following: list[int] = []
            for parent in level:
                following += range(len(parents), len(parents) + count)
                parents += [parent] * count
            level = following
        return Tree(tuple(parents))

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
        if text.startswith("flat-"):
            count = text.removeprefix("flat-")
            if not (count.isascii() and count.isdecimal() and len(count) < 10 and 2 <= int(count) <= MOST_BALLS):
                raise ValueError(
                    f"unknown tree {text[:60]!r}; write flat- and from 2 to {MOST_BALLS} balls, as in flat-5"
                )
            return Tree.balls(int(count))
        if "," in text:
            words = text.split(",")
            if len(words) >= 400 or not all(word.isdecimal() and len(word) < 4 for word in words):
                raise ValueError(f"unknown tree {text[:60]!r}; write the parent of each node but the root, as in 0,1,1")
            return Tree((-1, *(int(word) for word in words)))
        parts = text.split("-")
        if not 1 <= len(parts) <= 4 or not all(p.isdecimal() and len(p) < 10 and int(p) > 0 for p in parts):
            raise ValueError(
                f"unknown tree {text!r}; write children per level joined by '-', such as 4-3, 3-3 or 4-4-4"
            )
        nodes = 1 + sum(math.prod(int(p) for p in parts[: i + 1]) for i in range(len(parts)))
        if nodes > 400:
            raise ValueError(f"tree {text!r} has {nodes} nodes; the limit is 400")
        return Tree.regular(*(int(p) for p in parts))

    @property
    def text(self) -> str:
        """What :meth:`parse` reads: its parents joined by commas; "1" for a root with one child; such as "flat-5"."""
        if self.flat:
            return f"flat-{self.size}"
        return ",".join(str(parent) for parent in self.parents[1:]) if self.size > 2 else "1"

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


MOST_BALLS = 100
"""Of a system without a hierarchy."""

SLOT_TREE = Tree.regular(4, 4)
"""The hierarchy of image slots: root, 4 intermediates, 16 leaves."""


LONGEST_NAME = 100
"""Characters of a node's name."""


def printable(name: str = "") -> str:
    """A name from a file as it can be shown: what is no letter, number, sign or space is left out, and what is beyond
    :data:`LONGEST_NAME`; spaces are single. Whoever shows it still escapes it.
    """
    shown = (letter if letter.isprintable() else " " if letter.isspace() else "" for letter in name)
    return " ".join("".join(shown).split())[:LONGEST_NAME].strip()


def is_printable(name: str) -> bool:
    """Whether :func:`printable` would leave the name as it is."""
    return name != "" and printable(name) == name


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


def node_title(tree: Tree, node: int) -> str:
    """:func:`node_name` to begin a line with: a joint's own name keeps its capitals where it has any."""
    name = node_name(tree, node)
    return name.capitalize() if name.islower() else name


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

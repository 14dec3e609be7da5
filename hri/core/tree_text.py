"""Trees as text: ``"4-3"``, ``"flat-5"`` or ``"0,1,1"`` to the parent of each node, and back."""

from __future__ import annotations

import math

MOST_BALLS = 100
"""Of a system without a hierarchy."""


def regular_parents(*children: int) -> tuple[int, ...]:
    """Parents where every node of level l has ``children[l]`` children; breadth-first numbers."""
    parents, level = [-1], [0]
    for count in children:
        following: list[int] = []
        for parent in level:
            following += range(len(parents), len(parents) + count)
            parents += [parent] * count
        level = following
    return tuple(parents)


def parents_of(text: str) -> tuple[int, ...]:
    """The parent of each node (-1: none) of ``"4-3"``, children per level; of ``"flat-5"``, balls without a hierarchy;
    of ``"0,1,1"``, the parent of every node but the root, as of a body.

    Raises:
        ValueError: neither one to four positive numbers joined by "-" nor parents, or more than 400 nodes (100 without
            a hierarchy).
    """
    if text.startswith("flat-"):
        count = text.removeprefix("flat-")
        if not (count.isascii() and count.isdecimal() and len(count) < 10 and 2 <= int(count) <= MOST_BALLS):
            raise ValueError(f"unknown tree {text[:60]!r}; write flat- and from 2 to {MOST_BALLS} balls, as in flat-5")
        return (-1,) * int(count)
    if "," in text:
        words = text.split(",")
        if len(words) >= 400 or not all(word.isdecimal() and len(word) < 4 for word in words):
            raise ValueError(f"unknown tree {text[:60]!r}; write the parent of each node but the root, as in 0,1,1")
        return (-1, *(int(word) for word in words))
    parts = text.split("-")
    if not 1 <= len(parts) <= 4 or not all(p.isdecimal() and len(p) < 10 and int(p) > 0 for p in parts):
        raise ValueError(f"unknown tree {text!r}; write children per level joined by '-', such as 4-3, 3-3 or 4-4-4")
    nodes = 1 + sum(math.prod(int(p) for p in parts[: i + 1]) for i in range(len(parts)))
    if nodes > 400:
        raise ValueError(f"tree {text!r} has {nodes} nodes; the limit is 400")
    return regular_parents(*(int(p) for p in parts))


def text_of(parents: tuple[int, ...]) -> str:
    """What :func:`parents_of` reads: parents joined by commas; "1" for a root with one child; such as "flat-5"."""
    if len(parents) > 1 and set(parents) == {-1}:
        return f"flat-{len(parents)}"
    return ",".join(str(parent) for parent in parents[1:]) if len(parents) > 2 else "1"

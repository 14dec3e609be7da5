"""What acts between two balls, by the name of a physics: in words, and in what box.

The other half of a physics, how systems are drawn and move, is its simulator in a file of :mod:`hri.physics`,
registered in :data:`hri.physics.springs.SIMULATORS` under the same name; nothing here needs Numba.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from hri.core.hierarchy import MOST_BALLS, Tree


@dataclass(frozen=True)
class Force:
    """One kind of interaction, and the words that pages, figures and cards have for it."""

    systems: str
    """What is simulated, such as "spring systems"."""
    types: tuple[str, str]
    """What entries 0 and 1 of an adjacency matrix say of a pair."""
    truths: tuple[str, str]
    """The same where it is said beside what a model believes."""
    parts: str
    """What a system is of, in the plural."""
    silent: bool = True
    """Whether entry 0 means that nothing acts; off where every pair interacts."""
    flat: bool = False
    """Whether any two balls may interact; otherwise a hierarchy says which."""
    box: float = 1.0
    """Walls stand at minus and plus so much, on both axes."""
    start: str = ""
    """How the name of a data set without a hierarchy begins; the number of its balls follows."""
    note: str = ""
    """What tells it from others, for whoever chooses one."""
    balls: str = ""
    """What the balls of such a data set are, after their number."""
    edge_pull: float = 0.0
    """What suits ``train.edge_pull``, where a few pairs that nearly collide would drown out all others."""
    record: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By data set: what the field's first model of these systems reached; on the cards of ours."""

    @property
    def outlined(self) -> str:
        """What the thin outlines of a graph mark, such as "springs that are really there"."""
        return f"{self.parts} that are really there" if self.silent else f"pairs that {self.truths[1]}"


SPRINGS = Force("spring systems", ("no spring", "spring"), ("no spring", "true spring"), "springs")
"""Of the hierarchical systems, and of rollouts that do not say."""

FORCES: dict[str, Force] = {
    "04": replace(SPRINGS, note="published with tree 4-3; balls move four times as fast as in 05"),
    "05": replace(SPRINGS, note="published with tree 3-3"),
    "springs": replace(
        SPRINGS,
        flat=True,
        box=5.0,
        start="springs",
        balls="balls on springs",
        note="springs between any two balls",
        record={"springs5": "99.9 % (Kipf et al. 2018, table 1: edges of a whole trajectory of 49 frames at once)"},
    ),
    "charged": Force(
        "systems of charges",
        ("attract", "repel"),
        ("truly attract", "truly repel"),
        "charges",
        silent=False,
        flat=True,
        box=5.0,
        start="charged",
        balls="charges",
        note="charges of two signs, which act on all others",
        edge_pull=20.0,
        record={
            "charged5": "82.1 % (Kipf et al. 2018, table 1: edges of a whole trajectory of 49 frames at once); 95.0 % "
            "with the truth as a teacher"
        },
    ),
}
"""By physics: 04 and 05 belong to a hierarchy, springs and charged to balls without one."""

OWN: dict[str, Force] = {
    "relations": Force(
        "systems of your own", ("no relation", "relation"), ("no relation", "true relation"), "relations"
    ),
    "signs": Force(
        "systems of your own",
        ("negative", "positive"),
        ("relate negatively", "relate positively"),
        "relations",
        silent=False,
    ),
}
"""Of trajectories that somebody brings: relations that are there or not, or that all pairs have, of two signs. Nothing
simulates them."""

USUAL = {"4-3": "04", "3-3": "05"}
"""The published trees, each with the physics that its data were made with."""

if TYPE_CHECKING:
    PhysicsName = str
    PhysicsChoice = str
else:
    PhysicsName = Literal[tuple(FORCES)]
    PhysicsChoice = Literal[("auto", *FORCES)]


def force(physics: str) -> Force:
    """What acts in systems of a physics; springs where a record does not name any.

    Raises:
        ValueError: unknown name.
    """
    if not physics:
        return SPRINGS
    if physics in OWN:
        return OWN[physics]
    if physics not in FORCES:
        raise ValueError(f"unknown physics {physics!r}; choose from {', '.join(sorted(FORCES))}")
    return FORCES[physics]


def usual_physics(tree: str) -> str:
    """The physics of a tree, as in 4-3, where nobody names one: the published; else springs, or 04 of a hierarchy."""
    flat = (name for name, kind in FORCES.items() if kind.flat)
    return next(flat) if Tree.parse(tree).flat else USUAL.get(tree, "04")


def check_tree(tree: Tree, physics: str) -> None:
    """Refuse a hierarchy where any two balls interact, and its absence where springs follow one.

    Raises:
        ValueError: these, or an unknown physics.
    """
    flat = force(physics).flat
    if flat and not tree.flat:
        raise ValueError(f"physics {physics} is of balls without a hierarchy; choose a tree such as flat-5 for it")
    if tree.flat and not flat:
        raise ValueError(
            f"{tree.text} has no hierarchy; choose physics "
            f"{' or '.join(name for name, kind in FORCES.items() if kind.flat)} for it, or a tree such as 4-3"
        )


def system_named(name: str) -> tuple[str, str]:
    """Tree and physics of a data set without a hierarchy: ``"springs5"`` -> ``("flat-5", "springs")``.

    Raises:
        ValueError: no such name, or too few or too many balls.
    """
    starts = {force.start: physics for physics, force in FORCES.items() if force.start}
    match = re.fullmatch(rf"({'|'.join(starts)})([0-9]{{1,9}})", name)
    if not match or not 2 <= int(match[2]) <= MOST_BALLS:
        raise ValueError(
            f"unknown system {name[:60]!r}; write {' or '.join(starts)} and the number of balls, "
            f"from 2 to {MOST_BALLS}, such as {', '.join(f'{start}5' for start in starts)}"
        )
    return Tree.balls(int(match[2])).text, starts[match[1]]


def system_name(tree: str, physics: str) -> str:
    """The name of a data set: ``("flat-5", "springs")`` -> ``"springs5"``; ``("4-3", "04")`` -> ``"springs-4-3"``."""
    start = force(physics).start
    return f"{start}{tree.removeprefix('flat-')}" if start else f"springs-{tree}"

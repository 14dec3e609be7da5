"""Draw your own springs: a tree, springs switched on, balls placed and thrown, as data that travels and simulates.

Simulators are imported where a system is made or moves: pages know systems, and most of them never make one, so they
need not wait for Numba.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import UInt8

from hri.core.forces import FORCES, check_tree, force
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories

VERSION = 1
MAX_TEXT = 65_536
"""Characters read; more is refused unread."""
MAX_BALLS = 100
"""More would neither be drawn by hand nor fit an address."""
MAX_SPEED = 10.0
"""Length of a start velocity. In the published systems balls start at 0.5 and springs throw them up to 8."""

Pair = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class System:
    """One system of balls and springs before it moves; nothing need hang together.

    Raises:
        ValueError: an unknown tree or physics, a spring that the tree does not allow, or a ball outside the box,
            too fast, missing or not finite; one sentence.
    """

    tree: str
    """Children per level, such as 4-3; flat-5 for balls without a hierarchy."""
    physics: str
    """Such as "04" (:data:`hri.core.forces.FORCES`)."""
    springs: tuple[Pair, ...]
    """Pairs that a spring joins, or whose charges repel, in any order."""
    positions: tuple[Point, ...]
    """(x, y) of each ball in box units, walls at -1 and 1, or at -5 and 5 without a hierarchy."""
    velocities: tuple[Point, ...]
    """Start velocity of each ball."""

    def __post_init__(self) -> None:
        _check(asdict(self))

    @staticmethod
    def of_seed(tree: str, physics: str, seed: int) -> System:
        """The system that a seed gives, to start from; it moves as :func:`hri.physics.springs.simulate` has it move.

        Raises:
            ValueError: unknown tree or physics, or a seed out of range.
        """
        from hri.physics.springs import sample_system

        nodes = Tree.parse(tree)
        adjacency, x, v = sample_system(nodes, physics, seed)
        # Balls may start a little outside the box; the simulator would reflect them so before the first step.
        wall = force(physics).box
        v = np.where(x > wall, -np.abs(v), np.where(x < -wall, np.abs(v), v))
        x = np.where(x > wall, 2 * wall - x, np.where(x < -wall, -2 * wall - x, x))
        pairs = np.argwhere(np.triu(adjacency)).tolist()
        return System(tree, physics, _pairs(pairs), _points(x.tolist()), _points(v.tolist()))

    def rounded(self, digits: int = 4) -> System:
        """The same with fewer digits, for a shorter address; it then moves a little differently."""
        places, speeds = (
            tuple((round(x, digits), round(y, digits)) for x, y in points)
            for points in (self.positions, self.velocities)
        )
        return replace(self, positions=places, velocities=speeds)

    def simulate(self, steps: int = 5000) -> Trajectories:
        """Let it move; one system without a seed (-1)."""
        from hri.physics.springs import simulate_from

        tree = Tree.parse(self.tree)
        joined = _adjacency(tree, self.springs)[None]
        x, v = (np.array(points, dtype=np.float64)[None] for points in (self.positions, self.velocities))
        return simulate_from(tree, self.physics, joined, x, v, steps=steps)

    def to_json(self) -> str:
        """Compact JSON; numbers are kept to the last digit."""
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))

    def to_address(self) -> str:
        """A word of characters that need no escape in an address: tree, physics, springs, x_y_vx_vy of each ball."""
        springs = "_".join(f"{first}.{second}" for first, second in self.springs)
        balls = ["_".join(map(repr, x + v)) for x, v in zip(self.positions, self.velocities, strict=True)]
        return "~".join([str(VERSION), self.tree, self.physics, springs, *balls])

    @staticmethod
    def parse(text: str) -> System:
        """The reverse of :meth:`to_json` and :meth:`to_address`.

        Raises:
            ValueError: neither, too long, another version, or as :class:`System`.
        """
        if len(text) > MAX_TEXT:
            raise ValueError(f"the system is {len(text)} characters long; the limit is {MAX_TEXT}")
        text = text.strip()
        values = _from_json(text) if text[:1] == "{" else _from_address(text)
        _check(values)
        return System(
            values["tree"],
            values["physics"],
            _pairs(values["springs"]),
            _points(values["positions"]),
            _points(values["velocities"]),
        )


def always_joined(tree: str, physics: str, seeds: Sequence[int] = range(42, 82)) -> frozenset[Pair]:
    """Pairs that a spring joins in each of these systems, by default training systems: what nobody need look for.

    Raises:
        ValueError: as :meth:`System.of_seed`.
    """
    return frozenset.intersection(*(frozenset(System.of_seed(tree, physics, seed).springs) for seed in seeds))


def _from_json(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the system is not valid JSON ({' '.join(str(error).split())})") from None
    fields = {"tree", "physics", "springs", "positions", "velocities"}
    if not isinstance(values, dict) or values.keys() != fields | {"version"} or values.pop("version") != VERSION:
        raise ValueError(f"the system must be a JSON object of version {VERSION} with {', '.join(sorted(fields))}")
    return values


def _from_address(text: str) -> dict[str, Any]:
    version, *parts = text.split("~")
    if version != str(VERSION) or len(parts) < 3:
        raise ValueError(f"{reprlib.repr(text)} is not a system of version {VERSION}; copy the whole address again")
    tree, physics, springs, *balls = parts
    number = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,20})?(e-[0-9]{1,3})?")
    pairs = [spring.split(".") for spring in springs.split("_") if spring]
    rows = [ball.split("_") for ball in balls]
    if not all(part.isascii() and part.isdecimal() and len(part) < 4 for pair in pairs for part in pair) or not all(
        number.fullmatch(part) for row in rows for part in row
    ):
        raise ValueError("the system's address holds something that is not a number; copy the whole address again")
    return {
        "tree": tree,
        "physics": physics,
        "springs": [[int(part) for part in pair] for pair in pairs],
        "positions": [[float(part) for part in row[:2]] for row in rows],
        "velocities": [[float(part) for part in row[2:]] for row in rows],
    }


def _check(values: dict[str, Any]) -> None:
    """Refuse what no system can be; values are plain lists or tuples."""
    from hri.physics.springs import lookup

    name, physics = values["tree"], values["physics"]
    if not isinstance(name, str) or len(name) > 20:
        raise ValueError(f"the tree is {reprlib.repr(name)}; write children per level, such as 4-3")
    tree = Tree.parse(name)
    if tree.size > MAX_BALLS:
        raise ValueError(f"tree {name} has {tree.size} balls; the limit for a system drawn by hand is {MAX_BALLS}")
    if not isinstance(physics, str) or physics not in FORCES:
        raise ValueError(f"the physics is {reprlib.repr(physics)}; choose from {', '.join(sorted(FORCES))}")
    check_tree(tree, physics)
    springs, seen = values["springs"], set()
    if not isinstance(springs, list | tuple):
        raise ValueError(f"the springs are {reprlib.repr(springs)}; they must be a list of pairs")
    for pair in springs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(type(node) is int for node in pair):
            raise ValueError(f"{reprlib.repr(pair)} is not a spring; name two balls by their numbers")
        if not all(0 <= node < tree.size for node in pair) or not tree.possible[pair[0], pair[1]]:
            raise ValueError(
                f"no spring can join {pair[0]} and {pair[1]} in tree {name}; choose parent and child, or siblings"
            )
        if frozenset(pair) in seen:
            raise ValueError(f"two springs join {pair[0]} and {pair[1]}; name each pair once")
        seen.add(frozenset(pair))
    lookup(physics).check(_adjacency(tree, springs))
    for what, limit in (("positions", force(physics).box), ("velocities", MAX_SPEED)):
        points = values[what]
        if not isinstance(points, list | tuple) or len(points) != tree.size:
            count = len(points) if isinstance(points, list | tuple) else "no"
            raise ValueError(f"there are {count} {what}; tree {name} has {tree.size} balls")
        for node, point in enumerate(points):
            fits = isinstance(point, list | tuple) and len(point) == 2
            if not fits or not all(type(n) in (int, float) and -limit <= n <= limit for n in point):
                raise ValueError(
                    f"{what} of ball {node} are {reprlib.repr(point)}; give two from {-limit:g} to {limit:g}"
                )
            if what == "velocities" and math.hypot(*point) > limit:
                raise ValueError(f"ball {node} starts at speed {math.hypot(*point):.3g}; the limit is {limit:g}")


def _adjacency(tree: Tree, springs: Any) -> UInt8[np.ndarray, "N N"]:
    """1 where a pair is listed, both ways."""
    joined = np.zeros((tree.size, tree.size), dtype=np.uint8)
    for first, second in springs:
        joined[first, second] = joined[second, first] = 1
    return joined


def _pairs(springs: Any) -> tuple[Pair, ...]:
    """Each pair with its smaller number first, in order: systems that are the same are equal."""
    return tuple(sorted((min(pair), max(pair)) for pair in springs))


def _points(rows: Any) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in rows)

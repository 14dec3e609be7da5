"""The interaction graph as marks: what there is to draw at each frame, in which colours and words, whoever draws it.

:class:`Marks` feeds the Plotly figure (:mod:`hri.view.graph`), the player in the browser (:mod:`hri.view.player`), SVG
(:mod:`hri.view.svg`) and the page that plays offline (:mod:`hri.export.offline`); where marks lie is
:mod:`hri.view.layout`'s, how they look :mod:`hri.view.style`'s. NumPy only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hri.core.hierarchy import SLOT_TREE, Tree, edge_name, node_name, ranks
from hri.core.records import Rollout
from hri.view.facts import edge_step, forced_types, node_positions, spring_pairs, true_springs, type_name
from hri.view.layout import IMAGE_SHRINK, SIZES, Drawing, Layout, arrange, graph_layout
from hri.view.style import CLEAR, PAPER, RIM, STYLE, WEIGHTED, Stroke, edge_look, node_colours, stroke

SHAPES: tuple[Literal["diamond", "square", "circle"], ...] = ("diamond", "square", "circle")
"""Of root, intermediate and leaf."""
MOST_NAMED, LONGEST_LABEL = 20, 12
"""Nodes of a graph that have their names written beside them, and letters of such a name."""
SIDES = ("left", "right")
EDITED = {"cuts": "cut by hand", "forces": "forced by hand"}
"""Marks of edits and what they mean: a cross over an edge that is cut, a star over one whose type is forced."""


@dataclass(frozen=True)
class NodeMark:
    """One node."""

    shape: Literal["diamond", "square", "circle"]
    size: int
    """In pixels, at the usual height of a graph."""
    fill: str
    ink: str
    """What is read on its fill."""
    rim: str
    rim_width: float
    open: bool
    """An outline alone, of its fill's colour, around a ball that the frame shows; nothing is written on it."""
    name: str
    label: str
    """What is written: its number, or its name where names are short and few."""
    where: Literal["in", "above", "below", "left", "right"]
    """Where that stands: names do not fit in and stand outside."""


def short(name: str) -> str:
    """A joint's name with its side as a letter, where it is long: R upper arm."""
    side, _, rest = name.replace("_", " ").partition(" ")
    return f"{side[0].upper()} {rest}" if rest and len(name) > LONGEST_LABEL and side.lower() in SIDES else name


def label_sides(tree: Tree) -> list[Literal["above", "below", "left", "right"]]:
    """Where the name of each node of the radial layout hides least: beside a chain that goes up or down, above one that
    goes sideways, and at its end further out, but within the graph.
    """
    if tree.flat:
        return ["above"] * tree.size
    sides: list[Literal["above", "below", "left", "right"]] = []
    at = graph_layout(tree, "radial")
    for node, (x, y) in enumerate((at - at[0]).tolist()):
        if not tree.children(node):
            sides.append("above" if y > -1e-6 else "below")
        elif abs(y) > 0.3 * abs(x):
            sides.append("right" if x >= 0 else "left")
        else:
            sides.append("above")
    return sides


def node_marks(tree: Tree, layout: Layout) -> list[NodeMark]:
    """Nodes by level: shape, size and grey; balls wear their colour in the frame."""
    on_image, marks = layout == "image", []
    labels = [short(node_name(tree, node)) for node in range(tree.size)]
    named = bool(tree.names) and tree.size <= MOST_NAMED and max(map(len, labels)) <= LONGEST_LABEL
    around, sides = on_image and tree != SLOT_TREE, label_sides(tree)
    for node, (level, fill, ink) in enumerate(zip(ranks(tree).tolist(), *node_colours(tree), strict=True)):
        marks.append(
            NodeMark(
                shape=SHAPES[level],
                size=int(SIZES[level] * (IMAGE_SHRINK if on_image else 1)),
                fill=RIM if around and level < 2 else fill,
                ink=ink,
                rim=RIM,
                rim_width=1.5 if around else 1.0,
                open=around,
                name=node_name(tree, node),
                label=labels[node] if named else str(node),
                where=sides[node] if named else "in",
            )
        )
    return marks


@dataclass(frozen=True)
class Key:
    """One line of a legend."""

    name: str
    """type_0, type_1, ... or springs."""
    words: str
    colour: str
    width: float
    dash: tuple[int, ...] = ()


def keys(names: Sequence[str], spring: str = "") -> list[Key]:
    """One entry a type, and one for springs where they have a word."""
    looks = [stroke(kind) for kind in range(len(names))]
    entries = [
        Key(f"type_{kind}", name, look.colour, look.key, look.dash)
        for kind, (name, look) in enumerate(zip(names, looks, strict=True))
    ]
    return entries + ([Key("springs", spring, STYLE.spring, STYLE.spring_width)] if spring else [])


def type_names(count: int) -> list[str]:
    """What edge types are called as a model learned them."""
    return [type_name(kind, count) for kind in range(count)]


@dataclass(frozen=True)
class EdgeMark:
    """One edge at one frame."""

    row: int
    """Of the rollout's edges."""
    pair: tuple[int, int]
    kind: int
    probability: float
    """Of that type."""
    stroke: Stroke
    width: float
    opacity: float
    """0 where it is hidden."""
    name: str
    type: str
    truth: str
    """What there really is between the two; empty where that is not known."""
    edit: str
    """Name of its mark in :data:`EDITED`; empty where it is free."""


@dataclass(frozen=True)
class Marks:
    """What the interaction graph of a rollout of one scene holds, R edges over T frames."""

    rollout: Rollout
    rows: Int[np.ndarray, " R"]
    """Of the rollout's edges."""
    layout: Layout = "radial"
    type_words: tuple[str, ...] = ()
    """Names of the edge types, where they are not the learned ones."""

    @cached_property
    def pairs(self) -> Int[np.ndarray, "R 2"]:
        """(sender, receiver) of each edge."""
        return self.rollout.edge_sender_receiver[self.rows].reshape(-1, 2)

    @cached_property
    def steps(self) -> Int[np.ndarray, " T"]:
        """The step whose edges each frame shows."""
        return np.array([edge_step(self.rollout, frame) for frame in range(self.rollout.slots.shape[1])])

    @cached_property
    def kinds(self) -> UInt8[np.ndarray, "T R"]:
        """The most probable type of each edge."""
        return self.rollout.edge_types[0][self.steps][:, self.rows].astype(np.uint8)

    @cached_property
    def probabilities(self) -> Float[np.ndarray, "T R K"]:
        """Of every type."""
        return self.rollout.edge_probabilities[0][self.steps][:, self.rows]

    @cached_property
    def edit_types(self) -> Int[np.ndarray, "T R"] | None:
        """The type that edits force upon each edge, -1 where it is free; None without such edits."""
        types = forced_types(self.rollout)
        return None if types is None else types[:, self.rows]

    @cached_property
    def springs(self) -> UInt8[np.ndarray, "T N N"] | None:
        """True springs between nodes; None where they are not known."""
        return true_springs(self.rollout)

    @cached_property
    def capsules(self) -> Int[np.ndarray, "C 2"]:
        """Pairs that may hold a spring, none where springs are not known."""
        has_truth = self.rollout.true_adjacency is not None
        return spring_pairs(self.rollout.tree, self.pairs) if has_truth else np.empty((0, 2), dtype=int)

    @cached_property
    def lit(self) -> UInt8[np.ndarray, "T C"] | None:
        """Which capsules hold a spring."""
        if self.springs is None:
            return None
        return np.ascontiguousarray(self.springs[:, self.capsules[:, 0], self.capsules[:, 1]])

    @cached_property
    def names(self) -> list[str]:
        """Of the edge types."""
        return list(self.type_words or type_names(self.rollout.edge_probabilities.shape[-1]))

    @cached_property
    def strokes(self) -> list[Stroke]:
        """How each type is drawn."""
        return [stroke(kind, len(self.rows)) for kind in range(len(self.names))]

    @cached_property
    def nodes(self) -> list[NodeMark]:
        """All nodes, in order."""
        return node_marks(self.rollout.tree, self.layout)

    @property
    def moving(self) -> bool:
        """Whether nodes are balls that move over the frame."""
        return self.layout == "image" and self.rollout.observation == "states"

    def edges(
        self, frame: int, threshold: float = 0.0, visible: Bool[np.ndarray, " R"] | None = None
    ) -> list[EdgeMark]:
        """Every edge at a frame 0 ... T - 1.

        Args:
            frame: which.
            threshold: hide edges whose probability of interacting is lower.
            visible: False hides an edge whatever its probability.
        """
        tree, marks = self.rollout.tree, []
        for index, (i, j) in enumerate(self.pairs.tolist()):
            kind, chances = int(self.kinds[frame, index]), self.probabilities[frame, index]
            chance = float(chances[kind])
            width, opacity = edge_look(kind, chance, 1 - float(chances[0]), threshold, len(self.rows))
            edit_type = -1 if self.edit_types is None else int(self.edit_types[frame, index])
            marks.append(
                EdgeMark(
                    row=int(self.rows[index]),
                    pair=(i, j),
                    kind=kind,
                    probability=chance,
                    stroke=self.strokes[kind],
                    width=width,
                    opacity=opacity if visible is None or visible[index] else 0.0,
                    name=edge_name(tree, i, j),
                    type=self.names[kind],
                    truth="" if self.springs is None else self.rollout.force.truths[int(self.springs[frame, i, j])],
                    edit="" if edit_type < 0 else "forces" if edit_type else "cuts",
                )
            )
        return marks

    def drawing(self, frame: int) -> Drawing:
        """Where everything lies at a frame, with places for springs whether they are known or not."""
        tree, at = self.rollout.tree, graph_layout(self.rollout.tree, self.layout)
        if self.layout == "image" and tree != SLOT_TREE:
            at = node_positions(self.rollout)[frame] * [1, -1] + [0, 1]
        return arrange(tree, self.pairs, at, self.layout, springs=True)

    def legend(self) -> list[Key]:
        """What its lines mean."""
        return keys(self.names, "" if self.springs is None else self.rollout.force.truths[1])

    def looks(self) -> dict[str, Any]:
        """All that ``marks.js`` and the player need to know of looks, as JSON: a stroke a type, and :data:`STYLE`."""
        parts = ("spring", "spring_width", "capsule", "arrow", "touched", "dim_edge", "dim_spring", "dim_mark")
        style = {name: getattr(STYLE, name) for name in (*parts, *EDITED)}
        strokes = {"strokes": [as_json(look) for look in self.strokes], "weighted": as_json(WEIGHTED)}
        return strokes | style | {"edited": EDITED, "mark_rim": PAPER, "clear": CLEAR}


def as_json(look: Stroke) -> dict[str, Any]:
    """A stroke for the browser, its dash as style sheets have it."""
    fields = dataclasses.asdict(look) | {"dash": look.pattern}
    return {name: value for name, value in fields.items() if name != "key"}

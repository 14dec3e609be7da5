"""What a visitor may change in a rollout: every kind of edit, each declared once.

A kind says which fields it has and within which limits, what it asks of a rollout (what it inherits from
:mod:`hri.rollout.edit_kind`), which models have a place for it, how it stands to others of its list, and how it reads.
A new kind is a class here, named in :data:`KINDS`, and what offers it on the page (``app/explore/changes.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hri.core.config import Config
from hri.core.hierarchy import FAMILIES, Family, Tree, family_name
from hri.physics.palette import CURTAIN
from hri.rollout.edit_kind import (
    Choice,
    ChoosesTypes,
    CoversFrames,
    EdgeChoice,
    Edit,
    ForcesTypes,
    Last,
    MovesInputs,
    Names,
    Node,
    Numbers,
    Seed,
    Silences,
    Step,
    Type,
    Whole,
    Word,
)

MAX_WIDTH, MAX_DELTA = 256, 100.0
"""Most numbers of a nudge, and the largest: states lie in -1 ... 1, slots within a few units."""
CURTAIN_PLACES = 20
"""Last row and column where a 12 x 12 square still lies inside a frame of 32 x 32."""
Place = Annotated[int, Whole(0, CURTAIN_PLACES)]

_CHOICES: dict[EdgeChoice, str] = {
    "argmax": "Use the most probable types",
    "sample": "Draw types from their probabilities",
    "true": "Use the true graph",
    "none": "Use no interaction",
}


@dataclass(frozen=True)
class ChooseEdges(ChoosesTypes):
    """How types are chosen before other edits: the most probable, a draw, the true springs, or no interaction."""

    word: ClassVar[str] = "choose"
    edges: Choice = "argmax"
    seed: Seed = 0
    """Of the draws of ``sample``."""
    first: Step = 0
    last: Last = None

    def choice(self) -> tuple[EdgeChoice, int]:
        return self.edges, self.seed

    def plain(self) -> Edit:
        """Without the seed of no draw."""
        return self if self.edges == "sample" else dataclasses.replace(self, seed=0)

    def hides(self, earlier: Edit) -> bool:
        return isinstance(earlier, ChooseEdges)

    def disagrees(self, other: Edit) -> bool:
        return isinstance(other, ChooseEdges) and (self.edges, self.seed) != (other.edges, other.seed)

    def misfit(self, config: Config) -> str | None:
        if problem := super().misfit(config):
            return problem
        wrong = self.edges == "true" and config.model.sees_frames
        return "true springs join balls, not image slots; choose argmax, sample or none" if wrong else None

    def sentence(self, names: Names) -> str:
        draw = f" (draw {self.seed})" if self.edges == "sample" else ""
        return f"{_CHOICES[self.edges]}{draw}, {self.when}"


@dataclass(frozen=True)
class SetLevel(ForcesTypes):
    """Force all edges between two levels to a type: 0 clears them, another type fills them."""

    word: ClassVar[str] = "level"
    pairs: Annotated[Family | Literal["all"], Word(("all", *FAMILIES))]
    """Child to parent, parent to child, siblings, pairs that the hierarchy does not know, or all of them."""
    level: Annotated[int | None, Whole(1, 4, may_be_missing=True)] = None
    """Level of the child (up, down) or of the siblings, the root being 0; None: every level."""
    type: Type = 0
    first: Step = 0
    last: Last = None

    @classmethod
    def contradiction(cls, values: Mapping[str, Any]) -> str | None:
        wrong = values["pairs"] == "other" and values["level"] is not None
        return "names a level for pairs 'other', which have none; leave the level out" if wrong else None

    def forced_type(self) -> int:
        return self.type

    def edges(
        self, tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]
    ) -> Bool[np.ndarray, " E"]:
        family, level = tree.families(senders, receivers)
        among = np.ones(len(senders), dtype=bool) if self.pairs == "all" else family == self.pairs
        return among & ((self.level is None) | (level == self.level))

    def hides(self, earlier: Edit) -> bool:
        if self.pairs == "all" and self.level is None:
            return isinstance(earlier, ForcesTypes)
        return isinstance(earlier, SetLevel) and self.pairs == earlier.pairs and self.level in (None, earlier.level)

    def may_share(self, other: ForcesTypes) -> bool:
        if not isinstance(other, SetLevel):
            return True  # which level an edge is on, only the tree knows
        families, levels = {self.pairs, other.pairs}, {self.level, other.level} - {None}
        return (len(families) == 1 or "all" in families) and len(levels) < 2

    def misfit(self, config: Config) -> str | None:
        if problem := super().misfit(config):
            return problem
        deepest = int(config.tree.depth.max())
        return f"there is no level {self.level}; the deepest is {deepest}" if (self.level or 0) > deepest else None

    def sentence(self, names: Names) -> str:
        edges = family_name(names.tree, self.pairs, self.level)
        deed = f"Clear {edges}" if self.type == 0 else f"Fill {edges} with {names.type_name(self.type)}"
        return f"{deed}, {self.when}"


@dataclass(frozen=True)
class SetEdge(ForcesTypes):
    """Force an edge to a type; type 0 carries no message, so it cuts the edge."""

    word: ClassVar[str] = "edge"
    sender: Node
    receiver: Node
    type: Type = 0
    first: Step = 0
    last: Last = None

    @classmethod
    def contradiction(cls, values: Mapping[str, Any]) -> str | None:
        alone = values["sender"] == values["receiver"]
        return f"joins node {values['sender']} to itself; choose two nodes" if alone else None

    def forced_type(self) -> int:
        return self.type

    def edges(
        self, tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]
    ) -> Bool[np.ndarray, " E"]:
        return (senders == self.sender) & (receivers == self.receiver)

    def hides(self, earlier: Edit) -> bool:
        return isinstance(earlier, SetEdge) and self.may_share(earlier)

    def may_share(self, other: ForcesTypes) -> bool:
        return not isinstance(other, SetEdge) or (self.sender, self.receiver) == (other.sender, other.receiver)

    def misfit(self, config: Config) -> str | None:
        if problem := super().misfit(config):
            return problem
        pairs = config.model.relations.pairs
        if self.edges(config.tree, *config.tree.edges_among(pairs)).any():
            return None
        return f"{self.sender} → {self.receiver} is not among the edges this model has ({pairs})"

    def sentence(self, names: Names) -> str:
        pair = f"{names.node(self.sender)} → {names.node(self.receiver)}"
        deed = f"Cut {pair}" if self.type == 0 else f"Force {pair} to {names.type_name(self.type)}"
        return f"{deed}, {self.when}"


@dataclass(frozen=True)
class Mute(Silences):
    """A slot or ball whose messages and picture are left out; it still receives messages and moves.

    Messages: every edge it sends on has type 0, whatever other edits say. (Relational inference looks at
    all states, this one's too.) Picture: SlotDec leaves its image out of the sum; ParDec, which draws all
    slots at once, is given the slot that the encoder makes of an all-black frame at this place; for states its
    ball is not drawn. Only leaves are drawn, so muting an upper slot changes messages alone.
    """

    word: ClassVar[str] = "mute"
    joins: ClassVar[bool] = True
    node: Node
    first: Step = 0
    last: Last = None

    def silence(self, silent: Bool[np.ndarray, "T N"]) -> None:
        silent[self.steps(len(silent)), self.node] = True

    def hides(self, earlier: Edit) -> bool:
        return isinstance(earlier, Mute) and self.node == earlier.node

    def sentence(self, names: Names) -> str:
        return f"Mute {names.node(self.node)}, {self.when}"


@dataclass(frozen=True)
class Nudge(MovesInputs):
    """Add to one input: a true state in the burn-in, the model's own prediction in the free run.

    The dynamics and, for later steps, relational inference see the nudged input. (Edges that are inferred from
    the truth throughout never see predicted inputs, nudged or not.)
    """

    word: ClassVar[str] = "nudge"
    ahead: ClassVar[int] = 0
    node: Node
    step: Step
    delta: Annotated[tuple[float, ...], Numbers(MAX_WIDTH, MAX_DELTA)]
    """Added to the node's first numbers: x, y, vx, vy, normalised to -1 ... 1; or a slot vector's numbers."""

    @property
    def idle(self) -> bool:
        return not any(self.delta)

    def plain(self) -> Edit:
        """Without zeros at the end and the sign of zero."""
        count = max(index + 1 for index, number in enumerate(self.delta) if number)
        return dataclasses.replace(self, delta=tuple(number + 0.0 for number in self.delta[:count]))

    def move(self, shifts: Float[np.ndarray, "T N D"]) -> None:
        shifts[self.step, self.node, : len(self.delta)] += self.delta

    def misfit(self, config: Config) -> str | None:
        dynamics, leaves = config.model.dynamics, config.tree.leaves
        if len(self.delta) > config.width:
            return f"it adds {len(self.delta)} numbers, and a node has {config.width}"
        if dynamics.passing == "joint" and dynamics.nodes == "leaves" and self.node not in leaves:
            return f"this model sees only the leaves {leaves[0]} to {leaves[-1]}"
        return None

    def sentence(self, names: Names) -> str:
        moves = [f"{names.number(place)} {number:+.3g}" for place, number in enumerate(self.delta) if number]
        return f"Nudge {names.node(self.node)} at frame {self.step}: {', '.join(moves) or 'by nothing'}"


@dataclass(frozen=True)
class Curtain(CoversFrames):
    """A black square of 12 x 12 pixels (24 x 24 in frames of 64) that the encoder sees instead of what is behind.

    ``first`` and ``last`` are frames. A curtain over the free run hides nothing: there the model sees no frames.
    """

    word: ClassVar[str] = "curtain"
    ahead: ClassVar[int] = 0
    joins: ClassVar[bool] = True
    left: Place
    """Column of its left edge, in pixels of a 32 x 32 frame."""
    top: Place
    first: Step = 0
    last: Last = None

    def cover(self, frames: UInt8[np.ndarray, "B T H W C"]) -> None:
        times, size = frames.shape[1:3]
        side, scale = round(size * CURTAIN), size // 32
        left, top = self.left * scale, self.top * scale
        frames[:, self.steps(times), top : top + side, left : left + side] = 0

    def hides(self, earlier: Edit) -> bool:
        return isinstance(earlier, Curtain) and (self.left, self.top) == (earlier.left, earlier.top)

    def sentence(self, names: Names) -> str:
        return f"Curtain at column {self.left}, row {self.top}, {self.when}"


KINDS: dict[str, type[Edit]] = {kind.word: kind for kind in (ChooseEdges, SetLevel, SetEdge, Mute, Nudge, Curtain)}
"""All kinds of edits by name."""

"""What a visitor may change in a rollout: one frozen dataclass a kind of edit, checked when it is made.

Step t of a rollout takes the input of frame t, passes messages over the edges of time t and predicts frame
t + 1. An edit holds from step ``first`` to step ``last``, both included; without ``last``, to the end. What an
edit at step t changes is therefore the prediction for frame t + 1 and what follows, never anything before.

No torch, no NumPy: an edit is data that travels in addresses and files (:mod:`hri.rollout.interventions`).
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

EdgeChoice = Literal["argmax", "sample", "true", "none"]
Family = Literal["all", "up", "down", "siblings", "other"]

MAX_NODE, MAX_STEP, MAX_TYPE, MAX_WIDTH = 399, 9_999, 15, 256
MAX_DELTA = 100.0
"""Largest number a nudge adds: states lie in -1 ... 1, slots within a few units."""
CURTAIN_PLACES = 20
"""Last row and column where a 12 x 12 square still lies inside a frame of 32 x 32."""

_LIMITS: dict[str, tuple[int, int]] = {
    "sender": (0, MAX_NODE),
    "receiver": (0, MAX_NODE),
    "node": (0, MAX_NODE),
    "type": (0, MAX_TYPE),
    "level": (1, 4),
    "left": (0, CURTAIN_PLACES),
    "top": (0, CURTAIN_PLACES),
    "seed": (0, 2**32 - 1),
    "step": (0, MAX_STEP),
    "first": (0, MAX_STEP),
    "last": (0, MAX_STEP),
}
_WORDS: dict[str, tuple[str, ...]] = {
    "edges": ("argmax", "sample", "true", "none"),
    "pairs": ("all", "up", "down", "siblings", "other"),
}
_MAY_BE_MISSING = ("level", "last")


@dataclass(frozen=True)
class Edit:
    """What all edits share.

    Raises:
        ValueError: a field that is no such number or word, out of range, or a span that ends before it begins.
    """

    word: ClassVar[str]
    """Names the kind in files and addresses."""

    def __post_init__(self) -> None:
        check_fields(type(self), {f.name: getattr(self, f.name) for f in dataclasses.fields(self)})

    @property
    def span(self) -> tuple[int, int]:
        """First and last step; :data:`MAX_STEP` stands for the end."""
        values = vars(self)
        if "step" in values:
            return values["step"], values["step"]
        return values["first"], MAX_STEP if values["last"] is None else values["last"]

    def steps(self, count: int) -> slice:
        """The same as a slice of ``count`` steps."""
        first, last = self.span
        return slice(min(first, count), min(last + 1, count))


@dataclass(frozen=True)
class ChooseEdges(Edit):
    """How types are chosen before other edits: the most probable, a draw, the true springs, or no interaction."""

    word: ClassVar[str] = "choose"
    edges: EdgeChoice = "argmax"
    seed: int = 0
    """Of the draws of ``sample``."""
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class SetEdge(Edit):
    """Force an edge to a type; type 0 carries no message, so it cuts the edge."""

    word: ClassVar[str] = "edge"
    sender: int
    receiver: int
    type: int = 0
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class SetLevel(Edit):
    """Force all edges between two levels to a type: 0 clears them, another type fills them."""

    word: ClassVar[str] = "level"
    pairs: Family
    """Child to parent, parent to child, siblings, pairs that the hierarchy does not know, or all of them."""
    level: int | None = None
    """Level of the child (up, down) or of the siblings, the root being 0; None: every level."""
    type: int = 0
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Mute(Edit):
    """A slot or ball that nobody hears and nobody sees; it goes on listening and moving.

    Nobody hears it: every edge it sends on has type 0, whatever other edits say. (Relational inference looks at
    all states, this one's too.) Nobody sees it: SlotDec leaves its image out of the sum; ParDec, which draws all
    slots at once, is given the slot that the encoder makes of an all-black frame at this place; for states its
    ball is not drawn. Only leaves are drawn, so muting an upper slot changes messages alone.
    """

    word: ClassVar[str] = "mute"
    node: int
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Nudge(Edit):
    """Add to one input: a true state in the burn-in, the model's own prediction in the free run.

    The dynamics and, for later steps, relational inference see the nudged input. (Edges that are inferred from
    the truth throughout never see predicted inputs, nudged or not.)
    """

    word: ClassVar[str] = "nudge"
    node: int
    step: int
    delta: tuple[float, ...]
    """Added to the node's first numbers: x, y, vx, vy, normalised to -1 ... 1; or a slot vector's numbers."""


@dataclass(frozen=True)
class Curtain(Edit):
    """A black square of 12 x 12 pixels (24 x 24 in frames of 64) that the encoder sees instead of what is behind.

    ``first`` and ``last`` are frames. True frames stay as they are, so errors are counted against what was
    hidden. A curtain over the free run hides nothing: there the model sees no frames.
    """

    word: ClassVar[str] = "curtain"
    left: int
    """Column of its left edge, in pixels of a 32 x 32 frame."""
    top: int
    first: int = 0
    last: int | None = None


KINDS: dict[str, type[Edit]] = {kind.word: kind for kind in (ChooseEdges, SetLevel, SetEdge, Mute, Nudge, Curtain)}
"""All kinds of edits by name."""


def check_fields(kind: type[Edit], values: Mapping[str, Any]) -> None:
    """Refuse values that no edit of this kind can have.

    Raises:
        ValueError: the first that does not fit, with what it may be.
    """
    for name, value in values.items():
        at = f"{name} of the edit {kind.word!r} is {reprlib.repr(value)}"
        if name in _WORDS:
            if value not in _WORDS[name]:
                raise ValueError(f"{at}; choose from {', '.join(_WORDS[name])}")
        elif name == "delta":
            if not isinstance(value, tuple) or not 1 <= len(value) <= MAX_WIDTH:
                raise ValueError(f"{at}; it must be a list of 1 to {MAX_WIDTH} numbers")
            if not all(type(number) is float and math.isfinite(number) for number in value) or (
                max(map(abs, value)) > MAX_DELTA
            ):
                raise ValueError(f"{at}; its numbers must lie within -{MAX_DELTA:g} and {MAX_DELTA:g}")
        elif value is not None or name not in _MAY_BE_MISSING:
            low, high = _LIMITS[name]
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{at}; choose a whole number from {low} to {high}")
    last = values.get("last")
    if last is not None and last < values.get("first", 0):
        raise ValueError(
            f"the edit {kind.word!r} ends at {last}, before it begins at {values['first']}; turn them round"
        )
    if values.get("pairs") == "other" and values.get("level") is not None:
        raise ValueError("the edit 'level' names a level for pairs 'other', which have none; leave the level out")
    if "sender" in values and values["sender"] == values.get("receiver"):
        raise ValueError(f"the edit 'edge' joins node {values['sender']} to itself; choose two nodes")


def replaces(later: Edit, earlier: Edit) -> bool:
    """Whether nothing is left of ``earlier`` once ``later`` is applied after it (whatever the tree)."""
    if not (later.span[0] <= earlier.span[0] and earlier.span[1] <= later.span[1]):
        return False
    if isinstance(later, SetLevel) and later.pairs == "all" and later.level is None:
        return isinstance(earlier, SetLevel | SetEdge)
    if type(later) is not type(earlier):
        return False
    if isinstance(later, SetLevel) and isinstance(earlier, SetLevel):
        return later.pairs == earlier.pairs and later.level in (None, earlier.level)
    place = {ChooseEdges: (), SetEdge: ("sender", "receiver"), Mute: ("node",), Curtain: ("left", "top")}
    names = place.get(type(later))
    return names is not None and all(getattr(later, name) == getattr(earlier, name) for name in names)


def order_matters(first: Edit, second: Edit) -> bool:
    """Whether exchanging two edits that follow each other may change a rollout (never false when it does)."""
    if first.span[1] < second.span[0] or second.span[1] < first.span[0]:
        return False
    if isinstance(first, ChooseEdges) and isinstance(second, ChooseEdges):
        return (first.edges, first.seed) != (second.edges, second.seed)
    if not isinstance(first, SetEdge | SetLevel) or not isinstance(second, SetEdge | SetLevel):
        return False
    if first.type == second.type:
        return False
    if isinstance(first, SetEdge) and isinstance(second, SetEdge):
        return (first.sender, first.receiver) == (second.sender, second.receiver)
    if isinstance(first, SetLevel) and isinstance(second, SetLevel):
        families = {first.pairs, second.pairs}
        levels = {first.level, second.level} - {None}
        return (len(families) == 1 or "all" in families) and len(levels) < 2
    return True  # which level an edge is on, only the tree knows

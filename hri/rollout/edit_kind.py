"""What a kind of edit declares: its fields and their limits, when it holds, how it stands to others, what it asks.

Step t of a rollout takes the input of frame t, passes messages over the edges of time t and predicts frame
t + 1. An edit holds from step ``first`` to step ``last``, both included; without ``last``, to the end. What an
edit at step t changes is therefore the prediction for frame t + 1 and what follows, never anything before.

Below :class:`Edit` stand the five things that an edit can ask of a rollout: types chosen otherwise, types forced,
nodes silenced, inputs moved, frames covered. The kinds (:mod:`hri.rollout.edits`) inherit what they ask; lists of
edits, their text and the model's steering know these five and no kind. No torch.
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args, get_type_hints

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hri.core.config import Config
from hri.core.hierarchy import Tree, node_name
from hri.core.limits import Between

EdgeChoice = Literal["argmax", "sample", "true", "none"]

MAX_NODE, MAX_STEP, MAX_TYPE = 399, 9_999, 15


# Fields and their limits -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole(Between):
    """A whole number within limits."""

    may_be_missing: bool = False

    def problem(self, value: Any) -> str | None:
        """What to choose instead of a value that does not fit."""
        good = type(value) is int and self.low <= value <= self.high
        return None if good or (value is None and self.may_be_missing) else f"choose a whole number from {self}"

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


@dataclass(frozen=True)
class Word:
    """One of several words."""

    choices: tuple[str, ...]

    def problem(self, value: Any) -> str | None:
        """What to choose instead of a value that does not fit."""
        return None if value in self.choices else f"choose from {', '.join(self.choices)}"


@dataclass(frozen=True)
class Numbers:
    """A tuple of decimals; in an address it takes all that follows."""

    most: int
    largest: float

    def problem(self, value: Any) -> str | None:
        """What a value that does not fit must be."""
        if not isinstance(value, tuple) or not 1 <= len(value) <= self.most:
            return f"it must be a list of 1 to {self.most} numbers"
        if not all(type(n) is float and math.isfinite(n) for n in value) or max(map(abs, value)) > self.largest:
            return f"its numbers must lie within -{self.largest:g} and {self.largest:g}"
        return None


Limit = Whole | Word | Numbers
NODE = Whole(0, MAX_NODE)
Node = Annotated[int, NODE]
Type = Annotated[int, Whole(0, MAX_TYPE)]
Step = Annotated[int, Whole(0, MAX_STEP)]
Last = Annotated[int | None, Whole(0, MAX_STEP, may_be_missing=True)]
"""The last step or frame; None: to the end."""
Seed = Annotated[int, Whole(0, 2**32 - 1)]
Choice = Annotated[EdgeChoice, Word(get_args(EdgeChoice))]


# Edits -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """What all edits share.

    Raises:
        ValueError: a field that is no such number or word, out of range, or a span that ends before it begins.
    """

    word: ClassVar[str]
    """Names the kind in files and addresses."""
    ahead: ClassVar[int] = 1
    """From a step to the frame that words name: 1 where that is the frame it predicts, 0 where the frame it takes."""
    joins: ClassVar[bool] = False
    """Whether several hold together, so that one within another adds nothing, whichever came first."""

    @classmethod
    @cache
    def limits(cls) -> dict[str, Limit]:
        """The limits of each field, in their order."""
        hints = get_type_hints(cls, include_extras=True)
        return {f.name: hints[f.name].__metadata__[0] for f in dataclasses.fields(cls)}

    def __post_init__(self) -> None:
        self.check({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Refuse values of all fields that no edit of this kind can have.

        Raises:
            ValueError: the first that does not fit, with what it may be.
        """
        for name, limit in cls.limits().items():
            if problem := limit.problem(values[name]):
                raise ValueError(f"{name} of the edit {cls.word!r} is {reprlib.repr(values[name])}; {problem}")
        last = values.get("last")
        if last is not None and last < values.get("first", 0):
            raise ValueError(
                f"the edit {cls.word!r} ends at {last}, before it begins at {values['first']}; turn them round"
            )
        if problem := cls.contradiction(values):
            raise ValueError(f"the edit {cls.word!r} {problem}")

    @classmethod
    def contradiction(cls, values: Mapping[str, Any]) -> str | None:
        """What is wrong with fields that are each within their limits."""
        return None

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

    # Beside other edits

    @property
    def idle(self) -> bool:
        """Whether it changes nothing, for any model."""
        return False

    def plain(self) -> Edit:
        """The edit without differences that mean nothing; never of an idle one."""
        return self

    def replaces(self, earlier: Edit) -> bool:
        """Whether nothing is left of an earlier edit once this one is applied after it (whatever the tree)."""
        return self.span[0] <= earlier.span[0] and earlier.span[1] <= self.span[1] and self.hides(earlier)

    def hides(self, earlier: Edit) -> bool:
        """Whether nothing is left of an earlier edit at the steps at which both hold."""
        return False

    def order_matters(self, other: Edit) -> bool:
        """Whether exchanging two edits that follow each other may change a rollout (never false when it does)."""
        apart = self.span[1] < other.span[0] or other.span[1] < self.span[0]
        return not apart and self.disagrees(other)

    def disagrees(self, other: Edit) -> bool:
        """Whether two edits may want different things at the steps at which both hold."""
        return False

    # What it asks of a model

    def problem(self, config: Config, steps: int) -> str | None:
        """Why a model, or a scene of ``steps`` frames, has no place for it."""
        if self.span[0] >= steps:
            return f"it begins at {self.span[0]}, and this scene has frames 0 to {steps - 1}"
        nodes = [getattr(self, name) for name, limit in self.limits().items() if limit is NODE]
        if missing := [node for node in nodes if node >= config.tree.size]:
            return f"there is no node {missing[0]}; this model's nodes are 0 to {config.tree.size - 1}"
        return self.misfit(config)

    def misfit(self, config: Config) -> str | None:
        """Why a model that has its nodes still has no place for it."""
        return None

    # In words

    def sentence(self, names: Names) -> str:
        """One line that tells what it does and when, in frames: "Cut leaf 7 → intermediate 2, all frames"."""
        raise NotImplementedError

    @property
    def when(self) -> str:
        """The frames of its span in words."""
        first, last = vars(self)["first"], vars(self)["last"]
        if last is None:
            return "all frames" if first == 0 else f"from frame {first + self.ahead} on"
        if first == last:
            return f"frame {first + self.ahead} only"
        return f"frames {first + self.ahead} to {last + self.ahead}"


@dataclass(frozen=True)
class Names:
    """How a model's parts are called where an edit is put into words; an edit may name more than the model has."""

    tree: Tree
    type_name: Callable[[int], str]
    """Of an edge type."""
    numbers: Sequence[str]
    """Of the numbers of a node's state; none for a slot's."""

    def node(self, node: int) -> str:
        """Such as "leaf 7"."""
        return node_name(self.tree, node) if node < self.tree.size else f"node {node}"

    def number(self, place: int) -> str:
        """Such as "vx"."""
        return self.numbers[place] if place < len(self.numbers) else f"number {place}"


# What an edit can ask of a rollout ---------------------------------------------------------------------


class OnEdges(Edit):
    """Changes messages, so the model must pass some."""

    def misfit(self, config: Config) -> str | None:
        """Of a model without messages."""
        if config.model.dynamics.passing == "joint":
            return "this model passes no messages, so it has no edges to change"
        return None


class ChoosesTypes(OnEdges):
    """Chooses the types of all edges in another way, before any are forced; a later choice replaces an earlier one."""

    def choice(self) -> tuple[EdgeChoice, int]:
        """The way, and the seed of its draws."""
        raise NotImplementedError


class ForcesTypes(OnEdges):
    """Forces some edges to a type, whatever was chosen; type 0 carries no message. Later ones win."""

    def forced_type(self) -> int:
        """The type."""
        raise NotImplementedError

    def edges(
        self, tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]
    ) -> Bool[np.ndarray, " E"]:
        """Which edges."""
        raise NotImplementedError

    def misfit(self, config: Config) -> str | None:
        """Of a model without messages, or without this type."""
        types = config.model.relations.recorded_types
        if problem := super().misfit(config):
            return problem
        if self.forced_type() >= types:
            return f"there is no type {self.forced_type()}; this model's types are 0 to {types - 1}"
        return None

    def disagrees(self, other: Edit) -> bool:
        """With another type for an edge that both may name."""
        return isinstance(other, ForcesTypes) and self.forced_type() != other.forced_type() and self.may_share(other)

    def may_share(self, other: ForcesTypes) -> bool:
        """Whether both may name the same edge, in some tree."""
        return True


class Silences(Edit):
    """Makes nodes send no message, whatever other edits say, and leaves them out of pictures."""

    def silence(self, silent: Bool[np.ndarray, "T N"]) -> None:
        """Set what it silences to True."""
        raise NotImplementedError


class MovesInputs(Edit):
    """Adds to inputs of the model; several add up."""

    def move(self, shifts: Float[np.ndarray, "T N D"]) -> None:
        """Add what it adds."""
        raise NotImplementedError


class CoversFrames(Edit):
    """Hides a part of the frames from the encoder; true frames stay, and errors are counted against them."""

    def cover(self, frames: UInt8[np.ndarray, "B T H W C"]) -> None:
        """Paint over the frames, in place."""
        raise NotImplementedError

    def misfit(self, config: Config) -> str | None:
        """Of a model that sees no images."""
        return None if config.model.sees_frames else "this model sees states, not images; choose an image model"

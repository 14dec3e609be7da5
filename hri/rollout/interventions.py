"""A list of edits: how it is read and written, when two lists are the same, and what it asks of a rollout.

An :class:`Intervention` never changes: ``add``, ``replace`` and ``remove`` give new ones, so a page keeps
its history by keeping the old ones.

Which edit wins: choices of edges come first; among edits of edges and levels the later one; a mute is
stronger than all of them. Nudges add up, curtains join.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hri.core.config import Config
from hri.core.hierarchy import Tree
from hri.rollout import edit_text
from hri.rollout.edit_kind import (
    MAX_STEP,
    ChoosesTypes,
    CoversFrames,
    Edit,
    ForcesTypes,
    MovesInputs,
    Silences,
)
from hri.rollout.edits import KINDS


@dataclass(frozen=True)
class Intervention:
    """Edits in the order they were made.

    Raises:
        ValueError: more than :data:`hri.rollout.edit_text.MAX_EDITS` edits.
    """

    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        edit_text.refuse_many(len(self.edits))

    def __len__(self) -> int:
        return len(self.edits)

    def add(self, edit: Edit) -> Intervention:
        """The list with one more edit at its end."""
        return Intervention((*self.edits, edit))

    def replace(self, index: int, edit: Edit) -> Intervention:
        """The list with another edit at ``index``.

        Raises:
            ValueError: no edit there.
        """
        self._has(index)
        return Intervention((*self.edits[:index], edit, *self.edits[index + 1 :]))

    def remove(self, index: int) -> Intervention:
        """The list without the edit at ``index``.

        Raises:
            ValueError: no edit there.
        """
        self._has(index)
        return Intervention((*self.edits[:index], *self.edits[index + 1 :]))

    def _has(self, index: int) -> None:
        if not 0 <= index < len(self.edits):
            raise ValueError(f"there is no edit {index}; this list has {len(self.edits)}")

    # When two lists are the same ------------------------------------------------------------------------

    @property
    def canonical(self) -> Intervention:
        """The same changes in one fixed order, without those that later ones undo.

        Edits whose order matters keep it; all others are sorted. Whatever applies edits goes through them in this
        order, so lists with one canonical form give the same numbers to the last digit (sums of nudges too).
        """
        order = self._in_order()
        # Sorting may bring an edit before one that undoes it, as a short choice before the same choice for good.
        return self if order == self else order.canonical

    def _in_order(self) -> Intervention:
        """Without what the list as it stands undoes; sorted where order does not matter."""
        edits = [edit.plain() for index, edit in enumerate(self.edits) if not self._idle(index)]
        after = [[j for j in range(i + 1, len(edits)) if edits[i].order_matters(edits[j])] for i in range(len(edits))]
        waits = [0] * len(edits)
        for following in after:
            for j in following:
                waits[j] += 1
        ready = [(_key(edit), i) for i, edit in enumerate(edits) if not waits[i]]
        heapq.heapify(ready)
        order = []
        while ready:
            _, i = heapq.heappop(ready)
            order.append(edits[i])
            for j in after[i]:
                waits[j] -= 1
                if not waits[j]:
                    heapq.heappush(ready, (_key(edits[j]), j))
        return Intervention(tuple(order))

    def _idle(self, index: int) -> bool:
        """Whether the edit at ``index`` changes nothing, for any model."""
        edit = self.edits[index]
        if edit.idle:
            return True
        for other, by in enumerate(self.edits):
            if other > index and by.replaces(edit):
                return True
            if other < index and edit.joins and by.replaces(edit) and not edit.replaces(by):
                return True
        return False

    @property
    def identity(self) -> str:
        """A name that equal changes share, whatever their order; empty where nothing is changed."""
        same = self.canonical
        return hashlib.sha256(same.to_json().encode()).hexdigest()[:16] if len(same) else ""

    # As text --------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """For files, see :mod:`hri.rollout.edit_text`."""
        return edit_text.to_json(self.edits)

    def to_address(self) -> str:
        """For addresses: a word without escapes; "" for no edits."""
        return edit_text.to_address(self.edits)

    @staticmethod
    def parse(text: str) -> Intervention:
        """The reverse of both.

        Raises:
            ValueError: neither of them, too long, another version, unknown fields, values out of range; one sentence.
        """
        read = edit_text.from_json if text.lstrip()[:1] == "{" else edit_text.from_address
        return Intervention(read(text.strip()))

    # What it asks of a rollout --------------------------------------------------------------------------

    def check(self, config: Config, steps: int) -> None:
        """Refuse edits that a model, or a scene of ``steps`` frames, has no place for.

        Raises:
            ValueError: the first that does not fit; one sentence.
        """
        for number, edit in enumerate(self.edits):
            if problem := edit.problem(config, steps):
                raise ValueError(f"edit {number} ({edit.word}) does not fit: {problem}")

    def forced_types(
        self, tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"], steps: int
    ) -> Int[np.ndarray, "T E"]:
        """The type that each edge is forced to at each step; -1 where it is free."""
        types = np.full((steps, len(senders)), -1, dtype=np.int64)
        for edit in self.canonical.edits:
            if isinstance(edit, ForcesTypes):
                types[edit.steps(steps), edit.edges(tree, senders, receivers)] = edit.forced_type()
        mute_mask = self.mute_mask(tree.size, steps)
        types[mute_mask[:, senders]] = 0
        return types

    def mute_mask(self, nodes: int, steps: int) -> Bool[np.ndarray, "T N"]:
        """True where a node is silenced."""
        silent = np.zeros((steps, nodes), dtype=bool)
        for edit in self.edits:
            if isinstance(edit, Silences):
                edit.silence(silent)
        return silent

    def nudges(self, nodes: int, steps: int, width: int) -> Float[np.ndarray, "T N D"] | None:
        """What is added to the input at each step; None where nothing is."""
        moves = [edit for edit in self.canonical.edits if isinstance(edit, MovesInputs)]
        if not moves:
            return None
        shifts = np.zeros((steps, nodes, width))
        for edit in moves:
            edit.move(shifts)
        return shifts.astype(np.float32)

    def cover(self, frames: UInt8[np.ndarray, "B T H W C"]) -> UInt8[np.ndarray, "B T H W C"]:
        """What the encoder sees: the frames with every curtain over them (the same array where there is none)."""
        curtains = [edit for edit in self.edits if isinstance(edit, CoversFrames)]
        if not curtains:
            return frames
        copy = frames.copy()
        for edit in curtains:
            edit.cover(copy)
        return copy

    def choices(self) -> tuple[ChoosesTypes, ...]:
        """Choices of edges in the order they apply: a later one replaces an earlier one where both hold."""
        return tuple(edit for edit in self.canonical.edits if isinstance(edit, ChoosesTypes))


NOTHING = Intervention()
"""No edits."""


def _key(edit: Edit) -> tuple[Any, ...]:
    """Sorts edits: by kind, then by field, "to the end" and "every level" last."""
    values = (MAX_STEP + 1 if value is None else value for value in vars(edit).values())
    return (list(KINDS).index(edit.word), *values)

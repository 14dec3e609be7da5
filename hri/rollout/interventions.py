"""A list of edits: how it is read and written, when two lists are the same, and what it asks of a rollout.

An :class:`Intervention` never changes: ``add``, ``replace`` and ``remove`` give new ones, so a page keeps
its history by keeping the old ones.

Which edit wins: choices of edges come first; among edits of edges and levels the later one; a mute is
stronger than all of them. Nudges add up, curtains join.
"""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from hri.core.config import Config
from hri.core.hierarchy import Tree
from hri.physics.palette import CURTAIN
from hri.rollout import edit_text
from hri.rollout.edits import (
    KINDS,
    MAX_STEP,
    ChooseEdges,
    Curtain,
    Edit,
    Mute,
    Nudge,
    SetEdge,
    SetLevel,
    order_matters,
    replaces,
)


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
        kept = [_plain(edit) for index, edit in enumerate(self.edits) if not self._idle(index)]
        after = [[j for j in range(i + 1, len(kept)) if order_matters(kept[i], kept[j])] for i in range(len(kept))]
        waits = [0] * len(kept)
        for following in after:
            for j in following:
                waits[j] += 1
        ready = [(_key(edit), i) for i, edit in enumerate(kept) if not waits[i]]
        heapq.heapify(ready)
        ordered = []
        while ready:
            _, i = heapq.heappop(ready)
            ordered.append(kept[i])
            for j in after[i]:
                waits[j] -= 1
                if not waits[j]:
                    heapq.heappush(ready, (_key(kept[j]), j))
        return Intervention(tuple(ordered))

    def _idle(self, index: int) -> bool:
        """Whether the edit at ``index`` changes nothing, for any model."""
        edit = self.edits[index]
        if isinstance(edit, Nudge):
            return not any(edit.delta)
        for other, by in enumerate(self.edits):
            joins = isinstance(edit, Mute | Curtain)
            if other > index and replaces(by, edit):
                return True
            if other < index and joins and replaces(by, edit) and not replaces(edit, by):
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
        known = edit_text.from_json if text.lstrip()[:1] == "{" else edit_text.from_address
        return Intervention(known(text.strip()))

    # What it asks of a rollout --------------------------------------------------------------------------

    def check(self, config: Config, steps: int) -> None:
        """Refuse edits that a model, or a scene of ``steps`` frames, has no place for.

        Raises:
            ValueError: the first that does not fit; one sentence.
        """
        for number, edit in enumerate(self.edits):
            if problem := _problem(edit, config, steps):
                raise ValueError(f"edit {number} ({edit.word}) does not fit: {problem}")

    def forced_types(
        self, tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"], steps: int
    ) -> Int[np.ndarray, "T E"]:
        """The type that each edge is forced to at each step; -1 where it is free."""
        forced = np.full((steps, len(senders)), -1, dtype=np.int64)
        family, level = families(tree, senders, receivers)
        for edit in self.canonical.edits:
            if isinstance(edit, SetEdge):
                forced[edit.steps(steps), (senders == edit.sender) & (receivers == edit.receiver)] = edit.type
            elif isinstance(edit, SetLevel):
                rows = (family == edit.pairs) if edit.pairs != "all" else np.ones(len(senders), dtype=bool)
                forced[edit.steps(steps), rows & ((edit.level is None) | (level == edit.level))] = edit.type
        muted = self.muted(tree.size, steps)
        forced[muted[:, senders]] = 0
        return forced

    def muted(self, nodes: int, steps: int) -> Bool[np.ndarray, "T N"]:
        """True where a node is muted."""
        silent = np.zeros((steps, nodes), dtype=bool)
        for edit in self.edits:
            if isinstance(edit, Mute):
                silent[edit.steps(steps), edit.node] = True
        return silent

    def nudges(self, nodes: int, steps: int, width: int) -> Float[np.ndarray, "T N D"] | None:
        """What is added to the input at each step; None where nothing is."""
        moves = [edit for edit in self.canonical.edits if isinstance(edit, Nudge)]
        if not moves:
            return None
        added = np.zeros((steps, nodes, width))
        for edit in moves:
            added[edit.step, edit.node, : len(edit.delta)] += edit.delta
        return added.astype(np.float32)

    def cover(self, frames: UInt8[np.ndarray, "B T H W C"]) -> UInt8[np.ndarray, "B T H W C"]:
        """What the encoder sees: the frames with every curtain over them (the same array where there is none)."""
        curtains = [edit for edit in self.edits if isinstance(edit, Curtain)]
        if not curtains:
            return frames
        covered, (times, size) = frames.copy(), frames.shape[1:3]
        side, scale = round(size * CURTAIN), size // 32
        for edit in curtains:
            left, top = edit.left * scale, edit.top * scale
            covered[:, edit.steps(times), top : top + side, left : left + side] = 0
        return covered

    def choices(self) -> tuple[ChooseEdges, ...]:
        """Choices of edges in the order they apply: a later one replaces an earlier one where both hold."""
        return tuple(edit for edit in self.canonical.edits if isinstance(edit, ChooseEdges))


NOTHING = Intervention()
"""No edits."""


def families(
    tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]
) -> tuple[np.ndarray, Int[np.ndarray, " E"]]:
    """Of each edge: "up", "down", "siblings" or "other", and its level (of the child, of the siblings, or -1)."""
    parents = np.asarray(tree.parents)
    up, down = parents[senders] == receivers, parents[receivers] == senders
    siblings = (tree.possible[senders, receivers] > 0) & ~up & ~down
    family = np.select([up, down, siblings], ["up", "down", "siblings"], "other")
    level = np.select([up | siblings, down], [tree.depth[senders], tree.depth[receivers]], -1)
    return family, level


def _problem(edit: Edit, config: Config, steps: int) -> str | None:
    """Why a model has no place for an edit."""
    tree, model = config.tree, config.model
    if edit.span[0] >= steps:
        return f"it begins at {edit.span[0]}, and this scene has frames 0 to {steps - 1}"
    for name in ("sender", "receiver", "node"):
        if getattr(edit, name, 0) >= tree.size:
            return f"there is no node {getattr(edit, name)}; this model's nodes are 0 to {tree.size - 1}"
    if isinstance(edit, Nudge):
        if len(edit.delta) > config.width:
            return f"it adds {len(edit.delta)} numbers, and a node has {config.width}"
        if model.dynamics.passing == "joint" and model.dynamics.nodes == "leaves" and edit.node not in tree.leaves:
            return f"this model sees only the leaves {tree.leaves[0]} to {tree.leaves[-1]}"
    if isinstance(edit, Curtain) and not model.sees_frames:
        return "this model sees states, not images; choose an image model"
    if not isinstance(edit, SetEdge | SetLevel | ChooseEdges):
        return None
    if model.dynamics.passing == "joint":
        return "this model passes no messages, so it has no edges to change"
    if isinstance(edit, ChooseEdges):
        wrong = edit.edges == "true" and model.sees_frames
        return "true springs join balls, not image slots; choose argmax, sample or none" if wrong else None
    if edit.type >= model.relations.recorded_types:
        return f"there is no type {edit.type}; this model's types are 0 to {model.relations.recorded_types - 1}"
    if isinstance(edit, SetLevel):
        deepest = int(tree.depth.max())
        return f"there is no level {edit.level}; the deepest is {deepest}" if (edit.level or 0) > deepest else None
    senders, receivers = tree.edges_among(model.relations.pairs)
    if not ((senders == edit.sender) & (receivers == edit.receiver)).any():
        return f"{edit.sender} → {edit.receiver} is not among the edges this model has ({model.relations.pairs})"
    return None


def _plain(edit: Edit) -> Edit:
    """The edit without differences that mean nothing: the seed of no draw, zeros at a nudge's end, the sign of zero."""
    if isinstance(edit, ChooseEdges) and edit.edges != "sample":
        return dataclasses.replace(edit, seed=0)
    if not isinstance(edit, Nudge):
        return edit
    count = max(index + 1 for index, number in enumerate(edit.delta) if number)
    return dataclasses.replace(edit, delta=tuple(number + 0.0 for number in edit.delta[:count]))


_RANK = {kind: rank for rank, kind in enumerate(KINDS.values())}


def _key(edit: Edit) -> tuple[Any, ...]:
    """Sorts edits: by kind, then by field, "to the end" and "every level" last."""
    return (_RANK[type(edit)], *(MAX_STEP + 1 if value is None else value for value in vars(edit).values()))

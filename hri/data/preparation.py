"""From what a file holds to sequences that a model can learn: gaps, rates, velocities, splits and the tree.

Nothing is done silently: whatever is filled, cut or assumed becomes a sentence of
:attr:`hri.data.trajectories.TrajectorySet.notes`.
"""

from __future__ import annotations

import dataclasses
from typing import get_args

import numpy as np
from jaxtyping import Int

from hri.core.hierarchy import MOST_BALLS, Tree
from hri.data.grouping import in_order, proposed_parents
from hri.data.motion import Split
from hri.data.raw import USUAL, Choices, RawSequence, RawSet
from hri.data.regular import common_rate, on_grid, together
from hri.data.trajectories import LEAST_FRAMES, Sequence, TrajectorySet, Truth

SHARES = (0.7, 0.15)
"""Of the sequences: how much trains, how much validates; the rest tests."""
IN_TIME = (0.6, 0.8)
"""Where a sequence is cut in time, if there are too few to split by sequence."""


def prepared(raw: RawSet, choices: Choices = USUAL) -> TrajectorySet:
    """The data set that a model can learn from.

    Raises:
        ValueError: too few or too many objects, objects that are never together for long enough, unlike rates, or a
            tree that does not fit; one sentence that says what to do.
    """
    notes = list(raw.notes)
    raw = only(raw, choices.objects)
    raw = dataclasses.replace(raw, names=tuple(map(_shown, raw.names)), unit=_shown(raw.unit)[:30])
    size = len(raw.names)
    if not 2 <= size <= MOST_BALLS:
        raise ValueError(
            f"the data have {size} object{'s' if size != 1 else ''}, and from 2 to {MOST_BALLS} can be related; choose "
            "some with --objects"
        )
    grids = [on_grid(part, raw, choices, notes) for part in raw.sequences]
    fps = common_rate([rate for _, rate in grids], raw, choices)
    pieces = together([part for part, _ in grids], raw.names, choices.fill, notes)
    pieces, truth = _related(pieces, notes)
    timed = fps > 0
    given = all(part.velocities is not None for _, part in pieces)
    if not timed and not given:
        notes.append(
            "how long a frame takes is not known, so velocities are told a frame; give --frame-rate to tell seconds"
        )
    pieces = _moving(pieces, fps or 1.0, notes)
    sequences = _split(pieces, notes)
    _look_at_places(pieces, raw.names, notes)
    order, tree = _tree(raw, choices, sequences, notes)
    unit = _shown(choices.unit)[:30] or raw.unit
    speed = f"{unit or 'units'}/{'s' if timed else 'frame'}"
    return TrajectorySet(
        names=tuple(raw.names[place] for place in order),
        tree=tree,
        sequences=tuple(_ordered(sequence, order) for sequence in sequences),
        fps=fps or 1.0,
        timed=timed,
        unit=unit,
        speed_unit="as given" if given and not timed else speed,
        truth=truth,
        notes=tuple(dict.fromkeys(notes)),
    )


def only(raw: RawSet, objects: tuple[str, ...]) -> RawSet:
    """The chosen objects alone; all where none is named.

    Raises:
        ValueError: two objects of one name, or an object that is not there.
    """
    if len(set(raw.names)) != len(raw.names):
        twice = next(name for name in raw.names if raw.names.count(name) > 1)
        raise ValueError(f"two objects are called {twice!r}; give each a name of its own")
    if not objects:
        return raw
    if missing := [name for name in objects if name not in raw.names]:
        listed = ", ".join(raw.names[:20])
        raise ValueError(
            f"there is no object {missing[0]!r}; choose from {listed}{' …' if len(raw.names) > 20 else ''}"
        )
    rows = [raw.names.index(name) for name in objects]
    parts = tuple(
        dataclasses.replace(
            part,
            positions=part.positions[:, rows],
            velocities=None if part.velocities is None else part.velocities[:, rows],
            relations=None if part.relations is None else part.relations[..., rows, :][..., rows],
        )
        for part in raw.sequences
    )
    return dataclasses.replace(raw, names=tuple(objects), sequences=parts, parents=None)


def _look_at_places(pieces: list[tuple[str, RawSequence]], names: tuple[str, ...], notes: list[str]) -> None:
    """Say what looks as if it stood for something else, or teaches nothing."""
    places = np.concatenate([part.positions for _, part in pieces])
    reach = [np.ptp(part.positions, axis=0) for _, part in pieces]
    if not any(part.any() for part in reach):
        notes.append("no object moves in any sequence, so there is nothing to learn; --coordinates names other columns")
        return
    for axis, letter in enumerate("xyz"[: places.shape[2]]):
        if not np.ptp(places[..., axis]).any():
            notes.append(
                f"{letter} is {places[0, 0, axis]:g} for all objects at all times, so it tells a model nothing; "
                "--coordinates names others"
            )
    at_zero: np.ndarray = np.asarray((places == 0).all(axis=2))
    for node in np.flatnonzero(at_zero.any(0) & ~at_zero.all(0)).tolist():
        if (count := int(at_zero[:, node].sum())) > 1:
            notes.append(
                f"{names[node]} is at 0 along every axis in {count} frames; where that stands for not being seen, "
                "leave those cells empty"
            )


def _shown(name: str) -> str:
    """A name from a file without what cannot be printed; whoever shows it still escapes it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:100]


# States --------------------------------------------------------------------------------------------------


def _related(pieces: list[tuple[str, RawSequence]], notes: list[str]) -> tuple[list[tuple[str, RawSequence]], Truth]:
    """Relations as 0 and 1, or as signs, one a frame; and which of these they are."""
    known = [part.relations is not None for _, part in pieces]
    if not any(known):
        return pieces, "none"
    if not all(known):
        raise ValueError(f"what acts on what is known of some sequences only; {pieces[known.index(False)][0]} lacks it")
    size = pieces[0][1].positions.shape[1]
    apart = ~np.eye(size, dtype=bool)
    values = set()
    for _, part in pieces:
        assert part.relations is not None
        if not np.isfinite(part.relations[..., apart]).all():
            raise ValueError(f"relations of {part.name} hold what is not a number; write 0 where there is none")
        values |= set(np.unique(part.relations[..., apart]).tolist())
        if len(values) > 16:
            raise ValueError("relations take more than 16 values; give 0 and 1, or -1 and 1")
    if values == {0.0}:
        notes.append("no two objects are related in any sequence, so whether a graph is right says nothing")
    signs = bool(values) and values <= {-1.0, 1.0} and -1.0 in values
    if not signs and min(values) < 0:
        notes.append(
            "relations are negative, positive or none: their signs are left out, only whether there is one counts"
        )
    elif any(0 < value < 1 for value in values):
        notes.append(
            f"relations of strengths {', '.join(f'{v:g}' for v in sorted(values))}: all above 0 count as related"
        )
    result = []
    for source, part in pieces:
        assert part.relations is not None
        relations = np.sign(part.relations) if signs else part.relations != 0
        relations = (relations * apart).astype(np.int8)
        whole = np.broadcast_to(relations, (len(part.positions), size, size)) if relations.ndim == 2 else relations
        result.append((source, dataclasses.replace(part, relations=whole)))
    return result, "signs" if signs else "relations"


def _moving(pieces: list[tuple[str, RawSequence]], fps: float, notes: list[str]) -> list[tuple[str, RawSequence]]:
    """All with velocities: of the file, or backward differences, since a state knows nothing of the next one."""
    moving = []
    for source, part in pieces:
        if part.velocities is None:
            notes.append("velocities are differences of positions, so every stretch begins at its second frame")
            velocities = np.diff(part.positions, axis=0) * fps
            relations = None if part.relations is None else part.relations[1:]
            part = dataclasses.replace(part, positions=part.positions[1:], velocities=velocities, relations=relations)
        moving.append((source, part))
    return moving


# Splits --------------------------------------------------------------------------------------------------


def _split(pieces: list[tuple[str, RawSequence]], notes: list[str]) -> list[Sequence]:
    """Which part trains, which validates and which tests: as the file says, by sequence, or in time."""
    given = [part.split for _, part in pieces]
    if all(given):
        if missing := [split for split in ("train", "validation", "test") if split not in given]:
            raise ValueError(f"the files hold nothing for {missing[0]}; bring train, valid and test files together")
        return [_sequence(part, split) for (_, part), split in zip(pieces, given, strict=True) if split]
    sources = list(dict.fromkeys(source for source, _ in pieces))
    whole = sources if len(sources) >= 3 else [part.name for _, part in pieces]
    if len(whole) >= 3:
        splits = _by_sequence(whole)
        counts = [list(splits.values()).count(split) for split in ("train", "validation", "test")]
        notes.append(f"{counts[0]} sequences train, {counts[1]} validate and {counts[2]} test")
        return [_sequence(part, splits[source if len(sources) >= 3 else part.name]) for source, part in pieces]
    notes.append(
        f"too few sequences to split them: of each the first {IN_TIME[0]:.0%} trains, the next "
        f"{IN_TIME[1] - IN_TIME[0]:.0%} validates and the rest tests"
    )
    sequences = []
    for _, part in pieces:
        ends = [0, *(round(share * len(part.positions)) for share in IN_TIME), len(part.positions)]
        for split, start, stop in zip(get_args(Split), ends[:-1], ends[1:], strict=True):
            if stop - start >= LEAST_FRAMES:
                sequences.append(_sequence(part, split, slice(start, stop)))
    if {sequence.split for sequence in sequences} != {"train", "validation", "test"}:
        longest = max(len(part.positions) for _, part in pieces)
        raise ValueError(
            f"the longest stretch has {longest} frames, too few to train, validate and test; bring "
            f"{round(LEAST_FRAMES / (1 - IN_TIME[1]))} frames in a row, or three sequences"
        )
    return sequences


def _by_sequence(names: list[str]) -> dict[str, Split]:
    """Of few the last tests and the one before validates; many are drawn, always the same way."""
    count = len(names)
    validate = max(1, round(SHARES[1] * count))
    order = np.random.default_rng(0).permutation(count) if count >= 10 else np.arange(count)
    train = count - 2 * validate
    splits: dict[str, Split] = {}
    for place, row in enumerate(order.tolist()):
        splits[names[row]] = "train" if place < train else "validation" if place < train + validate else "test"
    return splits


def _sequence(part: RawSequence, split: Split, span: slice = slice(None)) -> Sequence:
    assert part.velocities is not None
    relations = None if part.relations is None else part.relations[span]
    return Sequence(part.name, split, part.positions[span], part.velocities[span], relations)


# The tree ------------------------------------------------------------------------------------------------


def _tree(
    raw: RawSet, choices: Choices, sequences: list[Sequence], notes: list[str]
) -> tuple[Int[np.ndarray, " N"], Tree]:
    """Objects in an order in which parents come first, and their tree."""
    size, choice = len(raw.names), choices.tree
    if choices.groups is not None and choice != "cluster":
        raise ValueError("--groups belongs to --tree cluster")
    if choice == "file" and raw.parents is None:
        choice = "flat"
        notes.append(
            "the file names no hierarchy, so any two objects may be related; one can be proposed (--tree cluster)"
        )
    if choice == "flat":
        return np.arange(size), Tree.balls(size)
    if choice == "cluster":
        parents = proposed_parents([part.velocities for part in sequences if part.split == "train"], choices.groups)
        groups = [
            f"{raw.names[leader]} leads {', '.join(raw.names[member] for member in np.flatnonzero(parents == leader))}"
            for leader in np.flatnonzero(np.isin(np.arange(size), parents)).tolist()
        ]
        notes.append(f"the tree is proposed from how objects move together: {'; '.join(groups)}")
    elif choice == "file":
        assert raw.parents is not None
        parents = np.asarray(raw.parents)
    else:
        words = choice.replace(" ", "").split(",")
        if not all(word.isdecimal() for word in words) or len(words) != size - 1:
            raise ValueError(
                f"--tree is {choice[:60]!r}; write file, flat, cluster, or the parent of each of the {size} objects "
                "but the first, as in 0,0,1,1"
            )
        parents = np.array([-1, *map(int, words)])
    if len(parents) != size:
        raise ValueError(f"parents has {len(parents)} entries and there are {size} objects; give one an object")
    if (parents == -1).all():
        return np.arange(size), Tree.balls(size)
    order = in_order(parents)
    place = np.argsort(order)
    return order, Tree(tuple(-1 if parents[node] < 0 else int(place[parents[node]]) for node in order.tolist()))


def _ordered(sequence: Sequence, order: Int[np.ndarray, " N"]) -> Sequence:
    if (order == np.arange(len(order))).all():
        return sequence
    relations = sequence.relations
    return dataclasses.replace(
        sequence,
        positions=sequence.positions[:, order],
        velocities=sequence.velocities[:, order],
        relations=None if relations is None else relations[:, order][:, :, order],
    )

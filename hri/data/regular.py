"""Sequences on an even grid of time, without gaps: what is filled, brought to another rate or cut is said."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from hri.data.raw import Choices, RawSequence, RawSet
from hri.data.trajectories import LEAST_FRAMES

MOST_BETWEEN = 20
"""Frames that may come in place of one: no line between two places knows more."""


def on_grid(part: RawSequence, raw: RawSet, choices: Choices, notes: list[str]) -> tuple[RawSequence, float]:
    """The sequence with a frame at every step of time, and its frames a second (0: not known)."""
    count, fps = len(part.positions), choices.frame_rate or raw.fps
    if count < 2:
        raise ValueError(f"{part.name} has {count} frame{'s' if count != 1 else ''}; a sequence needs {LEAST_FRAMES}")
    if part.times is None and not choices.resample:
        return part, fps
    times = np.arange(count, dtype=np.float64) if part.times is None else part.times
    seconds = raw.in_seconds and part.times is not None
    gaps = np.diff(times)
    if (gaps <= 0).any():
        place = int(np.flatnonzero(gaps <= 0)[0]) + 1
        raise ValueError(f"times of {part.name} do not rise: frame {place} is at {times[place]:g} after "
                         f"{times[place - 1]:g}; sort its rows by time")  # fmt: skip
    if seconds and choices.frame_rate:
        notes.append(f"times of {part.name} are in seconds, so {choices.frame_rate:g} frames a second are not needed")
    step = float(np.median(gaps))
    steps = np.round(gaps / step)
    even = bool((np.abs(gaps / step - steps) < 0.25).all() and (steps >= 1).all())
    if seconds:
        fps = float(f"{steps.sum() / (times[-1] - times[0]) if even else 1 / step:.7g}")  # as exact as clocks are
    if choices.resample:
        if not fps:
            raise ValueError("--resample needs to know how long a frame takes; give --frame-rate too")
        clock = times if seconds else times / fps
        most = MOST_BETWEEN / float(np.median(np.diff(clock)))
        if choices.resample > most:
            raise ValueError(
                f"--resample {choices.resample:g} would put more than {MOST_BETWEEN} frames in place of each of "
                f"{part.name}; choose {most:.4g} at most"
            )
        reach = (choices.fill + 1) * max(1 / choices.resample, float(np.median(np.diff(clock))))
        grid = np.arange(clock[0], clock[-1] + 1e-9, 1 / choices.resample)
        notes.append(
            f"all sequences are brought to {choices.resample:g} frames a second by straight lines between frames"
        )
        return _onto(part, clock, grid, reach * (1 + 1e-6)), choices.resample
    if not even:
        raise ValueError(
            f"times of {part.name} are uneven, {gaps.min():g} to {gaps.max():g} {'s' if seconds else 'frames'} apart; "
            "bring them to one rate with --resample"
        )
    index = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    if not seconds and fps:
        fps /= step
    if index[-1] == count - 1:
        return dataclasses.replace(part, times=None), fps
    return _spaced(part, index), fps


def _spaced(part: RawSequence, index: Int[np.ndarray, " T"]) -> RawSequence:
    """The sequence with frames that are not there as not a number."""
    length = int(index[-1]) + 1

    def wide(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        whole = np.full((length, *values.shape[1:]), np.nan)
        whole[index] = values
        return whole

    relations = part.relations
    if relations is not None and relations.ndim == 3:
        relations = relations[np.searchsorted(index, np.arange(length), side="right") - 1]
    positions = wide(part.positions)
    assert positions is not None
    return RawSequence(part.name, positions, wide(part.velocities), relations, None, part.split)


def _onto(
    part: RawSequence, clock: Float[np.ndarray, " T"], grid: Float[np.ndarray, " G"], reach: float
) -> RawSequence:
    """The sequence at other times, on straight lines between what is known; not a number where that is farther apart
    than ``reach``.
    """
    positions = np.full((len(grid), *part.positions.shape[1:]), np.nan)
    velocities = None if part.velocities is None else np.full_like(positions, np.nan)
    for node in range(positions.shape[1]):
        there = np.isfinite(part.positions[:, node]).all(1)
        if part.velocities is not None:
            there &= np.isfinite(part.velocities[:, node]).all(1)
        known = clock[there]
        if len(known) < 2:
            continue
        after = np.clip(np.searchsorted(known, grid), 1, len(known) - 1)
        inside = (grid >= known[0] - 1e-9) & (grid <= known[-1] + 1e-9)
        exact = np.abs(known[np.clip(np.searchsorted(known, grid - 1e-9), 0, len(known) - 1)] - grid) < 1e-9
        inside &= exact | (known[after] - known[after - 1] <= reach)
        for source, target in ((part.positions, positions), (part.velocities, velocities)):
            if source is not None and target is not None:
                for axis in range(source.shape[2]):
                    target[inside, node, axis] = np.interp(grid[inside], known, source[there, node, axis])
    relations = part.relations
    if relations is not None and relations.ndim == 3:
        relations = relations[np.clip(np.searchsorted(clock, grid + 1e-9, side="right") - 1, 0, len(clock) - 1)]
    return RawSequence(part.name, positions, velocities, relations, None, part.split)


def common_rate(rates: list[float], raw: RawSet, choices: Choices) -> float:
    """The frames a second of all sequences; 0 where it is not known."""
    low, high = min(rates), max(rates)
    if high > 1.01 * low:
        slow, fast = (raw.sequences[rates.index(rate)].name for rate in (low, high))
        raise ValueError(
            f"{slow} has {low:.4g} frames a second and {fast} {high:.4g}; bring all to one rate, such as --resample "
            f"{low:.4g}"
        )
    return float(np.median(rates))


# Gaps ----------------------------------------------------------------------------------------------------


def together(
    parts: list[RawSequence], names: tuple[str, ...], fill: int, notes: list[str]
) -> list[tuple[str, RawSequence]]:
    """Stretches in which all objects are there, with the name of the sequence each is from; short gaps are filled."""
    pieces, filled, cut, short = [], 0, 0, 0
    worst = ("", "", 0, 0)
    for part in parts:
        values = part.positions if part.velocities is None else np.concatenate([part.positions, part.velocities], 2)
        if np.isinf(values).any():
            frame, node = (int(place[0]) for place in np.nonzero(np.isinf(values))[:2])
            raise ValueError(
                f"{part.name} holds an infinite number for {names[node]} at frame {frame}; mend or empty it"
            )
        there = np.isfinite(values).all(2)
        if not there.all():
            clock = np.arange(len(values), dtype=np.float64)
            filled += -int(there.sum())
            part = _onto(part, clock, clock, fill + 1.0)
            there = np.isfinite(part.positions).all(2)
            filled += int(there.sum())
            gaps = _longest_gap(there)
            if gaps[2] > worst[3]:
                worst = (part.name, names[gaps[0]], gaps[1], gaps[2])
        runs = _runs(there.all(1))
        longest = [run for run in runs if run.stop - run.start >= LEAST_FRAMES]
        cut += max(0, len(longest) - 1)
        short += sum(run.stop - run.start for run in runs if run not in longest) + int((~there.all(1)).sum())
        for number, run in enumerate(longest):
            name = part.name if len(longest) == 1 else f"{part.name}, part {number + 1}"
            relations = part.relations
            pieces.append((
                part.name,
                RawSequence(
                    name,
                    part.positions[run],
                    None if part.velocities is None else part.velocities[run],
                    relations[run] if relations is not None and relations.ndim == 3 else relations,
                    None,
                    part.split,
                ),
            ))  # fmt: skip
    if not pieces:
        if not worst[3]:
            most = max(len(part.positions) for part in parts)
            raise ValueError(f"the longest sequence has {most} frames; a model needs {LEAST_FRAMES} or more")
        sequence, name, frame, length = worst
        raise ValueError(
            f"all {len(names)} objects are never there together for {LEAST_FRAMES} frames: in {sequence}, {name} is "
            f"missing for {length} frames from frame {frame} on; choose others with --objects, or fill longer gaps "
            "with --fill"
        )
    if filled:
        notes.append(f"{filled} places of objects were missing for up to {fill} frames and lie on straight lines")
    if cut or short:
        notes.append(
            f"sequences are cut where an object is missing for more than {fill} frames: {len(pieces)} "
            f"{'stretches are' if len(pieces) > 1 else 'stretch is'} left, {short} frames are left out"
        )
    return pieces


def _longest_gap(there: Bool[np.ndarray, "T N"]) -> tuple[int, int, int]:
    """Object, first frame and length of the longest stretch in which an object is not there."""
    gaps = [(node, run.start, run.stop - run.start) for node in range(there.shape[1]) for run in _runs(~there[:, node])]
    return max(gaps, key=lambda gap: gap[2], default=(0, 0, 0))


def _runs(mask: Bool[np.ndarray, " T"]) -> list[slice]:
    """Stretches in which it holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [slice(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]

"""Trajectories in tables, CSV or Parquet, as tracking tools export them.

Long: one row an object and time, with a column that says which object it is. Wide: one row a time, with columns such as
``ball1_x, ball1_y, ball2_x, …``; DeepLabCut's three or four rows of headers too. Which column is what is guessed from
its name, and said; a flag settles it. A unit may stand in a header, as in ``x (mm)`` or ``time [ms]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from hri.data.formats import cells
from hri.data.formats.cells import SECONDS, Sheet
from hri.data.raw import PLAIN, Layout, RawSequence, RawSet

TIMES = "time t timestamp timestamps seconds second sec secs position_t"
FRAMES = "frame frames frame_id frame_number frame_no frame_index frameid image_id step timestep time_step index"
OBJECTS = (
    "object object_id obj id track track_id trackid tid particle particle_id agent agent_id ball player player_id "
    "individual animal animal_id name label body joint node marker entity pedestrian ped_id pedestrian_id identity "
    "target cell fly fish mouse"
)
SEQUENCES = (
    "sequence sequence_id seq trial trial_id episode run video scene scene_id session recording clip simulation sim "
    "experiment match match_id game"
)
"""Names of columns, the surest first."""
_UNIT = re.compile(r"^(.*?)\s*[\(\[]\s*([^\)\]]{1,20})\s*[\)\]]$")
_PLACE = r"(?:pos(?:ition)?|p|c|cent(?:er|re|roid)?|loc(?:ation)?|coord(?:inate)?)"
_LENGTH_UNITS = ("mm", "cm", "m", "px", "km", "um", "µm", "in", "ft")


@dataclass(frozen=True)
class _Column:
    """A header, taken apart."""

    name: str
    """As it stands."""
    word: str
    """In small letters, without its unit."""
    unit: str


@dataclass(frozen=True)
class _Axes:
    """Columns of positions along each axis, and those of velocities (none, or as many)."""

    places: tuple[str, ...]
    speeds: tuple[str, ...] = ()


def read(path: Path, layout: Layout = PLAIN) -> RawSet:
    """The sequences in a table.

    Raises:
        OSError: the file is not there.
        ValueError: a column that is not there, a row that cannot be read, times out of order; the sentence names them.
    """
    sheet = cells.read(path)
    if not len(sheet.table):
        raise ValueError(f"{path.name} has no rows under its header")
    columns = [_column(str(name)) for name in sheet.table.columns]
    known = {column.name for column in columns}
    for name in (layout.sequence, layout.time, layout.object, *layout.coordinates, *layout.speeds):
        if name and name not in known:
            listed = ", ".join(column.name for column in columns[:20])
            raise ValueError(f"{path.name} has no column {name!r}; its columns are {listed}")
    time = layout.time or _guess(columns, TIMES) or _guess(columns, FRAMES)
    sequence = layout.sequence or _guess(columns, SEQUENCES)
    axes = _long_axes(columns, layout)
    of = layout.object or _guess([column for column in columns if column.name not in (time, sequence)], OBJECTS)
    if axes is not None and of:
        return _long(sheet, columns, sequence, time, of, axes)
    named = _wide_axes([column for column in columns if column.name not in (time, sequence)])
    if len(named) >= 2 and not layout.coordinates:
        return _wide(sheet, columns, sequence, time, named)
    listed = ", ".join(column.name for column in columns[:20])
    if cells.looks_like_data([column.name for column in columns]):
        raise ValueError(
            f"the first line of {path.name} holds values ({listed[:60]}); put a line above it that names its columns, "
            "such as time,id,x,y"
        )
    lacks = "which object a row is of (--object)" if axes is not None else "where things are (--coordinates x y)"
    raise ValueError(f"no column of {path.name} says {lacks}; its columns are {listed}")


# Headers -----------------------------------------------------------------------------------------------


def _column(name: str) -> _Column:
    match = _UNIT.match(name.strip())
    stem, unit = (match[1], match[2]) if match else (name.strip(), "")
    word = re.sub(r"[\s\-.]+", "_", stem.strip()).lower()
    if not unit and (match := re.fullmatch(rf"(.+)_({'|'.join((*SECONDS, *_LENGTH_UNITS))})", word)):
        word, unit = match[1], match[2]
    return _Column(name, word, unit)


def _guess(columns: list[_Column], words: str) -> str:
    """The column whose name comes first among these words; empty where there is none."""
    by_word = {column.word: column.name for column in reversed(columns)}
    return next((by_word[word] for word in words.split() if word in by_word), "")


def _long_axes(columns: list[_Column], layout: Layout) -> _Axes | None:
    """Columns of coordinates and, where there are as many, of velocities."""
    if layout.coordinates:
        if len(layout.coordinates) not in (2, 3):
            raise ValueError(f"--coordinates names {len(layout.coordinates)} columns; name two or three")
        if twice := next((name for name in layout.coordinates if layout.coordinates.count(name) > 1), ""):
            raise ValueError(f"--coordinates names {twice} twice; name one column an axis")
        if layout.speeds and len(layout.speeds) != len(layout.coordinates):
            raise ValueError(
                f"--speeds names {len(layout.speeds)} columns; name {len(layout.coordinates)}, one an axis"
            )
        return _Axes(layout.coordinates, layout.speeds)

    def find(pattern: str) -> dict[str, str]:
        matches = ((axis, column) for axis in "xyz" for column in columns
                   if re.fullmatch(pattern.replace("@", axis), column.word))  # fmt: skip
        first: dict[str, str] = {}
        for axis, column in matches:
            first.setdefault(axis, column.name)
        return first

    places = find("@") or {}
    if not {"x", "y"} <= places.keys():
        places = find(rf"{_PLACE}_?@|@_?{_PLACE}")
    if not {"x", "y"} <= places.keys():
        return None
    axes = "xyz" if "z" in places else "xy"
    speeds = find(r"(?:v|vel|velocity|speed)_?@|@_?(?:v|vel|velocity|speed)")
    usable = all(axis in speeds for axis in axes)
    return _Axes(tuple(places[axis] for axis in axes), tuple(speeds[axis] for axis in axes) if usable else ())


def _wide_axes(columns: list[_Column]) -> dict[str, _Axes]:
    """Columns of each object, by the object's name."""
    ways = []
    for pattern in (r"(?P<name>.+?)[ _.\-:]?(?P<axis>v?[xyz])", r"(?P<axis>v?[xyz])[ _.\-:]?(?P<name>.+)"):
        groups: dict[str, dict[str, str]] = {}
        for column in columns:
            stem = _UNIT.sub(r"\1", column.name.strip())
            stem = re.sub(rf"_({'|'.join(_LENGTH_UNITS)})$", "", stem)
            if match := re.fullmatch(pattern, stem, re.IGNORECASE):
                groups.setdefault(match["name"].strip(" _.-:"), {})[match["axis"].lower()] = column.name
        complete = {}
        for name, axes in groups.items():
            letters = "xyz" if {"x", "y", "z"} <= axes.keys() else "xy"
            if name and set(letters) <= axes.keys():
                speeds = tuple(axes[f"v{letter}"] for letter in letters if f"v{letter}" in axes)
                places = tuple(axes[letter] for letter in letters)
                complete[name] = _Axes(places, speeds if len(speeds) == len(letters) else ())
        ways.append(complete)
    return max(ways, key=len)


# Long ----------------------------------------------------------------------------------------------------


def _long(sheet: Sheet, columns: list[_Column], sequence: str, time: str, of: str, axes: _Axes) -> RawSet:
    """One row an object and time."""
    sheet = sheet.without_more_headers(axes.places)
    path, table = sheet.path, sheet.table
    by_name = {column.name: column for column in columns}
    if table[of].isna().any():
        raise ValueError(f"row {sheet.row(table[of].isna())} of {path.name} does not say which object it is of ({of})")
    labels, names = pd.factorize(table[of].map(cells.label), sort=False)
    names = [str(name) for name in names]
    values = sheet.values((*axes.places, *axes.speeds))
    clock, seconds, unit_words = _clock(sheet, by_name, time)
    groups = np.zeros(len(table), dtype=np.int64)
    titles = [path.stem]
    if sequence:
        groups, kinds = pd.factorize(table[sequence].map(cells.label), sort=False)
        titles = [f"{sequence} {kind}" if re.fullmatch(r"-?\d+", str(kind)) else str(kind) for kind in kinds]
        if (groups < 0).any():
            raise ValueError(
                f"row {sheet.row(groups < 0)} of {path.name} does not say which sequence it is of ({sequence})"
            )
    if clock is None:  # the k-th row of an object is frame k
        clock = table.groupby([groups, labels], sort=False).cumcount().to_numpy(np.float64)
    _check_order(sheet, np.stack([groups, labels], 1), clock, names, time)
    width, sequences = len(axes.places), []
    for group, title in enumerate(titles):
        rows = np.flatnonzero(groups == group)
        times, frames = np.unique(clock[rows], return_inverse=True)
        whole = np.full((len(times), len(names), values.shape[1]), np.nan)
        whole[frames, labels[rows]] = values[rows]
        speeds = whole[..., width:] if axes.speeds else None
        sequences.append(RawSequence(title, whole[..., :width], speeds, None, times))
    words = (
        f"in {path.name}, {of} names the object, {', '.join(axes.places)} {'are' if width > 1 else 'is'} where it is"
    )
    words += f", {', '.join(axes.speeds)} its velocity" if axes.speeds else ""
    words += (
        f", {time} the {'time' if seconds else 'frame'}{unit_words}"
        if time
        else ", rows of an object follow each other"
    )
    words += f", {sequence} the sequence" if sequence else ""
    unit = by_name[axes.places[0]].unit
    return RawSet(tuple(names), tuple(sequences), 0.0, seconds, None, unit, (*sheet.notes, words))


def _check_order(sheet: Sheet, who: np.ndarray, clock: Float[np.ndarray, " R"], names: list[str], time: str) -> None:
    """Refuse an object that is twice at one time, or goes back in time.

    Raises:
        ValueError: with the first such row.
    """
    order = np.lexsort((np.arange(len(clock)), who[:, 1], who[:, 0]))
    same = (np.diff(who[order], axis=0) == 0).all(1)
    back = same & (np.diff(clock[order]) <= 0)
    if not back.any():
        return
    pairs = [(int(order[k + 1]), int(order[k])) for k in np.flatnonzero(back).tolist()]
    row, before = min(pairs)
    name, where = names[who[row, 1]], f"row {row + sheet.first} of {sheet.path.name}"
    if clock[row] == clock[before]:
        raise ValueError(
            f"{where} is {name} at {time} {clock[row]:g} once more (as row {before + sheet.first}); leave one of them "
            "out, or name the column that tells them apart with --sequence"
        )
    raise ValueError(
        f"{where} goes back in time: {name} is at {time} {clock[row]:g} after {clock[before]:g}; sort rows by "
        "time, or name the column of sequences with --sequence"
    )


# Wide ----------------------------------------------------------------------------------------------------


def _wide(sheet: Sheet, columns: list[_Column], sequence: str, time: str, named: dict[str, _Axes]) -> RawSet:
    """One row a time."""
    sheet = sheet.without_more_headers(tuple(name for axes in named.values() for name in axes.places))
    path, table = sheet.path, sheet.table
    by_name = {column.name: column for column in columns}
    width = len(next(iter(named.values())).places)
    if any(len(axes.places) != width for axes in named.values()):
        odd = next(name for name, axes in named.items() if len(axes.places) != width)
        raise ValueError(f"{odd} in {path.name} has another number of coordinates than {next(iter(named))}")
    with_speeds = all(axes.speeds for axes in named.values())
    places = np.stack([sheet.values(axes.places) for axes in named.values()], 1)
    speeds = np.stack([sheet.values(axes.speeds) for axes in named.values()], 1) if with_speeds else None
    clock, seconds, unit_words = _clock(sheet, by_name, time)
    groups, titles = np.zeros(len(table), dtype=np.int64), [path.stem]
    if sequence:
        groups, kinds = pd.factorize(table[sequence].map(cells.label), sort=False)
        titles = [f"{sequence} {kind}" if re.fullmatch(r"-?\d+", str(kind)) else str(kind) for kind in kinds]
    sequences = []
    for group, title in enumerate(titles):
        rows = np.flatnonzero(groups == group)
        if clock is not None and (back := np.diff(clock[rows]) <= 0).any():
            before, row = (int(rows[np.flatnonzero(back)[0] + after]) for after in (0, 1))
            raise ValueError(
                f"row {row + sheet.first} of {path.name} goes back in time: {time} is {clock[row]:g} after "
                f"{clock[before]:g}; sort rows by time"
            )
        times = None if clock is None else clock[rows]
        sequences.append(RawSequence(title, places[rows], None if speeds is None else speeds[rows], None, times))
    listed = ", ".join(list(named)[:8]) + (" …" if len(named) > 8 else "")
    words = f"in {path.name}, each row is a time, with columns for {listed}"
    words += f"; {time} is the {'time' if seconds else 'frame'}{unit_words}" if time else ""
    unit = by_name[next(iter(named.values())).places[0]].unit
    return RawSet(tuple(named), tuple(sequences), 0.0, seconds, None, unit, (*sheet.notes, words))


def _clock(sheet: Sheet, by_name: dict[str, _Column], time: str) -> tuple[Float[np.ndarray, " R"] | None, bool, str]:
    """The time of each row, whether it is in seconds, and in what the column has it where that was guessed; None where
    no column says it.
    """
    if not time:
        return None, False, ""
    column = by_name[time]
    seconds = column.word in TIMES.split() or (column.unit in SECONDS and column.word not in FRAMES.split())
    if (moments := sheet.moments(time)) is not None:
        return moments, True, ""
    clock = sheet.values((time,))[:, 0]
    if (missing := np.isnan(clock)).any():
        raise ValueError(f"row {sheet.row(missing)} of {sheet.path.name} has no {time}; give every row its time")
    if not seconds:
        return clock, False, ""
    scale, words = (SECONDS[column.unit], "") if column.unit in SECONDS else cells.since_1970(clock)
    return (clock - clock[0]) * scale if words else clock * scale, True, f" in {words}" if words else ""

"""Tables as they lie in files: separators and headers, rows by the numbers that a spreadsheet gives them, and cells as
numbers and times. Lines beside the header that are no data are left out, and said.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0}
_SINCE_1970 = ((1e17, 1e-9, "nanoseconds"), (1e14, 1e-6, "microseconds"), (1e11, 1e-3, "milliseconds"))
"""From such a number on a moment since 1970 is in these, as from 1973 on."""
_MORE_HEADERS = 3
"""Lines under the header that may say more of its columns, such as their units; TrackMate's has three."""
_STARTS = {
    b"version https://git-lfs": "a Git LFS pointer, not the table; fetch it with `git lfs pull`",
    **dict.fromkeys(
        (b"<!doctype", b"<html"), "a web page, not a table; download the file itself, such as by its link 'raw'"
    ),
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save its sheet as CSV",
}


@dataclass(frozen=True)
class Sheet:
    """A table."""

    path: Path
    table: pd.DataFrame
    first: int = 2
    """Which row of the file its first row is, counted as a spreadsheet does: the header is usually row 1."""
    notes: tuple[str, ...] = ()

    def row(self, mask: np.ndarray | pd.Series) -> int:
        """The first such row."""
        return int(np.flatnonzero(np.asarray(mask))[0]) + self.first

    def values(self, columns: tuple[str, ...]) -> Float[np.ndarray, "R C"]:
        """Columns as numbers; empty cells are not a number.

        Raises:
            ValueError: a cell that holds something else, with its row.
        """
        values = np.empty((len(self.table), len(columns)))
        for place, name in enumerate(columns):
            numbers = pd.to_numeric(self.table[name], errors="coerce")
            wrong = (numbers.isna() & self.table[name].notna()).to_numpy()
            if wrong.any():
                cell = str(self.table[name].to_numpy()[wrong][0])[:40]
                raise ValueError(
                    f"row {self.row(wrong)} of {self.path.name} holds {cell!r} as {name}; write a number, or leave it "
                    "empty"
                )
            values[:, place] = numbers.to_numpy(np.float64)
        return values

    def moments(self, name: str) -> Float[np.ndarray, " R"] | None:
        """A column of dates or durations, such as 00:01:02.5, in seconds from the first; None if it holds others."""
        cells = self.table[name]
        if pd.api.types.is_timedelta64_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
            moments = cells
        elif pd.api.types.is_numeric_dtype(cells) or pd.to_numeric(cells, errors="coerce").notna().all():
            return None
        else:
            moments = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
            if moments.isna().any():
                moments = pd.to_timedelta(cells, errors="coerce")
        return None if moments.isna().any() else (moments - moments.iloc[0]).dt.total_seconds().to_numpy(np.float64)

    def without_more_headers(self, columns: tuple[str, ...]) -> Sheet:
        """The table without lines under its header that say more of these columns, where data hold numbers."""
        head = self.table[list(columns)].iloc[: _MORE_HEADERS + 1]
        words = (head.notna() & head.apply(pd.to_numeric, errors="coerce").isna()).all(axis=1).to_numpy()
        count = int(words.argmin()) if not words.all() else 0
        if not count:
            return self
        rest = self.table.iloc[count:].reset_index(drop=True)
        for name in rest.columns:
            numbers = pd.to_numeric(rest[name], errors="coerce")
            if numbers.notna().equals(rest[name].notna()):
                rest[name] = numbers
        rows = f"row {self.first}" if count == 1 else f"rows {self.first} to {self.first + count - 1}"
        note = f"{rows} of {self.path.name} hold no numbers and are left out"
        return Sheet(self.path, rest, self.first + count, (*self.notes, note))


def read(path: Path) -> Sheet:
    """The table in a file; DeepLabCut's headers as one line, and lines above the header that begin with # left out.

    Raises:
        OSError: the file is not there.
        ValueError: no table, or a line that has more cells than the header.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(path)
            return Sheet(path, table.reset_index(drop=all(name is None for name in table.index.names)))
        return _from_text(path)
    except (OSError, NoTableError):
        raise
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is no text in UTF-8; save it as a CSV in UTF-8") from None
    except Exception as error:  # whatever pandas or pyarrow find in a damaged file
        said = " ".join(str(error).split())[:120]
        raise ValueError(f"{path.name} is no table that can be read ({said}); save it again as CSV") from None


class NoTableError(ValueError):
    """What a text is instead of a table."""


def _from_text(path: Path) -> Sheet:
    with open(path, "rb") as file:
        start = file.read(64)
    if kind := next((words for sign, words in _STARTS.items() if start.lstrip().lower().startswith(sign.lower())), ""):
        raise NoTableError(f"{path.name} is {kind}")
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    above = 0
    with open(path, encoding=encoding) as file:
        lines: list[str] = []
        while len(lines) < 4 and (line := file.readline()):
            if not lines and (not line.strip() or line.lstrip().startswith(("#", "%"))):
                above += 1
            else:
                lines.append(line)
    if not lines:
        raise NoTableError(f"{path.name} is empty; save the table again")
    notes = (f"the first {above} lines of {path.name} are no header and are left out",) if above > 1 else ()
    separator = _separator(lines[0])
    first = [re.split(separator, line)[0].strip().lower() for line in lines]
    settings = {"sep": separator, "encoding": encoding, "skiprows": above}
    try:
        if first[0] == "scorer":
            depth = 4 if "individuals" in first else 3
            table = pd.read_csv(path, header=list(range(depth)), index_col=0, **settings)
            table.columns = [" ".join(map(str, name[1:-1])) + f"_{name[-1]}" for name in table.columns]
            table.insert(0, "frame", table.index)
            return Sheet(path, table.reset_index(drop=True), above + depth + 1, notes)
        decimal = "," if separator == ";" else "."
        table = pd.read_csv(path, decimal=decimal, skipinitialspace=True, **settings)
    except pd.errors.ParserError as error:
        if not (match := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))):
            raise
        raise NoTableError(
            f"row {match[2]} of {path.name} has {match[3]} cells and the rows above it {match[1]}; give every row as "
            "many cells as the header, and put text that holds separators in quotation marks"
        ) from None
    names = [str(name).strip() for name in table.columns]
    table.columns = names if len(set(names)) == len(names) else table.columns
    return Sheet(path, table, above + 2, notes)


def _separator(line: str) -> str:
    """What stands between cells; blanks where nothing else does."""
    try:
        return csv.Sniffer().sniff(line, delimiters=",;\t|").delimiter
    except csv.Error:
        return r"\s+" if len(line.split()) > 2 and not any(mark in line for mark in ",;\t|") else ","


def looks_like_data(names: list[str]) -> bool:
    """Whether what should be the names of columns are values: the header was left out."""
    numbers = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce")
    return bool(numbers.notna().sum() >= 2)


def since_1970(clock: Float[np.ndarray, " R"]) -> tuple[float, str]:
    """How long a unit of such times is in seconds, and what it is called; (1, "") for times that began with a film."""
    least = float(np.abs(clock).min()) if len(clock) else 0.0
    return next(((scale, word) for low, scale, word in _SINCE_1970 if least >= low), (1.0, ""))


def label(value: object) -> str | None:
    """7.0 and 7 are the same object."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return f"{value:g}" if isinstance(value, float) else str(value).strip()

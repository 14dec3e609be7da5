"""Tables as people really have them: the same five objects, whatever stands around their numbers."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hri.data.formats import own
from hri.data.raw import Choices
from hri.data.trajectories import TrajectorySet

PLACES = np.random.default_rng(0).normal(size=(70, 3, 2)).cumsum(0).round(3) + 100
NAMES = ("a", "b 2", "c")


def lines(head: str, row: str, end: str = "\n", above: str = "") -> str:
    """A row an object and time, ten frames a second; ``{t}`` is the number of the frame."""
    rows = [
        row.format(t=t, s=t / 10, n=name, x=x, y=y)
        for t, places in enumerate(PLACES)
        for name, (x, y) in zip(NAMES, places, strict=True)
    ]
    return above + end.join([head, *rows]) + end


PLAIN = lines("time,id,x,y", "{s:.1f},{n},{x},{y}")
SAME: dict[str, bytes | str] = {
    "ends of lines of Windows": PLAIN.replace("\n", "\r\n"),
    "ends of lines of old Macs": PLAIN.replace("\n", "\r"),
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16, as spreadsheets say Unicode": PLAIN.replace(",", "\t").encode("utf-16"),
    "lines of comment": "# recorded on Monday\n#\n\n" + PLAIN,
    "tabs": PLAIN.replace(",", "\t"),
    "blanks": PLAIN.replace("b 2", "b_2").replace(",", "  "),
    "bars": PLAIN.replace(",", "|"),
    "blanks around cells": lines(" time , id , x , y ", " {s:.1f} , {n} , {x} , {y} "),
    "quotation marks": lines('"time","id","x","y"', '{s:.1f},"{n}",{x},{y}'),
    "a number before each row": lines(",time,id,x,y", "{t},{s:.1f},{n},{x},{y}"),
    "a comma after each row": PLAIN.replace("\n", ",\n"),
    "capital letters": lines("TIME,ID,X,Y", "{s:.1f},{n},{x},{y}"),
    "moments of a day": lines("timestamp,id,x,y", "2024-01-01T12:00:0{s:.1f},{n},{x},{y}"),
    "hours, minutes, seconds": lines("time,id,x,y", "00:01:0{s:.1f},{n},{x},{y}"),
    "milliseconds since 1970": lines("timestamp,id,x,y", "17000000{t:03}00,{n},{x},{y}"),
    "seconds since 1970": lines("timestamp,id,x,y", "170000000{s:.1f},{n},{x},{y}"),
    "TrackMate's four headers": lines(
        "LABEL,TRACK_ID,POSITION_X,POSITION_Y,POSITION_T,FRAME\nLabel,Track,X,Y,T,Frame\nLabel,Track,X,Y,T,Frame\n"
        ",,(micron),(micron),(sec),",
        "ID{t},{n},{x},{y},{s:.1f},{t}",
    ),
}


def read(path: Path, content: bytes | str, **choices: object) -> TrajectorySet:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return own.read([path], Choices(**choices))  # type: ignore[arg-type]


def is_the_same(data: TrajectorySet) -> bool:
    joined = np.concatenate([part.positions for part in data.sequences])
    fits = np.allclose(joined, PLACES[1:], atol=1e-6) and data.fps == pytest.approx(10, rel=1e-6)
    return fits and tuple(name.replace("_", " ") for name in data.names) == NAMES


@pytest.mark.parametrize("kind", SAME)
def test_the_same_numbers_however_they_are_written(kind: str, tmp_path: Path) -> None:
    data = read(tmp_path / "t.csv", SAME[kind])
    assert is_the_same(data)
    said = " ".join(data.notes)
    assert ("rows 2 to 4 of t.csv hold no numbers and are left out" in said) == kind.startswith("TrackMate")
    assert ("the time in milliseconds" in said) == kind.startswith("milliseconds")
    assert ("the first 3 lines of t.csv are no header" in said) == (kind == "lines of comment")


@pytest.mark.parametrize("kind", ["durations", "moments", "categories", "an index of two levels"])
def test_the_same_numbers_whatever_parquet_calls_them(kind: str, tmp_path: Path) -> None:
    read(tmp_path / "t.csv", PLAIN)
    table = pd.read_csv(tmp_path / "t.csv")
    durations = pd.to_timedelta(table.time, unit="s")
    {
        "durations": table.assign(time=durations),
        "moments": table.assign(time=pd.Timestamp("2024-01-01") + durations),
        "categories": table.astype({"id": "category"}),
        "an index of two levels": table.set_index(["time", "id"]),
    }[kind].to_parquet(tmp_path / "t.parquet")
    assert is_the_same(own.read([tmp_path / "t.parquet"]))


REFUSED: dict[str, tuple[bytes | str, str]] = {
    "no header": (PLAIN.partition("\n")[2], r"the first line of t.csv holds values \(0.0, a, .*time,id,x,y"),
    "nothing": ("\n\n", "t.csv is empty"),
    "a web page": (" <!DOCTYPE html><p>404", "t.csv is a web page, not a table"),
    "a pointer": ("version https://git-lfs.github.com/spec/v1\n", "t.csv is a Git LFS pointer, not the table"),
    "packed": (gzip.compress(PLAIN.encode()), "t.csv is packed with gzip; unpack it first"),
    "a spreadsheet": (b"PK\x03\x04...", "a ZIP archive or a spreadsheet"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "t.csv is no text in UTF-8"),
    "more cells than names": (PLAIN + "9.9,a,1,2,3\n", "row 212 of t.csv has 5 cells and the rows above it 4"),
    "a word after comments": ("# one\n" + PLAIN + "9.9,a,one,2\n", "row 213 of t.csv holds 'one' as x"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_table_of_moving_things_is_called_what_it_is(kind: str, tmp_path: Path) -> None:
    content, sentence = REFUSED[kind]
    with pytest.raises(ValueError, match=sentence) as refusal:
        read(tmp_path / "t.csv", content)
    assert "\n" not in str(refusal.value)


def test_what_looks_as_if_it_stood_for_something_else_is_said(tmp_path: Path) -> None:
    zeros = (
        lines("time,id,x,y", "{s:.1f},{n},{x},{y}")
        .replace("5.1,b 2,", "5.1,b 2,0,0,#")
        .replace("5.2,b 2,", "5.2,b 2,0,0,#")
    )
    zeros = "\n".join(row.partition(",#")[0] for row in zeros.split("\n"))
    assert any(
        note.startswith("b 2 is at 0 along every axis in 2 frames") for note in read(tmp_path / "t.csv", zeros).notes
    )
    still = lines("time,id,x,y", "{s:.1f},{n},1,2")
    assert any(note.startswith("no object moves") for note in read(tmp_path / "t.csv", still).notes)
    flat = lines("time,id,x,y,z", "{s:.1f},{n},{x},{y},7")
    assert any(note.startswith("z is 7 for all objects") for note in read(tmp_path / "t.csv", flat).notes)
    assert any(
        "are in seconds, so 30 frames" in note for note in read(tmp_path / "t.csv", PLAIN, frame_rate=30.0).notes
    )
    with pytest.raises(
        ValueError, match=r"--resample 1e.06 would put more than 20 frames in place of each of t; choose 200"
    ):
        read(tmp_path / "t.csv", PLAIN, resample=1e6)


ARRAYS: dict[str, tuple[Callable[[], dict[str, object]], str]] = {
    "holes in the graph": (lambda: {"adjacency": np.full((3, 3), np.nan)}, "relations of a hold what is not a number"),
    "a graph by another name": (lambda: {"edges": np.zeros((3, 3, 3))}, "3 objects have 6 pairs, so they must be"),
    "half a graph": (lambda: {"adjacency": np.zeros((3, 2))}, r"adjacency in a.npz is float64 \[3, 2\]"),
    "a rate a sequence": (lambda: {"fps": np.full(4, 25.0)}, r"fps in a.npz is \[25.0, 25.0, 25.0, 25.0\]; it must"),
    "complex numbers": (lambda: {"positions": PLACES * 1j}, "positions in a.npz are complex128"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_do_not_fit_are_named(kind: str, tmp_path: Path) -> None:
    arrays, sentence = ARRAYS[kind]
    np.savez(tmp_path / "a.npz", **{"positions": PLACES, **arrays()})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=sentence):
        own.read([tmp_path / "a.npz"])


def test_words_in_bytes_are_words(tmp_path: Path) -> None:
    words = np.array(["a", "b 2", "c"]).astype("S")
    np.savez(
        tmp_path / "a.npz", positions=PLACES, names=words, parents=np.array([b"", b"a", b"a"]), units=np.bytes_("mm")
    )
    data = own.read([tmp_path / "a.npz"])
    assert (data.names, data.unit, data.tree.parents) == (NAMES, "mm", (-1, 0, 0))
    np.savez(tmp_path / "a.npz", positions=PLACES, adjacency=np.zeros((3, 3)))
    assert any("no two objects are related" in note for note in own.read([tmp_path / "a.npz"]).notes)


def test_a_generator_s_graph_of_another_size_is_held_against_its_balls(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        for name, shape in (("loc", (2, 20, 2, 3)), ("vel", (2, 20, 2, 3)), ("edges", (2, 4, 4))):
            np.save(tmp_path / f"{name}_{split}_springs3.npy", np.ones(shape))
    with pytest.raises(ValueError, match=r"is \[2, 4, 4\] and loc_train_springs3.npy holds 2 sequences of 3 objects"):
        own.read([tmp_path])

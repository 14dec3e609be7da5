"""How many files know each kind of thing: a kind is declared once, and the rest of the house asks the declaration.

A file knows a kind of thing if it may have to be opened when another one of it comes: it lists those that there are, or
tells one from another. Who merely uses one, such as a lesson that drops a curtain, does not. Names are read from the
code: imports, names, attributes, arguments and strings that are one word; comments, docstrings and running text do not
count. So it is a measure, not a proof: what is told apart by other names is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from hri.core.forces import FORCES
from hri.export.formats import NAMES
from hri.rollout.edits import KINDS

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Thing:
    """A kind of thing of which more may come."""

    files: int
    """Files that may know it: as many as do today, so that this is lowered with every one less, and never raised."""
    aim: int
    """Files that another one should take."""
    names: tuple[str, ...]
    """Names of those that there are."""
    several: int
    """A file that has so many of these names lists them or tells them apart."""
    marks: tuple[str, ...] = ()
    """Names of which one is enough: no file has them that does not tell them apart."""
    own: tuple[str, ...] = ()
    """Where each has a file of its own (a folder ends in "/"): all of this is one file more, however many there are."""


THINGS = {
    # The files of its own; core/config.py, where it is registered (its field of DataConfig, with settings that stand in
    # headers and on command lines, for which core may not look up to the folder of the sources); and two more, each of
    # which lists another kind of thing: core/presets.py its named experiments, whose names the form and the flags offer
    # before anything of hri.data is loaded, and cli/data.py the file formats that are converted to it, with a flag for
    # what must be said of each. A data set with neither a name nor a converter needs neither.
    "data set": Thing(
        files=4,
        aim=2,
        names=("motion", "clips"),
        several=2,
        own=("hri/data/clips.py", "hri/data/formats/", "hri/data/motion.py"),
    ),
    "decoder": Thing(
        files=3,
        aim=3,
        names=("slot", "par"),
        several=2,
        marks=("SlotDecoder", "ParallelDecoder"),
    ),
    "edit": Thing(
        files=2,
        aim=2,
        names=tuple(kind.__name__ for kind in KINDS.values()),
        several=3,
    ),
    "lesson": Thing(
        files=1,
        aim=1,
        names=("beliefs", "chance", "cutting", "decoders", "future", "limits", "messages", "parts"),
        several=5,
        own=("app/learn/lessons/",),
    ),
    "export": Thing(
        files=1,
        aim=1,
        names=NAMES,
        several=5,
    ),
    # The file of its own, and core/forces.py, where it is registered with its words: flags, forms and figures ask for
    # them without Numba, and core may not look up into the folder of the simulators.
    "physics": Thing(
        files=2,
        aim=1,
        names=tuple(physics for physics in FORCES if physics.isdecimal()),
        several=2,
        marks=("charged", "charged5"),
        own=("hri/physics/particles.py", "hri/physics/springs.py", "hri/physics/hierarchical.py"),
    ),
}


@cache
def code() -> dict[str, frozenset[str]]:
    """The names in each file of the package and the app, by its path."""
    paths = [path for folder in ("hri", "app") for path in (ROOT / folder).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): frozenset(names(path.read_text(encoding="utf-8"))) for path in paths}


def names(text: str) -> Iterator[str]:
    """Every name of a program, and every string of one word without the point of a file's ending."""
    tree = ast.parse(text)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name):
                yield from name.split(".")
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")
            case ast.Constant(value=str(word)) if id(node) not in said:
                yield word.removeprefix(".")


def who_knows(thing: Thing) -> list[str]:
    """The files that know a kind of thing; those of its own are one."""
    knowing = [
        path
        for path, words in code().items()
        if len(words & set(thing.names)) >= thing.several or words & set(thing.marks)
    ]
    shared = [path for path in knowing if not path.startswith(thing.own)]
    return sorted(shared) + ["a file of its own"] * bool(thing.own)


@pytest.mark.parametrize("name", THINGS)
def test_a_kind_of_thing_is_known_to_few_files(name: str) -> None:
    knowing = who_knows(THINGS[name])
    assert 0 < len(knowing) <= THINGS[name].files, "\n".join([f"who knows each {name}:", *knowing])


def test_what_is_counted_is_there() -> None:
    """A name that was changed would count as known to nobody."""
    everything = frozenset().union(*code().values())
    for thing in THINGS.values():
        assert {*thing.names, *thing.marks} <= everything
        assert all(any(path.startswith(place) for path in code()) for place in thing.own)
        assert thing.aim <= thing.files

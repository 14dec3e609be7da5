"""Edits as text: JSON for files, one short word for addresses. What cannot be read is refused in one sentence.

    {"version":1,"edits":[{"edit":"edge","sender":7,"receiver":2,"first":20},{"edit":"mute","node":5}]}
    1~edge_7_2_0_20~mute_5

Both leave out what has its default. Text comes from strangers: its length is checked before it is read, types and
ranges before an edit is made.
"""

from __future__ import annotations

import dataclasses
import json
import re
import reprlib
from collections.abc import Sequence
from typing import Any

from hri.rollout.edit_kind import Edit, Numbers
from hri.rollout.edits import KINDS

VERSION = 1
MAX_EDITS = 500
"""More than all edges between 21 slots, one by one."""
MAX_TEXT = 65_536
"""Characters read; more is refused unread."""


def to_json(edits: Sequence[Edit]) -> str:
    """Compact JSON."""
    plain = [{"edit": edit.word, **_arguments(edit)} for edit in edits]
    return json.dumps({"version": VERSION, "edits": plain}, separators=(",", ":"))


def from_json(text: str) -> tuple[Edit, ...]:
    """The reverse of :func:`to_json`.

    Raises:
        ValueError: too long, no JSON, another version, unknown or missing fields, values out of range.
    """
    _refuse_long(text)
    try:
        values = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the edits are no JSON ({' '.join(str(error).split())})") from None
    if not isinstance(values, dict) or values.keys() != {"version", "edits"} or not isinstance(values["edits"], list):
        raise ValueError('the edits must be one JSON object such as {"version": 1, "edits": []}')
    _refuse_version(values["version"])
    refuse_many(len(values["edits"]))
    return tuple(map(_from_object, values["edits"]))


def to_address(edits: Sequence[Edit]) -> str:
    """A word of letters, digits and ``~_-.``, which need no escape in an address; "" for no edits."""
    return "~".join([str(VERSION), *map(_to_word, edits)]) if edits else ""


def from_address(text: str) -> tuple[Edit, ...]:
    """The reverse of :func:`to_address`.

    Raises:
        ValueError: as :func:`from_json`.
    """
    _refuse_long(text)
    if not text:
        return ()
    version, *words = text.split("~")
    _refuse_version(int(version) if re.fullmatch(r"[0-9]{1,4}", version) else version)
    refuse_many(len(words))
    return tuple(map(_from_word, words))


def _arguments(edit: Edit) -> dict[str, Any]:
    """The fields that differ from their default."""
    return {f.name: getattr(edit, f.name) for f in dataclasses.fields(edit) if getattr(edit, f.name) != f.default}


def _from_object(values: Any) -> Edit:
    word = values.get("edit") if isinstance(values, dict) else None
    if not isinstance(word, str) or word not in KINDS:
        raise ValueError(f'{reprlib.repr(values)} is no edit; its "edit" must be one of {", ".join(KINDS)}')
    limits = KINDS[word].limits()
    plain = {name: value for name, value in values.items() if name != "edit"}
    for name, value in plain.items():
        if isinstance(value, list) and isinstance(limits.get(name), Numbers):
            # Whole numbers are written without a point; one too large for a float stays what it is, to be refused.
            plain[name] = tuple(float(n) if type(n) is int and abs(n) < 2**53 else n for n in value)
    return _build(KINDS[word], plain)


def _to_word(edit: Edit) -> str:
    """Fields in their order; defaults at the end are left out, others that are None are empty."""
    fields = list(dataclasses.fields(edit))
    while fields and getattr(edit, fields[-1].name) == fields[-1].default:
        fields.pop()
    parts = [edit.word]
    for f in fields:
        value = getattr(edit, f.name)
        parts += map(repr, value) if isinstance(value, tuple) else ["" if value is None else str(value)]
    return "_".join(parts)


def _from_word(text: str) -> Edit:
    word, *parts = text.split("_")
    if word not in KINDS:
        raise ValueError(f"{reprlib.repr(text)} is no edit; it must begin with one of {', '.join(KINDS)}")
    values: dict[str, Any] = {}
    for name, limit in KINDS[word].limits().items():
        if isinstance(limit, Numbers):
            values[name], parts = tuple(map(_decimal, parts)), []
        elif parts:
            part = parts.pop(0)
            values[name] = int(part) if re.fullmatch(r"-?[0-9]{1,12}", part) else part or None
    if parts:
        raise ValueError(f"{reprlib.repr(text)} has more parts than the edit {word!r} takes")
    return _build(KINDS[word], values)


def _decimal(text: str) -> float | str:
    """A number as Python writes it; anything else stays text, to be refused with the name of its field."""
    return float(text) if re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,20})?(e-[0-9]{1,3})?", text) else text


def _build(kind: type[Edit], values: dict[str, Any]) -> Edit:
    """An edit of plain values, all checked before it is made."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if strangers := sorted(values.keys() - fields.keys()):
        raise ValueError(f"the edit {kind.word!r} has no {reprlib.repr(strangers[0])}; choose from {', '.join(fields)}")
    missing = [name for name, f in fields.items() if f.default is dataclasses.MISSING and name not in values]
    if missing:
        raise ValueError(f"the edit {kind.word!r} lacks its {missing[0]}")
    kind.check({name: values.get(name, f.default) for name, f in fields.items()})
    return kind(**values)


def _refuse_long(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise ValueError(f"the edits are {len(text)} characters long; the limit is {MAX_TEXT}")


def refuse_many(count: int) -> None:
    """Refuse more than :data:`MAX_EDITS` edits.

    Raises:
        ValueError: so many.
    """
    if count > MAX_EDITS:
        raise ValueError(f"there are {count} edits; the limit is {MAX_EDITS}: edit whole levels instead")


def _refuse_version(version: Any) -> None:
    if type(version) is not int or version != VERSION:
        raise ValueError(f"the edits have version {reprlib.repr(version)}; this program reads version {VERSION}")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number here")

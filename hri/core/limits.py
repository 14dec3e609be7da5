"""Ranges beside the fields they hold for, and frozen dataclasses from JSON: one sentence for whatever does not fit.

A field of a dataclass says its range in its type, ``batch: Annotated[int, Between(1, 100_000)] = 32``; checks, forms
and whatever else needs the range read it from there.

JSON is read here rather than by msgspec, which was tried on the sentences of tests/core/test_config.py (0.22): it takes
unknown settings of a dataclass without a word, refuses a choice without naming those there are ("Invalid enum value
'06' - at `$.data.physics`"), never says which value was wrong, and does not look at ranges where an object is made
in Python. Each would have needed code around it that is longer than :func:`from_plain`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal


@dataclass(frozen=True)
class Between:
    """Range of a number, both ends allowed; not-a-number is never in it."""

    low: int | float
    high: int | float


@cache
def limits(kind: type) -> dict[str, Between]:
    """Ranges of a dataclass and of those in it, optional ones too, by path such as "train.batch", in their order."""
    ranges: dict[str, Between] = {}
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        inner = next((option for option in _options(hint) if dataclasses.is_dataclass(option)), None)
        if isinstance(inner, type):
            ranges |= {f"{name}.{path}": limit for path, limit in limits(inner).items()}
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, Between):
                ranges[name] = note
    return ranges


def check_limits(values: Any) -> None:
    """Refuse a dataclass in which a number is out of its range.

    Raises:
        ValueError: the first such number by its path, with its range.
    """
    kind: type = type(values)
    for path, limit in limits(kind).items():
        value = values
        for name in path.split("."):
            value = None if value is None else getattr(value, name)
        if value is not None and not limit.low <= value <= limit.high:
            raise ValueError(f"{path} is {value}; choose a value from {limit.low} to {limit.high}")


def from_plain(kind: Any, value: Any, path: str) -> Any:
    """JSON as the annotated type: a dataclass, a choice, a tuple, a plain value, or any of these or None.

    Args:
        path: of the value, as sentences name it.

    Raises:
        ValueError: an unknown setting, a wrong type or a choice that does not exist, named with its path.
    """
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{path} must be an object of settings, not {value!r}")
        hints = typing.get_type_hints(kind)
        if unknown := sorted(value.keys() - hints.keys()):
            raise ValueError(f"unknown setting {path}.{unknown[0]}; choose from {', '.join(sorted(hints))}")
        return kind(**{name: from_plain(hints[name], item, f"{path}.{name}") for name, item in value.items()})
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{path} is {value!r}; choose from {', '.join(map(str, typing.get_args(kind)))}")
        return value
    if typing.get_origin(kind) is types.UnionType:
        inner = next(option for option in _options(kind) if option is not type(None))
        return None if value is None else from_plain(inner, value, path)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} must be a list, not {value!r}")
        return tuple(from_plain(typing.get_args(kind)[0], item, path) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{path} must be {kind.__name__}, not {value!r}")
    return value


def _options(hint: Any) -> tuple[Any, ...]:
    """The types of "this or None", or the one there is."""
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)

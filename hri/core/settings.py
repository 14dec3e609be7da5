"""Every setting of an experiment as a form needs it: its path, its docstring as help, its kind and its range.

All comes from the config's dataclasses (:mod:`hri.core.config`); nothing is said twice.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from hri.core.config import Config
from hri.core.limits import limits

LABELS = ("name", "data.motion.joints", "data.own.names")
"""Settings that nobody sets in a form."""
Kind = Literal["number", "integer", "choice", "switch", "text", "numbers"]


@dataclass(frozen=True)
class ConfigSetting:
    """One field of the config."""

    path: str
    """Such as "train.learning_rate"."""
    help: str
    kind: Kind
    choices: tuple[Any, ...] = ()
    """Of a choice."""
    low: int | float | None = None
    high: int | float | None = None

    @property
    def label(self) -> str:
        """Its last name in words."""
        return self.path.rpartition(".")[2].replace("_", " ")


def settings(config: Config) -> list[ConfigSetting]:
    """All settings that this config has, in the order of their definition; image models have more."""
    return list(_settings(type(config), config, ""))


def value_of(config: Config, path: str) -> Any:
    """The value at a path.

    Raises:
        ValueError: no such setting.
    """
    value: Any = config
    for name in path.split("."):
        if not dataclasses.is_dataclass(value) or not hasattr(value, name):
            raise ValueError(f"there is no setting {path}")
        value = getattr(value, name)
    return value


def changed(config: Config, values: dict[str, Any]) -> Config:
    """The config with other values, by their paths.

    Raises:
        ValueError: a path that does not exist or a value that does not fit; the sentence names it.
    """
    plain = config.to_dict()
    for path, value in values.items():
        value_of(config, path)
        *folders, last = path.split(".")
        place = plain
        for folder in folders:
            place = place[folder]
        place[last] = list(value) if isinstance(value, tuple) else value
    return Config.from_dict(plain)


def differences(configs: list[Config]) -> dict[str, list[Any]]:
    """Settings in which configs differ, each with its values in order; None where a config has no such setting."""
    paths = dict.fromkeys(setting.path for config in configs for setting in settings(config))

    def value_at(config: Config, path: str) -> Any:
        try:
            return value_of(config, path)
        except ValueError:
            return None

    rows = {path: [value_at(config, path) for config in configs] for path in paths}
    return {path: values for path, values in rows.items() if any(value != values[0] for value in values)}


def _settings(kind: type, value: Any, before: str) -> Iterator[ConfigSetting]:
    hints, helps = typing.get_type_hints(kind), docstrings(kind)
    for item in dataclasses.fields(kind):
        path, hint, now = f"{before}{item.name}", hints[item.name], getattr(value, item.name)
        if dataclasses.is_dataclass(now):
            yield from _settings(type(now), now, f"{path}.")
        elif not (isinstance(hint, types.UnionType) or path in LABELS):  # none, or mere labels
            limit = limits(Config).get(path)
            low, high = (limit.low, limit.high) if limit else (None, None)
            choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
            yield ConfigSetting(path, helps.get(item.name, ""), _kind(hint), choices, low, high)


def _kind(hint: Any) -> Kind:
    if typing.get_origin(hint) is Literal:
        return "choice"
    if typing.get_origin(hint) is tuple:
        return "numbers"
    kinds: dict[Any, Kind] = {bool: "switch", int: "integer", float: "number", str: "text"}
    return kinds[hint]


@cache
def docstrings(kind: type) -> dict[str, str]:
    """The string under each field of a dataclass, on one line."""
    (tree,) = ast.parse(inspect.cleandoc(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    texts = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            texts[field.target.id] = " ".join(str(text.value.value).split())
    return texts

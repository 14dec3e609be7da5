"""The code of a lesson as a visitor reads and runs it: the lines of the function itself, with the page's values."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any


def listing(function: Callable[..., str], values: Mapping[str, Any]) -> str:
    """A function's source as a script that prints what the function returns for these values.

    What the function takes from its own module becomes imports, its parameters become assignments of literals (so no
    value can be code), and its last line, which returns, prints.

    Args:
        function: whose body ends in its only ``return``; imports of its own stand first in it.
        values: of all its parameters, by name.

    Raises:
        ValueError: it does not end in a ``return`` of something.
    """
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    head = [definition.body[0]] if ast.get_docstring(definition) else []
    body = definition.body[len(head) :]
    own = [statement for statement in body if isinstance(statement, ast.Import | ast.ImportFrom)]
    last = body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        raise ValueError(f"{function.__name__} ends in no return, so there is nothing to print")
    # From the line after these: a comment above the first step comes along.
    above = [*head, *own][-1].end_lineno if head or own else body[0].lineno - 1
    steps = textwrap.dedent("\n".join(source.splitlines()[above : last.lineno - 1])).strip("\n")
    imports = sorted([*_imports(function, definition), *map(ast.unparse, own)])
    assignments = [f"{name} = {values[name]!r}" for name in inspect.signature(function).parameters]
    end = f"print({ast.get_source_segment(source, last.value)})"
    parts = ["\n".join(imports), "\n".join(assignments), f"{steps}\n{end}" if steps else end]
    return "\n\n".join(part for part in parts if part) + "\n"


def _imports(function: Callable[..., str], definition: ast.FunctionDef) -> list[str]:
    """Lines that import what a function's body takes from its module, one line for each module it came from."""
    local = set(function.__code__.co_varnames) | set(function.__code__.co_cellvars)
    names = {
        node.id
        for statement in definition.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id in function.__globals__ and node.id not in local
    }
    homes: dict[str, list[str]] = {}
    for name in sorted(names):
        value = function.__globals__[name]
        has_home = inspect.isfunction(value) or inspect.isclass(value)
        homes.setdefault(value.__module__ if has_home else function.__module__, []).append(name)
    return [f"from {home} import {', '.join(members)}" for home, members in homes.items()]

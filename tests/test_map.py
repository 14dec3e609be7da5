"""The map in ``hri/__init__.py``: every file is on it, and none imports one that comes after it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import hri

FOLDER = Path(hri.__file__).parent


def on_the_map() -> list[str]:
    """Names of files in the map's order; a star stands for every file that is not named elsewhere."""
    rows = re.findall(r"^\| ([^|]*?) +\|", hri.__doc__ or "", re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"[\w*]+\.py", row)]
    order: list[str] = []
    for name in named:
        order += [path.name for path in sorted(FOLDER.glob(name)) if path.name == name or path.name not in named]
    return order


def imported(path: Path) -> set[str]:
    """Files of the package that one needs as it is imported, not for a type's name nor later on."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "hri":
            module = (node.module or "").partition(".")[2]
            names |= {f"{module}.py"} if module else {f"{alias.name}.py" for alias in node.names}
    return names


def test_the_map_is_complete_and_in_reading_order() -> None:
    order = on_the_map()
    assert sorted(order) == sorted(path.name for path in FOLDER.glob("*.py") if not path.name.startswith("__"))
    for place, name in enumerate(order):
        assert imported(FOLDER / name) <= set(order[:place]), name

"""The map in the ``__init__`` of each folder: every file is on it, and none imports one that comes after it."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import hri

ROOT = Path(hri.__file__).parent
FOLDERS = re.findall(r"^- ([a-z, ]+):", hri.__doc__ or "", re.MULTILINE)
LINES = 350
ORDER = [name for row in FOLDERS for name in row.split(", ")]


def on_the_map(folder: str) -> list[str]:
    """Modules of a folder in the order of its map, such as "formats.bvh"."""
    text = importlib.import_module(f"hri.{folder}").__doc__ or ""
    rows = re.findall(r"^- ([\w., \n]+?):", text, re.MULTILINE)
    return [name.strip() for row in rows for name in row.split(",")]


def files(folder: str) -> dict[str, Path]:
    """Modules of a folder by name."""
    paths = (path for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(ROOT / folder).with_suffix("").parts): path for path in paths}


def imported(path: Path) -> set[str]:
    """Modules of the package that one imports anywhere, also inside functions; not for a type's name alone."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == "hri":
                module = (child.module or "").removeprefix("hri").removeprefix(".")
                parts = [f"{module}.{alias.name}".removeprefix(".") for alias in child.names]
                names.update(part if (ROOT / f"{part.replace('.', '/')}.py").exists() else module for part in parts)
            elif isinstance(child, ast.Import):
                names.update(alias.name[4:] for alias in child.names if alias.name.startswith("hri."))
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return names


def test_there_are_no_loose_modules_and_every_folder_is_on_the_map() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]
    folders = {path.parent.relative_to(ROOT).parts[0] for path in ROOT.rglob("*/__init__.py")}
    assert folders == set(ORDER)


def test_a_module_is_short_or_says_why_not() -> None:
    for path in [*ROOT.rglob("*.py"), *(ROOT.parent / "app").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        head = ast.get_docstring(ast.parse(text)) or ""
        assert text.count("\n") <= LINES or f"Over {LINES} lines:" in head, path


METHOD = ("core/records", "core/hierarchy", "model/relations", "model/dynamics", "model/decoders", "model/model")
"""Whoever reads these in this order knows the method."""


def test_the_method_is_told_in_few_lines() -> None:
    """Not to be raised: what is of files, names, devices, training or drawing has a place beside these."""
    assert sum((ROOT / f"{name}.py").read_text(encoding="utf-8").count("\n") for name in METHOD) < 800


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_is_read_from_top_to_bottom_and_imports_only_what_stands_above_it(folder: str) -> None:
    order, above = on_the_map(folder), ORDER[: ORDER.index(folder)]
    assert sorted(order) == sorted(files(folder))
    for name, path in files(folder).items():
        for module in imported(path):
            place, _, inside = module.partition(".")
            if place == folder:
                assert inside in order[: order.index(name)], f"{folder}/{name} imports {inside}"
            else:
                assert place in above, f"{folder}/{name} imports {module}"


def test_the_files_that_docs_send_one_to_are_there() -> None:
    root = ROOT.parent
    for page in [root / "README.md", *(root / "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"`((?:hri|app|tests)/[a-z_/0-9]+\.(?:py|js))`", text):
            assert (root / name).is_file(), f"{page.name} names {name}"
        for name in re.findall(r"\]\(((?!http)[^)#]+)", text):
            assert (page.parent / name).exists(), f"{page.name} links to {name}"


def test_a_class_name_is_used_once() -> None:
    places: dict[str, list[str]] = {}
    for path in [*ROOT.rglob("*.py"), *(ROOT.parent / "app").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT.parent)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}

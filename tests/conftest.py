"""What every test shares: shapes checked while it runs, one thread, and the published reference files."""

from __future__ import annotations

import ast
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

"""Run ``python -m hri`` as on a machine where some packages were never installed: ``bare.py NAME,NAME COMMAND ...``."""

from __future__ import annotations

import importlib.machinery
import runpy
import sys
from typing import Any

_find = importlib.machinery.PathFinder.find_spec
_absent = frozenset(sys.argv[1].split(","))


class Bare(importlib.machinery.PathFinder):
    """Finds what Python finds, but for those packages."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        return None if fullname.partition(".")[0] in _absent else _find(fullname, path, target)


sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Bare
sys.argv = ["hri", *sys.argv[2:]]
runpy.run_module("hri", run_name="__main__", alter_sys=True)

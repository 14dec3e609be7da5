"""What tests of lessons share: the committed models, their stored rollouts, and the code that a lesson shows, run."""

from __future__ import annotations

import contextlib
import io
import runpy
import tempfile
from functools import cache
from pathlib import Path

from app.learn.course import IMAGE_MODELS
from app.learn.lessons import lesson_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint, load

ROOT = Path(__file__).parents[3]
TREE = Tree.parse("4-3")
SLOT, PAR = IMAGE_MODELS["SlotDec"], IMAGE_MODELS["ParDec"]


@cache
def model(name: str) -> Checkpoint:
    return load(file(name))


def file(name: str) -> Path:
    return ROOT / "checkpoints" / f"{name}.safetensors"


@cache
def stored(name: str) -> Rollout:
    return Rollout.load(ROOT / "assets" / "stored" / f"{name}.npz").scene(0)


def printed(key: str, **values: object) -> str:
    """What the code under a lesson prints, run as it is shown."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        path = Path(folder) / "lines.py"
        path.write_text(lesson_of(key).lines(**values), encoding="utf-8")
        runpy.run_path(str(path))
    return out.getvalue().strip()

"""The Python that the app shows runs as it is, and makes the same picture."""

from __future__ import annotations

import dataclasses
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.data.video import Cut, VideoClip
from hri.export.formats import export
from hri.export.script import clip_lines, python_lines
from hri.model.checkpoint import Checkpoint, save
from hri.physics.springs import simulate
from hri.physics.systems import System
from hri.rollout.edits import ChooseEdges, Curtain, Edit, Mute, Nudge, SetEdge
from hri.rollout.interventions import Intervention
from hri.rollout.likeness import footage_for, roll_out_footage
from hri.rollout.rollout import roll_out
from tests.clips import moving_dot, video
from tests.rollout.test_rollout import made

STATE, SLOT = "springs-4-3-state-hri-h", "springs-4-3-slot-hri-h"
NAME = 'it\'s "a" \\ name'


def stored(name: str, folder: Path) -> Checkpoint:
    """A checkpoint with an awkward name, on disk."""
    save(folder / f"{NAME}.safetensors", made(name).model, made(name).header)
    return dataclasses.replace(made(name), name=NAME)


def run(lines: str, folder: Path) -> None:
    """Run the lines as a file, in this process."""
    (folder / "lines.py").write_text(lines, encoding="utf-8")
    runpy.run_path(str(folder / "lines.py"))


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        (STATE, ()),
        (STATE, (SetEdge(8, 2), Nudge(8, 4, (0.1, -0.2)), ChooseEdges("sample", 3, 5), Mute(6, 3))),
        (SLOT, (Curtain(3, 4), Mute(6))),
    ],
)
def test_the_lines_make_the_same_picture(
    name: str, edits: tuple[Edit, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint, tree = stored(name, tmp_path), Tree.parse("4-3")
    whole = Intervention(edits)
    seen = roll_out(checkpoint, simulate(tree, "04", [11]), 7, edges="sample", seed=5, intervention=whole)
    lines = python_lines(seen, f"{NAME}.safetensors", "4-3", "04", frame=44, picture="again.svg")
    run(lines, tmp_path)
    export(seen, "first.svg", frame=44)
    assert Path("again.svg").read_bytes() == Path("first.svg").read_bytes()
    run(lines.replace("again.svg", "again.npz"), tmp_path)
    assert np.array_equal(Rollout.load("again.npz").predicted_slots, seen.predicted_slots)


def test_a_scene_drawn_by_hand_and_another_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = stored(SLOT, tmp_path)
    system = dataclasses.replace(System.of_seed("3-3", "05", 4), springs=((0, 1),))
    seen = roll_out(checkpoint, system.simulate(), 10, tree=Tree.parse("3-3"))
    run(python_lines(seen, f"{NAME}.safetensors", "3-3", "05", system=system, picture="again.npz"), tmp_path)
    assert np.array_equal(Rollout.load("again.npz").predicted_slots, seen.predicted_slots)
    with pytest.raises(ValueError, match="has no seed"):
        python_lines(seen, "a.safetensors", "3-3", "05")


def test_a_clip_beside_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint, edits = stored(SLOT, tmp_path), Intervention((Mute(6),))
    clip = VideoClip(tmp_path / "it's.mp4", "it's.mp4", Cut(start=0.2, crop=(0, 0, 48, 48), grey=True))
    clip.path.write_bytes(video("mp4", moving_dot(16)))
    footage = footage_for(checkpoint, clip.path, clip.name, clip.cut)
    seen = roll_out_footage(checkpoint, footage, 10, intervention=edits).rollout
    run(clip_lines(seen, f"{NAME}.safetensors", clip, picture="again.npz"), tmp_path)
    assert np.array_equal(Rollout.load("again.npz").predicted_slots, seen.predicted_slots)


def test_the_lines_run_in_a_fresh_interpreter(tmp_path: Path) -> None:
    checkpoint = stored(STATE, tmp_path)
    seen = roll_out(checkpoint, simulate(Tree.parse("4-3"), "04", [11]))
    lines = python_lines(seen, f"{NAME}.safetensors", "4-3", "04", picture="picture.json")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "picture.json").stat().st_size > 1000


def test_no_name_becomes_code() -> None:
    seen = dataclasses.replace(roll_out(made(STATE), simulate(Tree.parse("4-3"), "04", [1])), edges="x'\nimport os")
    lines = python_lines(seen, "'); import os; ('", "4-3'\n1/0", "04")
    assert not any(line.startswith(("import os", "1/0")) for line in lines.splitlines())
    assert len(lines.splitlines()) == 11

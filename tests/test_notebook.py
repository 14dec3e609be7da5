"""In a notebook: five lines, a player that may do nothing but play, and the example that is shipped."""

from __future__ import annotations

import code
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hri
from hri.core.records import Rollout
from hri.export import notebook
from hri.export.offline import page
from tests.flat_models import made, rolled, systems
from tests.synthetic import slot_rollout

ROOT = Path(hri.__file__).parents[1]


def test_a_rollout_shows_its_player_in_a_frame_that_may_only_play() -> None:
    rollout = slot_rollout()
    shown = rollout._repr_html_()
    assert shown is not None
    (attributes,) = re.findall(r"<iframe ([^>]*)>", shown)
    assert re.findall(r'sandbox="([^"]*)"', attributes) == ["allow-scripts"]
    (inside,) = re.findall(r'srcdoc="([^"]*)"', attributes)
    assert html.unescape(inside) == page(rollout.scene(0))
    assert len(shown.encode()) < notebook.LARGEST
    assert "Content-Security-Policy" in html.unescape(inside)


def test_names_from_a_file_cannot_leave_the_frame() -> None:
    evil = '"></iframe><script>alert(1)</script>'
    rollout = rolled("springs5-state-nri").scene(0)
    names = np.array([evil, "b", "c", "d", "e"])
    shown = Rollout(**{**vars(rollout), "joints": names, "checkpoint": evil})._repr_html_()
    assert shown is not None
    assert shown.count("<iframe") == shown.count("</iframe>") == 1
    assert "<script" not in shown


def test_what_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "LARGEST", 1000)
    shown = slot_rollout()._repr_html_()
    assert shown is not None
    assert "<iframe" not in shown
    assert "more than a notebook should keep" in shown


def test_several_scenes_are_told_apart() -> None:
    rollout = rolled("springs5-state-nri")
    assert "Scene 0 of 2" in str(rollout._repr_html_())
    assert np.array_equal(hri.show(rollout, 1).slots[0], rollout.slots[1])


def test_hri_is_a_call_and_loads_nothing_before_it_is_used() -> None:
    lines = (
        "import sys, hri\n"
        "assert not {'torch', 'numpy', 'numba', 'pandas'} & sys.modules.keys()\n"
        "from hri.core.records import Rollout\n"
        "assert callable(hri.rollout) and 'torch' not in sys.modules\n"
        "from hri.rollout.settings import Settings\n"
        "assert hri.rollout.settings.Settings is Settings\n"
        "try:\n    hri.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "module 'hri' has no attribute 'nothing'"


def test_a_rollout_in_one_call(tmp_path: Path) -> None:
    checkpoint, scenes = made("springs5-state-nri"), systems("springs5-state-nri")
    whole = rolled("springs5-state-nri")
    call: Any = hri.rollout
    by_seed = call(checkpoint, [200_042, 200_043])
    assert np.array_equal(by_seed.predicted_slots, whole.predicted_slots)
    assert np.array_equal(call(checkpoint, scenes).predicted_slots, whole.predicted_slots)
    np.savez(tmp_path / "s.npz", positions=scenes.positions, velocities=scenes.velocities, adjacency=scenes.springs)
    assert np.array_equal(call(checkpoint, tmp_path / "s.npz").predicted_slots, whole.predicted_slots)
    assert call(checkpoint, free_steps=3).last_true_input == whole.slots.shape[1] - 3
    with pytest.raises(ValueError, match=r"there is no trajectories.npz"):
        call(checkpoint, tmp_path)


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code cells in order, as a notebook runs them, with few updates; the last line of each is shown."""
    monkeypatch.chdir(ROOT)
    shown: list[Any] = []
    monkeypatch.setattr(sys, "displayhook", shown.append)
    book = json.loads((ROOT / "docs" / "own-data.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    shell = code.InteractiveInterpreter({"__name__": "__main__"})
    monkeypatch.setattr(shell, "showtraceback", lambda: pytest.fail(str(sys.exc_info()[1])))
    for cell in cells:
        body = cell.replace("UPDATES = 700", "UPDATES = 2")
        *before, last = body.split("\n")
        if before:
            shell.runsource("\n".join(before), "cell", "exec")
        shell.runsource(last, "cell", "single")
    rollouts = [value for value in shown if isinstance(value, Rollout)]
    assert len(rollouts) == 2
    assert all("<iframe" in str(rollout._repr_html_()) for rollout in rollouts)
    assert rollouts[1].tree.names == ("hub", "red", "green", "blue", "grey")
    assert list(shown[-1].index) == sorted(rollouts[1].tree.names)
    summary = next(value for value in shown if isinstance(value, dict) and "unit" in value)
    assert (summary["unit"], summary["objects"], summary["frames_a_second"]) == ("mm", 5, pytest.approx(25))

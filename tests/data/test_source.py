"""What may be asked of a source of scenes, of every kind; and that a new kind is one file and its registration."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import hri
from hri.core.config import Config, DataConfig, MotionConfig, Origin
from hri.core.hierarchy import Tree
from hri.core.presets import BODIES, PRESETS, preset
from hri.core.records import Normalisation, Trajectories
from hri.data.dataset import Springs
from hri.data.source import Source, Split
from hri.data.sources import SOURCES, shown_in, source_of
from hri.data.spring_systems import SpringSystems
from hri.rollout.scenes import scenes_of
from hri.scores import ceilings

ROOT = Path(hri.__file__).parents[1]
EVERY = {preset.data: name for name, preset in PRESETS.items()}
OWN = {
    "hri/core/config.py",
    *(f"hri/data/{name}.py" for name in ("windows", "clip_windows", "recorded_bodies", "recorded_clips")),
}
"""Files that may read what a configuration says of recordings: itself, and those of the kind."""


def readers(root: Path, fields: set[str]) -> dict[str, set[int]]:
    """Lines, by file, that ask a configuration for fields of this name, such as ``config.data.motion``."""
    lines: dict[str, set[int]] = {}
    for path in sorted([*(root / "hri").rglob("*.py"), *(root / "app").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in fields:
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                if owner in ("data", "own"):
                    lines.setdefault(str(path.relative_to(root)), set()).add(node.lineno)
    return lines


def test_nobody_else_asks_what_kind_of_recordings_a_configuration_names() -> None:
    assert readers(ROOT, {"motion", "clips"}).keys() <= OWN


@pytest.mark.parametrize("data", EVERY, ids=EVERY.values())
def test_every_preset_s_source_answers_without_its_data(data: DataConfig) -> None:
    source = source_of(data)
    names = [axis.name for axis in source.axes]
    assert (source.tree is None) == (not source.axes) == (not source.has_states)
    assert names == (["x", "y", "vx", "vy"] if source.has_states else [])
    assert source.simulated <= source.truth_known
    assert source.simulated == (source.how_to_get == "")
    for text in (source.label, source.name, source.title, source.seeds_mean, source.shows, source.files):
        assert text == text.strip() != ""
    assert source.caution == "" or source.shows == "a recorded body"
    if not source.simulated:
        assert source_of(source.in_folder("elsewhere")).data.origin != data.origin
        assert source_of(source.in_folder("elsewhere")).here is False
        assert source_of(source.in_folder("elsewhere")).standing(42) == f"a {source.piece} met in training"


def test_axes_have_names_and_units() -> None:
    body = dataclasses.replace(BODIES["mocap"][0], dimensions=3, metres=2.0)
    source = source_of(DataConfig(tree=BODIES["mocap"][1], motion=body))
    assert [axis.name for axis in source.axes] == ["x", "y", "z", "vx", "vy", "vz"]
    assert [axis.unit for axis in source.axes] == ["units of 2 metres"] * 3 + ["units of 2 metres a second"] * 3
    assert source.tree is not None
    assert source.tree.names == body.joints
    assert [axis.unit for axis in source_of(DataConfig()).axes] == ["box units"] * 2 + ["as simulated"] * 2


def test_simulated_systems_come_from_no_folder() -> None:
    with pytest.raises(ValueError, match="simulated spring systems come from no folder; give what `simulate` wrote"):
        source_of(DataConfig()).in_folder("elsewhere")


def test_asking_needs_neither_torch_nor_numba() -> None:
    code = (
        "import sys; from hri.core.presets import PRESETS; from hri.data.sources import source_of;"
        "[(s.axes, s.title, s.here, s.how_to_get) for s in (source_of(c.data) for c in PRESETS.values())];"
        "sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# A new kind ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class PendulumConfig(MotionConfig):
    """What a configuration says of a new kind, in place of a field of its own."""

    no_truth = "a pendulum, and nobody looked inside"


class Pendulums(Source):
    """Two balls, one of which swings."""

    shows = "a pendulum"
    files = "pendulums"

    @property
    def units(self) -> tuple[str, str]:
        return "metres", "metres a second"

    @property
    def label(self) -> str:
        return "pendulums"

    @property
    def name(self) -> str:
        return "pendulum"

    title = seeds_mean = about = name

    def scenes(self, seeds: Sequence[int]) -> Trajectories:
        angles = np.sin(np.arange(self.data.steps) / 5 + np.asarray(seeds)[:, None])
        places = np.zeros((*angles.shape, 2, 2))
        places[:, :, 1] = np.stack([np.sin(angles), -np.cos(angles)], -1)
        tree = Tree.parse(self.data.tree)
        return Trajectories(np.asarray(seeds), places, np.gradient(places, axis=1), None, tree.possible)

    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Springs:
        scenes = self.scenes(self.data.seeds(split))
        return Springs(self.data, scenes, normalisation or Normalisation.of(scenes))


def test_a_new_kind_is_its_file_and_its_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, PendulumConfig, Pendulums)
    data = DataConfig(tree="1", train=3, motion=PendulumConfig(frames=30))
    config = Config(data=data, train=dataclasses.replace(preset("mocap-state-hri").train, free_steps=5))
    scene = scenes_of(data, [7])
    assert isinstance(scene, Trajectories)
    assert shown_in(scene) == SpringSystems.shows
    training = source_of(data).sequences("train")
    assert training.states.shape == (3, 30, 2, 4)
    assert not training.joined
    assert ceilings.objection(config) == "predicts a pendulum, and nobody looked inside; choose a model of springs"


def test_what_is_registered_is_found_by_its_own_configuration() -> None:
    assert SOURCES[Origin] is SpringSystems
    for data in EVERY:
        assert type(source_of(data)) is SOURCES[type(data.origin)]

"""Trajectories of one's own in the pages: looked at before anything is computed, then trained on, then explored."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import library, places, running
from app.explore import own
from app.train import estimating
from hri.core.presets import preset
from hri.core.records import Normalisation
from hri.data.formats.own import read
from hri.data.raw import Choices
from hri.data.sources import source_of
from hri.data.trajectories import FILE, TrajectorySet
from hri.model.checkpoint import Header, save
from hri.model.model import Model
from hri.view.history_charts import node_states
from tests.app.test_app import ROOT
from tests.trajectories import NAMES, moving, write_table


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> TrajectorySet:
    return read([write_table(tmp_path_factory.mktemp("bees") / "bees.csv", moving(20))])


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "OWN", tmp_path / "own")
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    return tmp_path


def opened() -> AppTest:
    def page() -> None:
        from app.explore import own

        own.dialog()

    return AppTest.from_function(page, default_timeout=60).run()


def test_what_was_understood_is_shown_and_wrong_files_say_why(tmp_path: Path, kept: Path) -> None:
    app = opened()
    assert not app.exception
    content = write_table(tmp_path / "bees.csv", moving(20)).read_bytes()
    app.file_uploader(key="own-files").set_value(("bees.csv", content, "text/csv")).run()
    assert not app.exception, app.exception
    (facts,) = [text.value for text in app.markdown if "**Objects**" in text.value]
    assert "\\<1\\>" in facts  # names make no markup
    assert "5: queen, worker a, worker b, drone <1>, mite" in facts.replace("\\", "")
    assert "25 a second" in facts
    assert "mm" in facts
    assert "not known" in facts
    assert any("id names the object" in caption.value for caption in app.caption)
    app.selectbox(key="own-tree").set_value("cluster").run()
    assert any("the tree is proposed" in caption.value.lower() for caption in app.caption)
    app.file_uploader(key="own-files").set_value(("bees.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert [error.value.replace("\\", "") for error in app.error] == [
        "no column of bees.csv says where things are (the field “Coordinates”); its columns are a, b."
    ]


def test_a_data_set_is_kept_once(bees: TrajectorySet, kept: Path) -> None:
    first = own.keep(bees, "My bees & co")
    assert first == kept / "own" / "my-bees-co"
    assert own.keep(bees, "My bees & co") == first
    other = dataclasses.replace(bees, unit="cm")
    assert own.keep(other, "My bees & co").name == "my-bees-co-2"
    assert TrajectorySet.read(first / FILE).names == NAMES


def test_the_train_page_begins_with_it(bees: TrajectorySet, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "show", lambda config, source: None)
    folder = own.keep(bees, "bees")
    app = AppTest.from_file(str(ROOT / "app" / "train" / "page.py"), default_timeout=60)
    app.session_state["train_own"] = str(folder)
    app.run()
    assert not app.exception, app.exception
    assert any("Trains on **your own: bees**" in text.value.replace("\\", "") for text in app.markdown)
    variants = app.selectbox(key=f"own-variant-{folder}")
    assert len(variants.options) == 3  # no hierarchy, no hri
    (command,) = [code.value for code in app.code]
    assert f"--preset own-state-nri-mlp --run {kept / 'runs' / 'own-state-nri-mlp'}" in command
    assert f"--data.own.folder {folder}" in command
    app.session_state["train_own"] = str(kept / "gone")
    app.run()
    assert any("has gone; bring the trajectories again" in error.value for error in app.error)


@pytest.fixture
def model(bees: TrajectorySet, kept: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh model of the bees, among the checkpoints."""
    folder = own.keep(bees, "bees")
    source = source_of(source_of(preset("own-state-nri").data).in_folder(str(folder)))
    config = source.sized(dataclasses.replace(preset("own-state-nri"), data=source.data))
    normalisation = Normalisation.of(source_of(config.data).scenes(config.data.seeds("train")[:20]))
    save(kept / "bees.safetensors", Model(config).eval(), Header(config, normalisation=normalisation))
    monkeypatch.setattr(places, "CHECKPOINTS", kept)
    monkeypatch.setattr(places, "STORED", kept)
    return "bees"


def test_explore_shows_own_names_and_units(model: str) -> None:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.query_params["model"] = model
    app.run()
    assert not app.exception, app.exception
    assert not app.error
    assert app.selectbox(key="data").options == ["own-bees"]
    scene = app.session_state["last_scene"]
    assert scene.rollout.tree.names == NAMES
    figure = node_states(scene.rollout, 0)
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("mm", "mm/s")
    (line,) = [trace for trace in figure.data if trace.name == "x"]
    assert 100 < min(line.y) < max(line.y) < 300
    assert "never seen in training" in running.standing(scene)
    graph = library_graph(scene)
    assert list(graph.text) == ["queen", "worker a", "worker b", "drone &lt;1&gt;", "mite"]


def library_graph(scene: library.Scene):  # type: ignore[no-untyped-def]
    """The trace of the graph's nodes."""
    from hri.view.graph import interaction_graph

    rollout = scene.rollout
    figure = interaction_graph(rollout.tree, rollout.edge_sender_receiver, 2, "radial", False)
    return figure.data[-1]


def test_a_scene_beyond_training_is_said_to_be(model: str) -> None:
    source = library.ModelSource(model, places.CHECKPOINTS / "bees.safetensors")
    usual = running.rollout(source, "own-bees", 200_042)
    scene = library.Scene(source, "own-bees", 200_042, usual)
    assert running.beyond(scene) == "" or "lies outside what bees was trained on" in running.beyond(scene)
    far = dataclasses.replace(scene, original=dataclasses.replace(usual, slots=usual.slots * 3))
    assert "lies outside what bees was trained on, so its predictions mean little" in running.beyond(far)
    assert " mm" in running.beyond(far)


def test_written_parents_and_gaps_are_choices(bees: TrajectorySet, tmp_path: Path) -> None:
    path = write_table(tmp_path / "b.csv", moving(20))
    assert read([path], Choices(tree="0,0,0,1")).tree.parents == (-1, 0, 0, 0, 1)
    assert np.isfinite(own._film(bees.of("train")[0].positions[:4], bees.names, bees.tree.parents)[0])


def test_the_command_of_a_run_leads_to_its_settings(bees: TrajectorySet, kept: Path) -> None:
    """Also where a setting is what the preset has and the data would suggest another value."""
    from hri.core.settings import changed
    from hri.data.sources import begun
    from hri.experiments.runs import command

    folder = str(own.keep(bees, "bees"))
    sized = begun("own-state-nri-mlp", folder)
    plain = preset("own-state-nri-mlp")
    assert sized.train.updates != plain.train.updates
    words = command(kept / "run", changed(sized, {"train.updates": plain.train.updates}))
    assert words == [
        "train", "--preset", "own-state-nri-mlp", "--run", str(kept / "run"), "--data.own.folder", folder,
        "--train.updates", str(plain.train.updates), "--resume",
    ]  # fmt: skip

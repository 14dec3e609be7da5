"""Pages over models of balls without a hierarchy: every part shows them, none asks for a hierarchy."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import library, places
from hri.experiments.publish import compact
from hri.model.checkpoint import save
from tests.app.test_app import ROOT
from tests.flat_models import NAMES, made, rolled

PANELS = ("inspect", "inside a step", "change", "draw", "video", "hard and easy", "share")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Checkpoints and stored rollouts of springs5 and charged5."""
    for name in (*NAMES, "charged5-state-lstm"):
        save(tmp_path / f"{name}.safetensors", made(name).model, made(name).header)
    compact(rolled(NAMES[0])).save(tmp_path / f"{NAMES[0]}.npz")
    monkeypatch.setattr(places, "STORED", tmp_path)
    monkeypatch.setattr(places, "CHECKPOINTS", tmp_path)
    return tmp_path


def shown(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / page), default_timeout=120)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("panel", PANELS)
def test_explore_shows_charges_in_every_panel(folder: Path, panel: str) -> None:
    app = shown("streamlit_app.py", model=NAMES[1], seed="200042", panel=panel, matrix="true", names="aligned")
    assert not app.error
    assert app.selectbox(key="model").value == NAMES[1]
    assert app.selectbox(key="data").options == ["charged5"]
    assert "another system of charges" in app.number_input(key="seed").help
    choices = {group.label: group.options for group in app.get("button_group")}
    assert choices["Balls over the images"] == ["5", "off"]
    assert "Edges" not in choices  # there is one choice only
    assert "Only these levels" not in choices
    assert choices["Only these types"] == ["no interaction", "attract", "repel"]


def test_explore_opens_stored_scenes_and_makes_others(folder: Path) -> None:
    app = shown("streamlit_app.py", model=NAMES[0], seed="200042")
    assert any("Stored rollout" in caption.value for caption in app.caption)
    assert app.selectbox(key="data").value == "springs5"
    app.number_input(key="seed").set_value(7).run()
    assert not app.exception
    assert not app.error
    assert any("Computed by the model now" in caption.value for caption in app.caption)


def test_an_edge_is_told_in_the_words_of_charges(folder: Path) -> None:
    app = shown("streamlit_app.py", model=NAMES[1], seed="200042", panel="change", select="0-1")
    scene = app.session_state["last_scene"]
    assert library.datasets(scene.source) == ["charged5"]
    assert scene.rollout.force.truths[int(scene.rollout.true_adjacency[0, 0, 1])] in ("truly attract", "truly repel")


def test_what_was_drawn_of_springs_is_not_shown_to_charges(folder: Path) -> None:
    from hri.physics.systems import System

    text = System.of_seed("flat-5", "springs", 3).rounded().to_address()
    app = shown("streamlit_app.py", model=NAMES[1], seed="200042", system=text)
    assert any("knows charges, and what you drew is of another kind" in warning.value for warning in app.warning)
    own = shown("streamlit_app.py", model=NAMES[0], seed="200042", system=text, panel="draw")
    assert not own.warning
    assert any("you drew the system" in caption.value for caption in own.caption)


def test_two_models_of_charges_are_compared(folder: Path) -> None:
    app = shown("app/compare/page.py", first=NAMES[1], second="charged5-state-lstm", seed="200042")
    assert not app.error
    assert any("passes no messages" in caption.value for caption in app.caption)
    apart = shown("app/compare/page.py", first=NAMES[1], second=NAMES[0])
    assert "These models have no scene in common" in apart.error[0].value

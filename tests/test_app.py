"""The page's logic, without a browser: what is offered, what is shown, what is said when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import state
from tests.synthetic import slot_rollout, state_rollout

ROOT = Path(__file__).parents[1]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app over two synthetic models without checkpoints."""
    for name in ("stored", "checkpoints"):
        (tmp_path / name).mkdir()
    slot_rollout(times=13, free=3).save(tmp_path / "stored" / f"{state.FAVOURITE}.npz")
    state_rollout(times=13, free=3).save(tmp_path / "stored" / "a-state-model.npz")
    monkeypatch.setattr(state, "STORED", tmp_path / "stored")
    monkeypatch.setattr(state, "CHECKPOINTS", tmp_path / "checkpoints")
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)


def test_opens_on_the_favourite_without_a_question(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="model").value == state.FAVOURITE
    assert app.number_input(key="seed").value == 7
    assert "Watch a model predict" in app.markdown[0].value


def test_every_control_draws_again_without_an_error(app: AppTest) -> None:
    app.run()
    app.selectbox(key="model").set_value("a-state-model").run()
    for layout in ("image", "radial"):
        app.segmented_control(key="layout").set_value(layout).run()
    app.segmented_control(key="pairs").set_value("all").run()
    app.segmented_control(key="overlay").set_value("4").run()
    app.slider(key="threshold").set_value(0.5).run()
    assert not app.exception
    assert not app.error


def test_another_tree_keeps_the_level(app: AppTest) -> None:
    app.run()
    assert app.segmented_control(key="overlay").options == ["16", "4", "1", "all", "off"]
    app.segmented_control(key="overlay").set_value("16").run()
    app.selectbox(key="model").set_value("a-state-model").run()
    assert app.segmented_control(key="overlay").options == ["12", "4", "1", "all", "off"]
    assert app.segmented_control(key="overlay").value == "12"


def test_a_seed_that_is_not_stored_is_one_sentence_and_the_page_stays(app: AppTest) -> None:
    app.run()
    app.number_input(key="seed").set_value(8).run()
    assert [error.value for error in app.error] == [
        f"{state.FAVOURITE} has no checkpoint here, only stored scenes; choose seed 7."
    ]
    assert app.slider(key="threshold") is not None
    app.button[0].click().run()
    assert not app.error


def test_a_scene_is_computed_by_the_chosen_checkpoint_and_none_twice(app: AppTest) -> None:
    import torch

    from hri.checkpoint import Header, save
    from hri.config import preset
    from hri.model import Model

    torch.manual_seed(0)
    for name in ("springs-4-3-state-hri", "springs-4-3-par-hri"):
        config = preset(name)
        save(state.CHECKPOINTS / f"{name}.safetensors", Model(config), Header(config=config))
    app.run()
    app.selectbox(key="model").set_value("springs-4-3-state-hri").run()
    assert not app.error
    assert "part of its training" not in app.caption[0].value
    app.number_input(key="seed").set_value(50).run()
    assert "part of its training" in app.caption[0].value
    source = state.sources()["springs-4-3-state-hri"]
    assert state.rollout(source, "springs-4-3", 50) is state.rollout(source, "springs-4-3", 50)
    assert state.datasets(source) == ["springs-4-3"]
    app.selectbox(key="model").set_value("springs-4-3-par-hri").run()
    app.selectbox(key="data").set_value("springs-3-3").run()
    assert not app.error
    assert not app.exception
    before = app.number_input(key="seed").value
    app.button[0].click().run()
    assert app.number_input(key="seed").value >= state.FIRST_UNSEEN
    assert app.number_input(key="seed").value != before
    assert not app.exception


def test_a_damaged_checkpoint_is_one_sentence(app: AppTest) -> None:
    (state.CHECKPOINTS / "broken.safetensors").write_bytes(b"PK\x03\x04")
    app.run()
    app.selectbox(key="model").set_value("broken").run()
    assert not app.exception
    assert "is a pickle" in app.error[0].value


def test_nothing_to_show_says_what_to_do(app: AppTest) -> None:
    for file in state.STORED.iterdir():
        file.unlink()
    app.run()
    assert not app.exception
    assert "put a checkpoint into" in app.info[0].value


def test_a_stored_scene_needs_no_torch(app: AppTest) -> None:
    code = (
        "import os, sys; from streamlit.testing.v1 import AppTest;"
        "app = AppTest.from_file('streamlit_app.py', default_timeout=60).run();"
        "assert not app.exception and not app.error, (app.exception, app.error);"
        "sys.exit('torch' in sys.modules)"
    )
    import os

    environment = os.environ | {"HRI_STORED": str(state.STORED), "HRI_CHECKPOINTS": str(state.CHECKPOINTS)}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0

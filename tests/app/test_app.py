"""The page's logic, without a browser: what is offered, what is shown, what is said when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import library, places, running
from app.compare import columns as comparing
from app.train import estimating, form
from hri.core.hierarchy import Tree
from hri.core.presets import PRESETS
from hri.data.sources import SOURCES
from hri.experiments.claims import CLAIMS
from hri.model.checkpoint import save
from hri.physics.springs import simulate
from hri.physics.systems import System
from hri.rollout.rollout import roll_out
from hri.rollout.settings import STANDARD, settings_of
from tests import synthetic_results
from tests.rollout.test_rollout import made
from tests.synthetic import slot_rollout, state_rollout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app over two synthetic models without checkpoints."""
    for name in ("stored", "checkpoints"):
        (tmp_path / name).mkdir()
    slot_rollout(times=13, free=3).save(tmp_path / "stored" / f"{library.FAVOURITE}.npz")
    state_rollout(times=13, free=3).save(tmp_path / "stored" / "a-state-model.npz")
    monkeypatch.setattr(places, "STORED", tmp_path / "stored")
    monkeypatch.setattr(places, "CHECKPOINTS", tmp_path / "checkpoints")
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)


def test_opens_on_the_favourite_without_a_question(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="model").value == library.FAVOURITE
    assert app.number_input(key="seed").value == 7
    assert "Watch a model predict" in app.markdown[0].value


def test_comparing_needs_two_models_and_says_so(app: AppTest, tmp_path: Path) -> None:
    page = AppTest.from_file(str(ROOT / "app" / "compare" / "page.py"), default_timeout=30).run()
    assert not page.exception
    assert [page.selectbox(key=key).value for key in ("first", "second")] == [library.FAVOURITE, "a-state-model"]
    (tmp_path / "stored" / "a-state-model.npz").unlink()
    alone = AppTest.from_file(str(ROOT / "app" / "compare" / "page.py"), default_timeout=30).run()
    assert not alone.exception
    assert not alone.selectbox
    assert "A comparison takes two models, and here is only" in alone.info[0].value


def test_a_comparison_begins_with_both_decoders_or_with_where_one_comes_from() -> None:
    found = {path.stem: library.ModelSource(path.stem, path) for path in (ROOT / "checkpoints").glob("*.safetensors")}
    assert comparing.defaults(found)[:2] == ["springs-3-3-overlap-hri-h", "springs-3-3-strided-hri-h"]
    chosen = comparing.defaults(found, "springs-4-3-state-nri")
    assert chosen[0] == "springs-4-3-state-nri"
    assert all("state" in name and "springs" in name for name in chosen)
    bodies = comparing.defaults(found, "mocap-state-hri")
    assert bodies[0] == "mocap-state-hri"
    assert all(name.startswith("mocap-state") for name in bodies)
    assert len(set(chosen)) == 4
    assert comparing.defaults(found, "springs-4-3-par-hri")[:2] == ["springs-4-3-par-hri", "springs-4-3-slot-hri"]
    assert comparing.defaults(found, "gone")[0] == "springs-3-3-overlap-hri-h"
    assert set(comparing.defaults({"one": library.ModelSource("one")})) == {"one"}


def test_models_of_other_data_share_no_scene_and_that_is_said(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    sees = {library.FAVOURITE: ["springs-4-3", "springs-3-3"], "a-state-model": ["springs-3-3"]}
    monkeypatch.setattr(library, "datasets", lambda source: sees[source.name])
    assert comparing.common_datasets(list(library.sources().values())) == ["springs-3-3"]
    sees["a-state-model"] = ["people"]
    page = AppTest.from_file(str(ROOT / "app" / "compare" / "page.py"), default_timeout=30).run()
    assert [error.value.replace("\\", "") for error in page.error] == [
        f"These models have no scene in common: {library.FAVOURITE} sees springs-4-3 or springs-3-3, "
        "a-state-model sees people; choose models of one data set."
    ]
    assert page.selectbox(key="second").value == "a-state-model"


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
        f"{library.FAVOURITE} has no checkpoint here, only stored scenes; choose seed 7."
    ]
    assert app.slider(key="threshold") is not None
    next(button for button in app.button if button.label == "Another scene").click().run()
    assert not app.error


def test_a_scene_is_computed_by_the_chosen_checkpoint_and_none_twice(app: AppTest) -> None:
    import torch

    from hri.core.presets import preset
    from hri.model.checkpoint import Header, save
    from hri.model.model import Model

    torch.manual_seed(0)
    for name in ("springs-4-3-state-hri", "springs-4-3-par-hri"):
        config = preset(name)
        save(places.CHECKPOINTS / f"{name}.safetensors", Model(config), Header(config=config))
    app.run()
    app.selectbox(key="model").set_value("springs-4-3-state-hri").run()
    assert not app.error
    assert "part of its training" not in app.caption[0].value
    app.number_input(key="seed").set_value(50).run()
    assert "part of its training" in app.caption[0].value
    source = library.sources()["springs-4-3-state-hri"]
    assert running.rollout(source, "springs-4-3", 50) is running.rollout(source, "springs-4-3", 50)
    assert library.datasets(source) == ["springs-4-3"]
    app.selectbox(key="model").set_value("springs-4-3-par-hri").run()
    app.selectbox(key="data").set_value("springs-3-3").run()
    assert not app.error
    assert not app.exception
    before = app.number_input(key="seed").value
    next(button for button in app.button if button.label == "Another scene").click().run()
    assert app.number_input(key="seed").value >= library.FIRST_UNSEEN
    assert app.number_input(key="seed").value != before
    assert not app.exception


def test_what_no_seed_simulates_is_not_ranked_by_seed(app: AppTest) -> None:
    from hri.core.presets import preset
    from hri.model.checkpoint import Header, save
    from hri.model.model import Model

    path, config = places.CHECKPOINTS / "clips.safetensors", preset("walker-par-hri")
    rollout = slot_rollout(times=13, free=3)
    assert config.data.clips is not None
    save(path, Model(config), Header(config=config))
    for source, says in (
        (library.ModelSource("clips", path), "predicts video clips, which no seed simulates"),
        (library.ModelSource("stored"), "only stored scenes, so no seeds can be scored"),
    ):
        with pytest.raises(ValueError, match=says):
            running.ranker_of(library.Scene(source, "", 0, rollout))


def test_drawn_springs_travel_in_the_address_until_a_seed_is_chosen(app: AppTest) -> None:
    import torch

    from hri.core.presets import preset
    from hri.model.checkpoint import Header, save
    from hri.model.model import Model

    torch.manual_seed(0)
    config = preset("springs-4-3-state-hri-h")
    save(places.CHECKPOINTS / "mine.safetensors", Model(config), Header(config=config))
    system = System.of_seed("4-3", "04", 5).rounded()
    app.query_params["model"], app.query_params["system"] = "mine", system.to_address()
    app.query_params["panel"] = "draw"
    app.run()
    assert not app.exception
    assert not app.warning
    assert "you drew the system" in app.caption[0].value
    assert any("Messages pass over" in markdown.value for markdown in app.markdown)
    # A model that sees no such tree says so, shows its seed, and the drawing stays.
    app.selectbox(key="model").set_value("a-state-model").run()
    assert "Your springs do not apply, and seed 7 is shown" in app.warning[0].value
    assert not app.error
    app.selectbox(key="model").set_value("mine").run()
    assert "you drew the system" in app.caption[0].value
    assert app.query_params["system"] == system.to_address()
    app.number_input(key="seed").set_value(9).run()
    assert "you drew" not in app.caption[0].value
    assert "system" not in app.query_params
    app.button(key="board-again").click().run()
    assert app.query_params["system"] == system.to_address()
    app.button(key="board-leave").click().run()
    assert "system" not in app.query_params
    assert not app.exception


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("1~4-3~04~0.1", "there are 0 positions"),
        ("<b>[x](y)", "is not a system of version 1"),
        ("1~" * 70_000, "the limit"),
    ],
)
def test_a_wrong_system_in_the_address_is_one_sentence(app: AppTest, address: str, says: str) -> None:
    app.query_params["system"] = address
    app.run()
    assert not app.exception
    assert not app.error
    assert len(app.warning) == 1
    assert "The springs in the address were left out" in app.warning[0].value.replace("\\", "")
    assert says in app.warning[0].value.replace("\\", "")
    assert "system" not in app.query_params


def test_a_damaged_checkpoint_is_one_sentence(app: AppTest) -> None:
    (places.CHECKPOINTS / "broken.safetensors").write_bytes(b"PK\x03\x04")
    app.run()
    app.selectbox(key="model").set_value("broken").run()
    assert not app.exception
    assert "is a pickle" in app.error[0].value


def test_nothing_to_show_says_what_to_do(app: AppTest) -> None:
    for file in places.STORED.iterdir():
        file.unlink()
    app.run()
    assert not app.exception
    assert "put a checkpoint into" in app.info[0].value


def test_a_stored_scene_needs_no_torch_numba_or_scipy(app: AppTest) -> None:
    code = (
        "import os, sys; from streamlit.testing.v1 import AppTest;"
        "app = AppTest.from_file('streamlit_app.py', default_timeout=60).run();"
        "assert not app.exception and not app.error, (app.exception, app.error);"
        "sys.exit(' and '.join({'torch', 'numba', 'scipy'} & sys.modules.keys()) or 0)"
    )
    environment = os.environ | {"HRI_STORED": str(places.STORED), "HRI_CHECKPOINTS": str(places.CHECKPOINTS)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert run.returncode == 0, f"it loads {run.stderr}"


# Results


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The Results page over made-up results."""
    monkeypatch.setattr(places, "RESULTS", synthetic_results.write(tmp_path / "results"))
    return AppTest.from_file(str(ROOT / "app" / "results" / "page.py"), default_timeout=30)


def test_every_claim_and_setting_is_drawn(results: AppTest) -> None:
    results.run()
    told = " ".join(markdown.value for markdown in results.markdown)
    for claim in CLAIMS:
        assert claim.sentence in told
    for setting in results.pills(key="setting").options:
        results.pills(key="setting").set_value(setting).run()
        results.toggle(key="log").set_value(not results.toggle(key="log").value).run()
        assert not results.exception
        assert not results.error
        assert len(results.dataframe) == 2


def test_a_stored_scene_made_with_other_settings_is_computed_anew_where_it_can_be(app: AppTest) -> None:
    name = "springs-4-3-state-hri"
    checkpoint, scene = made(name), simulate(Tree.parse("4-3"), "04", [7])
    other = roll_out(checkpoint, scene, 4)
    other.save(places.STORED / f"{name}.npz")
    alone = running.rollout(library.sources()[name], "springs-4-3", 7)
    assert settings_of(alone) == settings_of(other)
    save(places.CHECKPOINTS / f"{name}.safetensors", checkpoint.model, checkpoint.header)
    anew = running.rollout(library.sources()[name], "springs-4-3", 7)
    assert settings_of(anew) == STANDARD
    assert np.array_equal(anew.slots, other.slots)


def test_files_that_change_are_read_again(results: AppTest) -> None:
    results.run()
    (places.RESULTS / "states.json").write_text("{}")
    results.run()
    assert "states.json cannot be used" in results.warning[0].value
    for file in places.RESULTS.iterdir():
        file.unlink()
    results.run()
    assert not results.exception
    assert "There are no results yet" in results.info[0].value


def test_results_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        "app = AppTest.from_file('app/results/page.py', default_timeout=60).run();"
        "assert not app.exception, app.exception;"
        "sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    environment = os.environ | {"HRI_RESULTS": str(synthetic_results.write(tmp_path))}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0


def test_every_preset_can_be_chosen_and_missing_recordings_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(estimating, "show", lambda config, source: None)
    for kind in SOURCES.values():
        monkeypatch.setattr(kind, "here", kind.simulated)
    page = AppTest.from_file(str(ROOT / "app" / "train" / "page.py"), default_timeout=30).run()
    offered = set()
    for data in form.DATA:
        page.selectbox(key="data-first").select(data).run()
        for seen, label in form.SEEN.items():
            if label in page.selectbox(key=f"seen-first-{data}").options:
                page.selectbox(key=f"seen-first-{data}").select(seen).run()
                assert not page.exception
                offered |= {f"{data}-{seen}-{model}" for model in page.selectbox(key=f"variant-first-{data}").options}
                can_start = [button.label for button in page.button if button.label == "Start"] == ["Start"]
                told = any("These recordings are not here" in warning.value for warning in page.warning)
                assert can_start == data.startswith(("springs", "charged")) != told
    assert offered == set(PRESETS)

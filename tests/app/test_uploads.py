"""Files that visitors bring: the authors' weights become checkpoints, and what cannot be taken is said."""

from __future__ import annotations

import dataclasses
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import library, places
from hri.core.hierarchy import Tree
from hri.model.checkpoint import load
from hri.physics.render import draw
from hri.physics.springs import simulate
from tests.model.test_published import config_of, published_layout, random_model
from tests.synthetic import state_rollout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Explore over one synthetic model; imports take the training's ranges from a few systems."""
    for name in ("stored", "checkpoints"):
        (tmp_path / name).mkdir()
    state_rollout(times=13, free=3).save(tmp_path / "stored" / f"{library.FAVOURITE}.npz")
    monkeypatch.setattr(places, "STORED", tmp_path / "stored")
    monkeypatch.setattr(places, "CHECKPOINTS", tmp_path / "checkpoints")
    few = cache(lambda tree, physics: simulate(tree, physics, range(42, 46)))
    monkeypatch.setattr("hri.model.published.simulate", lambda tree, physics, seeds: few(tree, physics))
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()


def weights(variant: str, seen: str = "state", **beside: object) -> tuple[dict[str, torch.Tensor], bytes]:
    """The model's own weights, and a trainer's file of them in the authors' layout."""
    config = config_of(variant, seen)
    model = random_model(config)
    file = io.BytesIO()
    torch.save(
        {"state_dict": {f"_orig_mod.{n}": v for n, v in published_layout(model, config).items()}, **beside}, file
    )
    return model.state_dict(), file.getvalue()


def give(page: AppTest, name: str, content: bytes) -> AppTest:
    page.file_uploader(key="upload").set_value((name, content, "application/octet-stream"))
    return page.run()


def added(page: AppTest, label: str) -> dict[str, torch.Tensor]:
    """The weights of the model that was added under this label, and chosen."""
    assert not page.exception
    assert not page.error
    assert page.session_state["model"] == label
    assert page.selectbox(key="model").value == label
    return load(page.session_state["uploads"][label]).model.state_dict()


@pytest.mark.parametrize("name", ["mine.pt", "MINE.CKPT"])
def test_weights_of_the_authors_are_imported_and_shown(page: AppTest, name: str) -> None:
    true, content = weights("lstm", epoch=3)
    give(page, name, content)
    ours = added(page, f"{name[:4]} (uploaded)")
    assert all(torch.equal(ours[key], true[key]) for key in true)
    assert any("Computed by the model now" in caption.value for caption in page.caption)


def test_weights_that_fit_several_models_are_asked_about(page: AppTest) -> None:
    true, content = weights("hri-h")
    give(page, "mine.pth", content)
    which = page.selectbox(key="upload-variant")
    assert (which.options, which.value) == (["hri", "hri-h"], None)
    assert page.session_state["model"] == library.FAVOURITE
    which.set_value("hri-h").run()
    ours = added(page, "mine-hri-h (uploaded)")
    assert all(torch.equal(ours[key], true[key]) for key in true)
    page.selectbox(key="upload-variant").set_value("hri").run()
    added(page, "mine-hri (uploaded)")
    give(page, "other.pt", weights("lstm")[1])
    added(page, "other (uploaded)")
    assert not [box for box in page.selectbox if box.key == "upload-variant"]


def test_an_encoder_and_decoder_alone_show_what_they_redraw(page: AppTest) -> None:
    _, content = weights("hri", "slot")
    whole = torch.load(io.BytesIO(content), weights_only=True)["state_dict"]
    file = io.BytesIO()
    torch.save({name: value for name, value in whole.items() if "enc_i2t" in name or "dec_t2i" in name}, file)
    give(page, "eyes.pt", file.getvalue())
    (told,) = page.error
    assert "holds encoder and decoder only, so it cannot predict" in told.value.replace("\\", "")
    assert "--vision-from FILE" in told.value.replace("\\", "")
    picture = page.session_state["upload_picture"]
    true = draw(simulate(Tree.parse("4-3"), "04", [library.FIRST_UNSEEN]).positions[0, :1], Tree.parse("4-3"))
    assert picture.shape == (2 * 64, 7 * 64, 3)
    assert np.array_equal(picture[:64:2, :64:2], true[0])
    assert not np.array_equal(picture[64::2, :64:2], true[0])
    assert page.session_state["model"] == library.FAVOURITE
    assert not page.exception


def test_what_is_no_model_is_called_what_it_is(page: AppTest) -> None:
    other = io.BytesIO()
    torch.save({"fc.weight": torch.ones(3)}, other)
    for name, content, says in (
        ("lfs.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 16\n", "a Git LFS pointer"),
        ("notes.ckpt", b"epoch 1: loss 0.5\n", "it is a text file, not weights"),
        ("other.pth", other.getvalue(), "it has the keys of another model (fc.weight)"),
    ):
        give(page, name, content)
        (told,) = page.error
        assert f"{name} was not added" in told.value.replace("\\", "")
        assert says in told.value.replace("\\", "")
        assert not page.exception


def test_a_rollout_far_outside_the_trainings_range_says_so_beside_its_picture(page: AppTest, tmp_path: Path) -> None:
    near = state_rollout(times=13, free=3)
    far = dataclasses.replace(near, slots=2000 * near.slots)
    for name, rollout, warnings in (("near", near, 0), ("far", far, 1)):
        rollout.save(tmp_path / "r.npz")
        give(page, f"{name}.npz", (tmp_path / "r.npz").read_bytes())
        assert page.session_state["model"] == f"{name} (rollout)"
        assert len(page.warning) == warnings
        assert not page.exception
    assert "far outside what synthetic-state was trained on" in page.warning[0].value.replace("\\", "")

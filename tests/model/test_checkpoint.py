"""Checkpoints: whole, self-describing, and never a reason to lose the old one."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import safetensors.torch
import torch

from hri.core.config import Config, DataConfig, RenderConfig
from hri.core.presets import preset
from hri.core.records import Normalisation
from hri.model import checkpoint
from hri.model.checkpoint import Header, load, read_header, save
from hri.model.model import Model

PRESETS = ("springs-4-3-state-hri", "springs-3-3-state-lstm-lo", "springs-4-3-slot-hri-h", "springs-4-3-par-nri")


def fresh(name: str = "springs-4-3-state-hri", **changes: Any) -> tuple[Model, Header]:
    config = preset(name)
    return Model(config), Header(config, normalisation=Normalisation(-0.9, 0.8, -2.0, 1.5), **changes)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save(path, *fresh())
    return path


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_saved_is_what_is_loaded(name: str, tmp_path: Path) -> None:
    model, header = fresh(name, metrics={"nll": 1.5}, steps={"stage2": 7}, seed=3, command="python -m hri train")
    save(tmp_path / "mine.safetensors", model, header)
    loaded = load(tmp_path / "mine.safetensors")
    assert (loaded.name, loaded.header) == ("mine", header)
    assert not loaded.model.training
    weights = loaded.model.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())


def test_the_header_is_read_without_weights(stored: Path) -> None:
    assert read_header(stored) == fresh()[1]


def test_a_header_survives_json_with_every_setting_changed() -> None:
    data = DataConfig(
        tree="3-3", physics="05", train=9, render=RenderConfig(size=64, grey=True, level_radii=(1.0, 2.0))
    )
    header = Header(
        dataclasses.replace(preset("springs-4-3-par-hri"), data=data), parts="vision", hours={"stage1": 0.5}
    )
    assert Header.from_json(header.to_json()) == header


def test_encoder_and_decoder_alone_leave_the_rest_out(tmp_path: Path) -> None:
    model, header = fresh("springs-4-3-slot-hri", parts="vision")
    save(tmp_path / "vision.safetensors", model, header)
    with safetensors.safe_open(tmp_path / "vision.safetensors", framework="pt") as file:
        assert {name.split(".")[1] for name in file.keys()} == {"leaves", "decoder"}  # noqa: SIM118
    assert load(tmp_path / "vision.safetensors").header.parts == "vision"


def test_a_file_is_the_same_wherever_it_is_copied(stored: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy.safetensors"
    copy.parent.mkdir()
    copy.write_bytes(stored.read_bytes())
    assert load(copy).header == load(stored).header


def test_loading_draws_nothing_from_the_global_generator_that_changes_weights(stored: Path) -> None:
    torch.manual_seed(1)
    first = load(stored).model.state_dict()
    torch.manual_seed(2)
    second = load(stored).model.state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def damage(kind: str, path: Path) -> None:
    """Make ``path`` what users bring."""
    model, header = fresh()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(4000))
    elif kind == "text":
        path.write_text("<html>404</html>")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"weights": [1.0]}))
    elif kind == "pt":
        torch.save(model.state_dict(), path)
    elif kind == "old pt":
        torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    elif kind == "truncated":
        save(path, model, header)
        path.write_bytes(path.read_bytes()[:-1000])
    elif kind == "half a header":
        save(path, model, header)
        path.write_bytes(path.read_bytes()[:100])
    elif kind == "another program":
        safetensors.torch.save_file(model.state_dict(), path)
    elif kind == "another format":
        tell(path, model, {**json.loads(header.to_json()), "format": 99})
    elif kind == "unknown field":
        tell(path, model, {**json.loads(header.to_json()), "colour": "red"})
    elif kind == "unknown setting":
        values = json.loads(header.to_json())
        values["config"]["model"]["depth"] = 3
        tell(path, model, values)
    elif kind == "no json":
        safetensors.torch.save_file(model.state_dict(), path, {"hri": "{"})
    elif kind == "another architecture":
        tell(path, model, json.loads(Header(preset("springs-4-3-state-lstm")).to_json()))
    elif kind == "another tree":
        tell(
            path,
            Model(preset("springs-4-3-state-lstm")),
            json.loads(Header(preset("springs-3-3-state-lstm")).to_json()),
        )
    elif kind == "not finite":
        with torch.no_grad():
            next(model.parameters())[0] = torch.nan
        save(path, model, header)
    else:
        assert kind == "missing"


def tell(path: Path, model: Model, header: dict[str, Any]) -> None:
    safetensors.torch.save_file(model.state_dict(), path, {"hri": json.dumps(header)})


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "there is no file"),
        ("empty", "is empty"),
        ("noise", "is damaged"),
        ("text", "is damaged"),
        ("pickle", "is a pickle.* can hold code and is not opened"),
        ("pt", "is a pickle.*python -m hri import"),
        ("old pt", "is a pickle"),
        ("truncated", "is damaged"),
        ("half a header", "is damaged"),
        ("another program", "another program"),
        ("another format", "another format"),
        ("unknown field", "other fields than this version knows"),
        ("unknown setting", "unknown setting config.model.depth"),
        ("no json", "its header is not valid JSON"),
        ("another architecture", "another architecture"),
        ("another tree", "another architecture"),
        ("not finite", "not finite"),
    ],
)
def test_a_bad_file_is_answered_with_one_sentence(kind: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "brought.safetensors"
    damage(kind, path)
    with pytest.raises(ValueError, match=says) as caught:
        load(path)
    assert "brought.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_header_length_beyond_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(ValueError, match="is damaged"):
        load(path)


class FullDisk:
    """A file on a disk with room for 100 bytes."""

    def __init__(self, path: Path):
        self.file = open(path, "wb")  # noqa: SIM115

    def write(self, content: bytes) -> NoReturn:
        self.file.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def test_a_full_disk_loses_nothing(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored.read_bytes()
    monkeypatch.setattr("hri.core.files.open", lambda path, mode: FullDisk(path), raising=False)
    with pytest.raises(OSError, match="No space left"):
        save(stored, *fresh())
    monkeypatch.undo()
    assert stored.read_bytes() == before
    assert list(stored.parent.iterdir()) == [stored]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_really_full_device_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = open
    monkeypatch.setattr("hri.core.files.open", lambda path, mode: real("/dev/full", mode), raising=False)
    with pytest.raises(OSError) as caught:  # noqa: PT011
        save(tmp_path / "x.safetensors", *fresh())
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_half_a_file(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    replace = os.replace

    def look_and_replace(source: Path, target: Path) -> None:
        seen.append(load(target).header.seed)
        replace(source, target)

    monkeypatch.setattr("hri.core.files.os.replace", look_and_replace)
    save(stored, *fresh(seed=8))
    assert seen == [0]
    assert read_header(stored).seed == 8


def test_provenance_names_versions_and_device() -> None:
    told = checkpoint.provenance()
    assert {"python", "torch", "numpy", "numba"} == told["versions"].keys()
    assert told["device"]
    Header(Config(), **told)


def test_a_header_of_any_length_is_no_pickle(tmp_path: Path) -> None:
    """128 bytes: the length then begins with the byte that begins a pickle."""
    path = tmp_path / "cut.safetensors"
    path.write_bytes((128).to_bytes(8, "little") + b'{"__metadata__": {"hri"')
    with pytest.raises(ValueError, match="damaged"):
        load(path)

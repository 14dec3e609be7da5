"""Weights as trainers leave them: unwrapped to the same weights, or refused with what the file is and what to do."""

from __future__ import annotations

import argparse
import gzip
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hri.__main__ import main
from hri.model.checkpoint import load
from hri.model.published import SeveralVariantsError, import_published
from hri.model.wrapped import read_weights
from tests.model.test_published import _few_systems_for_the_ranges, config_of, published_layout, random_model

__all__ = ["_few_systems_for_the_ranges"]


def weights() -> dict[str, Tensor]:
    """A few of the authors' names, of every part."""
    torch.manual_seed(3)
    names = ("enc_i2t.c0.conv.weight", "enc_t2h.c3.nm.bias", "enc_t2r.fc_out.weight", "dyn_t2t.rnn.weight_ih_l0",
             "dyn_t2t.l2a_edge_fc1.1.weight", "dec_t2i.last_conv.bias")  # fmt: skip
    return {name: torch.randn(2, 3) for name in names}


def named(change: Callable[[str], str]) -> dict[str, Tensor]:
    return {change(name): value for name, value in weights().items()}


def inside(word: str) -> dict[str, Tensor]:
    """The word after the part, as when one part alone was compiled or parallel."""
    return named(lambda name: name.replace(".", f".{word}.", 1))


def parts_apart() -> dict[str, dict[str, Tensor]]:
    """Encoder, relations ... each in a dict of its own, under its own name."""
    apart: dict[str, dict[str, Tensor]] = {}
    for name, value in weights().items():
        part, _, rest = name.partition(".")
        apart.setdefault(part, {})[rest] = value
    return apart


OPTIMISER = {"state": {0: {"exp_avg": torch.ones(3), "step": torch.tensor(4.0)}}, "param_groups": [{"lr": 0.1}]}
LIGHTNING = {
    "epoch": 3, "global_step": 99, "pytorch-lightning_version": "2.4.0", "hyper_parameters": {"tree": "4-3"},
    "optimizer_states": [OPTIMISER], "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {},
}  # fmt: skip

WRAPPED: dict[str, Callable[[], object]] = {
    "plain": weights,
    "state_dict": lambda: {"state_dict": weights()},
    "model_state": lambda: {"model_state": weights(), "optimizer": OPTIMISER},
    "model_state_dict": lambda: {"model_state_dict": weights(), "optimizer_state_dict": OPTIMISER, "loss": 0.5},
    "network": lambda: {"network": weights(), "epoch": 7},
    "any name": lambda: {"hri_nll_best": weights()},
    "deeper": lambda: {"checkpoint": {"model": {"state_dict": weights()}}},
    "Lightning": lambda: LIGHTNING | {"state_dict": named(lambda name: f"model.{name}")},
    "Lightning, compiled": lambda: LIGHTNING | {"state_dict": named(lambda name: f"net._orig_mod.{name}")},
    "several GPUs": lambda: named(lambda name: f"module.{name}"),
    "compiled": lambda: named(lambda name: f"_orig_mod.{name}"),
    "both": lambda: named(lambda name: f"_orig_mod.module.{name}"),
    "both, the other way": lambda: {"model": named(lambda name: f"module._orig_mod.{name}")},
    "a part of several GPUs": lambda: inside("module"),
    "a part compiled": lambda: inside("_orig_mod"),
    "an epoch beside": lambda: {**weights(), "epoch": 12, "best": 0.25, "name": "run 3", "done": None},
    "a tensor beside": lambda: {**weights(), "epoch": torch.tensor(12)},
    "NumPy numbers beside": lambda: {"state_dict": weights(), "loss": np.float64(0.5), "step": np.int64(3)},
    "options beside": lambda: {"state_dict": weights(), "args": argparse.Namespace(lr=0.1, tree="4-3")},
    "an average beside": lambda: {"model": weights(), "ema": {name: value + 1 for name, value in weights().items()}},
    "parts apart": parts_apart,
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED.keys())
@pytest.mark.parametrize("ending", [".pt", ".ckpt"])
def test_weights_are_the_same_however_they_are_wrapped(wrap: Callable[[], object], ending: str, tmp_path: Path) -> None:
    torch.save(wrap(), tmp_path / f"best{ending}")
    unwrapped, plain = read_weights(tmp_path / f"best{ending}"), weights()
    assert unwrapped.keys() == plain.keys()
    assert all(torch.equal(unwrapped[name], plain[name]) for name in plain)


def test_a_wrapped_model_is_imported_as_the_plain_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of("hri", "slot")
    model = random_model(config)
    plain = published_layout(model, config)
    for name, content in (
        ("a.pt", LIGHTNING | {"state_dict": {f"model.module.{name}": value for name, value in plain.items()}}),
        ("b.pth", {f"_orig_mod.{name}": value for name, value in plain.items()} | {"epoch": 3}),
        ("c.ckpt", {"network": plain}),
    ):
        torch.save(content, tmp_path / name)
        out = tmp_path / f"{name}.safetensors"
        assert main(["import", str(tmp_path / name), "--variant", "hri", "--out", str(out)]) == 0
        ours, theirs = load(out).model.state_dict(), model.state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
        with pytest.raises(SeveralVariantsError) as several:
            import_published(tmp_path / name)
        assert several.value.variants == ("hri", "hri-h")
    capsys.readouterr()


def saved(content: object, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    return file.getvalue()


def script() -> bytes:
    """As torch.jit.save writes one: the program beside its numbers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in ("model/data.pkl", "model/code/__torch__/torch/nn/modules/linear.py", "model/constants.pkl"):
            archive.writestr(member, b"")
    return file.getvalue()


class OtherProgram:
    """Of another program."""


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614\nsize 1601916\n"
OTHERS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "a pointer": (lambda: POINTER, ("a Git LFS pointer, not the weights", "git lfs pull")),
    "a web page": (lambda: b"\n<!DOCTYPE html><html>Not found</html>", ("a web page, not the weights", "download")),
    "words": (lambda: "epoch 1: ärger 0.5\n".encode() * 500, ("a text file, not weights",)),
    "JSON": (lambda: b'{"a": 1}', ("a text file, not weights",)),
    "gzip": (lambda: gzip.compress(saved(weights())), ("packed with gzip", "unpack it first")),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(99), ("an HDF5 file of another program",)),
    "NumPy": (arrays, ("an .npz of arrays",)),
    "TorchScript": (script, ("a TorchScript program, which could run code", "state dict")),
    "half": (lambda: saved(weights())[:-300], ("is damaged",)),
    "another model": (
        lambda: saved({"state_dict": {"layer1.0.conv1.weight": torch.ones(3), "fc.bias": torch.ones(2)}}),
        ("is not one of the authors' models", "layer1.0.conv1.weight, state_dict.fc.bias", "train a model here"),
    ),
    "a whole module": (lambda: saved(torch.nn.Linear(2, 2)), ("torch.nn.modules.linear.Linear (it could run code)",)),
    "another program's options": (
        lambda: saved({"state_dict": weights(), "config": OtherProgram()}),
        ("tests.model.test_wrapped.OtherProgram (it could run code)", "torch.save(model.state_dict()"),
    ),
    "an old pickle": (lambda: pickle.dumps(OtherProgram()), ("could run code",)),
    "no dict": (lambda: saved([torch.ones(3)]), ("no state dict",)),
    "numbers": (lambda: saved({"epoch": 3}), ("no state dict",)),
    "two models": (
        lambda: saved({"first": weights(), "second": weights()}),
        ("holds several models (first, second)", "save the one that you mean alone"),
    ),
}


@pytest.mark.parametrize(("make", "says"), OTHERS.values(), ids=OTHERS.keys())
def test_what_is_no_model_of_theirs_is_called_what_it_is(
    make: Callable[[], bytes], says: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(make())
    assert main(["import", str(path), "--out", str(tmp_path / "out.safetensors")]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(part in told for part in ("model.pt", *says)), told
    assert not (tmp_path / "out.safetensors").exists()


def test_a_safetensors_file_needs_no_import_and_a_huge_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import save_file

    save_file(weights(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match="is a safetensors file, which is not imported"):
        read_weights(tmp_path / "model.pt")
    (tmp_path / "huge.pt").write_bytes(saved(weights()))
    monkeypatch.setattr("hri.model.wrapped.LARGEST", 100)
    with pytest.raises(ValueError, match=r"huge.pt has [\d,]+ bytes, and models of at most 100 are opened"):
        read_weights(tmp_path / "huge.pt")

"""Weights as trainers leave them in ``.pt``, ``.pth`` and ``.ckpt`` files: opened without running code, unwrapped, or
refused with what the file really is.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGEST = 2**30
"""Bytes of the largest file that is opened; the authors' models have about two million."""
PARTS = ("enc_i2t", "enc_t2h", "enc_t2r", "dyn_t2t", "dec_t2i")
"""What the names of the authors' weights begin with."""
WRAPPERS = ("module", "_orig_mod")
"""What parallel training and compilation put into names, at any place."""
MAIN = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "weights", "params")
"""Where trainers keep the model itself, beside averages of it or others."""
_SCALAR = np.float64(0).__reduce__()[0]
_HARMLESS: list[Any] = [
    argparse.Namespace, np.dtype, *(type(np.dtype(kind)) for kind in "?bhilqBHILQefd"),
    _SCALAR, (_SCALAR, "numpy.core.multiarray.scalar"),
]  # fmt: skip
"""Beside weights: options of a command line and numbers, such as an epoch and its loss. None of them runs anything."""
_STARTS = {
    b"version https://git-lfs": "a Git LFS pointer, not the weights; fetch them with `git lfs pull`, or download the "
    "file itself where the repository shows its size",
    b"<": "a web page, not the weights; download the file itself, such as by its link 'raw' or 'download'",
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"\x89HDF": "an HDF5 file of another program; choose the authors' model_all.pt",
    b"BZh": "packed with bzip2; unpack it first",
    b"7z\xbc\xaf": "packed with 7z; unpack it first",
}


def read_weights(path: Path) -> dict[str, Tensor]:
    """The authors' weights in a file, by their own names, however a trainer wrapped them: in a ``state_dict``, a
    ``network`` or deeper, with an epoch beside them, with ``module.`` or ``_orig_mod.`` anywhere in their names.

    Raises:
        ValueError: no such file, too large, code in it, none of PyTorch's, or no weights of theirs; one sentence that
            says what the file is and what to do.
    """
    _refuse_others(path)
    loaded = _opened(path)
    if not isinstance(loaded, dict) or not loaded:
        raise ValueError(f"{path.name} holds no state dict of tensors; choose the authors' model_all.pt")
    groups: dict[str, dict[str, Tensor]] = {}
    others: list[str] = []
    for name, value in _tensors(loaded):
        words = [word for word in name.split(".") if word not in WRAPPERS]
        at = next((place for place, word in enumerate(words) if word in PARTS), None)
        if at is None:
            others.append(name)
        else:
            groups.setdefault(".".join(words[:at]), {})[".".join(words[at:])] = value
    if not groups:
        raise ValueError(_strangers(path.name, others))
    return _one_model(groups, path.name)


def _one_model(groups: dict[str, dict[str, Tensor]], name: str) -> dict[str, Tensor]:
    """The weights of one model, from those under each name that a trainer gave it; parts may be kept apart."""
    names = [key for weights in groups.values() for key in weights]
    if len(set(names)) == len(names):
        return {key: value for weights in groups.values() for key, value in weights.items()}
    main = [key for key, weights in groups.items() if set(weights) >= set(names) and set(key.split(".")) <= {"", *MAIN}]
    if len(main) != 1:
        raise ValueError(
            f"{name} holds several models ({', '.join(key or 'without a name' for key in sorted(groups))}); save the "
            "one that you mean alone, with torch.save"
        )
    return groups[main[0]]


def _tensors(values: dict[Any, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in dicts within dicts, with the path to it; what lies beside, such as an epoch, is passed over."""
    for key, value in values.items():
        if isinstance(value, Tensor):
            yield f"{before}{key}", value
        elif isinstance(value, dict) and depth < 6:
            yield from _tensors(value, f"{before}{key}.", depth + 1)


def _strangers(name: str, others: list[str]) -> str:
    """What a file holds instead of the authors' weights."""
    if not others:
        return f"{name} holds no state dict of tensors; choose the authors' model_all.pt"
    few = ", ".join(re.sub(r"[^\w.]", "?", other)[:60] for other in others[:3])
    return (
        f"{name} is not one of the authors' models, and there is no state dict of one in it: it has the keys of "
        f"another model ({few}{', …' if others[3:] else ''}); choose their model_all.pt, or train a model here"
    )


def _refuse_others(path: Path) -> None:
    """Say what a file is that PyTorch did not write, from its first bytes."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path.name} is empty (0 bytes); copy it again")
    if size > LARGEST:
        raise ValueError(f"{path.name} has {size:,} bytes, and models of at most {LARGEST:,} are opened")
    with open(path, "rb") as file:
        start = file.read(4096)
    if kind := next((kind for beginning, kind in _STARTS.items() if start.lstrip().startswith(beginning)), ""):
        raise ValueError(f"{path.name} is damaged or no PyTorch file: it is {kind}")
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size:
        raise ValueError(
            f"{path.name} is a safetensors file, which is not imported: one that this program wrote is used as it is, "
            "with the ending .safetensors"
        )
    if start.startswith(b"PK"):
        _refuse_archives(path)
    elif _is_text(start):
        raise ValueError(f"{path.name} is damaged or no PyTorch file: it is a text file, not weights; get it again")


def _refuse_archives(path: Path) -> None:
    """The same for a zip, which PyTorch's files are too."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return  # damaged, and said so when it is opened
    if any("/code/" in member for member in members):
        raise ValueError(
            f"{path.name} is a TorchScript program, which could run code and is not opened; export its state dict with "
            "torch.save(model.state_dict(), …)"
        )
    if members and not any(member.endswith("data.pkl") for member in members):
        arrays = all(member.endswith(".npy") for member in members)
        kind = "an .npz of arrays" if arrays else f"a zip of {len(members)} files; unpack it first"
        raise ValueError(f"{path.name} is damaged or no PyTorch file: it is {kind}")


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else a letter that the last bytes cut
            return False
        text = start[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _opened(path: Path) -> Any:
    """What PyTorch makes of the file, where it can without running anything."""
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
            warnings.simplefilter("ignore")  # of foreign pickles; what is wrong with them is said below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        known = re.search(r"GLOBAL ([\w.]{1,80})", str(error))
        what = f", {known[1]}" if known else ""
        raise ValueError(
            f"{path.name} holds more than weights{what} (it could run code), and is not opened; export it as a plain "
            "state dict, with torch.save(model.state_dict(), …) where it was trained"
        ) from None
    except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, ValueError, KeyError, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path.name} is damaged or no PyTorch file ({first_line}); copy it again") from None
    except (IndexError, TypeError, AttributeError, AssertionError):
        raise ValueError(f"{path.name} is damaged or no PyTorch file; copy it again") from None

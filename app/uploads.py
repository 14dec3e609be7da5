"""Files that visitors bring: checkpoints, the authors' weights, rollouts and clips, kept for a while."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from app import library, running
from hri.core.records import Film

if TYPE_CHECKING:
    from hri.data.video import VideoFacts

UPLOADS_KEPT = 20
"""Uploaded files of all visitors together; the oldest go first."""


@st.cache_resource(show_spinner=False)
def _upload_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hri-uploads-")


WEIGHTS = (".pt", ".pth", ".ckpt")
"""Endings of PyTorch's files: the authors' weights in them are imported."""


class OnlyEyesError(ValueError):
    """An encoder and a decoder that are whole but cannot predict; what they redraw, where that can be shown."""

    def __init__(self, sentence: str, picture: UInt8[np.ndarray, "H W C"] | None):
        super().__init__(sentence)
        self.picture = picture


def accept_upload(name: str, content: bytes, variant: str | None = None) -> str:
    """Check an uploaded checkpoint, file of weights or rollout (``.npz``) and add it to this visitor's list; its name
    there.

    Args:
        name: of the file, as its owner calls it.
        content: of the file.
        variant: of the authors' weights, where their file fits several.

    Raises:
        OnlyEyesError: encoder and decoder alone.
        SeveralVariantsError: a file of weights that does not tell which variant it is.
        ValueError: not a checkpoint that can run, no weights of the authors', or no rollout; one sentence.
    """
    ending = Path(name).suffix.lower()
    is_rollout = ending == ".npz"
    if is_rollout:
        from hri.rollout.rollout_files import read_rollout

        read_rollout(content)
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).stem[:60] or "upload")
    if variant is not None:
        stem = f"{stem}-{variant}"
    folder = Path(_upload_folder().name) / hashlib.sha256(content).hexdigest()[:24]
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}{'.npz' if is_rollout else '.safetensors'}"
    if ending in WEIGHTS:
        _import(folder / f"{stem}{ending}", content, path, variant)
    else:
        path.write_bytes(content)
    if not is_rollout:
        try:
            _check_complete(path)
        except ValueError:
            path.unlink(missing_ok=True)
            raise
    _forget_old_uploads()
    label = f"{path.stem} ({'rollout' if is_rollout else 'uploaded'})"
    st.session_state.setdefault("uploads", {})[label] = str(path)
    return label


def _import(file: Path, content: bytes, target: Path, variant: str | None) -> None:
    """The authors' weights as a checkpoint; code in the file is never run, and the file does not stay."""
    from hri.model.checkpoint import provenance, save
    from hri.model.published import import_published

    file.write_bytes(content)
    try:
        conversion = import_published(file, variant)
    finally:
        file.unlink(missing_ok=True)
    save(target, conversion.model, dataclasses.replace(conversion.header, **provenance()))


def _check_complete(path: Path) -> None:
    """Refuse a checkpoint that cannot run.

    Raises:
        OnlyEyesError: it cannot predict.
        ValueError: one sentence.
    """
    if library.header(path).parts == "all":
        running.checkpoint_of(path)
        return
    raise OnlyEyesError(
        f"{path.name} holds encoder and decoder only, so it cannot predict; choose a complete checkpoint, or train one "
        "on these: python -m hri train --preset springs-4-3-slot-hri --vision-from FILE, where FILE is this one (a .pt "
        "after python -m hri import)",
        _redrawn(path),
    )


def _redrawn(path: Path) -> UInt8[np.ndarray, "H W C"] | None:
    """Frames of an unseen scene above what encoder and decoder make of them; None where there is no such scene here."""
    from hri.data.sources import source_of
    from hri.rollout.imaging import encode_and_reconstruct
    from hri.rollout.scenes import frames_of, scenes_of

    checkpoint, lock = running.checkpoint_of(path)
    config = checkpoint.header.config
    if not source_of(config.data).simulated:
        return None
    scene = scenes_of(config.data, [library.FIRST_UNSEEN])
    assert not isinstance(scene, Film)
    frames = frames_of(config, scene.positions[:, :: len(scene.positions[0]) // 6], scene.seeds)
    with lock:
        drawn = encode_and_reconstruct(checkpoint, frames)[1]
    rows = [np.concatenate(list(row), 1) for row in (frames[0], np.round(255 * drawn[0].clip(0, 1)).astype(np.uint8))]
    picture = np.concatenate(rows).repeat(2, 0).repeat(2, 1)
    return np.repeat(picture, 3 // picture.shape[2], 2)


def accept_clip(name: str, content: bytes) -> tuple[Path, VideoFacts]:
    """Keep an uploaded video for this visitor, and what it says of itself.

    Raises:
        ValueError: not a video that can be read; one sentence.
    """
    from io import BytesIO

    from hri.data.video import about

    facts = about(BytesIO(content), name)
    folder = Path(_upload_folder().name) / hashlib.sha256(content).hexdigest()[:24]
    folder.mkdir(exist_ok=True)
    (folder / "clip").write_bytes(content)
    _forget_old_uploads()
    return folder / "clip", facts


def accept_trajectories(files: Sequence[tuple[str, bytes]]) -> Path:
    """Keep uploaded trajectories together in a folder of their own, under their names.

    Args:
        files: name and content of each.

    Raises:
        ValueError: more files than are kept.
    """
    if len(files) > UPLOADS_KEPT:
        raise ValueError(f"{len(files)} files are too many here; bring {UPLOADS_KEPT} at most, or use the terminal")
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(name.encode() + content)
    folder = Path(_upload_folder().name) / digest.hexdigest()[:24]
    folder.mkdir(exist_ok=True)
    for name, content in files:
        plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).name).lstrip(".")
        (folder / (plain[-100:] or "file")).write_bytes(content)
    _forget_old_uploads()
    return folder


def _forget_old_uploads() -> None:
    others = sorted(Path(_upload_folder().name).glob("*/*"), key=lambda file: file.stat().st_mtime)
    for old in others[:-UPLOADS_KEPT]:
        old.unlink(missing_ok=True)

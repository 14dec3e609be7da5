"""Files that visitors bring: checkpoints, rollouts and clips, kept for a while."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app import library, running

if TYPE_CHECKING:
    from hri.data.video import VideoFacts

UPLOADS_KEPT = 20
"""Uploaded files of all visitors together; the oldest go first."""


@st.cache_resource(show_spinner=False)
def _upload_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hri-uploads-")


def accept_upload(name: str, content: bytes) -> str:
    """Check an uploaded checkpoint or rollout (``.npz``) and add it to this visitor's list; its name there.

    Raises:
        ValueError: not a checkpoint that can run, or no rollout; one sentence.
    """
    is_rollout = name.lower().endswith(".npz")
    if is_rollout:
        from hri.rollout.rollout_files import read_rollout

        read_rollout(content)
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).stem[:60] or "upload")
    folder = Path(_upload_folder().name) / hashlib.sha256(content).hexdigest()[:24]
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}{'.npz' if is_rollout else '.safetensors'}"
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


def _check_complete(path: Path) -> None:
    """Refuse a checkpoint that cannot run.

    Raises:
        ValueError: one sentence.
    """
    if library.header(path).parts != "all":
        raise ValueError(
            f"{path.name} holds encoder and decoder only, so it cannot predict; choose a complete checkpoint"
        )
    running.checkpoint_of(path)


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

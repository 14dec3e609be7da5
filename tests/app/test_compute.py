"""What visitors share: computed once, and anew when a file changes or a rollout is another."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.compute import scene_id, shared_cache
from hri.core.records import Rollout
from hri.data.video import VideoClip


@dataclass(frozen=True)
class WithFile:
    """A value with a file inside."""

    name: str
    path: Path | None = None


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def kept(told: list[Any]) -> Any:
    """A shared function that notes each time it is really called."""

    @shared_cache(8)
    def read(asked: Any, *more: Any) -> list[Any]:
        told.append(asked)
        return [asked, *more]

    read.clear()  # type: ignore[attr-defined]
    return read


def rewrite(path: Path, text: str, nanoseconds: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(nanoseconds, nanoseconds))


def test_a_file_is_read_once_until_it_changes_or_goes(tmp_path: Path, kept: Any, told: list[Any]) -> None:
    path = tmp_path / "model.safetensors"
    for asked in (path, WithFile("one", path)):
        told.clear()
        rewrite(path, "first", 10**18)
        first = kept(asked)
        assert kept(asked) is first
        rewrite(path, "second", 10**18 + 1)
        assert kept(asked) is not first
        assert kept(tmp_path / "other") is kept(tmp_path / "other")
        path.unlink()
        kept(asked)
        kept(asked)
        assert told.count(asked) == 3
    assert kept(None) is kept(None)


def test_of_a_folder_every_file_counts(tmp_path: Path, kept: Any, told: list[Any]) -> None:
    rewrite(tmp_path / "one.json", "1", 10**18)
    kept(tmp_path)
    kept(tmp_path)
    assert len(told) == 1
    rewrite(tmp_path / "one.json", "2", 10**18 + 5)
    kept(tmp_path)
    rewrite(tmp_path / "two.json", "2", 10**18)
    kept(tmp_path)
    (tmp_path / "one.json").unlink()
    kept(tmp_path)
    kept(tmp_path)
    assert len(told) == 4


def test_a_clip_stays_what_it_is_when_its_file_is_forgotten(tmp_path: Path, kept: Any) -> None:
    (tmp_path / "clip").touch()
    clip = VideoClip(tmp_path / "clip", "mine.mp4")
    first = kept(clip)
    clip.path.unlink()
    assert kept(clip) is first
    assert kept(dataclasses.replace(clip, name="yours.mp4")) is not first


def test_rollouts_are_told_apart_by_their_numbers(kept: Any, told: list[Any]) -> None:
    stored = Path(__file__).parents[2] / "assets" / "stored" / "springs-4-3-state-hri.npz"
    rollout = Rollout.load(stored).scene(0)
    other = dataclasses.replace(rollout, slots=rollout.slots + np.float32(1))
    again = dataclasses.replace(rollout, slots=rollout.slots.copy())
    assert scene_id(again) == scene_id(rollout) != scene_id(other)
    first = kept("graph", rollout, "words")
    assert kept("graph", again, "words") is first
    assert len({id(kept("graph", *asked)) for asked in ((rollout, "words"), (rollout, "raw"), (other, "words"))}) == 3
    assert len(told) == 3

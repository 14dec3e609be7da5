"""Pictures of a training's course: they are the model's own, they change nothing, and they are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hri.core.records import Rollout
from hri.experiments.runs import checkpoints_of
from hri.model import checkpoint
from hri.rollout.rollout import roll_out
from hri.training.loop import train
from hri.training.watching import Reconstruction, pictures, read_picture, scene_seed, watched_scene
from tests.training.test_loop import lines, small


def test_a_picture_is_what_the_checkpoint_of_the_same_moment_predicts(tmp_path: Path) -> None:
    config = small(updates=4, evaluate_every=2)
    list(train(config, tmp_path))
    found = pictures(tmp_path)
    assert list(found) == [(2, 2), (2, 4)]
    assert [update for _, update in found] == list(checkpoints_of(tmp_path))
    seen = read_picture(found[2, 2])
    assert isinstance(seen, Rollout)
    assert seen.seeds.tolist() == [scene_seed(config)] == [200_042]
    again = roll_out(checkpoint.load(checkpoints_of(tmp_path)[2]), watched_scene(config))
    np.testing.assert_allclose(seen.predicted_slots, again.predicted_slots, atol=1e-6)
    assert np.abs(seen.predicted_frames - again.predicted_frames).max() <= 0.5 / 255 + 1e-6


def test_stage_1_is_seen_as_reconstructions(tmp_path: Path) -> None:
    list(train(small("par", stage1_updates=4, updates=2, evaluate_every=2), tmp_path))
    found = pictures(tmp_path)
    assert list(found) == [(1, 2), (1, 4), (2, 2)]
    seen = read_picture(found[1, 4])
    assert isinstance(seen, Reconstruction)
    assert seen.frames.shape == seen.drawn.shape == (8, 32, 32, 3)
    assert seen.frames.any()
    assert isinstance(read_picture(found[2, 2]), Rollout)


def test_watching_changes_no_number(tmp_path: Path) -> None:
    for name, snapshots in (("watched", 24), ("unseen", 0)):
        list(train(small(updates=4, evaluate_every=1, snapshots=snapshots), tmp_path / name))
    assert lines(tmp_path / "watched") == lines(tmp_path / "unseen")
    assert not pictures(tmp_path / "unseen")


def test_a_damaged_picture_is_one_sentence(tmp_path: Path) -> None:
    for name in ("2-000000001.npz", "1-000000001.npz"):
        (tmp_path / name).write_bytes(b"PK half")
        with pytest.raises(ValueError, match=name):
            read_picture(tmp_path / name)
    with pytest.raises(ValueError, match="cannot be read"):
        read_picture(tmp_path / "2-000000002.npz")


def test_a_picture_that_cannot_be_drawn_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("hri.training.run_folder.write_picture", full)
    reports = list(train(small(updates=4, evaluate_every=2), tmp_path))
    assert reports[-1].update == 4
    assert not pictures(tmp_path)
    assert "no picture after 4 updates of stage 2 (out of memory)" in (tmp_path / "log.txt").read_text()

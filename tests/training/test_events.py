"""The log for TensorBoard: read by TensorBoard, and failing where the training can say so."""

from __future__ import annotations

import builtins
import errno
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from hri.training.control import is_held
from hri.training.events import Events, events_file
from hri.training.loop import train
from tests.disk import disk_of
from tests.training.test_loop import small


def opened(folder: Path) -> Events:
    """A file of events, where the package is installed."""
    pytest.importorskip("tensorboard")
    events = events_file(folder)
    assert events is not None
    return events


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    """What TensorBoard reads: (update, value)."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return [(event.step, event.value) for event in EventAccumulator(str(folder)).Reload().Scalars(name)]


def test_a_training_is_read_by_tensorboard_as_its_own_log_has_it(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    list(train(small(), tmp_path))
    read = scalars(tmp_path / "tensorboard", "stage2/loss")
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [update for update, _ in read] == [line["update"] for line in lines] == list(range(1, 7))
    assert [value for _, value in read] == pytest.approx([line["loss"] for line in lines])


def test_what_was_added_is_on_disk_before_the_file_is_closed(tmp_path: Path) -> None:
    events = opened(tmp_path)
    events.add({"stage2/loss": 2.5, "stage2/rate": 0.25}, 7)
    assert scalars(tmp_path, "stage2/loss") == [(7, 2.5)]
    assert scalars(tmp_path, "stage2/rate") == [(7, 0.25)]
    events.close()


def test_two_writers_in_one_folder_are_read_one_after_the_other(tmp_path: Path) -> None:
    for update in (1, 2, 3):  # a run resumed twice
        events = opened(tmp_path)
        events.add({"loss": float(update)}, update)
        events.close()
    assert scalars(tmp_path, "loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_full_disk_is_an_error_of_the_one_who_logs(tmp_path: Path) -> None:
    before = threading.active_count()
    events = opened(tmp_path)
    events.add({"loss": 1.0}, 1)
    with disk_of(120), pytest.raises(OSError, match="File too large") as full:
        events.add({f"loss{number}": 1.0 for number in range(100)}, 2)
    assert full.value.errno == errno.EFBIG
    assert threading.active_count() == before
    events.close()
    assert scalars(tmp_path, "loss") == [(1, 1.0)], "what was written before stays readable"


def test_a_run_that_cannot_open_it_is_free_for_the_next(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("a file where the folder belongs")
    with pytest.raises(FileExistsError):
        next(train(small(), tmp_path))
    assert not is_held(tmp_path)
    (tmp_path / "tensorboard").unlink()
    assert len(list(train(small(), tmp_path, resume=True))) == 6


def test_a_folder_that_goes_is_no_error_of_its_own(tmp_path: Path) -> None:
    events = opened(tmp_path / "tensorboard")
    shutil.rmtree(tmp_path / "tensorboard")
    events.add({"loss": 1.0}, 1)
    events.close()
    assert not (tmp_path / "tensorboard").exists()


def test_without_the_package_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert events_file(tmp_path / "tensorboard") is None
    assert not (tmp_path / "tensorboard").exists()

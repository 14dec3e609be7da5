"""Lines of a growing file, each once; throughput and time left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hri.core.files import replacing
from hri.core.presets import preset
from hri.core.settings import changed
from hri.training.progress import Tail, duration, progress


def line(update: int, stage: int = 2, **more: Any) -> str:
    return json.dumps({"update": update, "stage": stage, "loss": 1.0, "seconds": 0.5 * update} | more) + "\n"


def test_lines_are_read_as_they_come_and_half_a_line_waits(tmp_path: Path) -> None:
    tail, path = Tail(tmp_path), tmp_path / "metrics.jsonl"
    assert list(tail.read()) == []
    path.write_text(line(1) + line(2)[:20])
    first = tail.read()
    assert [record["update"] for record in first] == [1]
    with open(path, "a") as file:
        file.write(line(2)[20:] + "no json\n" + '{"update": 3}\n' + line(4))
    assert [record["update"] for record in tail.read()] == [1, 2, 4]
    assert len(first) == 1, "what was handed out does not change"
    with replacing(path) as file:  # as a resumed training does
        file.write((line(1) + line(2) + line(3) + line(4) + line(5) + line(6) + line(7)).encode())
    assert [record["update"] for record in tail.read()] == [1, 2, 3, 4, 5, 6, 7]
    path.unlink()
    assert list(tail.read()) == []


def test_throughput_and_time_left() -> None:
    config = changed(preset("springs-4-3-state-hri-h"), {"train.updates": 100, "train.batch": 8})
    told = progress([json.loads(line(update)) for update in range(1, 41)], config)
    assert (told.stage, told.stages, told.update, told.updates, told.share) == (2, 1, 40, 100, 0.4)
    assert told.rate == pytest.approx(2)
    assert told.samples == pytest.approx(16)
    assert told.left == pytest.approx(30)
    start = progress([], config)
    assert (start.update, start.updates, start.left) == (0, 100, None)


def test_both_stages_are_known() -> None:
    config = changed(preset("springs-4-3-slot-hri-h"), {"train.updates": 100, "train.stage1_updates": 50})
    assert progress([], config).stages == 2
    assert progress([], config).updates == 50
    assert progress([], config, vision_from="slot").stages == 1
    later = progress([json.loads(line(50, 1)), json.loads(line(10, 2)), json.loads(line(20, 2))], config)
    assert (later.stage, later.update, later.updates) == (2, 20, 100)
    assert later.rate == pytest.approx(2), "of this stage alone"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (7260, "2 h 1 min"), (200_000, "2 d 7 h")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words

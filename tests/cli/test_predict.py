"""``python -m hri rollout --edges`` and ``export``: edits from files, JSON and addresses; every format by name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from hri.__main__ import main
from hri.core.files import write_npz
from hri.core.records import Rollout
from hri.export.formats import FORMATS
from hri.model.checkpoint import save
from hri.rollout.edits import Mute, SetLevel
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import roll_out
from tests.rollout.test_rollout import made, scenes, simulation
from tests.synthetic import slot_rollout

NAME = "springs-4-3-slot-hri-h"
CLEARED = Intervention((SetLevel("all"),))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a checkpoint, a simulation and a rollout."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "model.safetensors", made(NAME).model, made(NAME).header)
    write_npz(tmp_path / "scene.npz", simulation(scenes()[:1]))
    slot_rollout().save(tmp_path / "rollout.npz")
    return tmp_path


def rolled(edges: str, out: str = "out.npz") -> Rollout:
    assert (
        main(["rollout", "--checkpoint", "model.safetensors", "--input", "scene.npz", "--out", out, "--edges", edges])
        == 0
    )
    return Rollout.load(out)


def test_edits_come_from_a_file_from_json_or_from_an_address(folder: Path) -> None:
    (folder / "edits.json").write_text(CLEARED.to_json())
    none = rolled("none")
    for text in ("edits.json", CLEARED.to_json(), CLEARED.to_address()):
        cut = rolled(text)
        for name in ("predicted_slots", "predicted_frames", "edge_types", "edge_logits"):
            assert np.array_equal(getattr(cut, name), getattr(none, name))
        assert Intervention.parse(cut.edits) == CLEARED
    muted = Intervention((Mute(6),))
    expected = roll_out(made(NAME), scenes()[:1], intervention=muted)
    assert np.array_equal(rolled(muted.to_address()).predicted_frames, expected.predicted_frames)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ("all", "--edges is 'all'; choose from argmax, sample, true, none, or give a file of edits or JSON"),
        ("missing.json", "--edges is 'missing.json'"),
        ('{"version": 1}', "must be one JSON object"),
        ("1~mute_50", "edit 0 (mute) does not fit: there is no node 50"),
        ("bad.json", "bad.json: the edits are no JSON"),
        ("picture.json", "picture.json holds no text"),
        ("huge.json", "huge.json: the edits are"),
    ],
)
def test_edits_that_cannot_be_are_one_line(
    edges: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.json").write_text("{")
    (folder / "picture.json").write_bytes(b"\x89PNG\xff\xfe")
    (folder / "huge.json").write_text("{" + "1" * 500_000)
    assert main(["rollout", "--checkpoint", "model.safetensors", "--input", "scene.npz", "--edges", edges]) == 1
    told = capsys.readouterr()
    assert says in told.err
    assert re.fullmatch(r"hri: [^\n]+\n", told.err)
    assert not (folder / "rollout.npz.part").exists()


@pytest.mark.parametrize("format", [ending[1:] for ending in FORMATS if ending != ".npz"])
def test_every_format_has_a_name(format: str, folder: Path) -> None:
    assert main(["export", "--rollout", "rollout.npz", "--format", format, "--scale", "1", "--frame", "20"]) == 0
    assert (folder / f"rollout.{format}").stat().st_size > 500
    assert main(["export", "--rollout", "rollout.npz", "--out", f"same.{format}", "--scale", "1", "--frame", "20"]) == 0
    first, second = folder / f"rollout.{format}", folder / f"same.{format}"
    if format == "mp4":  # x264 reads memory it has not written: the same film may differ in a few bytes
        films = [iio.imread(path, plugin="pyav").astype(np.float32) for path in (first, second)]
        np.testing.assert_allclose(films[0].mean((1, 2)), films[1].mean((1, 2)), atol=1)
        assert np.abs(films[0] - films[1]).mean() < 1
        return
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--out or --format must be given"),
        (["--format", "npz"], "is the rollout itself"),
        (["--format", "gif", "--out", "a.png"], "a.png does not end with .gif"),
        (["--out", "a.svg", "--frame", "49"], "frame 49 was not predicted; choose one of 1 to 48"),
        (["--format", "tex"], "choose from auto, gif, mp4, png, svg, pdf, html, graphml, json, csv, npz"),
    ],
)
def test_exports_that_cannot_be_are_one_line(
    words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("rollout.npz").read_bytes()
    assert main(["export", "--rollout", "rollout.npz", *words]) == 1
    assert says in capsys.readouterr().err
    assert Path("rollout.npz").read_bytes() == before


def test_json_of_an_export_is_json(folder: Path) -> None:
    assert main(["export", "--rollout", "rollout.npz", "--out", "a.json"]) == 0
    assert json.loads((folder / "a.json").read_bytes())["checkpoint"] == "synthetic-slot"

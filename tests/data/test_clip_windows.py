"""Video clips as training data: the windows that seeds draw, and KTH from its videos to a scene in the app."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import places
from hri.__main__ import main
from hri.core.config import ClipsConfig, Config, DataConfig, RenderConfig
from hri.core.presets import preset
from hri.core.records import Rollout
from hri.data import clip_windows
from hri.data.clips import ClipSet, ClipWriter
from hri.data.dataset import Clips
from hri.data.formats import kth
from hri.data.sources import sequences
from hri.model.checkpoint import read_header
from tests.clips import greys, moving_dot, video

LENGTH = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clip a person of KTH; column c of frame t (of all frames) is grey (7 t + c) mod 256."""
    writer = ClipWriter(tmp_path, 32)
    for person in range(1, 26):
        first = (person - 1) * LENGTH
        levels = 7 * np.arange(first, first + LENGTH)[:, None, None] + np.arange(32)
        pixels = np.broadcast_to(levels % 256, (LENGTH, 32, 32)).astype(np.uint8)
        writer.add(f"person{person:02}", person, "walking", kth.splits(person), pixels)
    writer.close()
    return tmp_path


def data(folder: Path, **changes: object) -> DataConfig:
    clips = dataclasses.replace(ClipsConfig(folder=str(folder), frames=12, every=2), **changes)  # type: ignore[arg-type]
    return DataConfig(train=60, validation=20, test=20, render=RenderConfig(grey=True), clips=clips)


def persons(chosen: DataConfig, split: str) -> set[int]:
    return {clip.person for clip in clip_windows.draw(chosen, chosen.seeds(split)).clips}  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["prediction", "original"])
def test_no_person_is_in_two_splits(folder: Path, way: str) -> None:
    chosen = data(folder, split=way)
    found = {split: persons(chosen, split) for split in ("train", "validation", "test")}
    if way == "prediction":
        assert found["validation"] == {15, 16}
        assert found["train"] <= set(range(1, 15))
        assert found["test"] <= set(range(17, 26))
    else:
        assert all(found[split] <= set(people) for split, people in kth.ORIGINAL.items())
    assert min(map(len, found.values())) >= 2


def test_a_seed_is_a_window_of_one_clip_mirrored_and_shifted_in_training_alone(folder: Path) -> None:
    chosen = data(folder, shift=5)
    kept = ClipSet.read(folder).frames
    for split in ("train", "validation", "test"):
        whole = sequences(chosen, split)
        assert isinstance(whole, Clips)
        drawn = whole.windows
        rows, times = np.repeat(np.arange(len(whole)), 12), np.tile(np.arange(12), len(whole))
        pictures = whole.pictures(rows, times).reshape(len(whole), 12, 32, 32)
        for row, clip in enumerate(drawn.clips):
            first = drawn.starts[row]
            assert clip.start <= first
            assert first + 2 * 11 < clip.stop
            wanted = np.array(kept[first : first + 24 : 2])
            if drawn.mirrored[row]:
                wanted = wanted[:, :, ::-1]
            shift = int(drawn.shifts[row])
            moved = np.zeros_like(wanted)
            if shift >= 0:
                moved[:, :, shift:] = wanted[:, :, : 32 - shift]
            else:
                moved[:, :, :shift] = wanted[:, :, -shift:]
            np.testing.assert_array_equal(pictures[row], moved)
        changed = drawn.mirrored.any() and (drawn.shifts != 0).any()
        assert changed == (split == "train")
        film = clip_windows.scenes(chosen, [*chosen.seeds(split)][3:5])  # type: ignore[arg-type]
        np.testing.assert_array_equal(film.frames[..., 0], pictures[3:5])
        np.testing.assert_array_equal(
            whole.part(slice(3, 5)).pictures(rows[:24], times[:24]), film.frames.reshape(24, 32, 32, 1)
        )


def test_what_clips_cannot_do_is_said(folder: Path) -> None:
    with pytest.raises(ValueError, match="32 pixels wide"):
        sequences(dataclasses.replace(data(folder), render=RenderConfig(size=64, grey=True)), "train")
    with pytest.raises(ValueError, match="no train clip"):
        sequences(data(folder, frames=40), "train")
    with pytest.raises(ValueError, match="data kth"):
        sequences(data(folder / "none"), "train")
    with pytest.raises(ValueError, match="slot or par"):
        _ = sequences(data(folder), "test").states
    base = preset("kth-par-hri")
    with pytest.raises(ValueError, match="slot or par"):
        Config(data=base.data)
    with pytest.raises(ValueError, match="grey"):
        dataclasses.replace(base, data=dataclasses.replace(base.data, render=RenderConfig(size=64)))
    with pytest.raises(ValueError, match="free_steps"):
        dataclasses.replace(base, train=dataclasses.replace(base.train, free_steps=20))


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> str:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return command


NARROW = ["--model.vision.encoder-channels", 4, "--model.vision.decoder-channels", 4, "--model.dynamics.hidden", 8,
          "--model.relations.hidden", 8]  # fmt: skip
BRIEF = ["--data.train", 6, "--data.validation", 2, "--data.test", 4, "--train.batch", 2, "--train.stage1-batch", 4,
         "--stage1-updates", 2, "--updates", 2, "--train.snapshots", 0, "--train.precision", "no"]  # fmt: skip


@pytest.mark.parametrize(("decoder", "size"), [pytest.param("par", 64, marks=pytest.mark.slow), ("slot", 32)])
def test_kth_from_its_videos_to_a_scene_in_the_app(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: str, size: int
) -> None:
    lines = []
    for person in (1, 2, 16, 20):
        name = f"person{person:02}_walking_d1"
        (tmp_path / "videos" / "walking").mkdir(parents=True, exist_ok=True)
        (tmp_path / "videos" / "walking" / f"{name}_uncomp.avi").write_bytes(
            video("avi", moving_dot(22, 120, 160), rate=25)
        )
        lines.append(f"{name}\t\tframes\t1-22")
    (tmp_path / "videos" / kth.SEQUENCES).write_text("\n".join(lines))
    told = json.loads(run("data", "kth", "videos", "--out", "kth", "--size", size, "--json"))
    assert (told["sequences"], told["train"], told["test"]) == (4, 3, 1)

    run("train", "--preset", f"kth-{decoder}-hri", "--run", "run", "--data.render.size", size, *NARROW, *BRIEF)
    header = read_header(tmp_path / "run" / "best.safetensors")
    assert header.steps == {"stage1": 2, "stage2": 2}
    assert "2 video clips from kth (44 frames" in header.data
    assert "only show the method at work" in header.data
    scores = json.loads(run("evaluate", "--checkpoint", "run/best.safetensors", "--json"))
    assert scores["systems"] == 4
    assert np.isfinite([scores["nll"], scores["reconstruction_mse"], scores["copy_baseline"]["nll"]]).all()
    assert "no true graph" in scores["reasons"]["edges"]
    if decoder == "slot":  # from here on nothing depends on the decoder
        return
    run("rollout", "run/best.safetensors", "--input", "kth", "--systems", 2, "--out", "seen.npz")
    seen = Rollout.load("seen.npz")
    assert seen.frames is not None
    assert seen.frames.shape == (2, 20, size, size, 1)
    assert seen.true_adjacency is None

    (tmp_path / "stored").mkdir()
    run("publish", "--checkpoint", "run/best.safetensors", "--name", "walking", "--checkpoints", "checkpoints",
        "--stored", "stored")  # fmt: skip
    assert read_header(tmp_path / "checkpoints" / "walking.safetensors").metrics["familiar"]["frames"] > 0
    assert "video clips from kth" in (tmp_path / "checkpoints" / "README.md").read_text()
    monkeypatch.setattr(places, "STORED", tmp_path / "stored")
    monkeypatch.setattr(places, "CHECKPOINTS", tmp_path / "checkpoints")
    app = AppTest.from_file(str(Path(__file__).parents[2] / "streamlit_app.py"), default_timeout=60).run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="data").value == "kth"
    app.number_input(key="seed").set_value(200_050).run()
    assert not app.exception
    assert not app.error
    assert any("person20 walking d1 1, frames" in caption.value for caption in app.caption)
    # Without the clips, what is stored is still shown.
    (tmp_path / "kth").rename(tmp_path / "elsewhere")
    app.number_input(key="seed").set_value(200_042).run()
    assert not app.exception
    assert not app.error


def test_videos_of_ones_own_become_clips(run: Run, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").write_bytes(video("mp4", greys(range(0, 250, 5))))
    (tmp_path / "films" / "b.webm").write_bytes(b"no video")
    told = json.loads(run("data", "video", "films", "--out", "set", "--size", 32, "--json"))
    assert {name: told[name] for name in ("videos", "frames", "train", "validation", "test")} == {
        "videos": 1, "frames": 50, "train": 30, "validation": 10, "test": 10,
    }  # fmt: skip
    assert told["skipped"][0]["name"] == "b.webm"
    found = ClipSet.read(tmp_path / "set")
    assert np.abs(found.frames[:, 9, 9].astype(int) - 5 * np.arange(50)).max() <= 2
    chosen = DataConfig(clips=ClipsConfig(folder=str(tmp_path / "set"), frames=12), render=RenderConfig(grey=True))
    assert {clip.name for clip in clip_windows.draw(chosen, range(42, 60)).clips} == {"a train"}


def test_films_of_several_cameras_are_split_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    for camera in (1, 2, 3, 4):
        (tmp_path / "films" / f"cam{camera}.mp4").write_bytes(video("mp4", greys(range(0, 200, 10))))
    assert main(["data", "video", "films", "--out", "set", "--size", "32", "--by", "film", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {name: answer[name] for name in ("train", "validation", "test")} == {
        "train": 40,
        "validation": 20,
        "test": 20,
    }
    splits = {clip.name: clip.splits["prediction"] for clip in ClipSet.read(tmp_path / "set").clips}
    assert splits == {
        "cam1 train": "train", "cam2 train": "train", "cam3 validation": "validation", "cam4 test": "test",
    }  # fmt: skip
    assert main(["data", "kth", "films", "--out", "other", "--by", "film"]) == 1
    assert "--by belong to `data video`" in capsys.readouterr().err

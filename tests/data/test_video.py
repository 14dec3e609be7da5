"""Clips of one's own: the frames that are taken, their bounds, and one sentence for every bad file."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from hri.__main__ import main
from hri.core.config import VisionConfig
from hri.core.presets import preset
from hri.core.records import Rollout
from hri.data.video import KINDS, Cut, about, read, without_background
from hri.model.checkpoint import Checkpoint, Header, load, save
from hri.model.model import Model
from hri.rollout import likeness
from tests.clips import corners, gif, greys, moving_dot, quad, shown_by, video, without_rate

LEVELS = [10 * k for k in range(1, 21)]


def levels(frames: np.ndarray) -> list[int]:
    """Which of :data:`LEVELS` each frame is, from 1."""
    return (frames.astype(float).mean((1, 2, 3)) / 10).round().astype(int).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_its_frames_in_order(kind: str) -> None:
    given = read(io.BytesIO(video(kind, greys(LEVELS))), "clip", 32, 3)
    assert (given.frames.shape, given.frames.dtype, given.rate) == ((20, 32, 32, 3), np.uint8, 10.0)
    coarse = 4 if kind == "gif" else 0  # a GIF's fixed palette is coarse
    assert np.abs(np.array(levels(given.frames)) - np.arange(1, 21)).max() <= coarse
    assert (np.diff(levels(given.frames)) >= 0).all()
    assert (given.width, given.height, given.notes) == (64, 48, ())


@pytest.mark.parametrize(
    ("cut", "wanted"),
    [
        (Cut(start=0.5), list(range(6, 21))),
        (Cut(start=0.5, length=0.4), [6, 7, 8, 9]),
        (Cut(rate=5.0), list(range(1, 21, 2))),
        (Cut(rate=20.0, length=0.4), [1, 1, 2, 2, 3, 3, 4, 4]),
        (Cut(start=1.0, rate=2.5), [11, 15, 19]),
    ],
)
def test_cut_and_rate_choose_the_frames_nearest_in_time(cut: Cut, wanted: list[int]) -> None:
    file = io.BytesIO(video("avi", greys(LEVELS)))
    assert levels(read(file, "clip", 32, 1, cut).frames) == wanted


def test_a_late_start_is_the_same_whether_sought_or_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO(video("mp4", greys([5 * k for k in range(1, 50)])))
    cut = Cut(start=3.2, length=1.0)
    sought = read(file, "clip", 32, 1, cut)
    monkeypatch.setattr("hri.data.video._SEEK_FROM", 1e9)
    np.testing.assert_array_equal(sought.frames, read(file, "clip", 32, 1, cut).frames)
    assert np.abs(sought.frames[:, 0, 0, 0].astype(int) - 5 * np.arange(33, 43)).max() <= 2


def test_time_stamps_rule_where_the_rate_varies() -> None:
    stamps = [0, 1, 2, 3, 4, 5, 9, 13, 17, 21]  # ten a second, then five halves
    given = read(io.BytesIO(video("webm", greys(LEVELS[:10]), stamps=stamps)), "clip", 32, 1, Cut(rate=10.0))
    nearest = [int(np.argmin([abs(t - s) for s in stamps])) + 1 for t in range(22)]
    assert levels(given.frames)[:22] == nearest
    assert "rate varies" in given.notes[0]


def test_crop_is_in_pixels_of_the_clip_and_grey_in_every_channel() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[8:24, 16:48] = (255, 0, 0)
    file = io.BytesIO(video("avi", [picture] * 3))
    inside = read(file, "clip", 32, 3, Cut(crop=(16, 8, 48, 24))).frames
    assert inside[..., 0].min() > 245
    assert inside[..., 1:].max() < 10
    grey = read(file, "clip", 32, 3, Cut(crop=(16, 8, 48, 24), grey=True)).frames
    assert (grey == grey[..., :1]).all()
    assert 60 < grey.mean() < 100
    assert read(file, "clip", 64, 1).frames.shape == (3, 64, 64, 1)
    with pytest.raises(ValueError, match="64 x 48"):
        read(file, "clip", 32, 3, Cut(crop=(0, 0, 65, 48)))


def test_only_what_moves_stays_without_the_background() -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(40, 200, (32, 32, 3))
    frames = np.clip(ground + rng.normal(0, 2, (15, 32, 32, 3)), 0, 255).astype(np.uint8)
    for time in range(15):
        frames[time, 10:14, 2 * time : 2 * time + 2] = 255
    left = without_background(frames)
    rows, columns = np.indices((32, 32))
    for time in range(15):
        there = (abs(rows - 11.5) < 2) & (abs(columns - 2 * time - 0.5) < 1)
        around = (abs(rows - 11.5) < 3) & (abs(columns - 2 * time - 0.5) < 2)
        assert (left[time][there & (ground.max(-1) < 200)] > 200).mean() > 0.9
        assert (left[time][~around] > 0).mean() < 0.01


def test_a_4k_clip_takes_bounded_memory(tmp_path: Path) -> None:
    """Ten frames are 250 MB as colours; decoded one by one they stay below 150 MB."""
    path = tmp_path / "4k.avi"
    ground = np.zeros((2160, 3840, 3), np.uint8)
    path.write_bytes(video("mov", (ground for _ in range(10))))
    code = (
        "import sys, resource; from pathlib import Path; import av, PIL.Image, numpy; from hri.data.video import read\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = read(Path(sys.argv[1]), 'clip', 32, 3)\n"
        "print(found.frames.shape[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    frames, kilobytes = map(int, done.stdout.split())
    assert frames == 10
    unit = 1024 if sys.platform == "linux" else 1
    assert kilobytes * unit < 150e6, kilobytes


@pytest.fixture
def vision(tmp_path: Path) -> Path:
    """An untrained image model small enough for tests."""
    config = preset("springs-4-3-par-hri-h")
    small = VisionConfig(decoder="par", encoder_channels=4, decoder_channels=4)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, vision=small))
    save(tmp_path / "small.safetensors", Model(config), Header(config))
    return tmp_path / "small.safetensors"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def roll(vision: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(clip: Path, *words: object) -> tuple[int, str, str]:
        words = ("rollout", vision, "--video", clip, "--out", tmp_path / "seen.npz", *words)
        code = main([str(word) for word in words])
        return (code, *capsys.readouterr())

    return run


def test_a_clip_rolls_out_to_an_honest_record(roll: Run, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video("mp4", moving_dot(24), sound=True))
    code, out, err = roll(clip, "--free-steps", 8, "--start", 0.2)
    assert (code, err) == (0, "")
    made = Rollout.load(tmp_path / "seen.npz")
    assert made.frames is not None
    assert made.frames.shape == (1, 22, 32, 32, 3)
    assert made.last_true_input == 22 - 8
    assert (made.true_adjacency, made.true_states, made.seeds) == (None, None, None)
    assert out.startswith("This clip is unlike what small was trained on")
    assert "22 frames at 10 a second from 64 x 48, 8 free steps" in out


def assert_one_sentence(answer: tuple[int, str, str], told: str) -> None:
    code, out, err = answer
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err


def test_bad_clips_are_one_sentence_each_and_write_nothing(roll: Run, tmp_path: Path) -> None:
    whole = {kind: video(kind, moving_dot(40)) for kind in ("mp4", "webm", "avi")}
    files = {
        "empty.mp4": (b"", "empty"),
        "words.mp4": (b"no video at all " * 99, "cannot be opened as a video"),
        "list.mp4": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "cannot be opened as a video"),
        "half.mp4": (whole["mp4"][: len(whole["mp4"]) // 2], "half a download"),
        "half.webm": (whole["webm"][: len(whole["webm"]) // 2], "half a download"),
        "half.avi": (whole["avi"][: len(whole["avi"]) // 2], "half a download"),
        "sound.mp4": (video("mp4", [], sound=True), "sound but no moving picture"),
        "five.mp4": (video("mp4", moving_dot(5)), "has 5 frames, and 12 are needed"),
        "wide.gif": (b"GIF89a\xff\xff\xff\xff" + video("gif", moving_dot(3))[10:], "wide.gif"),
    }
    for name, (content, told) in files.items():
        (tmp_path / name).write_bytes(content)
        assert_one_sentence(roll(tmp_path / name), told)
    good = tmp_path / "good.mp4"
    good.write_bytes(whole["mp4"])
    for words, told in {
        ("--start", 9): "ends after 4.0 seconds",
        ("--length", 30): "at most 200",
        ("--rate", 0): "rate is 0",
        ("--crop", 5, 5, 5, 9): "does not lie in good.mp4",
        ("--systems", 2): "--systems",
        ("--input", good): "either --input",
    }.items():
        assert_one_sentence(roll(good, *words), told)
    assert not (tmp_path / "seen.npz").exists()
    assert "there is no file" in roll(tmp_path / "gone.mp4")[2]


def test_likeness_tells_training_frames_from_others(vision: Path) -> None:
    checkpoint = load(vision)
    familiar = likeness.familiar(checkpoint)
    own = likeness.frame_errors(np.zeros((1, 2, 32, 32, 3), np.uint8), np.full((1, 2, 32, 32, 3), 0.1, np.float32))
    np.testing.assert_allclose(own[0], 0.01, rtol=1e-5)
    kept = dataclasses.replace(checkpoint.header, metrics={"familiar": dataclasses.asdict(familiar)})
    assert likeness.familiar(Checkpoint("kept", checkpoint.model, kept)) == familiar
    inside = likeness.Likeness(familiar.mse * 0.9, familiar.lost * 0.9, familiar)
    assert inside.alike
    assert inside.sentence("m").startswith("This clip is like")
    for outside in ((familiar.mse * 1.1, familiar.lost * 0.9), (familiar.mse * 0.9, familiar.lost * 1.1)):
        assert not likeness.Likeness(*outside, familiar).alike


def test_about_a_clip() -> None:
    told = about(io.BytesIO(video("webm", greys(LEVELS))), "clip")
    assert (told.width, told.height, told.rate, told.seconds) == (64, 48, 10.0, 2.0)
    assert not told.measured


ORIENTATIONS = {
    "as it is": (1, 0, 0, 1, "RGBW"),
    "mirrored": (-1, 0, 0, 1, "GRWB"),
    "head down": (-1, 0, 0, -1, "WBGR"),
    "mirrored top to bottom": (1, 0, 0, -1, "BWRG"),
    "turned clockwise": (0, 1, -1, 0, "BRWG"),
    "turned counter-clockwise": (0, -1, 1, 0, "GWRB"),
    "rows and columns exchanged": (0, 1, 1, 0, "RBGW"),
    "exchanged about the other diagonal": (0, -1, -1, 0, "WGBR"),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_a_display_matrix_turns_and_mirrors(name: str) -> None:
    a, b, c, d, wanted = ORIENTATIONS[name]
    file = io.BytesIO(shown_by(video("mp4", [quad()] * 3), a, b, c, d))
    seen = read(file, "clip", 32, 3)
    assert corners(seen.frames[1]) == wanted
    size = (64, 48) if a else (48, 64)
    assert (seen.width, seen.height) == size
    assert (about(file, "clip").width, about(file, "clip").height) == size
    right = read(file, "clip", 32, 3, Cut(crop=(size[0] // 2, 0, *size))).frames[1]
    assert corners(right) == 2 * wanted[1] + 2 * wanted[3]


HOLDS = [quad(4 * letter) for letter in "RGBW"]


def letters(frames: np.ndarray) -> str:
    return "".join(corners(frame)[0] for frame in frames)


@pytest.mark.parametrize(
    ("seconds", "rate", "wanted"),
    [
        ((3, 1, 1, 3), 2.0, 6 * "R" + 2 * "G" + 2 * "B" + 6 * "W"),
        ((3, 1, 1, 3), 1.0, "RRRGBWWW"),
        ((0.3, 0.1, 0.1, 0.3), 20.0, 6 * "R" + 2 * "G" + 2 * "B" + 6 * "W"),
        ((0.5, 2, 0.5, 1), 4.0, "RRGGGGGGGGBBWWWW"),
    ],
)
def test_the_frames_of_a_gif_stand_as_long_as_they_say(seconds: tuple[float, ...], rate: float, wanted: str) -> None:
    file = io.BytesIO(gif(HOLDS, seconds))
    seen = read(file, "clip", 8, 3, Cut(rate=rate))
    assert letters(seen.frames) == wanted
    assert about(file, "clip").seconds == pytest.approx(sum(seconds))
    assert "rate varies" in seen.notes[0]


@pytest.mark.parametrize("kind", ["mp4", "webm", "mkv"])
def test_a_long_hold_stands_until_the_next_frame(kind: str) -> None:
    """As in a recording of a screen, where nothing is written while nothing changes."""
    stamps = [0, 30, 31, 32, 40]  # tenths of a second
    file = io.BytesIO(video(kind, [*HOLDS, HOLDS[0]], rate=10, stamps=stamps))
    seen = letters(read(file, "clip", 8, 3, Cut(rate=10.0, length=4.0)).frames)
    assert seen == 30 * "R" + "GB" + 8 * "W"
    assert letters(read(file, "clip", 8, 3, Cut(rate=1.0, start=2.5, length=1.0)).frames) == "R"


@pytest.mark.parametrize("instead", [None, 0.001, 0.0101])
def test_a_rate_that_is_missing_or_wrong_is_measured_and_said(instead: float | None) -> None:
    stamps = np.round(np.arange(1, 41) * 3.3 + np.sin(np.arange(40))).astype(int)  # hundredths, about 30 a second
    file = io.BytesIO(without_rate(video("webm", greys([5 * k for k in range(1, 41)]), 100, stamps.tolist()), instead))
    true = 39 / (stamps[-1] - stamps[0]) * 100
    told = about(file, "clip")
    assert told.measured
    assert told.rate == pytest.approx(true, rel=0.01)
    seen = read(file, "clip", 8, 1)
    assert seen.rate == told.rate
    assert f"measured from its time stamps: {true:.3g} a second" in seen.notes[-1]
    assert len(seen.frames) == pytest.approx(40, abs=1)
    if instead is None:
        assert told.seconds == pytest.approx((stamps[-1] - stamps[0] + 100 / true) / 100, abs=0.05)


@pytest.mark.parametrize("rate", [240, 480, 960])
def test_slow_motion_gives_its_frames_and_says_how_short_they_are(rate: int) -> None:
    file = io.BytesIO(video("mp4", greys([3 * k for k in range(1, 81)]), rate))
    assert about(file, "clip").rate == rate
    seen = read(file, "clip", 8, 1)
    assert seen.frames.shape[0] == 49
    assert np.abs(seen.frames[:, 4, 4, 0].astype(int) - 3 * np.arange(1, 50)).max() <= 2
    assert seen.notes == (f"At {rate} frames a second 49 show {49 / rate:.2g} s: take fewer a second to see more.",)
    fewer = read(file, "clip", 8, 1, Cut(rate=rate / 8))
    assert (len(fewer.frames), fewer.notes) == (10, ())
    assert np.abs(fewer.frames[:, 4, 4, 0].astype(int) - 3 * np.arange(1, 81, 8)).max() <= 2


def transparent(kind: str) -> bytes:
    """A red square on nothing, whose hidden colour is white."""
    pictures = []
    for left in range(4, 40, 4):
        picture = np.zeros((48, 64, 4), np.uint8)
        picture[..., :3] = 255
        picture[16:32, left : left + 16] = (255, 0, 0, 255)
        pictures.append(picture)
    if kind == "gif":
        return gif(pictures, [0.1] * 9)
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as container:
        stream = container.add_stream("qtrle", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "argb"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba").reformat(format="argb")))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.mark.parametrize("kind", ["gif", "mov"])
def test_what_is_transparent_is_black_or_the_colour_that_is_asked_for(kind: str) -> None:
    file = io.BytesIO(transparent(kind))
    for ground, says in ((None, "black"), ((0, 0, 255), "the colour 0 0 255")):
        seen = read(file, "clip", 32, 3, Cut(ground=ground))
        assert np.abs(seen.frames[0, 16, 5].astype(int) - (255, 0, 0)).max() <= 2
        assert np.abs(seen.frames[0, 3, 25].astype(int) - (ground or (0, 0, 0))).max() <= 2
        assert seen.notes == (f"It is transparent in places: {says} stands there.",)
    grey = read(file, "clip", 32, 1).frames[0, :, :, 0]
    assert grey[3, 25] == 0
    assert 60 < grey[16, 5] < 100
    with pytest.raises(ValueError, match="the ground is 0 0 256"):
        read(file, "clip", 32, 3, Cut(ground=(0, 0, 256)))


def test_a_folder_of_films_is_read_whatever_the_case_of_their_endings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("a.MP4", "b.m4v", "c.MKV", "d.Gif"):
        (folder / name).write_bytes(video(name[-3:].lower(), greys(LEVELS[:5])))
    assert main(["data", "video", str(folder), "--out", str(tmp_path / "set"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["videos"] == 4

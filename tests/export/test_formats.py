"""Exports open in the programs that people have, and show what the rollout holds."""

from __future__ import annotations

import dataclasses
import errno
import json
import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from hri.core.records import Rollout
from hri.export import film
from hri.export.film import pictures
from hri.export.formats import FORMATS, Format, Options, export, in_words, that_take
from hri.rollout.edits import Mute
from hri.rollout.interventions import Intervention
from hri.view import facts
from hri.view.style import FREE, HEAT, TEXT
from tests.synthetic import slot_rollout, state_rollout

SCALE = 4
PANEL, GAP = 32 * SCALE, 2 * SCALE
TOP = GAP + 16
LEFTS = [GAP + panel * (PANEL + GAP) for panel in range(3)]


def panel(picture: np.ndarray, index: int) -> np.ndarray:
    """Truth (0), prediction (1) or error (2) of a picture, one pixel a pixel."""
    inside = picture[TOP : TOP + PANEL, LEFTS[index] : LEFTS[index] + PANEL]
    small = inside[::SCALE, ::SCALE]
    assert (small.repeat(SCALE, 0).repeat(SCALE, 1) == inside).all()  # nearest neighbour
    return small


def few(rollout: Rollout, times: int = 12, free: int = 4) -> Rollout:
    """The first frames, the last of them free."""
    cut = {
        f.name: getattr(rollout, f.name)[:, : times - (f.name.startswith("predicted") or f.name == "slot_frames")]
        for f in dataclasses.fields(rollout)
        if f.name not in ("parents", "ball_parents", "edge_sender_receiver", "seeds", "true_adjacency")
        and isinstance(getattr(rollout, f.name), np.ndarray)
    }
    return dataclasses.replace(rollout, last_true_input=times - free, **cut)


ROLLOUT = few(slot_rollout())


def test_panels_are_truth_prediction_and_their_difference() -> None:
    film = pictures(ROLLOUT, scale=SCALE)
    assert len(film) == 11
    assert ROLLOUT.frames is not None
    assert ROLLOUT.predicted_frames is not None
    for index, picture in enumerate(film):
        truth, predicted = ROLLOUT.frames[0, index + 1], ROLLOUT.predicted_frames[0, index].clip(0, 1) * 255
        assert (panel(picture, 0) == truth).all()
        assert np.abs(panel(picture, 1) - predicted).max() <= 0.51
        brightness = panel(picture, 2).astype(float).sum(-1).ravel()
        error = np.abs(truth / 255 - ROLLOUT.predicted_frames[0, index]).mean(-1).ravel()
        order = np.argsort(error)
        assert (np.diff(brightness[order]) >= -2).all()  # brighter where the error is larger


def test_no_error_is_black() -> None:
    assert ROLLOUT.frames is not None
    perfect = dataclasses.replace(ROLLOUT, predicted_frames=(ROLLOUT.frames[:, 1:] / 255).astype(np.float32))
    assert (panel(pictures(perfect, scale=SCALE)[3], 2) == HEAT[0]).all()


def test_the_free_run_is_marked_from_its_first_frame() -> None:
    """The first prediction that rests on a predicted input is for the frame two after the last true input."""
    film = pictures(ROLLOUT, scale=SCALE)
    marked = [bool((picture[TOP - 1, LEFTS[1] : LEFTS[1] + PANEL] == FREE).all()) for picture in film]
    assert marked == [frame >= ROLLOUT.last_true_input + 2 for frame in range(1, 12)]


def test_the_line_of_time_fills_up() -> None:
    line = TOP + PANEL + GAP + 1
    lit = [
        int((picture[line] == TEXT).all(-1).sum() + (picture[line] == FREE).all(-1).sum())
        for picture in pictures(ROLLOUT, scale=SCALE)
    ]
    assert lit == sorted(lit)
    assert lit[0] < lit[-1]


@pytest.mark.parametrize("scale", [1, 2, 3, 7])
def test_sizes_are_even_at_every_scale(scale: int) -> None:
    assert all(size % 2 == 0 for size in pictures(few(ROLLOUT, 4, 2), scale=scale).shape[1:3])


def test_states_without_frames_are_drawn() -> None:
    rolled = few(state_rollout())
    for scale in (1, SCALE):  # one pixel a pixel, and finer than any model sees it
        drawn = pictures(dataclasses.replace(rolled, frames=None, predicted_frames=None), scale=scale)
        assert (drawn == pictures(rolled, scale=scale)).all()
    leaves = dataclasses.replace(
        rolled, frames=None, predicted_frames=None, predicted_slots=rolled.predicted_slots[:, :, 5:]
    )
    assert (pictures(leaves, scale=SCALE) == drawn).all()


def test_a_gif_plays_for_ever_at_its_speed(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    export(ROLLOUT, path, fps=20, scale=SCALE)
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0
        frames = [frame.copy() for frame in ImageSequence.Iterator(gif)]
        assert [frame.info["duration"] for frame in frames] == [50] * 11
    for frame, picture in zip(frames, pictures(ROLLOUT, scale=SCALE), strict=True):
        assert np.abs(np.asarray(frame.convert("RGB")).astype(int) - picture).mean() < 3


def test_an_mp4_plays_in_browsers(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    export(ROLLOUT, path, fps=12, scale=SCALE)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 12
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    for frame, picture in zip(frames, pictures(ROLLOUT, scale=SCALE), strict=True):
        assert np.abs(frame.astype(int) - picture).mean() < 6


def test_ffprobe_reads_the_mp4(tmp_path: Path) -> None:
    probe = shutil.which("ffprobe")
    if probe is None:
        pytest.skip("ffprobe is not installed; PyAV has read the film above")
    export(ROLLOUT, tmp_path / "a.mp4", fps=12, scale=SCALE)
    words = ["-v", "error", "-count_frames", "-show_streams", "-of", "json", str(tmp_path / "a.mp4")]
    told = json.loads(subprocess.run([probe, *words], check=True, capture_output=True).stdout)["streams"][0]
    height, width = pictures(ROLLOUT, scale=SCALE).shape[1:3]
    assert (told["codec_name"], told["nb_read_frames"], told["width"], told["height"]) == ("h264", "11", width, height)


def test_a_png_is_one_picture_of_the_film(tmp_path: Path) -> None:
    export(ROLLOUT, tmp_path / "a.png", frame=5, scale=SCALE)
    with Image.open(tmp_path / "a.png") as image:
        assert (np.asarray(image) == pictures(ROLLOUT, scale=SCALE)[4]).all()
    export(ROLLOUT, tmp_path / "b.png", scale=SCALE)
    with Image.open(tmp_path / "b.png") as image:
        assert (np.asarray(image) == pictures(ROLLOUT, scale=SCALE)[-1]).all()


def test_a_muted_ball_is_left_out_of_drawn_states() -> None:
    rolled = dataclasses.replace(few(state_rollout()), frames=None, predicted_frames=None)
    muted = dataclasses.replace(rolled, edits=Intervention((Mute(9, 3),)).to_json())
    differ = (pictures(rolled, scale=1) != pictures(muted, scale=1)).any((1, 2, 3))
    assert differ.tolist() == [False] * 3 + [True] * 8


def test_an_npz_is_one_scene(tmp_path: Path) -> None:
    export(ROLLOUT, tmp_path / "a.npz")
    assert np.array_equal(Rollout.load(tmp_path / "a.npz").slots, ROLLOUT.slots)


def test_grey_frames_are_shown_grey(tmp_path: Path) -> None:
    assert ROLLOUT.frames is not None
    assert ROLLOUT.predicted_frames is not None
    one = slice(0, 1)
    grey = dataclasses.replace(
        ROLLOUT,
        frames=ROLLOUT.frames[..., one],
        predicted_frames=ROLLOUT.predicted_frames[..., one],
        reconstructed_frames=None,
        slot_frames=None,
    )
    shown = panel(pictures(grey, scale=SCALE)[0], 0)
    assert (shown == shown[..., :1]).all()


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.avi", {}, r"a\.avi ends with \.avi; choose a name ending with \.gif, \.mp4, \.png, \.svg"),
        ("a", {}, "ends with nothing"),
        ("a.gif", {"scene": 1}, "there is no scene 1; this rollout holds scenes 0 to 0"),
        ("a.gif", {"scene": -1}, "there is no scene -1"),
        ("a.png", {"frame": 0}, "frame 0 was not predicted; choose one of 1 to 11"),
        ("a.svg", {"frame": 12}, "frame 12 was not predicted"),
        ("a.mp4", {"fps": 0}, "out of range"),
        ("a.mp4", {"scale": 0}, "out of range"),
    ],
)
def test_what_cannot_be_written_is_answered_with_a_sentence(
    name: str, options: dict[str, int], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=says):
        export(ROLLOUT, tmp_path / name, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_slots_without_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        pictures(dataclasses.replace(ROLLOUT, frames=None))


@pytest.mark.parametrize("ending", ["gif", "mp4", "png", "svg", "pdf", "html", "graphml", "json", "csv", "npz"])
def test_a_full_disk_leaves_the_old_file(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"old")

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hri.core.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        export(ROLLOUT, path, scale=1)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_format_needs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def words(rollout: Rollout, options: Options) -> bytes:
        return f"{rollout.checkpoint}, frame {options.frame}".encode()

    row = Format("Words", "This frame", "text/plain", ("frame",), words, "What it is.")
    monkeypatch.setitem(FORMATS, ".txt", row)
    export(ROLLOUT, tmp_path / "a.txt", frame=5)
    assert (tmp_path / "a.txt").read_text() == "synthetic-slot, frame 5"
    assert in_words().endswith(" txt: what it is.")
    assert that_take("frame") == "png, svg, pdf, graphml and txt"
    with pytest.raises(ValueError, match=r"choose a name ending with .*, \.npz, \.txt"):
        export(ROLLOUT, tmp_path / "a.tex")


def test_pictures_say_what_they_show() -> None:
    assert facts.title_of(dataclasses.replace(ROLLOUT, checkpoint="a-model", seeds=np.array([7]))) == "a-model, seed 7"
    edited = dataclasses.replace(ROLLOUT, checkpoint="", seeds=np.array([-1]), edits="e.1-2.0")
    assert facts.title_of(edited) == "a model, edited", "a scene that was drawn has no seed"
    named, other = (
        film.still(dataclasses.replace(ROLLOUT, checkpoint=name), 1, SCALE) for name in ("one", "another model " * 20)
    )
    foot = TOP + PANEL + GAP + 28
    assert (named != other)[foot:].any(), "the title stands below"
    assert (named == other)[:foot].all()
    ground = (other[foot:, -110 - GAP : -GAP - 90] == film.GROUND).all(-1)
    assert ground.all(), "a long title is cut before the other words"

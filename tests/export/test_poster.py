"""One page of pictures, graph and error over time, as a film; and figures of a stated size."""

from __future__ import annotations

import dataclasses
import itertools
import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from PIL import Image, ImageColor, ImageSequence

from hri.export.figures import pdf
from hri.export.formats import export, file_content
from hri.export.poster import SIZES, Poster, Shape
from hri.physics.render import draw
from hri.rollout.edits import Mute
from hri.rollout.interventions import Intervention
from hri.view.discs import discs
from hri.view.style import OFFLINE
from tests.export.test_formats import few
from tests.synthetic import slot_rollout, state_rollout

SLOTS, STATES = few(slot_rollout(), 8, 3), few(state_rollout(), 8, 3)


def region(picture: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    left, top, right, bottom = (round(value) for value in box)
    return picture[top:bottom, left:right].astype(int)


@pytest.mark.parametrize("shape", ["square", "wide"])
def test_a_film_has_the_size_it_says_and_everything_in_it_moves(shape: Shape, tmp_path: Path) -> None:
    export(SLOTS, tmp_path / "a.mp4", fps=12, shape=shape, theme="light")
    with av.open(str(tmp_path / "a.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == SIZES[shape]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(frames) == 7
    poster = Poster(SLOTS, shape, "light")
    for before, after in itertools.pairwise(frames):
        for part in (*poster.pictures[:2], poster.graph, poster.time):
            assert np.abs(region(after, part) - region(before, part)).max() > 24, "pictures, graph and timeline"
    assert np.abs(frames[3].astype(int) - poster.picture(4)).mean() < 4


def test_a_gif_is_square_and_dark_where_that_is_chosen(tmp_path: Path) -> None:
    export(few(STATES, 5, 2), tmp_path / "a.gif", shape="square", theme="dark")
    with Image.open(tmp_path / "a.gif") as gif:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(gif)]
    assert [frame.shape for frame in frames] == [(720, 720, 3)] * 4
    assert np.abs(frames[0][0, 0] - ImageColor.getrgb(OFFLINE["dark"]["ground"])).max() < 6
    assert all((a != b).any() for a, b in itertools.pairwise(frames))


def test_a_page_has_the_title_it_is_given_and_the_free_run_is_marked() -> None:
    named, own = (Poster(SLOTS, "wide", "light", title) for title in ("", "What I found"))
    assert named.title.startswith("synthetic-slot")
    one, other = named.picture(2), own.picture(2)
    assert (one[:44] != other[:44]).any()
    assert (one[48:] == other[48:]).all()
    turn = SLOTS.last_true_input + 2
    left, top, _, _ = map(int, named.pictures[1])
    outlined = [(named.picture(frame)[top - 1, left] == (255, 176, 59)).all() for frame in (turn - 1, turn)]
    assert outlined == [False, True]


def test_balls_of_states_are_exact_at_any_size_and_a_muted_one_is_left_out() -> None:
    exact = discs(STATES)
    assert exact is not None
    assert discs(SLOTS) is None
    alone = np.full((1, 17, 2), np.nan)
    alone[0, 9] = 0.13, -0.31
    small, large = (draw(alone, STATES.tree, times=times)[0] for times in (1, 8))
    assert large.shape == (256, 256, 3)
    assert np.abs(large.reshape(32, 8, 32, 8, 3).mean((1, 3)) - small).max() < 12, "the same picture, finer"
    muted = discs(dataclasses.replace(STATES, edits=Intervention((Mute(9, 3),)).to_json()))
    assert muted is not None
    leaf = STATES.tree.leaves.tolist().index(9)
    assert np.isnan(muted.prediction[:, leaf, 0]).tolist() == [False] * 4 + [True] * 4
    assert np.isfinite(np.delete(muted.prediction, leaf, 1)).all()


@pytest.mark.parametrize("width", [8.5, 17.0])
def test_figures_are_as_wide_as_they_say(width: float) -> None:
    root = ElementTree.fromstring(file_content(STATES, ".svg", frame=5, width=width))
    assert root.get("width") == f"{width:g}cm"
    _, _, wide, high = map(float, (root.get("viewBox") or "").split())
    assert float((root.get("height") or "").removesuffix("cm")) == pytest.approx(width * high / wide, rel=1e-3)
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{svg}ellipse")) == 2 * 12, "balls are discs, in truth and prediction"
    page = file_content(STATES, ".pdf", frame=5, width=width)
    assert page.startswith(b"%PDF-")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page)
    assert box is not None
    points = [float(value) for value in box.groups()]
    assert points == pytest.approx([width / 2.54 * 72, width * high / wide / 2.54 * 72], abs=0.1)
    drawn = b"".join(zlib.decompress(part) for part in re.findall(rb"stream\n(x.*?)\nendstream", page, re.DOTALL)[:1])
    assert drawn.count(b" c") > 50, "edges are curves, not pixels"
    assert b"BT" in drawn, "words are words"


def test_a_figure_may_hold_the_graph_alone() -> None:
    root = ElementTree.fromstring(file_content(SLOTS, ".svg", frame=5, show="graph"))
    svg = "{http://www.w3.org/2000/svg}"
    assert root.findall(f".//{svg}image") == []
    assert len(root.findall(f".//{svg}g[@class='edge']")) == len(SLOTS.edge_sender_receiver)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"width": 1.0}, "a figure of 1 cm is out of range; choose 2 to 60 cm"), ({"title": "a" * 121}, "121 letters")],
)
def test_what_cannot_be_made_is_answered_with_a_sentence(options: dict, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        export(SLOTS, tmp_path / "a.pdf", **options)


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        ('<svg viewBox="0 0 1 1"/>', "does not say how many centimetres"),
        ('<svg width="3cm" viewBox="0 0 0 1"/>', "does not say how many centimetres"),
        ("no drawing", "is no SVG"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "document type"),
        ('<svg width="3cm" viewBox="0 0 1 1"><image href="http://127.0.0.1/a.png"/></svg>', "is not in it"),
    ],
)
def test_a_strangers_drawing_is_answered_with_a_sentence(drawing: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        pdf(drawing)

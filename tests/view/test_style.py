"""One home for how things look: the same colours wherever something is drawn, and no other file that names one."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

import hri
from hri.export.film import panels
from hri.export.offline import page
from hri.view import player, style
from hri.view.facts import against, edge_rows, scientific
from hri.view.scene import Marks
from tests.synthetic import slot_rollout, state_rollout

ROOT = Path(hri.__file__).parents[1]
SLOTS = slot_rollout()


def colours_sent(heat: str) -> np.ndarray:
    """Red, green and blue of errors 0 ... 255, as a browser is told."""
    return np.frombuffer(base64.b64decode(heat), np.uint8).reshape(256, 3)


def data_of(text: str) -> dict:
    """What the parts of a page that plays offline read."""
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    parts = json.loads(found[1])
    return parts["images"] | parts["timeline"] | parts["graph"]


def test_an_error_has_one_colour_in_exports_in_the_player_and_offline() -> None:
    errors = np.linspace(0, 1, 256)
    assert SLOTS.frames is not None
    truth = np.zeros_like(SLOTS.frames)
    predicted = np.zeros((1, truth.shape[1] - 1, *truth.shape[2:]), dtype=np.float32)
    predicted[0, 0].reshape(-1, predicted.shape[-1])[:256] = errors[:, None]
    rollout = dataclasses.replace(SLOTS, frames=truth, predicted_frames=predicted)
    exported = panels(rollout, 1)["error"].reshape(-1, 3)[:256]
    assert (exported == colours_sent(player.image_data(rollout)["heat"])).all()
    assert (exported == colours_sent(data_of(page(rollout))["heat"])).all()
    assert (exported == style.heat(errors)).all()


def test_small_errors_show_and_larger_ones_are_brighter() -> None:
    """Over the square root: a tenth of the range (26 of 255) is nearly a third of the way to the brightest."""
    assert style.heat(np.array(26 / 255)).tolist() == [115, 27, 103]
    assert (np.diff(style.HEAT.astype(int).sum(-1)) >= -1).all(), "but for rounding"
    assert len(np.unique(style.HEAT, axis=0)) > 250


@pytest.mark.parametrize("rollout", [SLOTS, state_rollout(), slot_rollout(types=4, pairs="all", slots=False)])
def test_what_the_browser_is_told_of_edges_is_how_python_draws_them(rollout) -> None:
    rows, chances = edge_rows(rollout, "hierarchy"), np.linspace(0, 1, 21)
    told = player.graph_data(rollout, rows, "radial")["style"]
    assert told == data_of(page(rollout))["style"], "one description for both programs"
    for kind, look in enumerate(told["strokes"]):
        for p in chances:
            width = look["thin"] + (look["thick"] - look["thin"]) * p
            alpha = look["faint"] + (look["solid"] - look["faint"]) * p ** look["power"]
            assert (width, alpha) == pytest.approx(style.edge_look(kind, p, 1.0, 0.0, len(rows)))
        assert look["colour"] == style.colour(kind)
        assert (look["dash"] == "solid") == look["head"] == (kind > 0)


def test_marks_say_what_the_rollout_holds() -> None:
    rows = edge_rows(SLOTS, "hierarchy")
    marks = Marks(SLOTS, rows, type_words=("no", "yes"))
    for frame in (0, 1, 30):
        step = max(frame - 1, 0)
        for edge, row in zip(marks.edges(frame, threshold=0.6), rows, strict=True):
            chances = SLOTS.edge_probabilities[0, step, row]
            assert (edge.row, edge.pair) == (row, tuple(SLOTS.edge_sender_receiver[row]))
            assert edge.probability == pytest.approx(chances[SLOTS.edge_types[0, step, row]])
            assert edge.type == ("no", "yes")[edge.kind]
            assert (edge.opacity > 0) == (1 - chances[0] >= 0.6)
    assert not any(edge.opacity for edge in marks.edges(5, visible=np.zeros(len(rows), dtype=bool)))
    assert [key.words for key in marks.legend()][:2] == ["no", "yes"]


def test_numbers_in_words() -> None:
    assert [scientific(value) for value in (0.0021, 12345.0, 0.0, float("nan"))] == ["2.1·10⁻³", "1.2·10⁴", "0", "–"]


LITERAL = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|\brgba?\(\s*\d")


def test_colours_are_named_in_one_place() -> None:
    """Those of balls in the palette, everything else in the style; style sheets and scripts use these by name."""
    files = [file for folder in ("hri", "app") for file in (ROOT / folder).rglob("*") if file.is_file()]
    drawing = [file for file in files if file.suffix in (".py", ".js", ".css", ".html")]
    assert len(drawing) > 100
    named = {
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in drawing
        if file != Path(style.__file__)
        for match in LITERAL.finditer(file.read_text(encoding="utf-8"))
    }
    assert not named, sorted(named)


def test_style_sheets_use_only_colours_that_there_are() -> None:
    known = set(re.findall(r"--([a-z]+):", style.css()))
    sheets = [*(ROOT / "app" / "player").glob("*.css"), *(ROOT / "hri" / "view").glob("*.css")]
    assert len(sheets) > 4
    for sheet in sheets:
        used = {name for name in re.findall(r"var\(--([a-z-]+)", sheet.read_text()) if not name.startswith("st-")}
        assert used <= known, sheet.name


@pytest.mark.parametrize(
    ("value", "other", "words"),
    [(1.52, 1.0, "+52%"), (0.88, 1.0, "-12%"), (10.52, 1.0, "10.5 × A"), (0.5, 2.0, "0.25 × A"), (1.0, 0.0, "")],
)
def test_errors_beside_each_other_are_told_so_that_nobody_misreads_them(value: float, other: float, words: str) -> None:
    assert against(value, other, "A") == words

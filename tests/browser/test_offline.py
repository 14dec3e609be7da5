"""The exported page in a real browser without a network: it plays, it follows, it asks for nothing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from hri.core.records import Rollout
from hri.export.formats import export
from hri.rollout.edits import SetEdge
from hri.rollout.interventions import Intervention
from hri.view.facts import edge_rows, edge_step, scientific
from hri.view.scene import as_json
from hri.view.style import SCRIPT, colour, edge_look, stroke
from hri.view.svg import svg
from tests.synthetic import slot_rollout, state_rollout

SLOTS = slot_rollout()
STATES = dataclasses.replace(state_rollout(), checkpoint="{{data}} </script><script>document.title='taken'</script>")


@contextmanager
def offline(browser: Browser, rollout: Rollout, path: Path, **options: Any) -> Iterator[Page]:
    """The page from a file, with no network; every request and every error is a failure."""
    export(rollout, path, fps=20)
    context = browser.new_context(viewport={"width": 1280, "height": 860}, **options)
    context.set_offline(True)
    asked: list[str] = []
    errors: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-frame]")
    yield page
    context.close()
    assert asked == [path.as_uri()]
    assert errors == []


def pixels(page: Page, panel: str) -> np.ndarray:
    flat = page.locator(f".{panel} canvas").first.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    )
    return np.array(flat).reshape(32, 32, 4)[..., :3]


@pytest.mark.parametrize("rollout", [SLOTS, STATES], ids=["slots", "states"])
def test_every_frame_shows_truth_prediction_and_graph(rollout: Rollout, browser: Browser, tmp_path: Path) -> None:
    with offline(browser, rollout, tmp_path / "rollout.html", reduced_motion="reduce") as page:
        # Reduced motion: nothing starts by itself, and what stands there is predicted.
        expect(page.locator("body")).to_have_attribute("data-frame", str(rollout.last_true_input + 2))
        assert page.title() == f"{rollout.checkpoint}, scene of seed 7"
        page.keyboard.press("Home")
        for key, frame in (("ArrowRight", 1), ("End", 48), ("ArrowLeft", 47)):
            page.keyboard.press(key)
            expect(page.locator("body")).to_have_attribute("data-frame", str(frame))
            assert rollout.frames is not None
            assert rollout.predicted_frames is not None
            assert (pixels(page, "truth") == rollout.frames[0, frame]).all()
            shown = np.round(rollout.predicted_frames[0, frame - 1].clip(0, 1) * 255)
            assert (pixels(page, "prediction") == shown).all()
        rows, step = edge_rows(rollout, "hierarchy"), edge_step(rollout, 47)
        looks = page.locator(".edge").evaluate_all(
            "edges => edges.map((e) => [+e.getAttribute('opacity'), e.querySelector('path').getAttribute('stroke')])"
        )
        for (alpha, stroke), row in zip(looks, rows, strict=True):
            chances, kind = rollout.edge_probabilities[0, step, row], int(rollout.edge_types[0, step, row])
            expected = edge_look(kind, float(chances[kind]), 1 - float(chances[0]), 0.0, len(rows))[1]
            assert alpha == pytest.approx(expected, abs=0.01)
            assert stroke == colour(kind)
        assert "free" in (page.locator("body").get_attribute("class") or "")
        assert "free run" in page.locator("#where").inner_text()


def test_marks_are_the_same_in_the_browser_as_in_python(browser: Browser) -> None:
    """Looks of edges, differences of pixels and numbers in words: one formula in two languages."""
    page = browser.new_page()
    ask = f"(told) => {{ {SCRIPT.read_text(encoding='utf-8')} return [told.ps.map((p) => lookAt(told.look, p)),"
    ask += " told.values.map(scientific), difference([0, 0, 0, 255, 7, 0], 3, [5, 9, 1], 0)]; }"
    chances, values = np.linspace(0, 1, 11).tolist(), [3.4e-12, 0.0021, 0.5, 1.0, 87.0, 12345.0, 0.0]
    for kind in (0, 1):
        look = stroke(kind, 88)
        drawn, words, apart = page.evaluate(ask, {"look": as_json(look), "ps": chances, "values": values})
        assert np.allclose(drawn, [look.at(p) for p in chances])
        assert words == [scientific(value) for value in values]
        assert apart == round((250 + 2 + 1) / 3)
    page.close()


def test_it_plays_pauses_and_follows_an_edge(browser: Browser, tmp_path: Path) -> None:
    with offline(browser, SLOTS, tmp_path / "rollout.html") as page:
        # Not wait_for_function, which needs an eval that the file's own policy forbids.
        expect(page.locator("body")).to_have_attribute("data-frame", re.compile("^([3-9]|[0-9]{2})$"))
        page.locator("#play").click()
        expect(page.locator("#play")).to_have_text("Play")
        stopped = page.locator("body").get_attribute("data-frame")
        page.wait_for_timeout(300)
        assert page.locator("body").get_attribute("data-frame") == stopped
        page.locator(".edge").nth(3).evaluate("edge => edge.dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        sender, receiver = SLOTS.edge_sender_receiver[edge_rows(SLOTS, "hierarchy")[3]]
        expect(page.locator("#edge")).to_contain_text(f"{sender} →")
        expect(page.locator("#edge")).to_contain_text(f"{receiver}: ")
        for frame in (7, 40):
            page.locator("#frame").fill(str(frame))
            expect(page.locator("body")).to_have_attribute("data-frame", str(frame))
            row = edge_rows(SLOTS, "hierarchy")[3]
            sure = SLOTS.edge_probabilities[0, edge_step(SLOTS, frame), row].max()
            told = page.locator("#edge").inner_text().rpartition("p = ")[2]
            assert float(told) == pytest.approx(sure, abs=0.008), "a byte a probability, two digits shown"


def test_it_is_small_and_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    with offline(browser, SLOTS, tmp_path / "rollout.html") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (tmp_path / "rollout.html").stat().st_size < 2_000_000


def test_graph_and_pictures_follow_each_other(browser: Browser, tmp_path: Path) -> None:
    """A node of the graph is the part of the pictures that it stands for, until Escape lets go of it."""
    with offline(browser, SLOTS, tmp_path / "rollout.html", reduced_motion="reduce") as page:
        page.locator(".node").nth(7).click()
        expect(page.locator(".truth .mark.touched")).to_have_count(1)
        expect(page.locator("#edge")).to_have_text("leaf 7")
        box = page.locator(".truth canvas").first.bounding_box()
        assert box is not None
        cell = SLOTS.tree.cells[4]
        page.mouse.click(box["x"] + box["width"] * cell[:3:2].mean(), box["y"] + box["height"] * cell[1::2].mean())
        expect(page.locator("#edge")).not_to_have_text("leaf 7")
        page.mouse.move(5, 5)
        expect(page.locator(".truth .mark.touched")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.locator("#edge")).to_contain_text("Click an edge or a node")
        expect(page.locator(".mark.touched")).to_have_count(0)
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_be_visible()
        expect(page.locator("dialog")).not_to_contain_text("zoom")
        page.keyboard.press("Escape")
        page.keyboard.press("+")
        expect(page.locator("select")).to_have_value("30")  # it was made to play at 20


def test_marks_of_edits_come_and_go(browser: Browser, tmp_path: Path) -> None:
    """A cross while an edge is cut, a star while a type is forced upon it, and words for both."""
    edits = Intervention((SetEdge(1, 0, 0, first=10, last=19), SetEdge(0, 2, 1, first=30, last=39)))
    edited = dataclasses.replace(SLOTS, edits=edits.to_json())
    pairs = edited.edge_sender_receiver[edge_rows(edited, "hierarchy")].tolist()
    with offline(browser, edited, tmp_path / "rollout.html", reduced_motion="reduce") as page:
        marks = page.locator(".mark")
        expect(marks).to_have_count(2)
        places = dict(marks.evaluate_all("marks => marks.map((mark) => [mark.classList[1], +mark.dataset.edge])"))
        assert {name: pairs[edge] for name, edge in places.items()} == {"cut": [1, 0], "force": [0, 2]}
        for frame, cut, force in ((5, 0, 0), (15, 1, 0), (35, 0, 1)):
            page.locator("#frame").fill(str(frame))
            expect(page.locator("body")).to_have_attribute("data-frame", str(frame))
            expect(page.locator(".mark.cut")).to_have_attribute("opacity", str(cut))
            expect(page.locator(".mark.force")).to_have_attribute("opacity", str(force))
        # A mark lies over the middle of its edge and takes no click from it, seen or not.
        box = page.locator(".mark.force").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#edge")).to_contain_text("forced by hand")
        expect(page.locator(".key", has_text="forced")).to_have_count(1)
    drawn = svg(edited, 15, show="graph")
    assert re.search(r'class="mark cut"[^>]*opacity="1"', drawn)
    assert re.search(r'class="mark force"[^>]*opacity="0"', drawn)

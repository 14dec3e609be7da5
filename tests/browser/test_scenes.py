"""Scenes of one's own in a real browser: springs drawn by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.model import checkpoint
from hri.physics.systems import System
from hri.rollout import rollout
from hri.scores import ranking
from tests.browser.driving import ROOT, settle
from tests.browser.test_changes import NAME, assert_predicts, changed, click, scene, step_to


def drawn(page: Page) -> System:
    """What is on the board."""
    return System.parse(page.locator(".board").get_attribute("data-system") or "")


def middle(page: Page, what: str) -> tuple[float, float]:
    box = page.locator(f".board {what}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, what: str, right: float, down: float) -> None:
    x, y = middle(page, what)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=3)
    page.mouse.up()


def predicted(system: System, name: str = NAME) -> Rollout:
    model = checkpoint.load(ROOT / "checkpoints" / f"{name}.safetensors")
    return rollout.roll_out(model, system.simulate(), tree=Tree.parse(system.tree))


@pytest.mark.slow
def test_springs_are_drawn_thrown_predicted_and_shared(visit: Callable[[str], Page]) -> None:
    page = visit(f"?model={NAME}&seed=200050&panel=draw")
    page.locator(".board svg").scroll_into_view_if_needed()
    start = drawn(page)
    assert start == System.of_seed("4-3", "04", 200_050).rounded()
    box_unit = page.locator(".board .walls").bounding_box()["width"] / 2

    # Place and throw: only this ball, by what the mouse moved.
    drag(page, '.ball[data-node="5"] .body', 0.3 * box_unit, 0.2 * box_unit)
    placed = drawn(page)
    assert np.subtract(placed.positions[5], start.positions[5]) == pytest.approx([0.3, -0.2], abs=0.01)
    drag(page, '.arrow[data-node="5"] .tip', 0.4 * box_unit, -0.4 * box_unit)
    thrown = drawn(page)
    assert np.subtract(thrown.velocities[5], placed.velocities[5]) == pytest.approx([1, 1], abs=0.25)
    assert thrown.positions == placed.positions
    assert thrown.positions[6:] == start.positions[6:]
    assert thrown.velocities[:5] == start.velocities[:5]
    drag(page, '.ball[data-node="9"] .body', 3000, 0)
    assert drawn(page).positions[9][0] == 1, "no ball leaves the box"

    # Springs: a click switches one, buttons all; keys do the same without a mouse.
    page.get_by_role("button", name="No springs").click()
    assert drawn(page).springs == ()
    page.locator('.board [data-pair="1 6"] .grip').click()
    assert drawn(page).springs == ((1, 6),)
    page.locator(".board svg").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    before = drawn(page)
    page.keyboard.press("n")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    moved = drawn(page)
    assert np.subtract(moved.positions[1], before.positions[1]) == pytest.approx([-0.02, 0])
    assert np.subtract(moved.velocities[1], before.velocities[1]) == pytest.approx([0, 0.1])
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(page.locator(".board .told")).to_contain_text("no spring")
    page.keyboard.press("Space")
    assert len(drawn(page).springs) == 2
    settle(page, 0)  # the board's keys are not the player's

    click(page, "Simulate and predict")
    expect(page.get_by_text("you drew the system")).to_be_visible()
    expect(page.get_by_text("of your 2 springs.")).to_be_visible()
    # The result is beside the board: both, and the button, are on one screen.
    expect(page.locator(".beside[data-frame]")).to_be_visible()
    page.locator(".st-key-workbench").scroll_into_view_if_needed()
    for part in (page.locator(".beside .prediction .stack"), page.get_by_role("button", name="Simulate and predict")):
        expect(part).to_be_in_viewport(ratio=1)
    system, told = drawn(page), page.locator(".board").get_attribute("data-system") or ""
    seen = predicted(system)
    step_to(page, 30)
    assert_predicts(page, seen, 30)

    # Edits act on it, and the address carries both.
    page.get_by_role("radio", name="change", exact=True).click()
    click(page, "Clear")
    expect(page.get_by_text("Clear all edges, all frames")).to_be_visible()
    page.get_by_role("radio", name="share").click()
    expect(page.locator("[data-testid=stCode] code")).to_contain_text("System.parse(")
    other = visit(page.evaluate("location.href"))
    expect(other.get_by_text("you drew the system")).to_be_visible()
    assert scene(other) == scene(page)
    expect(other.locator("canvas.ghost")).to_have_count(1)

    # Another scene leaves it; the board keeps it in reach.
    before = scene(page)
    page.get_by_role("button", name="Another scene").click()
    changed(page, before)
    assert "system=" not in page.url
    page.get_by_role("radio", name="draw").click()
    before = scene(page)
    page.get_by_role("button", name="My last springs").click()
    changed(page, before)
    expect(page.locator(".board")).to_have_attribute("data-system", told)


@pytest.mark.slow
def test_an_image_model_sees_a_drawn_tree_it_has_never_met(visit: Callable[[str], Page]) -> None:
    page = visit("?model=springs-4-3-slot-hri&panel=draw")
    expect(page.locator(".board .ball")).to_have_count(17)
    options = page.get_by_role("option", name="2-2", exact=True)
    for _ in range(5):  # a list that opens while the page still settles closes again
        page.get_by_role("combobox", name="Tree").click()
        page.wait_for_timeout(500)
        if options.count():
            break
    options.click()
    expect(page.locator(".board .ball")).to_have_count(7)
    page.get_by_role("button", name="Still").click()
    click(page, "Simulate and predict")
    system = drawn(page)
    assert (system.tree, set(system.velocities)) == ("2-2", {(0.0, 0.0)})
    step_to(page, 12)
    assert_predicts(page, predicted(system, "springs-4-3-slot-hri"), 12)

    # What was seen, saved, is looked at without its model; other files are answered with a sentence.
    page.get_by_role("radio", name="share").click()
    with page.expect_download(timeout=30_000) as got:
        page.get_by_role("button", name="NumPy", exact=True).click()
    saved = Path(got.value.path()).read_bytes()
    page.get_by_role("button", name="Upload").click()
    for content, sentence in [(saved[:-400], "it is no .npz"), (b"", "it is empty"), (saved, "From your file")]:
        page.locator("input[type=file]").first.set_input_files(
            {"name": f"<i>[a](x){len(content)}.npz", "mimeType": "application/zip", "buffer": content}
        )
        expect(page.get_by_text(sentence)).to_be_visible(timeout=15_000)
    page.keyboard.press("Escape")
    expect(page.get_by_text("From your file, made by springs-4-3-slot-hri.")).to_be_visible()
    step_to(page, 12)
    assert_predicts(page, predicted(system, "springs-4-3-slot-hri"), 12)
    page.get_by_role("radio", name="change", exact=True).click()
    expect(page.get_by_text("has no checkpoint here, only stored scenes")).to_be_visible()
    assert page.get_by_text("Traceback").count() == 0


@pytest.mark.slow
def test_seeds_are_ranked_and_one_is_gone_to(visit: Callable[[str], Page]) -> None:
    name = "springs-4-3-state-lstm"
    page = visit(f"?model={name}&panel=hard and easy")
    expect(page.get_by_text("of these 200.")).to_be_visible(timeout=90_000)
    model = checkpoint.load(ROOT / "checkpoints" / f"{name}.safetensors")
    shown = page.locator("[class*='st-key-Hardest-'] button, [class*='st-key-Easiest-'] button").all_inner_texts()
    picked = [int(text) for text in dict.fromkeys(shown)]
    assert len(picked) == 10
    # The page's order is the library's: the five of each end, scored by themselves, and nothing beyond them.
    found = ranking.rank_seeds(model, picked)
    assert found.hardest(5) == picked[:5]
    assert found.easiest(5) == picked[5:]
    before = scene(page)
    page.get_by_role("button", name=str(picked[0]), exact=True).click()
    changed(page, before)
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value(str(picked[0]))
    expect(page.get_by_text(f"Seed {picked[0]} is harder than 100% of these 200.")).to_be_visible()
    # The curve is one to click, too: its first marker is the easiest.
    before = scene(page)
    page.locator("[class*='st-key-ranking-'] .scatterlayer path.point").first.click(force=True)
    changed(page, before)
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value(str(picked[5]))

"""Balls without a hierarchy in a real browser: charges watched, asked about, cut, drawn and thrown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.experiments.publish import compact
from hri.model.checkpoint import save
from hri.physics.systems import System
from hri.rollout.edits import SetEdge
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import roll_out
from tests.browser.driving import Server, serve
from tests.browser.test_changes import assert_predicts, click, step_to
from tests.browser.test_scenes import drag, drawn
from tests.flat_models import NAMES, made, rolled, systems

SPRINGS, CHARGED = NAMES


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app over fresh models of springs5 and charged5."""
    folder = tmp_path_factory.mktemp("flat")
    for name in NAMES:
        save(folder / f"{name}.safetensors", made(name).model, made(name).header)
    compact(rolled(SPRINGS)).save(folder / f"{SPRINGS}.npz")
    with serve(folder / "log.txt", HRI_STORED=folder, HRI_CHECKPOINTS=folder) as running:
        yield running


def test_charges_are_watched_asked_about_and_cut(flat: Server, visit: Callable[..., Page]) -> None:
    page = visit(f"{flat.url}/?model={CHARGED}&seed=200042&panel=change&select=3-1&names=aligned&matrix=true")
    rollout = roll_out(made(CHARGED), systems(CHARGED)[:1])
    step_to(page, 20)
    assert_predicts(page, rollout, 20)
    assert rollout.true_adjacency is not None
    word = ("attract", "repel")[int(rollout.true_adjacency[0, 3, 1])]
    expect(page.get_by_text(f"They truly {word}.")).to_be_visible()
    expect(page.locator(".images .overlay").first.locator("path")).to_have_count(5)
    legend = page.locator(".st-key-explore-graph .legendtext").all_text_contents()
    assert legend == ["no interaction", "attract", "repel", "truly repel"]
    click(page, "Cut")
    cut = Intervention((SetEdge(3, 1),))
    assert_predicts(page, roll_out(made(CHARGED), systems(CHARGED)[:1], intervention=cut), 20)
    expect(page.get_by_text("Cut ball 3 → ball 1, all frames")).to_be_visible()


@pytest.mark.slow
def test_charges_are_drawn(flat: Server, visit: Callable[..., Page]) -> None:
    page = visit(f"{flat.url}/?model={CHARGED}&seed=200042&panel=draw")
    page.locator(".board svg").scroll_into_view_if_needed()
    start = drawn(page)
    assert start == System.of_seed("flat-5", "charged", 200_042).rounded()
    # The five start close together in a large box, so the board begins near them; its whole box is one press away.
    near = page.locator(".board .walls").bounding_box()["width"]  # type: ignore[index]
    page.get_by_role("button", name="Whole box").click()
    far = page.locator(".board .walls").bounding_box()["width"]  # type: ignore[index]
    assert far < page.locator(".board svg").bounding_box()["width"] < near  # type: ignore[index]
    assert drawn(page) == start
    page.get_by_role("button", name="Closer").click()
    assert drawn(page) == start
    box_unit = page.locator(".board .walls").bounding_box()["width"] / 10  # type: ignore[index]
    drag(page, '.ball[data-node="2"] .body', box_unit, 0.5 * box_unit)
    moved = np.subtract(drawn(page).positions, start.positions)
    assert moved[2] == pytest.approx([1, -0.5], abs=0.06)
    assert not moved[[0, 1, 3, 4]].any()
    page.get_by_role("button", name="All alike").click()
    assert len(drawn(page).springs) == 10
    page.locator('.board .ball[data-node="4"] .body').dblclick()
    assert len(drawn(page).springs) == 6
    expect(page.locator('.board .ball[data-node="4"] .number')).to_have_text("4−")
    expect(page.locator(".board .told")).to_contain_text("charge −")
    click(page, "Simulate and predict")
    expect(page.get_by_text("you drew the system")).to_be_visible()
    expect(page.get_by_text("Every two charges interact")).to_be_visible()
    system = drawn(page)
    step_to(page, 30)
    assert_predicts(page, roll_out(made(CHARGED), system.simulate()), 30)


@pytest.mark.slow
def test_springs_between_any_two_are_drawn(flat: Server, visit: Callable[..., Page]) -> None:
    page = visit(f"{flat.url}/?model={SPRINGS}&seed=200042&panel=draw")
    page.get_by_role("button", name="No springs").click()
    page.locator('.board [data-pair="0 3"] .grip').dispatch_event("click")
    assert drawn(page).springs == ((0, 3),)
    click(page, "Simulate and predict")
    expect(page.get_by_text("of your 1 springs.")).to_be_visible()
    step_to(page, 10)
    assert_predicts(page, roll_out(made(SPRINGS), drawn(page).simulate()), 10)

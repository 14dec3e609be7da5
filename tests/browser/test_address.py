"""Addresses: what cannot be is one sentence on every page, and Back and Forward show what their addresses showed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import ready

HUGE = "9" * 400


@pytest.mark.parametrize(
    ("place", "sentences"),
    [
        (f"?seed={HUGE}&data=nothing&overlay=7", ["for seed '999", "seeds are whole", "data 'nothing'", "overlay"]),
        (f"compare?first=nobody&seed={HUGE}", ["for Model A 'nobody', which is not here.", "for seed '999"]),
        (f"learn?lesson=none&scene={HUGE}&size=7", ["lesson 'none'", "scenes are whole numbers", "size '7'"]),
        pytest.param(
            f"learn?view=game&game={HUGE}", ["games are whole numbers from 0 to 9999"], marks=pytest.mark.slow
        ),
        pytest.param(f"learn?classroom=true&scene={HUGE}", ["scenes are whole numbers"], marks=pytest.mark.slow),
        ("train?run=gone&starter=none&view=never", ["run 'gone'", "starter 'none'", "view 'never'"]),
        ("results?setting=none&log=maybe", ["setting 'none'", "log 'maybe'"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_on_every_page(visit: Callable[..., Page], place: str, sentences: list[str]) -> None:
    page = visit(place, wait=False)
    for sentence in sentences:
        expect(page.get_by_text(sentence).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.get_by_text("OverflowError")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_back_and_forward_show_what_their_addresses_showed(visit: Callable[..., Page]) -> None:
    page = visit("?model=springs-4-3-state-hri")
    scene = page.locator(".images")
    begin = scene.get_attribute("data-scene")
    page.get_by_role("button", name="Another scene").click()
    page.locator(f".images:not([data-scene='{begin}'])").wait_for(timeout=60_000)
    other, address = scene.get_attribute("data-scene"), page.url
    assert "seed=" in address
    page.go_back()
    page.locator(f".images[data-scene='{begin}']").wait_for(timeout=60_000)
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("200042")
    assert "model=springs-4-3-state-hri" in page.url
    page.go_forward()
    page.locator(f".images[data-scene='{other}']").wait_for(timeout=60_000)
    expect(page.get_by_role("spinbutton", name="Seed")).not_to_have_value("200042")


@pytest.mark.slow
def test_back_takes_a_cut_back_with_its_cross(visit: Callable[..., Page]) -> None:
    page = visit("?frame=20&select=1-5&panel=change")
    begin = page.locator(".images").get_attribute("data-scene")
    page.locator(".st-key-edge-0").get_by_role("button").click(timeout=60_000)
    page.locator(".ghost").first.wait_for(timeout=60_000)
    page.go_back()
    page.locator(".ghost").first.wait_for(state="detached", timeout=60_000)
    assert "edits" not in page.url
    assert page.locator(".images").get_attribute("data-scene") == begin
    page.go_forward()
    page.locator(".ghost").first.wait_for(timeout=60_000)
    ready(page)


@pytest.mark.slow
def test_back_on_compare_keeps_its_models_apart(visit: Callable[..., Page]) -> None:
    page = visit("compare", wait=False)
    page.locator(".images[data-frame]").nth(2).wait_for(timeout=60_000)
    names = [page.get_by_role("combobox", name=f"Model {letter}").input_value() for letter in "AB"]
    assert names[0] != names[1]
    page.get_by_role("button", name="Another scene").click()
    page.wait_for_url("**seed=*", timeout=60_000)
    page.go_back()
    page.wait_for_function("() => !location.href.includes('seed=')", timeout=60_000)
    page.wait_for_timeout(1500)
    assert [page.get_by_role("combobox", name=f"Model {letter}").input_value() for letter in "AB"] == names
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("200042")

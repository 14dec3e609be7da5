"""Room: a wide screen is used, what is selected moves nothing else, and the page asks no other host."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.view.discs import discs
from tests.browser.conftest import SCENES
from tests.browser.driving import settle
from tests.browser.test_explore import CHART

PLACES = """() => ['.st-key-stage', '.st-key-side', '.st-key-explore-transport', '.st-key-panel'].map((name) => {
    const { top, height } = document.querySelector(name).getBoundingClientRect();
    return [Math.round(top), Math.round(height)];
})"""
CROSSES = f"""() => {{
    const chart = {CHART}, cuts = chart._fullData.find((trace) => trace.meta === 'cuts').uid;
    const marks = [...chart.querySelectorAll(`.trace${{cuts}} path.point`)];
    return marks.filter((mark) => mark.style.opacity === '1').length;
}}"""


def select(page: Page, what: str) -> None:
    page.evaluate(f"hriClocks.get('explore').select({what})")
    expect(page.locator(".st-key-inspector .js-plotly-plot")).to_be_visible()
    page.wait_for_timeout(400)


def test_what_is_selected_moves_nothing_and_a_click_on_a_picture_frames_nothing(page: Page) -> None:
    expect(page.locator(".tally b")).to_be_visible()
    page.wait_for_timeout(500)
    before = page.evaluate(PLACES)
    box = page.locator(".truth .stack").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    expect(page.locator(".st-key-inspector .js-plotly-plot")).to_be_visible()
    page.keyboard.press("ArrowRight")
    settle(page, 1)
    assert page.evaluate("document.activeElement.dataset.testid ?? ''") != "stMain"
    assert page.evaluate(PLACES) == before
    select(page, "{kind: 'edge', sender: 1, receiver: 5}")
    assert page.evaluate(PLACES) == before


FINE = """(panel, [x, y]) => {
    const canvas = panel.querySelector(".fine");
    const at = [x * canvas.width, y * canvas.height].map(Math.round);
    return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
}"""


@pytest.mark.slow
def test_balls_of_a_model_of_states_are_discs_and_its_panels_come_into_view(open_page: Callable[..., Page]) -> None:
    page, exact = open_page("?model=synthetic-state", reduced_motion="reduce"), discs(SCENES["synthetic-state"])
    assert exact is not None
    page.keyboard.press("End")
    settle(page, 48)
    for panel, places in (("truth", exact.truth[48]), ("prediction", exact.prediction[48])):
        stack = page.locator(f".{panel} .stack")
        assert stack.locator(".fine").evaluate("(canvas) => canvas.width") == 512
        for k, (colour, at) in enumerate(zip(exact.colours, places, strict=True)):
            above = np.abs((places[k + 1 :] - at) / exact.axes[0]).max(-1) < 1.1
            if np.isfinite(at).all() and (np.abs(at - 0.5) < 0.45).all() and not above.any():
                red, green, blue = stack.evaluate(FINE, at.tolist())
                assert f"#{red:02x}{green:02x}{blue:02x}" == colour, (panel, k)
        assert stack.evaluate(FINE, [0.01, 0.01]) == [0, 0, 0]
    # A panel that is chosen comes into view; what an address names does not move the page.
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(box) => box.scrollTop") == 0
    page.get_by_role("radio", name="edges over time").click()
    page.locator(".strips[data-frame]").wait_for()
    expect(page.locator(".strips .told")).to_be_in_viewport(ratio=1)
    expect(page.locator(".timeline")).to_be_in_viewport(ratio=1)


def test_all_edges_of_a_model_that_infers_the_hierarchys_alone_are_said_to_be_shown(page: Page) -> None:
    page.get_by_role("radio", name="all", exact=True).last.click()
    expect(page.get_by_text("infers only the hierarchy's own edges")).to_be_visible()


# Of the first paragraph with this text: as WCAG defines it, with the opacity of all that it lies in.
CONTRAST = """(text) => {
    const spans = document.querySelectorAll("[data-testid=stMain] p");
    let place = [...spans].find((span) => span.textContent.trim() === text), opacity = 1;
    const paint = document.createElement("canvas").getContext("2d");
    const bytes = (colour) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const ink = bytes(getComputedStyle(place).color);
    const grounds = [];
    for (; place; place = place.parentElement) {
        opacity *= +getComputedStyle(place).opacity;
        grounds.unshift(bytes(getComputedStyle(place).backgroundColor));
    }
    const over = (below, layer, share = 1) => {
        const alpha = share * layer[3] / 255;
        return below.map((value, k) => layer[k] * alpha + value * (1 - alpha));
    };
    const ground = grounds.reduce((below, layer) => over(below, layer), [255, 255, 255]);
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, w, k) => sum + w * linear(colour[k] / 255), 0);
    const [low, high] = [light(over(ground, ink, opacity)), light(ground)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""


@pytest.mark.slow
def test_quiet_words_and_chosen_buttons_can_be_read_in_both_themes(page: Page) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_function(
            "(theme) => getComputedStyle(document.querySelector('.stApp')).colorScheme === theme", arg=theme
        )
        for text in ("Click a slot, a node or an edge to inspect it.", "Data", "inspect", "radial"):
            assert page.evaluate(CONTRAST, text) >= 4.5, (theme, text)


def test_a_wide_screen_is_used_and_the_icon_comes_along(open_page: Callable[..., Page]) -> None:
    page = open_page(width=1920, height=1080, reduced_motion="reduce")
    box = page.locator(".truth .stack").bounding_box()
    assert box is not None
    assert box["width"] > 280
    timeline = page.locator(".timeline").bounding_box()
    assert timeline is not None
    assert timeline["width"] > 1800
    icons = page.evaluate("[...document.querySelectorAll('link[rel~=icon]')].map((link) => link.href)")
    assert icons
    assert all(address.startswith(("data:", page.url.split("?")[0])) for address in icons), "no other host is asked"


@pytest.mark.slow
def test_undo_and_reset_take_the_crosses_along(visit: Callable[..., Page]) -> None:
    page = visit("?frame=20&select=1-5&panel=change")
    for back in ("Undo", "Reset"):
        page.locator(".st-key-edge-0").get_by_role("button").click(timeout=60_000)
        page.locator(".ghost").first.wait_for(timeout=60_000)
        page.wait_for_function(f"() => ({CROSSES})() === 1", timeout=30_000)
        page.get_by_role("button", name=back, exact=True).click()
        page.locator(".ghost").first.wait_for(state="detached", timeout=60_000)
        page.wait_for_function(f"() => ({CROSSES})() === 0", timeout=30_000)
        assert page.evaluate(f"() => ({CROSSES})()") == 0, back

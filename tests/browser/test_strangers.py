"""A stranger's rollout in the real page: whatever its names are, nothing runs, links or formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from hri.view.layout import graph_layout
from tests.browser.driving import Server
from tests.strangers import NAMES, crafted

CHILD, PARENT = 5, 4
"""Joints whose names would be links, symbols and formulas, and elements."""


def harmless(page: Page) -> None:
    """Nothing of it ran, and nothing of it became an element."""
    assert page.evaluate("window.stranger") is None
    assert page.locator("a[href*='example.org'], .katex, script:text('stranger')").count() == 0


def test_names_of_a_stranger_are_shown_as_they_are(
    server: Server, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    rollout = crafted()
    rollout.save(tmp_path / "stranger.npz")
    stored = server.log.parent / "stored" / "stranger.npz"
    rollout.save(stored)
    try:
        page = open_page(f"?model=stranger&select={CHILD}", reduced_motion="reduce")
        told = page.locator(".st-key-inspector p").first
        expect(told).to_contain_text("child of")
        said = (told.text_content() or "").replace("\u2060", "")
        assert said.startswith(f"{NAMES[CHILD]}, child of {NAMES[PARENT]}")
        harmless(page)
        # The graph's own words: Plotly reads tags in what it shows under the mouse.
        plot = page.locator(".st-key-explore-graph .js-plotly-plot")
        box = plot.locator(".nsewdrag").bounding_box()
        assert box is not None
        span = plot.evaluate("p => [...p.layout.xaxis.range, ...p.layout.yaxis.range]")
        at = graph_layout(rollout.tree, "radial")[PARENT]
        x = box["x"] + box["width"] * (at[0] - span[0]) / (span[1] - span[0])
        y = box["y"] + box["height"] * (span[3] - at[1]) / (span[3] - span[2])
        page.mouse.move(x + 3, y)
        page.mouse.move(x, y)
        expect(plot.locator(".hovertext")).to_have_text(NAMES[PARENT])
        harmless(page)
        page.get_by_role("button", name="Upload").click()
        page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "stranger.npz")
        expect(page.get_by_role("combobox", name="Model")).to_have_value("stranger (rollout)", timeout=40_000)
        expect(page.get_by_text("made by a model without a name")).to_be_visible()
        harmless(page)
    finally:
        stored.unlink()

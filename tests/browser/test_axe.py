"""What axe-core finds on the pages: nothing serious, light and dark."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

PAGES = {
    "explore": ("?panel=edges over time", ".st-key-workbench svg"),
    "step": ("?matrix=true&panel=inside a step", ".st-key-matrix-side"),
    "change": ("?panel=change", ".st-key-workbench button"),
    "draw": ("?panel=draw", ".st-key-workbench svg"),
    "share": ("?panel=share", ".st-key-workbench button"),
    "body": ("?model=mocap-state-hri&panel=relations", ".st-key-workbench .js-plotly-plot"),
    "compare": ("compare", ".images"),
    "learn": ("learn", "[data-testid='stHeading']"),
    "lesson": ("learn?lesson=beliefs", "[data-testid='stHeading']"),
    "train": ("train?view=new", "[data-testid='stButton']"),
    "runs": ("train?view=runs", "[data-testid='stMain']"),
    "results": ("results", ".js-plotly-plot"),
}
"""Addresses, and what is there once the page is drawn."""


def serious(page: Page, seconds: float = 15) -> list[str]:
    """Serious findings that stay; colours fade for a moment from one theme to the other."""
    end = time.monotonic() + seconds
    while True:
        answer = Axe().run(page).response
        assert len(answer["passes"]) > 10, "axe looked at a page that is hardly there"
        findings = [
            f"{fault['id']}: {node['html'][:200]}"
            for fault in answer["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]
        if not findings or time.monotonic() > end:
            return findings
        page.wait_for_timeout(300)


@pytest.mark.slow
def test_the_landing_page_has_no_serious_finding(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_finding(visit: Callable[..., Page], name: str) -> None:
    address, drawn = PAGES[name]
    page = visit(address, wait=False)
    expect(page.locator(drawn).first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1500)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == []

"""One server with synthetic scenes and one Chromium for all browser tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import Pages, Server, at_the_beginning, chromium, ready, serve
from tests.synthetic import slot_rollout, state_rollout

expect.set_options(timeout=30_000)
"""Of every test: the first look at a page or panel loads what draws it, and the machine may be busy with others."""

SCENES = {
    "springs-4-3-slot-hri": slot_rollout(),
    "synthetic-par": slot_rollout(seed=9, pairs="all", types=4, slots=False),
    "synthetic-state": state_rollout(),
}
"""What the server shows, so that tests can say what must be seen."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            # A busy machine can show a test a page half redrawn; what is wrong is wrong twice.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("app")
    for name in ("stored", "checkpoints"):
        (folder / name).mkdir()
    for name, rollout in SCENES.items():
        rollout.save(folder / "stored" / f"{name}.npz")
    with serve(folder / "log.txt", HRI_STORED=folder / "stored", HRI_CHECKPOINTS=folder / "checkpoints") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Pages:
    """Pages that are used again by test after test."""
    return Pages(browser)


@pytest.fixture
def open_page(server: Server, pages: Pages) -> Iterator[Callable[..., Page]]:
    """``open_page("?model=…", width, height, **context options)``: a page whose scene is drawn.

    Without motion it stands at frame 0. Errors in the page's scripts fail the test.
    """
    with pages.lend() as lend:

        def open_one(query: str = "", width: int = 1400, height: int = 900, wait: bool = True, **options: Any) -> Page:
            page = lend(f"{server.url}/{query}", width, height, **options)
            if wait:
                ready(page)
                if options.get("reduced_motion") == "reduce" and "frame=" not in query:
                    at_the_beginning(page)
            return page

        yield open_one


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The landing page at 1400 x 900, standing at frame 0."""
    return open_page(reduced_motion="reduce")


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with its own checkpoints."""
    with serve(tmp_path_factory.mktemp("live") / "log.txt") as running:
        yield running


@pytest.fixture
def visit(live: Server, pages: Pages) -> Iterator[Callable[..., Page]]:
    """``visit("?…")``: a page that has drawn its scene, at frame 0 or the address's; errors in scripts fail the test.

    ``wait=False`` does not wait for the scene: for other pages than Explore.
    """
    with pages.lend() as lend:

        def open_one(query: str, wait: bool = True) -> Page:
            url = query if query.startswith("http") else f"{live.url}/{query}"
            page = lend(url, permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
            if wait:
                ready(page, 60_000)
                if "frame=" not in url:
                    at_the_beginning(page)
            return page

        yield open_one

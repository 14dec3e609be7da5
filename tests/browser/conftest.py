"""One server with synthetic scenes and one Chromium for all browser tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.driving import Server, chromium, ready, serve
from tests.synthetic import slot_rollout, state_rollout

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


@pytest.fixture
def open_page(server: Server, browser: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page("?model=…", width, height, **context options)``: a page whose scene is drawn.

    Errors in the page's scripts fail the test.
    """
    contexts, errors = [], []

    def open_one(query: str = "", width: int = 1400, height: int = 900, wait: bool = True, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server.url}/{query}")
        if wait:
            ready(page)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The landing page at 1400 x 900, standing at frame 0."""
    opened = open_page(reduced_motion="reduce")
    return opened

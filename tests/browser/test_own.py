"""Published springs5 files in a real browser: from upload to a trained model's graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import Server, serve
from tests.synthetic import slot_rollout
from tests.trajectories import write_generated

NAME = "springs-4-3-slot-hri"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("own")
    for name in ("stored", "checkpoints", "runs", "own"):
        (folder / name).mkdir()
    slot_rollout().save(folder / "stored" / f"{NAME}.npz")
    write_generated(folder / "files", "springs", {"train": 64, "valid": 4, "test": 4})
    yield folder
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "hri" in words and any(str(folder / "runs") in word for word in words):
            process.kill()


@pytest.fixture(scope="module")
def own_server(place: Path) -> Iterator[Server]:
    folders = {f"HRI_{name.upper()}": place / name for name in ("stored", "checkpoints", "runs", "own")}
    with serve(place / "log.txt", **folders) as running:
        yield running


@pytest.mark.slow
def test_files_are_looked_at_trained_on_and_explored(
    place: Path, own_server: Server, visit: Callable[..., Page]
) -> None:
    page = visit(f"{own_server.url}/?model={NAME}")
    page.get_by_role("button", name="Upload").first.click()
    page.get_by_role("button", name="Trajectories").click()
    dialog = page.get_by_test_id("stDialog")
    dialog.locator("input[type=file]").set_input_files(sorted((place / "files").iterdir()))
    expect(dialog.get_by_text("5: ball 0, ball 1, ball 2, ball 3, ball 4")).to_be_visible(timeout=60_000)
    expect(dialog.get_by_text("72 (64 to train, 4 to validate, 4 to test)")).to_be_visible()
    expect(dialog.get_by_text("known for every pair")).to_be_visible()
    expect(dialog.locator("img").first).to_be_visible()
    expect(page.get_by_test_id("stPopoverBody")).to_be_hidden()
    dialog.get_by_role("button", name="Train on this").click()
    expect(page.get_by_text("Trains on your own: springs5")).to_be_visible(timeout=60_000)
    updates = page.get_by_role("spinbutton", name="Updates of stage 2")
    updates.fill("4")
    updates.press("Enter")
    expect(page.get_by_text(re.compile(r"--train.updates 4\b"))).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-controls").get_by_text("finished")).to_be_visible(timeout=240_000)
    page.get_by_role("button", name="Open in Explore").click()
    graph = page.locator(".st-key-explore-graph .js-plotly-plot")
    for node in range(5):
        expect(graph.get_by_text(f"ball {node}", exact=True)).to_be_visible(timeout=90_000)
    expect(page.get_by_text("met in training")).to_be_visible()

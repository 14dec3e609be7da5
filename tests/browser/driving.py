"""The app on a free port and a Chromium to look at it: for tests, measurements and pictures."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
_CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float
    """When it was asked to start, on ``time.monotonic``'s clock."""


@contextmanager
def serve(
    log: Path, wait: bool = True, script: str | Path = "streamlit_app.py", **folders: str | Path
) -> Iterator[Server]:
    """Run the app until the block ends; ``folders`` are HRI_STORED and HRI_CHECKPOINTS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.fileWatcherType",
        "none",
    ]
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    with open(log, "wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            if wait:
                wait_for_health(url, process, log)
            yield Server(url, process, log, started)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers.

    Raises:
        RuntimeError: it ended or stayed silent for a minute; with what it printed.
    """
    for _ in range(1200):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the app does not answer; it printed:\n{log.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium until the block ends.

    Raises:
        RuntimeError: none is installed.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("no Chromium found; install it with `make chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM)
        try:
            yield browser
        finally:
            browser.close()


def shown_frames(page: Page) -> list[int]:
    """The frame that images, timeline and graph each say they have drawn."""
    return page.evaluate(
        """() => {
            const roots = [...document.querySelectorAll("*")].map((host) => host.shadowRoot).filter(Boolean);
            const inside = (name) => roots.map((root) => root.querySelector(name)).find(Boolean);
            const chart = document.querySelector(".st-key-explore-graph .js-plotly-plot");
            return [inside(".images"), inside(".timeline"), chart].map((part) => Number(part?.dataset.frame ?? -1));
        }"""
    )


def ready(page: Page, timeout: float = 30_000) -> None:
    """Wait until images, timeline and graph are drawn."""
    page.locator(".images[data-frame]").wait_for(timeout=timeout)
    page.locator(".timeline[data-frame]").wait_for(timeout=timeout)
    page.wait_for_function(
        "() => document.querySelector('.st-key-explore-graph .js-plotly-plot')?.dataset.frame", timeout=timeout
    )


def settle(page: Page, frame: int) -> None:
    """Wait until everything shows one frame."""
    for _ in range(100):
        if set(shown_frames(page)) == {frame}:
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"images, timeline and graph show frames {shown_frames(page)}, not {frame}")

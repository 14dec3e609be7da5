"""The app on a free port and a Chromium to look at it: for tests, measurements and pictures."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

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


def log_of(server: Server) -> str:
    """What a server printed, without what Streamlit says of a browser that leaves while it is being answered."""
    left = r"Exception in ASGI application\n(?:.*\n)*?starlette\.websockets\.WebSocketDisconnected: Cannot call .*\n"
    return re.sub(left, "", server.log.read_text())


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


class Pages:
    """Pages of one browser, lent to test after test: one that has loaded the app opens it three times faster.

    Each lives in a context of its own, so no two that are lent at once share what they store.
    """

    def __init__(self, browser: Browser):
        self._browser = browser
        self._free: list[Page] = []

    @contextmanager
    def lend(self) -> Iterator[Callable[..., Page]]:
        """``open(url, width, height, permissions, reduced_motion=…, color_scheme=…)`` until the block ends.

        Other options than these, such as ``has_touch``, make a page that is not lent again.

        Raises:
            AssertionError: a script of a page failed.
        """
        lent: list[tuple[Page, bool]] = []
        errors: list[str] = []

        def note(error: Error) -> None:
            errors.append(str(error))

        def open_one(
            url: str, width: int = 1400, height: int = 900, permissions: Sequence[str] = (), **options: Any
        ) -> Page:
            media = {"reduced_motion": "no-preference", "color_scheme": "light"}
            own = set(options) - set(media)
            page = self._free.pop() if self._free and not own else self._browser.new_context(**options).new_page()
            lent.append((page, not own))
            page.on("pageerror", note)
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(**media | {name: options[name] for name in media if name in options})
            page.context.clear_permissions()
            if permissions:
                page.context.grant_permissions(list(permissions))
            page.goto(url)
            return page

        yield open_one
        for page, again in lent:
            if page.is_closed():
                continue
            page.remove_listener("pageerror", note)
            if not again:
                page.context.close()
                continue
            page.evaluate("() => { try { localStorage.clear(); sessionStorage.clear(); } catch {} }")
            page.mouse.move(0, 0)
            page.goto("about:blank")
            self._free.append(page)
        assert not errors, errors


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


def at_the_beginning(page: Page) -> Page:
    """The same page at frame 0: without motion it rests where the free run begins."""
    page.keyboard.press("Home")
    settle(page, 0)
    return page


def settle(page: Page, frame: int, seconds: float = 15) -> None:
    """Wait until everything shows one frame."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if set(shown_frames(page)) == {frame}:
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"images, timeline and graph show frames {shown_frames(page)}, not {frame}")


def comes_true(page: Page, check: Callable[[], object], seconds: float = 15) -> None:
    """Wait until a check raises no AssertionError any more; then its own is the answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            check()
        except AssertionError:
            page.wait_for_timeout(100)
        else:
            return
    check()

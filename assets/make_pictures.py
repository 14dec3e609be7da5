"""The README's pictures, taken of the real app: `make pictures`."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.driving import chromium, ready, serve, settle

ASSETS = Path(__file__).parent
FRAME = 30

PICTURES = [
    ("explore-dark", "?layout=image&overlay=all", {"width": 1400, "height": 900}, "dark"),
    ("explore-phone", "", {"width": 390, "height": 844}, "light"),
    ("compare", "compare", {"width": 1400, "height": 1600}, "light"),
]
"""Name, address, window and theme."""


def compared(page: Page) -> None:
    """Wait for both columns of the Compare page, slots and graphs too."""
    for column in (0, 1):
        page.locator(f".st-key-compare-shares-{column} .shares[data-frame]").wait_for(timeout=90_000)
        chart = f".st-key-compare-graph-{column} .js-plotly-plot"
        page.wait_for_function(f"() => document.querySelector('{chart}')?.dataset.frame")


FILM = range(34, 49)
"""Frames of the film: the end of the burn-in and the free run."""
FREE_RUN = 41
MILLISECONDS = {"burn-in": 250, "free run": 600, "last": 2500}
WIDTH = 900


def film(browser: Browser, url: str) -> None:
    """The landing page from shortly before the free run to its end, as a GIF."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(url)
    ready(page)
    page.keyboard.press("Home")
    for _ in range(FILM.start // 5):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(FILM.start % 5):
        page.keyboard.press("ArrowRight")
    pictures, times = [], []
    for frame in FILM:
        settle(page, frame)
        page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
        pictures.append(small.quantize(192, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))
        times.append(MILLISECONDS["free run" if frame >= FREE_RUN else "burn-in"])
        page.keyboard.press("ArrowRight")
    times[-1] = MILLISECONDS["last"]
    pictures[0].save(ASSETS / "explore.gif", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    print("assets/explore.gif")
    context.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "log.txt") as server, chromium() as browser:
        for name, query, window, theme in PICTURES:
            context = browser.new_context(
                viewport=window,
                color_scheme=theme,
                reduced_motion="reduce",
                device_scale_factor=2 if "phone" in name else 1,
            )
            page = context.new_page()
            page.goto(f"{server.url}/{query}")
            (compared if name == "compare" else ready)(page)
            page.keyboard.press("Home")
            for _ in range(FRAME // 5):
                page.keyboard.press("Shift+ArrowRight")
            if name != "compare":
                settle(page, FRAME)
            page.wait_for_timeout(800)
            page.screenshot(path=ASSETS / f"{name}.png")
            print(f"assets/{name}.png")
            context.close()
        film(browser, server.url)


if __name__ == "__main__":
    main()

"""The README's pictures, taken of the real app: `make pictures`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.driving import chromium, ready, serve, settle

ASSETS = Path(__file__).parent
FRAME = 30

PICTURES = [
    ("explore-light", "", {"width": 1400, "height": 900}, "light"),
    ("explore-dark", "?layout=image&overlay=all", {"width": 1400, "height": 900}, "dark"),
    ("explore-phone", "", {"width": 390, "height": 844}, "light"),
]
"""Name, address, window and theme."""


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
            ready(page)
            page.keyboard.press("Home")
            for _ in range(FRAME // 5):
                page.keyboard.press("Shift+ArrowRight")
            settle(page, FRAME)
            page.wait_for_timeout(800)
            page.screenshot(path=ASSETS / f"{name}.png")
            print(f"assets/{name}.png")
            context.close()


if __name__ == "__main__":
    main()

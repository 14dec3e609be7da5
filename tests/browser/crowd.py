"""Many visitors at once, each stepping through a scene of their own, and one JSON object: `make crowd`.

    make crowd ARGS="--browsers 20 --seconds 120"
    make crowd ARGS="--classroom --browsers 30"

Every browser context has its own session, its own seed and its own edits. All are stepped in turn by one driver, so
a step's time is from the key to the frame that all three parts show. Exits with 1 after an error or a mixed-up scene.
With --classroom they are in a lesson of the Learn page as a class opens it, each with a scene of its own: a step is a
frame of its playground, and every tenth step a move of the lesson's slider, which the server has to answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import Page

from tests.browser.driving import Server, chromium, log_of, ready, serve, shown_frames

MODEL = "springs-4-3-state-hri-h"
FIRST_SEED = 200_100
LIMIT_MB = 3000
"""More resident memory of the server than this counts as unbounded: caches of scenes and models are smaller."""

LESSON = "future"
"""A lesson in which a model predicts, frames can be stepped, and a slider asks the server."""
ANSWER_EVERY = 10

ARENA = """() => [...document.querySelectorAll("*")].map((host) => host.shadowRoot).filter(Boolean)
    .map((root) => root.querySelector(".arena")).find(Boolean)"""
LESSON_SCENE = f"() => ({ARENA})()?.dataset.scene ?? null"
LESSON_FRAME = f"() => Number(({ARENA})()?.dataset.frame ?? -1)"
LESSON_STEPPED = f"(frame) => Number(({ARENA})()?.dataset.frame) === frame"

SCENE = """() => {
    const roots = [...document.querySelectorAll("*")].map((host) => host.shadowRoot).filter(Boolean);
    return roots.map((root) => root.querySelector(".images")).find(Boolean)?.dataset.scene ?? null;
}"""
STEPPED = """(frame) => {
    const roots = [...document.querySelectorAll("*")].map((host) => host.shadowRoot).filter(Boolean);
    const inside = (name) => roots.map((root) => root.querySelector(name)).find(Boolean);
    const chart = document.querySelector(".st-key-explore-graph .js-plotly-plot");
    return [inside(".images"), inside(".timeline"), chart].every((part) => Number(part?.dataset.frame) === frame);
}"""


def memory(server: Server) -> float:
    """Resident megabytes of the server."""
    answer = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(server.process.pid)], capture_output=True, text=True, check=True
    )
    return int(answer.stdout) / 1024


def step(page: Page) -> float:
    """One frame on, from the last one back to the first; milliseconds until all parts show it."""
    at = shown_frames(page)[0]
    key, wanted = ("Home", 0) if at == 48 else ("ArrowRight", at + 1)
    began = time.monotonic()
    page.keyboard.press(key)
    page.wait_for_function(STEPPED, arg=wanted, polling="raf", timeout=10_000)
    return 1000 * (time.monotonic() - began)


def lesson_step(page: Page) -> float:
    """One frame on in the lesson's playground; milliseconds until it shows it."""
    at = page.evaluate(LESSON_FRAME)
    key, wanted = ("Home", 0) if at == 48 else ("ArrowRight", at + 1)
    began = time.monotonic()
    page.locator(".arena .reel input").press(key)
    page.wait_for_function(LESSON_STEPPED, arg=wanted, polling="raf", timeout=30_000)
    return 1000 * (time.monotonic() - began)


def lesson_answer(page: Page) -> float:
    """The lesson's slider moved one on or back; milliseconds until the playground shows the server's answer."""
    before, slider = page.evaluate(LESSON_SCENE), page.get_by_role("slider", name="True frames seen")
    began = time.monotonic()
    slider.press("ArrowLeft" if before.endswith("-39") else "ArrowRight")
    page.wait_for_function(f"(before) => ({LESSON_SCENE})() !== before", arg=before, polling="raf", timeout=60_000)
    return 1000 * (time.monotonic() - began)


def seed_of(page: Page, classroom: bool) -> str | None:
    """What tells one visitor's scene from another's."""
    found = page.evaluate(LESSON_SCENE if classroom else SCENE)
    return found.rsplit("-", 1)[0] if classroom and found else found


def crowd(browsers: int, seconds: float, classroom: bool = False) -> dict[str, object]:
    """Open so many visitors, step them all for so long, and tell what was seen."""
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "log.txt") as server, chromium() as browser:
        before, pages = memory(server), []
        for number in range(browsers):
            page = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce").new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            if classroom:
                asked = f"view=lessons&lesson={LESSON}&scene={FIRST_SEED + number}&size=150&classroom=true"
                page.goto(f"{server.url}/learn?{asked}")
            else:
                page.goto(f"{server.url}/?model={MODEL}&seed={FIRST_SEED + number}&edits=1~mute_{5 + number % 12}")
            pages.append(page)
        for page in pages:
            if classroom:
                page.locator(".arena[data-frame]").wait_for(timeout=240_000)
            else:
                ready(page, 240_000)
                page.keyboard.press("Home")
        scenes = [seed_of(page, classroom) for page in pages]
        mixed = browsers - len(set(scenes))  # seeds differ, so scenes must
        opened, times, answers, until = memory(server), [], [], time.monotonic() + seconds
        highest, turn = opened, 0
        while time.monotonic() < until:
            turn += 1
            for page in pages:
                if classroom and turn % ANSWER_EVERY == 0:
                    answers.append(lesson_answer(page))
                else:
                    times.append(lesson_step(page) if classroom else step(page))
            highest = max(highest, memory(server))
        mixed += sum(seed_of(page, classroom) != scene for page, scene in zip(pages, scenes, strict=True))
        errors += [f"{page.url}: an error is shown" for page in pages if page.get_by_text("Traceback").count()]
        errors += [
            f"{page.url}: {text}" for page in pages for text in page.get_by_test_id("stException").all_inner_texts()
        ]
        if "Traceback" in log_of(server):
            errors.append(log_of(server)[-2000:])
    return {
        "browsers": browsers,
        "seconds": seconds,
        "steps": len(times),
        "step_ms": spread(times),
        **({"answers": len(answers), "answer_ms": spread(answers)} if answers else {}),
        "server_mb": {"start": round(before), "opened": round(opened), "highest": round(highest)},
        "memory_bounded": highest < LIMIT_MB,
        "mixed_up_scenes": mixed,
        "errors": errors,
    }


def spread(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ranked = sorted(times)
    return {"median": round(ranked[len(ranked) // 2], 1), "p95": round(ranked[int(0.95 * (len(ranked) - 1))], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--classroom", action="store_true", help="in a lesson of the Learn page, in classroom mode")
    given = parser.parse_args()
    if given.browsers < 1 or given.seconds <= 0:
        parser.error("choose at least one browser and some seconds")
    found = crowd(given.browsers, given.seconds, given.classroom)
    print(json.dumps(found, indent=2))
    if found["errors"] or found["mixed_up_scenes"] or not found["memory_bounded"]:
        sys.exit(1)


if __name__ == "__main__":
    main()

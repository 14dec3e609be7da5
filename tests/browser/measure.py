"""Time the app as a visitor meets it and print one JSON object: `make measure`.

Cold start, steps, playback, clicks and scenes are timed in a headless Chromium, and beside them one bare
``st.image`` rerun, because times alone drift with the machine. Needs a stored rollout in ``assets/stored``;
``scene_ms`` is null where there is no checkpoint to compute a scene with. Last come clicks on the Train page,
idle and while a training holds each core.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import Browser, Page, TimeoutError

from hri.core.presets import preset
from hri.core.settings import changed
from hri.experiments import queueing, runs
from hri.experiments.jobs import cores
from tests.browser.driving import Server, chromium, ready, serve, wait_for_health

SENTENCE = "Watch a model predict"
STEPS = 40

WATCH = """() => {
    const roots = [...document.querySelectorAll("*")].map((host) => host.shadowRoot).filter(Boolean);
    const [root, line] = [".images", ".timeline"].map((name) => roots.map((r) => r.querySelector(name)).find(Boolean));
    const chart = document.querySelector(".st-key-explore-graph .js-plotly-plot");
    const log = (globalThis.measured = {steps: [], images: [], graph: []});
    for (const [part, name] of [[root, "images"], [chart, "graph"]])
        new MutationObserver(() => log[name].push(performance.now())).observe(part, {attributeFilter: ["data-frame"]});
    // From the key to the first screen refresh after all parts have drawn the next frame.
    addEventListener("keydown", (event) => {
        const began = event.timeStamp, before = root.dataset.frame;
        const look = () => requestAnimationFrame(() => {
            const now = [root, line, chart].map((part) => part.dataset.frame);
            if (now[0] === before || new Set(now).size > 1) return look();
            requestAnimationFrame(() => log.steps.push(performance.now() - began));
        });
        look();
    }, true);
}"""

BARE = """
import numpy as np, streamlit as st
@st.fragment
def bare():
    count = st.session_state.setdefault("count", 0)
    if st.button("next"):
        count = st.session_state["count"] = count + 1
    st.image(np.random.default_rng(count).integers(0, 255, (32, 32, 3), dtype=np.uint8), width=220)
bare()
"""


def percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median": round(statistics.median(ordered), 1), "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1)}


def rate(moments: list[float]) -> float:
    """Changes a second over the longest run without a hold (the last frame stays a while)."""
    runs: list[list[float]] = [[]]
    for moment in moments:
        if runs[-1] and moment - runs[-1][-1] > 600:
            runs.append([])
        runs[-1].append(moment)
    longest = max(runs, key=len)
    return round(1000 * (len(longest) - 1) / (longest[-1] - longest[0]), 1) if len(longest) > 1 else 0.0


def cold_start(server: Server, browser: Browser) -> tuple[Page, dict[str, float]]:
    """From `streamlit run` to text, and to a rollout that moves; and what it took to send it."""
    received = [0]
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()

    def count(frame: str | bytes) -> None:
        received[0] += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    wait_for_health(server.url, server.process, server.log)
    page.goto(server.url, wait_until="commit")
    page.get_by_text(SENTENCE).wait_for(timeout=60_000)
    text = time.monotonic() - server.started
    ready(page, 60_000)
    page.locator(".images:not([data-frame='0'])").wait_for()
    moving = time.monotonic() - server.started
    page.wait_for_timeout(500)
    return page, {
        "first_text_s": round(text, 2),
        "first_rollout_s": round(moving, 2),
        "payload_kb": round(received[0] / 1024),
    }


def steps_and_playback(page: Page) -> dict[str, Any]:
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    for _ in range(STEPS):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(120)
    steps = page.evaluate("measured.steps")
    assert len(steps) == STEPS, f"{len(steps)} of {STEPS} steps were seen"
    page.keyboard.press("Home")
    page.get_by_label("Speed in frames a second").select_option("30")
    page.wait_for_timeout(300)
    page.evaluate("() => { measured.images.length = 0; measured.graph.length = 0; }")
    page.keyboard.press("Space")
    page.wait_for_timeout(4000)
    page.keyboard.press("Space")
    played = page.evaluate("measured")
    return {"step_ms": percentiles(steps), "play_fps": rate(played["images"]), "graph_fps": rate(played["graph"])}


BRIGHT = """() => {
    const hosts = [...document.querySelectorAll("*")];
    const root = hosts.map((host) => host.shadowRoot?.querySelector(".truth .stack")).find(Boolean);
    const canvas = root.querySelector("canvas"), { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height), found = [];
    for (let y = 0; y < height; y += 1)
        for (let x = 0; x < width; x += 1) {
            const [red, green, blue] = data.slice(4 * (y * width + x)), place = [(x + 0.5) / width, (y + 0.5) / height];
            const apart = found.every((one) => Math.hypot(one[0] - place[0], one[1] - place[1]) > 0.15);
            if (Math.max(red, green, blue) > 200 && apart) found.push(place);
        }
    return found;
}"""


def clicks(page: Page) -> float:
    """Median time from a click on another ball to its description, written by the server."""
    times = []
    frame = page.locator(".truth .stack").bounding_box()
    assert frame is not None
    balls = page.evaluate(BRIGHT)
    assert len(balls) >= 4, f"only {len(balls)} places of the frame are bright"
    for column, row in balls:
        shown = page.locator(".st-key-inspector").inner_text()
        began = time.monotonic()
        page.mouse.click(frame["x"] + column * frame["width"], frame["y"] + row * frame["height"])
        page.wait_for_function(
            "before => document.querySelector('.st-key-inspector').innerText !== before", arg=shown, polling=10
        )
        times.append(1000 * (time.monotonic() - began))
        page.wait_for_timeout(400)
    return round(statistics.median(times))


def new_scenes(page: Page) -> float | None:
    """Median time from "Another scene" to its first frame, computed by the live model once that is loaded."""
    times = []
    for _ in range(4):
        before = page.locator(".images").get_attribute("data-scene")
        began = time.monotonic()
        page.get_by_role("button", name="Another scene").click()
        try:
            page.locator(f".images:not([data-scene='{before}'])").wait_for(timeout=30_000)
        except TimeoutError:
            return None
        times.append(1000 * (time.monotonic() - began))
        page.wait_for_timeout(500)
    return round(statistics.median(times[1:]))  # the first one loads torch and the model


def bare_rerun(browser: Browser, folder: Path) -> float:
    """Median time of the smallest thing that asks the server: one image in a fragment."""
    (folder / "bare.py").write_text(BARE)
    with serve(folder / "bare.txt", script=folder / "bare.py") as server:
        page = browser.new_page()
        page.goto(server.url)
        image = page.locator("img").first
        image.wait_for(timeout=30_000)
        times = []
        for _ in range(15):
            before = image.get_attribute("src")
            began = time.monotonic()
            page.get_by_role("button", name="next").click()
            page.wait_for_function(
                "before => document.querySelector('img')?.src && !document.querySelector('img').src.endsWith(before)",
                arg=before,
                polling=10,
            )
            times.append(1000 * (time.monotonic() - began))
            page.wait_for_timeout(150)
        return round(statistics.median(times))


def clicks_on_train(page: Page, url: str) -> dict[str, float]:
    """Milliseconds from a click on a view of the Train page to what it shows, written by the server."""
    page.goto(f"{url}/train?view=runs")
    signs = {
        "new": page.get_by_role("button", name="Start", exact=True),
        "runs": page.get_by_role("textbox", name="Search"),
    }
    signs["runs"].wait_for(timeout=60_000)
    page.wait_for_timeout(8000)  # modules load, trainings leave their first seconds behind
    times = []
    for _ in range(16):
        for view in ("new", "runs"):
            began = time.monotonic()
            page.get_by_role("radio", name=view).click()
            signs[view].wait_for(timeout=60_000)
            times.append(1000 * (time.monotonic() - began))
            page.wait_for_timeout(300)
    return percentiles(times[4:])


def while_training(browser: Browser, folder: Path) -> dict[str, Any]:
    """The Train page's clicks without and with a training on every core, both in this run."""
    root = folder / "runs"
    small = {"data.train": 64, "data.validation": 8, "train.updates": 100_000, "train.batch": 8}
    config = changed(preset("springs-4-3-state-hri-h"), small)
    runs.create(root, "waits", config)
    with serve(folder / "train.txt", HRI_RUNS=root) as server:
        page = browser.new_page()
        idle = clicks_on_train(page, server.url)
        queueing.set_limits(root, queueing.Limits(cores(), 1, ""))
        busy = [runs.create(root, f"busy-{number}", config) for number in range(cores())]
        for one in busy:
            queueing.enqueue(root, one)
        while not all(runs.info(one).update > 2 for one in busy):
            page.wait_for_timeout(500)
        training = clicks_on_train(page, server.url)
        for one in busy:
            queueing.stop(one, patience=60.0)
    return {
        "train_click_idle_ms": idle,
        "train_click_training_ms": training,
        "trainings": len(busy),
        "train_click_ratio": round(training["median"] / idle["median"], 2),
    }


def memory(server: Server) -> int | None:
    """Resident megabytes of the server."""
    answer = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(server.process.pid)], capture_output=True, text=True, check=False
    )
    return round(int(answer.stdout) / 1024) if answer.stdout.strip() else None


def main() -> None:
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        with serve(folder / "log.txt", wait=False) as server:
            page, found = cold_start(server, browser)
            found |= steps_and_playback(page)
            found["click_ms"] = clicks(page)
            found["scene_ms"] = new_scenes(page)
            found["rss_mb"] = memory(server)
        found |= while_training(browser, folder)
        found["bare_image_rerun_ms"] = bare_rerun(browser, folder)
    bare = found["bare_image_rerun_ms"]
    timed = {"step": found["step_ms"]["median"], "click": found["click_ms"], "scene": found["scene_ms"]}
    found["ratios_to_bare_rerun"] = {what: round(ms / bare, 2) for what, ms in timed.items() if ms is not None}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

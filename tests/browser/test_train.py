"""The Train page in a real browser, with real trainings: they move, outlive browser and server, and end as asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from hri.core.presets import preset
from hri.core.settings import changed
from hri.experiments import queueing, runs
from hri.training.control import is_busy
from hri.training.loop import train
from tests.browser.driving import Pages, Server, log_of, ready, serve
from tests.synthetic import slot_rollout
from tests.training.test_loop import lines, small

SMALL = {"data.train": 8, "data.validation": 2, "train.batch": 2, "train.evaluate_every": 5}
LONG = changed(preset("springs-4-3-state-lstm"), SMALL | {"train.updates": 100_000})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root with one finished run; whatever was started below it is ended at last."""
    folder = tmp_path_factory.mktemp("train")
    for name in ("stored", "checkpoints", "runs"):
        (folder / name).mkdir()
    slot_rollout().save(folder / "stored" / "springs-4-3-slot-hri.npz")
    list(train(small(updates=9, evaluate_every=3), folder / "runs" / "done"))
    yield folder
    end_trainings(folder)


def end_trainings(folder: Path) -> None:
    """Kill whatever still trains below a root: another training waits for it."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "hri" in words and any(str(folder / "runs") in word for word in words):
            process.kill()


def folders(place: Path) -> dict[str, Path]:
    return {f"HRI_{name.upper()}": place / name for name in ("stored", "checkpoints", "runs")}


@pytest.fixture(scope="module")
def train_server(place: Path) -> Iterator[Server]:
    with serve(place / "log.txt", **folders(place)) as running:
        yield running


@pytest.fixture
def open_train(train_server: Server, pages: Pages) -> Iterator[Callable[..., Page]]:
    """``open_train("?view=…", **context options)``; errors in scripts fail the test."""
    with pages.lend() as lend:

        def open_one(query: str = "", width: int = 1400, server: Server = train_server) -> Page:
            page = lend(f"{server.url}/train{query}", width, reduced_motion="reduce")
            expect(page.get_by_text("Train a model yourself")).to_be_visible()
            return page

        yield open_one


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def badge(page: Page, state: str) -> None:
    expect(page.locator(".st-key-controls").get_by_text(state)).to_be_visible(timeout=60_000)


def points(page: Page, panel: str = "nll") -> int:
    chart = page.locator(f"[data-panel={panel}]")
    chart.wait_for(timeout=60_000)
    return int(chart.get_attribute("data-points") or 0)


def grows(page: Page) -> None:
    before = page.locator(".charts").get_attribute("data-update")
    expect(page.locator(".charts")).not_to_have_attribute("data-update", before or "", timeout=60_000)


def fill(page: Page, label: str, value: object) -> None:
    box = page.locator(f"input[aria-label='{label}']")
    box.fill(str(value))
    box.press("Enter")
    page.wait_for_timeout(300)


def test_a_small_run_from_start_to_explore_through_closed_browser_and_killed_server(
    open_train: Callable[..., Page], place: Path
) -> None:
    end_trainings(place)  # of a first try
    page = open_train("?view=new")
    fill(page, "Updates of stage 2", 100_000)
    fill(page, "Training systems", 8)
    fill(page, "Batch", 2)
    name = next(name for name in ("mine", "mine-2") if not (place / "runs" / name).exists())  # a second try has another
    fill(page, "Name of the run", name)
    press(page, "Start")
    expect(page.get_by_role("combobox", name="Run")).to_have_value(name, timeout=60_000)
    badge(page, "running")
    assert points(page) > 0
    grows(page)
    page.locator(".images[data-frame]").wait_for(timeout=90_000)  # the first validation has drawn its scene
    chart = page.locator("[data-panel=nll] svg.curves")
    chart.scroll_into_view_if_needed()  # the scene may just have pushed it below the fold, where no mouse gets
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 60)
    page.mouse.up()
    zoom = page.locator("[data-panel=nll]").get_attribute("data-zoom")
    assert zoom
    grows(page)
    assert page.locator("[data-panel=nll]").get_attribute("data-zoom") == zoom, "new numbers keep the zoom"
    page.context.close()

    folder = place / "runs" / name
    with serve(place / "second.txt", **folders(place)) as second:
        page = open_train(f"?view=watch&run={name}", server=second)
        badge(page, "running")
        grows(page)
        second.process.kill()
        second.process.wait()
    assert is_busy(folder), "it outlives a killed server"

    page = open_train(f"?view=watch&run={name}")
    badge(page, "running")
    press(page, "Pause")
    badge(page, "paused")
    press(page, "Go on")
    badge(page, "running")
    grows(page)
    press(page, "Stop")
    badge(page, "stopped")
    assert not is_busy(folder)
    press(page, "Open in Explore")
    ready(page, 60_000)
    newest = max(runs.checkpoints_of(folder))
    expect(page.get_by_role("combobox", name="Model")).to_have_value(f"{name}@{newest}")


@pytest.mark.slow
def test_the_first_starter_finds_nine_of_ten_springs_while_one_watches(open_train: Callable[..., Page]) -> None:
    """On systems that it never trains on; the graph beside the true one says so too."""
    page = open_train("?view=new")
    fill(page, "Name of the run", "first-steps")
    press(page, "Start")
    badge(page, "running")
    graphs = page.locator(".js-plotly-plot")
    expect(graphs.get_by_text("True relations")).to_be_visible(timeout=180_000)
    expect(graphs.get_by_text("of 10 right")).to_be_visible()
    expect(page.locator(".st-key-controls").get_by_text("finished")).to_be_visible(timeout=900_000)
    told = page.get_by_text(re.compile(r"Edges right: found 0\.\d\d")).first
    share = re.search(r"found (\d\.\d\d)", told.inner_text())
    assert share is not None
    assert float(share[1]) >= 0.9
    right = re.search(r"(\d+) of 10 right", graphs.first.inner_text())
    assert right is not None
    assert int(right[1]) >= 8


@pytest.mark.slow
def test_looking_back_at_a_run_and_through_its_training_in_explore(open_train: Callable[..., Page]) -> None:
    page = open_train("?view=watch&run=done")
    badge(page, "finished")
    expect(page.get_by_text("after 9 updates of stage 2")).to_be_visible()
    page.locator(".images[data-scene]").wait_for()
    newest = page.locator(".images").get_attribute("data-scene")
    strips = page.locator(".strips[data-frame]")
    expect(strips.locator(".strip").first).to_be_visible()
    drawn = strips.locator(".area").evaluate_all("(areas) => areas.map((area) => area.getAttribute('d')).join()")
    slider = page.get_by_role("slider", name="Scrub through its training")
    slider.press("Home")
    expect(page.get_by_text("after 3 updates of stage 2")).to_be_visible()
    page.locator(f".images[data-scene]:not([data-scene='{newest}'])").wait_for()
    earlier = strips.locator(".area").evaluate_all("(areas) => areas.map((area) => area.getAttribute('d')).join()")
    assert earlier != drawn, "its beliefs of an earlier moment"
    press(page, "Explore this moment")
    ready(page, 60_000)
    expect(page.get_by_role("combobox", name="Model")).to_have_value("done@3")
    before = page.locator(".images").get_attribute("data-scene")
    page.get_by_role("slider", name="Scrub through the training of done").press("ArrowRight")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("done@6")
    page.locator(f".images[data-scene]:not([data-scene='{before}'])").wait_for()


def test_the_list_of_models_tells_what_a_training_is_and_puts_it_into_either_page(
    open_train: Callable[..., Page], train_server: Server
) -> None:
    page = open_train("?view=watch&run=done")
    page.goto(f"{train_server.url}/")
    ready(page, 60_000)
    page.get_by_role("button", name="All models").click()
    row = page.locator(".choice", has_text="done@9")
    expect(row).to_contain_text("done: HRI-H")
    expect(row).to_contain_text("states; 9 updates")
    expect(row).to_contain_text(re.compile(r"edges right: found 0\.\d\d, guessing 0\.\d\d"))
    expect(page.locator(".choice[aria-pressed=true]")).to_have_count(1)
    expect(page.get_by_role("heading", name="Trainings on this machine")).to_be_visible()
    row.click()
    ready(page, 60_000)
    expect(page.locator(".choice")).to_have_count(0)
    expect(page.get_by_role("combobox", name="Model")).to_have_value("done@9")
    expect(page).to_have_url(re.compile("model=done%409|model=done@9"))

    # A comparison asks which of its boxes.
    page.goto(f"{train_server.url}/compare?first=done@6&second=done@6")
    page.get_by_role("button", name="All models").click()
    page.get_by_role("radio", name="Model B").click()
    page.locator(".choice", has_text="done@3").click()
    expect(page.get_by_role("combobox", name="Model B")).to_have_value("done@3")
    expect(page.get_by_role("combobox", name="Model A")).to_have_value("done@6")


def choose_row(page: Page, row: int) -> None:
    table = page.locator("[data-testid=stDataFrame]").first
    table.locator("canvas").first.wait_for()
    page.wait_for_timeout(700)
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 14, box["y"] + 35 * (row + 1.5))


@pytest.mark.slow
def test_runs_are_found_noted_exported_promoted_deleted_and_brought_back(
    open_train: Callable[..., Page], place: Path
) -> None:
    shutil.copytree(place / "runs" / "done", place / "runs" / "twin")
    other = json.loads((place / "runs" / "twin" / "config.json").read_text())
    other["train"]["seed"] = 5
    (place / "runs" / "twin" / "config.json").write_text(json.dumps(other))
    page = open_train("?view=runs&search=twin")
    choose_row(page, 0)
    fill(page, "Note", "a <b>note</b>")
    press(page, "Promote")
    fill(page, "Name in the list of models", "mine-promoted")
    press(page, "Add its best checkpoint")
    expect(page.get_by_text("mine-promoted is now among the models")).to_be_visible()
    assert (place / "checkpoints" / "mine-promoted.safetensors").exists()
    assert runs.read_about(place / "runs" / "twin").note == "a <b>note</b>"
    page.keyboard.press("Escape")
    with page.expect_download() as loaded:
        press(page, "Export")
    assert loaded.value.suggested_filename == "twin.zip"
    press(page, "Delete")
    expect(page.get_by_text("Deleted: twin.")).to_be_visible()
    assert not (place / "runs" / "twin").exists()
    press(page, "Undo")
    expect(page.get_by_text("Deleted: twin.")).to_be_hidden()
    assert (place / "runs" / "twin").exists()
    page = open_train("?view=runs&search=preset-that-is-not")
    expect(page.get_by_text("No run fits the search.")).to_be_visible()
    fill(page, "Search", "hri-h")
    choose_row(page, -1)  # the box in the table's head: all
    expect(page.get_by_text("Settings that differ")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.js-plotly-plot')?._fullData?.length >= 3", timeout=30_000)
    shutil.rmtree(place / "runs" / "twin")


@pytest.mark.slow
def test_what_goes_wrong_is_one_sentence_and_other_runs_are_untouched(
    open_train: Callable[..., Page], place: Path
) -> None:
    root = place / "runs"
    for left in ("nonsense", "doomed", "blocker", "contested"):  # by an earlier try
        shutil.rmtree(root / left, ignore_errors=True)
    nonsense = runs.create(root, "nonsense", LONG)
    (nonsense / "config.json").write_text('{"train": {"batch": "many"}}')
    page = open_train("?view=watch&run=nonsense")
    expect(page.get_by_text("config.train.batch must be int, not 'many'")).to_be_visible()
    runs.create(root, "doomed", LONG)
    page = open_train("?view=watch&run=doomed")
    badge(page, "not started")
    shutil.rmtree(root / "doomed")
    page.get_by_role("radio", name="new").click()
    page.get_by_role("radio", name="watch").click()
    expect(page.get_by_text("The run doomed has gone: its folder was deleted.")).to_be_visible()
    pair = first, second = open_train("?view=new"), open_train("?view=new")
    for one in pair:
        fill(one, "Name of the run", "contested")
    runs.create(root, "blocker", LONG)
    try:
        press(first, "Start")
        press(second, "Start")
        told = {page: page.get_by_text("There is a run contested already; choose another name") for page in pair}
        seen = {page: page.get_by_role("combobox", name="Run") for page in pair}
        expect(told[first].or_(seen[first]).first).to_be_visible(timeout=60_000)
        winner, loser = (second, first) if told[first].is_visible() else (first, second)
        expect(seen[winner]).to_have_value("contested", timeout=60_000)
        expect(told[loser]).to_be_visible(timeout=60_000)
    finally:
        queueing.stop(root / "contested", patience=60.0)
    assert not is_busy(root / "contested")
    assert runs.info(root / "done").state == "finished"
    for page in pair:
        assert page.locator("[data-testid=stException]").count() == 0


@pytest.mark.slow
def test_a_preset_of_the_page_has_the_terminals_losses(open_train: Callable[..., Page], place: Path) -> None:
    page = open_train("?view=new")
    for label, value in (("Updates of stage 2", 3), ("Training systems", 8), ("Batch", 2), ("Seed", 7)):
        fill(page, label, value)
    fill(page, "Name of the run", "paged")
    told = page.locator("code", has_text="python -m hri train")
    expect(told).to_contain_text(re.compile(r"--train\.seed 7"))
    press(page, "Start")
    badge(page, "finished")
    words = told_words(runs.info(place / "runs" / "paged"), place / "terminal")
    subprocess.run([sys.executable, "-m", "hri", *words], check=True, capture_output=True)
    assert lines(place / "runs" / "paged") == lines(place / "terminal")


def told_words(run: runs.RunInfo, folder: Path) -> list[str]:
    """The command of a run, in another folder."""
    assert run.config is not None
    assert (run.config.train.updates, run.config.train.seed, run.config.name) == (3, 7, "springs5-state-nri-mlp")
    return runs.command(folder, run.config)[:-1]


@pytest.mark.parametrize("width", [390, pytest.param(1400, marks=pytest.mark.slow)])
def test_nothing_is_wider_than_the_screen(open_train: Callable[..., Page], width: int) -> None:
    for view in ("watch&run=done", "new"):
        page = open_train(f"?view={view}", width=width)
        expect(page.get_by_role("button", name="Start" if view == "new" else "Open in Explore")).to_be_visible()
        page.wait_for_function(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth === main.clientWidth; }"
        )


def test_train_log_is_clean(train_server: Server) -> None:
    text = log_of(train_server)
    assert "Traceback" not in text, text
    assert "Warning" not in text, text

"""The Results page in a real browser: claims, curves, tables that open Explore, downloads, and files that are wrong."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from hri.experiments.scoreboard import MODELS, model_label
from tests import synthetic_results as made
from tests.browser.driving import Pages, Server, log_of, ready, serve
from tests.synthetic import slot_rollout, state_rollout

KNOWN = "springs-4-3-state-hri"
"""The one checkpoint of the made-up results that Explore can show here."""


@pytest.fixture(scope="module")
def results_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """The app over made-up results; the folder of these may be changed by a test, which puts it right again."""
    folder = tmp_path_factory.mktemp("results")
    for name in ("stored", "checkpoints"):
        (folder / name).mkdir()
    slot_rollout().save(folder / "stored" / "springs-4-3-slot-hri.npz")
    state_rollout().save(folder / "stored" / f"{KNOWN}.npz")
    made.write(folder / "results")
    folders = {f"HRI_{name.upper()}": folder / name for name in ("stored", "checkpoints", "results")}
    with serve(folder / "log.txt", **folders) as running:
        yield running, folder / "results"


@pytest.fixture
def open_results(results_server: tuple[Server, Path], pages: Pages) -> Iterator[Callable[..., Page]]:
    """``open_results("?setting=…", width, height, **context options)``; errors in scripts fail the test."""
    with pages.lend() as lend:

        def open_one(query: str = "", width: int = 1280, height: int = 900, **options: Any) -> Page:
            page = lend(f"{results_server[0].url}/results{query}", width, height, **options)
            expect(page.get_by_text("What is left of the paper's claims")).to_be_visible(timeout=30_000)
            return page

        yield open_one


@pytest.fixture
def changed_files(results_server: tuple[Server, Path]) -> Iterator[Path]:
    """The folder of results, which is made anew afterwards."""
    folder = results_server[1]
    yield folder
    for file in folder.iterdir():
        file.unlink()
    made.write(folder)


def chart(page: Page, key: str = "horizon") -> str:
    """JavaScript that finds a drawn chart, once it is there."""
    plot = f"document.querySelector('.st-key-{key} .js-plotly-plot')"
    page.wait_for_function(f"() => {plot}?._fullData?.length", timeout=30_000)
    return plot


def table_box(page: Page, key: str) -> dict[str, float]:
    """Where a table is on the screen, once it is there: it is drawn when it comes into view, on a canvas."""
    table = page.locator(f".st-key-{key}-table [data-testid=stDataFrame]")
    table.wait_for(timeout=30_000)
    table.scroll_into_view_if_needed()
    table.locator("canvas").first.wait_for(timeout=30_000)
    page.wait_for_timeout(500)
    return table.bounding_box()


def open_button(page: Page, key: str, row: int, rows: int) -> None:
    """Click the button in a table's row: the page fixes the widths of the columns before and of its own."""
    box = table_box(page, key)
    page.mouse.click(box["x"] + 160 + 45, box["y"] + box["height"] * (row + 1.5) / (rows + 1))
    page.wait_for_function("() => !location.pathname.includes('results')", timeout=20_000)


def test_each_claim_has_a_verdict_in_words_with_figures_and_an_explanation(open_results: Callable[..., Page]) -> None:
    page = open_results()
    for text in (
        "NRI predicts better than LSTM.",
        "HRI still leads when NRI adds its messages as HRI does.",
        "Ten states of history predict better than one.",
    ):
        expect(page.get_by_text(text)).to_be_visible()
    finding = page.locator("[data-testid=stMarkdown]", has_text="States 4-3: NRI errs 33 % less than LSTM.")
    expect(finding).to_contain_text("holds")
    expect(finding).to_contain_text("NLL (nats): NRI 14,100 ± 755 (3 runs), LSTM 20,967 ± 551 (3 runs)")
    expect(finding.get_by_role("img", name="check_circle icon")).to_be_visible()
    chart(page)  # until the last thing is drawn the page may move away from under the pointer
    finding.locator("[data-testid=stTooltipIcon]").hover()
    expect(page.get_by_text(re.compile(r"Ratio 0\.67, taken to lie in 0\.\d\d … 0\.\d\d\."))).to_be_visible()
    expect(page.get_by_text("too close to call").first).to_be_visible()


def test_curves_follow_setting_and_axis_and_the_address_carries_both(open_results: Callable[..., Page]) -> None:
    page = open_results()
    plot = chart(page)
    assert page.evaluate(f"{plot}._fullLayout.yaxis.type") == "log"
    names = page.evaluate(f"{plot}._fullData.map((trace) => trace.meta)")
    assert {"copy", "nri", "band_nri", "hri-h", "nri-lo"} <= set(names)
    page.get_by_text("Logarithmic").click()
    page.wait_for_function(f"() => {plot}?._fullLayout?.yaxis.type === 'linear'")
    page.get_by_role("button", name="Images 4-3, ParDec").or_(
        page.get_by_role("radio", name="Images 4-3, ParDec")
    ).first.click()
    page.wait_for_function(f"() => {plot}?._fullData?.every((trace) => trace.meta !== 'nri-gt')")
    expect(page.get_by_text("Error of pixels in 0 … 1")).to_be_visible()
    page.wait_for_function("() => location.search.includes('ParDec') && location.search.includes('log')")
    again = open_results(page.evaluate("location.search"))
    plot = chart(again)
    assert again.evaluate(f"{plot}._fullLayout.yaxis.type") == "linear"
    expect(again.get_by_text("Error of pixels in 0 … 1")).to_be_visible()


def test_a_row_opens_its_checkpoint_in_explore(open_results: Callable[..., Page]) -> None:
    page = open_results()
    open_button(page, "models", [name for name in MODELS if name in made.STATES].index("hri"), len(made.STATES))
    ready(page)
    expect(page.get_by_role("combobox", name="Model")).to_have_value(KNOWN)


@pytest.mark.slow
def test_a_sorted_table_still_opens_the_right_row(open_results: Callable[..., Page]) -> None:
    page = open_results()
    box = table_box(page, "models")
    page.mouse.click(box["x"] + 60, box["y"] + 16)  # by the model's name
    page.wait_for_timeout(1000)
    names = sorted(model_label(model) for model in made.STATES)
    assert names.index("HRI") != [name for name in MODELS if name in made.STATES].index("hri")
    open_button(page, "models", names.index("HRI"), len(names))
    ready(page)
    expect(page.get_by_role("combobox", name="Model")).to_have_value(KNOWN)


def test_downloads_hold_the_files_numbers(open_results: Callable[..., Page]) -> None:
    page = open_results()
    with page.expect_download() as loaded:
        page.get_by_role("button", name="JSON").click()
    assert json.loads(Path(loaded.value.path()).read_text()) == made.state_plan()
    assert loaded.value.suggested_filename == "hri-states.json"
    with page.expect_download() as loaded:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(Path(loaded.value.path()).read_text().splitlines()))
    assert {"model": "nri", "score": "nll", "mean": "14100.0", "n": "3"}.items() <= next(
        row for row in rows if row["model"] == "nri" and row["tree"] == "4-3" and row["score"] == "nll"
    ).items()


@pytest.mark.slow
def test_a_chart_is_a_figure_of_a_stated_width(open_results: Callable[..., Page]) -> None:
    page = open_results()
    lines = page.evaluate(f"{chart(page)}._fullData.filter((trace) => trace.mode?.includes('lines')).length")
    figure = page.locator(".figure").first
    figure.get_by_role("spinbutton").fill("8.5")
    files = {}
    for kind in ("SVG", "PDF"):
        with page.expect_download(timeout=30_000) as got:
            figure.get_by_role("button", name=kind, exact=True).click()
        assert got.value.suggested_filename == f"hri-error-over-horizon.{kind.lower()}"
        files[kind] = Path(got.value.path()).read_bytes()
    root = ElementTree.fromstring(files["SVG"])
    _, _, wide, high = map(float, (root.get("viewBox") or "").split())
    assert root.get("width") == "8.5cm"
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", files["PDF"])
    assert box is not None
    cm = [float(value) / 72 * 2.54 for value in box.groups()]
    assert cm == pytest.approx([8.5, 8.5 * high / wide], abs=0.01)
    drawn = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if (path.get("d") or "").count("L") > 3]
    assert len(drawn) >= lines > 0


@pytest.mark.slow
def test_scaling_is_drawn_and_its_powers_said(open_results: Callable[..., Page]) -> None:
    page = open_results()
    for key in ("scaling-time", "scaling-memory"):
        plot = chart(page, key)
        assert page.evaluate(f"{plot}._fullData.map((trace) => trace.meta)") == ["flat", "wider", "deeper"]
        assert page.evaluate(f"{plot}._fullLayout.xaxis.type") == "log"
    expect(page.get_by_text("to the power of 2.0 for flat messages (NRI)")).to_be_visible()


def test_the_command_and_what_it_trained_are_told(open_results: Callable[..., Page]) -> None:
    page = open_results()
    expect(page.locator("code", has_text="python -m hri reproduce --plan states")).to_be_visible()
    expect(page.get_by_text("2,000 updates of 32 sequences, 5,000 training systems")).to_be_visible()
    page.get_by_text("How to read NLL").click()
    expect(page.get_by_text("half the NLL is half the squared error.").last).to_be_visible()


WIDTHS = [(390, "light"), *(pytest.param(*wide, marks=pytest.mark.slow) for wide in ((1280, "dark"), (1920, "light")))]


@pytest.mark.parametrize(("width", "theme"), WIDTHS)
def test_nothing_is_wider_than_the_screen(open_results: Callable[..., Page], width: int, theme: str) -> None:
    page = open_results(width=width, color_scheme=theme)
    chart(page)
    chart(page, "scaling-memory")
    page.wait_for_function(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth === main.clientWidth; }"
    )
    assert page.get_by_text("Traceback").count() == 0


def test_damaged_files_are_one_sentence_each_and_the_rest_works(
    open_results: Callable[..., Page], changed_files: Path
) -> None:
    (changed_files / "states.json").write_text('{"runs": 3}')
    (changed_files / "scaling.json").write_text("")
    page = open_results()
    expect(page.get_by_text("states.json cannot be used (its runs are missing or of another shape)")).to_be_visible()
    expect(page.get_by_text("scaling.json cannot be used (it is damaged or no JSON)")).to_be_visible()
    expect(page.get_by_text("not run yet").first).to_be_visible()
    chart(page)
    assert page.locator("[data-testid=stException]").count() == 0


def test_without_results_the_page_says_which_command_makes_them(
    open_results: Callable[..., Page], changed_files: Path
) -> None:
    for file in changed_files.iterdir():
        file.unlink()
    page = open_results()
    expect(
        page.get_by_text("There are no results yet: python -m hri reproduce --plan states --publish")
    ).to_be_visible()
    expect(page.get_by_text("Not measured yet: python -m hri bench --scaling")).to_be_visible()


def test_hand_made_addresses_are_no_error(open_results: Callable[..., Page]) -> None:
    page = open_results("?setting=<script>alert(1)</script>&log=maybe&model=../../etc")
    chart(page)
    assert page.locator("[data-testid=stException]").count() == 0


def test_both_pages_are_in_the_navigation(open_results: Callable[..., Page]) -> None:
    page = open_results()
    page.get_by_role("link", name="Explore").first.click()
    ready(page)
    page.get_by_role("link", name="Results").first.click()
    expect(page.get_by_text("What is left of the paper's claims")).to_be_visible()


def test_results_log_is_clean(results_server: tuple[Server, Path]) -> None:
    text = log_of(results_server[0])
    assert "Traceback" not in text, text
    assert "Warning" not in text, text

"""Edits, shared addresses and files in a real browser, with a real checkpoint rolled out anew."""

from __future__ import annotations

import csv
import io
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import networkx as nx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.model import checkpoint
from hri.physics.springs import simulate
from hri.rollout import rollout
from hri.rollout.edits import Mute, SetEdge, SetLevel
from hri.rollout.interventions import Intervention
from hri.view.facts import error_curves
from tests.browser.driving import ROOT, Server, log_of, ready, settle, shown_frames
from tests.browser.test_explore import STROKES, pixels

NAME, SEED = "springs-4-3-state-hri-h", 200_050


def wanted(*edits: object) -> Rollout:
    """The rollout that the page must show."""
    model = checkpoint.load(ROOT / "checkpoints" / f"{NAME}.safetensors")
    tree = Tree.parse("4-3")
    return rollout.roll_out(model, simulate(tree, "04", [SEED]), intervention=Intervention(edits), tree=tree)  # type: ignore[arg-type]


def scene(page: Page) -> str:
    return page.locator(".images").get_attribute("data-scene") or ""


def changed(page: Page, before: str) -> None:
    """Wait for another scene in the player."""
    page.wait_for_function(
        "before => [...document.querySelectorAll('*')].map((host) => host.shadowRoot?.querySelector('.images'))"
        ".find(Boolean)?.dataset.scene !== before",
        arg=before,
        timeout=30_000,
    )


def click(page: Page, name: str) -> None:
    """Press a button of the workbench and wait for what comes of it."""
    before = scene(page)
    page.get_by_role("button", name=name, exact=True).click()
    changed(page, before)


def step_to(page: Page, frame: int) -> None:
    page.keyboard.press("Home")
    for _ in range(frame // 5):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(frame % 5):
        page.keyboard.press("ArrowRight")
    settle(page, frame)


def assert_predicts(page: Page, seen: Rollout, frame: int) -> None:
    settle(page, frame)
    assert seen.predicted_frames is not None
    assert abs(pixels(page, "prediction") - 255 * seen.predicted_frames[0, frame - 1].clip(0, 1)).max() <= 0.51


@pytest.mark.slow
def test_cutting_every_edge_is_the_rollout_of_the_command_line(visit: Callable[[str], Page], tmp_path: Path) -> None:
    page = visit(f"?model={NAME}&seed={SEED}&panel=change")
    step_to(page, 20)
    page.wait_for_timeout(600)
    click(page, "Clear")
    assert_predicts(page, wanted(SetLevel("all")), 20)  # the player keeps its frame
    expect(page.get_by_text("Clear all edges, all frames")).to_be_visible()
    page.get_by_role("radio", name="share").click()
    with page.expect_download() as got:
        page.get_by_role("button", name="NumPy").click()
    mine = Rollout.load(got.value.path())
    for command in (
        ["simulate", "--tree", "4-3", "--config", "04", "--seeds", str(SEED), "--out", str(tmp_path / "in.npz")],
        ["rollout", "--checkpoint", NAME, "--input", str(tmp_path / "in.npz"), "--edges", "none",
         "--out", str(tmp_path / "out.npz")],
    ):  # fmt: skip
        subprocess.run([sys.executable, "-m", "hri", *command], cwd=ROOT, check=True, capture_output=True)
    theirs = Rollout.load(tmp_path / "out.npz")
    for name in ("slots", "predicted_slots", "edge_logits", "edge_types"):
        assert np.array_equal(getattr(mine, name), getattr(theirs, name)), name


def test_an_edge_is_cut_from_here_on_undone_redone_and_reset(visit: Callable[[str], Page]) -> None:
    page = visit(f"?model={NAME}&seed={SEED}&panel=change&select=1-0&frame=30")
    settle(page, 30)
    expect(page.get_by_text("Intermediate 1 → root 0", exact=True)).to_be_visible()
    page.get_by_role("radio", name="from here on").click()
    expect(page.get_by_text("Here is frame 30.")).to_be_visible()
    click(page, "Cut")
    cut = SetEdge(1, 0, 0, first=29)
    expect(page.get_by_text("Cut intermediate 1 → root 0, from frame 30 on")).to_be_visible()
    assert_predicts(page, wanted(cut), 30)
    page.keyboard.press("Escape")
    assert page.evaluate(STROKES)["edge_1_0"]["dashed"], "a cut edge carries no message"

    # The original stays: as a ghost, as a second curve, and the change as picture and curve.
    ghost = page.locator(".prediction canvas.ghost")
    flat = ghost.evaluate("c => [...c.getContext('2d').getImageData(0, 0, 32, 32).data]")
    original = wanted()
    assert original.predicted_frames is not None
    assert abs(np.array(flat).reshape(32, 32, 4)[..., :3] - 255 * original.predicted_frames[0, 29]).max() <= 0.51
    expect(page.locator(".timeline .original")).to_have_count(1)
    moved = page.locator(".timeline .moved").get_attribute("points") or ""
    assert float(moved.split(",")[0]) == pytest.approx(100 * 30 / 48, abs=0.01), "nothing moves before the edit"
    assert f"{error_curves(original).model[29]:.1e}"[:3] in page.locator(".errors").inner_text()
    change = pixels(page, "error").sum()
    page.get_by_role("button", name="Error", exact=True).click()
    page.wait_for_timeout(200)
    assert pixels(page, "error").sum() != change

    page.keyboard.press("Escape")
    click(page, "Undo")
    expect(page.locator("canvas.ghost")).to_have_count(0)
    assert_predicts(page, original, 30)
    click(page, "Redo")
    # A second edit, saved, reset, loaded again, and removed one by one.
    click(page, "Fill")
    expect(page.get_by_text("Fill all edges with interaction, from frame 30 on")).to_be_visible()
    both = scene(page)
    with page.expect_download() as got:
        page.get_by_role("button", name="Save").click()
    told = json.loads(Path(got.value.path()).read_text())
    assert [edit["edit"] for edit in told["edits"]] == ["edge", "level"]
    click(page, "Reset")
    assert scene(page) != both
    page.get_by_role("button", name="Load", exact=True).click()
    for content, sentence in [
        (b"", "is empty (0 bytes)"),
        (b"\xff\xfe\x00", "it is no text file"),
        (b'{"version"', "the edits are no JSON"),
        (b'{"version": 1, "edits": [{"edit": "mute", "node": "<img src=x>"}]}', "choose a whole number"),
        (b"{" + b"9" * 400_000, "bytes long"),
    ]:
        page.locator("input[type=file]").last.set_input_files(
            {"name": f"<b>[a](x) {len(content)}.json", "mimeType": "application/json", "buffer": content}
        )
        expect(page.get_by_text(sentence)).to_be_visible(timeout=15_000)
        assert page.get_by_text("Traceback").count() == 0
    before = scene(page)
    page.locator("input[type=file]").last.set_input_files(
        {"name": "edits.json", "mimeType": "application/json", "buffer": Path(got.value.path()).read_bytes()}
    )
    changed(page, before)
    assert scene(page) == both
    page.keyboard.press("Escape")
    before = scene(page)
    page.locator(".st-key-remove-0 button").click()
    changed(page, before)
    page.locator(".st-key-remove-0 button").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


@pytest.mark.slow
def test_nodes_types_and_influence(visit: Callable[[str], Page]) -> None:
    page = visit(f"?model={NAME}&seed={SEED}&panel=change&select=5&frame=10")
    settle(page, 10)
    click(page, "Mute")
    assert_predicts(page, wanted(Mute(5)), 10)
    page.get_by_role("button", name="Nudge", exact=False).first.click()
    expect(page.get_by_text("Added to its state at frame 10; seen from frame 11 on.")).to_be_visible()
    click(page, "Nudge it")
    expect(page.get_by_text("Nudge leaf 5 at frame 10: x +0.3")).to_be_visible()
    for button, sentence in [
        ("Draw from the probabilities", "Draw types from their probabilities (draw 0), all frames"),
        ("Give the true graph", "Use the true graph, all frames"),
    ]:
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        page.get_by_role("button", name="Types").click()
        click(page, button)
        expect(page.get_by_text(sentence)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("What does each edge do?").click()
    expect(page.get_by_text("Without which edge do the predictions move furthest?")).to_be_visible(timeout=30_000)
    expect(page.locator(".st-key-influence-map .js-plotly-plot .heatmaplayer image")).to_have_count(1)


@pytest.mark.slow
def test_an_edge_is_forced_for_a_span_and_a_level_cleared_in_one_frame(visit: Callable[[str], Page]) -> None:
    page = visit(f"?model={NAME}&seed={SEED}&panel=change&select=1-0&frame=15")
    settle(page, 15)
    page.get_by_role("radio", name="span").click()
    for label, frame in (("From frame", 12), ("to frame", 18)):
        box = page.get_by_role("spinbutton", name=label, exact=True)
        box.fill(str(frame))
        box.press("Enter")
        page.wait_for_timeout(500)
    click(page, "Force interaction")
    expect(page.get_by_text("Force intermediate 1 → root 0 to interaction, frames 12 to 18")).to_be_visible()
    forced = SetEdge(1, 0, 1, first=11, last=17)
    assert_predicts(page, wanted(forced), 15)
    page.get_by_role("radio", name="this frame").click()
    click(page, "Clear")
    expect(page.get_by_text("Clear all edges, frame 15 only")).to_be_visible()
    assert_predicts(page, wanted(forced, SetLevel("all", first=14, last=14)), 15)


def test_a_shared_address_shows_the_same_picture_and_files_arrive(
    visit: Callable[[str], Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit(f"?model={NAME}&seed={SEED}&panel=share&layout=image&threshold=0.3&overlay=4&edits=1~level_up")
    step_to(page, 44)
    page.locator(".truth .stack").click(position={"x": 5, "y": 5})
    page.wait_for_timeout(900)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "frame=44" in link
    other = visit(link)
    settle(other, 44)
    assert scene(other) == scene(page)
    assert_predicts(other, wanted(SetLevel("up")), 44)
    assert (pixels(other, "prediction") == pixels(page, "prediction")).all()
    assert other.evaluate(STROKES) == page.evaluate(STROKES)
    expect(other.locator(".images")).to_have_attribute("data-level", "middle")
    # What the address bar holds is the same picture too.
    page.wait_for_timeout(500)
    assert "frame=44" in page.url

    files = {}
    expect(page.get_by_text("This frame: 44, where the player rests.")).to_be_visible()
    page.get_by_role("spinbutton", name="Figure (cm)").fill("8.5")
    page.get_by_role("spinbutton", name="Figure (cm)").press("Enter")
    for label in ("PNG", "MP4", "GIF", "Page that plays offline", "SVG", "PDF", "GraphML", "CSV", "JSON", "NumPy"):
        if label in ("MP4", "GIF"):  # the wide page first, then a square one and the pictures alone
            shape = page.get_by_role("radio", name="square" if label == "MP4" else "strip", exact=True)
            shape.click()
            expect(shape).to_be_checked()
            page.wait_for_timeout(500)
        with page.expect_download(timeout=30_000) as got:
            page.get_by_role("button", name=label, exact=True).click()
        files[Path(got.value.suggested_filename).suffix] = Path(got.value.path()).read_bytes()
        assert got.value.suggested_filename.startswith(f"{NAME}-springs-4-3-{SEED}-edited")
    seen = wanted(SetLevel("up"))
    film = iio.imread(files[".mp4"], extension=".mp4")
    assert film.shape == (48, 720, 720, 3)
    assert all(np.abs(after.astype(int) - before).max() > 24 for before, after in itertools.pairwise(film))
    assert len(iio.imread(files[".gif"], extension=".gif")) == 48
    assert iio.imread(files[".png"], extension=".png").shape[:2] == (720, 1280)
    assert b'width="8.5cm"' in files[".svg"]
    assert files[".pdf"].startswith(b"%PDF-")
    assert b"<html" in files[".html"]
    graph = nx.read_graphml(io.BytesIO(files[".graphml"]))
    assert graph.graph["frame"] == 44
    assert graph.number_of_edges() == len(seen.edge_sender_receiver)
    rows = list(csv.DictReader(io.StringIO(files[".csv"].decode())))
    assert len(rows) == seen.edge_types[0].size
    assert json.loads(files[".json"])["edits"]["edits"] == [{"edit": "level", "pairs": "up"}]
    (tmp_path / "mine.npz").write_bytes(files[".npz"])
    assert np.array_equal(Rollout.load(tmp_path / "mine.npz").predicted_slots, seen.predicted_slots)

    lines = page.locator("[data-testid=stCode] code").inner_text()
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Rollout] = {}
    exec(lines, made)  # noqa: S102
    assert np.array_equal(made["seen"].predicted_slots, seen.predicted_slots)
    assert (tmp_path / "picture.svg").read_bytes().startswith(b"<svg")


@pytest.mark.slow
def test_wrong_addresses_are_told_and_the_page_goes_on(visit: Callable[[str], Page], live: Server) -> None:
    page = visit(f"?model={NAME}&frame=999&select=3-99&edits=1~edge_900_3&layout=cube&seed=-4&threshold=nan")
    for sentence in (
        "frame '999'; this scene has frames 0 to 48.",
        "edge '3-99', which this model does not have.",
        "The edits in the address were left out: sender of the edit 'edge' is 900",
        "layout 'cube', which is not here.",
        "seed '-4'; seeds are whole numbers",
        "threshold 'nan'",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()
    page.keyboard.press("End")
    settle(page, 48)
    for query, sentence in [
        ("?model=<script>alert(1)</script>&select=<img src=x onerror=alert(1)>", "model '<script>alert(1)</script>'"),
        (f"?model={NAME}&edits=1~mute_300", "Your edits do not apply, and the scene is shown without them"),
        (f"?model={NAME}&edits=" + "1~" + "~".join(["mute_3"] * 600), "the limit is 500"),
        (f"?model={NAME}&edits=%00%ff~{{", "The edits in the address were left out"),
    ]:
        page.goto(f"{live.url}/{query}")
        ready(page)
        expect(page.get_by_text(sentence)).to_be_visible()
        assert page.get_by_text("Traceback").count() == 0
        page.keyboard.press("End")
        settle(page, 48)


def test_keyboard_sheet(visit: Callable[[str], Page]) -> None:
    page = visit(f"?model={NAME}")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard and mouse")
    expect(sheet).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    assert shown_frames(page) == [0, 0, 0], "an open sheet keeps the keys"
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Keyboard (?)").click()
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()
    names = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select')]"
        ".filter((e) => e.offsetParent && !(e.ariaLabel || e.title || e.innerText || e.labels?.length || e.id)).length"
    )
    assert names == 0, "a control without a name"


def test_log_is_clean(live: Server) -> None:
    text = log_of(live)
    assert "Traceback" not in text, text


@pytest.mark.slow
def test_an_image_model_sees_no_ball_behind_a_curtain(visit: Callable[[str], Page], tmp_path: Path) -> None:
    page = visit("?model=springs-4-3-slot-hri&panel=change&select=5&frame=20")
    settle(page, 20)
    before = scene(page)
    page.get_by_role("button", name="Curtain over it").click()
    changed(page, before)
    expect(page.get_by_text("Curtain at column", exact=False)).to_be_visible()
    settle(page, 20)
    expect(page.locator("canvas.ghost")).to_have_count(1)
    page.get_by_role("button", name="Types").click()
    expect(page.get_by_role("button", name="Give the true graph")).to_be_disabled()
    page.keyboard.press("Escape")
    # 19 MB that are no checkpoint: one sentence, and the page goes on.
    page.locator("button", has_text="Upload").first.click()
    large = tmp_path / "[mine](http:x) <b>.safetensors"
    large.write_bytes(b"\x10\0\0\0\0\0\0\0" + b"x" * 19_000_000)
    page.locator("input[type=file]").first.set_input_files(large)
    expect(page.get_by_text("was not added:")).to_be_visible(timeout=30_000)
    assert page.get_by_role("link", name="mine").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    settle(page, 48)

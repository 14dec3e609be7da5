"""The Explore page in a real browser: what is seen, not what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.core import hierarchy
from hri.core.records import Rollout
from hri.view import facts as pictures
from hri.view import graph as figures
from hri.view import style
from tests.browser.conftest import SCENES
from tests.browser.driving import Server, comes_true, log_of, ready, settle, shown_frames

LANDING = SCENES["springs-4-3-slot-hri"]

CHART = "document.querySelector('.st-key-explore-graph .js-plotly-plot')"
PATHS = "'.shapelayer path[data-index], .shapelayer-between path[data-index]'"

STROKES = f"""() => {{
    const chart = {CHART}, found = {{}};
    for (const path of chart.querySelectorAll({PATHS})) {{
        const shape = chart.layout.shapes[+path.dataset.index], style = getComputedStyle(path);
        found[shape.name] = {{
            colour: style.stroke, alpha: +style.strokeOpacity, width: parseFloat(style.strokeWidth),
            dashed: style.strokeDasharray !== 'none', model: shape.line.color,
        }};
    }}
    return found;
}}"""
"""How every edge and spring is drawn, and what Plotly's own model says of it."""

CENTRES = f"""() => {{
    const chart = {CHART}, nodes = chart._fullData.find((trace) => trace.meta === 'nodes').uid;
    return [...chart.querySelectorAll(`.trace${{nodes}} path.point`)].map((node) => {{
        const box = node.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    }});
}}"""

MIDDLE = f"""(name) => {{
    const chart = {CHART}, index = chart.layout.shapes.findIndex((shape) => shape.name === name);
    const path = [...chart.querySelectorAll({PATHS})].find((path) => +path.dataset.index === index);
    const at = path.getPointAtLength(path.getTotalLength() / 2), screen = path.getScreenCTM();
    return [at.x * screen.a + screen.e, at.y * screen.d + screen.f];
}}"""
"""Where on the screen the middle of an edge is."""


def pixels(page: Page, panel: str) -> np.ndarray:
    """What a panel's canvas holds [H, W, 3]."""
    flat = page.locator(f".{panel} canvas").first.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    )
    return np.array(flat).reshape(32, 32, 4)[..., :3]


def assert_painted(page: Page, rollout: Rollout, frame: int, pairs: str = "hierarchy", threshold: float = 0.0) -> None:
    """Every edge and spring looks as the rollout's numbers say."""
    strokes = page.evaluate(STROKES)
    rows = pictures.edge_rows(rollout, pairs)
    step = pictures.edge_step(rollout, frame)
    springs = pictures.true_springs(rollout)
    for row in rows:
        i, j = rollout.edge_sender_receiver[row]
        chances, kind = rollout.edge_probabilities[0, step, row], rollout.edge_types[0, step, row]
        width, alpha = style.edge_look(int(kind), float(chances[kind]), 1 - float(chances[0]), threshold, len(rows))
        drawn = strokes[f"edge_{i}_{j}"]
        assert drawn["alpha"] == pytest.approx(alpha, abs=0.012)
        assert drawn["width"] == pytest.approx(width, abs=0.03)
        assert drawn["dashed"] == (kind == 0)
        red, green, blue = (int(style.colour(int(kind))[k : k + 2], 16) for k in (1, 3, 5))
        assert drawn["colour"] == f"rgb({red}, {green}, {blue})"
        assert drawn["model"].startswith(f"rgba({red},{green},{blue},"), "export would show another frame"
    for name, drawn in strokes.items():
        if name.startswith("spring"):
            i, j = map(int, name.split("_")[1:])
            assert drawn["alpha"] == float(springs[frame, i, j]), name


def test_opens_on_a_moving_rollout_and_fits_one_screen(open_page: Callable[..., Page]) -> None:
    page = open_page()
    seen: set[tuple[int, ...]] = set()
    for _ in range(300):  # a cold, busy machine may take a while; it is moving that counts
        seen.add(tuple(shown_frames(page)))
        if len(seen) > 3:
            break
        page.wait_for_timeout(90)
    assert len(seen) > 3, f"nothing moves: {seen}"
    assert all(len(set(parts)) == 1 for parts in seen), f"parts out of step: {seen}"
    expect(page.get_by_role("radiogroup", name="Workbench")).to_be_in_viewport(ratio=1)
    main = "document.querySelector('[data-testid=stMain]')"  # once everything has its place
    page.wait_for_function(f"() => {main}.scrollWidth === {main}.clientWidth")


def test_reduced_motion_stands_still_where_the_free_run_begins(page: Page) -> None:
    expect(page.locator(".prediction .blank")).to_have_text("Nothing is predicted for the first frame.")
    expect(page).to_have_url(re.compile(r"[?&]frame=0(&|$)"))
    page.goto(page.url.split("?")[0])
    ready(page)
    page.wait_for_timeout(700)
    assert shown_frames(page) == [int(LANDING.last_true_input) + 2] * 3
    expect(page.locator(".prediction .blank")).to_be_hidden()
    assert "frame=" not in page.url, "where a bare address stands it stays bare"


def test_keys_step_everything_together(page: Page) -> None:
    walk = {
        "ArrowRight": 1,
        "Shift+ArrowRight": 6,
        "ArrowLeft": 5,
        "PageDown": 10,
        "PageUp": 5,
        "f": 41,
        "End": 48,
        "Home": 0,
    }
    for key, frame in (walk | {"f": 41, "End": 48, "Home": 0}).items():
        page.keyboard.press(key)
        settle(page, frame)
    page.keyboard.press("Shift+ArrowRight")
    settle(page, 5)
    assert (pixels(page, "truth") == LANDING.frames[0, 5]).all()
    assert abs(pixels(page, "prediction") - 255 * LANDING.predicted_frames[0, 4]).max() <= 0.51
    assert pixels(page, "error").sum() > 0
    slots = page.locator(".slots canvas")
    assert slots.count() == 16
    assert_painted(page, LANDING, 5)


def test_space_plays_and_pauses_whatever_was_clicked(page: Page) -> None:
    page.keyboard.press("Space")
    page.wait_for_timeout(500)
    assert shown_frames(page)[0] > 0
    expect(page.locator(".timeline")).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(page.locator(".timeline")).to_have_attribute("data-playing", "false")
    page.get_by_label("Play or pause").click()
    expect(page.locator(".timeline")).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")  # the focused button must not press itself as well
    page.wait_for_timeout(300)
    expect(page.locator(".timeline")).to_have_attribute("data-playing", "false")
    frame = shown_frames(page)[0]
    page.get_by_role("spinbutton", name="Seed").press("ArrowLeft")
    assert shown_frames(page)[0] == frame, "typing in a box must not step"


def test_scrubbing_shows_the_frame_under_the_handle(page: Page) -> None:
    plot = page.locator(".plot").bounding_box()
    page.mouse.move(plot["x"], plot["y"] + 40)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] * 30 / 48, plot["y"] + 40, steps=4)
    settle(page, 30)
    page.mouse.up()
    assert (pixels(page, "truth") == LANDING.frames[0, 30]).all()
    assert_painted(page, LANDING, 30)
    expect(page.locator(".readout")).to_have_text("frame 30 / 48")
    curves = pictures.error_curves(LANDING)
    assert f"{curves.model[29]:.1e}"[:3] in page.locator(".errors").inner_text()


def test_overlay_levels(page: Page) -> None:
    for label, marks in [("4", 4), ("1", 1), ("all", 21), ("off", 0), ("16", 16)]:
        page.get_by_role("radio", name=label, exact=True).or_(
            page.get_by_role("button", name=label, exact=True)
        ).first.click()
        expect(page.locator(".truth .mark")).to_have_count(marks)
        expect(page.locator(".prediction .mark")).to_have_count(marks)
        if marks in (4, 16):
            box, frame = page.locator(".truth .mark").first.bounding_box(), page.locator(".truth .stack").bounding_box()
            assert box["width"] == pytest.approx(frame["width"] / marks**0.5, abs=3)


def test_balls_carry_rings_where_they_are(open_page: Callable[..., Page]) -> None:
    page, rollout = open_page("?model=synthetic-state", reduced_motion="reduce"), SCENES["synthetic-state"]
    page.keyboard.press("End")
    settle(page, 48)
    for panel, source in (("truth", "truth"), ("prediction", "prediction")):
        at = pictures.node_positions(rollout, source)[48, rollout.tree.leaves]
        frame = page.locator(f".{panel} .stack").bounding_box()
        for mark, (x, y) in zip(page.locator(f".{panel} .mark").all(), at, strict=True):
            box = mark.bounding_box()
            assert box["x"] + box["width"] / 2 == pytest.approx(frame["x"] + x * frame["width"], abs=1.5)
            assert box["y"] + box["height"] / 2 == pytest.approx(frame["y"] + y * frame["height"], abs=1.5)
    assert page.locator(".strip").count() == 0


def test_all_pairs_and_four_types(open_page: Callable[..., Page]) -> None:
    page = open_page("?model=synthetic-par&pairs=all", reduced_motion="reduce")
    page.keyboard.press("End")
    settle(page, 48)
    assert_painted(page, SCENES["synthetic-par"], 48, "all")
    names = page.locator(".st-key-explore-graph .js-plotly-plot .legendtext").all_text_contents()
    assert names == ["no interaction", "type 1", "type 2", "type 3", "true spring"]


def test_threshold_hides_improbable_edges(open_page: Callable[..., Page]) -> None:
    page = open_page("?threshold=0.8", reduced_motion="reduce")
    page.keyboard.press("Shift+ArrowRight")
    settle(page, 5)
    assert_painted(page, LANDING, 5, threshold=0.8)
    slider = page.get_by_role("slider", name="Hide below p")
    slider.press("Home")
    comes_true(page, lambda: assert_painted(page, LANDING, 5))


def test_legend_hides_a_type_and_springs(page: Page) -> None:
    page.locator(".st-key-explore-graph .js-plotly-plot .legendtoggle").nth(1).click()
    kinds = LANDING.edge_types[0, 0]

    def one_type_is_hidden() -> None:
        strokes = page.evaluate(STROKES)
        for (i, j), kind in zip(LANDING.edge_sender_receiver, kinds, strict=True):
            assert (strokes[f"edge_{i}_{j}"]["alpha"] == 0) == (kind == 1)

    comes_true(page, one_type_is_hidden)


def test_layout_on_the_image_moves_with_the_balls(open_page: Callable[..., Page]) -> None:
    page, rollout = open_page("?model=synthetic-state&layout=image", reduced_motion="reduce"), SCENES["synthetic-state"]
    backgrounds = set()
    for key, frame in (("Shift+ArrowRight", 5), ("End", 48)):
        page.keyboard.press(key)
        settle(page, frame)
        picture = page.locator(".st-key-explore-graph .js-plotly-plot .imagelayer image")
        backgrounds.add(picture.get_attribute("href"))
        square = picture.bounding_box()
        at = pictures.node_positions(rollout)[frame]
        centres = page.evaluate(CENTRES)
        wanted = np.array([square["x"], square["y"]]) + at * [square["width"], square["height"]]
        assert np.abs(np.array(centres) - wanted).max() < 2
        assert_painted(page, rollout, frame)
        # Edges end near their balls: the browser's curve is Python's.
        rows = pictures.edge_rows(rollout, "hierarchy")
        figure = figures.interaction_graph(rollout.tree, rollout.edge_sender_receiver[rows], 2, "image")
        painted = figures.paint_graph(figure, rollout, rows, frame, "image")
        drawn = page.evaluate(f"() => {CHART}.layout.shapes.map((shape) => shape.path)")
        numbers = [[float(n) for n in re.findall(r"-?\d+\.\d+", path)] for path in drawn]
        expected = [[float(n) for n in re.findall(r"-?\d+\.\d+", shape.path)] for shape in painted.layout.shapes]
        assert np.abs(np.concatenate(numbers) - np.concatenate(expected)).max() < 1e-3
    assert len(backgrounds) == 2


def test_selecting_a_slot_lights_its_node_and_tells_about_it(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    frame = page.locator(".truth .stack").bounding_box()
    page.mouse.click(frame["x"] + frame["width"] * 0.9, frame["y"] + frame["height"] * 0.1)
    expect(page.get_by_text("Leaf 15").first).to_be_visible()
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    strokes = page.evaluate(STROKES)
    rows = {f"edge_{i}_{j}": 15 in (i, j) for i, j in LANDING.edge_sender_receiver}
    assert max(strokes[name]["alpha"] for name, mine in rows.items() if not mine) <= 0.12
    page.keyboard.press("Escape")
    expect(page.get_by_text("Click a slot, a node or an edge to inspect it")).to_be_visible()


def test_clicking_edges_and_nodes_selects_what_was_clicked(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    settle(page, 1)
    for i, j in [(0, 4), (5, 1), (3, 13)]:
        middle = page.evaluate(MIDDLE, f"edge_{i}_{j}")
        page.mouse.move(*middle)
        page.wait_for_timeout(150)
        page.mouse.click(*middle)
        sender, receiver = hierarchy.node_name(LANDING.tree, i).capitalize(), hierarchy.node_name(LANDING.tree, j)
        expect(page.get_by_text(f"{sender} → {receiver}.").first).to_be_visible()


@pytest.mark.slow
def test_zoom_resize_and_theme_keep_the_graph_right(page: Page) -> None:
    page.keyboard.press("Shift+ArrowRight")
    settle(page, 5)
    box = page.locator(".st-key-explore-graph .js-plotly-plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(600)
    zoomed = page.evaluate(f"() => {CHART}._fullLayout.xaxis.range")
    assert zoomed[1] - zoomed[0] < 2.2
    page.mouse.move(5, 5)
    page.keyboard.press("ArrowRight")
    settle(page, 6)
    assert_painted(page, LANDING, 6)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_timeout(900)
    assert_painted(page, LANDING, 6)
    light = page.locator(".readout").evaluate("text => getComputedStyle(text).color")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.wait_for_timeout(1200)
    dark = page.locator(".readout").evaluate("text => getComputedStyle(text).color")
    assert light != dark
    settle(page, 6)
    assert_painted(page, LANDING, 6)
    assert page.evaluate(f"() => {CHART}._fullLayout.xaxis.range") == pytest.approx(zoomed, abs=0.01)


def test_a_mismatch_is_said_and_never_a_wrong_picture(page: Page) -> None:
    page.evaluate(f"() => {{ {CHART}.layout.shapes[40].name = 'edge_0_0'; {CHART}.emit('plotly_afterplot'); }}")
    expect(page.get_by_text("cannot follow playback")).to_be_visible()
    rows = pictures.edge_rows(LANDING, "hierarchy")
    figure = figures.interaction_graph(LANDING.tree, LANDING.edge_sender_receiver[rows], 2)
    for key, frame in (("Shift+ArrowRight", 5), ("End", 48)):
        page.keyboard.press(key)
        wanted = figures.paint_graph(figure, LANDING, rows, frame)
        colours = {shape.name: shape.line.color for shape in wanted.layout.shapes}
        for _ in range(200):  # slow machines redraw slowly
            page.wait_for_timeout(100)
            names = f"() => Object.fromEntries(({CHART}?.layout?.shapes ?? []).map((s) => [s.name, s.line.color]))"
            drawn = page.evaluate(names)  # nothing while one figure follows another
            if drawn == colours:
                break
        assert drawn == colours


def test_a_phone_begins_with_what_moves_and_what_to_watch(open_page: Callable[..., Page]) -> None:
    page = open_page("", 390, 844, reduced_motion="reduce", has_touch=True, is_mobile=True)
    names = (
        ".st-key-watch > :last-child",
        ".images",
        ".timeline",
        ".st-key-explore-graph",
        ".st-key-pickers",
        ".st-key-panel",
    )
    boxes = [page.locator(name).bounding_box() for name in names]
    for upper, lower in pairwise(boxes):
        assert upper["y"] + upper["height"] <= lower["y"] + 1, "nothing covers what comes below it"
    assert max(box["x"] + box["width"] for box in boxes) <= 390
    assert boxes[2]["y"] + boxes[2]["height"] <= 700, "pictures and timeline leave room for the graph"
    expect(page.locator(".keyboard")).to_be_hidden()
    page.get_by_role("button", name="First frame", exact=True).wait_for()  # and no word of a key
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".st-key-panel").scroll_into_view_if_needed()
    expect(page.locator(".timeline")).to_be_in_viewport(ratio=1)
    # Nothing can be pointed at here: a tap on a word explains it, a tap elsewhere ends that.
    page.locator(".timeline .phase").tap()
    told = page.locator("body > .hri-told")
    expect(told).to_have_text(page.locator(".timeline .phase").get_attribute("title"))
    expect(told).to_be_in_viewport(ratio=1)
    page.touchscreen.tap(8, 8)
    expect(told).to_have_count(0)


def test_another_model_changes_every_part(page: Page) -> None:
    page.keyboard.press("End")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="synthetic-par").click()
    expect(page.locator(".strip")).to_have_count(0)
    page.wait_for_timeout(500)
    settle(page, 41)  # where its free run begins, as of the first scene
    page.keyboard.press("ArrowRight")
    settle(page, 42)
    assert (pixels(page, "truth") == SCENES["synthetic-par"].frames[0, 42]).all()
    assert_painted(page, SCENES["synthetic-par"], 42)


def test_the_name_of_the_page_leads_to_it(open_page: Callable[..., Page]) -> None:
    page = open_page("explore?model=synthetic-par", reduced_motion="reduce")
    expect(page).to_have_url(re.compile(r"/\?model=synthetic-par"))
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_dialogs_and_popovers_are_as_dark_as_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce", color_scheme="dark")
    page.get_by_role("button", name="View").click()
    for place in ("stPopoverBody", "stDialog"):
        if place == "stDialog":
            page.keyboard.press("Escape")
            page.get_by_role("button", name="All models").click()
        part = page.get_by_test_id(place)
        expect(part).to_be_visible()
        assert part.evaluate("part => getComputedStyle(part).colorScheme") == "dark"


def test_an_address_brings_back_the_view_and_a_bad_one_does_no_harm(open_page: Callable[..., Page]) -> None:
    page = open_page("?model=synthetic-par&overlay=4&layout=image", reduced_motion="reduce")
    expect(page.locator(".truth .mark")).to_have_count(4)
    expect(page.locator(".st-key-explore-graph .js-plotly-plot .imagelayer image")).to_have_count(1)
    bad = open_page(
        "?model=<script>alert(1)</script>&seed=-5&overlay=99&layout=cube&threshold=nan&pairs=", reduced_motion="reduce"
    )
    expect(bad.locator(".truth .mark")).to_have_count(16)
    assert bad.get_by_text("Traceback").count() == 0


def test_a_seed_without_a_checkpoint_is_one_sentence(page: Page) -> None:
    seed = page.get_by_role("spinbutton", name="Seed")
    seed.fill("8")
    seed.press("Enter")
    expect(page.get_by_text("has no checkpoint here, only stored scenes; choose seed 7.")).to_be_visible()
    page.get_by_role("button", name="Another scene").click()
    expect(page.get_by_text("has no checkpoint here")).to_have_count(0)


def test_bad_uploads_are_one_sentence(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Upload").click()
    for content, sentence in [
        (b"", "is empty (0 bytes)"),
        (b"\x80\x04\x95 pickled nonsense", "is a pickle"),
        (b"PK\x03\x04 a zip, as PyTorch writes", "is a pickle"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{truncated", "is damaged or no safetensors file"),
    ]:
        file = tmp_path / f"mine <b>& {len(content)}.safetensors"
        file.write_bytes(content)
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_text(f"& {len(content)}.safetensors was not added")).to_be_visible(timeout=15_000)
        expect(page.get_by_text(sentence)).to_be_visible()
    assert page.get_by_text("Traceback").count() == 0
    page.keyboard.press("Escape")
    expect(page.get_by_text("is damaged")).to_have_count(0)
    page.keyboard.press("End")
    settle(page, 48)


def test_ones_own_checkpoint_can_be_uploaded(page: Page, tmp_path: Path) -> None:
    import torch

    from hri.core.presets import preset
    from hri.model.checkpoint import Header, save
    from hri.model.model import Model

    torch.manual_seed(0)
    config = preset("springs-4-3-state-hri")
    save(tmp_path / "mine.safetensors", Model(config), Header(config=config))
    page.get_by_role("button", name="Upload").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.safetensors")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("mine (uploaded)", timeout=40_000)
    page.keyboard.press("Escape")
    expect(page.locator(".strip")).to_have_count(0, timeout=20_000)

    def at_the_end() -> None:
        page.keyboard.press("End")  # pressed again where it met a page that was still being drawn
        settle(page, 48, 3)

    comes_true(page, at_the_end, 30)


def test_server_log_is_clean(server: Server) -> None:
    text = log_of(server)
    assert "Traceback" not in text, text
    assert "Warning" not in text, text


def test_second_visit_draws_again(page: Page) -> None:
    page.reload()
    ready(page)
    page.keyboard.press("End")
    settle(page, 48)
    assert shown_frames(page) == [48, 48, 48]

"""Images, graph, matrix and lists as one: what is pointed at or chosen in any of them shows in all, filtered alike."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.core import hierarchy
from hri.view import beliefs
from hri.view import facts as pictures
from hri.view.strips import strips_data
from tests.browser.conftest import SCENES
from tests.browser.driving import settle, shown_frames
from tests.browser.test_explore import CENTRES, CHART, LANDING, MIDDLE, STROKES

LIT = f"""() => {{
    const chart = {CHART}, nodes = chart._fullData.find((trace) => trace.meta === 'nodes').uid;
    const points = [...chart.querySelectorAll(`.trace${{nodes}} path.point`)];
    return points.flatMap((node, k) => node.style.filter ? [k] : []);
}}"""
"""Nodes that glow in the graph."""

CELLS = """(root) => [...root.querySelectorAll('.cell')].map((cell) => [
    cell.dataset.pair, cell.style.fill, Number(cell.style.fillOpacity), cell.classList.contains('hidden')])"""


def cell(page: Page, i: int, j: int):
    return page.locator(f'.matrix .cell[data-pair="{i} {j}"]')


def lit_labels(page: Page) -> list[str]:
    return page.locator(".matrix .label.touched text").all_text_contents()


def test_matrix_shows_every_probability_and_fits_one_screen(open_page: Callable[..., Page]) -> None:
    rollout = SCENES["synthetic-par"]
    page = open_page("?model=synthetic-par&matrix=true", reduced_motion="reduce")
    page.locator(".matrix[data-frame]").wait_for()
    expect(page.get_by_role("radiogroup", name="Workbench")).to_be_in_viewport(ratio=1)
    for key, frame in (("Shift+ArrowRight", 5), ("End", 48)):
        page.keyboard.press(key)
        settle(page, frame)
        expect(page.locator(".matrix")).to_have_attribute("data-frame", str(frame))
        drawn = page.locator(".matrix").evaluate(CELLS)
        chances = rollout.edge_probabilities[0, frame - 1]
        assert [name for name, *_ in drawn] == [f"{i} {j}" for i, j in rollout.edge_sender_receiver]
        assert np.abs(np.array([opacity for *_, opacity, _ in drawn]) - chances[:, 1:].max(1)).max() < 0.006
        rings = page.locator(".matrix .springs").get_attribute("d").count("M")
        assert rings == pictures.true_springs(rollout)[frame].sum()
    order = page.locator(".matrix .label text").all_text_contents()[::2]
    assert order == [str(node) for node in hierarchy.in_families(rollout.tree)]


def test_pointing_and_choosing_anywhere_lights_everywhere(open_page: Callable[..., Page]) -> None:
    page = open_page("?matrix=true", reduced_motion="reduce")
    page.locator(".matrix[data-frame]").wait_for()
    page.keyboard.press("ArrowRight")
    settle(page, 1)
    # A slot of the image: its node and its row and column.
    stack = page.locator(".truth .stack").bounding_box()
    page.mouse.move(stack["x"] + stack["width"] * 0.9, stack["y"] + stack["height"] * 0.1)
    page.wait_for_function(f"() => ({LIT})().join() === '15'")
    assert lit_labels(page) == ["15", "15"]
    # A cell: its two slots in the image, its two nodes, only its edge.
    cell(page, 5, 1).hover()
    page.wait_for_function(f"() => ({LIT})().join() === '1,5'")
    expect(page.locator(".truth .mark.touched")).to_have_count(2)
    strokes = page.evaluate(STROKES)
    bright = {name for name, look in strokes.items() if name.startswith("edge") and look["alpha"] > 0.12}
    assert bright <= {"edge_5_1", "edge_1_5"}
    row = int(np.flatnonzero((LANDING.edge_sender_receiver == [5, 1]).all(1))[0])
    said = f"interaction {LANDING.edge_probabilities[0, 0, row, 1]:.2f}"
    expect(page.locator(".matrix .told")).to_contain_text("leaf 5 → intermediate 1: no interaction")
    expect(page.locator(".matrix .told")).to_contain_text(said)
    # A node and an edge of the graph.
    page.mouse.move(*page.evaluate(CENTRES)[3])
    expect(page.locator(".matrix .label.touched")).to_have_count(2)
    assert lit_labels(page) == ["3", "3"]
    page.mouse.move(5, 5)
    page.mouse.move(*page.evaluate(MIDDLE, "edge_3_13"))
    expect(page.locator(".matrix .told")).to_contain_text("intermediate 3 → leaf 13")
    # Chosen in the matrix: everybody keeps it, and it is inspected.
    cell(page, 0, 4).click()
    page.mouse.move(5, 5)
    expect(page.get_by_text("Root 0 → intermediate 4.").first).to_be_visible()
    assert page.evaluate(LIT) == [0, 4]
    expect(page.locator(".matrix .ring")).to_have_attribute("visibility", "visible")
    page.locator(".matrix .label").nth(2).click(force=True)  # the svg hears it; the second node of the order, as sender
    page.mouse.move(5, 5)
    expect(page.get_by_text("Intermediate 1").first).to_be_visible()
    assert page.evaluate(LIT) == [1]


def test_lists_name_the_strongest_edges_and_go_to_changes(page: Page) -> None:
    page.keyboard.press("Shift+ArrowRight")
    settle(page, 5)
    strongest = page.locator(".ledger section").first
    chances = 1 - LANDING.edge_probabilities[0, 4, :, 0]
    said = LANDING.edge_types[0, 4] > 0
    best = max(np.flatnonzero(said), key=lambda row: round(float(chances[row]) * 255))
    i, j = LANDING.edge_sender_receiver[best].tolist()
    name = f"{hierarchy.node_name(LANDING.tree, i)} → {hierarchy.node_name(LANDING.tree, j)}"
    expect(strongest.locator(".line").first).to_have_text(f"{name}{chances[best]:.2f}")
    strongest.locator(".line").first.click()
    page.mouse.move(5, 5)
    assert page.evaluate(LIT) == sorted([i, j])
    # Chosen, it is inspected: how often it changed its mind.
    turned = len(beliefs.flips(LANDING, int(best)))
    told = f"changed {'once' if turned == 1 else f'{turned} times'}" if turned else "never changed"
    expect(page.get_by_text(f"Its most probable type {told}")).to_be_visible()
    page.locator(".slot").nth(3).click()
    expect(page.get_by_text("Leaf 8: state by frame.")).to_be_visible()
    expect(page.get_by_text("Drawn alone, frame 5")).to_be_visible()


def test_a_change_of_mind_is_gone_to(open_page: Callable[..., Page]) -> None:
    page, rollout = open_page("?model=synthetic-par", reduced_motion="reduce"), SCENES["synthetic-par"]
    change = beliefs.changes(rollout, pictures.edge_rows(rollout, "hierarchy"))[1]
    i, j = rollout.edge_sender_receiver[change.row].tolist()
    page.locator(".ledger section").nth(1).locator(".line").nth(1).click()
    settle(page, change.frame)
    page.mouse.move(5, 5)
    page.wait_for_function(f"() => ({LIT})().join() === '{','.join(map(str, sorted([i, j])))}'")
    assert shown_frames(page) == [change.frame] * 3


@pytest.mark.slow
def test_filters_reach_graph_matrix_and_lists(open_page: Callable[..., Page]) -> None:
    page, rollout = (
        open_page("?model=synthetic-par&matrix=true&pairs=all", reduced_motion="reduce"),
        SCENES["synthetic-par"],
    )
    page.locator(".matrix[data-frame]").wait_for()
    page.get_by_role("button", name="View").click()
    page.get_by_role("button", name="siblings", exact=True).click()
    page.get_by_role("button", name="type 2", exact=True).click()
    ways = beliefs.ways(rollout.tree, rollout.edge_sender_receiver)
    shown = [way == "siblings" and kind == 2 for way, kind in zip(ways, rollout.edge_types[0, 0], strict=True)]
    page.wait_for_function(
        f"(count) => {CHART}.layout.shapes.filter((s) => s.name.startsWith('edge')"
        " && !s.line.color.endsWith(',0.000)')).length === count",
        arg=int(sum(shown)),
    )
    assert 0 < sum(shown) < 420
    assert [not hidden for *_, hidden in page.locator(".matrix").evaluate(CELLS)] == shown
    expect(page.locator(".ledger section").first.locator(".line:visible")).to_have_count(min(9, int(sum(shown))))
    # Types get the names of what they stand for, in every part.
    page.get_by_role("radio", name="aligned").or_(page.get_by_role("button", name="aligned", exact=True)).first.click()
    legend = page.locator(".st-key-explore-graph .js-plotly-plot .legendtext")
    named = beliefs.aligned_names(rollout)
    expect(legend.first).to_have_text("no spring")
    assert legend.all_text_contents()[:4] == list(named.types)
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    cell(page, 5, 1).hover(force=True)  # it is filtered out, and the matrix hears by place
    row = int(np.flatnonzero((rollout.edge_sender_receiver == [5, 1]).all(1))[0])
    expect(page.locator(".matrix .told")).to_contain_text(
        f"spring {named.rollout.edge_probabilities[0, 0, row, 1]:.2f}"
    )


@pytest.mark.slow
def test_strips_show_every_edge_over_time_sorted_and_linked(open_page: Callable[..., Page]) -> None:
    page = open_page("?panel=edges over time&matrix=true", reduced_motion="reduce")
    strips = page.locator(".strips")
    expect(strips).to_have_attribute("data-frame", "0")
    rows = pictures.edge_rows(LANDING, "hierarchy")
    told = strips_data(
        beliefs.learned_names(LANDING), rows, beliefs.aligned_names(LANDING), 0
    )  # a stored rollout without a checkpoint: no window is known
    for sort in told["sorts"][1:] + told["sorts"][:1]:  # by the tree at first
        strips.locator(f"[data-sort={sort['key']}]").click()
        order = " ".join("-".join(map(str, told["pairs"][row])) for row in sort["order"])
        expect(strips).to_have_attribute("data-order", order)
    strips.locator("[data-sort=tree]").click()
    expect(strips).to_have_attribute("data-order", " ".join(reversed(order.split())))

    # The area of a strip is the probability, frame by frame; the playback's frame is a line across.
    area = strips.locator('.strip[data-pair="5 1"] .area').get_attribute("d") or ""
    heights = [1 - float(high) for high in re.findall(r"[ML]\d+,([\d.]+)H", area)[: LANDING.slots.shape[1] - 1]]
    row = int(np.flatnonzero((LANDING.edge_sender_receiver == [5, 1]).all(1))[0])
    assert np.array(heights) == pytest.approx(LANDING.edge_probabilities[0, :-1, row, 1], abs=0.003)
    before = strips.locator(".now").get_attribute("d")
    page.keyboard.press("Shift+ArrowRight")
    settle(page, 5)
    expect(strips).to_have_attribute("data-frame", "5")
    assert strips.locator(".now").get_attribute("d") != before

    # Pointed at here, it lights in graph and matrix; chosen there, it is marked here; a click goes to its frame.
    strips.locator('.strip[data-pair="5 1"] .label').hover(force=True)
    page.wait_for_function(f"() => ({LIT})().join() === '1,5'")
    expect(page.locator(".matrix .told")).to_contain_text("leaf 5 → intermediate 1")
    expect(strips.locator(".told")).to_contain_text("leaf 5 → intermediate 1, frame 5")
    page.mouse.move(5, 5)
    cell(page, 0, 4).click()
    expect(strips.locator(".ring")).to_have_attribute("visibility", "visible")
    expect(strips.locator(".strip.touched")).to_have_attribute("data-pair", "0 4")
    label = strips.locator('.strip[data-pair="5 1"] .label')
    label.scroll_into_view_if_needed()
    box = label.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] + 30, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "() => { const { selected, frame } = hriClocks.get('explore'); return selected?.sender === 5 && frame > 5; }"
    )
    strips.locator(".all").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => hriClocks.get('explore').selected?.receiver !== 1")

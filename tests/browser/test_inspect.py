"""The inspector, marks of edits, widths of influence and the phases of a step, with real checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.model import checkpoint
from hri.model.receptive import receptive_fields
from hri.rollout import influence, phases
from hri.rollout.edits import SetEdge
from hri.view import influence_chart as figures_influence
from hri.view import phase_chart as figures_phases
from tests.browser.driving import ROOT, settle
from tests.browser.test_changes import NAME, SEED, wanted
from tests.browser.test_explore import CHART, STROKES
from tests.browser.test_linked import LIT

MARKS = f"""() => {{
    const chart = {CHART};
    return ["cuts", "forces"].map((meta) => {{
        const trace = chart._fullData.find((each) => each.meta === meta).uid;
        const marks = [...chart.querySelectorAll(`.trace${{trace}} path.point`)];
        return marks.flatMap((mark, k) => +mark.style.opacity ? [k] : []);
    }});
}}"""
"""Rows of the shown edges that are marked as cut, and as forced."""


FOCUSED = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return (at.ariaLabel || (at.className === "" ? at.title : "") || at.innerText || at.title || at.id).trim();
}"""
"""Name of what the keyboard is at."""


def shown_edges(page: Page) -> set[str]:
    return {name for name, look in page.evaluate(STROKES).items() if name.startswith("edge") and look["alpha"] > 0}


def test_a_slot_shows_what_it_sees_draws_and_belongs_to(visit: Callable[[str], Page]) -> None:
    page = visit("?model=springs-4-3-slot-hri&select=3&frame=20&pairs=hierarchy")
    config = checkpoint.read_header(ROOT / "checkpoints" / "springs-4-3-slot-hri.safetensors").config
    assert config.model.vision is not None
    fields = receptive_fields(config.model.vision, config.data.render)
    expect(page.get_by_text("Sees 16 × 24 pixels")).to_be_visible()
    expect(page.get_by_text("Its 4 leaves drawn, frame 20")).to_be_visible()
    outline = page.locator(".truth .mark.field")
    box = [float(outline.get_attribute(name) or "nan") for name in ("x", "y", "width", "height")]
    left, top, right, bottom = 100 * fields[3]
    assert box == pytest.approx([left, top, right - left, bottom - top])
    expect(page.locator(".prediction .mark.field")).to_have_count(0)

    # Keys reach everything from left to right and from top to bottom, each thing with a name.
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if "Only intermediate 3" in reached[-1] or "press again for all" in reached[-1]:
            break
    stops = ["Model", "Seed", "Another scene", "16", "Select leaf 5", "radial", "hierarchy", "First frame (Home)",
             "Frame", "inspect", "Select Root 0", "Select Leaf 13"]  # fmt: skip
    places = [next(k for k, name in enumerate(reached) if name.endswith(stop)) for stop in stops]
    assert places == sorted(places), reached
    assert all(reached), "something without a name"

    # Its family alone, in the graph; and all again.
    every = shown_edges(page)
    family = {0, 3, 13, 14, 15, 16}
    page.get_by_role("button", name="Only intermediate 3 and its family").click()
    page.wait_for_function(
        f"(all) => Object.values(({STROKES})()).filter((look) => look.alpha > 0).length < all", arg=len(every)
    )
    inside = {name for name in every if set(map(int, name.split("_")[1:])) <= family}
    assert shown_edges(page) == inside
    expect(page.get_by_text("Only intermediate 3 and its family").locator("visible=true")).to_have_count(2)
    page.get_by_role("button", name="Show all").click()
    page.wait_for_timeout(300)
    assert shown_edges(page) == every

    # Buttons lead to parent and children, and pointing at one already lights it.
    page.get_by_role("button", name="Leaf 14", exact=True).hover()
    page.wait_for_function(f"() => ({LIT})().join() === '14'")
    page.get_by_role("button", name="Leaf 14", exact=True).click()
    expect(page.get_by_text("Leaf 14: state by frame.")).to_be_visible()
    expect(page.get_by_text("Sees 8 × 8 pixels")).to_be_visible()
    expect(page.get_by_text("Drawn alone, frame 20")).to_be_visible()
    page.mouse.move(5, 5)
    assert page.evaluate(LIT) == [14]
    page.get_by_role("button", name="Intermediate 3", exact=True).click()
    expect(page.get_by_text("Intermediate 3: state by frame.")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("Its 4 leaves drawn, frame 25")).to_be_visible()


@pytest.mark.slow
def test_edits_are_marked_influence_widens_and_a_step_opens(visit: Callable[[str], Page]) -> None:
    cut, forced = SetEdge(1, 6, 0, 10, 29), SetEdge(6, 1, 1)
    page = visit(f"?model={NAME}&seed={SEED}&layout=image&select=1-6&frame=20&edits=1~edge_1_6_0_10_29~edge_6_1_1")
    seen = wanted(cut, forced)
    pairs = [tuple(pair) for pair in seen.edge_sender_receiver.tolist() if seen.tree.possible[pair[0], pair[1]]]
    page.wait_for_function(f"() => ({MARKS})().flat().length === 2")
    assert page.evaluate(MARKS) == [[pairs.index((1, 6))], [pairs.index((6, 1))]]
    expect(page.get_by_text("✕ cut, ★ forced by your edits")).to_be_visible()
    expect(page.get_by_text("Computed by the model now")).to_be_visible()  # not the stored rollout any more
    page.keyboard.press("Home")
    settle(page, 0)
    assert page.evaluate(MARKS) == [[], [pairs.index((6, 1))]], "before the edit nothing is cut"

    # The edge over time: its types, the truth, the edit, and both parts of the rollout by name.
    chart = page.locator("[class*='st-key-edge-timeline-'] .js-plotly-plot")
    expect(chart.locator(".annotation-text")).to_have_text(["burn-in", "free run"], timeout=15_000)
    legend = chart.locator(".legendtext").all_text_contents()
    assert {"no interaction", "interaction", "your edit"} <= set(legend)
    page.get_by_role("button", name="Leaf 6 → intermediate 1", exact=True).click()
    expect(page.get_by_text("Leaf 6 → intermediate 1.").first).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.move(5, 5)

    # Influence as widths: in the order that the library finds, and gone when it is switched off.
    page.keyboard.press("End")
    settle(page, 48)
    usual = page.evaluate(STROKES)
    page.get_by_role("radio", name="change", exact=True).click()
    page.get_by_text("What does each edge do?").click()
    page.get_by_text("As widths in the graph").click(timeout=30_000)
    expect(page.get_by_text("Widths: influence, not probability")).to_be_visible()
    model = checkpoint.load(ROOT / "checkpoints" / f"{NAME}.safetensors")
    found = influence.influence(model, seen)
    shares = dict(zip(map(tuple, found.edge_sender_receiver.tolist()), figures_influence.shares(found), strict=True))
    widths = page.evaluate(STROKES)
    spoken = [pair for pair in pairs if not widths["edge_{}_{}".format(*pair)]["dashed"]]
    drawn = np.array([widths["edge_{}_{}".format(*pair)]["width"] for pair in spoken])
    assert drawn == pytest.approx([0.8 + 7.2 * shares[pair] for pair in spoken], abs=0.02)
    assert drawn.max() == pytest.approx(8, abs=0.01)
    page.get_by_text("As widths in the graph").click()
    expect(page.get_by_text("Widths: influence, not probability")).to_be_hidden()
    assert page.evaluate(STROKES) == usual

    # Inside the step that predicts the frame at which the player rests.
    page.get_by_role("radio", name="inside a step").click()
    expect(page.get_by_text("How frame 48 is predicted from frame 47")).to_be_visible()
    opened = phases.phases(model, seen, 47)
    labels = page.get_by_role("radiogroup", name="Phase").locator("label")
    expect(labels).to_have_text([f"{number}. {title}" for number, title in enumerate(opened.titles, 1)])
    drawn_edges = page.locator(".st-key-phase-graph .js-plotly-plot .shapelayer path[data-index]")
    for phase in range(len(opened.titles)):
        labels.nth(phase).click()
        expect(page.get_by_text(figures_phases.in_words(opened, seen, phase))).to_be_visible()
        expect(drawn_edges).to_have_count(int(((opened.phase == phase) & (opened.type > 0)).sum()))
    page.get_by_role("button", name="One frame back (←)").click()
    expect(page.get_by_text("How frame 47 is predicted from frame 46")).to_be_visible()
    # Opened by an address it begins with the first phase in which an edge of that frame speaks.
    begins = page.context.new_page()
    begins.goto(re.sub(r"panel=[^&]*", "panel=inside a step", page.url).replace("frame=47", "frame=48"))
    expect(begins.get_by_text("How frame 48 is predicted from frame 47")).to_be_visible(timeout=60_000)
    first = int(opened.phase[opened.type > 0].min())
    expect(begins.get_by_role("radio", name=re.compile(f"^{first + 1}\\."))).to_be_checked()
    expect(begins.get_by_text(figures_phases.in_words(opened, seen, first))).to_be_visible()
    begins.close()
    assert page.get_by_text("Traceback").count() == 0

    # On a phone every choice of when lies inside the page.
    page.get_by_role("radio", name="change", exact=True).click()
    page.set_viewport_size({"width": 390, "height": 844})
    span = page.locator(".st-key-when [role=radiogroup] > *").last
    expect(span).to_be_visible()
    page.wait_for_function("(choice) => choice.getBoundingClientRect().right <= 390", arg=span.element_handle())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

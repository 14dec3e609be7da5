"""The Compare page in a real browser, with real checkpoints: one clock, fair numbers, shares, a link with all of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.core.records import Rollout
from hri.model import checkpoint
from hri.rollout.composition import compositionality, slot_effects
from hri.scores.compare import apart, compare
from hri.view import facts as pictures
from hri.view import style
from tests.browser.driving import ROOT

SLOT, PAR, NRI, LSTM = (f"springs-4-3-{name}" for name in ("slot-hri-h", "par-hri-h", "slot-nri", "slot-lstm"))
STATE = "springs-4-3-state-hri"

PARTS = """() => {
    const inside = [...document.querySelectorAll('*')].flatMap((host) => host.shadowRoot
        ? [...host.shadowRoot.querySelectorAll('.images, .timeline, .shares')] : []);
    const charts = [...document.querySelectorAll('[class*=st-key-compare-graph-] .js-plotly-plot')];
    return [...inside, ...charts].map((part) => Number(part.dataset.frame ?? -1));
}"""
"""The frame that each part says it has drawn."""

EDGES = """(column) => {
    const chart = document.querySelector(`.st-key-compare-graph-${column} .js-plotly-plot`), found = {};
    for (const path of chart.querySelectorAll('.shapelayer path[data-index], .shapelayer-between path[data-index]'))
        found[chart.layout.shapes[+path.dataset.index].name] = Number(getComputedStyle(path).strokeOpacity);
    return found;
}"""
"""How opaque each edge of a column's graph is."""


@pytest.fixture(scope="module")
def stored() -> dict[str, Rollout]:
    return {
        name: Rollout.load(ROOT / "assets" / "stored" / f"{name}.npz").scene(0)
        for name in (SLOT, PAR, NRI, LSTM, STATE)
    }


def settle(page: Page, frame: int, parts: int) -> None:
    """Wait until so many parts are there and all show one frame."""
    for _ in range(600):
        shown = page.evaluate(PARTS)
        if shown == [frame] * parts:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{parts} parts should show frame {frame}; they show {shown}")


def canvas(page: Page, place: str) -> np.ndarray:
    flat = page.locator(f"{place} canvas").first.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    )
    return np.array(flat).reshape(32, 32, 4)[..., :3]


def heat(difference: np.ndarray) -> np.ndarray:
    """The colours in which the player shows differences in 0 ... 1."""
    stops = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)])
    at = np.sqrt(np.round(difference * 255) / 255) * 4
    return np.stack([np.interp(at, np.arange(5), stops[:, channel]) for channel in range(3)], -1)


def images(column: int) -> str:
    return f".st-key-compare-images-{column}"


def metrics(page: Page, column: int) -> list[str]:
    values = page.locator(f".st-key-compare-numbers-{column} [data-testid=stMetricValue]")
    return [re.sub(r"\s+", " ", text.strip()) for text in values.all_inner_texts()]


def assert_shown(page: Page, rollouts: list[Rollout], frame: int) -> None:
    """Every column holds its own model's prediction and graph of the frame."""
    for column, rollout in enumerate(rollouts):
        assert rollout.predicted_frames is not None
        wanted = 255 * rollout.predicted_frames[0, frame - 1].astype(np.float32).clip(0, 1)
        off = np.abs(canvas(page, f"{images(column)} .prediction") - wanted).max()
        assert off <= 0.7  # rounded from half precision
        rows, drawn = pictures.edge_rows(rollout, "hierarchy"), page.evaluate(EDGES, column)
        assert sum(name.startswith("edge") for name in drawn) == len(rows)
        for row in rows:
            chances, kind = rollout.edge_probabilities[0, frame - 1, row], int(rollout.edge_types[0, frame - 1, row])
            _, alpha = style.edge_look(kind, float(chances[kind]), 1 - float(chances[0]), 0.0, len(rows))
            name = "edge_{}_{}".format(*rollout.edge_sender_receiver[row])
            assert drawn[name] == pytest.approx(alpha, abs=0.012)


def test_two_models_in_step_their_numbers_and_shares(visit: Callable[..., Page], stored: dict[str, Rollout]) -> None:
    page, both = visit(f"compare?first={SLOT}&second={PAR}", wait=False), [stored[SLOT], stored[PAR]]
    # The shared pictures, two columns, two strips, two graphs, the timeline; without motion where the free run begins.
    settle(page, 41, 8)
    for key, frame in (("End", 48), ("PageUp", 43), ("ArrowLeft", 42), ("Home", 0), ("f", 41)):
        page.keyboard.press(key)
        settle(page, frame, 8)
    assert_shown(page, both, 41)
    far = apart(both)[40]
    assert np.abs(canvas(page, ".apart") - heat(far)).max() <= 12  # half a level of difference, steep near black
    # Errors over one timeline, in the burn-in and after it.
    together = compare(both)
    for letter, one, other in zip("AB", together.errors[:, 40], page.locator(".errors .one").all(), strict=True):
        said = other.inner_text()
        assert said.startswith(letter)
        digits, power = f"{one:.1e}".split("e")
        assert f"{digits}·10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}" in said
    expect(page.locator(".plot polyline.curve")).to_have_count(2)
    gained = together.burn_in[1] / together.burn_in[0] - 1
    assert metrics(page, 0)[0] == f"{together.burn_in[0] * 1e3:.1f}·10⁻³"
    assert metrics(page, 1)[0].endswith(f"{gained:+.0%}")
    # Each slot's share of the picture, and how far pictures are made of their slots.
    for column, rollout in enumerate(both):
        model = checkpoint.load(ROOT / "checkpoints" / f"{rollout.checkpoint}.safetensors")
        effects = slot_effects(model, rollout)
        strip = page.locator(f".st-key-compare-shares-{column}")
        best = int(effects.shares[40].argmax())
        told = re.fullmatch(r"most: leaf (\d+), (\d+) %", strip.locator(".note").inner_text())
        assert told is not None
        assert int(told[1]) == 5 + best
        assert int(told[2]) == pytest.approx(100 * effects.shares[40, best], abs=0.6)
        bars = strip.locator(".bar i").evaluate_all("(bars) => bars.map((bar) => parseFloat(bar.style.height))")
        shares = effects.shares[40]
        assert np.array(bars) / max(bars) == pytest.approx(shares / shares.max(), abs=0.01)
        assert metrics(page, column)[3] == f"{compositionality(effects).score:.2f}"
    # A slot pointed at in one column lights up in all; what is selected travels in the link.
    page.locator(f"{images(0)} .prediction .stack").click(position={"x": 5, "y": 5})
    for column in (0, 1):
        expect(page.locator(f"{images(column)} .prediction .mark.touched")).to_have_count(1)
    expect(page.get_by_text("Leaf 5", exact=True)).to_have_count(2)
    page.get_by_role("radio", name="all", exact=True).first.click()
    page.locator(".images[data-level=all]").first.wait_for()
    expect(page).to_have_url(re.compile("overlay=all"))
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    for told in ("frame=41", "select=5", f"first={SLOT}", f"second={PAR}", "seed=200042", "overlay=all"):
        assert told in link
    # A fresh browser shows the same.
    other = visit(link, wait=False)
    settle(other, 41, 8)
    assert (canvas(other, ".apart") == canvas(page, ".apart")).all()
    expect(other.locator(".images[data-level=all]")).to_have_count(3)
    expect(other.locator(f"{images(1)} .prediction .mark.touched")).to_have_count(1)
    # On a phone both predictions stand side by side.
    other.set_viewport_size({"width": 390, "height": 844})
    other.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth === 390")
    one, two = (other.locator(f"{images(column)} .prediction .stack").bounding_box() for column in (0, 1))
    assert one is not None
    assert two is not None
    assert one["y"] == pytest.approx(two["y"], abs=1)
    assert 150 <= one["width"] <= two["x"] - one["x"]


def choose(page: Page, label: str, name: str) -> None:
    """In a long list only what is in sight is there to be clicked: type its name first."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(name)
    page.get_by_role("option", name=name, exact=True).click()


@pytest.mark.slow
def test_four_models_state_models_and_the_way_to_explore(
    visit: Callable[..., Page], stored: dict[str, Rollout]
) -> None:
    page = visit(f"compare?models=4&frame=12&first={SLOT}&second={NRI}&third={LSTM}&fourth={PAR}", wait=False)
    four = [stored[name] for name in (SLOT, NRI, LSTM, PAR)]
    settle(page, 12, 14)
    assert_shown(page, four, 12)
    expect(page.get_by_text("passes no messages")).to_have_count(1)
    assert [metrics(page, column)[2] for column in range(4)][2] == "none"
    expect(page.locator(".plot polyline.curve")).to_have_count(4)
    # Fewer models, and another in place of one: the frame stays.
    page.get_by_role("radio", name="2", exact=True).click()
    settle(page, 12, 8)
    choose(page, "Model B", STATE)
    settle(page, 12, 7)
    expect(page.get_by_text(f"Not a race: {STATE} is given exact positions")).to_be_visible()
    assert "%" not in metrics(page, 1)[0]
    assert_shown(page, [stored[SLOT], stored[STATE]], 12)
    # Ball 5 is not slot 5: neither lights the other.
    page.locator(f"{images(0)} .prediction .stack").click(position={"x": 5, "y": 5})
    expect(page.locator(f"{images(0)} .prediction .mark.touched")).to_have_count(1)
    expect(page.locator(f"{images(1)} .prediction .mark.touched")).to_have_count(0)
    expect(page.get_by_text("B has other nodes: balls and slots cannot be matched.")).to_be_visible()
    page.keyboard.press("ArrowRight")
    settle(page, 13, 7)
    page.get_by_role("link", name="Open in Explore").first.click()
    page.locator(".images[data-frame='13']").wait_for(timeout=30_000)
    assert (canvas(page, ".prediction") - 255 * four[0].predicted_frames[0, 12].clip(0, 1)).max() <= 0.7  # type: ignore[index]


@pytest.mark.slow
def test_wrong_addresses_and_scenes_are_sentences_on_a_usable_page(open_page: Callable[..., Page]) -> None:
    page = open_page(
        "compare?first=<script>&frame=999&models=7&second=synthetic-par", wait=False, reduced_motion="reduce"
    )
    expect(page.get_by_text("The address asks for Model A '<script>', which is not here.")).to_be_visible()
    expect(page.get_by_text("The address asks for models '7', which is not here.")).to_be_visible()
    expect(page.get_by_text("synthetic-par has no checkpoint here, only stored scenes; choose seed 9.")).to_be_visible()
    choose(page, "Model B", "synthetic-state")
    settle(page, 41, 7)
    expect(page.get_by_text("frames 0 to 48")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    main = "document.querySelector('[data-testid=stMain]')"
    page.wait_for_function(f"() => {main}.scrollWidth === {main}.clientWidth")
    expect(page.locator(".timeline")).to_be_in_viewport(ratio=1)

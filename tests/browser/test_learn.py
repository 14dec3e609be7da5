"""The Learn page in a real browser over the committed checkpoints: every lesson is done, and says what is true."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.learn import course, game
from app.learn.lessons import LESSONS, lesson_of
from app.learn.lessons import beliefs as of_beliefs
from app.learn.lessons import chance as of_chance
from app.learn.lessons import hierarchy as of_hierarchy
from app.learn.lessons import parts as of_parts
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.experiments import scoreboard
from hri.model.checkpoint import load
from hri.physics.springs import simulate
from tests.browser.driving import ROOT, Pages, Server, log_of, serve

SEED = course.SCENE
SLOW = 60_000


@pytest.fixture(scope="module")
def learn_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("learn") / "log.txt") as running:
        yield running
        assert "Traceback" not in log_of(running)


@pytest.fixture
def learn(learn_server: Server, pages: Pages) -> Iterator[Callable[[str], Page]]:
    """``learn("?view=game")``: the page in a window that shows all of it; errors in scripts fail the test."""
    with pages.lend() as lend:

        def open_one(query: str) -> Page:
            return lend(f"{learn_server.url}/learn{query}", height=1500, reduced_motion="reduce")

        yield open_one


def statement(page: Page) -> Locator:
    return page.locator(".st-key-lesson-statement")


def said(page: Page, sentence: str) -> None:
    """Wait until the page states exactly this."""
    expect(statement(page).get_by_test_id("stMarkdownContainer").last).to_have_text(sentence, timeout=SLOW)


def go(page: Page, key: str) -> None:
    choose(page, key)
    expect(page.get_by_role("heading", name=lesson_of(key).title)).to_be_visible(timeout=SLOW)


def arena(page: Page, key: str) -> Locator:
    """The playground of a lesson, not the one of the lesson before that may still stand there."""
    return page.locator(f".arena[data-scene^='{key}']")


def stored(name: str) -> Rollout:
    return Rollout.load(Path(ROOT) / "assets" / "stored" / f"{name}.npz").scene(0)


@pytest.mark.slow
def test_every_lesson_is_done_and_says_what_is_true(learn: Callable[[str], Page]) -> None:
    page = learn("")
    statement(page).wait_for(timeout=SLOW)
    springs(page)
    page.get_by_role("button", name="Next: Why parts and wholes?").click()
    parts(page)
    for key, act in (
        ("slots", slots),
        ("decoders", decoders),
        ("beliefs", beliefs),
        ("chance", chance),
        ("messages", messages),
        ("future", future),
        ("cutting", cutting),
        ("hierarchy", hierarchy),
        ("limits", limits),
    ):
        go(page, key)
        act(page)
    expect(page.get_by_text(f"{len(LESSONS)} of {len(LESSONS)} lessons done")).to_be_visible()
    assert "lesson=" in page.url


def springs(page: Page) -> None:
    """Drag a ball, cut a spring: the statement is about the spring that was cut."""
    balls = arena(page, "springs").locator(".ball")
    expect(balls).to_have_count(5)
    before = statement(page).inner_text()
    box = balls.nth(2).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] - 60, steps=3)
    page.mouse.up()
    expect(statement(page)).not_to_have_text(before, timeout=SLOW)
    expect(balls.nth(2)).not_to_have_attribute("transform", re.compile(r"^translate\(\s*$"))
    page.locator(".chip", has_text="1 – 4").click()
    expect(statement(page)).to_contain_text("Balls 1 and 4 are", timeout=SLOW)
    expect(page.locator(".chip", has_text="1 – 4")).to_have_attribute("aria-pressed", "false")
    page.get_by_text("Mathematics").click()
    expect(page.locator(".st-key-lesson-mathematics .katex").first).to_be_visible(timeout=SLOW)
    page.get_by_text("Mathematics").click()
    page.get_by_text("The code that just ran").click()
    code = page.get_by_test_id("stCode").first
    expect(code).to_contain_text("from app.learn.lessons.springs import apart")
    expect(code).to_contain_text("(1, 4)")
    expect(page.locator("a[href*='system=1~1-3~04']", has_text="The same in Explore")).to_have_count(1)
    page.get_by_role("button", name="Put everything back").click()
    said(page, before.removeprefix("calculate").strip())


def parts(page: Page) -> None:
    """Groups by chance are drawn around other middles; the statement compares both."""
    expect(page.get_by_role("heading", name="Why parts and wholes?")).to_be_visible(timeout=SLOW)
    tree = Tree.parse("4-3")
    said(page, of_parts.family_shares(simulate(tree, "04", [SEED]), tree).says())
    hearts = arena(page, "parts").locator(".heart")
    expect(hearts).to_have_count(4)
    # Drawn empty first, put in its place with the first picture of the film.
    expect(hearts.first).to_have_attribute("transform", re.compile(r"^translate\(-?\d"), timeout=SLOW)
    before = hearts.first.get_attribute("transform")
    choose(page, "by chance")
    expect(hearts.first).not_to_have_attribute("transform", before, timeout=SLOW)


def beliefs(page: Page) -> None:
    """Frames come in; the statement follows."""
    found = of_beliefs.beliefs(stored(course.STATE_MODEL))
    said(page, found.says(0))
    slider = page.get_by_role("slider", name="Frames seen")
    for _ in range(6):
        slider.press("ArrowRight")
    said(page, found.says(6))


def choose(page: Page, name: str) -> None:
    named = {"name": name, "exact": True}
    option = page.get_by_role("radio", **named).or_(page.get_by_role("button", **named)).first
    for _ in range(3):  # a click may meet a page that is still being put together
        option.click()
        with suppress(AssertionError):
            expect(option).to_have_attribute("aria-checked", "true", timeout=10_000)
            return
    raise AssertionError(f"{name} was not chosen")


def slots(page: Page) -> None:
    """A ball over the border: SlotDec's slots notice in their own cells, ParDec's elsewhere too."""
    said(page, "The picture has not changed, so no slot has.")
    for _ in range(8):  # whoever cannot drag moves a ball with the keys
        arena(page, "slots").locator(".ball").nth(1).press("ArrowRight")
    expect(statement(page)).to_contain_text("the encoder of SlotDec: none of them from another cell.", timeout=SLOW)
    choose(page, "ParDec")
    expect(statement(page)).to_contain_text("of them from cells that stayed the same.", timeout=SLOW)


def decoders(page: Page) -> None:
    """A cell is clicked, its slot is muted, both pictures say where they change."""
    arena(page, "decoders").locator(".cell").nth(5).click()
    expect(statement(page)).to_contain_text("Without slot 10,", timeout=SLOW)
    expect(arena(page, "decoders").locator(".cell").nth(5)).to_have_class(re.compile("chosen"))
    for name in ("SlotDec", "ParDec"):
        expect(page.get_by_text(f"{name}: all slots, without slot 10, what changed")).to_be_visible(timeout=SLOW)


def chance(page: Page) -> None:
    said(page, of_chance.draws(0.7, 0.5).says())
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    said(page, of_chance.draws(0.7, 1.0).says())


def messages(page: Page) -> None:
    """Every phase in turn; at the end all have heard."""
    expect(statement(page)).to_contain_text("News of ball 7 has reached 1 of 16 other balls", timeout=SLOW)
    page.get_by_text("5. intermediate → leaf").click()
    expect(statement(page)).to_contain_text("after phase 5", timeout=SLOW)


def future(page: Page) -> None:
    before = statement(page).inner_text()
    page.get_by_role("slider", name="True frames seen").press("ArrowLeft")
    expect(statement(page)).not_to_have_text(before, timeout=SLOW)
    expect(page.get_by_text("After frame 33 the model is on its own.")).to_be_visible(timeout=SLOW)


def cutting(page: Page) -> None:
    """Another edge is cut; the way to Explore carries the cut."""
    expect(statement(page)).to_contain_text("rank 1 of 56", timeout=SLOW)
    page.get_by_role("combobox").fill("intermediate 4 → leaf 16")
    page.get_by_role("option", name="intermediate 4 → leaf 16").click()
    expect(statement(page)).to_contain_text("The edge intermediate 4 → leaf 16 speaks", timeout=SLOW)
    expect(page.locator("a[href*='edits=']", has_text="The same in Explore")).to_have_count(1)


def hierarchy(page: Page) -> None:
    rivals = {"HRI": "hri-h-equal", "NRI": "nri", "LSTM": "lstm"}
    rolled = [stored(f"springs-4-3-state-{name}") for name in rivals.values()]
    said(page, of_hierarchy.contest(rolled, tuple(rivals)).says())
    crosses = arena(page, "hierarchy").locator(".heart")
    expect(crosses).to_have_count(12)
    choose(page, "LSTM")
    for sentence in of_hierarchy.verdicts(scoreboard.read(Path(ROOT) / "assets" / "results")):
        expect(page.get_by_text(sentence)).to_be_visible(timeout=SLOW)


def limits(page: Page) -> None:
    for name, words in (
        ("curtain", "behind the curtain"),
        ("another tree", "on a 3-3 system"),
        ("a long run", "over 39"),
    ):
        choose(page, name)
        expect(statement(page)).to_contain_text(words, timeout=SLOW)
    expect(arena(page, "limits").locator("canvas")).to_have_count(2)


@pytest.mark.slow
def test_the_game_is_played_to_its_end_and_its_score_is_right(learn: Callable[[str], Page]) -> None:
    """A script marks two pairs in each of the first rounds, then none; both totals are counted again."""
    number = 5
    page = learn(f"?view=game&game={number}&result=4-1.0")
    shared = game.GameResult.parse("4-1.0")
    expect(page.get_by_text(f"{shared.points} points in 2 rounds of game 4")).to_be_visible(timeout=SLOW)
    marks = []
    for asked in game.rounds(number):
        expect(page.get_by_role("heading", name=f"Round {asked.number} of 10")).to_be_visible(timeout=SLOW)
        chips = page.locator(".chips[aria-label='Joined?'] .chip")
        expect(chips).to_have_count(len(asked.pairs), timeout=SLOW)
        chosen = asked.pairs[:2] if asked.number < 4 else ()
        for i, j in chosen:
            chip = chips.filter(has_text=re.compile(rf"^{i} – {j}$"))
            chip.click()
            expect(chip).to_have_attribute("aria-pressed", "true")
        marks.append(frozenset(chosen))
        page.get_by_role("button", name="That is my answer").click()
        found = game.score(asked, marks[-1])
        expect(page.get_by_text(f"{found.right} of {found.pairs} right, F1 {found.f1:.2f}").first).to_be_visible(
            timeout=SLOW
        )
        looks = page.locator(".chips[aria-label='Truth'] .chip:is([data-look=right], [data-look=missed])")
        expect(looks).to_have_count(len(asked.springs))
        page.get_by_role("button", name=re.compile("Next round|See the result")).click()
    checkpoint = load(Path(ROOT) / "checkpoints" / f"{course.STATE_MODEL}.safetensors")
    judges = game.calibrate(checkpoint)
    mine = game.GameResult(number, tuple(marks))
    model = sum(game.score(asked, game.answer(checkpoint, asked, judges)).points for asked in game.rounds(number))
    title = f"Game {number}: you {mine.points} points, the model {model}"
    expect(page.get_by_role("heading", name=title)).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stCode")).to_contain_text(f"game={number}&result={mine.to_address()}")


@pytest.mark.slow
def test_a_teacher_makes_an_address_and_a_hand_out_and_the_class_sees_nothing_else(
    learn: Callable[[str], Page],
) -> None:
    page = learn("?view=teacher")
    address = page.get_by_test_id("stCode").first
    expect(address).to_contain_text("lesson=springs&scene=200042&size=150&classroom=true", timeout=SLOW)
    page.get_by_role("combobox", name=re.compile("What the class sees")).click()
    page.get_by_role("option", name="Why parts and wholes?").click()
    expect(address).to_contain_text("lesson=parts&scene=200042", timeout=SLOW)
    wanted = address.inner_text().strip()
    # Two lessons that need no model are enough here.
    for _ in range(len(LESSONS) - 2):
        page.get_by_role("combobox", name=re.compile("Lessons")).press("Backspace")
    with page.expect_download(timeout=SLOW) as saving:
        page.get_by_role("button", name="Hand-out").click()
    sheet = Path(saving.value.path()).read_text(encoding="utf-8")
    assert lesson_of("parts").question in html.unescape(sheet)
    tree = Tree.parse("4-3")
    assert of_parts.family_shares(simulate(tree, "04", [SEED]), tree).says() in html.unescape(sheet)
    assert html.escape(wanted) in sheet
    assert "<polyline" in sheet
    # The address is one for others; what they open there, seen from here. A camera reads it too.
    host, path = wanted.split("/learn")
    assert "127.0.0.1" not in host
    expect(page.get_by_alt_text("QR code of the address")).to_be_visible()
    page.goto(page.url.split("/learn")[0] + "/learn" + path)
    expect(page.get_by_role("heading", name="Why parts and wholes?")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    for name in ("beliefs", "game", "teacher"):
        expect(
            page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True))
        ).to_have_count(0)
    expect(page.get_by_text("The code that just ran")).to_have_count(0)
    assert page.evaluate("() => getComputedStyle(document.documentElement).fontSize") == "22.5px"
    parts(page)
    # The class goes on without a menu, and back with the browser.
    page.get_by_role("button", name=f"Next: {lesson_of('slots').title}").click()
    expect(page.get_by_role("heading", name=lesson_of("slots").title)).to_be_visible(timeout=SLOW)
    assert "lesson=slots" in page.url
    assert "classroom=true" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Why parts and wholes?")).to_be_visible(timeout=SLOW)

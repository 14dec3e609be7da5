"""The scripts of the player by themselves, in a real Chromium and on an empty page: no server, no network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from hri.view import browser as scripts
from hri.view.facts import scientific
from hri.view.player import pack
from hri.view.style import SCRIPT, stroke

STEP_BY_STEP = """
    // Animation frames and the clock's time move when a test says so.
    const due = [];
    let now = 1000;
    globalThis.requestAnimationFrame = (call) => due.push(call);
    performance.now = () => now;
    globalThis.pass = (milliseconds = 0) => { now += milliseconds; for (const call of due.splice(0)) call(now); };
    globalThis.waiting = () => due.length;
    // A clock of its own for a test, what it draws, and nothing left of the last test's.
    globalThis.begin = () => {
        due.length = 0;
        globalThis.clock = new Clock();
        globalThis.drawn = [];
        globalThis.note = (shown) => drawn.push(shown.frame);
    };
"""
EMPTY = "<!doctype html><meta charset=utf-8><title>units</title>"


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page that holds the two scripts and nothing else."""
    context = browser.new_context(offline=True, reduced_motion="no-preference")
    page = context.new_page()
    page.set_content(EMPTY)
    page.add_script_tag(content=STEP_BY_STEP)
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    page.add_script_tag(content=scripts.script("clock"))
    yield page
    context.close()


@pytest.fixture
def clock(blank: Page) -> Page:
    """The page with a clock of its own, and nothing due."""
    blank.emulate_media(reduced_motion="no-preference")
    blank.evaluate("begin()")
    return blank


# Arrays and numbers ------------------------------------------------------------------------------------


def test_arrays_arrive_as_they_were_packed(blank: Page) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "odd": random.integers(0, 256, (3, 7), dtype=np.uint8),  # the next one must start at a multiple of four bytes
        "states": random.normal(size=(2, 3, 4)).astype(np.float32),
        "none": np.zeros((0, 5), np.float32),
        "last": np.array([0, 255], np.uint8),
    }
    arrived = blank.evaluate(
        """async (packed) => Object.fromEntries(Object.entries(await unpack(packed)).map(
            ([name, { shape, values }]) => [name, { shape, kind: values.constructor.name, values: [...values] }]))""",
        pack(arrays),
    )
    assert list(arrived) == list(arrays)
    for name, array in arrays.items():
        assert arrived[name]["shape"] == list(array.shape)
        assert arrived[name]["kind"] == {"uint8": "Uint8Array", "float32": "Float32Array"}[array.dtype.name]
        assert np.array_equal(np.array(arrived[name]["values"], array.dtype).reshape(array.shape), array)


def test_numbers_that_float32_holds_and_json_does_not_arrive(blank: Page) -> None:
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], np.float32)
    arrived = blank.evaluate("async (packed) => [...(await unpack(packed)).odd.values].map(String)", pack({"odd": odd}))
    assert arrived[:4] == ["NaN", "Infinity", "-Infinity", "0"]
    assert float(arrived[4]) == float(odd[4])


def test_errors_are_written_as_python_writes_them(blank: Page) -> None:
    values = [0.0, 1.0, -1.0, 0.0021, 9.96e-5, 0.099, 12_345.0, 1e-300, 5e-324, 1.7e308, 3.0e10, -2.5e-7]
    assert blank.evaluate("(values) => values.map(scientific)", values) == [scientific(value) for value in values]
    assert scientific(0.0021) == "2.1·10⁻³"
    assert blank.evaluate("[NaN, Infinity, -Infinity].map(scientific)") == ["not a number"] * 3


def test_an_edge_looks_as_python_draws_it_at_any_probability(blank: Page) -> None:
    chances = np.linspace(0, 1, 21).tolist()
    for count in (6, 56, 420):
        look = stroke(count)
        arrived = blank.evaluate("([look, chances]) => chances.map((p) => lookAt(look, p))", [vars(look), chances])
        for p, (width, opacity) in zip(chances, arrived, strict=True):
            assert (width, opacity) == pytest.approx(look.at(p))


def test_a_difference_is_the_mean_over_channels_in_whole_grey_levels(blank: Page) -> None:
    assert blank.evaluate("difference([9, 0, 255, 10], 1, [10, 0, 255, 0], 0)") == round((10 + 255 + 245) / 3)
    assert blank.evaluate("difference([1, 2, 3], 0, [1, 2, 3], 0)") == 0


def test_pixels_are_painted_where_they_belong(blank: Page) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (3, 2, 4, 3), dtype=np.uint8)
    painted = blank.evaluate(
        """([values, index]) => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 2 });
            const context = canvas.getContext("2d", { willReadFrequently: true });
            paintPixels(context, values, index, 2, 4);
            return [...context.getImageData(0, 0, 4, 2).data];
        }""",
        [pictures.ravel().tolist(), 2],
    )
    shown = np.array(painted, np.uint8).reshape(2, 4, 4)
    assert (shown[..., 3] == 255).all()
    assert np.array_equal(shown[..., :3], pictures[2])


# The clock ---------------------------------------------------------------------------------------------


def test_the_first_scene_plays_by_itself_and_begins_again_after_its_last_frame(clock: Page) -> None:
    clock.evaluate("clock.join('one', 's', 4, note, 'start')")
    shown = clock.evaluate("() => { pass(); for (let k = 0; k < 3; k++) pass(125); pass(899); pass(1); return drawn; }")
    assert shown == [0, 1, 2, 3, 0], "eight frames a second, and the last one stays for 0.9 s"
    assert clock.evaluate("clock.playing")


def test_nothing_plays_by_itself_for_those_who_want_no_motion(blank: Page) -> None:
    blank.emulate_media(reduced_motion="reduce")
    blank.evaluate("begin(); clock.join('one', 's', 4, note, 'start')")
    assert blank.evaluate("() => { pass(); pass(1000); return [clock.playing, drawn, waiting()]; }") == [False, [0], 0]
    assert blank.evaluate("() => { clock.play(); pass(125); return clock.frame; }") == 1, "asked for, it plays"


def test_seeking_stays_within_the_scene_and_many_wishes_are_one_drawing(clock: Page) -> None:
    clock.evaluate("clock.join('one', 's', 10, note)")
    assert clock.evaluate(
        "() => { pass(); for (const f of [3, 8.6, -2, 99]) clock.seek(f); pass(); return drawn; }"
    ) == [
        0,
        9,
    ]
    frames = "() => [-5, 2.4, 2.6, 12].map((f) => { clock.seek(f); return clock.frame; })"
    assert clock.evaluate(frames) == [0, 2, 3, 9]
    assert clock.evaluate("() => { clock.play(); clock.step(-1); return [clock.playing, clock.frame]; }") == [False, 8]
    assert clock.evaluate("() => { pass(); pass(); return waiting(); }") == 0, "a clock that stands asks for nothing"


def test_nothing_is_drawn_while_parts_show_different_scenes_and_late_ones_keep_nobody_waiting(clock: Page) -> None:
    drawn = clock.evaluate(
        """() => {
            const told = [];
            const part = (name) => () => told.push(name);
            const one = part("one"), two = part("two"), late = part("late");
            clock.join("one", "old", 5, one); clock.join("two", "old", 5, two);
            clock.join("late", "old", 5, late, null, true);
            pass();
            const before = told.splice(0);
            clock.join("one", "new", 5, part("one, new")); clock.seek(2); pass();
            const between = told.splice(0);
            clock.join("two", "new", 5, part("two, new")); pass();
            const after = told.splice(0);
            clock.join("late", "new", 5, part("late, new"), null, true); pass();
            return [before, between, after, told];
        }"""
    )
    before, between, after, at_last = drawn
    assert before == ["one", "two", "late"]
    assert between == []
    assert after == ["one, new", "two, new"]
    assert at_last == ["one, new", "two, new", "late, new"]


def test_another_future_of_one_start_keeps_the_frame_and_another_start_does_not(clock: Page) -> None:
    moves = """(places) => {
        clock.join("one", "s", 10, note, "start"); clock.pause(); clock.seek(6);
        clock.set({ within: { nodes: [1] }, keepsPlace: places });
        clock.join("one", "edited", 10, note, "start");
        const same = [clock.frame, clock.settings.within !== null];
        clock.join("one", "elsewhere", 10, note, "another");
        return [same, [clock.frame, clock.settings.within !== null]];
    }"""
    assert clock.evaluate(moves, False) == [[6, True], [0, False]]
    clock.evaluate("begin()")
    assert clock.evaluate(moves, True) == [[6, True], [6, False]], "where models follow each other, the moment stays"


def test_another_scene_begins_where_the_free_run_does(clock: Page) -> None:
    begins = """([playing, places]) => {
        begin(); clock.join("one", "s", 50, note, "start", false, 39); clock.pause(); clock.seek(6);
        clock.set({ keepsPlace: places });
        if (playing) clock.play();
        clock.join("one", "elsewhere", 50, note, "another");
        const before = clock.begun; // whoever knows where that is may join last
        clock.join("two", "elsewhere", 50, note, "another", false, 39);
        clock.join("one", "elsewhere", 50, note, "another");
        return [before, clock.begun, clock.frame];
    }"""
    assert clock.evaluate(begins, [False, False]) == [False, True, 40]
    assert clock.evaluate(begins, [True, False]) == [False, True, 31]
    assert clock.evaluate(begins, [False, True]) == [True, True, 6]


def test_a_shorter_scene_ends_at_its_last_frame(clock: Page) -> None:
    clock.evaluate("clock.join('one', 's', 10, note); clock.seek(9); clock.join('one', 't', 4, note)")
    assert clock.evaluate("clock.frame") == 3


def test_a_part_that_was_replaced_cannot_take_its_successor_along(clock: Page) -> None:
    told = clock.evaluate(
        """() => {
            const old = () => drawn.push("old"), young = () => drawn.push("young");
            clock.join("one", "s", 4, old, "start"); clock.join("one", "s", 4, young, "start");
            clock.leave("one", old); pass();
            const left = [clock.playing, drawn.splice(0)];
            clock.leave("one", young); clock.seek(2); pass();
            return [left, [clock.playing, drawn]];
        }"""
    )
    assert told == [[True, ["young"]], [False, []]]


def test_an_address_opens_frame_and_selection_once_there_is_a_scene(clock: Page) -> None:
    node = {"kind": "node", "node": 3}
    clock.evaluate("(node) => clock.open({ frame: 5, selected: node })", node)
    assert clock.evaluate("[clock.frame, clock.selected]") == [0, None]
    clock.evaluate("clock.join('one', 's', 10, note, 'start')")
    assert clock.evaluate("[clock.frame, clock.selected, clock.playing]") == [5, node, False]
    clock.evaluate("clock.open({ frame: null, selected: { kind: 'node', node: 4 } })")
    assert clock.evaluate("[clock.frame, clock.selected.node]") == [5, 4]


def test_selecting_twice_lets_go_choosing_twice_does_not_and_pointing_comes_first(clock: Page) -> None:
    told: dict[str, Any] = clock.evaluate(
        """() => {
            const edge = () => ({ kind: "edge", sender: 1, receiver: 2, tree: "4-3" }), told = {};
            clock.select(edge()); told.selected = clock.focus.kind;
            clock.choose(edge()); told.chosen = clock.focus?.kind;
            clock.point({ kind: "node", node: 7 }); told.pointed = clock.focus.node;
            clock.point(null); told.elsewhere = clock.focusIn("3-3"); told.here = clock.focusIn("4-3").sender;
            clock.select(edge()); told.let_go = clock.focus;
            return told;
        }"""
    )
    assert told == {"selected": "edge", "chosen": "edge", "pointed": 7, "elsewhere": None, "here": 1, "let_go": None}


def test_edges_pass_all_filters_or_none(clock: Page) -> None:
    edges = [("up", 1, 0.9, [3, 0]), ("down", 0, 0.2, [0, 3]), ("siblings", 2, 0.5, [3, 4])]

    def passing(**settings: Any) -> list[bool]:
        return clock.evaluate(
            """([settings, edges]) => {
                const clock = new Clock();
                clock.set(settings);
                return edges.map((edge) => clock.passes(...edge));
            }""",
            [settings, edges],
        )

    assert passing() == [True, True, True]
    assert passing(threshold=0.5) == [True, False, True]
    assert passing(ways=["up", "down"]) == [True, True, False]
    assert passing(types=[2]) == [False, False, True]
    assert passing(within={"nodes": [3, 4]}) == [False, False, True]
    assert passing(threshold=0.3, ways=["up"], within={"nodes": [0, 3]}) == [True, False, False]


@pytest.mark.parametrize(("motion", "frame"), [("no-preference", 32), ("reduce", 41)])
def test_a_visit_begins_where_the_free_run_does_whichever_part_comes_first(
    clock: Page, motion: Literal["no-preference", "reduce"], frame: int
) -> None:
    clock.emulate_media(reduced_motion=motion)
    told = clock.evaluate(
        """() => {
            const clock = new Clock(), images = () => {}, states = [];
            const note = () => states.push([clock.frame, clock.begun, clock.playing, clock.rest]);
            clock.join("images", "scene", 49, images, "start");
            note();
            clock.join("timeline", "scene", 49, () => {}, "start", false, 40);
            note();
            clock.seek(7);
            clock.join("images", "scene", 49, images, "start");  // the page has run again
            note();
            return states;
        }"""
    )
    playing, rest = motion != "reduce", frame if motion == "reduce" else None
    assert told == [[0, False, playing, None], [frame, True, playing, rest], [7, True, playing, rest]]
    asked = clock.evaluate(
        """() => {
            const clock = new Clock();
            clock.join("images", "scene", 49, () => {}, "start");
            clock.open({ frame: 12, selected: null });
            clock.join("timeline", "scene", 49, () => {}, "start", false, 40);
            return [clock.frame, clock.playing];
        }"""
    )
    assert asked == [12, False], "an address goes before"


def test_clocks_are_one_a_player_and_listeners_are_told_until_they_stop(clock: Page) -> None:
    assert clock.evaluate("[clockOf('a') === clockOf('a'), clockOf('a') === clockOf('b')]") == [True, False]
    heard = clock.evaluate(
        """() => {
            const heard = [], stop = clock.listen(({ frame }) => heard.push(frame));
            clock.join("one", "s", 10, note); pass(); clock.seek(4); pass(); stop(); clock.seek(7); pass();
            return [heard, drawn];
        }"""
    )
    assert heard == [[0, 4], [0, 4, 7]]


def test_what_a_part_began_ends_once_when_it_is_called_again_or_leaves(clock: Page) -> None:
    ended = clock.evaluate(
        """() => {
            const root = document.createElement("div"), ended = [];
            const first = replace(root, () => ended.push("first"));
            const second = replace(root, () => ended.push("second"));
            first(); const again = [...ended]; second(); second();
            return [again, ended];
        }"""
    )
    assert ended == [["first"], ["first", "second"]]


def test_elements_of_pictures_are_svg_and_text_is_never_read_as_markup(clock: Page) -> None:
    assert clock.evaluate("element('path', { d: 'M0,0' }).namespaceURI").endswith("/svg")
    made = clock.evaluate("element('p', { class: 'a', text: '<b>bold</b>' }).outerHTML")
    assert made == '<p class="a">&lt;b&gt;bold&lt;/b&gt;</p>'

"""The hand-out holds what a class needs, answers apart; its statements are those of the page; addresses come back."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from app.learn import classroom, game, handout, still
from app.learn.course import SCENE, STATE_MODEL
from app.learn.lessons import LESSONS, beliefs, lesson_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.physics.springs import simulate

ROOT = Path(__file__).parents[2]


class Reader(HTMLParser):
    """All tags, and whether every one that was opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_sheet_has_all_questions_first_and_all_answers_apart() -> None:
    rounds = game.rounds(3)
    page = handout.sheet(
        LESSONS, {"springs": "It <b>holds</b>."}, {"springs": "http://x/learn?a=1&b=2", "game": "g"}, 5, rounds, 3
    )
    read = Reader(page)
    assert not read.open
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    questions, answers = page.split('<div class="answers">')
    for lesson in LESSONS:
        assert escape(lesson.question) in questions
        assert escape(lesson.idea) in questions
        assert escape(lesson.answer) not in questions
        assert escape(lesson.answer) in answers
    assert "It &lt;b&gt;holds&lt;/b&gt;." in answers
    assert "It &lt;b&gt;" not in questions
    assert "http://x/learn?a=1&amp;b=2" in questions
    for asked in rounds:
        assert escape(asked.level.text) in questions
        assert ", ".join(f"{i}–{j}" for i, j in sorted(asked.springs)) in answers
    assert "–" not in re.findall(r"<table>.*?</table>", questions)[0]  # no springs among the questions
    assert "Guess the springs" not in handout.sheet(LESSONS[:1], {}, {}, 5)


def test_statements_of_the_hand_out_are_those_of_the_lessons() -> None:
    keys = [lesson.key for lesson in LESSONS]
    told = handout.statements(ROOT / "checkpoints", SCENE, LESSONS)
    assert list(told) == keys
    stored = Rollout.load(ROOT / "assets" / "stored" / f"{STATE_MODEL}.npz").scene(0)
    assert told["beliefs"] == beliefs.beliefs(stored).says(10)
    assert told["springs"].startswith("Balls 1 and 4 are")
    heard = re.search(r"and (\d+) by the end of the step", told["messages"])
    assert heard
    assert int(heard[1]) >= 10  # of 16: those that hang together on springs
    assert "rank 1 of 56" in told["cutting"]
    assert all(sentence.rstrip().endswith((".", ")")) for sentence in told.values())


def test_pictures_show_the_springs_among_the_answers_only_and_addresses_are_codes_too() -> None:
    rollout = Rollout.load(ROOT / "assets" / "stored" / f"{STATE_MODEL}.npz").scene(0)
    where = "http://192.168.1.7:8501/learn?lesson=springs"
    page = handout.sheet(LESSONS[:1], {}, {"springs": where}, SCENE, pictures=handout.pictures_of(SCENE, rollout))
    assert not Reader(page).open
    questions, answers = page.split('<div class="answers">')
    springs = int(np.triu(simulate(Tree.parse("4-3"), "04", [SCENE]).springs[0]).sum())
    assert questions.count("<polyline") == 17
    assert questions.count('class="spring"') == 0
    assert answers.count('<line class="spring"') == springs
    assert f"What {STATE_MODEL} believes at frame" in answers
    assert still.qr_code(where) in questions


def test_statements_need_their_checkpoints(tmp_path: Path) -> None:
    assert handout.statements(tmp_path, SCENE, [lesson_of("parts")])
    with pytest.raises(ValueError, match=STATE_MODEL):
        handout.statements(tmp_path, SCENE, [lesson_of("beliefs")])


def test_an_address_for_a_class_says_what_it_was_made_of() -> None:
    place = urlsplit(classroom.address("lessons", 150, lesson="cutting", scene=7, mathematics=True))
    query = dict(parse_qsl(place.query))
    assert place.path == "/learn"
    assert classroom.from_query(query) == classroom.Classroom(True, 7, 150)
    assert query["lesson"] == "cutting"
    assert query["math"] == "true"
    played = dict(parse_qsl(urlsplit(classroom.address("game", 100, game=0)).query))
    assert played == {"view": "game", "game": "0", "size": "100", "classroom": "true"}


@pytest.mark.parametrize("place", ["http://127.0.0.1:8501", "http://localhost:8601/x", "http://[::1]:8501"])
def test_an_address_that_means_this_machine_says_how_a_class_can_open_it(place: str) -> None:
    told, port = classroom.reach(place), urlsplit(place).port
    assert told.startswith("The address in this browser works on this machine only.")
    assert f"PORT={port} make app" in told
    assert f"http://{classroom.own_address()}:{port}/learn" in told


def test_an_address_that_others_can_open_needs_no_word() -> None:
    assert classroom.reach("https://school.example/hri") == classroom.reach("http://192.168.1.7:8501") == ""


@pytest.mark.parametrize(
    "query", [{}, {"scene": "-1"}, {"scene": "99999999999"}, {"scene": "x", "size": "1000"}, {"classroom": "maybe"}]
)
def test_what_an_address_cannot_mean_is_left_at_its_usual_value(query: dict[str, str]) -> None:
    assert classroom.from_query(query) == classroom.Classroom(False, SCENE, 100)

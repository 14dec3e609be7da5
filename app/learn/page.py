"""Learn: a course of short lessons on live models, a game, and pages for a class."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
st.markdown("**Learn how a network can find hidden relations: short lessons, each with one thing to do.**")

from app import address, library, widgets  # noqa: E402
from app.learn import classroom, course, guessing, teaching  # noqa: E402
from app.learn.classroom import Classroom  # noqa: E402
from app.learn.course import Lesson  # noqa: E402
from app.learn.lessons import LESSONS, lesson_of  # noqa: E402
from app.learn.stage import Shown, Stage  # noqa: E402
from hri.view.terms import GLOSSARY  # noqa: E402

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

VIEWS = ("lessons", "game", "teacher", "glossary")
KEYS = [lesson.key for lesson in LESSONS]
FIELDS = {"view": address.Words(VIEWS), "lesson": address.Words(KEYS), "math": address.SWITCH} | classroom.FIELDS


def lessons(room: Classroom, bar: DeltaGenerator) -> None:
    """The picker, and the chosen lesson."""
    if room.on:
        lesson_key = st.query_params.get("lesson", "")
        body(lesson_of(lesson_key if lesson_key in KEYS else KEYS[0]), room, "math" in st.query_params)
        return
    session = st.session_state
    if next_key := session.pop("next_lesson", None):
        session["lesson"] = next_key
    with bar:
        key = st.pills(
            "Lesson", KEYS, required=True, key="lesson", default=KEYS[0],
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        math = st.toggle("Mathematics", key="math", bind="query-params", help="Show the equations of each lesson.")
    body(lesson_of(key or KEYS[0]), room, math)


@st.fragment
def body(lesson: Lesson, room: Classroom, math: bool) -> None:
    """One lesson: what it is about and what to do, what it shows, what to notice."""
    done_keys = st.session_state.setdefault("lessons_done", [])
    text, stage = st.columns([0.5 + room.size / 200, 2.2], gap="large")  # larger letters take more of the width
    with text:
        place = KEYS.index(lesson.key) + 1
        st.caption(f"Lesson {place} of {len(KEYS)}, about {course.MINUTES} minutes")
        st.subheader(lesson.title, anchor=False)
        st.markdown(lesson.idea)
        st.markdown(f":material/touch_app: **Do:** {lesson.do}")
        st.markdown(f":material/visibility: **Notice:** {lesson.notice}")
    with stage:
        try:
            seed = room.seed if room.on else int(st.session_state.get("scene", room.seed))
            outcome = lesson.show(Stage(seed, room.size / 100, room.on))
        except ValueError as error:
            st.error(widgets.said(str(error)))
            return
    if outcome.done and lesson.key not in done_keys:
        done_keys.append(lesson.key)
    # Large letters make the text longer than the stage: what changes stays in sight of what was changed.
    with stage if room.size >= 175 else text, st.container(key="lesson-statement"):
        icon = ":material/check_circle:" if lesson.key in done_keys else ":material/calculate:"
        st.info(widgets.plain(outcome.statement), icon=icon)
    equations = st.container()  # always there, so that what follows keeps its place when they come and go
    if math:
        with equations:
            mathematics(lesson)
    after(lesson, outcome, room, done_keys)


def mathematics(lesson: Lesson) -> None:
    """The lesson in equations."""
    with st.container(border=True, key="lesson-mathematics"):
        for column, (words, formula) in zip(st.columns(2), lesson.mathematics, strict=False):
            column.markdown(words)
            # Two equations stand one below the other: side by side they are wider than a phone.
            lines = r" \\ ".join(formula.split(r"\qquad"))
            column.latex(rf"\begin{{gathered}} {lines} \end{{gathered}}" if r"\qquad" in formula else formula)
        st.caption(f"Stanić, van Steenkiste, Schmidhuber (2020), section {lesson.section}.")


def after(lesson: Lesson, outcome: Shown, room: Classroom, done_keys: list[str]) -> None:
    """A question, the code that just ran, the way to Explore and to the next lesson."""
    with st.expander("Check yourself: " + lesson.question, icon=":material/quiz:"):
        st.markdown(lesson.answer)
    place = KEYS.index(lesson.key)
    if room.on:
        if place + 1 < len(KEYS) and st.button(
            f"Next: {LESSONS[place + 1].title}", icon=":material/arrow_forward:", key="class-next"
        ):
            st.query_params["lesson"] = KEYS[place + 1]  # no picker is bound to it in classroom mode
            st.rerun()
        return
    with st.expander("The code that just ran", icon=":material/code:"):
        st.code(lesson.lines(**outcome.values), language="python", wrap_lines=True)
        st.caption("These lines run as they are from the repository's folder and print the sentence above.")
    with st.container(horizontal=True, vertical_alignment="center"):
        title = LESSONS[place + 1].title if place + 1 < len(KEYS) else "guess the springs yourself"
        onward = st.button(f"Next: {title}", icon=":material/arrow_forward:", type="primary", key="lesson-next")
        if lesson.of_a_scene:
            st.number_input(
                "Scene", 0, library.LAST_SEED, course.SCENE, key="scene",
                bind="query-params", width=150, help="Every number is another system of springs.",
            )  # fmt: skip
        # A tab of its own: a visit that has been to Explore already would keep its own edits and springs.
        st.link_button(
            "The same in Explore", f"{classroom.host()}/?{urlencode(outcome.explore)}", icon=":material/play_circle:"
        )
        st.caption(
            f"{len(done_keys)} of {len(KEYS)} lessons done"
            + (f": {', '.join(k for k in KEYS if k in done_keys)}" if done_keys else "")
        )
    if onward:  # at the end: a run that stops before the scene's box would forget what is in it
        if place + 1 < len(KEYS):
            st.session_state["next_lesson"] = KEYS[place + 1]
        else:
            st.session_state["next_view"] = "game"
        st.rerun()


def glossary() -> None:
    """Words of the course."""
    words = sorted(GLOSSARY, key=str.casefold)
    half = (len(words) + 1) // 2  # a phone has one column, and reads on
    for column, part in zip(st.columns(2), (words[:half], words[half:]), strict=True):
        for word in part:
            column.markdown(f"**{word}**  \n{GLOSSARY[word]}")


widgets.page_style()
address.check("learn", FIELDS)
room = classroom.from_query(st.query_params)
classroom.style(room)
bar = st.container(horizontal=True, vertical_alignment="center", key="learn-bar")
view = st.query_params.get("view", VIEWS[0])
if not room.on:
    if next_view := st.session_state.pop("next_view", None):
        st.session_state["view"] = next_view  # after the last lesson, before the control is drawn
    with bar:
        view = st.segmented_control(
            "View", VIEWS, default=VIEWS[0], required=True, key="view",
            bind="query-params", label_visibility="collapsed",
        ) or VIEWS[0]  # fmt: skip
if view == "glossary":
    glossary()
elif view == "game":
    guessing.show(room, bar)
elif view == "teacher":
    teaching.show()
else:
    lessons(room, bar)

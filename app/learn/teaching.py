"""For teachers: addresses that open a lesson or the game in classroom mode, and a hand-out to print."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import files, library, places
from app.learn import classroom, course, lesson_state, still
from app.learn.course import Lesson
from app.learn.lessons import LESSONS

TITLES = {lesson.key: lesson.title for lesson in LESSONS}


@st.fragment
def show() -> None:
    """Choose what the class sees, copy its address, print the hand-out."""
    choices = [*TITLES, "game"]
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Open a lesson for a class", anchor=False)
        what = st.selectbox(
            "What the class sees", choices, key="teach-what",
            format_func=lambda key: "Guess the springs" if key == "game" else TITLES[key],
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            size = st.selectbox("Letter size, %", classroom.SIZES, index=2, key="teach-size", width=150)
            if what == "game":
                number = st.number_input("Game", 0, 9999, 1, key="teach-game", width=150)
            else:
                number = st.number_input(
                    "Scene", 0, library.LAST_SEED, course.SCENE, key="teach-scene", width=150,
                    help="Everybody sees the system of this seed. The usual one is stored and opens at once.",
                )  # fmt: skip
            math = st.toggle("Mathematics", key="teach-math", disabled=what == "game")
        query = lesson_address(str(what), int(number), int(size), math)
        here = classroom.host()
        others, warning = classroom.for_others(here), classroom.reach(here)
        if warning:
            st.warning(warning, icon=":material/wifi_off:")
        with st.container(horizontal=True, key="teach-address"):
            with st.container(width=150):
                # A phone is no projector: its letters keep their size.
                phones = others + lesson_address(str(what), int(number), 100, math)
                st.image(still.qr_code(phones), width=150, alt="QR code of the address, for phones")
            with st.container(width=330):
                st.code(others + query, language=None, wrap_lines=True)
                st.caption(
                    "Works once the app was started so. Phones open it with the camera."
                    if warning
                    else "Phones open it with the camera."
                )
        st.caption(
            "In classroom mode there are no menus, and the scene is fixed. Every visitor has a playground of their own."
        )
        st.link_button("Try it", here + query, icon=":material/open_in_new:")
    with right:
        st.subheader("Print a hand-out", anchor=False)
        picks = st.multiselect(
            "Lessons", list(TITLES), list(TITLES), key="teach-lessons", format_func=lambda key: TITLES[key]
        )
        with_game = st.toggle("With a score sheet of the game", True, key="teach-with-game")
        scene = int(st.session_state.get("teach-scene", course.SCENE))
        game = int(st.session_state.get("teach-game", 1)) if with_game else None
        st.caption(
            f"Questions first, answers on pages of their own, with what the models say of scene {scene}. "
            "Open the file and print it."
        )
        make = partial(_handout, [lesson for lesson in LESSONS if lesson.key in picks], scene, game, int(size))
        files.files(
            {"": [files.File("Hand-out", "hand-out.html", make, "One HTML page that needs no network.", "text/html")]},
            "teach-files",
        )


def lesson_address(what: str, number: int, size: int, math: bool) -> str:
    """The address of a lesson or the game, after the host."""
    if what == "game":
        return classroom.address("game", size, game=number)
    return classroom.address("lessons", size, lesson=what, scene=number, mathematics=math)


def _handout(lessons: list[Lesson], scene: int, game: int | None, size: int) -> bytes:
    """The file; statements of models that are not there are left out."""
    import torch

    from app.learn import handout
    from app.learn.game import rounds

    torch.set_num_threads(1)  # as for a scene: other visitors wait for these cores too
    statements: dict[str, str] = {}
    for lesson in lessons:
        try:
            statements |= handout.statements(places.CHECKPOINTS, scene, [lesson])
        except ValueError:
            continue
    host = classroom.for_others(classroom.host())
    where = {lesson.key: host + lesson_address(lesson.key, scene, size, False) for lesson in lessons}
    if game is not None:
        where["game"] = host + lesson_address("game", game, size, False)
    try:
        rollout = lesson_state.rollout(course.STATE_MODEL, scene)
    except ValueError:  # the model is not there
        rollout = None
    pictures = handout.pictures_of(scene, rollout)
    page = handout.sheet(lessons, statements, where, scene, () if game is None else rounds(game), game, pictures)
    return page.encode()

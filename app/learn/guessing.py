"""Guess the springs: ten rounds against the model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from app import widgets
from app.learn import classroom, course, lesson_state
from app.learn.classroom import Classroom
from app.learn.stage import arena, arena_report
from hri.scores import ceilings

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.learn.game import Round
    from hri.physics.systems import Pair


def show(room: Classroom, bar: DeltaGenerator) -> None:
    """The game that the address names, as far as it was played; its number is chosen in the bar."""
    session, query = st.session_state, st.query_params
    if not room.on:
        with bar:
            st.markdown(
                "Game",
                width="content",
                help="Every number is a game of ten rounds. Whoever plays the same number gets the same rounds.",
            )
            number = st.number_input(
                "Game", 0, course.LAST_GAME, 1, key="game", bind="query-params", width=150, label_visibility="collapsed"
            )
    else:
        wanted = classroom.GAMES.value(query.get("game", "1"))
        number = 1 if wanted is None else wanted
    if session.get("game_played") != number:
        session["game_played"] = number
        _again()
    if result := query.get("result"):
        _of_another(result)
    _round(int(number))


def _of_another(text: str) -> None:
    """What somebody else scored, from a shared link."""
    from app.learn import game

    try:
        result = game.GameResult.parse(text)
    except ValueError as error:
        st.warning(f"The result in the address was left out: {widgets.plain(str(error))}.", icon=":material/link_off:")
        return
    count = len(result.scores)
    st.info(
        f"Shared with you: {result.points} points in {count} round{'' if count == 1 else 's'} of game {result.game}. "
        "Can you do better?",
        icon=":material/share:",
    )


@st.fragment
def _round(number: int) -> None:
    """The round that is on: first to judge, then to see."""
    from app.learn import game

    answers: list[frozenset[Pair]] = st.session_state["game_answers"]
    rounds = game.rounds(number)
    # A judged round stays on the screen until the player goes on.
    reviewing = bool(st.session_state.get("game_review")) and bool(answers)
    if len(answers) == len(rounds) and not reviewing:
        _summary(number)
        return
    question = rounds[len(answers) - 1 if reviewing else len(answers)]
    text, field = st.columns([1, 1.5], gap="large")
    key, reset = "learn-game", f"game-{number}-{question.number}"
    # One button, above the balls: two that take turns, or one below what is said of the pairs, would move the rest.
    with field, st.container(key="game-button"):
        label, on = "That is my answer", partial(_answer, question, key, reset)
        if reviewing:
            label, on = "See the result" if len(answers) == len(rounds) else "Next round", partial(_go_on)
        st.button(label, type="primary", key="game-go", on_click=on)
    with field:
        _field(question, answers[-1] if reviewing else None, key, reset)
    with text:
        st.subheader(f"Round {question.number} of {len(rounds)}", anchor=False)
        st.caption(question.level.text[:1].upper() + question.level.text[1:])
        if reviewing:
            _verdict(question, answers[-1])
        else:
            st.markdown(
                "The balls move, but their springs are hidden. Watch, and mark every pair that you think is joined: "
                "click a dotted line, or its name below the box. Right judgements earn points, wrong ones cost some."
            )
            if "siblings" in question.level.kinds:
                st.markdown("Springs between leaves are a hundred times weaker than those to a parent.")
        points = game.GameResult(number, tuple(answers)).points
        st.markdown(
            f"Points so far: **{points}**",
            help="A round without a mistake gives 100. Tossing a coin for each pair gives almost none.",
        )


def _answer(question: Round, key: str, reset: str) -> None:
    """Take the marks as they are for the answer."""
    marks = {(min(pair), max(pair)) for pair in map(tuple, arena_report(key, reset)["marks"])}
    st.session_state["game_answers"] = [*st.session_state["game_answers"], frozenset(marks & set(question.pairs))]
    st.session_state["game_review"] = True


def _go_on() -> None:
    st.session_state["game_review"] = False


def _again() -> None:
    st.session_state["game_answers"], st.session_state["game_review"] = [], False


def _field(question: Round, marks: frozenset[Pair] | None, key: str, reset: str) -> None:
    """The balls; once judged, with truth, marks and the model's answer on every pair."""
    from app.learn import arena as playground
    from app.learn import game

    looks = texts = None
    if marks is not None:
        model = answer_of_model(question)
        looks = [
            {(True, True): "right", (True, False): "missed", (False, True): "wrong", (False, False): "none"}[
                (pair in question.springs, pair in marks)
            ]
            for pair in question.pairs
        ]
        texts = [
            f"{'spring' if pair in question.springs else 'none'}: you {_mark(pair, marks, question)}"
            + (f", model {_mark(pair, model, question)}" if model is not None else "")
            for pair in question.pairs
        ]
    arena(
        key,
        playground.arena_data(
            f"{reset}-{marks is not None}", question.scene.positions[0], game.TREE,
            label="Balls whose springs are hidden",
            reset=reset if marks is None else f"{reset}-judged",
            report=arena_report(key, reset) if marks is None else None,
            pairs=question.pairs, marking=marks is None, looks=looks, pair_words=texts,
            chips="Joined?" if marks is None else "Truth", balls_shown=question.balls_shown,
        ),
    )  # fmt: skip


def _mark(pair: Pair, marks: frozenset[Pair], question: Round) -> str:
    return "✓" if (pair in marks) == (pair in question.springs) else "✗"


def _verdict(question: Round, marks: frozenset[Pair]) -> None:
    """Both scores of one round."""
    from app.learn import game

    mine, model = game.score(question, marks), answer_of_model(question)
    st.markdown("Gold: found. Pink: missed. Dotted and red: marked, but there is no spring.")
    you, other = st.columns(2)
    you.metric(
        "You",
        f"{mine.points} points",
        f"{mine.right} of {mine.pairs} right, F1 {mine.f1:.2f}",
        delta_color="off",
        delta_arrow="off",
    )
    if model is not None:
        theirs = game.score(question, model)
        other.metric(
            "The model", f"{theirs.points} points", f"{theirs.right} of {theirs.pairs} right, F1 {theirs.f1:.2f}",
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        st.caption(beside(question), help=ceilings.EXPLAINED)


def beside(question: Round) -> str:
    """What the same answer for every pair of a round has right, and what the model finds and could find anywhere."""
    springs, pairs = len(question.springs), len(question.pairs)
    guess = f"The same answer for every pair would get {max(springs, pairs - springs)} of {pairs} right."
    words = lesson_state.edges_right(course.STATE_MODEL)
    return f"{guess} The model's edges on unseen systems: {words}." if words else guess


def answer_of_model(question: Round) -> frozenset[Pair] | None:
    """The model's marks, or None where it is not there (a sentence says so)."""
    try:
        return lesson_state.game_answer(question, course.STATE_MODEL)
    except ValueError:
        st.caption(f"The model {course.STATE_MODEL} is not in the folder of checkpoints, so you play alone.")
        return None


def _summary(number: int) -> None:
    """All rounds, both totals, and a link to share."""
    from app.learn import game

    session = st.session_state
    mine, rounds = game.GameResult(number, tuple(session["game_answers"])), game.rounds(number)
    model = [answer_of_model(question) for question in rounds]
    theirs = [
        None if marks is None else game.score(question, marks) for question, marks in zip(rounds, model, strict=True)
    ]
    total = sum(score.points for score in theirs if score)
    st.subheader(
        f"Game {number}: you {mine.points} points, the model {total}" if theirs[0] else f"{mine.points} points"
    )
    scores = mine.scores
    st.dataframe(
        {
            "Round": [question.number for question in rounds],
            "You": [score.points for score in scores],
            "Model": [score.points if score else None for score in theirs],
            "Your F1": [score.f1 for score in scores],
            "Model's F1": [score.f1 if score else None for score in theirs],
            "What was asked": [question.level.text for question in rounds],
        },
        hide_index=True, height="content",
        column_config={name: st.column_config.NumberColumn(format="%.2f") for name in ("Your F1", "Model's F1")},
    )  # fmt: skip
    st.markdown("Share your score and the same ten rounds:")
    base = (st.context.url or "").split("?")[0]
    st.code(
        f"{base}?" + urlencode({"view": "game", "game": number, "result": mine.to_address()}),
        language=None,
        wrap_lines=True,
    )
    st.button("Play it again", icon=":material/replay:", key="game-again", on_click=_again)

"""Guess the springs: ten rounds against the model."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from app import widgets
from app.learn import course, lesson_state
from app.learn.classroom import Classroom
from app.learn.stage import arena, told
from hri.scores import ceilings

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.learn.game import Round
    from hri.physics.systems import Pair


def show(room: Classroom, bar: DeltaGenerator) -> None:
    """The game that the address names, as far as it was played; its number is chosen in the bar."""
    from app.learn import game

    kept, asked = st.session_state, st.query_params
    wanted = asked.get("game", "1")
    known = re.fullmatch(r"[0-9]{1,4}", wanted) is not None
    if not room.on:
        with bar:
            st.markdown(
                "Game",
                width="content",
                help="Every number is a game of ten rounds. Whoever plays the same number gets the same rounds.",
            )
            number = st.number_input(
                "Game", 0, game.LAST_GAME, 1, key="game", bind="query-params", width=150, label_visibility="collapsed"
            )
    else:
        number = int(wanted) if known else 1
    if kept.get("game_played") != number:
        kept["game_played"] = number
        _again()
    if shared := asked.get("result"):
        _of_another(shared)
    _round(int(number))


def _of_another(text: str) -> None:
    """What somebody else scored, from a shared link."""
    from app.learn import game

    try:
        found = game.Result.parse(text)
    except ValueError as error:
        st.warning(f"The result in the address was left out: {widgets.plain(str(error))}.", icon=":material/link_off:")
        return
    count = len(found.scores)
    st.info(
        f"Shared with you: {found.points} points in {count} round{'' if count == 1 else 's'} of game {found.game}. "
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
    asked = rounds[len(answers) - 1 if reviewing else len(answers)]
    text, field = st.columns([1, 1.5], gap="large")
    key, reset = "learn-game", f"game-{number}-{asked.number}"
    # One button, above the balls: two that take turns, or one below what is said of the pairs, would move the rest.
    with field, st.container(key="game-button"):
        label, on = "That is my answer", partial(_answer, asked, key, reset)
        if reviewing:
            label, on = "See the result" if len(answers) == len(rounds) else "Next round", partial(_go_on)
        st.button(label, type="primary", key="game-go", on_click=on)
    with field:
        _field(asked, answers[-1] if reviewing else None, key, reset)
    with text:
        st.subheader(f"Round {asked.number} of {len(rounds)}", anchor=False)
        st.caption(asked.level.text[:1].upper() + asked.level.text[1:])
        if reviewing:
            _verdict(asked, answers[-1])
        else:
            st.markdown(
                "The balls move, but their springs are hidden. Watch, and mark every pair that you think is joined: "
                "click a dotted line, or its name below the box. Right judgements earn points, wrong ones cost some."
            )
            if "siblings" in asked.level.kinds:
                st.markdown("Springs between leaves are a hundred times weaker than those to a parent.")
        points = game.Result(number, tuple(answers)).points
        st.markdown(
            f"Points so far: **{points}**",
            help="A round without a mistake gives 100. Tossing a coin for each pair gives next to none.",
        )


def _answer(asked: Round, key: str, reset: str) -> None:
    """Take the marks as they are for the answer."""
    marks = {(min(pair), max(pair)) for pair in map(tuple, told(key, reset)["marks"])}
    st.session_state["game_answers"] = [*st.session_state["game_answers"], frozenset(marks & set(asked.pairs))]
    st.session_state["game_review"] = True


def _go_on() -> None:
    st.session_state["game_review"] = False


def _again() -> None:
    st.session_state["game_answers"], st.session_state["game_review"] = [], False


def _field(asked: Round, marks: frozenset[Pair] | None, key: str, reset: str) -> None:
    """The balls; once judged, with truth, marks and the model's answer on every pair."""
    from app.learn import arena as playground
    from app.learn import game

    looks = said = None
    if marks is not None:
        model = answer_of_model(asked)
        looks = [
            {(True, True): "right", (True, False): "missed", (False, True): "wrong", (False, False): "none"}[
                (pair in asked.springs, pair in marks)
            ]
            for pair in asked.pairs
        ]
        said = [
            f"{'spring' if pair in asked.springs else 'none'}: you {_mark(pair, marks, asked)}"
            + (f", model {_mark(pair, model, asked)}" if model is not None else "")
            for pair in asked.pairs
        ]
    arena(
        key,
        playground.arena_data(
            f"{reset}-{marks is not None}", asked.scene.positions[0], game.TREE, label="Balls whose springs are hidden",
            reset=reset if marks is None else f"{reset}-judged", told=told(key, reset) if marks is None else None,
            pairs=asked.pairs, marking=marks is None, looks=looks, said=said,
            chips="Joined?" if marks is None else "Truth", shown=asked.shown,
        ),
    )  # fmt: skip


def _mark(pair: Pair, marks: frozenset[Pair], asked: Round) -> str:
    return "✓" if (pair in marks) == (pair in asked.springs) else "✗"


def _verdict(asked: Round, marks: frozenset[Pair]) -> None:
    """Both scores of one round."""
    from app.learn import game

    mine, model = game.score(asked, marks), answer_of_model(asked)
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
        theirs = game.score(asked, model)
        other.metric(
            "The model", f"{theirs.points} points", f"{theirs.right} of {theirs.pairs} right, F1 {theirs.f1:.2f}",
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        st.caption(beside(asked), help=ceilings.EXPLAINED)


def beside(asked: Round) -> str:
    """What the same answer for every pair of a round has right, and what the model finds and could find anywhere."""
    joined, pairs = len(asked.springs), len(asked.pairs)
    told = f"The same answer for every pair would get {max(joined, pairs - joined)} of {pairs} right."
    words = lesson_state.edges_right(course.STATE_MODEL)
    return f"{told} The model's edges on unseen systems: {words}." if words else told


def answer_of_model(asked: Round) -> frozenset[Pair] | None:
    """The model's marks, or None where it is not there (a sentence says so)."""
    try:
        return lesson_state.game_answer(asked, course.STATE_MODEL)
    except ValueError:
        st.caption(f"The model {course.STATE_MODEL} is not in the folder of checkpoints, so you play alone.")
        return None


def _summary(number: int) -> None:
    """All rounds, both totals, and a link to share."""
    from app.learn import game

    kept = st.session_state
    mine, rounds = game.Result(number, tuple(kept["game_answers"])), game.rounds(number)
    model = [answer_of_model(asked) for asked in rounds]
    theirs = [None if marks is None else game.score(asked, marks) for asked, marks in zip(rounds, model, strict=True)]
    total = sum(found.points for found in theirs if found)
    st.subheader(
        f"Game {number}: you {mine.points} points, the model {total}" if theirs[0] else f"{mine.points} points"
    )
    scores = mine.scores
    st.dataframe(
        {
            "Round": [asked.number for asked in rounds],
            "You": [found.points for found in scores],
            "Model": [found.points if found else None for found in theirs],
            "Your F1": [found.f1 for found in scores],
            "Model's F1": [found.f1 if found else None for found in theirs],
            "What was asked": [asked.level.text for asked in rounds],
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

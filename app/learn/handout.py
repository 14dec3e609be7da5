"""A hand-out for a class: what to do and to answer on the first sheets, answers on sheets of their own.

One HTML file without scripts or network, to be printed; everything that came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from app.learn.course import Lesson
from app.learn.game import Round
from app.learn.still import SHOWN, paths, qr_code
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.view.style import css
from hri.view.svg import svg

_STYLE = """
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { margin: 2rem 0 0.25rem; font-size: 1.15rem; }
section { break-inside: avoid; } .answers { break-before: page; }
.line { height: 2rem; border-bottom: 1px solid var(--grey); } .line + p { margin-top: 0.9rem; }
.where { overflow-wrap: anywhere; color: var(--faint); font-size: 0.75rem; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: 0.3rem 0.5rem; border: 1px solid var(--grey); text-align: left; }
.note { padding: 0.5rem 0.75rem; background: var(--sheet); }
header { display: flex; justify-content: space-between; align-items: baseline; }
.with-code { display: flex; gap: 1rem; align-items: center; }
.with-code svg { flex: none; width: 84px; height: 84px; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; max-width: 21rem; }
figure svg { max-width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: 0.8125rem; }
@page { margin: 1.5cm; }
@media print {
  html { font-size: 10.5pt; } body { margin: 0; padding: 0; max-width: none; }
  h1, p { margin: 0 0 0.6rem; } h2 { margin-top: 1.2rem; }
}
"""
LINES = 3
"""Lines to write on under each question."""


@dataclass(frozen=True)
class Pictures:
    """Pictures as SVG by what is said under them."""

    questions: Mapping[str, str]
    answers: Mapping[str, str]


NO_PICTURES = Pictures({}, {})


def pictures_of(seed: int, rollout: Rollout | None = None) -> Pictures:
    """The system of a seed as paths, with its springs among the answers; there too what a model believes of it.

    Args:
        seed: of the 4-3 system.
        rollout: a state model's, of this system; None leaves its graph out.
    """
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    scene = simulate(tree, "04", [seed])
    answers = {"The same with its springs, in gold.": paths(scene, tree.parents, True)}
    if rollout is not None:
        frame = int(rollout.last_true_input)
        words = f"What {rollout.checkpoint} believes at frame {frame}; thin gold outlines: true springs."
        answers[words] = svg(rollout, frame, show="graph")
    words = f"Where the balls of scene {seed} go in their first {SHOWN} frames. Which are joined by springs?"
    return Pictures({words: paths(scene, tree.parents, False)}, answers)


def statements(folder: Path, seed: int, lessons: Sequence[Lesson]) -> dict[str, str]:
    """What each lesson says of one scene once a class has followed it, by its key.

    Args:
        folder: of the checkpoints.
        seed: of the 4-3 system.
        lessons: which.

    Raises:
        ValueError: a checkpoint is not there or cannot be read.
    """
    return {lesson.key: lesson.statement(**lesson.class_values(folder, seed)) for lesson in lessons}


def sheet(
    lessons: Sequence[Lesson],
    sentences: Mapping[str, str],
    addresses: Mapping[str, str],
    scene: int,
    rounds: Sequence[Round] = (),
    game: int | None = None,
    pictures: Pictures = NO_PICTURES,
) -> str:
    """The hand-out as one HTML page.

    Args:
        lessons: in their order.
        sentences: what each lesson says of the scene, by its key (:func:`statements`); may lack some.
        addresses: where each lesson is opened, by its key, and the game's under "game".
        scene: the seed that everybody sees.
        rounds: of a game, to write its scores into; none leaves it out.
        game: its number.
        pictures: of the scene, for the questions and for the answers.
    """
    questions = [_question(number, lesson, addresses.get(lesson.key, "")) for number, lesson in enumerate(lessons, 1)]
    answers = [_answer(number, lesson, sentences.get(lesson.key, "")) for number, lesson in enumerate(lessons, 1)]
    if rounds:
        questions.append(_score_sheet(rounds, game, addresses.get("game", "")))
        answers.append(_springs(rounds, game))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Finding hidden relations: hand-out</title>'
        f"<style>{css()}{_STYLE}</style></head><body>"
        f"<header><h1>Finding hidden relations</h1><span>Scene {scene} &nbsp; Name: __________________</span></header>"
        f"{_pictures(pictures.questions)}{''.join(questions)}"
        f'<div class="answers"><header><h1>Answers</h1><span>For the teacher; scene {scene}</span></header>'
        f"{_pictures(pictures.answers)}{''.join(answers)}</div>"
        "</body></html>\n"
    )


def _question(number: int, lesson: Lesson, where: str) -> str:
    return (
        f"<section><h2>{number}. {escape(lesson.title)}</h2>{_place(where)}<p>{escape(lesson.idea)}</p>"
        f"<p><b>Do:</b> {escape(lesson.do)}</p><p><b>Notice:</b> {escape(lesson.notice)}</p>{_lines()}"
        f"<p><b>{escape(lesson.question)}</b></p>{_lines()}</section>"
    )


def _answer(number: int, lesson: Lesson, statement: str) -> str:
    note = f'<p class="note">Seen: {escape(statement)}</p>' if statement else ""
    return (
        f"<section><h2>{number}. {escape(lesson.title)}</h2>{note}<p><b>{escape(lesson.question)}</b> "
        f"{escape(lesson.answer)}</p></section>"
    )


def _place(where: str) -> str:
    """An address to type, and to point a phone's camera at."""
    return f'<div class="where with-code">{qr_code(where)}<span>{escape(where)}</span></div>' if where else ""


def _pictures(pictures: Mapping[str, str]) -> str:
    figures = [f"<figure>{svg}<figcaption>{escape(words)}</figcaption></figure>" for words, svg in pictures.items()]
    return f'<section class="pictures">{"".join(figures)}</section>' if figures else ""


def _lines() -> str:
    return '<div class="line"></div>' * LINES


def _score_sheet(rounds: Sequence[Round], game: int | None, where: str) -> str:
    rows = "".join(f"<tr><td>{r.number}</td><td>{escape(r.level.text)}</td><td></td><td></td></tr>" for r in rounds)
    return (
        f"<section><h2>Guess the springs, game {game}</h2>{_place(where)}"
        f"<table><tr><th>Round</th><th>What is asked</th><th>My points</th><th>The "
        f"model's</th></tr>{rows}</table></section>"
    )


def _springs(rounds: Sequence[Round], game: int | None) -> str:
    rows = "".join(
        f"<tr><td>{r.number}</td><td>{', '.join(f'{i}–{j}' for i, j in sorted(r.springs))}</td></tr>" for r in rounds
    )
    return (
        f"<section><h2>Guess the springs, game {game}</h2>"
        f"<table><tr><th>Round</th><th>Pairs with a spring</th></tr>{rows}</table></section>"
    )

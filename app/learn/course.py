"""What a lesson is, and what belongs to the course as a whole: its scene, its models and its words.

Sentences of a lesson explain; they state nothing about a trained model that a number could refute. Such statements are
computed, by :attr:`Lesson.statement` and the ``says()`` of the facts in the lesson's own file, for the model and the
scene that are on the page.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.learn.listing import listing

if TYPE_CHECKING:
    from app.learn.stage import Shown, Stage

SCENE = 200_042
"""The seed that lessons open with: a test system, stored for every model on the page."""
STATE_MODEL = "springs-4-3-state-hri-h"
IMAGE_MODELS = {"SlotDec": "springs-4-3-slot-hri", "ParDec": "springs-4-3-par-hri"}
"""By the names that the paper gives their decoders."""
LAST_GAME = 9_999
MINUTES = 5
"""A lesson takes about so long."""


@dataclass(frozen=True)
class Lesson:
    """One idea, one thing to do, one thing to notice: a file of :mod:`app.learn.lessons`."""

    key: str
    """Names the lesson in addresses; a few letters."""
    title: str
    idea: str
    """Markdown, a few sentences."""
    do: str
    notice: str
    section: str
    """Of the paper, where the matter is written."""
    mathematics: tuple[tuple[str, str], ...]
    """(words, LaTeX), shown on demand."""
    question: str
    answer: str
    show: Callable[[Stage], Shown]
    """The interactive half: draws itself and hands back what it computed."""
    statement: Callable[..., str]
    """Computes what the lesson states from values that can be written down (names of files, seeds, choices). Its source
    is the code that visitors see, so it imports what is slow to import by itself and ends in its only ``return``."""
    class_values: Callable[[Path, int], dict[str, Any]]
    """Values for ``statement`` once a class has followed the lesson, from the folder of checkpoints and the seed of the
    scene: they make the answer of the hand-out."""
    of_a_scene: bool = True
    """Whether it shows the system of a seed, which can then be chosen."""

    @property
    def code(self) -> str:
        """The source of the statement."""
        return inspect.getsource(inspect.unwrap(self.statement))

    def lines(self, **values: Any) -> str:
        """Python that runs as it is from the repository's folder and prints the statement for these values."""
        return listing(self.statement, values)

"""The lessons, a file each: its text, what it computes and states, and what it shows.

To add one, write its file beside these and name it in :data:`LESSONS`. The page, the teacher's forms, the hand-out and
the code under the lesson follow.
"""

from app.learn.course import Lesson
from app.learn.lessons import (
    beliefs,
    chance,
    cutting,
    decoders,
    future,
    hierarchy,
    limits,
    messages,
    parts,
    people,
    slots,
    springs,
)

LESSONS: tuple[Lesson, ...] = tuple(
    module.LESSON
    for module in (
        springs,
        parts,
        slots,
        decoders,
        beliefs,
        chance,
        messages,
        future,
        cutting,
        hierarchy,
        limits,
        people,
    )
)
"""In the order of the course."""


def lesson_of(key: str) -> Lesson:
    """The lesson of that name.

    Raises:
        ValueError: there is none.
    """
    for one in LESSONS:
        if one.key == key:
            return one
    raise ValueError(f"there is no lesson {key!r}; choose from {', '.join(one.key for one in LESSONS)}")

"""What made a checkpoint, as data: one command after the other, and what each trained."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

START = ("python", "-m", "hri")
"""How a command line begins."""


@dataclass(frozen=True)
class Command:
    """One command on the way to a checkpoint."""

    words: tuple[str, ...] = ()
    """All of its line, such as python -m hri train --preset ...; none where training was not started by a command."""
    stages: tuple[int, ...] = ()
    """Those that it trained: 1 to reconstruct, 2 to predict; none of a command that converts."""

    @staticmethod
    def from_dict(values: Any) -> Command:
        """The reverse of :func:`dataclasses.asdict`, through JSON.

        Raises:
            ValueError: something else.
        """
        if not isinstance(values, dict) or values.keys() != {"words", "stages"}:
            raise ValueError("its commands are not a list of words and stages")
        words, stages = values["words"], values["stages"]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("a command of its header is not a list of words")
        if not isinstance(stages, list) or not all(stage in (1, 2) for stage in stages):
            raise ValueError("a command of its header names other stages than 1 and 2")
        return Command(tuple(words), tuple(stages))


def text_of(commands: Sequence[Command]) -> str:
    """The same to read and to paste into a shell, a line each."""
    return "\n".join(shlex.join(command.words) for command in commands if command.words)


def from_text(text: str, updates: Mapping[str, int]) -> tuple[Command, ...]:
    """The commands of a header that holds nothing but their text, as all did once.

    Args:
        updates: made in each stage, by "stage1" and "stage2". Only the last command can have trained stage 2: the
            others are there for the encoder and decoder that the last one took.
    """
    *earlier, last = [*map(_words, text.splitlines())] or [()]
    if not last:
        return ()
    stages = tuple(stage for stage in (1, 2) if f"stage{stage}" in updates)
    if "train" not in last:
        stages = ()
    elif earlier and "--refine" not in last and 2 in stages:
        stages = (2,)
    return (*(Command(words, (1,)) for words in earlier), Command(last, stages))


def _words(line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line))
    except ValueError:  # a quotation mark too few, by hand
        return tuple(line.split())


def of_vision(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Those that encoder and decoder come from, without updates that left them alone."""
    ends = [place for place, command in enumerate(commands, start=1) if 1 in command.stages or not command.stages]
    if not ends:
        return ()
    *earlier, last = commands[: ends[-1]]
    # Where it asked for both stages, stage 1 alone gives the same encoder and decoder.
    return (*earlier, _without_prediction(last) if 2 in last.stages else last)


def _without_prediction(command: Command) -> Command:
    words: list[str] = []
    skipping = False
    for word in command.words:
        flag, equals, _ = word.partition("=")
        if skipping or flag in ("--updates", "--train.updates"):
            skipping = not skipping and not equals  # its number is the next word
        else:
            words.append(word)
    return replace(command, words=(*words, "--updates", "0") if words else (), stages=(1,))

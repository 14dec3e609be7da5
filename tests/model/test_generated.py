"""Command words of headers, whatever stands in them."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from hri.core.config import Config
from hri.model.checkpoint import Header
from hri.model.commands import START, Command, from_text, of_vision, text_of
from tests.generated import cases

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=12)
"""What stands on one line."""


def commands(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[Command]]:
    """Up to four trainings and conversions."""
    line = st.lists(words, max_size=4).map(lambda some: (*START, "train", *some))
    return st.lists(st.builds(Command, line, st.sampled_from([(), (1,), (2,), (1, 2)])), max_size=4)


@cases(60)
@given(commands(anything))
def test_a_header_keeps_commands_as_they_were_typed(some: list[Command]) -> None:
    header = Header(Config(), commands=tuple(some))
    assert Header.from_json(header.to_json()) == header
    assert header.history() == tuple(some)


@cases(60)
@given(commands(printable))
def test_the_text_of_commands_reads_as_the_same_words(some: list[Command]) -> None:
    read = from_text(text_of(some), {"stage1": 1, "stage2": 1})
    assert [command.words for command in read] == [command.words for command in some]
    assert text_of(read) == text_of(some)


@cases(60)
@given(commands(anything))
def test_what_made_the_encoder_trained_nothing_after_it_and_is_the_same_asked_twice(some: list[Command]) -> None:
    seeing = of_vision(some)
    assert of_vision(seeing) == seeing
    assert len(seeing) <= len(some)
    if seeing:
        assert 2 not in seeing[-1].stages
        *earlier, _ = some[: len(seeing)]
        assert seeing[:-1] == tuple(earlier)
    nothing_more = [*some, Command((*START, "train"), (2,))]
    assert of_vision(nothing_more) == seeing, "predicting leaves the encoder alone"
    bare = [dataclasses.replace(command, stages=(2,)) for command in some]
    assert of_vision(bare) == ()

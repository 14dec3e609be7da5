"""Messages with commands in them: code stays code, and text from outside makes nothing."""

from __future__ import annotations

from app import widgets


def test_commands_stay_code_and_what_came_from_outside_makes_nothing() -> None:
    told = widgets.said("*a*.csv cannot be read; give `--stretch 0.5` or [another](x)")
    assert (
        told == rf"{widgets.plain('*a*.csv cannot be read; give ')}`--stretch 0.5`{widgets.plain(' or [another](x)')}"
    )
    assert widgets.said("one ` of a name") == widgets.plain("one ` of a name")

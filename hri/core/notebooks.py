"""How records show themselves in a notebook; what draws them lies further down the house and is loaded when asked for.

``hri/__init__.py`` adds the way to :data:`SHOWS`, so that nothing here, nor ``import hri``, loads what draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SHOWS: list[Callable[[Any], str]] = []
"""A record to HTML; the last one counts."""


def html(record: object) -> str | None:
    """The record as HTML; None, for a notebook to print it plainly, where nothing draws."""
    return SHOWS[-1](record) if SHOWS else None

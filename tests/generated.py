"""Cases that Hypothesis makes up: how many, and the kinds that several folders need. The same ones on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from hri.core.hierarchy import Tree


def cases(count: int) -> settings:
    """So many, always the same, and none written to disk; a slow machine is no failure."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@st.composite
def trees(draw: Any, largest: int = 14) -> Tree:
    """Any tree of two nodes and more: every parent before its child, in any other order."""
    size = draw(st.integers(2, largest))
    return Tree((-1, *(draw(st.integers(0, node - 1)) for node in range(1, size))))


flat_trees = st.integers(2, 14).map(Tree.balls)


def decimals(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of any number of digits, both ends and both zeros among them."""
    return st.floats(low, high, allow_nan=False)


def unless_refused(call: Callable[..., Any], *given: Any) -> Any:
    """What a call returns; None where it refuses what it is given, which it must do in one short sentence."""
    try:
        return call(*given)
    except ValueError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert 10 < len(sentence) < 300
    return None

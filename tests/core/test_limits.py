"""Ranges that stand beside their fields."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from hri.core.limits import Between, check_limits, from_plain, limits


@dataclass(frozen=True)
class Wheel:
    spokes: Annotated[int, Between(3, 40)] = 32
    colour: str = "grey"


@dataclass(frozen=True)
class Cart:
    load: Annotated[float, Between(0.0, 500.0)] = 0.0
    wheel: Wheel = field(default_factory=Wheel)
    spare: Wheel | None = None


def test_ranges_are_read_from_the_fields_also_of_parts_that_may_be_missing() -> None:
    assert limits(Cart) == {
        "load": Between(0.0, 500.0),
        "wheel.spokes": Between(3, 40),
        "spare.spokes": Between(3, 40),
    }


@pytest.mark.parametrize("cart", [Cart(), Cart(500.0, Wheel(3), Wheel(40)), Cart(0.0)])
def test_both_ends_of_a_range_are_in_it(cart: Cart) -> None:
    check_limits(cart)


@pytest.mark.parametrize(
    ("cart", "sentence"),
    [
        (Cart(-0.1), "load is -0.1; choose a value from 0.0 to 500.0"),
        (Cart(math.nan), "load is nan; choose a value from 0.0 to 500.0"),
        (Cart(wheel=Wheel(2)), "wheel.spokes is 2; choose a value from 3 to 40"),
        (Cart(spare=Wheel(41)), "spare.spokes is 41; choose a value from 3 to 40"),
    ],
)
def test_what_is_out_of_range_is_named_with_its_path_and_range(cart: Cart, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        check_limits(cart)


@pytest.mark.parametrize("plain", [{}, {"load": 3}, {"spare": {"spokes": 8}}, {"spare": None, "wheel": {}}])
def test_json_becomes_the_dataclass_whatever_stands_beside_its_types(plain: dict[str, Any]) -> None:
    cart = from_plain(Cart, plain, "cart")
    assert isinstance(cart, Cart)
    assert isinstance(cart.load, float)
    assert (cart.spare is None) == (not plain.get("spare"))

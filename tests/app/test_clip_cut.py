"""The part of a video that is proposed."""

from __future__ import annotations

import pytest

from app.explore.clip import centred_square


@pytest.mark.parametrize(
    ("width", "height", "square"),
    [(64, 48, (8, 0, 48)), (48, 64, (0, 8, 48)), (32, 32, (0, 0, 32)), (1920, 1080, (420, 0, 1080)), (1, 5, (0, 2, 1))],
)
def test_a_film_keeps_its_aspect_in_the_largest_square_in_its_middle(
    width: int, height: int, square: tuple[int, int, int]
) -> None:
    assert centred_square(width, height) == square

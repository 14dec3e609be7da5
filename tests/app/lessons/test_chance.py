"""Temperature and draws."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn.lessons import chance
from tests.app.lessons.shown import printed


def test_temperature_changes_how_decided_draws_are_and_never_who_wins() -> None:
    found = [chance.draws(0.7, temperature, 4000) for temperature in (0.05, 0.5, 5.0)]
    winners = [one.weights > 0.5 for one in found]
    assert (winners[0] == winners[1]).all()
    assert (winners[0] == winners[2]).all()
    assert winners[0].mean() == pytest.approx(0.7, abs=0.03)
    decided = [np.maximum(one.weights, 1 - one.weights).mean() for one in found]
    assert decided[0] > decided[1] > decided[2] > 0.5
    assert printed("chance", probability=0.7, temperature=2.0) == chance.draws(0.7, 2.0).says()
    with pytest.raises(ValueError, match="between 0 and 1"):
        chance.draws(1.0, 0.5)

"""Springs hold together what they join, as the lesson states."""

from __future__ import annotations

import re

import numpy as np

from app.learn import course
from app.learn.lessons import springs
from hri.physics.systems import System
from tests.app.lessons.shown import printed


def test_springs_hold_together_what_they_join() -> None:
    joined, cut = [], []
    for seed in range(course.SCENE, course.SCENE + 20):
        system = System.of_seed("1-3", "04", seed)
        tree = System(system.tree, "04", ((0, 1), (1, 2), (1, 3), (1, 4)), system.positions, system.velocities)
        found = springs.apart(tree, (4, 1))
        joined.append(found.with_spring.mean())
        cut.append(found.without_spring.mean())
        said = [float(number) for number in re.findall(r"\d\.\d\d", found.says())]
        assert said == [round(joined[-1], 2), round(cut[-1], 2)]
        assert ("times as far" in found.says()) == (cut[-1] > 1.1 * joined[-1])
        assert found.pair == (1, 4)
    assert cut[0] > 2 * joined[0]  # the scene that the lesson opens with
    assert np.mean(cut) > 1.5 * np.mean(joined)


def test_a_spring_may_be_there_already_or_not() -> None:
    system = System.of_seed("1-3", "04", 5)
    without = System(system.tree, "04", ((0, 1),), system.positions, system.velocities)
    with_it = System(system.tree, "04", ((0, 1), (1, 3)), system.positions, system.velocities)
    one, other = springs.apart(without, (1, 3)), springs.apart(with_it, (1, 3))
    assert np.array_equal(one.with_spring, other.with_spring)
    assert np.array_equal(one.without_spring, other.without_spring)
    track = with_it.simulate().positions[0]
    assert np.allclose(one.with_spring, np.hypot(*(track[:, 1] - track[:, 3]).T))
    assert printed("springs", system=without.to_address(), pair=(1, 3)) == one.says()

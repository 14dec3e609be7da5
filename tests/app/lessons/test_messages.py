"""How far news gets within a step of a real model."""

from __future__ import annotations

import numpy as np
import torch

from app.learn import course
from app.learn.lessons import messages
from hri.rollout.phases import phases
from tests.app.lessons.shown import TREE, file, model, printed, stored


def test_news_reaches_exactly_those_whose_memory_it_changes() -> None:
    """Change a leaf's hidden state before a phase of a real step, and see whose states differ after it."""
    checkpoint, rollout, step = model(course.STATE_MODEL), stored(course.STATE_MODEL), 20
    inside = phases(checkpoint, rollout, step)
    dynamics = checkpoint.model.dynamics
    kinds = torch.from_numpy(rollout.edge_types[0, step].astype(np.int64))
    weights = torch.nn.functional.one_hot(kinds, 2)[:, None].float()
    hidden = torch.from_numpy(inside.hidden[0])[:, None]
    with torch.no_grad():
        plain = [after for _, after in dynamics.speak(hidden, weights)]
        for leaf in (5, 12):
            pushed = hidden.clone()
            pushed[leaf] += 0.5
            others = [after for _, after in dynamics.speak(pushed, weights)]
            found = messages.news_reach(TREE, inside, rollout, leaf)
            for phase in range(5):
                differs = (others[phase] - plain[phase]).abs().amax((1, 2)).numpy() > 0
                assert (differs == found.has_news[phase]).all(), (leaf, phase)
    assert found.names == tuple(inside.titles[:5])
    values = {"checkpoint": str(file(course.STATE_MODEL)), "seed": course.SCENE}
    assert printed("messages", step=step, leaf=12, phase=2, **values) == found.says(2)

"""One edge over time: what is drawn is what the rollout says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hri.core.records import Rollout
from hri.rollout.edits import SetEdge
from hri.rollout.interventions import Intervention
from hri.view import beliefs
from hri.view import facts as pictures
from hri.view.edge_chart import edge_timeline
from tests.synthetic import slot_rollout, state_rollout

STATES, SLOTS = state_rollout(), slot_rollout(types=4, pairs="all")


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
def test_probabilities_truth_and_changes_of_mind_are_drawn(rollout: Rollout) -> None:
    names = beliefs.learned_names(rollout).types
    row = max(range(len(rollout.edge_sender_receiver)), key=lambda row: len(beliefs.flips(rollout, row)))
    figure = edge_timeline(rollout, row, names)
    traces = {trace.name: trace for trace in figure.data}
    for kind, name in enumerate(names):
        assert np.allclose(traces[name].y, rollout.edge_probabilities[0, :-1, row, kind])
        assert traces[name].x[0] == 1, "the first probabilities predicted frame 1"
    i, j = rollout.edge_sender_receiver[row]
    springs = pictures.true_springs(rollout)
    assert springs is not None
    there = [value is not None and np.isfinite(value) for value in traces["true spring"].y]
    assert there == (springs[1:, i, j] > 0).tolist()
    assert "your edit" not in traces
    lines = [shape.x0 + 0.5 for shape in figure.layout.shapes if shape.type == "line"]
    assert lines == beliefs.flips(rollout, row)
    assert lines or rollout is STATES  # whose beliefs never turn
    assert [note.text for note in figure.layout.annotations] == ["burn-in", "free run"]
    free = figure.layout.shapes[-1]
    assert free.x0 == rollout.last_true_input + 1.5


def test_frames_at_which_edits_hold_the_edge_are_drawn() -> None:
    i, j = STATES.edge_sender_receiver[5].tolist()
    edited = dataclasses.replace(STATES, edits=Intervention((SetEdge(i, j, 0, 10, 19),)).to_json())
    bar = next(trace for trace in edge_timeline(edited, 5, ("no", "yes")).data if trace.name == "your edit")
    assert [frame for frame, y in zip(bar.x, bar.y, strict=True) if np.isfinite(y)] == list(range(11, 21))
    assert all(trace.name != "your edit" for trace in edge_timeline(edited, 6, ("no", "yes")).data)

"""The picture of a phase: only edges that speak in it, nodes rimmed as far as they move, and the sentence agrees."""

from __future__ import annotations

import numpy as np
import pytest

from hri.core.hierarchy import node_name
from hri.rollout.phases import phases
from hri.view import phase_chart as figures_phases
from tests.rollout.test_phases import rolled
from tests.rollout.test_rollout import made


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-state-nri", "springs-4-3-slot-hri-h"])
def test_each_phase_shows_who_speaks_and_who_moves(name: str) -> None:
    rollout = rolled(name)
    found = phases(made(name), rollout, 3)
    for phase in range(len(found.names)):
        figure = figures_phases.phase_graph(found, rollout, phase)
        rows = found.row[(found.phase == phase) & (found.type > 0)]
        wanted = {f"edge_{i}_{j}" for i, j in rollout.edge_sender_receiver[rows].tolist()}
        assert {shape.name for shape in figure.layout.shapes} == wanted
        nodes = next(trace for trace in figure.data if trace.meta == "nodes")
        moved = found.movement(phase)
        assert int(np.argmax(nodes.marker.line.width)) == int(np.argmax(moved))
        assert (np.array(nodes.marker.line.width)[moved == 0] == 1).all()
        said = figures_phases.in_words(found, rollout, phase)
        assert (node_name(rollout.tree, int(moved.argmax())) in said) == bool(moved.any())


def test_one_hidden_state_for_all_has_no_node_of_its_own() -> None:
    rollout = rolled("springs-4-3-state-lstm")
    found = phases(made("springs-4-3-state-lstm"), rollout, 3)
    figure = figures_phases.phase_graph(found, rollout, 0)
    nodes = next(trace for trace in figure.data if trace.meta == "nodes")
    assert set(nodes.marker.line.width) == {1}
    assert not figure.layout.shapes
    assert "the one hidden state of all nodes moves by" in figures_phases.in_words(found, rollout, 0)

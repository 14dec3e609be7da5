"""One phase of one step as a picture: which edges speak, how loudly, and how far each node's hidden state moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from hri.core.hierarchy import Tree, edge_name, node_name
from hri.core.records import Rollout
from hri.view.facts import in_plotly
from hri.view.graph import interaction_graph
from hri.view.layout import HIT_SHARES
from hri.view.style import RIM, STYLE, colour

if TYPE_CHECKING:
    from hri.rollout.phases import Phases

MOVED = STYLE.touched
"""Rim of a node that moves: the wider, the further."""


def phase_graph(phases: Phases, rollout: Rollout, phase: int) -> go.Figure:
    """The edges of a phase that carry a message, as wide as it is long; nodes rimmed as far as they move.

    A model with one hidden state for all nodes (LSTM) has no node of its own to rim before the last phase.

    Args:
        phases: of one step.
        rollout: that it was told of.
        phase: 0 ... R - 1.
    """
    tree = rollout.tree
    rows = np.flatnonzero((phases.phase == phase) & (phases.type > 0))
    pairs = rollout.edge_sender_receiver[phases.row[rows]].reshape(-1, 2)
    figure = interaction_graph(tree, pairs, rollout.edge_probabilities.shape[-1], "radial", springs=False)
    shapes, traces = {shape.name: shape for shape in figure.layout.shapes}, {trace.meta: trace for trace in figure.data}
    sizes = phases.size[rows]
    loudest, heads, words = float(sizes.max(initial=0.0)), [], []
    for (i, j), kind, size in zip(pairs.tolist(), phases.type[rows], sizes, strict=True):
        share = float(size) / loudest if loudest > 0 else 0.0
        line = shapes[f"edge_{i}_{j}"].line
        line.color, line.width = colour(int(kind)), round(STYLE.thin + (STYLE.thick - STYLE.thin) * share, 2)
        heads.append(colour(int(kind)))
        words += [f"{in_plotly(edge_name(tree, i, j))}<br>message of length {size:.3g}"] * len(HIT_SHARES)
    traces["heads"].marker.color = heads
    traces["hits"].customdata = words
    traces["hits"].hovertemplate = "%{customdata}<extra></extra>"
    movement = (
        np.resize(phases.movement(phase), tree.size) if _a_node_each(phases, tree, phase) else np.zeros(tree.size)
    )
    most = float(movement.max(initial=0.0))
    nodes = traces["nodes"]
    nodes.marker.line.width = [1 + 5 * float(m) / most if most > 0 else 1 for m in movement]
    nodes.marker.line.color = [MOVED if m > 0 else RIM for m in movement]
    nodes.customdata = [f"{in_plotly(node_name(tree, k))}<br>moves by {m:.3g}" for k, m in enumerate(movement)]
    nodes.hovertemplate = "%{customdata}<extra></extra>"
    figure.update_layout(height=360, showlegend=False)
    return figure


def in_words(phases: Phases, rollout: Rollout, phase: int) -> str:
    """What happens in a phase, in a sentence with its numbers."""
    tree, name = rollout.tree, phases.names[phase]
    movement = phases.movement(phase)
    if name == "LSTM":
        verb = f"The LSTM takes in frame {phases.step} and what was heard"
    elif name == "messages":
        verb = "What the messages added is set beside the state"
    elif name == "decode":
        verb = f"A change is read off each hidden state and added to frame {phases.step}"
    else:
        here = phases.phase == phase
        speak = int((here & (phases.type > 0)).sum())
        verb = f"{speak} of {int(here.sum())} edges speak"
    if not _a_node_each(phases, tree, phase):
        return f"{verb}; the one hidden state of all nodes moves by {float(movement.max(initial=0.0)):.2g}."
    if not movement.any():
        return f"{verb}; no node moves."
    return f"{verb}; {node_name(tree, int(movement.argmax()))} moves furthest, by {float(movement.max()):.2g}."


def _a_node_each(phases: Phases, tree: Tree, phase: int) -> bool:
    return len(phases.movement(phase)) == tree.size

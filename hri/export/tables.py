"""A rollout for other programs: one graph a frame (GraphML), one row an edge and step (CSV), all of it (JSON).

Every edge is named by its sender and receiver, so nobody has to guess which row is which pair.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import networkx as nx
import numpy as np

from hri.core.hierarchy import level_name, node_name
from hri.core.records import Rollout
from hri.rollout.predicted import predicted_nodes
from hri.view.facts import edge_step, error_curves, node_positions, true_springs, type_name

DIGITS = 6
"""Significant digits of every number written."""


def graph(rollout: Rollout, frame: int) -> nx.DiGraph:
    """The graph the model believes in when it predicts one frame of a one-scene rollout.

    Nodes: name, level (0: root), level_name, parent (-1: none), x and y (column and row as shares of the frame),
    error (root mean square of the prediction, from frame 1 on). Edges: row (in every array of the rollout), type,
    type_name, probability (of that type), probability_0 ... probability_K-1, and spring (1 where a true spring joins
    the two, where that is known; of charges: repel).

    Raises:
        ValueError: no such frame.
    """
    times = rollout.slots.shape[1]
    if not 0 <= frame < times:
        raise ValueError(f"there is no frame {frame}; this rollout has frames 0 to {times - 1}")
    tree, step, springs, at = rollout.tree, edge_step(rollout, frame), true_springs(rollout), node_positions(rollout)
    network = nx.DiGraph(**_about(rollout), frame=frame, step=step)
    wrong = np.sqrt(np.square(predicted_nodes(rollout) - rollout.slots[0, 1:]).mean(-1))
    for node in range(tree.size):
        attributes = {
            "name": node_name(tree, node),
            "level": int(tree.depth[node]),
            "level_name": level_name(tree, int(tree.depth[node])),
            "parent": tree.parents[node],
            "x": _short(at[frame, node, 0]),
            "y": _short(at[frame, node, 1]),
        }
        if frame and np.isfinite(wrong[frame - 1, node]):
            attributes["error"] = _short(wrong[frame - 1, node])
        network.add_node(node, **attributes)
    chances, kinds = rollout.edge_probabilities[0, step], rollout.edge_types[0, step]
    for row, (sender, receiver) in enumerate(rollout.edge_sender_receiver.tolist()):
        kind = int(kinds[row])
        attributes = {
            "row": row,
            "type": kind,
            "type_name": type_name(kind, chances.shape[1]),
            "probability": _short(chances[row, kind]),
        }
        attributes |= {f"probability_{k}": _short(chance) for k, chance in enumerate(chances[row])}
        if springs is not None:
            attributes[rollout.force.types[1]] = int(springs[frame, sender, receiver])
        network.add_edge(sender, receiver, **attributes)
    return network


def graphml(rollout: Rollout, frame: int) -> bytes:
    """:func:`graph` as GraphML, which networkx, igraph, Gephi, yEd and Cytoscape read.

    Raises:
        ValueError: no such frame.
    """
    return "\n".join(nx.generate_graphml(graph(rollout, frame), named_key_ids=True)).encode()


def edge_table(rollout: Rollout) -> str:
    """CSV, one line an edge and step: row, sender, receiver, their names, step, the frame it predicts, what its input
    was, type, the probability of each type, and spring (empty where the truth is not known; of charges:
    repel).
    """
    buffer = io.StringIO()
    lines = csv.writer(buffer, lineterminator="\n")
    chances, kinds, springs = rollout.edge_probabilities[0], rollout.edge_types[0], true_springs(rollout)
    steps, _, types = chances.shape
    head = ["row", "sender", "receiver", "sender_name", "receiver_name", "step", "predicts_frame", "input", "type"]
    lines.writerow([*head, *(f"probability_{kind}" for kind in range(types)), rollout.force.types[1]])
    for row, (sender, receiver) in enumerate(rollout.edge_sender_receiver.tolist()):
        names = [node_name(rollout.tree, node) for node in (sender, receiver)]
        for step in range(steps):
            input_kind = "true" if step <= rollout.last_true_input else "predicted"
            spring = "" if springs is None else int(springs[min(step + 1, steps - 1), sender, receiver])
            shares = [f"{chance:.{DIGITS}g}" for chance in chances[step, row]]
            line = [row, sender, receiver, *names, step, step + 1, input_kind, int(kinds[step, row])]
            lines.writerow([*line, *shares, spring])
    return buffer.getvalue()


def as_json(rollout: Rollout) -> str:
    """Everything but pixels as JSON; numbers that do not exist are null."""
    tree, springs, curves = rollout.tree, true_springs(rollout), error_curves(rollout)
    chances, kinds = rollout.edge_probabilities[0], rollout.edge_types[0]
    nodes = [
        {"node": node, "name": node_name(tree, node), "level": int(tree.depth[node]), "parent": parent}
        for node, parent in enumerate(tree.parents)
    ]
    edges = [
        {
            "row": row,
            "sender": sender,
            "receiver": receiver,
            "types": kinds[:, row].tolist(),
            "probabilities": _plain(chances[:, row]),
            rollout.force.types[1]: None if springs is None else springs[:, sender, receiver].tolist(),
        }
        for row, (sender, receiver) in enumerate(rollout.edge_sender_receiver.tolist())
    ]
    payload = {
        "format": "hri-rollout",
        "version": 1,
        **_about(rollout),
        "edits": json.loads(rollout.edits) if rollout.edits else None,
        "frames": rollout.slots.shape[1],
        "note": "index t of types, probabilities and predicted belongs to the step that predicts frame t + 1",
        "nodes": nodes,
        "edges": edges,
        "errors": {"unit": curves.unit, "model": _plain(curves.model), "copy": _plain(curves.copy)},
        "truth": _plain(rollout.slots[0]),
        "predicted": _plain(predicted_nodes(rollout)),
    }
    return json.dumps(payload, separators=(",", ":"), allow_nan=False)


def _about(rollout: Rollout) -> dict[str, Any]:
    """Where a rollout comes from."""
    return {
        "checkpoint": "".join(letter for letter in rollout.checkpoint if letter.isprintable()),
        "seed": -1 if rollout.seeds is None else int(rollout.seeds[0]),
        "observation": rollout.observation,
        "last_true_input": int(rollout.last_true_input),
        "edges_chosen": str(rollout.edges),
        "edits": str(rollout.edits),
    }


def _short(value: Any) -> float:
    return float(f"{float(value):.{DIGITS}g}")


def _plain(values: np.ndarray) -> Any:
    """Nested lists of short numbers, None for what JSON cannot say."""
    if values.ndim > 1:
        return [_plain(part) for part in values]
    return [_short(value) if np.isfinite(value) else None for value in values]

"""A rollout as JSON for the browser's player (``app/player``): sent once a scene, nothing a step."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from hri.core.hierarchy import in_families, node_name, ranks
from hri.core.records import Rollout
from hri.scores.compare import moved
from hri.view.beliefs import changes, ways
from hri.view.facts import (
    bones,
    edge_rows,
    edge_step,
    error_curves,
    forced_types,
    joint_positions,
    node_positions,
    spring_pairs,
    true_springs,
    type_name,
)
from hri.view.layout import HIT_SHARES, Layout, bend_of, radii
from hri.view.style import STYLE, colour, none_alpha


def image_data(rollout: Rollout, original: Rollout | None = None) -> dict[str, Any]:
    """All that ``app/player/images.js`` needs, as JSON; ``original`` is the rollout without edits."""
    tree, levels, curves = rollout.tree, ranks(rollout.tree), error_curves(rollout)
    return {
        "root": np.flatnonzero(levels == 0).tolist(),
        "middle": np.flatnonzero(levels == 1).tolist(),
        "leaves": tree.leaves.tolist(),
        "cells": tree.cells.tolist() if rollout.observation == "frames" else None,
        "last_true_input": int(rollout.last_true_input),
        "errors": numbers(curves.model),
        "unit": curves.unit,
        "moved": None if original is None else numbers(moved(rollout, original)),
        "bones": bones(rollout).tolist(),
        "arrays": pack(image_arrays(rollout, original)),
    }


def timeline_data(rollout: Rollout, original: Rollout | None = None) -> dict[str, Any]:
    """All that ``app/player/timeline.js`` needs, as JSON; ``original`` is the rollout without edits."""
    curves = error_curves(rollout)
    return {
        "last_true_input": int(rollout.last_true_input),
        "errors": numbers(curves.model),
        "copying": numbers(curves.copy),
        "unit": curves.unit,
        "original": None if original is None else numbers(error_curves(original).model),
        "moved": None if original is None else numbers(moved(rollout, original)),
    }


def numbers(values: Float[np.ndarray, " T"]) -> list[float | None]:
    """Four digits each; None for what JSON cannot say."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def image_arrays(rollout: Rollout, original: Rollout | None = None) -> dict[str, np.ndarray]:
    """Truth, prediction and slot images as uint8, and node positions, for the player.

    Frame 0 of a prediction is black: nothing was predicted. A rollout without frames gives black ones.
    """
    times = rollout.slots.shape[1]
    truth = rollout.frames[0] if rollout.frames is not None else np.zeros((times, 32, 32, 1), dtype=np.uint8)
    arrays = {"truth": as_rgb(truth)}
    if rollout.predicted_frames is not None:
        arrays["prediction"] = as_rgb(after_blank(as_bytes(rollout.predicted_frames[0])))
    if original is not None and original.predicted_frames is not None:
        arrays["ghost"] = as_rgb(after_blank(as_bytes(original.predicted_frames[0])))
    if rollout.slot_frames is not None:
        arrays["slots"] = as_rgb(after_blank(as_bytes(rollout.slot_frames[0])))
    if rollout.observation == "states":
        arrays["truth_nodes"] = node_positions(rollout, "truth").astype(np.float32)
        arrays["prediction_nodes"] = node_positions(rollout, "prediction").astype(np.float32)
    elif (joints := joint_positions(rollout)) is not None:
        arrays["joints"] = joints.astype(np.float32)
    return arrays


def graph_data(
    rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """All that ``app/player/graph.js`` needs to repaint ``interaction_graph(tree, pairs, K, layout)``, as JSON.

    Args:
        rows: of the rollout's edges.
        layout: of the graph.
        names: of the edge types, where they are not the learned ones.
    """
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    types = rollout.edge_probabilities.shape[-1]
    capsules = spring_pairs(rollout.tree, pairs) if rollout.true_adjacency is not None else np.empty((0, 2), dtype=int)
    looks = {"colours": [colour(kind) for kind in range(types)], "none_alpha": none_alpha(len(pairs))}
    row_of = {(int(i), int(j)): row for row, (i, j) in enumerate(capsules)}
    return {
        "nodes": rollout.tree.size,
        "pairs": pairs.tolist(),
        "capsules": capsules.tolist(),
        "capsule_of": [row_of.get((int(min(pair)), int(max(pair))), -1) for pair in pairs],
        "type_names": list(names or (type_name(kind, types) for kind in range(types))),
        "truths": list(rollout.force.truths),
        "ways": ways(rollout.tree, pairs),
        "hit_shares": list(HIT_SHARES),
        "bow": bend_of(layout),
        "style": dataclasses.asdict(STYLE) | looks,
        "arrays": pack(graph_arrays(rollout, rows, layout)),
    }


def matrix_data(rollout: Rollout, names: Sequence[str] | None = None) -> dict[str, Any]:
    """All that ``app/player/matrix.js`` needs: every inferred pair, nodes in the order of the tree, as JSON."""
    tree, arrays = rollout.tree, {}
    springs = true_springs(rollout)
    if springs is not None:
        arrays["springs"] = np.ascontiguousarray(springs)
    told = _edges(rollout, edge_rows(rollout, "all"), names, arrays)
    return told | {
        "order": in_families(tree),
        "ranks": ranks(tree).tolist(),
        "parents": list(tree.parents),
        "spring": STYLE.spring,
    }


def ledger_data(rollout: Rollout, rows: Int[np.ndarray, " R"], names: Sequence[str] | None = None) -> dict[str, Any]:
    """All that ``app/player/ledger.js`` needs: these edges at every frame, and when they changed, as JSON."""
    arrays, springs = {}, true_springs(rollout)
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    if springs is not None:
        arrays["springs"] = np.ascontiguousarray(springs[:, pairs[:, 0], pairs[:, 1]])
    place = {int(row): index for index, row in enumerate(rows)}
    found = [
        [change.frame, place[change.row], change.before, change.after, round(change.moved, 3)]
        for change in changes(rollout, rows)
    ]
    told = _edges(rollout, rows, names, arrays)
    return told | {"changes": found, "last_true_input": int(rollout.last_true_input)}


def _edges(
    rollout: Rollout, rows: Int[np.ndarray, " R"], names: Sequence[str] | None, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What is shared by those that show edges without a graph."""
    tree, types = rollout.tree, rollout.edge_probabilities.shape[-1]
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    steps = [edge_step(rollout, frame) for frame in range(rollout.slots.shape[1])]
    believed = {
        "probabilities": as_bytes(rollout.edge_probabilities[0][steps][:, rows]),
        "types": rollout.edge_types[0][steps][:, rows].astype(np.uint8),
    }
    return {
        "frames": len(steps),
        "nodes": [node_name(tree, node) for node in range(tree.size)],
        "pairs": pairs.tolist(),
        "truths": list(rollout.force.truths),
        "ways": ways(tree, pairs),
        "type_names": list(names or (type_name(kind, types) for kind in range(types))),
        "colours": [colour(kind) for kind in range(types)],
        "arrays": pack(believed | arrays),
    }


def graph_arrays(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict[str, np.ndarray]:
    """Probabilities (0 ... 255), types and springs of the shown edges at every frame, for the player."""
    times = rollout.slots.shape[1]
    steps = [edge_step(rollout, frame) for frame in range(times)]
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    arrays = {
        "probabilities": as_bytes(rollout.edge_probabilities[0][steps][:, rows]),
        "types": rollout.edge_types[0][steps][:, rows].astype(np.uint8),
    }
    forced = forced_types(rollout)
    if forced is not None:
        arrays["forced"] = (forced[:, rows] + 1).astype(np.uint8)  # 0 is free, 1 cut
    springs = true_springs(rollout)
    if springs is not None:
        capsules = spring_pairs(rollout.tree, pairs)
        arrays["springs"] = np.ascontiguousarray(springs[:, capsules[:, 0], capsules[:, 1]])
    if layout == "image":
        arrays["frames"] = image_arrays(rollout)["truth"]
        if rollout.observation == "states":
            arrays["nodes"] = node_positions(rollout).astype(np.float32)
            arrays["radii"] = radii(rollout.tree, "image").astype(np.float32)
    return arrays


def pack(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays (float32 or uint8) as JSON: one blob, zlib in base64, and where in it each lies."""
    index, blob = {}, b""
    for name, array in arrays.items():
        # The browser reads float32 in place, which must then start at a multiple of four bytes.
        blob += b"\0" * (-len(blob) % 4)
        index[name] = {"shape": list(array.shape), "type": array.dtype.name, "at": len(blob)}
        blob += np.ascontiguousarray(array).tobytes()
    return {"index": index, "blob": base64.b64encode(zlib.compress(blob, 6)).decode()}


def as_bytes(values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """0 ... 1 as 0 ... 255; what is not a number becomes 0."""
    return np.round(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)


def as_rgb(images: UInt8[np.ndarray, "*shape C"]) -> UInt8[np.ndarray, "*shape 3"]:
    """Grey pictures in three equal channels."""
    return images if images.shape[-1] == 3 else np.repeat(images[..., :1], 3, -1)


def after_blank(images: Shaped[np.ndarray, "F *shape"]) -> Shaped[np.ndarray, "F+1 *shape"]:
    """Zeros for frame 0, which nothing predicts, before what was predicted."""
    return np.concatenate([np.zeros_like(images[:1]), images])

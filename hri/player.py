"""A rollout as JSON for the browser's player (``app/player``): sent once a scene, nothing a step."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.figures import HIT_SHARES, STYLE, Layout, bend_of, colour, none_alpha, radii
from hri.pictures import edge_step, error_curves, node_positions, ranks, spring_pairs, true_springs, type_name
from hri.records import Rollout


def image_data(rollout: Rollout) -> dict[str, Any]:
    """All that ``app/player/images.js`` needs, as JSON."""
    tree, levels, curves = rollout.tree, ranks(rollout.tree), error_curves(rollout)
    return {
        "root": np.flatnonzero(levels == 0).tolist(),
        "middle": np.flatnonzero(levels == 1).tolist(),
        "leaves": tree.leaves.tolist(),
        "cells": tree.cells.tolist() if rollout.observation == "frames" else None,
        "last_true_input": int(rollout.last_true_input),
        "errors": _numbers(curves.model),
        "unit": curves.unit,
        "arrays": pack(image_arrays(rollout)),
    }


def timeline_data(rollout: Rollout) -> dict[str, Any]:
    """All that ``app/player/timeline.js`` needs, as JSON."""
    curves = error_curves(rollout)
    return {
        "last_true_input": int(rollout.last_true_input),
        "errors": _numbers(curves.model),
        "copying": _numbers(curves.copy),
        "unit": curves.unit,
    }


def _numbers(values: Float[np.ndarray, " T"]) -> list[float | None]:
    """Four digits each; None for what JSON cannot say."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def image_arrays(rollout: Rollout) -> dict[str, np.ndarray]:
    """Truth, prediction and slot images as uint8, and node positions, for the player.

    Frame 0 of a prediction is black: nothing was predicted. A rollout without frames gives black ones.
    """
    times = rollout.slots.shape[1]
    truth = rollout.frames[0] if rollout.frames is not None else np.zeros((times, 32, 32, 1), dtype=np.uint8)
    arrays = {"truth": _rgb(truth)}
    if rollout.predicted_frames is not None:
        arrays["prediction"] = _rgb(_after_blank(_bytes(rollout.predicted_frames[0])))
    if rollout.slot_frames is not None:
        arrays["slots"] = _rgb(_after_blank(_bytes(rollout.slot_frames[0])))
    if rollout.observation == "states":
        arrays["truth_nodes"] = node_positions(rollout, "truth").astype(np.float32)
        arrays["prediction_nodes"] = node_positions(rollout, "prediction").astype(np.float32)
    return arrays


def graph_data(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict[str, Any]:
    """All that ``app/player/graph.js`` needs to repaint ``interaction_graph(tree, pairs, K, layout)``, as JSON."""
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
        "type_names": [type_name(kind, types) for kind in range(types)],
        "hit_shares": list(HIT_SHARES),
        "bow": bend_of(layout),
        "style": dataclasses.asdict(STYLE) | looks,
        "arrays": pack(graph_arrays(rollout, rows, layout)),
    }


def graph_arrays(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict[str, np.ndarray]:
    """Probabilities (0 ... 255), types and springs of the shown edges at every frame, for the player."""
    times = rollout.slots.shape[1]
    steps = [edge_step(rollout, frame) for frame in range(times)]
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    arrays = {
        "probabilities": _bytes(rollout.edge_probabilities[0][steps][:, rows]),
        "types": rollout.edge_types[0][steps][:, rows].astype(np.uint8),
    }
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


def _bytes(values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """0 ... 1 as 0 ... 255; what is not a number becomes 0."""
    return np.round(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)


def _rgb(images: UInt8[np.ndarray, "*shape C"]) -> UInt8[np.ndarray, "*shape 3"]:
    return images if images.shape[-1] == 3 else np.repeat(images[..., :1], 3, -1)


def _after_blank(images: UInt8[np.ndarray, "F *shape"]) -> UInt8[np.ndarray, "F+1 *shape"]:
    return np.concatenate([np.zeros_like(images[:1]), images])

"""A rollout as JSON for the browser's player (``app/player``): sent once a scene, nothing a step."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from hri.core.hierarchy import in_families, node_name, ranks
from hri.core.records import Rollout
from hri.scores.compare import edit_effect
from hri.view.beliefs import changes, ways
from hri.view.discs import discs
from hri.view.facts import edge_rows, error_curves, joint_positions, node_positions, true_frames
from hri.view.layout import HIT_SHARES, Layout, bend_of, radii
from hri.view.scene import Marks
from hri.view.skeleton import skeleton
from hri.view.style import HEAT, STYLE
from hri.view.terms import explained


def image_data(rollout: Rollout, original: Rollout | None = None) -> dict[str, Any]:
    """All that ``images.js`` needs, as JSON; ``original`` is the rollout without edits."""
    tree, levels, curves = rollout.tree, ranks(rollout.tree), error_curves(rollout)
    body = skeleton(rollout)
    return {
        "root": np.flatnonzero(levels == 0).tolist(),
        "middle": np.flatnonzero(levels == 1).tolist(),
        "leaves": tree.leaves.tolist(),
        "cells": tree.cells.tolist() if rollout.observation == "frames" else None,
        "last_true_input": int(rollout.last_true_input),
        "errors": numbers(curves.model),
        "unit": curves.unit,
        "moved": None if original is None else numbers(edit_effect(rollout, original)),
        "skeleton": None if body is None else body.as_json,
        "heat": heat_table(),
        "discs": _discs(rollout, original),
        "terms": {"slot": explained("slot")},
        "arrays": pack(image_arrays(rollout, original)),
    }


def _discs(rollout: Rollout, original: Rollout | None) -> dict[str, Any] | None:
    """Balls that are drawn exactly: colours, half-axes and places, as shares of the frame; None for pixels."""
    exact = discs(rollout)
    if exact is None:
        return None
    before = None if original is None else discs(original)
    places = {
        "truth": exact.truth,
        "prediction": exact.prediction,
        "ghost": None if before is None else before.prediction,
    }
    arrays = {name: at.astype(np.float32) for name, at in places.items() if at is not None}
    return {"colours": exact.colours, "axes": np.round(exact.axes, 5).tolist(), "arrays": pack(arrays)}


def heat_table() -> str:
    """Red, green and blue of errors 0 ... 255 (:data:`hri.view.style.HEAT`), as base64."""
    return base64.b64encode(HEAT.tobytes()).decode()


def timeline_data(rollout: Rollout, original: Rollout | None = None) -> dict[str, Any]:
    """All that ``timeline.js`` needs, as JSON; ``original`` is the rollout without edits."""
    curves = error_curves(rollout)
    return {
        "last_true_input": int(rollout.last_true_input),
        "terms": {word: explained(word) for word in ("burn-in", "free run", "copying")},
        "errors": numbers(curves.model),
        "copying": numbers(curves.copy),
        "unit": curves.unit,
        "original": None if original is None else numbers(error_curves(original).model),
        "moved": None if original is None else numbers(edit_effect(rollout, original)),
    }


def numbers(values: Float[np.ndarray, " T"]) -> list[float | None]:
    """Four digits each; None for what JSON cannot say."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def image_arrays(rollout: Rollout, original: Rollout | None = None) -> dict[str, np.ndarray]:
    """Truth, prediction and slot images as uint8, and node positions, for the player.

    Frame 0 of a prediction is black: nothing was predicted. A rollout without frames gives black ones.
    """
    times = rollout.slots.shape[1]
    truth = true_frames(rollout)
    arrays = {"truth": as_rgb(np.zeros((times, 32, 32, 1), dtype=np.uint8) if truth is None else truth)}
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
    """All that ``graph.js`` needs to repaint ``interaction_graph(tree, pairs, K, layout)``, as JSON.

    Args:
        rows: of the rollout's edges.
        layout: of the graph.
        names: of the edge types, where they are not the learned ones.
    """
    marks = Marks(rollout, rows, layout, tuple(names or ()))
    row_of = {(int(i), int(j)): row for row, (i, j) in enumerate(marks.capsules)}
    return {
        "nodes": rollout.tree.size,
        "pairs": marks.pairs.tolist(),
        "capsules": marks.capsules.tolist(),
        "capsule_of": [row_of.get((int(min(pair)), int(max(pair))), -1) for pair in marks.pairs],
        "type_names": marks.names,
        "truths": list(rollout.force.truths),
        "ways": ways(rollout.tree, marks.pairs),
        "hit_shares": list(HIT_SHARES),
        "bow": bend_of(layout),
        "style": marks.looks(),
        "arrays": pack(mark_arrays(marks)),
    }


def matrix_data(rollout: Rollout, names: Sequence[str] | None = None) -> dict[str, Any]:
    """All that ``app/player/matrix.js`` needs: every inferred pair, nodes in the order of the tree, as JSON."""
    tree, marks = rollout.tree, Marks(rollout, edge_rows(rollout, "all"), type_words=tuple(names or ()))
    springs = {} if marks.springs is None else {"springs": np.ascontiguousarray(marks.springs)}
    return edges_data(marks, springs) | {
        "order": in_families(tree),
        "ranks": ranks(tree).tolist(),
        "parents": list(tree.parents),
        "spring": STYLE.spring,
    }


def ledger_data(rollout: Rollout, rows: Int[np.ndarray, " R"], names: Sequence[str] | None = None) -> dict[str, Any]:
    """All that ``app/player/ledger.js`` needs: these edges at every frame, and when they changed, as JSON."""
    marks, springs = Marks(rollout, rows, type_words=tuple(names or ())), {}
    if marks.springs is not None:
        springs["springs"] = np.ascontiguousarray(marks.springs[:, marks.pairs[:, 0], marks.pairs[:, 1]])
    place = {int(row): index for index, row in enumerate(rows)}
    turns = [
        [change.frame, place[change.row], change.before, change.after, round(change.shift, 3)]
        for change in changes(rollout, rows)
    ]
    return edges_data(marks, springs) | {"changes": turns, "last_true_input": int(rollout.last_true_input)}


def edges_data(marks: Marks, springs: dict[str, np.ndarray]) -> dict[str, Any]:
    """What is shared by those that show edges without a graph; ``springs``: where they are true, for the browser."""
    tree = marks.rollout.tree
    return {
        "frames": len(marks.steps),
        "nodes": [node_name(tree, node) for node in range(tree.size)],
        "pairs": marks.pairs.tolist(),
        "truths": list(marks.rollout.force.truths),
        "ways": ways(tree, marks.pairs),
        "type_names": marks.names,
        "colours": [look.colour for look in marks.strokes],
        "arrays": pack(_beliefs(marks) | springs),
    }


def graph_arrays(rollout: Rollout, rows: Int[np.ndarray, " R"], layout: Layout) -> dict[str, np.ndarray]:
    """Probabilities (0 ... 255), types and springs of the shown edges at every frame, for the player."""
    return mark_arrays(Marks(rollout, rows, layout))


def mark_arrays(marks: Marks) -> dict[str, np.ndarray]:
    """The same of marks: what changes from frame to frame."""
    arrays = _beliefs(marks)
    if marks.edit_types is not None:
        arrays["forced"] = (marks.edit_types + 1).astype(np.uint8)  # 0 is free, 1 cut
    if marks.lit is not None:
        arrays["springs"] = marks.lit
    if marks.layout == "image":
        arrays["frames"] = image_arrays(marks.rollout)["truth"]
        if marks.moving:
            arrays["nodes"] = node_positions(marks.rollout).astype(np.float32)
            arrays["radii"] = radii(marks.rollout.tree, "image").astype(np.float32)
    return arrays


def _beliefs(marks: Marks) -> dict[str, np.ndarray]:
    return {"probabilities": as_bytes(marks.probabilities), "types": marks.kinds}


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

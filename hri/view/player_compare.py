"""Several rollouts of one scene as JSON for the browser's player: a column each, and what they share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from hri.core.records import Rollout
from hri.scores.compare import apart, compare
from hri.view.player import after_blank, as_bytes, as_rgb, image_arrays, image_data, numbers, pack, timeline_data

if TYPE_CHECKING:
    from hri.rollout.composition import SlotEffects

LETTERS = "ABCD"
"""What the models of a comparison are called, from left to right."""


def tree_name(rollout: Rollout) -> str:
    """A name for the nodes: equal where a node means the same in two rollouts."""
    return f"{rollout.observation} {rollout.tree.parents}"


def shared_data(*rollouts: Rollout) -> dict[str, Any]:
    """All that ``images.js`` needs for the truth and how far the predictions lie apart, as JSON."""
    first = rollouts[0]
    arrays = {name: array for name, array in image_arrays(first).items() if name in ("truth", "truth_nodes")}
    if all(rollout.predicted_frames is not None for rollout in rollouts):
        arrays["apart"] = after_blank(as_bytes(apart(rollouts)))
    data = image_data(without_slots(first))
    return data | {"panels": ["truth", "apart"], "tree": tree_name(first), "errors": [], "arrays": pack(arrays)}


def column_data(rollout: Rollout, index: int, *rollouts: Rollout) -> dict[str, Any]:
    """All that ``images.js`` needs for one model: its prediction and error, as JSON.

    Args:
        rollout: of this model, ``rollouts[index]``.
        index: its column.
        rollouts: of all models, which together decide the unit of errors.
    """
    comparison = compare(rollouts)
    return image_data(without_slots(rollout)) | {
        "panels": ["prediction", "error"],
        "tree": tree_name(rollout),
        "letter": LETTERS[index],
        "line": index,
        "errors": numbers(comparison.errors[index]),
        "unit": comparison.unit,
    }


def without_slots(rollout: Rollout) -> Rollout:
    """The same without each slot's picture: effects are sent in their place."""
    return dataclasses.replace(rollout, slot_frames=None)


def curves_data(*rollouts: Rollout) -> dict[str, Any]:
    """All that ``timeline.js`` needs: the errors of every model over one timeline, as JSON."""
    comparison = compare(rollouts)
    curves = [
        {"letter": letter, "name": name, "errors": numbers(errors)}
        for letter, name, errors in zip(LETTERS, comparison.names, comparison.errors, strict=False)
    ]
    data = {"unit": comparison.unit, "copying": numbers(comparison.copy), "curves": curves}
    return timeline_data(rollouts[0]) | data | {"errors": curves[0]["errors"]}


def shares_data(rollout: Rollout, effects: SlotEffects) -> dict[str, Any]:
    """All that ``app/player/shares.js`` needs: each leaf slot's effect as a picture, and its share, at every frame.

    Args:
        rollout: of one scene.
        effects: of all its predicted frames 1 ... T - 1. Frame 0 is sent black and without shares.
    """
    alone = rollout.slot_frames is not None  # what is drawn alone is shown as drawn, a change by its size
    pictures = effects.effects if alone else np.abs(effects.effects)
    shares = np.nan_to_num(effects.shares).astype(np.float32)
    return {
        "leaves": rollout.tree.leaves.tolist(),
        "tree": tree_name(rollout),
        "arrays": pack({"effects": as_rgb(after_blank(as_bytes(pictures))), "shares": after_blank(shares)}),
    }

"""What a rollout predicted, in step with the truth it is held against."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from hri.core.records import Rollout


def predicted_nodes(rollout: Rollout) -> Float[np.ndarray, "F N D"]:
    """Predictions of every node, NaN where a model predicts the leaves alone."""
    predicted = rollout.predicted_slots[0]
    if predicted.shape[1] == rollout.tree.size:
        return predicted
    full = np.full((len(predicted), rollout.tree.size, predicted.shape[2]), np.nan, dtype=predicted.dtype)
    full[:, rollout.tree.leaves] = predicted
    return full


def scored(rollout: Rollout) -> tuple[np.ndarray, np.ndarray, str]:
    """True frames 0 ... T - 1 and predicted frames 1 ... T - 1 that errors are told of, and their unit."""
    if rollout.observation == "frames" and rollout.frames is not None and rollout.predicted_frames is not None:
        return rollout.frames[0] / 255.0, rollout.predicted_frames[0], "pixels in 0 … 1"
    predicted, truth = rollout.predicted_slots[0], rollout.slots[0]
    if predicted.shape[1] != rollout.tree.size:
        truth = truth[:, rollout.tree.leaves]
    return truth, predicted, "normalised states"

"""What a rollout predicted, in step with the truth it is held against."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from hri.core.records import Rollout


def predicted_nodes(rollout: Rollout) -> Float[np.ndarray, "F N D"]:
    """Predictions of every node, NaN where a model predicts the leaves alone."""
    prediction = rollout.predicted_slots[0]
    if prediction.shape[1] == rollout.tree.size:
        return prediction
    full = np.full((len(prediction), rollout.tree.size, prediction.shape[2]), np.nan, dtype=prediction.dtype)
    full[:, rollout.tree.leaves] = prediction
    return full


def values_to_score(rollout: Rollout) -> tuple[np.ndarray, np.ndarray, str]:
    """True frames 0 ... T - 1 and predicted frames 1 ... T - 1 that errors are told of, and their unit."""
    if rollout.observation == "frames" and rollout.frames is not None and rollout.predicted_frames is not None:
        return rollout.frames[0] / 255.0, rollout.predicted_frames[0], "pixels in 0 … 1"
    prediction, truth = rollout.predicted_slots[0], rollout.slots[0]
    if prediction.shape[1] != rollout.tree.size:
        truth = truth[:, rollout.tree.leaves]
    return truth, prediction, "normalised states"

"""Balls as exact discs, at any size: a model of states sees numbers, so nothing ties its pictures to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hri.core.records import Rollout
from hri.physics.palette import PUBLISHED, colours_of, half_axes
from hri.rollout.interventions import Intervention
from hri.view.facts import node_positions


@dataclass(frozen=True)
class Discs:
    """The balls that are drawn, later over earlier, in shares of the frame from its top left corner; NaN: not there."""

    colours: list[str]
    axes: Float[np.ndarray, "M 2"]
    """Half width and half height."""
    truth: Float[np.ndarray, "T M 2"]
    prediction: Float[np.ndarray, "T M 2"]
    """Of frame 0 its truth."""


def discs(rollout: Rollout) -> Discs | None:
    """The balls of a one-scene rollout; None for what sees pixels, and for bodies, which are drawn by their limbs."""
    tree = rollout.tree
    if rollout.observation != "states" or tree.names or rollout.joints is not None:
        return None
    axes = half_axes(tree, PUBLISHED) / PUBLISHED.size
    shown = np.flatnonzero(axes[:, 0] > 0)
    prediction = node_positions(rollout, "prediction").astype(np.float64)
    if rollout.edits:
        muted = Intervention.parse(rollout.edits).mute_mask(tree.size, len(prediction) - 1)
        prediction[1:][muted] = np.nan
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours_of(tree)[shown].tolist()]
    return Discs(colours, axes[shown], node_positions(rollout)[:, shown].astype(np.float64), prediction[:, shown])

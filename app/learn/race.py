"""True balls and predicted crosses in one playground, for the lessons in which a model predicts balls."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import Float

from app.learn.arena import arena_data
from app.learn.figures import GROUPS
from app.learn.stage import arena
from hri.core.records import Rollout
from hri.rollout.predicted import predicted_nodes


def race(key: str, scene: str, rollout: Rollout) -> None:
    """True leaves as balls, predicted ones as crosses, a colour a family."""
    tree = rollout.tree
    family = np.asarray(tree.parents)[tree.leaves]
    inks = [GROUPS[group - 1] for group in family]
    rings = [""] * tree.size
    for leaf, ink in zip(tree.leaves.tolist(), inks, strict=True):
        rings[leaf] = ink
    last = int(rollout.last_true_input)
    arena(
        key,
        arena_data(
            scene, rollout.slots[0, :, :, :2].astype(float), tree, label="True balls and predicted crosses",
            balls_shown=tree.leaves.tolist(), rings=rings, hearts=predicted_places(rollout)[:, tree.leaves],
            heart_colours=inks, begin=max(0, last - 3),
        ),
    )  # fmt: skip
    st.caption(f"Balls show the truth, crosses the prediction. After frame {last} the model is on its own.")


def predicted_places(rollout: Rollout) -> Float[np.ndarray, "T N 2"]:
    """Positions that the model predicts for every frame, the first one true; NaN where it predicts leaves only."""
    first = rollout.slots[0, :1, :, :2]
    return np.concatenate([first, predicted_nodes(rollout)[..., :2]]).astype(np.float64)

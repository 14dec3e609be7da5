"""What does the model know, and when? Frames come in one by one; the probabilities of leaves' edges part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Bool, Float, Int

from app import drawn
from app.learn import course, figures, lesson_state
from app.learn.arena import arena_data
from app.learn.stage import Shown, Stage, arena, chart, file_of
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.scores import ceilings
from hri.view import style
from hri.view.style import PAGE, STYLE

KINDS = {"leaf and parent": "leaves {} spring to their parent", "siblings": "siblings {} spring between them"}
"""Pairs to look at, and how they are called."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Beliefs:
    """What a model believes of some edges after each true frame of a scene, beside the truth."""

    sender_receiver: Int[np.ndarray, "R 2"]
    chances: Float[np.ndarray, "F R"]
    """``chances[s]``: probability that the edge carries a message, inferred from the first s frames (the last ten of
    them)."""
    springs: Bool[np.ndarray, " R"]
    kind: str = "leaf and parent"
    """Of :data:`KINDS`."""

    @property
    def auroc(self) -> Float[np.ndarray, " F"]:
        """Share of (spring, no spring) couples of edges in which the spring's has the higher probability."""
        yes, no = self.chances[:, self.springs, None], self.chances[:, None, ~self.springs]
        if not yes.size or not no.size:
            return np.full(len(self.chances), np.nan)
        return (yes > no).mean((1, 2)) + 0.5 * (yes == no).mean((1, 2))

    def means(self, frames_seen: int) -> tuple[float, float]:
        """Mean probability of edges with a spring and of those without, after so many frames."""
        at = self.chances[frames_seen]
        return float(at[self.springs].mean()), float(at[~self.springs].mean())

    def says(self, frames_seen: int) -> str:
        """What is known after so many frames."""
        share = float(self.auroc[frames_seen])
        if np.isnan(share):
            return "In this scene these pairs are all of one kind, so there is nothing to tell apart."
        yes, no = self.means(frames_seen)
        couples = int(self.springs.sum()) * int((~self.springs).sum())
        at = self.chances[frames_seen]
        ties = " (equal ones count half)" if (at[self.springs, None] == at[~self.springs]).any() else ""
        levels = ((0.9, "tells them apart"), (0.65, "leans the right way"), (0.35, "cannot tell them apart"))
        verb = next((words for least, words in levels if share > least), "leans the wrong way")
        return (
            f"After {frames_seen} frame{'' if frames_seen == 1 else 's'} the model {verb}: "
            f"{KINDS[self.kind].format('with a')} get {yes:.2f} on average, those without one {no:.2f}; the former get "
            f"the higher probability in {share:.0%} of {couples} comparisons{ties}."
        )


def beliefs(rollout: Rollout, kind: str = "leaf and parent") -> Beliefs:
    """The edges of a kind of pair in one scene of a state model: from leaves to their parents, where springs are strong
    and may be missing, or among siblings, where they are a hundred times weaker.

    Raises:
        ValueError: a model that infers no such edges, or a scene without known springs.
    """
    tree, pairs = rollout.tree, rollout.edge_sender_receiver
    wanted = "up" if kind == "leaf and parent" else "siblings"
    families, _ = tree.families(*pairs.T)
    up = [row for row, sender in enumerate(pairs[:, 0]) if families[row] == wanted and sender in tree.leaves]
    if rollout.observation != "states" or rollout.true_adjacency is None or not up:
        raise ValueError("beliefs are compared with springs between balls; choose a state model that infers edges")
    # Edges of step s are inferred from the states before it; the last that are all true are those of the step after
    # the last true input.
    chances = 1 - rollout.edge_probabilities[0, : rollout.last_true_input + 2][:, up, 0].astype(np.float64)
    return Beliefs(
        sender_receiver=pairs[up],
        chances=chances,
        springs=rollout.true_adjacency[0][pairs[up, 0], pairs[up, 1]].astype(bool),
        kind=kind,
    )


def statement(checkpoint: str, seed: int, frames_seen: int, kind: str) -> str:
    """What a model knows of the system of a seed after so many frames, of a kind of pair (or "siblings")."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.rollout import roll_out

    scene = simulate(Tree.parse("4-3"), "04", [seed])
    rollout = roll_out(load(checkpoint), scene)
    return beliefs(rollout, kind).says(frames_seen)


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """After the first frames that fill the model's window."""
    return {
        "checkpoint": str(folder / f"{course.STATE_MODEL}.safetensors"),
        "seed": seed,
        "frames_seen": 10,
        "kind": "leaf and parent",
    }


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """The balls with their edges as the model sees them, beside the course of the probabilities."""
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    scene = simulate(tree, "04", [stage.seed])
    left, right = st.columns([1, 1], gap="medium")
    with right:
        kind = st.segmented_control("Pairs", list(KINDS), default="leaf and parent", required=True, key="beliefs-kind")
        curves = beliefs(lesson_state.rollout(course.STATE_MODEL, stage.seed), kind)
        most = len(curves.chances) - 1
        frames_seen = st.slider(
            "Frames seen", 0, most, 0, key="beliefs-seen", help="How many true frames the model was shown."
        )
        drawn.load_pandas()
        chart(
            beliefs_figure(curves, frames_seen, stage.size), "beliefs-course",
            f"Probability of each edge, {kind}, by the number of frames seen",
        )  # fmt: skip
    with left:
        chances = curves.chances[frames_seen]
        arena(
            "learn-beliefs",
            arena_data(
                f"beliefs-{stage.seed}-{kind}-{frames_seen}", scene.positions[0, max(0, frames_seen - 1)][None], tree,
                label=f"The balls after {frames_seen} frames and what the model believes of their pairs",
                pairs=[(int(i), int(j)) for i, j in curves.sender_receiver],
                looks=[
                    (STYLE.spring if spring else PAGE["dusk"], 0.25 + 0.75 * chance, 0.5 + 6 * chance, "")
                    for spring, chance in zip(curves.springs.tolist(), chances.tolist(), strict=True)
                ],
                autoplay=False,
            ),
        )  # fmt: skip
        st.caption("The wider a line, the higher the model's probability. Gold: a true spring. Grey: none.")
        if words := lesson_state.edges_right(course.STATE_MODEL):
            st.caption(f"Edges right on unseen systems: {words}.", help=ceilings.EXPLAINED)
    return Shown(
        statement=curves.says(frames_seen),
        values={
            "checkpoint": file_of(course.STATE_MODEL),
            "seed": stage.seed,
            "frames_seen": frames_seen,
            "kind": kind,
        },
        explore={"model": course.STATE_MODEL, "seed": str(stage.seed), "frame": str(max(frames_seen, 1))},
        done=frames_seen > 0,
    )


def beliefs_figure(pair_beliefs: Beliefs, frames_seen: int, size: float = 1.0) -> go.Figure:
    """Every leaf's probability so far, and the mean of those with a spring and of those without."""
    frames = np.arange(frames_seen + 1)
    curves = [
        ("", frames, pair_beliefs.chances[: frames_seen + 1, row], STYLE.spring if spring else style.GREY, "solid")
        for row, spring in enumerate(pair_beliefs.springs)
    ]
    for name, rows, ink, dash in (
        ("with a spring", pair_beliefs.springs, STYLE.spring, "solid"),
        ("without", ~pair_beliefs.springs, style.GREY, "dash"),
    ):
        if rows.any():
            curves.append((name, frames, pair_beliefs.chances[: frames_seen + 1, rows].mean(1), ink, dash))
    figure = figures.lines(curves, "frames seen", "probability", size, 330)
    figure.update_layout(xaxis_range=[-0.5, len(pair_beliefs.chances) - 0.5], yaxis_range=[-0.03, 1.03])
    return figure.update_traces(mode="lines+markers", marker_size=4)


LESSON = course.Lesson(
    key="beliefs",
    title="What does the model know, and when?",
    idea=(
        "This model is given the states of the balls, not pictures. At every frame it looks at the last ten states of "
        "all balls and judges each pair: how probable is it that one acts on the other? It was never told where the "
        "springs are. It only tries to predict well, and the probabilities are its own invention for that end. Nobody "
        "has promised that they mean springs, but we can ask: does a pair with a spring get a higher one than a pair "
        "without?"
    ),
    do="Let the frames come in one by one with the slider. Then look at siblings, whose springs are weaker.",
    notice=(
        "All lines begin together. When do those of pairs with a spring part from those without? And do they among "
        "siblings, whose springs are a hundred times weaker?"
    ),
    section="3.2",
    mathematics=(
        (
            "From the last ten states of each ball, two rounds from nodes to edges and back give every edge a score "
            "$\\ell$ for each type $k$; scores become probabilities.",
            r"p_{ij}^{k}(t) = \frac{\exp \ell_{ij}^{k}(t)}{\sum_{m} \exp \ell_{ij}^{m}(t)}",
        ),
        (
            "How often a pair with a spring gets the higher probability when one pair of each kind is drawn (the area "
            "under the ROC curve): 1 is always, 1/2 is guessing.",
            r"\mathrm{AUROC} = \frac{1}{n_1 n_0} \sum_{a\,\in\,\text{spring}} \sum_{b\,\in\,\text{none}} "
            r"\bigl[p_a > p_b\bigr] + \tfrac12 \bigl[p_a = p_b\bigr]",
        ),
    ),
    question="The model says 0.9 for a pair without a spring. Is it wrong?",
    answer=(
        "Not by its own standard: it was never shown a spring, it only had to predict. A type that is called "
        "“interaction” means that a message is sent, nothing more. What can be tested is whether pairs with springs "
        "stand out from pairs without."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

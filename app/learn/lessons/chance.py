"""Learning through a draw: draws of an edge's type at one probability and temperature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from app import drawn
from app.learn import course, figures
from app.learn.stage import Shown, Stage, chart
from hri.rollout.edits import ChooseEdges
from hri.rollout.interventions import Intervention
from hri.view import style

DRAWS = 400
TEMPERATURES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
USUAL = 0.5
"""The temperature that the models were trained at."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draws:
    """Draws of one edge's type: how much of the message each gives to "interaction"."""

    probability: float
    temperature: float
    weights: Float[np.ndarray, " M"]

    def says(self) -> str:
        """How often "interaction" wins, and how decided a draw is."""
        won = float((self.weights > 0.5).mean())
        winner_share = float(np.maximum(self.weights, 1 - self.weights).mean())
        return (
            f"Of {len(self.weights)} draws with probability {self.probability:g}, interaction wins {won:.0%}. At "
            f"temperature {self.temperature:g} the winner gets {winner_share:.0%} of the message on average."
        )


def draws(probability: float, temperature: float, count: int = DRAWS, seed: int = 0) -> Draws:
    """Draw as training does (:func:`hri.model.choices.soft`), with the same noise at every temperature.

    Raises:
        ValueError: a probability outside 0 ... 1, both excluded, or a temperature that is not positive.
    """
    import torch

    from hri.model.choices import soft
    from hri.model.layers import gumbel_noise

    if not 0 < probability < 1 or temperature <= 0:
        raise ValueError("the probability must lie between 0 and 1, and the temperature above 0")
    logits = torch.tensor([1 - probability, probability]).log()[None, None, None]  # E t B K
    noise = gumbel_noise((count, 1, 1, 2), torch.Generator().manual_seed(seed))
    weights = soft(noise, temperature)(logits.expand(1, 1, count, 2), slice(0, 1))
    return Draws(probability, temperature, weights[0, 0, :, 1].numpy().astype(np.float64))


def statement(probability: float, temperature: float) -> str:
    """Who wins 400 draws, and how much the winner gets."""
    return draws(probability, temperature).says()


def class_values(_: Path, seed: int) -> dict[str, Any]:
    """A low temperature; the scene plays no part."""
    return {"probability": 0.7, "temperature": 0.1}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """Sliders for probability and temperature beside the weights of the draws."""
    left, right = st.columns([1, 2], gap="medium")
    with left:
        temperature = st.select_slider(
            "Temperature", TEMPERATURES, USUAL, key="chance-temperature", help="The models here were trained at 0.5."
        )
        probability = st.slider("Probability of interaction", 0.05, 0.95, 0.7, 0.05, key="chance-probability")
    sample = draws(round(probability, 2), temperature)
    with right:
        drawn.load_pandas()
        chart(
            draws_figure(sample, stage.size), "chance-draws",
            f"How much of the message each of {DRAWS} draws gives to interaction",
        )  # fmt: skip
    return Shown(
        statement=sample.says(),
        values={"probability": round(probability, 2), "temperature": temperature},
        explore={
            "model": course.STATE_MODEL,
            "seed": str(stage.seed),
            "edits": Intervention((ChooseEdges("sample"),)).to_address(),
        },
        done=temperature != USUAL,
    )


def draws_figure(sample: Draws, size: float = 1.0) -> go.Figure:
    """How many draws give which share of the message to "interaction"."""
    counts, edges = np.histogram(sample.weights, bins=20, range=(0, 1))
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(
        go.Bar(
            x=middles.tolist(),
            y=counts.tolist(),
            marker={"color": [style.BLUE if at > 0.5 else style.GREY for at in middles]},
            hovertemplate="%{y} draws near %{x:.2f}<extra></extra>",
        )
    )
    figures.with_style(figure, "share that interaction gets", "draws", size, 320)
    return figure.update_layout(hovermode="closest", bargap=0.08, yaxis_range=[0, 1.05 * len(sample.weights)])


LESSON = course.Lesson(
    key="chance",
    title="Learning through a draw",
    idea=(
        "An edge carries a message or it does not: a yes or no, drawn with the model's probability. But a network "
        "learns by small changes, and a yes or no cannot change a little. Gumbel-softmax helps: it draws a weight "
        "between 0 and 1 instead. At a low temperature the weights are nearly 0 or 1; at a high one everything is "
        "mixed."
    ),
    do="Turn the temperature up and down.",
    notice="The winner of each draw stays the same. What changes is how much of the message the winner gets.",
    section="3.2",
    mathematics=(
        (
            "Noise $g_k$ is added to the score of each type, then a softmax at temperature $\\tau$. As $\\tau \\to 0$ "
            "one weight goes to 1.",
            r"z_k = \frac{\exp\bigl((\log p_k + g_k)/\tau\bigr)}{\sum_m \exp\bigl((\log p_m + g_m)/\tau\bigr)}",
        ),
        (
            "The noise: minus the logarithm of a waiting time. With it, type $k$ has the largest score with "
            "probability exactly $p_k$.",
            r"g_k = -\log e_k, \quad e_k \sim \operatorname{Exp}(1), \qquad P\bigl(\arg\max_m (\log p_m + g_m) = "
            r"k\bigr) = p_k",
        ),
    ),
    question="Why not use a very low temperature from the beginning of the training?",
    answer=(
        "Because a small change of a probability would then change almost no draw, and turn those that it does change "
        "from yes to no at once: the network would get hardly any hint about which way to go. These models were "
        "trained at a temperature in between, 0.5."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
    of_a_scene=False,
)

"""The relations of one scene twice: as they truly are, and as a model infers them at the end of the burn-in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.subplots import make_subplots

from hri.core.hierarchy import node_name, ranks
from hri.core.records import Rollout
from hri.view import beliefs
from hri.view.facts import in_plotly, true_springs
from hri.view.layout import graph_layout
from hri.view.style import CLEAR, GREY, STYLE, colour, node_colours

_SHAPES = ("diamond", "square", "circle")
"""Of root, intermediate and leaf."""
_WIDTHS = {"joined": 3.4, "not": 1.0}


@dataclass(frozen=True)
class PairRelations:
    """Undirected pairs of one scene: what is true of them, and what is inferred."""

    pairs: Int[np.ndarray, "P 2"]
    truth: Int[np.ndarray, " P"]
    """1 where a spring joins the two (charges: where they repel)."""
    probabilities: Float[np.ndarray, " P"]
    """Probability of that, mean of both directions."""

    @property
    def right(self) -> int:
        """Pairs whose more probable answer is the true one."""
        return int(((self.probabilities > 0.5) == (self.truth > 0)).sum())


def relations_of(rollout: Rollout) -> PairRelations:
    """Every pair over which messages pass, at the last frame whose edges are inferred from true states alone.

    Raises:
        ValueError: the truth is not known, or the model infers no edges (:func:`hri.view.beliefs.aligned_names`).
    """
    names = beliefs.aligned_names(rollout)
    springs = true_springs(rollout)
    assert springs is not None  # aligned has refused a scene without
    rows = beliefs.speaking_rows(rollout)
    frame = min(int(rollout.last_true_input) + 1, rollout.slots.shape[1] - 1)
    senders, receivers = rollout.edge_sender_receiver[rows].T
    kind = 1 + rollout.all_types_speak  # types stand in the order of what they mean, after the silent one of a cut
    chances = names.rollout.edge_probabilities[0, frame, rows, kind]
    low, high = np.minimum(senders, receivers), np.maximum(senders, receivers)
    pairs, place = np.unique(np.stack([low, high], 1), axis=0, return_inverse=True)
    both = np.bincount(place.ravel(), chances) / np.bincount(place.ravel())
    return PairRelations(pairs, springs[frame, pairs[:, 0], pairs[:, 1]].astype(np.int64), both)


def truth_beside(rollout: Rollout, update: int | None = None) -> go.Figure:
    """Two graphs on one layout: the true relations, and the inferred ones with how many of them are right.

    Pairs that are inferred wrongly are drawn in another colour and dashed, so that nothing hangs on colour alone.

    Args:
        rollout: of one scene.
        update: of the training, for the title.

    Raises:
        ValueError: as :func:`relations_of`.
    """
    relations = relations_of(rollout)
    when = f" after {update:,} updates" if update is not None else ""
    right = f"{relations.right} of {len(relations.pairs)} right"
    titles = ("True relations<br> ", f"Inferred{when}:<br>{right}")  # two lines: a phone cuts one
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.02)
    at = graph_layout(rollout.tree, "radial")
    for column, chances in ((1, relations.truth.astype(float)), (2, relations.probabilities)):
        present = chances > 0.5
        wrong = present != (relations.truth > 0)
        looks = (
            ("none", ~present & ~wrong, colour(0), "not", "dot"),
            ("joined", present & ~wrong, colour(1), "joined", "solid"),
            ("missing", ~present & wrong, STYLE.cuts, "not", "dash"),
            ("too many", present & wrong, STYLE.cuts, "joined", "dash"),
        )
        for name, mask, ink, weight, dash in looks:
            figure.add_scatter(
                x=_line_with_gaps(at[relations.pairs[mask], 0]),
                y=_line_with_gaps(at[relations.pairs[mask], 1]),
                mode="lines",
                line={"color": ink, "width": _WIDTHS[weight], "dash": dash}, hoverinfo="skip", showlegend=False,
                name=name, row=1, col=column,
            )  # fmt: skip
        figure.add_scatter(
            x=at[:, 0].tolist(), y=at[:, 1].tolist(), mode="markers", showlegend=False, row=1, col=column,
            marker={
                "size": 15, "color": node_colours(rollout.tree)[0], "line": {"color": GREY, "width": 1},
                "symbol": [_SHAPES[rank] for rank in ranks(rollout.tree)],
            },
            hovertext=[in_plotly(node_name(rollout.tree, node)) for node in range(rollout.tree.size)], hoverinfo="text",
        )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-1.15, 1.15])
    figure.update_yaxes(visible=False, range=[-1.15, 1.15])
    for column, axis in ((1, "x"), (2, "x2")):
        figure.update_yaxes(scaleanchor=axis, row=1, col=column)
    figure.update_layout(
        height=276,
        margin={"l": 0, "r": 0, "t": 44, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    figure.update_annotations(font_size=13)
    return figure


def _line_with_gaps(ends: Float[np.ndarray, "P 2"]) -> list[float | None]:
    """Lines of many pairs as one: a gap after each."""
    return [value for pair in ends.tolist() for value in (*pair, None)]

"""What the lessons on prediction state: draws, messages, horizons, causes, contests and failures of real models."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from hri.core.hierarchy import Tree, edge_name
from hri.core.records import Rollout
from hri.experiments.claims import CLAIMS, find
from hri.experiments.scoreboard import Board
from hri.model.choices import soft
from hri.model.layers import gumbel_noise
from hri.rollout.influence import Influence
from hri.rollout.phases import Phases
from hri.rollout.predicted import predicted_nodes
from hri.scores.compare import compare
from hri.view.facts import error_curves

DRAWS = 400
BOX = 2.0
"""Width of the box; positions of states are normalised to nearly the same -1 ... 1."""


# Gumbel-softmax ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draws:
    """Draws of one edge's type: how much of the message each gives to "interaction"."""

    probability: float
    temperature: float
    weights: Float[np.ndarray, " M"]

    def says(self) -> str:
        """How often "interaction" wins, and how decided a draw is."""
        won = float((self.weights > 0.5).mean())
        decided = float(np.maximum(self.weights, 1 - self.weights).mean())
        return (
            f"Of {len(self.weights)} draws with probability {self.probability:g}, interaction wins {won:.0%}. At "
            f"temperature {self.temperature:g} the winner gets {decided:.0%} of the message on average."
        )


def draws(probability: float, temperature: float, count: int = DRAWS, seed: int = 0) -> Draws:
    """Draw as training does (:func:`hri.model.choices.soft`), with the same noise at every temperature.

    Raises:
        ValueError: a probability outside 0 ... 1, both excluded, or a temperature that is not positive.
    """
    if not 0 < probability < 1 or temperature <= 0:
        raise ValueError("the probability must lie between 0 and 1, and the temperature above 0")
    logits = torch.tensor([1 - probability, probability]).log()[None, None, None]  # E t B K
    noise = gumbel_noise((count, 1, 1, 2), torch.Generator().manual_seed(seed))
    weights = soft(noise, temperature)(logits.expand(1, 1, count, 2), slice(0, 1))
    return Draws(probability, temperature, weights[0, 0, :, 1].numpy().astype(np.float64))


# Messages ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """How far the news of one node gets within one step."""

    origin: int
    names: tuple[str, ...]
    """Message phases in words, in their order."""
    reached: Bool[np.ndarray, "R N"]
    """Who knows after each phase, the origin included."""
    edges: int
    """Edges over which messages may pass in the step."""

    def says(self, phase: int) -> str:
        """Who has heard after a phase (counted from 0)."""
        others, after = self.reached.shape[1] - 1, int(self.reached[phase].sum()) - 1
        end = int(self.reached[-1].sum()) - 1
        return (
            f"News of ball {self.origin} has reached {after} of {others} other balls after phase {phase + 1} "
            f"({self.names[phase]}), and {end} by the end of the step, over {self.edges} edges."
        )


def heard(tree: Tree, found: Phases, rollout: Rollout, origin: int) -> Heard:
    """Follow one node's hidden state through the message phases of a step: along edges that speak, one phase a hop."""
    phases = len(found.names) - 2  # without LSTM and decoding
    reached, now = np.zeros((phases, tree.size), dtype=bool), np.zeros(tree.size, dtype=bool)
    now[origin] = True
    pairs = rollout.edge_sender_receiver[found.row]
    for phase in range(phases):
        speaks = (found.phase == phase) & (found.type > 0)
        senders, receivers = pairs[speaks].T
        after = now.copy()
        after[receivers[now[senders]]] = True
        reached[phase] = now = after
    return Heard(origin, found.titles[:phases], reached, len(found.row))


# Predicting further -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Horizon:
    """How far predicted balls are from true ones, k = 1, 2, ... steps after the last true frame (box: 2 wide)."""

    seen: int
    """True frames that the model was shown."""
    model: Float[np.ndarray, " F"]
    copy: Float[np.ndarray, " F"]
    """The same when nothing is taken to move."""

    @property
    def overtaken(self) -> int | None:
        """The first step from which copying is closer, if any."""
        worse = np.flatnonzero(self.model >= self.copy)
        return int(worse[0]) + 1 if len(worse) else None

    def says(self) -> str:
        """Distances at the beginning, in the middle and at the end, and when copying is as good."""
        last = len(self.model)
        steps = sorted({1, min(10, last), last})
        off = ", ".join(f"{self.model[k - 1]:.2g} after {k} step{'' if k == 1 else 's'}" for k in steps)
        still = ", ".join(f"{self.copy[k - 1]:.2g}" for k in steps)
        end = (
            "The model is closer all the way."
            if self.overtaken is None
            else f"From step {self.overtaken} on there are steps at which that would be closer."
        )
        return f"Predicted balls are off by {off}; if nothing moved, by {still}. {end} (The box is 2 wide.)"


def horizon(rollout: Rollout) -> Horizon:
    """Mean distance over balls in the free run of one scene of a state model.

    Raises:
        ValueError: an image model, or one that predicts leaves only.
    """
    if rollout.observation != "states" or rollout.predicted_slots.shape[2] != rollout.tree.size:
        raise ValueError("distances are told of balls; choose a state model that predicts all of them")
    last, places = int(rollout.last_true_input), rollout.slots[0, :, :, :2]
    true, predicted = places[last + 1 :], rollout.predicted_slots[0, last:, :, :2]
    return Horizon(
        seen=last + 1,
        model=np.linalg.norm(predicted - true, axis=-1).mean(1).astype(np.float64),
        copy=np.linalg.norm(places[last] - true, axis=-1).mean(1).astype(np.float64),
    )


# Cause and correlation -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Causes:
    """What a model believes of its edges beside what cutting each of them does."""

    sender_receiver: np.ndarray
    """[R, 2], edges that carry messages."""
    belief: Float[np.ndarray, " R"]
    """Mean probability of a message over the steps."""
    effect: Float[np.ndarray, " R"]
    """Root mean square by which predictions move without the edge, normalised states."""

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of both; NaN where one of them does not vary."""
        ranks = [_ranks(values) for values in (self.belief, self.effect)]
        if min(np.ptp(rank) for rank in ranks) == 0:
            return float("nan")
        return float(np.corrcoef(np.stack(ranks))[0, 1])

    def says(self, row: int, tree: Tree) -> str:
        """What cutting an edge does, and how far belief tells of effect over all edges."""
        i, j = (int(node) for node in self.sender_receiver[row])
        place = int((self.effect > self.effect[row]).sum()) + 1
        told = (
            f"The edge {edge_name(tree, i, j)} speaks with probability {self.belief[row]:.2f}; "
            f"cutting it moves predictions by {self.effect[row]:.2g}, rank {place} of {len(self.effect)}."
        )
        if np.isnan(self.correlation):
            return told
        return f"{told} Over all edges, belief and effect have a rank correlation of {self.correlation:.2f}."


def causes(rollout: Rollout, found: Influence) -> Causes:
    """Beliefs and effects of the edges that carry messages."""
    rows = np.arange(len(found.spoke)) if rollout.carries is None else np.flatnonzero(rollout.carries)
    chances = 1 - rollout.edge_probabilities[0, :-1, :, 0].mean(0).astype(np.float64)
    return Causes(rollout.edge_sender_receiver[rows], chances[rows], np.sqrt(found.score[rows]))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return (ends - (count - 1) / 2)[place]


# Models against each other ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contest:
    """Several models on one scene: mean squared errors of the free run."""

    names: tuple[str, ...]
    errors: tuple[float, ...]
    unit: str

    def says(self) -> str:
        """The models from best to worst on this scene."""
        order = np.argsort(self.errors)
        best = self.names[order[0]]
        told = ", ".join(f"{self.names[k]} {self.errors[k]:.2g}" for k in order)
        return f"On this scene {best} errs least in the free run: {told} (mean squared error, {self.unit})."


def contest(rollouts: Sequence[Rollout], names: Sequence[str]) -> Contest:
    """Compare rollouts of one scene on the frames that rest on predictions, by the states of balls.

    Raises:
        ValueError: as :func:`hri.scores.compare.check_comparable`.
    """
    # States, not pictures: the models of this lesson see states, and small errors hardly show in pixels.
    bare = [dataclasses.replace(r, frames=None, predicted_frames=None) for r in rollouts]
    found = compare(bare)
    return Contest(tuple(names), tuple(float(value) for value in found.free_run), found.unit)


def verdicts(board: Board) -> list[str]:
    """What the results over many test systems say of the hierarchy: with its control, which may explain the lead."""
    told = []
    for claim in CLAIMS:
        if claim.sentence in (
            "HRI predicts better than NRI.",
            "HRI still leads when NRI adds its messages as HRI does.",
        ):
            found = find(claim, claim.comparisons[0], board)
            if found.verdict != "not run yet":
                told.append(f"{claim.sentence} {found.verdict[:1].upper()}{found.verdict[1:]}: {found.says}")
    return told


# Failures ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failure:
    """The same model where it is at home, and where it is not: its error as a share of a trivial guess's."""

    usually: str
    """Such as "in a usual scene"."""
    here: str
    """Such as "behind a curtain"."""
    guess: str
    """Such as "repeating the last true frame"."""
    usual: float
    failing: float

    def says(self) -> str:
        """Both shares; 100 % is as bad as the guess."""
        change = self.failing / self.usual
        verdict = f"{change:.1f} times as much" if change > 1.1 else "hardly more" if change > 0.9 else "less"
        where = self.usually[:1].upper() + self.usually[1:]
        return (
            f"{where} the model has {self.usual:.0%} of the error of {self.guess}; "
            f"{self.here} {self.failing:.0%}, {verdict}."
        )


def share_of_copying(rollout: Rollout) -> float:
    """Error of the free run over that of repeating the last true frame, means over its frames."""
    curves, first = error_curves(rollout), int(rollout.last_true_input) + 1
    return float(curves.model[first:].mean() / curves.copy[first:].mean())


def curtain_failure(usual: Rollout, covered: Rollout, left: int, top: int, side: int = 12) -> Failure:
    """Behind a curtain (pixels of a 32 x 32 frame), while true frames come in: predicted pixels against none at all.

    Args:
        usual: the scene without a curtain, of an image model.
        covered: the same with it.
        left: column of its left edge.
        top: row of its upper edge.
        side: of the square.
    """
    behind = (slice(top, top + side), slice(left, left + side))

    def share(rollout: Rollout) -> float:
        assert rollout.frames is not None
        assert rollout.predicted_frames is not None
        frames = slice(1, int(rollout.last_true_input) + 2)
        truth = rollout.frames[0, frames, *behind] / 255.0
        drawn = rollout.predicted_frames[0, : truth.shape[0], *behind]
        return float(np.square(drawn - truth).mean() / np.square(truth).mean())

    return Failure("in this square", "behind the curtain", "drawing nothing there", share(usual), share(covered))


def tree_failure(usual: Rollout, other: Rollout, tree: str) -> Failure:
    """On a system of another tree and physics than those of the training."""
    shares = share_of_copying(usual), share_of_copying(other)
    return Failure("on a 4-3 system", f"on a {tree} system", "repeating the last true frame", *shares)


def long_failure(short: Rollout, long: Rollout) -> Failure:
    """In a free run that is longer than those of the training."""
    steps = [rollout.slots.shape[1] - int(rollout.last_true_input) - 1 for rollout in (short, long)]
    names = [f"over {count} steps without truth" for count in steps]
    shares = share_of_copying(short), share_of_copying(long)
    return Failure(names[0], names[1], "repeating the last true frame", *shares)


def predicted_places(rollout: Rollout) -> Float[np.ndarray, "T N 2"]:
    """Positions that the model predicts for every frame, the first one true; NaN where it predicts leaves only."""
    first = rollout.slots[0, :1, :, :2]
    return np.concatenate([first, predicted_nodes(rollout)[..., :2]]).astype(np.float64)

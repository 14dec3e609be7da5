"""Guess the springs: balls move, springs are hidden; the player says which pairs are joined, and so does the model.

Ten rounds of rising difficulty follow from one number, so that a class plays the same ones. The model has seen no
spring in its life; what its probabilities are worth as an answer is learned on systems of its own training
(:func:`calibrate`), never on those of the game. The model sees as many frames as the player, but always all balls.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from app.learn.course import LAST_GAME
from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.physics.springs import simulate
from hri.physics.systems import Pair

if TYPE_CHECKING:
    from hri.model.checkpoint import Checkpoint

TREE, PHYSICS = Tree.parse("4-3"), "04"
BEST = 100
"""Points of a round without a mistake."""
CALIBRATION = range(42, 82)
"""Training systems on which the model's probabilities become answers."""

_SEEDS = (300_042, 400_042)  # test systems that no lesson and no other page opens with
_RESULT = re.compile(r"([0-9]{1,4})-([0-9a-f]{1,6}(?:\.[0-9a-f]{1,6}){0,9})")


@dataclass(frozen=True)
class Level:
    """How hard a round is."""

    families: int
    """How many families are shown, 1 to 4."""
    kinds: tuple[Literal["parent", "siblings"], ...]
    """Pairs to judge: a leaf and its parent (strong springs), two leaves of one parent (a hundred times weaker)."""
    frames: int
    """Frames shown, 2 to 49."""
    parents: bool = True
    """Whether the parents are drawn."""

    @property
    def text(self) -> str:
        """Such as "2 families, leaf-parent pairs, 49 frames"."""
        what = " and ".join({"parent": "leaf-parent", "siblings": "leaf-leaf"}[kind] for kind in self.kinds) + " pairs"
        many = "1 family" if self.families == 1 else f"{self.families} families"
        return f"{many}, {what}, {self.frames} frames{'' if self.parents else ', parents hidden'}"


LEVELS = (
    Level(1, ("parent",), 49),
    Level(1, ("parent",), 30),
    Level(2, ("parent",), 49),
    Level(2, ("parent",), 20),
    Level(4, ("parent",), 49),
    Level(4, ("parent",), 15),
    Level(4, ("parent",), 8),
    Level(1, ("parent", "siblings"), 49),
    Level(1, ("siblings",), 49, parents=False),
    Level(2, ("parent", "siblings"), 30),
)
"""The ten rounds, the easiest first."""


@dataclass(frozen=True)
class Round:
    """One system, and what is asked about it."""

    number: int
    """1 ... 10."""
    seed: int
    level: Level
    families: tuple[int, ...]
    """The parents of the families that are shown."""

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs to judge, each once with the smaller number first."""
        pairs: list[Pair] = []
        for parent in self.families:
            children = TREE.children(parent)
            if "parent" in self.level.kinds:
                pairs += [(parent, child) for child in children]
            if "siblings" in self.level.kinds:
                pairs += [(i, j) for i in children for j in children if i < j]
        return tuple(pairs)

    @cached_property
    def balls_shown(self) -> tuple[int, ...]:
        """The balls that are drawn."""
        nodes = [node for parent in self.families for node in (parent, *TREE.children(parent))]
        return tuple(node for node in nodes if self.level.parents or node not in self.families)

    @cached_property
    def scene(self) -> Trajectories:
        """The system, as far as it is shown."""
        whole = simulate(TREE, PHYSICS, [self.seed])
        return Trajectories(
            whole.seeds,
            whole.positions[:, : self.level.frames],
            whole.velocities[:, : self.level.frames],
            whole.adjacency,
            whole.possible,
        )

    @cached_property
    def springs(self) -> frozenset[Pair]:
        """Those of the pairs that a spring joins."""
        adjacency = self.scene.springs[0]
        return frozenset(pair for pair in self.pairs if adjacency[pair])


def rounds(game: int) -> tuple[Round, ...]:
    """The ten rounds of a game; each has pairs with and pairs without a spring.

    Raises:
        ValueError: a number outside 0 ... 9999.
    """
    if not 0 <= game <= LAST_GAME:
        raise ValueError(f"there is no game {game}; choose a number from 0 to {LAST_GAME}")
    random = np.random.default_rng(game)
    game_rounds: list[Round] = []
    while len(game_rounds) < len(LEVELS):
        level = LEVELS[len(game_rounds)]
        families = sorted(random.choice(np.array(TREE.children(0)), level.families, replace=False).tolist())
        candidate = Round(len(game_rounds) + 1, int(random.integers(*_SEEDS)), level, tuple(families))
        if 0 < len(candidate.springs) < len(candidate.pairs) and candidate.seed not in {
            other.seed for other in game_rounds
        }:
            game_rounds.append(candidate)
    return tuple(game_rounds)


# Scores ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """How well pairs were judged."""

    hits: int
    """Springs that were marked."""
    false: int
    """Marks without a spring."""
    misses: int
    """Springs that were not marked."""
    pairs: int

    @property
    def right(self) -> int:
        """Pairs judged right, marked or not."""
        return self.pairs - self.false - self.misses

    @property
    def points(self) -> int:
        """100 (right - wrong) / pairs, not below 0: tossing a coin earns next to nothing."""
        return max(0, round(BEST * (2 * self.right - self.pairs) / self.pairs))

    @property
    def f1(self) -> float:
        """2 hits / (2 hits + false + misses); 1 where nothing was to be found and nothing marked."""
        total = 2 * self.hits + self.false + self.misses
        return 2 * self.hits / total if total else 1.0


def score(question: Round, marks: Collection[Pair]) -> Score:
    """Judge an answer; marks that the round does not ask for count for nothing."""
    pairs = {(min(pair), max(pair)) for pair in marks} & set(question.pairs)
    return Score(
        len(pairs & question.springs), len(pairs - question.springs), len(question.springs - pairs), len(question.pairs)
    )


@dataclass(frozen=True)
class GameResult:
    """A game as far as it was played, in a few characters of an address; scores are counted anew from the marks."""

    game: int
    answers: tuple[frozenset[Pair], ...]
    """Marks of the first rounds."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """One a round that was played."""
        return tuple(score(question, marks) for question, marks in zip(rounds(self.game), self.answers, strict=False))

    @property
    def points(self) -> int:
        """Of all rounds that were played."""
        return sum(score.points for score in self.scores)

    def to_address(self) -> str:
        """Such as "7-5.1.2f": the game, and for each round which of its pairs are marked, in binary."""
        answered_rounds = zip(rounds(self.game), self.answers, strict=False)
        codes = [
            sum(1 << k for k, pair in enumerate(question.pairs) if pair in marks) for question, marks in answered_rounds
        ]
        return f"{self.game}-{'.'.join(f'{code:x}' for code in codes)}"

    @staticmethod
    def parse(text: str) -> GameResult:
        """The reverse of :meth:`to_address`.

        Raises:
            ValueError: it is no result of a game.
        """
        match = _RESULT.fullmatch(text)
        if not match:
            raise ValueError("this is no result of a game; copy the whole link again")
        game, answers = int(match[1]), []
        for question, code in zip(rounds(game), match[2].split("."), strict=False):
            bits = int(code, 16)
            if bits >> len(question.pairs):
                raise ValueError(f"round {question.number} of game {game} has no such pairs; copy the whole link again")
            answers.append(frozenset(pair for k, pair in enumerate(question.pairs) if bits >> k & 1))
        return GameResult(game, tuple(answers))


# The model's answer --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """From which probability on a model's edge is taken for a spring, for one kind of pair and number of frames."""

    ways: Literal["down", "up", "both"]
    """Which edge of a pair is asked: from its smaller number to its larger, the other way, or their mean."""
    threshold: float
    """Taken for a spring if at least so probable."""
    right: float
    """Share of pairs of the calibration systems that this judges right."""


Judges = dict[tuple[str, int], Judge]
"""By kind of pair and number of frames."""


def chances(
    checkpoint: Checkpoint, scenes: Trajectories, frames: Sequence[int], pairs: Sequence[Pair]
) -> Float[np.ndarray, "S F R 2"]:
    """Probability that the two edges of a pair carry a message after so many frames.

    ``[..., 0]`` is the edge from the smaller number to the larger. Only what infers edges is run: it asks for no more
    than the frames before.

    Raises:
        ValueError: the model does not infer these pairs at every frame, or sees other things than 17 balls.
    """
    import torch

    from hri.rollout.scenes import truth_of

    model = checkpoint.model
    row = {pair: k for k, pair in enumerate(zip(model.senders.tolist(), model.receivers.tolist(), strict=True))}
    columns = [(row.get(pair), row.get(pair[::-1])) for pair in pairs]
    if not model.infers_edges or model.static or model.sees_frames or None in sum(columns, ()):
        raise ValueError(f"{checkpoint.name} does not infer these pairs; choose a model that infers the hierarchy's")
    states = torch.from_numpy(truth_of(checkpoint, scenes)["true_states"])
    # Edges of time t are inferred from frames 0 ... t - 1.
    times = [min(number, states.shape[1] - 1) for number in frames]
    with torch.no_grad():
        silent = torch.softmax(model.edges_at(states, times), -1)[..., 0].numpy()
    return 1 - silent[:, :, np.array(columns)].astype(np.float64)


def calibrate(checkpoint: Checkpoint, systems: Sequence[int] = CALIBRATION) -> Judges:
    """For every kind of pair and number of frames of the game: the rule that is right for most pairs of these systems.

    Raises:
        ValueError: as :func:`chances`.
    """
    scenes, judges = simulate(TREE, PHYSICS, list(systems)), {}
    frames = sorted({level.frames for level in LEVELS})
    for kind, pairs in _pairs_of_kinds().items():
        probabilities = chances(checkpoint, scenes, frames, pairs)
        springs = np.stack([scenes.springs[:, i, j] for i, j in pairs], 1).astype(bool).ravel()
        for column, number in enumerate(frames):
            candidates = [_best(way, values.ravel(), springs) for way, values in _ways(probabilities[:, column])]
            judges[kind, number] = max(candidates, key=lambda judge: judge.right)
    return judges


def answer(checkpoint: Checkpoint, question: Round, judges: Judges) -> frozenset[Pair]:
    """The pairs of a round that the model takes for joined."""
    whole, frames = simulate(TREE, PHYSICS, [question.seed]), question.level.frames
    probabilities = dict(_ways(chances(checkpoint, whole, [frames], question.pairs)[0, 0]))
    marks = set()
    for k, (i, j) in enumerate(question.pairs):
        judge = judges["parent" if TREE.parents[j] == i else "siblings", frames]
        if probabilities[judge.ways][k] >= judge.threshold:
            marks.add((i, j))
    return frozenset(marks)


def _pairs_of_kinds() -> dict[str, list[Pair]]:
    leaves = TREE.leaves.tolist()
    return {
        "parent": [(TREE.parents[leaf], leaf) for leaf in leaves],
        "siblings": [(i, j) for i in leaves for j in leaves if i < j and TREE.parents[i] == TREE.parents[j]],
    }


def _ways(probabilities: Float[np.ndarray, "*S R 2"]) -> Iterable[tuple[Literal["down", "up", "both"], np.ndarray]]:
    return (("down", probabilities[..., 0]), ("up", probabilities[..., 1]), ("both", probabilities.mean(-1)))


def _best(way: Literal["down", "up", "both"], values: np.ndarray, springs: np.ndarray) -> Judge:
    """The threshold between two neighbouring values that judges most pairs right."""
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    # Marked from position k on: right are the unjoined before it and the joined from it on.
    right = np.concatenate([[0], np.cumsum(~springs[order])]) + np.concatenate(
        [np.cumsum(springs[order][::-1])[::-1], [0]]
    )
    right[1:-1][ascending[1:] == ascending[:-1]] = -1  # equal values cannot be parted
    k = int(right.argmax())
    ends = np.concatenate([[0.0], (ascending[1:] + ascending[:-1]) / 2, [2.0]])
    return Judge(way, float(ends[k]), float(right[k] / len(springs)))

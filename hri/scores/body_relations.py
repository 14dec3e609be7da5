"""What can be said of a body's relations, of which nobody knows the truth: how many edges speak, whether left and right
mirror, and whether edges follow the feet.

Nothing here says that an edge is right. Every number stands beside what chance gives, which keeps all but the thing in
question: mirrored edges beside edges of the same family paired at random, and a course in time beside the same course
shifted in time within its scene, because what changes slowly always seems to follow what changes slowly. And whatever
is computed from poses follows them: so what edges follow is held against models that nobody trained. NumPy only.

An edge of step t is inferred from states up to t - 1; so feet are looked at one frame before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.data.windows import swapped_sides
from hri.scores import meanings
from hri.scores.feet import foot_of, heights_of, leg_of

SHUFFLES = 499
CLEAR = 0.05
"""Of all shuffles, the share up to which a number is more than chance."""
LOW, STILL = 0.06, 0.02
"""A foot is on the ground while it is lower than this share of a leg above the lowest that any foot of its scene comes,
and rises or sinks by less than this share a frame (at 30 a second some 5 cm, and half a metre a second)."""
APART = 0.05
"""Feet take turns where the difference of their heights spreads by more than this share of a leg and changes sign."""
UNTRAINED = 3
"""Models that nobody trained, beside which a trained one is put."""


@dataclass(frozen=True)
class AgainstChance:
    """A number, what chance gives for it, and how often chance gives as much."""

    value: float
    chance: float
    """Mean over the shuffles."""
    share: float
    """Of the shuffles and what is, those that are at least as far out."""

    @property
    def clear(self) -> bool:
        """Whether it is more than chance."""
        return self.share <= CLEAR

    @property
    def odds(self) -> str:
        """How often chance does as well, in words."""
        digits = 0 if self.share >= 0.1 else 1  # so that what is just not clear does not read as if it were
        return f"in {self.share:.{digits}%} of the shuffles"


@dataclass(frozen=True)
class Finding:
    """One thing that can be said."""

    about: str
    sentence: str
    clear: bool | None
    """Whether it is more than chance; None where no chance stands beside it, or it cannot be asked here."""


@dataclass(frozen=True)
class BodyRelations:
    """Edges over which messages pass, in S scenes of one model and the frames of their burn-in."""

    tree: Tree
    pairs: Int[np.ndarray, "R 2"]
    signal: Float[np.ndarray, "S F R"]
    """Probability that an edge speaks."""
    speaks: Bool[np.ndarray, "S F R"]
    verb: str
    """What such an edge does: speak, or be of a type where all types do."""
    heights: Float[np.ndarray, "S T 2"] | None
    """Of the left and the right foot over the lowest that either comes in the scene, in legs; None: no feet by name."""
    first: int
    """Frame of the heights that the first of the F steps is held against."""
    legs: Bool[np.ndarray, "2 R"]
    """Edges within the left and within the right leg."""
    untrained: tuple[BodyRelations, ...] = ()
    """The same scenes by models of the same kind that have learned nothing (:mod:`hri.rollout.untrained`)."""

    @property
    def shares(self) -> Float[np.ndarray, " R"]:
        """How often each edge speaks."""
        return self.speaks.mean((0, 1))

    @property
    def mirrored(self) -> Int[np.ndarray, "M 2"]:
        """Rows of the edges that are each other's mirror image, each pair once; none where names tell no sides."""
        swapped = swapped_sides(self.tree.names, self.tree) if self.tree.names else None
        if swapped is None:
            return np.empty((0, 2), dtype=np.int64)
        row_of = {(int(i), int(j)): row for row, (i, j) in enumerate(self.pairs)}
        others = [(row, row_of.get((int(swapped[i]), int(swapped[j])))) for row, (i, j) in enumerate(self.pairs)]
        return np.array([(row, other) for row, other in others if other is not None and row < other]).reshape(-1, 2)

    def mirror(self) -> AgainstChance | None:
        """Mean difference of how often mirrored edges speak; None where there are none, or all speak equally often."""
        rows, shares = self.mirrored, self.shares
        if len(rows) < 2 or np.ptp(shares[rows]) == 0:
            return None
        families, _ = self.tree.families(*self.pairs[rows[:, 0]].T)
        groups = [np.flatnonzero(families == family) for family in np.unique(families)]

        def shuffled(random: np.random.Generator) -> float:
            order = np.arange(len(rows))
            for group in groups:
                order[group] = random.permutation(group)
            return float(np.abs(shares[rows[:, 0]] - shares[rows[order, 1]]).mean())

        difference = float(np.abs(np.diff(shares[rows], axis=1)).mean())
        return _against(difference, shuffled, lambda chance: chance <= difference)

    @property
    def contact(self) -> Bool[np.ndarray, "S T 2"] | None:
        """When each foot is on the ground."""
        if self.heights is None:
            return None
        moves = np.abs(np.diff(self.heights, axis=1, prepend=self.heights[:, :1]))
        return (self.heights < LOW) & (moves < STILL)

    def follows_contact(self, shuffles: int = SHUFFLES) -> AgainstChance | None:
        """Correlation of a foot's contact with how probably the edges of its leg speak; None where one never varies."""
        contact = self.contact
        if contact is None or not self.legs.any(1).all():
            return None
        beliefs = np.stack([self.signal[..., leg].mean(-1) for leg in self.legs], -1)
        touches = contact[:, self.first : self.first + beliefs.shape[1]].astype(float)
        x, c = (values - values.mean(1, keepdims=True) for values in (beliefs, touches))
        size = float(np.sqrt((x**2).sum() * (c**2).sum()))
        if size < 1e-9:
            return None
        correlation = float((x * c).sum() / size)

        def shuffled(random: np.random.Generator) -> float:
            return float((x * _shifted(c, random)).sum() / size)

        return _against(correlation, shuffled, lambda chance: np.abs(chance) >= abs(correlation), shuffles, np.abs)

    @property
    def strides(self) -> Bool[np.ndarray, " S"]:
        """In which scenes the feet take turns."""
        if self.heights is None:
            return np.zeros(len(self.signal), dtype=bool)
        apart = self.heights[..., 0] - self.heights[..., 1]
        centred = apart - apart.mean(1, keepdims=True)
        turns = (np.diff(np.sign(centred), axis=1) != 0).sum(1)
        return (centred.std(1) > APART) & (turns >= 2)

    def follows_step(self, shuffles: int = SHUFFLES) -> AgainstChance | None:
        """Share of how edges change that the phase of the step explains; None without steps, or without change.

        The phase is the angle of (difference of the feet's heights, its speed), each over its spread, so one step of
        both feet is a turn; each edge is fitted by a cosine of it with a phase of its own, over all scenes.
        """
        walks = self.strides
        if self.heights is None or not walks.any():
            return None
        apart = self.heights[walks, :, 0] - self.heights[walks, :, 1]
        apart = apart - apart.mean(1, keepdims=True)
        speed = np.gradient(apart, axis=1)
        phase = np.arctan2(speed / speed.std(1, keepdims=True), apart / apart.std(1, keepdims=True))
        steps = self.signal.shape[1]
        waves = np.stack([np.cos(phase), np.sin(phase)], -1)[:, self.first : self.first + steps]
        x = self.signal[walks] - self.signal[walks].mean(1, keepdims=True)
        total = float((x**2).sum())
        if total < 1e-9:
            return None

        def explained(wave: np.ndarray) -> float:
            wave = wave - wave.mean(1, keepdims=True)
            basis = np.linalg.qr(wave.reshape(-1, 2))[0]
            return float(((basis.T @ x.reshape(len(basis), -1)) ** 2).sum() / total)

        share = explained(waves)
        return _against(
            share, lambda random: explained(_shifted(waves, random)), lambda chance: chance >= share, shuffles
        )

    # In words

    @cached_property
    def findings(self) -> list[Finding]:
        """All of it, a sentence each with its numbers."""
        if not len(self.pairs):
            return [Finding("How many", "The model passes no messages, so there are no relations to speak of.", None)]
        return [self._sparse(), self._mirrors(), self._touches(), self._steps()]

    def _sparse(self) -> Finding:
        edges, now = len(self.pairs), self.speaks.sum(-1).mean()
        never, always = int((self.shares == 0).sum()), int((self.shares == 1).sum())
        return Finding(
            "How many",
            f"Of {edges} edges {now:.1f} {self.verb} at a frame ({now / edges:.0%}); {never} never do, {always} "
            "always.",
            None,
        )

    def _mirrors(self) -> Finding:
        about, pairs, found = "Left and right", len(self.mirrored), self.mirror()
        if found is None:
            why = (
                f"All {pairs} pairs of edges that mirror each other {self.verb} equally often"
                if pairs >= 2
                else "No two edges mirror each other by the names of their joints"
            )
            return Finding(about, f"{why}, so chance would do as well.", None)
        verdict = (
            "The model treats both sides more alike than chance would."
            if found.clear
            else "Nothing says that the model treats both sides alike."
        )
        return Finding(
            about,
            f"How often an edge and its mirror image {self.verb} differs by {found.value:.2f} on average over "
            f"{pairs} pairs; by {found.chance:.2f} if edges of the same kind are paired at random, and "
            f"by as little {found.odds}. {verdict}",
            found.clear,
        )

    def _touches(self) -> Finding:
        about, contact, found = "Feet on the ground", self.contact, self.follows_contact()
        if contact is None:
            return Finding(about, "No joint is called a left or a right foot, so contact is not known.", None)
        share = f"A foot is on the ground in {contact.mean():.0%} of the frames."
        if found is None:
            return Finding(about, f"{share} It never changes while edges are seen, or no edge does.", None)
        others = [other.value for one in self.untrained if (other := one.follows_contact(0)) is not None]
        learned, beside = _beside(found, others, "+.2f")
        way = "more" if found.value > 0 else "less"
        verdict = _verdict(found, learned, f"a leg's edges {self.verb} {way} while its foot is down", bool(others))
        return Finding(
            about,
            f"{share} Its correlation with how probably the leg's edges {self.verb} is {found.value:+.2f}; shifted in "
            f"time it is ±{found.chance:.2f} on average, and as large {found.odds}{beside}. {verdict}",
            found.clear and learned,
        )

    def _steps(self) -> Finding:
        about, walks, found = "Phase of the step", self.strides, self.follows_step()
        if not walks.any():
            return Finding(about, "In no scene do the feet take turns, so there is no step to follow.", None)
        where = f"The feet take turns in {int(walks.sum())} of {len(walks)} scenes."
        if found is None:
            return Finding(about, f"{where} The edges do not change there, so they follow nothing.", None)
        others = [other.value for one in self.untrained if (other := one.follows_step(0)) is not None]
        learned, beside = _beside(found, others, ".0%")
        verdict = _verdict(found, learned, "the edges follow the step", bool(others))
        return Finding(
            about,
            f"{where} The phase of the step explains {found.value:.0%} of how edges change; shifted in time "
            f"{found.chance:.0%}, and as much {found.odds}{beside}. {verdict}",
            found.clear and learned,
        )


def _beside(found: AgainstChance, others: Sequence[float], form: str) -> tuple[bool, str]:
    """Whether a number is further out than that of each untrained model, and theirs in words."""
    if not others:
        return True, ""
    named = ", ".join(f"{other:{form}}" for other in sorted(others))
    models = f"{len(others)} models that nobody trained" if len(others) > 1 else "a model that nobody trained"
    return all(abs(found.value) > abs(other) for other in others), f"; in {models} it is {named}"


def _verdict(found: AgainstChance, learned: bool, what: str, compared: bool) -> str:
    """What follows from a number and those beside it."""
    if not found.clear:
        return f"Nothing says that {what}."
    if not learned:
        return f"{what[0].upper()}{what[1:]}, but not more than where nothing was learned: poses alone do that."
    more = " and more than where nothing was learned" if compared else ""
    return f"{what[0].upper()}{what[1:]}, more than chance{more}."


def body_relations(rollout: Rollout, history: int = 0, untrained: Sequence[Rollout] = ()) -> BodyRelations:
    """What a model's rollouts of a body say, over all their scenes.

    Args:
        rollout: of S scenes of a model that sees joints.
        history: states of the model's window; frames without a full one are left out.
        untrained: the same scenes by models that nobody trained.

    Raises:
        ValueError: the nodes are no joints; one sentence.
    """
    if rollout.observation != "states" or rollout.joints is None or rollout.tree.flat:
        raise ValueError("only models that see a body's joints have relations between them; this one has other nodes")
    tree = rollout.tree
    rows = np.arange(len(rollout.edge_sender_receiver)) if rollout.carries is None else np.flatnonzero(rollout.carries)
    steps = meanings.burn_in(history, int(rollout.last_true_input))
    begin = max(1, steps.start)
    kinds = rollout.edge_probabilities.shape[-1]
    last = kinds - 1
    chances = rollout.edge_probabilities[:, begin : steps.stop][:, :, rows].astype(np.float64)
    types = rollout.edge_types[:, begin : steps.stop][:, :, rows]
    speak = rollout.all_types_speak
    feet = [foot_of(tree, side) for side in ("left", "right")]
    chains = [[] if foot is None else leg_of(tree, foot) for foot in feet]
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    return BodyRelations(
        tree=tree,
        pairs=pairs,
        signal=chances[..., last] if speak else 1 - chances[..., 0],
        speaks=types == last if speak else types != 0,
        verb=f"are of type {last}" if speak else "speak",
        heights=heights_of(rollout, [foot for foot in feet if foot is not None]) if None not in feet else None,
        first=begin - 1,
        legs=np.stack([np.isin(pairs, chain).all(1) for chain in chains]),
        untrained=tuple(body_relations(other, history) for other in untrained),
    )


def _shifted(values: Float[np.ndarray, "S F *shape"], random: np.random.Generator) -> Float[np.ndarray, "S F *shape"]:
    """Every scene turned around in time by a lag of its own, none included."""
    scenes, frames = values.shape[:2]
    lags = random.integers(0, frames, (scenes, 1))
    return values[np.arange(scenes)[:, None], (np.arange(frames) - lags) % frames]


def _against(
    found: float,
    shuffled: Callable[[np.random.Generator], float],
    as_far: Callable[[np.ndarray], np.ndarray],
    shuffles: int = SHUFFLES,
    size: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> AgainstChance:
    """A number beside so many shuffles of it, the same ones every time; without any, chance is not known."""
    if not shuffles:
        return AgainstChance(found, float("nan"), float("nan"))
    random = np.random.default_rng(0)
    chances = np.array([shuffled(random) for _ in range(shuffles)])
    return AgainstChance(found, float(size(chances).mean()), float((1 + as_far(chances).sum()) / (1 + shuffles)))

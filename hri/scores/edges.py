"""How well inferred edges agree with true springs: counts and histograms that grow with no data set, then scores.

Learned types have no names. One assignment over the whole data set (burn-in, all edges that carry messages) matches
them to "no spring" and "spring" so that most edges come out right; it then holds for every level, frame and
probability. Further types stand for nothing: they are wrong whatever the truth, and claim no spring. A model that keeps
two types for two kinds of springs is scored too low by this; the confusion table shows it.

Over 350 lines: half of it says what each score is, beside the sums it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from hri.core.forces import force
from hri.core.hierarchy import Tree
from hri.scores import ceilings, meanings
from hri.scores.meanings import ANY, level_pairs
from hri.scores.names import EDGE_SCORES

PERIODS = ("warm_up", "burn_in", "free_run")
"""Frames whose edges were inferred from a window not yet full, from true states alone, and from predictions too."""
EFFECTS = ("does_not_matter", "matters")
"""Springs by what their removal does (:mod:`hri.physics.removal`)."""
BINS = 4096
"""Of the histograms of log-odds, even, so that 0 lies between two."""
_REACH = 16.0
"""Log-odds beyond it are one: float32 probabilities are 0 or 1 there."""
_RELIABILITY = 10


class EdgeTally:
    """Counts of what was inferred while it was (not) so; :meth:`scores` makes scores of them.

    Args:
        tree: of the model's nodes.
        senders: of the edges the model infers.
        receivers: the same.
        edge_types: K.
        steps: T.
        burn_in: frames whose edges were inferred from full windows of true states; later ones are the free run.
        speaks: edges that carry messages, by default all. Only they say what a type means: of the others (HRI
            infers all pairs and passes messages over the hierarchy's) no training ever asked anything.
        stand_for: what the types stand for, first of them first, where training was told; further ones for nothing.
            By default the assignment says.
    """

    def __init__(
        self,
        tree: Tree,
        senders: Int[np.ndarray, " E"],
        receivers: Int[np.ndarray, " E"],
        edge_types: int,
        steps: int,
        burn_in: slice,
        speaks: Bool[np.ndarray, " E"] | None = None,
        stand_for: Sequence[str] | None = None,
    ):
        groups = level_pairs(tree, senders, receivers)
        self.names = list(groups)
        self.group = np.argmax(np.stack(list(groups.values())), 0)  # of each edge
        speakers = self.group if speaks is None else self.group[speaks]
        # Groups of edges that types are matched on.
        self.has_speakers = np.bincount(speakers, minlength=len(groups)) > 0
        self.period = np.full(steps, 2)  # of each frame
        self.period[: burn_in.stop] = 1
        self.period[: burn_in.start] = 0
        self.types = edge_types
        self.fixed_names = None if stand_for is None else [*stand_for, *[None] * (edge_types - len(stand_for))]
        # Axes: frames or periods, groups of edges, inferred or scored type K, whether there is a spring.
        self.type_counts = np.zeros((steps, len(groups), edge_types, 2), dtype=np.int64)
        self.ranks = np.zeros((edge_types, 3, len(groups), 2, BINS), dtype=np.int64)
        self.frame_ranks = np.zeros((edge_types, steps, 2, BINS), dtype=np.int64)
        self.reliability = np.zeros((edge_types, 3, 3, _RELIABILITY))  # type, period, (edges, sum of p, springs)
        # Of frames where that is known: period, group, type, truth, (nothing acts, what does not matter, what does).
        self.effects = np.zeros((3, len(groups), edge_types, 2, 3), dtype=np.int64)

    @property
    def nbytes(self) -> int:
        """Memory that the counts take, however many systems are counted."""
        counts = self.type_counts, self.ranks, self.frame_ranks, self.reliability, self.effects
        return sum(array.nbytes for array in counts)

    def add(
        self,
        logits: Float[Tensor, "B T E K"],
        types: Int[Tensor, "B T E"],
        truth: Int[Tensor, "B E"] | Int[Tensor, "B T E"],
    ) -> None:
        """Count some systems.

        Args:
            logits: of the edge types.
            types: which one spoke.
            truth: 1 where there is a spring; for all frames, or frame by frame.
        """
        shape = types.shape
        spring_there = (truth if truth.ndim == 3 else truth[:, None]).expand(shape).cpu().numpy()
        frame, group = np.arange(shape[1])[:, None], self.group
        period = self.period[:, None]
        places = ((frame * len(self.names) + group) * self.types + types.cpu().numpy()) * 2 + spring_there
        self.type_counts += _histogram(places, self.type_counts.shape)
        in_frame = (frame * 2 + spring_there) * BINS
        in_group = ((period * len(self.names) + group) * 2 + spring_there) * BINS
        in_period = np.broadcast_to(period * _RELIABILITY, shape)
        # A free run may end in numbers that are none; they claim nothing.
        odds = torch.nan_to_num(_log_odds(logits.float()), 0.0, _REACH, -_REACH).cpu()
        chances = torch.sigmoid(odds.double()).numpy()
        ranks = ((odds.numpy() + _REACH) * (BINS / (2 * _REACH))).astype(np.int64).clip(0, BINS - 1)
        tenths = (chances * _RELIABILITY).astype(np.int64).clip(0, _RELIABILITY - 1)
        for kind in range(self.types):
            self.frame_ranks[kind] += _histogram(in_frame + ranks[..., kind], self.frame_ranks[kind].shape)
            self.ranks[kind] += _histogram(in_group + ranks[..., kind], self.ranks[kind].shape)
            place = in_period + tenths[..., kind]
            for row, weights in enumerate((None, chances[..., kind], spring_there)):
                self.reliability[kind, :, row] += _histogram(place, (3, _RELIABILITY), weights)

    def add_effects(
        self,
        frames: Int[np.ndarray, " F"],
        types: Int[Tensor, "B F E"],
        truth: Integer[np.ndarray, "B F E"],
        effects: Integer[np.ndarray, "B F E"],
    ) -> None:
        """Count what was inferred beside what springs do (:mod:`hri.physics.removal`), at some of the frames of
        :meth:`add`.

        Args:
            frames: which ones.
            types: that spoke there.
            truth: 1 where there is a spring (or charges repel).
            effects: 0 where nothing acts, 1 where what acts does not matter, 2 where it does.
        """
        place = (self.period[frames][:, None] * len(self.names) + self.group) * self.types + types.cpu().numpy()
        self.effects += _histogram((place * 2 + truth) * 3 + effects, self.effects.shape)

    def scores(self) -> dict[str, Any]:
        """Everything there is to say, as plain JSON types; null where a score has no meaning (no springs, say).

        The edges of frame t are those that spoke when frame t was the input.

        | key                 | meaning                                                                           |
        |---------------------|-----------------------------------------------------------------------------------|
        | types               | what each type stands for: "none", "spring" or null                               |
        | confusion           | [K][2]: how often each type was inferred without and with a spring (burn-in)      |
        | burn_in, free_run   | the scores below, of all inferred pairs ("overall"), of those the tree can join   |
        |                     | ("possible") and of each level pair                                               |
        | by_frame            | the same of all inferred pairs, a list each over frames 0 ... T - 1; "period" is  |
        |                     | one of :data:`PERIODS`                                                            |
        | calibration         | of the spring type's probability, by period: "error" is the expected calibration  |
        |                     | error, the mean over edges of abs(mean probability - share of springs) in their   |
        |                     | bin; lists over ten bins tell where a bin begins ("from"), its "count" of edges,  |
        |                     | mean probability ("predicted") and share of springs ("true")                      |

        Each set of scores: ``count`` of (system, frame, edge) triples; ``springs``, the share that are springs;
        ``accuracy``, the share inferred right; ``precision``, of the claimed springs those that are; ``recall``, of the
        springs those that were claimed; ``f1``, their harmonic mean; ``auroc``, the chance that a spring is given a
        higher probability than a pair without one; ``auroc_error``, how far that can be from the exact one
        (:func:`auroc`); ``matters`` and ``does_not_matter``, null where no effects were counted: of the springs whose
        removal moves a ball within ten frames, and of the others (:mod:`hri.physics.removal`), their ``count`` of
        (system, frame, edge) triples, ``recall``, the share of them that were claimed, and ``accuracy``, the share
        inferred right of them and all pairs without a spring. Charges act between all pairs: there both are the share
        of such pairs whose kind was inferred right.
        """
        stand_for = self._stand_for()
        spring, none = stand_for.index("spring"), stand_for.index("none")

        def effect_counts(effects: Int[np.ndarray, "K 2 3"], kind: int) -> dict[str, Any]:
            counts, right = effects.sum((0, 1)), effects[none, 0] + effects[spring, 1]
            shares = {
                "recall": _share(right[kind], counts[kind]),
                "accuracy": _share(right[kind] + right[0], counts[kind] + counts[0]),
            }
            return {"count": int(counts[kind]), **shares}

        def score_group(type_counts: Int[np.ndarray, "K 2"], ranks: Int[np.ndarray, "2 R"]) -> dict[str, Any]:
            hits, claims = int(type_counts[spring, 1]), int(type_counts[spring].sum())
            springs = int(type_counts[:, 1].sum())
            area, error = auroc(ranks)
            return {
                "count": int(type_counts.sum()),
                "springs": _share(springs, type_counts.sum()),
                "accuracy": meanings.right(type_counts, stand_for),
                "precision": _share(hits, claims),
                "recall": _share(hits, springs),
                "f1": _share(2 * hits, claims + springs),
                "auroc": area,
                "auroc_error": error,
            }

        periods = {}
        for number, name in enumerate(PERIODS[1:], start=1):
            type_counts = self._by_group(self.type_counts[self.period == number].sum(0))
            ranks, effects = self._by_group(self.ranks[spring, number]), self._by_group(self.effects[number])
            periods[name] = {group: score_group(type_counts[group], ranks[group]) for group in type_counts}
            for group, group_scores in periods[name].items():
                kinds = enumerate(EFFECTS, start=1)
                group_scores |= {
                    word: effect_counts(effects[group], kind) if self.effects.any() else None for kind, word in kinds
                }
        frames = [
            score_group(type_counts, ranks)
            for type_counts, ranks in zip(self.type_counts.sum(1), self.frame_ranks[spring], strict=True)
        ]
        return {
            "types": stand_for,
            "confusion": self.type_counts[self.period == 1].sum((0, 1)).tolist(),
            **periods,
            "by_frame": {"period": [PERIODS[number] for number in self.period]}
            | {name: [frame[name] for frame in frames] for name in ("springs", *EDGE_SCORES, "auroc_error")},
            "calibration": {
                name: _calibration(self.reliability[spring, number]) for number, name in enumerate(PERIODS[1:], start=1)
            },
        }

    def accuracy(self) -> dict[str, float]:
        """Share of (system, frame, edge) triples of the burn-in whose inferred type stands for the truth.

        ``overall`` counts every pair the model infers, ``possible`` those the tree can join; then each level pair, and
        the pairs that never have a spring. ``guess`` is the best constant answer for ``overall``, ``guess_possible``
        that for ``possible``.
        """
        stand_for = self._stand_for()
        groups = self._by_group(self.type_counts[self.period == 1].sum(0))
        right = {name: meanings.right(counts, stand_for) for name, counts in groups.items()}
        scores = {name: share for name, share in right.items() if share is not None}
        for name, group in (("guess", "overall"), ("guess_possible", "possible")):
            if group in scores:
                scores[name] = float(groups[group].sum(0).max() / groups[group].sum())
        return scores

    def _stand_for(self) -> list[str | None]:
        """What each type means: as told, or by the assignment right most often over the burn-in, where edges speak."""
        if self.fixed_names is not None:
            return list(self.fixed_names)
        return meanings.assign(self.type_counts[self.period == 1][:, self.has_speakers].sum((0, 1)))

    def _by_group(self, counts: Int[np.ndarray, "G ..."]) -> dict[str, np.ndarray]:
        """Counts of all edges, of those the tree can join, and of each level pair that has any."""
        members = np.bincount(self.group, minlength=len(self.names)) > 0
        possible = members & (np.array(self.names) != "unrelated")
        sums = {"overall": counts.sum(0)} | ({"possible": counts[possible].sum(0)} if possible.any() else {})
        return sums | {name: counts[row] for row, name in enumerate(self.names) if members[row]}


def auroc(histogram: Int[np.ndarray, "2 R"]) -> tuple[float | None, float]:
    """Area under the ROC curve, and how far from the exact one it can be.

    The area is the chance that a random spring ranks above a random pair without one (Mann-Whitney). Pairs in
    different bins are ordered as their scores are; those that share a bin count half, so each is wrong by at most a
    half: the error is at most (springs x others that share a bin) / (2 x springs x others).

    Args:
        histogram: how many [without, with] a spring have a score in each bin, ascending.
    """
    without, springs = np.asarray(histogram, dtype=np.float64)
    possible = without.sum() * springs.sum()
    if not possible:
        return None, 0.0
    below, equal = (springs * (np.cumsum(without) - without)).sum(), (springs * without).sum()
    return float((below + equal / 2) / possible), float(equal / 2 / possible)


def brief(scores: dict[str, Any], ceiling: dict[str, Any] | None = None, physics: str = "") -> dict[str, Any]:
    """The scores of :meth:`EdgeTally.scores` in a few words a line, for a terminal or a card.

    Args:
        scores: of a model.
        ceiling: what it could find (:func:`hri.scores.ceilings.brief`), where that is known.
        physics: of the systems (:data:`hri.core.forces.FORCES`), whose words the types get; by default springs'.
    """
    words = dict(zip(meanings.MEANINGS, force(physics).types, strict=True))
    stand_for = [words.get(name or "", "neither") for name in scores["types"]]
    lines: dict[str, Any] = {"types": ", ".join(f"{k} {name}" for k, name in enumerate(stand_for))}
    for period in (*PERIODS[1:], *(["whole"] if "whole" in scores else [])):
        lines[period] = {
            group: _line(scores, ceiling, period, group, physics)
            for group, group_scores in scores[period].items()
            if group not in ("possible", ANY) or group_scores["count"] < scores[period]["overall"]["count"]
        }
        error = scores["calibration"].get(period, {}).get("error")
        if error is not None:
            lines[period]["calibration"] = f"expected error {error:.3f}"
    return lines


def _line(scores: dict[str, Any], ceiling: dict[str, Any] | None, period: str, group: str, physics: str) -> str:
    """All scores of one group of edges."""
    values = scores[period][group]
    parts = [
        f"{EDGE_SCORES[metric]} {ceilings.comparison(scores, ceiling, group, metric, period, 3)}"
        for metric in ("accuracy", "auroc")
        if values[metric] is not None
    ]
    shares = [
        f"{EDGE_SCORES[metric]} {values[metric]:.3f}"
        for metric in ("precision", "recall", "f1")
        if values[metric] is not None
    ]
    return "; ".join(parts + ([", ".join(shares)] if shares else []) + effects_in_words(values, physics))


def effects_in_words(values: dict[str, Any], physics: str = "") -> list[str]:
    """What of the springs that matter was found, and of the others; nothing where that is not known.

    Args:
        values: scores of one group of edges.
        physics: of the systems, as for :func:`brief`.
    """
    what = "springs" if force(physics).silent else "pairs"
    kinds = {"matters": f"{what} that matter", "does_not_matter": f"{what} that do not"}
    parts = {words: values[kind] for kind, words in kinds.items() if values.get(kind) and values[kind]["count"]}
    return [f"of {part['count']:,} {words} {part['recall']:.3f} found" for words, part in parts.items()]


def _log_odds(logits: Float[Tensor, "*shape K"]) -> Float[Tensor, "*shape K"]:
    """Logarithm of p / (1 - p) of each type; it orders as probabilities do and keeps what float32 rounds to 0 or 1."""
    if logits.shape[-1] == 2:
        return logits - logits.flip(-1)
    kinds = range(logits.shape[-1])
    others = [torch.logsumexp(logits[..., [k for k in kinds if k != kind]], -1) for kind in kinds]
    return logits - torch.stack(others, -1)


def _histogram(places: np.ndarray, shape: tuple[int, ...], weights: np.ndarray | None = None) -> np.ndarray:
    """How often (or with how much weight) each place of an array of that shape is named."""
    flat = None if weights is None else weights.ravel()
    return np.bincount(places.ravel(), flat, minlength=int(np.prod(shape))).reshape(shape)


def _calibration(sums: Float[np.ndarray, "3 R"]) -> dict[str, Any]:
    counts, chances, springs = sums
    total = counts.sum()
    return {
        "error": float(np.abs(chances - springs).sum() / total) if total else None,
        "from": [place / _RELIABILITY for place in range(_RELIABILITY)],
        "count": [int(count) for count in counts],
        "predicted": [_share(p, count) for p, count in zip(chances, counts, strict=True)],
        "true": [_share(count, whole) for count, whole in zip(springs, counts, strict=True)],
    }


def _share(part: int | float | np.number, whole: int | float | np.number) -> float | None:
    return float(part / whole) if whole else None

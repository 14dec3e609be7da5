"""The paper's claims, and two questions of ours, held against the results: a sentence, the figures, a verdict.

Every claim compares two models' errors (lower is better) in one setting or several. The rule, the same for all:

1. The ratio r = left error / right error, of means over seeds. r = 0.8: left's error is 20 % lower.
2. How well r is known. Seeds scatter a score by some percentage s: the relative standard deviations of all models of
   the compared settings that were run more than once, pooled (root mean square, weighted by n - 1; d = sum of
   n - 1). r is taken to lie within r · exp(± t · s · sqrt(1/n_left + 1/n_right)), t the 97.5 % point of Student's
   distribution with d degrees of freedom: a 95 % interval. If no model was run more than once, the interval is
   r / 1.1 ... r · 1.1 (:data:`ALONE`), and the finding says that it rests on single runs.
3. The verdict "holds" if the whole interval is where the claim says, "does not hold" if all of it lies elsewhere,
   "too close to call" if it straddles the border, "not run yet" if a model is missing:

   | kind        | the claim says                                                       |
   |-------------|----------------------------------------------------------------------|
   | better      | r < 1 ("a little better" counts however much)                        |
   | much better | r < 2/3 (:data:`MUCH`): at least a third lower                       |
   | about equal | 1/1.15 < r < 1.15 (:data:`EQUAL`): within 15 % of each other         |

Errors are the test NLL for states. For images they are pixel errors, because slots of another encoder, or upper slots
that trained along, are another scale. The paper's HRI stands in two forms, ``hri`` (all pairs inferred) and ``hri-h``
(the hierarchy's pairs): the one with more runs is compared, ``hri`` when equal, and the finding names it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hri.core.decoding import DECODERS, paper_decoder
from hri.experiments.scoreboard import Board, Entry, Setting, Spread
from hri.scores.names import METRICS

Verdict = Literal["holds", "does not hold", "too close to call", "not run yet"]
VERDICTS: tuple[Verdict, ...] = ("holds", "does not hold", "too close to call", "not run yet")
Kind = Literal["better", "much better", "about equal"]

MUCH = 2 / 3
"""An error below this share of the other's is much better."""
EQUAL = 1.15
"""Errors whose ratio stays below this, either way round, are about equal."""
ALONE = 1.1
"""How far a ratio of single runs may be off where no model was repeated: a guess, and said to be one."""
RULE = (
    "Errors of the two models are compared as a ratio, and seeds say how far it may be off (95 % interval, from the "
    "spread of all models that were run more than once). *Holds*: the whole interval is where the claim says. "
    "*Does not hold*: none of it is. *Too close to call*: some of it is. Better: below 1. Much better: at least a "
    "third lower. About equal: within 15 %."
)
"""The rule above for a reader of the page."""
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10)
"""97.5 % points of Student's distribution for 1, 2, ... degrees of freedom; the last serves for all above."""

STATES, STATES_3_3 = Setting("state", "4-3"), Setting("state", "3-3")
STATES_LONG = Setting("state", "4-3", long=True)
IMAGES = tuple(Setting(decoder, "4-3") for decoder, spec in DECODERS.items() if spec.published)
"""Both of the paper's decoders."""
DRAWN_ALONE, DRAWN_TOGETHER = (Setting(paper_decoder(alone), "4-3") for alone in (True, False))
MOCAP = Setting("state", "mocap")
HRI = ("hri", "hri-h")
"""Either form of the paper's HRI."""


@dataclass(frozen=True)
class Side:
    """One of two compared errors: a model, or either form of it, in a setting."""

    models: tuple[str, ...]
    setting: Setting

    def entry(self, board: Board, metric: str) -> Entry | None:
        """The form with most runs that has this score."""
        entries = [board.entry(self.setting, model) for model in self.models]
        scored = [entry for entry in entries if entry is not None and metric in entry.metrics]
        return max(scored, key=lambda entry: entry.n, default=None)


@dataclass(frozen=True)
class Comparison:
    """A claim in one setting."""

    left: Side
    right: Side
    metric: str
    where: str
    optional: bool = False
    """Left out, not "not run yet", where either is missing."""


@dataclass(frozen=True)
class Claim:
    """What is claimed of two models: "left is better than right"."""

    sentence: str
    about: str
    """What it would mean, for someone who meets the models for the first time."""
    kind: Kind
    source: Literal["paper", "ours"]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class ClaimFinding:
    """A claim held against the results in one setting."""

    comparison: Comparison
    verdict: Verdict
    says: str
    """The outcome in a sentence."""
    note: str = ""
    """Which runs it rests on, where that needs saying."""
    left: Entry | None = None
    right: Entry | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None

    def figures(self) -> list[tuple[str, Spread]]:
        """Both models' names and errors, left first; empty while one is missing."""
        pair = (self.left, self.right)
        return [(_named(e, o), e.metrics[self.comparison.metric]) for e, o in (pair, pair[::-1]) if e and o]

    def numbers(self) -> str:
        """Such as "NLL (nats): HRI 7,172 ± 210 (3 runs), NRI 12,234 (1 run)"; empty while one is missing."""
        metric = METRICS[self.comparison.metric]
        texts = [
            f"{name} {spread.text(metric)} ({spread.n} {'run' if spread.n == 1 else 'runs'})"
            for name, spread in self.figures()
        ]
        return f"{metric.label} ({metric.unit}): {', '.join(texts)}{self.lengths()}" if texts else ""

    def lengths(self) -> str:
        """Such as "; 3,000 updates each", or how many the left and the right model trained for; empty if not known."""
        updates = [entry.updates for entry in (self.left, self.right) if entry and entry.updates]
        if len(updates) < 2:
            return ""
        left, right = updates
        return f"; {left:,} updates each" if left == right else f"; {left:,} and {right:,} updates"

    def details(self) -> str:
        """What the numbers mean, and how sure the verdict is."""
        metric = METRICS[self.comparison.metric]
        sure = (
            "" if self.ratio is None else f"Ratio {self.ratio:.2f}, taken to lie in {self.low:.2f} … {self.high:.2f}. "
        )
        return f"{sure}{self.note} {metric.label}: {metric.help}".replace("  ", " ").strip()


def _in(
    left: tuple[str, ...], right: tuple[str, ...], *settings: Setting, also: tuple[Setting, ...] = ()
) -> tuple[Comparison, ...]:
    """The same two models in several settings; ``also`` where both happen to have been run."""
    return tuple(
        Comparison(
            Side(left, setting),
            Side(right, setting),
            "nll" if setting.seen == "state" else "frame_mse",
            setting.label,
            setting in also,
        )
        for setting in (*settings, *also)
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "NRI predicts better than LSTM.",
        "Knowing that things act on each other, and finding out which, should beat one network that sees only numbers.",
        "better",
        "paper",
        _in(("nri",), ("lstm",), STATES, STATES_LONG, STATES_3_3, *IMAGES, also=(MOCAP,)),
    ),
    Claim(
        "HRI predicts better than NRI.",
        "Messages that go up, across and down a hierarchy should beat messages between all pairs at once.",
        "better",
        "paper",
        _in(HRI, ("nri",), STATES, STATES_LONG, STATES_3_3, *IMAGES, also=(MOCAP,)),
    ),
    Claim(
        "NRI-GT predicts much better than NRI.",
        "Told the true springs, NRI should gain much: inferring all pairs is its weak spot.",
        "much better",
        "paper",
        _in(("nri-gt",), ("nri",), STATES, STATES_LONG, STATES_3_3),
    ),
    Claim(
        "HRI-GT predicts about as well as HRI.",
        "Told the true springs, HRI should gain next to nothing: it has found what matters by itself.",
        "about equal",
        "paper",
        _in(("hri-gt",), HRI, STATES, STATES_LONG, STATES_3_3),
    ),
    Claim(
        "HRI-GT predicts better than NRI-GT.",
        "With the same true springs, hierarchical messages should still beat flat ones.",
        "better",
        "paper",
        _in(("hri-gt",), ("nri-gt",), STATES, STATES_LONG, STATES_3_3),
    ),
    Claim(
        "ParDec is a little better than SlotDec.",
        "A decoder that draws all slots at once should reconstruct and predict images a little better than one that "
        "draws each slot alone and sums. (SlotDec shows what each slot stands for.)",
        "better",
        "paper",
        tuple(
            Comparison(Side(HRI, DRAWN_TOGETHER), Side(HRI, DRAWN_ALONE), metric, where)
            for metric, where in (
                ("reconstruction_mse", "Reconstruction, images 4-3"),
                ("frame_mse", "Prediction, images 4-3"),
            )
        ),
    ),
    Claim(
        "HRI still leads when NRI adds its messages as HRI does.",
        "The published NRI replaces each node's hidden state by its messages, HRI adds them. If the lead went away "
        "with that difference, it would not be the hierarchy's.",
        "better",
        "ours",
        _in(HRI, ("nri-residual",), STATES, also=(STATES_3_3, *IMAGES)),
    ),
    Claim(
        "Ten states of history predict better than one.",
        "The paper infers relations from the ten most recent states. Do they say more than the last one alone?",
        "better",
        "ours",
        _in(("hri-h",), ("hri-h-one",), STATES, also=(STATES_3_3, *IMAGES)),
    ),
    Claim(
        "Ten recent states predict better than the published window.",
        "The published code saw one state only, ten steps old: the paper's method had never been run with it.",
        "better",
        "ours",
        _in(("hri-h",), ("hri-h-published",), STATES, also=(STATES_3_3, *IMAGES)),
    ),
)


def findings(claim: Claim, board: Board) -> list[ClaimFinding]:
    """What the results say of a claim, setting by setting."""
    answers = [find(claim, comparison, board) for comparison in claim.comparisons]
    return [f for f in answers if f.verdict != "not run yet" or not f.comparison.optional]


def find(claim: Claim, comparison: Comparison, board: Board) -> ClaimFinding:
    """What the results say of a claim in one setting."""
    metric = comparison.metric
    left, right = (side.entry(board, metric) for side in (comparison.left, comparison.right))
    if left is None or right is None:
        return ClaimFinding(comparison, "not run yet", "There are no figures for this yet.")
    ours, theirs = left.metrics[metric], right.metrics[metric]
    if ours.mean <= 0 or theirs.mean <= 0:
        return ClaimFinding(
            comparison, "too close to call", "An error that is not above zero has no ratio.", "", left, right
        )
    ratio = ours.mean / theirs.mean
    factor, repeated = uncertainty(comparison, board, ours.n, theirs.n)
    low, high = ratio / factor, ratio * factor
    notes = [_alone(left, right, repeated), *(_form(s, e, board, metric) for s, e in _sides(comparison, left, right))]
    note = " ".join(part for part in notes if part)
    verdict = judge(claim.kind, low, high)
    says = _outcome(claim.kind, _named(left, right), _named(right, left), ratio) + _reason(claim.kind, verdict, ratio)
    return ClaimFinding(comparison, verdict, says, note, left, right, ratio, low, high)


def judge(kind: Kind, low: float, high: float) -> Verdict:
    """The verdict on a ratio of errors that lies between ``low`` and ``high``."""
    least, most = {"better": (0.0, 1.0), "much better": (0.0, MUCH), "about equal": (1 / EQUAL, EQUAL)}[kind]
    if least < low and high < most:
        return "holds"
    return "does not hold" if high <= least or low >= most else "too close to call"


def uncertainty(comparison: Comparison, board: Board, n_left: int, n_right: int) -> tuple[float, bool]:
    """The factor by which the ratio may be off, either way, and whether that was measured."""
    entries = [e for s in {comparison.left.setting, comparison.right.setting} for e in board.of(s)]
    scores = [e.metrics[comparison.metric] for e in entries if comparison.metric in e.metrics]
    repeated = [(s.n - 1, (s.std / s.mean) ** 2) for s in scores if s.std is not None and s.n > 1 and s.mean > 0]
    if not repeated:
        return ALONE, False
    freedom = sum(weight for weight, _ in repeated)
    scatter = math.sqrt(sum(weight * square for weight, square in repeated) / freedom)
    student = _STUDENT[min(freedom, len(_STUDENT)) - 1]
    return math.exp(student * scatter * math.sqrt(1 / n_left + 1 / n_right)), True


def _sides(comparison: Comparison, left: Entry, right: Entry) -> tuple[tuple[Side, Entry], tuple[Side, Entry]]:
    return (comparison.left, left), (comparison.right, right)


def _alone(left: Entry, right: Entry, repeated: bool) -> str:
    if not repeated:
        return "Single runs, none repeated: differences below 10 % are not counted."
    single = [entry.label for entry in (left, right) if entry.n == 1]
    if not single:
        return ""
    return f"{' and '.join(dict.fromkeys(single))}: one run; how far seeds scatter is taken from the repeated models."


def _form(side: Side, used: Entry, board: Board, metric: str) -> str:
    """Which form of HRI was compared, and what the other one scored."""
    if len(side.models) == 1:
        return ""
    others = [board.entry(side.setting, model) for model in side.models if model != used.model]
    texts = [
        f"{e.label} scores {e.metrics[metric].text(METRICS[metric])} (n = {e.n})"
        for e in others
        if e is not None and metric in e.metrics
    ]
    return f"{used.label} stands for HRI" + (f"; {texts[0]}." if texts else ".") if texts or used.model != "hri" else ""


def _named(entry: Entry, other: Entry) -> str:
    """A model's label, with its decoder where that is the difference."""
    if entry.setting == other.setting:
        return entry.label
    return next((spec.label for name, spec in DECODERS.items() if name == entry.setting.seen), entry.setting.label)


def _reason(kind: Kind, verdict: Verdict, ratio: float) -> str:
    """Why the verdict is not what the outcome alone seems to say; empty where it is."""
    if verdict == "too close to call":
        return " Runs scatter too much to be sure."
    if verdict == "does not hold" and kind == "about equal":
        return f" That is {'better' if ratio < 1 else 'worse'}, not about as well."
    return ""


def _outcome(kind: Kind, left: str, right: str, ratio: float) -> str:
    """Such as "HRI-H errs 42 % less than NRI."."""
    share = round(abs(1 - ratio) * 100)
    if share == 0:
        return f"{left} errs as much as {right}."
    if ratio >= 2:
        return f"{left} errs {ratio:.2g} times as much as {right}."
    little = ", not by a third" if kind == "much better" and MUCH < ratio < 1 else ""
    return f"{left} errs {share} % {'less' if ratio < 1 else 'more'} than {right}{little}."

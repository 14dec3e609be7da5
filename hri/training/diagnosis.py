"""What a training's numbers say, in words: is it learning, what is wrong, what to try.

Reads the lines of ``metrics.jsonl`` (:mod:`hri.training.run_folder`); every rule states its own threshold and sees only
what is there, so it speaks while the training goes on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Literal

COLLAPSED = 0.995
"""Share of one edge type from which the others count as unused."""
OVERFITTING = 1.1
"""Validation against its best, from which it counts as rising."""
SPIKES = 0.05
"""Share of recent updates with a burst of the gradient, from which the learning rate counts as too high."""
SLOW = 0.02
"""Relative fall of the loss over half of the updates, below which nothing much moves."""
UPPER_SHARE = 0.5
"""Share of the prediction's loss that upper slots carry, from which they count as growing (5 of 21 are 0.24)."""
EMPTY_SLOTS = 0.25
"""Share of unused slots from which it is said."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing to know."""

    kind: Literal["good", "note", "warning", "stopped"]
    title: str
    """A few words."""
    text: str
    """What the numbers say, with the numbers."""
    advice: str = ""
    """What to try."""


def diagnose(records: Sequence[dict[str, Any]], state: str = "running", reason: str = "") -> list[Diagnosis]:
    """The findings, worst first.

    Args:
        records: lines of metrics.jsonl in their order.
        state: of the process (:class:`hri.training.control.Presence`).
        reason: why it failed.
    """
    findings = [*_failure(state, reason), *_overflow(records)]
    for stage in (1, 2):
        lines = [record for record in records if record.get("stage") == stage]
        validations = [
            record["validation"] | {"update": record["update"]} for record in lines if record.get("validation")
        ]
        if not lines:
            continue
        last = stage == records[-1].get("stage")
        if last:
            findings += [*_rate(lines), *_edges(lines)]
        if stage == 1:
            findings += _slots(validations)
        if stage == 2 and last:
            findings += [*_upper(lines), *_copying(validations), *_overfitting(validations)]
    order = ("stopped", "warning", "note", "good")
    return sorted(findings, key=lambda finding: order.index(finding.kind))


def _failure(state: str, reason: str) -> list[Diagnosis]:
    if state != "failed":
        return []
    return [Diagnosis("stopped", "It stopped", reason[:1].upper() + reason[1:] + ("" if reason.endswith(".") else "."))]


def _overflow(records: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Losses that grow beyond all bounds, before they are no numbers any more."""
    losses = [record["loss"] for record in records[-50:] if record.get("stage") == records[-1].get("stage")]
    if len(losses) < 20:
        return []
    start, now = median(losses[: len(losses) // 2]), fmean(losses[-3:])
    if not math.isfinite(now) or (start > 0 and now > 30 * start):
        return [
            Diagnosis(
                "warning", "The loss explodes", f"It was {start:.3g} a moment ago and is {now:.3g}.",
                "A lower learning rate, or a smaller clip. The best checkpoint so far is kept.",
            )
        ]  # fmt: skip
    return []


def _rate(lines: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Learning rate too high (bursts, no progress) or too low (a loss that hardly falls from the very start)."""
    losses, norms = [record["loss"] for record in lines], [record["gradient_norm"] for record in lines]
    findings: list[Diagnosis] = []
    if len(lines) < 40:
        return findings
    recent = norms[len(norms) // 2 :]
    usual = median(recent)
    bursts = sum(norm > 10 * usual for norm in recent) / len(recent)
    first, second = losses[: len(losses) // 2], losses[len(losses) // 2 :]
    falling = 1 - median(second) / median(first) if median(first) > 0 else 0.0
    if bursts > SPIKES:
        findings.append(
            Diagnosis(
                "warning", "The learning rate may be too high",
                f"In {bursts:.0%} of the recent updates the gradient was more than ten times as large as usual.",
                "Half the learning rate.",
            )
        )  # fmt: skip
    elif falling < -0.1:
        findings.append(
            Diagnosis(
                "warning", "The loss rises", f"It is {-falling:.0%} higher than in the first half of this stage.",
                "A third of the learning rate.",
            )
        )  # fmt: skip
    elif falling < SLOW:
        findings.append(
            Diagnosis(
                "note", "It learns slowly", f"The loss fell by {max(falling, 0):.1%} over half of the updates so far.",
                "Either it is as good as it gets, or the learning rate is too low: try three times as much.",
            )
        )  # fmt: skip
    return findings


def _edges(lines: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """All edges of one type: the model tells no relations apart."""
    recent = [record for record in lines[-20:] if "edge_type_1" in record]
    if len(recent) < 5:
        return []
    names = sorted(name for name in recent[-1] if name.startswith("edge_type_"))
    shares = {name: fmean(record[name] for record in recent) for name in names}
    largest = max(shares, key=lambda name: shares[name])
    if shares[largest] < COLLAPSED:
        return []
    kind = int(largest.removeprefix("edge_type_"))
    several = "edge_type_2" in names
    what = "no interaction" if kind == 0 else f"interaction type {kind}" if several else "interaction"
    return [
        Diagnosis(
            "warning", "All edges are of one type", f"{shares[largest]:.1%} of the edges are \"{what}\".",
            "It often passes after a few hundred updates. If not: a smaller edge weight, a higher temperature.",
        )
    ]  # fmt: skip


def _upper(lines: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Upper slots of images are targets that their own encoder makes, and nothing but the data keeps them small."""
    known = [record for record in lines if record.get("nll_upper") and record["nll"] > 0]
    if len(known) < 40:
        return []
    share = median(record["nll_upper"] / record["nll"] for record in known[-20:])
    first, now = (median(record["nll_upper"] for record in part) for part in (known[:20], known[-20:]))
    if not (share > UPPER_SHARE and now > first):  # a new encoder of upper slots may begin large; no number, no word
        return []
    return [
        Diagnosis(
            "warning", "The upper slots grow",
            f"{share:.0%} of the loss is theirs: as targets they raise it by growing, whatever is predicted.",
            "A larger upper decay (1, where it is 0) keeps them small.",
        )
    ]  # fmt: skip


def _slots(validations: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Slots that say nothing, or that two say the same."""
    findings: list[Diagnosis] = []
    if not validations or "slots_unused" not in validations[-1]:
        return findings
    unused, alike = validations[-1]["slots_unused"], validations[-1]["slots_alike"]
    if unused > EMPTY_SLOTS:
        findings.append(
            Diagnosis(
                "warning", "Slots are empty", f"{unused:.0%} of the leaf slots hardly change with the picture.",
                "More updates; a lower learning rate of stage 1; look at the slot pictures in Explore.",
            )
        )  # fmt: skip
    if alike > 0:
        findings.append(
            Diagnosis(
                "note", "Slots say the same", f"{alike:.0%} of the leaf slots repeat another one.",
                "More updates, or a narrower decoder.",
            )
        )  # fmt: skip
    return findings


def _copying(validations: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Against repeating the last state."""
    if not validations or "copy_nll" not in validations[-1]:
        return []
    ours, copy = validations[-1]["nll"], validations[-1]["copy_nll"]
    if ours >= copy:
        return [
            Diagnosis(
                "note", "No better than copying yet",
                f"Repeating the last state scores an NLL of {copy:,.0f}; the model has {ours:,.0f}.",
                "Let it run on; most models pass this line within the first hundred updates.",
            )
        ]  # fmt: skip
    return [
        Diagnosis(
            "good", "It has learned to move", f"Its NLL is {ours:,.0f}; repeating the last state scores {copy:,.0f}."
        )
    ]


def _overfitting(validations: Sequence[dict[str, Any]]) -> list[Diagnosis]:
    """Validation that rises while training goes on."""
    if len(validations) < 4:
        return []
    best = min(validations, key=lambda row: row["nll"])
    after = [row["nll"] for row in validations if row["update"] > best["update"]]
    if len(after) < 3 or best["nll"] <= 0 or min(after[-3:]) < OVERFITTING * best["nll"]:
        return []
    return [
        Diagnosis(
            "warning", "It learns the training systems by heart",
            f"Validation was best at update {best['update']:,} (NLL {best['nll']:,.0f}) and is {after[-1]:,.0f} now.",
            "More training systems. The checkpoint of the best update is kept.",
        )
    ]  # fmt: skip

"""Models in words, for whoever picks one: what each has learned from, what it sees, its kind, and how well it does.

All of it stands in a checkpoint's header, so nothing here needs torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hri.core.decoding import DECODERS
from hri.core.presets import PRESETS
from hri.data.sources import source_of
from hri.experiments import scoreboard
from hri.model.checkpoint import Header
from hri.scores import ceilings

SEEN = {"state": "states"} | {name: f"images, {decoder.label}" for name, decoder in DECODERS.items()}
"""What a model sees, in words, by what presets call it."""
_PLACES = {name: place for place, name in enumerate(PRESETS)}
STEP = 10
"""Free steps after which an error is told: by then futures differ, and every data set has as many."""


@dataclass(frozen=True)
class Described:
    """A model, for a list of models."""

    data: str
    """What it has learned from, such as "springs, 17 balls (4-3)"."""
    kind: str
    """Such as "HRI-H"; with the rest of its name where it is not its preset's, such as "HRI-H, seed 1"."""
    sees: str
    """Such as "states", and how long it was trained."""
    edges: str
    """How many of its edges are right; "" where nobody knows, or it infers none."""
    error: str
    """How well it predicts, beside repeating what was last seen; "" where that was not measured."""
    place: tuple[int, int, str]
    """Where it stands in a sorted list: as presets do, others behind; then by what it sees and its name."""


def parts_of(preset: str) -> tuple[str, str, str] | None:
    """Data, what is seen, and variant in a preset's name, such as springs-4-3, state and hri-h; None of another."""
    match = re.fullmatch(rf"(.+?)-({'|'.join(SEEN)})-(.+)", preset)
    return (match[1], match[2], match[3]) if match else None


def described(name: str, header: Header, ceiling: dict[str, Any] | None = None) -> Described:
    """What there is to say of a checkpoint.

    Args:
        name: of its file, or NAME@UPDATE of a run.
        header: of the checkpoint.
        ceiling: what its relations could find, where that was measured.
    """
    config = header.config
    parts = parts_of(config.name) if config.name in PRESETS else None
    kind = scoreboard.model_label(parts[2]) if parts else config.name
    rest = name.removeprefix(config.name)
    if "@" not in name and rest not in (name, ""):
        kind += ", " + re.sub(r"([a-z])([0-9])", r"\1 \2", rest.strip("-").replace("-", " "))
    test = header.metrics.get("test") or {}
    scores = test or header.metrics.get("validation") or {}  # a training has no test yet, and no ceiling
    copying = test.get("copy_baseline") or {
        key.removeprefix("copy_"): value for key, value in scores.items() if key.startswith("copy_")
    }
    return Described(
        data=source_of(config.data).title,
        kind=kind,
        sees=f"{SEEN[config.model.seen]}; {header.steps.get('stage2', 0):,} updates",
        edges=_edges(test, ceiling) if test else _validated_edges(scores),
        error=_error(scores, copying),
        place=(_PLACES.get(config.name, len(_PLACES)), list(SEEN).index(config.model.seen), name),
    )


def _edges(test: dict[str, Any], ceiling: dict[str, Any] | None) -> str:
    """By level, since a model may find one kind of spring and not another; without levels of all pairs."""
    scores = test.get("edges")
    if not scores:
        return ""
    period = ceilings.main_period(scores)
    levels = ceilings.by_level(scores, ceiling, period=period)
    texts = [f"{level} {text}" for level, text in levels.items()]
    if len(texts) < 2:
        texts = [text for text in (ceilings.comparison(scores, ceiling, "possible", period=period),) if text]
    return f"edges right: {'; '.join(texts)}" if texts else ""


def _validated_edges(validation: dict[str, Any]) -> str:
    """Of a training's own validation, which has no ceiling."""
    text = ceilings.in_words(validation.get("edge_accuracy"), None, validation.get("edge_guess"))
    return f"edges right: {text}" if validation.get("edge_accuracy") is not None else ""


def _error(scores: dict[str, Any], copying: dict[str, Any]) -> str:
    """Of pictures their PSNR, of states the error as a share of copying's."""
    pictures, copied = scores.get("frame_psnr_by_step") or (), copying.get("frame_psnr_by_step") or ()
    if len(pictures) >= STEP:
        beside = f", repeating the last frame {copied[STEP - 1]:.1f}" if len(copied) >= STEP else ""
        return f"after {STEP} free steps: {pictures[STEP - 1]:.1f} dB{beside}"
    for key, what, last in (("frame_mse_by_step", "pixel error", "frame"), ("mse_by_step", "error", "state")):
        errors, repeated = scores.get(key) or (), copying.get(key) or ()
        if len(errors) >= STEP and len(repeated) >= STEP and repeated[STEP - 1]:
            share = errors[STEP - 1] / repeated[STEP - 1]
            return f"{what} after {STEP} free steps: {share:.2g} of repeating the last {last}"
    return ""

"""Is a clip like what a checkpoint was trained on? And its rollout, with the answer.

A model that cannot redraw what it is shown has not understood it, and what it predicts then means nothing. So the
error of the clip's redrawn frames is held against that of validation frames.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.records import Rollout
from hri.data.sources import sequences
from hri.data.video import WHOLE, Cut, Footage, read
from hri.model.checkpoint import Checkpoint
from hri.rollout.imaging import encode_and_reconstruct
from hri.rollout.rollout import from_frames
from hri.rollout.settings import STANDARD, Settings

SHARE = 99
"""Percent of the validation frames whose errors lie in the range."""
SYSTEMS, EVERY = 20, 5
"""Validation systems, and every fifth frame of each, that the range is measured on."""
LEAST_SEEN = 2
"""True frames that a model is shown at least before it runs free."""
_FLAT = 1e-4
"""Added to a frame's variance: the lost share of a frame of one colour would be 0 / 0."""


@dataclass(frozen=True)
class Familiar:
    """Up to where redrawn validation frames go wrong: the 99th percentiles over frames."""

    mse: float
    """Mean squared error a pixel, pixels in 0 ... 1."""
    lost: float
    """The same as a share of the variance that the frame itself has: 0 redrawn exactly, 1 no better than one colour."""
    frames: int
    """Number of frames that were measured."""


@dataclass(frozen=True)
class Likeness:
    """Errors of a clip's frames beside :class:`Familiar`; each the median over its frames."""

    mse: float
    lost: float
    familiar: Familiar

    @property
    def alike(self) -> bool:
        """Whether the clip's frames are redrawn as validation frames are."""
        return self.mse <= self.familiar.mse and self.lost <= self.familiar.lost

    @property
    def share_redrawn(self) -> float:
        """Share of what the clip's frames show that is redrawn: 1 - lost, or 0 where one colour would be nearer."""
        return max(0.0, 1 - self.lost)

    @property
    def usual(self) -> float:
        """The share that is redrawn of nearly all validation frames."""
        return max(0.0, 1 - self.familiar.lost)

    def sentence(self, name: str) -> str:
        """What to think of predictions by the checkpoint of that name."""
        reason = (
            f"it redraws {self.share_redrawn:.0%} of what its frames show (error {self.mse:.2g} a pixel), and of "
            f"frames as in training at least {self.usual:.0%} (error up to {self.familiar.mse:.2g})"
        )
        if self.alike:
            return f"This clip is like what {name} was trained on: {reason}."
        return f"This clip is unlike what {name} was trained on, so its predictions mean little: {reason}."


@dataclass(frozen=True)
class Seen:
    """A clip, what a checkpoint made of it, and whether that means anything."""

    rollout: Rollout
    footage: Footage
    likeness: Likeness

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that should be said beside the pictures."""
        return (self.likeness.sentence(self.rollout.checkpoint), *self.footage.notes)


def frame_errors(
    frames: UInt8[np.ndarray, "*shape H W C"], reconstruction: Float[np.ndarray, "*shape H W C"]
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """Mean squared error of each frame, and its share of the frame's variance (:class:`Familiar`)."""
    true = frames.astype(np.float64) / 255
    mse = ((reconstruction - true) ** 2).mean((-3, -2, -1))
    spread = ((true - true.mean((-3, -2), keepdims=True)) ** 2).mean((-3, -2, -1))
    return mse, mse / (spread + _FLAT)


def measure_familiar(checkpoint: Checkpoint, frames: UInt8[np.ndarray, "B T H W C"]) -> Familiar:
    """The range of a checkpoint's errors on frames as in its training."""
    _, reconstruction = encode_and_reconstruct(checkpoint, frames)
    mse, lost = (float(np.percentile(errors, SHARE)) for errors in frame_errors(frames, reconstruction))
    return Familiar(mse, lost, int(np.prod(frames.shape[:2])))


def familiar(checkpoint: Checkpoint) -> Familiar:
    """The range as the checkpoint's header has it, or measured now on validation systems.

    Raises:
        ValueError: a model of states.
    """
    if not checkpoint.model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, not images; choose a slot or par checkpoint for a clip")
    record = checkpoint.header.metrics.get("familiar")
    if record is not None:
        return Familiar(float(record["mse"]), float(record["lost"]), int(record["frames"]))
    data = dataclasses.replace(checkpoint.header.config.data, validation=SYSTEMS)
    systems = sequences(data, "validation", checkpoint.header.normalisation)
    times = np.arange(0, systems.steps, EVERY)
    pictures = systems.pictures(np.repeat(np.arange(SYSTEMS), len(times)), np.tile(times, SYSTEMS))
    return measure_familiar(checkpoint, pictures.reshape(SYSTEMS, len(times), *pictures.shape[1:]))


def footage_for(
    checkpoint: Checkpoint, source: Path | BytesIO, name: str, cut: Cut = WHOLE, free_steps: int = STANDARD.free_steps
) -> Footage:
    """The frames of a clip in the size and colours that a checkpoint sees, enough of them for a free run.

    Raises:
        ValueError: a model of states, too few frames, or as :func:`hri.data.video.read`; one sentence.
        OSError: the file is not there or may not be read.
    """
    render = checkpoint.header.config.data.render
    if not checkpoint.model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, not images; choose a slot or par checkpoint for a clip")
    footage = read(source, name, render.size, render.channels, cut)
    least = free_steps + LEAST_SEEN
    if len(footage.frames) < least:
        raise ValueError(
            f"this part of {name} has {len(footage.frames)} frames, and {least} are needed: {LEAST_SEEN} to see and "
            f"{free_steps} to predict; take a longer part, a higher rate or fewer free steps"
        )
    return footage


def roll_out_footage(
    checkpoint: Checkpoint,
    footage: Footage,
    settings: Settings | int = STANDARD,
    range_: Familiar | None = None,
    **choices: Any,
) -> Seen:
    """Burn-in on a clip's frames, then a free run; the record has no seed, no true states and no true springs.

    Args:
        range_: what :func:`familiar` gives, where it is known already.
        settings: how, and ``choices``, as in :func:`hri.rollout.rollout.roll_out`.

    Raises:
        ValueError: as :func:`hri.rollout.rollout.from_frames`.
    """
    rollout = from_frames(checkpoint, footage.frames[None], settings, **choices)
    assert rollout.reconstructed_frames is not None
    mse, lost = (
        float(np.median(errors)) for errors in frame_errors(footage.frames[None], rollout.reconstructed_frames)
    )
    return Seen(rollout, footage, Likeness(mse, lost, range_ or familiar(checkpoint)))

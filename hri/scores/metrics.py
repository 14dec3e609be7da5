"""Scores of a model on spring systems; how each is defined stands in its docstring."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hri.data.dataset import Sequences
from hri.model.choices import Choose, given, most_likely
from hri.model.devices import device_of
from hri.model.losses import state_nll
from hri.model.model import Model
from hri.rollout.settings import SCORED_FREE_STEPS

PSNR_LIMIT = 100.0
"""Decibels of a frame that is repeated to rounding, where the ratio has no bound."""


def natural_choice(model: Model, data: Sequences, rows: np.ndarray, source: str) -> Choose:
    """How this kind of model picks its edges: argmax of what it inferred, the true springs, or all."""
    if source == "true":
        return given(data.true_types(model.senders, model.receivers)[rows].to(device_of(model)))
    if source == "full":
        return given(torch.ones(len(rows), len(model.senders), dtype=torch.long, device=device_of(model)))
    return most_likely


@torch.no_grad()
def reconstruction_mse(model: Model, data: Sequences, frames: int | None = None, block: int = 490) -> float:
    """Mean squared error of reconstructed pixels in 0 ... 1, over all frames or an even sample of them."""
    every = np.arange(len(data) * data.steps)
    sample = every if frames is None else every[:: max(1, len(every) // frames)]
    total = 0.0
    for first in range(0, len(sample), block):
        truth = data.frames(*np.divmod(sample[first : first + block], data.steps)).to(device_of(model))
        total += float(((model.vision(truth) - truth) ** 2).mean((1, 2, 3)).sum())
    return total / len(sample)


def copied_frames_mse(data: Sequences, free_steps: int = 1, sample: int = 1000) -> float:
    """Mean squared error of pixels in 0 ... 1 when each frame is said to look like the last true one before it.

    Args:
        free_steps: with 1 every frame is compared with the one before it, over an even sample of all. With more, the
            last ``free_steps`` frames are, as predictions of which only the first starts from a frame that is known.
    """
    times = np.arange(1, data.steps) if free_steps == 1 else np.arange(data.steps - free_steps, data.steps)
    every = np.stack(np.meshgrid(np.arange(len(data)), times, indexing="ij"), -1).reshape(-1, 2)
    systems, times = every[:: max(1, len(every) // sample)].T
    copy_times = times - 1 if free_steps == 1 else np.minimum(times - 1, data.steps - free_steps)
    return float(((data.frames(systems, times) - data.frames(systems, copy_times)) ** 2).mean())


@torch.no_grad()
def model_inputs(model: Model, data: Sequences, rows: Int[np.ndarray, " B"]) -> Float[Tensor, "B T N D"]:
    """What the dynamics see of these systems: states, or slots of drawn frames."""
    if not model.sees_frames:
        return data.states[rows].to(device_of(model))
    frames = data.frames(np.repeat(rows, data.steps), np.tile(np.arange(data.steps), len(rows)))
    return model.observe(frames.to(device_of(model)).unflatten(0, (len(rows), data.steps)))


@torch.no_grad()
def encoded_and_reconstructed(
    model: Model, data: Sequences, upper: bool = True, block: int = 98
) -> tuple[Float[Tensor, "S T N D"] | None, dict[str, Float[np.ndarray, " M"]]]:
    """Slots as :func:`model_inputs` gives them, and the likeness of every reconstructed frame: the encoder runs once.

    Args:
        upper: False where the upper slots' encoder is missing; there are no slots then.
        block: frames at a time; decoders take much memory, and asking the system for it takes time.
    """
    vision = model.vision
    systems, times = np.divmod(np.arange(len(data) * data.steps), data.steps)
    slots, likeness = [], []
    for first in range(0, len(systems), block):
        part = slice(first, first + block)
        truth = data.frames(systems[part], times[part]).to(device_of(model))
        features = vision.features(truth)
        slots.append(vision.slots(features) if upper else vision.leaf_slots(features))
        likeness.append(frame_likeness(vision.draw(slots[-1]), truth))
    together = {name: np.concatenate([part[name] for part in likeness]) for name in likeness[0]}
    return torch.cat(slots).unflatten(0, (len(data), data.steps)) if upper else None, together


def frame_likeness(
    pictures: Float[Tensor, "M C H W"], truth: Float[Tensor, "M C H W"]
) -> dict[str, Float[np.ndarray, " M"]]:
    """How like each drawn frame is to the true one, pixels in 0 ... 1; nothing is cut off what lies outside.

    ``mse``: mean squared error over pixels and channels. ``psnr``: peak signal-to-noise ratio, -10 log10 mse, in
    decibels, at most :data:`PSNR_LIMIT`. ``ssim``: structural similarity (Wang et al. 2004: Gaussian window of 11 x 11
    pixels and sigma 1.5, k1 = 0.01, k2 = 0.03), mean over channels and the whole frame, borders reflected. Frames of
    springs are mostly black, and black is like black: compare with the copy baseline, not with 1.
    """
    # Imported here: it takes a second, which pages and commands that score no frames should not wait for.
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    pictures, truth = (frames.float().contiguous(memory_format=torch.channels_last) for frames in (pictures, truth))
    psnr = peak_signal_noise_ratio(pictures, truth, data_range=1.0, dim=(1, 2, 3), reduction="none")
    # A few frames at a time stay in the processor's cache: three times faster than hundreds.
    blocks = zip(pictures.split(32), truth.split(32), strict=True)
    ssim = [structural_similarity_index_measure(*pair, data_range=1.0, reduction="none") for pair in blocks]
    scores = {
        "mse": ((pictures - truth) ** 2).mean((1, 2, 3)),
        "psnr": psnr.clamp(max=PSNR_LIMIT),
        "ssim": torch.cat([values.reshape(-1) for values in ssim]),  # type: ignore[union-attr]
    }
    return {name: values.cpu().numpy() for name, values in scores.items()}


UNUSED, ALIKE = 0.05, 0.98
"""A slot that changes less than this share of the median slot is unused; correlations above the other are "alike"."""


@torch.no_grad()
def slot_usage(model: Model, data: Sequences, frames: int = 200) -> dict[str, float]:
    """Whether the leaf slots of an image model say something, each something of its own, over unlike frames.

    ``slots_unused``: share of the 16 slots whose numbers hardly change from frame to frame. ``slots_alike``: share of
    those that repeat an earlier slot, by the correlation of their numbers over all frames.
    """
    vision = model.vision
    systems, times = np.divmod(np.linspace(0, len(data) * data.steps - 1, frames).astype(int), data.steps)
    leaves = vision.leaf_slots(vision.features(data.frames(systems, times).to(device_of(model)))).float()
    apart = leaves - leaves.mean(0)
    change = apart.std(0).mean(-1)
    in_use = change > UNUSED * change.median()
    rows = nn.functional.normalize(apart.transpose(0, 1).flatten(1)[in_use], dim=1)
    repeats = (torch.tril(rows @ rows.T, -1) > ALIKE).any(1)
    return {"slots_unused": float(1 - in_use.float().mean()), "slots_alike": float(repeats.sum() / len(change))}


def relative_score(nll: float, oracle: float) -> float:
    """NLL(HRI-GT) / NLL(model), the score of the paper's figures: higher is better, 1 is as good as the oracle.

    HRI-GT is HRI that is told the true springs. Both likelihoods must be of the same systems, free steps, nodes and
    normalisation (a model that predicts only leaves is compared by ``nll_leaves``); constants are left out of them, so
    the variance cancels and the score is a ratio of squared errors: 0.5 means twice the error. Image models have no
    oracle, since springs join balls and not slots.

    Raises:
        ValueError: a likelihood that is not finite and above 0.
    """
    for name, value in (("model", nll), ("oracle", oracle)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"the NLL of the {name} is {value}; only finite ones above 0 can be compared")
    return oracle / nll


@torch.no_grad()
def free_run_scores(
    model: Model,
    data: Sequences,
    free_steps: int = SCORED_FREE_STEPS,
    variance: float = 5e-5,
    block: int = 50,
    slots: Float[Tensor, "S T N D"] | None = None,
    decoded: int = 4,
) -> dict[str, Any]:
    """Negative log-likelihoods with ``free_steps`` free steps, edges inferred from predictions.

    ``nll``: all scored nodes (the leaves for NRI-lo and LSTM-lo). ``nll_leaves``, ``nll_upper``: leaves and the
    nodes above them. ``nll_free``: its part from the free_steps - 1 predictions beyond the last true input's time.
    ``frame_nll``, ``frame_mse``: decoded free steps against true frames (image models); ``frame_psnr``,
    ``frame_ssim``: means over the same frames, see :func:`frame_likeness`.

    Args:
        slots: what :func:`model_inputs` gives for all of ``data``, where it is known already.
        decoded: frames are decoded of one system in so many, since that is slow; scores that are kept ask for all, for
            those of 25 systems of 100 err by more than models differ.
    """
    source = model.source
    per_node, free_part = [], []
    likeness: dict[str, list[np.ndarray]] = {}
    leaves = model.tree.leaves
    for first in range(0, len(data), block):
        rows = np.arange(first, min(first + block, len(data)))
        inputs = model_inputs(model, data, rows) if slots is None else slots[rows]
        prediction = model.predict(inputs, free_steps, natural_choice(model, data, rows, source)).slots
        target = inputs[:, 1:, leaves] if model.joint_leaves else inputs[:, 1:]
        per_node.append(state_nll(prediction, target, variance) * len(rows))
        free = slice(-(free_steps - 1), None) if free_steps > 1 else slice(0, 0)
        free_part.append(state_nll(prediction[:, free], target[:, free], variance) * len(rows))
        if model.sees_frames:
            for name, values in _free_frames(model, data, rows[::decoded], prediction[::decoded], free_steps).items():
                likeness.setdefault(name, []).append(values)
    nll = (torch.stack(per_node).sum(0) / len(data)).cpu().numpy()
    free_nll = (torch.stack(free_part).sum(0) / len(data)).cpu().numpy()
    is_leaf = np.ones(len(nll), dtype=bool) if model.joint_leaves else np.isin(np.arange(len(nll)), leaves)
    leaf_mask = is_leaf if model.scores_leaves else np.ones(len(nll), dtype=bool)
    scores: dict[str, Any] = {
        "nll": float(nll[leaf_mask].mean()),
        "nll_leaves": float(nll[is_leaf].mean()),
        "nll_upper": float(nll[~is_leaf].mean()) if (~is_leaf).any() else None,
        "nll_free": float(free_nll[leaf_mask].mean()),
    }
    scores |= {f"frame_{name}": float(np.concatenate(values).mean()) for name, values in likeness.items()}
    if likeness:
        pixels = data.data.render.size**2 * data.data.render.channels
        scores["frame_nll"] = scores["frame_mse"] * pixels / (2 * variance)
    return scores


def _free_frames(
    model: Model, data: Sequences, rows: np.ndarray, prediction: Tensor, free_steps: int
) -> dict[str, np.ndarray]:
    """Likeness of the decoded free steps."""
    times = np.arange(data.steps - free_steps, data.steps)
    slots = prediction[:, times - 1].flatten(0, 1)
    truth = data.frames(np.repeat(rows, len(times)), np.tile(times, len(rows))).to(slots.device)
    return frame_likeness(model.show(slots), truth)

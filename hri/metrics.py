"""Scores of a model on spring systems; how each is defined stands in its docstring."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hri.dataset import Springs
from hri.losses import state_nll
from hri.model import Model
from hri.relations import Choose, given, most_likely


def natural_choice(model: Model, data: Springs, rows: np.ndarray, source: str) -> Choose:
    """How this kind of model picks its edges: argmax of what it inferred, the true springs, or all."""
    if source == "true":
        return given(data.true_types(model.senders, model.receivers)[rows].to(device_of(model)))
    if source == "full":
        return given(torch.ones(len(rows), len(model.senders), dtype=torch.long, device=device_of(model)))
    return most_likely


def device_of(model: Model) -> torch.device:
    return next(model.parameters()).device


@torch.no_grad()
def reconstruction_mse(model: Model, data: Springs, frames: int | None = None, block: int = 490) -> float:
    """Mean squared error of reconstructed pixels in 0 ... 1, over all frames or an even sample of them."""
    assert model.vision is not None
    every = np.arange(len(data) * data.steps)
    chosen = every if frames is None else every[:: max(1, len(every) // frames)]
    total = 0.0
    for first in range(0, len(chosen), block):
        truth = data.frames(*np.divmod(chosen[first : first + block], data.steps)).to(device_of(model))
        total += float(((model.vision(truth) - truth) ** 2).mean((1, 2, 3)).sum())
    return total / len(chosen)


@torch.no_grad()
def encoded(model: Model, data: Springs, rows: np.ndarray) -> Tensor:
    """What the dynamics see of these systems [B, T, N, D]: states, or slots of drawn frames."""
    if model.vision is None:
        return data.states[rows].to(device_of(model))
    frames = data.frames(np.repeat(rows, data.steps), np.tile(np.arange(data.steps), len(rows)))
    return model.vision.encode(frames.to(device_of(model)).unflatten(0, (len(rows), data.steps)))


@torch.no_grad()
def free_run_scores(
    model: Model, data: Springs, free_steps: int = 5, variance: float = 5e-5, block: int = 50
) -> dict[str, Any]:
    """Negative log-likelihoods with ``free_steps`` free steps, edges inferred from predictions.

    ``nll``: all scored nodes (the leaves for NRI-lo and LSTM-lo). ``nll_leaves``, ``nll_upper``: leaves and the
    nodes above them. ``nll_free``: its part from the free_steps - 1 predictions beyond the last true input's time.
    ``frame_nll``, ``frame_mse``: decoded free steps against true frames (image models; one system in four, they are
    slow to decode).
    """
    source = model.source
    per_node, free_part, frame_errors = [], [], []
    leaves = model.tree.leaves
    for first in range(0, len(data), block):
        rows = np.arange(first, min(first + block, len(data)))
        slots = encoded(model, data, rows)
        predicted = model(slots, free_steps, natural_choice(model, data, rows, source)).slots
        target = slots[:, 1:, leaves] if model.joint_leaves else slots[:, 1:]
        per_node.append(state_nll(predicted, target, variance) * len(rows))
        free = slice(-(free_steps - 1), None) if free_steps > 1 else slice(0, 0)
        free_part.append(state_nll(predicted[:, free], target[:, free], variance) * len(rows))
        if model.vision is not None:
            frame_errors.append(_frame_errors(model, data, rows, predicted, free_steps))
    nll = (torch.stack(per_node).sum(0) / len(data)).cpu().numpy()
    free_nll = (torch.stack(free_part).sum(0) / len(data)).cpu().numpy()
    is_leaf = np.ones(len(nll), dtype=bool) if model.joint_leaves else np.isin(np.arange(len(nll)), leaves)
    scored = is_leaf if model.scores_leaves else np.ones(len(nll), dtype=bool)
    scores: dict[str, Any] = {
        "nll": float(nll[scored].mean()),
        "nll_leaves": float(nll[is_leaf].mean()),
        "nll_upper": float(nll[~is_leaf].mean()) if (~is_leaf).any() else None,
        "nll_free": float(free_nll[scored].mean()),
    }
    if frame_errors:
        mse = float(np.concatenate(frame_errors).mean())
        scores |= {
            "frame_mse": mse,
            "frame_nll": mse * data.data.render.size**2 * data.data.render.channels / (2 * variance),
        }
    return scores


def _frame_errors(model: Model, data: Springs, rows: np.ndarray, predicted: Tensor, free_steps: int) -> np.ndarray:
    """Pixel MSE of the free steps of every fourth system."""
    assert model.vision is not None
    few, times = np.arange(0, len(rows), 4), np.arange(data.steps - free_steps, data.steps)
    slots = predicted[few][:, times - 1][:, :, -16:].flatten(0, 1)
    truth = data.frames(np.repeat(rows[few], len(times)), np.tile(times, len(few))).to(slots.device)
    return ((model.vision.decoder(slots) - truth) ** 2).mean((1, 2, 3)).cpu().numpy()

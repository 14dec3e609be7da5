"""Checkpoint x data set to a table of scores: how well it predicts, reconstructs, and finds the springs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from hri.checkpoint import Checkpoint
from hri.dataset import Springs
from hri.hierarchy import Tree
from hri.losses import state_nll
from hri.metrics import encoded, free_run_scores, natural_choice, reconstruction_mse
from hri.model import Model
from hri.records import Trajectories

FREE_STEPS = 5
"""n free steps of every reported likelihood."""
HORIZON = 20
"""Steps after the last true input whose error is told."""
SYSTEMS = {"states": 1000, "frames": 100}
"""Test systems when the caller names no number: encoding and decoding frames takes longer."""
_BLOCK = 20


def springs_of(checkpoint: Checkpoint, trajectories: Trajectories | None = None, systems: int | None = None) -> Springs:
    """Given systems, or the checkpoint's own test split, normalised as in its training.

    Args:
        trajectories: systems of the checkpoint's tree; None simulates its test split.
        systems: only the first so many; by default all that are given, or as many as :data:`SYSTEMS` says.

    Raises:
        ValueError: fewer than one system, another tree, or numbers that are not finite.
    """
    data, normalisation = checkpoint.header.config.data, checkpoint.header.normalisation
    if trajectories is None:
        usual = SYSTEMS["states" if checkpoint.model.vision is None else "frames"]
        data = dataclasses.replace(data, test=min(data.test, usual) if systems is None else systems)
        if not 1 <= data.test <= 100_000:
            raise ValueError(f"{data.test} systems cannot be tested; choose 1 to 100000")
        return Springs.simulated(data, "test", normalisation)
    if systems is not None and systems < 1:
        raise ValueError(f"{systems} systems cannot be tested; choose 1 or more")
    chosen = trajectories[:systems]
    balls, nodes = Tree.parse(data.tree).size, chosen.positions.shape[2]
    if nodes != balls:
        raise ValueError(
            f"{checkpoint.name} knows {balls} balls (tree {data.tree}), the data have {nodes}; choose others"
        )
    if not (np.isfinite(chosen.positions).all() and np.isfinite(chosen.velocities).all()):
        raise ValueError("the data hold positions or velocities that are not finite; simulate them again")
    small = {name: getattr(chosen, name).astype(np.float32) for name in ("positions", "velocities")}
    return Springs(data, dataclasses.replace(chosen, **small), normalisation)


def evaluate(checkpoint: Checkpoint, data: Springs, progress: Callable[[int], object] | None = None) -> dict[str, Any]:
    """All scores of a checkpoint on a data set, as plain JSON types.

    | key                    | meaning                                                                      |
    |------------------------|------------------------------------------------------------------------------|
    | nll                    | negative log-likelihood with 5 free steps: all predicted steps and nodes     |
    | nll_leaves, nll_upper  | the same of leaves alone, and of the nodes above them                        |
    | nll_free               | the part of nll that lies in free steps                                      |
    | mse_by_step            | [k]: error k + 1 steps after the last true input, free-running, up to 20     |
    | reconstruction_mse     | of reconstructed pixels in 0 ... 1; null for states                          |
    | frame_nll, frame_mse, frame_mse_by_step | the errors of decoded predictions (images; one system in 4) |
    | edge_accuracy          | see :func:`edge_accuracy`                                                    |
    | copy_baseline          | nll and errors of predicting the last state                                  |
    | reasons                | why a score is null                                                          |

    Raises:
        ValueError: sequences too short for 5 free steps.
    """
    started = time.perf_counter()
    model, header = checkpoint.model, checkpoint.header
    if data.steps <= FREE_STEPS:
        raise ValueError(f"the data have {data.steps} frames a system; {FREE_STEPS} free steps need {FREE_STEPS + 1}")
    whole, reasons = header.parts == "all", {}
    means = _Means()
    confusion = np.zeros((len(model.senders), model.edge_types, 2), dtype=np.int64)
    if model.vision is None:
        reasons["reconstruction_mse"] = "the model sees states, there is nothing to reconstruct"
    if not whole:
        reasons["nll"] = "encoder and decoder only: it predicts nothing"
    if why := _no_edges(checkpoint):
        reasons["edge_accuracy"] = why
    for first in range(0, len(data), _BLOCK):
        rows = slice(first, first + _BLOCK)
        part = Springs(data.data, data.trajectories[rows], data.normalisation)
        if model.vision is not None:
            means.add(len(part), reconstruction_mse=reconstruction_mse(model, part))
        if whole:
            means.add(len(part), **free_run_scores(model, part, FREE_STEPS, header.config.train.variance))
            _long_run(checkpoint, part, means, None if why else confusion)
        if progress:
            progress(first + len(part))
    found = means.result()
    names = ("nll", "nll_leaves", "nll_upper", "nll_free", "mse_by_step", "reconstruction_mse")
    scores: dict[str, Any] = {name: found.pop(name, None) for name in names}
    baseline = {name.removeprefix("copy_"): found.pop(name) for name in list(found) if name.startswith("copy_")}
    counted = (
        model if whole or model.vision is None else torch.nn.ModuleList([model.vision.leaves, model.vision.decoder])
    )
    return {
        "checkpoint": checkpoint.name,
        "systems": len(data),
        "free_steps": FREE_STEPS,
        **scores,
        **found,
        "edge_accuracy": None if why else edge_accuracy(model, confusion),
        "copy_baseline": baseline or None,
        "reasons": reasons,
        "parameters": sum(parameter.numel() for parameter in counted.parameters()),
        "seconds": round(time.perf_counter() - started, 2),
    }


@torch.no_grad()
def _long_run(checkpoint: Checkpoint, data: Springs, means: _Means, confusion: np.ndarray | None) -> None:
    """Errors by step of one long free run, those of copying, and what its burn-in said of the edges."""
    model, rows = checkpoint.model, np.arange(len(data))
    slots = encoded(model, data, rows)
    horizon = min(HORIZON, data.steps - 2)
    last = data.steps - 1 - horizon  # frame of the last true input
    prediction = model(slots, horizon + 1, natural_choice(model, data, rows, model.source))
    target = slots[:, :, model.tree.leaves] if model.joint_leaves else slots
    copied = target[:, np.minimum(np.arange(data.steps - 1), data.steps - FREE_STEPS)]
    means.add(
        len(data),
        mse_by_step=_by_step(prediction.slots[:, last:], target[:, last + 1 :]),
        copy_nll=float(state_nll(copied, target[:, 1:], checkpoint.header.config.train.variance).mean()),
        copy_mse_by_step=_by_step(target[:, last : last + 1], target[:, last + 1 :]),
    )
    if confusion is not None:
        # Frames whose window is full of true states; all true windows where none is full.
        full = model.relations.history if model.relations is not None else 0
        frames = slice(full if full <= last + 1 else 0, last + 2)
        _count(confusion, prediction.weights[:, frames].argmax(-1), data.true_types(model.senders, model.receivers))
    if model.vision is not None:
        few, times = rows[::4], np.arange(last, data.steps)
        truth = data.frames(np.repeat(few, len(times)), np.tile(times, len(few))).to(slots.device)
        truth = truth.unflatten(0, (len(few), len(times)))
        leaves = prediction.slots[few, last:, -16:]
        drawn = torch.stack([model.vision.decoder(scene) for scene in leaves])
        means.add(
            len(few),
            frame_mse_by_step=_by_step(drawn, truth[:, 1:]),
            copy_frame_mse_by_step=_by_step(truth[:, :1], truth[:, 1:]),
        )


def _by_step(predicted: Float[Tensor, "B ..."], truth: Float[Tensor, "B ..."]) -> Float[np.ndarray, " K"]:
    """Mean squared error of each time [B, K, ...]."""
    return ((predicted - truth) ** 2).transpose(0, 1).flatten(1).mean(1).double().cpu().numpy()


def _no_edges(checkpoint: Checkpoint) -> str | None:
    """Why this checkpoint has no edge accuracy, if it has none."""
    if checkpoint.model.vision is not None:
        return "true springs join balls; between image slots there is no true edge"
    if checkpoint.model.source != "inferred":
        return "the model infers no edges"
    return None


def _count(confusion: np.ndarray, inferred: Int[Tensor, "B T E"], truth: Int[Tensor, "B E"]) -> None:
    """Add how often each edge was inferred as each type while it was (not) a spring: confusion [E, K, 2]."""
    types = confusion.shape[1]
    for kind in range(types):
        times = (inferred == kind).sum(1).cpu().numpy()  # B E
        for joined in (0, 1):
            confusion[:, kind, joined] += (times * (truth.numpy() == joined)).sum(0)


def edge_accuracy(model: Model, confusion: Int[np.ndarray, "E K 2"]) -> dict[str, float]:
    """Share of (system, frame, edge) triples whose inferred type stands for the truth.

    Types are matched to "no spring" and "spring" by the one assignment that is right most often over the whole data
    set; further types are always wrong. ``overall`` counts every pair the model infers, ``possible`` those the tree
    can join; then each level pair, and the pairs that never have a spring. ``guess`` is the best constant answer for
    ``overall``, ``guess_possible`` that for ``possible``. Frames count where the window is full of true states.
    """
    kinds, meanings = linear_sum_assignment(-confusion.sum(0))
    right, count = confusion[:, kinds, meanings].sum(1), confusion.sum((1, 2))
    groups = level_pairs(model.tree, model.senders, model.receivers)
    possible = model.tree.possible[model.senders, model.receivers] > 0
    everywhere = np.ones_like(possible)
    scores = {
        name: float(right[edges].sum() / count[edges].sum())
        for name, edges in {"overall": everywhere, "possible": possible, **groups}.items()
        if edges.any()
    }
    for name, edges in (("guess", everywhere), ("guess_possible", possible)):
        if edges.any():
            scores[name] = float(confusion[edges].sum((0, 1)).max() / count[edges].sum())
    return scores


def level_pairs(tree: Tree, senders: Int[np.ndarray, " E"], receivers: Int[np.ndarray, " E"]) -> dict[str, np.ndarray]:
    """Which edges join which levels: parent and child by their levels' names, siblings, and all others."""
    deepest = int(tree.depth.max())
    middle = ["intermediate"] if deepest == 2 else [f"level {level}" for level in range(1, deepest)]
    names = ["root", *middle, "leaf"]
    upper, lower = (
        np.minimum(tree.depth[senders], tree.depth[receivers]),
        np.maximum(tree.depth[senders], tree.depth[receivers]),
    )
    parents = np.asarray(tree.parents)
    family = (parents[senders] == receivers) | (parents[receivers] == senders)
    siblings = (tree.possible[senders, receivers] > 0) & ~family
    pairs = {f"{names[u]}-{names[u + 1]}": family & (upper == u) & (lower == u + 1) for u in range(deepest)}
    return pairs | {"siblings": siblings, "unrelated": ~family & ~siblings}


class _Means:
    """Weighted means of named numbers and arrays; None is left out."""

    def __init__(self) -> None:
        self.sums: dict[str, Any] = {}
        self.weights: dict[str, int] = {}

    def add(self, weight: int, **values: Any) -> None:
        for name, value in values.items():
            if value is not None:
                self.sums[name] = self.sums.get(name, 0.0) + weight * value
                self.weights[name] = self.weights.get(name, 0) + weight

    def result(self) -> dict[str, Any]:
        """Each mean as a float or a list of floats."""
        means = {name: total / self.weights[name] for name, total in self.sums.items()}
        return {name: mean.tolist() if isinstance(mean, np.ndarray) else float(mean) for name, mean in means.items()}

"""Checkpoint x data set to a table of scores: how well it predicts, reconstructs, and finds the springs.

Over 350 lines: a quarter of it is the one table that says what every score is.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.core.hierarchy import Tree
from hri.core.records import Trajectories
from hri.data.dataset import Sequences, Springs
from hri.data.sources import source_of
from hri.model.checkpoint import Checkpoint
from hri.model.losses import state_nll
from hri.model.model import Model
from hri.physics import removal
from hri.physics.palette import half_axes
from hri.physics.slot_springs import lost, slot_springs
from hri.rollout.settings import SCORED_FREE_STEPS
from hri.scores import ceilings, meanings
from hri.scores.edges import EdgeTally
from hri.scores.metrics import encoded_and_reconstructed, frame_likeness, free_run_scores, model_inputs, natural_choice
from hri.scores.pictures import ball_area, balls_kept, light_left

HORIZON = 20
"""Steps after the last true input whose error is told."""
SYSTEMS = {"states": 1000, "frames": 100}
"""Test systems when the caller names no number: encoding and decoding frames takes longer."""
WEIGHED = 200
"""Systems whose springs are taken out one by one (:mod:`hri.physics.removal`): that takes some seconds for a
hundred."""
NO_GRAPH = "nobody recorded which parts act on which: there is no true graph to hold edges against"
"""Why scenes that were recorded have no edge scores."""
_BLOCK = 20


def springs_of(
    checkpoint: Checkpoint, trajectories: Trajectories | None = None, systems: int | None = None
) -> Sequences:
    """Given systems, or the checkpoint's own test split, normalised as in its training.

    Args:
        trajectories: systems of the checkpoint's tree; None simulates its test split.
        systems: only the first so many; by default all that are given, or as many as :data:`SYSTEMS` says.

    Raises:
        ValueError: fewer than one system, another tree, or numbers that are not finite.
    """
    data, normalisation = checkpoint.header.config.data, checkpoint.header.normalisation
    if trajectories is None:
        usual = SYSTEMS[checkpoint.model.observation]
        data = dataclasses.replace(data, test=min(data.test, usual) if systems is None else systems)
        if not 1 <= data.test <= 100_000:
            raise ValueError(f"{data.test} systems cannot be tested; choose 1 to 100000")
        return source_of(data).sequences("test", normalisation)
    if systems is not None and systems < 1:
        raise ValueError(f"{systems} systems cannot be tested; choose 1 or more")
    source = source_of(data)
    if not source.simulated:
        raise ValueError(
            f"{checkpoint.name} predicts {source.label}, not a simulation; leave --data out to test it on its own test "
            f"part, or name a folder with {source.files}"
        )
    subset = trajectories[:systems]
    balls, nodes = Tree.parse(data.tree).size, subset.positions.shape[2]
    if nodes != balls:
        raise ValueError(
            f"{checkpoint.name} knows {balls} balls (tree {data.tree}), the data have {nodes}; choose others"
        )
    if not (np.isfinite(subset.positions).all() and np.isfinite(subset.velocities).all()):
        raise ValueError("the data hold positions or velocities that are not finite; simulate them again")
    small = {name: getattr(subset, name).astype(np.float32) for name in ("positions", "velocities")}
    return Springs(data, dataclasses.replace(subset, **small), normalisation)


def evaluate(
    checkpoint: Checkpoint, data: Sequences, progress: Callable[[int], object] | None = None, effects: bool = True
) -> dict[str, Any]:
    """All scores of a checkpoint on a data set, as plain JSON types.

    | key                    | meaning                                                                      |
    |------------------------|------------------------------------------------------------------------------|
    | nll                    | negative log-likelihood with 5 free steps: all predicted steps and nodes     |
    | nll_leaves, nll_upper  | the same of leaves alone, and of the nodes above them                        |
    | nll_free               | the part of nll that lies in free steps                                      |
    | mse_by_step            | [k]: error k + 1 steps after the last true input, free-running, up to 20     |
    | reconstruction_mse     | of reconstructed pixels in 0 ... 1; null for states                          |
    | reconstruction_psnr, reconstruction_ssim | of reconstructed frames (:func:`hri.scores.metrics.frame_likeness`) |
    | frame_mse, frame_nll, frame_psnr, frame_ssim | decoded predictions of the 5 free steps (images)         |
    | frame_mse_by_step, frame_psnr_by_step, frame_ssim_by_step | as mse_by_step, of decoded predictions      |
    | frame_light_by_step, frame_balls_by_step | light left and balls kept (:mod:`hri.scores.pictures`)     |
    | edge_accuracy          | see :meth:`hri.scores.edges.EdgeTally.accuracy`; null for images              |
    | edges                  | see :meth:`hri.scores.edges.EdgeTally.scores`, of the run of mse_by_step;     |
    |                        | "truth" is "balls", or "slots" for images (:mod:`hri.physics.slot_springs`), whose     |
    |                        | "lost" tells the springs this leaves out (:func:`hri.physics.slot_springs.lost`);      |
    |                        | "matters" and "does_not_matter" come from the first 200 systems, at every    |
    |                        | fifth frame (:mod:`hri.physics.removal`)                                             |
    |                        | "whole", of a static graph alone: the scores of edges inferred from all T    |
    |                        | states, as NRI's paper counts them                                           |
    | ceiling                | the scores that the same relation network reaches with the truth, where that |
    |                        | was measured (:mod:`hri.training.ceiling`): burn_in, free_run, key, updates and       |
    |                        | the numbers of systems                                                       |
    | copy_baseline          | nll and errors of predicting the last state, or repeating the last frame     |
    | reasons                | why a score is null                                                          |

    Args:
        checkpoint: whole, or encoder and decoder only.
        data: to score it on.
        progress: hears how many systems are done.
        effects: False leaves out which springs matter.

    Raises:
        ValueError: sequences too short for 5 free steps.
    """
    start = time.perf_counter()
    model, header = checkpoint.model, checkpoint.header
    if data.steps <= SCORED_FREE_STEPS:
        free = SCORED_FREE_STEPS
        raise ValueError(f"the data have {data.steps} frames a system; {free} free steps need {free + 1}")
    whole, reasons, means, tally = header.parts == "all", _reasons(checkpoint, data), _Means(), None
    if "edges" not in reasons:
        tally = _tally(model, data)
    once = _tally(model, data, whole=True) if tally is not None and model.static else None
    effects = effects and tally is not None
    if tally is not None and not effects:
        reasons["matters"] = "not asked for"
    for first in range(0, len(data), _BLOCK):
        rows = slice(first, first + _BLOCK)
        part = data.part(rows)
        slots: Tensor | None
        if model.sees_frames:
            slots, likeness = encoded_and_reconstructed(model, part, upper=whole)
            means.add(len(part), **{f"reconstruction_{name}": values.mean() for name, values in likeness.items()})
        else:
            slots = model_inputs(model, part, np.arange(len(part)))
        if whole and slots is not None:
            variance = header.config.train.variance
            means.add(len(part), **free_run_scores(model, part, SCORED_FREE_STEPS, variance, slots=slots, decoded=1))
            types = _long_run(model, part, slots, variance, means, tally, pictures=True)
            if once is not None:
                _whole(model, part, slots, once)
            if effects and tally is not None and first < WEIGHED:
                try:
                    _weigh(model, part, types, tally)
                except ValueError as error:  # other physics than the model's: everything else can still be said
                    effects, reasons["matters"] = False, str(error)
        if progress:
            progress(first + len(part))
    averages = means.result()
    names = ("nll", "nll_leaves", "nll_upper", "nll_free", "mse_by_step", "reconstruction_mse")
    scores: dict[str, Any] = {name: averages.pop(name, None) for name in names}
    baseline = {name.removeprefix("copy_"): averages.pop(name) for name in list(averages) if name.startswith("copy_")}
    modules = (model,) if whole or not model.sees_frames else model.vision.first
    shares = {name: averages.pop(name) for name in ("same_slot", "not_inferred") if name in averages}
    truth = {"truth": "slots", "lost": shares} if shares else {"truth": "balls"}
    ceiling = _ceiling(checkpoint, reasons)
    return {
        "checkpoint": checkpoint.name,
        "systems": len(data),
        "free_steps": SCORED_FREE_STEPS,
        **scores,
        **averages,
        "edge_accuracy": tally.accuracy() if tally and "edge_accuracy" not in reasons else None,
        "edges": truth | tally.scores() | _scores_of_whole(once) if tally else None,
        "ceiling": ceiling,
        "copy_baseline": baseline or None,
        "reasons": reasons,
        "parameters": sum(parameter.numel() for part in modules for parameter in part.parameters()),
        "seconds": round(time.perf_counter() - start, 2),
    }


def while_training(model: Model, data: Sequences, variance: float) -> dict[str, Any]:
    """The few scores that are watched while a model learns to predict; cheap for some dozens of systems.

    | key                      | meaning                                                                 |
    |--------------------------|-------------------------------------------------------------------------|
    | mse_by_step              | [k]: error k + 1 steps after the last true input, free-running          |
    | copy_nll, copy_mse_by_step | of predicting the last state: the line to stay below                  |
    | frame_mse_by_step, copy_frame_mse_by_step | the same of decoded frames (image models)               |
    | edge_accuracy, edge_auroc | edges right (:mod:`hri.scores.meanings`), and AUROC of the same edges; of a   |
    |                          | static graph those that all T states show                               |
    | edge_guess               | the accuracy that always giving the better of two answers has           |
    """
    means, tally = _Means(), _tally(model, data) if model.source == "inferred" and data.joined else None
    once = _tally(model, data, whole=True) if tally is not None and model.static else None
    for first in range(0, len(data), _BLOCK):
        part = data.part(slice(first, first + _BLOCK))
        slots = model_inputs(model, part, np.arange(len(part)))
        _long_run(model, part, slots, variance, means, tally)
        if once is not None:
            _whole(model, part, slots, once)
    averages = means.result()
    names = ("mse_by_step", "copy_nll", "copy_mse_by_step", "frame_mse_by_step", "copy_frame_mse_by_step")
    scores = {name: averages[name] for name in names if name in averages}
    groups = (once or tally).scores()["burn_in"] if tally else {}
    edges = groups.get("possible", groups.get("overall", {}))
    scores |= {f"edge_{name}": edges[name] for name in ("accuracy", "auroc") if edges.get(name) is not None}
    if edges and (guess := ceilings.guess(edges)) is not None:
        scores["edge_guess"] = guess
    return scores


def _tally(model: Model, data: Sequences, whole: bool = False) -> EdgeTally:
    """For the edges of every frame, or for one graph inferred from all states."""
    pairs = model.tree, model.senders, model.receivers
    steps, windows = (1, slice(0, 1)) if whole else (data.steps, full_windows(model.history, data.steps))
    return EdgeTally(*pairs, model.edge_types, steps, windows, model.speaking())


@torch.no_grad()
def _whole(model: Model, data: Sequences, slots: Float[Tensor, "B T N D"], tally: EdgeTally) -> None:
    """Count the graph that all states of each sequence show."""
    logits = model.whole_graph(slots)[:, None]
    truth = true_edges(model, data)
    tally.add(logits, logits.argmax(-1), truth if truth.ndim == 2 else truth[:, -1:])


def _scores_of_whole(tally: EdgeTally | None) -> dict[str, Any]:
    return {"whole": tally.scores()["burn_in"]} if tally is not None else {}


def _reasons(checkpoint: Checkpoint, data: Sequences) -> dict[str, str]:
    """Why this checkpoint lacks some of the scores."""
    model, reasons = checkpoint.model, {}
    if not model.sees_frames:
        reasons["reconstruction_mse"] = "the model sees states, there is nothing to reconstruct"
    if checkpoint.header.parts != "all":
        reasons["nll"] = reasons["edges"] = "encoder and decoder only: it predicts nothing"
    elif model.source != "inferred":
        reasons["edges"] = reasons["edge_accuracy"] = "the model infers no edges"
    elif not data.joined:
        reasons["edges"] = reasons["edge_accuracy"] = NO_GRAPH
    if model.sees_frames:
        reason = (
            "true springs join balls; between image slots there is no true edge (edges projects springs onto slots)"
        )
        reasons.setdefault("edge_accuracy", reason)
    return reasons


def _horizon(steps: int) -> tuple[int, int]:
    """Steps of the long free run over so many frames, and the frame of its last true input."""
    horizon = min(HORIZON, steps - 2)
    return horizon, steps - 1 - horizon


def full_windows(history: int, steps: int) -> slice:
    """Frames of the long run over so many that count as its burn-in (:func:`hri.scores.meanings.burn_in`)."""
    return meanings.burn_in(history, _horizon(steps)[1])


@torch.no_grad()
def _long_run(
    model: Model,
    data: Sequences,
    slots: Float[Tensor, "B T N D"],
    variance: float,
    means: _Means,
    tally: EdgeTally | None,
    pictures: bool = False,
) -> Int[Tensor, "B T E"]:
    """Errors by step of one long free run, those of copying, and what it said of the edges: types that spoke.

    Args:
        pictures: of all systems, and whether predicted frames still show what is there (:mod:`hri.scores.pictures`),
            which takes long; otherwise of one system in four.
    """
    rows = np.arange(len(data))
    horizon, last = _horizon(data.steps)
    prediction = model.predict(slots, horizon + 1, natural_choice(model, data, rows, model.source))
    target = slots[:, :, model.tree.leaves] if model.joint_leaves else slots
    copy = target[:, np.minimum(np.arange(data.steps - 1), data.steps - SCORED_FREE_STEPS)]
    means.add(
        len(data),
        mse_by_step=_by_step(prediction.slots[:, last:], target[:, last + 1 :]),
        copy_nll=float(state_nll(copy, target[:, 1:], variance).mean()),
        copy_mse_by_step=_by_step(target[:, last : last + 1], target[:, last + 1 :]),
    )
    types = prediction.weights.argmax(-1)
    if tally is not None:
        tally.add(prediction.logits, types, true_edges(model, data))
    if not model.sees_frames:
        return types
    if tally is not None and isinstance(data, Springs) and (adjacency := data.trajectories.adjacency) is not None:
        balls, positions = Tree.parse(data.data.tree), data.trajectories.positions
        means.add(len(data), **lost(balls, adjacency, positions, model.senders, model.receivers))
    few, times = rows if pictures else rows[::4], np.arange(last, data.steps)
    truth = data.frames(np.repeat(few, len(times)), np.tile(times, len(few))).to(slots.device)
    truth = truth.unflatten(0, (len(few), len(times)))
    free_pictures = torch.stack([model.show(scene) for scene in prediction.slots[few, last:]])
    copies = truth[:, :1].expand_as(free_pictures)
    for name, frames in (("", free_pictures), ("copy_", copies)):
        likeness = frame_likeness(frames.flatten(0, 1), truth[:, 1:].flatten(0, 1))
        by_step = {key: values.reshape(len(few), horizon).mean(0) for key, values in likeness.items()}
        if pictures:
            by_step |= _picture_scores(data, frames, truth[:, 1:])
        means.add(len(few), **{f"{name}frame_{key}_by_step": values for key, values in by_step.items()})
    return types


def _picture_scores(
    data: Sequences, frames: Float[Tensor, "M F C H W"], truth: Float[Tensor, "M F C H W"]
) -> dict[str, Float[np.ndarray, " F"]]:
    """Light left and, of balls, those kept, by step."""
    scenes, steps = truth.shape[:2]
    pictures, real = (part.flatten(0, 1).permute(0, 2, 3, 1).float().cpu().numpy() for part in (frames, truth))
    scores = {"light": light_left(pictures, real)}
    if isinstance(data, Springs):
        area = ball_area(half_axes(Tree.parse(data.data.tree), data.data.render))
        scores["balls"] = balls_kept(pictures, real, area)
    by_step = {name: values.reshape(scenes, steps) for name, values in scores.items()}
    return {name: np.nanmean(values, 0) for name, values in by_step.items() if np.isfinite(values).any(0).all()}


def _weigh(model: Model, data: Sequences, types: Int[Tensor, "B T E"], tally: EdgeTally) -> None:
    """Count what was said of springs that matter, and of others, at some frames after the warm-up.

    Raises:
        ValueError: data whose springs cannot be taken out (:func:`hri.physics.removal.matters`).
    """
    if not isinstance(data, Springs):
        return
    if not source_of(data.data).simulated:
        raise ValueError("the law by which these objects move is not known, so no relation can be taken out")
    tree, trajectories = Tree.parse(data.data.tree), data.trajectories
    frames = np.arange(data.steps)[np.flatnonzero(tally.period)][:: removal.EVERY]
    adjacency = removal.matters(tree, data.data.physics, trajectories, frames)
    truth = true_edges(model, data)
    truth = (truth if truth.ndim == 3 else truth[:, None].expand(types.shape))[:, frames]
    if not model.sees_frames:
        acts = removal.acting(data.data.physics, trajectories.springs)[:, model.senders, model.receivers][:, None]
    else:
        acts = truth.numpy()
        by_frame = [
            slot_springs(tree, adjacency[:, place], trajectories.positions[:, [frame]])
            for place, frame in enumerate(frames)
        ]
        adjacency = np.concatenate(by_frame, 1)
    effects = acts + (adjacency[..., model.senders, model.receivers] & acts)
    tally.add_effects(frames, types[:, frames], truth.numpy(), effects)


def _ceiling(checkpoint: Checkpoint, reasons: dict[str, str]) -> dict[str, Any] | None:
    """What the relations could find, where that was measured."""
    config, model = checkpoint.header.config, checkpoint.model
    if reason := ceilings.objection(config, checkpoint.header.parts):
        reasons["ceiling"] = f"this checkpoint {reason}"
        return None
    encoder = None
    if model.sees_frames:
        encoder = ceilings.fingerprint({name: value.cpu().numpy() for name, value in model.state_dict().items()})
    try:
        record, why = ceilings.look_up(config, encoder)
    except ValueError as error:
        record, why = None, str(error)
    if record is None:
        reasons["ceiling"] = why
        return None
    return ceilings.brief(record)


def _by_step(prediction: Float[Tensor, "B ..."], truth: Float[Tensor, "B ..."]) -> Float[np.ndarray, " K"]:
    """Mean squared error of each time [B, K, ...]."""
    return ((prediction - truth) ** 2).transpose(0, 1).flatten(1).mean(1).double().cpu().numpy()


def true_edges(model: Model, data: Sequences) -> Int[Tensor, "B E"] | Int[Tensor, "B T E"]:
    """1 where a spring joins the nodes of an edge; for image slots frame by frame, where the balls truly are then."""
    if not model.sees_frames or not isinstance(data, Springs) or (springs := data.trajectories.adjacency) is None:
        return data.true_types(model.senders, model.receivers)
    adjacency = slot_springs(Tree.parse(data.data.tree), springs, data.trajectories.positions)
    return torch.from_numpy(adjacency[..., model.senders, model.receivers].astype(np.int64))


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

"""What does this edge do? The rollout without it, for every edge: how far the predictions move.

An edge that never carried a message since the step from which it is cut cannot be missed: its influence is 0 and
it is not rolled out. All others are copies of one scene, each with its own cut, rolled out side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint
from hri.rollout.imaging import decode, draw_states
from hri.rollout.predict import inputs_of, true_types_of
from hri.rollout.settings import settings_of
from hri.rollout.steering import input_changes, steering_choice

COPIES = 44
"""Rollouts side by side: more use more memory and are hardly faster."""


@dataclass(frozen=True)
class Influence:
    """How far predictions move without each edge: mean squared differences, in the model's own units.

    States are normalised to -1 ... 1, slots are as the encoder makes them, pixels lie in 0 ... 1.
    """

    edge_sender_receiver: Int[np.ndarray, "E 2"]
    first: int
    """The step from which each edge was cut."""
    spoke: Bool[np.ndarray, " E"]
    """False: the edge carried no message since then, so nothing moves."""
    by_frame: Float[np.ndarray, "E F"]
    """Of the prediction for each frame 1 ... T - 1, over nodes and features."""
    by_node: Float[np.ndarray, "E P"]
    """Of each predicted node, over features and the frames after the cut."""
    pixel_frames: tuple[int, ...] = ()
    """Frames whose pixels were compared."""
    pixels: Float[np.ndarray, "E G"] | None = None
    """Of each of these frames, over pixels and channels."""

    @property
    def score(self) -> Float[np.ndarray, " E"]:
        """One number an edge: over nodes, features and all frames after the cut."""
        return self.by_frame[:, self.first :].mean(1)


@torch.no_grad()
def influence(
    checkpoint: Checkpoint,
    rollout: Rollout,
    first: int = 0,
    pixel_frames: Sequence[int] = (),
    progress: Callable[[int], object] | None = None,
    copies: int = COPIES,
) -> Influence:
    """Cut every edge of a rollout in turn, keeping its other edits, its start and its seed.

    Args:
        rollout: of one scene, made by this checkpoint.
        first: step from which edges are cut.
        pixel_frames: frames (1 ... T - 1) whose pictures are compared too; decoding is what takes time.
        progress: hears how many edges are done.
        copies: rollouts at a time.

    Raises:
        ValueError: several scenes, a model without messages, another model, a step or frame that is not there.
    """
    model, (scenes, steps, _, width) = checkpoint.model, rollout.slots.shape
    if scenes != 1:
        raise ValueError(f"influence is told of one scene; choose one of these {scenes} with Rollout.scene")
    if checkpoint.header.config.model.dynamics.passing == "joint":
        raise ValueError(f"{checkpoint.name} passes no messages, so no edge has an influence")
    if not 0 <= first < steps - 1 or not all(1 <= frame < steps for frame in pixel_frames):
        raise ValueError(f"cut from a step of 0 to {steps - 2}, and compare pictures of frames 1 to {steps - 1}")
    settings = settings_of(rollout)
    _, inputs = inputs_of(checkpoint, rollout, settings.intervention)
    alter = input_changes(model, settings.intervention, steps, width)
    types = true_types_of(checkpoint, rollout)
    edit_types = settings.intervention.forced_types(model.tree, model.senders, model.receivers, steps)

    hears = np.zeros(len(model.senders), dtype=bool)
    hears[torch.cat(model.dynamics.rows()).cpu().numpy()] = True  # type: ignore[operator]
    spoke = hears & (rollout.edge_types[0, first : steps - 1] != 0).any(0)
    nodes = rollout.predicted_slots.shape[2]
    by_frame, by_node = np.zeros((len(spoke), steps - 1)), np.zeros((len(spoke), nodes))
    pixels = np.zeros((len(spoke), len(pixel_frames)))
    rows, edges_done = np.flatnonzero(spoke), int((~spoke).sum())
    for start in range(0, len(rows), copies):
        cut = rows[start : start + copies]
        plan = np.repeat(edit_types[None], len(cut), 0)
        plan[np.arange(len(cut)), first:, cut] = 0
        choose = steering_choice(model, settings, 1, steps, types, forced_types=plan)
        without = model.predict(inputs, settings.free_steps, choose, settings.edges_from, alter).slots
        shifts = np.square(without.cpu().numpy() - rollout.predicted_slots)
        by_frame[cut], by_node[cut] = shifts.mean((2, 3)), shifts[:, first:].mean((1, 3))
        for column, frame in enumerate(pixel_frames):
            pixels[cut, column] = _pixels_moved(checkpoint, rollout, without, frame)
        edges_done += len(cut)
        if progress:
            progress(edges_done)
    return Influence(
        edge_sender_receiver=rollout.edge_sender_receiver,
        first=first,
        spoke=spoke,
        by_frame=by_frame,
        by_node=by_node,
        pixel_frames=tuple(pixel_frames),
        pixels=pixels if len(pixel_frames) else None,
    )


def _pixels_moved(
    checkpoint: Checkpoint, rollout: Rollout, without: Float[Tensor, "C F P D"], frame: int
) -> Float[np.ndarray, " C"]:
    """Mean squared difference of one frame's pictures from the rollout's own."""
    model, step = checkpoint.model, slice(frame - 1, frame)
    states = without[:, step].cpu().numpy()
    mute_mask = settings_of(rollout).intervention.mute_mask(model.tree.size, frame)[step]
    both = np.concatenate([rollout.predicted_slots[:, step], states])  # the rollout's own first, drawn the same way
    if not model.sees_frames:
        truth, seeds = np.repeat(rollout.slots[:, frame : frame + 1], len(both), 0), _seeds(rollout, len(both))
        pictures = draw_states(checkpoint, both, truth, seeds, mute_mask)[:, 0]
    else:
        leaves = torch.from_numpy(both[:, 0, model.tree.leaves]).to(without.device)
        pictures, _ = decode(checkpoint, leaves, np.repeat(mute_mask[:, model.tree.leaves], len(both), 0))
    return np.square(pictures[1:] - pictures[:1]).mean((1, 2, 3))


def _seeds(rollout: Rollout, count: int) -> Int[np.ndarray, " C"]:
    return np.full(count, -1 if rollout.seeds is None else int(rollout.seeds[0]))

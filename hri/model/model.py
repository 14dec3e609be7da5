"""The whole method in one place: observe, infer relations, predict, show (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hri.core.config import Config
from hri.model.choices import Choose, most_likely
from hri.model.dynamics import GraphDynamics, MessagePassing
from hri.model.fast import device, edges, recurrence  # noqa: F401 - each registers what it computes faster
from hri.model.inputs import with_changes
from hri.model.joint import JointDynamics
from hri.model.markov import MarkovDynamics
from hri.model.relations import Relations, evidence
from hri.model.vision import Vision

Alter = Callable[[Tensor, slice], Tensor]
"""(inputs [N, t, B, D], the times they are for) -> the inputs that the model is given instead."""


class Prediction(NamedTuple):
    """What :class:`Model` makes of a sequence of T states."""

    slots: Float[Tensor, "B T-1 P D"]
    """Predictions for frames 1 ... T - 1 of the P predicted nodes (all, or the leaves for LSTM-lo)."""
    logits: Float[Tensor, "B T E K"]
    """Logits of the edge types used at frames 0 ... T - 1 (the last ones predict beyond the sequence)."""
    weights: Float[Tensor, "B T E K"]
    """How strongly each edge type spoke."""


class Model(nn.Module):
    """HRI, and NRI, LSTM and the ablations as other settings of the same parts."""

    vision: Vision
    """Encoder and decoder; only of a model that :attr:`sees_frames`."""

    def __init__(self, config: Config):
        super().__init__()
        self.sees_frames, self.observation = config.model.sees_frames, config.model.observation
        self.draws_slots_alone = config.model.draws_slots_alone
        self.tree, relations, dynamics = config.tree, config.model.relations, config.model.dynamics
        self.edge_types, self.source, self.static = relations.edge_types, relations.source, relations.graph == "static"
        self.silent = relations.silent
        self.senders, self.receivers = self.tree.edges_among(relations.pairs)
        self.changes = dynamics.changes
        self.scores_leaves = dynamics.nodes == "leaves"
        self.joint_leaves = dynamics.passing == "joint" and self.scores_leaves
        self.leaf_rows: Tensor
        self.register_buffer("leaf_rows", torch.as_tensor(self.tree.leaves), persistent=False)
        if config.model.vision is not None:
            self.vision = Vision(config.model.vision, config.data.render)
        self.relations = Relations(relations, self.tree, config.width) if relations.source == "inferred" else None
        graph = MarkovDynamics if dynamics.memory == "none" else GraphDynamics
        self.dynamics = (JointDynamics if dynamics.passing == "joint" else graph)(
            dynamics, relations, self.tree, config.width
        )

    @property
    def infers_edges(self) -> bool:
        """Whether it finds out what interacts with what; else it is told, or joins everything."""
        return self.relations is not None

    @property
    def history(self) -> int:
        """Latest states that edges are inferred from; 0 where none are inferred."""
        return self.relations.history if self.relations is not None else 0

    def speaking(self) -> Bool[np.ndarray, " E"]:
        """Which of the model's edges carry messages: the hierarchy's, all (flat), or none (LSTM)."""
        speaks = np.zeros(len(self.senders), dtype=bool)
        if isinstance(self.dynamics, MessagePassing):
            speaks[torch.cat(self.dynamics.rows()).cpu().numpy()] = True
        return speaks

    def forward(self, seen: Tensor, free_steps: int, choose: Choose = most_likely) -> Tensor:
        """Frames in, frames out; states in, states out.

        Args:
            seen: frames [B, T, C, H, W] with pixels in 0 ... 1, or states [B, T, N, D].
            free_steps: n of the paper's "n free steps" (1: every input is true).
            choose: which edge types speak (:meth:`predict`).

        Returns:
            What it expects to see at times 1 ... T - 1.
        """
        slots = self.observe(seen)
        future = self.predict(slots, free_steps, choose)
        return self.show(future.slots)

    def observe(self, seen: Tensor) -> Float[Tensor, "B T N D"]:
        """What the dynamics work on: the slots of frames [B, T, C, H, W]; states are their own."""
        if not self.sees_frames:
            return seen
        return self.vision.slots(self.vision.features(seen.flatten(0, 1)).unflatten(0, seen.shape[:2]))

    def show(self, slots: Float[Tensor, "*m P D"]) -> Tensor:
        """What slots look like: frames [*m, C, H, W]; states stay what they are."""
        return self.vision.draw(slots) if self.sees_frames else slots

    def predict(
        self,
        slots: Float[Tensor, "B T N D"],
        free_steps: int,
        choose: Choose,
        edges_from: str = "predictions",
        alter: Alter | None = None,
    ) -> Prediction:
        """Predict every next state; inputs after frame T - free_steps are the model's own predictions.

        Args:
            slots: from :meth:`observe`.
            free_steps: n of the paper's "n free steps" (1: every input is true).
            choose: turns logits into message weights (:func:`hri.model.choices.most_likely`, ``soft``, ...).
                From the logits of one scene it may give the weights of several copies; then the answer is of these.
            edges_from: infer the edges of free steps from "predictions", or peek at the "truth".
            alter: changes inputs, true or predicted, before the model sees them.
        """
        truth = slots.permute(2, 1, 0, 3)  # N T B D: nodes first, see hri.model.layers
        if self.joint_leaves:
            truth = truth.index_select(0, self.leaf_rows)
        steps, last_true = truth.shape[1], truth.shape[1] - free_steps
        if alter is not None:
            inputs = slice(0, last_true + 1)
            truth = torch.cat([alter(truth[:, inputs], inputs), truth[:, last_true + 1 :]], 1)
        # Windows end one frame before their own time, so one more than the true inputs can be known.
        known = steps if edges_from == "truth" else min(steps, last_true + 2)
        logits = [self._burn_in(truth, known)]
        weights = [choose(logits[0], slice(0, known))]
        if (copies := weights[0].shape[2]) != truth.shape[2]:
            truth, logits = truth.expand(-1, -1, copies, -1), [logits[0].expand(-1, -1, copies, -1)]

        # Burn-in: inputs are true, so all predictions can be read off the hidden states afterwards, at once.
        seen = list(truth.unbind(1)[: last_true + 1])
        known_inputs = torch.stack(seen)
        start = self.dynamics.start(seen[0])
        known_inputs = self.moving(known_inputs)
        hidden, memory = self.dynamics.burn_in(known_inputs, start, weights[0][:, : last_true + 1])
        predictions = list(self.dynamics.predict(known_inputs, hidden).unbind(0))

        # Free run: every input is the last prediction.
        for time in range(last_true + 1, steps):
            seen.append(predictions[-1])
            if alter is not None:
                seen[-1] = alter(seen[-1][:, None], slice(time, time + 1))[:, 0]
            if time >= known:
                logits.append(self._next(seen[:time], logits[0]))
                weights.append(choose(logits[-1], slice(time, time + 1)))
            if time < steps - 1:
                spoken = weights[0][:, time] if time < known else weights[-1][:, 0]
                moving = self.moving(seen[time][None], seen[time - 1])[0]
                memory = self.dynamics(moving, memory, spoken)
                predictions.append(self.dynamics.predict(moving, memory.hidden))
        return Prediction(
            slots=torch.stack(predictions[: steps - 1], 1).permute(2, 1, 0, 3),
            logits=torch.cat(logits, 1).permute(2, 1, 0, 3),
            weights=torch.cat(weights, 1).permute(2, 1, 0, 3),
        )

    def moving(
        self, states: Float[Tensor, "T N B D"], before: Float[Tensor, "N B D"] | None = None
    ) -> Float[Tensor, "T N B W"]:
        """What the dynamics are given of states: these, or each with how it changed since the one before."""
        return with_changes(states, before) if self.changes else states

    def edges_at(self, slots: Float[Tensor, "B T N D"], times: Sequence[int]) -> Float[Tensor, "B t E K"]:
        """Logits of the edge types at some times, each inferred from the states before it."""
        assert self.relations is not None
        windows = self.relations.burn_in_windows(slots.permute(2, 1, 0, 3), slots.shape[1])
        return self.relations(windows[:, list(times)]).permute(2, 1, 0, 3)

    def whole_graph(self, slots: Float[Tensor, "B T N D"]) -> Float[Tensor, "B E K"]:
        """Logits of a static graph from all T states, as NRI infers it from whole sequences."""
        assert self.relations is not None
        truth = slots.permute(2, 1, 0, 3)
        return self._burn_in(truth, truth.shape[1] + 1)[:, -1].transpose(0, 1)

    def logits_at(self, truth: Float[Tensor, "N T B D"], times: Int[Tensor, " t"]) -> Float[Tensor, "E t B K"]:
        """Logits at some times up to T, each from the true states before it alone."""
        if self.relations is None:
            return self._joined(truth).expand(-1, len(times), -1, -1)
        return self.relations(self.relations.burn_in_windows(truth, truth.shape[1] + 1, times))

    def _burn_in(self, truth: Float[Tensor, "N T B D"], times: int) -> Float[Tensor, "E times B K"]:
        """Logits at all times whose windows hold true states only, in one go."""
        if self.relations is None:
            return self._joined(truth).expand(-1, times, -1, -1)
        logits = self.relations(self.relations.burn_in_windows(truth, times))
        return evidence(logits, self.relations.history) if self.static else logits

    def _next(self, seen: list[Tensor], like: Tensor) -> Float[Tensor, "E 1 B K"]:
        """Logits at the time after ``seen``; batch norm keeps still, as it will in evaluation."""
        if self.relations is None or self.static:
            return like[:, -1:]
        return self.relations(self.relations.latest_window(seen), still=True)

    def _joined(self, truth: Tensor) -> Float[Tensor, "E 1 B K"]:
        """Logits that are certain of type 1 on every pair (FCMP)."""
        certain = truth.new_full((len(self.senders), 1, truth.shape[2], self.edge_types), -30.0)
        certain[..., 1] = 30.0
        return certain

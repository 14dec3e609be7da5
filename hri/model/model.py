"""The whole method in one place: encode, infer relations, predict, decode (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hri.core.config import Config
from hri.model.decoders import DECODERS, ParallelDecoder, SlotDecoder
from hri.model.dynamics import DYNAMICS, MessagePassing
from hri.model.encoder import LeafEncoder, UpperEncoder
from hri.model.fast import device, edges, recurrence  # noqa: F401 - each registers what it computes faster
from hri.model.markov import MarkovDynamics
from hri.model.relations import Choose, Relations, evidence

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


class Vision(nn.Module):
    """Encoder and decoder of image models; stage 1 trains its leaf encoder and decoder alone."""

    leaves: LeafEncoder
    upper: UpperEncoder
    decoder: SlotDecoder | ParallelDecoder

    def __init__(self, config: Config):
        super().__init__()
        assert config.model.vision is not None
        self.leaves = LeafEncoder(config.model.vision, config.data.render)
        self.upper = UpperEncoder(config.model.vision)
        self.decoder = DECODERS[config.model.vision.decoder](config.model.vision, config.data.render)

    def forward(self, frames: Float[Tensor, "M C H W"]) -> Float[Tensor, "M C H W"]:
        """Reconstruct each frame from its 16 leaf slots."""
        return self.decoder(self.leaves.slots(self.leaves.map(frames)))

    def slots(self, features: Float[Tensor, "B T F 4 4"]) -> Float[Tensor, "B T 21 D"]:
        """[root, 4 intermediates, 16 leaves] from the leaf encoder's feature maps."""
        flat = features.flatten(0, 1)
        return torch.cat([self.upper(flat), self.leaves.slots(flat)], 1).unflatten(0, features.shape[:2])

    def encode(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T 21 D"]:
        """Slots of whole sequences."""
        return self.slots(self.leaves.map(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]))


class Model(nn.Module):
    """HRI, and NRI, LSTM and the ablations as other settings of the same parts."""

    def __init__(self, config: Config):
        super().__init__()
        self.tree, relations, dynamics = config.tree, config.model.relations, config.model.dynamics
        self.edge_types, self.source, self.static = relations.edge_types, relations.source, relations.graph == "static"
        self.silent = relations.silent
        self.senders, self.receivers = self.tree.edges_among(relations.pairs)
        self.scores_leaves = dynamics.nodes == "leaves"
        self.joint_leaves = dynamics.passing == "joint" and self.scores_leaves
        self.leaf_rows: Tensor
        self.register_buffer("leaf_rows", torch.as_tensor(self.tree.leaves), persistent=False)
        self.vision = Vision(config) if config.model.vision else None
        self.relations = Relations(relations, self.tree, config.width) if relations.source == "inferred" else None
        self.dynamics = (MarkovDynamics if dynamics.memory == "none" else DYNAMICS[dynamics.passing])(
            dynamics, relations, self.tree, config.width
        )

    def speaking(self) -> Bool[np.ndarray, " E"]:
        """Which of the model's edges carry messages: the hierarchy's, all (flat), or none (LSTM)."""
        speaks = np.zeros(len(self.senders), dtype=bool)
        if isinstance(self.dynamics, MessagePassing):
            speaks[torch.cat(self.dynamics.rows()).cpu().numpy()] = True
        return speaks

    def forward(
        self,
        slots: Float[Tensor, "B T N D"],
        free_steps: int,
        choose: Choose,
        edges_from: str = "predictions",
        alter: Alter | None = None,
    ) -> Prediction:
        """Predict every next state; inputs after frame T - free_steps are the model's own predictions.

        Args:
            slots: true states or encoded slots.
            free_steps: n of the paper's "n free steps" (1: every input is true).
            choose: turns logits into message weights (:func:`hri.model.relations.most_likely`, ``soft``, ...).
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
                memory = self.dynamics(seen[time], memory, spoken)
                predictions.append(self.dynamics.predict(seen[time], memory.hidden))
        return Prediction(
            slots=torch.stack(predictions[: steps - 1], 1).permute(2, 1, 0, 3),
            logits=torch.cat(logits, 1).permute(2, 1, 0, 3),
            weights=torch.cat(weights, 1).permute(2, 1, 0, 3),
        )

    def rolls(
        self,
        slots: Float[Tensor, "B T N D"],
        starts: Int[Tensor, " R"],
        steps: int,
        seen: Int[Tensor, " r"],
        choose: Choose,
    ) -> Prediction:
        """Predictions of a model without memory from several true states, each run over the edges of one time.

        Args:
            starts: frames that runs start from.
            steps: length of every run.
            seen: the times whose edges the runs go by: one a run; those of a static graph together make one for all.
            choose: as for :meth:`forward`.

        Returns:
            ``slots`` [B, R x steps, N, D], run after run; logits and weights of the times ``seen`` or of the one graph.
        """
        assert isinstance(self.dynamics, MarkovDynamics)
        truth = slots.permute(2, 1, 0, 3)
        if self.relations is None:
            logits = self._joined(truth).expand(-1, len(seen), -1, -1)
        else:
            logits = self.relations(self.relations.burn_in_windows(truth, truth.shape[1] + 1, seen))
        if self.static:
            seen, logits = seen[-1:], logits.mean(1, keepdim=True)
        weights = choose(logits, seen)
        runs = truth.index_select(1, starts)
        spoken = weights.expand(-1, runs.shape[1], -1, -1).flatten(1, 2)
        rolled = self.dynamics.roll(runs.flatten(1, 2), spoken, steps)
        return Prediction(
            slots=rolled.unflatten(2, runs.shape[1:3]).permute(3, 2, 0, 1, 4).flatten(1, 2),
            logits=logits.permute(2, 1, 0, 3),
            weights=weights.permute(2, 1, 0, 3),
        )

    def whole_graph(self, slots: Float[Tensor, "B T N D"]) -> Float[Tensor, "B E K"]:
        """Logits of a static graph from all T states, as NRI infers it from whole sequences."""
        assert self.relations is not None
        truth = slots.permute(2, 1, 0, 3)
        return self._burn_in(truth, truth.shape[1] + 1)[:, -1].transpose(0, 1)

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

"""A dynamics without memory: the next states follow from the present ones and the messages about them alone.

The LSTM of :class:`hri.model.dynamics.GraphDynamics` can find out by itself what acts on its node, and then edges may
as well be wrong. Here nothing but the edges can say it. Flat, this is the MLP decoder of NRI (Kipf et al. 2018,
appendix C); hierarchical, it is ours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hri.core.config import DynamicsConfig, RelationsConfig
from hri.core.hierarchy import Tree
from hri.model.dynamics import LSTMState, MessagePassing
from hri.model.layers import Messages, linear


class MarkovDynamics(MessagePassing):
    """Messages on a linear image of the present states; a three-layer network turns state and messages into a change.

    x' = x + W5 relu(W4 relu(W3 [x, h])), h = the messages that were heard. Message of type k:
    relu(W2 relu(W1 [receiver, sender])) (Kipf et al. 2018, equations 10 to 12). Hierarchical phases add to the linear
    image before the next phase speaks.
    """

    step_name = "messages"
    """What follows the message phases of a step: their sum, without the image of the states that they began from."""

    def __init__(self, config: DynamicsConfig, relations: RelationsConfig, tree: Tree, width: int):
        super().__init__(
            config, relations, tree, Messages(config.hidden, relations.edge_types, relations.silent, F.relu)
        )
        self.lift = linear(width, config.hidden)
        self.out_first = linear(width + config.hidden, config.hidden)
        self.out_hidden = linear(config.hidden, config.hidden)
        self.out = linear(config.hidden, width)

    def start(self, states: Float[Tensor, "N B D"]) -> LSTMState:
        """There is nothing to remember: two empty tensors, as every step's memory."""
        empty = states.new_zeros(*states.shape[:2], 0)
        return LSTMState(hidden=empty, cell=empty)

    def before(self, states: Float[Tensor, "N B D"], memory: LSTMState) -> Float[Tensor, "N B H"]:
        """The hidden vectors that the first phase speaks from: the states, through one linear layer."""
        return self.lift(states)

    def forward(self, states: Float[Tensor, "N B D"], memory: LSTMState, weights: Float[Tensor, "E B K"]) -> LSTMState:
        """One step: what was heard stands in ``hidden``, the cell stays empty."""
        return LSTMState(hidden=self.heard(states, weights), cell=memory.cell)

    def heard(self, states: Float[Tensor, "N B D"], weights: Float[Tensor, "E B K"]) -> Float[Tensor, "N B H"]:
        """What the messages of all phases add at each node."""
        lifted = self.lift(states)
        hidden = lifted
        for _, spoken in self.speak(hidden, weights):
            hidden = spoken
        return hidden - lifted if self.residual else hidden

    def burn_in(
        self, states: Float[Tensor, "T N B D"], memory: LSTMState, weights: Float[Tensor, "E T B K"]
    ) -> tuple[Float[Tensor, "T N B H"], LSTMState]:
        """Many steps on known inputs. None waits for another, so all times are one batch."""
        steps, _, batch, _ = states.shape
        heard = self.heard(states.transpose(0, 1).flatten(1, 2), weights.flatten(1, 2))
        return heard.unflatten(1, (steps, batch)).transpose(0, 1), memory

    def predict(
        self, states: Float[Tensor, "*t N B D"], hidden: Float[Tensor, "*t N B H"]
    ) -> Float[Tensor, "*t N B D"]:
        """The next states: the present ones plus a change, at any number of times at once."""
        first = F.relu(self.out_first(torch.cat([states, hidden], -1)))
        return states + self.out(F.relu(self.out_hidden(first)))

    def roll(
        self, states: Float[Tensor, "N B D"], weights: Float[Tensor, "E B K"], steps: int
    ) -> Float[Tensor, "steps N B D"]:
        """So many steps from given states, each from the last prediction, over the same edges throughout."""
        predictions = []
        for _ in range(steps):
            states = self.predict(states, self.heard(states, weights))
            predictions.append(states)
        return torch.stack(predictions)

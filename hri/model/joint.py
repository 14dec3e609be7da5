"""The LSTM baseline: what is gained by graphs at all shows in a model that has none (paper, section 5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hri.core.config import DynamicsConfig, RelationsConfig
from hri.core.hierarchy import Tree
from hri.model.dynamics import LSTMState
from hri.model.inputs import INERTIA, SPAN
from hri.model.layers import linear


class JointDynamics(nn.Module):
    """One LSTM over all nodes concatenated, no graph. LSTM-lo sees and predicts leaves only."""

    step_name = "LSTM"

    def __init__(self, config: DynamicsConfig, relations: RelationsConfig, tree: Tree, width: int):
        super().__init__()
        nodes = len(tree.leaves) if config.nodes == "leaves" else tree.size
        self.changes = config.changes
        self.lstm = nn.LSTMCell(nodes * width * (2 if config.changes else 1), config.hidden)
        self.out_hidden = linear(config.hidden, config.hidden)
        self.out = linear(config.hidden, nodes * width)
        if config.changes:
            self.gain = nn.Parameter(torch.full((width,), INERTIA))

    def start(self, states: Float[Tensor, "N B D"]) -> LSTMState:
        zeros = states.new_zeros(states.shape[1], self.lstm.hidden_size)
        return LSTMState(hidden=zeros, cell=zeros.clone())

    def before(self, states: Float[Tensor, "N B D"], memory: LSTMState) -> Float[Tensor, "B H"]:
        """What the LSTM remembers when a step begins."""
        return memory.hidden

    def forward(self, states: Float[Tensor, "N B D"], memory: LSTMState, weights: Float[Tensor, "E B K"]) -> LSTMState:
        """The same face as :class:`GraphDynamics`; the weights are not listened to."""
        hidden, cell = self.lstm(states.transpose(0, 1).flatten(1), (memory.hidden, memory.cell))
        return LSTMState(hidden=hidden, cell=cell)

    def burn_in(
        self, states: Float[Tensor, "T N B D"], memory: LSTMState, weights: Float[Tensor, "E T B K"]
    ) -> tuple[Float[Tensor, "T B H"], LSTMState]:
        """Many steps on known inputs: hidden states and the last memory."""
        hidden = []
        for time, known in enumerate(states):
            memory = self(known, memory, weights[:, time])
            hidden.append(memory.hidden)
        return torch.stack(hidden), memory

    def predict(self, states: Float[Tensor, "*t N B W"], hidden: Float[Tensor, "*t B H"]) -> Float[Tensor, "*t N B D"]:
        """The next states of all nodes from the one hidden state."""
        change = self.out(F.relu(self.out_hidden(hidden)))
        now, last = states.chunk(2, -1) if self.changes else (states, None)
        following = now + change.unflatten(-1, (now.shape[-3], now.shape[-1])).transpose(-3, -2)
        return following if last is None else (following + self.gain * last).clamp(-SPAN, SPAN)

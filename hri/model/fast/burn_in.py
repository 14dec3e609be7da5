"""What all fast versions of :meth:`hri.model.dynamics.GraphDynamics.burn_in` have in common."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hri.model.dynamics import GraphDynamics, LSTMState

Recurrence = Callable[[GraphDynamics, Tensor, LSTMState, Tensor], tuple[Tensor, Tensor]]
"""(dynamics, the inputs' share of the gates [T, N, B, 4H], memory, weights [E, T, B, K]) -> hidden states after each
step [T, N, B, H], the last cell [N, B, H]."""


def burning_in(
    recurrence: Recurrence,
) -> Callable[[GraphDynamics, Tensor, LSTMState, Tensor], tuple[Tensor, LSTMState]]:
    """A whole burn-in around what differs: known inputs enter all gates at once, before anything recurs."""

    def burn_in(
        dynamics: GraphDynamics,
        states: Float[Tensor, "T N B D"],
        memory: LSTMState,
        weights: Float[Tensor, "E T B K"],
    ) -> tuple[Float[Tensor, "T N B H"], LSTMState]:
        """T steps of :class:`hri.model.dynamics.GraphDynamics` on known inputs: all hidden states, and the memory."""
        lstm = dynamics.lstm
        gates = F.linear(dynamics.inputs(states), lstm.weight_ih, lstm.bias_ih + lstm.bias_hh)
        hidden, cell = recurrence(dynamics, gates, memory, weights)
        return hidden, LSTMState(hidden=hidden[-1], cell=cell)

    return burn_in

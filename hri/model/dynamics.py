"""States and edge types to the next states: messages over the graph, one LSTM step, a predicted change
(paper, section 3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from hri.core.config import DynamicsConfig, RelationsConfig
from hri.core.hierarchy import Tree
from hri.model.inputs import INERTIA, PLACE, SPAN
from hri.model.layers import Messages, linear
from hri.model.phases import Phase, phases_of
from hri.model.versions import Versions


class LSTMState(NamedTuple):
    """Two tensors, never one under two names."""

    hidden: Tensor
    cell: Tensor


class MessagePassing(nn.Module):
    """What dynamics on a graph share: messages between the nodes' hidden vectors, phase after phase.

    Hierarchical: leaves to intermediates, intermediates to the root, siblings, and down again, each phase
    added to the hidden vectors before the next one speaks. Flat: all edges at once. All phases share one
    message network an edge type.
    """

    def __init__(self, config: DynamicsConfig, relations: RelationsConfig, tree: Tree, messages: Messages):
        super().__init__()
        self.residual = config.residual
        self.messages = messages
        names, phases = zip(*phases_of(tree, config.passing, relations.pairs), strict=True)
        self.phase_names: tuple[str, ...] = names
        self.phases = nn.ModuleList(phases)

    def joined(self) -> list[Phase]:
        """The phases, each with the nodes that its edges join."""
        return list(self.phases)  # type: ignore[arg-type]  # a ModuleList forgets what it holds

    def rows(self) -> list[Int[Tensor, " E"]]:
        """For each phase, the rows of its edges among the inferred ones."""
        return [phase.rows for phase in self.joined()]

    def speak(
        self, hidden: Float[Tensor, "N B H"], weights: Float[Tensor, "E B K"]
    ) -> Iterator[tuple[str, Float[Tensor, "N B H"]]]:
        """The hidden state after each message phase, with the phase's name."""
        for name, phase in zip(self.phase_names, self.joined(), strict=True):
            spoken = self.messages(hidden, weights.index_select(0, phase.rows), phase)
            hidden = hidden + spoken if self.residual else spoken
            yield name, hidden


class GraphDynamics(MessagePassing):
    """One LSTM a node; before each of its steps the nodes exchange messages (paper, section 3.3)."""

    step_name = "LSTM"
    """What follows the message phases of a step."""

    def __init__(self, config: DynamicsConfig, relations: RelationsConfig, tree: Tree, width: int):
        super().__init__(config, relations, tree, Messages(config.hidden, relations.edge_types, relations.silent))
        self.changes = config.changes
        known = (2 * width if config.changes else width) + (PLACE if config.places else 0)
        self.lstm = nn.LSTMCell(known, config.hidden)
        self.out_hidden = linear(config.hidden, config.hidden)
        self.out = linear(config.hidden, width)
        if config.changes:
            self.gain = nn.Parameter(torch.full((width,), INERTIA))
            self.from_inputs = linear(known, config.hidden)
        self.place = nn.Parameter(torch.randn(tree.size, PLACE)) if config.places else None

    def start(self, states: Float[Tensor, "N B D"]) -> LSTMState:
        """The state before the first step: zeros."""
        zeros = states.new_zeros(*states.shape[:2], self.lstm.hidden_size)
        return LSTMState(hidden=zeros, cell=zeros.clone())

    def before(self, states: Float[Tensor, "N B D"], memory: LSTMState) -> Float[Tensor, "N B H"]:
        """The hidden vectors that the first phase of a step speaks from: what the LSTM remembers."""
        return memory.hidden

    def inputs(self, states: Float[Tensor, "*t N B W"]) -> Float[Tensor, "*t N B V"]:
        """What the LSTM is given: the states, and which node each is of where ``places`` are told."""
        if self.place is None:
            return states
        return torch.cat([states, self.place[:, None].expand(*states.shape[:-1], -1)], -1)

    def forward(self, states: Float[Tensor, "N B D"], memory: LSTMState, weights: Float[Tensor, "E B K"]) -> LSTMState:
        """The memory after one step; ``weights`` say how strongly each edge type speaks on each edge.

        :meth:`plain` says what is computed.
        """
        return self.burn_in(states[None], memory, weights[:, None])[1]

    def plain(self, states: Float[Tensor, "N B D"], memory: LSTMState, weights: Float[Tensor, "E B K"]) -> LSTMState:
        """One step as the paper writes it: all phases of messages, then the LSTM."""
        hidden = memory.hidden
        for _, spoken in self.speak(hidden, weights):
            hidden = spoken
        flat = self.lstm(self.inputs(states).flatten(0, 1), (hidden.flatten(0, 1), memory.cell.flatten(0, 1)))
        return LSTMState(hidden=flat[0].view_as(hidden), cell=flat[1].view_as(hidden))

    def burn_in(
        self, states: Float[Tensor, "T N B D"], memory: LSTMState, weights: Float[Tensor, "E T B K"]
    ) -> tuple[Float[Tensor, "T N B H"], LSTMState]:
        """Many steps on known inputs, as calling this module once a step: hidden states and the last memory.

        :meth:`step_by_step` says what is computed; :data:`BURN_IN` knows who computes it.
        """
        return BURN_IN.suiting(states)(self, states, memory, weights)

    def step_by_step(
        self, states: Float[Tensor, "T N B D"], memory: LSTMState, weights: Float[Tensor, "E T B K"]
    ) -> tuple[Float[Tensor, "T N B H"], LSTMState]:
        """:meth:`plain` at each time in turn."""
        hidden = []
        for time, known in enumerate(states):
            memory = self.plain(known, memory, weights[:, time])
            hidden.append(memory.hidden)
        return torch.stack(hidden), memory

    def predict(
        self, states: Float[Tensor, "*t N B W"], hidden: Float[Tensor, "*t N B H"]
    ) -> Float[Tensor, "*t N B D"]:
        """The next states: the present ones plus a change read off the hidden state, at any number of times at once.

        Where nodes come with their changes [D of a state, D of its change], the predicted change is a share of the last
        one plus what is read off hidden state and inputs.
        """
        read = self.out_hidden(hidden)
        if self.changes:
            read = read + self.from_inputs(self.inputs(states))
        change = self.out(F.relu(read))
        if not self.changes:
            return states + change
        now, last = states.chunk(2, -1)
        return (now + self.gain * last + change).clamp(-SPAN, SPAN)


BURN_IN: Versions[Callable[[GraphDynamics, Tensor, LSTMState, Tensor], tuple[Tensor, LSTMState]]] = Versions(
    GraphDynamics.step_by_step
)
"""(dynamics, states, memory, weights) -> hidden states and the last memory."""

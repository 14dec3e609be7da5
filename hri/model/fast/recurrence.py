"""The recurrent loop of ``GraphDynamics`` on known inputs, with its backward pass through time written out.

The loop is thousands of small steps; here each phase of messages is two fused passes between matrix products
(``kernels``), on arrays set aside once, and gradients of weights are summed over all times at once. Tests hold it equal
to calling the module step after step.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hri.model.dynamics import BURN_IN, GraphDynamics, LSTMState
from hri.model.fast import kernels
from hri.model.fast.burn_in import burning_in
from hri.model.fast.edges import suits


@burning_in
def burn_in(dynamics: GraphDynamics, gates: Tensor, memory: LSTMState, weights: Tensor) -> tuple[Tensor, Tensor]:
    """All steps at once, on :data:`hri.model.fast.burn_in.Recurrence`'s tensors."""
    messages = dynamics.messages
    spoken = weights.index_select(0, torch.cat(dynamics.rows())).transpose(0, 1)
    parameters = [
        tensor
        for first, second in zip(messages.first, messages.second, strict=True)
        for part in (first, second)
        for tensor in (part.weight, part.bias)
    ]
    return BurnIn.apply(
        dynamics.residual,
        messages.skip,
        _spans(dynamics),
        gates,
        memory.hidden,
        memory.cell,
        dynamics.lstm.weight_hh,
        spoken,
        *parameters,
    )


class Span:
    """One phase's edges: their rows among all speaking ones, and the node ranges that hear and speak."""

    def __init__(self, senders: np.ndarray, receivers: np.ndarray, first_row: int):
        self.rows = slice(first_row, first_row + len(senders))
        self.hearing = slice(int(receivers.min()), int(receivers.max()) + 1)
        self.speaking = slice(int(senders.min()), int(senders.max()) + 1)
        self.receivers = np.ascontiguousarray(receivers, dtype=np.int64)
        """As node numbers; below as positions within the two ranges."""
        self.heard_at = self.receivers - self.hearing.start
        self.spoken_at = np.ascontiguousarray(senders, dtype=np.int64) - self.speaking.start


_SPANS: WeakKeyDictionary[GraphDynamics, list[Span]] = WeakKeyDictionary()


def _spans(dynamics: GraphDynamics) -> list[Span]:
    """Of each phase, laid out once for each module: which nodes its edges join never changes."""
    if dynamics not in _SPANS:
        spans, row = [], 0
        for phase in dynamics.joined():
            spans.append(Span(phase.senders.numpy(), phase.receivers.numpy(), row))
            row += len(phase.senders)
        _SPANS[dynamics] = spans
    return _SPANS[dynamics]


class BurnIn(torch.autograd.Function):
    """Inputs: the first type that speaks; gates [T, N, B, 4H] (the inputs' share), hidden and cell [N, B, H], W_hh, the
    weights of all speaking edges [T, E, B, K] in the order of the phases; for each speaking type W1 [H, 2H], b1,
    W2 [H, H], b2. Outputs: hidden states after each step [T, N, B, H], last cell [N, B, H].
    """

    @staticmethod
    def forward(
        context: Any,
        residual: bool,
        skip: int,
        spans: list[Span],
        gates: Tensor,
        hidden: Tensor,
        cell: Tensor,
        w_hh: Tensor,
        spoken: Tensor,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor]:
        (steps, nodes, batch, _), width, types = gates.shape, hidden.shape[-1], len(parameters) // 4
        gates, spoken = gates.contiguous(), spoken.contiguous()
        edges = spoken.shape[1]
        # before[t, p]: hidden state that phase p of step t hears; the last one enters the LSTM.
        before = hidden.new_empty(steps, len(spans) + 1, nodes, batch, width)
        inner, outer = hidden.new_empty(2, types, steps, edges, batch, width)
        gate = torch.empty_like(gates.flatten(1, 2))
        out, cells = hidden.new_empty(steps, nodes, batch, width), hidden.new_empty(steps + 1, nodes, batch, width)
        cells[0] = cell
        scale = np.float32(1 / types)
        heard_w, spoken_w = _halves(parameters, width)
        for time in range(steps):
            stage = before[time]
            stage[0] = out[time - 1] if time else hidden
            weights = spoken[time].numpy()
            for phase, span in enumerate(spans):
                state, after = stage[phase], stage[phase + 1]
                if residual:
                    after.copy_(state)
                else:
                    after.zero_()
                for kind in range(types):
                    _, b1, w2, b2 = parameters[4 * kind : 4 * kind + 4]
                    rows = inner[kind, time, span.rows]
                    message = outer[kind, time, span.rows]
                    received = state[span.hearing].flatten(0, 1) @ heard_w[kind]
                    sent = state[span.speaking].flatten(0, 1) @ spoken_w[kind]
                    kernels.pair_tanh(
                        received.numpy().reshape(-1, batch, width),
                        sent.numpy().reshape(-1, batch, width),
                        b1.detach().numpy(),
                        span.heard_at,
                        span.spoken_at,
                        rows.numpy(),
                    )
                    torch.mm(rows.flatten(0, 1), w2.T, out=message.flatten(0, 1))
                    kernels.speak(
                        message.numpy(),
                        b2.detach().numpy(),
                        weights[span.rows],
                        kind + skip,
                        scale,
                        span.receivers,
                        after.numpy(),
                    )
            torch.mm(stage[-1].flatten(0, 1), w_hh.T, out=gate[time])
            kernels.lstm(
                _gates(gate[time]),
                _gates(gates[time].flatten(0, 1)),
                _rows(cells[time]),
                _rows(cells[time + 1]),
                _rows(out[time]),
            )
        context.save_for_backward(w_hh, spoken, *parameters)
        context.residual, context.skip, context.spans = residual, skip, spans
        context.kept = before, inner, outer, gate, cells
        # Copies: an output that its own context holds would keep the whole graph alive, update after update.
        return out, cells[-1].clone()

    @staticmethod
    def backward(context: Any, d_out: Tensor, d_cell: Tensor) -> tuple[Tensor | None, ...]:
        w_hh, spoken, *parameters = context.saved_tensors
        residual, skip, spans = context.residual, context.skip, context.spans
        before, inner, outer, gate, cells = context.kept
        context.kept = None  # overwritten below
        (steps, nodes, batch, width), types = d_out.shape, len(parameters) // 4
        d_out, d_cell = d_out.contiguous(), d_cell.clone(memory_format=torch.contiguous_format)
        d_spoken = torch.zeros_like(spoken)
        d_hidden = torch.zeros(nodes * batch, width)
        d_b2 = [torch.zeros(width) for _ in range(types)]
        node_terms = [
            [
                (
                    d_out.new_zeros(steps, _length(span.hearing), batch, width),
                    d_out.new_zeros(steps, _length(span.speaking), batch, width),
                )
                for _ in range(types)
            ]
            for span in spans
        ]
        scale = np.float32(1 / types)
        heard_w, spoken_w = _halves(parameters, width)
        for time in reversed(range(steps)):
            kernels.lstm_backward(
                d_hidden.numpy(),
                _rows(d_out[time]),
                _rows(d_cell),
                _gates(gate[time]),
                _rows(cells[time]),
                _rows(cells[time + 1]),
            )
            d_hidden = gate[time] @ w_hh
            weights, d_weights = spoken[time].numpy(), d_spoken[time].numpy()
            for phase, span in reversed(list(enumerate(spans))):
                d_after = d_hidden.view(nodes, batch, width)
                d_hidden = d_hidden.clone() if residual else torch.zeros_like(d_hidden)
                d_state = d_hidden.view(nodes, batch, width)
                for kind in range(types):
                    w2 = parameters[4 * kind + 2]
                    rows, message = inner[kind, time, span.rows], outer[kind, time, span.rows]
                    kernels.speak_backward(
                        d_after.numpy(),
                        message.numpy(),
                        weights[span.rows],
                        kind + skip,
                        scale,
                        span.receivers,
                        d_weights[span.rows],
                        d_b2[kind].numpy(),
                    )
                    d_inner = message.flatten(0, 1) @ w2
                    d_received, d_sent = (term[time] for term in node_terms[phase][kind])
                    kernels.pair_tanh_backward(
                        d_inner.numpy().reshape(rows.shape),
                        rows.numpy(),
                        span.heard_at,
                        span.spoken_at,
                        d_received.numpy(),
                        d_sent.numpy(),
                    )
                    d_state[span.hearing].flatten(0, 1).addmm_(d_received.flatten(0, 1), heard_w[kind].T)
                    d_state[span.speaking].flatten(0, 1).addmm_(d_sent.flatten(0, 1), spoken_w[kind].T)
        gates = gate.view(steps, nodes, batch, 4 * width)
        d_w_hh = gate.flatten(0, 1).T @ before[:, -1].reshape(-1, width)
        d_parameters = []
        for kind in range(types):
            d_w1, d_b1 = torch.zeros(width, 2 * width), torch.zeros(width)
            for phase, span in enumerate(spans):
                d_received, d_sent = (term[kind] for term in (list(zip(*node_terms[phase], strict=True))))
                state = before[:, phase]
                d_w1[:, :width].addmm_(_flat(d_received).T, _flat(state[:, span.hearing]))
                d_w1[:, width:].addmm_(_flat(d_sent).T, _flat(state[:, span.speaking]))
                d_b1 += _flat(d_received).sum(0)
            d_parameters += [d_w1, d_b1, _flat(outer[kind]).T @ _flat(inner[kind]), d_b2[kind]]
        return None, None, None, gates, d_hidden.view(nodes, batch, width), d_cell, d_w_hh, d_spoken, *d_parameters


def _halves(parameters: Any, width: int) -> tuple[list[Tensor], list[Tensor]]:
    """Of each type's W1 [H, 2H], the receiver's and the sender's half, transposed for products from the left."""
    firsts = [weight.detach() for weight in parameters[::4]]
    return [w[:, :width].T.contiguous() for w in firsts], [w[:, width:].T.contiguous() for w in firsts]


def _rows(tensor: Float[Tensor, "N B H"]) -> np.ndarray:
    return tensor.numpy().reshape(-1, tensor.shape[-1])


def _gates(tensor: Float[Tensor, "R G"]) -> np.ndarray:
    return tensor.numpy().reshape(len(tensor), 4, -1)


def _flat(tensor: Float[Tensor, "T E B H"]) -> Float[Tensor, "R H"]:
    return tensor.reshape(-1, tensor.shape[-1])


def _length(part: slice) -> int:
    return part.stop - part.start


BURN_IN.register(suits, burn_in)

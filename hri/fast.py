"""The same arithmetic as ``relations`` and ``dynamics``, arranged for speed; tests hold it equal to the plain code.

Two things make training slow on CPUs, and multiplication is the lesser part of it. Edge activations are large
arrays that plain autograd writes and reads again and again: :class:`EdgeBlock` works on pieces that stay in
cache, keeps one array an MLP and computes the rest again. And the recurrent loop is thousands of tiny calls:
:class:`BurnIn` writes out its backward pass, without the graph's own bookkeeping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from hri.dynamics import GraphDynamics, LSTMState
    from hri.relations import Relations

PIECE_FLOATS = 200_000
"""Numbers an edge activation piece holds: a few pieces fit a core's cache together."""


def edge_logits(relations: Relations, windows: Float[Tensor, "N ... W"], still: bool) -> Float[Tensor, "E ... K"]:
    """What :meth:`hri.relations.Relations.plain` computes.

    Batch norm after an MLP is a scale and a shift a channel, so it is folded into the layers that read it; only
    its statistics need a pass over the edges.
    """
    batch = windows.shape[1:-1]
    edges = relations.edges
    nodes = relations.embed(windows.flatten(1, -2), still)
    count, width = len(edges.senders) * nodes.shape[1], nodes.shape[2]

    edge, again = relations.edge, relations.edge_again
    received = F.linear(nodes, edge.first.weight[:, :width], edge.first.bias)
    sent = F.linear(nodes, edge.first.weight[:, width:])
    graph = (edges.receivers, edges.senders, edges.into, edges.out_of)
    first, summed, sums, squares = EdgeBlock.apply(
        received, sent, None, None, edge.second.weight, edge.second.bias, *graph, True
    )
    scale, shift = edge.norm.scale_and_shift(sums, squares, count, still)
    incoming = edges.into.sum(1)[:, None, None]
    nodes = relations.node((summed * scale + incoming * shift) / len(windows), still)

    hidden = first.shape[-1]
    third = again.first.weight[:, -hidden:]
    received = F.linear(nodes, again.first.weight[:, :hidden], again.first.bias + third @ shift)
    sent = F.linear(nodes, again.first.weight[:, hidden : 2 * hidden])
    second, _, sums, squares = EdgeBlock.apply(
        received, sent, first, third * scale, again.second.weight, again.second.bias, *graph, False
    )
    scale, shift = again.norm.scale_and_shift(sums, squares, count, still)
    head = relations.to_type
    return F.linear(second, head.weight * scale, head.bias + head.weight @ shift).unflatten(1, batch)


class EdgeBlock(torch.autograd.Function):
    """elu(W2 elu(received[r] + sent[s] + W3 extra) + b2) of every edge, in pieces of the batch that stay in cache.

    Inputs: received, sent [N, M, H]; extra [E, M, H] or None; W3, W2 [H, H]; b2 [H]. Outputs: the block's values
    [E, M, H], their sum into each node [N, M, H] (empty unless asked for), their sum and sum of squares a channel.
    """

    @staticmethod
    def forward(
        context: Any,
        received: Tensor,
        sent: Tensor,
        extra: Tensor | None,
        w3: Tensor | None,
        w2: Tensor,
        b2: Tensor,
        receivers: Tensor,
        senders: Tensor,
        into: Tensor,
        out_of: Tensor,
        summing: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        edges, batch, width = len(receivers), received.shape[1], w2.shape[0]
        values = received.new_empty(edges, batch, width)
        summed = received.new_empty(received.shape[0], batch, width) if summing else received.new_empty(0)
        sums = torch.zeros(2, width, dtype=torch.float64, device=received.device)
        for piece in _pieces(edges * width, values):
            inner = _inner(received, sent, extra, w3, receivers, senders, piece)
            part = elu_(F.linear(inner, w2, b2))
            values[:, piece] = part
            if summing:
                summed[:, piece] = (into @ part.flatten(1)).unflatten(1, part.shape[1:])
            sums[0] += part.sum((0, 1))
            sums[1] += torch.mul(part, part, out=inner).sum((0, 1))  # the last use of inner: room for squares
        context.save_for_backward(received, sent, extra, w3, w2, values, receivers, senders, into, out_of)
        context.summing = summing
        return values, summed, sums[0].to(values.dtype), sums[1].to(values.dtype)

    @staticmethod
    def backward(
        context: Any, d_values: Tensor, d_summed: Tensor, d_sum: Tensor, d_square: Tensor
    ) -> tuple[Tensor | None, ...]:
        received, sent, extra, w3, w2, values, receivers, senders, into, out_of = context.saved_tensors
        edges, _, width = values.shape
        d_received, d_sent = torch.empty_like(received), torch.empty_like(sent)
        d_extra = torch.empty_like(extra) if extra is not None else None
        d_w3 = torch.zeros_like(w3) if w3 is not None else None
        d_w2, d_b2 = torch.zeros_like(w2), torch.zeros_like(w2[0])
        for piece in _pieces(edges * width, values):
            part = values[:, piece]
            gradient = torch.addcmul(d_values[:, piece] + d_sum, part, 2 * d_square)
            if context.summing:
                gradient += d_summed[:, piece].index_select(0, receivers)
            gradient = torch.ops.aten.elu_backward(gradient, 1.0, 1.0, 1.0, True, part)
            inner = _inner(received, sent, extra, w3, receivers, senders, piece)
            flat = gradient.flatten(0, 1)
            d_w2 += flat.T @ inner.flatten(0, 1)
            d_b2 += flat.sum(0)
            gradient = torch.ops.aten.elu_backward(gradient @ w2, 1.0, 1.0, 1.0, True, inner)
            d_received[:, piece] = (into @ gradient.flatten(1)).unflatten(1, gradient.shape[1:])
            d_sent[:, piece] = (out_of @ gradient.flatten(1)).unflatten(1, gradient.shape[1:])
            if d_extra is not None:
                d_extra[:, piece] = gradient @ w3
                d_w3 += gradient.flatten(0, 1).T @ extra[:, piece].flatten(0, 1)
        return d_received, d_sent, d_extra, d_w3, d_w2, d_b2, None, None, None, None, None


def _inner(
    received: Tensor,
    sent: Tensor,
    extra: Tensor | None,
    w3: Tensor | None,
    receivers: Tensor,
    senders: Tensor,
    piece: slice,
) -> Tensor:
    """elu(received[r] + sent[s] + W3 extra) of one piece of the batch."""
    inner = received[:, piece].index_select(0, receivers)
    inner += sent[:, piece].index_select(0, senders)
    if extra is not None:
        assert w3 is not None
        inner += extra[:, piece] @ w3.T
    return elu_(inner)


def elu_(values: Tensor) -> Tensor:
    """ELU in place: max(x, 0) + exp(min(x, 0)) - 1.

    torch's own takes expm1, several times slower than exp on CPUs; the difference is below 1e-7.
    """
    below = values.clamp_max(0).exp_().sub_(1)
    return values.clamp_min_(0).add_(below)


class Elu(torch.autograd.Function):
    """:func:`elu_` with its gradient; overwrites its input."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        context.mark_dirty(values)
        result = elu_(values)
        context.save_for_backward(result)
        return result

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (result,) = context.saved_tensors
        return torch.ops.aten.elu_backward(gradient, 1.0, 1.0, 1.0, True, result)


def _pieces(row: int, values: Float[Tensor, "E M H"]) -> list[slice]:
    """Parts of the batch axis; all of it on a GPU, which has no such cache to fit."""
    batch = values.shape[1]
    step = max(1, PIECE_FLOATS // row) if values.device.type == "cpu" else batch
    return [slice(start, min(start + step, batch)) for start in range(0, batch, step)]


def burn_in(
    dynamics: GraphDynamics,
    states: Float[Tensor, "T N B D"],
    memory: LSTMState,
    weights: Float[Tensor, "E T B K"],
) -> tuple[Float[Tensor, "T N B H"], LSTMState]:
    """T steps of :class:`hri.dynamics.GraphDynamics` on known inputs: all hidden states, and the last memory."""
    lstm, messages = dynamics.lstm, dynamics.messages
    gates = F.linear(states, lstm.weight_ih, lstm.bias_ih + lstm.bias_hh)
    spoken = [weights.index_select(0, rows).permute(1, 0, 2, 3) for rows in dynamics.rows()]
    parameters = [
        p
        for pair in zip(messages.first, messages.second, strict=True)
        for part in pair
        for p in (part.weight, part.bias)
    ]
    graph = [
        tensor for phase in dynamics.phases for tensor in (phase.receivers, phase.senders, phase.into, phase.out_of)
    ]
    counts = (len(spoken), len(messages.first))
    start = (memory.hidden, memory.cell)
    hidden, cell = BurnIn.apply(dynamics.residual, *counts, gates, *start, lstm.weight_hh, *spoken, *parameters, *graph)
    return hidden, type(memory)(hidden=hidden[-1], cell=cell)


class BurnIn(torch.autograd.Function):
    """The recurrent loop with known inputs, and its backward pass through time written out.

    Inputs: gates [T, N, B, 4H] (the inputs' share), hidden and cell [N, B, H], W_hh; for each phase the weights
    [T, E', B, K]; for each speaking type W1 [H, 2H], b1, W2 [H, H], b2; for each phase receivers, senders, into,
    out_of. Outputs: hidden states after each step [T, N, B, H], last cell [N, B, H].
    """

    @staticmethod
    def forward(
        context: Any,
        residual: bool,
        phases: int,
        types: int,
        gates: Tensor,
        hidden: Tensor,
        cell: Tensor,
        w_hh: Tensor,
        *rest: Tensor,
    ) -> tuple[Tensor, Tensor]:
        spoken, parameters, graph = rest[:phases], rest[phases : phases + 4 * types], rest[phases + 4 * types :]
        steps, width = gates.shape[0], hidden.shape[-1]
        kept: dict[str, Any] = {
            "before": [],
            "first": [],
            "second": [],
            "heard": [],
            "gate": [],
            "cells": [cell],
            "out": [],
        }
        for time in range(steps):
            for phase in range(phases):
                receivers, senders, into, _ = graph[4 * phase : 4 * phase + 4]
                total = None
                for kind in range(types):
                    w1, b1, w2, b2 = parameters[4 * kind : 4 * kind + 4]
                    inner = F.linear(hidden, w1[:, :width], b1).index_select(0, receivers)
                    inner += F.linear(hidden, w1[:, width:]).index_select(0, senders)
                    inner.tanh_()
                    outer = F.linear(inner, w2, b2).tanh_()
                    said = outer * spoken[phase][time, :, :, kind + 1, None]
                    total = said if total is None else total.add_(said)
                    kept["first"].append(inner)
                    kept["second"].append(outer)
                kept["before"].append(hidden)
                assert total is not None  # at least one type speaks
                heard = (into @ total.flatten(1)).view_as(hidden).div_(types)
                hidden = heard.add_(hidden) if residual else heard
            kept["heard"].append(hidden)
            gate = gates[time] + hidden @ w_hh.T
            gate[..., : 2 * width].sigmoid_()
            gate[..., 2 * width : 3 * width].tanh_()
            gate[..., 3 * width :].sigmoid_()
            enter, forget, candidate, leave = gate.split(width, -1)
            cell = torch.addcmul(forget * cell, enter, candidate)
            hidden = leave * cell.tanh()
            kept["gate"].append(gate)
            kept["cells"].append(cell)
            kept["out"].append(hidden)
        context.save_for_backward(w_hh, *rest)
        context.residual, context.phases, context.types, context.kept = residual, phases, types, kept
        # A copy: an output that its own context holds would keep the whole graph alive, update after update.
        return torch.stack(kept["out"]), cell.clone()

    @staticmethod
    def backward(context: Any, d_out: Tensor, d_cell: Tensor) -> tuple[Tensor | None, ...]:
        w_hh, *rest = context.saved_tensors
        residual, phases, types, kept = context.residual, context.phases, context.types, context.kept
        spoken, parameters, graph = rest[:phases], rest[phases : phases + 4 * types], rest[phases + 4 * types :]
        steps, width = d_out.shape[0], d_out.shape[-1]
        d_gates = [torch.empty(0)] * steps
        d_spoken = [torch.zeros_like(weights) for weights in spoken]
        d_parameters = [torch.zeros_like(parameter) for parameter in parameters]
        d_hidden = torch.zeros_like(kept["out"][0])
        for time in reversed(range(steps)):
            enter, forget, candidate, leave = kept["gate"][time].split(width, -1)
            squashed = kept["cells"][time + 1].tanh()
            d_hidden = d_hidden + d_out[time]
            d_cell = torch.addcmul(d_cell, d_hidden * leave, 1 - squashed * squashed)
            gate = torch.cat(
                [
                    d_cell * candidate * enter * (1 - enter),
                    d_cell * kept["cells"][time] * forget * (1 - forget),
                    d_cell * enter * (1 - candidate * candidate),
                    d_hidden * squashed * leave * (1 - leave),
                ],
                -1,
            )
            d_cell = d_cell * forget
            d_gates[time] = gate
            d_hidden = gate @ w_hh
            for phase in reversed(range(phases)):
                receivers, _, into, out_of = graph[4 * phase : 4 * phase + 4]
                d_total = d_hidden.index_select(0, receivers) / types
                d_before = d_hidden if residual else torch.zeros_like(d_hidden)
                for kind in range(types):
                    w1, _, w2, _ = parameters[4 * kind : 4 * kind + 4]
                    row = (time * phases + phase) * types + kind
                    inner, outer = kept["first"][row], kept["second"][row]
                    d_spoken[phase][time, :, :, kind + 1] = (d_total * outer).sum(-1)
                    d_outer = d_total * spoken[phase][time, :, :, kind + 1, None]
                    d_outer = torch.ops.aten.tanh_backward(d_outer, outer)
                    d_inner = torch.ops.aten.tanh_backward(d_outer @ w2, inner).flatten(1)
                    d_received = (into @ d_inner).view_as(d_hidden)
                    d_sent = (out_of @ d_inner).view_as(d_hidden)
                    d_before = d_before + d_received @ w1[:, :width] + d_sent @ w1[:, width:]
                    hidden = kept["before"][time * phases + phase].flatten(0, 1)
                    d_w1, d_b1, d_w2, d_b2 = d_parameters[4 * kind : 4 * kind + 4]
                    d_w1[:, :width].addmm_(d_received.flatten(0, 1).T, hidden)
                    d_w1[:, width:].addmm_(d_sent.flatten(0, 1).T, hidden)
                    d_w2.addmm_(d_outer.flatten(0, 1).T, inner.flatten(0, 1))
                    d_b1 += d_received.sum((0, 1))
                    d_b2 += d_outer.sum((0, 1))
                d_hidden = d_before
        gates = torch.stack(d_gates)
        heard = torch.stack(kept["heard"])
        d_w_hh = gates.flatten(0, 2).T @ heard.flatten(0, 2)
        return None, None, None, gates, d_hidden, d_cell, d_w_hh, *d_spoken, *d_parameters, *[None] * len(graph)

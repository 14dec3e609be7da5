"""The arithmetic of ``Relations.plain``, arranged for speed on CPUs; tests hold the two equal.

Multiplication is the lesser part of what relational inference costs: edge activations are large arrays that plain
autograd writes and reads again and again. :class:`EdgeBlock` works on pieces of the batch that stay in cache, keeps
one array an MLP and computes the rest again, and fuses what lies between matrix products (``kernels``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hri.model.fast import kernels
from hri.model.layers import ELU
from hri.model.relations import EDGE_LOGITS, Relations

PIECE_FLOATS = 400_000
"""Numbers an edge activation piece holds: a few pieces fit a core's cache together."""


ENABLED = True
"""Off, CPUs take the plain code too: for a few updates, compiling the loops takes longer than they save."""


def suits(values: Tensor) -> bool:
    """Whether to take the fused loops: float32 on a CPU, and gradients wanted. All else goes through the plain code.

    So what users see is computed by the definition itself, and no compiler runs before the first picture.
    """
    return ENABLED and values.device.type == "cpu" and values.dtype == torch.float32 and torch.is_grad_enabled()


def edge_logits(relations: Relations, windows: Float[Tensor, "N ... W"], still: bool) -> Float[Tensor, "E ... K"]:
    """What :meth:`hri.model.relations.Relations.plain` computes.

    Batch norm after an MLP is a scale and a shift a channel, so it is folded into the layers that read it; only
    its statistics need a pass over the edges.
    """
    batch = windows.shape[1:-1]
    edges = relations.edges
    nodes = relations.embed(windows.flatten(1, -2), still)
    rows, width = nodes.shape[1:]
    count = len(edges.senders) * rows

    edge, again = relations.edge, relations.edge_again
    received = F.linear(nodes, edge.first.weight[:, :width], edge.first.bias)
    sent = F.linear(nodes, edge.first.weight[:, width:])
    graph = (edges.receivers, edges.senders)
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
    logits = F.linear(second, head.weight * scale, head.bias + head.weight @ shift)
    shapes = [shape for _, _, shape in _pieces(len(edges.senders), rows, hidden)]
    pieces = logits.split([count * size for count, size in shapes])
    return torch.cat([p.unflatten(0, shape) for p, shape in zip(pieces, shapes, strict=True)], 1).unflatten(1, batch)


class EdgeBlock(torch.autograd.Function):
    """elu(W2 elu(received[r] + sent[s] + W3 extra) + b2) of every edge, in pieces of the batch that stay in cache.

    Inputs: received, sent [N, M, H]; extra [R, H] or None; W3, W2 [H, H]; b2 [H]; receivers, senders [E]. Outputs:
    the block's values [R, H], their sum into each node [N, M, H] (empty unless asked for), their sum and sum of
    squares a channel. The R = E x M rows lie piece after piece, each piece [E, m, H], so that a piece is contiguous.
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
        summing: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        received, sent = received.contiguous(), sent.contiguous()
        edges, batch, width = len(receivers), received.shape[1], w2.shape[0]
        values = received.new_empty(edges * batch, width)
        summed = torch.zeros_like(received) if summing else received.new_empty(0, 0, 0)
        sums = torch.zeros(2, width, dtype=torch.float64)
        r, heard, bias = receivers.numpy(), summed.numpy(), b2.detach().numpy()
        for start, part, shape in _pieces(edges, batch, width):
            inner = _inner(received, sent, extra, w3, receivers, senders, start, part, shape)
            torch.mm(inner, w2.T, out=values[part])
            piece = values[part].numpy().reshape(*shape, width)
            kernels.finish_elu(piece, bias, r, start, heard, summing, sums[0].numpy(), sums[1].numpy())
        context.save_for_backward(received, sent, extra, w3, w2, values, receivers, senders)
        context.summing = summing
        return values, summed, sums[0].to(values.dtype), sums[1].to(values.dtype)

    @staticmethod
    def backward(
        context: Any, d_values: Tensor, d_summed: Tensor, d_sum: Tensor, d_square: Tensor
    ) -> tuple[Tensor | None, ...]:
        received, sent, extra, w3, w2, values, receivers, senders = context.saved_tensors
        edges, (batch, width) = len(receivers), received.shape[1:]
        d_received, d_sent = torch.zeros_like(received), torch.zeros_like(sent)
        d_extra = torch.empty_like(extra) if extra is not None else None
        d_w3 = torch.zeros_like(w3) if w3 is not None else None
        d_w2, d_b2 = torch.zeros_like(w2), torch.zeros_like(w2[0])
        r, s = receivers.numpy(), senders.numpy()
        d_rows, heard = d_values.contiguous().numpy(), d_summed.contiguous().numpy()
        moments = d_sum.contiguous().numpy(), d_square.contiguous().numpy()
        for start, part, shape in _pieces(edges, batch, width):
            gradient = torch.empty_like(values[part])
            kernels.finish_elu_backward(
                d_rows[part].reshape(*shape, width),
                values[part].numpy().reshape(*shape, width),
                moments[0],
                moments[1],
                heard,
                context.summing,
                r,
                start,
                gradient.numpy().reshape(*shape, width),
                d_b2.numpy(),
            )
            inner = _inner(received, sent, extra, w3, receivers, senders, start, part, shape)
            d_w2.addmm_(gradient.T, inner)
            d_inner = gradient @ w2
            kernels.pair_elu_backward(
                d_inner.numpy().reshape(*shape, width),
                inner.numpy().reshape(*shape, width),
                r,
                s,
                start,
                d_received.numpy(),
                d_sent.numpy(),
            )
            if extra is not None and d_extra is not None and d_w3 is not None:
                torch.mm(d_inner, w3, out=d_extra[part])
                d_w3.addmm_(d_inner.T, extra[part])
        return d_received, d_sent, d_extra, d_w3, d_w2, d_b2, None, None, None


def _inner(
    received: Tensor,
    sent: Tensor,
    extra: Tensor | None,
    w3: Tensor | None,
    receivers: Tensor,
    senders: Tensor,
    start: int,
    part: slice,
    shape: tuple[int, int],
) -> Float[Tensor, "r H"]:
    """elu(received[r] + sent[s] + W3 extra) of one piece's rows."""
    inner = received.new_empty(part.stop - part.start, received.shape[2])
    if extra is not None and w3 is not None:
        torch.mm(extra[part], w3.T, out=inner)
    kernels.pair_elu(
        received.detach().numpy(),
        sent.detach().numpy(),
        receivers.numpy(),
        senders.numpy(),
        start,
        inner.numpy().reshape(*shape, -1),
        extra is not None,
    )
    return inner


def _pieces(edges: int, batch: int, width: int) -> Iterator[tuple[int, slice, tuple[int, int]]]:
    """For each piece of the batch: where it starts, its rows, and their shape (E, m)."""
    step = max(1, PIECE_FLOATS // (edges * width))
    for start in range(0, batch, step):
        size = min(step, batch - start)
        yield start, slice(start * edges, (start + size) * edges), (edges, size)


class _Elu(torch.autograd.Function):
    """ELU of contiguous rows, in place."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        context.mark_dirty(values)
        kernels.elu(values.detach().numpy().reshape(-1))
        context.save_for_backward(values)
        return values

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (values,) = context.saved_tensors
        gradient = gradient.contiguous()
        result = torch.empty_like(gradient)
        kernels.elu_backward(gradient.numpy().reshape(-1), values.numpy().reshape(-1), result.numpy().reshape(-1))
        return result


EDGE_LOGITS.register(suits, edge_logits)
ELU.register(lambda values: suits(values) and values.is_contiguous(), _Elu.apply)

"""The small parts: batch norm that knows when to keep still, MLP, pairwise linear layer, messages, Gumbel-softmax.

Node-major layout: inside the model a tensor of node states is [N, ..., features] and one of edges
[E, ..., features]. Gathering the senders of all edges is then a copy of whole blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed
import torch.distributed.nn.functional
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hri.core.decoding import Convolution
from hri.model.versions import Versions

ELU: Versions[Callable[[Tensor], Tensor]] = Versions(F.elu)


def elu(values: Float[Tensor, "R H"]) -> Float[Tensor, "R H"]:
    """ELU; may overwrite its input."""
    return ELU.suiting(values)(values)


class Norm(nn.Module):
    """Batch norm over all axes but ``axis``, synchronised over processes when there are several.

    In training it uses the batch's statistics unless told to keep ``still`` (then the running ones, as
    in evaluation). ``torch.nn.SyncBatchNorm`` would need GPUs.
    """

    def __init__(self, channels: int, momentum: float = 0.1, epsilon: float = 1e-5, affine: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels), requires_grad=affine)
        self.bias = nn.Parameter(torch.zeros(channels), requires_grad=affine)
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.momentum, self.epsilon = momentum, epsilon

    def forward(self, values: Tensor, still: bool = False) -> Tensor:
        """Normalise [rows, C] or images [M, C, H, W]; returns the same shape."""
        batch = self.training and not still
        if batch and torch.distributed.is_available() and torch.distributed.is_initialized():
            return self._synchronised(values)
        return F.batch_norm(
            values, self.running_mean, self.running_var, self.weight, self.bias, batch, self.momentum, self.epsilon
        )

    def _synchronised(self, values: Tensor) -> Tensor:
        axes = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1] + [1] * (values.ndim - 2)
        count = values.numel() // values.shape[1]
        scale, shift = self.scale_and_shift(values.sum(axes), (values * values).sum(axes), count)
        return values * scale.view(shape) + shift.view(shape)

    def scale_and_shift(
        self, sums: Float[Tensor, " C"], squares: Float[Tensor, " C"], count: int, still: bool = False
    ) -> tuple[Float[Tensor, " C"], Float[Tensor, " C"]]:
        """This norm as ``values * scale + shift``, from the sums of ``count`` values and of their squares."""
        mean, variance = self.running_mean, self.running_var
        if self.training and not still:
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                together = torch.cat([sums, squares, sums.new_tensor([float(count)])])
                together = torch.distributed.nn.functional.all_reduce(together)
                sums, squares = together[:-1].view(2, -1)
                count = round(float(together[-1].detach()))
            mean = sums / count
            variance = (squares / count - mean * mean).clamp_min(0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
        scale = self.weight * (variance + self.epsilon).rsqrt()
        return scale, self.bias - mean * scale


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Linear layer with the published initial weights: Xavier normal, bias 0.1."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_normal_(layer.weight)
    nn.init.constant_(layer.bias, 0.1)
    return layer


class MLP(nn.Module):
    """linear, ELU, linear, ELU, batch norm (the block of NRI, Kipf et al. 2018)."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.first = linear(inputs, hidden)
        self.second = linear(hidden, hidden)
        self.norm = Norm(hidden)

    def forward(self, values: Float[Tensor, "... inputs"], still: bool = False) -> Float[Tensor, "... hidden"]:
        rows = self.after_first(self.first(values.flatten(0, -2)), still)
        return rows.view(*values.shape[:-1], -1)

    def after_first(self, rows: Float[Tensor, "R hidden"], still: bool = False) -> Float[Tensor, "R hidden"]:
        """The block from its first linear layer's output on (overwritten).

        Rows are flat: in-place work on a view of something else would copy it in the backward pass.
        """
        return self.norm(elu(self.second(elu(rows))), still)


class Edges(nn.Module):
    """Which nodes the edges join, ready for gathering (node -> edge) and summing (edge -> node).

    Not trained and not saved; a module only so that it follows the model to its device.
    """

    def __init__(self, senders: np.ndarray, receivers: np.ndarray, nodes: int):
        super().__init__()
        self.senders: Tensor
        self.receivers: Tensor
        self.into: Tensor
        self.out_of: Tensor
        self.register_buffer("senders", torch.as_tensor(senders), persistent=False)
        self.register_buffer("receivers", torch.as_tensor(receivers), persistent=False)
        rows = torch.arange(len(senders))
        into, out_of = torch.zeros(2, nodes, len(senders))
        into[self.receivers, rows] = 1
        out_of[self.senders, rows] = 1
        self.register_buffer("into", into, persistent=False)
        self.register_buffer("out_of", out_of, persistent=False)

    def sum_into(self, edges: Float[Tensor, "E ... H"]) -> Float[Tensor, "N ... H"]:
        """Sum over the edges that end at each node. As a matrix product: fast both ways, on any device."""
        return (self.into @ edges.flatten(1)).view(-1, *edges.shape[1:])

    def first_layer(self, layer: nn.Linear, nodes: Float[Tensor, "N ... H"]) -> Float[Tensor, "E ... G"]:
        """``layer([receiver, sender])`` of every edge.

        A linear layer on a pair is a sum of two node terms, so it costs N rows, not E.
        """
        width = nodes.shape[-1]
        received = F.linear(nodes, layer.weight[:, :width], layer.bias)
        sent = F.linear(nodes, layer.weight[:, width : 2 * width])
        return _Pair.apply(received, sent, self.receivers, self.senders, self.into, self.out_of)


class _Pair(torch.autograd.Function):
    """received[receivers] + sent[senders], with matrix products as the backward pass.

    The built-in backward of indexing adds slice by slice, many times slower on CPUs.
    """

    @staticmethod
    def forward(
        context: Any, received: Tensor, sent: Tensor, receivers: Tensor, senders: Tensor, into: Tensor, out_of: Tensor
    ) -> Tensor:
        context.save_for_backward(into, out_of)
        return received.index_select(0, receivers).add_(sent.index_select(0, senders))

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        into, out_of = context.saved_tensors
        flat = gradient.flatten(1)
        shape = (-1, *gradient.shape[1:])
        return (
            (into.to(flat.dtype) @ flat).view(shape),
            (out_of.to(flat.dtype) @ flat).view(shape),
            None,
            None,
            None,
            None,
        )


class Messages(nn.Module):
    """One message network per speaking edge type, paper equation 3: all but type 0, where that is silent.

    Args:
        bend: the nonlinearity after both layers: tanh in the paper, ReLU in NRI's dynamics without memory.
    """

    def __init__(
        self, hidden: int, edge_types: int, silent: bool = True, bend: Callable[[Tensor], Tensor] = torch.tanh
    ):
        super().__init__()
        self.bend = bend
        self.skip = int(silent)
        """The first type that speaks."""
        self.first = nn.ModuleList(linear(2 * hidden, hidden) for _ in range(edge_types - self.skip))
        self.second = nn.ModuleList(linear(hidden, hidden) for _ in range(edge_types - self.skip))

    def forward(
        self, hidden: Float[Tensor, "N B H"], weights: Float[Tensor, "E B K"], edges: Edges
    ) -> Float[Tensor, "N B H"]:
        """Sum at each receiver of the messages on its edges, divided by the number of types that speak."""
        return edges.sum_into(self.each(hidden, weights, edges)) / len(self.first)

    def each(
        self, hidden: Float[Tensor, "N B H"], weights: Float[Tensor, "E B K"], edges: Edges
    ) -> Float[Tensor, "E B H"]:
        """What each edge says: sum_k weight_k bend(W2_k bend(W1_k [receiver, sender]))."""
        total = None
        for kind, (first, second) in enumerate(zip(self.first, self.second, strict=True), start=self.skip):
            pair = edges.first_layer(first, hidden)  # type: ignore[arg-type]  # a ModuleList forgets what it holds
            spoken = self.bend(second(self.bend(pair))) * weights[..., kind : kind + 1]
            total = spoken if total is None else total + spoken
        assert total is not None  # at least two edge types, so at least one speaks
        return total


def gumbel_noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise, -log of an exponential variate."""
    return torch.empty(shape).exponential_(generator=generator).clamp_min_(1e-20).log_().neg_()


def conv_weights(layer: nn.Conv2d | nn.ConvTranspose2d, fan: int) -> None:
    """Published initial weights: N(0, 2 / (k fan)), k = one side of the kernel; bias 0.1."""
    nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / (layer.kernel_size[0] * fan)))
    assert layer.bias is not None
    nn.init.constant_(layer.bias, 0.1)


class ConvBlock(nn.Module):
    """conv, batch norm, ReLU, max-pool; "SAME" padding puts the odd pixel right and bottom."""

    def __init__(self, inputs: int, outputs: int, layer: Convolution):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, layer.kernel, layer.stride)
        conv_weights(self.conv, outputs)
        self.norm = Norm(outputs)
        self.padding, self.pool = layer.padding, layer.pool

    def forward(self, images: Float[Tensor, "M C H W"]) -> Float[Tensor, "M C2 H2 W2"]:
        padded = F.pad(images, self.padding * 2) if any(self.padding) else images
        features = F.relu(self.norm(self.conv(padded)), inplace=True)
        return F.max_pool2d(features, self.pool) if self.pool > 1 else features


def upsampling(inputs: int, hidden: int, outputs: int, doublings: int) -> nn.ModuleList:
    """Transposed 4 x 4 convolutions of stride 2 with the published initial weights."""
    widths = [inputs] + [hidden] * (doublings - 1) + [outputs]
    layers = nn.ModuleList()
    for index in range(doublings):
        layer = nn.ConvTranspose2d(widths[index], widths[index + 1], 4, stride=2, padding=1)
        conv_weights(layer, layer.out_channels if index == doublings - 1 else layer.in_channels)
        layers.append(layer)
    return layers


PIECE = 64
"""Images that are drawn together on a CPU: their maps stay near the core, with the channels of a pixel side by side."""


def upsample(layers: nn.ModuleList, maps: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C2 H W"]:
    """What :func:`upsampling` made, with ReLU between its layers."""
    if torch.is_grad_enabled() or maps.device.type != "cpu":
        return _all_at_once(layers, maps)
    pieces = [_all_at_once(layers, part.to(memory_format=torch.channels_last)) for part in maps.split(PIECE)]
    return torch.cat([piece.contiguous() for piece in pieces])


def _all_at_once(layers: nn.ModuleList, maps: Tensor) -> Tensor:
    for layer in layers[:-1]:
        maps = F.relu(layer(maps), inplace=True)
    return layers[-1](maps)

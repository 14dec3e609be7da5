"""Logits of edge types to the weights that messages have: a sample to train with, the most likely type, known types."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

Times = slice | Tensor
"""Which times logits are for: a slice, or their numbers."""
Choose = Callable[[Tensor, Times], Tensor]
"""(logits [E, t, B, K], the times they are for) -> weights [E, t, B, K] of each edge type's messages."""


def soft(noise: Float[Tensor, "B T E K"], temperature: float) -> Choose:
    """Gumbel-softmax, the differentiable sample of training. Noise belongs to the sample, whatever the batch."""
    edge_major = noise.permute(2, 1, 0, 3)
    return lambda logits, times: torch.softmax((logits + edge_major[:, times]) / temperature, -1)


def one_hot(types: Int[Tensor, "*shape"], like: Float[Tensor, "... K"]) -> Float[Tensor, "*shape K"]:
    """1 at each type and 0 elsewhere. Unlike PyTorch's, it never asks the device for its numbers."""
    return (types[..., None] == torch.arange(like.shape[-1], device=like.device)).to(like)


def straight(noise: Float[Tensor, "B T E K"], temperature: float) -> Choose:
    """One-hot of the same sample, with the gradient of :func:`soft` (straight-through; Jang et al. 2017)."""
    softly = soft(noise, temperature)

    def choose(logits: Tensor, times: Times) -> Tensor:
        weights = softly(logits, times)
        return most_likely(weights, times) + weights - weights.detach()

    return choose


def held(choose: Choose, most: float) -> Choose:
    """The same weights, but what the loss says about the types of one pair at one time is cut at +-``most``.

    Args:
        most: of the gradient with respect to a weight, less the mean over its pair's types.
    """

    def cut(gradient: Tensor) -> Tensor:
        return (gradient - gradient.mean(-1, keepdim=True)).clamp(-most, most)

    def chosen(logits: Tensor, times: Times) -> Tensor:
        weights = choose(logits, times)
        if weights.requires_grad:
            weights.register_hook(cut)
        return weights

    return chosen


SAMPLES: dict[str, Callable[[Tensor, float], Choose]] = {"soft": soft, "straight": straight}
"""How training draws its edges, by ``train.edge_sample``."""


def most_likely(logits: Tensor, times: Times) -> Tensor:
    """One-hot of the most probable type."""
    return one_hot(logits.argmax(-1), logits)


def sampled(noise: Float[Tensor, "B T E K"]) -> Choose:
    """One-hot of a draw from the inferred probabilities (the Gumbel-max trick)."""
    edge_major = noise.permute(2, 1, 0, 3)
    return lambda logits, times: most_likely(logits + edge_major[:, times], times)


def given(types: Int[Tensor, "B E"]) -> Choose:
    """The same known types at every time, whatever was inferred, such as true springs."""

    def choose(logits: Tensor, times: Times) -> Tensor:
        weights = one_hot(types.T, logits)
        return weights[:, None].expand(-1, logits.shape[1], -1, -1)

    return choose


def of_record(kinds: Int[Tensor, "*shape"], edge_types: int, silent: bool) -> Float[Tensor, "*shape K"]:
    """Weights of types as rollouts number them: type 0 carries no message there, also where the model has no such type
    and its own types are 1 ... K.
    """
    every = F.one_hot(kinds.long(), edge_types + (not silent))
    return (every if silent else every[..., 1:]).float()

"""Muon for weight matrices, Adam for the rest (Jordan et al. 2024; Kingma and Ba 2015).

It needs about half of Adam's updates here (docs/training.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

MOMENTUM = 0.95
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients that pull singular values towards 1 fast; they stop between about 0.7 and 1.2."""
MATCHED = 0.2
"""Root mean square of a matrix's update, in learning rates: about Adam's, so that one learning rate serves both."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's usual constants, for vectors."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose steps on matrices are made nearly orthogonal; vectors take Adam's.

    A convolution kernel counts as a matrix: its first axis against all others.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update from the gradients that are there."""
        assert closure is None, "gradients are computed before the step"
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    move = _matrix_step if parameter.ndim >= 2 else _vector_step
                    move(parameter, parameter.grad, self.state[parameter], group["lr"])


class Averaged:
    """A running average of a model's weights and statistics, to be validated and saved in their place.

    Early on it follows closely (decay (1 + u) / (10 + u) after u updates), later with the decay given.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay = model, decay
        self.tensors = {name: value.detach().clone() for name, value in self._live().items()}
        """By name, as in the model's state; whole numbers are left out."""

    def _live(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.model.state_dict().items() if value.is_floating_point()}

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """After update number ``update`` (from 0)."""
        decay = min(self.decay, (1 + update) / (10 + update))
        for name, value in self._live().items():
            self.tensors[name] = self.tensors[name].to(value.device).lerp_(value, 1 - decay)

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Inside, the model holds the average; after it, its own weights again."""
        own = {name: value.clone() for name, value in self._live().items()}
        self.model.load_state_dict(self.tensors, strict=False)
        try:
            yield
        finally:
            self.model.load_state_dict(own, strict=False)


def orthogonal(matrix: Float[Tensor, "M N"]) -> Float[Tensor, "M N"]:
    """The nearest orthogonal matrix, roughly: all singular values near 1, by Newton-Schulz iteration."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-12)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T


def _matrix_step(parameter: Tensor, gradient: Tensor, state: dict[str, Any], rate: float) -> None:
    if not state:
        state["momentum"] = torch.zeros_like(parameter)
    momentum = state["momentum"].mul_(MOMENTUM).add_(gradient)
    ahead = gradient.add(momentum, alpha=MOMENTUM).flatten(1)
    scale = MATCHED * max(ahead.shape) ** 0.5
    parameter.add_(orthogonal(ahead).reshape(parameter.shape), alpha=-rate * scale)


def _vector_step(parameter: Tensor, gradient: Tensor, state: dict[str, Any], rate: float) -> None:
    if not state:
        state["step"] = torch.zeros(())
        state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
    state["step"] += 1
    count = float(state["step"])
    state["mean"].lerp_(gradient, 1 - BETAS[0])
    state["square"].lerp_(gradient * gradient, 1 - BETAS[1])
    spread = (state["square"] / (1 - BETAS[1] ** count)).sqrt_().add_(EPSILON)
    parameter.addcdiv_(state["mean"], spread, value=-rate / (1 - BETAS[0] ** count))

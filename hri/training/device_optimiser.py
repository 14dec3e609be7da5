"""Muon and Adam as a few large tensor operations, with step counts and learning rate on the device.

The same arithmetic as :mod:`hri.training.optimiser` and ``torch.optim.Adam``: all vectors (for Adam: all parameters)
are one long vector, and matrices of one shape are one batch of matrices. What is kept lies in the optimiser's own
``state`` as views, so a run folder saves and restores it as it does after any other training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hri.training.optimiser import BETAS, EPSILON, ITERATIONS, MATCHED, MOMENTUM, QUINTIC, Muon

ADAM_NAMES = {"mean": "exp_avg", "square": "exp_avg_sq", "step": "step"}
"""What Adam of PyTorch calls them."""


class DeviceOptimiser:
    """Steps of ``optimiser`` for the parameters that have gradients."""

    def __init__(self, optimiser: Muon | torch.optim.Adam, parameters: Sequence[nn.Parameter]):
        """Take over the optimiser's state, restored or still empty; from now on it holds views of this one's."""
        muon = isinstance(optimiser, Muon)
        names = {name: name for name in ADAM_NAMES} if muon else ADAM_NAMES
        self.order = {id(parameter): place for place, parameter in enumerate(parameters)}
        matrices = [p for p in parameters if muon and p.ndim >= 2]
        vectors = [p for p in parameters if not muon or p.ndim < 2]
        shapes = dict.fromkeys(_wide(p).shape for p in matrices)
        self.vectors = _Vectors(vectors, optimiser.state, names) if vectors else None
        self.groups = [_Matrices([p for p in matrices if _wide(p).shape == s], optimiser.state) for s in shapes]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: Float[Tensor, "1"]) -> None:
        """One update; gradients in the order of the parameters."""
        parts: list[_Matrices | _Vectors] = [*self.groups, *([self.vectors] if self.vectors else [])]
        for part in parts:
            part.step([gradients[self.order[id(parameter)]] for parameter in part.parameters], rate)

    def tensors(self) -> list[Tensor]:
        """All that a step changes beside the parameters."""
        state = [group.momentum for group in self.groups]
        return state + ([self.vectors.mean, self.vectors.square, self.vectors.counts] if self.vectors else [])


class _Vectors:
    """Adam's step."""

    def __init__(self, parameters: list[nn.Parameter], state: dict[Any, dict[str, Tensor]], names: dict[str, str]):
        self.parameters, self.sizes = parameters, [p.numel() for p in parameters]
        self.mean, self.square = (parameters[0].new_zeros(sum(self.sizes)) for _ in range(2))
        self.counts = parameters[0].new_zeros(len(parameters))
        """Updates so far, the same number for each parameter: files hold no tensor under two names."""
        views = zip(parameters, self._apart(self.mean), self._apart(self.square), self.counts, strict=True)
        for parameter, mean, square, count in views:
            if entry := state.get(parameter):
                mean.copy_(entry[names["mean"]])
                square.copy_(entry[names["square"]])
                count.copy_(entry[names["step"]])
            state[parameter] = {names["mean"]: mean, names["square"]: square, names["step"]: count}

    def _apart(self, flat: Tensor) -> list[Tensor]:
        parts = flat.split(self.sizes)
        return [part.view(parameter.shape) for part, parameter in zip(parts, self.parameters, strict=True)]

    def step(self, gradients: list[Tensor], rate: Float[Tensor, "1"]) -> None:
        gradient = torch.cat([part.reshape(-1) for part in gradients])
        self.counts += 1
        self.mean.lerp_(gradient, 1 - BETAS[0])
        self.square.lerp_(gradient * gradient, 1 - BETAS[1])
        # Powers in double precision: 1 - 0.999 ** 1 has three digits less than its parts.
        first, second = (1 - beta ** self.counts[:1].double() for beta in BETAS)
        spread = (self.square / second.float()).sqrt_().add_(EPSILON)
        change = self.mean / spread * (rate / first).float()
        torch._foreach_sub_(list[Tensor](self.parameters), self._apart(change))


class _Matrices:
    """Muon's step on matrices of one shape, the shorter side first."""

    def __init__(self, parameters: list[nn.Parameter], state: dict[Any, dict[str, Tensor]]):
        self.parameters = parameters
        shape = _wide(parameters[0]).shape
        self.scale = MATCHED * max(shape) ** 0.5
        self.momentum = parameters[0].new_zeros(len(parameters), *shape)
        for parameter, momentum in zip(parameters, self._apart(self.momentum), strict=True):
            if entry := state.get(parameter):
                momentum.copy_(entry["momentum"])
            state[parameter] = {"momentum": momentum}

    def _apart(self, batch: Tensor) -> list[Tensor]:
        """Each matrix with its parameter's shape, as views."""
        parts = []
        for wide, parameter in zip(batch.unbind(0), self.parameters, strict=True):
            tall = len(parameter) > parameter[0].numel()
            parts.append((wide.T if tall else wide).unflatten(1, parameter.shape[1:]))
        return parts

    def step(self, gradients: list[Tensor], rate: Float[Tensor, "1"]) -> None:
        gradient = torch.stack([_wide(part) for part in gradients])
        self.momentum.mul_(MOMENTUM).add_(gradient)
        direction = orthogonal(gradient.add(self.momentum, alpha=MOMENTUM))
        torch._foreach_sub_(list[Tensor](self.parameters), self._apart(direction * (rate * self.scale).float()))


def orthogonal(wide: Float[Tensor, "P M N"]) -> Float[Tensor, "P M N"]:
    """:func:`hri.training.optimiser.orthogonal` of a batch of matrices with no more rows than columns."""
    wide = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-12)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = wide @ wide.mT
        wide = torch.baddbmm(wide, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide


def _wide(parameter: Tensor) -> Tensor:
    """A kernel's first axis against all others, the shorter side first."""
    matrix = parameter.flatten(1)
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


class ClipWindow:
    """Limits gradient norms to a multiple of the median of the recent ones, as training on a CPU does.

    Before ``enough`` norms are known nothing is limited.
    """

    def __init__(self, multiple: float, window: int, enough: int, norms: Sequence[float], device: torch.device):
        self.multiple, self.enough = multiple, enough
        self.norms = torch.full((window,), torch.inf, device=device)
        self.count = torch.tensor([len(norms)], device=device)
        self.norms[: len(norms)] = torch.tensor(norms, device=device)
        self.unlimited = torch.tensor([torch.inf], device=device)  # a number would be copied to the device each time

    def clipped(self, gradients: Sequence[Tensor]) -> tuple[list[Tensor], Float[Tensor, "1"]]:
        """The gradients at an allowed length, and their norm before."""
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(gradients)))).view(1)
        window = len(self.norms)
        known = self.count.clamp(max=window)
        middle = torch.cat([((known - 1) // 2).clamp(min=0), (known // 2).clamp(max=window - 1)])
        median = self.norms.sort().values.index_select(0, middle).mean()
        limit = torch.where(self.count >= self.enough, self.multiple * median, self.unlimited)
        share = (limit / (norm + 1e-6)).clamp(max=1.0)
        self.norms.index_copy_(0, self.count % window, norm)
        self.count += 1
        return list(torch._foreach_mul(list(gradients), share[0])), norm

    def recent(self) -> list[float]:
        """The norms, the oldest first; asks the device."""
        count, window = int(self.count), len(self.norms)
        values = self.norms.tolist()
        return values[:count] if count <= window else values[count % window :] + values[: count % window]

    def tensors(self) -> list[Tensor]:
        """All that clipping changes."""
        return [self.norms, self.count]

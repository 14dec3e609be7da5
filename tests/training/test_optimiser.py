"""Muon: what its steps look like, that vectors get Adam's, and that it stops and goes on to the same numbers."""

from __future__ import annotations

import copy

import pytest
import torch

from hri.training.optimiser import MATCHED, Averaged, Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (4, 100), (64, 3)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix)
    pulled = torch.linalg.svdvals(found)
    # Very small values of a square matrix grow tenfold at least; all others are near 1.
    assert pulled.max() < 1.25
    assert pulled[values > 0.1 * values.norm()].min() > 0.65
    # The singular vectors stay.
    middle = left.T @ found @ right.T
    assert (middle - torch.diag(middle.diagonal())).abs().max() < 1e-4


@pytest.mark.parametrize("shape", [(48, 8, 6, 6), (300, 3, 4, 4)])
def test_a_kernel_step_has_the_size_of_the_learning_rate(shape: tuple[int, ...]) -> None:
    weight = torch.nn.Parameter(torch.zeros(shape).to(memory_format=torch.channels_last))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 1e-6
    Muon([weight], lr=0.01).step()
    size = weight.detach().square().mean().sqrt()
    assert 0.7 * MATCHED * 0.01 < size < 1.3 * MATCHED * 0.01  # whatever the gradient's own size


def test_vectors_take_adams_steps() -> None:
    ours, theirs = (torch.nn.Parameter(torch.ones(5)) for _ in range(2))
    muon, adam = Muon([ours], lr=0.1), torch.optim.Adam([theirs], lr=0.1)
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        ours.grad = torch.randn(5, generator=generator)
        theirs.grad = ours.grad.clone()
        muon.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_state_travels() -> None:
    generator = torch.Generator().manual_seed(3)
    gradients = [torch.randn(4, 3, generator=generator) for _ in range(6)]

    def go(weight: torch.nn.Parameter, optimiser: Muon, steps: list[torch.Tensor]) -> None:
        for gradient in steps:
            weight.grad = gradient.clone()
            optimiser.step()

    whole = torch.nn.Parameter(torch.ones(4, 3))
    go(whole, Muon([whole], lr=0.1), gradients)
    first = torch.nn.Parameter(torch.ones(4, 3))
    stopped = Muon([first], lr=0.1)
    go(first, stopped, gradients[:3])
    second = torch.nn.Parameter(first.detach().clone())
    resumed = Muon([second], lr=0.1)
    resumed.load_state_dict(copy.deepcopy(stopped.state_dict()))
    go(second, resumed, gradients[3:])
    assert torch.equal(whole, second)


def test_parameters_without_gradient_stay() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    Muon([weight], lr=1.0).step()
    assert torch.equal(weight, torch.ones(2, 2))


def test_the_average_follows_and_steps_aside() -> None:
    model = torch.nn.Linear(2, 1)
    averaged = Averaged(model, 0.5)
    values = [model.weight.detach().clone()]
    for update in range(4):
        with torch.no_grad():
            model.weight.add_(1.0)
        averaged.follow(update)
        decay = min(0.5, (1 + update) / (10 + update))
        values.append(decay * values[-1] + (1 - decay) * model.weight.detach())
    own = model.weight.detach().clone()
    with averaged.in_model():
        torch.testing.assert_close(model.weight.detach(), values[-1])
    torch.testing.assert_close(model.weight.detach(), own, rtol=0, atol=0)

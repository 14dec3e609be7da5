"""The fast arrangement computes what the plain code says, forward and backward."""

from __future__ import annotations

import dataclasses
import gc

import pytest
import torch

from hri.core.config import RelationsConfig
from hri.core.hierarchy import Tree
from hri.core.presets import VARIANTS
from hri.model.dynamics import BURN_IN, GraphDynamics, LSTMState
from hri.model.fast import device, recurrence
from hri.model.fast import edges as fast
from hri.model.layers import ELU, Norm
from hri.model.relations import EDGE_LOGITS, Relations

TREE = Tree.parse("3-2")


def test_training_on_a_cpu_takes_the_fast_versions_and_all_else_the_definitions() -> None:
    values = torch.zeros(2, 3)
    assert EDGE_LOGITS.suiting(values) is fast.edge_logits
    assert BURN_IN.suiting(values) is recurrence.burn_in
    assert BURN_IN.suiting(values.to("meta")) is device.burn_in
    assert ELU.suiting(values) is not ELU.definition
    for other in (values.double(), values.half()):
        assert EDGE_LOGITS.suiting(other) is Relations.plain
        assert BURN_IN.suiting(other) is GraphDynamics.step_by_step
    with torch.no_grad():
        assert all(versions.suiting(values) is versions.definition for versions in (EDGE_LOGITS, BURN_IN, ELU))


@pytest.mark.parametrize("pairs", ["all", "hierarchy"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("still", [True, False])
def test_edge_logits_equal_the_plain_rounds(
    pairs: str, training: bool, still: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "PIECE_FLOATS", 4000)  # several pieces, the last one smaller
    torch.manual_seed(0)
    relations = Relations(RelationsConfig(pairs=pairs, hidden=16, edge_types=3), TREE, 4).train(training)
    for part in relations.modules():
        if isinstance(part, Norm):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    windows = torch.randn(TREE.size, 5, 7, 40, requires_grad=True)
    weight = torch.randn(len(relations.edges.senders), 5, 7, 3)
    buffers = {name: value.clone() for name, value in relations.named_buffers()}
    results = []
    for compute in (relations.plain, relations.forward):
        for name, value in relations.named_buffers():
            value.copy_(buffers[name])
        logits = compute(windows, still)
        gradients = torch.autograd.grad((logits * weight).sum(), [windows, *relations.parameters()])
        results.append((logits.detach(), gradients, [value.clone() for value in relations.buffers()]))
    torch.testing.assert_close(results[1][0], results[0][0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(results[1][1], results[0][1], rtol=2e-3, atol=2e-4)
    torch.testing.assert_close(results[1][2], results[0][2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", ["hri", "hri-h", "nri"])
@pytest.mark.parametrize("edge_types", [2, 4])
@pytest.mark.parametrize("silent", [True, False])
def test_burn_in_equals_step_after_step(variant: str, edge_types: int, silent: bool) -> None:
    torch.manual_seed(0)
    relations, dynamics = VARIANTS[variant]
    relations = dataclasses.replace(relations, edge_types=edge_types, silent=silent)
    module = GraphDynamics(dataclasses.replace(dynamics, hidden=8), relations, TREE, 4)
    states = torch.randn(6, TREE.size, 3, 4, requires_grad=True)
    weights = torch.rand(len(TREE.edges_among(relations.pairs)[0]), 6, 3, edge_types, requires_grad=True)
    start = LSTMState(*(torch.randn(TREE.size, 3, 8, requires_grad=True) for _ in range(2)))
    inputs = [states, weights, *start, *(p for n, p in module.named_parameters() if not n.startswith("out"))]

    def plain() -> tuple[torch.Tensor, LSTMState]:
        memory, hidden = start, []
        for time, known in enumerate(states):
            memory = module.plain(known, memory, weights[:, time])
            hidden.append(memory.hidden)
        return torch.stack(hidden), memory

    results = []
    for hidden, memory in (plain(), module.burn_in(states, start, weights)):
        loss = (
            (hidden * torch.linspace(-1, 1, hidden.numel()).view_as(hidden)).sum()
            + memory.cell.square().sum()
            + memory.hidden.sum()
        )
        results.append((hidden, memory.cell, torch.autograd.grad(loss, inputs)))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


def test_burn_in_lets_go_of_its_graph() -> None:
    """A context that holds its own output would keep every update's activations until memory is full."""
    module = GraphDynamics(*reversed(VARIANTS["hri-h"]), TREE, 4)
    states = torch.randn(6, TREE.size, 3, 4)
    weights = torch.rand(len(TREE.edges_among("hierarchy")[0]), 6, 3, 2)

    def alive() -> int:
        return sum(type(thing) is torch.Tensor for thing in gc.get_objects())

    def update() -> None:
        hidden, memory = module.burn_in(states, module.start(states[0]), weights)
        (hidden.sum() + memory.cell.sum()).backward()

    update()
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(3):
            update()
        assert alive() <= before + 2
    finally:
        gc.enable()

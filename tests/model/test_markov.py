"""Dynamics without memory: the next states follow from the present ones and the edges; runs start at many frames."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from hri.core.config import Config
from hri.core.presets import PRESETS
from hri.model import checkpoint
from hri.model.choices import given, most_likely
from hri.model.dynamics import MessagePassing
from hri.model.markov import MarkovDynamics
from hri.model.model import Model
from hri.model.rolls import rolls
from hri.training.loop import train
from tests.model.test_model import states
from tests.training.test_loop import lines, small

KINDS = ("hri-mlp", "nri-mlp")


def build(variant: str) -> Model:
    torch.manual_seed(0)
    return Model(PRESETS[f"springs-4-3-state-{variant}"]).eval()


@pytest.mark.parametrize("variant", KINDS)
def test_the_past_is_nothing_to_it(variant: str) -> None:
    model, seen = build(variant), states()
    every = given(torch.ones(3, len(model.senders), dtype=torch.long))
    other = seen.clone()
    other[:, :9] += 1
    with torch.no_grad():
        one, two = model.predict(seen, 1, every).slots, model.predict(other, 1, every).slots
    torch.testing.assert_close(one[:, 9:], two[:, 9:])
    assert (one[:, :9] - two[:, :9]).abs().max() > 0.1


@pytest.mark.parametrize("variant", KINDS)
def test_burn_in_is_step_after_step(variant: str) -> None:
    dynamics, seen = build(variant).dynamics, states().permute(1, 2, 0, 3)  # T N B D
    assert isinstance(dynamics, MarkovDynamics)
    weights = torch.rand(len(torch.cat(dynamics.rows()).unique()), 20, 3, 2)
    memory = dynamics.start(seen[0])
    with torch.no_grad():
        together, _ = dynamics.burn_in(seen, memory, weights)
        for time in range(20):
            memory = dynamics(seen[time], memory, weights[:, time])
            torch.testing.assert_close(memory.hidden, together[time], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", KINDS)
def test_runs_are_free_runs_from_their_starts(variant: str) -> None:
    """A run from frame s over the edges of frame s equals the model's own free run with those edges kept."""
    model, seen = build(variant), states(steps=30)
    starts = torch.tensor([12, 18])
    with torch.no_grad():
        runs = rolls(model, seen, starts, 6, starts, most_likely)
        assert runs.slots.shape == (3, 12, 17, 4)
        for index, start in enumerate(starts.tolist()):
            known = seen[:, : start + 7]
            inferred = model.predict(known, 7, most_likely)  # n = 7: the last true input is frame start
            torch.testing.assert_close(runs.logits[:, index], inferred.logits[:, start], rtol=1e-4, atol=1e-4)
            kept = given(inferred.logits[:, start].argmax(-1))
            free = model.predict(known, 7, kept).slots[:, start:]
            torch.testing.assert_close(runs.slots[:, 6 * index : 6 * index + 6], free, rtol=1e-4, atol=1e-4)


def test_flat_messages_are_those_of_the_mlp_decoder() -> None:
    """Kipf et al. 2018, equations 10 to 12, written out for one edge."""
    model, x = build("nri-mlp"), states(batch=1, steps=1)[0, 0]  # N D
    dynamics = model.dynamics
    assert isinstance(dynamics, MarkovDynamics)
    sender, receiver = 3, 7
    row = int(((model.senders == sender) & (model.receivers == receiver)).nonzero()[0][0])
    weights = torch.zeros(len(model.senders), 1, 2)
    weights[row, 0, 1] = 1
    with torch.no_grad():
        once = dynamics.heard(x[:, None], weights)
        heard = once[:, 0]
        lifted = dynamics.lift(x)
        first, second = dynamics.messages.first[0], dynamics.messages.second[0]
        message = torch.relu(second(torch.relu(first(torch.cat([lifted[receiver], lifted[sender]])))))
        torch.testing.assert_close(heard[receiver], message, rtol=1e-4, atol=1e-5)
        others = [node for node in range(17) if node != receiver]
        torch.testing.assert_close(heard[others], torch.zeros(16, 64), rtol=0, atol=1e-6)
        change = dynamics.predict(x[:, None], once)[:, 0] - x
        inside = torch.relu(dynamics.out_hidden(torch.relu(dynamics.out_first(torch.cat([x, heard], -1)))))
        torch.testing.assert_close(change, dynamics.out(inside))


def without_memory(variant: str, graph: str, seen: str = "state") -> Config:
    config = small(seen, "hri-h", updates=4, evaluate_every=2, edge_sample="straight", average=0.9)
    relations = dataclasses.replace(PRESETS[f"springs-4-3-state-{variant}"].model.relations, graph=graph)
    dynamics = PRESETS[f"springs-4-3-state-{variant}"].model.dynamics
    return dataclasses.replace(config, model=dataclasses.replace(config.model, relations=relations, dynamics=dynamics))


@pytest.mark.parametrize(
    ("variant", "graph", "seen"),
    [
        ("hri-mlp", "dynamic", "state"),
        ("nri-mlp", "static", "state"),
        pytest.param("hri-mlp", "dynamic", "slot", marks=pytest.mark.slow),
    ],
)
def test_it_trains_and_resumes_to_the_same_numbers(variant: str, graph: str, seen: str, tmp_path: Path) -> None:
    config = without_memory(variant, graph, seen)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    list(train(config, whole))
    for index, _ in enumerate(train(config, halves)):
        if index == (1 if seen == "state" else 5):
            break
    list(train(config, halves, resume=True))
    assert lines(whole) == lines(halves)
    for name in ("last", "best"):
        one, two = (checkpoint.load(folder / f"{name}.safetensors").model.state_dict() for folder in (whole, halves))
        for key, value in one.items():
            torch.testing.assert_close(value, two[key], rtol=0, atol=0)


def test_the_joint_lstm_cannot_be_without_memory() -> None:
    config = PRESETS["springs-4-3-state-lstm"]
    dynamics = dataclasses.replace(config.model.dynamics, memory="none")
    with pytest.raises(ValueError, match="the joint LSTM is its memory"):
        dataclasses.replace(config, model=dataclasses.replace(config.model, dynamics=dynamics))


def test_both_dynamics_on_a_graph_pass_messages_alike() -> None:
    ours, lstm = build("hri-mlp").dynamics, build("hri-h").dynamics
    assert isinstance(ours, MessagePassing)
    assert isinstance(lstm, MessagePassing)
    assert ours.phase_names == lstm.phase_names
    assert [rows.tolist() for rows in ours.rows()] == [rows.tolist() for rows in lstm.rows()]

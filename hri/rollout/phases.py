"""Inside one step: what each phase of message passing says, and how far it moves every node's hidden state.

A step of a hierarchical model is (paper, section 3.3): messages leaves to intermediates, intermediates to the root,
among siblings, root to intermediates, intermediates to leaves; the LSTM; the predicted change read off its hidden
state. A flat model has one round of messages over all edges, the LSTM baseline none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from hri.core.hierarchy import Tree, level_name
from hri.core.records import Rollout
from hri.model.checkpoint import Checkpoint
from hri.model.choices import of_record
from hri.model.devices import device_of
from hri.model.dynamics import MessagePassing
from hri.rollout.predict import check_made_by


@dataclass(frozen=True)
class Phases:
    """One step of a rollout of one scene, phase by phase: R phases, the last two the LSTM and the decoding.

    The M hidden states are those of the N nodes, or one for all of them (LSTM baseline).
    """

    step: int
    """Input of frame ``step``, prediction for frame ``step`` + 1."""
    names: tuple[str, ...]
    """Such as "up 2", "up 1", "siblings", "down 1", "down 2", "LSTM" ("messages" without memory), "decode"."""
    titles: tuple[str, ...]
    """The same in words: "leaf → intermediate"."""
    hidden: Float[np.ndarray, "R M H"]
    """``hidden[r]`` is what phase r hears; the next row is what it leaves behind."""
    inputs: Float[np.ndarray, "P D"]
    change: Float[np.ndarray, "P D"]
    """What the last phase reads off the hidden states."""
    prediction: Float[np.ndarray, "P D"]
    """Inputs plus change: the rollout's prediction for the next frame."""
    phase: Int[np.ndarray, " S"]
    """Phase of each edge that may speak."""
    row: Int[np.ndarray, " S"]
    """Its row among the rollout's edges."""
    type: Int[np.ndarray, " S"]
    """Its type: 0 is silent."""
    weight: Float[np.ndarray, " S"]
    """How strongly it speaks: 1, or 0 for type 0."""
    size: Float[np.ndarray, " S"]
    """Length of the message that reaches its receiver."""

    def movement(self, phase: int) -> Float[np.ndarray, " M"]:
        """How far a phase moves each hidden state; the last one: how far each prediction lies from its input."""
        if phase == len(self.names) - 1:
            return np.linalg.norm(self.change, axis=1)
        return np.linalg.norm(self.hidden[phase + 1] - self.hidden[phase], axis=1)


@torch.no_grad()
def phases(checkpoint: Checkpoint, rollout: Rollout, step: int) -> Phases:
    """Replay a rollout up to one step, from the inputs and edge types in its record, and look inside that step.

    Raises:
        ValueError: several scenes, a rollout of another model, or a step that predicts no frame of it.
    """
    model, steps = checkpoint.model, rollout.slots.shape[1]
    check_made_by(checkpoint, rollout)
    if len(rollout.slots) != 1:
        raise ValueError(f"phases are told of one scene; choose one of these {len(rollout.slots)} with Rollout.scene")
    if not 0 <= step < steps - 1:
        raise ValueError(f"there is no step {step}; the steps of this rollout are 0 to {steps - 2}")
    dynamics, device = model.dynamics, device_of(model)
    states = torch.from_numpy(rollout.inputs[0, : step + 1, :, None]).to(device)  # T P 1 D
    kinds = torch.from_numpy(rollout.edge_types[0, : step + 1].astype(np.int64)).to(device)
    weights = of_record(kinds, model.edge_types, model.silent)[:, :, None].to(states)  # T E 1 K
    inputs = model.moving(states)
    memory = dynamics.start(states[0])
    for before in range(step):
        memory = dynamics(inputs[before], memory, weights[before])
    speech: list[tuple[int, Tensor, Tensor]] = []
    hidden_states, names = [dynamics.before(inputs[step], memory)], []
    if isinstance(dynamics, MessagePassing):
        for index, (name, after) in enumerate(dynamics.speak(hidden_states[0], weights[step])):
            rows = dynamics.rows()[index]
            messages = dynamics.messages.each(hidden_states[-1], weights[step][rows], dynamics.phases[index])  # type: ignore[arg-type]
            speech.append((index, rows, messages[:, 0].norm(dim=1) / len(dynamics.messages.first)))
            hidden_states.append(after)
            names.append(name)
    hidden_states.append(dynamics(inputs[step], memory, weights[step]).hidden)
    prediction = dynamics.predict(inputs[step], hidden_states[-1])[:, 0]
    row = np.concatenate([rows.cpu().numpy() for _, rows, _ in speech] or [np.zeros(0, dtype=np.int64)])
    kind = rollout.edge_types[0, step, row].astype(np.int64)
    names += [dynamics.step_name, "decode"]
    return Phases(
        step=step,
        names=tuple(names),
        titles=tuple(phase_title(model.tree, name) for name in names),
        hidden=torch.stack(hidden_states).reshape(len(hidden_states), -1, hidden_states[0].shape[-1]).cpu().numpy(),
        inputs=states[step, :, 0].cpu().numpy(),
        change=(prediction - states[step, :, 0]).cpu().numpy(),
        prediction=prediction.cpu().numpy(),
        phase=np.concatenate([np.full(len(rows), index) for index, rows, _ in speech] or [np.zeros(0, dtype=np.int64)]),
        row=row,
        type=kind,
        weight=(kind != 0).astype(np.float32),
        size=np.concatenate([size.cpu().numpy() for *_, size in speech] or [np.zeros(0, dtype=np.float32)]),
    )


def phase_title(tree: Tree, name: str) -> str:
    """A phase in words, such as "leaf → intermediate" for "up 2" of a tree of three levels."""
    way, _, level = name.partition(" ")
    if way == "up":
        return f"{level_name(tree, int(level))} → {level_name(tree, int(level) - 1)}"
    if way == "down":
        return f"{level_name(tree, int(level) - 1)} → {level_name(tree, int(level))}"
    return {"all": "all edges", "decode": "predicted change"}.get(name, name)

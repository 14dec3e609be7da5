"""Edits to what :class:`hri.model.model.Model` understands: a choice of message weights, and changed inputs.

Edges are edited after the model has inferred them: its logits, what it believes, stay what they are, only the
messages differ. So cutting every edge is the same computation as choosing none.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int, Integer
from torch import Tensor

from hri.model.choices import Choose, Times, given, most_likely, of_record, sampled
from hri.model.devices import device_of
from hri.model.layers import gumbel_noise
from hri.model.model import Alter, Model
from hri.rollout.edit_kind import EdgeChoice, Edit
from hri.rollout.interventions import Intervention
from hri.rollout.settings import Settings


def choice(
    model: Model,
    edges: EdgeChoice,
    batch: int,
    steps: int,
    true_types: Integer[np.ndarray, "B E"] | None = None,
    seed: int = 0,
) -> Choose:
    """One of the ways to choose types; oracles and FCMP are given theirs unless there are to be none.

    Raises:
        ValueError: true springs that are not known or of another shape, or an unknown word.
    """
    shape = (batch, len(model.senders))
    device = device_of(model)
    if edges == "none":
        return _silence(model)
    if edges == "true" or model.source == "true":
        if true_types is None:
            raise ValueError(
                "true springs are not known for this input; give a simulation, or true_edges in the npz, or choose "
                "other edges"
            )
        if true_types.shape != shape:
            raise ValueError(f"true edges have shape {list(true_types.shape)}; this model needs {list(shape)}")
        return given(torch.from_numpy(np.asarray(true_types, np.int64)).to(device))
    if model.source == "full":
        return given(torch.ones(shape, dtype=torch.long, device=device))
    if edges == "sample":
        noise = gumbel_noise((batch, steps, shape[1], model.edge_types), torch.Generator().manual_seed(seed))
        return sampled(noise.to(device))
    if edges != "argmax":
        raise ValueError(f"unknown edges {edges!r}; choose from argmax, sample, true, none")
    return most_likely


def steering_choice(
    model: Model,
    settings: Settings,
    batch: int,
    steps: int,
    true_types: Integer[np.ndarray, "B E"] | None = None,
    first: int = 0,
    forced_types: Int[np.ndarray, "C T E"] | None = None,
) -> Choose:
    """The choice of types with all edits of edges, of scenes ``first`` ... ``first + batch`` - 1.

    Args:
        forced_types: instead of the edits' own forced types, those of C copies (-1 where free); ``batch`` is 1 then.
    """
    edits = settings.intervention
    base = choice(model, settings.edges, batch, steps, true_types, settings.seed + first)
    choices = []
    for edit in edits.choices():
        way, seed = edit.choice()
        choices.append((edit, choice(model, way, batch, steps, true_types, seed + first)))
    if forced_types is None and edits.edits:
        forced_types = edits.forced_types(model.tree, model.senders, model.receivers, steps)[None]
    if forced_types is None or (not choices and (forced_types < 0).all()):
        return base
    plan = torch.from_numpy(forced_types).to(device_of(model)).permute(2, 1, 0)  # E T C

    def choose(logits: Tensor, times: Times) -> Tensor:
        weights = base(logits, times)
        for edit, pick in choices:
            mask = _during(edit, times).to(logits.device)
            weights = torch.where(mask[:, None, None], pick(logits, times), weights)
        types = plan[:, times]
        record = of_record(types.clamp_min(0), model.edge_types, model.silent)
        return torch.where((types < 0)[..., None], weights, record.to(weights))

    return choose


def _silence(model: Model) -> Choose:
    """No message over any edge."""

    def choose(logits: Tensor, times: Times) -> Tensor:
        kinds = torch.zeros(logits.shape[:-1], dtype=torch.long, device=logits.device)
        return of_record(kinds, model.edge_types, model.silent).to(logits)

    return choose


def _during(edit: Edit, times: Times) -> Tensor:
    """Which of the times an edit holds at."""
    now = torch.arange(times.start, times.stop) if isinstance(times, slice) else times
    return (now >= edit.span[0]) & (now <= edit.span[1])


def input_changes(model: Model, intervention: Intervention, steps: int, width: int) -> Alter | None:
    """Nudges as a change of inputs; None where there are none."""
    shifts = intervention.nudges(model.tree.size, steps, width)
    if shifts is None:
        return None
    if model.joint_leaves:
        shifts = shifts[:, model.tree.leaves]
    moves = torch.from_numpy(shifts).to(device_of(model)).transpose(0, 1)[:, :, None]  # N T 1 D
    return lambda inputs, times: inputs + moves[:, times]

"""Checkpoint and scenes to a Rollout: burn-in on true states, then a free run on the model's own predictions.

A free run infers its edges from its own predictions, never from the future it is asked to predict. What a visitor
changes (:class:`hri.rollout.interventions.Intervention`) is part of how a rollout is made: the same checkpoint, scene,
settings and edits give the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Integer, UInt8

from hri.core.hierarchy import Tree
from hri.core.records import Film, Rollout, Trajectories
from hri.model.checkpoint import Checkpoint
from hri.rollout.imaging import encode, encode_and_reconstruct
from hri.rollout.interventions import Intervention
from hri.rollout.predict import inputs_of, predict, record, true_types_of, with_pictures
from hri.rollout.scenes import check_frames, check_systems, frames_of, listed_truth, truth_lacking, truth_of
from hri.rollout.settings import STANDARD, Settings, settings_of


def roll_out(
    checkpoint: Checkpoint,
    trajectories: Trajectories | Film,
    settings: Settings | int = STANDARD,
    *,
    pictures: bool = True,
    tree: Tree | None = None,
    **choices: Any,
) -> Rollout:
    """Predict simulated systems, recorded bodies or clips.

    Args:
        trajectories: S systems in box units; each becomes a scene, normalised with the checkpoint's numbers. Or frames.
        settings: how; a number alone is that of free steps.
        pictures: draw or decode frames too.
        tree: of the scene's balls where it is not the checkpoint's own; image models see any.
        choices: single settings (:class:`hri.rollout.settings.Settings`) by name, such as ``edges="sample"``.

    Raises:
        ValueError: the systems are of another tree, or the choices or edits do not fit the model; one sentence.
    """
    settings = Settings.of(settings, **choices)
    if isinstance(trajectories, Film):
        return from_frames(checkpoint, trajectories.frames, settings, {"seeds": trajectories.seeds})
    of_balls = check_systems(checkpoint, trajectories, tree)
    truth: dict[str, Any] = truth_of(checkpoint, trajectories, of_balls)
    frames = None
    if pictures or checkpoint.model.sees_frames:
        frames = frames_of(checkpoint.header.config, trajectories.positions, trajectories.seeds, of_balls)
    if checkpoint.model.sees_frames:
        assert frames is not None
        return from_frames(checkpoint, frames, settings, truth)
    pairs = checkpoint.model.senders, checkpoint.model.receivers
    types = None if trajectories.adjacency is None else trajectories.adjacency[:, *pairs]
    rollout = from_states(checkpoint, truth["true_states"], types, settings, {"frames": frames} | truth)
    return with_pictures(checkpoint, rollout) if pictures else rollout


def from_arrays(
    checkpoint: Checkpoint,
    arrays: dict[str, np.ndarray],
    name: str,
    settings: Settings | int = STANDARD,
    **choices: Any,
) -> Rollout | dict[str, np.ndarray]:
    """Predict what an ``.npz`` holds: a simulation, ``states`` already normalised, or ``frames``.

    A checkpoint of encoder and decoder only gives a plain dict of frames, slots and reconstructed_frames.

    Args:
        arrays: as read from the file ``name``. With states, ``true_edges`` [B, N, N], or [B, E] with
            ``true_edge_sender_receiver`` [E, 2], may name the true springs.
        settings: how, and ``choices``, as in :func:`roll_out`.

    Raises:
        ValueError: nothing this checkpoint can see, or as :func:`from_states`, :func:`from_frames`.
    """
    settings = Settings.of(settings, **choices)
    observation = checkpoint.model.observation
    systems = Trajectories.of(arrays, name) if "positions" in arrays else None
    if systems is not None and observation not in arrays:
        if checkpoint.header.parts == "all":
            return roll_out(checkpoint, systems, settings)
        arrays = arrays | {"frames": frames_of(checkpoint.header.config, systems.positions, systems.seeds)}
    truth: dict[str, Any] = listed_truth(arrays, name) if systems is None else truth_of(checkpoint, systems)
    if observation == "frames" and "frames" in arrays:
        frames = arrays["frames"]
        check_frames(checkpoint, frames)
        if any(len(value) != len(frames) for name, value in truth.items() if name != "ball_parents"):
            raise ValueError(f"{name} holds {len(frames)} scenes of frames, but another number of states")
        if checkpoint.header.parts == "all":
            return from_frames(checkpoint, frames, settings, truth)
        slots, reconstruction = encode_and_reconstruct(checkpoint, frames)
        return {"frames": frames, "slots": slots.cpu().numpy(), "reconstructed_frames": reconstruction}
    if observation == "states" and "states" in arrays:
        lists: dict[str, Any] = dict(listed_truth(arrays, name))
        types, pairs = None, (checkpoint.model.senders, checkpoint.model.receivers)
        if "true_adjacency" in lists and lists["true_adjacency"].shape[1] == checkpoint.model.tree.size:
            types = lists["true_adjacency"][:, *pairs]
        if types is None and (settings.edges == "true" or checkpoint.model.source == "true"):
            raise ValueError(truth_lacking(arrays, name))
        return from_states(checkpoint, lists["true_states"], types, settings, lists)
    needs = {"frames": "frames [B, T, H, W, C]", "states": "states [B, T, N, 4]"}[observation]
    contents = ", ".join(sorted(arrays)) or "nothing"
    raise ValueError(
        f"{name} holds {contents}; {checkpoint.name} needs {needs}, or what `python -m hri simulate` writes"
    )


def from_states(
    checkpoint: Checkpoint,
    states: Float[np.ndarray, "B T N D"],
    true_types: Integer[np.ndarray, "B E"] | None = None,
    settings: Settings | int = STANDARD,
    truth: Mapping[str, np.ndarray | None] = MappingProxyType({}),
    **choices: Any,
) -> Rollout:
    """Predict already normalised states; ``true_types`` are needed by oracles and ``edges = "true"``.

    Args:
        settings: how, and ``choices``, as in :func:`roll_out`.
        truth: what else the record is to hold, by its name there.

    Raises:
        ValueError: wrong shapes, too few frames, or a choice or edit that does not fit the model.
    """
    model = checkpoint.model
    if model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees images, not states; give it frames [B,T,H,W,3]")
    width = checkpoint.header.config.width
    if states.ndim != 4 or states.shape[2:] != (model.tree.size, width):
        raise ValueError(
            f"states have shape {list(states.shape)}; {checkpoint.name} needs [B, T, {model.tree.size}, {width}]"
        )
    settings = Settings.of(settings, **choices)
    slots = torch.from_numpy(np.asarray(states, np.float32))
    prediction = predict(checkpoint, slots, true_types, settings)
    return record(checkpoint, slots, slots, prediction, settings, **truth)


def from_frames(
    checkpoint: Checkpoint,
    frames: UInt8[np.ndarray, "B T H W C"],
    settings: Settings | int = STANDARD,
    truth: Mapping[str, np.ndarray | None] = MappingProxyType({}),
    **choices: Any,
) -> Rollout:
    """Encode frames, predict slots, decode them. Under a curtain the record still holds the uncovered truth.

    Args:
        settings: how, and ``choices``, as in :func:`roll_out`.
        truth: what else the record is to hold, by its name there.

    Raises:
        ValueError: wrong shapes, too few frames, a state model, encoder and decoder only, or edits that do not fit.
    """
    model = checkpoint.model
    if not model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, not images; give it states [B,T,N,4] or a simulation")
    if checkpoint.header.parts == "vision":
        raise ValueError(
            f"{checkpoint.name} holds an encoder and a decoder only: it reconstructs frames but predicts nothing; "
            "choose a checkpoint trained in both stages"
        )
    check_frames(checkpoint, frames)
    settings = Settings.of(settings, **choices)
    if settings.edges == "true" or model.source == "true":
        raise ValueError("true springs join balls, not image slots; choose argmax, sample or none for an image model")
    settings.intervention.check(checkpoint.header.config, frames.shape[1])
    slots, reconstruction = encode_and_reconstruct(checkpoint, frames)
    visible = settings.intervention.cover(frames)
    inputs = slots if visible is frames else encode(checkpoint, visible)
    prediction = predict(checkpoint, inputs, None, settings)
    rollout = record(
        checkpoint, slots, inputs, prediction, settings, frames=frames, reconstructed_frames=reconstruction, **truth
    )
    return with_pictures(checkpoint, rollout)


def again(
    checkpoint: Checkpoint,
    rollout: Rollout,
    intervention: Intervention | None = None,
    settings: Settings | None = None,
    **choices: Any,
) -> Rollout:
    """Roll the same scenes out again from the same start and seed, with other edits.

    Slots are taken from the record: frames are encoded again only where a curtain covers them.

    Args:
        rollout: made by this checkpoint.
        intervention: instead of the settings' own edits; None keeps these.
        settings: how; None: as this rollout was made.
        choices: single settings by name, such as ``edges="sample"``.

    Raises:
        ValueError: a rollout of another model, or as :func:`from_states`, :func:`from_frames`.
    """
    if intervention is not None:
        choices["intervention"] = intervention
    settings = Settings.of(settings_of(rollout) if settings is None else settings, **choices)
    slots, inputs = inputs_of(checkpoint, rollout, settings.intervention)
    prediction = predict(checkpoint, inputs, true_types_of(checkpoint, rollout), settings)
    names = ("seeds", "true_adjacency", "true_states", "ball_parents", "joints", "frames", "reconstructed_frames")
    facts = {name: getattr(rollout, name) for name in names}
    repeat = record(checkpoint, slots, inputs, prediction, settings, **facts)
    return repeat if rollout.predicted_frames is None else with_pictures(checkpoint, repeat)

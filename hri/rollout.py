"""Checkpoint and scenes to a Rollout: burn-in on true states, then a free run on the model's own predictions.

A free run infers its edges from its own predictions, never from the future it is asked to predict.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from hri.checkpoint import Checkpoint
from hri.dataset import to_tensor
from hri.hierarchy import Tree
from hri.metrics import device_of
from hri.model import Model, Prediction
from hri.nn import gumbel_noise
from hri.records import Rollout, Trajectories
from hri.relations import Choose, given, most_likely, sampled
from hri.render import draw

EdgeChoice = Literal["argmax", "sample", "true", "none"]


def roll_out(
    checkpoint: Checkpoint,
    trajectories: Trajectories,
    free_steps: int = 10,
    edges: EdgeChoice = "argmax",
    edges_from: Literal["predictions", "truth"] = "predictions",
    seed: int = 0,
    pictures: bool = True,
) -> Rollout:
    """Predict simulated systems.

    Args:
        trajectories: S systems in box units; each becomes a scene, normalised with the checkpoint's numbers.
        free_steps: n of the paper's "n free steps": inputs at frames 0 ... T - n are true.
        edges: the most probable type, a draw from the probabilities, the true springs, or no interaction at all.
        edges_from: what the edges of free steps are inferred from; "truth" reproduces the published evaluation.
        seed: of the draws of ``edges = "sample"``.
        pictures: draw or decode frames too.

    Raises:
        ValueError: the systems are of another tree, or the choices do not fit the model; one sentence.
    """
    header, tree = checkpoint.header, Tree.parse(checkpoint.header.config.data.tree)
    nodes = trajectories.positions.shape[2]
    if nodes != tree.size:
        raise ValueError(
            f"{checkpoint.name} was trained on {tree.size} balls (tree {header.config.data.tree}), this scene has "
            f"{nodes}; choose a scene of that tree"
        )
    if not (np.isfinite(trajectories.positions).all() and np.isfinite(trajectories.velocities).all()):
        raise ValueError("the scene holds positions or velocities that are not finite; simulate it again")
    known = _truth(checkpoint, trajectories)
    states = known["true_states"]
    render = header.config.data.render
    scenes, times = states.shape[:2]
    frames = None
    if pictures or checkpoint.model.vision is not None:
        frames = _drawn(checkpoint, trajectories)
    if checkpoint.model.vision is not None:
        assert frames is not None
        return from_frames(checkpoint, frames, free_steps, edges, edges_from, seed, **known)
    types = trajectories.adjacency[:, checkpoint.model.senders, checkpoint.model.receivers]
    rolled = from_states(checkpoint, states, types, free_steps, edges, edges_from, seed, frames=frames, **known)
    if not pictures:
        return rolled
    whole = rolled.predicted_slots
    if checkpoint.model.joint_leaves:  # only leaves are predicted, and only leaves are drawn
        whole = states[:, 1:].copy()
        whole[:, :, tree.leaves] = rolled.predicted_slots
    positions = header.normalisation.positions(whole).reshape(-1, nodes, 2).astype(np.float64)
    drawn = draw(positions, tree, render, np.repeat(trajectories.seeds, times - 1))
    predicted = drawn.astype(np.float32).reshape(scenes, times - 1, *drawn.shape[1:]) / 255
    return dataclasses.replace(rolled, predicted_frames=predicted)


def _truth(checkpoint: Checkpoint, trajectories: Trajectories) -> dict[str, np.ndarray]:
    """What is known of simulated scenes, for the record."""
    states = checkpoint.header.normalisation.states(trajectories.positions, trajectories.velocities)
    return {"seeds": trajectories.seeds, "true_adjacency": trajectories.adjacency, "true_states": states}


def _drawn(checkpoint: Checkpoint, trajectories: Trajectories) -> UInt8[np.ndarray, "B T H W C"]:
    """Frames of simulated scenes in the look this checkpoint was trained on."""
    data = checkpoint.header.config.data
    scenes, times, nodes, _ = trajectories.positions.shape
    flat = trajectories.positions.reshape(-1, nodes, 2)
    frames = draw(flat, Tree.parse(data.tree), data.render, np.repeat(trajectories.seeds, times))
    return frames.reshape(scenes, times, *frames.shape[1:])


def from_arrays(
    checkpoint: Checkpoint,
    arrays: dict[str, np.ndarray],
    name: str,
    free_steps: int = 10,
    edges: EdgeChoice = "argmax",
    edges_from: Literal["predictions", "truth"] = "predictions",
    seed: int = 0,
) -> Rollout | dict[str, np.ndarray]:
    """Predict what an ``.npz`` holds: a simulation, ``states`` already normalised, or ``frames``.

    A checkpoint of encoder and decoder only gives a plain dict of frames, slots and reconstructed_frames.

    Args:
        arrays: as read from the file ``name``. With states, ``true_edges`` [B, E] and ``true_edge_sender_receiver``
            [E, 2] may name the true springs.

    Raises:
        ValueError: nothing this checkpoint can see, or as :func:`from_states`, :func:`from_frames`.
    """
    vision = checkpoint.model.vision is not None
    systems = Trajectories.of(arrays, name) if "positions" in arrays else None
    if systems is not None and ("frames" if vision else "states") not in arrays:
        if checkpoint.header.parts == "all":
            return roll_out(checkpoint, systems, free_steps, edges, edges_from, seed)
        arrays = arrays | {"frames": _drawn(checkpoint, systems)}
    known = _listed_truth(arrays, name) if systems is None else _truth(checkpoint, systems)
    if vision and "frames" in arrays:
        frames = arrays["frames"]
        _check_frames(checkpoint, frames)
        if any(len(value) != len(frames) for value in known.values()):
            raise ValueError(f"{name} holds {len(frames)} scenes of frames, but another number of states")
        if checkpoint.header.parts == "all":
            return from_frames(checkpoint, frames, free_steps, edges, edges_from, seed, **known)
        slots, drawn = encode_and_reconstruct(checkpoint, frames)
        return {"frames": frames, "slots": slots.cpu().numpy(), "reconstructed_frames": drawn}
    if not vision and "states" in arrays:
        known = _listed_truth(arrays, name)
        types, pairs = None, (checkpoint.model.senders, checkpoint.model.receivers)
        if "true_adjacency" in known and known["true_adjacency"].shape[1] == checkpoint.model.tree.size:
            types = known["true_adjacency"][:, *pairs]
        return from_states(checkpoint, known["true_states"], types, free_steps, edges, edges_from, seed, **known)
    wanted = "frames [B, T, H, W, C]" if vision else "states [B, T, N, 4]"
    found = ", ".join(sorted(arrays)) or "nothing"
    raise ValueError(f"{name} holds {found}; {checkpoint.name} needs {wanted}, or what `python -m hri simulate` writes")


def _listed_truth(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Normalised states and the springs that ``true_edges`` lists, as far as the file names them.

    A spring joins both ways, and none joins pairs that are not listed.
    """
    if "states" not in arrays:
        return {}
    states = arrays["states"]
    if states.dtype.kind != "f" or states.ndim != 4 or states.shape[3] != 4 or 0 in states.shape:
        raise ValueError(f"states in {name} are {states.dtype} {list(states.shape)}; they must be floats [B, T, N, 4]")
    known = {"true_states": states.astype(np.float32)}
    if "true_edges" not in arrays or "true_edge_sender_receiver" not in arrays:
        return known
    scenes, _, nodes, _ = states.shape
    types, pairs = arrays["true_edges"], arrays["true_edge_sender_receiver"]
    if pairs.ndim != 2 or pairs.shape[1] != 2 or types.shape != (scenes, len(pairs)):
        raise ValueError(
            f"true_edges in {name} is {list(types.shape)} and true_edge_sender_receiver {list(pairs.shape)}; "
            f"they must be [{scenes}, E] and [E, 2]"
        )
    if types.dtype.kind not in "biu" or pairs.dtype.kind not in "iu" or (pairs >= nodes).any() or (pairs < 0).any():
        raise ValueError(f"true_edges in {name} must be 0 or 1, true_edge_sender_receiver nodes from 0 to {nodes - 1}")
    joined = np.zeros((scenes, nodes, nodes), dtype=np.uint8)
    joined[:, pairs[:, 0], pairs[:, 1]] = types != 0
    return known | {"true_adjacency": joined | joined.transpose(0, 2, 1)}


def from_states(
    checkpoint: Checkpoint,
    states: Float[np.ndarray, "B T N 4"],
    true_types: Int[np.ndarray, "B E"] | UInt8[np.ndarray, "B E"] | None = None,
    free_steps: int = 10,
    edges: EdgeChoice = "argmax",
    edges_from: Literal["predictions", "truth"] = "predictions",
    seed: int = 0,
    **known: np.ndarray | None,
) -> Rollout:
    """Predict already normalised states; ``true_types`` are needed by oracles and ``edges = "true"``.

    Raises:
        ValueError: wrong shapes, too few frames, or a choice that does not fit the model.
    """
    model = checkpoint.model
    if model.vision is not None:
        raise ValueError(f"{checkpoint.name} sees images, not states; give it frames [B,T,H,W,3]")
    if states.ndim != 4 or states.shape[2:] != (model.tree.size, 4):
        raise ValueError(
            f"states have shape {list(states.shape)}; {checkpoint.name} needs [B, T, {model.tree.size}, 4]"
        )
    prediction = _predict(
        model, torch.from_numpy(np.asarray(states, np.float32)), true_types, free_steps, edges, edges_from, seed
    )
    return _record(checkpoint, states, prediction, free_steps, **known)


def from_frames(
    checkpoint: Checkpoint,
    frames: UInt8[np.ndarray, "B T H W C"],
    free_steps: int = 10,
    edges: EdgeChoice = "argmax",
    edges_from: Literal["predictions", "truth"] = "predictions",
    seed: int = 0,
    **known: np.ndarray | None,
) -> Rollout:
    """Encode frames, predict slots, decode them.

    Raises:
        ValueError: wrong shapes, too few frames, a state model, or encoder and decoder only.
    """
    model = checkpoint.model
    if model.vision is None:
        raise ValueError(f"{checkpoint.name} sees states, not images; give it states [B,T,N,4] or a simulation")
    if checkpoint.header.parts == "vision":
        raise ValueError(
            f"{checkpoint.name} holds an encoder and a decoder only: it reconstructs frames but predicts nothing; "
            "choose a checkpoint trained in both stages"
        )
    _check_frames(checkpoint, frames)
    if edges == "true" or model.source == "true":
        raise ValueError("true springs join balls, not image slots; choose argmax, sample or none for an image model")
    slots, reconstructed = encode_and_reconstruct(checkpoint, frames)
    prediction = _predict(model, slots, None, free_steps, edges, edges_from, seed)
    leaves = prediction.slots[:, :, -16:].flatten(0, 1)
    slot_frames = None
    if checkpoint.header.config.model.vision and checkpoint.header.config.model.vision.decoder == "slot":
        slot_frames = np.concatenate([_pixels(_each(model, part)) for part in leaves.split(64)])
        predicted = slot_frames.sum(1)
        slot_frames = slot_frames.reshape(*prediction.slots.shape[:2], 16, *frames.shape[2:])
    else:
        predicted = np.concatenate([_pixels(_decode(model, part)) for part in leaves.split(256)])
    return _record(
        checkpoint,
        slots.cpu().numpy(),
        prediction,
        free_steps,
        frames=frames,
        reconstructed_frames=reconstructed,
        predicted_frames=predicted.reshape(*prediction.slots.shape[:2], *frames.shape[2:]),
        slot_frames=slot_frames,
        **known,
    )


def encode_and_reconstruct(
    checkpoint: Checkpoint, frames: UInt8[np.ndarray, "B T H W C"]
) -> tuple[Float[Tensor, "B T S D"], Float[np.ndarray, "B T H W C"]]:
    """Slots of each frame (21, or 16 leaves where the upper encoder is missing) and frames drawn from them."""
    _check_frames(checkpoint, frames)
    vision = checkpoint.model.vision
    assert vision is not None
    flat = frames.reshape(-1, *frames.shape[2:])
    slots, drawn = [], []
    with torch.no_grad():
        for first in range(0, len(flat), 256):
            features = vision.leaves.map(to_tensor(flat[first : first + 256]).to(device_of(checkpoint.model)))
            leaves = vision.leaves.slots(features)
            whole = checkpoint.header.parts == "all"
            slots.append(vision.slots(features[:, None])[:, 0] if whole else leaves)
            drawn.append(_pixels(vision.decoder(leaves)))
    return torch.cat(slots).unflatten(0, frames.shape[:2]), np.concatenate(drawn).reshape(frames.shape)


def _check_frames(checkpoint: Checkpoint, frames: np.ndarray) -> None:
    render = checkpoint.header.config.data.render
    wanted = (render.size, render.size, render.channels)
    if checkpoint.model.vision is None:
        raise ValueError(f"{checkpoint.name} sees states, not images; give it states [B,T,N,4] or a simulation")
    if frames.ndim != 5 or frames.shape[2:] != wanted or frames.dtype != np.uint8 or 0 in frames.shape:
        raise ValueError(
            f"frames are {frames.dtype} {list(frames.shape)}; {checkpoint.name} needs uint8 [B, T, "
            f"{', '.join(map(str, wanted))}]"
        )


@torch.no_grad()
def _predict(
    model: Model,
    slots: Float[Tensor, "B T N D"],
    true_types: np.ndarray | None,
    free_steps: int,
    edges: EdgeChoice,
    edges_from: str,
    seed: int,
) -> Prediction:
    steps = slots.shape[1]
    if not 1 <= free_steps <= steps - 1:
        raise ValueError(f"{free_steps} free steps do not fit {steps} frames; choose 1 to {steps - 1}")
    if not torch.isfinite(slots).all():
        raise ValueError("the input holds numbers that are not finite; clean it first")
    slots = slots.to(device_of(model))
    parts = []
    for first in range(0, len(slots), 50):
        rows = slice(first, first + 50)
        choose = _choice(
            model, edges, len(slots[rows]), steps, None if true_types is None else true_types[rows], seed + first
        )
        parts.append(model(slots[rows], free_steps, choose, edges_from))
    return Prediction(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _choice(
    model: Model, edges: EdgeChoice, batch: int, steps: int, true_types: np.ndarray | None, seed: int
) -> Choose:
    shape = (batch, len(model.senders))
    device = device_of(model)
    if edges == "none":
        return given(torch.zeros(shape, dtype=torch.long, device=device))
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


def _record(
    checkpoint: Checkpoint, slots: np.ndarray, prediction: Prediction, free_steps: int, **known: np.ndarray | None
) -> Rollout:
    model = checkpoint.model
    logits, weights = prediction.logits.cpu(), prediction.weights.cpu()
    # Oracles and FCMP are told their edges: what was told is what they believe.
    probabilities = torch.softmax(logits, -1) if model.source == "inferred" else weights
    return Rollout(
        parents=np.asarray(model.tree.parents),
        edge_sender_receiver=np.stack([model.senders, model.receivers], 1),
        last_true_input=slots.shape[1] - free_steps,
        observation="frames" if model.vision is not None else "states",
        slots=np.asarray(slots, np.float32),
        predicted_slots=prediction.slots.cpu().numpy(),
        edge_logits=logits.numpy(),
        edge_probabilities=probabilities.numpy(),
        edge_types=weights.argmax(-1).numpy().astype(np.int8),
        checkpoint=checkpoint.name,
        **known,
    )


@torch.no_grad()
def _decode(model: Model, leaves: Tensor) -> Tensor:
    assert model.vision is not None
    return model.vision.decoder(leaves)


@torch.no_grad()
def _each(model: Model, leaves: Tensor) -> Tensor:
    assert model.vision is not None
    return model.vision.decoder.each(leaves)  # type: ignore[operator]


def _pixels(images: Tensor) -> np.ndarray:
    """[..., C, H, W] -> float32 [..., H, W, C]."""
    return images.movedim(-3, -1).cpu().numpy()

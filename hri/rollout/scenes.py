"""What a checkpoint is shown, from simulated systems or arrays of a file, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.config import Config, DataConfig
from hri.core.hierarchy import Tree
from hri.core.records import Film, Trajectories
from hri.data.sources import shown_in, source_of
from hri.model.checkpoint import Checkpoint
from hri.physics.render import draw


def check_systems(checkpoint: Checkpoint, systems: Trajectories, tree: Tree | None = None) -> Tree:
    """The tree of the systems' balls: the checkpoint's own, or for an image model any.

    Raises:
        ValueError: balls of another tree, or numbers that are not finite; one sentence.
    """
    config = checkpoint.header.config
    own = Tree.parse(config.data.tree)
    balls = systems.positions.shape[2]
    if tree is not None and tree != own and not checkpoint.model.sees_frames:
        raise ValueError(
            f"{checkpoint.name} sees the states of tree {config.data.tree} only; choose a scene of that tree"
        )
    source = source_of(config.data)
    if not source.has_states:
        raise ValueError(f"{checkpoint.name} was trained on {source.label}; give it frames, or a clip with --video")
    if systems.positions.shape[3] != source.space:
        raise ValueError(
            f"{checkpoint.name} was trained on {source.label} and this scene shows {shown_in(systems)}; choose another"
        )
    whole = tree or own
    if balls != whole.size:
        if tree is not None:
            raise ValueError(
                f"the scene has {balls} balls and its tree {tree.size}; give the tree it was simulated with"
            )
        raise ValueError(
            f"{checkpoint.name} was trained on {own.size} balls (tree {config.data.tree}), this scene has {balls}; "
            "choose a scene of that tree"
        )
    if not (np.isfinite(systems.positions).all() and np.isfinite(systems.velocities).all()):
        raise ValueError("the scene holds positions or velocities that are not finite; simulate it again")
    return whole


def truth_of(checkpoint: Checkpoint, systems: Trajectories, tree: Tree | None = None) -> dict[str, np.ndarray]:
    """What is known of simulated systems, for the record: seeds, springs, states normalised as in training, their tree.

    Args:
        tree: of the balls; by default the checkpoint's own, if it has as many.
    """
    data = checkpoint.header.config.data
    axes = slice(data.dimensions)
    states = checkpoint.header.normalisation.states(systems.positions[..., axes], systems.velocities[..., axes])
    truth = {"seeds": systems.seeds, "true_states": states}
    if systems.adjacency is not None:
        truth["true_adjacency"] = systems.adjacency
    of_balls = tree or Tree.parse(data.tree)
    if of_balls.size == states.shape[2]:
        truth["ball_parents"] = np.array(of_balls.parents)
    if data.origin.joints and len(data.origin.joints) == states.shape[2]:
        truth["joints"] = np.array(data.origin.joints)
    return truth


def scenes_of(data: DataConfig, seeds: Sequence[int]) -> Trajectories | Film:
    """The scene of each seed, from where a configuration takes its data.

    Raises:
        ValueError: recordings that are not there or do not fit.
    """
    return source_of(data).scenes(seeds)


def frames_of(
    config: Config, positions: Float[np.ndarray, "B T N X"], seeds: np.ndarray, tree: Tree | None = None
) -> UInt8[np.ndarray, "B T H W C"]:
    """Frames of balls (box units) in the look a model was trained on; NaN draws nothing. Walls are always drawn at the
    same place, however large the box.

    Args:
        tree: of the balls, where it is not the model's own.
        seeds: [B] they place the curtain of such a look; -1 stands for a system without a seed.
    """
    scenes, times, nodes, axes = positions.shape
    flat = positions.reshape(-1, nodes, axes).astype(np.float64) / config.data.force.box
    frame_seeds = np.repeat(np.maximum(seeds, 0), times)
    frames = draw(flat, tree or Tree.parse(config.data.tree), config.data.render, frame_seeds)
    return frames.reshape(scenes, times, *frames.shape[1:])


def listed_truth(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Normalised states and the springs of a file ``name``, as far as it holds them: a list, ``true_edges`` [B, E] of
    ``true_edge_sender_receiver`` [E, 2], or a matrix, ``true_edges`` or ``adjacency`` [B, N, N] (or [N, N] for all
    scenes), where an entry above 0 counts as a spring.

    A spring joins both ways, and none joins pairs that are not listed.

    Raises:
        ValueError: arrays of another shape or kind.
    """
    if "states" not in arrays:
        return {}
    states = arrays["states"]
    if states.dtype.kind != "f" or states.ndim != 4 or states.shape[3] not in (4, 6) or 0 in states.shape:
        raise ValueError(f"states in {name} are {states.dtype} {list(states.shape)}; they must be floats [B, T, N, 4]")
    truth = {"true_states": states.astype(np.float32)}
    scenes, _, nodes, _ = states.shape
    if key := _matrix_of(arrays, nodes):
        return truth | {"true_adjacency": _springs_of(arrays[key], scenes, nodes, f"{key} in {name}")}
    if "true_edges" not in arrays or "true_edge_sender_receiver" not in arrays:
        return truth
    types, pairs = arrays["true_edges"], arrays["true_edge_sender_receiver"]
    if pairs.ndim != 2 or pairs.shape[1] != 2 or types.shape != (scenes, len(pairs)):
        raise ValueError(
            f"true_edges in {name} is {list(types.shape)} and true_edge_sender_receiver {list(pairs.shape)}; "
            f"they must be [{scenes}, E] and [E, 2]"
        )
    if types.dtype.kind not in "biu" or pairs.dtype.kind not in "iu" or (pairs >= nodes).any() or (pairs < 0).any():
        raise ValueError(f"true_edges in {name} must be 0 or 1, true_edge_sender_receiver nodes from 0 to {nodes - 1}")
    adjacency = np.zeros((scenes, nodes, nodes), dtype=np.uint8)
    adjacency[:, pairs[:, 0], pairs[:, 1]] = types != 0
    return truth | {"true_adjacency": adjacency | adjacency.transpose(0, 2, 1)}


def truth_lacking(arrays: dict[str, np.ndarray], name: str) -> str:
    """Why a file ``name`` of states does not say which springs are true, and what to add."""
    if "true_edges" in arrays:
        shape = list(arrays["true_edges"].shape)
        return (
            f"{name} has true_edges {shape} and lacks true_edge_sender_receiver [E, 2], which says what pair each of "
            "them is of; add it, or store true_edges as a matrix [B, N, N]"
        )
    return (
        f"{name} does not say which springs are true: it lacks true_edges; add them as a matrix [B, N, N], or choose "
        "other edges"
    )


def shared_by_scenes(arrays: dict[str, np.ndarray]) -> set[str]:
    """Names of the arrays that hold for all scenes of a file: they have no first axis of scenes."""
    matrices = {"true_edges", "adjacency"} - ({"true_edges"} if "true_edge_sender_receiver" in arrays else set())
    return {"possible", "true_edge_sender_receiver"} | {
        name for name in matrices & arrays.keys() if arrays[name].ndim == 2
    }


def _matrix_of(arrays: dict[str, np.ndarray], nodes: int) -> str:
    """Name of the array that holds the graph as a matrix; "" where there is none."""
    edges = arrays.get("true_edges")
    if edges is not None and "true_edge_sender_receiver" not in arrays:
        return "true_edges" if edges.ndim > 2 or edges.shape == (nodes, nodes) else ""
    return "adjacency" if "adjacency" in arrays and edges is None else ""


def _springs_of(matrix: np.ndarray, scenes: int, nodes: int, name: str) -> UInt8[np.ndarray, "B N N"]:
    if matrix.dtype.kind not in "biuf" or matrix.shape not in ((scenes, nodes, nodes), (nodes, nodes)):
        raise ValueError(
            f"{name} is {matrix.dtype} {list(matrix.shape)}; as a matrix it must be numbers "
            f"{[scenes, nodes, nodes]} (or {[nodes, nodes]}, the same for all scenes), as many as there are states"
        )
    joined = np.broadcast_to(matrix > 0, (scenes, nodes, nodes)).astype(np.uint8)
    joined[:, range(nodes), range(nodes)] = 0
    return joined | joined.transpose(0, 2, 1)


def check_frames(checkpoint: Checkpoint, frames: np.ndarray) -> None:
    """Refuse frames that an image model cannot see.

    Raises:
        ValueError: a state model, another size or another kind of number.
    """
    render = checkpoint.header.config.data.render
    shape = (render.size, render.size, render.channels)
    if not checkpoint.model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, not images; give it states [B,T,N,4] or a simulation")
    if frames.ndim != 5 or frames.shape[2:] != shape or frames.dtype != np.uint8 or 0 in frames.shape:
        raise ValueError(
            f"frames are {frames.dtype} {list(frames.shape)}; {checkpoint.name} needs uint8 [B, T, "
            f"{', '.join(map(str, shape))}]"
        )

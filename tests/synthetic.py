"""Rollouts made of arithmetic: what the figures and the page are tested on, without a model."""

from __future__ import annotations

import numpy as np

from hri.core.config import RenderConfig
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.records import Rollout
from hri.physics.render import draw

BALLS = Tree.parse("4-3")


def orbits(times: int, seed: int) -> np.ndarray:
    """Smooth paths of the 17 balls inside the box [T, 17, 4]: every node circles its parent."""
    rng = np.random.default_rng(seed)
    reach = np.array([0.05, 0.52, 0.26])[BALLS.depth]
    speed, phase = rng.uniform(0.05, 0.15, 17), rng.uniform(0, 2 * np.pi, 17)
    angle = np.arange(times)[:, None] * speed + phase
    offset = reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    positions = np.zeros((times, 17, 2))
    for node, parent in enumerate(BALLS.parents):
        positions[:, node] = offset[:, node] + (positions[:, parent] if node else 0)
    velocities = np.gradient(positions, axis=0)
    return np.concatenate([np.clip(positions, -1, 1), velocities], -1).astype(np.float32)


def edge_beliefs(times: int, edges: np.ndarray, adjacency: np.ndarray, types: int, seed: int) -> np.ndarray:
    """Probabilities [T, E, K] that wander around the truth."""
    rng = np.random.default_rng(seed)
    joined = adjacency[edges[:, 0], edges[:, 1]].astype(float)
    drift = np.sin(np.arange(times)[:, None] * rng.uniform(0.05, 0.3, len(edges)) + rng.uniform(0, 6, len(edges)))
    logits = (joined * 4 - 2) + 1.8 * drift
    interacting = 1 / (1 + np.exp(-logits))
    split = rng.dirichlet(np.ones(types - 1), len(edges))
    return np.concatenate([1 - interacting[..., None], interacting[..., None] * split], -1).astype(np.float32)


def springs(seed: int) -> np.ndarray:
    """Some of the possible springs of 4-3 [17, 17]."""
    rng = np.random.default_rng(seed)
    upper = np.triu(BALLS.possible * (rng.random((17, 17)) < 0.7), 1)
    return (upper + upper.T).astype(np.uint8)


def _predict(states: np.ndarray, last_true_input: int) -> np.ndarray:
    """Truth of frames 1 ... with an error that grows in the free run."""
    times = len(states)
    late = np.clip(np.arange(1, times) - last_true_input - 1, 0, None)
    wrong = 0.004 + 0.02 * late
    direction = np.sin(np.arange(states[0].size)).reshape(states[0].shape)
    return (states[1:] + wrong[:, None, None] * direction).astype(np.float32)


def _drawn(states: np.ndarray, seed: int) -> np.ndarray:
    return draw(states[..., :2].astype(float), BALLS, RenderConfig(), np.full(len(states), seed))


def state_rollout(seed: int = 7, times: int = 49, free: int = 10, types: int = 2, pairs: str = "all") -> Rollout:
    """Seventeen balls, a state model's rollout."""
    states, adjacency = orbits(times, seed), springs(seed)
    edges = np.stack(BALLS.edges_among(pairs), 1)
    chances = edge_beliefs(times, edges, adjacency, types, seed)
    predicted = _predict(states, times - free)
    return Rollout(
        parents=np.array(BALLS.parents),
        edge_sender_receiver=edges,
        last_true_input=times - free,
        observation="states",
        slots=states[None],
        predicted_slots=predicted[None],
        edge_logits=np.log(chances + 1e-9)[None],
        edge_probabilities=chances[None],
        edge_types=chances.argmax(-1)[None],
        seeds=np.array([seed]),
        true_adjacency=adjacency[None],
        true_states=states[None],
        ball_parents=np.array(BALLS.parents),
        frames=_drawn(states, seed)[None],
        predicted_frames=_drawn(predicted, seed)[None].astype(np.float32) / 255,
        checkpoint="synthetic-state",
    )


def slot_rollout(
    seed: int = 7, times: int = 49, free: int = 10, types: int = 2, pairs: str = "hierarchy", slots: bool = True
) -> Rollout:
    """Twenty-one slots, an image model's rollout; with ``slots`` each is decoded alone (SlotDec)."""
    rng = np.random.default_rng(seed)
    states, adjacency = orbits(times, seed), springs(seed)
    predicted_states = _predict(states, times - free)
    edges = np.stack(SLOT_TREE.edges_among(pairs), 1)
    believed = SLOT_TREE.possible * (rng.random((21, 21)) < 0.5)
    chances = edge_beliefs(times, edges, believed, types, seed)
    features = rng.normal(size=(4, 16))
    activity = np.tanh(states.reshape(times, -1)[:, :4] @ features)[:, None] * rng.normal(size=(21, 1))
    clean = _drawn(predicted_states, seed).astype(np.float32) / 255
    noisy = np.clip(clean + rng.normal(0, 0.02, clean.shape), 0, 1).astype(np.float32)
    alone = np.zeros((times - 1, 16, 32, 32, 3), dtype=np.float32)
    for leaf, (left, top, right, bottom) in enumerate((SLOT_TREE.cells[SLOT_TREE.leaves] * 32).astype(int)):
        alone[:, leaf, top:bottom, left:right] = noisy[:, top:bottom, left:right]
    return Rollout(
        parents=np.array(SLOT_TREE.parents),
        edge_sender_receiver=edges,
        last_true_input=times - free,
        observation="frames",
        slots=activity[None].astype(np.float32),
        predicted_slots=(activity[1:] + 0.01)[None].astype(np.float32),
        edge_logits=np.log(chances + 1e-9)[None],
        edge_probabilities=chances[None],
        edge_types=chances.argmax(-1)[None],
        seeds=np.array([seed]),
        true_adjacency=adjacency[None],
        true_states=states[None],
        ball_parents=np.array(BALLS.parents),
        frames=_drawn(states, seed)[None],
        reconstructed_frames=_drawn(states, seed)[None].astype(np.float32) / 255,
        predicted_frames=noisy[None],
        slot_frames=alone[None] if slots else None,
        checkpoint="synthetic-slot",
    )

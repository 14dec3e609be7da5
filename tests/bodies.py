"""A synthetic body that swings its limbs, as recordings on disk: constant bones, a step through space, three takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hri.core.hierarchy import Tree
from hri.core.presets import BODIES, BODY_LOOK
from hri.core.records import Rollout
from hri.data.motion import MotionSet, Recording
from hri.physics.render import draw

MOTION, TREE_TEXT = BODIES["mocap"]
TREE = Tree.parse(TREE_TEXT)
_BONES = np.array(
    [(0, 0, 0.9), (0, 0, 0.25), (0, 0, 0.25), (0.2, 0, 0.2), (0, 0, -0.25), (0, 0, -0.25), (-0.2, 0, 0.2),
     (0, 0, -0.25), (0, 0, -0.25), (0.1, 0, -0.05), (0, 0, -0.4), (0, 0, -0.4), (-0.1, 0, -0.05), (0, 0, -0.4),
     (0, 0, -0.4)]
)  # fmt: skip


def swinging(frames: int, seed: int, fps: float = 30.0) -> np.ndarray:
    """Joints [T, 15, 3] in metres, z up: each bone swings about the x axis; the root walks along y."""
    random = np.random.default_rng(seed)
    times = np.arange(frames) / fps
    swing = random.uniform(0.1, 0.6, 15) * np.sin(2 * np.pi * random.uniform(0.5, 1.5) * times[:, None] + np.arange(15))
    places = np.zeros((frames, 15, 3))
    places[:, 0] = _BONES[0]
    places[:, 0, 1] = 0.8 * times
    for joint, parent in enumerate(TREE.parents[1:], start=1):
        x, y, z = _BONES[joint]
        cosine, sine = np.cos(swing[:, joint]), np.sin(swing[:, joint])
        offset = np.stack([np.full(frames, x), y * cosine - z * sine, y * sine + z * cosine], -1)
        places[:, joint] = places[:, parent] + offset
    return places


def recorded(folder: Path, frames: int = 60) -> MotionSet:
    """Takes for training, validation and test as ``folder/motion.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    takes = tuple(
        Recording(f"take {number}", "one", split, 30.0, swinging(frames + number, number).astype(np.float32))
        for number, split in enumerate(("train", "validation", "test"))
    )
    motion = MotionSet(MOTION.joints, TREE, takes)
    motion.write(folder / "motion.npz")
    return motion


def body_rollout(times: int = 30, free: int = 8) -> Rollout:
    """A state model's rollout of the swinging body seen from the side, drawn as models see it."""
    world = swinging(times, 5)
    states = np.zeros((times, 15, 4), dtype=np.float32)
    states[..., 0], states[..., 1] = world[..., 1] - world[:, :1, 1], world[..., 2] - 0.9
    predicted = states[1:] + np.float32(0.01) * np.sin(np.arange(60).reshape(15, 4)).astype(np.float32)
    edges = np.stack(TREE.edges_among("hierarchy"), 1)
    interacts = np.broadcast_to(
        0.5 + 0.4 * np.sin(np.arange(times)[:, None] + np.arange(len(edges))), (1, times, len(edges))
    )
    chances = np.stack([1 - interacts, interacts], -1).astype(np.float32)
    frames = draw(states[..., :2].astype(float), TREE, BODY_LOOK)
    return Rollout(
        parents=np.array(TREE.parents),
        edge_sender_receiver=edges,
        last_true_input=times - free,
        observation="states",
        slots=states[None],
        predicted_slots=predicted[None],
        edge_logits=np.log(chances),
        edge_probabilities=chances,
        edge_types=chances.argmax(-1),
        seeds=np.array([200_042]),
        true_states=states[None],
        ball_parents=np.array(TREE.parents),
        joints=np.array(MOTION.joints),
        frames=frames[None],
        predicted_frames=draw(predicted[..., :2].astype(float), TREE, BODY_LOOK)[None] / np.float32(255),
        checkpoint="walking-body",
    )

"""The glossary of letters, and the arrays that travel between files.

| letter | axis                                                               |
|--------|--------------------------------------------------------------------|
| S      | simulated systems                                                  |
| B      | batch (scenes side by side)                                        |
| T      | time, in stored frames                                             |
| N      | nodes: simulated balls, or slots (root, intermediates, leaves)     |
| L      | leaves, the nodes without children                                 |
| E      | directed edges, rows in the order of :attr:`hri.hierarchy.Tree.edges` |
| K      | edge types; type 0 means "no interaction" and carries no message   |
| D      | state or slot width (4 for states: x, y, vx, vy)                   |
| H W C  | image rows, columns, channels                                      |

Everything here is NumPy: a page that shows a stored rollout never waits for torch.
"""

from __future__ import annotations

import dataclasses
import io
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.files import read_npz, write_npz
from hri.hierarchy import Tree


@dataclass(frozen=True)
class Trajectories:
    """Simulated spring systems in box units (walls at -1 and 1) and simulator time."""

    seeds: Int[np.ndarray, " S"]
    positions: Float[np.ndarray, "S T N 2"]
    velocities: Float[np.ndarray, "S T N 2"]
    adjacency: UInt8[np.ndarray, "S N N"]
    """1 where a spring joins two balls; symmetric, zero diagonal."""
    possible: UInt8[np.ndarray, "N N"]
    """1 where the tree allows a spring."""

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, rows: slice | np.ndarray) -> Trajectories:
        """The chosen systems as a smaller record (views, no copy, for a slice)."""
        return Trajectories(
            self.seeds[rows], self.positions[rows], self.velocities[rows], self.adjacency[rows], self.possible
        )

    @staticmethod
    def of(arrays: dict[str, np.ndarray], name: str) -> Trajectories:
        """The systems in arrays read from ``name``; seeds may be missing (-1 stands for them).

        Raises:
            ValueError: an array is missing, or its shape does not fit the others.
        """
        if missing := sorted({"positions", "velocities", "adjacency"} - arrays.keys()):
            raise ValueError(
                f"{name} is no simulation: it lacks {', '.join(missing)}; write one with `python -m hri simulate`"
            )
        x = arrays["positions"]
        if x.ndim != 4 or x.shape[3] != 2 or 0 in x.shape or x.dtype.kind != "f":
            raise ValueError(f"positions in {name} are {x.dtype} {list(x.shape)}; they must be floats [S, T, N, 2]")
        systems, _, nodes, _ = x.shape
        adjacency = arrays["adjacency"]
        wanted = {"velocities": x.shape, "adjacency": (systems, nodes, nodes), "seeds": (systems,)}
        for key, shape in wanted.items():
            if key in arrays and (arrays[key].shape != shape or arrays[key].dtype.kind not in "biuf"):
                found = f"{arrays[key].dtype} {list(arrays[key].shape)}"
                raise ValueError(f"{key} in {name} are {found}; its positions need numbers {list(shape)}")
        return Trajectories(
            arrays.get("seeds", np.full(systems, -1)).astype(np.int64),
            x,
            arrays["velocities"].astype(x.dtype, copy=False),
            (adjacency != 0).astype(np.uint8),
            (arrays.get("possible", adjacency.any(0)) != 0).astype(np.uint8),
        )


@dataclass(frozen=True)
class Normalisation:
    """Raw ranges of the training set; they normalise whatever comes later (paper, appendix: to [-1, 1]).

    Positions share one range and velocities another. The published code first divides by the largest
    position, which this map undoes.
    """

    position_low: float = -1.0
    position_high: float = 1.0
    velocity_low: float = -1.0
    velocity_high: float = 1.0

    @staticmethod
    def of(trajectories: Trajectories) -> Normalisation:
        """The ranges of a training set."""
        x, v = trajectories.positions, trajectories.velocities
        return Normalisation(float(x.min()), float(x.max()), float(v.min()), float(v.max()))

    def states(
        self, positions: Float[np.ndarray, "*shape 2"], velocities: Float[np.ndarray, "*shape 2"]
    ) -> Float[np.ndarray, "*shape 4"]:
        """Raw positions and velocities -> float32 states (x, y, vx, vy) in [-1, 1]."""
        x = (positions - self.position_low) / (self.position_high - self.position_low)
        v = (velocities - self.velocity_low) / (self.velocity_high - self.velocity_low)
        return (np.concatenate([x, v], -1) * 2 - 1).astype(np.float32)

    def positions(self, states: Float[np.ndarray, "*shape 4"]) -> Float[np.ndarray, "*shape 2"]:
        """States -> raw positions in box units, to draw them."""
        return (states[..., :2] + 1) / 2 * (self.position_high - self.position_low) + self.position_low


@dataclass(frozen=True)
class Rollout:
    """What a model saw, believed and predicted on B scenes: everything a picture needs.

    Times: inputs at frames 0 ... ``last_true_input`` are true, later inputs are the model's own
    predictions. ``predicted_slots[:, t]`` is the prediction *for* frame t + 1, made with the edges
    ``edge_probabilities[:, t]``.
    """

    parents: Int[np.ndarray, " N"]
    """Parent of each node, -1 for the root: with the edges, all there is to know of the hierarchy."""
    edge_sender_receiver: Int[np.ndarray, "E 2"]
    """(sender, receiver) of each edge row. Only the edges the model infers (or is given) are listed."""
    last_true_input: int
    """Frame of the last true input; frames after ``last_true_input + 1`` rest on predicted inputs."""
    observation: Literal["states", "frames"]
    """Whether nodes are simulated balls (D = 4) or image slots."""

    slots: Float[np.ndarray, "B T N D"]
    """True states (normalised to [-1, 1]), or the slots the encoder makes of the true frames."""
    predicted_slots: Float[np.ndarray, "B T-1 P D"]
    """P = N, or the leaves alone for models that predict only those."""
    edge_logits: Float[np.ndarray, "B T E K"]
    edge_probabilities: Float[np.ndarray, "B T E K"]
    edge_types: Int[np.ndarray, "B T E"]
    """The type that carried messages at each step: argmax, a sample, the truth or a forced value."""

    seeds: Int[np.ndarray, " B"] | None = None
    true_adjacency: UInt8[np.ndarray, "B M M"] | None = None
    """Springs between the M simulated balls, where they are known."""
    true_states: Float[np.ndarray, "B T M 4"] | None = None
    """Normalised states of the M simulated balls, where they are known."""
    frames: UInt8[np.ndarray, "B T H W C"] | None = None
    """True frames."""
    reconstructed_frames: Float[np.ndarray, "B T H W C"] | None = None
    predicted_frames: Float[np.ndarray, "B T-1 H W C"] | None = None
    """Pixels in [0, 1] up to the decoder's error; for state models drawn by the renderer."""
    slot_frames: Float[np.ndarray, "B T-1 L H W C"] | None = None
    """SlotDec only: each leaf slot decoded alone; their sum is ``predicted_frames``."""
    checkpoint: str = ""
    """Name of the checkpoint that made this."""

    @property
    def tree(self) -> Tree:
        return Tree(tuple(int(p) for p in self.parents))

    def scene(self, index: int) -> Rollout:
        """Scene ``index`` alone, as a rollout with B = 1."""
        batched = {
            f.name: getattr(self, f.name)[index : index + 1]
            for f in dataclasses.fields(self)
            if f.name not in _SHARED and getattr(self, f.name) is not None
        }
        return dataclasses.replace(self, **batched)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one compressed ``.npz``, atomically: an old file survives a full disk.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        arrays = {
            f.name: np.asarray(getattr(self, f.name))
            for f in dataclasses.fields(self)
            if getattr(self, f.name) is not None
        }
        write_npz(path, arrays)

    @staticmethod
    def load(path: str | os.PathLike[str] | io.BytesIO) -> Rollout:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is no rollout; the sentence says what is wrong.
        """
        arrays = read_npz(path)
        needed = {f.name for f in dataclasses.fields(Rollout) if f.default is dataclasses.MISSING}
        if missing := sorted(needed - arrays.keys()):
            raise ValueError(
                f"{path} is not a rollout: it lacks {', '.join(missing)}; make one with `python -m hri rollout`"
            )
        _check_shapes(str(path), arrays)
        known = {f.name for f in dataclasses.fields(Rollout)}
        plain: dict[str, Any] = {
            name: value.item() if value.ndim == 0 else value for name, value in arrays.items() if name in known
        }
        return Rollout(**plain)


def _check_shapes(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays that do not belong together (the letters are in this file's head).

    Raises:
        ValueError: the first array that does not fit, with the shape it should have.
    """
    slots, logits = arrays["slots"], arrays["edge_logits"]
    if slots.ndim != 4 or logits.ndim != 4:
        raise ValueError(f"{path} is not a rollout: slots must be [B, T, N, D] and edge_logits [B, T, E, K]")
    (b, t, n, d), (e, k) = slots.shape, logits.shape[2:]
    wanted: dict[str, tuple[int | None, ...]] = {
        "parents": (n,),
        "edge_sender_receiver": (e, 2),
        "predicted_slots": (b, t - 1, None, d),
        "edge_logits": (b, t, e, k),
        "edge_probabilities": (b, t, e, k),
        "edge_types": (b, t, e),
        "frames": (b, t, None, None, None),
        "reconstructed_frames": (b, t, None, None, None),
        "predicted_frames": (b, t - 1, None, None, None),
        "slot_frames": (b, t - 1, None, None, None, None),
    }
    for name, shape in wanted.items():
        if name not in arrays:
            continue
        found = arrays[name].shape
        if len(found) != len(shape) or any(want not in (None, have) for want, have in zip(shape, found, strict=True)):
            text = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"{path} is damaged: {name} has shape {list(found)} and should have [{text}]")


_SHARED = {"parents", "edge_sender_receiver", "last_true_input", "observation", "checkpoint"}

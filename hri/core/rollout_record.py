"""What a model saw, believed and predicted, as one record: everything a picture needs, and its file.

The letters of all shapes are in :mod:`hri.core.records`.
"""

from __future__ import annotations

import dataclasses
import io
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from hri.core.files import read_npz, write_npz
from hri.core.forces import Force, force
from hri.core.hierarchy import Tree
from hri.core.notebooks import html
from hri.core.trajectories import state_names

NEVER = -1e9
"""Logit of what no model infers."""
ROOM = 1.15
"""Pictures of a large box reach so much farther than its balls' centres ever come."""


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
    """Whether nodes are balls or joints (D = 4, or 6 with depth) or image slots."""

    slots: Float[np.ndarray, "B T N D"]
    """True states (normalised to [-1, 1]), or the slots the encoder makes of the true frames."""
    predicted_slots: Float[np.ndarray, "B T-1 P D"]
    """P = N, or the leaves alone for models that predict only those."""
    edge_logits: Float[np.ndarray, "B T E K"]
    edge_probabilities: Float[np.ndarray, "B T E K"]
    edge_types: Int[np.ndarray, "B T E"]
    """The type that carried messages at each step: argmax, a sample, the truth or a forced value."""
    carries: UInt8[np.ndarray, " E"] | None = None
    """1 for edges over which messages pass: HRI infers all pairs and uses the hierarchy's, an LSTM uses none.
    None in files that do not say."""

    seeds: Int[np.ndarray, " B"] | None = None
    true_adjacency: UInt8[np.ndarray, "B M M"] | None = None
    """Springs between the M simulated balls, where they are known."""
    true_states: Float[np.ndarray, "B T M X2"] | None = None
    """Normalised states of the M balls or joints, where they are known."""
    ball_parents: Int[np.ndarray, " M"] | None = None
    """Parent of each simulated ball, -1 for the root; image slots have a tree of their own."""
    physics: str = ""
    """What acts between the balls (:data:`hri.core.forces.FORCES`), where they have no hierarchy; else springs."""
    position_span: Float[np.ndarray, "2"] | None = None
    """Where normalised positions -1 and 1 lie in the box, whose walls are drawn at -1 and 1; None: just there."""
    state_span: Float[np.ndarray, "D 2"] | None = None
    """What normalised -1 and 1 are along each of a state's D numbers, in :attr:`units`; None: box units alone."""
    units: np.ndarray | None = None
    """Of each of a state's D numbers, as the owner of the data calls them."""
    joints: np.ndarray | None = None
    """Names of the M joints, where the balls are a body's."""
    frames: UInt8[np.ndarray, "B T H W C"] | None = None
    """True frames."""
    reconstructed_frames: Float[np.ndarray, "B T H W C"] | None = None
    predicted_frames: Float[np.ndarray, "B T-1 H W C"] | None = None
    """Pixels in [0, 1] up to the decoder's error; for state models drawn by the renderer."""
    slot_frames: Float[np.ndarray, "B T-1 L H W C"] | None = None
    """SlotDec only: each leaf slot decoded alone; their sum is ``predicted_frames``."""
    checkpoint: str = ""
    """Name of the checkpoint that made this."""

    edges: str = "argmax"
    """How types were chosen: argmax, sample, true or none."""
    edges_from: str = "predictions"
    """What the edges of free steps were inferred from: predictions or truth."""
    sample_seed: int = 0
    """Seed of the draws of ``edges = "sample"``."""
    edits: str = ""
    """What was changed in it, as JSON (:class:`hri.rollout.interventions.Intervention`); empty where nothing was."""
    altered_inputs: Float[np.ndarray, "B T P D"] | None = None
    """What entered the model at each frame, where edits (nudges, a curtain) changed it; else see :attr:`inputs`."""

    @property
    def inputs(self) -> Float[np.ndarray, "B T P D"]:
        """What entered the model at each frame: the truth, then its own predictions, as edits changed them."""
        if self.altered_inputs is not None:
            return self.altered_inputs
        whole = self.predicted_slots.shape[2] == self.slots.shape[2]
        true = self.slots if whole else self.slots[:, :, self.tree.leaves]
        last = int(self.last_true_input)
        return np.concatenate([true[:, : last + 1], self.predicted_slots[:, last:]], 1)

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of a node's D numbers: of a state (:func:`state_names`); those of a slot are only counted."""
        width = self.slots.shape[-1]
        return state_names(width // 2) if self.observation == "states" else tuple(f"number {k}" for k in range(width))

    def in_units(self, states: Float[np.ndarray, "*shape D"]) -> Float[np.ndarray, "*shape D"]:
        """Normalised states in the data's own units; as they are where these are not known."""
        if self.state_span is None:
            return states
        low, high = self.state_span.T
        return low + (states + 1) / 2 * (high - low)

    def in_box(self, states: Float[np.ndarray, "*shape D"]) -> Float[np.ndarray, "*shape 2"]:
        """Where balls of normalised states are drawn, walls at -1 and 1."""
        x = states[..., :2]
        if self.position_span is None:
            return x
        low, high = self.position_span
        return low + (x + 1) / 2 * (high - low)

    @property
    def picture_half(self) -> float:
        """How much of the way to a wall its pictures show: all of it, unless the balls keep to the middle of a large
        box; the same at every frame and for every model of the scene.
        """
        if self.observation != "states" or self.force.box == 1:
            return 1.0
        places = np.abs(self.in_box(self.slots[0]))
        farthest = float(np.nanmax(places)) if np.isfinite(places).any() else 1.0
        return min(1.0, max(0.1, np.ceil(farthest * ROOM * 20) / 20))

    def in_picture(self, states: Float[np.ndarray, "*shape D"]) -> Float[np.ndarray, "*shape 2"]:
        """Where balls of normalised states are drawn, edges of the picture at -1 and 1."""
        half = self.picture_half
        return self.in_box(states) if half == 1 else self.in_box(states) / np.float32(half)

    @property
    def all_types_speak(self) -> bool:
        """Whether the model has no type without messages: type 0 is then of edges alone that were cut."""
        return bool((self.edge_logits[..., 0] <= NEVER).all()) and self.edge_logits.size > 0

    @property
    def force(self) -> Force:
        """What acts between the balls, in words."""
        return force(self.physics)

    @property
    def tree(self) -> Tree:
        """Of the nodes; a body's have the names of its joints."""
        named = self.observation == "states" and self.joints is not None and len(self.joints) == len(self.parents)
        names = tuple(map(str, self.joints)) if named and self.joints is not None else ()
        return Tree(tuple(int(p) for p in self.parents), names)

    def _repr_html_(self) -> str | None:
        """A notebook shows a rollout as a player of its first scene (:mod:`hri.export.notebook`)."""
        return html(self)

    def scene(self, index: int) -> Rollout:
        """Scene ``index`` alone, as a rollout with B = 1."""
        batched = {
            f.name: getattr(self, f.name)[index : index + 1]
            for f in dataclasses.fields(self)
            if f.name not in _SHARED and getattr(self, f.name) is not None
        }
        return dataclasses.replace(self, **batched)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What a file holds: every field that there is, by name."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: np.asarray(value) for name, value in values.items() if value is not None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one compressed ``.npz``, atomically: an old file survives a full disk.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        write_npz(path, self.arrays)

    @staticmethod
    def load(path: str | os.PathLike[str] | io.BytesIO) -> Rollout:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is no rollout; the sentence says what is wrong.
        """
        arrays, fields = read_npz(path), dataclasses.fields(Rollout)
        needed = {f.name for f in fields if f.default is dataclasses.MISSING}
        if missing := sorted(needed - arrays.keys()):
            raise ValueError(
                f"{path} is not a rollout: it lacks {', '.join(missing)}; make one with `python -m hri rollout`"
            )
        _check_shapes(str(path), arrays)
        known = {f.name for f in fields}
        plain: dict[str, Any] = {
            name: value.item() if value.ndim == 0 else value for name, value in arrays.items() if name in known
        }
        return Rollout(**plain)


def _check_shapes(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays that do not belong together (:mod:`hri.core.records` has the letters).

    Raises:
        ValueError: the first array that does not fit, with the shape it should have.
    """
    slots, logits = arrays["slots"], arrays["edge_logits"]
    if slots.ndim != 4 or logits.ndim != 4:
        raise ValueError(f"{path} is not a rollout: slots must be [B, T, N, D] and edge_logits [B, T, E, K]")
    (b, t, n, d), (e, k) = slots.shape, logits.shape[2:]
    shapes: dict[str, tuple[int | None, ...]] = {
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
        "altered_inputs": (b, t, None, d),
        "ball_parents": (None,),
        "joints": (None,),
        "position_span": (2,),
        "state_span": (d, 2),
        "units": (d,),
        "carries": (e,),
    }
    for name, shape in shapes.items():
        if name not in arrays:
            continue
        actual = arrays[name].shape
        if len(actual) != len(shape) or any(want not in (None, have) for want, have in zip(shape, actual, strict=True)):
            text = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"{path} is damaged: {name} has shape {list(actual)} and should have [{text}]")


_SHARED = {
    "parents",
    "ball_parents",
    "physics",
    "position_span",
    "state_span",
    "units",
    "joints",
    "carries",
    "edge_sender_receiver",
    "last_true_input",
    "observation",
    "checkpoint",
    "edges",
    "edges_from",
    "sample_seed",
    "edits",
}
"""Fields that all scenes of a rollout have in common."""

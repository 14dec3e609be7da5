"""A body's skeleton over pictures: which bones, whose joints they join, and how they look, whatever draws them.

The player (:mod:`hri.view.player`), SVG (:mod:`hri.view.svg`) and films (:mod:`hri.export.film`) draw these strokes. A
model that sees joints has two bodies, told apart by more than colour: the predicted one has solid limbs, the true one
is dashed wherever both are shown. Of a model that sees frames the true one alone is known. NumPy only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.physics.palette import colours_of
from hri.view.facts import bones, joint_positions, node_positions
from hri.view.style import PAPER, RIM, SKY, STYLE

Whose = Literal["truth", "prediction"]
PANEL = 224.0
"""Side in pixels of the picture that widths are meant for."""


@dataclass(frozen=True)
class BoneLook:
    """How the bones of a body are drawn, in pixels at the usual size of a picture."""

    name: str
    """Its class in the browser's and SVG's style."""
    width: float
    colour: str = ""
    """Of all bones; empty: of the limb, as its joints have it in frame and graph."""
    rim: float = 0.0
    """Width of a pale stroke beneath, by which dark limbs are seen on black."""
    dash: tuple[int, ...] = ()
    opacity: float = 1.0


LIMBS = BoneLook("limbs", 2.8, rim=5.0)
TRACE = BoneLook("trace", 1.6, PAPER, dash=(4, 3), opacity=0.85)
MISS = BoneLook("miss", 2.2, SKY)
THIN = BoneLook("thin", 1.5, PAPER, opacity=0.55)
BOTH: Mapping[str, tuple[tuple[Whose, BoneLook], ...]] = {
    "truth": (("truth", LIMBS),),
    "prediction": (("truth", TRACE), ("prediction", LIMBS)),
    "error": (("truth", TRACE), ("prediction", MISS)),
    "apart": (("truth", TRACE),),
}
"""Bodies over each picture of a model that sees joints, back to front."""
TRUE_ALONE: Mapping[str, tuple[tuple[Whose, BoneLook], ...]] = {"truth": (("truth", THIN),)}
"""Of a model that sees frames."""
HEAD = 4.0
"""Radius of a head in pixels."""


@dataclass(frozen=True)
class Skeleton:
    """The bones of a body, and where its joints are: shares of a picture from its top left corner."""

    bones: Int[np.ndarray, "R 2"]
    """(parent, child)."""
    colours: tuple[str, ...]
    """Of the limb of each bone's child."""
    heads: tuple[int, ...]
    """Joints that are drawn as one."""
    layers: Mapping[str, tuple[tuple[Whose, BoneLook], ...]]
    """Bodies over each picture by its name, back to front."""
    frame: float
    """Opacity of the pictures beneath."""
    places: Mapping[Whose, Float[np.ndarray, "T J 2"]]

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """What ``images.js`` needs beside the joints' places, which it has."""
        layers = {
            panel: [
                [whose, dataclasses.asdict(look) | {"dash": " ".join(map(str, look.dash))}] for whose, look in parts
            ]
            for panel, parts in self.layers.items()
        }
        return {
            "bones": self.bones.tolist(), "colours": list(self.colours), "heads": list(self.heads), "head": HEAD,
            "rim": RIM, "layers": layers, "frame": self.frame,
        }  # fmt: skip

    def strokes(self, panel: str, frame: int) -> Iterator[BoneStroke]:
        """All there is to draw over a picture at a frame, back to front; joints that are no numbers are left out."""
        for whose, look in self.layers.get(panel, ()):
            at = self.places[whose][frame]
            for width, ink in ((look.rim, RIM), (look.width, look.colour)):
                if not width:
                    continue
                for (parent, child), own in zip(self.bones.tolist(), self.colours, strict=True):
                    ends = at[[parent, child]]
                    if np.isfinite(ends).all():
                        head = HEAD + (width - look.width) / 2 if child in self.heads else 0.0
                        yield BoneStroke(ends, width, ink or own, head, look)


@dataclass(frozen=True)
class BoneStroke:
    """One line of a skeleton."""

    ends: Float[np.ndarray, "2 2"]
    """(column, row) of its parent and its child, shares of the picture."""
    width: float
    """In pixels of a picture of :data:`PANEL`."""
    colour: str
    head: float
    """Radius of the head at its child in the same pixels; 0 where there is none."""
    look: BoneLook


def skeleton(rollout: Rollout) -> Skeleton | None:
    """The skeleton of a rollout of one scene; None where it shows no body."""
    pairs, joints = bones(rollout), joint_positions(rollout)
    if not len(pairs) or rollout.joints is None or rollout.ball_parents is None:
        return None
    tree = Tree(tuple(int(parent) for parent in rollout.ball_parents))
    rgb = colours_of(tree, RenderConfig(colours="limb"))
    names = [str(name).lower() for name in rollout.joints]
    heads = tuple(int(joint) for joint in tree.leaves if joint < len(names) and "head" in names[joint])
    sees_joints = rollout.observation == "states"
    places: dict[Whose, np.ndarray] = {} if joints is None else {"truth": joints}
    if sees_joints:
        places = {"truth": node_positions(rollout, "truth"), "prediction": node_positions(rollout, "prediction")}
    if "truth" not in places:
        return None
    return Skeleton(
        pairs,
        tuple(f"rgb({r},{g},{b})" for r, g, b in rgb[pairs[:, 1]].tolist()),
        heads,
        BOTH if sees_joints else TRUE_ALONE,
        STYLE.frame_of_body if sees_joints else 1.0,
        places,
    )

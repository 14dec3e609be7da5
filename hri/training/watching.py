"""One scene that no training sees, drawn at every validation: what a model has learned so far, to look at.

Stage 1 gives frames and their reconstructions, stage 2 a whole rollout; both are files beside the checkpoints, so that
whoever watches a training, or looks back at one, needs no model.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from hri.core.config import Config
from hri.core.files import read_npz, write_npz
from hri.core.records import Film, Rollout, Trajectories

if TYPE_CHECKING:
    from hri.model.checkpoint import Header
    from hri.model.model import Model

FRAMES = 8
"""Frames that are reconstructed in stage 1, evenly over the scene."""


@dataclass(frozen=True)
class Reconstruction:
    """Frames of the scene and what the decoder makes of their slots."""

    frames: UInt8[np.ndarray, "M H W C"]
    drawn: UInt8[np.ndarray, "M H W C"]


def scene_seed(config: Config) -> int:
    """The first system of the test split."""
    return config.data.seeds("test")[0]


def watched_scene(config: Config) -> Trajectories | Film:
    """The scene, in box units, or its frames."""
    from hri.rollout.scenes import scenes_of

    return scenes_of(config.data, [scene_seed(config)])


def write_picture(path: Path, model: Model, header: Header) -> None:
    """What the model makes of the scene now; its part that only reconstructs gives reconstructions.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    scene = watched_scene(header.config)
    if header.parts == "all":
        rolled(model, header, scene, path.stem).save(path)
    else:
        parts = reconstructed(model, header, scene)
        write_npz(path, {"frames": parts.frames, "drawn": parts.drawn})


def rolled(model: Model, header: Header, scene: Trajectories | Film, name: str) -> Rollout:
    """The rollout, its pictures rounded to 256 levels: such files are a tenth as large."""
    from hri.model.checkpoint import Checkpoint
    from hri.rollout.rollout import roll_out

    rollout = roll_out(Checkpoint(name, model, header), scene)
    images: dict[str, Any] = {
        part: _levels(value) / np.float32(255)
        for part in ("predicted_frames", "reconstructed_frames", "slot_frames")
        if (value := getattr(rollout, part)) is not None
    }
    return dataclasses.replace(rollout, **images)


def reconstructed(model: Model, header: Header, scene: Trajectories | Film) -> Reconstruction:
    """Some frames of the scene, through encoder and decoder."""
    from hri.core.hierarchy import Tree
    from hri.model.checkpoint import Checkpoint
    from hri.rollout.imaging import encode_and_reconstruct
    from hri.rollout.scenes import frames_of

    if isinstance(scene, Film):
        every = scene.frames
    else:
        every = frames_of(header.config, scene.positions, scene.seeds, Tree.parse(header.config.data.tree))
    frames = every[:, np.linspace(0, every.shape[1] - 1, FRAMES).astype(int)]
    _, images = encode_and_reconstruct(Checkpoint("", model, header), frames)
    return Reconstruction(frames[0], _levels(images[0]))


def _levels(images: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return np.round(np.clip(np.nan_to_num(images), 0, 1) * 255).astype(np.uint8)


def pictures(folder: Path) -> dict[tuple[int, int], Path]:
    """The pictures of a run by (stage, update), the earliest first."""
    paths = {}
    for path in (folder / "pictures").glob("?-*.npz"):
        stage, _, update = path.stem.partition("-")
        if stage.isdecimal() and update.isdecimal():
            paths[int(stage), int(update)] = path
    return dict(sorted(paths.items()))


def read_picture(path: Path) -> Rollout | Reconstruction:
    """What :func:`write_picture` wrote.

    Raises:
        ValueError: the file is damaged or has gone.
    """
    try:
        if path.name.startswith("2-"):
            return Rollout.load(path)
        arrays = read_npz(path)
        return Reconstruction(arrays["frames"], arrays["drawn"])
    except (OSError, KeyError) as error:
        raise ValueError(f"the picture {path.name} cannot be read ({error})") from None

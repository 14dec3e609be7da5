"""Which models and scenes there are. Reads headers and stored rollouts only: nothing here imports torch."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from app import places
from app.compute import shared_cache
from hri.core.config import Config
from hri.core.forces import USUAL, system_name
from hri.core.records import Rollout
from hri.data.sources import source_of
from hri.experiments import runs
from hri.model.receptive import receptive_fields
from hri.rollout.interventions import NOTHING, Intervention
from hri.scores import ceilings

if TYPE_CHECKING:
    from hri.data.video import VideoClip
    from hri.model.checkpoint import Header
    from hri.physics.systems import System

FAVOURITE = "springs-4-3-state-hri-h"
"""Opened first, if it is there."""
COMPARED = ("first", "second", "third", "fourth")
"""What addresses and widgets call the models of a comparison, from left to right; Explore's is ``model``."""
LAST_SEED = 2**32 - 1
FIRST_UNSEEN = 200_042
"""Test systems start here (:class:`hri.core.config.DataConfig`); "another scene" draws from them."""
DATASETS = {system_name(tree, physics): (tree, physics) for tree, physics in USUAL.items()}
"""Published spring systems by name: tree and physics."""
RECORDED = "as recorded"
"""Stands for the data set of an uploaded rollout, which does not say where it is from."""


@dataclass(frozen=True)
class ModelSource:
    """Where scenes of one model come from: its checkpoint, stored rollouts, or both."""

    name: str
    path: Path | None = None
    stored: Path | None = None
    uploaded: bool = False

    @property
    def only_recorded(self) -> bool:
        """A visitor's file of rollouts, whose model is not here."""
        return self.uploaded and self.path is None


@dataclass(frozen=True)
class Scene:
    """What a page shows: a model, a scene, the visitor's edits, and the rollouts that these make."""

    source: ModelSource
    dataset: str
    seed: int
    original: Rollout
    """As the model predicts it when nobody interferes."""
    system: System | None = None
    """Drawn by the visitor, in place of data set and seed."""
    clip: VideoClip | None = None
    """The visitor's video, in place of all three."""
    intervention: Intervention = NOTHING
    edited: Rollout | None = None
    """From the same start with the edits; None without any."""

    @property
    def rollout(self) -> Rollout:
        """The one to watch."""
        return self.original if self.edited is None else self.edited

    @property
    def own(self) -> System | VideoClip | None:
        """What the visitor brought in place of data set and seed."""
        return self.system or self.clip


def sources() -> dict[str, ModelSource]:
    """All models there are, by name: the folder's files, stored rollouts, where each training stands, and what this
    visitor uploaded. Earlier moments of a training are there as soon as one of them is chosen.
    """
    files = {path.stem: path for path in sorted(places.CHECKPOINTS.glob("*.safetensors"))}
    stored_files = {path.stem: path for path in sorted(places.STORED.glob("*.npz"))}
    sources = {
        name: ModelSource(name, files.get(name), stored_files.get(name))
        for name in sorted(files.keys() | stored_files.keys())
    }
    uploads: dict[str, str] = st.session_state.get("uploads", {})
    boxes = ("model", *COMPARED)
    chosen = {str(values.get(key, "")) for values in (st.session_state, st.query_params) for key in boxes}
    looked_at = {name.rpartition("@")[0] for name in chosen}
    for run in sorted(folder.name for folder in runs.folders(places.RUNS)):
        moments = list(course(run).items())
        for name, path in moments if run in looked_at else moments[-1:]:
            sources[name] = ModelSource(name, path)
    return sources | {
        name: ModelSource(name, uploaded=True, **{"stored" if path.endswith(".npz") else "path": Path(path)})
        for name, path in uploads.items()
        if Path(path).is_file()
    }


def course(run: str) -> dict[str, Path]:
    """Checkpoints over the course of a run's training, by the names that a page and an address give them."""
    if not runs.NAME.fullmatch(run):
        return {}
    return {f"{run}@{update}": path for update, path in runs.checkpoints_of(places.RUNS / run).items()}


def first_choice(names: list[str]) -> int:
    """Position of the model that the page opens with."""
    with_scene = [name for name in names if (places.STORED / f"{name}.npz").is_file()]
    best = FAVOURITE if FAVOURITE in with_scene else next(iter(with_scene), names[0])
    return names.index(best)


def datasets(source: ModelSource) -> list[str]:
    """Data sets whose scenes a model can see: its own first; an image model sees any spring system."""
    config = config_of(source)
    if source.only_recorded:
        return [RECORDED]
    if config is None:
        return [next(iter(DATASETS))]
    scenes = source_of(config.data)
    others = [name for name in DATASETS if name != scenes.name] if scenes.simulated and config.model.sees_frames else []
    return [scenes.name, *others]


def can_make(source: ModelSource) -> bool:
    """Whether any scene of a model can be made here; else there are its stored ones.

    Raises:
        ValueError: the file cannot be read; one sentence.
    """
    config = config_of(source)
    return config is not None and source_of(config.data).here


def config_of(source: ModelSource) -> Config | None:
    """The configuration in a checkpoint's header; None where there is no checkpoint.

    Raises:
        ValueError: the file cannot be read; one sentence.
    """
    return None if source.path is None else header(source.path).config


def fields_of(source: ModelSource) -> Float[np.ndarray, "21 4"] | None:
    """What each image slot of a model can see; None for models of states, or without a checkpoint."""
    config = config_of(source)
    vision = config.model.vision if config else None
    return receptive_fields(vision, config.data.render) if config and vision else None


def ceiling_of(source: ModelSource) -> dict[str, Any] | None:
    """What a model's relations could find, where that was measured; None without a checkpoint.

    Raises:
        ValueError: the checkpoint cannot be read; one sentence.
    """
    if source.path is None:
        return None
    head = header(source.path)
    if ceilings.objection(head.config, head.parts):
        return None
    if ceiling := (head.metrics.get("test") or {}).get("ceiling"):
        return ceiling
    encoder = _encoder(source.path) if head.config.model.sees_frames else None
    return places.ceiling(head.config, encoder)


@shared_cache(64)
def _encoder(path: Path) -> str:
    return ceilings.encoder_of(path)


def edges_right(source: ModelSource) -> str:
    """Edges right on unseen systems, as the checkpoint's own test says, in words; "" where it says nothing of edges.

    Raises:
        ValueError: the checkpoint cannot be read; one sentence.
    """
    scores = ((header(source.path).metrics.get("test") or {}) if source.path else {}).get("edges")
    return ceilings.on_unseen(scores, ceiling_of(source)) if scores else ""


def edges_right_by_level(source: ModelSource) -> dict[str, str]:
    """The same of every two levels that can be right or wrong, by their names.

    Raises:
        ValueError: the checkpoint cannot be read; one sentence.
    """
    scores = ((header(source.path).metrics.get("test") or {}) if source.path else {}).get("edges")
    return ceilings.by_level(scores, ceiling_of(source), period=ceilings.main_period(scores)) if scores else {}


def window_of(source: ModelSource) -> int:
    """States that a model's edges are inferred from; 0 where that is not known.

    Raises:
        ValueError: the checkpoint cannot be read; one sentence.
    """
    config = config_of(source)
    return 0 if config is None else config.model.relations.full_window


@shared_cache(64)
def header(path: Path) -> Header:
    """A checkpoint's header, read anew when the file changes."""
    from hri.model.checkpoint import read_header

    return read_header(path)


def stored_seeds(source: ModelSource) -> list[int]:
    """What names each of the model's stored scenes: its seed, or its place in a file whose scenes have no seeds."""
    if source.stored is None:
        return []
    scenes = stored_scenes(source)
    seeds = [] if scenes.seeds is None else [int(seed) for seed in scenes.seeds]
    whole = seeds and min(seeds) >= 0 and max(seeds) <= LAST_SEED and len(set(seeds)) == len(seeds)
    return seeds if whole else list(range(len(scenes.slots)))


def stored_scenes(source: ModelSource) -> Rollout:
    """The model's stored scenes, of which there are some."""
    assert source.stored is not None
    return stored_rollout(source.stored)


@shared_cache(8)
def stored_rollout(path: Path) -> Rollout:
    """The scenes of one file, read anew when it changes."""
    return Rollout.load(path)


def is_stored(source: ModelSource, dataset: str, seed: int) -> bool:
    """Whether a scene can be shown without running the model."""
    return source.stored is not None and dataset == datasets(source)[0] and seed in stored_seeds(source)


def another_seed(source: ModelSource, seed: int) -> int:
    """A scene the model has not met; without a checkpoint, the next stored one."""
    if not can_make(source):
        seeds = stored_seeds(source) or [seed]
        return seeds[(seeds.index(seed) + 1) % len(seeds)] if seed in seeds else seeds[0]
    return random.randrange(FIRST_UNSEEN, FIRST_UNSEEN + 100_000)


def start_id(rollout: Rollout, by_model: bool = True) -> str:
    """A name for the system a scene shows, whatever is edited and whichever machine drew it.

    Args:
        rollout: of one scene.
        by_model: another name for each model.
    """
    seeds = [] if rollout.seeds is None else rollout.seeds.tolist()
    digest = hashlib.sha256(f"{rollout.checkpoint if by_model else ''} {seeds}".encode())
    if rollout.true_adjacency is not None:
        digest.update(np.asarray(rollout.true_adjacency, np.uint8).tobytes())
    if rollout.seeds is None or int(rollout.seeds[0]) < 0:  # drawn by hand: other places, another system
        digest.update(np.ascontiguousarray(rollout.slots[:, 0]).tobytes())
    return digest.hexdigest()[:16]

"""What pages share: which scenes and checkpoints there are, the caches, and what the address carries.

The only file with ``st.cache_*``. Nothing here imports torch until a scene is asked for that is not
stored: a visitor who only watches never waits for it.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from hri import figures, pictures, player
from hri.config import Config
from hri.records import Rollout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from hri.checkpoint import Checkpoint, Header

ROOT = Path(__file__).parent.parent
CHECKPOINTS = Path(os.environ.get("HRI_CHECKPOINTS", ROOT / "checkpoints"))
"""Folder of ``<name>.safetensors``; another one through the variable of that name."""
STORED = Path(os.environ.get("HRI_STORED", ROOT / "assets" / "stored"))
"""Folder of stored rollouts ``<name>.npz``, shown without running a model."""

FAVOURITE = "springs-4-3-slot-hri"
"""Opened first, if it is there."""
FREE_STEPS = 10
UPLOADS_KEPT = 20
"""Uploaded files of all visitors together; the oldest go first."""
LAST_SEED = 2**32 - 1
FIRST_UNSEEN = 200_042
"""Test systems start here (:class:`hri.config.DataConfig`); "another scene" draws from them."""

DATASETS = {"springs-4-3": ("4-3", "04"), "springs-3-3": ("3-3", "05")}
"""Published spring systems by name: tree and physics."""


@dataclass(frozen=True)
class Source:
    """Where scenes of one model come from: its checkpoint, stored rollouts, or both."""

    name: str
    path: Path | None = None
    stored: Path | None = None
    uploaded: bool = False


def sources() -> dict[str, Source]:
    """All models there are, by name: the folder's files, stored rollouts, and what this visitor uploaded."""
    files = {path.stem: path for path in sorted(CHECKPOINTS.glob("*.safetensors"))}
    stored = {path.stem: path for path in sorted(STORED.glob("*.npz"))}
    found = {name: Source(name, files.get(name), stored.get(name)) for name in sorted(files.keys() | stored.keys())}
    uploads: dict[str, str] = st.session_state.get("uploads", {})
    return found | {
        name: Source(name, Path(path), uploaded=True) for name, path in uploads.items() if Path(path).is_file()
    }


def first_choice(names: list[str]) -> int:
    """Position of the model that the page opens with."""
    with_scene = [name for name in names if (STORED / f"{name}.npz").is_file()]
    best = FAVOURITE if FAVOURITE in with_scene else next(iter(with_scene), names[0])
    return names.index(best)


# Scenes ------------------------------------------------------------------------------------------------


def datasets(source: Source) -> list[str]:
    """Data sets whose scenes a model can see: its own first; an image model sees any spring system."""
    config = config_of(source)
    if config is None:
        return [next(iter(DATASETS))]
    own = next(
        (n for n, d in DATASETS.items() if d == (config.data.tree, config.data.physics)), f"springs-{config.data.tree}"
    )
    return [own, *(name for name in DATASETS if name != own)] if config.model.vision else [own]


def config_of(source: Source) -> Config | None:
    """The configuration in a checkpoint's header; None where there is no checkpoint.

    Raises:
        ValueError: the file cannot be read; one sentence.
    """
    return None if source.path is None else header(source.path).config


def header(path: Path) -> Header:
    """A checkpoint's header, read anew when the file changes."""
    return _header(path, path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_resource(max_entries=64, show_spinner=False)
def _header(path: Path, changed: int) -> Header:
    from hri.checkpoint import read_header

    return read_header(path)


def stored_seeds(source: Source) -> list[int]:
    """Seeds of the model's stored scenes."""
    if source.stored is None:
        return []
    seeds = _stored(source.stored, source.stored.stat().st_mtime_ns).seeds
    return [] if seeds is None else [int(seed) for seed in seeds]


def standing(source: Source, dataset: str, seed: int) -> str:
    """Where a scene comes from and whether the model has met it, in a few words."""
    origin = "Stored rollout" if is_stored(source, dataset, seed) else "Computed by the model now"
    config = config_of(source)
    if config is None:
        return f"{origin}."
    own = dataset == datasets(source)[0]
    met = own and seed in config.data.seeds("train")
    return f"{origin}; the system was {'part of its training' if met else 'never seen in training'}."


def is_stored(source: Source, dataset: str, seed: int) -> bool:
    """Whether a scene can be shown without running the model."""
    return source.stored is not None and dataset == datasets(source)[0] and seed in stored_seeds(source)


def another_seed(source: Source, seed: int) -> int:
    """A scene the model has not met; without a checkpoint, the next stored one."""
    if source.path is None:
        seeds = stored_seeds(source)
        return seeds[(seeds.index(seed) + 1) % len(seeds)] if seed in seeds else seeds[0]
    return random.randrange(FIRST_UNSEEN, FIRST_UNSEEN + 100_000)


def rollout(source: Source, dataset: str, seed: int) -> Rollout:
    """The model's rollout of one scene: the stored one where there is one, else computed now.

    Raises:
        ValueError: no checkpoint to compute it with, or one that cannot; one sentence.
    """
    if source.stored is not None and is_stored(source, dataset, seed):
        scenes = _stored(source.stored, source.stored.stat().st_mtime_ns)
        return scenes.scene(stored_seeds(source).index(seed))
    if source.path is None:
        seeds = ", ".join(map(str, stored_seeds(source)))
        raise ValueError(f"{source.name} has no checkpoint here, only stored scenes; choose seed {seeds}.")
    return _live(source.path, source.path.stat().st_mtime_ns if source.path.exists() else 0, dataset, seed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _stored(path: Path, changed: int) -> Rollout:
    return Rollout.load(path)


@st.cache_resource(max_entries=16, show_spinner=False)  # a SlotDec scene holds about 10 MB
def _live(path: Path, changed: int, dataset: str, seed: int) -> Rollout:
    import torch

    from hri.hierarchy import Tree
    from hri.render import draw
    from hri.rollout import from_frames, roll_out
    from hri.simulate import simulate

    # One scene is many small operations: more threads would mostly wait for each other and for other visitors.
    # The setting belongs to a thread, and every visitor's page runs in its own.
    torch.set_num_threads(1)
    checkpoint, lock = _checkpoint(path, changed)
    config = checkpoint.header.config
    tree, physics = DATASETS.get(dataset, (config.data.tree, config.data.physics))
    scene = simulate(Tree.parse(tree), physics, [seed])
    with lock:
        if tree == config.data.tree:
            return roll_out(checkpoint, scene, free_steps=FREE_STEPS)
        # An image model needs no particular tree: it is shown the frames.
        times = scene.positions.shape[1]
        frames = draw(scene.positions[0], Tree.parse(tree), config.data.render, np.full(times, seed))[None]
        states = checkpoint.header.normalisation.states(scene.positions, scene.velocities)
        return from_frames(
            checkpoint, frames, FREE_STEPS, seeds=scene.seeds, true_adjacency=scene.adjacency, true_states=states
        )


@st.cache_resource(max_entries=6, show_spinner=False)
def _checkpoint(path: Path, changed: int) -> tuple[Checkpoint, threading.Lock]:
    """A model shared by all visitors, and the lock that lets one of them run it at a time."""
    from hri.checkpoint import load

    return load(path), threading.Lock()


# Uploads -----------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _upload_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hri-uploads-")


def accept_upload(name: str, content: bytes) -> str:
    """Check an uploaded checkpoint and add it to this visitor's list; its name there.

    Raises:
        ValueError: not a checkpoint that can run; one sentence.
    """
    digest = hashlib.sha256(content).hexdigest()
    stem = Path(name).stem[:60] or "upload"
    folder = Path(_upload_folder().name) / digest[:24]
    folder.mkdir(exist_ok=True)
    path = folder / f"{''.join(c if c.isalnum() or c in '-_.' else '-' for c in stem)}.safetensors"
    path.write_bytes(content)
    try:
        if header(path).parts != "all":
            raise ValueError(
                f"{path.name} holds encoder and decoder only, so it cannot predict; choose a complete checkpoint"
            )
        _checkpoint(path, path.stat().st_mtime_ns)
    except ValueError:
        path.unlink(missing_ok=True)
        raise
    others = sorted(Path(_upload_folder().name).glob("*/*"), key=lambda file: file.stat().st_mtime)
    for old in others[:-UPLOADS_KEPT]:
        old.unlink(missing_ok=True)
    label = f"{path.stem} (uploaded)"
    st.session_state.setdefault("uploads", {})[label] = str(path)
    return label


# What the page draws from ------------------------------------------------------------------------------


@st.cache_resource(max_entries=32, show_spinner=False)
def interaction_graph(
    parents: tuple[int, ...], pairs: tuple[tuple[int, int], ...], edge_types: int, layout: figures.Layout, springs: bool
) -> Figure:
    """The unpainted graph; one object for all scenes, because another object would lose the visitor's zoom."""
    from hri.hierarchy import Tree

    return figures.interaction_graph(
        Tree(parents), np.array(pairs, dtype=int).reshape(-1, 2), edge_types, layout, springs
    )


def payload(kind: str, rollout: Rollout, *options: Any) -> dict[str, Any]:
    """What one part of the player is sent, prepared once a scene."""
    return _payload(kind, scene_id(rollout), options, rollout)


@st.cache_resource(max_entries=48, show_spinner=False)
def _payload(kind: str, scene: str, options: tuple[Any, ...], _rollout: Rollout) -> dict[str, Any]:
    if kind == "graph":
        pairs, layout = options
        return player.graph_data(_rollout, pictures.edge_rows(_rollout, pairs), layout)
    return player.image_data(_rollout) if kind == "images" else player.timeline_data(_rollout)


def scene_id(rollout: Rollout) -> str:
    """A name for exactly these numbers: what keeps the parts of the page on one scene."""
    digest = hashlib.sha256(rollout.checkpoint.encode())
    for array in (rollout.slots, rollout.predicted_slots, rollout.edge_types, rollout.edge_probabilities):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]

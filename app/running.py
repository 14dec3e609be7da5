"""What models compute for a page, once for all visitors, who take turns with a model.

Nothing here imports torch until a scene is asked for that is not stored.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app import library
from app.compute import shared_cache
from app.library import ModelSource, Scene
from hri.core.records import Rollout
from hri.data.sources import source_of
from hri.rollout.interventions import NOTHING, Intervention
from hri.rollout.settings import STANDARD, settings_of

if TYPE_CHECKING:
    from hri.data.video import Footage, VideoClip
    from hri.model.checkpoint import Checkpoint
    from hri.physics.systems import System
    from hri.rollout.composition import Composition
    from hri.rollout.influence import Influence
    from hri.rollout.likeness import Familiar, Seen
    from hri.rollout.phases import Phases
    from hri.scores.ranking import Ranker


def rollout(
    source: ModelSource,
    dataset: str,
    seed: int,
    intervention: Intervention = NOTHING,
    own: System | VideoClip | None = None,
    live: bool = False,
) -> Rollout:
    """The model's rollout of one scene: the stored one where there is one made with the usual settings, else a new one.

    Args:
        intervention: edits; nothing with edits is ever stored.
        own: what the visitor drew or filmed, in place of data set and seed.
        live: compute it even where it is stored: beside edits, another machine's last digits would look like theirs.

    Raises:
        ValueError: no checkpoint to compute it with, or one that cannot; edits that do not fit the model; one sentence.
    """
    live = live or bool(intervention.edits) or own is not None
    if not live and source.stored is not None and library.is_stored(source, dataset, seed):
        scenes = library.stored_scenes(source)
        if source.path is None or settings_of(scenes) == STANDARD:
            return scenes.scene(library.stored_seeds(source).index(seed))
    if source.path is None:
        if live:
            raise ValueError(
                f"{source.name} has no checkpoint here, only stored scenes, so the scene cannot be computed again."
            )
        seeds = ", ".join(map(str, library.stored_seeds(source)))
        raise ValueError(f"{source.name} has no checkpoint here, only stored scenes; choose seed {seeds}.")
    if own is None and not library.is_stored(source, dataset, seed):
        _check_recorded(source)
    if own is None and library.is_stored(source, dataset, seed) and not library.can_make(source):
        return _live_again(source, seed, intervention)
    return _live(source.path, dataset, seed, intervention, own)


@shared_cache(16)  # a SlotDec scene holds about 10 MB
def _live(path: Path, dataset: str, seed: int, intervention: Intervention, own: System | VideoClip | None) -> Rollout:
    import torch

    from hri.core.hierarchy import Tree
    from hri.data.video import VideoClip
    from hri.rollout.rollout import again, roll_out
    from hri.rollout.scenes import scenes_of

    # One scene is many small operations: more threads would mostly wait for each other and for other visitors.
    # The setting belongs to a thread, and every visitor's page runs in its own.
    torch.set_num_threads(1)
    checkpoint, lock = checkpoint_of(path)
    config = checkpoint.header.config
    if intervention.edits:
        original = _live(path, dataset, seed, NOTHING, own)
        with lock:
            return again(checkpoint, original, intervention)
    if isinstance(own, VideoClip):
        return _footage_rollout(path, own).rollout
    tree, physics = library.DATASETS.get(dataset, (config.data.tree, config.data.physics))
    if own is not None:
        tree = own.tree
        if config.data.force.flat and own.physics != physics:
            raise ValueError(f"{path.stem} knows {config.data.force.parts}, and what you drew is of another kind.")
    data = replace(config.data, tree=tree, physics=physics)
    scene = scenes_of(data, [seed]) if own is None else own.simulate()
    with lock:
        return roll_out(checkpoint, scene, tree=Tree.parse(tree))


@shared_cache(16)
def _live_again(source: ModelSource, seed: int, intervention: Intervention) -> Rollout:
    """A stored scene rolled out anew from its own true states, where its recordings are not here to cut it from."""
    import torch

    from hri.rollout.rollout import again

    assert source.path is not None
    assert source.stored is not None
    torch.set_num_threads(1)  # as for any scene
    checkpoint, lock = checkpoint_of(source.path)
    scenes = library.stored_scenes(source)
    with lock:
        return again(checkpoint, scenes.scene(library.stored_seeds(source).index(seed)), intervention, STANDARD)


def _check_recorded(source: ModelSource) -> None:
    """Refuse scenes that would have to be cut from recordings that are not here.

    Raises:
        ValueError: with the seeds that are stored, and how to get the recordings.
    """
    config = library.config_of(source)
    if config is None or (scenes := source_of(config.data)).here:
        return
    seeds = ", ".join(map(str, library.stored_seeds(source)))
    alternative = f"choose seed {seeds}, whose scenes are stored, or " if seeds else ""
    raise ValueError(f"What this model was trained on is not here: {alternative}get it with `{scenes.how_to_get}`.")


@shared_cache(6)
def checkpoint_of(path: Path) -> tuple[Checkpoint, threading.Lock]:
    """A model shared by all visitors, and the lock that lets one of them run it at a time.

    Raises:
        ValueError: the file cannot be read; one sentence.
    """
    from hri.model.checkpoint import load

    return load(path), threading.Lock()


def seen_of(source: ModelSource, clip: VideoClip) -> Seen:
    """A clip, the model's rollout of it, and how well the model knows such frames.

    Raises:
        ValueError: no checkpoint, a model of states, or a clip that cannot be taken; one sentence.
    """
    if source.path is None:
        raise ValueError(f"{source.name} has no checkpoint here, only stored scenes, so it cannot predict a clip.")
    return _footage_rollout(source.path, clip)


@shared_cache(6)
def _footage_rollout(path: Path, clip: VideoClip) -> Seen:
    import torch

    from hri.rollout.likeness import footage_for, roll_out_footage

    torch.set_num_threads(1)  # as for a scene
    checkpoint, lock = checkpoint_of(path)
    if not clip.path.is_file():
        raise ValueError(f"{clip.name} is no longer kept here: upload it again")
    footage = footage_for(checkpoint, clip.path, clip.name, clip.cut)
    range_ = _familiar(path)
    with lock:
        return roll_out_footage(checkpoint, footage, range_=range_)


@shared_cache(16)
def _familiar(path: Path) -> Familiar:
    from hri.rollout.likeness import familiar

    checkpoint, lock = checkpoint_of(path)
    with lock:
        return familiar(checkpoint)


@shared_cache(12)  # at most 2.5 MB each
def footage(clip: VideoClip, size: int, channels: int) -> Footage:
    """The frames of a clip, without any model.

    Raises:
        ValueError: a clip that cannot be taken; one sentence.
    """
    from hri.data.video import read

    return read(clip.path, clip.name, size, channels, clip.cut)


def standing(scene: Scene) -> str:
    """Where what is shown comes from and whether the model has met the system, in a few words."""
    source, dataset, seed = scene.source, scene.dataset, scene.seed
    is_stored = scene.edited is None and scene.own is None and library.is_stored(source, dataset, seed)
    origin = "Stored rollout" if is_stored else "Computed by the model now"
    config = library.config_of(source)
    if config is None:
        return f"{origin}." if not source.only_recorded else f"From your file, made by {_named_model(scene)}."
    if scene.system is not None:
        return f"{origin}; you drew the system."
    if scene.clip is not None:
        alike = seen_of(source, scene.clip).likeness.alike
        return f"{origin}; your clip, {'like' if alike else 'unlike'} what it was trained on."
    scenes = source_of(config.data)
    if not scenes.simulated:
        return f"{origin}; {scenes.standing(seed)}."
    met = dataset == library.datasets(source)[0] and seed in config.data.seeds("train")
    return f"{origin}; the system was {'part of its training' if met else 'never seen in training'}."


def beyond(scene: Scene) -> str:
    """A sentence where the scene lies outside what its model was trained on, as far as states tell; else ""."""
    from hri.rollout.reach import beyond as leaves

    config = library.config_of(scene.source)
    if config is None or scene.original.observation != "states":
        return ""
    return leaves(config.data, scene.original, scene.source.name)


def _named_model(scene: Scene) -> str:
    name = scene.original.checkpoint
    return f"`{name}`" if re.fullmatch(r"[A-Za-z0-9@._-]{1,60}", name) else "a model without a name"


def influence_of(scene: Scene) -> Influence:
    """How far predictions of the scene, edited as it is, move without each edge.

    Raises:
        ValueError: no checkpoint to roll out with, or a model without messages; one sentence.
    """
    path = scene.source.path
    if path is None:
        raise ValueError(
            f"{scene.source.name} has no checkpoint here, only stored scenes, so the scene cannot be computed again."
        )
    live = rollout(scene.source, scene.dataset, scene.seed, scene.intervention, scene.own, live=True)
    return _influence(path, live)


@shared_cache(16)
def _influence(path: Path, rollout: Rollout) -> Influence:
    import torch

    from hri.rollout.influence import influence

    torch.set_num_threads(1)  # as for a scene
    checkpoint, lock = checkpoint_of(path)
    with lock:
        return influence(checkpoint, rollout)


def ranker_of(scene: Scene) -> Ranker:
    """Who ranks seeds of the scene's data set for its checkpoint, one for all visitors.

    Raises:
        ValueError: no checkpoint to predict with, or one of recordings; one sentence.
    """
    path = scene.source.path
    if path is None:
        raise ValueError(f"{scene.source.name} has no checkpoint here, only stored scenes, so no seeds can be scored.")
    scenes = source_of(library.header(path).config.data)
    if not scenes.simulated:
        raise ValueError(
            f"{scene.source.name} predicts {scenes.label}, which no seed simulates; choose a model of springs."
        )
    return _ranker(path, scene.dataset)


@shared_cache(8, spinner="Loading the model …")
def _ranker(path: Path, dataset: str) -> Ranker:
    from hri.scores.ranking import Ranker

    checkpoint, lock = checkpoint_of(path)
    data = checkpoint.header.config.data
    tree, physics = library.DATASETS.get(dataset, (data.tree, data.physics))
    return Ranker(checkpoint, lock, tree=tree, physics=physics)


def phases_of(scene: Scene, step: int) -> tuple[Rollout, Phases]:
    """What happens inside one step of the scene, edited as it is, and the rollout that it is a step of.

    Raises:
        ValueError: no checkpoint to look into; one sentence.
    """
    path = scene.source.path
    if path is None:
        raise ValueError(f"{scene.source.name} has no checkpoint here, only stored scenes, so no step can be opened.")
    live = rollout(scene.source, scene.dataset, scene.seed, scene.intervention, scene.own, live=True)
    return live, _phases(path, live, step)


@shared_cache(64)
def _phases(path: Path, rollout: Rollout, step: int) -> Phases:
    import torch

    from hri.rollout.phases import phases

    torch.set_num_threads(1)  # as for a scene
    checkpoint, lock = checkpoint_of(path)
    with lock:
        return phases(checkpoint, rollout, step)


def parts_of(scene: Scene) -> tuple[dict[str, Any], float, Composition]:
    """What each leaf slot does to the pictures: for the player, the largest share of any, and how far they add up.

    Raises:
        ValueError: a model that sees states, or one that is not here to mute its slots; one sentence.
    """
    rollout, path = scene.rollout, scene.source.path
    if rollout.slot_frames is None and path is None:
        raise ValueError(f"{scene.source.name} has no checkpoint here, only stored scenes, so no slot can be muted.")
    return _parts(path, rollout)


@shared_cache(32)
def _parts(path: Path | None, rollout: Rollout) -> tuple[dict[str, Any], float, Composition]:
    import torch

    from hri.rollout.composition import compositionality, own_effects, slot_effects
    from hri.view.player_compare import shares_data

    if path is None:  # pictures are stored with fewer digits than a model draws
        effects = own_effects(rollout)
        assert effects is not None
    else:
        torch.set_num_threads(1)  # as for a scene
        checkpoint, lock = checkpoint_of(path)
        with lock:
            effects = slot_effects(checkpoint, rollout)
    return shares_data(rollout, effects), float(np.nan_to_num(effects.shares).max()), compositionality(effects)

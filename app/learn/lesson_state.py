"""Caches of the Learn page, apart from those of :mod:`app.running` because only lessons ask for such rollouts."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app import bodies, library, running
from app.compute import shared_cache
from hri.core.records import Rollout
from hri.rollout.interventions import NOTHING, Intervention

if TYPE_CHECKING:
    from app.learn.game import Judges, Round
    from hri.model.checkpoint import Checkpoint
    from hri.physics.systems import Pair
    from hri.rollout.composition import SlotEffects
    from hri.rollout.influence import Influence
    from hri.rollout.phases import Phases
    from hri.scores.body_relations import BodyRelations


def path_of(model: str) -> Path:
    """The checkpoint of a model.

    Raises:
        ValueError: it is not there; one sentence.
    """
    source = library.sources().get(model)
    if source is None or source.path is None:
        raise ValueError(f"This lesson needs the checkpoint {model}.safetensors, which is not in the folder.")
    return source.path


def edges_right(model: str) -> str:
    """Edges right of a model on unseen systems, in words; "" where it is not there or says nothing of edges."""
    source = library.sources().get(model)
    return "" if source is None else library.edges_right(source)


def rollout(model: str, seed: int, edits: Intervention = NOTHING, dataset: str = "springs-4-3") -> Rollout:
    """A model's rollout of a scene, with the usual free steps; a stored one where there is one.

    Raises:
        ValueError: the model is not there, or the edits do not fit it; one sentence.
    """
    source = library.sources().get(model)
    if source is None:
        raise ValueError(f"This lesson needs the model {model}, which is not in the folder of checkpoints.")
    return running.rollout(source, dataset, seed, intervention=edits)


def rollout_from(model: str, seed: int, frames_seen: int, pictures: bool = False) -> Rollout:
    """The same of a 4-3 scene, with only so many true frames.

    Raises:
        ValueError: the model is not there.
    """
    return _rollout_from(path_of(model), seed, frames_seen, pictures)


@shared_cache(64)  # states: half a megabyte each
def _rollout_from(path: Path, seed: int, frames_seen: int, pictures: bool) -> Rollout:
    from hri.core.hierarchy import Tree
    from hri.physics.springs import simulate
    from hri.rollout.rollout import roll_out

    checkpoint, lock = alone(path)
    scene = simulate(Tree.parse("4-3"), "04", [seed])
    with lock:
        return roll_out(checkpoint, scene, free_steps=scene.positions.shape[1] - frames_seen + 1, pictures=pictures)


def phases(model: str, rollout: Rollout, step: int) -> Phases:
    """What happens inside one step of a rollout."""
    return _phases(path_of(model), rollout, step)


@shared_cache(32)
def _phases(path: Path, rollout: Rollout, step: int) -> Phases:
    from hri.rollout.phases import phases

    checkpoint, lock = alone(path)
    with lock:
        return phases(checkpoint, rollout, step)


def body(model: str) -> tuple[BodyRelations, int]:
    """What can be said of a model's relations between joints in its stored scenes; and the seed of the first of these.

    Raises:
        ValueError: the model is not there, or none of its scenes are stored; one sentence.
    """
    path, source = path_of(model), library.sources()[model]
    if source.stored is None:
        raise ValueError(f"This lesson needs stored scenes of {model}, which are not in the folder.")
    return bodies.relations_in(path, source.stored, (), library.window_of(source)), library.stored_seeds(source)[0]


def influence(model: str, rollout: Rollout) -> Influence:
    """How far the predictions of a rollout move without each edge."""
    return _influence(path_of(model), rollout)


@shared_cache(16)
def _influence(path: Path, rollout: Rollout) -> Influence:
    from hri.rollout.influence import influence

    checkpoint, lock = alone(path)
    with lock:
        return influence(checkpoint, rollout)


def effects(model: str, rollout: Rollout, frame: int) -> SlotEffects:
    """What each slot does to one predicted picture."""
    return _effects(path_of(model), rollout, frame)


@shared_cache(16)
def _effects(path: Path, rollout: Rollout, frame: int) -> SlotEffects:
    from hri.rollout.composition import slot_effects

    checkpoint, lock = alone(path)
    with lock:
        return slot_effects(checkpoint, rollout, [frame])


def game_answer(question: Round, model: str) -> frozenset[Pair]:
    """The pairs of a round of the game that a model takes for joined.

    Raises:
        ValueError: it is not there.
    """
    return _game_answer(path_of(model), question)


@shared_cache(200)
def _game_answer(path: Path, question: Round) -> frozenset[Pair]:
    from app.learn.game import answer

    judges = _judges(path)
    checkpoint, lock = alone(path)
    with lock:
        return answer(checkpoint, question, judges)


@shared_cache(4)
def _judges(path: Path) -> Judges:
    from app.learn.game import calibrate

    checkpoint, lock = alone(path)
    with lock:
        return calibrate(checkpoint)


def alone(path: Path) -> tuple[Checkpoint, threading.Lock]:
    """A model, and the lock to hold while it runs."""
    import torch

    torch.set_num_threads(1)  # as for a scene: small operations, many visitors
    return running.checkpoint_of(path)

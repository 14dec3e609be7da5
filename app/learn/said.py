"""What every lesson says of one scene once a class has followed it: the answers of a hand-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from app.learn import statements as lessons
from app.learn import statements_models as lessons_models
from app.learn import statements_pictures as lessons_pictures
from app.learn.course import STATE_MODEL
from hri.core.hierarchy import Tree
from hri.core.records import Rollout, Trajectories
from hri.model.checkpoint import Checkpoint, load
from hri.physics.springs import simulate
from hri.rollout.composition import slot_effects
from hri.rollout.edits import Curtain
from hri.rollout.influence import influence
from hri.rollout.interventions import Intervention
from hri.rollout.phases import phases
from hri.rollout.rollout import again, roll_out

TREE = Tree.parse("4-3")
RIVALS = {"HRI": STATE_MODEL, "NRI": "springs-4-3-state-nri", "LSTM": "springs-4-3-state-lstm"}
PICTURES = {"SlotDec": "springs-4-3-slot-hri", "ParDec": "springs-4-3-par-hri"}
DONE: Mapping[str, dict[str, Any]] = {
    "springs": {"pair": (1, 4)},
    "slots": {"places": {6: (0.0, -0.6)}, "shown": (5, 6, 7)},
    "decoders": {"frame": 20, "slot": 10},
    "beliefs": {"seen": 10},
    "chance": {"probability": 0.7, "temperature": 0.1},
    "messages": {"step": 20, "leaf": 5, "phase": 4},
    "future": {"free": 40},
    "limits": {"left": 10, "top": 10, "case": "curtain"},
}
"""What a class has chosen in each lesson that asks for a choice."""


class Scene:
    """One system under the models of the course; nothing is computed before it is asked for.

    Args:
        folder: of the checkpoints.
        seed: of the 4-3 system.
    """

    def __init__(self, folder: Path, seed: int):
        self.folder, self.seed = folder, seed
        self._models: dict[str, Checkpoint] = {}
        self._rollouts: dict[str, Rollout] = {}

    @cached_property
    def system(self) -> Trajectories:
        return simulate(TREE, "04", [self.seed])

    def model(self, name: str) -> Checkpoint:
        """A checkpoint of the folder.

        Raises:
            ValueError: it is not there or cannot be read.
        """
        if name not in self._models:
            self._models[name] = load(self.folder / f"{name}.safetensors")
        return self._models[name]

    def rollout(self, name: str) -> Rollout:
        """Its rollout of the scene."""
        if name not in self._rollouts:
            self._rollouts[name] = roll_out(self.model(name), self.system)
        return self._rollouts[name]


def said(scene: Scene, keys: list[str]) -> dict[str, str]:
    """The statement of each lesson.

    Raises:
        ValueError: a checkpoint is not there or cannot be read.
    """
    return {key: _SAID[key](scene, **DONE.get(key, {})) for key in keys}


def _springs(scene: Scene, pair: tuple[int, int]) -> str:
    return lessons.apart(lessons.family(scene.seed), pair).says()


def _parts(scene: Scene) -> str:
    return lessons.grouped(scene.system, TREE).says()


def _slots(scene: Scene, places: dict[int, tuple[float, float]], shown: tuple[int, ...]) -> str:
    start = scene.system.positions[0, 0]
    moved = start.copy()
    for ball, place in places.items():
        moved[ball] = np.array(place)
    before, after = (lessons_pictures.picture_of(x, TREE, shown) for x in (start, moved))
    return lessons_pictures.slot_change(scene.model(PICTURES["SlotDec"]), before, after).says()


def _decoders(scene: Scene, frame: int, slot: int) -> str:
    effects = {name: slot_effects(scene.model(file), scene.rollout(file), [frame]) for name, file in PICTURES.items()}
    return lessons_pictures.muted(effects, slot).says()


def _beliefs(scene: Scene, seen: int) -> str:
    return lessons.beliefs(scene.rollout(STATE_MODEL)).says(seen)


def _chance(scene: Scene, probability: float, temperature: float) -> str:
    return lessons_models.draws(probability, temperature).says()


def _messages(scene: Scene, step: int, leaf: int, phase: int) -> str:
    rollout = scene.rollout(STATE_MODEL)
    return lessons_models.heard(TREE, phases(scene.model(STATE_MODEL), rollout, step), rollout, leaf).says(phase)


def _future(scene: Scene, free: int) -> str:
    return lessons_models.horizon(roll_out(scene.model(STATE_MODEL), scene.system, free, pictures=False)).says()


def _cutting(scene: Scene) -> str:
    rollout = scene.rollout(STATE_MODEL)
    found = lessons_models.causes(rollout, influence(scene.model(STATE_MODEL), rollout))
    return found.says(int(found.effect.argmax()), TREE)


def _hierarchy(scene: Scene) -> str:
    return lessons_models.contest([scene.rollout(name) for name in RIVALS.values()], list(RIVALS)).says()


def _limits(scene: Scene, left: int, top: int, case: str) -> str:
    name = PICTURES["SlotDec"]
    usual = scene.rollout(name)
    covered = again(scene.model(name), usual, Intervention((Curtain(left, top),)))
    return lessons_models.curtain_failure(usual, covered, left, top).says()


_SAID: dict[str, Callable[..., str]] = {
    "springs": _springs,
    "parts": _parts,
    "slots": _slots,
    "decoders": _decoders,
    "beliefs": _beliefs,
    "chance": _chance,
    "messages": _messages,
    "future": _future,
    "cutting": _cutting,
    "hierarchy": _hierarchy,
    "limits": _limits,
}

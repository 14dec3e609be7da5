"""A checkpoint and a scene to what the model sees, believes and predicts; with edits, if a visitor makes some.

In reading order; a file imports only those above it:

- edit_kind, edits, edit_text, interventions, settings, steering: what any edit declares; every kind; as text; a list of
  edits; how a rollout is made; what both ask of a model
- scenes, imaging: what a checkpoint is shown; slots to pixels
- predicted, predict, rollout: prediction beside truth; the model run; a checkpoint, scenes and edits to a Rollout
- influence, phases, composition, untrained: what each edge does; what happens inside one step; what each slot draws;
  the same by a model that has learned nothing
- at_once: all of it in one call
- likeness, far, reach, rollout_files: whether a clip is like the training data; whether states are, and lie in its
  range; rollouts from strangers, checked
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _AtOnce(ModuleType):
    """So that ``hri.rollout(...)`` is a call (:func:`hri.rollout.at_once.rollout_of`), beside the files in here."""

    def __call__(self, *scene: Any, **choices: Any) -> Any:
        from hri.rollout.at_once import rollout_of

        return rollout_of(*scene, **choices)


sys.modules[__name__].__class__ = _AtOnce

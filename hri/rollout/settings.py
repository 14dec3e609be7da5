"""How a rollout is made, said once: for Python, the command, the pages, the record, scripts and caches. No torch."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from hri.core.limits import Between, check_limits
from hri.core.records import Rollout
from hri.rollout.edit_kind import MAX_STEP, EdgeChoice
from hri.rollout.interventions import NOTHING, Intervention

EdgesFrom = Literal["predictions", "truth"]

SCORED_FREE_STEPS = 5
"""n free steps of every reported likelihood, in validation too, as in the paper: figures of other n do not compare."""


@dataclass(frozen=True)
class Settings:
    """How a rollout is made, beside its checkpoint and its scene.

    A training has an n of its own (:attr:`hri.core.optimisation.TrainConfig.free_steps`), which belongs to the model
    that it makes.
    """

    free_steps: Annotated[int, Between(1, MAX_STEP)] = 10
    """n of the paper's "n free steps": inputs at frames 0 ... T - n are true."""
    edges: EdgeChoice = "argmax"
    """The most probable type (argmax), a draw from the probabilities (sample), the true springs (true), no interaction
    at all (none)."""
    edges_from: EdgesFrom = "predictions"
    """What edges of free steps are inferred from; truth is the published evaluation, which peeks."""
    seed: Annotated[int, Between(0, 2**32 - 1)] = 0
    """Of the draws of edges = sample."""
    intervention: Intervention = NOTHING
    """What is changed in it, the same in every scene."""

    @staticmethod
    def of(settings: Settings | int, **choices: Any) -> Settings:
        """The same settings but for those that are named.

        Args:
            settings: where the others are from; a number stands for the standard ones with so many free steps.
        """
        start = settings if isinstance(settings, Settings) else dataclasses.replace(STANDARD, free_steps=settings)
        return dataclasses.replace(start, **choices)

    def check(self, steps: int) -> None:
        """Refuse what no rollout of scenes of ``steps`` frames can be made with.

        Raises:
            ValueError: too few frames, a word that is no choice, or a number out of range; one sentence.
        """
        if not 1 <= self.free_steps <= steps - 1:
            raise ValueError(f"{self.free_steps} free steps do not fit {steps} frames; choose 1 to {steps - 1}")
        for name, hint in typing.get_type_hints(Settings).items():
            value, words = getattr(self, name), typing.get_args(hint)
            if typing.get_origin(hint) is Literal and value not in words:
                raise ValueError(f"unknown {name} {value!r}; choose from {', '.join(words)}")
        check_limits(self)

    def to_record(self, steps: int) -> dict[str, Any]:
        """The same as fields of the record of scenes of ``steps`` frames; :func:`recorded_values` reads them."""
        return {
            "last_true_input": steps - self.free_steps,
            "edges": self.edges,
            "edges_from": self.edges_from,
            "sample_seed": self.seed,
            "edits": self.intervention.to_json() if len(self.intervention) else "",
        }

    @property
    def identity(self) -> list[object]:
        """Equal for settings that do the same, whatever order their edits were made in; plain JSON types."""
        values = (getattr(self, item.name) for item in dataclasses.fields(self))
        return [value.identity if isinstance(value, Intervention) else value for value in values]


STANDARD = Settings()
"""What every command and page does unless told otherwise, and what stored rollouts are made with."""


def recorded_values(rollout: Rollout) -> dict[str, Any]:
    """How a rollout says it was made, by the names of :class:`Settings`; the words of a stranger's may be any.

    Raises:
        ValueError: edits that cannot be read.
    """
    return {
        "free_steps": rollout.slots.shape[1] - int(rollout.last_true_input),
        "edges": str(rollout.edges),
        "edges_from": str(rollout.edges_from),
        "seed": int(rollout.sample_seed),
        "intervention": Intervention.parse(rollout.edits) if rollout.edits else NOTHING,
    }


def settings_of(rollout: Rollout) -> Settings:
    """How a rollout was made; :meth:`Settings.check` refuses what no rollout can be made with.

    Raises:
        ValueError: edits that cannot be read.
    """
    return Settings(**recorded_values(rollout))

"""Several rollouts of one scene side by side: errors in one unit, and how far two pictures differ.

NumPy only. Only what is fair is compared: the same true frames, the same burn-in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

from hri.core.records import Rollout
from hri.rollout.predicted import predicted_nodes, values_to_score

MOST = 4
"""Rollouts that one comparison takes."""


@dataclass(frozen=True)
class RolloutComparison:
    """Mean squared errors of M rollouts for each of the F predicted frames 1 ... T - 1."""

    names: tuple[str, ...]
    unit: str
    errors: Float[np.ndarray, "M F"]
    copy: Float[np.ndarray, " F"]
    """What repeating the last true frame would score: the line to stay below."""
    last_true_input: int

    @property
    def burn_in(self) -> Float[np.ndarray, " M"]:
        """Mean error of the frames predicted from true inputs."""
        return self.errors[:, : self.last_true_input + 1].mean(1)

    @property
    def free_run(self) -> Float[np.ndarray, " M"]:
        """Mean error of the frames predicted from predictions; NaN where there are none."""
        free = self.errors[:, self.last_true_input + 1 :]
        return free.mean(1) if free.shape[1] else np.full(len(free), np.nan)


def compare(rollouts: Sequence[Rollout]) -> RolloutComparison:
    """Errors of two to four rollouts of one scene: of states where all see the same ones, else of pixels.

    Where one of them predicts leaves only, states of leaves are compared. Pixels tell of models that see images, and
    of all where some see states and others images (:func:`caveat` says what that is worth).

    Raises:
        ValueError: too few or too many, several scenes, another scene or burn-in, or nothing they have in common.
    """
    check_comparable(rollouts)
    first = rollouts[0]
    if not _share_states(rollouts) and all(r.frames is not None and r.predicted_frames is not None for r in rollouts):
        unit, truth = "pixels in 0 … 1", first.frames[0] / np.float32(255)  # type: ignore[index]
        predictions = [r.predicted_frames[0].astype(np.float32) for r in rollouts]  # type: ignore[index]
    else:
        unit, truth = "normalised states", first.slots[0]
        predictions = [in_units_of(first, r, predicted_nodes(r)) for r in rollouts]
        in_all = np.isfinite(np.stack(predictions)).all((0, 1, 3))
        truth, predictions = truth[:, in_all], [nodes[:, in_all] for nodes in predictions]
    axes = tuple(range(1, truth.ndim))
    inputs = np.minimum(np.arange(len(truth) - 1), first.last_true_input)
    return RolloutComparison(
        names=tuple(r.checkpoint for r in rollouts),
        unit=unit,
        errors=np.stack([np.square(p - truth[1:]).mean(axes) for p in predictions]),
        copy=np.square(truth[inputs] - truth[1:]).mean(axes),
        last_true_input=int(first.last_true_input),
    )


def _share_states(rollouts: Sequence[Rollout]) -> bool:
    """Whether all see the same states; training sets normalise each in its own units (:func:`in_units_of`)."""
    first = rollouts[0]
    return all(
        r.observation == "states" and r.slots.shape == first.slots.shape and _same_states(first, r) for r in rollouts
    )


def in_units_of(first: Rollout, other: Rollout, states: Float[np.ndarray, "F N D"]) -> Float[np.ndarray, "F N D"]:
    """States of a rollout in the units of another one of the same scene.

    A training set normalises positions by one range and velocities by another, so two models' numbers for one state
    are related by a scale and a shift each; the true states, which both rollouts hold, tell them.
    """
    if first is other or np.array_equal(first.slots, other.slots):
        return states
    half = states.shape[-1] // 2
    return np.concatenate(
        [
            np.polyval(_scale_and_shift(other.slots[0, ..., part], first.slots[0, ..., part]), states[..., part])
            for part in (slice(half), slice(half, None))
        ],
        -1,
    ).astype(states.dtype)


def _same_states(first: Rollout, other: Rollout) -> bool:
    """Whether two rollouts show one scene, each in units of its own."""
    return np.allclose(in_units_of(first, other, other.slots[0]), first.slots[0], rtol=0, atol=1e-5)


def _scale_and_shift(values: Float[np.ndarray, "T N X"], wanted: Float[np.ndarray, "T N X"]) -> Float[np.ndarray, " 2"]:
    """The line that comes nearest to taking ``values`` to ``wanted``."""
    x, y = (part.ravel().astype(np.float64) for part in (values, wanted))
    spread = np.square(x - x.mean()).mean()
    scale = ((x - x.mean()) * (y - y.mean())).mean() / spread if spread > 0 else 1.0
    return np.array([scale, y.mean() - scale * x.mean()])


def caveat(rollouts: Sequence[Rollout]) -> str | None:
    """Why errors of these rollouts are no race although they can be told in one unit, in one sentence; else None."""
    states = [r.checkpoint for r in rollouts if r.observation == "states"]
    images = [r.checkpoint for r in rollouts if r.observation == "frames"]
    if not states or not images:
        return None
    exact, find = (
        f"{' and '.join(names)} {verbs[len(names) > 1]}"
        for names, verbs in ((states, ("is", "are")), (images, ("has", "have")))
    )
    return (
        f"Not a race: {exact} given exact positions and drawn by the simulator's own renderer, while {find} to find "
        "the balls in pixels and draw them; errors of balls cannot be told, because slots have units of their own."
    )


def unequal(updates_by_model: Mapping[str, Mapping[str, int]]) -> str | None:
    """That models were trained unequally long, in one sentence; None where they were not.

    Args:
        updates_by_model: updates of each stage ("stage1", "stage2") by the model's name.
    """
    stages = [
        name for name in ("stage1", "stage2") if len({steps.get(name, 0) for steps in updates_by_model.values()}) > 1
    ]
    if not stages:
        return None
    parts = [
        f"{model} {' and '.join(f'{steps.get(name, 0):,}' for name in stages)}"
        for model, steps in updates_by_model.items()
    ]
    what = " and ".join({"stage1": "reconstruction", "stage2": "prediction"}[name] for name in stages)
    return f"Trained unequally long, which alone can decide who errs less. Updates of {what}: {', '.join(parts)}."


def check_comparable(rollouts: Sequence[Rollout]) -> None:
    """Refuse what cannot be compared fairly.

    Raises:
        ValueError: the first thing that differs; one sentence.
    """
    if not 2 <= len(rollouts) <= MOST:
        raise ValueError(f"{len(rollouts)} rollouts cannot be compared; choose 2 to {MOST}")
    first = rollouts[0]
    for other in rollouts:
        if len(other.slots) != 1:
            raise ValueError(f"{other.checkpoint} holds {len(other.slots)} scenes; choose one with Rollout.scene")
        pair = f"{first.checkpoint} and {other.checkpoint}"
        if other.slots.shape[1] != first.slots.shape[1]:
            raise ValueError(
                f"{pair} have {first.slots.shape[1]} and {other.slots.shape[1]} frames; give both one scene"
            )
        if int(other.last_true_input) != int(first.last_true_input):
            raise ValueError(
                f"{pair} saw the truth up to frame {int(first.last_true_input)} and {int(other.last_true_input)}; "
                "roll both out with the same free steps"
            )
        if other.frames is not None and first.frames is not None:
            if other.frames.shape != first.frames.shape:
                raise ValueError(f"{pair} see frames of another size or colour; compare models of one look")
            # One grey level: positions that another machine rounded otherwise.
            same = np.abs(other.frames.astype(np.int16) - first.frames).max(initial=0) <= 1
        elif other.observation == first.observation == "states" and other.slots.shape == first.slots.shape:
            same = _same_states(first, other)
        else:
            raise ValueError(f"{pair} have neither frames nor states in common; roll both out with pictures")
        if not same:
            raise ValueError(f"{pair} were made of different scenes; give both one scene")


def difference(one: Rollout, other: Rollout) -> Float[np.ndarray, "F H W"]:
    """How far the predicted pictures of two rollouts lie apart: absolute difference, mean over channels.

    Raises:
        ValueError: as :func:`check_comparable`, or rollouts without pictures.
    """
    check_comparable([one, other])
    if one.predicted_frames is None or other.predicted_frames is None:
        raise ValueError("these rollouts hold no pictures; roll both out with pictures")
    apart = one.predicted_frames[0].astype(np.float32) - other.predicted_frames[0].astype(np.float32)
    return np.abs(apart).mean(-1)


def apart(rollouts: Sequence[Rollout]) -> Float[np.ndarray, "F H W"]:
    """How far the predicted pictures lie apart: :func:`difference` of the two that differ most, at each pixel.

    Raises:
        ValueError: as :func:`difference`.
    """
    return np.stack([difference(one, other) for one, other in combinations(rollouts, 2)]).max(0)


def edit_effect(with_edits: Rollout, original: Rollout) -> Float[np.ndarray, " F"]:
    """How far edits move each prediction: mean squared difference, in the unit of :func:`hri.view.facts.error_curves`.

    Raises:
        ValueError: as :func:`check_comparable`.
    """
    check_comparable([with_edits, original])
    (_, with_them, _), (_, without, _) = values_to_score(with_edits), values_to_score(original)
    return np.square(with_them - without).mean(tuple(range(1, without.ndim)))

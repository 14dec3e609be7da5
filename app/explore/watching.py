"""What to watch in a scene, in one sentence that its numbers bear out."""

from __future__ import annotations

from app import drawn, library
from app.library import Scene
from hri.core.records import Rollout


def sentence(scene: Scene) -> str:
    """Where to look: the free run, and what the model has found, if it has."""
    rollout, last = scene.original, scene.original.slots.shape[1] - 1
    turn = int(rollout.last_true_input) + 1
    if turn >= last:
        return "Watch how near the prediction comes to the truth."
    run = f"**Watch frames {turn + 1} to {last}:** the model no longer sees the truth"
    return f"{run}{_found(rollout, scene)}."


def _found(rollout: Rollout, scene: Scene) -> str:
    """What its edges are worth, as the end of a sentence."""
    from hri.view.agreement import best_level, hundredth

    if rollout.carries is not None and not rollout.carries.any():
        return ", and it knows nothing of what acts on what"
    if drawn.never_changes(rollout, scene.source):
        return ", and its graph says nothing: it is the same in every scene"
    seen = drawn.agreement(rollout, library.window_of(scene.source))
    if seen is None:
        return ", only what it believes acts on what"
    config = library.config_of(scene.source)
    if config is not None and config.model.relations.source != "inferred":
        return ", but it was given the true springs"
    level = best_level(seen)
    if level is None:
        return (
            f", and of its edges {hundredth(seen.all.whole)} of 100 are right; guessing has {hundredth(seen.all.guess)}"
        )
    where = "edges" if level is seen.all else f"{level.name.replace('-', '–')} edges"
    right, guess = hundredth(level.whole), hundredth(level.guess)
    return f". Told nothing of {rollout.force.parts}, it has {right} of 100 {where} right; guessing has {guess}"

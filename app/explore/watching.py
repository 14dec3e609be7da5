"""What to watch in a scene, in one sentence that its numbers bear out."""

from __future__ import annotations

from app import drawn, library
from app.library import Scene
from hri.core.records import Rollout
from hri.view import facts as pictures
from hri.view.terms import explained


def sentence(scene: Scene) -> tuple[str, str]:
    """Where to look: the free run, and what the model has found, if it has; and more of it for a tooltip."""
    rollout, last = scene.original, scene.original.slots.shape[1] - 1
    turn = int(rollout.last_true_input) + 1
    if scene.edited:
        words = "**You have changed this scene.** Prediction: with your changes; the pale ghost in it: without."
        return words, "The line under the graph counts the edges as they are now."
    if turn >= last:
        return "Watch how near the prediction comes to the truth.", explained("burn-in")
    if pictures.shows_body(rollout):
        words = (
            f"**Watch frames {turn + 1} to {last}:** the model no longer sees the body. Dashed: where it truly goes."
        )
        return words, f"{drawn.NO_TRUTH} {explained('free run', 'edge')}"
    finding, more = _finding(rollout, scene)
    moving = "balls" if rollout.true_adjacency is not None else "truth"
    run = f"**Watch frames {turn + 1} to {last}:** the model no longer sees the {moving}{finding}."
    return run, f"{more} {explained('free run', 'edge', 'leaf, intermediate, root')}".strip()


def _finding(rollout: Rollout, scene: Scene) -> tuple[str, str]:
    """What its edges are worth, as the end of a sentence, and more words."""
    from hri.view.agreement import best_level, between, percent

    if rollout.carries is not None and not rollout.carries.any():
        return ", and it passes no messages: it has no graph", ""
    if always := drawn.never_changes(rollout, scene.source):
        more = f"{always} Counted: the type that each edge has in most frames of the burn-in, over the stored scenes."
        return ", and its graph says nothing of it: it is the same in every scene", more
    seen = drawn.agreement(rollout, library.window_of(scene.source))
    if seen is None:
        return ". Nobody knows which of its edges are right", ""
    config = library.config_of(scene.source)
    if config is not None and config.model.relations.source != "inferred":
        return f", but it was given the true {rollout.force.parts}", ""
    level = best_level(seen)
    if level is None:
        right, guess = percent(seen.all.whole), percent(seen.all.guess)
        than = "no better" if seen.all.whole <= seen.all.guess else "little better"
        return f". Its graph is {than} than guessing: {right} of its edges are right, guessing has {guess}", ""
    right, guess = percent(level.whole), percent(level.guess)
    found = f". Told nothing of {rollout.force.parts}, it has {right} of {level.words} right (guessing: {guess})"
    # What it has not found stands beside what it has: a level at which it does no better than one answer for all.
    missed = [other for other in seen.levels if other.whole <= other.guess]
    if not missed:
        return found, ""
    shares = ", ".join(
        f"{between(other.name)} ({percent(other.whole)}, guessing: {percent(other.guess)})" for other in missed
    )
    return f"{found}, but not those between {shares}", ""

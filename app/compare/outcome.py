"""Who wins a comparison, and whether its graphs are worth a look, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app import drawn, library
from app.library import Scene
from hri.scores.compare import RolloutComparison
from hri.view.player_compare import LETTERS


def sentence(scenes: Sequence[Scene], comparison: RolloutComparison, fair: bool) -> str:
    """In a sentence or two: which model's free run errs least in this scene, and whose graph says more than guessing.

    Args:
        fair: whether their errors can be compared.
    """
    parts, errors = [], comparison.free_run
    if fair and np.isfinite(errors).all():
        best, second = (int(index) for index in np.argsort(errors)[:2])
        less = round(100 * (1 - errors[best] / errors[second])) if errors[second] > 0 else 0
        beaten = errors[best] < comparison.copy[comparison.last_true_input + 1 :].mean()
        parts.append(
            f"In this scene’s free run {LETTERS[best]} errs least, {less} % less than {LETTERS[second]}"
            if less
            else f"In this scene’s free run {LETTERS[best]} and {LETTERS[second]} err alike"
        )
        parts[-1] += "." if beaten else ", and no less than a picture that stands still."
    known, better = [], []
    for letter, scene in zip(LETTERS, scenes, strict=False):
        try:
            naming = drawn.named_types(scene.rollout, "aligned", library.window_of(scene.source))
        except ValueError:
            continue
        if naming.right is not None and naming.guess is not None:
            known.append(letter)
            better += [letter] if naming.right > naming.guess else []
    if known and not better:
        parts.append(f"{'Neither graph is' if len(known) == 2 else 'No graph is'} better than guessing.")
    elif known:
        parts.append(f"Better than guessing: the graph{'s' * (len(better) > 1)} of {' and '.join(better)}.")
    return " ".join(parts)

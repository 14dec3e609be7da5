"""Several free runs of a model without memory at once, each from a true state: what its training learns from."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from hri.model.choices import Choose
from hri.model.markov import MarkovDynamics
from hri.model.model import Model, Prediction


def rolls(
    model: Model,
    slots: Float[Tensor, "B T N D"],
    starts: Int[Tensor, " R"],
    steps: int,
    seen: Int[Tensor, " r"],
    choose: Choose,
) -> Prediction:
    """Predictions of a model without memory from several true states, each run over the edges of one time.

    Args:
        model: with dynamics without memory.
        slots: from :meth:`hri.model.model.Model.observe`.
        starts: frames that runs start from.
        steps: length of every run.
        seen: the times whose edges the runs go by: one a run; those of a static graph together make one for all.
        choose: as for :meth:`hri.model.model.Model.predict`.

    Returns:
        ``slots`` [B, R x steps, N, D], run after run; logits and weights of the times ``seen`` or of the one graph.
    """
    assert isinstance(model.dynamics, MarkovDynamics)
    truth = slots.permute(2, 1, 0, 3)  # N T B D
    logits = model.logits_at(truth, seen)
    if model.static:
        seen, logits = seen[-1:], logits.mean(1, keepdim=True)
    weights = choose(logits, seen)
    runs = truth.index_select(1, starts)
    spoken = weights.expand(-1, runs.shape[1], -1, -1).flatten(1, 2)
    rolled = model.dynamics.roll(runs.flatten(1, 2), spoken, steps)
    return Prediction(
        slots=rolled.unflatten(2, runs.shape[1:3]).permute(3, 2, 0, 1, 4).flatten(1, 2),
        logits=logits.permute(2, 1, 0, 3),
        weights=weights.permute(2, 1, 0, 3),
    )

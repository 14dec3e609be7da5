"""What an update is given by its number alone: learning rate, weight of the prior, free steps, rows, seeds."""

import numpy as np
from jaxtyping import Int

from hri.core.config import TrainConfig

CLIP_WINDOW = 100
"""Updates over which the median gradient norm is taken."""


def learning_rate(peak: float, update: int, updates: int, warmup: int, schedule: str) -> float:
    """Linear warm-up, then a cosine from the peak to a hundredth of it, or constant."""
    ramp = min(1.0, (update + 1) / max(1, min(warmup, updates // 10)))
    if schedule == "constant":
        return peak * ramp
    return peak * ramp * (0.01 + 0.99 * (1 + np.cos(np.pi * update / max(1, updates))) / 2)


def prior_share(train: TrainConfig, update: int) -> float:
    """What part of ``train.edge_weight`` counts at an update of stage 2: a linear rise, then a geometric fall."""
    rise = min(1.0, (update + 1) / max(1, train.prior_warmup))
    return float(rise * train.prior_end ** (update / max(1, train.updates)))


def free_steps(train: TrainConfig, update: int) -> int:
    """The n of "n free steps" at an update: as configured, or growing evenly up to it from ``free_steps_start``."""
    first = train.free_steps_start or train.free_steps
    return first + int((train.free_steps - first + 1) * update / max(1, train.updates) * (1 - 1e-9))


def batch_rows(seed: int, stage: int, update: int, batch: int, population: int) -> Int[np.ndarray, " B"]:
    """Rows of an update: every epoch is a fresh shuffle, a function of seed, stage and epoch alone."""
    places = np.arange(update * batch, (update + 1) * batch)
    rows = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(places // population):
        inside = places // population == epoch
        rows[inside] = _shuffle(seed, stage, int(epoch), population)[places[inside] % population]
    return rows


_shuffles: dict[tuple[int, int, int, int], np.ndarray] = {}


def _shuffle(seed: int, stage: int, epoch: int, population: int) -> np.ndarray:
    key = (seed, stage, epoch, population)
    if key not in _shuffles:
        while len(_shuffles) > 1:
            _shuffles.pop(next(iter(_shuffles)))
        _shuffles[key] = np.random.default_rng(list(key)).permutation(population)
    return _shuffles[key]


def number(*key: int) -> int:
    """A 63-bit seed from small integers, the same on every machine."""
    return int(np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0] >> np.uint64(1))

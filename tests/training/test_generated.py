"""What an update is given by its number: rates and shares that rise and fall as said, rows that come in turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hri.core.config import TrainConfig
from hri.training.schedule import batch_rows, free_steps, learning_rate, prior_share
from tests.generated import cases

lengths = st.integers(2, 400)


@cases(60)
@given(lengths, st.integers(0, 500), st.sampled_from(["cosine", "constant"]))
def test_a_learning_rate_rises_to_its_peak_and_never_rises_again(updates: int, warmup: int, schedule: str) -> None:
    rates = np.array([learning_rate(2.0, update, updates, warmup, schedule) for update in range(updates)])
    assert (rates > 0).all()
    assert rates.max() <= 2.0
    top = max(1, min(warmup, updates // 10)) - 1
    assert rates.argmax() == top
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
    if schedule == "constant":
        assert (rates[top:] == 2.0).all()
    scaled = [learning_rate(1.0, update, updates, warmup, schedule) for update in range(updates)]
    assert rates == pytest.approx(2 * np.array(scaled)), "a peak scales it"


@cases(60)
@given(lengths, st.integers(0, 50), st.floats(1e-6, 1))
def test_the_prior_is_full_at_most_and_eases_once_it_has_risen(updates: int, warmup: int, end: float) -> None:
    train = TrainConfig(updates=updates, prior_warmup=warmup, prior_end=end)
    shares = np.array([prior_share(train, update) for update in range(updates + 1)])
    assert (shares > 0).all()
    assert shares.max() <= 1
    assert (np.diff(shares[max(0, warmup - 1) :]) <= 0).all()
    if warmup <= updates:
        assert shares[-1] == pytest.approx(end)
    alone = TrainConfig(updates=updates, prior_warmup=warmup)
    assert (np.diff([prior_share(alone, update) for update in range(updates)]) >= 0).all(), "without easing it rises"


@cases(60)
@given(st.integers(1, 400), st.integers(1, 48), st.integers(1, 48))
def test_free_steps_grow_one_by_one_from_the_first_to_the_last(updates: int, one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    train = TrainConfig(updates=updates, free_steps=last, free_steps_start=first)
    steps = [free_steps(train, update) for update in range(updates)]
    assert steps[0] == first
    assert steps == sorted(steps)
    assert max(steps) <= last
    if updates > last - first + 1:
        assert set(steps) == set(range(first, last + 1))
        counts = [steps.count(step) for step in range(first, last + 1)]
        assert max(counts) - min(counts) <= 2, "about as long as the others"


@cases(40)
@given(st.integers(0, 2**31 - 1), st.integers(1, 2), st.integers(1, 30), st.integers(1, 40), st.integers(1, 12))
def test_no_row_comes_again_before_all_others_have_come(
    seed: int, stage: int, batch: int, population: int, updates: int
) -> None:
    rows = np.concatenate([batch_rows(seed, stage, update, batch, population) for update in range(updates)])
    for start in range(0, len(rows), population):
        epoch = rows[start : start + population]
        assert len(set(epoch.tolist())) == len(epoch)
        assert set(epoch.tolist()) <= set(range(population))
    last = batch_rows(seed, stage, updates - 1, batch, population)
    assert np.array_equal(rows[-batch:], last), "whatever was asked before"

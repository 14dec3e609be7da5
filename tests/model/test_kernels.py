"""The fused loops: their functions are right everywhere, and what is not a number stays visible."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hri.model.fast import kernels

RECEIVERS = np.array([0, 2, 1, 2])
SENDERS = np.array([1, 0, 2, 1])
WIDE = np.concatenate([np.linspace(-100, 100, 4001), np.linspace(-1, 1, 2001)]).astype(np.float32)


def edges(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(values, (4, 1, values.size)))


def nodes(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(values, (3, 1, values.size)))


def test_elu_over_the_whole_range() -> None:
    found = WIDE.copy()
    kernels.elu(found)
    np.testing.assert_allclose(found, np.where(WIDE > 0, WIDE, np.expm1(WIDE.astype(np.float64))), rtol=3e-7, atol=2e-7)


def test_tanh_over_the_whole_range() -> None:
    found, none = edges(WIDE), nodes(np.zeros_like(WIDE))
    kernels.pair_tanh(nodes(WIDE), none, none[0, 0], RECEIVERS, SENDERS, found)
    np.testing.assert_allclose(found, edges(np.tanh(WIDE.astype(np.float64))), atol=3e-7)


def test_lstm_over_the_whole_range() -> None:
    gate, none = np.tile(WIDE, (1, 4, 1)), np.zeros((1, 4, WIDE.size), np.float32)
    cell, after, hidden = np.full((3, 1, WIDE.size), 0.5, np.float32)
    kernels.lstm(gate, none, cell, after, hidden)
    wide = WIDE.astype(np.float64)
    sigmoid = 1 / (1 + np.exp(-wide))
    expected = sigmoid * 0.5 + sigmoid * np.tanh(wide)
    np.testing.assert_allclose(after[0], expected, atol=1e-6)
    np.testing.assert_allclose(hidden[0], sigmoid * np.tanh(expected), atol=1e-6)


def _elu(x: np.ndarray) -> np.ndarray:
    kernels.elu(x)
    return x


def _pair_elu(x: np.ndarray) -> np.ndarray:
    inner = np.empty((4, 1, x.size), np.float32)
    kernels.pair_elu(nodes(x), nodes(x), RECEIVERS, SENDERS, 0, inner, False)
    return inner


def _finish(x: np.ndarray) -> np.ndarray:
    values, sums = edges(x), np.zeros((2, x.size))
    kernels.finish_elu(values, np.zeros_like(x), RECEIVERS, 0, nodes(0 * x), False, sums[0], sums[1])
    return values


def _pair_tanh(x: np.ndarray) -> np.ndarray:
    inner = np.empty((4, 1, x.size), np.float32)
    kernels.pair_tanh(nodes(x), nodes(x), np.zeros_like(x), RECEIVERS, SENDERS, inner)
    return inner


def _speak(x: np.ndarray) -> np.ndarray:
    heard = np.zeros((3, 1, x.size), np.float32)
    loud = np.ones((4, 1, 2), np.float32)
    kernels.speak(edges(x), np.zeros_like(x), loud, 1, np.float32(1), RECEIVERS, heard)
    return heard


def _lstm(x: np.ndarray) -> np.ndarray:
    cell, after, hidden = np.zeros((3, 1, x.size), np.float32)
    kernels.lstm(np.tile(x, (1, 4, 1)), np.zeros((1, 4, x.size), np.float32), cell, after, hidden)
    return np.stack([after, hidden])


@pytest.mark.parametrize("kernel", [_elu, _pair_elu, _finish, _pair_tanh, _speak, _lstm])
def test_nan_is_not_lost(kernel: Callable[[np.ndarray], np.ndarray]) -> None:
    """A weight that is no longer a number must stop training, not be squashed to something harmless."""
    values = np.ones(64, np.float32)
    values[5] = np.nan
    found = kernel(values)
    assert np.isnan(found[..., 5]).all()
    assert np.isfinite(np.delete(found, 5, -1)).all()


def test_speaking_and_hearing() -> None:
    """Two edges end at node 2, one at each other node; a weight of type 1 scales what is said."""
    outer = np.random.default_rng(0).normal(size=(4, 2, 8)).astype(np.float32)
    bias = np.linspace(-1, 1, 8, dtype=np.float32)
    weights = np.random.default_rng(1).uniform(size=(4, 2, 2)).astype(np.float32)
    heard = np.zeros((3, 2, 8), np.float32)
    said = np.tanh(outer + bias) * weights[..., 1:] / 2
    kernels.speak(outer, bias, weights, 1, np.float32(0.5), RECEIVERS, heard)
    np.testing.assert_allclose(heard, [said[0], said[2], said[1] + said[3]], atol=1e-6)

"""Fused loops over node and edge arrays (Numba) for ``fast`` and ``recurrence``: what lies between two matrix products.

Each loop reads and writes an array once where separate tensor operations would do so once an operation. All arrays
are C-contiguous float32, [..., H] with features last; receivers and senders are int64. ``exp`` is a polynomial of
relative error below 2e-7 that compiles to vector instructions; a call of the library's does not.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_F = np.float32
_FAST = {"contract", "nsz", "arcp", "reassoc"}
"""Reordering and fused multiply-adds are welcome; NaN and infinity keep their meaning, so that training can stop."""


@njit(cache=True, nogil=True, inline="always", fastmath=_FAST, error_model="numpy")
def _exp(x):
    """exp(x) for float32, x held within -87 ... 88 (NaN stays NaN)."""
    x = min(max(x, _F(-87.0)), _F(88.0))
    n = np.floor(x * _F(1.44269504) + _F(0.5))
    r = x - n * _F(0.693359375) + n * _F(2.12194440e-4)
    p = _F(1.9875691500e-4)
    p = p * r + _F(1.3981999507e-3)
    p = p * r + _F(8.3334519073e-3)
    p = p * r + _F(4.1665795894e-2)
    p = p * r + _F(1.6666665459e-1)
    p = p * r + _F(5.0000001201e-1)
    p = p * r * r + r + _F(1.0)
    power = (np.int32(n) + np.int32(127)) << np.int32(23)  # the bits of 2**n
    return p * np.int32(power).view(np.float32)


@njit(cache=True, nogil=True, inline="always", fastmath=_FAST, error_model="numpy")
def _elu(x):
    return max(x, _F(0)) + (_exp(min(x, _F(0))) - _F(1))


@njit(cache=True, nogil=True, inline="always", fastmath=_FAST, error_model="numpy")
def _elu_slope(y):
    """Derivative of ELU from its value."""
    return min(y, _F(0)) + _F(1)


@njit(cache=True, nogil=True, inline="always", fastmath=_FAST, error_model="numpy")
def _tanh(x):
    return _F(1) - _F(2) / (_exp(_F(2) * x) + _F(1))


@njit(cache=True, nogil=True, inline="always", fastmath=_FAST, error_model="numpy")
def _sigmoid(x):
    return _F(1) / (_F(1) + _exp(-x))


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def elu(values):
    """ELU in place, [X]."""
    for i in range(values.size):
        values[i] = _elu(values[i])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def elu_backward(gradient, values, result):
    """Set result to gradient times the slope of the ELU that gave ``values``; all [X]."""
    for i in range(values.size):
        result[i] = gradient[i] * _elu_slope(values[i])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def pair_elu(received, sent, receivers, senders, start, inner, add):
    """Set inner[e, i] to elu(received[r, start + i] + sent[s, start + i] (+ inner[e, i] where ``add``)); [E, m, H]."""
    edges, rows, width = inner.shape
    for e in range(edges):
        r, s = receivers[e], senders[e]
        for i in range(rows):
            here, there, out = received[r, start + i], sent[s, start + i], inner[e, i]
            if add:
                for j in range(width):
                    out[j] = _elu(out[j] + here[j] + there[j])
            else:
                for j in range(width):
                    out[j] = _elu(here[j] + there[j])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def finish_elu(values, bias, receivers, start, summed, summing, sums, squares):
    """Replace values [E, m, H] by elu(values + bias).

    They are added to summed [N, M, H] at their receivers where ``summing``, and their sum and sum of squares a channel
    to sums and squares [H] (float64).
    """
    edges, rows, width = values.shape
    total, square = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for e in range(edges):
        r = receivers[e]
        total[:] = 0
        square[:] = 0
        for i in range(rows):
            value = values[e, i]
            for j in range(width):
                y = _elu(value[j] + bias[j])
                value[j] = y
                total[j] += y
                square[j] += y * y
            if summing:
                into = summed[r, start + i]
                for j in range(width):
                    into[j] += value[j]
        for j in range(width):
            sums[j] += total[j]
            squares[j] += square[j]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def finish_elu_backward(d_values, values, d_sum, d_square, d_summed, summing, receivers, start, gradient, d_bias):
    """Set gradient [E, m, H] to that before the ELU of :func:`finish_elu`, and add its sum over rows to d_bias [H]."""
    edges, rows, width = values.shape
    total = np.zeros(width, np.float32)
    for e in range(edges):
        r = receivers[e]
        total[:] = 0
        for i in range(rows):
            value, d_value, out = values[e, i], d_values[e, i], gradient[e, i]
            if summing:
                heard = d_summed[r, start + i]
                for j in range(width):
                    g = d_value[j] + heard[j] + d_sum[j] + _F(2) * d_square[j] * value[j]
                    g *= _elu_slope(value[j])
                    out[j] = g
                    total[j] += g
            else:
                for j in range(width):
                    g = d_value[j] + d_sum[j] + _F(2) * d_square[j] * value[j]
                    g *= _elu_slope(value[j])
                    out[j] = g
                    total[j] += g
        for j in range(width):
            d_bias[j] += total[j]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def pair_elu_backward(d_inner, inner, receivers, senders, start, d_received, d_sent):
    """Take d_inner [E, m, H] through the ELU of :func:`pair_elu`, in place, and add it to both node terms [N, M, H]."""
    edges, rows, width = inner.shape
    for e in range(edges):
        r, s = receivers[e], senders[e]
        for i in range(rows):
            gradient, value = d_inner[e, i], inner[e, i]
            here, there = d_received[r, start + i], d_sent[s, start + i]
            for j in range(width):
                g = gradient[j] * _elu_slope(value[j])
                gradient[j] = g
                here[j] += g
                there[j] += g


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def pair_tanh(received, sent, bias, receivers, senders, inner):
    """Set inner[e, b] to tanh(received[r, b] + sent[s, b] + bias); inner [E, B, H]."""
    edges, rows, width = inner.shape
    for e in range(edges):
        here, there, out = received[receivers[e]], sent[senders[e]], inner[e]
        for b in range(rows):
            for j in range(width):
                out[b, j] = _tanh(here[b, j] + there[b, j] + bias[j])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def speak(outer, bias, weights, kind, scale, receivers, heard):
    """Replace outer [E, B, H] by tanh(outer + bias) and add scale * weights[e, b, kind] * it to heard [N, B, H]."""
    edges, rows, width = outer.shape
    for e in range(edges):
        message, into = outer[e], heard[receivers[e]]
        for b in range(rows):
            loud = scale * weights[e, b, kind]
            for j in range(width):
                y = _tanh(message[b, j] + bias[j])
                message[b, j] = y
                into[b, j] += loud * y


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def speak_backward(d_heard, outer, weights, kind, scale, receivers, d_weights, d_bias):
    """Replace outer [E, B, H] by the gradient before its tanh, add that to d_bias [H], set d_weights [E, B, K]."""
    edges, rows, width = outer.shape
    total = np.zeros(width, np.float32)
    for e in range(edges):
        message, heard = outer[e], d_heard[receivers[e]]
        for b in range(rows):
            loud, dot = scale * weights[e, b, kind], _F(0)
            for j in range(width):
                y, g = message[b, j], heard[b, j]
                dot += g * y
                g *= loud * (_F(1) - y * y)
                message[b, j] = g
                total[j] += g
            d_weights[e, b, kind] = scale * dot
    for j in range(width):
        d_bias[j] += total[j]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def pair_tanh_backward(d_inner, inner, receivers, senders, d_received, d_sent):
    """Take d_inner [E, B, H] through the tanh of :func:`pair_tanh` and add it to both node terms [N, B, H]."""
    edges, rows, width = inner.shape
    for e in range(edges):
        gradient, value = d_inner[e], inner[e]
        here, there = d_received[receivers[e]], d_sent[senders[e]]
        for b in range(rows):
            for j in range(width):
                g = gradient[b, j] * (_F(1) - value[b, j] * value[b, j])
                here[b, j] += g
                there[b, j] += g


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def lstm(gate, inputs, cell, next_cell, hidden):
    """One LSTM step from gate + inputs [R, 4, H] (input, forget, candidate, output) and cell [R, H].

    gate becomes the squashed gates.

    Short loops with few arrays each: the compiler vectorises only where it can check that none overlap.
    """
    rows, width = cell.shape
    for r in range(rows):
        enter, forget, candidate, leave = gate[r, 0], gate[r, 1], gate[r, 2], gate[r, 3]
        before, after, out = cell[r], next_cell[r], hidden[r]
        gates = inputs[r]
        for j in range(width):
            enter[j] = _sigmoid(enter[j] + gates[0, j])
        for j in range(width):
            forget[j] = _sigmoid(forget[j] + gates[1, j])
        for j in range(width):
            candidate[j] = _tanh(candidate[j] + gates[2, j])
        for j in range(width):
            leave[j] = _sigmoid(leave[j] + gates[3, j])
        for j in range(width):
            after[j] = forget[j] * before[j] + enter[j] * candidate[j]
        for j in range(width):
            out[j] = leave[j] * _tanh(after[j])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def lstm_backward(d_hidden, d_out, d_cell, gate, cell, next_cell):
    """Gradient of :func:`lstm`: gate [R, 4, H] is replaced by that before squashing, d_cell [R, H] by the earlier
    cell's. The hidden state's gradient is d_hidden + d_out.
    """
    rows, width = d_cell.shape
    squashed, heard = np.empty(width, np.float32), np.empty(width, np.float32)
    for r in range(rows):
        enter, forget, candidate, leave = gate[r, 0], gate[r, 1], gate[r, 2], gate[r, 3]
        before, after, change, one, other = cell[r], next_cell[r], d_cell[r], d_hidden[r], d_out[r]
        for j in range(width):
            squashed[j] = _tanh(after[j])
        for j in range(width):
            heard[j] = one[j] + other[j]
        for j in range(width):
            change[j] += heard[j] * leave[j] * (_F(1) - squashed[j] * squashed[j])
        for j in range(width):
            leave[j] = heard[j] * squashed[j] * leave[j] * (_F(1) - leave[j])
        for j in range(width):
            spare = enter[j]
            enter[j] = change[j] * candidate[j] * spare * (_F(1) - spare)
            candidate[j] = change[j] * spare * (_F(1) - candidate[j] * candidate[j])
        for j in range(width):
            spare = forget[j]
            forget[j] = change[j] * before[j] * spare * (_F(1) - spare)
            change[j] *= spare

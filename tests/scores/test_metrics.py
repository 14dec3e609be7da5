"""Likeness of frames and the score of the paper's figures, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hri.scores.metrics import frame_likeness, relative_score


def flat(*greys: float) -> torch.Tensor:
    """Frames of one grey each."""
    return torch.tensor(greys).view(-1, 1, 1, 1).expand(-1, 3, 32, 32).clone()


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """SSIM of one channel as Wang et al. (2004) define it, pixel by pixel, borders reflected."""
    line = np.exp(-((np.arange(-5, 6) / 1.5) ** 2) / 2)
    window = np.outer(line, line) / line.sum() ** 2
    a, b = (np.pad(image, 5, mode="reflect") for image in (a, b))
    similar = []
    for row in range(a.shape[0] - 10):
        for column in range(a.shape[1] - 10):
            p, q = a[row : row + 11, column : column + 11], b[row : row + 11, column : column + 11]
            m, n = (window * p).sum(), (window * q).sum()
            covariance = (window * (p - m) * (q - n)).sum()
            variances = (window * (p - m) ** 2).sum() + (window * (q - n) ** 2).sum()
            similar.append(
                (2 * m * n + 0.01**2) / (m**2 + n**2 + 0.01**2) * (2 * covariance + 0.03**2) / (variances + 0.03**2)
            )
    return float(np.mean(similar))


def test_an_error_of_a_tenth_everywhere_is_twenty_decibels() -> None:
    found = frame_likeness(flat(0.6, 0.1), flat(0.5, 0.0))
    assert found["mse"] == pytest.approx([0.01, 0.01], rel=1e-4)
    assert found["psnr"] == pytest.approx([20, 20], abs=1e-3)


def test_frames_of_one_grey_differ_in_brightness_alone() -> None:
    """No variance, no covariance: only (2 m n + c) / (m^2 + n^2 + c) is left, with c = 0.01^2."""
    found = frame_likeness(flat(0.6, 0.5), flat(0.5, 0.5))
    assert found["ssim"] == pytest.approx([(0.6 + 1e-4) / (0.36 + 0.25 + 1e-4), 1], abs=1e-3)


def test_similarity_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((2, 3, 32, 32)).astype(np.float32)
    drawn = np.clip(truth + rng.normal(0, 0.2, truth.shape), 0, 1).astype(np.float32)
    found = frame_likeness(torch.from_numpy(drawn), torch.from_numpy(truth))["ssim"]
    for frame in range(2):
        channels = [by_hand(drawn[frame, c], truth[frame, c]) for c in range(3)]
        assert found[frame] == pytest.approx(np.mean(channels), abs=1e-4)


def test_equal_frames_are_as_alike_as_can_be_said() -> None:
    found = frame_likeness(flat(0.0, 0.3), flat(0.0, 0.3))
    assert found["psnr"] == pytest.approx([100, 100])
    assert found["ssim"] == pytest.approx([1, 1], abs=1e-3)  # in float32


def test_each_frame_is_scored_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn, truth = torch.rand(5, 3, 32, 32, generator=generator), torch.rand(5, 3, 32, 32, generator=generator)
    together = frame_likeness(drawn, truth)
    for frame in range(5):
        alone = frame_likeness(drawn[[frame]], truth[[frame]])
        for name, values in together.items():
            assert values[frame] == pytest.approx(alone[name][0], rel=1e-5)


def test_the_oracle_scores_one_and_twice_its_likelihood_a_half() -> None:
    assert relative_score(4000.0, oracle=4000.0) == 1
    assert relative_score(8000.0, oracle=4000.0) == 0.5
    assert relative_score(2000.0, oracle=4000.0) == 2


@pytest.mark.parametrize("nll", [0.0, -1.0, float("nan"), float("inf")])
def test_a_likelihood_that_cannot_be_compared_is_refused(nll: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        relative_score(nll, oracle=4000.0)
    with pytest.raises(ValueError, match="above 0"):
        relative_score(4000.0, oracle=nll)

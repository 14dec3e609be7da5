"""Losses of the two stages (paper, equations 1 and 2; sums and means as the published code takes them)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def state_nll(
    predicted: Float[Tensor, "B T N D"], truth: Float[Tensor, "B T N D"], variance: float
) -> Float[Tensor, " N"]:
    """Gaussian negative log-likelihood of each node without constants: sum over time and features, mean over batch.

    Its mean over nodes is the reported NLL.
    """
    return ((predicted - truth) ** 2).sum((1, 3)).mean(0) / (2 * variance)


def frame_nll(
    predicted: Float[Tensor, "M C H W"], truth: Float[Tensor, "M C H W"], variance: float
) -> Float[Tensor, ""]:
    """The same of images: sum over pixels and channels, mean over frames."""
    return ((predicted - truth) ** 2).sum((1, 2, 3)).mean() / (2 * variance)


def dissimilarity(predicted: Float[Tensor, "M C H W"], truth: Float[Tensor, "M C H W"]) -> Float[Tensor, ""]:
    """1 - SSIM, mean over frames, pixels in 0 ... 1, as :func:`hri.scores.metrics.frame_likeness` counts it."""
    # Imported here: it takes a second, which models of states should not wait for.
    from torchmetrics.functional.image import structural_similarity_index_measure

    similarity = structural_similarity_index_measure(predicted, truth, data_range=1.0)
    assert isinstance(similarity, Tensor)  # it gives pictures of it only where it is asked for them
    return 1 - similarity


def edge_prior(logits: Float[Tensor, "B T E K"], balls: int, no_edge: float) -> Float[Tensor, ""]:
    """KL divergence of the edge types from their prior, over (balls x B); a uniform prior up to its constant.

    Args:
        logits: of every edge at every time.
        balls: number of simulated balls, also where slots are more.
        no_edge: prior probability of type 0; 0 means uniform.
    """
    log_p = torch.log_softmax(logits, -1)
    if no_edge > 0:
        prior = logits.new_full((logits.shape[-1],), (1 - no_edge) / (logits.shape[-1] - 1))
        prior[0] = no_edge
        divergence = log_p.exp() * (log_p - prior.log())
    else:
        divergence = log_p.exp() * log_p
    return divergence.sum() / (balls * len(logits))

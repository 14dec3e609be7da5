"""Models that nobody trained, good enough to roll out."""

from __future__ import annotations

import torch

from hri.core.config import Config
from hri.model.layers import Norm
from hri.model.model import Model


def opinionated(config: Config, strength: float) -> Model:
    """Small steps, so that predictions stay near the box, and opinions about edges, the firmer the stronger."""
    torch.manual_seed(11)
    model = Model(config).eval()
    with torch.no_grad():
        model.dynamics.out.weight *= 0.05
        model.dynamics.out.bias *= 0.05
        for part in model.modules():
            if isinstance(part, Norm):
                part.running_mean.normal_(0, 0.3)
        if model.relations is not None:
            model.relations.to_type.weight *= strength
            model.relations.to_type.bias.zero_()
    return model

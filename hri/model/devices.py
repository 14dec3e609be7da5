"""Where a model is, and where one can be."""

from __future__ import annotations

import torch

from hri.model.model import Model


def device_of(model: Model) -> torch.device:
    return next(model.parameters()).device


def device_named(name: str) -> str:
    """The device of that name; "auto" is CUDA where there is one.

    Raises:
        ValueError: it is not there.
    """
    place = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        torch.empty(1, device=place).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(f"there is no device {name!r} here; choose auto or cpu") from None
    return place

"""A definition and its faster versions. The definition stands in its own file and knows none of them: they register
from outside (:mod:`hri.model.fast`), each with the tensors that it suits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from torch import Tensor

Computation = TypeVar("Computation")


class Versions(Generic[Computation]):
    """One computation, as it is defined and as others compute the same; tests hold them equal."""

    def __init__(self, definition: Computation):
        self.definition = definition
        self._registered: list[tuple[Callable[[Tensor], bool], Computation]] = []

    def register(self, suits: Callable[[Tensor], bool], version: Computation) -> None:
        """Add a version for tensors that ``suits`` accepts; of several that do, the first one registered computes."""
        self._registered.append((suits, version))

    def suiting(self, values: Tensor) -> Computation:
        """The version for such values: the definition itself unless another suits."""
        for suits, version in self._registered:
            if suits(values):
                return version
        return self.definition

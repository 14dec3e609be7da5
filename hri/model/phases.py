"""Which edges speak in which phase of a step, as rows of the edges that a model infers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from hri.core.hierarchy import Tree
from hri.model.layers import Edges


class Phase(Edges):
    """The edges that speak at once, and the row of each among those inferred."""

    def __init__(self, pairs: Int[np.ndarray, "E 2"], rows: list[int], nodes: int):
        super().__init__(pairs[:, 0], pairs[:, 1], nodes)
        self.rows: Tensor
        self.register_buffer("rows", torch.as_tensor(rows, dtype=torch.long), persistent=False)


def phases_of(tree: Tree, passing: str, pairs: str) -> Iterator[tuple[str, Phase]]:
    """Phases with their names, in the order in which they speak.

    Args:
        tree: of the nodes.
        passing: ``"flat"``: all inferred edges in one phase; else those of :attr:`hri.core.hierarchy.Tree.phases`.
        pairs: that edges are inferred for (:meth:`hri.core.hierarchy.Tree.edges_among`).

    Raises:
        ValueError: a phase where there is no hierarchy, or of edges that are not inferred.
    """
    inferred = np.stack(tree.edges_among(pairs), 1)
    if passing != "flat" and tree.flat:
        raise ValueError(f"{tree.text} has no hierarchy; choose model.dynamics.passing flat or joint")
    row_of = {tuple(pair): row for row, pair in enumerate(inferred.tolist())}
    for name, speaking in (("all", inferred),) if passing == "flat" else tree.phases:
        try:
            rows = [row_of[tuple(pair)] for pair in speaking.tolist()]
        except KeyError as error:
            raise ValueError(
                f"messages pass over edge {error} which model.relations.pairs leaves out; use pairs = all or hierarchy"
            ) from None
        yield name, Phase(speaking, rows, tree.size)

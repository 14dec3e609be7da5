"""Slots to edge types: what interacts with what, inferred anew at every step from the most recent states
(paper, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from hri.core.config import RelationsConfig
from hri.core.hierarchy import Tree
from hri.model.layers import MLP, Edges, linear
from hri.model.versions import Versions


class Relations(nn.Module):
    """Two rounds of node -> edge -> node -> edge over the inferred pairs (dynamic NRI).

    Edges at time t are inferred from states t - history ... t - 1, zeros before the start.
    """

    def __init__(self, config: RelationsConfig, tree: Tree, width: int):
        super().__init__()
        self.history, self.published = config.history, config.window == "published"
        hidden = config.hidden
        self.edges = Edges(*tree.edges_among(config.pairs), tree.size)
        self.embed = MLP(config.history * width, hidden)
        self.edge = MLP(2 * hidden, hidden)
        self.node = MLP(hidden, hidden)
        self.edge_again = MLP(3 * hidden, hidden)
        self.to_type = linear(hidden, config.edge_types)

    def forward(self, windows: Float[Tensor, "N ... W"], still: bool = False) -> Float[Tensor, "E ... K"]:
        """Logits of the edge types from flattened windows (W = history x D, oldest state first).

        :meth:`plain` says what is computed; :data:`EDGE_LOGITS` knows who computes it.

        Args:
            windows: from :meth:`burn_in_windows` or :meth:`latest_window`.
            still: let batch norm use its running statistics, as evaluation will.
        """
        return EDGE_LOGITS.suiting(windows)(self, windows, still)

    def plain(self, windows: Float[Tensor, "N ... W"], still: bool = False) -> Float[Tensor, "E ... K"]:
        """The two rounds as the paper writes them."""
        nodes = self.embed(windows, still)
        pairs = self.edges.first_layer(self.edge.first, nodes)
        first = self.edge.after_first(pairs.flatten(0, -2), still).view_as(pairs)
        nodes = self.node(self.edges.sum_into(first) / len(windows), still)
        # [receiver, sender, first edge] through one linear layer: two node terms and an edge term.
        again = self.edge_again.first
        second = self.edges.first_layer(again, nodes) + F.linear(first, again.weight[:, -first.shape[-1] :])
        return self.to_type(self.edge_again.after_first(second.flatten(0, -2), still).view_as(second))

    def burn_in_windows(
        self, states: Float[Tensor, "N T B D"], times: int, only: Int[Tensor, " t"] | None = None
    ) -> Float[Tensor, "N times B W"]:
        """Windows for times 0 ... ``times`` - 1, all from true states; of these only some where they are named."""
        nodes, _, batch, width = states.shape
        padded = torch.cat([states.new_zeros(nodes, self.history, batch, width), states[:, : times - 1]], 1)
        if self.published:
            windows = padded[:, :times]
            return (windows if only is None else windows.index_select(1, only)).repeat(1, 1, 1, self.history)
        windows = padded.unfold(1, self.history, 1)[:, :times]
        windows = windows if only is None else windows.index_select(1, only)
        return windows.transpose(-1, -2).flatten(-2)

    def latest_window(self, states: Sequence[Float[Tensor, "N B D"]]) -> Float[Tensor, "N 1 B W"]:
        """The window that follows ``states`` (oldest first; at least ``history`` of them, or zeros are put before)."""
        recent = list(states[-self.history :])
        recent = [torch.zeros_like(recent[-1])] * (self.history - len(recent)) + recent
        if self.published:
            recent = recent[:1] * self.history
        return torch.cat(recent, -1).unsqueeze(1)


EDGE_LOGITS: Versions[Callable[[Relations, Tensor, bool], Tensor]] = Versions(Relations.plain)
"""(relations, windows, still) -> logits."""


def evidence(logits: Float[Tensor, "E times B K"], history: int) -> Float[Tensor, "E times B K"]:
    """Of static graphs: the mean over the full windows up to each time; before the first is full, the latest alone."""
    if logits.shape[1] <= history:
        return logits
    counts = torch.arange(1, logits.shape[1] - history + 1, dtype=logits.dtype, device=logits.device)
    return torch.cat([logits[:, :history], logits[:, history:].cumsum(1) / counts[:, None, None]], 1)

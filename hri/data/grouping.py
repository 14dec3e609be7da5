"""A tree proposed from the data: objects that move together, each group under the one that moves most like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform


def apartness(velocities: Sequence[Float[np.ndarray, "T N X"]]) -> Float[np.ndarray, "N N"]:
    """How little two objects move together, over all sequences.

    d_ij = sqrt(sum |v_i - v_j|^2 / sum (|v_i|^2 + |v_j|^2)): 0 where both always have one velocity, 1 where they move
    independently, sqrt(2) where one does the opposite of the other.
    """
    size = velocities[0].shape[1]
    apart, speed = np.zeros((size, size)), np.zeros(size)
    for part in velocities:
        v = np.asarray(part, np.float64)
        speed += np.square(v).sum((0, 2))
        products = np.einsum("tix,tjx->ij", v, v)
        own = np.diag(products)
        apart += np.maximum(own[:, None] + own[None] - 2 * products, 0)
    total = speed[:, None] + speed[None]
    distance = np.sqrt(np.divide(apart, total, out=np.zeros_like(apart), where=total > 0))
    np.fill_diagonal(distance, 0)
    return (distance + distance.T) / 2


def proposed_parents(
    velocities: Sequence[Float[np.ndarray, "T N X"]], groups: int | None = None
) -> Int[np.ndarray, " N"]:
    """Parent of each object, -1 for the root: agglomerative clustering (average linkage) of :func:`apartness`.

    The root is the object that is nearest to all others; every group hangs from it by the member nearest to its own
    group, and the other members hang from that one.

    Args:
        velocities: of each sequence.
        groups: how many; by default cut where the next two groups to be joined are farthest apart.

    Raises:
        ValueError: fewer than three objects, or more groups than there are objects beside the root.
    """
    distance = apartness(velocities)
    size = len(distance)
    if size < 3:
        raise ValueError(f"{size} objects make no hierarchy; leave the tree out, or bring three objects or more")
    if groups is not None and not 1 <= groups < size:
        raise ValueError(f"{size} objects make 1 to {size - 1} groups; choose --groups among these")
    root = int(distance.sum(1).argmin())
    others = np.delete(np.arange(size), root)
    parents = np.full(size, root)
    parents[root] = -1
    if len(others) == 2:
        return parents
    steps = linkage(squareform(distance[np.ix_(others, others)], checks=False), method="average")
    if groups is None:
        # A group for every merge that comes after the widest gap between the heights of merges.
        gaps = np.diff(steps[:, 2])
        groups = len(steps) - int(gaps.argmax()) if len(gaps) and gaps.max() > 0 else 1
    labels = fcluster(steps, groups, criterion="maxclust")
    for label in np.unique(labels):
        members = others[labels == label]
        leader = members[distance[np.ix_(members, members)].sum(1).argmin()]
        parents[members] = leader
        parents[leader] = root
    return parents


def in_order(parents: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Objects so that every parent comes before its children: breadth first from the root.

    Raises:
        ValueError: parents that make no tree; the sentence names the object.
    """
    parents = np.asarray(parents)
    size = len(parents)
    if ((parents < -1) | (parents >= size)).any():
        where = int(np.flatnonzero((parents < -1) | (parents >= size))[0])
        raise ValueError(
            f"the parent of object {where} is {parents[where]}; name an object from 0 to {size - 1}, or -1"
        )
    roots = np.flatnonzero(parents == -1).tolist()
    if len(roots) != 1:
        raise ValueError(f"a tree has one root and these parents have {len(roots)}; give -1 to exactly one object")
    order = roots
    for node in order:
        order += np.flatnonzero(parents == node).tolist()
    if len(order) != size:
        lost = next(node for node in range(size) if node not in order)
        raise ValueError(
            f"object {lost} hangs from itself over its parents; every line of parents must end at the root"
        )
    return np.array(order)

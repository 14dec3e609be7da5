"""Joints that were not seen for a while: short gaps are filled, long ones cut a take in two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import Akima1DInterpolator

from hri.core.hierarchy import Tree


@dataclass(frozen=True)
class WithoutGaps:
    """What is left of a take when no joint may be missing."""

    pieces: tuple[Float[np.ndarray, "_ J 3"], ...]
    """Its uninterrupted parts, in their order."""
    filled: int
    """Frames in which a joint's place was filled in."""
    left_out: int
    """Frames that no piece has."""


def without_gaps(positions: Float[np.ndarray, "T J 3"], tree: Tree, longest: int) -> WithoutGaps:
    """The take where all joints are known; NaN stands for those that were not seen.

    A joint that is missing for up to ``longest`` frames is filled in along a smooth curve (Akima's) of its place as its
    parent sees it, at the length that the bone has before and after. Longer gaps, and those at either end, are left
    out. Pieces have two frames at least.
    """
    missing = ~np.isfinite(positions).all(2)
    if not missing.any():
        return WithoutGaps((positions,), 0, 0)
    short = _short(missing, longest)
    placed = positions.astype(np.float64)
    for joint, parent in enumerate(tree.parents):  # a parent comes before its children, and is filled by then
        if short[:, joint].any():
            origin = placed[:, parent] if parent >= 0 else np.zeros((len(placed), 3))
            _fill(placed[:, joint], origin, short[:, joint], keeps_length=parent >= 0)
    known = np.all(np.isfinite(placed).reshape(len(placed), -1), axis=1)
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int))).reshape(-1, 2)
    pieces = [slice(start, stop) for start, stop in bounds.tolist() if stop - start >= 2]
    length = sum(piece.stop - piece.start for piece in pieces)
    return WithoutGaps(
        tuple(placed[piece].astype(positions.dtype) for piece in pieces),
        sum(int(short[piece].any(1).sum()) for piece in pieces),
        len(placed) - length,
    )


def _short(missing: Bool[np.ndarray, "T J"], longest: int) -> Bool[np.ndarray, "T J"]:
    """Where joints are missing in runs of ``longest`` frames at most, with a known frame before and after."""
    short = np.zeros_like(missing)
    for joint in np.flatnonzero(missing.any(0)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], missing[:, joint], [False]]).astype(int)))
        for start, stop in edges.reshape(-1, 2):
            if stop - start <= longest and start > 0 and stop < len(missing):
                short[start:stop, joint] = True
    return short


def _fill(
    place: Float[np.ndarray, "T 3"],
    origin: Float[np.ndarray, "T 3"],
    gaps: Bool[np.ndarray, " T"],
    keeps_length: bool,
) -> None:
    """Put places where there are gaps; what hangs on a joint that is missing itself is filled in the world instead."""
    frames = np.arange(len(place))
    for relative in (True, False):
        offset = place - origin if relative else place
        seen = np.isfinite(offset).all(1)
        wanted = gaps & ~np.isfinite(place).all(1)
        if relative:
            wanted &= np.isfinite(origin).all(1)
        wanted &= (frames > frames[seen].min(initial=len(place))) & (frames < frames[seen].max(initial=-1))
        if not wanted.any():
            continue
        curve = Akima1DInterpolator(frames[seen], offset[seen])(frames[wanted])
        if relative and keeps_length:
            length = np.interp(frames[wanted], frames[seen], np.linalg.norm(offset[seen], axis=1))
            curve *= (length / np.maximum(np.linalg.norm(curve, axis=1), 1e-12))[:, None]
        place[wanted] = curve + origin[wanted] if relative else curve

"""States to frames: anti-aliased balls on a black ground, drawn when asked for instead of stored.

Where a ball's centre is, :mod:`hri.physics.palette` says. Its half-axes are size (0.04 * 0.775 + 25/1152) by size (0.04
* 0.77 + 25/1152): the axes of the published figures, the second term being half the outline of a marker. Balls are
drawn in node order, later over earlier, in the colour ``PALETTE[node % 7]``; those of a body whose depth is known from
far to near, and where asked in one colour a limb, ``PALETTE[limb % 7]``.

A pixel's coverage is the mean over 16 scan lines of the exact overlap with the shape's chord, so
edges are smoother than 8 x 8 supersampling at a fraction of its cost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float, Int, UInt8
from numba import njit

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.physics.palette import CURTAIN, LUMINANCE, PUBLISHED, colours_of, half_axes, to_pixels

SCAN_LINES = 16
_DISC, _TRIANGLE, _SQUARE = 0, 1, 2
# Square and triangle (apex up) cover as many pixels as the disc, so that no shape is easier to see.
_SQUARE_HALF = np.sqrt(np.pi) / 2
_TRIANGLE_RADIUS = np.sqrt(4 * np.pi / (3 * np.sqrt(3)))


def curtains(seeds: Int[np.ndarray, " M"], size: int = 32) -> Int[np.ndarray, "M 2"]:
    """Left column and top row of each scene's curtain: uniform over the frame, the same at every size."""
    scenes, which = np.unique(np.asarray(seeds, dtype=np.int64), return_inverse=True)
    free = 32 - round(32 * CURTAIN)
    # A stream of its own: the system itself is drawn from RandomState(seed).
    corners = [np.random.default_rng([int(seed), 1]).integers(0, free + 1, 2) for seed in scenes]
    return np.asarray(corners, dtype=np.int64).reshape(-1, 2)[which] * (size // 32)


def draw(
    positions: Float[np.ndarray, "M N X"],
    tree: Tree,
    config: RenderConfig = PUBLISHED,
    seeds: Int[np.ndarray, " M"] | None = None,
    times: int = 1,
) -> UInt8[np.ndarray, "M H W C"]:
    """Frames of M arrangements of the tree's balls.

    Args:
        positions: box units (walls at -1 and 1). A ball outside the frame is cut off; NaN draws nothing. A third
            number, how far away a ball is, orders the balls of a frame: near ones over far ones.
        tree: says which nodes are leaves and which level each is on.
        config: size, radii, shapes, curtain, grey.
        seeds: the scene each frame belongs to; only the curtain asks for it.
        times: as many pixels a side as the config says, for people; no model sees such frames.

    Raises:
        ValueError: positions are not [M, N, 2] or [M, N, 3] for this tree, or a curtain is asked for without seeds.
    """
    positions = np.ascontiguousarray(positions, dtype=np.float64)
    if positions.ndim != 3 or positions.shape[1] != tree.size or positions.shape[2] not in (2, 3):
        raise ValueError(f"positions have shape {positions.shape}; this tree needs [frames, {tree.size}, 2]")
    corners = np.zeros((0, 2), dtype=np.int64)
    if config.curtain:
        if seeds is None or np.shape(seeds) != positions.shape[:1]:
            raise ValueError(f"a curtain needs the scene's seed of each of the {len(positions)} frames: pass seeds")
        corners = curtains(seeds, config.size)
    size = config.size * times
    axes, kinds = half_axes(tree, config) * times, _kinds(tree, config)
    colours = colours_of(tree, config).astype(np.float64)
    if config.grey:
        colours = (colours @ LUMINANCE)[:, None]
    centres = to_pixels(positions[..., :2], size)
    if positions.shape[2] == 3:
        order = np.argsort(-positions[..., 2], axis=1, kind="stable")
    else:
        order = np.tile(np.arange(tree.size), (len(positions), 1))
    frames = np.zeros((len(positions), size, size, config.channels), dtype=np.uint8)
    spread(lambda rows: _draw(centres[rows], order[rows], axes, kinds, colours, frames[rows]), len(frames), 64)
    side = round(size * CURTAIN)
    for m, (left, top) in enumerate(corners * times):
        frames[m, top : top + side, left : left + side] = 0
    return frames


def _kinds(tree: Tree, config: RenderConfig) -> Int[np.ndarray, " N"]:
    """Shape of each node: disc, triangle, square in turn over the children of each parent."""
    kinds = np.full(tree.size, _DISC)
    if config.shapes == "mixed":
        for node in range(tree.size):
            children = tree.children(node)
            kinds[children] = np.arange(len(children)) % 3
    return kinds


def thread_limit() -> int:
    """Threads to use: the environment's NUMBA_NUM_THREADS or OMP_NUM_THREADS, else one a core.

    Never ask Numba: its answer starts its OpenMP pool, which raises torch's thread count behind torch's back,
    and training processes that should each keep to one core then wait for each other's threads.
    """
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if (value := os.environ.get(name, "")).isdecimal() and int(value) > 0:
            return int(value)
    return os.cpu_count() or 1


def spread(work: Callable[[slice], object], count: int, block: int) -> None:
    """Call ``work`` on consecutive blocks of ``range(count)``, on :func:`thread_limit` threads.

    For kernels that release the interpreter lock. Plain threads rather than ``prange``: Numba's
    fallback thread pool ends the process when two threads (two visitors of a page) enter it at once.
    The block size does not depend on the number of threads, so neither do results.
    """
    blocks = [slice(start, min(start + block, count)) for start in range(0, count, block)]
    threads = min(thread_limit(), len(blocks))
    if threads <= 1:
        for rows in blocks:
            work(rows)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, blocks))


@njit(cache=True, nogil=True, inline="always")
def _half_chord(kind, v):
    """Half width of a shape of unit half-axis at height v (down positive); negative outside."""
    if kind == _DISC:
        return np.sqrt(1.0 - v * v) if abs(v) < 1.0 else -1.0
    if kind == _SQUARE:
        return _SQUARE_HALF if abs(v) < _SQUARE_HALF else -1.0
    if -_TRIANGLE_RADIUS < v < 0.5 * _TRIANGLE_RADIUS:
        return (v + _TRIANGLE_RADIUS) / np.sqrt(3.0)
    return -1.0


@njit(cache=True, nogil=True)
def _draw(centres, order, axes, kinds, colours, frames):
    """Paint M frames [M, H, W, C]: centres [M, N, 2] in pixels, nodes back to front [M, N], half-axes, colours."""
    height, width, channels = frames.shape[1:]
    canvas = np.empty((height, width, channels))
    cover = np.empty(width)
    for m in range(len(frames)):
        canvas[:] = 0.0
        for n in order[m]:
            column, row, a, b = centres[m, n, 0], centres[m, n, 1], axes[n, 0], axes[n, 1]
            reach = _TRIANGLE_RADIUS if kinds[n] == _TRIANGLE else 1.0
            # Written so that NaN fails too.
            if not (
                a > 0.0
                and b > 0.0
                and column + reach * a > 0.0
                and column - reach * a < width
                and row + reach * b > 0.0
                and row - reach * b < height
            ):
                continue
            # Cut to the frame before rounding: a float beyond 64 bits has no integer.
            left, right = int(max(0.0, column - reach * a)), int(min(width - 1.0, column + reach * a)) + 1
            top, bottom = int(max(0.0, row - reach * b)), int(min(height - 1.0, row + reach * b)) + 1
            for i in range(top, bottom):
                cover[left:right] = 0.0
                for line in range(SCAN_LINES):
                    half = a * _half_chord(kinds[n], (i + (line + 0.5) / SCAN_LINES - row) / b)
                    if half > 0.0:
                        start, stop = max(float(left), column - half), min(float(right), column + half)
                        for j in range(int(start), min(right, int(stop) + 1)):
                            cover[j] += max(0.0, min(j + 1.0, stop) - max(float(j), start))
                for j in range(left, right):
                    share = cover[j] / SCAN_LINES
                    if share > 0.0:
                        for c in range(channels):
                            canvas[i, j, c] += share * (colours[n, c] - canvas[i, j, c])
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    frames[m, i, j, c] = np.uint8(canvas[i, j, c] + 0.5)

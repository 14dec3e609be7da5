"""Plain frames of springs, drawn in tensors on any device: discs on black, as :mod:`hri.physics.render` draws them.

Coverage is computed the same way (exact chords on 16 scan lines a pixel), in single precision and for all balls and
pixels at once.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hri.core.config import RenderConfig
from hri.core.hierarchy import Tree
from hri.data.dataset import Sequences, Springs
from hri.data.sources import source_of
from hri.physics.palette import LUMINANCE, colours_of, half_axes, to_pixels
from hri.physics.render import SCAN_LINES


def suits(data: Sequences) -> bool:
    """Whether its frames can be drawn here: springs as discs, without a curtain; no depth decides who covers whom."""
    look = data.data.render
    return isinstance(data, Springs) and source_of(data.data).space == 2 and look.shapes == "disc" and not look.curtain


def draw(positions: Float[Tensor, "M N 2"], tree: Tree, config: RenderConfig) -> Float[Tensor, "M C H W"]:
    """Frames of M arrangements of the tree's balls (box units), pixels in 0 ... 1, rounded to 256 levels."""
    device, size = positions.device, config.size
    axes = half_axes(tree, config)
    offset, corner = to_pixels(np.array([[0.0, 0.0], [1.0, 1.0]]), size)
    scale = corner - offset
    columns = positions[..., 0] * float(scale[0]) + float(offset[0])
    rows = positions[..., 1] * float(scale[1]) + float(offset[1])
    colours = colours_of(tree, config) / 255.0
    if config.grey:
        colours = (colours @ LUMINANCE)[:, None]
    lines = (torch.arange(size * SCAN_LINES, device=device) + 0.5) / SCAN_LINES
    left = torch.arange(size, device=device)
    canvas = positions.new_zeros(len(positions), config.channels, size, size)
    for node in range(tree.size):
        across, down = (float(axis) for axis in axes[node])
        if across <= 0:
            continue
        half = across * (1 - ((lines - rows[:, node, None]) / down) ** 2).clamp_min(0).sqrt()  # M H*lines
        start, stop = columns[:, node, None] - half, columns[:, node, None] + half
        covered = (stop[..., None].minimum(left + 1.0) - start[..., None].maximum(left.float())).clamp_min(0)
        share = covered.unflatten(1, (size, SCAN_LINES)).mean(2)[:, None]  # M 1 H W
        for channel, value in enumerate(colours[node].tolist()):
            layer = canvas[:, channel : channel + 1]
            layer += share * (value - layer)
    return (canvas * 255 + 0.5).floor_().div_(255)

"""The eyes of image models: encoder and decoder together. Stage 1 trains them alone, on reconstruction."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hri.core.config import RenderConfig, VisionConfig
from hri.model.encoder import LeafEncoder, UpperEncoder
from hri.model.overlapping import NETWORKS


class Vision(nn.Module):
    """Frames to slots and back; the upper encoder belongs to stage 2, where it learns with relations and dynamics."""

    def __init__(self, vision: VisionConfig, render: RenderConfig):
        super().__init__()
        self.leaves = LeafEncoder(vision, render)
        self.upper = UpperEncoder(vision)
        self.decoder = NETWORKS[vision.decoder](vision, render)
        self.spec = vision.spec

    @property
    def first(self) -> tuple[nn.Module, nn.Module]:
        """What stage 1 trains and a checkpoint of encoder and decoder holds: leaf encoder and decoder."""
        return self.leaves, self.decoder

    def forward(self, frames: Float[Tensor, "M C H W"]) -> Float[Tensor, "M C H W"]:
        """Each frame again, drawn from its 16 leaf slots."""
        return self.draw(self.leaf_slots(self.features(frames)))

    def features(self, frames: Float[Tensor, "M C H W"]) -> Float[Tensor, "M F 4 4"]:
        """The map that all slots of a frame are read from: what stage 2 computes once and keeps."""
        return self.leaves.map(frames)

    def leaf_slots(self, features: Float[Tensor, "M F 4 4"]) -> Float[Tensor, "M 16 D"]:
        """The leaf slots alone, all that the decoder needs."""
        return self.leaves.slots(features)

    def slots(self, features: Float[Tensor, "*m F 4 4"]) -> Float[Tensor, "*m 21 D"]:
        """[root, 4 intermediates, 16 leaves]."""
        flat = features.flatten(0, -4)
        return torch.cat([self.upper(flat), self.leaf_slots(flat)], 1).unflatten(0, features.shape[:-3])

    def draw(self, slots: Float[Tensor, "*m P D"]) -> Float[Tensor, "*m C H W"]:
        """The frames of slots, from the 16 leaves that come last among them."""
        return self.decoder(slots[..., -16:, :].flatten(0, -3)).unflatten(0, slots.shape[:-2])

    def draw_each(self, slots: Float[Tensor, "M P D"]) -> Float[Tensor, "M 16 C H W"]:
        """What each leaf slot adds to the frame.

        Raises:
            ValueError: a decoder that draws all slots together.
        """
        return self.decoder.each(slots[:, -16:])

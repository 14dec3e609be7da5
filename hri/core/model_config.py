"""The choices that make a model: what it sees, how it infers relations, how messages move its states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from hri.core.decoding import DECODERS, DecoderName, DecoderSpec
from hri.core.limits import Between


@dataclass(frozen=True)
class RelationsConfig:
    """Where the interaction graph comes from."""

    source: Literal["inferred", "true", "full"] = "inferred"
    """Inferred from recent states, the true springs (oracle), or every pair joined (FCMP)."""
    pairs: Literal["all", "hierarchy", "leaves"] = "all"
    """Which pairs are inferred: all, the hierarchy's own edges (HRI-H), or leaves only (NRI-lo)."""
    graph: Literal["dynamic", "static"] = "dynamic"
    """Dynamic: inferred anew at every step. Static: the evidence of all full windows of true states so far (before the
    first is full, the latest window), kept through the free run."""
    edge_types: Annotated[int, Between(2, 16)] = 2
    """K. Type 0 means "no interaction" and carries no message."""
    silent: bool = True
    """Type 0 means "no interaction" and passes no message; off where every pair interacts, as between charges: then all
    K types speak."""
    history: Annotated[int, Between(1, 48)] = 10
    """How many of the most recent states the edges are inferred from."""
    window: Literal["recent", "published"] = "recent"
    """The paper's window of recent states, or the published code's (state t-10 ten times)."""
    hidden: Annotated[int, Between(1, 4096)] = 64
    """Width of the relational MLPs."""
    temperature: Annotated[float, Between(1e-3, 100.0)] = 0.5
    """Gumbel-softmax temperature in training."""

    @property
    def recorded_types(self) -> int:
        """Types as rollouts and edits number them: there type 0 always carries no message, and where all types of the
        model speak they are 1 ... K.
        """
        return self.edge_types + (not self.silent)

    @property
    def full_window(self) -> int:
        """States that edges are inferred from; 0 where they are not inferred."""
        return self.history if self.source == "inferred" else 0


@dataclass(frozen=True)
class DynamicsConfig:
    """How the next state is predicted."""

    passing: Literal["hierarchical", "flat", "joint"] = "hierarchical"
    """Messages up, across and down the tree (HRI), over all edges at once (NRI), or none: one LSTM over all nodes."""
    residual: bool = True
    """Add messages to the hidden state (HRI) or replace it by them (the published flat NRI)."""
    nodes: Literal["all", "leaves"] = "all"
    """Nodes in the loss and the reported NLL (NRI-lo); the joint LSTM also sees and predicts only these (LSTM-lo)."""
    memory: Literal["lstm", "none"] = "lstm"
    """An LSTM a node (the paper), or none: the next states follow from the present ones and the messages alone
    (NRI's MLP decoder), trained on runs of free_steps steps from several starts over each start's edges."""
    hidden: Annotated[int, Between(1, 4096)] = 64
    """Width of the LSTM state and of messages."""
    changes: bool = False
    """The LSTM also sees how each node changed since the last step, and the predicted change starts from that one:
    slots then come with a velocity, as states do."""
    places: bool = False
    """The LSTM also knows which node it is of, by numbers that are learned. States tell where a ball is; a slot does
    not tell which cell it is, and then no message can say from which side a ball comes."""


@dataclass(frozen=True)
class VisionConfig:
    """Encoder and decoder of image models."""

    decoder: DecoderName = "slot"
    """SlotDec: a slot sees and draws its own patch, the image is the sum. ParDec: all slots seen and drawn at once.
    overlap and strided are ours: the same two with small strided convolutions and slots that are not rectified."""
    slot_width: Annotated[int, Between(1, 1024)] = 16
    """D, numbers a slot."""
    encoder_channels: Annotated[int, Between(1, 4096)] = 48
    """Width of the encoder's layers."""
    decoder_channels: Annotated[int, Between(1, 4096)] = 64
    """Width of the decoder's layers."""

    @property
    def spec(self) -> DecoderSpec:
        """What the decoder is called and can do."""
        return DECODERS[self.decoder]


@dataclass(frozen=True)
class ModelConfig:
    """The whole model: what it sees, what it infers, how it moves."""

    vision: VisionConfig | None = None
    """None: the model sees states. Otherwise it sees frames."""
    relations: RelationsConfig = field(default_factory=RelationsConfig)
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)

    @property
    def sees_frames(self) -> bool:
        """Whether it is shown frames and draws what it predicts; else states, which it predicts as they are."""
        return self.vision is not None

    @property
    def observation(self) -> Literal["states", "frames"]:
        """The same in a word."""
        return "frames" if self.sees_frames else "states"

    @property
    def seen(self) -> Literal["state"] | DecoderName:
        """As presets say it: "state", or the decoder's name."""
        return self.vision.decoder if self.vision is not None else "state"

    @property
    def draws_slots_alone(self) -> bool:
        """Whether each slot has a picture of its own."""
        return self.vision is not None and self.vision.spec.draws_slots_alone

    @property
    def trains_patches(self) -> bool:
        """Whether stage 1 can begin with single slots on their own patches."""
        return self.vision is not None and self.vision.spec.trains_patches

    @property
    def feature_numbers(self) -> int:
        """Numbers that stage 2 keeps of each frame: the encoder's map; none of states."""
        if self.vision is None:
            return 0
        return 16 * (self.vision.slot_width if self.vision.spec.standardised else self.vision.encoder_channels)

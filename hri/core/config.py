"""Every choice in one frozen tree of dataclasses: the one source for CLI flags, forms, checkpoint headers and cards."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from hri.core.decoding import DECODERS, DecoderName, DecoderSpec
from hri.core.forces import Force, check_tree, force, system_name
from hri.core.hierarchy import SLOT_TREE, Tree


@dataclass(frozen=True)
class RenderConfig:
    """How balls are drawn (paper, appendix: variants of the visual task)."""

    size: Literal[32, 64] = 32
    """Rows and columns of a frame."""
    radius: float = 1.0
    """Ball radius as a multiple of the published one (about 1.7 pixels at 32 x 32)."""
    level_radii: tuple[float, ...] = ()
    """Radius multiple of each level, root first; not drawn where 0 or beyond the list. Empty: leaves only, radius 1."""
    shapes: Literal["disc", "mixed"] = "disc"
    """Discs for all, or disc, triangle, square in turn over the children of each parent."""
    curtain: bool = False
    """A black 12 x 12 square that hides part of every frame (position drawn from the scene's seed)."""
    grey: bool = False
    """One luminance channel instead of RGB."""
    colours: Literal["node", "limb"] = "node"
    """A colour a node, or one a limb of a body (:attr:`hri.core.hierarchy.Tree.limbs`)."""

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


@dataclass(frozen=True)
class MotionConfig:
    """Recordings of a body (``motion.npz``, see ``data``) instead of springs. A seed draws a window, a camera angle and
    whether it is mirrored; the three splits are of different recordings, so that test motion is unseen.
    """

    folder: str = "recordings"
    """Folder that holds motion.npz; relative ones start where the program does, or where the project lies."""
    joints: tuple[str, ...] = ()
    """Names of the nodes, which are the joints; data.tree is how they hang together."""
    dimensions: Literal[2, 3] = 2
    """States of joints as the camera sees them (right, up), or with depth too (right, up, away)."""
    frames: int = 50
    """Frames of a window."""
    every: int = 1
    """Of the recorded frames, every how-manieth is taken."""
    metres: float = 1.0
    """What one box unit (half a frame) is of the world."""
    follow: bool = True
    """The camera moves along with the body's root; otherwise it stands where the root was at the first frame."""
    angles: float = 360.0
    """Degrees from which the camera's angle is drawn; 0: it always looks along the recording's y axis."""
    orbit: float = 0.0
    """Fastest orbit around the body, degrees a second, either way; 0: the angle is fixed within a window."""
    mirror: bool = True
    """Half of the training windows are mirrored, left and right joints exchanged."""
    bend: float = 0.0
    """Every bone of a training window is turned about its joint by up to so many degrees, with all that hangs on it and
    by the same turn throughout the window: poses that nobody recorded, of a body that moves as somebody did."""


@dataclass(frozen=True)
class ClipsConfig:
    """Video clips (frames.npy and clips.json, see ``data``) instead of springs; a seed draws a window of its split."""

    folder: str = "kth"
    """Folder of the clips; relative ones start where the program does, or where the project lies."""
    split: Literal["prediction", "original"] = "prediction"
    """Persons 1-16 train and 17-25 test, as video prediction has it (the last two who train validate), or the data
    set's own three splits."""
    frames: int = 20
    """Frames of a window."""
    every: int = 1
    """Of the recorded frames, every how-manieth is taken."""
    mirror: bool = True
    """Half of the training windows are mirrored."""
    shift: int = 0
    """Training windows are shifted to either side by up to so many pixels, black coming in: for a black ground."""


@dataclass(frozen=True)
class DataConfig:
    """Where sequences come from: systems that are simulated, or recordings. Seeds of the three splits never meet."""

    tree: str = "4-3"
    """Children per level, such as 4-3 (17 balls), 3-3 (13), 4-4, 4-4-4; of a body each joint's parent, as in 0,1,1;
    flat-5 for five balls without a hierarchy."""
    physics: Literal["04", "05", "springs", "charged"] = "04"
    """04 goes with 4-3, 05 with 3-3 in the published data; springs or charged (NRI's two) with balls without a
    hierarchy."""
    train: int = 5000
    """Training systems, seeds 42, 43, ... (at most 100,000)."""
    validation: int = 200
    """Validation systems, seeds 100042, 100043, ... (at most 100,000)."""
    test: int = 1000
    """Test systems, seeds 200042, 200043, ..."""
    render: RenderConfig = field(default_factory=RenderConfig)
    motion: MotionConfig | None = None
    """None: springs are simulated. Otherwise sequences are cut from recordings of a body."""
    clips: ClipsConfig | None = None
    """Otherwise sequences are cut from video clips."""

    @property
    def force(self) -> Force:
        """What acts between two simulated balls, in words."""
        return force(self.physics)

    @property
    def system(self) -> str:
        """Name of the simulated systems, such as springs-4-3 or charged5."""
        return system_name(self.tree, self.physics)

    @property
    def dimensions(self) -> int:
        """Axes of a node's position: 2, or 3 for bodies whose depth is known."""
        return self.motion.dimensions if self.motion else 2

    @property
    def steps(self) -> int:
        """T, frames of a sequence."""
        recorded = self.motion or self.clips
        return recorded.frames if recorded else 49

    def split_of(self, seed: int) -> Literal["train", "validation", "test"]:
        """Which split a scene's seed belongs to; those below all splits count as training."""
        return "test" if seed >= 200_042 else "validation" if seed >= 100_042 else "train"

    def seeds(self, split: Literal["train", "validation", "test"]) -> range:
        """Seeds of one split, disjoint from the others."""
        first, count = {
            "train": (42, self.train),
            "validation": (100_042, self.validation),
            "test": (200_042, self.test),
        }[split]
        return range(first, first + count)


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
    edge_types: int = 2
    """K. Type 0 means "no interaction" and carries no message."""
    silent: bool = True
    """Type 0 means "no interaction" and passes no message; off where every pair interacts, as between charges: then all
    K types speak."""
    history: int = 10
    """How many of the most recent states the edges are inferred from."""
    window: Literal["recent", "published"] = "recent"
    """The paper's window of recent states, or the published code's (state t-10 ten times)."""
    hidden: int = 64
    """Width of the relational MLPs."""
    temperature: float = 0.5
    """Gumbel-softmax temperature in training."""

    @property
    def recorded_types(self) -> int:
        """Types as rollouts and edits number them: there type 0 always carries no message, and where all types of the
        model speak they are 1 ... K.
        """
        return self.edge_types + (not self.silent)


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
    hidden: int = 64
    """Width of the LSTM state and of messages."""


@dataclass(frozen=True)
class VisionConfig:
    """Encoder and decoder of image models."""

    decoder: DecoderName = "slot"
    """SlotDec: a slot sees and draws its own patch, the image is the sum. ParDec: all slots seen and drawn at once."""
    slot_width: int = 16
    """D, numbers a slot."""
    encoder_channels: int = 48
    """Width of the encoder's layers."""
    decoder_channels: int = 64
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
        return 16 * self.vision.encoder_channels if self.vision is not None else 0


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation. Stage 1: reconstruction of single frames. Stage 2: prediction."""

    seed: int = 0
    """Seed of weights, data order and noise."""
    updates: int = 4000
    """Updates of stage 2 (prediction)."""
    batch: int = 32
    """Sequences an update in stage 2, over all processes together."""
    optimiser: Literal["muon", "adam"] = "muon"
    """Muon makes the updates of weight matrices orthogonal and learns faster here; Adam is the published choice."""
    learning_rate: float = 1e-2
    """Peak learning rate of stage 2. Adam wants about a tenth; the published code takes 5e-4."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over a stage: a short warm-up, then a cosine down to 1 %, or constant."""
    warmup: int = 20
    """Updates of linear warm-up at the start of each stage."""
    clip: float = 10.0
    """Largest gradient norm, in medians of the last 100: rare bursts only, tighter clipping slows learning."""
    free_steps: int = 10
    """"n free steps": the last n - 1 inputs of a training sequence are the model's own predictions."""
    free_steps_start: int = 0
    """At the first update; it grows evenly to free_steps at the last. 0: free_steps from the start. Short runs make one
    step right sooner, long ones keep ten steps right."""
    edges_from: Literal["predictions", "truth"] = "predictions"
    """Free steps infer their edges from predictions; "truth" is the published training, which lets the future leak."""
    edge_weight: float = 1.0
    """Weight of the edge-prior term."""
    no_edge_prior: float = 0.0
    """Prior probability of "no interaction"; 0 keeps the uniform prior over K types."""
    prior_warmup: int = 0
    """Updates over which the weight of the edge-prior term rises from 0 to edge_weight."""
    prior_end: float = 1.0
    """Share of edge_weight that is left at the last update; on the way there it falls by the same factor an update. A
    strong prior first makes edges earn their place; weak springs can only do so once it has eased."""
    edge_sample: Literal["soft", "straight"] = "soft"
    """What speaks in training: the soft Gumbel sample of the published code, or its most likely type alone, with the
    gradient of the soft one (straight-through): then messages are as loud as in evaluation."""
    average: float = 0.0
    """Decay of the running average of weights that is validated and saved; 0: the weights themselves."""
    upper_decay: float = 0.0
    """By how many learning rates the weights that make the upper slots of images shrink an update. As targets those
    slots are constants, or they would collapse; on some data nothing then keeps them from growing without end."""
    variance: float = 5e-5
    """Fixed output variance of both Gaussian likelihoods."""
    frames_decoded: int = 4
    """Frames a sequence whose image loss is computed in stage 2 (an unbiased sample)."""
    batch_norm: Literal["batch", "running"] = "batch"
    """Training statistics of batch norm; "running" keeps them fixed (then several processes equal one exactly)."""
    stage1_updates: int = 20000
    """Updates of stage 1 (0 for state models)."""
    stage1_batch: int = 32
    """Single frames an update in stage 1."""
    stage1_learning_rate: float = 1e-3
    """Peak learning rate of stage 1."""
    patch_share: float = 0.0
    """SlotDec: share of stage 1 that trains single slots on their own masked patch before training the sum."""
    last_layer_scale: float = 0.05
    """The last layers of decoder and dynamics start at this multiple of their published weights: with those the first
    pixels lie around +-6, and the first free runs fly apart."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision; bf16 also helps on CPUs with matrix units."""
    evaluate_every: int = 500
    """Updates between validations and checkpoints."""
    snapshots: int = 24
    """Checkpoints of stage 2 kept over the whole training, to look back at how it learned; 0 keeps none."""


@dataclass(frozen=True)
class Config:
    """One experiment."""

    name: str = "custom"
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        check(self)

    @property
    def tree(self) -> Tree:
        """The model's nodes: balls or joints for states, the 16 + 4 + 1 slots for frames."""
        if self.model.vision:
            return SLOT_TREE
        joints = self.data.motion.joints if self.data.motion else ()
        return Tree(Tree.parse(self.data.tree).parents, joints)

    @property
    def width(self) -> int:
        """D, numbers a node."""
        return self.model.vision.slot_width if self.model.vision else 2 * self.data.dimensions

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Config:
        """The reverse of :meth:`to_dict`.

        Raises:
            ValueError: an unknown key, a wrong type or a choice that does not exist, named with its path.
        """
        return _build(Config, values, "config")


LIMITS: dict[str, tuple[int | float, int | float]] = {
    "data.train": (1, 100_000),
    "data.validation": (1, 100_000),
    "data.test": (1, 100_000),
    "model.relations.edge_types": (2, 16),
    "model.relations.history": (1, 48),
    "model.relations.hidden": (1, 4096),
    "model.dynamics.hidden": (1, 4096),
    "model.relations.temperature": (1e-3, 100.0),
    "train.updates": (0, 100_000_000),
    "train.stage1_updates": (0, 100_000_000),
    "train.batch": (1, 100_000),
    "train.stage1_batch": (1, 100_000),
    "train.learning_rate": (0.0, 10.0),
    "train.stage1_learning_rate": (0.0, 10.0),
    "train.free_steps": (1, 48),
    "train.free_steps_start": (0, 48),
    "train.frames_decoded": (1, 48),
    "train.upper_decay": (0.0, 10.0),
    "train.variance": (1e-12, 1e6),
    "train.no_edge_prior": (0.0, 0.9999),
    "train.prior_warmup": (0, 100_000_000),
    "train.prior_end": (1e-6, 1.0),
    "train.average": (0.0, 0.99999),
    "train.patch_share": (0.0, 1.0),
    "train.evaluate_every": (1, 100_000_000),
    "train.snapshots": (0, 1000),
    "train.seed": (0, 2**31 - 1),
    "train.warmup": (0, 100_000_000),
    "train.clip": (0.01, 1e12),
    "train.edge_weight": (0.0, 1e6),
    "train.last_layer_scale": (1e-6, 10.0),
    "data.render.radius": (0.1, 10.0),
    "data.clips.frames": (12, 1000),
    "data.clips.every": (1, 1000),
    "data.clips.shift": (0, 32),
    "data.motion.frames": (12, 1000),
    "data.motion.every": (1, 1000),
    "data.motion.metres": (1e-3, 1e6),
    "data.motion.angles": (0.0, 360.0),
    "data.motion.orbit": (0.0, 360.0),
    "data.motion.bend": (0.0, 90.0),
    "model.vision.slot_width": (1, 1024),
    "model.vision.encoder_channels": (1, 4096),
    "model.vision.decoder_channels": (1, 4096),
}
"""Smallest and largest value of each number, by its path in the config."""


def check(config: Config) -> None:
    """Refuse what no model can be built from.

    Raises:
        ValueError: the first value out of range, with its allowed range.
    """
    nodes, motion = Tree.parse(config.data.tree).size, config.data.motion
    relations = config.model.relations
    for path, (low, high) in LIMITS.items():
        value: Any = config
        for name in path.split("."):
            value = None if value is None else getattr(value, name)
        if value is not None and not low <= value <= high:
            raise ValueError(f"{path} is {value}; choose a value from {low} to {high}")
    if motion is None and config.data.clips is None:
        check_tree(Tree.parse(config.data.tree), config.data.physics)
    _check_flat(config)
    if motion is not None:
        if relations.source == "true":
            raise ValueError("recordings of a body know no true graph; choose model.relations.source inferred or full")
        if motion.joints and len(motion.joints) != nodes:
            raise ValueError(f"data.motion.joints has {len(motion.joints)} names and data.tree {nodes} nodes")
        if config.train.free_steps >= motion.frames:
            raise ValueError(f"train.free_steps must be less than data.motion.frames, {motion.frames}")
    if config.data.clips is not None:
        _check_clips(config, config.data.clips)
    dynamics = config.model.dynamics
    if dynamics.memory == "none" and dynamics.passing == "joint":
        raise ValueError("the joint LSTM is its memory; model.dynamics.memory = none goes with flat or hierarchical")
    if relations.edge_types == 2 and relations.source == "true":
        return
    if relations.source == "true" and relations.edge_types != 2:
        raise ValueError("true springs are one kind of edge: with model.relations.source = true set edge_types = 2")


def _check_flat(config: Config) -> None:
    """Refuse a hierarchy where the nodes have none, and types that do not fit what acts between them.

    Raises:
        ValueError: one sentence.
    """
    model, data = config.model, config.data
    if Tree.parse(data.tree).flat and data.motion is None and data.clips is None:
        if model.vision is not None:
            raise ValueError(f"{data.system} is seen as states only; leave model.vision out")
        if model.dynamics.passing == "hierarchical" or model.relations.pairs == "hierarchy":
            raise ValueError(f"{data.system} has no hierarchy; choose nri, nri-gt, fcmp or lstm for it")
    if model.relations.source == "true" and model.relations.silent != data.force.silent:
        state = "off" if model.relations.silent else "on"
        raise ValueError(f"the true types of {data.force.systems} need model.relations.silent {state}")
    if model.relations.recorded_types > 16:
        raise ValueError("model.relations.edge_types is 16; choose a value from 2 to 15 where no type is silent")
    if not model.relations.silent and config.train.no_edge_prior:
        raise ValueError("train.no_edge_prior is of a type without messages; set it to 0 or model.relations.silent on")


def _check_clips(config: Config, clips: ClipsConfig) -> None:
    """Refuse what clips cannot be used for.

    Raises:
        ValueError: one sentence.
    """
    if config.data.motion is not None:
        raise ValueError("sequences come from data.motion or from data.clips, not from both")
    if config.model.vision is None:
        raise ValueError("clips hold frames and no states; choose a preset with slot or par")
    if config.model.relations.source == "true":
        raise ValueError("clips know no true graph; choose model.relations.source inferred or full")
    if not config.data.render.grey:
        raise ValueError("clips are grey; set data.render.grey")
    if config.train.free_steps >= clips.frames:
        raise ValueError(f"train.free_steps must be less than data.clips.frames, {clips.frames}")


def _build(kind: Any, value: Any, path: str) -> Any:
    """Turn JSON into the annotated type, or say at which path it does not fit."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{path} must be an object of settings, not {value!r}")
        hints = typing.get_type_hints(kind)
        if unknown := sorted(value.keys() - hints.keys()):
            raise ValueError(f"unknown setting {path}.{unknown[0]}; choose from {', '.join(sorted(hints))}")
        return kind(**{name: _build(hints[name], item, f"{path}.{name}") for name, item in value.items()})
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{path} is {value!r}; choose from {', '.join(map(str, typing.get_args(kind)))}")
        return value
    if typing.get_origin(kind) is types.UnionType:
        inner = next(option for option in typing.get_args(kind) if option is not type(None))
        return None if value is None else _build(inner, value, path)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} must be a list, not {value!r}")
        return tuple(_build(typing.get_args(kind)[0], item, path) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{path} must be {kind.__name__}, not {value!r}")
    return value


def to_json(config: Config) -> str:
    """The config as indented JSON."""
    return json.dumps(config.to_dict(), indent=2)

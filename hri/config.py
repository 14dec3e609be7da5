"""Every choice in one frozen tree of dataclasses: the one source for CLI flags, forms, checkpoint headers and cards."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from hri.hierarchy import SLOT_TREE, Tree


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

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


@dataclass(frozen=True)
class DataConfig:
    """Which systems are simulated. Seeds of the three splits never meet."""

    tree: str = "4-3"
    """Children per level, such as 4-3 (17 balls), 3-3 (13), 4-4, 4-4-4."""
    physics: Literal["04", "05"] = "04"
    """Physics configuration: 04 goes with 4-3, 05 with 3-3 in the published data."""
    train: int = 5000
    """Training systems, seeds 42, 43, ... (at most 100,000)."""
    validation: int = 200
    """Validation systems, seeds 100042, 100043, ... (at most 100,000)."""
    test: int = 1000
    """Test systems, seeds 200042, 200043, ..."""
    render: RenderConfig = field(default_factory=RenderConfig)

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
    edge_types: int = 2
    """K. Type 0 means "no interaction" and carries no message."""
    history: int = 10
    """How many of the most recent states the edges are inferred from."""
    window: Literal["recent", "published"] = "recent"
    """The paper's window of recent states, or the published code's (state t-10 ten times; imported files only)."""
    hidden: int = 64
    """Width of the relational MLPs."""
    temperature: float = 0.5
    """Gumbel-softmax temperature in training."""


@dataclass(frozen=True)
class DynamicsConfig:
    """How the next state is predicted."""

    passing: Literal["hierarchical", "flat", "joint"] = "hierarchical"
    """Messages up, across and down the tree (HRI), over all edges at once (NRI), or none: one LSTM over all nodes."""
    residual: bool = True
    """Add messages to the hidden state (HRI) or replace it by them (the published flat NRI)."""
    nodes: Literal["all", "leaves"] = "all"
    """Nodes in the loss and the reported NLL (NRI-lo); the joint LSTM also sees and predicts only these (LSTM-lo)."""
    hidden: int = 64
    """Width of the LSTM state and of messages."""


@dataclass(frozen=True)
class VisionConfig:
    """Encoder and decoder of image models."""

    decoder: Literal["slot", "par"] = "slot"
    """SlotDec: a slot sees and draws its own patch, the image is the sum. ParDec: all slots seen and drawn at once."""
    slot_width: int = 16
    """D, numbers a slot."""
    encoder_channels: int = 48
    decoder_channels: int = 64


@dataclass(frozen=True)
class ModelConfig:
    """The whole model: what it sees, what it infers, how it moves."""

    vision: VisionConfig | None = None
    """None: the model sees states. Otherwise it sees frames."""
    relations: RelationsConfig = field(default_factory=RelationsConfig)
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation. Stage 1: reconstruction of single frames. Stage 2: prediction."""

    seed: int = 0
    """Seed of weights, data order and noise."""
    updates: int = 4000
    """Updates of stage 2 (prediction)."""
    batch: int = 32
    """Sequences an update in stage 2, over all processes together."""
    learning_rate: float = 1e-3
    """Peak Adam learning rate of stage 2."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over a stage: a short warm-up, then a cosine down to 1 %, or constant."""
    warmup: int = 20
    """Updates of linear warm-up at the start of each stage."""
    clip: float = 10.0
    """Largest gradient norm, in medians of the last 100: rare bursts only, tighter clipping slows learning."""
    free_steps: int = 10
    """"n free steps": the last n - 1 inputs of a training sequence are the model's own predictions."""
    edges_from: Literal["predictions", "truth"] = "predictions"
    """Free steps infer their edges from predictions; "truth" is the published training, which lets the future leak."""
    edge_weight: float = 1.0
    """Weight of the edge-prior term."""
    no_edge_prior: float = 0.0
    """Prior probability of "no interaction"; 0 keeps the uniform prior over K types."""
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
    """Peak Adam learning rate of stage 1."""
    patch_share: float = 0.0
    """SlotDec: share of stage 1 that trains single slots on their own masked patch before training the sum."""
    last_layer_scale: float = 0.05
    """The decoder's last layer starts at this multiple of its published weights, whose first pixels lie around +-6."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision; bf16 also helps on CPUs with matrix units."""
    evaluate_every: int = 500
    """Updates between validations and checkpoints."""


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
        """The model's nodes: simulated balls for states, the 16 + 4 + 1 slots for frames."""
        return SLOT_TREE if self.model.vision else Tree.parse(self.data.tree)

    @property
    def width(self) -> int:
        """D, numbers a node."""
        return self.model.vision.slot_width if self.model.vision else 4

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


def check(config: Config) -> None:
    """Refuse what no model can be built from.

    Raises:
        ValueError: the first value out of range, with its allowed range.
    """
    Tree.parse(config.data.tree)
    relations, train = config.model.relations, config.train
    limits = [
        ("data.train", config.data.train, 1, 100_000),
        ("data.validation", config.data.validation, 1, 100_000),
        ("data.test", config.data.test, 1, 100_000),
        ("model.relations.edge_types", relations.edge_types, 2, 16),
        ("model.relations.history", relations.history, 1, 48),
        ("model.relations.hidden", relations.hidden, 1, 4096),
        ("model.dynamics.hidden", config.model.dynamics.hidden, 1, 4096),
        ("model.relations.temperature", relations.temperature, 1e-3, 100.0),
        ("train.updates", train.updates, 0, 100_000_000),
        ("train.stage1_updates", train.stage1_updates, 0, 100_000_000),
        ("train.batch", train.batch, 1, 100_000),
        ("train.stage1_batch", train.stage1_batch, 1, 100_000),
        ("train.learning_rate", train.learning_rate, 0.0, 10.0),
        ("train.stage1_learning_rate", train.stage1_learning_rate, 0.0, 10.0),
        ("train.free_steps", train.free_steps, 1, 48),
        ("train.frames_decoded", train.frames_decoded, 1, 48),
        ("train.variance", train.variance, 1e-12, 1e6),
        ("train.no_edge_prior", train.no_edge_prior, 0.0, 0.9999),
        ("train.patch_share", train.patch_share, 0.0, 1.0),
        ("train.evaluate_every", train.evaluate_every, 1, 100_000_000),
    ]
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; choose a value from {low} to {high}")
    if relations.edge_types == 2 and relations.source == "true":
        return
    if relations.source == "true" and relations.edge_types != 2:
        raise ValueError("true springs are one kind of edge: with model.relations.source = true set edge_types = 2")


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


VARIANTS: dict[str, tuple[RelationsConfig, DynamicsConfig]] = {
    "hri": (RelationsConfig(), DynamicsConfig()),
    "hri-h": (RelationsConfig(pairs="hierarchy"), DynamicsConfig()),
    "hri-gt": (RelationsConfig(source="true"), DynamicsConfig()),
    "nri": (RelationsConfig(), DynamicsConfig(passing="flat", residual=False)),
    "nri-lo": (RelationsConfig(pairs="leaves"), DynamicsConfig(passing="flat", residual=False, nodes="leaves")),
    "nri-gt": (RelationsConfig(source="true"), DynamicsConfig(passing="flat", residual=False)),
    "fcmp": (RelationsConfig(source="full"), DynamicsConfig(passing="flat", residual=False)),
    "lstm": (RelationsConfig(source="full"), DynamicsConfig(passing="joint")),
    "lstm-lo": (RelationsConfig(source="full"), DynamicsConfig(passing="joint", nodes="leaves")),
}
"""Models of the paper (section 5): relations and dynamics of each."""


def preset(name: str) -> Config:
    """A named experiment, such as ``springs-4-3-slot-hri``.

    Raises:
        ValueError: unknown name; the sentence lists what there is.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=4, cutoff=0.3) or sorted(PRESETS)
        raise ValueError(
            f"unknown preset {name!r}; choose from {', '.join(near)} (springs-TREE-SEEN-VARIANT, {len(PRESETS)} in all)"
        )
    return PRESETS[name]


def to_json(config: Config) -> str:
    """The config as indented JSON."""
    return json.dumps(config.to_dict(), indent=2)


VISION: dict[str, VisionConfig | None] = {
    "state": None,
    "slot": VisionConfig(decoder="slot"),
    "par": VisionConfig(decoder="par"),
}

TRAINING: dict[str, TrainConfig] = {
    "state": TrainConfig(stage1_updates=0),
    "slot": TrainConfig(
        stage1_updates=20_000, stage1_batch=32, stage1_learning_rate=3e-3, patch_share=0.85, precision="bf16"
    ),
    "par": TrainConfig(stage1_updates=14_000, stage1_batch=64, stage1_learning_rate=2e-3, precision="bf16"),
}
"""What trained well on one CPU core, by what the model sees."""

_PHYSICS: dict[str, Literal["04", "05"]] = {"4-3": "04", "3-3": "05"}
"""The published trees, each with the physics that its data were made with."""

PRESETS: dict[str, Config] = {
    name: Config(
        name=name,
        data=DataConfig(tree=tree, physics=physics),
        model=ModelConfig(vision=vision, relations=relations, dynamics=dynamics),
        train=TRAINING[seen],
    )
    for tree, physics in _PHYSICS.items()
    for seen, vision in VISION.items()
    for variant, (relations, dynamics) in VARIANTS.items()
    for name in (f"springs-{tree}-{seen}-{variant}",)
}

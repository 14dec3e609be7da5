"""Every choice in one frozen tree of dataclasses: the one source for CLI flags, forms, checkpoint headers and cards."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from hri.core.forces import Force, PhysicsName, force, system_name
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.limits import Between, check_limits, from_plain
from hri.core.model_config import DynamicsConfig as DynamicsConfig
from hri.core.model_config import ModelConfig as ModelConfig
from hri.core.model_config import RelationsConfig as RelationsConfig
from hri.core.model_config import VisionConfig as VisionConfig
from hri.core.optimisation import TrainConfig as TrainConfig
from hri.core.origin import SIMULATED
from hri.core.origin import Origin as Origin
from hri.core.origin import OwnConfig as OwnConfig


@dataclass(frozen=True)
class RenderConfig:
    """How balls are drawn (paper, appendix: variants of the visual task)."""

    size: Literal[32, 64] = 32
    """Rows and columns of a frame."""
    radius: Annotated[float, Between(0.1, 10.0)] = 1.0
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
    """A colour for each node, or one for each limb of a body (a chain of joints between branchings)."""

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


@dataclass(frozen=True)
class MotionConfig(Origin):
    """Recordings of a body (``motion.npz``, see ``data``) instead of springs. A seed draws a window, a camera angle and
    whether it is mirrored; the three splits are of different recordings, so that test motion is unseen.
    """

    no_truth = "recordings of a body, and nobody recorded which parts act on which"

    folder: str = "recordings"
    """Folder that holds motion.npz; relative ones start where the program does, or where the project lies."""
    joints: tuple[str, ...] = ()
    """Names of the nodes, which are the joints; data.tree is how they hang together."""
    dimensions: Literal[2, 3] = 2
    """States of joints as the camera sees them (right, up), or with depth too (right, up, away)."""
    frames: Annotated[int, Between(12, 1000)] = 50
    """Frames of a window."""
    every: Annotated[int, Between(1, 1000)] = 1
    """Of the recorded frames, every how-manieth is taken."""
    metres: Annotated[float, Between(1e-3, 1e6)] = 1.0
    """What one box unit (half a frame) is of the world."""
    follow: bool = True
    """The camera moves along with the body's root; otherwise it stands where the root was at the first frame."""
    angles: Annotated[float, Between(0.0, 360.0)] = 360.0
    """Degrees from which the camera's angle is drawn; 0: it always looks along the recording's y axis."""
    orbit: Annotated[float, Between(0.0, 360.0)] = 0.0
    """Fastest orbit around the body, degrees per second, either way; 0: the angle is fixed within a window."""
    mirror: bool = True
    """Half of the training windows are mirrored, left and right joints exchanged."""
    bend: Annotated[float, Between(0.0, 90.0)] = 0.0
    """Every bone of a training window is turned about its joint by up to this many degrees, with all that hangs on it,
    by the same turn throughout the window: poses that nobody recorded, of a body that moves as somebody did."""

    def check(self, config: Config) -> None:
        nodes = Tree.parse(config.data.tree).size
        if config.model.relations.source == "true":
            raise ValueError("recordings of a body know no true graph; choose model.relations.source inferred or full")
        if self.joints and len(self.joints) != nodes:
            raise ValueError(f"data.motion.joints has {len(self.joints)} names and data.tree {nodes} nodes")
        if config.train.free_steps >= self.frames:
            raise ValueError(f"train.free_steps must be less than data.motion.frames, {self.frames}")
        if config.data.clips:
            raise ValueError("sequences come from data.motion or from data.clips, not from both")


@dataclass(frozen=True)
class ClipsConfig(Origin):
    """Video clips (frames.npy and clips.json, see ``data``) instead of springs; a seed draws a window of its split."""

    no_truth = "video clips, and nobody recorded what acts on what in them"

    folder: str = "kth"
    """Folder of the clips; relative ones start where the program does, or where the project lies."""
    split: Literal["prediction", "original"] = "prediction"
    """Persons 1-16 train and 17-25 test, as video prediction has it (the last two who train validate), or the data
    set's own three splits."""
    frames: Annotated[int, Between(12, 1000)] = 20
    """Frames of a window."""
    every: Annotated[int, Between(1, 1000)] = 1
    """Of the recorded frames, every how-manieth is taken."""
    mirror: bool = True
    """Half of the training windows are mirrored."""
    shift: Annotated[int, Between(0, 32)] = 0
    """Training windows are shifted to either side by up to this many pixels; black moves in: for a black ground."""

    def check(self, config: Config) -> None:
        if config.model.vision is None:
            raise ValueError("clips hold frames and no states; choose a preset with slot or par")
        if config.model.relations.source == "true":
            raise ValueError("clips know no true graph; choose model.relations.source inferred or full")
        if not config.data.render.grey:
            raise ValueError("clips are grey; set data.render.grey")
        if config.train.free_steps >= self.frames:
            raise ValueError(f"train.free_steps must be less than data.clips.frames, {self.frames}")


@dataclass(frozen=True)
class DataConfig:
    """Where sequences come from: systems that are simulated, or recordings. Seeds of the three splits never meet."""

    tree: str = "4-3"
    """Children per level, such as 4-3 (17 balls), 3-3 (13), 4-4, 4-4-4; of a body each joint's parent, as in 0,1,1;
    flat-5 for five balls without a hierarchy."""
    physics: PhysicsName = "04"
    """04 goes with 4-3, 05 with 3-3 in the published data; springs or charged (NRI's two) with balls without a
    hierarchy."""
    train: Annotated[int, Between(1, 100_000)] = 5000
    """Training systems, seeds 42, 43, ... (at most 100,000)."""
    validation: Annotated[int, Between(1, 100_000)] = 200
    """Validation systems, seeds 100042, 100043, ... (at most 100,000)."""
    test: Annotated[int, Between(1, 100_000)] = 1000
    """Test systems, seeds 200042, 200043, ..."""
    render: RenderConfig = field(default_factory=RenderConfig)
    motion: MotionConfig | None = None
    """None: springs are simulated. Otherwise sequences are cut from recordings of a body."""
    clips: ClipsConfig | None = None
    """Otherwise sequences are cut from video clips."""
    own: OwnConfig | None = None
    """Otherwise sequences are cut from trajectories of your own."""

    @property
    def origin(self) -> Origin:
        """Where sequences come from (:mod:`hri.data.sources` has what can be asked of it)."""
        return self.motion or self.clips or self.own or SIMULATED

    @property
    def force(self) -> Force:
        """What acts between two simulated balls, in words."""
        return force(self.acts)

    @property
    def acts(self) -> str:
        """The name under which :func:`hri.core.forces.force` has words for it."""
        return self.origin.acts or self.physics

    @property
    def system(self) -> str:
        """Name of the simulated systems, such as springs-4-3 or charged5."""
        return system_name(self.tree, self.physics)

    @property
    def dimensions(self) -> int:
        """Axes of a node's position: 2, or 3 for bodies whose depth is known."""
        return self.origin.dimensions

    @property
    def steps(self) -> int:
        """T, frames of a sequence."""
        return self.origin.frames

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
        return Tree(Tree.parse(self.data.tree).parents, self.data.origin.joints)

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
        config: Config = from_plain(Config, values, "config")
        return config


def check(config: Config) -> None:
    """Refuse what no model can be built from.

    Raises:
        ValueError: the first value out of range, with its allowed range.
    """
    relations = config.model.relations
    check_limits(config)
    config.data.origin.check(config)
    if config.data.own and config.data.origin is not config.data.own:
        raise ValueError("sequences come from data.own or from recordings of another kind, not from both")
    _check_types(config)
    dynamics = config.model.dynamics
    if dynamics.memory == "none" and dynamics.passing == "joint":
        raise ValueError("the joint LSTM is its memory; model.dynamics.memory = none goes with flat or hierarchical")
    if dynamics.memory == "none" and dynamics.changes:
        raise ValueError("a dynamics without memory knows no last step; leave model.dynamics.changes off")
    if dynamics.places and (dynamics.memory == "none" or dynamics.passing == "joint"):
        raise ValueError("only an LSTM a node can be told which node it is of; leave model.dynamics.places off")
    if relations.edge_types == 2 and relations.source == "true":
        return
    if relations.source == "true" and relations.edge_types != 2:
        raise ValueError("true springs are one kind of edge: with model.relations.source = true set edge_types = 2")


def _check_types(config: Config) -> None:
    """Refuse types of edges that do not fit what acts between the nodes.

    Raises:
        ValueError: one sentence.
    """
    model, data = config.model, config.data
    if model.relations.source == "true" and model.sees_frames:
        raise ValueError(
            "true springs join balls, and between the slots of an image no edge is true; choose "
            "model.relations.source inferred or full, or a preset that sees states"
        )
    if model.relations.source == "true" and model.relations.silent != data.force.silent:
        state = "off" if model.relations.silent else "on"
        raise ValueError(f"the true types of {data.force.systems} need model.relations.silent {state}")
    if model.relations.recorded_types > 16:
        raise ValueError("model.relations.edge_types is 16; choose a value from 2 to 15 where no type is silent")
    if not model.relations.silent and config.train.no_edge_prior:
        raise ValueError("train.no_edge_prior is of a type without messages; set it to 0 or model.relations.silent on")


def to_json(config: Config) -> str:
    """The config as indented JSON."""
    return json.dumps(config.to_dict(), indent=2)

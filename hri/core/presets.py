"""Experiments with names: the models of the paper and controls, on springs, bodies and clips, states and images."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from hri.core import forces
from hri.core.config import (
    ClipsConfig,
    Config,
    DataConfig,
    DynamicsConfig,
    ModelConfig,
    MotionConfig,
    OwnConfig,
    RelationsConfig,
    RenderConfig,
    TrainConfig,
    VisionConfig,
)
from hri.core.decoding import DECODERS

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
    "nri-residual": (RelationsConfig(), DynamicsConfig(passing="flat", residual=True)),
    "nri-mlp": (RelationsConfig(), DynamicsConfig(passing="flat", memory="none")),
    "hri-mlp": (RelationsConfig(pairs="hierarchy"), DynamicsConfig(memory="none")),
    "hri-h-one": (RelationsConfig(pairs="hierarchy", history=1), DynamicsConfig()),
    "hri-h-published": (RelationsConfig(pairs="hierarchy", window="published"), DynamicsConfig()),
}
"""Models of the paper (section 5), then :data:`CONTROLS`: relations and dynamics of each."""

CONTROLS = ("nri-residual", "hri-h-one", "hri-h-published")
"""Not in the paper. Is HRI's lead due to its adding messages where flat NRI replaces the hidden state by them? What
do edges gain from ten states over the latest one, or over the one old state that the published code shows them?"""


VISION: dict[str, VisionConfig | None] = {"state": None} | {
    name: VisionConfig(decoder=name, **decoder.vision) for name, decoder in DECODERS.items()
}

TRAINING: dict[str, TrainConfig] = {"state": TrainConfig(stage1_updates=0)} | {
    name: TrainConfig(**decoder.training) for name, decoder in DECODERS.items()
}
"""What trained well on one CPU core, by what the model sees; spring states have :data:`RELATING`."""

RELATING = TrainConfig(
    updates=20_000,
    batch=12,
    learning_rate=7e-3,
    warmup=100,
    clip=4.0,
    free_steps=10,
    free_steps_start=5,
    edge_sample="straight",
    no_edge_prior=0.9,
    edge_weight=3.0,
    prior_end=0.03,
    average=0.99,
    stage1_updates=0,
)
"""What makes models of spring states find the springs, by runs side by side (docs/training.md)."""

ROLLING = TrainConfig(
    updates=12_000,
    batch=32,
    learning_rate=5e-3,
    warmup=50,
    free_steps=10,
    edge_sample="straight",
    average=0.99,
    stage1_updates=0,
)
"""The same for balls without a hierarchy and dynamics without memory."""

_GENTLE = {"fcmp": 1e-3}
"""Learning rates of variants that fly apart at the others': where every pair speaks, the free run amplifies."""


def _suited(dynamics: DynamicsConfig, vision: VisionConfig | None) -> DynamicsConfig:
    """A variant's dynamics with what suits the slots that it moves."""
    if vision is None or dynamics.memory == "none":
        return dynamics
    return dataclasses.replace(dynamics, **vision.spec.dynamics)


def _springs(tree: str, physics: str, seen: str, variant: str) -> Config:
    """A model of the hierarchical springs."""
    relations, dynamics = VARIANTS[variant][0], _suited(VARIANTS[variant][1], VISION[seen])
    training = TRAINING[seen] if VISION[seen] else RELATING
    return Config(
        name=f"springs-{tree}-{seen}-{variant}",
        data=DataConfig(tree=tree, physics=physics, train=5000 if VISION[seen] else 20_000),
        model=ModelConfig(vision=VISION[seen], relations=relations, dynamics=dynamics),
        train=dataclasses.replace(training, learning_rate=_GENTLE.get(variant, training.learning_rate)),
    )


PRESETS: dict[str, Config] = {
    config.name: config
    for tree, physics in forces.USUAL.items()
    for seen in VISION
    for variant, (relations, _) in VARIANTS.items()
    if seen == "state" or relations.source != "true"  # springs join balls, not slots
    for config in (_springs(tree, physics, seen, variant),)
}

BODIES: dict[str, tuple[MotionConfig, str]] = {
    "mocap": (
        MotionConfig(
            folder="motions",
            joints=(
                "pelvis", "torso", "head", "right upper arm", "right lower arm", "right hand", "left upper arm",
                "left lower arm", "left hand", "right thigh", "right shin", "right foot", "left thigh", "left shin",
                "left foot",
            ),
            frames=36,  # the shortest of the recordings has 41
        ),
        "0,1,1,3,4,1,6,7,0,9,10,0,12,13",
    ),
    "human36m": (
        MotionConfig(
            folder="human36m",
            joints=(
                "hip", "right hip", "right knee", "right foot", "left hip", "left knee", "left foot", "spine", "thorax",
                "nose", "head", "left shoulder", "left elbow", "left wrist", "right shoulder", "right elbow",
                "right wrist",
            ),
            every=2,
        ),
        "0,1,2,0,4,5,0,7,8,9,8,11,12,8,14,15",
    ),
}  # fmt: skip
"""Bodies that presets know: the motions of one body that two packages ship, and Human3.6M at 25 frames a second."""

PACKAGES = {"motions": "isaaclab,pybullet"}
"""What ``data fetch-demo --only`` gets into a folder of this name, where not the small recordings."""

BENT = {("mocap", True): 40.0, ("mocap", False): 20.0}
"""Degrees by which bones of a body are bent, where it is seen as images or not: few recordings show too few poses."""

BODY_LOOK = RenderConfig(level_radii=(1.0,) * 8, colours="limb")
"""Every joint a ball, one colour a limb."""


BODY_UPDATES = 1500
"""On as few recordings as those of mocap more updates gain hardly anything (docs/training.md)."""


_OUR_EYES = [name for name, decoder in DECODERS.items() if not decoder.published]


def _of_bodies(body: str, seen: str, variant: str) -> TrainConfig:
    """What springs taught, for bodies; nobody knows how many of their pairs interact."""
    if VISION[seen] is None:
        training = ROLLING if VARIANTS[variant][1].memory == "none" else RELATING
        return dataclasses.replace(training, updates=BODY_UPDATES) if body == "mocap" else training
    training = dataclasses.replace(TRAINING[seen], upper_decay=1.0)
    if seen in _OUR_EYES:  # weighing little, slots end worse than repeated ones (docs/training.md)
        training = dataclasses.replace(training, batch=24, free_steps=6, slot_weight=1.0)
        if body == "mocap":
            training = dataclasses.replace(training, stage1_updates=3000, updates=1200)
    return training


PRESETS |= {
    name: Config(
        name=name,
        data=DataConfig(
            tree=tree,
            train=6000 if seen == "state" else 8000 if seen in _OUR_EYES else 1000,
            validation=100,
            test=500,
            render=BODY_LOOK,
            motion=dataclasses.replace(motion, bend=BENT.get((body, vision is not None), 0.0)),
        ),
        model=ModelConfig(
            vision=vision, relations=VARIANTS[variant][0], dynamics=_suited(VARIANTS[variant][1], vision)
        ),
        train=_of_bodies(body, seen, variant),
    )
    for body, (motion, tree) in BODIES.items()
    for seen, vision in VISION.items()
    for variant in ("hri", "hri-h", "nri", "lstm", *(("nri-mlp",) if seen == "state" else ()))
    for name in (f"{body}-{seen}-{variant}",)
}

FLAT = ("nri", "nri-mlp", "nri-gt", "fcmp", "lstm")
"""Variants that need no hierarchy, for balls that have none."""


def _flat(system: str, variant: str) -> Config:
    """States of balls without a hierarchy, such as springs5 or charged10 (Kipf et al. 2018)."""
    tree, physics = forces.system_named(system)
    relations, dynamics = VARIANTS[variant]
    relations = dataclasses.replace(relations, silent=relations.source == "full" or forces.FORCES[physics].silent)
    training = dataclasses.replace(
        RELATING,
        learning_rate=_GENTLE.get(variant, RELATING.learning_rate),
        no_edge_prior=0.0,  # half of all pairs have a spring, and charges always interact
        edge_weight=1.0,
        prior_end=1.0,
    )
    if dynamics.memory == "none":
        # One graph a system, from everything that was seen of it, as NRI infers it.
        relations = dataclasses.replace(relations, graph="static", hidden=128)
        training = dataclasses.replace(ROLLING, edge_pull=forces.FORCES[physics].edge_pull)
    return Config(
        name=f"{system}-state-{variant}",
        data=DataConfig(tree=tree, physics=physics, train=20_000),
        model=ModelConfig(relations=relations, dynamics=dynamics),
        train=training,
    )


PRESETS |= {
    config.name: config
    for balls in (5, 10)
    for force in forces.FORCES.values()
    if force.start
    for variant in FLAT
    for config in (_flat(f"{force.start}{balls}", variant),)
}

_FEW_FRAMES: dict[str, Any] = {"updates": 300, "evaluate_every": 50, "similarity_weight": 0.1}
"""Of a few hundred frames stage 2 learns for a hundred or two updates, and then learns them by heart."""

CLIPS: dict[str, tuple[DataConfig, VisionConfig, TrainConfig]] = {
    "kth": (
        DataConfig(train=5000, validation=200, render=RenderConfig(size=64, grey=True), clips=ClipsConfig()),
        VisionConfig(),
        TrainConfig(stage1_updates=60_000, stage1_learning_rate=3e-3, precision="bf16"),
    ),
    "walker": (
        DataConfig(
            train=400,
            validation=20,
            test=20,
            render=RenderConfig(grey=True),
            clips=ClipsConfig(folder="walker", frames=16, shift=10),
        ),
        VisionConfig(encoder_channels=24, decoder_channels=32),
        TrainConfig(
            updates=400, batch=8, stage1_updates=3000, stage1_batch=16, stage1_learning_rate=3e-3, evaluate_every=100
        ),
    ),
    "people": (
        DataConfig(
            train=2000,
            validation=60,
            test=200,
            render=RenderConfig(grey=True),
            clips=ClipsConfig(folder="people", frames=24, shift=10),
        ),
        VisionConfig(),
        TrainConfig(stage1_updates=20_000, stage1_learning_rate=3e-3, precision="bf16", **_FEW_FRAMES),
    ),
}
"""Video clips that presets know: KTH actions, one person who walks by, for whom a narrow model has room enough, and
films of a room from four cameras."""

PRESETS |= {
    name: Config(
        name=name,
        data=data,
        model=ModelConfig(
            vision=dataclasses.replace(narrow, decoder=seen, **decoder.vision),
            relations=VARIANTS[variant][0],
            dynamics=_suited(VARIANTS[variant][1], VISION[seen]),
        ),
        train=training if decoder.published else dataclasses.replace(TRAINING[seen], **_FEW_FRAMES),
    )
    for source, (data, narrow, training) in CLIPS.items()
    for seen, decoder in DECODERS.items()
    if decoder.published or source == "people"
    for variant in ("hri", "hri-h", "nri", "lstm")
    for name in (f"{source}-{seen}-{variant}",)
}


OWN = ("hri", "nri", "nri-mlp", "lstm")
"""Variants for trajectories of one's own; hri needs a tree."""


def _own(variant: str) -> Config:
    """States of whatever somebody brings; sized to the data once they are known (:mod:`hri.data.own_windows`)."""
    relations, dynamics = VARIANTS[variant]
    relations = dataclasses.replace(relations, silent=True)
    training = dataclasses.replace(RELATING, no_edge_prior=0.0, edge_weight=1.0, prior_end=1.0, batch=32)
    if dynamics.memory == "none":
        relations, training = dataclasses.replace(relations, graph="static", hidden=128), ROLLING
    return Config(
        name=f"own-state-{variant}",
        data=DataConfig(
            tree="4-3" if variant == "hri" else "flat-5", train=2000, render=BODY_LOOK,
            own=OwnConfig(),
        ),
        model=ModelConfig(relations=relations, dynamics=dynamics),
        train=training,
    )  # fmt: skip


PRESETS |= {config.name: config for config in map(_own, OWN)}


def preset(name: str) -> Config:
    """A named experiment, such as ``springs-4-3-slot-hri``; without a hierarchy of any number of balls, such as
    ``springs7-state-nri``.

    Raises:
        ValueError: unknown name; the sentence lists what there is.
    """
    system, _, variant = name.partition("-state-")
    start = system.rstrip("0123456789")
    if name not in PRESETS and system[-1:].isdigit() and any(start == force.start for force in forces.FORCES.values()):
        forces.system_named(system)
        if variant not in FLAT:
            known = ", ".join(f"{system}-state-{word}" for word in FLAT)
            raise ValueError(f"{system} has no hierarchy and is seen as states; choose {known}")
        return _flat(system, variant)
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=4, cutoff=0.3) or sorted(PRESETS)
        raise ValueError(
            f"unknown preset {name!r}; choose from {', '.join(near)} "
            "(springs-TREE-SEEN-VARIANT, such as springs-4-3-slot-hri, "
            f"{''.join(f'{force.start}5-state-VARIANT, ' for force in forces.FORCES.values() if force.start)}"
            "BODY-SEEN-VARIANT, CLIPS-SEEN-VARIANT or own-state-VARIANT; "
            f"{len(PRESETS)} in all)"
        )
    return PRESETS[name]

"""What is trained to check the paper: plans by name, each some models x seeds x updates, and the jobs they come to."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hri.core.config import Config
from hri.core.decoding import DECODERS, DecoderName
from hri.core.presets import BODIES, BODY_UPDATES, CONTROLS, preset

Seen = Literal["state"] | DecoderName
Settings = tuple[tuple[str, Any], ...]
"""What differs from a preset: (path in the config, such as "train.batch"; its value)."""


def with_settings(name: str, settings: Settings) -> Config:
    """A preset with some of its settings changed.

    Raises:
        ValueError: no such preset, or a setting that does not exist or does not fit.
    """
    values = preset(name).to_dict()
    for path, value in settings:
        *folders, last = path.split(".")
        place = values
        for folder in folders:
            inner = place.get(folder)
            if not isinstance(inner, dict):
                raise ValueError(f"{name} has no settings {folder} (in {path}); see `python -m hri train --help`")
            place = inner
        place[last] = value
    return Config.from_dict(values)


@dataclass(frozen=True)
class Job:
    """One training and the scores of its best checkpoint, in a folder of its own."""

    model: str
    """Which model of :data:`hri.core.config.VARIANTS`."""
    seen: Seen
    tree: str
    """Of springs, such as 4-3; or a body of :data:`hri.core.config.BODIES`; or balls without a hierarchy, as in
    springs5."""
    seed: int
    updates: int
    """Of stage 2; 0 in a job that only trains an encoder and decoder for others."""
    settings: Settings = ()
    vision: str = ""
    """Checkpoint whose encoder and decoder are taken; stage 1 is then skipped."""
    after: str = ""
    """Name of the job that makes this encoder and decoder."""

    @property
    def preset(self) -> str:
        return f"{self._source}-{self.seen}-{self.model}"

    @property
    def _source(self) -> str:
        """A body, balls without a hierarchy, or springs of a tree."""
        return self.tree if self.tree in BODIES or not self.tree[0].isdigit() else f"springs-{self.tree}"

    @property
    def name(self) -> str:
        """The job's folder."""
        return f"{self._source}-{self.seen}-{self.model if self.stage == 2 else 'stage1'}-seed{self.seed}"

    @property
    def stage(self) -> int:
        """The last stage of this job: 2, or 1 for encoder and decoder alone."""
        return 2 if self.updates else 1

    @property
    def counted(self) -> int:
        """Updates of the last stage, in which a job's progress is told."""
        return self.updates or self.config.train.stage1_updates

    @property
    def config(self) -> Config:
        """What is trained.

        Raises:
            ValueError: a setting that does not exist or does not fit.
        """
        return with_settings(self.preset, (*self.settings, ("train.seed", self.seed), ("train.updates", self.updates)))

    def commands(self, folder: Path) -> tuple[list[str], list[str]]:
        """What follows ``python -m hri``: train (or go on), then score on test systems."""
        run = folder / self.name
        flags = [word for path, value in self.settings for word in (f"--{path.replace('_', '-')}", str(value))]
        train = ["train", "--preset", self.preset, "--run", str(run), "--seed", str(self.seed)]
        train += ["--updates", str(self.updates), *flags, *(["--vision-from", self.vision] if self.vision else [])]
        return [*train, "--resume"], ["evaluate", "--checkpoint", str(run / "best.safetensors"), "--json"]


@dataclass(frozen=True)
class Group:
    """Models that are trained alike, once a seed."""

    models: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    seen: Seen = "state"
    tree: str = "4-3"
    updates: int | None = None
    """Of stage 2 where they differ from the plan's."""


@dataclass(frozen=True)
class Plan:
    """Models x seeds, all trained for the same number of updates and chosen on validation."""

    name: str
    about: str
    groups: tuple[Group, ...]
    updates: int = 1000
    """Of stage 2, the same for every model."""
    settings: Settings = ()
    """What differs from the presets, in every job."""
    suffix: str = ""
    """What published checkpoints are called after their preset, such as "-equal", where :attr:`longer` has another."""
    longer: tuple[str, ...] = ()
    """Models that another plan trains for longer: that plan's checkpoints have their presets' bare names."""
    vision: tuple[tuple[str, str], ...] = ()
    """(slot or par, checkpoint): encoders and decoders to take; the others are trained once, for all models."""
    worth_publishing: bool = True

    def jobs(self, folder: Path) -> tuple[Job, ...]:
        """Every job in the order of its start: encoders, then seed 0 of all models, then the other seeds."""
        jobs = sorted(self._jobs(folder), key=lambda job: (job.stage, job.seed))
        return tuple(dict.fromkeys(jobs))

    def _jobs(self, folder: Path) -> Iterator[Job]:
        sources = dict(self.vision)
        for group in self.groups:
            for seed in group.seeds:
                for model in group.models:
                    updates = group.updates or self.updates
                    job = Job(model, group.seen, group.tree, seed, updates, self.settings)
                    if group.seen == "state":
                        yield job
                    elif group.seen in sources:
                        yield replace(job, vision=sources[group.seen])
                    else:
                        # Neither part depends on the model that will predict, nor on its seed.
                        first = replace(job, model="hri-h", seed=0, updates=0)
                        yield first
                        yield replace(job, vision=str(folder / first.name / "best.safetensors"), after=first.name)

    def fixed(self) -> dict[str, Any]:
        """Everything the numbers depend on, as JSON: a folder holds one plan with one of these."""
        return {
            "plan": self.name,
            "updates": self.updates,
            "settings": dict(self.settings),
            "vision": dict(self.vision),
        }


_COMPARED = ("lstm", "hri-gt", "hri-h", "nri-gt", "nri", "nri-residual")
_STATES = ("lstm-lo", "hri-mlp", "nri-mlp", "nri-lo", "fcmp", "hri")
_LONG = ("lstm", "hri-gt", "hri-h", "nri-gt", "nri")
_FEWER: Settings = (("data.validation", 100),)
"""Validation takes less of the time."""
_TINY: Settings = (
    ("data.train", 16),
    ("data.validation", 4),
    ("data.test", 4),
    ("train.batch", 4),
    ("train.evaluate_every", 2),
)

PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan(
            "states",
            "every model on 4-3 states, equally many updates each, three seeds for the models that claims compare",
            (Group(_COMPARED, seeds=(0, 1, 2)), Group(_STATES), Group(CONTROLS)),
            updates=3000,
            settings=_FEWER,
            suffix="-equal",
            longer=_LONG,
        ),
        Plan(
            "states-3-3",
            "HRI-H, NRI, LSTM and the oracles on 3-3 states, two seeds each, and HRI once",
            (Group(_LONG, seeds=(0, 1), tree="3-3"), Group(("hri",), tree="3-3")),
            updates=3000,
            settings=_FEWER,
        ),
        Plan(
            "states-long",
            "HRI-H, NRI, LSTM and the oracles on 4-3 states, trained for long",
            (Group(("hri-h",), updates=20_000), Group(tuple(model for model in _LONG if model != "hri-h"))),
            updates=12_000,
            settings=_FEWER,
        ),
        Plan(
            "images",
            "HRI-H, NRI and LSTM on 4-3 images, with one encoder and decoder each for SlotDec and ParDec",
            tuple(Group(("hri-h", "nri", "lstm"), seen=seen) for seen, spec in DECODERS.items() if spec.published),
        ),
        Plan(
            "motion",
            "HRI, HRI-H, NRI and LSTM on recordings of a body, tested on kinds of motion that training has not met",
            (Group(("lstm", "hri-h", "nri-mlp", "nri", "hri"), seeds=(0, 1, 2), tree="mocap"),),
            updates=BODY_UPDATES,
        ),
        Plan(
            "quick",
            "a few updates of three models on a few systems, to try the command",
            (Group(("lstm", "hri-h", "hri-gt")), Group(("lstm",), seeds=(1,))),
            updates=6,
            settings=_TINY,
            worth_publishing=False,
        ),
    )
}


def plan(
    name: str, updates: int | None = None, stage1_updates: int | None = None, vision: dict[str, str] | None = None
) -> Plan:
    """A plan by its name, with what was asked to differ.

    Args:
        name: one of :data:`PLANS`.
        updates: of stage 2, for every model.
        stage1_updates: of the encoders and decoders.
        vision: checkpoints to take them from, by what is seen (the decoder's name).

    Raises:
        ValueError: no such plan, no updates, or an encoder for a plan without images; the sentence says what there is.
    """
    if name not in PLANS:
        near = difflib.get_close_matches(name, PLANS, n=1)
        raise ValueError(
            f"unknown plan {name!r}; choose from {', '.join(PLANS)}{f' (did you mean {near[0]}?)' if near else ''}"
        )
    selection = PLANS[name]
    if updates is not None:
        if updates < 1:
            raise ValueError(f"--updates is {updates}; a model needs 1 or more")
        selection = replace(selection, updates=updates)
    trained = {group.seen for group in selection.groups} - {"state"}
    for seen in vision or {}:
        if seen not in trained:
            raise ValueError(f"the plan {name} trains no {seen} models: leave --vision-from-{seen} out")
    if stage1_updates is not None:
        if not trained - set(vision or {}):
            raise ValueError(f"the plan {name} trains no encoder here: leave --stage1-updates out")
        if stage1_updates < 1:
            raise ValueError(f"--stage1-updates is {stage1_updates}; an encoder needs 1 or more")
        selection = replace(selection, settings=(*selection.settings, ("train.stage1_updates", stage1_updates)))
    selection = replace(selection, vision=tuple((vision or {}).items()))
    for job in selection.jobs(Path()):
        _ = job.config  # wrong settings are said before any work
    return selection

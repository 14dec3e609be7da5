"""The source of recorded bodies: windows of motion capture, seen by a camera (:mod:`hri.data.windows`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from hri.core.config import DataConfig, MotionConfig
from hri.core.presets import BODIES, PACKAGES
from hri.data.source import Piece, Source, Split

if TYPE_CHECKING:
    from hri.core.records import Normalisation, Trajectories
    from hri.data.dataset import Sequences

TITLES = {"mocap": "motion capture: walks, dances, leaps and more", "human36m": "Human3.6M"}
"""What a form calls the bodies that presets know."""


class RecordedBodies(Source):
    """Windows of recordings of one body, whose joints are the nodes."""

    space = 3
    states = "states of joints"
    shows = "a recorded body"
    files = "a motion.npz"
    caution = "to see the method at work on real movement; far too little data for a model of how people move"
    piece = "recording"
    pieces_pictured = True

    @property
    def motion(self) -> MotionConfig:
        assert self.data.motion is not None
        return self.data.motion

    @property
    def units(self) -> tuple[str, str]:
        unit = "metres" if self.motion.metres == 1 else f"units of {self.motion.metres:g} metres"
        return unit, f"{unit} a second"

    @property
    def label(self) -> str:
        return self.shows

    @property
    def preset(self) -> str | None:
        """The presets' name of this body, if it is one of theirs."""
        known = [
            name
            for name, (motion, tree) in BODIES.items()
            if (motion.joints, tree) == (self.motion.joints, self.data.tree)
        ]
        folder = PurePath(self.motion.folder).name  # bodies may have joints and tree in common
        return next((name for name in known if BODIES[name][0].folder == folder), next(iter(known), None))

    @property
    def name(self) -> str:
        return self.preset or PurePath(self.motion.folder).name

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name)

    @property
    def seeds_mean(self) -> str:
        return "Every seed is another window and camera angle; from 200042 on of recordings that no training saw."

    @property
    def about(self) -> str:
        from hri.data.windows import recordings

        motion, examples = self.motion, recordings(self.motion).of("train")
        seconds = sum(len(recording.positions) / recording.fps for recording in examples)
        named = ", ".join(recording.name.replace("_", " ") for recording in examples[:5])
        more = f" and {len(examples) - 5} more" if len(examples) > 5 else ""
        rate = examples[0].fps / motion.every
        bent = f"bones bent by up to {motion.bend:g}°"
        changes = [text for text, done in (("half of them mirrored", motion.mirror), (bent, motion.bend)) if done]
        return (
            f"{len(examples)} recording{'s' if len(examples) != 1 else ''} of a body ({named}{more}), "
            f"{seconds:.0f} seconds in all, as {self.data.train} windows of {motion.frames} frames at {rate:g} a "
            "second from random camera "
            f"angles{''.join(f', {change}' for change in changes)}; validated and tested on others"
        )

    def part(self, seed: int) -> str:
        from hri.data.windows import about

        return about(self.data, seed)

    def pieces(self) -> tuple[Piece, ...]:
        from hri.data.windows import first_seeds, recordings, side_view

        motion_set, seeds = recordings(self.motion), first_seeds(self.data)
        return tuple(
            Piece(
                recording.name.replace("_", " "),
                recording.split,
                len(recording.positions) / recording.fps,
                seeds[index],
                side_view(recording.positions),
            )
            for index, recording in enumerate(motion_set.recordings)
        )

    def piece_of(self, seed: int) -> int:
        from hri.data.windows import recording_of

        return recording_of(self.data, seed)

    @property
    def here(self) -> bool:
        from hri.data.windows import available

        return available(self.motion)

    @property
    def file(self) -> Path | None:
        from hri.data.windows import motion_file

        return motion_file(self.motion)

    @property
    def how_to_get(self) -> str:
        if self.motion.joints == BODIES["human36m"][0].joints:
            return f"python -m hri data human36m data_3d_h36m.npz --out {self.motion.folder} --trust-pickle"
        packages = PACKAGES.get(PurePath(self.motion.folder).name)
        only = f" --only {packages}" if packages else ""
        return f"python -m hri data fetch-demo{only} --out {self.motion.folder}"

    def in_folder(self, folder: str) -> DataConfig:
        return dataclasses.replace(self.data, motion=dataclasses.replace(self.motion, folder=folder))

    def fitting(self) -> DataConfig:
        from hri.data.windows import fitting

        return fitting(self.data)

    def scenes(self, seeds: Sequence[int]) -> Trajectories:
        from hri.data.windows import scenes

        return scenes(self.data, seeds)

    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        """Without ``normalisation`` the split's own fastest joint sets the range of velocities."""
        from hri.data.dataset import Springs, body_normalisation, single_precision

        trajectories = self.scenes(self.data.seeds(split))
        return Springs(self.data, single_precision(trajectories), normalisation or body_normalisation(trajectories))

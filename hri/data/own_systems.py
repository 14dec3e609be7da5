"""The source of trajectories of one's own: windows of whatever moves (:mod:`hri.data.own_windows`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from hri.core.config import Config, DataConfig, OwnConfig
from hri.core.records import Normalisation, Trajectories
from hri.data.source import Source, Split

if TYPE_CHECKING:
    from hri.data.dataset import Sequences


class OwnSystems(Source):
    """Windows of trajectories that somebody brought."""

    states = "states of objects"
    shows = "trajectories of your own"
    files = "a trajectories.npz"
    piece = "sequence"
    ranged = True
    folder_flag = "--data.own.folder"

    @property
    def own(self) -> OwnConfig:
        assert self.data.own is not None
        return self.data.own

    @property
    def space(self) -> int:  # type: ignore[override]
        return self.own.dimensions

    @property
    def units(self) -> tuple[str, str]:
        return self.own.unit or "units", self.own.speed_unit or "units a frame"

    @property
    def label(self) -> str:
        return self.shows

    @property
    def name(self) -> str:
        folder = PurePath(self.own.folder).name
        return "own" if folder == OwnConfig.folder else f"own-{folder}"

    @property
    def title(self) -> str:
        folder = PurePath(self.own.folder).name
        return "trajectories of your own" if folder == OwnConfig.folder else f"your own: {folder}"

    @property
    def seeds_mean(self) -> str:
        return "Every seed is another window of a sequence; from 200042 on of sequences that no training saw."

    @property
    def about(self) -> str:
        from hri.data.own_windows import data_set

        examples = data_set(self.own).of("train")
        frames = sum(len(part.positions) for part in examples)
        count = f"{len(examples)} sequence{'s' if len(examples) != 1 else ''}"
        names = ", ".join(self.own.names[:8]) + (" …" if len(self.own.names) > 8 else "")
        return (
            f"{count} of {len(self.own.names)} objects ({names}), {frames} frames in all, as {self.data.train} windows "
            f"of {self.own.frames} frames; validated and tested on others"
        )

    def part(self, seed: int) -> str:
        from hri.data.own_windows import about

        return about(self.data, seed)

    @property
    def here(self) -> bool:
        from hri.data.own_windows import available

        return available(self.own)

    @property
    def folder(self) -> str:
        return self.own.folder

    @property
    def how_to_get(self) -> str:
        return f"python -m hri data trajectories FILE --out {self.own.folder}"

    def in_folder(self, folder: str) -> DataConfig:
        return dataclasses.replace(self.data, own=dataclasses.replace(self.own, folder=folder))

    def fitting(self) -> DataConfig:
        from hri.data.own_windows import fitting

        return fitting(self.data)

    def sized(self, config: Config) -> Config:
        from hri.data.own_windows import sized

        return sized(config)

    def measures(self, normalisation: Normalisation) -> dict[str, np.ndarray]:
        own = self.own
        places, speeds = self.units
        low, high = (
            np.array([*(middle + own.scale * place for middle in own.centre), *[own.scale * speed] * own.dimensions])
            for place, speed in (
                (normalisation.position_low, normalisation.velocity_low),
                (normalisation.position_high, normalisation.velocity_high),
            )
        )
        return {
            "state_span": np.stack([low, high], 1).astype(np.float32),
            "units": np.array([places] * own.dimensions + [speeds] * own.dimensions),
        }

    def scenes(self, seeds: Sequence[int]) -> Trajectories:
        from hri.data.own_windows import scenes

        return scenes(self.data, seeds)

    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        from hri.data.dataset import Springs, single_precision

        trajectories = self.scenes(self.data.seeds(split))
        return Springs(self.data, single_precision(trajectories), normalisation or _ranges(trajectories))


def _ranges(trajectories: Trajectories) -> Normalisation:
    """The ranges of a training set, of some width even where nothing moves."""
    own = Normalisation.of(trajectories)
    still = {"velocity_low": own.velocity_low - 1, "velocity_high": own.velocity_high + 1}
    return own if own.velocity_low < own.velocity_high else dataclasses.replace(own, **still)

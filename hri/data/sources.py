"""All kinds of sources, each registered once under what a configuration says of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hri.core.config import ClipsConfig, Config, DataConfig, MotionConfig, Origin, OwnConfig
from hri.core.presets import preset
from hri.data.own_systems import OwnSystems
from hri.data.recorded_bodies import RecordedBodies
from hri.data.recorded_clips import RecordedClips
from hri.data.source import Source, Split
from hri.data.spring_systems import SpringSystems

if TYPE_CHECKING:
    from hri.core.records import Normalisation, Trajectories
    from hri.data.dataset import Sequences

SOURCES: dict[type[Origin], type[Source]] = {
    Origin: SpringSystems,
    MotionConfig: RecordedBodies,
    ClipsConfig: RecordedClips,
    OwnConfig: OwnSystems,
}
"""By what :attr:`hri.core.config.DataConfig.origin` is."""


def source_of(data: DataConfig) -> Source:
    """The source that a configuration names."""
    return SOURCES[type(data.origin)](data)


def begun(name: str, folder: str = "") -> Config:
    """The experiment that ``train`` begins with: a preset, sized to its data where these settle that.

    Args:
        name: of the preset.
        folder: of the data, for a preset whose source has a :attr:`Source.folder_flag`; by default the preset's own.

    Raises:
        ValueError: unknown preset, or data that it cannot be trained on.
    """
    start = preset(name)
    source = source_of(start.data)
    if not source.folder_flag:
        return start
    if folder:
        start = dataclasses.replace(start, data=source.in_folder(folder))
        source = source_of(start.data)
    return source.sized(start) if source.here else start


def sequences(data: DataConfig, split: Split, normalisation: Normalisation | None = None) -> Sequences:
    """A split from wherever the configuration says that sequences come from (:meth:`Source.sequences`).

    Raises:
        ValueError: recordings that are not there or do not fit.
    """
    return source_of(data).sequences(split, normalisation)


def shown_in(systems: Trajectories) -> str:
    """What systems of balls or joints show, in words, as far as their axes tell."""
    space = systems.positions.shape[3]
    return next(kind.shows for kind in SOURCES.values() if kind.has_states and kind.space == space)

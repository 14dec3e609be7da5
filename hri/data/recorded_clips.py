"""The source of video clips: windows of grey frames, of which nothing else is known (:mod:`hri.data.clip_windows`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from hri.core.config import ClipsConfig, DataConfig
from hri.core.records import Normalisation
from hri.data.source import Source, Split

if TYPE_CHECKING:
    from hri.core.records import Film
    from hri.data.dataset import Sequences

FEW, FEW_TOLD = 5000, ". So few frames only show the method at work on real movement: no model of how people move"
"""Frames of clips below which a checkpoint says so."""
TITLES = {"kth": "KTH", "walker": "clips of a walker", "people": "films of people in a room"}
"""What a form calls the clips that presets know."""


class RecordedClips(Source):
    """Windows of the clips in a folder; the frames stay on disk."""

    has_states = False
    shows = "video clips"
    files = "clips"
    piece = "clip"

    @property
    def clips(self) -> ClipsConfig:
        assert self.data.clips is not None
        return self.data.clips

    @property
    def units(self) -> tuple[str, str]:
        return "pixels", "pixels a frame"

    @property
    def label(self) -> str:
        return self.shows

    @property
    def name(self) -> str:
        return PurePath(self.clips.folder).name

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name)

    @property
    def seeds_mean(self) -> str:
        return "Every seed is another window of a clip; from 200042 on of clips that no training saw."

    @property
    def about(self) -> str:
        from hri.data.clip_windows import clips, of_split

        config, size = self.clips, self.data.render.size
        examples = of_split(config, clips(config), "train")
        frames = sum(clip.stop - clip.start for clip in examples)
        changed = [text for text, done in (("half of them mirrored", config.mirror), ("shifted", config.shift)) if done]
        return (
            f"{len(examples)} video clip{'s' if len(examples) != 1 else ''} from {config.folder} ({frames} frames of "
            f"{size} x {size} in all), as {self.data.train} windows of {config.frames} "
            f"frames{', ' + ' and '.join(changed) if changed else ''}; validated and tested on others or on later parts"
            f"{FEW_TOLD if frames < FEW else ''}"
        )

    def part(self, seed: int) -> str:
        from hri.data.clip_windows import about

        return about(self.data, seed)

    @property
    def here(self) -> bool:
        from hri.data.clip_windows import available

        return available(self.clips)

    @property
    def how_to_get(self) -> str:
        if self.name == "people":
            return (
                "python -m hri data fetch-demo --only pose2sim --out films` and `python -m hri data video films --out "
                f"{self.clips.folder} --size {self.data.render.size} --rate 30 --crop 0 330 1080 1410 --background "
                "--by film"
            )
        return "python -m hri data kth` or `data video"

    def in_folder(self, folder: str) -> DataConfig:
        return dataclasses.replace(self.data, clips=dataclasses.replace(self.clips, folder=folder))

    def scenes(self, seeds: Sequence[int]) -> Film:
        from hri.data.clip_windows import scenes

        return scenes(self.data, seeds)

    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        """Frames need no normalisation."""
        from hri.data.clip_windows import draw
        from hri.data.dataset import Clips

        return Clips(self.data, draw(self.data, self.data.seeds(split)), Normalisation())

"""A rollout in one call, for notebooks and scripts: a checkpoint by name, a scene by seed or from a file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hri.core.files import read_npz
from hri.core.records import Film, Rollout, Trajectories
from hri.data.own_windows import as_simulated
from hri.data.sources import source_of
from hri.model.checkpoint import Checkpoint, find, load
from hri.rollout.rollout import from_arrays, roll_out
from hri.rollout.scenes import scenes_of
from hri.rollout.settings import STANDARD, Settings

Scenes = int | Sequence[int] | str | os.PathLike[str] | Trajectories | Film
FIRST_UNSEEN = 200_042
"""The first seed of every test split."""
FROM_FOLDER = 8
"""Test scenes that are taken of a folder."""


def rollout_of(
    checkpoint: Checkpoint | str | os.PathLike[str],
    scenes: Scenes = FIRST_UNSEEN,
    settings: Settings | int = STANDARD,
    **choices: Any,
) -> Rollout:
    """What a checkpoint predicts.

    Args:
        checkpoint: loaded, a file, or the name of one in the project's checkpoints folder.
        scenes: a seed or several; a file that ``simulate`` wrote or with states or frames; a folder of recordings or
            trajectories, whose first test scenes are taken; or scenes themselves.
        settings: how; a number alone is that of free steps.
        choices: single settings by name, such as ``edges="sample"``.

    Raises:
        OSError: a file is not there.
        ValueError: the checkpoint cannot predict such scenes; one sentence.
    """
    model = checkpoint if isinstance(checkpoint, Checkpoint) else load(find(Path(checkpoint)))
    settings = Settings.of(settings, **choices)
    data = model.header.config.data
    if isinstance(scenes, Trajectories | Film):
        return roll_out(model, scenes, settings)
    if isinstance(scenes, int):
        return roll_out(model, scenes_of(data, [scenes]), settings)
    if not isinstance(scenes, str | os.PathLike):
        return roll_out(model, scenes_of(data, list(scenes)), settings)
    place = Path(scenes)
    if not place.is_dir():
        result = from_arrays(model, read_npz(place), str(place), settings)
        if not isinstance(result, Rollout):
            raise ValueError(f"{model.name} holds an encoder and a decoder only: it predicts nothing; choose another")
        return result
    source = source_of(data)
    if source.simulated:
        return roll_out(model, as_simulated(place)[:FROM_FOLDER], settings)
    other = source.in_folder(str(place))
    config = dataclasses.replace(model.header.config, data=other)
    model = dataclasses.replace(model, header=dataclasses.replace(model.header, config=config))
    return roll_out(model, scenes_of(other, other.seeds("test")[:FROM_FOLDER]), settings)

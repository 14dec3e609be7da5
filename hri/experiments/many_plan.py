"""Plans of trainings for a GPU that is there for minutes: a JSON file of runs in the order of their worth."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hri.core.config import Config
from hri.experiments.plan import with_settings
from hri.model.commands import START

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KEYS = {"preset", "seeds", "settings", "name", "vision_from", "after"}


@dataclass(frozen=True)
class PlannedRun:
    """One training."""

    name: str
    """Of its folder."""
    config: Config
    vision_from: str = ""
    """A checkpoint whose encoder and decoder are taken; stage 1 is then skipped."""
    after: str = ""
    """The run of this plan whose best checkpoint is taken so; this one waits for it."""

    def command(self, device: str) -> tuple[str, ...]:
        """What trains it, in words for a checkpoint's header."""
        about = f"({self.name}: preset {self.config.name}, seed {self.config.train.seed})"
        return (*START, "train-many", about, "--device", device)


def read_plan(path: Path) -> list[PlannedRun]:
    """The runs of a plan file.

    | key         | meaning                                                                          |
    |-------------|----------------------------------------------------------------------------------|
    | preset      | a named experiment                                                               |
    | seeds       | one run each; by default [0]                                                     |
    | settings    | what differs from the preset, such as {"train.updates": 20000}                   |
    | name        | of the folders, to which the seed is added; by default the preset's              |
    | vision_from | a checkpoint whose encoder and decoder are taken                                 |
    | after       | the same from a run of this plan, by its folder's name                           |

    Raises:
        ValueError: no such file, no JSON, an unknown key, preset or setting, a name that comes twice; one sentence.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"there is no plan {path}; docs/gpu.md names the one that comes with the project") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error})") from None
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list) or not document["runs"]:
        raise ValueError(f'{path} must be an object with "runs", a list of at least one training')
    runs: list[PlannedRun] = []
    for number, entry in enumerate(document["runs"], start=1):
        try:
            runs += _runs(entry, {run.name: run for run in runs})
        except ValueError as error:
            raise ValueError(f"run {number} of {path}: {error}") from None
    return runs


def _runs(entry: Any, before: dict[str, PlannedRun]) -> list[PlannedRun]:
    if not isinstance(entry, dict) or not isinstance(entry.get("preset"), str):
        raise ValueError('it must be an object that names a "preset"')
    if unknown := sorted(entry.keys() - _KEYS):
        raise ValueError(f"unknown key {unknown[0]!r}; choose from {', '.join(sorted(_KEYS))}")
    preset, seeds, settings = entry["preset"], entry.get("seeds", [0]), entry.get("settings", {})
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int for seed in seeds):
        raise ValueError("seeds must be a list of whole numbers")
    if not isinstance(settings, dict):
        raise ValueError('settings must be an object, such as {"train.updates": 20000}')
    after, vision, stem = (str(entry.get(key, "")) for key in ("after", "vision_from", "name"))
    if after and after not in before:
        raise ValueError(f"it comes after {after!r}, which no run before it is called")
    if after and vision:
        raise ValueError("it takes its encoder from after or from vision_from, not from both")
    runs: list[PlannedRun] = []
    for seed in seeds:
        config = with_settings(preset, (*settings.items(), ("train.seed", seed)))
        name = f"{stem or preset}-seed{seed}"
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a folder; use letters, digits, '.', '_' and '-'")
        if name in before or name in (run.name for run in runs):
            raise ValueError(f"there is a run {name} already; give this one a name of its own")
        if (after or vision) and not config.model.sees_frames:
            raise ValueError(f"{preset} sees states and takes no encoder; leave after and vision_from out")
        runs.append(PlannedRun(name, config, vision, after))
    return runs

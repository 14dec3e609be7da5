"""Training runs as folders below one root: what there is, how each stands, and what one may do with it.

A run is what :class:`hri.training.run_folder.Run` wrote, and ``about.json`` with what a person adds. Nothing here
trains: :mod:`hri.experiments.queueing` starts processes, :mod:`hri.training.control` speaks with them.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hri.core.config import Config, to_json
from hri.core.files import replacing
from hri.core.settings import settings, value_of
from hri.data.sources import begun, source_of
from hri.training.control import Wish, is_busy, presence, read_wish
from hri.training.progress import Tail

RunState = Literal["queued", "starting", "running", "paused", "stopped", "finished", "failed", "new", "damaged"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
TRASH = ".trash"
KEPT = 7 * 24 * 3600.0
"""Seconds for which a deleted run can be brought back."""
QUEUED = "queued"
"""File in a run's folder while it waits for its turn; holds the time it was put there."""


@dataclass(frozen=True)
class About:
    """What a person, or the page that made it, adds to a run."""

    note: str = ""
    vision_from: str = ""
    """Checkpoint whose encoder and decoder are taken."""
    made: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True)
class RunInfo:
    """How a run stands."""

    folder: Path
    state: RunState
    reason: str
    """Of a failure or damage, one sentence."""
    config: Config | None
    """None where it cannot be read."""
    about: About
    stage: int = 0
    update: int = 0
    updates: int = 0
    """Planned updates of this stage."""
    seconds: float = 0.0
    """Spent in this stage."""
    best: float | None = None
    """Best validation NLL so far (stage 2), or reconstruction error (stage 1)."""
    wish: Wish = "go"
    """What is asked of a process that is alive."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether a process trains it now."""
        return self.state in ("starting", "running", "paused")


def runs(root: Path) -> list[RunInfo]:
    """All runs below a folder, the newest first; folders that are no runs are left out."""
    return sorted(map(info, folders(root)), key=lambda run: (-run.about.made, run.name))


def folders(root: Path) -> list[Path]:
    """The folders of all runs, in no order."""
    if not root.is_dir():
        return []
    return [path for path in root.iterdir() if not path.name.startswith(".") and (path / "config.json").is_file()]


def info(folder: Path, records: Sequence[dict[str, Any]] | None = None) -> RunInfo:
    """How one run stands; damage is a state, not an error.

    Args:
        records: the lines of its metrics.jsonl, for whoever has read them already.
    """
    about = read_about(folder)
    try:
        config = Config.from_dict(json.loads((folder / "config.json").read_text()))
    except (OSError, ValueError) as error:
        return RunInfo(folder, "damaged", f"config.json cannot be used: {error}", None, about)
    waits = (folder / QUEUED).exists()  # asked first: the queue takes it back only once a process is there
    there = presence(folder)
    state: RunState = there.state if there else "new"
    if waits and not (there and there.alive):
        state = "queued"
    wish: Wish = read_wish(folder) if there and there.alive else "go"
    details = RunInfo(folder, state, there.reason if there else "", config, about, wish=wish)
    last, best = None, None
    for record in Tail(folder).read() if records is None else records:
        last = record
        validation = record.get("validation") or {}
        score = validation.get("nll" if record["stage"] == 2 else "reconstruction_mse")
        if isinstance(score, int | float):
            same = best is not None and best[0] == record["stage"]
            best = (record["stage"], min(score, best[1]) if best is not None and same else score)
    if last is None:
        return details
    planned = config.train.updates if last["stage"] == 2 else config.train.stage1_updates
    progress = {"stage": last["stage"], "update": last["update"], "updates": planned, "seconds": last["seconds"]}
    return dataclasses.replace(details, **progress, best=best[1] if best else None)


def read_about(folder: Path) -> About:
    """What was added to a run; nothing where that cannot be read."""
    try:
        entries = json.loads((folder / "about.json").read_text())
        return About(str(entries["note"]), str(entries["vision_from"]), float(entries["made"]))
    except (OSError, ValueError, KeyError, TypeError):
        try:
            return About(made=(folder / "config.json").stat().st_mtime)
        except OSError:
            return About()


def write_about(folder: Path, about: About) -> None:
    """Keep what a person added.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    with replacing(folder / "about.json") as file:
        file.write(json.dumps(dataclasses.asdict(about)).encode())


def create(root: Path, name: str, config: Config, vision_from: str = "", note: str = "") -> Path:
    """A new run that nobody trains yet; whoever is second with a name is refused.

    Raises:
        ValueError: a name that is taken or that no folder should have.
        OSError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    folder = root / check_name(name)
    root.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        raise ValueError(f"there is a run {name} already; choose another name") from None
    try:
        write_about(folder, About(note, vision_from, time.time()))
        with replacing(folder / "config.json") as file:
            file.write(to_json(config).encode())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def check_name(name: str) -> str:
    """A name that is safe as a folder's.

    Raises:
        ValueError: it is not; the sentence says what is.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            "a run's name has 1 to 60 letters, digits, dots, dashes or underscores; the first is a letter or digit"
        )
    return name


def free_name(root: Path, wish: str) -> str:
    """The wanted name, or the first of wanted-2, wanted-3, ... that no run has."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", wish).strip("-._")[:50] or "run"
    names = {path.name for path in root.iterdir()} if root.is_dir() else set()
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in names:
        number += 1
    return name


def command(folder: Path, config: Config, vision_from: str = "") -> list[str]:
    """What follows ``python -m hri`` to train this config in this folder, or to go on with it.

    Raises:
        ValueError: the config's name is no preset, so no flags lead to it.
    """
    source = source_of(config.data)
    start = begun(config.name, source.folder)
    words = ["train", "--preset", config.name, "--run", str(folder)]
    words += [source.folder_flag, source.folder] if source.folder_flag else []
    for setting in settings(config):
        value = value_of(config, setting.path)
        if value == value_of(start, setting.path):
            continue
        path = setting.path.replace("_", "-")
        if setting.kind == "switch":
            before, _, last = path.rpartition(".")
            words.append(f"--{path}" if value else f"--{before}.no-{last}")
        elif setting.kind == "numbers":
            words += [f"--{path}", *map(str, value)]
        else:
            words += [f"--{path}", str(value)]
    return [*words, *(["--vision-from", vision_from] if vision_from else []), "--resume"]


def clone(root: Path, folder: Path, name: str) -> Path:
    """A new run with the same settings.

    Raises:
        ValueError: settings that cannot be read, or the name is taken or not allowed.
        OSError: the folder cannot be written or the disk is full.
    """
    source = info(folder)
    if source.config is None:
        raise ValueError(f"{folder.name} cannot be cloned: {source.reason}")
    return create(root, name, source.config, source.about.vision_from, source.about.note)


def delete(root: Path, folder: Path) -> Path:
    """Put a run into the trash, where it stays for a week; returns its place there.

    Raises:
        ValueError: it is being trained.
        OSError: it cannot be moved.
    """
    if is_busy(folder):
        raise ValueError(f"{folder.name} is being trained; stop it first")
    trash = root / TRASH
    trash.mkdir(exist_ok=True)
    for old in trash.iterdir():
        if time.time() - old.stat().st_mtime > KEPT:
            shutil.rmtree(old, ignore_errors=True)
    (folder / QUEUED).unlink(missing_ok=True)
    place = trash / free_name(trash, folder.name)
    os.replace(folder, place)
    os.utime(place)  # its week begins now
    return place


def restore(root: Path, place: Path, name: str) -> Path:
    """Bring a deleted run back.

    Raises:
        ValueError: another run has taken its name, or it is gone.
        OSError: it cannot be moved.
    """
    target = root / check_name(name)
    if target.exists():
        raise ValueError(f"there is a run {name} now; rename or delete that one first")
    try:
        os.rename(place, target)
    except FileNotFoundError:
        raise ValueError(f"{name} is no longer in the trash") from None
    return target


def archive(folder: Path) -> bytes:
    """The run as a zip: settings, numbers, log and checkpoints, without the state to resume from.

    Raises:
        OSError: something in it cannot be read.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.rglob("*")):
            skipped = path.name in ("state.safetensors", "train.lock", "asked", "process.json", QUEUED)
            if path.is_file() and not skipped and path.suffix != ".part":
                zipped.write(path, Path(folder.name, path.relative_to(folder)))
    return buffer.getvalue()


def promote(folder: Path, checkpoints: Path, name: str) -> Path:
    """Copy a run's best checkpoint to where the pages look for checkpoints.

    Raises:
        ValueError: it has none that predicts yet, or the name is taken or not allowed.
        OSError: the folder cannot be written or the disk is full.
    """
    from hri.model.checkpoint import read_header

    best, target = folder / "best.safetensors", checkpoints / f"{check_name(name)}.safetensors"
    if not best.exists():
        raise ValueError(f"{folder.name} has no checkpoint yet; it gets one with its first validation")
    if read_header(best).parts != "all":
        raise ValueError(f"{folder.name} has learned to reconstruct only; wait for the first validation of stage 2")
    if target.exists():
        raise ValueError(f"there is a checkpoint {name} already; choose another name")
    checkpoints.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        file.write(best.read_bytes())
    return target


def checkpoints_of(folder: Path) -> dict[int, Path]:
    """Checkpoints over the course of stage 2, by their update, the earliest first."""
    files = {
        int(path.stem): path for path in sorted((folder / "snapshots").glob("*.safetensors")) if path.stem.isdecimal()
    }
    return dict(sorted(files.items()))

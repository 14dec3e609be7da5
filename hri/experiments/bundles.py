"""Many run folders as a few files of limited size, and back: how runs travel from a machine that is lent for minutes.

A bundle is a zip of what a run needs to go on and to be used: config, state, checkpoints, metrics, log. Snapshots and
pictures stay behind. Whatever is equal within a run is stored once.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hri.core.files import replacing

FILES = ("config.json", "best.safetensors", "metrics.jsonl", "log.txt", "state.safetensors", "last.safetensors")
"""What is kept of a run, the most valuable first: where room is short the last ones are left out."""
NEEDED = 4
"""How many of them a bundle holds at least, if it holds the run at all."""
INDEX = "bundle.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST = 2**30


@dataclass(frozen=True)
class BundleLimits:
    """Of what may be brought back."""

    files: int = 6
    """Bundles; a summary and the figures of the bench lie beside them, eight files in all."""
    bytes_each: int = 15_500_000
    bytes_all: int = 62_000_000


@dataclass(frozen=True)
class Packed:
    """Where a run went."""

    bundle: str
    """File name; empty where there was no room for it."""
    left_out: tuple[str, ...] = ()
    """Files of it that there was no room for."""


def pack(runs: Sequence[Path], out: Path, limits: BundleLimits = BundleLimits()) -> dict[str, Packed]:
    """Write ``runs-1.zip``, ``runs-2.zip`` ... into ``out``, each whole at any moment; run by run where it went.

    Args:
        runs: folders in the order of their worth.
        limits: how many files of what size.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    bundles: list[_Bundle] = []
    went: dict[str, Packed] = {}
    for folder in runs:
        parts = _parts(folder)
        names = [name for name in FILES if name in parts]
        went[folder.name] = Packed("", tuple(names))
        for count in range(len(names), min(NEEDED, len(names)) - 1, -1):
            size = sum(parts[name].size for name in names[:count])
            spent = sum(bundle.size for bundle in bundles)
            if not count or spent + size > limits.bytes_all:
                continue
            place = next((bundle for bundle in bundles if bundle.size + size <= limits.bytes_each), None)
            if place is None and len(bundles) < limits.files and size <= limits.bytes_each:
                place = _Bundle(f"runs-{len(bundles) + 1}.zip")
                bundles.append(place)
            if place is not None:
                place.runs[folder.name] = {name: parts[name] for name in names[:count]}
                place.size += size
                went[folder.name] = Packed(place.name, tuple(names[count:]))
                break
    for bundle in bundles:
        with replacing(out / bundle.name) as file:
            file.write(bundle.to_bytes())
    written = {bundle.name for bundle in bundles}
    for old in out.glob("runs-*.zip"):
        if old.name not in written:
            old.unlink(missing_ok=True)
    return went


@dataclass(frozen=True)
class _Part:
    """A file of a run, or the name of one that equals it."""

    content: bytes
    size: int
    """In the bundle."""
    same: str = ""


class _Bundle:
    def __init__(self, name: str):
        self.name, self.size = name, 1000
        self.runs: dict[str, dict[str, _Part]] = {}

    def to_bytes(self) -> bytes:
        same = {
            f"{run}/{name}": f"{run}/{part.same}"
            for run, parts in self.runs.items()
            for name, part in parts.items()
            if part.same
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(INDEX, json.dumps({"runs": list(self.runs), "same": same}))
            for run, parts in self.runs.items():
                for name, part in parts.items():
                    if not part.same:
                        archive.writestr(f"{run}/{name}", part.content)
        return buffer.getvalue()


def _parts(folder: Path) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    for name in FILES:
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        same = next((other for other, part in parts.items() if part.content == content), "")
        if same:
            parts[name] = _Part(b"", 200, same)
            continue
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(f"{folder.name}/{name}", content)
        parts[name] = _Part(content, buffer.tell())
    return parts


def unpack(source: Path, runs: Path) -> list[str]:
    """Run folders from all bundles in a folder, or from one; names of the runs. None is written over.

    Raises:
        ValueError: nothing to unpack, a file that is no bundle, or a run that is there already.
        OSError: a file cannot be read, or the folder not written.
    """
    bundles = sorted(source.glob("runs-*.zip")) if source.is_dir() else [source]
    if not bundles:
        raise ValueError(f"{source} holds no bundle (runs-1.zip ...); name the folder that train-many wrote to")
    contents: dict[str, dict[str, bytes]] = {}
    for bundle in bundles:
        contents |= _read(bundle)
    for run in contents:
        if (runs / run).exists():
            raise ValueError(f"{runs / run} is there already; choose another folder with --runs, or move it away")
    for run, files in contents.items():
        (runs / run).mkdir(parents=True)
        for name, content in files.items():
            with replacing(runs / run / name) as file:
                file.write(content)
    return list(contents)


def _read(bundle: Path) -> dict[str, dict[str, bytes]]:
    """Files by run. What is in a bundle is data: names that no run has are refused before anything is written."""
    wrong = f"{bundle} is not a bundle of runs, or is damaged"
    try:
        with zipfile.ZipFile(bundle) as archive:
            index = json.loads(archive.read(INDEX))
            runs, same = list(index["runs"]), dict(index["same"])
            files: dict[str, dict[str, bytes]] = {}
            for run in runs:
                if not isinstance(run, str) or not _NAME.fullmatch(run):
                    raise ValueError(f"{wrong}: it names a run {run!r}")
                files[run] = {}
                for name in FILES:
                    place = str(same.get(f"{run}/{name}", f"{run}/{name}"))
                    if place in archive.namelist():
                        if archive.getinfo(place).file_size > _LARGEST:
                            raise ValueError(f"{wrong}: {place} is larger than a gigabyte")
                        files[run][name] = archive.read(place)
            return files
    except (zipfile.BadZipFile, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{wrong} ({error}); copy it again") from None

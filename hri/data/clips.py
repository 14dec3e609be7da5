"""Short grey clips on disk: a folder of ``frames.npy`` (uint8, all clips joined) and ``clips.json`` (what is where)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from jaxtyping import UInt8

from hri.data.motion import Split, split_by_recording
from hri.data.video import MOST, Cut, read


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``out`` only when complete; folders above it that are not there are made.

    Raises:
        ValueError: something is there already, or what should hold it is no folder.
        OSError: it cannot be written; nothing is left behind.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is there already; name a new folder with --out, or remove it first")
    parent = out.absolute().parent
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    above = parent.parents[len(missing) - 1] if missing else parent
    if not above.is_dir():
        raise ValueError(f"{above} is no folder to make {out.name} in; name another with --out")
    parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{out.name}.", suffix=".part") as temporary:
            folder = Path(temporary, "whole")
            folder.mkdir()
            yield folder
            os.replace(folder, out)
    except BaseException:
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()
        raise


@dataclasses.dataclass(frozen=True)
class Clip:
    """Where one clip lies, who moves how in it, and its split under each named way to split."""

    name: str
    person: int
    action: str
    start: int
    stop: int
    splits: dict[str, Split]


class ClipWriter:
    """Appends clips to a folder; only the clip at hand is in memory."""

    def __init__(self, folder: Path, size: int):
        self.folder, self.size = folder, size
        self.clips: list[Clip] = []
        self.file: BinaryIO = open(folder / "frames.npy", "wb")  # noqa: SIM115
        self._header(0)

    def _header(self, frames: int) -> None:
        # NumPy leaves room in the header for a longer first axis, so it can be written again over itself.
        header = {"descr": "|u1", "fortran_order": False, "shape": (frames, self.size, self.size)}
        np.lib.format.write_array_header_1_0(self.file, header)

    @property
    def frames(self) -> int:
        return self.clips[-1].stop if self.clips else 0

    def add(
        self, name: str, person: int, action: str, splits: dict[str, Split], pixels: UInt8[np.ndarray, "T S S"]
    ) -> None:
        """One more clip."""
        self.file.write(np.ascontiguousarray(pixels).data)
        self.clips.append(Clip(name, person, action, self.frames, self.frames + len(pixels), splits))

    def close(self) -> None:
        """Write what is where."""
        self.file.seek(0)
        self._header(self.frames)
        self.file.close()
        listed = {"size": self.size, "clips": [dataclasses.asdict(clip) for clip in self.clips]}
        (self.folder / "clips.json").write_text(json.dumps(listed), encoding="utf-8")


@dataclasses.dataclass(frozen=True)
class ClipSet:
    """Clips of a folder; the pixels stay on disk until they are asked for."""

    frames: UInt8[np.ndarray, "F S S"]
    clips: tuple[Clip, ...]

    @staticmethod
    def read(folder: Path) -> ClipSet:
        """What :class:`ClipWriter` wrote.

        Raises:
            ValueError: no such folder, or a damaged one.
        """
        try:
            listed = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
            clips = tuple(Clip(**clip) for clip in listed["clips"])
            frames = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)
            whole = frames.dtype == np.uint8 and len(frames) == (clips[-1].stop if clips else 0)
        except (OSError, ValueError, TypeError, KeyError):
            whole = False
        if not whole:
            raise ValueError(f"{folder} holds no whole set of clips; make one with `data kth` or `data video`")
        return ClipSet(frames, clips)

    def pixels(self, clip: Clip) -> UInt8[np.ndarray, "T S S"]:
        """The frames of one clip."""
        return np.asarray(self.frames[clip.start : clip.stop])


PARTS: dict[Split, float] = {"train": 0.6, "validation": 0.8, "test": 1.0}
"""Up to which share of its frames a video of one's own trains, validates and tests."""


def convert_videos(
    videos: Sequence[Path], out: Path, size: int, cut: Cut, by: Literal["time", "film"] = "time"
) -> dict[str, Any]:
    """Videos of one's own to a new folder of grey clips.

    By time each of them is split: its first 60 % train, its last 20 % test. By film the last one (in the order of their
    names) tests whole, the one before it validates, and the others train, as for cameras around one scene.

    Memory holds the small frames of one video and one frame of full size. What cannot be decoded is skipped and named.

    Raises:
        ValueError: ``out`` is there already, or no video could be decoded.
    """
    skipped: list[dict[str, str]] = []
    notes: list[str] = []
    whole = split_by_recording([video.name for video in videos])
    with new_folder(out) as folder:
        writer = ClipWriter(folder, size)
        for person, video in enumerate(videos):
            try:
                footage = read(video, video.name, size, 1, cut, MOST)
            except (ValueError, OSError) as error:
                skipped.append({"name": video.name, "reason": str(error)})
                continue
            notes += [f"{video.name}: {note}" for note in footage.notes]
            ends = [0, *(round(len(footage.frames) * share) for share in PARTS.values())]
            parts = [*zip(PARTS, ends, ends[1:], strict=False)]
            if by == "film":
                parts = [(whole[video.name], 0, len(footage.frames))]
            for split, first, last in parts:
                if last > first:
                    ways: dict[str, Split] = {"prediction": split, "original": split}
                    writer.add(f"{video.stem} {split}", person, "", ways, footage.frames[first:last, :, :, 0])
        writer.close()
        if not writer.clips:
            raise ValueError(f"no video could be decoded: {skipped[0]['reason'] if skipped else 'none was given'}")
    counts: dict[str, int] = {
        split: sum(c.stop - c.start for c in writer.clips if c.splits["original"] == split) for split in PARTS
    }
    return {"videos": len(videos) - len(skipped), "frames": writer.frames, **counts, "skipped": skipped, "notes": notes}

"""KTH actions: 25 persons, 6 actions, 4 scenarios, and the file that says in which frames somebody moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hri.data.clips import ClipWriter, new_folder
from hri.data.motion import Split
from hri.data.pixels import shrink

ACTIONS = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
SEQUENCES = "00sequences.txt"
ORIGINAL: dict[Split, tuple[int, ...]] = {
    "train": tuple(range(11, 19)),
    "validation": (19, 20, 21, 23, 24, 25, 1, 4),
    "test": (22, 2, 3, 5, 6, 7, 8, 9, 10),
}
"""Persons of the data set's own split; video prediction takes 1 to 16 for training and 17 to 25 for test."""
LARGEST = (480, 640)
"""Rows and columns above which a file is not decoded: KTH's have 120 x 160. One such frame is in memory at a time."""

_LINE = re.compile(
    r"^\s*person(\d\d)_([a-z]+)_d([1-4])\s+(frames\s+(?P<ranges>\d+\s*-\s*\d+(?:[,\s]+\d+\s*-\s*\d+)*),?|\*missing\*)\s*$"
)


def splits(person: int) -> dict[str, Split]:
    """The split a person is in: ``prediction`` (1-16 train, 17-25 test) and ``original``."""
    return {
        "prediction": "train" if person <= 16 else "test",
        "original": next(split for split, persons in ORIGINAL.items() if person in persons),
    }


def sequences(text: str) -> dict[tuple[int, str, int], list[tuple[int, int]]]:
    """(person, action, scenario) to its ranges, 1-based and inclusive, in the file's order; none where missing.

    Raises:
        ValueError: no line names a sequence, or one cannot be read.
    """
    ranges: dict[tuple[int, str, int], list[tuple[int, int]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not re.match(r"\s*person\d\d_[a-z]+_d\d\s", line):  # the prose at the top
            continue
        match = _LINE.match(line)
        person = int(match[1]) if match else 0
        if match is None or match[2] not in ACTIONS or not 1 <= person <= 25:
            raise ValueError(f"line {number} of {SEQUENCES} cannot be read: {line.strip()[:80]!r}; get the file again")
        pairs = [(int(a), int(b)) for a, b in re.findall(r"(\d+)\s*-\s*(\d+)", match["ranges"] or "")]
        if any(not 1 <= a <= b for a, b in pairs):
            raise ValueError(f"line {number} of {SEQUENCES} has an impossible range: {line.strip()[:80]!r}")
        ranges[person, match[2], int(match[3])] = pairs
    if not ranges:
        raise ValueError(f"{SEQUENCES} names no sequence; get the file again")
    return ranges


def convert(
    root: Path, out: Path, size: Literal[32, 64] = 64, progress: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Decode the clips to grey ``size`` x ``size`` in a new folder ``out``; what was done, counted.

    Memory holds the small frames of one video and one frame of full size. A file that is missing or cannot be
    decoded is skipped and named, with the reason. Pixels are box-filtered, so the image is squeezed as is usual.

    Raises:
        ValueError: not the KTH folder, ``out`` is there already, or nothing could be decoded.
    """
    text = root / SEQUENCES
    if not text.is_file():
        raise ValueError(f"{root} holds no {SEQUENCES}; name the folder with that file beside boxing, walking, ...")
    listed = sequences(text.read_text(encoding="utf-8", errors="replace"))
    if not any((root / action).is_dir() for action in ACTIONS):
        raise ValueError(f"{root} has none of the folders {', '.join(ACTIONS)}; unpack the videos there first")
    missing: list[str] = []
    skipped: list[dict[str, str]] = []
    with new_folder(out) as folder:
        writer = ClipWriter(folder, size)
        for done, ((person, action, scenario), ranges) in enumerate(listed.items(), 1):
            name = f"person{person:02}_{action}_d{scenario}"
            video = root / action / f"{name}_uncomp.avi"
            if not video.is_file():
                missing.append(name)
            elif ranges:
                try:
                    frames = list(_small(video, size, max(stop for _, stop in ranges)))
                except Exception as error:  # decoders fail in many ways; the other 598 files are still good
                    skipped.append({"name": name, "reason": " ".join(str(error).split())[:200] or type(error).__name__})
                    progress(done)
                    continue
                for index, (start, stop) in enumerate(ranges, 1):
                    if start > len(frames):
                        skipped.append(
                            {"name": name, "reason": f"range {start}-{stop} is after its end, {len(frames)}"}
                        )
                        continue
                    pixels = np.stack(frames[start - 1 : stop])
                    writer.add(f"{name} {index}", person, action, splits(person), pixels)
            progress(done)
        writer.close()
        if not writer.clips:
            raise ValueError(f"none of the {len(listed)} sequences of {root} could be decoded; get the videos again")
    counts = {
        way: {split: sum(clip.splits[way] == split for clip in writer.clips) for split in ORIGINAL}
        for way in ("prediction", "original")
    }
    return {
        "sequences": len(writer.clips),
        "frames": writer.frames,
        "train": counts["prediction"]["train"],
        "test": counts["prediction"]["test"],
        "original": counts["original"],
        "missing": missing,
        "skipped": skipped,
    }


def _small(video: Path, size: int, last: int) -> Iterator[np.ndarray]:
    """The first ``last`` frames, grey and small."""
    import imageio.v3 as iio

    for index, frame in enumerate(iio.imiter(video, plugin="pyav", format="gray")):
        if index == last:
            break
        if frame.shape[0] > LARGEST[0] or frame.shape[1] > LARGEST[1]:
            raise ValueError(f"its frames are {frame.shape[1]} x {frame.shape[0]}, KTH's are 160 x 120")
        yield shrink(frame, size)

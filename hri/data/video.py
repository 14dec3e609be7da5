"""A clip of one's own as frames a checkpoint can see: decoded one frame at a time, cut, sampled in time, made small.

Memory: one decoded frame of full size beside what the decoder itself refers back to (it runs in one thread), and the
small frames that were asked for. Neither the length of a clip nor the size of its file matters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from hri.data.pixels import cropped, on_ground, shrink, turned
from hri.data.timing import FASTEST, at_moments, rate_of, stays

if TYPE_CHECKING:
    from av import VideoFrame

KINDS = ("mp4", "m4v", "mov", "avi", "mkv", "gif", "webm")
"""Endings of the files that are taken, in any case."""
LARGEST = (8192, 4320)
"""Columns and rows of the largest frame that is decoded; it takes about 160 MB."""
USUAL = 49
"""Frames that are taken when no length is given: as many as a training sequence of springs has."""
MOST = 200
"""Frames that are taken at all: a SlotDec rollout of 64 x 64 holds about 0.8 MB for each."""
SLOW_MOTION = 120.0
"""Frames a second from which on the usual number of frames shows next to nothing."""
_SEEK_FROM = 2.0
"""Seconds from the start up to which it is cheaper to decode everything."""
_FORMATS = "mov,mp4,avi,gif,matroska,webm"
"""Only these are opened whatever the file is called: playlists could make the reader open other files."""


@dataclass(frozen=True)
class Cut:
    """Which part of a clip is taken, and how it is changed."""

    start: float = 0.0
    """Seconds to skip at the beginning."""
    length: float | None = None
    """Seconds to take, at most 200 frames; by default 49 frames."""
    crop: tuple[int, int, int, int] | None = None
    """Left, top, right and bottom edge in pixels of the clip; by default the whole picture, squeezed to a square."""
    rate: float | None = None
    """Frames to take per second, the nearest in time; by default the clip's own (its mean, where it varies)."""
    grey: bool = False
    """Take brightness only, even for a checkpoint that sees colours."""
    background: bool = False
    """Remove the still background: what does not differ from the median over time becomes black."""
    ground: tuple[int, int, int] | None = None
    """Red, green and blue, 0 to 255, behind what is transparent; by default black."""


WHOLE = Cut()
"""The first 49 frames as they are."""


@dataclass(frozen=True)
class VideoClip:
    """A file, and the part of it that is taken."""

    path: Path
    name: str
    """What its owner calls the file."""
    cut: Cut = WHOLE


@dataclass(frozen=True)
class Footage:
    """The frames that were taken, and what is known of the clip they are from."""

    frames: UInt8[np.ndarray, "T S S C"]
    rate: float
    """Frames a second of ``frames``."""
    width: int
    height: int
    """Of the clip, as it is shown."""
    notes: tuple[str, ...] = ()
    """What one should know of these frames, a sentence each."""


@dataclass(frozen=True)
class VideoFacts:
    """What a clip says of itself."""

    width: int
    height: int
    rate: float
    """Frames a second, the mean where it varies."""
    seconds: float | None
    """None where it does not say."""
    measured: bool = False
    """Whether the rate is from the time stamps of frames, because the file does not say it or is wrong."""


def about(source: Path | BytesIO, name: str) -> VideoFacts:
    """Size, rate and length, from the first frame and the file's own word.

    Raises:
        ValueError: as :func:`read`.
    """
    with _Reader(source, name) as reader:
        for _, frame in reader.frames(0.0):
            height, width = turned(np.empty((frame.height, frame.width), np.uint8), frame).shape
            return VideoFacts(width, height, reader.rate, reader.seconds, reader.measured)
    raise ValueError(f"{name} holds no frame that can be decoded; it is damaged: get it again")


def read(source: Path | BytesIO, name: str, size: int, channels: int, cut: Cut = WHOLE, usual: int = USUAL) -> Footage:
    """Decode a part of a clip to frames of ``size`` x ``size``, grey (1 channel) or in colour (3).

    Frames are chosen by their time stamps, so a varying frame rate does no harm, and box-filtered to their size. The
    nearest in time is taken, or the one that stands, where frames stand for half a second or more, or in a GIF.

    Args:
        source: a file, or one that is open.
        name: what to call it in sentences.
        usual: frames that are taken when the cut names no length.

    Raises:
        ValueError: not a video of a known kind, empty, without a picture, too large, cut off before the part that is
            asked for ends, or a part that it does not have; one sentence.
        OSError: the file is not there or may not be read.
    """
    _check(cut)
    with _Reader(source, name) as reader:
        rate = cut.rate or reader.rate
        count = usual if cut.length is None else int(cut.length * rate + 1e-6)
        if count > MOST:
            raise ValueError(
                f"{cut.length:g} seconds at {rate:.4g} frames a second are {count} frames; at most {MOST} are taken: "
                "choose a shorter part or a lower rate"
            )
        small, shape, transparent = [], None, False
        for frame in reader.sampled(cut.start, rate, max(count, 1)):
            opaque, hole = on_ground(frame, cut.ground or (0, 0, 0))
            transparent |= hole
            picture = turned(opaque.to_ndarray(format="gray" if cut.grey or channels == 1 else "rgb24"), frame)
            shape = picture.shape
            small.append(shrink(cropped(picture, cut.crop, name), size))
        if len(small) < count and reader.cut_off:
            promise = f" of the {reader.seconds:.1f} it announces" if reader.seconds else ""
            raise ValueError(
                f"{name} breaks off after {reader.reached:.1f} seconds{promise}, as half a download does: "
                "get it again, or take a part before that"
            )
        if shape is None:
            raise ValueError(
                f"{name} ends after {reader.reached:.1f} seconds, before the part that begins at {cut.start:g}; "
                "choose an earlier start"
            )
        frames = np.stack(small)
        frames = np.repeat(frames[..., None], channels, -1) if frames.ndim == 3 else frames
        notes = reader.notes(rate)
        if rate > SLOW_MOTION:
            time = f"{len(frames)} show {len(frames) / rate:.2g} s"
            notes += (f"At {rate:.4g} frames a second {time}: take fewer a second to see more.",)
        if transparent:
            ground = "black" if cut.ground is None else "the colour {} {} {}".format(*cut.ground)
            notes += (f"It is transparent in places: {ground} stands there.",)
    if not (frames != frames[0]).any():
        notes += ("Nothing moves in this part.",)
    if cut.background:
        frames = without_background(frames)
    return Footage(frames, float(rate), shape[1], shape[0], notes)


def still(source: Path | BytesIO, name: str, moment: float = 0.0, most: int = 480) -> UInt8[np.ndarray, "H W 3"]:
    """One whole frame of a clip in colour, every n-th pixel so that its longer side is at most ``most``.

    Args:
        moment: seconds from the beginning.

    Raises:
        ValueError: as :func:`read`.
    """
    with _Reader(source, name) as reader:
        for frame in reader.sampled(moment, reader.rate, 1):
            opaque, _ = on_ground(frame, (0, 0, 0))
            picture = turned(opaque.to_ndarray(format="rgb24"), frame)
            every = -(-max(picture.shape[:2]) // most)
            return picture[::every, ::every]
    raise ValueError(f"{name} ends before second {moment:g}; choose an earlier start")


def without_background(frames: UInt8[np.ndarray, "T H W C"]) -> UInt8[np.ndarray, "T H W C"]:
    """Black where a pixel stays near its median over time; for a camera that stands still.

    The differences from the median are averaged over each pixel and its eight neighbours, so that a figure keeps its
    inside. A pixel fades in between two and four times the noise: the median of all such means, made a standard
    deviation, and two grey levels more.
    """
    still = np.median(frames, 0)
    rim = np.pad(np.abs(frames - still).max(-1), ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = frames.shape[1:3]
    moved = sum(rim[:, y : y + height, x : x + width] for y in range(3) for x in range(3)) / 9
    noise = 1.4826 * float(np.median(moved)) + 2
    share = np.clip((moved / noise - 2) / 2, 0, 1)
    return np.round(frames * share[..., None]).astype(np.uint8)


def _check(cut: Cut) -> None:
    """Refuse numbers that no clip can satisfy.

    Raises:
        ValueError: the first of them, with what is possible.
    """
    values = [cut.start, *(value for value in (cut.length, cut.rate) if value is not None)]
    if not np.isfinite(values).all() or cut.start < 0:
        raise ValueError(f"the part begins at {cut.start:g} seconds; choose 0 or more")
    if cut.length is not None and cut.length <= 0:
        raise ValueError(f"the part is {cut.length:g} seconds long; choose more than 0")
    if cut.rate is not None and not 0.1 <= cut.rate <= FASTEST:
        raise ValueError(f"the rate is {cut.rate:g} frames a second; choose 0.1 to {FASTEST:g}")
    if cut.ground is not None and not all(0 <= value <= 255 for value in cut.ground):
        raise ValueError(f"the ground is {' '.join(map(str, cut.ground))}; choose red, green and blue from 0 to 255")


class _Reader:
    """Frames of a file with their times; what it says of itself; whether it was whole."""

    def __init__(self, source: Path | BytesIO, name: str):
        self.source, self.name = source, name
        self.reached, self.cut_off = 0.0, False
        self.gaps: tuple[float, float] | None = None
        """Shortest and longest time between two frames that were decoded."""

    def __enter__(self) -> _Reader:
        import av  # imageio's plugin, which is built on it, gives no time stamps

        self.file = open(self.source, "rb") if isinstance(self.source, str | os.PathLike) else self.source
        try:
            self.file.seek(0)
            self._refuse_empty()
            self.container: Any = av.open(
                self.file, options={"format_whitelist": _FORMATS, "max_pixels": str(LARGEST[0] * LARGEST[1])}
            )
        except av.error.FFmpegError:
            self._close_file()
            raise ValueError(
                f"{self.name} cannot be opened as a video: it is none, or half a download; get it again, as "
                f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
            ) from None
        except BaseException:
            self._close_file()
            raise
        try:
            self._find_picture()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()
        self._close_file()

    def _close_file(self) -> None:
        if self.file is not self.source:
            self.file.close()

    def _refuse_empty(self) -> None:
        if not self.file.read(1):
            raise ValueError(f"{self.name} is empty (0 bytes); copy it again")
        self.file.seek(0)

    def _find_picture(self) -> None:
        from av.stream import Disposition

        moving = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not moving:
            what = "sound but no moving picture" if self.container.streams.audio else "no moving picture"
            raise ValueError(f"{self.name} holds {what}; choose a video")
        self.stream: Any = moving[0]
        width, height = self.stream.codec_context.width, self.stream.codec_context.height
        if width * height > LARGEST[0] * LARGEST[1]:
            raise ValueError(
                f"the frames of {self.name} are {width} x {height}; at most {LARGEST[0]} x {LARGEST[1]} are decoded: "
                "make it smaller first"
            )
        self.stream.codec_context.thread_count = 1  # more threads would each hold frames
        length = self.stream.duration and float(self.stream.duration * self.stream.time_base)
        self.seconds: float | None = length or (self.container.duration and self.container.duration / 1e6) or None
        self.stands = "gif" in self.container.format.name.split(",")
        self.rate, self.measured, length = rate_of(self.container, self.stream)
        self.seconds = self.seconds or length

    def frames(self, start: float) -> Iterator[tuple[float, VideoFrame]]:
        """(seconds from the clip's beginning, frame), from the last key frame before ``start``."""
        if start > _SEEK_FROM and self._sought(start):
            first = next(self._decoded(), None)
            if first is not None and first[0] <= start:
                yield first
                yield from self._decoded()
                return
            self.container.seek(0)  # an index that leads astray
        yield from self._decoded()

    def _sought(self, start: float) -> bool:
        import av

        try:
            begin = self.stream.start_time or 0
            self.container.seek(begin + int(start / self.stream.time_base), stream=self.stream)
        except (av.error.FFmpegError, OverflowError):
            return False
        return True

    def _decoded(self) -> Iterator[tuple[float, VideoFrame]]:
        import av

        begin = float((self.stream.start_time or 0) * self.stream.time_base)
        last: float | None = None
        try:
            for frame in self.container.decode(self.stream):
                time = frame.time - begin if frame.time is not None else 0.0 if last is None else last + 1 / self.rate
                if last is not None and time > last:
                    low, high = self.gaps or (time - last, time - last)
                    self.gaps = min(low, time - last), max(high, time - last)
                last, self.reached = time, max(self.reached, time + max(stays(frame), 1 / self.rate))
                yield time, frame
        except av.error.FFmpegError:
            self.cut_off = True
            return
        missing = (self.seconds or 0.0) - self.reached
        self.cut_off = missing > 0.5 + 2 / self.rate

    def sampled(self, start: float, rate: float, count: int) -> Iterator[VideoFrame]:
        """The frames at ``start``, ``start + 1 / rate``, ...; fewer where the clip ends."""
        return at_moments(self.frames(start), start, rate, count, self.rate, self.stands)

    def notes(self, rate: float) -> tuple[str, ...]:
        """What was odd in what was decoded."""
        notes = []
        if self.gaps is not None and self.gaps[1] > 1.5 * self.gaps[0] + 0.002:
            slow, fast = 1 / self.gaps[1], 1 / self.gaps[0]
            notes.append(
                f"Its frame rate varies ({slow:.3g} to {fast:.3g} a second); {rate:.3g} a second were taken by time."
            )
        if self.measured:
            notes.append(f"Its frame rate was measured from its time stamps: {self.rate:.3g} a second.")
        return tuple(notes)

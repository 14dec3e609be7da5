"""When frames stand: the rate of a film, said or measured, and which frames are those of given moments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from av import VideoFrame

FASTEST = 1000.0
"""Frames a second that a file can have; what claims more counts time stamps, not frames."""
LONG_HOLD = 0.5
"""Seconds from which on a frame is a picture that stands until the next, no longer one of a movement between both."""
_STAMPS = 2000
"""Time stamps that give the rate of a file that does not say it, or may be wrong."""


class Rate(NamedTuple):
    """Frames a second."""

    value: float
    measured: bool
    """Whether it is from the time stamps of frames, because the file does not say it or is wrong."""
    seconds: float | None
    """Length of the film, where all its time stamps were looked at."""


def rate_of(container: Any, stream: Any) -> Rate:
    """As the file says, where that can be, or as its time stamps have it; reading begins at the start again.

    Args:
        container: opened by PyAV.
        stream: the moving picture in it.
    """
    said = float(stream.average_rate or 0)
    possible = 0.1 <= said <= FASTEST
    if possible and "matroska" not in container.format.name:  # those may say any rate, whatever their stamps
        return Rate(said, False, None)
    value, seconds = _measured(container, stream)
    if not 0.1 <= value <= FASTEST:
        guess = float(stream.guessed_rate or 0)
        return Rate(said if possible else guess if 0.1 <= guess <= 240 else 25.0, False, None)
    if possible and abs(value / said - 1) < 0.02:
        return Rate(said, False, seconds)
    return Rate(value, True, seconds)


def _measured(container: Any, stream: Any) -> tuple[float, float | None]:
    """The mean rate over the first time stamps, 0 where they give none; if these are all, the length too."""
    import av

    stamps, whole = [], True
    try:
        for packet in container.demux(stream):
            if packet.pts is not None:
                stamps.append(float(packet.pts * packet.time_base))
            if len(stamps) == _STAMPS:
                whole = False
                break
    except av.error.FFmpegError:
        whole = False
    container.seek(0)
    span = max(stamps) - min(stamps) if len(stamps) > 1 else 0.0
    if span <= 0:
        return 0.0, None
    rate = (len(stamps) - 1) / span
    return rate, span + 1 / rate if whole else None


def stays(frame: VideoFrame) -> float:
    """Seconds that a frame stands, as far as the file says; else 0."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


def at_moments(
    frames: Iterator[tuple[float, VideoFrame]], start: float, rate: float, count: int, own_rate: float, stand: bool
) -> Iterator[VideoFrame]:
    """The frames at ``start``, ``start + 1 / rate``, ...: the nearest in time, or those that stand; fewer where they
    end.

    Args:
        frames: with the time of each, in seconds.
        start: of the first moment, in seconds.
        rate: moments a second.
        count: of moments.
        own_rate: frames a second of ``frames``.
        stand: each frame stands until the next, however short that is.
    """
    index = 0
    earlier: tuple[float, VideoFrame] | None = None
    for time, frame in frames:
        while index < count and start + index / rate <= time:
            moment = start + index / rate  # half-way between two, whatever the rounding, the earlier
            before = earlier is not None and moment - earlier[0] <= time - moment + 1e-6
            if earlier is not None and (stand or time - earlier[0] >= LONG_HOLD):
                before = moment < time - 1e-6
            yield earlier[1] if before and earlier is not None else frame
            index += 1
        if index == count:
            return
        earlier = time, frame
    if earlier is None:
        return
    length = stays(earlier[1])
    last = earlier[0] + (length - 1e-6 if stand or length >= LONG_HOLD else 0.5 / own_rate)
    while index < count and start + index / rate <= last:
        yield earlier[1]
        index += 1

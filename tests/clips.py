"""Small videos that the tests write themselves."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import av
import numpy as np

CODECS = {
    "mp4": ("libx264", "yuv420p"),
    "mov": ("mjpeg", "yuvj420p"),
    "avi": ("ffv1", "yuv444p"),
    "gif": ("gif", "rgb8"),
    "webm": ("libvpx", "yuv420p"),
}
"""Codec and pixels of each kind of file."""


def video(
    kind: str, frames: Iterable[np.ndarray], rate: int = 10, stamps: Sequence[int] | None = None, sound: bool = False
) -> bytes:
    """A file of frames [H, W, 3].

    Args:
        stamps: the time of each frame, in frames; by default one after the other.
        sound: a second of silence beside the picture; alone where there are no frames.
    """
    file, codec = io.BytesIO(), CODECS[kind]
    with av.open(file, "w", format=kind) as container:
        stream = None
        audio = container.add_stream("aac", rate=8000) if sound else None
        for index, pixels in enumerate(frames):
            if stream is None:
                stream = container.add_stream(
                    codec[0], rate=rate, options={"preset": "ultrafast"} if kind == "mp4" else {}
                )
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], codec[1]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = index if stamps is None else stamps[index]
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())
        if audio is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
            silence.rate = 8000
            container.mux([*audio.encode(silence), *audio.encode()])
    return file.getvalue()


def greys(levels: Iterable[int], height: int = 48, width: int = 64) -> Iterable[np.ndarray]:
    """One even grey frame a level."""
    for level in levels:
        yield np.full((height, width, 3), level, np.uint8)


def moving_dot(frames: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A white square that goes to the right over a grey ground."""
    pictures = []
    for index in range(frames):
        picture = np.full((height, width, 3), 90, np.uint8)
        left = 4 + index * (width - 16) // max(frames - 1, 1)
        picture[height // 2 - 4 : height // 2 + 4, left : left + 8] = 255
        pictures.append(picture)
    return pictures

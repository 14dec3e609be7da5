"""Small videos that the tests write themselves."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import av
import numpy as np

CODECS = {
    "mp4": ("libx264", "yuv420p"),
    "m4v": ("libx264", "yuv420p"),
    "mov": ("mjpeg", "yuvj420p"),
    "mkv": ("libx264", "yuv420p"),
    "avi": ("ffv1", "yuv444p"),
    "gif": ("gif", "rgb8"),
    "webm": ("libvpx", "yuv420p"),
}
"""Codec and pixels of each kind of file."""
CONTAINERS = {"m4v": "mp4", "mkv": "matroska"}
"""What the encoder calls a kind, where it is not its ending."""


def video(
    kind: str, frames: Iterable[np.ndarray], rate: int = 10, stamps: Sequence[int] | None = None, sound: bool = False
) -> bytes:
    """A file of frames [H, W, 3].

    Args:
        stamps: the time of each frame, in frames; by default one after the other.
        sound: a second of silence beside the picture; alone where there are no frames.
    """
    file, codec = io.BytesIO(), CODECS[kind]
    with av.open(file, "w", format=CONTAINERS.get(kind, kind)) as container:
        stream = None
        audio = container.add_stream("aac", rate=8000) if sound else None
        for index, pixels in enumerate(frames):
            if stream is None:
                stream = container.add_stream(
                    codec[0], rate=rate, options={"preset": "ultrafast"} if codec[0] == "libx264" else {}
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


CORNERS = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}


def quad(corners: str = "RGBW", height: int = 48, width: int = 64) -> np.ndarray:
    """A picture of four corners: top left, top right, bottom left, bottom right."""
    upper, lower = ([CORNERS[letter] for letter in corners[part]] for part in (slice(2), slice(2, 4)))
    rows = [np.repeat(np.array(colours, np.uint8), width // 2, axis=0) for colours in (upper, lower)]
    return np.repeat(np.stack(rows), height // 2, axis=0)


def corners(picture: np.ndarray) -> str:
    """The reverse of :func:`quad`, by the nearest colour a quarter in from each corner."""
    height, width = picture.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return "".join(
        min(CORNERS, key=lambda letter: np.abs(picture[place].astype(int) - CORNERS[letter]).sum()) for place in places
    )


def shown_by(mp4: bytes, a: int, b: int, c: int, d: int) -> bytes:
    """The file with another display matrix: column p and row q are shown at column a p + c q, row b p + d q."""
    at = mp4.index(b"tkhd") + 4 + 40
    numbers = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    return mp4[:at] + b"".join(number.to_bytes(4, "big", signed=True) for number in numbers) + mp4[at + 36 :]


def without_rate(webm: bytes, instead: float | None = None) -> bytes:
    """The file without its word on how long a frame lasts, or with another: so many seconds."""
    at = webm.index(b"\x23\xe3\x83") + 3  # DefaultDuration, nanoseconds
    size = webm[at] & 0x7F
    if instead is None:  # nothing (Void), as long
        return webm[: at - 3] + bytes([0xEC, 0x80 | size + 2]) + bytes(size + 2) + webm[at + 1 + size :]
    return webm[: at + 1] + int(instead * 1e9).to_bytes(size, "big") + webm[at + 1 + size :]


def gif(pictures: Sequence[np.ndarray], seconds: Sequence[float]) -> bytes:
    """A GIF whose frames stand for so long each; with a fourth channel of 0 or 255, transparent where it is 0."""
    from PIL import Image

    file = io.BytesIO()
    first, *others = (Image.fromarray(picture) for picture in pictures)
    first.save(
        file,
        "GIF",
        save_all=True,
        append_images=others,
        duration=[round(1000 * s) for s in seconds],
        disposal=2,
        loop=0,
    )
    return file.getvalue()

"""Single frames as a model is to see them: upright, on an even ground, cut, made small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from av import VideoFrame


def on_ground(frame: VideoFrame, ground: tuple[int, int, int]) -> tuple[VideoFrame, bool]:
    """The frame over an even colour, and whether it is transparent anywhere: what was never drawn has no colour."""
    import av

    if not any(part.is_alpha for part in frame.format.components) and frame.format.name != "pal8":
        return frame, False
    whole = frame.to_ndarray(format="rgba")
    cover = whole[..., 3:].astype(np.float32) / 255
    if (cover == 1).all():
        return frame, False
    mixed = np.round(whole[..., :3] * cover + np.array(ground, np.float32) * (1 - cover)).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(mixed), format="rgb24"), True


def turned(picture: np.ndarray, frame: VideoFrame) -> np.ndarray:
    """As it is shown: telephones film on their side, or mirrored, and say so in the file.

    The display matrix (a b; c d) puts the pixel in column p and row q at column a p + c q and row b p + d q.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return picture
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    if abs(b) > abs(a):  # rows become columns
        return picture.swapaxes(0, 1)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def cropped(picture: np.ndarray, crop: tuple[int, int, int, int] | None, name: str) -> np.ndarray:
    """The part between left, top, right and bottom edge.

    Raises:
        ValueError: it does not lie in the picture of the clip ``name``.
    """
    if crop is None:
        return picture
    left, top, right, bottom = crop
    height, width = picture.shape[:2]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ValueError(
            f"the crop {left} {top} {right} {bottom} (left, top, right, bottom) does not lie in {name}, whose frames "
            f"are {width} x {height}"
        )
    return picture[top:bottom, left:right]


def shrink(picture: UInt8[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S *C"]:
    """Squeezed to a square by averaging, as KTH's frames are."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BOX))

"""Rollout to GIF, MP4 and NPZ: truth, prediction and error side by side, the free run marked.

NumPy only; no torch.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from hri.files import replacing
from hri.records import Rollout
from hri.render import draw

FORMATS = (".gif", ".mp4", ".npz")

GROUND, TRACK, TEXT, FREE = (14, 17, 23), (58, 64, 77), (222, 225, 232), (255, 176, 59)
"""Colours of the picture's ground, of the burn-in, of words, and of the free run."""
HEAT = np.array([(0, 0, 0), (120, 28, 109), (237, 105, 37), (252, 255, 200)], dtype=np.float64)
"""Colours of errors 0, 1/3, 2/3 and 1, linear in between."""
_TITLES = ("truth", "prediction", "error")


def export(
    rollout: Rollout, path: str | os.PathLike[str], scene: int = 0, fps: float | int = 10, scale: int = 6
) -> None:
    """Write one scene in the format the name ends with, atomically.

    A GIF keeps time in hundredths of a second. An MP4 is H.264 and plays in every browser.

    Raises:
        ValueError: another ending than :data:`FORMATS`, no such scene, or fps and scale out of range.
        OSError: the folder cannot be written or the disk is full; what was at ``path`` is still there.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ValueError(
            f"{Path(path).name} ends with {ending or 'nothing'}; choose a name ending with {', '.join(FORMATS)}"
        )
    scenes = len(rollout.slots)
    if not 0 <= scene < scenes:
        raise ValueError(f"there is no scene {scene}; this rollout holds scenes 0 to {scenes - 1}")
    if not (1 <= fps <= 60 and 1 <= scale <= 32):
        raise ValueError(f"fps {fps:g} and scale {scale} are out of range; choose fps from 1 to 60, scale from 1 to 32")
    if ending == ".npz":
        return rollout.scene(scene).save(path)
    film = pictures(rollout, scene, scale)
    encoded = io.BytesIO()
    if ending == ".gif":
        iio.imwrite(encoded, film, extension=".gif", plugin="pillow", duration=round(100 / fps) * 10, loop=0)
    else:
        iio.imwrite(encoded, film, extension=".mp4", plugin="pyav", codec="libx264", fps=fps)
    with replacing(path) as file:
        file.write(encoded.getbuffer())
    return None


def pictures(rollout: Rollout, scene: int = 0, scale: int = 6) -> UInt8[np.ndarray, "F H W 3"]:
    """One picture for each predicted frame 1 ... T - 1: truth, prediction and error, and where in time it is.

    Args:
        scale: screen pixels a pixel; below 4 there is no room for words.
    """
    truth, predicted = _frames(rollout.scene(scene))
    shown = np.clip(predicted, 0, 1)
    error = np.abs(predicted - truth).mean(-1).clip(0, 1)
    panels = (_rgb(truth), _rgb(shown), _heat(error))
    page = _Page.of(truth.shape[1], scale)
    blown_up = [panel.repeat(scale, 1).repeat(scale, 2) for panel in panels]
    first_free = rollout.last_true_input + 2
    return np.stack(
        [_picture(page, [panel[f] for panel in blown_up], f + 1, len(truth), first_free) for f in range(len(truth))]
    )


class _Page(NamedTuple):
    """Sizes of the picture in pixels; width and height are even, as H.264 wants them."""

    panel: int
    gap: int
    top: int
    width: int
    height: int
    words: bool

    @staticmethod
    def of(size: int, scale: int) -> _Page:
        panel, gap, words = size * scale, max(4, 2 * scale), size * scale >= 120
        top = gap + 16 if words else gap
        bottom = gap + (30 if words else 10)
        width, height = 3 * panel + 4 * gap, top + panel + bottom
        return _Page(panel, gap, top, width + width % 2, height + height % 2, words)


def _picture(page: _Page, panels: list[np.ndarray], frame: int, last: int, first_free: int) -> np.ndarray:
    """The page at ``frame`` of 1 ... ``last``."""
    image = Image.new("RGB", (page.width, page.height), GROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    free = frame >= first_free
    for index, (title, panel) in enumerate(zip(_TITLES, panels, strict=True)):
        left = page.gap + index * (page.panel + page.gap)
        image.paste(Image.fromarray(panel), (left, page.top))
        if page.words:
            pen.text((left, page.top - 6), title, TEXT, font, anchor="ls")
        if index == 1 and free:
            edge = (left - 2, page.top - 2, left + page.panel + 1, page.top + page.panel + 1)
            pen.rectangle(edge, outline=FREE, width=2)
    left, right = page.gap, page.gap * 3 + page.panel * 3
    line = page.top + page.panel + page.gap

    def place(at: int) -> int:
        return left + round((right - left) * at / last)

    change = place(min(first_free - 1, last))
    pen.rectangle((left, line, change, line + 3), fill=TRACK)
    if change < right:
        pen.rectangle((change + 1, line, right, line + 3), fill=tuple(value // 3 for value in FREE))
    pen.rectangle((left, line, min(place(frame), change), line + 3), fill=TEXT)
    if free:
        pen.rectangle((change + 1, line, place(frame), line + 3), fill=FREE)
    if page.words:
        pen.text((left, line + 10), f"frame {frame} of {last}", TEXT, font, anchor="lt")
        words = "free run: it sees its own predictions" if free else "burn-in: it sees the truth"
        pen.text((right, line + 10), words, FREE if free else TEXT, font, anchor="rt")
    return np.asarray(image)


def _frames(rollout: Rollout) -> tuple[Float[np.ndarray, "F H W C"], Float[np.ndarray, "F H W C"]]:
    """True and predicted frames 1 ... T - 1 of a one-scene rollout, pixels in 0 ... 1; states are drawn."""
    if rollout.frames is not None and rollout.predicted_frames is not None:
        return rollout.frames[0, 1:] / np.float32(255), rollout.predicted_frames[0]
    if rollout.observation == "frames":
        raise ValueError("this rollout holds slots but no frames; make one with `python -m hri rollout`")
    truth, predicted = rollout.slots[0, 1:], rollout.predicted_slots[0]
    if predicted.shape[1] < truth.shape[1]:  # only leaves are predicted, and only leaves are drawn
        predicted, leaves = truth.copy(), predicted
        predicted[:, rollout.tree.leaves] = leaves
    # Normalised positions differ from box units by less than a hundredth of a pixel.
    drawn = [draw(states[..., :2].astype(np.float64), rollout.tree) / np.float32(255) for states in (truth, predicted)]
    return drawn[0], drawn[1]


def _rgb(frames: Float[np.ndarray, "F H W C"]) -> UInt8[np.ndarray, "F H W 3"]:
    return np.broadcast_to((frames * 255 + 0.5).astype(np.uint8), (*frames.shape[:3], 3))


def _heat(errors: Float[np.ndarray, "F H W"]) -> UInt8[np.ndarray, "F H W 3"]:
    at = np.linspace(0, 1, len(HEAT))
    return np.stack([np.interp(errors, at, HEAT[:, channel]) for channel in range(3)], -1).astype(np.uint8)

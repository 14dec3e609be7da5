"""Films and pictures of a rollout: truth, prediction and error side by side, the free run marked. No torch."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageColor, ImageDraw, ImageFont

from hri.core.records import Rollout
from hri.physics.render import draw
from hri.rollout.interventions import Intervention
from hri.view.discs import discs
from hri.view.facts import title_of
from hri.view.skeleton import PANEL, Skeleton, skeleton
from hri.view.style import FREE, GROUND, TEXT, TRACK, heat

TITLES = ("truth", "prediction", "error")
Number = float | int
Point = tuple[Number, Number]
_SMOOTH = 2
"""How many times as large lines are drawn."""


def gif(pictures: Iterable[np.ndarray], fps: float | int) -> bytes:
    """Pictures of one size as a film, for ever; a GIF keeps time in hundredths of a second."""
    images, buffer = (Image.fromarray(picture) for picture in pictures), io.BytesIO()
    time = round(100 / fps) * 10
    next(images).save(buffer, "GIF", save_all=True, append_images=images, duration=time, loop=0)
    return buffer.getvalue()


def mp4(pictures: Iterable[np.ndarray], fps: float | int) -> bytes:
    """The same as H.264, which plays in every browser; one picture at a time is in memory."""
    buffer = io.BytesIO()
    with iio.imopen(buffer, "w", extension=".mp4", plugin="pyav") as film:
        film.init_video_stream("libx264", fps=fps)
        for picture in pictures:
            film.write_frame(picture)
    return buffer.getvalue()


def png(picture: np.ndarray) -> bytes:
    """One picture of a film."""
    return iio.imwrite("<bytes>", picture, extension=".png")


def pictures(rollout: Rollout, scene: int = 0, scale: int = 6) -> UInt8[np.ndarray, "F H W 3"]:
    """One picture for each predicted frame 1 ... T - 1: truth, prediction and error, and where in time it is.

    Args:
        scale: screen pixels for each pixel of a frame; below 4 there is no room for words.
    """
    rollout = rollout.scene(scene)
    panels = film_panels(rollout, scale)
    size, last = panels[0].shape[1] // scale, len(panels[0])
    page, title, turn = _Page.of(size, scale), title_of(rollout), rollout.last_true_input + 2
    body = skeleton(rollout)
    return np.stack([_picture(page, [p[f] for p in panels], f + 1, last, turn, title, body) for f in range(last)])


def still(rollout: Rollout, frame: int, scale: int = 6) -> UInt8[np.ndarray, "H W 3"]:
    """The picture of :func:`pictures` for one frame 1 ... T - 1 of a one-scene rollout."""
    panels = film_panels(rollout, scale)
    page = _Page.of(panels[0].shape[1] // scale, scale)
    turn, title = rollout.last_true_input + 2, title_of(rollout)
    return _picture(page, [p[frame - 1] for p in panels], frame, len(panels[0]), turn, title, skeleton(rollout))


def panels(rollout: Rollout, frame: int, scale: int = 1) -> dict[str, UInt8[np.ndarray, "H W 3"]]:
    """Truth, prediction and error of one frame 1 ... T - 1 of a one-scene rollout, as :func:`film_panels` has them."""
    return {title: panel[frame - 1] for title, panel in zip(TITLES, film_panels(rollout, scale), strict=True)}


def film_panels(rollout: Rollout, scale: int) -> list[UInt8[np.ndarray, "F H W 3"]]:
    """Truth, prediction and error of every predicted frame, ``scale`` times as large as a model sees them.

    Its pixels stay whole; balls of a model of states are exact discs.
    """
    fine = scale if discs(rollout) is not None else 1
    truth, prediction = _frames(rollout, fine)
    error = np.abs(prediction - truth).mean(-1).clip(0, 1)
    rest = scale // fine
    return [
        panel.repeat(rest, 1).repeat(rest, 2) for panel in (_rgb(truth), _rgb(np.clip(prediction, 0, 1)), heat(error))
    ]


class _Page(NamedTuple):
    """Sizes of the picture in pixels; width and height are even, as H.264 wants them."""

    scale: int
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
        bottom = gap + (50 if words else 10)
        width, height = 3 * panel + 4 * gap, top + panel + bottom
        return _Page(scale, panel, gap, top, width + width % 2, height + height % 2, words)


def _picture(
    page: _Page,
    panels: list[np.ndarray],
    frame: int,
    last: int,
    first_free: int,
    title: str,
    body: Skeleton | None = None,
) -> np.ndarray:
    """The page at ``frame`` of 1 ... ``last``, with its title below; a body's skeleton over its pictures."""
    image = Image.new("RGB", (page.width, page.height), GROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    free = frame >= first_free
    for index, (heading, panel) in enumerate(zip(TITLES, panels, strict=True)):
        left = page.gap + index * (page.panel + page.gap)
        enlarged = Image.fromarray(panel)
        image.paste(enlarged if body is None else with_bones(enlarged, body, heading, frame), (left, page.top))
        if page.words:
            pen.text((left, page.top - 6), heading, TEXT, font, anchor="ls")
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
        pen.text((left, line + 30), fitting(title, right - left - 110, font), TEXT, font, anchor="lt")
        pen.text((right, line + 30), "HRI Explorer", TEXT, font, anchor="rt")
    return np.asarray(image)


def with_bones(picture: Image.Image, body: Skeleton, panel: str, frame: int) -> Image.Image:
    """A picture, dimmed, and the skeleton over it; drawn large and made small again, which smooths its lines."""
    side = _SMOOTH * picture.width
    dark = Image.blend(Image.new("RGB", picture.size), picture, body.frame)
    large = dark.resize((side, side), Image.Resampling.NEAREST)
    pen, unit = ImageDraw.Draw(large), side / PANEL
    for stroke in body.strokes(panel, frame):
        start, end = stroke.ends.astype(np.float64) * side
        colour, width = ImageColor.getrgb(stroke.colour), max(1, round(stroke.width * unit))
        ends = [tuple(start.tolist()), tuple(end.tolist())]
        for piece in dashes(ends, [unit * length for length in stroke.look.dash]):
            pen.line(piece, colour, width)
        rounds = [] if stroke.look.dash else [(start, stroke.width / 2), (end, max(stroke.width / 2, stroke.head))]
        for (x, y), radius in rounds:
            r = radius * unit
            pen.ellipse((x - r, y - r, x + r, y + r), colour)
    return large.reduce(_SMOOTH)


def dashes(points: Sequence[Point], pattern: Sequence[Number]) -> Iterator[list[Point]]:
    """The strokes of a line: strokes and gaps of ``pattern`` in turn along it; without a pattern all of it."""
    if not pattern:
        yield list(points)
        return
    whole = np.array(points, dtype=np.float64)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(whole, axis=0), axis=1))])
    at, part = 0.0, 0
    while at < along[-1]:
        end = min(at + pattern[part % len(pattern)], float(along[-1]))
        if part % 2 == 0:
            inside = along[(along > at) & (along < end)]
            stops = np.concatenate([[at], inside, [end]])
            yield list(zip(*(np.interp(stops, along, whole[:, axis]).tolist() for axis in (0, 1)), strict=True))
        at, part = end, part + 1


def fitting(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """As much of a text as fits into so many pixels."""
    while text and font.getlength(text) > width:
        text = text.removesuffix("…")[:-1] + "…" if len(text) > 1 else ""
    return text


def _frames(rollout: Rollout, times: int) -> tuple[Float[np.ndarray, "F H W C"], Float[np.ndarray, "F H W C"]]:
    """True and predicted frames 1 ... T - 1 of a one-scene rollout, pixels in 0 ... 1; states are drawn, ``times`` as
    large where they are balls.
    """
    if times == 1 and rollout.frames is not None and rollout.predicted_frames is not None:
        return rollout.frames[0, 1:] / np.float32(255), rollout.predicted_frames[0]
    if rollout.observation == "frames":
        raise ValueError("this rollout holds slots but no frames; make one with `python -m hri rollout`")
    truth, prediction = rollout.slots[0, 1:], rollout.predicted_slots[0]
    if prediction.shape[1] < truth.shape[1]:  # only leaves are predicted, and only leaves are drawn
        prediction, leaves = truth.copy(), prediction
        prediction[:, rollout.tree.leaves] = leaves
    if rollout.edits:
        mute_mask = Intervention.parse(rollout.edits).mute_mask(rollout.tree.size, len(prediction))
        prediction = np.where(mute_mask[:, :, None], np.float32(np.nan), prediction)  # is not drawn
    # Normalised positions differ from box units by less than a hundredth of a pixel.
    places = [rollout.in_picture(states).astype(np.float64) for states in (truth, prediction)]
    images = [draw(positions, rollout.tree, times=times) / np.float32(255) for positions in places]
    return images[0], images[1]


def _rgb(frames: Float[np.ndarray, "F H W C"]) -> UInt8[np.ndarray, "F H W 3"]:
    return np.broadcast_to((frames * 255 + 0.5).astype(np.uint8), (*frames.shape[:3], 3))

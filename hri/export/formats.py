"""Every way in which a rollout leaves the app: one table, from which the page's menu, the command's help and all
refusals are made.

A new format is a row of :data:`FORMATS` with the function that writes it, here or in a file of its own. What a format
needs (films their codecs, graphs networkx) is loaded when it is written. No torch.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from hri.core.files import replacing
from hri.core.records import Rollout

FPS, SCALE = (1, 60), (1, 32)
"""Least and most frames a second, and screen pixels for each pixel of a frame."""


class Options(NamedTuple):
    """What can be chosen of an export."""

    fps: float | int = 10
    """Frames a second, within :data:`FPS`."""
    scale: int = 6
    """Screen pixels for each pixel of a frame, within :data:`SCALE`."""
    frame: int = 1
    """The one that is shown, 1 ... T - 1."""


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    label: str
    """On its button."""
    heading: Literal["Film", "This frame", "Numbers"]
    """Of the row its button stands in."""
    mime: str
    takes: tuple[Literal["fps", "scale", "frame"], ...]
    """The options that change it."""
    write: Callable[[Rollout, Options], bytes]
    """The file's content, of a rollout of one scene."""
    about: str
    """What is in it, in one line."""


def _gif(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import gif

    return gif(rollout, options.fps, options.scale)


def _mp4(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import mp4

    return mp4(rollout, options.fps, options.scale)


def _png(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import png

    return png(rollout, options.frame, options.scale)


def _svg(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import panels
    from hri.view.svg import svg

    return svg(rollout, options.frame, panels(rollout, options.frame)).encode()


def _html(rollout: Rollout, options: Options) -> bytes:
    from hri.export.offline import page

    return page(rollout, options.fps).encode()


def _graphml(rollout: Rollout, options: Options) -> bytes:
    from hri.export.tables import graphml

    return graphml(rollout, options.frame)


def _json(rollout: Rollout, options: Options) -> bytes:
    from hri.export.tables import as_json

    return as_json(rollout).encode()


def _csv(rollout: Rollout, options: Options) -> bytes:
    from hri.export.tables import edge_table

    return edge_table(rollout).encode()


def _npz(rollout: Rollout, options: Options) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **rollout.arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


FORMATS: dict[str, Format] = {
    ".gif": Format(
        "GIF", "Film", "image/gif", ("fps", "scale"), _gif,
        "Truth, prediction and error of every frame, the free run marked; plays everywhere.",
    ),
    ".mp4": Format(
        "MP4", "Film", "video/mp4", ("fps", "scale"), _mp4,
        "The same as H.264, sharper and smaller.",
    ),
    ".png": Format(
        "PNG", "This frame", "image/png", ("scale", "frame"), _png,
        "Truth, prediction and error of one frame.",
    ),
    ".svg": Format(
        "SVG", "This frame", "image/svg+xml", ("frame",), _svg,
        "Pictures and graph of one frame, to be edited.",
    ),
    ".html": Format(
        "Page that plays offline", "Film", "text/html", ("fps",), _html,
        "Images, graph and errors in one file that needs no network.",
    ),
    ".graphml": Format(
        "GraphML", "This frame", "application/xml", ("frame",), _graphml,
        "The graph of one frame for networkx, igraph, Gephi, yEd and Cytoscape.",
    ),
    ".json": Format(
        "JSON", "Numbers", "application/json", (), _json,
        "Everything but pixels.",
    ),
    ".csv": Format(
        "CSV", "Numbers", "text/csv", (), _csv,
        "One line an edge and step: sender, receiver, types, probabilities, true spring.",
    ),
    ".npz": Format(
        "NumPy", "Numbers", "application/octet-stream", (), _npz,
        "The whole scene; hri.core.records.Rollout.load reads it.",
    ),
}  # fmt: skip
"""Formats by the ending of the file's name."""
NAMES = tuple(ending[1:] for ending in FORMATS)
"""Endings without their point."""


def that_take(option: Literal["fps", "scale", "frame"]) -> str:
    """The formats that an option changes, as "gif, mp4 and html"."""
    names = [ending[1:] for ending, kind in FORMATS.items() if option in kind.takes]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def in_words() -> str:
    """Every format and what is in it, one sentence each."""
    return " ".join(f"{ending[1:]}: {kind.about[0].lower()}{kind.about[1:]}" for ending, kind in FORMATS.items())


def export(
    rollout: Rollout,
    path: str | os.PathLike[str],
    scene: int = 0,
    fps: float | int = 10,
    scale: int = 6,
    frame: int | None = None,
) -> None:
    """Write one scene in the format the name ends with, atomically.

    Args:
        fps: frames a second, of formats that play.
        scale: screen pixels for each pixel of a frame, in films and PNG.
        frame: the one that is shown, 1 ... T - 1, where it is one; by default the last.

    Raises:
        ValueError: another ending than :data:`FORMATS`, no such scene or frame, or fps and scale out of range.
        OSError: the folder cannot be written or the disk is full; what was at ``path`` is still there.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ValueError(
            f"{Path(path).name} ends with {ending or 'nothing'}; choose a name ending with {', '.join(FORMATS)}"
        )
    scenes, last = len(rollout.slots), rollout.slots.shape[1] - 1
    if not 0 <= scene < scenes:
        raise ValueError(f"there is no scene {scene}; this rollout holds scenes 0 to {scenes - 1}")
    if frame is not None and not 1 <= frame <= last:
        raise ValueError(f"frame {frame} was not predicted; choose one of 1 to {last}")
    if not (FPS[0] <= fps <= FPS[1] and SCALE[0] <= scale <= SCALE[1]):
        raise ValueError(
            f"fps {fps:g} and scale {scale} are out of range; choose fps from {FPS[0]} to {FPS[1]}, scale from "
            f"{SCALE[0]} to {SCALE[1]}"
        )
    content = file_content(rollout.scene(scene), ending, fps, scale, last if frame is None else frame)
    with replacing(path) as file:
        file.write(content)


def file_content(rollout: Rollout, ending: str, fps: float | int = 10, scale: int = 6, frame: int = 1) -> bytes:
    """What :func:`export` writes of a one-scene rollout, for a download button."""
    return FORMATS[ending].write(rollout, Options(fps, scale, frame))

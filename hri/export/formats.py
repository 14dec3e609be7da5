"""Every way in which a rollout leaves the app: one table, from which the page's menu, the command's help and all
refusals are made.

A new format is a row of :data:`FORMATS` with the function that writes it, here or in a file of its own. What a format
needs (films their codecs, graphs networkx) is loaded when it is written. No torch.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from hri.core.files import replacing
from hri.core.records import Rollout

if TYPE_CHECKING:
    from hri.export.poster import Poster

FPS, SCALE = (1, 60), (1, 32)
"""Least and most frames a second, and screen pixels for each pixel of a frame."""


WIDTH = (2.0, 60.0)
"""Least and most centimetres of a figure."""
Shape = Literal["strip", "square", "wide"]
"""Of films: the three pictures in a row; or pictures, graph and error over time in one page of 720 x 720 or 1280 x 720
pixels.
"""
Theme = Literal["light", "dark"]
Choice = Literal["fps", "scale", "frame", "shape", "theme", "title", "width", "show"]
Show = Literal["both", "graph", "frame"]
"""What a figure holds: pictures and graph, or one of them."""
LONGEST_TITLE = 120
"""Letters of a page's title."""


class Options(NamedTuple):
    """What can be chosen of an export."""

    fps: float | int = 10
    """Frames a second, within :data:`FPS`."""
    scale: int = 6
    """Screen pixels for each pixel of a frame, within :data:`SCALE`."""
    frame: int = 1
    """The one that is shown, 1 ... T - 1."""
    shape: Shape = "strip"
    theme: Theme = "dark"
    """Of pages; a strip is dark."""
    title: str = ""
    """Of pages; by default the model and the scene."""
    width: float = 16.0
    """Centimetres of a figure, within :data:`WIDTH`."""
    show: Show = "both"


USUAL = Options()
"""What every export has unless told otherwise, from the page, the command and Python alike."""


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    label: str
    """On its button."""
    heading: Literal["Film", "This frame", "Numbers"]
    """Of the row its button stands in."""
    mime: str
    takes: tuple[Choice, ...]
    """The options that change it."""
    write: Callable[[Rollout, Options], bytes]
    """The file's content, of a rollout of one scene."""
    about: str
    """What is in it, in one line."""


def _film(rollout: Rollout, options: Options) -> Iterable[np.ndarray]:
    if options.shape == "strip":
        from hri.export.film import pictures

        return pictures(rollout, 0, options.scale)
    return _poster(rollout, options).frames()


def _poster(rollout: Rollout, options: Options) -> Poster:
    from hri.export.poster import Poster

    assert options.shape != "strip"
    return Poster(rollout, options.shape, options.theme, options.title)


def _gif(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import gif

    return gif(_film(rollout, options), options.fps)


def _mp4(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import mp4

    return mp4(_film(rollout, options), options.fps)


def _png(rollout: Rollout, options: Options) -> bytes:
    from hri.export.film import png, still

    if options.shape == "strip":
        return png(still(rollout, options.frame, options.scale))
    return png(_poster(rollout, options).picture(options.frame))


def _svg(rollout: Rollout, options: Options) -> bytes:
    from hri.export.figures import figure

    return figure(rollout, options.frame, options.width, options.show).encode()


def _pdf(rollout: Rollout, options: Options) -> bytes:
    from hri.export.figures import figure, pdf

    return pdf(figure(rollout, options.frame, options.width, options.show))


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
        "GIF", "Film", "image/gif", ("fps", "scale", "shape", "theme", "title"), _gif,
        "Truth, prediction and error of every frame, the free run marked, square or wide with graph and timeline; "
        "plays everywhere.",
    ),
    ".mp4": Format(
        "MP4", "Film", "video/mp4", ("fps", "scale", "shape", "theme", "title"), _mp4,
        "The same as H.264, sharper and smaller.",
    ),
    ".png": Format(
        "PNG", "This frame", "image/png", ("scale", "frame", "shape", "theme", "title"), _png,
        "One picture of the film.",
    ),
    ".svg": Format(
        "SVG", "This frame", "image/svg+xml", ("frame", "width", "show"), _svg,
        "Pictures and graph of one frame, of a width in centimetres, to be edited.",
    ),
    ".pdf": Format(
        "PDF", "This frame", "application/pdf", ("frame", "width", "show"), _pdf,
        "The same for a paper, lines and words as such.",
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


def that_take(option: Choice) -> str:
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
    fps: float | int = USUAL.fps,
    scale: int = USUAL.scale,
    frame: int | None = None,
    shape: Shape = USUAL.shape,
    theme: Theme = USUAL.theme,
    title: str = USUAL.title,
    width: float = USUAL.width,
    show: Show = USUAL.show,
) -> None:
    """Write one scene in the format the name ends with, atomically.

    Args:
        fps: frames a second, of formats that play.
        scale: screen pixels for each pixel of a frame, in films and PNG.
        frame: the one that is shown, 1 ... T - 1, where it is one; by default the last.
        shape: of films and PNG: pictures in a strip, or a square or wide page with graph and error over time.
        theme: of such a page: light or dark.
        title: of such a page, at most 120 letters; by default the model and the scene.
        width: of SVG and PDF, in centimetres.
        show: what they hold.

    Raises:
        ValueError: another ending than :data:`FORMATS`, no such scene or frame, fps, scale or width out of range, or a
            title that is too long.
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
    if not WIDTH[0] <= width <= WIDTH[1]:
        raise ValueError(f"a figure of {width:g} cm is out of range; choose {WIDTH[0]:g} to {WIDTH[1]:g} cm")
    if len(title) > LONGEST_TITLE:
        raise ValueError(f"the title has {len(title)} letters; choose one of at most {LONGEST_TITLE}")
    options = Options(fps, scale, last if frame is None else frame, shape, theme, title, width, show)
    content = FORMATS[ending].write(rollout.scene(scene), options)
    with replacing(path) as file:
        file.write(content)


def file_content(rollout: Rollout, ending: str, **options: Any) -> bytes:
    """What :func:`export` writes of a one-scene rollout, for a download button; ``options``: of :class:`Options`."""
    return FORMATS[ending].write(rollout, Options(**options))

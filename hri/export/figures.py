"""One frame as a figure for a paper: SVG and PDF of a width in centimetres, lines and words as such. No torch."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from xml.etree import ElementTree

from hri.core.records import Rollout
from hri.export.film import panels
from hri.view.svg import Show, svg

POINTS = 72 / 2.54
"""PDF's units in a centimetre."""
LARGEST = 8_000_000
"""Letters of a drawing that is turned into a PDF."""


def figure(rollout: Rollout, frame: int, width: float, show: Show = "both") -> str:
    """A frame 1 ... T - 1 of a one-scene rollout as SVG, ``width`` centimetres wide."""
    return svg(rollout, frame, panels(rollout, frame, 8), show, width=width)


def pdf(drawing: str) -> bytes:
    """An SVG as a PDF of one page of the drawing's own size.

    Args:
        drawing: an SVG with a ``viewBox`` and a ``width`` in cm; a stranger's is checked.

    Raises:
        ValueError: it is none, says no size, is too large, or asks for something outside itself; one sentence.
    """
    from fpdf import FPDF  # here, because it is needed when somebody asks for a PDF

    logging.getLogger("fpdf.svg").setLevel(logging.ERROR)  # it has no use for the names that a mouse would show
    root = _checked(drawing)
    try:
        _, _, wide, high = map(float, root.get("viewBox", "").split())
        width = float(root.get("width", "").removesuffix("cm"))
        height = width * high / wide
    except (ValueError, ZeroDivisionError):
        raise ValueError("the drawing does not say how many centimetres it is wide and high") from None
    page = FPDF(unit="pt", format=(width * POINTS, height * POINTS))
    page.set_creator("HRI Explorer")
    page.set_creation_date(datetime.fromtimestamp(0, UTC))  # the same drawing is the same file, whenever it is made
    page.set_margin(0)
    page.set_auto_page_break(False)
    page.add_page()
    page.set_font("helvetica")
    for element in root.iter():  # the fonts that every PDF reader has know Latin letters alone
        for place in ("text", "tail"):
            words = getattr(element, place)
            if words:
                setattr(element, place, words.translate(_LATIN).encode("latin-1", "replace").decode("latin-1"))
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    page.image(io.BytesIO(ElementTree.tostring(root)), x=0, y=0, w=width * POINTS, h=height * POINTS)
    return bytes(page.output())


def _checked(drawing: str) -> ElementTree.Element:
    """The drawing, which may neither ask for anything outside itself nor grow while it is read."""
    if len(drawing) > LARGEST:
        raise ValueError(f"the drawing has {len(drawing) / 1e6:.1f} MB; at most {LARGEST / 1e6:.0f} are taken")
    if "<!" in drawing:
        raise ValueError("the drawing has a document type of its own, which none needs")
    try:
        root = ElementTree.fromstring(drawing)
    except ElementTree.ParseError:
        raise ValueError("the drawing is no SVG") from None
    for element in root.iter():
        links = [value for name, value in element.attrib.items() if name.split("}")[-1] == "href"]
        if not all(link.startswith(("data:image/", "#")) for link in links):
            raise ValueError("the drawing shows a picture that is not in it")
    return root


_LATIN = str.maketrans({"→": "->", "…": "...", "−": "-", "–": "-", "“": '"', "”": '"', "’": "'", "≈": "~"})

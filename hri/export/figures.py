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


def figure(rollout: Rollout, frame: int, width: float, show: Show = "both") -> str:
    """A frame 1 ... T - 1 of a one-scene rollout as SVG, ``width`` centimetres wide."""
    return svg(rollout, frame, panels(rollout, frame, 8), show, width=width)


def pdf(drawing: str, width: float) -> bytes:
    """An SVG as a PDF of one page, ``width`` centimetres wide, as high as the drawing.

    Raises:
        ValueError: the drawing says no size of its own (a viewBox).
    """
    from fpdf import FPDF  # here, because it is needed when somebody asks for a PDF

    logging.getLogger("fpdf.svg").setLevel(logging.ERROR)  # it has no use for the names that a mouse would show
    root = ElementTree.fromstring(drawing)
    try:
        _, _, wide, high = map(float, root.get("viewBox", "").split())
    except ValueError:
        raise ValueError("the drawing has no viewBox, so its shape is not known") from None
    height = width * high / wide
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


_LATIN = str.maketrans({"→": "->", "…": "...", "−": "-", "–": "-", "“": '"', "”": '"', "’": "'", "≈": "~"})

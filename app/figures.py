"""Plotly charts as figures for papers: SVG and PDF of a width in centimetres, as they stand on the page."""

from __future__ import annotations

import base64
from typing import Any

import streamlit as st

from app.parts import part
from hri.core.errors import sentence
from hri.export.formats import USUAL, WIDTH

_figure = part("figure", "plotly.js", sheet="player.css")


def save(chart: str, name: str) -> None:
    """Buttons under a chart.

    Args:
        chart: its key.
        name: of the files, without their ending.
    """
    session, key, request = st.session_state, f"figure-{chart}", f"figure-{chart}-asked"

    def remember() -> None:
        session[request] = session[key]["drawing"]

    answer: dict[str, Any] | None = None
    if drawing := session.pop(request, None):
        number = session[f"{key}-count"] = session.get(f"{key}-count", 0) + 1
        answer = {"number": number} | _as_pdf(str(drawing))
    width, (least, most) = USUAL.width, WIDTH
    data = {"chart": chart, "name": name, "width": width, "least": least, "most": most, "answer": answer}
    _figure(key=key, data=data, on_drawing_change=remember)


def _as_pdf(drawing: str) -> dict[str, str]:
    from hri.export.figures import pdf

    try:
        return {"content": base64.b64encode(pdf(drawing)).decode()}
    except ValueError as error:
        return {"problem": f"The PDF was not made: {sentence(error)}."}

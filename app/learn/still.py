"""Pictures for paper, as SVG inside a page: the paths of a system's balls, with or without springs, and QR codes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO

import numpy as np
import segno

from hri.core.records import Trajectories
from hri.view.style import GREY, INK, PAPER, STYLE

SIDE, AIR = 260, 14
"""Of the box and of the margin around it, in pixels of the SVG."""
SHOWN = 12
"""Frames whose paths are drawn."""


def qr_code(address: str, scale: float = 3.0) -> str:
    """An address as an SVG that a phone's camera reads; dark on white whatever the page's colours are."""
    text = BytesIO()
    segno.make(address, micro=False, error="m").save(
        text, kind="svg", scale=scale, border=3, dark=INK, light=PAPER, xmldecl=False, title="QR code of the address",
        svgclass=None, lineclass=None,
    )  # fmt: skip
    return text.getvalue().decode()


def paths(scene: Trajectories, parents: Sequence[int], springs: bool, frames: int = SHOWN) -> str:
    """Where the balls of the first system go in its first frames: a line each, and its number at the end.

    Args:
        scene: positions [S, T, N, 2] within walls at -1 and 1.
        parents: of each ball, -1 of the root.
        springs: with those that join balls, in gold under the paths.
        frames: how many.
    """
    places = scene.positions[0, :frames]
    xs, ys = AIR + SIDE * (places[..., 0] + 1) / 2, AIR + SIDE * (1 - places[..., 1]) / 2
    at = list(zip(xs[-1].round(1).tolist(), ys[-1].round(1).tolist(), strict=True))
    marks = [f'<rect x="{AIR}" y="{AIR}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{GREY}"/>']
    if springs:
        marks += [
            f'<line class="spring" x1="{at[i][0]}" y1="{at[i][1]}" x2="{at[j][0]}" y2="{at[j][1]}" '
            f'stroke="{STYLE.spring}" stroke-width="3"/>'
            for i, j in np.argwhere(np.triu(scene.springs[0])).tolist()
        ]
    for node, (x, y) in enumerate(at):
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs[:, node], ys[:, node], strict=True))
        leaf = node not in parents
        marks.append(f'<polyline points="{line}" fill="none" stroke="{INK}" stroke-opacity="0.45"/>')
        marks.append(f'<circle cx="{x}" cy="{y}" r="{7 if leaf else 9}" fill="{PAPER}" stroke="{INK}"/>')
        marks.append(f'<text x="{x}" y="{y + 3}" text-anchor="middle" font-size="9">{node}</text>')
    words = f"Paths of {len(at)} balls over {len(places)} frames{', and their springs' if springs else ''}"
    whole = SIDE + 2 * AIR
    return (
        f'<svg viewBox="0 0 {whole} {whole}" width="{whole}" height="{whole}" role="img" fill="{INK}">'
        f"<title>{escape(words)}</title>{''.join(marks)}</svg>"
    )

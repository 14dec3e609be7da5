"""A rollout as one HTML file that plays without a network, and asks for nothing: pictures, graph and errors in step."""

from __future__ import annotations

import dataclasses
import json
import re
from html import escape
from pathlib import Path
from typing import Literal

from hri.core.hierarchy import edge_name
from hri.core.records import Rollout
from hri.view import browser
from hri.view.facts import edge_rows
from hri.view.player import graph_data, image_data, timeline_data
from hri.view.style import OFFLINE, css
from hri.view.svg import graph

TEMPLATE = Path(__file__).with_name("offline.html")
SCRIPTS = "\n".join(
    [*map(browser.script, ("marks", "clock")), *map(browser.part, ("images", "timeline")), browser.part("graph", "svg")]
)
"""The app's own player, with a graph that needs no Plotly."""
THEME = {
    "text-color": "var(--ink)",
    "background-color": "var(--ground)",
    "secondary-background-color": "var(--ground)",
    "primary-color": "var(--blue)",
    "font": "system-ui, sans-serif",
}
"""What the player's parts ask of a theme (:mod:`hri.view.browser`)."""


def page(rollout: Rollout, fps: float | int = 10) -> str:
    """One scene as a page of its own.

    The hierarchy's edges are shown (all, where a model has none of these). Text is escaped, and the page forbids
    itself every request.
    """
    together = {"player": "offline", "scene": "offline", "start": "offline"}
    drawn = graph_data(rollout, edge_rows(rollout, "hierarchy"), "radial")
    payload = {
        "fps": fps,
        "last_true_input": int(rollout.last_true_input),
        "sheet": browser.SHEET.read_text(encoding="utf-8"),
        # Pictures of single slots would be most of the file.
        "images": image_data(dataclasses.replace(rollout, slot_frames=None)) | together,
        "timeline": timeline_data(rollout) | together | {"zooms": False},
        "graph": drawn
        | together
        | {"chart": "chart", "names": [edge_name(rollout.tree, i, j) for i, j in drawn["pairs"]]},
    }
    seed = -1 if rollout.seeds is None else int(rollout.seeds[0])
    scene = f"scene of seed {seed}" if seed >= 0 else "a scene without a seed"
    values = {
        "title": escape(f"{rollout.checkpoint or 'A rollout'}, {scene}"),
        "about": escape(_about(rollout)),
        "colours": css() + _theme() + _ground("light") + f"@media (prefers-color-scheme: dark) {{ {_ground('dark')} }}",
        "scripts": SCRIPTS,
        "graph": graph(rollout, 0),
        # "<" ends a script element wherever it stands.
        "data": json.dumps(payload, allow_nan=False).replace("<", "\\u003c"),
    }
    # In one pass: what is filled in is never searched again.
    return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], TEMPLATE.read_text(encoding="utf-8"))


def _theme() -> str:
    return ":root { " + " ".join(f"--st-{name}: {value};" for name, value in THEME.items()) + " }"


def _ground(scheme: Literal["light", "dark"]) -> str:
    """The page's own colours as variables of its style sheet."""
    return ":root { " + " ".join(f"--{name}: {value};" for name, value in OFFLINE[scheme].items()) + " }"


def _about(rollout: Rollout) -> str:
    """What is seen, in one sentence."""
    parts = "image slots" if rollout.observation == "frames" else "balls"
    edits = " Some of it was changed by hand." if rollout.edits else ""
    return (
        f"A model that infers which {parts} act on each other, and predicts what follows. Up to frame "
        f"{int(rollout.last_true_input)} it sees the truth, then it lives on its own predictions.{edits}"
    )

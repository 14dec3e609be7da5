"""A rollout as one HTML file that plays without a network, and asks for nothing: pictures, graph and errors in step."""

from __future__ import annotations

import dataclasses
import json
import re
from html import escape
from pathlib import Path

from hri.core.hierarchy import edge_name
from hri.core.records import Rollout
from hri.view.facts import edge_rows, type_name
from hri.view.player import graph_arrays, image_arrays, pack, timeline_data
from hri.view.style import STYLE, colour, none_alpha
from hri.view.svg import graph

TEMPLATE = Path(__file__).with_name("offline.html")


def page(rollout: Rollout, fps: float | int = 10) -> str:
    """One scene as a page of its own.

    The hierarchy's edges are shown (all, where a model has none of these). Text is escaped, and the page forbids
    itself every request.
    """
    rows = edge_rows(rollout, "hierarchy")
    pairs = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    types = rollout.edge_probabilities.shape[-1]
    images = {name: array for name, array in image_arrays(rollout).items() if name in ("truth", "prediction")}
    curves = timeline_data(rollout)
    looks = {"colours": [colour(kind) for kind in range(types)], "none_alpha": none_alpha(len(pairs))}
    told = {
        "fps": fps,
        "last_true_input": curves["last_true_input"],
        "errors": curves["errors"],
        "copying": curves["copying"],
        "unit": curves["unit"],
        "names": [f"{edge_name(rollout.tree, i, j)}" for i, j in pairs.tolist()],
        "type_names": [type_name(kind, types) for kind in range(types)],
        "style": dataclasses.asdict(STYLE) | looks,
        "arrays": pack(images | graph_arrays(rollout, rows, "radial")),
    }
    seed = -1 if rollout.seeds is None else int(rollout.seeds[0])
    scene = f"scene of seed {seed}" if seed >= 0 else "a scene without a seed"
    filled = {
        "title": escape(f"{rollout.checkpoint or 'A rollout'}, {scene}"),
        "about": escape(_about(rollout)),
        "graph": graph(rollout, 0),
        # "<" ends a script element wherever it stands.
        "data": json.dumps(told, allow_nan=False).replace("<", "\\u003c"),
    }
    # In one pass: what is filled in is never searched again.
    return re.sub(r"{{(\w+)}}", lambda match: filled[match[1]], TEMPLATE.read_text(encoding="utf-8"))


def _about(rollout: Rollout) -> str:
    """What is seen, in one sentence."""
    seen = "image slots" if rollout.observation == "frames" else "balls"
    edits = " Some of it was changed by hand." if rollout.edits else ""
    return (
        f"A model that infers which {seen} act on each other, and predicts what follows. Up to frame "
        f"{int(rollout.last_true_input)} it sees the truth, then it lives on its own predictions.{edits}"
    )

"""A rollout in a notebook: the page that plays offline, in a frame that may do nothing but play."""

from __future__ import annotations

from html import escape

from hri.core.records import Rollout
from hri.export.offline import page

LARGEST = 2_000_000
"""Bytes of what a notebook keeps of one rollout."""
HEIGHT = 760
"""Pixels, at the width of a notebook's column."""


def frame(rollout: Rollout, index: int = 0, fps: float | int = 10) -> str:
    """One scene as an ``iframe``: sandboxed, with scripts alone; it can reach neither the notebook nor a network.

    A scene whose player would take more than :data:`LARGEST` bytes is told in words instead.

    Args:
        rollout: of one scene or several.
        index: of the scene.
        fps: frames a second.
    """
    scenes = len(rollout.slots)
    inside = escape(page(rollout.scene(index), fps), quote=True)
    note = f"<p>Scene {index} of {scenes}; <code>hri.show(rollout, 1)</code> shows the next.</p>" if scenes > 1 else ""
    if len(inside.encode()) > LARGEST:
        return (
            f"<p>A rollout of {scenes} scene{'s' if scenes > 1 else ''} of {rollout.slots.shape[1]} frames: its player "
            f"would take {len(inside.encode()) / 1e6:.1f} MB, more than a notebook should keep. "
            "<code>hri.export.formats.export(rollout, 'rollout.html')</code> writes it to a file.</p>"
        )
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{inside}" title="A rollout, playing" '
        f'style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>{note}'
    )

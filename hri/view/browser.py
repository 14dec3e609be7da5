"""What plays a rollout in a browser: scripts that stand beside this file, in the app as on a page that plays offline.

A part (clock.js says how one is called) draws images, graph or timeline; the graph draws on a chart, which is a Plotly
figure in the app (``app/player/plotly.js``) and the SVG of :mod:`hri.view.svg` elsewhere (svg.js). Whoever shows parts
gives them the variables of :func:`hri.view.style.css` and of a theme, which are called as Streamlit's.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
SHEET = FOLDER / "player.css"
"""How all parts look."""


def script(name: str) -> str:
    """The text of a script, such as marks or clock."""
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")


def part(name: str, *needs: str) -> str:
    """A part as a constant of its name, for a page that holds several: what else its scripts name, nobody sees.

    Args:
        name: images, graph or timeline.
        needs: other scripts that it alone needs.
    """
    return "\n".join([f"const {name} = (() => {{", *map(script, [*needs, name]), "return mount;", "})();"])

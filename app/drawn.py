"""What the parts of a page draw from, prepared once a scene; what draws is imported when something is drawn."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app import library
from app.compute import shared_cache
from hri.core.records import Rollout
from hri.scores import ceilings

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from hri.view.agreement import Agreement
    from hri.view.beliefs import Named
    from hri.view.layout import Layout


@shared_cache(32)
def interaction_graph(
    parents: tuple[int, ...],
    pairs: tuple[tuple[int, int], ...],
    types: tuple[str, ...],
    layout: Layout,
    springs: bool,
    joints: tuple[str, ...] = (),
    physics: str = "",
) -> Figure:
    """The unpainted graph; one object for all scenes, because another object would lose the visitor's zoom."""
    load_pandas()
    from hri.core.hierarchy import Tree
    from hri.view import graph as figures

    return figures.interaction_graph(
        Tree(parents, joints), np.array(pairs, dtype=int).reshape(-1, 2), len(types), layout, springs, types, physics
    )


def load_pandas() -> None:
    """Call before the first figure: Plotly would take a pandas that another visitor's thread has half loaded."""
    importlib.import_module("pandas")


@shared_cache(96)
def payload(kind: str, rollout: Rollout, *options: Any) -> dict[str, Any]:
    """What one part of the player is sent, prepared once a scene."""
    from hri.view import facts as pictures
    from hri.view import player, player_compare

    if kind in ("shared", "column", "curves"):
        if kind == "column":
            return player_compare.column_data(rollout, *options)
        return (player_compare.shared_data if kind == "shared" else player_compare.curves_data)(rollout, *options)
    if kind in ("images", "timeline"):
        return (player.image_data if kind == "images" else player.timeline_data)(rollout, *options)
    names, *rest = options
    naming = named_types(rollout, names)
    if kind == "matrix":
        return player.matrix_data(naming.rollout, naming.types)
    rows = pictures.edge_rows(naming.rollout, rest[0])
    if kind == "ledger":
        return player.ledger_data(naming.rollout, rows, naming.types)
    if kind == "strips":
        from hri.view.strips import strips_data

        return strips_data(naming, rows, _matched(rollout, rest[1]), rest[1])
    return player.graph_data(naming.rollout, rows, rest[1], naming.types)


@shared_cache(16)
def picture_chart(area: float | None, *rollouts: Rollout) -> Figure | None:
    """Light left and balls kept over the free run of one scene."""
    load_pandas()
    from hri.view import picture_chart as pictures

    return pictures.picture_chart(rollouts, area)


Names = Literal["raw", "aligned"]
"""Of edge types: as learned, or matched to true springs (:func:`hri.view.beliefs.aligned_names`)."""


@shared_cache(32)
def named_types(rollout: Rollout, names: Names, history: int = 0) -> Named:
    """The rollout under one set of names for its edge types.

    Args:
        rollout: of one scene.
        names: which.
        history: states of the model's window (:func:`app.library.window_of`), where edges are counted.

    Raises:
        ValueError: nothing to match types with; one sentence.
    """
    from hri.view import beliefs  # what draws takes a compiler along, and Results need none

    return beliefs.aligned_names(rollout, history) if names == "aligned" else beliefs.learned_names(rollout)


def edges_right(naming: Named, source: library.ModelSource) -> str:
    """Edges right in a scene, between guessing there and what the model could find in any."""
    return ceilings.in_words(naming.right, findable(source), naming.guess)


NO_TRUTH = (
    "Nobody recorded which joints of a body act on each other, so no edge can be counted as right. The panel relations "
    "under the timeline says what can be said without a truth."
)


@shared_cache(32)
def agreement(rollout: Rollout, history: int) -> Agreement | None:
    """Edges right at every frame of a scene; None where there is no truth, or no edge, to speak of."""
    from hri.view import agreement as counting

    naming = _matched(rollout, history)
    return None if naming is None else counting.agreement(naming, history)


def _matched(rollout: Rollout, history: int) -> Named | None:
    """Types matched to the truth; None where there is nothing to match with."""
    try:
        return named_types(rollout, "aligned", history)
    except ValueError:
        return None


def tally(rollout: Rollout, source: library.ModelSource) -> dict[str, Any] | None:
    """What the graph says of itself beside it: edges right at each frame in percent, guessing and what could be found.

    Args:
        rollout: of one scene by this model.
        source: of the model.

    Returns:
        JSON for ``app/player/graph.js``; of a body, whose truth nobody knows, how many edges speak; None where there is
        nothing to be said.
    """
    from hri.view.agreement import EdgeGroup, hundredth, speaking

    seen = agreement(rollout, library.window_of(source))
    if seen is None:
        sentences = speaking(rollout)
        return {"words": sentences, "about": NO_TRUTH} if sentences else None
    most = (library.ceiling_of(source) or {}).get("burn_in", {})

    def words(group: EdgeGroup) -> dict[str, Any]:
        best = (most.get(group.name) or {}).get("accuracy")
        return {
            "name": group.name.replace("-", "–"),
            "right": [hundredth(float(share)) for share in group.right],
            "guess": hundredth(group.guess),
            "findable": None if best is None else hundredth(best),
        }

    unseen = library.edges_right(source)
    moving = (
        f" True {rollout.force.parts} join the slots that hold their balls: they come and go as balls change slots."
        if rollout.observation == "frames"
        else ""
    )
    about = (
        f"Of the {seen.all.edges} edges between parts that may be related, at this frame. {ceilings.EXPLAINED}{moving}"
    )
    return {
        **words(seen.all),
        "levels": [words(level) for level in seen.levels],
        "about": (about + (f" On unseen systems: {unseen}." if unseen else "")).replace("*", ""),
    }


def never_changes(rollout: Rollout, source: library.ModelSource) -> str:
    """One sentence where a model's graph is the same whatever it sees; "" where it is not, or that is not known."""
    config = library.config_of(source)
    if source.stored is None or rollout.edits or (config is not None and config.model.relations.source != "inferred"):
        return ""
    return _never_changes(source.stored, rollout)


@shared_cache(32)
def _never_changes(stored: Path, rollout: Rollout) -> str:
    from hri.view import agreement as counting
    from hri.view.facts import edge_rows

    scenes = library.stored_rollout(stored)
    others = [scenes.scene(place) for place in range(len(scenes.slots))]
    if len(others[0].edge_sender_receiver) != len(rollout.edge_sender_receiver):
        return ""
    start = library.start_id(rollout)
    rollouts = [rollout, *(other for other in others if library.start_id(other) != start)]
    return counting.never_changes(rollouts, edge_rows(rollout, "hierarchy"))


def findable(source: library.ModelSource) -> float | None:
    """The share of edges that a model could have right, where that was measured."""
    ceiling = library.ceiling_of(source)
    return None if ceiling is None else ceiling["burn_in"]["possible"]["accuracy"]

"""What can be said of a model's relations between joints, computed once for all visitors.

Nothing here imports torch until a checkpoint is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app import library, running
from app.compute import shared_cache
from app.library import ModelSource

if TYPE_CHECKING:
    from hri.scores.body_relations import BodyRelations

SCENES_SEEN = 16
"""Unseen scenes in which the relations of a body are looked at."""


def body_relations_of(source: ModelSource) -> tuple[BodyRelations, str]:
    """What can be said of a model's relations between joints, and in which scenes that was seen, as a sentence.

    Raises:
        ValueError: neither recordings nor stored scenes, or a model of other nodes; one sentence.
    """
    from hri.scores.body_relations import body_relations

    history, seeds = library.window_of(source), []
    if source.path is not None and library.can_make(source):
        seeds = [*range(library.FIRST_UNSEEN, library.FIRST_UNSEEN + SCENES_SEEN)]
        where = f"Seen in {len(seeds)} scenes of unseen recordings, seeds {seeds[0]} to {seeds[-1]}."
    elif source.stored is None:
        raise ValueError("The recordings are not here, and no scenes of this model are stored.")
    else:
        where = f"Seen in the model's {len(library.stored_seeds(source))} stored scenes."
    if source.path is None:
        return body_relations(library.stored_scenes(source), history), where
    return relations_in(source.path, None if seeds else source.stored, tuple(seeds), history), where


@shared_cache(8)
def relations_in(path: Path, stored: Path | None, seeds: tuple[int, ...], history: int) -> BodyRelations:
    """The same of one checkpoint, in its stored scenes or (None) those of these seeds."""
    import torch

    from hri.rollout.rollout import roll_out
    from hri.rollout.scenes import scenes_of
    from hri.rollout.untrained import untrained
    from hri.scores.body_relations import UNTRAINED, body_relations

    torch.set_num_threads(1)  # as for a scene: other visitors wait for these cores too
    checkpoint, lock = running.checkpoint_of(path)
    if stored is None:
        scenes = scenes_of(checkpoint.header.config.data, list(seeds))
        with lock:
            seen = roll_out(checkpoint, scenes, pictures=False)
    else:
        seen = library.stored_rollout(stored)
    return body_relations(seen, history, [untrained(checkpoint, seen, seed) for seed in range(UNTRAINED)])

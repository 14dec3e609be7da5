"""Hierarchical Relational Inference (Stanić, van Steenkiste, Schmidhuber 2020), to train, to measure and to watch.

Folders in the order in which data flow. Each imports only those above it, and its ``__init__`` says what is in it:

- core: the tree of nodes, records, configuration, files
- physics: balls and springs, simulated and drawn
- data: springs, bodies and clips as tensors
- model: the method; who reads core.records, core.hierarchy, relations, dynamics, decoders, model knows it
- rollout: a checkpoint, a scene and edits to what the model predicts
- scores: how well it predicts and finds the springs
- training: two stages, on a CPU or a GPU
- experiments: plans, queues, results, claims, benchmarks
- view, export: pictures, players, files
- cli: ``python -m hri``

In a notebook five lines are enough; nothing is loaded before it is used:

    import hri

    model = hri.load("springs5-state-nri-mlp")
    seen = hri.rollout(model, 200042)  # a seed, several, or a file or folder
    seen  # plays
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hri.core import notebooks

if TYPE_CHECKING:
    import os

    from hri.model.checkpoint import Checkpoint


def load(checkpoint: str | os.PathLike[str], device: str = "cpu") -> Checkpoint:
    """A checkpoint, by its file or by its name in the project's folder of checkpoints.

    Args:
        checkpoint: file or name.
        device: cpu, cuda, or auto: CUDA where there is one.

    Raises:
        OSError: the file is not there.
        ValueError: it is no checkpoint; one sentence.
    """
    from pathlib import Path

    from hri.model.checkpoint import find
    from hri.model.checkpoint import load as read
    from hri.model.devices import device_named

    return read(find(Path(checkpoint)), device_named(device))


def show(rollout: Any, scene: int = 0) -> Any:
    """One scene of a rollout, for a notebook to play.

    Args:
        rollout: of one scene or several.
        scene: which.
    """
    return rollout.scene(scene)


def __getattr__(name: str) -> Any:
    """``hri.rollout``, which is a call and a folder, loaded when it is asked for."""
    if name != "rollout":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import hri.rollout

    return hri.rollout


def _player(record: Any) -> str:
    from hri.export.notebook import frame

    return frame(record)


notebooks.SHOWS.append(_player)

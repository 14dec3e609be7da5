"""The list of all commands of ``python -m hri``: one function each; its signature is the flags, its docstring the help.

torch is imported only by the commands that need it, when they run.
"""

from __future__ import annotations

from collections.abc import Callable

from hri.cli.checkpoints import import_published, publish
from hri.cli.data import data
from hri.cli.evaluate import ceiling, evaluate
from hri.cli.many import train_many
from hri.cli.measure import bench
from hri.cli.predict import export, rollout
from hri.cli.reproduce import reproduce
from hri.cli.simulate import simulate
from hri.cli.train import queue, training

COMMANDS: dict[str, Callable[..., object]] = {
    "simulate": simulate,
    "train": training(),
    "train-many": train_many,
    "evaluate": evaluate,
    "ceiling": ceiling,
    "rollout": rollout,
    "export": export,
    "import": import_published,
    "bench": bench,
    "publish": publish,
    "reproduce": reproduce,
    "queue": queue,
    "data": data,
}

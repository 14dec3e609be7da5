"""Trajectories of one's own: from files to a folder that the other commands take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hri.cli.terminal import bar
from hri.data.raw import Choices, Layout


def trajectories(paths: Sequence[Path], out: Path, choices: Choices, layout: Layout, quiet: bool) -> dict[str, Any]:
    """Write DIR/trajectories.npz, and say what is in it.

    Args:
        paths: files and folders.
        out: folder to write.
        choices: what to make of them.
        layout: how they are to be read.
        quiet: leave what was guessed to the answer; else it is said line by line.

    Raises:
        ValueError: what is wrong with which file; one sentence.
    """
    from hri.data.clips import new_folder
    from hri.data.formats.own import read
    from hri.data.trajectories import FILE

    with new_folder(out) as folder, bar(f"reading {paths[0].name}", None):
        data = read(paths, choices, layout)
        data.write(folder / FILE)
    values = data.summary() | {"folder": str(out)}
    if not quiet:
        for note in values.pop("notes"):
            print(f"{note[:1].upper()}{note[1:]}.", file=sys.stderr)
    return values

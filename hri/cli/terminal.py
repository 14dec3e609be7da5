"""What a command says: progress, answers and mistakes. Answers go to standard output, the rest to standard error."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hri.core.files import replacing
from hri.model.commands import START

PROGRAM = " ".join(START)
FIRST_PROCESS = os.environ.get("RANK", "0") == "0"
"""False in all but one of the processes that torchrun or ``accelerate launch`` starts."""


def complain(text: str, code: int = 1) -> int:
    """Say it on standard error, once for all processes."""
    if FIRST_PROCESS:
        print(f"hri: {text}", file=sys.stderr)
    return code


def check_target(path: Path) -> None:
    """Refuse a place that cannot be written before the work is done.

    Raises:
        ValueError: no such folder, or a folder stands at the place.
        OSError: the folder may not be written.
    """
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file to write")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "the folder may not be written", str(path.parent))


def write_json(path: Path, values: dict[str, Any]) -> None:
    """The answer as a file, whole at any moment."""
    with replacing(path) as file:
        file.write(f"{json.dumps(values, indent=1)}\n".encode())


def answer(values: dict[str, Any], as_json: bool, title: str) -> None:
    """One JSON object (null for numbers that are not finite), or a table."""
    if as_json:
        print(json.dumps(_finite(values)))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "", title=title, show_header=False)
    for name, value in _rows(values):
        table.add_row(name, escape(value))
    Console().print(table)


def _rows(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{before}{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for item in value:
                yield f"{before}{name}", ", ".join(f"{key} {text}" for key, text in _rows(item))
        elif isinstance(value, list):
            yield f"{before}{name}", " ".join(f"{item:.3g}" if isinstance(item, float) else str(item) for item in value)
        elif value is not None:
            yield f"{before}{name}", f"{value:.5g}" if isinstance(value, float) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def bar(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where that is a terminal; call it with how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
        if total
        else [SpinnerColumn(), TextColumn("{task.description}")]
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        task = display.add_task(text, total=total)
        yield lambda done: display.update(task, completed=done)


@contextmanager
def stages_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for work of several kinds; call it with what is done now, how much of it is, and of how much."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        tasks: dict[str, Any] = {}

        def reach(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = display.add_task(what, total=total)
            display.update(tasks[what], completed=done, total=total)

        yield reach


@contextmanager
def training_bar(name: str, systems: int) -> Iterator[Callable[[Any], None]]:
    """Loss, rate and time left of each stage; off a terminal, a line a validation."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    console = Console(stderr=True, quiet=not FIRST_PROCESS, soft_wrap=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
        TimeLeft(),
    ]
    tasks: dict[int, Any] = {}
    with Progress(*columns, console=console, expand=True, disable=not console.is_terminal) as display:
        console.print(f"training {name}: preparing {systems} systems", highlight=False)

        def show(report: Any) -> None:
            name, losses = f"stage {report.stage}", f"loss {report.losses['loss']:.5g}, rate {report.learning_rate:.2g}"
            if report.stage not in tasks:
                done = report.update - 1
                tasks[report.stage] = display.add_task(name, total=report.updates, completed=done, losses="")
            display.update(tasks[report.stage], completed=report.update, losses=losses)
            if report.validation:
                place = f"{name}, update {report.update} of {report.updates}"
                console.print(f"{place}: {losses}; validation: {listed(report.validation)}", highlight=False)

        yield show


def listed(scores: dict[str, Any]) -> str:
    """The numbers among the scores, in words."""
    return ", ".join(f"{name} {value:.5g}" for name, value in scores.items() if isinstance(value, float))

"""The command ``train-many``: a plan's runs side by side on a GPU that is there for minutes.

It reads its own flags, so that it runs where nothing but torch and what training needs is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hri.cli.terminal import PROGRAM, complain

if TYPE_CHECKING:
    import torch

    from hri.experiments.many import Many
    from hri.experiments.many_plan import PlannedRun

ABOUT = """Train the runs of a plan side by side on one GPU, for a given number of minutes.

First a few updates are made on the CPU and on the GPU; where their losses differ, nothing is trained. Then the runs
begin in the order of the plan, several at a time. Every minute, at the end and on SIGTERM, --out gets bundles of all
runs (at most 7 files of at most 16 MB) and summary.json: what to bring back. --unpack turns bundles into run folders,
from which training goes on anywhere: the same command on a GPU, train --resume on a CPU.

Example: python -m hri train-many --plan assets/plans/gpu.json --minutes 9 --out out"""
ENDING = 0.1
"""Share of the time, but at most ENDING_SECONDS, that is kept for saving at the end."""
ENDING_SECONDS = 20.0


def train_many(arguments: Sequence[str]) -> int:
    """Train the runs of a plan side by side on one GPU, for a given number of minutes.

    Raises:
        ValueError: flags or a plan that cannot be; one sentence.
        OSError: a folder cannot be written.
    """
    began = time.monotonic()
    options = _parser().parse_args(list(arguments))
    if options.unpack is not None:
        from hri.experiments.bundles import unpack

        names = unpack(options.unpack, options.runs)
        print(f"unpacked {len(names)} runs into {options.runs}: {', '.join(names)}")
        return 0
    if options.plan is None or options.out is None:
        raise ValueError("train-many needs --plan and --out, or --unpack; see `python -m hri train-many --help`")
    if not 0 < options.minutes <= 10_000:
        raise ValueError(f"--minutes is {options.minutes:g}; give how long to train, such as 9")
    if not 1 <= options.lanes <= 64:
        raise ValueError(f"--lanes is {options.lanes}; choose 1 to 64 runs side by side")
    from hri.experiments.many_plan import read_plan

    plan = read_plan(options.plan)
    # Before CUDA starts: a queue a stream, and matrix products that add up in one order.
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    from hri.model.devices import device_named

    device = torch.device(device_named(options.device))
    if device.index is not None and device.type == "cuda":
        torch.cuda.set_device(device)
    options.out.mkdir(parents=True, exist_ok=True)
    whole = 60 * options.minutes
    ends = began + whole - min(ENDING_SECONDS, ENDING * whole)
    with _terminated() as is_over:
        if not options.no_check and not is_over():
            check(plan, device)
        if options.bench and not is_over():
            bench(device, options.out)
        from hri.experiments.many import Many

        many = Many(plan, options.runs, options.out, device, options.lanes, say)
        say(f"{many.about['device']}: {len(plan)} runs, up to {options.lanes} side by side, until {whole:.0f} s")
        summary = _until(many, ends, is_over)
    if options.json:
        print(json.dumps(summary))
    failed = [run["name"] for run in summary["runs"] if run["state"] == "failed"]
    return complain(f"{len(failed)} of {len(plan)} runs failed: {', '.join(failed)}") if failed else 0


def _until(many: Many, ends: float, is_over: Any) -> dict[str, Any]:
    """Train until the plan is done, the time is up or an end is asked for; the summary."""
    try:
        while many.advance():
            if not many.stopping and (is_over() or time.monotonic() >= ends):
                say("asked to end: every run saves its state" if is_over() else "the time is up: every run saves")
                many.stop()
    finally:
        summary = many.save()
    return summary


def check(plan: Sequence[PlannedRun], device: torch.device) -> None:
    """Compare a few updates of each kind of model on the CPU and on the device.

    Raises:
        ValueError: they differ.
    """
    import torch

    from hri.training.device_check import compare, kinds, plain_loop

    for config, kind in kinds([run.config for run in plan]):
        try:
            agreement = compare(config, kind, device)
            good, text = agreement.holds and not agreement.unrecorded, f"{agreement.what}: {_compared(agreement)}"
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            good, text = False, f"stage {kind.number} of {config.name}: {str(error).strip().splitlines()[0]}"
        if not good:
            say(f"{text}: once more with the plain recurrent loop")
            plain_loop()
            agreement = compare(config, kind, device)
        if not agreement.holds:
            raise ValueError(
                f"{agreement.what} differs between CPU and {device}: {_compared(agreement)}; nothing was trained"
            )
        say(f"{agreement.what}: {_compared(agreement)}, as it should be")


def _compared(agreement: Any) -> str:
    worst = max(range(len(agreement.here)), key=lambda place: agreement.differences[place])
    unrecorded = f", without a graph ({agreement.unrecorded})" if agreement.unrecorded else ""
    here, there = agreement.here[worst], agreement.there[worst]
    return f"losses {here:.7g} and {there:.7g}, {agreement.differences[worst]:.1e} apart{unrecorded}"


def bench(device: torch.device, out: Path) -> None:
    """Updates per second of the device and of one core of this CPU, to bench.json."""
    from hri.core.files import replacing
    from hri.experiments.device_bench import BRIEF, measure

    table = measure(device, BRIEF, seconds=1.0, progress=lambda name: say(f"timing {name}"))
    with replacing(out / "bench.json") as file:
        file.write(json.dumps(table, indent=1).encode())
    say(json.dumps(table))


def say(text: str) -> None:
    """A line on standard error, at once."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _terminated() -> Iterator[Any]:
    """Inside, SIGTERM and Ctrl-C only make what is yielded say True: there is time to save."""
    signals: list[int] = []

    def note(number: int, frame: object) -> None:
        if signals:
            raise KeyboardInterrupt  # asked twice
        signals.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(signals)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Parser(argparse.ArgumentParser):
    """Says mistakes in a sentence, as every command does."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see `{self.prog} --help`")


def _parser() -> _Parser:
    text = "\n\n".join(textwrap.fill(part, 78) for part in ABOUT.split("\n\n"))
    parser = _Parser(
        prog=f"{PROGRAM} train-many",
        description=text,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=78),
        allow_abbrev=False,
    )
    parser.add_argument("--plan", type=Path, help="JSON file of the runs, in the order of their worth")
    parser.add_argument("--minutes", type=float, default=9.0, help="how long this command may take (default: 9)")
    parser.add_argument("--out", type=Path, help="folder for bundles and summary.json: what to bring back")
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs", "many"),
        help="folder of the run folders; runs that are there go on (default: runs/many)",
    )
    parser.add_argument("--lanes", type=int, default=6, help="runs side by side (default: 6)")
    parser.add_argument("--device", default="auto", help="auto (CUDA where there is one), cpu, cuda or cuda:1")
    parser.add_argument("--no-check", action="store_true", help="do not compare the CPU with the GPU first")
    parser.add_argument("--bench", action="store_true", help="first time updates, a minute or two, to bench.json")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object at the end")
    parser.add_argument(
        "--unpack",
        type=Path,
        metavar="FOLDER",
        help="train nothing: make run folders in --runs from the bundles in this folder",
    )
    return parser

"""The command ``reproduce``: its flags, what it shows while it runs, its table."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from hri.cli.terminal import answer, bar, complain
from hri.core.places import CHECKPOINTS
from hri.experiments.plan import Plan
from hri.experiments.plan import plan as named_plan
from hri.scores import ceilings
from hri.scores.names import METRICS

if TYPE_CHECKING:
    from hri.experiments.jobs import Engine
    from hri.experiments.reproduce import Status

REPORT_SECONDS = 60.0
"""Time between lines of progress where the output is no terminal."""


def reproduce(
    plan: str,
    folder: Path | None = None,
    updates: int | None = None,
    stage1_updates: int | None = None,
    vision_from_slot: Path | None = None,
    vision_from_par: Path | None = None,
    jobs: int | None = None,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    rescore: bool = False,
    dry_run: bool = False,
    from_published: bool = False,
    publish: bool = False,
    json: bool = False,
) -> None:
    """Train and score the models of a plan, to check the paper's claims; what is done already is skipped.

    Plans: states (every model on 4-3 states, equally long, three seeds of those that the claims compare), states-3-3,
    states-long (fewer models, trained for longer), images (SlotDec and ParDec, one encoder and decoder each for all
    their models), motion (a recorded body; needs `data fetch-demo --only isaaclab,pybullet --out motions`) and quick
    (to try the command).

    Every model is trained for the same updates with the command train, chosen on validation and scored on test
    systems with the command evaluate. The folder gets results.json and results.csv after each finished run, with
    mean, spread and number over the seeds. Stopped or killed at any moment, the same command goes on to the same
    numbers. Several such commands may share a folder.

    Example: python -m hri reproduce --plan states --dry-run

    Args:
        plan: states, states-3-3, states-long, images, motion or quick.
        folder: Where the runs are kept; by default runs/PLAN.
        updates: Updates of stage 2, for every model.
        stage1_updates: Updates of stage 1 (images).
        vision_from_slot: Take SlotDec's encoder and decoder from this checkpoint and skip stage 1.
        vision_from_par: The same for ParDec.
        jobs: Runs at the same time; by default one per GPU, or one per core. On CPUs each has one thread.
        engine: This machine's processes, or Ray: pip install ray.
        ray_address: A running Ray cluster that shares the folder, such as auto; by default a Ray of this machine.
        rescore: Score finished runs anew, after evaluate has changed.
        dry_run: Only list the runs and estimate their hours from a few timed updates of each model.
        from_published: First take from checkpoints/ what was trained exactly so, with its scores.
        publish: Then copy each run's best checkpoint to checkpoints/ and the results to assets/results/PLAN.json.
        json: Print the results as one JSON object instead of a table.
    """
    vision = {"slot": vision_from_slot, "par": vision_from_par}
    selection = named_plan(plan, updates, stage1_updates, {seen: str(path) for seen, path in vision.items() if path})
    place = folder or Path("runs", plan)
    if jobs is not None and jobs < 1:
        raise ValueError(f"--jobs is {jobs}; choose 1 or more")
    if ray_address is not None and engine != "ray":
        raise ValueError("--ray-address is for --engine ray; give both")
    if publish and not selection.worth_publishing:
        raise ValueError(f"the plan {plan} trains too little to be published; leave --publish out")
    from hri.experiments import reproduce as carrying

    carrying.check_vision(selection)
    if dry_run:
        from hri.experiments.jobs import Local

        with bar("timing a few updates of each model", None):
            result = carrying.survey(selection, place, jobs or Local().slots)
        answer(result, True, "") if json else _print_survey(result)
        return
    carrying.claim(selection, place)  # what is wrong with the folder is said before an engine starts
    if from_published:
        from hri.experiments.reproduce_publish import take_published

        if copies := take_published(selection, place, CHECKPOINTS):
            print(f"taken from {CHECKPOINTS.name}: {', '.join(copies)}", file=sys.stderr)
    failed = _carry_out(selection, place, _engine(engine, jobs, ray_address), rescore)
    if publish:
        from hri.experiments.reproduce_publish import publish_plan

        with bar("publishing", None):
            names = publish_plan(
                selection,
                place,
                CHECKPOINTS,
                CHECKPOINTS.parent / "assets/stored",
                CHECKPOINTS.parent / "assets/results",
            )
        print(f"published {', '.join(names) or 'nothing'}", file=sys.stderr)
    result = carrying.keep(selection, place)
    answer(result, True, "") if json else _print_table(result, place)
    if failed:
        raise ValueError(f"{failed} of {len(selection.jobs(place))} runs failed; the same command tries them again")


def _engine(name: str, jobs: int | None, address: str | None) -> Engine:
    if name == "ray":
        from hri.experiments.ray_engine import RayEngine

        return RayEngine(jobs, address)
    from hri.experiments.jobs import Local

    return Local(jobs)


def _carry_out(plan: Plan, folder: Path, engine: Engine, rescore: bool) -> int:
    """Run the plan and show it; the number of failed jobs."""
    from hri.experiments.reproduce import reproduce as carry_out

    last: dict[str, str] = {}
    with _interrupted_by_termination(), _display(plan, folder, engine.slots) as show:
        events = carry_out(plan, folder, engine, rescore)
        try:
            for statuses in events:
                for status in statuses:
                    name, state = status.job.name, status.state
                    if last.get(name, "waiting") != state:
                        if state == "failed":
                            complain(f"{name} failed: {status.reason}")
                        elif name in last or state != "done":
                            text = {"elsewhere": "is trained by another process; waiting for it"}.get(state, state)
                            print(f"{name} {text}", file=sys.stderr)
                    last[name] = state
                show(statuses)
        finally:
            events.close()
            engine.close()
    return sum(state == "failed" for state in last.values())


@contextmanager
def _interrupted_by_termination() -> Iterator[None]:
    """SIGTERM ends us as Ctrl-C does: running jobs are stopped too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _display(plan: Plan, folder: Path, slots: int) -> Iterator[Callable[[list[Status]], None]]:
    """Bars of all updates and of each running job; off a terminal, a line a minute."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    from hri.experiments.jobs import reached

    console = Console(stderr=True, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    jobs = plan.jobs(folder)
    bars: dict[str, TaskID] = {}
    due = {"look": 0.0, "line": time.monotonic() + REPORT_SECONDS}

    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        whole = display.add_task(plan.name, total=sum(job.counted for job in jobs), left="")

        def show(statuses: list[Status]) -> None:
            now = time.monotonic()
            if now < due["look"]:
                return
            due["look"] = now + 1.0
            at = {job.name: reached(folder / job.name, job.stage) for job in jobs}
            pace = _pace(statuses, at)
            lines = []
            for status in statuses:
                name, (update, _) = status.job.name, at[status.job.name]
                if status.state in ("running", "elsewhere"):
                    ahead = (status.job.counted - update) * pace[name]
                    left = ("scoring" if not ahead else _words(ahead)) if update else "starting"
                    lines.append(f"{name} {update} of {status.job.counted} ({left})")
                    if name not in bars:
                        bars[name] = display.add_task(name, total=status.job.counted, left="")
                    display.update(bars[name], completed=update, left=left)
                elif name in bars:
                    display.remove_task(bars.pop(name))
            whole_ahead = sum(
                (status.job.counted - at[status.job.name][0]) * pace[status.job.name]
                for status in statuses
                if status.open
            )
            left = _words(whole_ahead / slots) if whole_ahead else ""
            display.update(whole, completed=sum(update for update, _ in at.values()), left=left)
            if not console.is_terminal and now >= due["line"]:
                due["line"] = now + REPORT_SECONDS
                done = sum(status.state == "done" for status in statuses)
                parts = [f"{done} of {len(statuses)} done", *([left] if left else []), *lines]
                print("; ".join(parts), file=sys.stderr)

        yield show


def _pace(statuses: list[Status], at: dict[str, tuple[int, float]]) -> dict[str, float]:
    """Seconds an update of each job: its own, else those of its preset's other seeds, else the mean of all."""
    own = {name: seconds / update for name, (update, seconds) in at.items() if update}
    kinds: dict[tuple[str, int], list[float]] = {}
    for status in statuses:
        if status.job.name in own:
            kinds.setdefault((status.job.preset, status.job.stage), []).append(own[status.job.name])
    usual = fmean(own.values()) if own else 0.0
    return {
        job.name: own.get(job.name, fmean(kinds.get((job.preset, job.stage), [usual])))
        for job in (status.job for status in statuses)
    }


def _words(seconds: float) -> str:
    minutes = seconds / 60
    return f"about {minutes / 60:.1f} h left" if minutes >= 90 else f"about {max(1, round(minutes))} min left"


def _print_table(results: dict[str, Any], folder: Path) -> None:
    """Mean and spread of each model, those with the lowest NLL first."""
    from rich.console import Console
    from rich.table import Table

    summary = sorted(results["summary"], key=lambda row: row["metrics"].get("nll", {}).get("mean", float("inf")))
    for row in summary:
        if springs := row["metrics"].get("edges.burn_in.possible.springs"):
            row["metrics"] |= {"guess.accuracy": {"mean": ceilings.guess({"springs": springs["mean"]}), "std": None}}
    columns = [
        name for name, metric in METRICS.items() if metric.short and any(name in row["metrics"] for row in summary)
    ]
    about = f"{results['updates']} updates, batch {results['batch']}, {results['train_systems']} training systems"
    table = Table(title=f"{results['plan']}: {about}, {results['test_systems'] or 'no'} test systems")
    for name in ("model", "seen", "tree", "n"):
        table.add_column(name, justify="right" if name == "n" else "left", no_wrap=True)
    for name in columns:
        table.add_column(METRICS[name].short, justify="right", no_wrap=True)
    for row in summary:
        cells = [_spread(row["metrics"].get(name)) for name in columns]
        table.add_row(row["model"], row["seen"], row["tree"], str(row["n"]), *cells)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    done, rest = len(results["runs"]), len(results["unfinished"])
    print(f"{done} runs done, {rest} not; all scores: {folder / 'results.json'}, .csv")


def _spread(metric: dict[str, Any] | None) -> str:
    """Mean ± sample standard deviation."""
    if metric is None:
        return ""
    mean, spread = metric["mean"], metric["std"]
    digits = ",.0f" if abs(mean) >= 1000 else ".4g"
    return f"{mean:{digits}}" + (f" ± {spread:{',.0f' if abs(mean) >= 1000 else '.2g'}}" if spread is not None else "")


def _print_survey(survey: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{survey['plan']} in {survey['folder']}: {len(survey['jobs'])} runs, {survey['at_once']} at once"
    )
    for name in ("run", "state", "updates", "seconds per update", "hours left"):
        table.add_column(name, justify="left" if name in ("run", "state") else "right", no_wrap=True)
    for job in survey["jobs"]:
        done = f"{job['update']} of {job['updates']}"
        table.add_row(job["name"], job["state"], done, f"{job['seconds_per_update']:.3g}", f"{job['hours']:.2f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(f"about {survey['hours']:.1f} hours of training, each model timed alone for a few updates")

"""The commands of ``python -m hri``: one function each; its signature is the flags, its docstring the help.

torch is imported only by the commands that need it, when they run.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tyro

from hri.config import VARIANTS, Config, DataConfig, ModelConfig, RenderConfig, TrainConfig, preset
from hri.hierarchy import Tree
from hri.records import Rollout, Trajectories, read_npz, write_npz

if TYPE_CHECKING:
    from hri.checkpoint import Checkpoint

PROGRAM = "python -m hri"
CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
FIRST_PROCESS = os.environ.get("RANK", "0") == "0"
"""False in all but one of the processes that torchrun or ``accelerate launch`` starts."""

Command = Callable[..., None]


def simulate(
    tree: str,
    seeds: str,
    config: Literal["04", "05"] | None = None,
    out: Path = Path("simulation.npz"),
    frames: bool = False,
    render: RenderConfig = RenderConfig(),
) -> None:
    """Simulate hierarchical spring systems and write them to an .npz file.

    Arrays: seeds [S], positions and velocities [S, T, N, 2] in box units (walls at -1 and 1), adjacency [S, N, N],
    possible [N, N] and, with --frames, frames [S, T, H, W, 3] in uint8. Up to 1,000 systems are stored in
    float64, larger sets in float32; memory does not grow with their number.

    Example: python -m hri simulate --tree 4-3 --config 04 --seeds 42:46 --frames

    Args:
        tree: Children per level, such as 4-3 (17 balls), 3-3 (13), 4-4 or 4-4-4.
        seeds: START:STOP (without STOP itself), one seed, or several joined by commas. One system a seed.
        config: Physics: 04 (published with 4-3) or 05 (published with 3-3). By default 05 for 3-3, else 04.
        out: File to write.
        frames: Draw frames too, from the positions as they are stored.
        render: How balls are drawn.
    """
    from hri.simulate import write_simulation

    system, chosen = Tree.parse(tree), _seeds(seeds)
    _check_target(out)
    physics = config or ("05" if tree == "3-3" else "04")
    with _bar("simulating", len(chosen)) as reach:
        write_simulation(out, system, physics, chosen, frames, render, progress=reach)
    print(f"wrote {out}: {len(chosen)} systems of {system.size} balls{', with frames' if frames else ''}")


@dataclass(frozen=True)
class TrainOptions:
    """Flags of ``train``; data, model and train start from the preset."""

    preset: str
    """Named experiment springs-TREE-SEEN-VARIANT. TREE: 4-3 or 3-3. SEEN: state, slot or par. VARIANT: hri, hri-h,
    hri-gt, nri, nri-lo, nri-gt, fcmp, lstm or lstm-lo. Such as springs-4-3-state-hri."""
    run: Path
    """Folder of this run."""
    updates: int | None = None
    """Short for --train.updates, the updates of stage 2."""
    stage1_updates: int | None = None
    """Short for --train.stage1-updates."""
    seed: int | None = None
    """Short for --train.seed."""
    resume: bool = False
    """Go on with the run in the folder, to the same numbers as if it had never stopped."""
    vision_from: Path | None = None
    """Take encoder and decoder of this checkpoint and skip stage 1."""
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def config(self) -> Config:
        """The whole experiment.

        Raises:
            ValueError: a value out of range.
        """
        short = {"updates": self.updates, "stage1_updates": self.stage1_updates, "seed": self.seed}
        given = {name: value for name, value in short.items() if value is not None}
        return Config(self.preset, self.data, self.model, dataclasses.replace(self.train, **given))


def train_defaults(flags: Sequence[str]) -> TrainOptions:
    """Where the flags of ``train`` start from: the preset among them, or the default experiment (for --help)."""
    start = Config()
    for word, following in zip(flags, [*flags[1:], ""], strict=True):
        if word == "--preset" and following:
            start = preset(following)
        elif word.startswith("--preset="):
            start = preset(word.removeprefix("--preset="))
    return TrainOptions(tyro.MISSING, tyro.MISSING, data=start.data, model=start.model, train=start.train)


def train(options: TrainOptions, typed: Sequence[str] = ()) -> None:
    """Train a model: stage 1 learns to reconstruct frames (image models only), stage 2 to predict.

    The folder gets config.json, metrics.jsonl (one object a line), log.txt, last.safetensors and best.safetensors
    (whole checkpoints) and the state to resume from. Every setting of the experiment is a flag below; those not
    given are the preset's. A run that was stopped goes on with the same command and --resume. Several processes:
    torchrun --nproc-per-node 2 -m hri train ..., or accelerate launch -m hri train ...

    Example: python -m hri train --preset springs-4-3-state-hri --run runs/first --updates 500
    """
    config = options.config()
    source = str(_find(options.vision_from)) if options.vision_from else None
    from hri.train import train as reports

    validation: dict[str, Any] = {}
    with _training_bar(config) as show:
        for report in reports(config, options.run, options.resume, source, f"{PROGRAM} {shlex.join(typed)}"):
            show(report)
            validation = report.validation or validation
    if FIRST_PROCESS:
        best = options.run / "best.safetensors"
        place = f"the best checkpoint is {best}" if best.exists() else f"the run is in {options.run}"
        print(f"{place}{f'; last validation: {_scores(validation)}' if validation else ''}")


def import_published(
    file: Annotated[Path, tyro.conf.Positional],
    out: Path | None = None,
    variant: Literal["hri", "hri-h", "hri-gt", "nri", "nri-lo", "nri-gt", "fcmp", "lstm", "lstm-lo"] | None = None,
    tree: str = "4-3",
) -> None:
    """Convert one of the authors' model_all.pt files to a checkpoint.

    The variant is told from the file's keys and shapes; where several fit, --variant settles it. Encoder and decoder
    alone give a checkpoint that reconstructs. Code in the file is never run. Edges are inferred from the one state
    that the published code uses (model.relations.window = published).

    Example: python -m hri import model_all.pt --out published.safetensors

    Args:
        file: The authors' file, saved on a CPU or a GPU.
        out: Checkpoint to write; by default the file's name with .safetensors.
        variant: Which model of the paper it is.
        tree: The simulated system, which the file does not name.
    """
    target = out or Path(file.with_suffix(".safetensors").name)
    _check_target(target)
    Tree.parse(tree)
    from hri.checkpoint import provenance, save
    from hri.published import import_published as convert

    made = convert(file, variant, tree)
    command = f"{PROGRAM} import {shlex.join(sys.argv[2:])}" if sys.argv[1:2] == ["import"] else ""
    save(target, made.model, dataclasses.replace(made.header, command=command, **provenance()))
    what = "encoder and decoder only: it reconstructs" if made.header.parts == "vision" else _kind(made.header.config)
    print(f"wrote {target} ({what})")


def rollout(
    checkpoint: Path,
    input: Path,
    out: Path = Path("rollout.npz"),
    free_steps: int = 10,
    edges: Literal["argmax", "sample", "true", "none"] = "argmax",
    edges_from: Literal["predictions", "truth"] = "predictions",
    systems: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> None:
    """Let a checkpoint predict: true inputs first, then a free run on its own predictions.

    The input is what simulate wrote, or an .npz with states [B, T, N, 4] (already normalised; true_edges [B, E] and
    true_edge_sender_receiver [E, 2] for --edges true) or frames [B, T, H, W, 3] in uint8. The output holds slots,
    edge_sender_receiver, edge_logits, edge_probabilities, edge_types, predicted_slots [B, T-1, N, D] and, for image
    models, reconstructed_frames, predicted_frames and (SlotDec) slot_frames. A checkpoint of encoder and decoder
    only gives frames, slots and reconstructed_frames.

    Example: python -m hri rollout --checkpoint springs-4-3-slot-hri --input simulation.npz

    Args:
        checkpoint: A .safetensors file, or the name of one in the project's checkpoints folder.
        input: Scenes to predict.
        out: File to write.
        free_steps: n of the paper's "n free steps": inputs at frames 0 ... T - n are true.
        edges: The most probable type, a draw from the probabilities, the true springs, or no interaction at all.
        edges_from: What edges of free steps are inferred from; truth is the published evaluation, which peeks.
        systems: Only the first so many scenes of the input.
        seed: Of the draws of --edges sample.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
    """
    _check_target(out)
    arrays = read_npz(input)
    loaded = _load(checkpoint, device)
    from hri.rollout import from_arrays

    if systems is not None:
        if systems < 1:
            raise ValueError(f"--systems is {systems}; choose 1 or more")
        whole = {"possible", "true_edge_sender_receiver"}
        arrays = {name: value if name in whole else value[:systems] for name, value in arrays.items() if value.ndim}
    with _bar("predicting", None):
        made = from_arrays(loaded, arrays, str(input), free_steps, edges, edges_from, seed)
        parts = made if isinstance(made, dict) else {"slots": made.slots}
        write_npz(out, parts) if isinstance(made, dict) else made.save(out)
    scenes, steps, nodes, _ = parts["slots"].shape
    what = "reconstructed" if isinstance(made, dict) else f"{free_steps} free steps"
    print(f"wrote {out}: {scenes} scenes of {steps} frames, {nodes} nodes, {what}")


COMMANDS: dict[str, Command] = {
    "simulate": simulate,
    "train": train,
    "rollout": rollout,
    "import": import_published,
}


def _load(checkpoint: Path, device: str) -> Checkpoint:
    """The checkpoint on the device."""
    path = _find(checkpoint)
    from hri.checkpoint import load, read_header

    read_header(path)  # a wrong file is refused before torch is waited for
    import torch

    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):
        raise ValueError(f"there is no device {device!r} here; choose auto or cpu") from None
    return load(path, chosen)


def _find(checkpoint: Path) -> Path:
    """The file, or the file of that name among the project's checkpoints."""
    stored = CHECKPOINTS / f"{checkpoint.name.removesuffix('.safetensors')}.safetensors"
    return stored if not checkpoint.exists() and len(checkpoint.parts) == 1 and stored.exists() else checkpoint


def _check_target(path: Path) -> None:
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


def _seeds(text: str) -> Sequence[int]:
    """``"42:46"`` -> 42 ... 45; ``"7"``; ``"1,5,9"``.

    Raises:
        ValueError: none of these, or not from 0 to 2^32 - 1.
    """
    start, colon, stop = text.partition(":")
    words = [start, stop] if colon else text.split(",")
    if not all(word.isascii() and word.isdecimal() and len(word) < 12 for word in words):
        raise ValueError(f"--seeds is {text!r}; write START:STOP such as 42:46, one seed, or several joined by commas")
    numbers = [int(word) for word in words]
    seeds: Sequence[int] = range(*numbers) if colon else numbers
    if not seeds:
        raise ValueError(f"--seeds {text} names no seed; STOP must be larger than START")
    if max(seeds[0], seeds[-1], *numbers) > 2**32:
        raise ValueError(f"--seeds is {text!r}; seeds go from 0 to {2**32 - 1}")
    return seeds


def _kind(config: Config) -> str:
    """Which model of the paper a config is."""
    seen = config.model.vision.decoder if config.model.vision else "state"
    for name, (relations, dynamics) in VARIANTS.items():
        same = (relations.source, relations.pairs) == (config.model.relations.source, config.model.relations.pairs)
        if same and (dynamics.passing, dynamics.nodes) == (config.model.dynamics.passing, config.model.dynamics.nodes):
            return f"{name}, {seen}, tree {config.data.tree}"
    return f"{seen}, tree {config.data.tree}"


def _scores(scores: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in scores.items() if isinstance(value, float))


@contextmanager
def _bar(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where that is a terminal; call it with how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
        if total
        else [SpinnerColumn(), TextColumn("{task.description}")]
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _training_bar(config: Config) -> Iterator[Callable[[Any], None]]:
    """Loss, rate and time left of each stage; off a terminal, a line a validation."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=not FIRST_PROCESS, soft_wrap=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    tasks: dict[int, Any] = {}
    with Progress(*columns, console=console, expand=True, disable=not console.is_terminal) as bar:
        console.print(f"training {config.name}: preparing {config.data.train} systems", highlight=False)

        def show(report: Any) -> None:
            losses = _scores({"loss": report.losses["loss"], "rate": report.learning_rate})
            if report.stage not in tasks:
                tasks[report.stage] = bar.add_task(f"stage {report.stage}", total=report.updates, losses="", completed=report.update - 1)
            bar.update(tasks[report.stage], completed=report.update, losses=losses)
            if report.validation:
                line = f"stage {report.stage}, update {report.update} of {report.updates}: {losses}; validation: {_scores(report.validation)}"
                console.print(line, highlight=False)

        yield show

"""The commands of ``python -m hri``: one function each; its signature is the flags, its docstring the help.

torch is imported only by the commands that need it, when they run.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from itertools import pairwise
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from hri.cli.data import data
from hri.cli.many import train_many
from hri.cli.predict import export, find_checkpoint, load_checkpoint, recorded_in, rollout
from hri.cli.reproduce import reproduce
from hri.cli.terminal import FIRST_PROCESS, PROGRAM, answer, bar, check_target, listed, stages_bar, training_bar
from hri.core.config import Config, DataConfig, ModelConfig, RenderConfig, TrainConfig
from hri.core.files import read_npz, replacing
from hri.core.forces import check_tree, system_named
from hri.core.hierarchy import Tree
from hri.core.places import CHECKPOINTS
from hri.core.presets import VARIANTS
from hri.core.presets import preset as named_preset
from hri.core.records import Trajectories
from hri.model.devices import device_named

Command = Callable[..., object]


def simulate(
    seeds: str,
    tree: str | None = None,
    config: Literal["auto", "04", "05", "springs", "charged"] = "auto",
    system: str | None = None,
    out: Path = Path("simulation.npz"),
    frames: bool = False,
    steps: int = 5000,
    render: RenderConfig = RenderConfig(),
) -> None:
    """Simulate systems of balls, with a hierarchy or without one, and write them to an .npz file.

    Arrays: seeds [S], positions and velocities [S, T, N, 2] in box units (walls at -1 and 1, or at -5 and 5 without a
    hierarchy), adjacency [S, N, N] (1: a spring, or charges that repel; 0: none, or charges that attract), possible
    [N, N] and, with --frames, frames [S, T, H, W, 3] in uint8. Up to 1,000 systems are stored in float64, larger sets
    in float32; memory does not grow with their number.

    Example: python -m hri simulate --tree 4-3 --config 04 --seeds 42:46 --frames

    Example: python -m hri simulate --system springs5 --seeds 900000:900200

    Args:
        seeds: START:STOP (without STOP itself), one seed, or several joined by commas. One system a seed.
        tree: Children per level, such as 4-3 (17 balls), 3-3 (13), 4-4 or 4-4-4; flat-5: five without a hierarchy.
        config: Physics: 04 (published with 4-3) or 05 (published with 3-3); springs or charged without a hierarchy;
            auto: 05 for 3-3, springs for flat-5 and the like, else 04.
        system: Instead of tree and config: springs5 or charged5, or another number of balls from 2 to 100.
        out: File to write.
        frames: Draw frames too, from the positions as they are stored.
        steps: Steps of 0.001 to integrate; every 100th is kept but the first and the last: 5000 give 49 frames.
        render: How balls are drawn.
    """
    from hri.physics.springs import write_simulation

    nodes, physics = _system(tree, config, system)
    chosen = _seeds(seeds)
    if not 200 <= steps <= 1_000_000:
        raise ValueError(f"--steps is {steps}; choose from 200 (one frame) to 1000000")
    check_target(out)
    with bar("simulating", len(chosen)) as reach:
        write_simulation(out, nodes, physics, chosen, frames, render, progress=reach, steps=steps)
    print(f"wrote {out}: {len(chosen)} systems of {nodes.size} balls{', with frames' if frames else ''}")


def _system(tree: str | None, config: str, system: str | None) -> tuple[Tree, str]:
    """Tree and physics that the flags of ``simulate`` name.

    Raises:
        ValueError: none, both ways at once, or a tree and a physics that do not fit.
    """
    if system is not None:
        flat, physics = system_named(system)
        if tree not in (None, flat):
            raise ValueError(f"{system} has no hierarchy, so it cannot have tree {tree}; leave --tree out")
        if config not in ("auto", physics):
            raise ValueError(f"{system} cannot have physics {config}; leave --config out")
        return Tree.parse(flat), physics
    if tree is None:
        raise ValueError("there is nothing to simulate; name a --tree such as 4-3, or a --system such as springs5")
    nodes = Tree.parse(tree)
    physics = config if config != "auto" else "springs" if nodes.flat else "05" if tree == "3-3" else "04"
    check_tree(nodes, physics)
    return nodes, physics


def training(flags: Sequence[str] = (), typed: Sequence[str] = ()) -> Command:
    """The command ``train``; its flags start from the preset among them.

    Args:
        flags: what follows the word "train".
        typed: the whole command, for the header of its checkpoints.

    Raises:
        ValueError: unknown preset.
    """
    start = Config()
    for word, following in pairwise([*flags, ""]):
        if word == "--preset" and following:
            start = named_preset(following)
        elif word.startswith("--preset="):
            start = named_preset(word.removeprefix("--preset="))

    def train(
        preset: str,
        run: Annotated[Path, tyro.conf.arg(aliases=["--folder"])],
        updates: int | None = None,
        stage1_updates: int | None = None,
        seed: int | None = None,
        resume: bool = False,
        vision_from: Path | None = None,
        refine: bool = False,
        estimate: bool = False,
        device: str = "auto",
        data: DataConfig = start.data,
        model: ModelConfig = start.model,
        train: TrainConfig = start.train,
    ) -> None:
        """Train a model: first to reconstruct frames (images only), then to predict.

        The folder gets config.json, metrics.jsonl (one object a line), log.txt, last.safetensors and
        best.safetensors (whole checkpoints) and the state to resume from. Every setting of the experiment is a flag
        below; those not given are the preset's. A run that was stopped goes on with the same command and --resume.

        Several processes: accelerate launch -m hri train ..., or torchrun --nproc-per-node 2 -m hri train ... with
        --folder for --run.

        Example: python -m hri train --preset springs-4-3-state-hri --run runs/first --updates 500

        Args:
            preset: Named experiment springs-TREE-SEEN-VARIANT, such as springs-4-3-slot-hri. TREE: 4-3 or 3-3. SEEN:
                state, slot or par. VARIANT: hri, hri-h, hri-gt, nri, nri-lo, nri-gt, fcmp, lstm, lstm-lo, or the
                controls nri-residual, hri-h-one (edges see the latest state only) and hri-h-published. Or without a
                hierarchy springs5-state-VARIANT or charged5-state-VARIANT, of any 2 to 100 balls. Or BODY-SEEN-
                VARIANT: mocap or human36m with hri, hri-h, nri or lstm; --data.motion.folder names the recordings. Or
                CLIPS-SEEN-VARIANT: kth or walker, slot or par; --data.clips.folder names the clips.
            run: Folder of this run. (On Python 3.11 torchrun takes --run for an option of its own.)
            updates: Short for --train.updates, the updates of stage 2.
            stage1_updates: Short for --train.stage1-updates.
            seed: Short for --train.seed.
            resume: Go on with the run in the folder, to the same numbers as if it had never stopped.
            vision_from: Take encoder and decoder of this checkpoint and skip stage 1.
            refine: Go on with stage 1 from the checkpoint of --vision-from instead of skipping it.
            estimate: Train nothing; time a few updates and print hours and memory (MB) as a JSON object.
            device: auto (CUDA where there is one), cpu, cuda or cuda:1. On CUDA whole updates run as one CUDA graph.
            data: Where sequences come from.
            model: What the model is made of.
            train: How it is trained.
        """
        given = {"updates": updates, "stage1_updates": stage1_updates, "seed": seed}
        short: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        from hri.data.windows import fitting

        config = Config(preset, fitting(data), model, dataclasses.replace(train, **short))
        source = str(find_checkpoint(vision_from)) if vision_from else None
        if estimate:
            from hri.training.estimate import estimate as timed

            answer(timed(config, source or "").to_dict(), True, "")
            return
        from hri.training.loop import train as reports

        validation: dict[str, Any] = {}
        with training_bar(config.name, config.data.train) as show:
            for report in reports(config, run, resume, source, f"{PROGRAM} {shlex.join(typed)}", refine, device):
                show(report)
                validation = report.validation or validation
        if FIRST_PROCESS:
            best = run / "best.safetensors"
            place = f"the best checkpoint is {best}" if best.exists() else f"the run is in {run}"
            print(f"{place}{f'; last validation: {listed(validation)}' if validation else ''}")

    return train


def import_published(
    file: Annotated[Path, tyro.conf.Positional],
    out: Path | None = None,
    variant: Literal["auto", "hri", "hri-h", "hri-gt", "nri", "nri-lo", "nri-gt", "fcmp", "lstm", "lstm-lo"] = "auto",
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
        variant: Which model of the paper it is; auto: told from the file.
        tree: The simulated system, which the file does not name.
    """
    target = out or Path(file.with_suffix(".safetensors").name)
    check_target(target)
    Tree.parse(tree)
    from hri.model.checkpoint import provenance, save
    from hri.model.published import import_published as convert

    made = convert(file, None if variant == "auto" else variant, tree)
    words = ["import", str(file), "--out", str(target), "--variant", variant, "--tree", tree]
    command = f"{PROGRAM} {shlex.join(words)}"
    save(target, made.model, dataclasses.replace(made.header, command=command, **provenance()))
    what = "encoder and decoder only: it reconstructs" if made.header.parts == "vision" else _kind(made.header.config)
    print(f"wrote {target} ({what})")


def evaluate(
    checkpoint: Path,
    data: Path | None = None,
    systems: int | None = None,
    json: bool = False,
    device: str = "auto",
    skip_effects: bool = False,
) -> None:
    """Score a checkpoint: likelihoods, errors by step, reconstruction, found springs, against copying the last state.

    nll, nll_leaves, nll_upper, nll_free: negative log-likelihood with 5 free steps, of all nodes, of leaves, of the
    nodes above them, and the part that lies in free steps. mse_by_step: error 1, 2, ... 20 steps after the last true
    input. reconstruction_*, frame_*: pixels (image models): mse, psnr in decibels, ssim. edge_accuracy: inferred types
    matched to springs once over the data; overall, possible pairs, each level pair, and the best constant guess. edges:
    accuracy, precision, recall, F1, AUROC and calibration while edges are inferred from true states (burn_in) and from
    predictions (free_run); with --json also by frame, as reliability bins and as a confusion table. For images their
    truth is where springs' balls are drawn. Springs that matter, which move a ball by a tenth of a pixel within ten
    frames, are told apart from those that do not. ceiling: what the same relation network finds when it is taught the
    springs. A score that does not exist is null, and reasons says why.

    Example: python -m hri evaluate --checkpoint springs-4-3-state-hri --json

    Args:
        checkpoint: A .safetensors file, or the name of one in the project's checkpoints folder.
        data: What simulate wrote, or a folder of recordings or clips; by default the checkpoint's own test
            split, which no training saw.
        systems: How many systems; by default all of --data, else 1000 for states and 100 for images.
        json: Print one JSON object instead of a table.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
        skip_effects: Leave out which springs matter; it takes some seconds for a hundred systems, up to 200.
    """
    loaded = load_checkpoint(checkpoint, device)
    own = loaded.header.config.data
    if data and data.is_dir() and (own.motion or own.clips) is not None:
        loaded = recorded_in(loaded, data)
        data = None
    arrays = read_npz(data) if data else None
    from hri.scores.edges import brief
    from hri.scores.evaluate import evaluate as score
    from hri.scores.evaluate import springs_of

    given = Trajectories.of(arrays, str(data)) if arrays is not None else None
    with bar("preparing", None):
        springs = springs_of(loaded, given, systems)
    with bar("evaluating", len(springs)) as reach:
        scores = score(loaded, springs, progress=reach, effects=not skip_effects)
    if not json and scores["edges"]:
        # Each edge score stands beside its ceiling, so the ceiling needs no rows of its own.
        scores["edges"] = brief(scores["edges"], scores.pop("ceiling"), own.physics)
    answer(scores, json, f"{loaded.name} on {len(springs)} systems")


def ceiling(
    checkpoint: Path | None = None,
    preset: str | None = None,
    updates: int = 1250,
    systems: int | None = None,
    train_systems: int | None = None,
    data: Path | None = None,
    seed: int = 0,
    json: bool = False,
    out: Path | None = None,
    store: bool = False,
    device: str = "auto",
) -> None:
    """Measure the most that a model's edges could be: its own relation network, trained with the true springs.

    Fresh weights of the same network see the same windows of the same data and learn the truth by cross-entropy; they
    are tested on systems that no training saw. For images the checkpoint's encoder stays as it is, and the truth is
    where springs' balls are drawn. Scores come by level: accuracy, F1, AUROC; burn_in at the frames that evaluate calls
    so, free_run later ones, from true states. curve, with --json, shows whether longer training would find more.

    Example: python -m hri ceiling --checkpoint springs-4-3-state-hri-h

    Args:
        checkpoint: A .safetensors file, or the name of one in the project's checkpoints folder.
        preset: Instead, a named experiment on states.
        updates: Of 32 sequences each.
        systems: Test systems; by default all of --data, else 1000 for states and 100 for images.
        train_systems: Training systems; by default the experiment's own, at most 5000 of states and 1000 of images.
        data: Test on these systems, which simulate wrote, instead of the test split.
        seed: Of weights and order.
        json: Print one JSON object instead of a table.
        out: Write the answer to this file too, as JSON.
        store: Put it into assets/results/ceilings.json, from where evaluate, cards and pages take it.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
    """
    if (checkpoint is None) == (preset is None):
        raise ValueError("give either --checkpoint, a trained model, or --preset, a named experiment on states")
    if store and (data is not None or systems is not None):
        raise ValueError("what is stored is tested on the whole test split; leave --data and --systems out")
    if out is not None:
        check_target(out)
    chosen = device_named(device)
    source = named_preset(preset) if preset is not None else load_checkpoint(checkpoint or Path(), chosen)
    from hri.scores import ceilings
    from hri.training.ceiling import measure

    arrays = read_npz(data) if data else None
    given = Trajectories.of(arrays, str(data)) if arrays is not None else None
    with stages_bar() as reach:
        record = measure(source, updates, train_systems, given, systems, seed, chosen, reach)
    named = ["--preset", preset] if preset is not None else ["--checkpoint", source.name]
    words = [*named, "--updates", str(updates), "--seed", str(seed)]
    words += ["--train-systems", str(train_systems)] if train_systems is not None else []
    record["command"] = f"{PROGRAM} ceiling {shlex.join(words)}"
    if store:
        ceilings.store(record)
    if out is not None:
        _write_json(out, record)
    answer(record if json else ceilings.table(record), json, f"{record['key']}: found when taught the springs")


def bench(
    json: bool = False,
    only: str = "all",
    threads: int = 1,
    precision: Literal["preset", "no", "bf16", "fp16"] = "preset",
    checkpoint: Path | None = None,
    seconds: float = 6.0,
    device: str = "cpu",
    profile: str | None = None,
    scaling: bool = False,
    trees: str | None = None,
    out: Path | None = None,
) -> None:
    """Time simulation, rendering, training steps and a rollout, in seconds and in matrix products.

    The product is 1024 x 1024 x 1024 in float32, timed before every repetition of every part: on a shared machine
    seconds drift, their multiple of that product does not. Training steps are those of training, with inputs and
    Adam: 32 sequences of 49 frames, or 196 single frames in stage 1.

    On CUDA device_updates is added: updates a second as training on a GPU makes them (one replay of a CUDA graph each),
    beside those of one core: HRI-H at batch 32 and 256 and four side by side, HRI, NRI, LSTM, both stages of images.

    With --scaling instead: time and peak memory of a training step as the tree grows, hierarchical messages (HRI-H)
    against flat ones (NRI), each size in a process of its own.

    Example: python -m hri bench --only simulate,render,hri_h

    Args:
        json: Print one JSON object instead of a table.
        only: Parts joined by commas: simulate, render, rollout, train (all steps), hri, hri_h, nri, lstm,
            stage1_slot, stage1_slot_patches, stage1_par, stage2_slot, stage2_par; or all.
        threads: CPU threads; one by default, as runs are trained: one a core, side by side.
        precision: Of the training steps; by default what each preset uses.
        checkpoint: Whose rollout is timed; by default a fresh springs-4-3-slot-hri.
        seconds: Time for the repetitions of each part.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
        profile: Instead, print where the time of one training step goes (hri, hri_h, stage1_slot ...).
        scaling: Instead, measure how a training step's cost grows with the tree; the largest takes minutes and 8 GB.
        trees: Of --scaling, joined by commas; by default 4-4,8-8,16-16,4-4-4,4-4-4-4.
        out: Write the answer to this file too, as JSON; the Results page reads assets/results/scaling.json.
    """
    if out is not None:
        check_target(out)
    if trees is not None and not scaling:
        raise ValueError("--trees belongs to --scaling; add it")
    chosen = device_named(device)
    if scaling:
        timed = _scaling(trees, threads, chosen, seconds)
        answer(timed, json, f"a training step as the tree grows, {timed['threads']} threads, {chosen}")
        if out is not None:
            _write_json(out, timed)
        return
    import torch

    from hri.experiments import device_bench
    from hri.experiments.bench import PARTS
    from hri.experiments.bench import bench as measure
    from hri.experiments.bench import profile as operations

    place = torch.device(chosen)
    if profile is not None:
        on_gpu = place.type == "cuda" and profile in device_bench.PARTS
        print(device_bench.profile(profile, place) if on_gpu else operations(profile, threads, precision, place))
        return
    parts = PARTS if only == "all" else only.split(",")
    with bar("timing", len(PARTS)) as reach:
        stored = find_checkpoint(checkpoint) if checkpoint else None
        timed = measure(parts, threads, precision, chosen, stored, seconds, lambda name, done: reach(done))
    if place.type == "cuda":
        named = tuple(device_bench.PARTS) if only in ("all", "train") else tuple(set(parts) & device_bench.PARTS.keys())
        timed |= {"device_updates": device_bench.measure(place, named, min(seconds, 3.0))}
    answer(timed, json, f"{timed['threads']} threads, {chosen}")
    if out is not None:
        _write_json(out, timed)


def _scaling(trees: str | None, threads: int, device: str, seconds: float) -> dict[str, Any]:
    """What :mod:`hri.experiments.scaling` measures, and what it was measured with."""
    from hri.experiments import scaling, scaling_measure
    from hri.model.checkpoint import provenance

    chosen = scaling.TREES if trees is None else tuple(trees.split(","))
    for tree in chosen:
        Tree.parse(tree)
    with bar("timing", 2 * len(chosen)) as reach:
        timed = scaling_measure.measure_all(
            chosen,
            threads=threads,
            device=device,
            seconds=seconds,
            progress=lambda name, done: reach(done),
        )
    words = ["--threads", str(timed["threads"])] + (["--trees", trees] if trees else [])
    return {"command": f"{scaling.COMMAND} {shlex.join(words)}"} | timed | provenance()


def _write_json(path: Path, values: dict[str, Any]) -> None:
    """The answer as a file, whole at any moment."""
    with replacing(path) as file:
        file.write(f"{dumps(values, indent=1)}\n".encode())


def publish(
    checkpoint: Path,
    name: str,
    checkpoints: Path = CHECKPOINTS,
    stored: Path = CHECKPOINTS.parent / "assets" / "stored",
    systems: int | None = None,
) -> None:
    """Score a trained checkpoint on its test systems and put it where the app and the other commands find it.

    Writes NAME.safetensors with the scores in its header, the folder's README.md with a card of every checkpoint,
    and a stored rollout of three test systems, which the app shows without loading a model.

    Example: python -m hri publish --checkpoint runs/first/best.safetensors --name springs-4-3-state-hri

    Args:
        checkpoint: The trained checkpoint, such as a run's best.safetensors.
        name: What to call it.
        checkpoints: Folder of the checkpoints.
        stored: Folder of the stored rollouts.
        systems: Test systems; by default 1000 for states and 100 for images.
    """
    from hri.experiments.publish import publish as put

    with bar(f"scoring {name}", None):
        scores = put(checkpoint, name, checkpoints, stored, systems)
    print(f"wrote {checkpoints / name}.safetensors: test {listed({key: scores[key] for key in ('nll', 'nll_free')})}")


def queue(folder: Path = Path("runs")) -> None:
    """Start the trainings that wait in a folder of runs, in turn; the Train page does this by itself.

    Ends when nothing waits and nothing that it started is left. How many train at once is set on the page.

    Example: python -m hri queue --folder runs

    Args:
        folder: Where the runs are.
    """
    from hri.experiments.queueing import serve

    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name the one that holds the runs")
    if not serve(folder):
        raise ValueError(f"another queue serves {folder} already")


COMMANDS: dict[str, Command] = {
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
    if max(seeds) >= 2**32:
        raise ValueError(f"--seeds is {text!r}; seeds go from 0 to {2**32 - 1}")
    return seeds


def _kind(config: Config) -> str:
    """Which model of the paper a config is."""
    seen = config.model.seen
    for name, (relations, dynamics) in VARIANTS.items():
        same = (relations.source, relations.pairs) == (config.model.relations.source, config.model.relations.pairs)
        if same and (dynamics.passing, dynamics.nodes) == (config.model.dynamics.passing, config.model.dynamics.nodes):
            return f"{name}, {seen}, tree {config.data.tree}"
    return f"{seen}, tree {config.data.tree}"

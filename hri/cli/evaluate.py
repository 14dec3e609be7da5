"""The commands ``evaluate`` and ``ceiling``: a checkpoint's scores, and the most that its edges could be."""

from __future__ import annotations

import shlex
from pathlib import Path

from hri.cli.checkpoints import load_checkpoint, recorded_in
from hri.cli.terminal import PROGRAM, answer, bar, check_target, stages_bar, write_json
from hri.core.files import read_npz
from hri.core.presets import preset as named_preset
from hri.core.records import Trajectories
from hri.data.sources import source_of


def evaluate(
    checkpoint: Path,
    data: Path | None = None,
    systems: int | None = None,
    json: bool = False,
    device: str = "auto",
    skip_effects: bool = False,
) -> None:
    """Score a checkpoint: likelihoods, errors by step, reconstruction, springs found, against copying the last state.

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
        data: What simulate wrote, or a folder of recordings, clips or trajectories; by default the checkpoint's
            own test split, which no training saw.
        systems: How many systems; by default all of --data, else 1000 for states and 100 for images.
        json: Print one JSON object instead of a table.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
        skip_effects: Leave out which springs matter; it takes some seconds for a hundred systems, up to 200.
    """
    loaded = load_checkpoint(checkpoint, device)
    own = loaded.header.config.data
    if data and data.is_dir() and not source_of(own).simulated:
        loaded = recorded_in(loaded, data)
        data = None
    own_folder = data if data and data.is_dir() else None
    arrays = read_npz(data) if data and not own_folder else None
    from hri.data.own_windows import as_simulated
    from hri.scores.edges import brief
    from hri.scores.evaluate import evaluate as score
    from hri.scores.evaluate import springs_of

    trajectories = Trajectories.of(arrays, str(data)) if arrays is not None else None
    if own_folder:
        trajectories = as_simulated(own_folder)
    with bar("preparing", None):
        springs = springs_of(loaded, trajectories, systems)
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
    """Measure how right a model's edges could be at most: its own relation network, trained with the true springs.

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
    from hri.model.devices import device_named

    place = device_named(device)
    source = named_preset(preset) if preset is not None else load_checkpoint(checkpoint or Path(), place)
    from hri.scores import ceilings
    from hri.training.ceiling import measure

    arrays = read_npz(data) if data else None
    trajectories = Trajectories.of(arrays, str(data)) if arrays is not None else None
    with stages_bar() as reach:
        record = measure(source, updates, train_systems, trajectories, systems, seed, place, reach)
    named = ["--preset", preset] if preset is not None else ["--checkpoint", source.name]
    words = [*named, "--updates", str(updates), "--seed", str(seed)]
    words += ["--train-systems", str(train_systems)] if train_systems is not None else []
    record["command"] = f"{PROGRAM} ceiling {shlex.join(words)}"
    if store:
        ceilings.store(record)
    if out is not None:
        write_json(out, record)
    answer(record if json else ceilings.table(record), json, f"{record['key']}: found when taught the springs")

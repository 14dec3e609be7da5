"""A finished run to ``checkpoints/``: its best weights, test scores in the header, a model card, a stored rollout."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hri.core.decoding import DECODERS
from hri.core.files import replacing
from hri.core.records import Rollout
from hri.data.sources import source_of
from hri.model import checkpoint
from hri.model.checkpoint import Header, read_header
from hri.rollout.likeness import familiar
from hri.rollout.rollout import roll_out
from hri.rollout.scenes import scenes_of
from hri.scores import ceilings
from hri.scores.edges import brief
from hri.scores.evaluate import evaluate, springs_of

STORED_SEEDS = (200_042, 200_043, 200_044)
"""Test systems whose rollouts are stored, so that a page can show them before any model is loaded."""


def publish(
    source: Path,
    name: str,
    checkpoints: Path,
    stored: Path | None,
    systems: int | None = None,
    scores: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Score a checkpoint on its test split and put it among the others.

    Args:
        source: a checkpoint, such as a run's ``best.safetensors``.
        name: what to call it.
        checkpoints: folder of the checkpoints and their README.md, which is written anew.
        stored: folder of stored rollouts; None stores none.
        systems: test systems; by default as :func:`hri.scores.evaluate.springs_of`.
        scores: what ``evaluate`` said of this very file, where that is known; otherwise it is evaluated now.

    Returns:
        The scores.

    Raises:
        ValueError: the checkpoint cannot be read, or holds encoder and decoder only.
        OSError: a folder cannot be written or the disk is full.
    """
    loaded = checkpoint.load(source)
    if loaded.header.parts != "all":
        raise ValueError(f"{source} holds encoder and decoder only; train stage 2 first")
    loaded = dataclasses.replace(loaded, name=name)
    if scores is None:
        data = springs_of(loaded, systems=systems)
        scores = evaluate(loaded, data) | {"systems": len(data)}
    metrics = loaded.header.metrics | {"test": scores}
    if loaded.model.sees_frames:
        metrics |= {"familiar": dataclasses.asdict(familiar(loaded))}
    checkpoints.mkdir(parents=True, exist_ok=True)
    header = dataclasses.replace(
        loaded.header,
        metrics=metrics,
        command=portable(loaded.header.command),
        commands=tuple(
            dataclasses.replace(command, words=_portable(command.words)) for command in loaded.header.commands
        ),
    )
    checkpoint.save(checkpoints / f"{name}.safetensors", loaded.model, header)
    if stored is not None:
        stored.mkdir(parents=True, exist_ok=True)
        scenes = scenes_of(loaded.header.config.data, STORED_SEEDS)
        compact(roll_out(loaded, scenes)).save(stored / f"{name}.npz")
    write_cards(checkpoints)
    return scores


def portable(command: str) -> str:
    """The same command for any machine: folders within the project, and from the start, not resumed."""
    return "\n".join(shlex.join(_portable(shlex.split(line))) for line in command.splitlines())


def _portable(words: Sequence[str]) -> tuple[str, ...]:
    there = (word for word in words if word != "--resume")
    return tuple(
        _relative(word) if Path(word).is_absolute() or Path(word).parts[:1] == ("..",) else word for word in there
    )


def _relative(path: str) -> str:
    """Below its last folder named "runs", or below a "runs" of its own."""
    parts = Path(path).parts
    below = [*reversed(parts)].index("runs") if "runs" in parts else 1
    return str(Path("runs", *parts[len(parts) - below :]))


def compact(rollout: Rollout) -> Rollout:
    """The same rollout with pixels rounded to 1/256 and kept in half precision: an eighth of the size, same picture."""
    images = ("reconstructed_frames", "predicted_frames", "slot_frames")
    rounded = {
        key: (np.round(getattr(rollout, key) * 256) / 256).astype(np.float16)
        for key in images
        if getattr(rollout, key) is not None
    }
    return dataclasses.replace(rollout, **rounded)


def write_cards(checkpoints: Path) -> None:
    """README.md of the folder: a card a checkpoint, from the files' own headers."""
    headers = {path: read_header(path) for path in sorted(checkpoints.glob("*.safetensors"))}
    cards = [_card(path.stem, header, ceilings.of_header(header, path)) for path, header in headers.items()]
    text = "\n".join(
        [
            "# Checkpoints",
            "",
            "Each file describes itself (`hri.model.checkpoint.read_header`); this page is written from those headers",
            "by `python -m hri publish`. Scores are on test systems that no training saw. `python -m hri evaluate",
            "--checkpoint FILE --json` gives the same numbers.",
            "",
            "NLL: negative log-likelihood with 5 free steps and variance 5e-5, without constants, mean over nodes.",
            (
                "Error after k steps: mean squared error of normalised states (or slots) k steps after the last "
                "true input."
            ),
            (
                "Edges: inferred types matched to true springs (or to charges that attract and repel) once over the "
                "data, while edges are inferred from true states"
            ),
            "(burn-in) and from predictions (free run). For images, springs join the slots their balls are in, a truth",
            "that a model can only come near to (`hri/physics/slot_springs.py`). Found: by the model, which is told no",
            "spring; findable: by the same network taught the springs (`hri/training/ceiling.py`); guessing: one",
            "answer for all pairs. A spring matters if a ball moves visibly without it (`hri/physics/removal.py`).",
            "",
            *cards,
        ]
    )
    with replacing(checkpoints / "README.md") as file:
        file.write(text.encode())


def _card(name: str, header: Header, ceiling: dict[str, Any] | None) -> str:
    config, scores = header.config, header.metrics.get("test", {})
    relations, dynamics = config.model.relations, config.model.dynamics
    published = relations.window == "published"
    source = source_of(config.data)
    seen = {"state": source.states}
    seen |= {name: f"images ({decoder.label})" for name, decoder in DECODERS.items()}
    pairs = {"all": "all pairs", "hierarchy": "the hierarchy's edges (HRI-H)", "leaves": "leaf pairs"}
    rows = [
        ("sees", seen[config.model.seen]),
        (
            "relations",
            (
                f"{relations.source}, {pairs[relations.pairs]}, {relations.edge_types} types"
                f"{'' if relations.silent else ' that all speak'}, "
                f"{relations.history} states of history{' (the oldest of them, repeated)' if published else ''}"
            ),
        ),
        ("messages", f"{dynamics.passing}{', residual' if dynamics.residual else ''}"),
        ("data", header.data),
        *([("of use", source.caution)] if source.caution else []),
        ("updates", ", ".join(f"{stage} {count:,}" for stage, count in header.steps.items())),
        (
            "hours",
            ", ".join(f"{stage} {hours:.2f}" for stage, hours in header.hours.items())
            + f" on {header.device}, one thread, shared machine",
        ),
        ("seed", str(header.seed)),
        ("commit", header.commit),
    ]
    by_step = scores.get("mse_by_step")
    if scores:
        rows += [
            (
                f"test NLL ({scores['systems']} systems)",
                f"{scores['nll']:,.0f} (copying the last state: {scores['copy_baseline']['nll']:,.0f})",
            ),
            (
                "of leaves, of upper nodes",
                f"{scores['nll_leaves']:,.0f}, {scores['nll_upper']:,.0f}"
                if scores["nll_upper"] is not None
                else f"{scores['nll_leaves']:,.0f}",
            ),
            (
                "error after 1, 5, 10, 20 steps",
                ", ".join(f"{by_step[k - 1]:.2e}" for k in (1, 5, 10, 20) if k <= len(by_step)),
            ),
        ]
        if scores.get("reconstruction_mse") is not None:
            rows.append(("reconstruction error (pixels 0 ... 1, squared)", f"{scores['reconstruction_mse']:.5f}"))
        rows += _frames(scores)
        accuracy = scores.get("edge_accuracy")
        if accuracy is not None and scores.get("edges") is None:
            rows.append(("edge accuracy", ", ".join(f"{key} {value:.3f}" for key, value in accuracy.items())))
        rows += _edges(scores, ceiling, config.data.physics)
    record = config.data.force.record.get(config.data.system)
    if record and relations.source == "inferred":
        rows.append(("edges right in NRI's paper", record))
    table = "\n".join(f"| {key} | {value} |" for key, value in rows)
    return f"## {name}\n\n| | |\n|---|---|\n{table}\n\n```\n{portable(header.command)}\n```\n"


def _frames(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """How like the frames are; nothing for models of states and for headers from before these scores."""
    rows = []
    if scores.get("reconstruction_psnr") is not None:
        likeness = f"{scores['reconstruction_psnr']:.1f} dB, {scores['reconstruction_ssim']:.3f}"
        rows.append(("reconstruction PSNR, SSIM", likeness))
    copied = scores.get("copy_baseline") or {}
    kinds = (
        ("psnr", "PSNR of frames", ".1f"),
        ("ssim", "SSIM of frames", ".3f"),
        ("light", "light left", ".2f"),
        ("balls", "balls kept", ".2f"),
    )
    for kind, label, form in kinds:
        by_step = scores.get(f"frame_{kind}_by_step")
        if by_step is not None:
            steps = [k for k in (1, 5, 10, 20) if k <= len(by_step)]
            ours, copies = (
                ", ".join(f"{values[k - 1]:{form}}" for k in steps)
                for values in (by_step, copied[f"frame_{kind}_by_step"])
            )
            name = f"{label} after {', '.join(map(str, steps))} steps"
            rows.append((name, f"{ours} (repeating the last frame: {copies})"))
    return rows


def _edges(scores: dict[str, Any], ceiling: dict[str, Any] | None, physics: str) -> list[tuple[str, str]]:
    """How well the springs were found; nothing for models that infer none and for headers from before these scores."""
    edges = scores.get("edges")
    if edges is None:
        return []
    texts = brief(edges, ceiling, physics)
    rows = (
        [("edges right", ceilings.comparison(edges, ceiling, "possible", period=ceilings.main_period(edges), digits=3))]
        if "possible" in edges["burn_in"]
        else []
    )
    rows += [
        (f"edges, {period}: {group}", text)
        for period, name in (("burn-in", "burn_in"), ("free run", "free_run"), ("all states", "whole"))
        for group, text in texts.get(name, {}).items()
    ]
    if "lost" in edges:
        lost = edges["lost"]
        rows.append(
            (
                "springs no edge stands for",
                (
                    f"{lost['same_slot']:.1%} have both balls in one slot; of the others {lost['not_inferred']:.1%} "
                    "join slots that are no edge of the model"
                ),
            )
        )
    return rows

"""A finished run to ``checkpoints/``: its best weights, test scores in the header, a model card, a stored rollout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from hri import checkpoint
from hri.checkpoint import Header, read_header
from hri.evaluate import evaluate, springs_of
from hri.files import replacing
from hri.hierarchy import Tree
from hri.records import Rollout
from hri.rollout import roll_out
from hri.simulate import simulate

STORED_SEEDS = (200_042, 200_043, 200_044)
"""Test systems whose rollouts are stored, so that a page can show them before any model is loaded."""


def publish(source: Path, name: str, checkpoints: Path, stored: Path, systems: int | None = None) -> dict[str, Any]:
    """Score a checkpoint on its test split and put it among the others.

    Args:
        source: a checkpoint, such as a run's ``best.safetensors``.
        name: what to call it.
        checkpoints: folder of the checkpoints and their README.md, which is written anew.
        stored: folder of stored rollouts.
        systems: test systems; by default as :func:`hri.evaluate.springs_of`.

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
    data = springs_of(loaded, systems=systems)
    scores = evaluate(loaded, data)
    metrics = loaded.header.metrics | {"test": scores | {"systems": len(data)}}
    for folder in (checkpoints, stored):
        folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(
        checkpoints / f"{name}.safetensors", loaded.model, dataclasses.replace(loaded.header, metrics=metrics)
    )
    config = loaded.header.config
    scenes = simulate(Tree.parse(config.data.tree), config.data.physics, STORED_SEEDS)
    compact(roll_out(loaded, scenes)).save(stored / f"{name}.npz")
    write_cards(checkpoints)
    return scores


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
    cards = [_card(path.stem, read_header(path)) for path in sorted(checkpoints.glob("*.safetensors"))]
    text = "\n".join(
        [
            "# Checkpoints",
            "",
            "Each file describes itself (`hri.checkpoint.read_header`); this page is written from those headers by",
            "`python -m hri publish`. Scores are on test systems that no training saw. `python -m hri evaluate",
            "--checkpoint FILE --json` gives the same numbers.",
            "",
            "NLL: negative log-likelihood with 5 free steps and variance 5e-5, without constants, mean over nodes.",
            (
                "Error after k steps: mean squared error of normalised states (or slots) k steps after the last "
                "true input."
            ),
            "",
            *cards,
        ]
    )
    with replacing(checkpoints / "README.md") as file:
        file.write(text.encode())


def _card(name: str, header: Header) -> str:
    config, scores = header.config, header.metrics.get("test", {})
    relations, dynamics = config.model.relations, config.model.dynamics
    seen = {None: "ball states", "slot": "images (SlotDec)", "par": "images (ParDec)"}
    pairs = {"all": "all pairs", "hierarchy": "the hierarchy's edges (HRI-H)", "leaves": "leaf pairs"}
    rows = [
        ("sees", seen[config.model.vision.decoder if config.model.vision else None]),
        (
            "relations",
            (
                f"{relations.source}, {pairs[relations.pairs]}, {relations.edge_types} types, "
                f"{relations.history} states of history"
            ),
        ),
        ("messages", f"{dynamics.passing}{', residual' if dynamics.residual else ''}"),
        ("data", header.data),
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
        accuracy = scores.get("edge_accuracy")
        if accuracy is not None:
            rows.append(("edge accuracy", ", ".join(f"{key} {value:.3f}" for key, value in accuracy.items())))
    table = "\n".join(f"| {key} | {value} |" for key, value in rows)
    return f"## {name}\n\n| | |\n|---|---|\n{table}\n\n```\n{header.command}\n```\n"

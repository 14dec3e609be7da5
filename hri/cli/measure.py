"""The command ``bench``: how long each part takes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Literal

from hri.cli.checkpoints import find_checkpoint
from hri.cli.terminal import answer, bar, check_target, write_json
from hri.core.hierarchy import Tree


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

    On CUDA device_updates is added: updates per second as training on a GPU makes them (one replay of a CUDA graph
    each), beside those of one core: HRI-H at batch 32 and 256 and four side by side, HRI, NRI, LSTM, both stages of
    images.

    With --scaling instead: time and peak memory of a training step as the tree grows, hierarchical messages (HRI-H)
    against flat ones (NRI), each size in a process of its own.

    Example: python -m hri bench --only simulate,render,hri_h

    Args:
        json: Print one JSON object instead of a table.
        only: Parts joined by commas: simulate, render, rollout, train (all steps), hri, hri_h, nri, lstm,
            stage1_slot, stage1_slot_patches, stage1_par, stage2_slot, stage2_par; or all.
        threads: CPU threads; one by default, as runs are trained: one per core, side by side.
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
    from hri.model.devices import device_named

    resolved = device_named(device)
    if scaling:
        timed = _scaling(trees, threads, resolved, seconds)
        answer(timed, json, f"a training step as the tree grows, {timed['threads']} threads, {resolved}")
        if out is not None:
            write_json(out, timed)
        return
    import torch

    from hri.experiments import device_bench
    from hri.experiments.bench import PARTS
    from hri.experiments.bench import bench as measure
    from hri.experiments.bench import profile as operations

    place = torch.device(resolved)
    if profile is not None:
        on_gpu = place.type == "cuda" and profile in device_bench.PARTS
        print(device_bench.profile(profile, place) if on_gpu else operations(profile, threads, precision, place))
        return
    parts = PARTS if only == "all" else only.split(",")
    with bar("timing", len(PARTS)) as reach:
        stored = find_checkpoint(checkpoint) if checkpoint else None
        timed = measure(parts, threads, precision, resolved, stored, seconds, lambda name, done: reach(done))
    if place.type == "cuda":
        named = tuple(device_bench.PARTS) if only in ("all", "train") else tuple(set(parts) & device_bench.PARTS.keys())
        timed |= {"device_updates": device_bench.measure(place, named, min(seconds, 3.0))}
    answer(timed, json, f"{timed['threads']} threads, {resolved}")
    if out is not None:
        write_json(out, timed)


def _scaling(trees: str | None, threads: int, device: str, seconds: float) -> dict[str, Any]:
    """What :mod:`hri.experiments.scaling` measures, and what it was measured with."""
    from hri.experiments import scaling, scaling_measure
    from hri.model.checkpoint import provenance

    selection = scaling.TREES if trees is None else tuple(trees.split(","))
    for tree in selection:
        Tree.parse(tree)
    with bar("timing", 2 * len(selection)) as reach:
        timed = scaling_measure.measure_all(
            selection,
            threads=threads,
            device=device,
            seconds=seconds,
            progress=lambda name, done: reach(done),
        )
    words = ["--threads", str(timed["threads"])] + (["--trees", trees] if trees else [])
    return {"command": f"{scaling.COMMAND} {shlex.join(words)}"} | timed | provenance()

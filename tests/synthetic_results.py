"""Made-up results files of the shape that ``python -m hri reproduce --publish`` writes. Never real figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, list[float]]
"""Model to its scores, one a seed."""

STATES: Figures = {
    "lstm": [21_000, 20_400, 21_500],
    "nri": [14_000, 14_900, 13_400],
    "nri-residual": [9_100, 8_800, 9_600],
    "nri-lo": [12_500],
    "nri-gt": [8_000],
    "fcmp": [15_200],
    "hri": [8_700],
    "hri-h": [8_400, 8_600, 8_100],
    "hri-h-one": [8_500],
    "hri-h-published": [11_000],
    "hri-gt": [8_200],
}
LONG: Figures = {"lstm": [9_000], "nri": [7_000], "nri-gt": [3_000], "hri-h": [2_600], "hri-gt": [2_500]}
THREE: Figures = {"lstm": [18_000], "nri": [9_000], "nri-gt": [8_900], "hri-h": [8_700], "hri-gt": [8_600]}
IMAGES: Figures = {"lstm": [0.031], "nri": [0.026], "hri": [0.018], "hri-h": [0.019]}
"""Pixel errors with SlotDec; ParDec has nine tenths of them."""


def summary_row(model: str, seen: str, tree: str, scores: dict[str, list[float]], curves: dict[str, Any]) -> dict:
    """A row of a results file's summary."""
    n = len(next(iter(scores.values())))
    metrics = {
        name: {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if n > 1 else None,
            "min": min(values),
            "max": max(values),
        }
        for name, values in scores.items()
    }
    return {"model": model, "seen": seen, "tree": tree, "n": n, "metrics": metrics, "curves": curves}


def _curves(level: float, n: int, names: tuple[str, str]) -> dict[str, Any]:
    steps = np.arange(1, 21)
    mean, copied = level * 1e-6 * steps**1.3, 6e-3 * steps**1.2
    return {
        names[0]: {"mean": mean.tolist(), "std": (0.15 * mean).tolist() if n > 1 else None},
        names[1]: {"mean": copied.tolist(), "std": None},
    }


def _run(model: str, seen: str, tree: str, seed: int, score: float | None) -> dict[str, Any]:
    name = f"springs-{tree}-{seen}-{model}"
    return {
        "model": model,
        "seen": seen,
        "tree": tree,
        "seed": seed,
        "preset": name,
        "checkpoint": None if seed else name,
        "updates": 2000,
        "hours": 1.25,
        "seconds_per_update": 2.25,
        "parameters": 79_430,
        "paper_score": score,
        "scores": {"nll": 1.0},
    }


def state_plan(figures: Figures = STATES, tree: str = "4-3", name: str = "states") -> dict[str, Any]:
    """A plan of state models; the figures are test NLLs."""
    runs, summary = [], []
    for model, nlls in figures.items():
        oracle = figures.get("hri-gt", [None])[0]
        runs += [_run(model, "state", tree, seed, oracle / nll if oracle else None) for seed, nll in enumerate(nlls)]
        scores = {
            "nll": nlls,
            "nll_free": [0.3 * nll for nll in nlls],
            "mse_at_10": [2e-6 * nll for nll in nlls],
            "mse_at_20": [5e-6 * nll for nll in nlls],
            "edges.burn_in.possible.accuracy": [0.8 for _ in nlls],
        }
        curves = _curves(nlls[0], len(nlls), ("mse_by_step", "copy_baseline.mse_by_step"))
        summary.append(summary_row(model, "state", tree, scores, curves))
    return _plan(name, runs, summary) | {"unfinished": [f"springs-{tree}-state-lstm-lo seed 0"]}


def long_plan() -> dict[str, Any]:
    """Fewer models on 4-3 states, HRI-H trained for longer than the others."""
    plan = state_plan(LONG, name="states-long")
    for run in plan["runs"]:
        run["updates"] = 20_000 if run["model"] == "hri-h" else 12_000
    return plan


def image_plan(figures: Figures = IMAGES) -> dict[str, Any]:
    """A plan of image models; the figures are pixel errors with SlotDec."""
    runs, summary = [], []
    for seen, share in (("slot", 1.0), ("par", 0.9)):
        for model, errors in figures.items():
            runs += [_run(model, seen, "4-3", seed, None) for seed in range(len(errors))]
            scores = {
                "nll": [1e7 * share * error for error in errors],
                "frame_mse": [share * error for error in errors],
                "reconstruction_mse": [0.0021 * share for _ in errors],
            }
            level = 1e5 * share * errors[0]
            curves = _curves(level, len(errors), ("frame_mse_by_step", "copy_baseline.frame_mse_by_step"))
            summary.append(summary_row(model, seen, "4-3", scores, curves))
    return _plan("images", runs, summary)


def _plan(name: str, runs: list[dict[str, Any]], summary: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "plan": name,
        "updates": 2000,
        "batch": 32,
        "train_systems": 5000,
        "test_systems": 1000,
        "command": f"python -m hri reproduce --plan {name}",
        "commit": "abc1234",
        "versions": {"torch": "2"},
        "runs": runs,
        "summary": summary,
        "unfinished": [],
    }


def scaling_result() -> dict[str, Any]:
    """Flat cost N², hierarchical cost by its edges."""
    shapes = [("4-4", 21, 88), ("8-8", 73, 592), ("16-16", 273, 4384), ("4-4-4", 85, 408), ("4-4-4-4", 341, 1688)]
    sizes = [
        {"tree": tree, "nodes": nodes, "model": "hri-h", "edges": edges, "matmuls": edges / 40, "memory_mb": edges / 5}
        for tree, nodes, edges in shapes
    ] + [
        {"tree": tree, "nodes": nodes, "model": "nri", "edges": nodes * (nodes - 1), "matmuls": nodes**2 / 50}
        | {"memory_mb": nodes**2 / 10}
        for tree, nodes, _ in shapes[:4]
    ]
    return {"command": "python -m hri bench --scaling", "commit": "abc1234", "threads": 1, "frames": 49, "sizes": sizes}


def write(folder: Path, **files: dict[str, Any]) -> Path:
    """The folder with all four plans and the scaling curve, or with the named files only."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = files or {
        "states": state_plan(),
        "states-long": long_plan(),
        "states-3-3": state_plan(THREE, "3-3", "states-3-3"),
        "images": image_plan(),
        "scaling": scaling_result(),
    }
    for name, content in chosen.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder

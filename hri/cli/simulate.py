"""The command ``simulate``: systems of balls to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hri.cli.terminal import bar, check_target
from hri.core.config import RenderConfig
from hri.core.forces import PhysicsChoice, check_tree, system_named, usual_physics
from hri.core.hierarchy import Tree


def simulate(
    seeds: str,
    tree: str | None = None,
    config: PhysicsChoice = "auto",
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
        seeds: START:STOP (without STOP itself), one seed, or several joined by commas. One system for each seed.
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
    numbers = _seeds(seeds)
    if not 200 <= steps <= 1_000_000:
        raise ValueError(f"--steps is {steps}; choose from 200 (one frame) to 1000000")
    check_target(out)
    with bar("simulating", len(numbers)) as reach:
        write_simulation(out, nodes, physics, numbers, frames, render, progress=reach, steps=steps)
    print(f"wrote {out}: {len(numbers)} systems of {nodes.size} balls{', with frames' if frames else ''}")


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
    physics = config if config != "auto" else usual_physics(tree)
    check_tree(nodes, physics)
    return nodes, physics


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

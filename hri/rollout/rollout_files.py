"""Rollouts from strangers: a file is held against everything that a picture relies on before anything is drawn."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import get_args

import numpy as np

from hri.core.forces import FORCES, OWN
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.limits import limits
from hri.core.node_names import is_printable
from hri.core.records import Rollout
from hri.rollout.edit_kind import EdgeChoice
from hri.rollout.interventions import Intervention
from hri.rollout.settings import Settings

LARGEST = 200_000_000
"""Bytes of a file's arrays once unpacked; a SlotDec scene takes about 12 million."""
MOST_NODES, MOST_TYPES, MOST_SCENES, MOST_FRAMES, MOST_PIXELS = 100, 16, 200, 2_000, 128

LARGEST_HERE = 8 * 10**9
"""The same of a file on one's own disk."""


def open_rollout(path: Path) -> Rollout:
    """The rollout in a file, checked as one from a stranger, however many scenes, frames and nodes it has.

    Raises:
        OSError: the file is not there or may not be read.
        ValueError: as :func:`read_rollout`; the sentence names the file.
    """
    try:
        return read_rollout(path.read_bytes(), of_any_size=True)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_rollout(content: bytes, of_any_size: bool = False) -> Rollout:
    """The rollout in an ``.npz`` that :meth:`Rollout.save` wrote; pickles are refused, never opened.

    Args:
        content: of the file.
        of_any_size: take more than a page can show.

    Raises:
        ValueError: anything else; one sentence that says what is wrong and what to do.
    """
    if not content:
        raise ValueError("it is empty (0 bytes); save the rollout again")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise ValueError("it is no .npz; choose one that this program wrote (Export, NumPy)") from None
    largest = LARGEST_HERE if of_any_size else LARGEST
    if size > largest:
        raise ValueError(f"its arrays take {size:,} bytes once unpacked; the limit is {largest:,}")
    file = io.BytesIO(content)
    file.name = "the file"  # as a message calls it
    try:
        rollout = Rollout.load(file)
    except (TypeError, KeyError, IndexError, AttributeError):
        raise ValueError("it is no rollout; choose one that this program wrote (Export, NumPy)") from None
    except ValueError as error:
        message = str(error).replace(str(file), "the file")
        raise ValueError(message) from None
    try:
        check_rollout(rollout, of_any_size)
    except (TypeError, AttributeError, IndexError, OverflowError):
        raise ValueError("it is damaged: an array is of another kind than a rollout's; save it again") from None
    return rollout


def check_rollout(rollout: Rollout, of_any_size: bool = False) -> None:
    """Refuse a rollout that no model could have made.

    Args:
        rollout: of any origin.
        of_any_size: take more scenes, frames and nodes than a page can show.

    Raises:
        ValueError: the first thing that does not fit; one sentence.
    """
    _check_sizes(rollout, of_any_size)
    tree = _tree(rollout.parents)
    _check_words(rollout, tree)
    _check_edges(rollout, tree)
    _check_numbers(rollout)
    _check_pictures(rollout, tree)
    _check_balls(rollout, tree, of_any_size)


def _damage(what: str) -> ValueError:
    return ValueError(f"it is damaged: {what}; save it again")


def _need(fits: object, what: str) -> None:
    if not fits:
        raise _damage(what)


def _tree(parents: np.ndarray) -> Tree:
    _need(parents.ndim == 1 and parents.dtype.kind in "iu", "parents are no whole numbers")
    try:
        return Tree(tuple(parents.tolist()))
    except ValueError:
        raise _damage("its parents form no tree") from None


def _check_sizes(rollout: Rollout, of_any_size: bool) -> None:
    scenes, frames, nodes, _ = rollout.slots.shape
    types = rollout.edge_logits.shape[3]
    limits = {
        "scenes": (scenes, 1, MOST_SCENES),
        "frames": (frames, 3, MOST_FRAMES),
        "nodes": (nodes, 2, MOST_NODES),
        "edge types": (types, 1, MOST_TYPES),
    }
    for what, (count, least, most) in limits.items():
        if count < least or (count > most and not of_any_size):
            raise ValueError(f"it has {count} {what}; the page shows {least} to {most}")


def _check_words(rollout: Rollout, tree: Tree) -> None:
    words = (
        rollout.checkpoint, rollout.edges, rollout.edges_from, rollout.edits, rollout.observation, rollout.physics
    )  # fmt: skip
    _need(all(isinstance(word, str) for word in words), "one of its words is no text")
    _need(len(rollout.checkpoint) <= 200, "its checkpoint's name is too long")
    _need(rollout.observation in ("states", "frames"), "its observation is neither states nor frames")
    _need(rollout.physics in ("", *FORCES, *OWN), "its physics is unknown")
    _need(rollout.observation == "states" or tree == SLOT_TREE, "image slots form another tree than 16 + 4 + 1")
    if rollout.edits:
        Intervention.parse(rollout.edits)
    _need(rollout.edges in get_args(EdgeChoice), "its edges were chosen in a way that is unknown")
    _need(rollout.edges_from in ("predictions", "truth"), "its edges are from neither predictions nor truth")
    seeds = limits(Settings)["seed"]
    for number, low, high in (
        (rollout.last_true_input, 1, rollout.slots.shape[1] - 1),
        (rollout.sample_seed, seeds.low, seeds.high),
    ):
        _need(type(number) is int and low <= number <= high, f"a number that lies in {low} to {high} is {number!r:.40}")


def _check_edges(rollout: Rollout, tree: Tree) -> None:
    pairs, size = rollout.edge_sender_receiver, tree.size
    _need(pairs.dtype.kind in "iu", "edges are no whole numbers")
    _need(((pairs >= 0) & (pairs < size)).all() and (pairs[:, 0] != pairs[:, 1]).all(), "an edge joins no two nodes")
    _need(len(np.unique(pairs, axis=0)) == len(pairs), "an edge is listed twice")
    kinds, chances = rollout.edge_types, rollout.edge_probabilities
    _need(kinds.dtype.kind in "iu" and chances.dtype.kind == "f", "edge types or probabilities are of another kind")
    _need(((kinds >= 0) & (kinds < chances.shape[3])).all(), "an edge has a type that is not there")
    _need(((chances >= 0) & (chances <= 1 + 1e-3)).all(), "a probability lies outside 0 … 1")
    _need(rollout.carries is None or rollout.carries.dtype.kind in "iub", "carries is no list of 0 and 1")


def _check_numbers(rollout: Rollout) -> None:
    for name in ("slots", "predicted_slots", "edge_logits", "altered_inputs"):
        array = getattr(rollout, name)
        _need(array is None or array.dtype.kind == "f", f"{name} are no decimal numbers")
    _need(np.isfinite(rollout.slots).all(), "slots hold numbers that are not finite")
    _need(np.abs(rollout.slots).max() < 1e6, "slots hold numbers beyond a million")
    count = rollout.predicted_slots.shape[2]
    _need(count in (len(rollout.tree.leaves), rollout.tree.size), f"{count} nodes are predicted")
    plain = rollout.observation == "frames" or rollout.slots.shape[3] in (4, 6)
    _need(plain, "states are not positions and velocities along two or three axes")
    inputs = rollout.altered_inputs
    _need(inputs is None or inputs.shape[2] == count, "altered_inputs are of other nodes")
    span, units = rollout.state_span, rollout.units
    _need((span is None) == (units is None), "its units lack what they measure")
    if span is not None and units is not None:
        _need(span.dtype.kind == "f" and np.isfinite(span).all() and (span[:, 0] < span[:, 1]).all(), "no state_span")
        _need(units.dtype.kind == "U", "its units are no words")
        _need(all(len(unit) <= 40 and unit.isprintable() for unit in units.tolist()), "a unit is no short word")
    seeds = rollout.seeds
    _need(seeds is None or (seeds.dtype.kind in "iu" and seeds.shape == (len(rollout.slots),)), "seeds do not fit")


def _check_pictures(rollout: Rollout, tree: Tree) -> None:
    frames = rollout.frames
    _need(rollout.observation == "states" or frames is not None, "its frames are missing")
    size = None if frames is None else frames.shape[2:]
    if frames is not None and size is not None:
        fits = frames.dtype == np.uint8 and 8 <= size[0] == size[1] <= MOST_PIXELS and size[2] in (1, 3)
        _need(fits, f"frames are {frames.dtype} of {'x'.join(map(str, size))}")
    for name in ("reconstructed_frames", "predicted_frames", "slot_frames"):
        array = getattr(rollout, name)
        if array is not None:
            _need(array.dtype.kind == "f" and array.shape[-3:] == size, f"{name} are of another size than frames")
    alone = rollout.slot_frames
    _need(alone is None or alone.shape[2] == len(tree.leaves), "slot_frames are not of the leaves")


def _check_balls(rollout: Rollout, tree: Tree, of_any_size: bool) -> None:
    springs, states, parents = rollout.true_adjacency, rollout.true_states, rollout.ball_parents
    balls = tree.size if rollout.observation == "states" else next(
        (len(array[0]) if array is springs else array.shape[2] for array in (springs, states) if array is not None),
        None,
    )  # fmt: skip
    if springs is not None:
        _need(springs.shape == (len(rollout.slots), balls, balls) and springs.dtype.kind in "iub", "springs do not fit")
        _need(np.isin(springs, (0, 1)).all(), "springs are neither 0 nor 1")
    if states is not None:
        fits = states.shape[:3] == (*rollout.slots.shape[:2], balls) and states.shape[3:] in ((4,), (6,))
        fits = fits and states.dtype.kind == "f"
        _need(fits and np.isfinite(states).all() and np.abs(states).max() < 1e6, "true states do not fit")
    span = rollout.position_span
    if span is not None:
        fits = span.dtype.kind == "f" and np.isfinite(span).all() and span[0] < span[1] and np.abs(span).max() < 1e6
        _need(fits, "its position_span is no range")
    if parents is not None:
        of_balls = _tree(parents)
        _need(
            of_balls.size == balls and (of_any_size or of_balls.size <= MOST_NODES), "ball_parents are of other balls"
        )
    if rollout.joints is not None:
        fits = rollout.joints.dtype.kind == "U" and rollout.joints.shape == (balls,)
        _need(
            fits and all(map(is_printable, rollout.joints.tolist())),
            "names of joints are missing or hold odd characters",
        )

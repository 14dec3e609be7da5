"""From pixels to slots: drag a ball; the cells whose slots notice light up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float, UInt8

from app.learn import course, lesson_state
from app.learn.arena import arena_data, grid, to_box
from app.learn.stage import Shown, Stage, arena, arena_report, file_of
from hri.core.hierarchy import SLOT_TREE, Tree

if TYPE_CHECKING:
    from hri.model.checkpoint import Checkpoint

FAMILY = (5, 6, 7)
"""The leaves that are drawn: three are enough to drag."""
NOTICED = 1e-3
"""A slot has noticed a change if its numbers moved by more than this share of the usual length of a slot."""


# What it states ----------------------------------------------------------------------------------------


def picture_of(positions: Float[np.ndarray, "N 2"], tree: Tree, nodes: Collection[int]) -> UInt8[np.ndarray, "32 32 3"]:
    """A frame of some balls only (box units)."""
    from hri.physics.render import draw

    alone = np.full_like(positions, np.nan)
    alone[list(nodes)] = positions[list(nodes)]
    return draw(alone[None], tree)[0]


@dataclass(frozen=True)
class SlotChange:
    """What a changed picture does to the 16 leaf slots."""

    encoder: str
    """Such as SlotDec."""
    shifts: Float[np.ndarray, " 16"]
    """How far the numbers of each slot moved, as a share of the usual length of a slot."""
    cell_changes: Bool[np.ndarray, " 16"]
    """Cells in which pixels changed."""

    @property
    def slot_changes(self) -> Bool[np.ndarray, " 16"]:
        """Slots whose numbers moved."""
        return self.shifts > NOTICED

    def says(self) -> str:
        """How many cells changed, how many slots noticed, and whether any noticed from elsewhere."""
        cell_count, slot_count = int(self.cell_changes.sum()), int(self.slot_changes.sum())
        if not cell_count:
            return "The picture has not changed, so no slot has."
        elsewhere = int((self.slot_changes & ~self.cell_changes).sum())
        counts = (
            f"Pixels changed in {cell_count} of 16 cells, and {slot_count} of 16 slots noticed with the encoder of "
            f"{self.encoder}"
        )
        if not elsewhere:
            return f"{counts}: none of them from another cell."
        return f"{counts}: {elsewhere} of them from cells that stayed the same."


def slot_change(
    checkpoint: Checkpoint, before: UInt8[np.ndarray, "H W C"], after: UInt8[np.ndarray, "H W C"]
) -> SlotChange:
    """Encode two pictures and compare their leaf slots.

    Raises:
        ValueError: a model that sees states, or frames of another size.
    """
    from hri.rollout.composition import cells
    from hri.rollout.imaging import encode

    if not checkpoint.model.sees_frames:
        raise ValueError(f"{checkpoint.name} sees states, so it has no slots of a picture; choose an image model")
    leaves = encode(checkpoint, np.stack([before, after])[None])[0][:, SLOT_TREE.leaves].cpu().numpy()
    usual = float(np.linalg.norm(leaves, axis=-1).mean())
    shifts = np.linalg.norm(leaves[1] - leaves[0], axis=-1) / max(usual, 1e-9)
    differences = (before != after).any(-1)
    cell_changes = np.array([bool((differences & cell).any()) for cell in cells(len(before))])
    return SlotChange(checkpoint.model.vision.spec.label, shifts.astype(np.float64), cell_changes)


def statement(seed: int, places: Mapping[int, tuple[float, float]], balls: Collection[int], checkpoint: str) -> str:
    """Which slots notice that some balls are put elsewhere (box units) in a picture of some balls."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    start = simulate(tree, "04", [seed]).positions[0, 0]
    end = start.copy()
    for ball, place in places.items():
        end[ball] = place
    before, after = picture_of(start, tree, balls), picture_of(end, tree, balls)
    return slot_change(load(checkpoint), before, after).says()


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """One ball moved under SlotDec."""
    checkpoint = folder / f"{course.IMAGE_MODELS['SlotDec']}.safetensors"
    return {"seed": seed, "places": {6: (0.0, -0.6)}, "balls": FAMILY, "checkpoint": str(checkpoint)}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """Three balls to drag on the grid of slots; a cell is lit as far as its slot moves."""
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    start = simulate(tree, "04", [stage.seed]).positions[0, 0]
    encoder = st.segmented_control(
        "Encoder", list(course.IMAGE_MODELS), default="SlotDec", required=True, key="slots-encoder"
    )
    model = course.IMAGE_MODELS[encoder or "SlotDec"]
    key, reset = "learn-slots", f"slots-{stage.seed}"
    now = arena_report(key, reset)
    end, places = start.copy(), {}
    for node, place in now["placed"].items():
        if node.isdecimal() and int(node) in FAMILY:
            places[int(node)] = tuple(round(v, 4) for v in to_box(place))
            end[int(node)] = places[int(node)]
    before, after = picture_of(start, tree, FAMILY), picture_of(end, tree, FAMILY)
    checkpoint, lock = lesson_state.alone(lesson_state.path_of(model))
    with lock:
        change = slot_change(checkpoint, before, after)
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        arena(
            key,
            arena_data(
                f"{reset}-{encoder}-{places}", end[None], tree, label="A picture on the grid of slots", reset=reset,
                report=now, drag=True, balls_shown=FAMILY, image=after[None], autoplay=False,
                cells=grid(change.shifts / max(float(change.shifts.max()), 1e-9)),
            ),
        )  # fmt: skip
    with right:
        st.caption(
            "What the encoder sees: 32 by 32 pixels. The further its slot has moved, the brighter a cell is lit."
        )
        st.markdown(f"**{int(change.cell_changes.sum())}** cells with changed pixels")
        st.markdown(f"**{int(change.slot_changes.sum())}** slots that noticed")
    return Shown(
        statement=change.says(),
        values={"seed": stage.seed, "places": places, "balls": FAMILY, "checkpoint": file_of(model)},
        explore={"model": model, "seed": str(stage.seed), "overlay": "16"},
        done=bool(places),
    )


LESSON = course.Lesson(
    key="slots",
    title="From pixels to slots",
    idea=(
        "So far the positions of the balls were known. A model that is given only a picture has to find them. Its "
        "encoder turns the picture into 16 leaf slots, one for each cell of a 4 by 4 grid, and those into 4 "
        "intermediate slots and a root slot. A slot is a list of 16 numbers. Two models do this in different ways: "
        "SlotDec's encoder looks at one cell at a time; ParDec's looks further, so each of its slots may know of the "
        "whole picture."
    ),
    do="Drag a ball over the border of a cell. Then choose the other encoder.",
    notice="Which cells light up: only those that the ball left and entered, or others too?",
    section="3.1",
    mathematics=(
        (
            "The leaf slots $s_1 \\dots s_{16}$ are made from cells (SlotDec) or from overlapping neighbourhoods "
            "(ParDec) of the picture $I$; each has 16 numbers.",
            r"s_k = \operatorname{ReLU}\bigl(W\, f_k(I) + b\bigr) \in \mathbb{R}^{16}",
        ),
        (
            "How far a slot has moved when $I$ becomes $I'$, as a share of the usual length of a slot.",
            r"\frac{\lVert s_k(I') - s_k(I) \rVert}{\frac{1}{32} \sum_m \bigl(\lVert s_m(I) \rVert + \lVert s_m(I') "
            r"\rVert\bigr)}",
        ),
    ),
    question="A ball lies across the border of two cells. How many slots know of it?",
    answer=(
        "With an encoder that looks at one cell at a time, two: each is given its part of the ball. So a slot stands "
        "for a place, not for a thing, and one thing may be spread over several slots."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

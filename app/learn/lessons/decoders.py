"""Two ways to draw: mute a slot in both decoders, and see their pictures with it, without it, and the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app.learn import course, lesson_state
from app.learn.arena import arena_data, grid
from app.learn.stage import Shown, Stage, arena, arena_report, file_of
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.rollout.edits import Mute
from hri.rollout.interventions import Intervention

if TYPE_CHECKING:
    from hri.rollout.composition import SlotEffects

FRAME = 20
"""The predicted frame whose slots are muted."""


# What it states ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Muted:
    """What muting one leaf slot does to one picture, for each decoder."""

    slot: int
    """A leaf of the slot hierarchy, 5 ... 20."""
    inside: dict[str, float]
    """Share of the change that lies in the slot's own cell; NaN where nothing changes."""
    scores: dict[str, float]
    """Compositionality of the whole picture (:class:`hri.rollout.composition.Composition`)."""

    def says(self) -> str:
        """Where each decoder's picture changes."""
        parts = [
            f"{name}'s picture does not change"
            if np.isnan(share)
            else f"{share:.0%} of the change in {name}'s picture lies in the slot's own cell"
            for name, share in self.inside.items()
        ]
        scores = " and ".join(f"{score:.2f} for {name}" for name, score in self.scores.items())
        return f"Without slot {self.slot}, {' and '.join(parts)}. Compositionality (1: a sum of local parts): {scores}."


def muting_effect(effects: Mapping[str, SlotEffects], slot: int) -> Muted:
    """Compare decoders on the first picture of their effects."""
    from hri.rollout.composition import cells, compositionality

    index = SLOT_TREE.leaves.tolist().index(slot)
    inside = {}
    for name, effect in effects.items():
        change = np.abs(effect.effects[0, index]).sum(-1)
        total = float(change.sum())
        inside[name] = float(change[cells(len(change))[index]].sum()) / total if total > 1e-6 else float("nan")
    return Muted(slot, inside, {name: compositionality(effect).score for name, effect in effects.items()})


def statement(seed: int, frame: int, slot: int, checkpoints: Mapping[str, str]) -> str:
    """Where the pictures of some models change when a slot is muted in a predicted frame of the system of a seed."""
    from hri.model.checkpoint import load
    from hri.physics.springs import simulate
    from hri.rollout.composition import slot_effects
    from hri.rollout.rollout import roll_out

    scene = simulate(Tree.parse("4-3"), "04", [seed])
    effects = {}
    for name, file in checkpoints.items():
        model = load(file)
        effects[name] = slot_effects(model, roll_out(model, scene), [frame])
    return muting_effect(effects, slot).says()


def class_values(folder: Path, seed: int) -> dict[str, Any]:
    """A slot near the middle."""
    files = {name: str(folder / f"{model}.safetensors") for name, model in course.IMAGE_MODELS.items()}
    return {"seed": seed, "frame": FRAME, "slot": 10, "checkpoints": files}


# What it shows -----------------------------------------------------------------------------------------


def show(stage: Stage) -> Shown:
    """A predicted picture whose cells mute slots, beside what each decoder draws then."""
    key, reset = "learn-decoders", f"decoders-{stage.seed}"
    now = arena_report(key, reset)
    cell = now["cell"] if isinstance(now["cell"], int) and 0 <= now["cell"] < 16 else None
    effects = {
        name: lesson_state.effects(model, lesson_state.rollout(model, stage.seed), FRAME)
        for name, model in course.IMAGE_MODELS.items()
    }
    index = 0 if cell is None else cell
    slot = int(SLOT_TREE.leaves[index])
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        whole = _pixels(effects["SlotDec"].whole[0])
        arena(
            key,
            arena_data(
                reset, np.full((1, 17, 2), np.nan), Tree.parse("4-3"), label=f"Predicted frame {FRAME}, a cell a slot",
                reset=reset, report=now, balls_shown=(), image=whole[None], cells=grid(choose=True), autoplay=False,
            ),
        )  # fmt: skip
        st.caption("Click a cell to mute its slot." if cell is None else f"Slot {slot} is muted.")
    with right:
        for name, drawing in effects.items():
            whole, effect = drawing.whole[0], drawing.effects[0, index]
            row = [_pixels(picture) for picture in (whole, whole - effect, np.abs(effect))]
            caption = f"{name}: all slots, without slot {slot}, what changed"
            st.image(_side_by_side(row), caption=caption, width="stretch", alt=caption)
    edits = Intervention((Mute(slot),)).to_address()
    files = {name: file_of(model) for name, model in course.IMAGE_MODELS.items()}
    return Shown(
        statement=muting_effect(effects, slot).says(),
        values={"seed": stage.seed, "frame": FRAME, "slot": slot, "checkpoints": files},
        explore={
            "model": course.IMAGE_MODELS["SlotDec"], "seed": str(stage.seed), "frame": str(FRAME), "edits": edits,
        },
        done=cell is not None,
    )  # fmt: skip


def _pixels(picture: np.ndarray) -> np.ndarray:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Whole pixels, six times as large, with gaps that show the page."""
    large = [np.repeat(np.repeat(picture, 6, 0), 6, 1) for picture in pictures]
    opaque = [np.concatenate([picture, np.full((*picture.shape[:2], 1), 255, np.uint8)], 2) for picture in large]
    gap = np.zeros((len(opaque[0]), 10, 4), np.uint8)
    return np.concatenate([part for picture in opaque for part in (picture, gap)][:-1], 1)


LESSON = course.Lesson(
    key="decoders",
    title="Two ways to draw",
    idea=(
        "A decoder turns slots back into a picture. SlotDec draws each slot by itself and adds up the 16 pictures. "
        "ParDec draws all slots at once, so that slots can help each other; but then nobody can say which slot drew "
        "what. One way to find out all the same is to mute a slot: leave it out, and look at what changes."
    ),
    do="Click a cell of the picture to mute its slot, first where there is a ball, then where there is none.",
    notice="Where does the picture change: in the cell of the slot, or elsewhere as well?",
    section="3.4",
    mathematics=(
        (
            "SlotDec: the picture is a sum of what the slots draw. So the effect of slot $k$ is exactly its own "
            "picture.",
            r"\hat I = \sum_{k=1}^{16} D(s_k), \qquad \Delta_k = D(s_k)",
        ),
        (
            "ParDec: one network draws all. The effect of slot $k$ is the difference when an empty slot "
            "$s_\\varnothing$ takes its place.",
            r"\hat I = D(s_1, \dots, s_{16}), \qquad \Delta_k = \hat I - D(\dots, s_\varnothing, \dots)",
        ),
    ),
    question="ParDec often draws a little better. Why would anyone use SlotDec?",
    answer=(
        "Because its slots can be looked at one by one: every slot has a picture of its own, and what it stands for "
        "can be seen, moved or removed. With ParDec only the whole has a meaning."
    ),
    show=show,
    statement=statement,
    class_values=class_values,
)

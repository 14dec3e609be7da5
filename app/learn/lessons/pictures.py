"""Lessons on pictures: from pixels to slots, and two ways to draw."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.learn import lesson_state
from app.learn.lessons.stage import Shown, Stage, arena, file_of, told

MODELS = {"SlotDec": "springs-4-3-slot-hri", "ParDec": "springs-4-3-par-hri"}
FAMILY = (5, 6, 7)
"""The leaves that are drawn: three are enough to drag."""
FRAME = 20
"""The predicted frame whose slots are muted."""


def slots(stage: Stage) -> Shown:
    """Drag a ball; the cells whose slots notice light up."""
    from app.learn import arena as playground
    from app.learn.statements_pictures import picture_of
    from hri.core.hierarchy import Tree
    from hri.physics.springs import simulate

    tree = Tree.parse("4-3")
    start = simulate(tree, "04", [stage.seed]).positions[0, 0]
    chosen = st.segmented_control("Encoder", list(MODELS), default="SlotDec", required=True, key="slots-encoder")
    key, reset = "learn-slots", f"slots-{stage.seed}"
    now = told(key, reset)
    moved, places = start.copy(), {}
    for node, place in now["placed"].items():
        if node.isdecimal() and int(node) in FAMILY:
            places[int(node)] = tuple(round(v, 4) for v in playground.to_box(place))
            moved[int(node)] = places[int(node)]
    before, after = picture_of(start, tree, FAMILY), picture_of(moved, tree, FAMILY)
    found = lesson_state.slot_change(MODELS[chosen or "SlotDec"], before, after)
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        arena(
            key,
            playground.arena_data(
                f"{reset}-{chosen}-{places}", moved[None], tree, label="A picture on the grid of slots", reset=reset,
                told=now, drag=True, shown=FAMILY, image=after[None], autoplay=False,
                cells=playground.grid(found.moved / max(float(found.moved.max()), 1e-9)),
            ),
        )  # fmt: skip
    with right:
        st.caption("What the encoder sees: 32 by 32 pixels. A cell is lit as far as its slot has moved.")
        st.markdown(f"**{int(found.touched.sum())}** cells with changed pixels")
        st.markdown(f"**{int(found.noticed.sum())}** slots that noticed")
    return Shown(
        statement=found.says(),
        code={
            "seed": stage.seed,
            "places": places,
            "shown": FAMILY,
            "checkpoint": file_of(MODELS[chosen or "SlotDec"]),
        },
        explore={"model": MODELS[chosen or "SlotDec"], "seed": str(stage.seed), "overlay": "16"},
        done=bool(places),
    )


def decoders(stage: Stage) -> Shown:
    """Mute a slot in both decoders; their pictures with it, without it, and the difference."""
    from app.learn import arena as playground
    from app.learn.statements_pictures import muted
    from hri.core.hierarchy import SLOT_TREE, Tree
    from hri.rollout.edits import Mute
    from hri.rollout.interventions import Intervention

    key, reset = "learn-decoders", f"decoders-{stage.seed}"
    now = told(key, reset)
    cell = now["cell"] if isinstance(now["cell"], int) and 0 <= now["cell"] < 16 else None
    effects = {
        name: lesson_state.effects(model, lesson_state.rollout(model, stage.seed), FRAME)
        for name, model in MODELS.items()
    }
    index = 0 if cell is None else cell
    slot = int(SLOT_TREE.leaves[index])
    found = muted(effects, slot)
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        whole = _pixels(effects["SlotDec"].whole[0])
        arena(
            key,
            playground.arena_data(
                reset, np.full((1, 17, 2), np.nan), Tree.parse("4-3"), label=f"Predicted frame {FRAME}, a cell a slot",
                reset=reset, told=now, shown=(), image=whole[None], cells=playground.grid(choose=True), autoplay=False,
            ),
        )  # fmt: skip
        st.caption("Click a cell to mute its slot." if cell is None else f"Slot {slot} is muted.")
    with right:
        for name, seen in effects.items():
            whole, effect = seen.whole[0], seen.effects[0, index]
            row = [_pixels(picture) for picture in (whole, whole - effect, np.abs(effect))]
            st.image(
                _side_by_side(row), caption=f"{name}: all slots, without slot {slot}, what changed", width="stretch"
            )
    edits = Intervention((Mute(slot),)).to_address()
    return Shown(
        statement=found.says(),
        code={
            "seed": stage.seed,
            "frame": FRAME,
            "slot": slot,
            "checkpoints": {name: file_of(model) for name, model in MODELS.items()},
        },
        explore={"model": MODELS["SlotDec"], "seed": str(stage.seed), "frame": str(FRAME), "edits": edits},
        done=cell is not None,
    )


def _pixels(picture: np.ndarray) -> np.ndarray:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Whole pixels, six times as large, with gaps that show the page."""
    large = [np.repeat(np.repeat(picture, 6, 0), 6, 1) for picture in pictures]
    opaque = [np.concatenate([picture, np.full((*picture.shape[:2], 1), 255, np.uint8)], 2) for picture in large]
    gap = np.zeros((len(opaque[0]), 10, 4), np.uint8)
    return np.concatenate([part for picture in opaque for part in (picture, gap)][:-1], 1)

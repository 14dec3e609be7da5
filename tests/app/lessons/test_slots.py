"""Which slots notice a moved ball."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import slots
from hri.physics.springs import simulate
from tests.app.lessons.shown import PAR, SLOT, TREE, file, model, printed


def moved_ball(by: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures of three leaves, one of which has moved, and where."""
    start = simulate(TREE, "04", [course.SCENE]).positions[0, 0]
    moved = start.copy()
    moved[6] += [by, 0.1]
    return (*(slots.picture_of(x, TREE, (5, 6, 7)) for x in (start, moved)), moved)


def test_only_slots_of_changed_cells_notice_with_slotdec_and_others_with_pardec() -> None:
    before, after, moved = moved_ball(0.35)
    slot = slots.slot_change(model(SLOT), before, after)
    assert slot.slot_changes.any()
    assert not (slot.slot_changes & ~slot.cell_changes).any()
    assert "none of them from another cell" in slot.says()
    par = slots.slot_change(model(PAR), before, after)
    assert (par.cell_changes == slot.cell_changes).all()
    elsewhere = int((par.slot_changes & ~par.cell_changes).sum())
    assert elsewhere > 0
    assert f"{elsewhere} of them from cells that stayed the same" in par.says()
    changed = np.argwhere((before != after).any(-1))  # row, column
    assert slot.cell_changes.sum() == len({(r // 8, c // 8) for r, c in changed.tolist()})
    values = {"seed": course.SCENE, "places": {6: tuple(moved[6].tolist())}, "balls": (5, 6, 7)}
    assert printed("slots", checkpoint=str(file(SLOT)), **values) == slot.says()
    assert "has not changed" in slots.slot_change(model(SLOT), before, before).says()
    with pytest.raises(ValueError, match="image model"):
        slots.slot_change(model(course.STATE_MODEL), before, after)

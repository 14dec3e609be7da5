"""Where pictures change when a slot is muted."""

from __future__ import annotations

import numpy as np
import pytest

from app.learn import course
from app.learn.lessons import decoders
from hri.rollout.composition import slot_effects
from tests.app.lessons.shown import PAR, ROOT, SLOT, model, printed, stored


def test_muting_a_slot_changes_its_own_cell_with_slotdec_and_others_with_pardec() -> None:
    effects = {
        name: slot_effects(model(file), stored(file), [20]) for name, file in (("SlotDec", SLOT), ("ParDec", PAR))
    }
    told = [decoders.muting_effect(effects, slot) for slot in range(5, 21)]
    assert np.nanmean([found.inside["SlotDec"] for found in told]) > 2 * np.nanmean([f.inside["ParDec"] for f in told])
    assert told[0].scores["SlotDec"] > told[0].scores["ParDec"]
    change = np.abs(effects["SlotDec"].effects[0, 0]).sum(-1)  # leaf slot 5: the top left cell
    assert told[0].inside["SlotDec"] == pytest.approx(change[:8, :8].sum() / change.sum())
    files = {"SlotDec": SLOT, "ParDec": PAR}
    values = {name: str(ROOT / "checkpoints" / f"{file}.safetensors") for name, file in files.items()}
    assert printed("decoders", seed=course.SCENE, frame=20, slot=5, checkpoints=values) == told[0].says()

"""A recorded body in Explore: bones over the frames, names on joints, no springs, no recordings needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

from hri.view.facts import joint_positions
from tests.bodies import TREE, body_rollout
from tests.browser.driving import Server

NAME = "walking-body"


def test_a_body_shows_its_bones_and_its_joints_names(server: Server, open_page: Callable[..., Page]) -> None:
    rollout, stored = body_rollout(), server.log.parent / "stored" / f"{NAME}.npz"
    rollout.save(stored)
    try:
        page = open_page(f"?model={NAME}&select=5", reduced_motion="reduce")
        bones = page.locator(".truth .bone.limbs")
        expect(bones).to_have_count(TREE.size - 1)
        # The predicted body has limbs in its colours, the true one beneath it is dashed.
        expect(page.locator(".prediction .bone.limbs")).to_have_count(TREE.size - 1)
        dashes = page.locator(".prediction .bone.trace").evaluate_all("ls => ls.map(l => l.style.strokeDasharray)")
        assert len(dashes) == TREE.size - 1
        assert "none" not in dashes
        expect(page.locator(".bodies")).to_contain_text("true body")
        expect(page.get_by_text("Right hand").first).to_be_visible()
        joints = joint_positions(rollout)
        assert joints is not None
        drawn = bones.evaluate_all("lines => lines.map(l => ['x1','y1','x2','y2'].map(n => Number(l.getAttribute(n))))")
        ends = [(*joints[0, parent], *joints[0, joint]) for joint, parent in enumerate(TREE.parents) if joint]
        np.testing.assert_allclose(drawn, 100 * np.array(ends), atol=0.01)
        page.get_by_test_id("stButtonGroup").get_by_text("off", exact=True).click()
        expect(bones).to_have_count(0)
    finally:
        stored.unlink()

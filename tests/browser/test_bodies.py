"""A recorded body in Explore: bones over the frames, names on joints, no springs, no recordings needed."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.view.facts import joint_positions
from tests.bodies import TREE, body_rollout
from tests.browser.driving import Server, ready

NAME = "walking-body"


def test_a_body_shows_its_bones_and_its_joints_names(server: Server, open_page: Callable[..., Page]) -> None:
    rollout, stored = body_rollout(), server.log.parent / "stored" / f"{NAME}.npz"
    rollout.save(stored)
    try:
        page = open_page(f"?model={NAME}&select=5&panel=relations", reduced_motion="reduce")
        bones = page.locator(".truth .bone.limbs")
        expect(bones).to_have_count(TREE.size - 1)
        # The predicted body has limbs in its colours, the true one beneath it is dashed.
        expect(page.locator(".prediction .bone.limbs")).to_have_count(TREE.size - 1)
        dashes = page.locator(".prediction .bone.trace").evaluate_all("ls => ls.map(l => l.style.strokeDasharray)")
        assert len(dashes) == TREE.size - 1
        assert "none" not in dashes
        expect(page.locator(".bodies")).to_contain_text("limbs coloured as in the graph")
        expect(page.get_by_text("Right hand").first).to_be_visible()
        # Where springs have a count of right edges it says that there is no truth, and the panel what can be said.
        expect(page.locator(".tally")).to_contain_text("nobody knows the truth")
        expect(page.get_by_text("no edge here is right or wrong")).to_be_visible()
        expect(page.get_by_text("Seen in the model's 1 stored scenes")).to_be_visible()
        joints = joint_positions(rollout)
        assert joints is not None
        drawn = bones.evaluate_all("lines => lines.map(l => ['x1','y1','x2','y2'].map(n => Number(l.getAttribute(n))))")
        ends = [(*joints[0, parent], *joints[0, joint]) for joint, parent in enumerate(TREE.parents) if joint]
        np.testing.assert_allclose(drawn, 100 * np.array(ends), atol=0.01)
        page.get_by_test_id("stButtonGroup").get_by_text("off", exact=True).click()
        expect(bones).to_have_count(0)
    finally:
        stored.unlink()


@pytest.mark.slow
def test_a_motion_is_picked_by_its_picture_and_back_leads_to_the_one_before(visit: Callable[..., Page]) -> None:
    page = visit("?model=mocap-state-hri")
    page.get_by_role("button", name="Motions").click()
    tiles = page.locator(".motion")
    expect(tiles.and_(page.locator("[aria-pressed=true]"))).to_have_count(1)
    assert tiles.count() > 1
    assert page.locator(".motion svg path").count() >= 10 * tiles.count(), "limbs are drawn"
    page.locator(".motion[aria-pressed=false]").first.click()
    expect(page.locator(".motion")).to_have_count(0)
    expect(page).to_have_url(re.compile("seed="))
    ready(page, 60_000)
    seed = page.locator("input[type=number]").first
    picked = seed.input_value()
    assert f"seed={picked}" in page.url
    page.go_back()
    expect(seed).not_to_have_value(picked)
    page.go_forward()
    expect(seed).to_have_value(picked)

"""A skeleton is the same strokes whatever draws it; true and predicted bodies differ in more than colour."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np

from hri.export import film
from hri.view.facts import joint_positions, node_positions
from hri.view.skeleton import LIMBS, PANEL, TRACE, skeleton
from hri.view.svg import svg
from tests.bodies import TREE, body_rollout
from tests.synthetic import state_rollout

FRAME = 9
PAIRS = [(parent, joint) for joint, parent in enumerate(TREE.parents) if joint]


def test_bones_end_at_the_joints_of_the_body_that_they_are_of() -> None:
    rollout = body_rollout()
    body = skeleton(rollout)
    assert body is not None
    joints, predicted = joint_positions(rollout), node_positions(rollout, "prediction")
    assert joints is not None
    strokes = list(body.strokes("prediction", FRAME))
    truth = [stroke for stroke in strokes if stroke.look is TRACE]
    limbs = [stroke for stroke in strokes if stroke.look is LIMBS and stroke.width == LIMBS.width]
    for drawn, places in ((truth, joints), (limbs, predicted)):
        np.testing.assert_array_equal([stroke.ends for stroke in drawn], places[FRAME][PAIRS])
    looks = [stroke.look is TRACE for stroke in strokes]
    assert looks == sorted(looks, reverse=True), "what is predicted lies over what is true"
    assert all(stroke.look.dash for stroke in truth)
    assert not any(stroke.look.dash for stroke in limbs)
    assert len({stroke.colour for stroke in limbs}) == 6, "arms, legs, torso and head"
    assert sum(stroke.head > 0 for stroke in limbs) == 1


def test_what_is_no_number_is_left_out_and_balls_have_no_bones() -> None:
    rollout = body_rollout()
    predicted = rollout.predicted_slots.copy()
    predicted[:, FRAME - 1, 5] = np.nan  # a hand that is muted
    body = skeleton(dataclasses.replace(rollout, predicted_slots=predicted))
    assert body is not None
    limbs = [s for s in body.strokes("prediction", FRAME) if s.look is LIMBS and s.width == LIMBS.width]
    assert len(limbs) == len(PAIRS) - 1
    assert skeleton(state_rollout()) is None


def test_svg_and_films_draw_these_strokes() -> None:
    rollout = body_rollout()
    body = skeleton(rollout)
    assert body is not None
    root = ElementTree.fromstring(svg(rollout, FRAME, film.panels(rollout, FRAME), "frame"))
    for group, panel in zip(
        root.iter("{http://www.w3.org/2000/svg}g"), ("", "truth", "prediction", "error"), strict=True
    ):
        if panel:
            lines = [line for line in group if line.tag.endswith("line")]
            ends = [[float(line.get(name, "nan")) for name in ("x1", "y1", "x2", "y2")] for line in lines]
            expected = [PANEL * stroke.ends.astype(float).ravel() for stroke in body.strokes(panel, FRAME)]
            np.testing.assert_allclose(ends, expected, atol=0.01)
    # A film shows a limb's own colour where the limb is, which a drawn ball alone would not at this size.
    picture = film.still(rollout, FRAME, 8).astype(int)
    pixels = {tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}
    assert {(255, 255, 0), (0, 255, 255)} <= pixels, "a leg and an arm, undimmed"

"""Motions of DeepMimic's humanoid: poses worked out by hand, rigid bones, and rounds that go on where they ended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hri.__main__ import main
from hri.data.formats import deepmimic, mocap
from hri.data.motion import AMP_PARENTS, MotionSet
from tests.motions import about_the_vertical, row, wandering, write

JOINTS = tuple(AMP_PARENTS)
PARENTS = list(AMP_PARENTS.values())[1:]


def placed(path: Path, **turns: object) -> dict[str, np.ndarray]:
    """Where each joint is in a pose that does not change."""
    names, tree, fps, positions = deepmimic.read(write(path / "still.txt", [row(**turns)] * 2), fps=10.0)
    assert (names, tree.parents, fps, positions.shape) == (JOINTS, tuple(AMP_PARENTS.values()), 10, (2, 15, 3))
    np.testing.assert_array_equal(positions[0], positions[1])
    return dict(zip(names, positions[0], strict=True))


def bones(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, 1:].astype(np.float64) - positions[:, PARENTS], axis=-1)


def test_a_body_that_stands_upright(tmp_path: Path) -> None:
    body = placed(tmp_path)
    expected = {
        "pelvis": (0, 0, 0.9),
        "torso": (0, 0, 0.9 + 0.236151),
        "head": (0, 0, 0.9 + 0.236151 + 0.223894),
        "right_upper_arm": (-0.02405, -0.18311, 0.9 + 0.236151 + 0.2435),
        "right_hand": (-0.02405, -0.18311, 0.9 + 0.236151 + 0.2435 - 0.274788 - 0.258947),
        "right_thigh": (0, -0.084887, 0.9),
        "right_foot": (0, -0.084887, 0.9 - 0.421546 - 0.40987),
    }
    for name, place in expected.items():
        np.testing.assert_allclose(body[name], place, atol=1e-6)
    for name in JOINTS:
        if name.startswith("right"):
            other = body[name.replace("right", "left")]
            np.testing.assert_allclose(body[name] * [1, -1, 1], other, atol=1e-6, err_msg="left lies to the left")


def test_knees_bend_back_and_elbows_forward(tmp_path: Path) -> None:
    body = placed(tmp_path, left_shin=-np.pi / 2, right_lower_arm=np.pi / 2)
    np.testing.assert_allclose(body["left_foot"] - body["left_shin"], (-0.40987, 0, 0), atol=1e-6)
    np.testing.assert_allclose(body["right_hand"] - body["right_lower_arm"], (0.258947, 0, 0), atol=1e-6)
    np.testing.assert_allclose(body["right_foot"], (0, -0.084887, 0.068584), atol=1e-6)


def test_turns_add_up_along_a_limb_and_the_root_carries_all(tmp_path: Path) -> None:
    left = about_the_vertical(90)
    body = placed(tmp_path, pelvis=left)
    np.testing.assert_allclose(body["right_thigh"], (0.084887, 0, 0.9), atol=1e-6)
    # Who lies on the back looks up: the head, above before, lies behind.
    body = placed(tmp_path, pelvis=Rotation.from_euler("z", 90, degrees=True))
    np.testing.assert_allclose(body["head"], (-0.236151 - 0.223894, 0, 0.9), atol=1e-6)
    # The chest turns to the left and the upper arm is lifted sideways in the chest's frame: it points forward.
    lifted = Rotation.from_euler("x", -90, degrees=True)
    body = placed(tmp_path, torso=left, right_upper_arm=lifted)
    np.testing.assert_allclose(body["right_lower_arm"] - body["right_upper_arm"], (0.274788, 0, 0), atol=1e-6)


def test_between_frames_joints_turn_evenly_whatever_the_sign_of_a_quaternion(tmp_path: Path) -> None:
    rows = [row(0.2), row(0.2, (1.0, 0.9, 0.0), pelvis=about_the_vertical(60))]
    negative = [rows[0], [*rows[1][:4], *(-number for number in rows[1][4:8]), *rows[1][8:]]]
    for given in (rows, negative):
        positions = deepmimic.read(write(tmp_path / "m.txt", given), fps=20.0)[3]
        assert len(positions) == 5
        np.testing.assert_allclose(positions[:, 0, 0], np.arange(5) / 4, atol=1e-6)
        away = positions[:, JOINTS.index("left_thigh")] - positions[:, 0]
        np.testing.assert_allclose(np.degrees(np.arctan2(-away[:, 0], away[:, 1])), 15 * np.arange(5), atol=1e-3)


@pytest.mark.parametrize("fps", [24.0, 30.0, 61.0])
def test_bones_keep_their_lengths_at_every_rate_and_through_every_seam(fps: float, tmp_path: Path) -> None:
    still = bones(deepmimic.read(write(tmp_path / "still.txt", [row(), row()]))[3])[:1]
    positions = deepmimic.read(wandering(tmp_path / "m.txt"), fps=fps, more=4.0)[3]
    assert len(positions) == int((39 * 0.03 + 4) * fps) + 1
    np.testing.assert_allclose(bones(positions), np.broadcast_to(still, (len(positions), 14)), atol=1e-6)


def test_a_motion_that_wraps_goes_on_from_its_end(tmp_path: Path) -> None:
    # One metre ahead and a quarter turn to the left, in one second: four rounds walk around a square.
    rows = [row(0.1, (k / 10, 0.9, 0.0), pelvis=about_the_vertical(9 * k)) for k in range(11)]
    positions = deepmimic.read(write(tmp_path / "square.txt", rows, "wrap"), fps=10.0, more=3.0)[3]
    np.testing.assert_allclose(
        positions[[0, 10, 20, 30, 40], 0, :2], [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], atol=1e-6
    )
    np.testing.assert_allclose(positions[40], positions[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(np.diff(positions[:, 0], axis=0), axis=-1), 0.1, atol=1e-6)
    # What was recorded is as it was, and what does not wrap ends.
    alone = deepmimic.read(tmp_path / "square.txt", fps=10.0)[3]
    np.testing.assert_array_equal(positions[:11], alone)
    ends = write(tmp_path / "ends.txt", rows, "none")
    np.testing.assert_array_equal(deepmimic.read(ends, fps=10.0, more=3.0)[3], alone)


def test_seams_are_passed_without_a_jump(tmp_path: Path) -> None:
    """The last pose is other than the first: a knee is bent and the body stoops, lower than at the beginning."""
    rows = [
        row(
            0.1,
            (k / 10, 0.9 - k / 100, 0.0),
            right_shin=-k / 20,
            torso=Rotation.from_euler("z", -2.0 * k, degrees=True),
        )
        for k in range(11)
    ]
    path = write(tmp_path / "m.txt", rows, "wrap")
    fine = deepmimic.read(path, fps=1000.0, more=1.0)[3]
    speeds = np.linalg.norm(np.diff(fine, axis=0), axis=-1).max(-1) * 1000
    assert speeds[:1000].max() < 1.5
    # Where the pose is passed on it takes a quarter of a second, so nothing is faster than that asks for.
    jump = np.linalg.norm((fine[1000] - fine[1000, 0]) - (fine[0] - fine[0, 0]), axis=-1).max() + 0.1
    assert speeds[1000:].max() < speeds[:1000].max() + 1.6 * jump / deepmimic.SEAM
    assert speeds[1000:1005].max() < 1.5, "it sets out gently"
    later = int(1000 * (1 + deepmimic.SEAM)) + 1
    np.testing.assert_allclose(fine[later:2000, :, 1:], fine[later - 1000 : 1000, :, 1:], atol=2e-5)
    np.testing.assert_allclose(fine[1000:2000, 0, 0], 1 + fine[:1000, 0, 0], atol=1e-5)


def test_a_rate_or_a_time_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    path = wandering(tmp_path / "m.txt")
    for fps, more in ((0.0, 0.0), (float("nan"), 0.0), (30.0, -1.0), (30.0, 1e9)):
        with pytest.raises(ValueError, match="make no sense; choose"):
            deepmimic.read(path, fps, more)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no JSON", "not JSON with Frames; get it again"),
        ("[" * 100_000, "not JSON with Frames; get it again"),
        ("[1, 2]", "not JSON with Frames"),
        ('{"Loop": "wrap"}', "not JSON with Frames"),
        ('{"Frames": 3}', "fewer than two frames"),
        (json.dumps({"Frames": [row()]}), "fewer than two frames"),
        (json.dumps({"Frames": [row(), row()[:20]]}), "frame 1 of .* has 20 numbers; the humanoid's have 44"),
        (json.dumps({"Frames": [row(), 7]}), "frame 1 of .* has no numbers"),
        (json.dumps({"Frames": [row(), [*row()[:43], "x"]]}), "frames that are not numbers"),
        (json.dumps({"Frames": [row(), [*row()[:43], None]]}), "frames that are not numbers"),
        (json.dumps({"Frames": [row(), [*row()[:43], [1]]]}), "frames that are not numbers"),
        (json.dumps({"Frames": [row(float("nan")), row()]}), "frames that are not numbers"),
        (json.dumps({"Frames": [row(0.0), row()]}), "a frame that lasts no time"),
        (json.dumps({"Frames": [[*row()[:16], 0, 0, 0, 0, *row()[20:]], row()]}), "the right thigh has no turn"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        deepmimic.read(path)


def test_the_last_frame_may_last_no_time(tmp_path: Path) -> None:
    rows = [row(0.1), row(0.1), row(0.0)]
    assert len(deepmimic.read(write(tmp_path / "m.txt", rows), fps=10.0)[3]) == 3


def test_the_command_for_motion_capture_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for seed, name in enumerate(("a", "b", "c")):
        wandering(folder / f"{name}.txt", seed)
    (folder / "readme.txt").write_text("Three motions.")
    assert main(["data", "mocap", str(folder), "--out", str(tmp_path / "set"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["train"], answer["validation"], answer["test"], answer["joints"]) == (1, 1, 1, 15)
    assert answer["bone_stretch"] < 1e-5
    assert MotionSet.read(tmp_path / "set" / "motion.npz").recordings[0].fps == 30
    with pytest.raises(ValueError, match=r"holds no motion capture; name a \.bvh"):
        mocap.read(folder / "readme.txt")

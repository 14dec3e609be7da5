"""Scenes of recorded bodies: what a seed draws, what a camera keeps, and what no window may tell."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hri.core.config import DataConfig, MotionConfig, RenderConfig
from hri.core.hierarchy import Tree
from hri.core.presets import BODIES, preset
from hri.data import windows
from hri.data.dataset import Springs
from hri.data.formats import human36m
from hri.data.motion import AMP_PARENTS, MotionSet, Recording, without_repeats
from hri.data.sources import sequences, source_of
from hri.physics.palette import PALETTE, to_pixels
from hri.physics.render import draw
from hri.rollout.scenes import scenes_of
from tests.bodies import MOTION, TREE, TREE_TEXT, recorded, swinging

SEEDS = [42, 43, 100_042, 200_042, 200_043]


def data(folder: Path, **motion: object) -> DataConfig:
    chosen = dataclasses.replace(MOTION, folder=str(folder), **motion)
    return DataConfig(tree=TREE_TEXT, train=6, validation=2, test=2, motion=chosen)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bodies")
    recorded(place)
    return place


def test_bodies_of_presets_are_those_that_are_read() -> None:
    assert [joint.replace(" ", "_") for joint in BODIES["mocap"][0].joints] == list(AMP_PARENTS)
    assert Tree.parse(BODIES["mocap"][1]).parents == tuple(AMP_PARENTS.values())
    assert BODIES["human36m"][0].joints == human36m.JOINTS
    assert Tree.parse(BODIES["human36m"][1]).parents == human36m.PARENTS
    for body in BODIES:
        assert preset(f"{body}-state-hri").tree == Tree.parse(BODIES[body][1])


def test_a_seed_always_draws_the_same_window(folder: Path) -> None:
    whole, alone = windows.scenes(data(folder), SEEDS), windows.scenes(data(folder), SEEDS[3:4])
    np.testing.assert_array_equal(whole[3:4].positions, alone.positions)
    assert len({placed.tobytes() for placed in whole.positions}) == len(SEEDS)


@pytest.mark.parametrize("motion", [{}, {"follow": False, "orbit": 90.0}, {"every": 1, "frames": 20, "metres": 2.5}])
def test_bones_keep_their_lengths_under_every_camera(folder: Path, motion: dict[str, object]) -> None:
    chosen = data(folder, **motion)
    parents = list(TREE.parents[1:])
    true = windows.recordings(chosen.motion).bone_lengths(windows.recordings(chosen.motion).recordings[0])[0]
    seen = windows.scenes(chosen, SEEDS).positions
    lengths = np.linalg.norm(seen[:, :, 1:] - seen[:, :, parents], axis=-1) * chosen.motion.metres
    np.testing.assert_allclose(lengths, np.broadcast_to(true, lengths.shape), atol=1e-5)


def test_splits_are_of_different_recordings(folder: Path) -> None:
    told = {seed: windows.about(data(folder), seed) for seed in SEEDS}
    assert [told[seed][:6] for seed in SEEDS] == ["take 0", "take 0", "take 1", "take 2", "take 2"]
    assert not any("mirrored" in told[seed] for seed in SEEDS[2:]), "only training windows are mirrored"


def test_a_window_starts_at_the_origin_and_velocities_look_back(folder: Path) -> None:
    standing = windows.scenes(data(folder, follow=False), SEEDS)
    np.testing.assert_allclose(standing.positions[:, 0, 0], 0, atol=1e-12)
    steps = np.diff(standing.positions, axis=1) * 30
    np.testing.assert_allclose(standing.velocities[:, 1:], steps, atol=1e-9)
    following = windows.scenes(data(folder), SEEDS)
    np.testing.assert_allclose(following.positions[:, :, 0][..., [0, 2]], 0, atol=1e-12)
    assert np.abs(standing.positions[:, -1, 0]).max() > 0.5, "the root walks on"


def test_bent_training_windows_are_other_poses_of_the_same_body(folder: Path) -> None:
    plain, bent = data(folder, mirror=False), data(folder, mirror=False, bend=40.0)
    before, after = windows.scenes(plain, SEEDS).positions, windows.scenes(bent, SEEDS).positions
    np.testing.assert_array_equal(before[2:], after[2:], err_msg="validation and test are as they were recorded")
    np.testing.assert_array_equal(after, windows.scenes(bent, SEEDS).positions)
    parents = list(TREE.parents[1:])
    bones = [placed[:2, :, 1:] - placed[:2, :, parents] for placed in (before, after)]
    lengths = [np.linalg.norm(bone, axis=-1) for bone in bones]
    np.testing.assert_allclose(*lengths, atol=1e-6)
    angles = np.degrees(np.arccos((bones[0] * bones[1]).sum(-1) / (lengths[0] * lengths[1])))
    first = [bone for bone, parent in enumerate(parents) if parent == 0]
    assert 0 < angles[:, :, first].max() <= 40 + 1e-3
    assert not np.allclose(before[0], after[0], atol=0.05)
    assert [windows.about(bent, seed).endswith(", bones bent") for seed in SEEDS] == [True, True, False, False, False]
    assert ", bones bent by up to 40°; validated" in source_of(bent).about
    # A turn is the same throughout: how fast the first bones turn stays what it was.
    speeds = [np.linalg.norm(np.diff(bone[:, :, first], axis=1), axis=-1) for bone in bones]
    np.testing.assert_allclose(*speeds, atol=1e-6)


def test_a_mirrored_body_is_a_body_of_the_same_sides(folder: Path) -> None:
    swapped = windows.swapped_sides(MOTION.joints, TREE)
    assert swapped is not None
    names = np.array(MOTION.joints)
    assert names[swapped[MOTION.joints.index("left hand")]] == "right hand"
    assert names[swapped[0]] == "pelvis"
    found = [windows.about(data(folder), seed) for seed in range(42, 142)]
    assert 30 < sum("mirrored" in told for told in found) < 70
    # Seen from the front, the right hand of this body lies to the left of its left hand, mirrored or not.
    fixed = data(folder, angles=0.0)
    hands = MOTION.joints.index("right upper arm"), MOTION.joints.index("left upper arm")
    seen = windows.scenes(fixed, range(42, 62)).positions[:, 0, list(hands), 0]
    assert (np.sign(seen[:, 0] - seen[:, 1]) == np.sign(seen[0, 0] - seen[0, 1])).all()


@pytest.mark.parametrize(
    "names", [("hips", "LeftArm", "RightArm"), ("hip", "lShldr", "rShldr"), ("a", "l_arm", "r_arm")]
)
def test_sides_are_found_in_the_usual_names(names: tuple[str, ...]) -> None:
    found = windows.swapped_sides(names, Tree.parse("0,0"))
    assert found is not None
    assert found.tolist() == [0, 2, 1]
    assert windows.swapped_sides(names, Tree.parse("0,1")) is None, "sides that hang differently"
    assert windows.swapped_sides(("hip", "lower", "rib"), Tree.parse("0,0")) is None


def test_frames_that_only_repeat_are_left_out() -> None:
    true = swinging(21, 3)
    for held, begin in ((2, 0), (2, 1), (3, 0)):
        fps, found = without_repeats(60.0, np.repeat(true, held, 0)[begin:])
        assert fps == 60 / held
        np.testing.assert_array_equal(found, true[-len(found) :])
        assert len(found) >= len(true) - 1
    assert without_repeats(60.0, true)[0] == 60
    assert without_repeats(60.0, np.zeros((5, 15, 3)))[0] == 60


@pytest.mark.parametrize("dimensions", [2, 3])
def test_states_are_box_units_and_leave_the_range_to_velocities(folder: Path, dimensions: int) -> None:
    training = sequences(data(folder, dimensions=dimensions), "train")
    assert isinstance(training, Springs)
    assert not training.joined
    assert training.states.shape == (6, 36, 15, 2 * dimensions)
    np.testing.assert_allclose(
        training.states[..., :dimensions], training.trajectories.positions[..., :dimensions], atol=1e-6
    )
    assert float(training.states[..., dimensions:].abs().max()) <= 1
    with pytest.raises(ValueError, match="no true graph"):
        training.true_types(np.array([0]), np.array([1]))
    about = source_of(training.data).about
    assert "1 recording of a body (take 0), 2 seconds in all, as 6 windows of 36 frames" in about


def test_near_balls_hide_far_ones_and_limbs_have_colours() -> None:
    tree = Tree.parse("0,1,0")
    assert tree.limbs.tolist() == [0, 1, 1, 2]
    look = RenderConfig(level_radii=(1.0,) * 8, colours="limb")
    places = np.zeros((2, 4, 3))
    places[0, :, 2], places[1, :, 2] = [3, 2, 1, 0], [0, 1, 2, 3]
    frames = draw(places, tree, look)
    column, row = to_pixels(np.zeros(2)).astype(int)
    assert [frame[row, column].tolist() for frame in frames] == [PALETTE[2].tolist(), PALETTE[0].tolist()]
    np.testing.assert_array_equal(draw(places[..., :2], tree, look)[0], frames[0])
    assert len(set(TREE.limbs)) == 7, "pelvis, trunk, head and four limbs"


def test_what_is_missing_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"there is no motion.npz in .*; get recordings with `python -m hri data fetch"
    ):
        scenes_of(data(tmp_path), [42])
    with pytest.raises(ValueError, match=r"no test recording in .* has 71 frames, .* give longer recordings"):
        windows.scenes(data(folder, frames=70), [200_042])
    other = dataclasses.replace(data(folder), tree="0,1")
    with pytest.raises(ValueError, match=r"are of 15 joints .* not of the body with tree 0,1"):
        windows.scenes(other, [42])
    with pytest.raises(ValueError, match="unknown tree '0,x'"):
        Tree.parse("0,x")


@pytest.mark.parametrize(
    ("splits", "lengths"),
    [
        (["train"], {"train": [60], "validation": [20], "test": [20]}),
        (["train", "train"], {"train": [60, 60], "validation": [20, 20], "test": [20, 20]}),
        (["train", "test"], {"train": [80], "validation": [20], "test": [100]}),
        (["train", "validation", "test"], {"train": [100], "validation": [100], "test": [100]}),
    ],
)
def test_few_recordings_are_divided_in_time(splits: list[str], lengths: dict[str, list[int]], tmp_path: Path) -> None:
    takes = tuple(
        Recording(f"take {n}", "one", split, 25.0, swinging(100, n).astype(np.float32))  # type: ignore[arg-type]
        for n, split in enumerate(splits)
    )
    MotionSet(MOTION.joints, TREE, takes).write(tmp_path / "motion.npz")
    divided = windows.recordings(data(tmp_path, frames=18, every=1).motion)
    assert {split: [len(part.positions) for part in divided.of(split)] for split in lengths} == lengths  # type: ignore[arg-type]
    for n, take in enumerate(takes):
        parts = [part.positions for part in divided.recordings if part.name.startswith(f"take {n}")]
        np.testing.assert_array_equal(np.concatenate(parts), take.positions)
    for seed in (42, 100_042, 200_042):
        assert np.isfinite(windows.scenes(data(tmp_path, frames=18, every=1), [seed]).positions).all()


def test_training_adopts_whatever_body_was_recorded(tmp_path: Path) -> None:
    takes = tuple(
        Recording(split, "one", split, 25.0, swinging(60, 1)[:, :2].astype(np.float32))
        for split in ("train", "validation", "test")
    )
    MotionSet(("hip", "chest"), Tree((-1, 0)), takes).write(tmp_path / "motion.npz")
    fitted = windows.fitting(data(tmp_path))
    assert fitted.motion is not None
    assert fitted.motion.joints == ("hip", "chest")
    assert Tree.parse(fitted.tree).parents == (-1, 0)
    assert windows.scenes(fitted, [200_042]).positions.shape == (1, 36, 2, 3)
    plain = DataConfig(motion=None)
    assert windows.fitting(plain) is plain


def test_oracles_and_wrong_names_are_refused() -> None:
    config = preset("mocap-state-hri")
    with pytest.raises(ValueError, match="know no true graph"):
        dataclasses.replace(config, model=preset("springs-4-3-state-hri-gt").model)
    with pytest.raises(ValueError, match=r"data.motion.joints has 1 names and data.tree 15 nodes"):
        dataclasses.replace(config, data=dataclasses.replace(config.data, motion=MotionConfig(joints=("hip",))))


def test_every_recording_is_picked_by_the_smallest_seed_that_draws_it(tmp_path: Path) -> None:
    takes = [
        Recording(f"{split}_{number}", "one", split, 30.0, swinging(length, number).astype(np.float32))  # type: ignore[arg-type]
        for split in ("train", "validation", "test")
        for number, length in enumerate((60, 38, 20))  # the last is shorter than a window
    ]
    MotionSet(MOTION.joints, TREE, tuple(takes)).write(tmp_path / "motion.npz")
    source = source_of(data(tmp_path))
    pieces = source.pieces()
    assert [(piece.name, piece.split) for piece in pieces][:2] == [("train 0", "train"), ("train 1", "train")]
    for place, piece in enumerate(pieces):
        assert piece.poses.shape == (4, len(TREE.parents), 2)
        assert piece.poses[..., 1].min() >= 0
        if piece.name.endswith("2"):
            assert piece.seed is None
            continue
        assert piece.seed is not None
        first = source.data.seeds(piece.split).start
        drawn = [source.piece_of(seed) for seed in range(first, piece.seed + 1)]
        assert drawn[-1] == place
        assert place not in drawn[:-1]
        assert source.part(piece.seed).startswith(piece.name)
    # Who walks is seen from the side: on the picture's right is ahead, whichever way the world's axes lie.
    ahead = windows.side_view(swinging(60, 3))
    assert np.ptp(ahead[:, TREE.children(0)[-1], 0]) > 0

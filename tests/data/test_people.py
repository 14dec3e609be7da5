"""Recordings of people as one data set: what is tested was not trained on, and real ones move as people do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hri.__main__ import main
from hri.core.hierarchy import Tree
from hri.core.presets import BODIES, PACKAGES, preset
from hri.data import video, windows
from hri.data.formats import deepmimic, demo, people
from hri.data.motion import AMP_PARENTS, MotionSet, from_npz

NECK_TO_CROWN = 0.175 + 0.1025
"""Metres: centre and radius of the head in humanoid.urdf."""
SOLE = 0.05
"""Metres from the ankle down to it."""


def test_no_kind_that_is_tested_as_unseen_is_trained_on_and_no_take_twice() -> None:
    kinds = {split: {take.kind for take in people.TAKES if take.split == split} for split in ("train", "validation")}
    for take in people.TAKES:
        if take.split == "kinds":
            assert take.kind not in kinds["train"] | kinds["validation"], take.name
        if take.split == "takes":
            assert take.kind in kinds["train"], take.name
    assert len({take.name for take in people.TAKES}) == len({take.file for take in people.TAKES}) == 23
    shipped = {name for source in demo.SOURCES[:1] + demo.LARGE[:1] for name in source.files}
    assert {take.file for take in people.TAKES} == shipped, "every recording of the body is used"
    assert {take.package for take in people.TAKES} == set(PACKAGES["motions"].split(","))


def test_presets_of_people_are_of_the_body_that_is_read(tmp_path: Path) -> None:
    assert Tree.parse(BODIES["mocap"][1]) == deepmimic.TREE
    for variant in ("hri", "hri-h", "nri", "nri-mlp", "lstm"):
        assert preset(f"mocap-state-{variant}").data.motion.folder == "motions"  # type: ignore[union-attr]
    for seen in ("slot", "par"):
        assert preset(f"mocap-{seen}-hri").data.render.colours == "limb"
    nowhere = dataclasses.replace(BODIES["mocap"][0], folder=str(tmp_path / "motions"))
    with pytest.raises(ValueError, match=r"data fetch-demo --only isaaclab,pybullet --out .*motions`, or convert"):
        windows.recordings(nowhere)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real motions: the project's own folder of them, or fetched as its command does."""
    folder = Path(__file__).parents[2] / "motions"
    if not all(demo.fetched(source, folder) for source in demo.sources_named(PACKAGES["motions"])):
        folder = tmp_path_factory.mktemp("motions")
    if main(["data", "fetch-demo", "--only", PACKAGES["motions"], "--out", str(folder)]):
        pytest.skip("the real motions are not there and packages cannot be downloaded here")
    return folder


def motion(folder: Path, file: str, more: float = 0.0) -> dict[str, np.ndarray]:
    joints, _, _, positions = deepmimic.read(folder / file, more=more)
    return dict(zip(joints, positions.transpose(1, 0, 2).astype(np.float64), strict=True))


@pytest.mark.slow
def test_real_bodies_are_rigid_and_one_and_stand_on_the_ground(fetched: Path) -> None:
    parents = list(AMP_PARENTS.values())[1:]
    same = None
    for take in people.TAKES:
        path = fetched / take.file
        positions = (deepmimic.read(path, more=4.0) if path.suffix == ".txt" else from_npz(path))[3]
        as_recorded = deepmimic.read(path)[3] if path.suffix == ".txt" else positions
        lengths = np.linalg.norm(positions[:, 1:].astype(np.float64) - positions[:, parents], axis=-1)
        same = lengths[0] if same is None else same
        assert np.abs(lengths - same).max() < 1e-4, take.name
        assert -0.05 < as_recorded[..., 2].min() < 0.08, f"the lowest joint of {take.name} is on the ground"
        speeds = np.linalg.norm(np.diff(positions, axis=0), axis=-1) * 30
        assert speeds.max() < 16, f"no hand or foot of {take.name} is faster than a person's"
    for test in people.FOLDERS:
        packages = PACKAGES["motions"].split(",")
        assert people.read(fetched, packages, test).stretch() < 1e-4


@pytest.mark.slow
def test_real_walking_has_a_persons_speed_and_height_and_sides(fetched: Path) -> None:
    body = motion(fetched, "0walk_forward.txt")
    seconds = (len(body["pelvis"]) - 1) / 30
    way = body["pelvis"][-1] - body["pelvis"][0]
    assert 0.8 < np.linalg.norm(way[:2]) / seconds < 1.6, "metres a second"
    assert abs(way[1]) < 0.1 * way[0], "forward is along x"
    height = (body["head"][:, 2] + NECK_TO_CROWN - np.minimum(body["left_foot"], body["right_foot"])[:, 2] + SOLE).max()
    assert 1.5 < height < 1.85
    assert (body["left_thigh"] - body["right_thigh"])[:, 1].min() > 0.1, "left is left of who walks along x"
    steps = (body["left_foot"] - body["right_foot"])[:, 0]
    assert steps.max() > 0.4, "each foot leads in turn"
    assert steps.min() < -0.4
    for name, sign in (("turn_left0", 1), ("turn_left1", 1), ("turn_right0", -1), ("turn_right1", -1)):
        body = motion(fetched, f"{name}.txt")
        assert sign * (body["pelvis"][-1] - body["pelvis"][0])[1] > 0.1, name
        # Carried on, it turns on the same way.
        later = motion(fetched, f"{name}.txt", more=2.0)["pelvis"]
        (x, y, _), (further_x, further_y, _) = (later[k + 37] - later[k] for k in (0, 37))
        assert sign * (x * further_y - y * further_x) > 0, name


@pytest.mark.slow
def test_real_rooms_are_filmed_upright(tmp_path: Path) -> None:
    if main(["data", "fetch-demo", "--only", "pose2sim", "--out", str(tmp_path)]):
        pytest.skip("packages cannot be downloaded here")
    for name in demo.LARGE[1].files:
        about = video.about(tmp_path / name, name)
        assert about.width in (1080, 1088)
        assert (about.height, round(about.rate)) == (1920, 60)
        assert about.seconds == pytest.approx(100 / 60, abs=0.1)


@pytest.mark.slow
def test_real_people_are_in_the_frame(fetched: Path) -> None:
    data = preset("mocap-state-hri").data
    assert data.motion is not None
    for folder in people.FOLDERS.values():
        place = dataclasses.replace(data, motion=dataclasses.replace(data.motion, folder=str(fetched / folder)))
        seen = windows.scenes(place, [*range(42, 142), *range(100_042, 100_092), *range(200_042, 200_142)])
        assert (np.abs(seen.positions[..., :2]) > 1).mean() < 0.01
        assert len(MotionSet.read(fetched / folder / windows.FILE).of("train")) == 12

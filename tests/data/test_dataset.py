"""Recordings of people: every layout, quirks included, loads to the exact expected windows; bad input says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from hri.__main__ import main
from hri.core.hierarchy import Tree
from hri.data.clips import ClipSet
from hri.data.formats import bvh, human36m, kth, mocap
from hri.data.formats import demo as demo_data
from hri.data.motion import MotionSet, Recording, split_by_recording

PARENTS_32 = (-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22, 12, 24, 25, 26, 27,
              28, 27, 30)  # fmt: skip
"""The recorded skeleton; joint 11 lies on joint 0, and joints 16 and 24 lie on joint 13."""


def rigid(frames: int, seed: int) -> np.ndarray:
    """32 joints that turn at random about their parents with constant bone lengths, metres [T, 32, 3]."""
    random = np.random.default_rng(seed)
    offsets = random.normal(0, 0.3, (32, 3))
    offsets[11] = 0
    offsets[16] = offsets[24] = offsets[13]
    places = np.zeros((frames, 32, 3))
    turns = np.stack([np.linalg.qr(random.normal(size=(32, 3, 3)))[0] for _ in range(frames)])
    places[:, 0] = random.normal(size=(frames, 3))
    for joint, parent in enumerate(PARENTS_32[1:], 1):
        places[:, joint] = places[:, parent] + turns[:, parent] @ offsets[joint]
    return places


@pytest.fixture
def takes() -> dict[str, dict[str, np.ndarray]]:
    return {
        "S1": {"Directions": rigid(6, 1), "TakingPhoto 1": rigid(4, 2)},
        "S8": {"WalkingDog": rigid(5, 3)},
        "S11": {"Directions": rigid(3, 4), "Directions 1": rigid(7, 5)},
    }


@pytest.fixture
def pickled(tmp_path: Path, takes: dict[str, dict[str, np.ndarray]]) -> Path:
    path = tmp_path / "data_3d_h36m.npz"
    np.savez_compressed(path, positions_3d=np.array(takes, dtype=object))
    return path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        code = main(["data", *map(str, words)])
        return code, *capsys.readouterr()

    return call


def refused(result: tuple[int, str, str], *words: str) -> bool:
    code, out, err = result
    return code == 1 and out == "" and err.count("\n") == 1 and all(word in err for word in words)


def test_human36m_keeps_17_joints_names_and_splits(run: Run, tmp_path: Path, pickled: Path, takes: Any) -> None:
    code, out, _ = run("human36m", pickled, "--out", tmp_path / "set", "--trust-pickle", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["subjects"], told["actions"], told["frames"]) == (["S1", "S11", "S8"], 4, 22)
    motion = MotionSet.read(tmp_path / "set" / "motion.npz")
    found = {recording.name: recording for recording in motion.recordings}
    assert {name: recording.split for name, recording in found.items()} == {
        "S1 Directions": "train", "S1 Photo 1": "train", "S8 WalkDog": "validation", "S11 Directions 1": "test",
    }  # fmt: skip
    expected = takes["S11"]["Directions 1"][:, list(human36m.KEPT)]
    np.testing.assert_allclose(found["S11 Directions 1"].positions, expected, atol=1e-6)
    assert motion.stretch() < 1e-5
    assert told["bone_stretch"] < 1e-5


@pytest.mark.filterwarnings("ignore")  # of the package that writes the test's files
def test_raw_files_give_the_same_as_the_npz(tmp_path: Path, pickled: Path, takes: Any) -> None:
    from cdflib.cdfwrite import CDF

    for subject, actions in takes.items():
        folder = tmp_path / "raw" / subject / "MyPoseFeatures" / "D3_Positions"
        folder.mkdir(parents=True)
        for action, positions in actions.items():
            flat = (1000 * positions).reshape(1, len(positions), 96)
            with CDF(folder / f"{action}.cdf", cdf_spec={"Compressed": 0}) as file:
                file.write_var(
                    {
                        "Variable": "Pose",
                        "Data_Type": 45,
                        "Num_Elements": 1,
                        "Rec_Vary": True,
                        "Dim_Sizes": list(flat.shape[1:]),
                    },
                    var_data=flat,
                )
    raw, packed = human36m.read(tmp_path / "raw"), human36m.read(pickled, trust_pickle=True)
    for recording in packed.recordings:
        same = next(other for other in raw.recordings if other.name == recording.name)
        assert same.split == recording.split
        np.testing.assert_allclose(same.positions, recording.positions, atol=1e-6)
    assert len(raw.recordings) == len(packed.recordings)


def test_bad_motion_is_one_sentence_and_writes_nothing(run: Run, tmp_path: Path, pickled: Path) -> None:
    half, target = tmp_path / "half.npz", tmp_path / "set"
    half.write_bytes(pickled.read_bytes()[:900])
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.iterdir())
    assert refused(run("human36m", pickled, "--out", target), "--trust-pickle")
    assert refused(run("human36m", half, "--out", target, "--trust-pickle"), "half a download")
    assert refused(run("human36m", tmp_path / "empty", "--out", target), "D3_Positions")
    assert refused(run("human36m", tmp_path / "nowhere", "--out", target), "there is no")
    assert refused(run("mocap", tmp_path / "empty", "--out", target), "motion capture")
    assert refused(run("mocap", pickled, "--out", target), "readable .npz")
    assert refused(run("human36m", pickled, "--out", tmp_path, "--trust-pickle"), "there already")
    assert sorted(tmp_path.iterdir()) == before


BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Hand
    {
      OFFSET 20 0 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 5 0 0
      }
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 100 0 0 0 0 0 0 0 0 0 0
0 100 0 90 0 0 0 90 0 0 0 0
"""


def test_bvh_places_joints_where_the_angles_say(tmp_path: Path) -> None:
    path = tmp_path / "arm.bvh"
    path.write_text(BVH)
    joints, tree, fps, positions = bvh.read(path)
    assert (joints, tree.parents, fps) == (("Hips", "Arm", "Hand"), (-1, 0, 1), 25)
    # x stays, the file's y (up) is our z. Second frame: the body turned about z, so the arm points up; then the arm
    # turned about its own x, which leaves a bone along x where it is.
    np.testing.assert_allclose(positions[0], [[0, 0, 1], [0.1, 0, 1], [0.3, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(positions[1], [[0, 0, 1], [0, 0, 1.1], [0, 0, 1.3]], atol=1e-6)
    path.write_text(BVH[:-30])
    with pytest.raises(ValueError, match="promises 2 frames"):
        bvh.read(path)


def test_moving_bones_are_refused(tmp_path: Path) -> None:
    positions = np.zeros((9, 3, 3), np.float32)
    positions[:, 1, 0], positions[:, 2, 0] = 1, np.linspace(1.5, 2.5, 9)
    np.savez(tmp_path / "a.npz", positions=positions, fps=30, names=np.array(["a", "b", "c"]), parents=[-1, 0, 1])
    with pytest.raises(ValueError, match="changes its length"):
        mocap.read(tmp_path / "a.npz")


def test_whole_recordings_are_split() -> None:
    assert split_by_recording(["walk", "run", "dance"]) == {"dance": "train", "run": "validation", "walk": "test"}
    assert split_by_recording(["walk"]) == {"walk": "train"}


def test_a_motion_set_comes_back_and_a_damaged_one_does_not(tmp_path: Path) -> None:
    takes = tuple(Recording(f"r{i}", "one", "train", 30.0, rigid(3 + i, i).astype(np.float32)) for i in range(3))
    motion = MotionSet(tuple(map(str, range(32))), Tree(PARENTS_32), takes)
    motion.write(tmp_path / "motion.npz")
    for old, new in zip(takes, MotionSet.read(tmp_path / "motion.npz").recordings, strict=True):
        assert (old.name, old.fps) == (new.name, new.fps)
        np.testing.assert_array_equal(old.positions, new.positions)
    np.savez(tmp_path / "other.npz", positions=np.zeros(3))
    with pytest.raises(ValueError, match="not a motion data set"):
        MotionSet.read(tmp_path / "other.npz")


SEQUENCES = (
    "Sequences of 25 persons: person01 to person25\n(frames as in the video)\n\n\n"
    "person01_walking_d1\t\tframes\t1-3, 5-6, 9-14\n"  # ends after the video's last frame
    "person07_jogging_d4  \t\tframes\t7-9, 1-4\n"  # out of order, spaces before tabs
    "person21_handclapping_d1\tframes\t1-5, 4-8\n"  # overlapping
    "person13_handclapping_d3\t\t*missing*\n"
    "person02_boxing_d1\t\tframes\t1-4\n"  # its file is cut short
    "person03_running_d2\t\tframes\t1-4\n"  # its file is absent
    "person20_boxing_d2\t\tframes\t1-2, 20-22\n"  # a range after the end
)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Ten frames a video; frame n (from 1) is grey 20 n."""
    root = tmp_path / "kth"
    (root / "boxing").mkdir(parents=True)
    (root / kth.SEQUENCES).write_text(SEQUENCES)
    frames = np.broadcast_to((20 * np.arange(1, 11, dtype=np.uint8))[:, None, None, None], (10, 120, 160, 3))
    for name in ("person01_walking_d1", "person07_jogging_d4", "person21_handclapping_d1", "person20_boxing_d2"):
        folder = root / name.split("_")[1]
        folder.mkdir(exist_ok=True)
        iio.imwrite(folder / f"{name}_uncomp.avi", frames, plugin="pyav", codec="ffv1", fps=25)
    (root / "boxing" / "person02_boxing_d1_uncomp.avi").write_bytes(b"RIFF....AVI half a file")
    return root


@pytest.mark.parametrize("size", [32, 64])
def test_kth_gives_the_exact_windows(run: Run, tmp_path: Path, videos: Path, size: int) -> None:
    code, out, _ = run("kth", videos, "--out", tmp_path / "set", "--size", size, "--json")
    told = json.loads(out)
    assert code == 0
    found = ClipSet.read(tmp_path / "set")
    windows = {clip.name: (found.pixels(clip)[:, 0, 0] / 20).round().astype(int).tolist() for clip in found.clips}
    assert windows == {
        "person01_walking_d1 1": [1, 2, 3],
        "person01_walking_d1 2": [5, 6],
        "person01_walking_d1 3": [9, 10],
        "person07_jogging_d4 1": [7, 8, 9],
        "person07_jogging_d4 2": [1, 2, 3, 4],
        "person21_handclapping_d1 1": [1, 2, 3, 4, 5],
        "person21_handclapping_d1 2": [4, 5, 6, 7, 8],
        "person20_boxing_d2 1": [1, 2],
    }
    assert (found.frames.dtype, found.frames.shape) == (np.uint8, (26, size, size))
    assert (told["sequences"], told["train"], told["test"]) == (8, 5, 3)
    assert told["original"] == {"train": 0, "validation": 6, "test": 2}
    assert told["missing"] == ["person13_handclapping_d3", "person03_running_d2"]
    assert [skip["name"] for skip in told["skipped"]] == ["person02_boxing_d1", "person20_boxing_d2"]


def test_bad_kth_is_one_sentence_and_writes_nothing(run: Run, tmp_path: Path, videos: Path) -> None:
    target = tmp_path / "set"
    before = sorted(tmp_path.iterdir())
    assert refused(run("kth", tmp_path, "--out", target), kth.SEQUENCES)
    (videos / kth.SEQUENCES).write_text("person02_boxing_d1\tframes\t1-4\n")
    assert refused(run("kth", videos, "--out", target), "could be decoded")
    (videos / kth.SEQUENCES).write_text("person02_boxing_d1\tframes\t1-\n")
    assert refused(run("kth", videos, "--out", target), "line 1", "cannot be read")
    assert sorted(tmp_path.iterdir()) == before


def test_every_person_is_in_one_split_of_each_kind() -> None:
    assert sorted(sum(kth.ORIGINAL.values(), ())) == list(range(1, 26))
    assert [kth.splits(person)["prediction"] for person in (16, 17)] == ["train", "test"]


def test_an_archive_with_another_hash_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"not it")
    with pytest.raises(ValueError, match="nothing was taken"):
        demo_data.unpack(demo_data.SOURCES[0], tmp_path / "x.whl", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["x.whl"]


def test_real_recordings_are_rigid_bodies(demo: Path) -> None:
    for name, frames, joints in (("walk", 77, 15), ("run", 41, 15), ("dance", 451, 15)):
        motion = mocap.read(demo / f"humanoid_{name}.npz")
        assert motion.recordings[0].positions.shape == (frames, joints, 3)
        assert motion.stretch() < 1e-4
    for name, frames, joints in (("mocapbank", 455, 19), ("freebvh", 69, 55)):
        motion = mocap.read(demo / f"test_{name}.bvh")
        assert motion.recordings[0].positions.shape == (frames, joints, 3)
        assert motion.stretch() < 1e-4


def test_what_is_fetched_needs_no_network(
    demo: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*words: object, **options: object) -> None:
        raise AssertionError("something was downloaded")

    monkeypatch.setattr(demo_data.subprocess, "run", offline)
    shutil.copytree(demo, tmp_path / "copy")
    (tmp_path / "copy" / "motion.npz").unlink(missing_ok=True)
    code, out, err = run("fetch-demo", "--out", tmp_path / "copy", "--json")
    assert (code, err, json.loads(out)["downloaded"]) == (0, "", [])
    assert len(MotionSet.read(tmp_path / "copy" / "motion.npz").recordings) == 3

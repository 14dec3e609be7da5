"""Motion capture as programs in the field write it: what is read, what is said, and what is asked."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas
import pytest
import torch

from hri.__main__ import main
from hri.core.hierarchy import Tree
from hri.core.node_names import is_printable, printable
from hri.core.presets import preset
from hri.core.records import Rollout
from hri.data import windows
from hri.data.formats import bvh, mocap
from hri.data.gaps import without_gaps
from hri.data.motion import Care, MotionSet
from hri.export.formats import file_content
from hri.model.checkpoint import Checkpoint, Header
from hri.model.model import Model
from hri.rollout.rollout import roll_out
from hri.rollout.rollout_files import read_rollout
from hri.rollout.scenes import scenes_of
from tests.takes import FRAMES, PERSON, SIX, THREE, Bvh, legs

PLAIN = Bvh()
LOUD = Care(stretch=10.0)

AS_THEY_OCCUR = {
    "plain": (PLAIN, ()),
    "tabs and Windows' line ends": (PLAIN.but(newline="\r\n"), ()),
    "old line ends": (PLAIN.but(newline="\r"), ()),
    "braces on the same line": (PLAIN.but(brace=" {"), ()),
    "spaces in names": (PLAIN.but(names=("Bip01 Pelvis", "Bip01  Spine", "Bip01 Head"), brace=" {"), ()),
    "prefixes": (PLAIN.but(names=("mixamorig:Hips", "mixamorig:Spine", "mixamorig:Head")), ()),
    "names like keywords": (PLAIN.but(names=("MOTION_root", "End", "JOINT 7")), ()),
    "lower-case channels": (PLAIN.but(channels=(SIX.lower(), THREE.upper(), THREE)), ()),
    "lower-case words": (PLAIN.but(words=("hierarchy", "root", "joint", "motion", "frames:", "frame time:")), ()),
    "odd colons": (PLAIN.but(words=("HIERARCHY", "ROOT", "JOINT", "MOTION", "Frames :", "FrameTime :")), ()),
    "end in capitals": (PLAIN.but(end="END SITE"), ()),
    "end in one word": (PLAIN.but(end="EndSite"), ()),
    "end with a name": (PLAIN.but(end="End Site Head Nub"), ()),
    "an end with turns": (PLAIN.but(end_channels=THREE), ("3 channels of end sites",)),
    "an end with six channels": (PLAIN.but(end_channels=SIX), ("6 channels of end sites",)),
    "one frame more": (PLAIN.but(announced=FRAMES - 1), (f"announces {FRAMES - 1} frames and holds {FRAMES}",)),
    "one frame less": (PLAIN.but(announced=FRAMES + 1), (f"announces {FRAMES + 1} frames and holds {FRAMES}",)),
    "many frames more": (PLAIN.but(announced=1), (f"announces 1 frames and holds {FRAMES}",)),
    "six channels everywhere": (PLAIN.but(channels=(SIX, SIX, SIX)), ("positions of 2 joints that are always zero",)),
}


@pytest.mark.parametrize(("file", "says"), AS_THEY_OCCUR.values(), ids=AS_THEY_OCCUR.keys())
def test_a_bvh_file_is_read_however_it_is_written(file: Bvh, says: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "take.bvh").write_bytes(file.text().encode())
    notes: list[str] = []
    joints, tree, fps, positions = bvh.read(tmp_path / "take.bvh", say=notes.append)
    assert joints == tuple(" ".join(name.split()) for name in file.names)
    assert (tree.parents, fps) == ((-1, 0, 1), 25)
    np.testing.assert_allclose(positions, file.truth(), atol=1e-6)
    assert len(notes) == len(says)
    assert all(part in note for part, note in zip(says, notes, strict=True))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le with mark", "utf-16-be with mark"]
)
def test_names_come_through_whatever_the_encoding(encoding: str, tmp_path: Path) -> None:
    file = PLAIN.but(names=("Hüfte", "Rücken", "Köpfchen"))
    mark, name = ("\ufeff", encoding.split()[0]) if "mark" in encoding else ("", encoding)
    (tmp_path / "take.bvh").write_bytes((mark + file.text()).encode(name))
    joints, _, _, positions = bvh.read(tmp_path / "take.bvh")
    assert joints == file.names
    np.testing.assert_allclose(positions, file.truth(), atol=1e-6)


def test_a_root_without_positions_stays_where_it_is(tmp_path: Path) -> None:
    file = PLAIN.but(channels=(THREE, THREE, THREE))
    (tmp_path / "take.bvh").write_text(file.text())
    notes: list[str] = []
    positions = bvh.read(tmp_path / "take.bvh", say=notes.append)[3]
    walked = 0.01 * np.arange(FRAMES)[:, None, None] * np.array([1, 0, 0])
    np.testing.assert_allclose(positions, file.truth() - walked, atol=1e-6)
    assert notes == ["take.bvh does not say where its root is: the body moves on the spot"]


@pytest.mark.parametrize("frame_time", ["0", "0.0", "-0.04", None])
def test_a_rate_that_is_missing_is_asked_for(frame_time: str | None, tmp_path: Path) -> None:
    (tmp_path / "take.bvh").write_text(PLAIN.but(frame_time=frame_time).text())
    with pytest.raises(ValueError, match=rf"frame time of 0, .* its {FRAMES} frames are; give their rate with --fps"):
        mocap.read(tmp_path / "take.bvh")
    motion = mocap.read(tmp_path / "take.bvh", care=Care(fps=30.0))
    assert (motion.recordings[0].fps, len(motion.recordings[0].positions)) == (30, FRAMES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLAIN.text()[:-30], f"promises {FRAMES} frames and holds {FRAMES - 1}."),
        (PLAIN.but(announced=FRAMES + 2).text(), f"promises {FRAMES + 2} frames and holds {FRAMES}.0"),
        (PLAIN.but(frames=0).text(), "promises 12 frames and holds 0.0"),
        (PLAIN.text().replace("Yposition", "Wposition"), "channel Wposition is unknown"),
        (PLAIN.text().replace("JOINT Spine", "ROOT Spine"), "several bodies"),
        (PLAIN.text().replace("OFFSET 0.0 20.0 0.0", "OFFSET 0,0 20,0 0,0"), "could not convert string to float"),
        (PLAIN.text().replace("End Site", "Ende"), "'Ende' is not expected"),
        (PLAIN.text().replace("MOTION", ""), "HIERARCHY and a MOTION part"),
        ("version https://git-lfs.github.com/spec/v1", "HIERARCHY and a MOTION part"),
    ],
)
def test_what_is_no_bvh_file_is_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "take.bvh").write_text(text)
    with pytest.raises(ValueError, match=says.replace("(", r"\(")) as caught:
        mocap.read(tmp_path / "take.bvh")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "asks"),
    [
        (0.01, "--metres 1 for metres"),
        (0.1, "--metres 0.1 for decimetres"),
        (10, "--metres 0.001 for millimetres"),
        (1000, "no usual unit makes it a person"),
    ],
)
def test_a_body_of_odd_size_is_asked_about_and_taken_when_its_unit_is_said(
    unit: float, asks: str, tmp_path: Path
) -> None:
    file = PLAIN.but(scale=unit)
    (tmp_path / "take.bvh").write_text(file.text())
    with pytest.raises(ValueError, match=f"people measure 0.3 to 3 m; say what one unit is .*{asks}"):
        mocap.read(tmp_path / "take.bvh")
    motion = mocap.read(tmp_path / "take.bvh", 0.01 / unit)
    np.testing.assert_allclose(motion.recordings[0].positions, file.truth(0.01 / unit), atol=1e-5)
    assert motion.height() == pytest.approx(0.2 + np.hypot(0.3, 0.05), abs=0.02)


Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``data mocap``: exit code, answer, what is said on standard error; and what it wrote lies in ``set``."""

    def command(path: Path, *words: object) -> tuple[int, dict[str, Any], str]:
        code = main([str(word) for word in ("data", "mocap", path, "--out", tmp_path / "set", "--json", *words)])
        out, err = capsys.readouterr()
        return code, json.loads(out or "{}"), err

    return command


def test_a_folder_gives_all_that_can_be_read_and_names_the_rest(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for number, name in enumerate(("a.bvh", "b.BVH", "c.Bvh", "c.bvh", "MCPM_d.BVH")):
        (folder / name).write_text(PLAIN.but(frames=FRAMES + number, announced=FRAMES + number).text())
    (folder / "half.bvh").write_text(PLAIN.text()[:-30])
    (folder / "metres.BVH").write_text(PLAIN.but(scale=0.01).text())
    (folder / "readme.txt").write_text("five takes")
    (folder / "more").mkdir()
    code, answer, err = run(folder)
    assert (code, err, answer["actions"], answer["frames"]) == (0, "", 5, 5 * FRAMES + 10)
    reasons = {skip["name"]: skip["reason"] for skip in answer["skipped"]}
    assert sorted(reasons) == ["half.bvh", "metres.BVH", "more", "readme.txt"]
    assert "promises 12 frames" in reasons["half.bvh"]
    assert "--metres 1 for metres" in reasons["metres.BVH"]
    assert "no motion capture" in reasons["readme.txt"]
    names = [recording.name for recording in MotionSet.read(tmp_path / "set" / "motion.npz").recordings]
    assert sorted(names) == ["MCPM_d", "a", "b", "c.Bvh", "c.bvh"]


def written(path: Path, places: np.ndarray, **more: object) -> Path:
    arrays = {"positions": places, "fps": 30, "names": [f"j{n}" for n in range(7)], "parents": PERSON}
    np.savez(path, **arrays | more)  # type: ignore[arg-type]
    return path


def test_estimated_poses_are_taken_with_the_tolerance_that_their_refusal_names(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "estimated.npz", legs(200, noise=0.01))
    code, _, err = run(path)
    assert code == 1
    assert "j" in err
    assert "wrong" not in err
    tolerance = float(err.partition("--stretch ")[2].split(";")[0])
    assert 0.02 < tolerance < 0.5
    code, answer, _ = run(path, "--stretch", tolerance)
    assert (code, answer["frames"], answer["bone_stretch"] < tolerance) == (0, 200, True)
    np.testing.assert_array_equal(
        MotionSet.read(tmp_path / "set" / "motion.npz").recordings[0].positions, legs(200, 0.01).astype(np.float32)
    )


@pytest.mark.parametrize(
    ("missing", "near"),
    [
        ([(3, 20, 25)], 0.03),  # a foot
        ([(2, 20, 25)], 0.03),  # a knee, whose foot is seen
        ([(1, 20, 25), (2, 20, 25), (3, 20, 25)], 0.03),  # a whole leg
        ([(0, 20, 24)], 0.02),  # the root alone
        ([(joint, 20, 24) for joint in range(7)], 0.03),  # nothing at all
        ([(3, 20, 25), (6, 24, 29)], 0.03),  # one after the other, with an overlap
    ],
)
def test_short_gaps_are_filled_near_the_truth(
    missing: list[tuple[int, int, int]], near: float, run: Run, tmp_path: Path
) -> None:
    true = legs()
    seen = true.copy()
    for joint, start, stop in missing:
        seen[start:stop, joint] = np.nan
    code, answer, err = run(written(tmp_path / "gap.npz", seen), "--stretch", 0.3)
    assert (code, err, answer["actions"], answer["frames"]) == (0, "", 1, 40)
    frames = max(stop for *_, stop in missing) - min(start for _, start, _ in missing)
    assert f"gap.npz: {frames} frames had joints missing, in gaps of up to 0.2 s: filled" in answer["notes"]
    positions = MotionSet.read(tmp_path / "set" / "motion.npz").recordings[0].positions
    known = np.isfinite(seen)
    np.testing.assert_array_equal(positions[known], true.astype(np.float32)[known])
    assert np.linalg.norm(positions - true, axis=-1).max() < near


def test_a_filled_joint_keeps_its_bone(tmp_path: Path) -> None:
    seen = legs()
    seen[20:26, 3] = np.nan
    filled = without_gaps(seen, Tree(PERSON), 6)
    assert filled.filled == 6
    np.testing.assert_allclose(np.linalg.norm(filled.pieces[0][:, 3] - filled.pieces[0][:, 2], axis=1), 0.4, atol=1e-9)


def test_long_gaps_cut_the_take_and_ends_are_left_out(run: Run, tmp_path: Path) -> None:
    seen = legs()
    seen[12:19, 3] = np.nan
    seen[:2, 5] = np.nan
    seen[38:, 0] = np.nan
    code, answer, _ = run(written(tmp_path / "gap.npz", seen))
    assert (code, answer["actions"], answer["frames"], answer["train"]) == (0, 2, 10 + 19, 2)
    (told,) = answer["notes"]
    assert told.startswith("gap.npz: 11 frames are left out")
    assert told.endswith("and the take is cut into 2")
    recordings = MotionSet.read(tmp_path / "set" / "motion.npz").recordings
    assert [recording.name for recording in recordings] == ["gap", "gap part 2"]
    np.testing.assert_array_equal(recordings[0].positions, legs()[2:12].astype(np.float32))
    np.testing.assert_array_equal(recordings[1].positions, legs()[19:38].astype(np.float32))
    whole = mocap.read(tmp_path / "gap.npz", care=Care(gap=0.5))
    assert [len(recording.positions) for recording in whole.recordings] == [36]


def test_a_joint_that_is_never_seen_and_a_take_without_a_frame_are_refused(run: Run, tmp_path: Path) -> None:
    never, apart = legs(), legs()
    never[:, 4] = np.nan
    apart[::2, 3] = np.nan
    assert "never says where 'j4' is" in run(written(tmp_path / "never.npz", never))[2]
    assert run(written(tmp_path / "apart.npz", apart))[1]["notes"][0].startswith("apart.npz: 19 frames had joints")
    with pytest.raises(ValueError, match="no two frames in a row"):
        mocap.read(tmp_path / "apart.npz", care=Care(gap=0.0))


@pytest.mark.parametrize(
    "parents",
    [(0, 0, 1, 2, 0, 4, 5), (2**32 - 1, 0, 1, 2, 0, 4, 5), (-1, 0, 1, 2, 0, 4, 5)],
    ids=["itself", "unsigned", "-1"],
)
def test_a_root_is_known_however_it_is_written(parents: tuple[int, ...], tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", legs(), parents=np.array(parents))
    assert mocap.read(path).tree.parents == PERSON


def test_joints_in_any_order_are_put_after_their_parents(tmp_path: Path) -> None:
    order = [3, 6, 2, 5, 0, 1, 4]
    place = {old: new for new, old in enumerate(order)}
    parents = [place.get(PERSON[old], -1) for old in order]
    names = [f"j{old}" for old in order]
    motion, notes, _ = mocap.capture(written(tmp_path / "a.npz", legs()[:, order], parents=parents, names=names))
    where = [motion.joints.index(f"j{joint}") for joint in range(7)]
    np.testing.assert_array_equal(motion.recordings[0].positions[:, where], legs().astype(np.float32))
    assert [motion.joints[p] if p >= 0 else "" for p in np.array(motion.tree.parents)[where]] == [
        f"j{parent}" if parent >= 0 else "" for parent in PERSON
    ]
    assert notes == ("a.npz lists joints before their parents: they are put after them",)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"parents": (-1, 2, 1, 0, 0, 4, 5)}, "make a ring"),
        ({"parents": (-1, -1, 1, 2, 0, 4, 5)}, "2 joints are roots, of 7"),
        ({"parents": (-1, 0, 1, 2, 0, 4, 9)}, "make no body"),
        ({"fps": 0}, "give it with --fps"),
        ({"positions": 1000 * legs()}, "--metres 0.001 for millimetres"),
        ({"positions": legs()[0]}, "no positions"),
    ],
)
def test_bad_bodies_are_one_sentence(arrays: dict[str, object], says: str, run: Run, tmp_path: Path) -> None:
    code, _, err = run(written(tmp_path / "a.npz", legs(), **arrays))
    assert (code, err.count("\n")) == (1, 1)
    assert says in err
    assert not (tmp_path / "set").exists()


def test_a_joint_at_exactly_zero_now_and_then_is_pointed_out(tmp_path: Path) -> None:
    seen = legs()
    seen[10:14, 3] = 0
    notes = mocap.capture(written(tmp_path / "a.npz", seen), care=LOUD).notes
    assert notes == (
        "a.npz has 'j3' at exactly 0, 0, 0 in 4 frames: where that stands for a joint that was not seen, store NaN, "
        "which is filled",
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--fps", 0), "--fps is 0"),
        (("--stretch", -1), "--stretch is -1"),
        (("--gap", "nan"), "--gap is nan"),
        (("--metres", 0), "--metres is 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(words: tuple[object, ...], says: str, run: Run, tmp_path: Path) -> None:
    assert says in run(written(tmp_path / "a.npz", legs()), *words)[2]
    assert main(["data", "human36m", str(tmp_path / "a.npz"), "--gap", "1"]) == 1


def test_names_can_be_anything_that_can_be_shown() -> None:
    for name in ("mixamorig:Hips", "Bip01 Pelvis", "<b>hand</b>", "腰", "a & b", "😀", "l_hand.001"):
        assert printable(name) == name
        assert is_printable(name)
    for name, shown in {"a\nb": "a b", "a\x00b": "ab", " a\u00a0\u200b b ": "a b", "\u202egnol": "gnol"}.items():
        assert printable(name) == shown
        assert not is_printable(name)
    assert len(printable("x" * 999)) == 100
    assert not is_printable("")


def rolled_out(path: Path, folder: Path, **motion: Any) -> Rollout:
    """The file converted as the command does, and an untrained model's rollout of it."""
    folder.mkdir()
    mocap.read(path, care=LOUD).write(folder / "motion.npz")
    config = preset("mocap-state-hri")
    assert config.data.motion is not None
    data = dataclasses.replace(
        config.data, motion=dataclasses.replace(config.data.motion, folder=str(folder), every=1, **motion)
    )
    model = dataclasses.replace(
        config.model,
        relations=dataclasses.replace(config.model.relations, hidden=8),
        dynamics=dataclasses.replace(config.model.dynamics, hidden=8),
    )
    config = dataclasses.replace(config, data=windows.fitting(data), model=model)
    torch.manual_seed(0)
    checkpoint = Checkpoint("mine", Model(config).eval(), Header(config))
    return roll_out(checkpoint, scenes_of(config.data, [42]), free_steps=3)


BODIES = {
    "prefixes": PLAIN.but(names=("mixamorig:Hips", "mixamorig:Spine", "mixamorig:Head")),
    "spaces": PLAIN.but(names=("Bip01 Pelvis", "Bip01 Spine", "Bip01 Head")),
    "any language": PLAIN.but(names=("腰", "Rücken & Co.", "<head>")),
    "the longest": PLAIN.but(names=("x" * 300, "y" * 300, "z" * 300)),
    "marks": PLAIN.but(names=("a\u200bb", "Skeleton|Spine", "rig/Head.001")),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_rollout_of_any_body_opens_in_the_page_and_in_other_programs(body: Bvh, tmp_path: Path) -> None:
    (tmp_path / "take.BVH").write_bytes(body.but(frames=60, announced=60).text().encode())
    made = rolled_out(tmp_path / "take.BVH", tmp_path / "set", frames=12)
    made.save(tmp_path / "rollout.npz")
    seen = read_rollout((tmp_path / "rollout.npz").read_bytes())
    assert seen.tree.names == tuple(printable(name) for name in body.names)
    network = nx.parse_graphml(file_content(seen, ".graphml", frame=5).decode(), node_type=int)
    assert tuple(network.nodes[node]["name"] for node in range(3)) == seen.tree.names
    table = pandas.read_csv(io.BytesIO(file_content(seen, ".csv", frame=5)))
    assert set(table["sender_name"]) == set(seen.tree.names)
    with np.load(tmp_path / "rollout.npz") as arrays:
        np.testing.assert_array_equal(arrays["slots"], made.slots)


def test_a_rollout_of_300_frames_and_one_of_the_most_joints_open_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "long.bvh").write_text(PLAIN.but(frames=520, announced=520).text())
    long = rolled_out(tmp_path / "long.bvh", tmp_path / "long", frames=300)
    many = legs(60)[:, [0, *range(7), *[6] * 92]] + 0.01 * np.arange(100)[:, None]
    np.savez(tmp_path / "many.npz", positions=many, fps=30, parents=[-1, *range(99)])
    wide = rolled_out(tmp_path / "many.npz", tmp_path / "many", frames=12)
    assert (long.slots.shape[1], wide.slots.shape[2]) == (300, 100)
    for rollout in (long, wide):
        rollout.save(tmp_path / "rollout.npz")
        content = (tmp_path / "rollout.npz").read_bytes()
        assert len(content) < 20e6
        read_rollout(content)
    np.savez(tmp_path / "more.npz", positions=np.repeat(many, 2, 1)[:, :101], fps=30, parents=[-1, *range(100)])
    with pytest.raises(ValueError, match="has 101 joints; bodies of 2 to 100 are taken"):
        mocap.read(tmp_path / "more.npz", care=LOUD)

"""Small inputs that people in the field run into (``../shared/cases``): each does what the line of its README says.

The kinds are tested with inputs of the tests' own beside the code that reads them; here the files themselves are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from hri.__main__ import main
from hri.core.hierarchy import Tree
from hri.data.motion import MotionSet
from hri.data.video import Cut, about, read
from hri.model.published import import_published
from hri.physics.springs import simulate
from hri.rollout.rollout_files import read_rollout
from tests.clips import corners
from tests.data.test_mocap import rolled_out


@pytest.fixture
def hri(capsys: pytest.CaptureFixture[str]):
    """A command: exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def mocap(hri: Any, cases: Path, tmp_path: Path):
    """``data mocap`` of a file: its answer, and the recordings; or why it is refused."""

    def convert(file: str, *words: object) -> tuple[dict[str, Any], MotionSet] | str:
        out = tmp_path / f"{file.replace('/', '-')}{len(words)}"
        code, told, err = hri("data", "mocap", cases / file, "--out", out, "--json", *words)
        if code:
            assert err.count("\n") == 1
            return err
        return json.loads(told), MotionSet.read(out / "motion.npz")

    return convert


def test_bodies_in_bvh(mocap: Any) -> None:
    answer, plain = mocap("bvh/MCPM_upper.BVH")
    assert (answer["frames"], answer["joints"], answer["notes"]) == (40, 3, [])
    path = plain.recordings[0].positions
    np.testing.assert_allclose(path[:, 0, 0], 0.01 * np.arange(40), atol=1e-6)
    np.testing.assert_allclose(plain.bone_lengths(plain.recordings[0]), [[0.2, np.hypot(0.3, 0.05)]] * 40, atol=1e-6)

    answer, _ = mocap("bvh/mixed")
    assert (answer["actions"], answer["skipped"]) == (5, [])
    for file in ("bvh/bom.bvh", "bvh/lower.bvh", "bvh/endchan.bvh", "bvh/spaces.bvh"):
        answer, same = mocap(file)
        np.testing.assert_array_equal(same.recordings[0].positions, path, file)
        assert (same.joints == ("Bip01 Pelvis", "Bip01 Spine", "Bip01 Head")) == (file == "bvh/spaces.bvh")
    answer, more = mocap("bvh/onelast.bvh")
    assert answer["notes"] == ["onelast.bvh announces 40 frames and holds 41: all 41 are read"]
    np.testing.assert_array_equal(more.recordings[0].positions[:40], path)

    assert "frame time of 0" in mocap("bvh/ft0.bvh")
    assert "40 frames are; give their rate with --fps" in mocap("bvh/ft0.bvh")
    answer, timed = mocap("bvh/ft0.bvh", "--fps", 25)
    np.testing.assert_array_equal(timed.recordings[0].positions, path)
    assert "--metres 1 for metres (0.5 m)" in mocap("bvh/metres.bvh")
    answer, tall = mocap("bvh/metres.bvh", "--metres", 1)
    assert answer["body_height"] == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(tall.bone_lengths(tall.recordings[0])[:, 0], 0.2, atol=1e-6)


def test_a_rollout_of_a_rig_with_prefixes_opens_in_the_page_again(cases: Path, tmp_path: Path) -> None:
    rolled_out(cases / "bvh" / "prefixed_names.bvh", tmp_path / "set", frames=100).save(tmp_path / "rollout.npz")
    names = read_rollout((tmp_path / "rollout.npz").read_bytes()).tree.names
    assert len(names) == 9
    assert all(name.startswith("mixamorig:") for name in names)


def test_bodies_in_npz(mocap: Any) -> None:
    refusal = mocap("npz/estimated.npz")
    assert "wrong" not in refusal
    tolerance = refusal.partition("--stretch ")[2].split(";")[0]
    answer, _ = mocap("npz/estimated.npz", "--stretch", tolerance)
    assert (answer["frames"], answer["joints"]) == (200, 17)

    answer, filled = mocap("npz/gap.npz")
    assert answer["notes"] == ["gap.npz: 5 frames had joints missing, in gaps of up to 0.2 s: filled"]
    course = filled.recordings[0].positions[:, 3]
    np.testing.assert_allclose(course[49:56], np.linspace(course[49], course[55], 7), atol=1e-3)
    answer, cut = mocap("npz/gap.npz", "--gap", 0.1)
    assert [len(recording.positions) for recording in cut.recordings] == [50, 145]


def test_states_in_npz(hri: Any, cases: Path, tmp_path: Path) -> None:
    model, out = "springs-4-3-state-hri", tmp_path / "r.npz"
    matrix, pixels = cases / "npz" / "edges_matrix.npz", cases / "npz" / "raw_pixels.npz"
    assert hri("rollout", model, "--input", matrix, "--out", out, "--edges", "true")[0] == 0
    with np.load(matrix) as file, np.load(out) as rolled:
        senders, receivers = rolled["edge_sender_receiver"].T
        graph = file["true_edges"] | file["true_edges"].transpose(0, 2, 1)
        np.testing.assert_array_equal(rolled["edge_types"][:, 5], graph[:, senders, receivers])
    code, _, err = hri("rollout", model, "--input", pixels, "--out", out, "--edges", "true")
    assert (code, "it lacks true_edges; add them as a matrix" in err) == (1, True)
    code, told, _ = hri("rollout", model, "--input", pixels, "--out", out)
    assert (code, "far outside what springs-4-3-state-hri was trained on" in told) == (0, True)
    assert "far outside" not in hri("rollout", model, "--input", matrix, "--out", out)[1]


def test_films(cases: Path) -> None:
    def frames(name: str, **cut: Any) -> np.ndarray:
        return read(cases / "video" / name, name, 16, 3, Cut(**cut)).frames

    assert corners(frames("quad.mp4")[3]) == "RGBW"
    assert corners(frames("hflip.mp4")[3]) == "GRWB"
    holds = cases / "video" / "holds.gif"
    assert about(holds, "holds").seconds == 8.0
    coloured = {(255, 0, 0): "R", (0, 255, 0): "G", (0, 0, 255): "B", (255, 255, 0): "Y"}
    seen = [coloured[tuple(frame[8, 8].tolist())] for frame in frames("holds.gif", rate=2.0)]
    assert "".join(seen) == 6 * "R" + 2 * "G" + 2 * "B" + 6 * "Y"
    assert tuple(frames("holds.gif", start=2.0, rate=10.0, length=0.1)[0, 8, 8]) == (255, 0, 0)

    told = about(cases / "video" / "mediarecorder.webm", "film")
    assert told.measured
    assert told.rate == pytest.approx(30, abs=1)
    assert any("measured" in note for note in read(cases / "video" / "mediarecorder.webm", "film", 16, 3).notes)
    slow = read(cases / "video" / "slowmo480.mp4", "film", 16, 3)
    assert (len(slow.frames), slow.rate) == (49, 480)
    assert any("take fewer a second" in note for note in slow.notes)
    clear = read(cases / "video" / "transp.gif", "film", 64, 3)
    assert (clear.frames[0, 0, -1] == 0).all()
    assert any("transparent" in note for note in clear.notes)
    assert tuple(frames("transp.gif", ground=(0, 0, 255))[0, 0, -1]) == (0, 0, 255)


def test_weights(hri: Any, cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = simulate(Tree.parse("4-3"), "04", range(42, 46))  # for the training's ranges, in place of 500 systems
    monkeypatch.setattr("hri.model.published.simulate", lambda tree, physics, seeds: few)
    plain = {
        name.removeprefix("_orig_mod."): value
        for name, value in torch.load(cases / "pt" / "compiled.pt", weights_only=True).items()
    }
    torch.save(plain, tmp_path / "plain.pt")
    true = import_published(tmp_path / "plain.pt").model.state_dict()
    for name in ("state_dict", "compiled", "extra_epoch"):
        code, told, _ = hri("import", cases / "pt" / f"{name}.pt", "--out", tmp_path / f"{name}.safetensors")
        assert (code, "encoder and decoder only" in told) == (0, True)
        weights = safetensors.torch.load_file(tmp_path / f"{name}.safetensors")
        assert len(weights) >= 15
        assert all(torch.equal(value, true[key]) for key, value in weights.items())
    code, _, err = hri("import", cases / "pt" / "lfs.pt", "--out", tmp_path / "lfs.safetensors")
    assert (code, "a Git LFS pointer, not the weights; fetch them with `git lfs pull`" in err) == (1, True)

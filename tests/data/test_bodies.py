"""Human3.6M from its own file to a scene in Explore: convert, train both stages, evaluate, roll out, publish."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import library, running
from hri.__main__ import main
from hri.core.hierarchy import SLOT_TREE, Tree, node_name
from hri.core.presets import preset
from hri.core.records import Rollout
from hri.data import windows
from hri.data.formats.human36m import JOINTS, PARENTS
from hri.data.sources import source_of
from hri.experiments.publish import publish
from hri.export.script import python_lines
from hri.model import checkpoint
from hri.physics.springs import simulate
from hri.rollout.edits import Nudge
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from hri.rollout.scenes import scenes_of
from hri.scores.evaluate import NO_GRAPH
from hri.view.facts import bones, edge_rows, true_springs
from hri.view.player import graph_data, image_data
from tests.data.test_dataset import rigid

SMALL = ["--train.batch", "2", "--train.evaluate-every", "2", "--updates", "2", "--data.train", "4",
         "--data.validation", "2", "--data.test", "2", "--data.motion.frames", "26", "--data.motion.every", "1",
         "--model.relations.hidden", "8", "--model.dynamics.hidden", "8"]  # fmt: skip
EYES = ["--stage1-updates", "2", "--train.stage1-batch", "2", "--model.vision.encoder-channels", "4",
        "--model.vision.decoder-channels", "4", "--train.precision", "no"]  # fmt: skip


@pytest.fixture(scope="module")
def human36m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three subjects in the community's layout, converted by the command."""
    place = tmp_path_factory.mktemp("human36m")
    takes = {subject: {"Walking 1": rigid(32, seed)} for seed, subject in enumerate(("S1", "S8", "S9"))}
    np.savez_compressed(place / "data_3d_h36m.npz", positions_3d=np.array(takes, dtype=object))
    out = place / "converted"
    assert main(["data", "human36m", str(place / "data_3d_h36m.npz"), "--out", str(out), "--trust-pickle"]) == 0
    return out


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("seen", "more"), [("state", ["--data.motion.dimensions", "3"]), pytest.param("slot", EYES, marks=pytest.mark.slow)]
)
def test_human36m_from_its_file_to_a_scene(
    seen: str, more: list[str], human36m: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--data.motion.folder", human36m]
    run(capsys, "train", "--preset", f"human36m-{seen}-hri", "--run", tmp_path / "run", *SMALL, *more, *folder)
    best = tmp_path / "run" / "best.safetensors"
    assert "1 recording of a body (S1 Walking 1)" in checkpoint.read_header(best).data
    scores = json.loads(run(capsys, "evaluate", "--checkpoint", best, "--json"))
    assert scores["edges"] is None
    assert scores["edge_accuracy"] is None
    assert NO_GRAPH in (scores["reasons"]["edges"] if seen == "state" else NO_GRAPH)
    assert np.isfinite(scores["nll"])
    if seen == "state":
        elsewhere = json.loads(run(capsys, "evaluate", "--checkpoint", best, "--data", human36m, "--json"))
        assert elsewhere["nll"] == scores["nll"]

    run(capsys, "rollout", best, "--input", human36m, "--systems", 2, "--out", tmp_path / "r.npz")
    publish(best, f"human36m-{seen}-hri", tmp_path / "checkpoints", tmp_path / "stored")
    for path in (tmp_path / "r.npz", tmp_path / "stored" / f"human36m-{seen}-hri.npz"):
        scene = Rollout.load(path).scene(0)
        opens_in_explore(scene, seen)
    card = (tmp_path / "checkpoints" / "README.md").read_text()
    assert "far too little data" in card

    if seen == "state":
        works_without_recordings(f"human36m-{seen}-hri", human36m, tmp_path)

    # A stored scene can be edited where its recordings are not.
    loaded = checkpoint.load(best)
    pushed = again(loaded, scene, Intervention((Nudge(node=3, step=12, delta=(0.2, 0.1)),)))
    same = again(loaded, scene, Intervention())
    np.testing.assert_allclose(same.predicted_slots, scene.predicted_slots, atol=1e-5)
    assert seen == "slot" or not np.allclose(pushed.predicted_slots, scene.predicted_slots)
    assert "scenes_of(model.header.config.data, [200042])" in python_lines(scene, best, "4-3", "04")
    with pytest.raises(ValueError, match="was trained on a recorded body and this scene shows simulated balls"):
        roll_out(loaded, simulate(loaded.model.tree if seen == "state" else Tree.parse("4-3"), "04", [1]))


def works_without_recordings(name: str, human36m: Path, published: Path) -> None:
    """The page: stored scenes are shown, and rolled out anew; others say how to get the recordings."""
    source = library.ModelSource(
        name, published / "checkpoints" / f"{name}.safetensors", published / "stored" / f"{name}.npz"
    )
    config = library.config_of(source)
    assert config is not None
    assert library.datasets(source) == ["human36m"]
    assert "S9 Walking 1, from 0." in source_of(config.data).standing(200_042)
    (human36m / "motion.npz").rename(human36m / "away")
    try:
        assert source_of(config.data).standing(200_042) == "a recording never seen in training"
        assert "data human36m data_3d_h36m.npz" in source_of(config.data).how_to_get
        with pytest.raises(
            ValueError, match=r"is not here: choose seed 200042, 200043, 200044, .* `python -m hri data"
        ):
            running.rollout(source, "human36m", 7)
        assert library.another_seed(source, 200_044) == 200_042
        shown, anew = (running.rollout(source, "human36m", 200_042, live=live) for live in (False, True))
        np.testing.assert_allclose(anew.predicted_slots, shown.predicted_slots, atol=1e-5)
    finally:
        (human36m / "away").rename(human36m / "motion.npz")


def opens_in_explore(scene: Rollout, seen: str) -> None:
    """What the page draws from: bones, joints' names, edges without springs."""
    assert scene.true_adjacency is None
    assert true_springs(scene) is None
    assert scene.tree == (Tree(PARENTS) if seen == "state" else SLOT_TREE)
    assert (node_name(scene.tree, 13) == JOINTS[13]) == (seen == "state")
    sent: dict[str, Any] = image_data(scene)
    assert sent["skeleton"]["bones"] == [[parent, joint] for joint, parent in enumerate(PARENTS) if joint]
    assert len(bones(scene)) == 16
    index = sent["arrays"]["index"]
    places = index["truth_nodes" if seen == "state" else "joints"]
    assert places["shape"] == [26, 17, 2]
    assert ("slots" in index) == (seen == "slot")
    assert graph_data(scene, edge_rows(scene, "hierarchy"), "radial")["capsules"] == []


def test_scenes_of_the_real_recordings(demo: Path) -> None:
    data = preset("mocap-state-hri").data
    assert data.motion is not None
    data = dataclasses.replace(data, motion=dataclasses.replace(data.motion, folder=str(demo)))
    told = [windows.about(data, seed) for seed in (42, 100_042, 200_042)]
    assert [words.split(",")[0] for words in told] == ["humanoid dance", "humanoid run", "humanoid walk"]
    found = scenes_of(data, [42, 100_042, 200_042])
    assert np.abs(found.positions[..., :2]).max() < 1.2, "the whole body is in the frame"
    moved = np.linalg.norm(np.diff(found.positions, axis=1), axis=-1).max(-1)
    assert (moved > 0).all(), "no frame repeats the one before"


@pytest.mark.parametrize("seen", ["state", "par"])
def test_the_real_recordings_train_and_are_scored(
    seen: str, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [] if seen == "state" else EYES
    folder = ["--data.motion.folder", demo]
    run(capsys, "train", "--preset", f"mocap-{seen}-hri", "--run", tmp_path / "run", *SMALL, *more, *folder)
    best = tmp_path / "run" / "best.safetensors"
    assert "1 recording of a body (humanoid dance), 15 seconds" in checkpoint.read_header(best).data
    scores = json.loads(run(capsys, "evaluate", "--checkpoint", best, "--json"))
    assert np.isfinite([scores["nll"], scores["copy_baseline"]["nll"]]).all()

"""Balls without a hierarchy, from a preset to every picture and export: relations between any two, and types that all
speak where charges act.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from hri.__main__ import main
from hri.core import hierarchy
from hri.core.config import Config, DataConfig, ModelConfig, RelationsConfig
from hri.core.forces import FORCES, OWN, SPRINGS, force, system_name, system_named, usual_physics
from hri.core.hierarchy import Tree
from hri.core.presets import PRESETS, preset
from hri.core.records import Rollout, Trajectories
from hri.data.dataset import Springs
from hri.experiments.publish import publish, write_cards
from hri.export import offline, tables
from hri.export.script import python_lines
from hri.model.checkpoint import load, read_header, save
from hri.physics import palette
from hri.physics.systems import System
from hri.rollout import influence, phases
from hri.rollout.edits import ChooseEdges, Mute, SetEdge, SetLevel
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from hri.rollout.rollout_files import read_rollout
from hri.rollout.settings import Settings
from hri.scores.edges import brief
from hri.scores.evaluate import evaluate, springs_of
from hri.scores.ranking import rank_seeds
from hri.training.loop import train
from hri.view import beliefs, player, svg
from hri.view import facts as pictures
from hri.view import graph as figures
from hri.view.layout import graph_layout
from tests.flat_models import NAMES, joined, made, rolled, systems

CHARGED = "charged5-state-nri"


# Names, presets, settings ------------------------------------------------------------------------------------


def test_the_outlines_of_a_graph_are_named_by_what_they_mark() -> None:
    assert SPRINGS.outlined == "springs that are really there"
    assert FORCES["charged"].outlined == "pairs that truly repel"
    assert OWN["signs"].outlined == "pairs that relate positively"


def test_systems_have_names_of_any_size() -> None:
    assert system_named("springs5") == ("flat-5", "springs")
    assert system_named("charged100") == ("flat-100", "charged")
    for name in ("springs5", "charged10"):
        assert system_name(*system_named(name)) == name
    assert system_name("4-3", "04") == "springs-4-3"
    assert force("") is SPRINGS
    usual = {"4-3": "04", "3-3": "05", "4-4": "04", "flat-5": "springs"}
    assert {tree: usual_physics(tree) for tree in usual} == usual
    for name in ("springs0", "springs1", "springs-5", "springs999", "springs", "4-3", "springs5x", "springs٥"):
        with pytest.raises(ValueError, match="write springs or charged and the number of balls, from 2 to 100"):
            system_named(name)


def test_presets_are_there_for_any_number_of_balls() -> None:
    for system in ("springs5", "charged5", "springs10", "charged10"):
        for variant in ("nri", "nri-gt", "fcmp", "lstm"):
            config = PRESETS[f"{system}-state-{variant}"]
            assert config.data.system == system
            assert config.tree.flat
            assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert preset("springs7-state-nri").tree == Tree.balls(7)
    assert not preset("charged7-state-nri").model.relations.silent
    assert preset("charged5-state-lstm").model.relations.silent  # it has one kind of edge, over which nothing passes
    for name, says in (
        ("charged5-state-hri", "charged5 has no hierarchy and is seen as states; choose charged5-state-nri, "),
        ("springs5-slot-nri", "springs5"),
        ("springs999-state-nri", "unknown system 'springs999'"),
    ):
        with pytest.raises(ValueError, match=says):
            preset(name)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model.dynamics.passing": "hierarchical"}, "springs5 has no hierarchy; choose nri"),
        ({"model.relations.pairs": "hierarchy"}, "springs5 has no hierarchy; choose nri"),
        ({"model.vision": {}}, "springs5 is seen as states only"),
        ({"data.physics": "04"}, "flat-5 has no hierarchy; choose physics springs or charged"),
        ({"data.tree": "4-3"}, "physics springs is of balls without a hierarchy"),
        ({"data.physics": "charged", "model.relations.source": "true"}, "need model.relations.silent off"),
        ({"model.relations.silent": False, "model.relations.source": "true"}, "need model.relations.silent on"),
        ({"model.relations.silent": False, "train.no_edge_prior": 0.9}, "train.no_edge_prior is of a type without"),
        ({"model.relations.silent": False, "model.relations.edge_types": 16}, "choose a value from 2 to 15"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], says: str) -> None:
    values = preset("springs5-state-nri").to_dict()
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = values
        for folder in folders:
            place = place[folder]
        place[last] = value
    with pytest.raises(ValueError, match=says) as caught:
        Config.from_dict(values)
    assert "\n" not in str(caught.value)


def test_configs_from_before_these_settings_mean_what_they_meant() -> None:
    values = preset("springs-4-3-state-nri").to_dict()
    values["model"]["relations"].pop("silent")
    assert Config.from_dict(values) == preset("springs-4-3-state-nri")
    assert RelationsConfig().silent


def test_hierarchical_messages_need_a_hierarchy() -> None:
    config = preset("springs5-state-nri").model.dynamics
    from hri.model.dynamics import GraphDynamics

    with pytest.raises(ValueError, match="flat-5 has no hierarchy"):
        GraphDynamics(dataclasses.replace(config, passing="hierarchical"), RelationsConfig(), Tree.balls(5), 4)


# The model ---------------------------------------------------------------------------------------------------


def test_every_type_of_charges_speaks() -> None:
    checkpoint, scene = made(CHARGED), systems(CHARGED)
    rolls = {
        edges: roll_out(checkpoint, scene, edges=edges, pictures=False).predicted_slots
        for edges in ("argmax", "none", "true")
    }
    pairs = np.stack([checkpoint.model.senders, checkpoint.model.receivers], 1)

    def forced(kind: int) -> np.ndarray:
        edits = Intervention(tuple(SetEdge(int(i), int(j), kind) for i, j in pairs))
        return roll_out(checkpoint, scene, pictures=False, intervention=edits).predicted_slots

    assert np.allclose(forced(0), rolls["none"])  # cutting every edge is the same as choosing none
    assert not np.allclose(forced(1), rolls["none"])
    assert not np.allclose(forced(2), rolls["none"])
    assert not np.allclose(forced(1), forced(2))
    assert len(checkpoint.model.dynamics.messages.first) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_rollout_s_type_0_carries_no_message(name: str) -> None:
    rollout, speaks = rolled(name), name == CHARGED
    assert rollout.edge_probabilities.shape[-1] == 2 + speaks
    assert rollout.all_types_speak == speaks
    assert rollout.edge_probabilities.sum(-1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(np.exp(rollout.edge_logits - rollout.edge_logits.max(-1, keepdims=True)).argmax(-1),
                       rollout.edge_probabilities.argmax(-1))  # fmt: skip
    if speaks:
        assert not rollout.edge_probabilities[..., 0].any()
        assert (rollout.edge_types > 0).all()
    pair = rollout.edge_sender_receiver[3]
    cut = again(made(name), rollout, Intervention((SetEdge(*map(int, pair)),)))
    assert (cut.edge_types[:, :, 3] == 0).all()
    mute = again(made(name), rollout, Intervention((Mute(1),)))
    assert (mute.edge_types[:, :, rollout.edge_sender_receiver[:, 0] == 1] == 0).all()
    none = again(made(name), rollout, Intervention((ChooseEdges("none"),)))
    assert (none.edge_types == 0).all()
    level = again(made(name), rollout, Intervention((SetLevel("all"),)))
    assert np.allclose(none.predicted_slots, level.predicted_slots)
    with pytest.raises(ValueError, match=f"types are 0 to {1 + speaks}"):
        Intervention((SetEdge(0, 1, 2 + speaks),)).check(preset(name), 49)


def test_true_types_of_charges_reach_the_messages() -> None:
    gt = made("charged5-state-nri-gt")
    rollout = roll_out(gt, systems(CHARGED), pictures=False)
    assert np.array_equal(rollout.edge_types[0, 0], 1 + joined(rollout))
    assert beliefs.aligned_names(rollout.scene(0)).right == 1


@pytest.mark.parametrize("name", ["springs5-state-nri", CHARGED, "charged5-state-nri-gt", "springs5-state-lstm"])
def test_they_train_score_and_publish(name: str, tmp_path: Path) -> None:
    config = preset(name)
    small = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, train=12, validation=4, test=6),
        train=dataclasses.replace(config.train, updates=3, batch=4, evaluate_every=3, snapshots=0),
    )
    reports = list(train(small, tmp_path / "run", False, None, "", False))
    assert np.isfinite(reports[-1].validation["nll"])
    used = {key for report in reports for key in report.losses if key.startswith("edge_type_")}
    kinds = {"springs5-state-nri": {0, 1}, CHARGED: {1, 2}}.get(name, set())
    assert used == {f"edge_type_{kind}" for kind in kinds}
    scores = publish(tmp_path / "run" / "best.safetensors", name, tmp_path, tmp_path, systems=6)
    card = (tmp_path / "README.md").read_text()
    physics = "systems of charges" if "charged" in name else "spring systems"
    assert f"12 simulated {physics}, 5 balls without a hierarchy" in card
    assert scores["nll_upper"] is None
    if kinds:
        assert {"overall", "any two"} <= scores["edge_accuracy"].keys()
        assert "edges right in NRI's paper" in card
        told = brief(scores["edges"], physics=config.data.physics)
        assert set(told["burn_in"]) == {"overall", "calibration"}
        words = FORCES[config.data.physics].types
        assert sorted(told["types"].split(", ")) == sorted(f"{k} {words[told_as]}" for k, told_as in enumerate(
            {"none": 0, "spring": 1}[str(meaning)] for meaning in scores["edges"]["types"]))  # fmt: skip
    stored = Rollout.load(tmp_path / f"{name}.npz")
    assert stored.physics == config.data.physics
    read_rollout((tmp_path / f"{name}.npz").read_bytes())


def test_a_checkpoint_of_charges_comes_back_as_it_was(tmp_path: Path) -> None:
    model = made(CHARGED)
    save(tmp_path / "x.safetensors", model.model, model.header)
    again_ = load(tmp_path / "x.safetensors")
    assert read_header(tmp_path / "x.safetensors").config == model.header.config
    ours, theirs = (roll_out(one, systems(CHARGED), pictures=False) for one in (model, again_))
    assert np.array_equal(ours.predicted_slots, theirs.predicted_slots)


def test_given_systems_are_scored_as_their_own_test_split(tmp_path: Path) -> None:
    checkpoint = made("springs5-state-nri")
    given = springs_of(checkpoint, systems("springs5-state-nri", 6))
    own = springs_of(checkpoint, systems=6)
    ours, theirs = (evaluate(checkpoint, data) for data in (given, own))
    for key in ("nll", "edge_accuracy", "mse_by_step"):
        assert ours[key] == theirs[key]


# What is seen ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_balls_are_drawn_where_they_are_in_the_box(name: str) -> None:
    """Frames with walls at the same place as those of other systems; pictures as far as the balls go, and no nearer."""
    rollout, scenes = rolled(name), systems(name)
    assert rollout.frames is not None
    assert rollout.predicted_frames is not None
    half = rollout.scene(0).picture_half
    far = np.abs(scenes.positions[0]).max() / 5
    assert min(1, far) <= half <= min(1, 1.15 * far + 0.05)
    at = pictures.node_positions(rollout.scene(0))
    assert at == pytest.approx(palette.to_pixels(scenes.positions[0] / 5 / half, 1), abs=1e-4)
    whole = palette.to_pixels(scenes.positions[0] / 5, 1)
    centre = np.floor(whole[20, 4] * 32).astype(int)  # the last ball is drawn over the others
    assert rollout.frames[0, 20, centre[1], centre[0]].max() > 60
    drawn = Springs(preset(name).data, scenes, made(name).header.normalisation).pictures(np.array([0]), np.array([20]))
    assert np.array_equal(drawn[0], rollout.frames[0, 20])


def test_frames_under_the_graph_show_what_pictures_show() -> None:
    """A ball that keeps to the middle of a large box lies under its node, however much of the box is left out."""
    rollout = rolled("springs5-state-nri").scene(0)
    assert rollout.frames is not None
    frames, at = pictures.true_frames(rollout), pictures.node_positions(rollout)
    assert frames is not None
    assert rollout.picture_half < 1
    assert frames.shape[1:3] == (64, 64)
    for frame in (0, 20, 48):
        column, row = np.floor(at[frame, 4] * 64).astype(int)  # the last ball is drawn over the others
        assert frames[frame, row, column].max() > 60
        assert not frames[frame, [0, -1]].any(), "and the rim is empty"


def test_nodes_are_balls_on_a_circle() -> None:
    tree = Tree.balls(5)
    at = graph_layout(tree, "radial")
    assert np.linalg.norm(at, axis=1) == pytest.approx(1)
    apart = np.linalg.norm(at - np.roll(at, 1, 0), axis=1)
    assert apart == pytest.approx(apart[0])
    assert graph_layout(tree, "image") == pytest.approx(0.5 + 0.42 * at)
    assert hierarchy.node_name(tree, 3) == "ball 3"
    assert hierarchy.edge_name(tree, 3, 0) == "ball 3 → ball 0"
    assert hierarchy.in_families(tree) == [0, 1, 2, 3, 4]
    assert (hierarchy.ranks(tree) == 2).all()
    assert beliefs.ways_in_order(tree, np.stack(tree.edges, 1)) == ["any two balls"]


@pytest.mark.parametrize("name", NAMES)
def test_types_have_the_words_of_what_acts(name: str) -> None:
    rollout = rolled(name).scene(0)
    rows = pictures.edge_rows(rollout, "hierarchy")
    assert len(rows) == 20  # every pair: there is no hierarchy to choose from
    named = beliefs.aligned_names(rollout)
    charged = name == CHARGED
    assert named.types == (("no interaction", "attract", "repel") if charged else ("no spring", "spring"))
    pairs = rollout.edge_sender_receiver[rows]
    figure = figures.interaction_graph(
        rollout.tree, pairs, len(named.types), names=named.types, physics=rollout.physics
    )
    legend = [trace.name for trace in figure.data if trace.showlegend is not False]
    truth = "truly repel" if charged else "true spring"
    assert legend == [*named.types, truth]
    painted = figures.paint_graph(figure, named.rollout, rows, 30)
    told = {line[4] for trace in painted.data if trace.meta == "hits" for line in trace.customdata}
    assert told == ({"<br>truly attract", "<br>truly repel"} if charged else {"<br>no spring", "<br>true spring"})
    for data in (player.graph_data(rollout, rows, "image"), player.matrix_data(rollout)):
        assert data["truths"] == list(rollout.force.truths)
    assert truth in svg.svg(rollout, 30, show="graph")


def test_alignment_counts_what_is_right() -> None:
    rollout = rolled(CHARGED).scene(0)
    named = beliefs.aligned_names(rollout)
    steps = int(rollout.last_true_input) + 1
    right = (named.rollout.edge_types[0, :steps] == 1 + joined(rollout)).mean()
    assert named.right == pytest.approx(right)
    assert right >= 0.5
    with pytest.raises(ValueError, match="Every two charges interact"):
        beliefs.spring_counts(rollout)


@pytest.mark.parametrize("name", NAMES)
def test_every_export_is_of_any_two_balls(name: str, tmp_path: Path) -> None:
    rollout = rolled(name).scene(0)
    column = "repel" if name == CHARGED else "spring"
    made_graph = tables.graph(rollout, 30)
    assert made_graph.number_of_edges() == 20
    assert {made_graph.nodes[node]["parent"] for node in made_graph} == {-1}
    assert [made_graph.edges[i, j][column] for i, j in rollout.edge_sender_receiver] == joined(rollout).tolist()
    assert b"<graphml" in tables.graphml(rollout, 3)
    rows = list(csv.DictReader(io.StringIO(tables.edge_table(rollout))))
    assert [int(row[column]) for row in rows[:: rollout.edge_types.shape[1]]] == joined(rollout).tolist()
    told = json.loads(tables.as_json(rollout))
    assert told["edges"][0][column][0] == joined(rollout)[0]
    assert "</html>" in offline.page(rollout)
    rollout.save(tmp_path / "x.npz")
    back = read_rollout((tmp_path / "x.npz").read_bytes())
    assert back.physics == rollout.physics
    assert back.tree.flat
    assert np.array_equal(pictures.node_positions(back), pictures.node_positions(rollout))
    for change in ({"physics": "magic"}, {"position_span": np.array([1.0, -1.0])}):
        dataclasses.replace(rollout, **change).save(tmp_path / "x.npz")
        with pytest.raises(ValueError, match="damaged"):
            read_rollout((tmp_path / "x.npz").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_insides_of_a_step_and_influence_are_told(name: str) -> None:
    rollout = rolled(name).scene(0)
    inside = phases.phases(made(name), rollout, 20)
    assert inside.titles == ("all edges", "LSTM", "predicted change")
    assert inside.prediction == pytest.approx(rollout.predicted_slots[0, 20], abs=1e-5)
    assert len(inside.row) == 20
    moved = influence.influence(made(name), rollout, first=40)
    assert np.array_equal(moved.spoke, (rollout.edge_types[0, 40:48] > 0).any(0))
    assert (moved.score[moved.spoke] > 0).all()


def test_the_script_of_a_picture_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(CHARGED)
    save(tmp_path / "charged.safetensors", model.model, model.header)
    rollout = roll_out(model, systems(CHARGED)[:1])
    lines = python_lines(rollout, tmp_path / "charged.safetensors", "flat-5", "charged", 30)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines.py").write_text(lines)
    seen = runpy.run_path("lines.py")["seen"]
    assert (tmp_path / "picture.svg").exists()
    assert np.array_equal(seen.edge_types, rollout.edge_types)


# Drawn by hand -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("physics", ["springs", "charged"])
def test_drawn_systems_move_as_their_seed_s(physics: str) -> None:
    name = f"{physics}5-state-nri"
    system = System.of_seed("flat-5", physics, 200_042)
    assert System.parse(system.to_address()) == system == System.parse(system.to_json())
    assert system.simulate().positions == pytest.approx(systems(name).positions[:1], abs=1e-9)
    rollout = roll_out(made(name), system.simulate())
    assert rollout.true_adjacency is not None
    assert rollout.true_adjacency[0].sum() == 2 * len(system.springs)


def test_charges_drawn_by_hand_have_two_signs() -> None:
    system = System.of_seed("flat-5", "charged", 3)
    alike = dataclasses.replace(system, springs=tuple((i, j) for i in range(5) for j in range(i + 1, 5)))
    assert (alike.simulate(300).springs.sum()) == 20
    with pytest.raises(ValueError, match="no charges of two signs let 0, 1 and 2 act"):
        dataclasses.replace(system, springs=())
    with pytest.raises(ValueError, match="positions of ball 0"):
        dataclasses.replace(system, positions=((6.0, 0.0), *system.positions[1:]))
    with pytest.raises(ValueError, match="flat-5 has no hierarchy"):
        dataclasses.replace(system, physics="04")


def test_a_config_names_its_system() -> None:
    assert DataConfig().system == "springs-4-3"
    assert DataConfig(tree="flat-10", physics="charged").system == "charged10"
    assert ModelConfig().relations.recorded_types == 2
    assert preset(CHARGED).model.relations.recorded_types == 3


def test_cards_of_all_checkpoints_are_written(tmp_path: Path) -> None:
    for name in NAMES:
        model = made(name)
        save(tmp_path / f"{name}.safetensors", model.model, dataclasses.replace(model.header, data="some"))
    write_cards(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "2 types that all speak" in text
    assert text.count("2 types,") == 1


# Commands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--system springs0", "unknown system 'springs0'; write springs or charged and the number of balls"),
        ("--system=springs-5", "unknown system 'springs-5'"),
        ("--system springs1", "unknown system 'springs1'"),
        ("--system springs999", "from 2 to 100"),
        ("--system charged5 --tree 4-3", "charged5 has no hierarchy, so it cannot have tree 4-3; leave --tree out"),
        ("--system charged5 --config 04", "charged5 cannot have physics 04; leave --config out"),
        ("--tree 4-3 --config charged", "physics charged is of balls without a hierarchy"),
        ("--tree flat-5 --config 04", "flat-5 has no hierarchy; choose physics springs or charged"),
        ("--tree flat-1", "from 2 to 100 balls"),
        ("--system springs5 --steps 150", "choose from 200"),
        ("", "name a --tree such as 4-3, or a --system such as springs5"),
    ],
)
def test_what_cannot_be_simulated_is_answered_with_a_sentence(
    flags: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "x.npz"
    assert main(["simulate", "--seeds", "1:3", "--out", str(target), *flags.split()]) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert says in told
    assert not target.exists()


def test_commands_go_from_a_system_to_its_edges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, data, out = (str(tmp_path / name) for name in ("charged.safetensors", "unseen.npz", "rollout.npz"))
    save(model, made(CHARGED).model, made(CHARGED).header)
    assert main(["simulate", "--system", "charged5", "--seeds", "900000:900003", "--out", data]) == 0
    assert main(["evaluate", "--checkpoint", model, "--data", data, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert scores["systems"] == 3
    assert scores["edges"]["burn_in"]["any two"]["count"] == scores["edges"]["burn_in"]["overall"]["count"]
    assert main(["rollout", "--checkpoint", model, "--input", data, "--out", out]) == 0
    assert read_rollout(Path(out).read_bytes()).physics == "charged"
    assert main(["export", "--rollout", out, "--out", str(tmp_path / "x.graphml")]) == 0
    assert main(["train", "--preset", "charged5-state-hri", "--run", str(tmp_path / "run")]) == 1
    assert "charged5 has no hierarchy" in capsys.readouterr().err


def test_products_of_charges_are_read_as_the_published_generator_writes_them() -> None:
    scene = systems(CHARGED)
    signs = 2.0 * scene.springs - 1
    arrays = {"positions": scene.positions, "velocities": scene.velocities, "adjacency": signs}
    assert np.array_equal(Trajectories.of(arrays, "x.npz").springs, scene.springs)


def test_seeds_are_ranked() -> None:
    ranking = rank_seeds(made(CHARGED), [1, 2, 3], Settings(free_steps=4))
    assert sorted(ranking.seeds.tolist()) == [1, 2, 3]
    assert np.isfinite(ranking.errors).all()

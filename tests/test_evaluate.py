"""Scores: a model that predicts no change scores what copying does, and naming types otherwise changes nothing."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch

from hri.checkpoint import Checkpoint, Header
from hri.config import preset
from hri.dataset import Springs
from hri.evaluate import HORIZON, edge_accuracy, evaluate, level_pairs, springs_of
from hri.hierarchy import SLOT_TREE, Tree
from hri.metrics import free_run_scores, reconstruction_mse
from hri.model import Model
from hri.records import Normalisation, Trajectories
from hri.relations import given
from hri.simulate import simulate

SYSTEMS = simulate(Tree.parse("4-3"), "04", range(6), steps=2601)
PROMISED = {
    "nll",
    "nll_leaves",
    "nll_upper",
    "nll_free",
    "mse_by_step",
    "reconstruction_mse",
    "edge_accuracy",
    "copy_baseline",
    "parameters",
    "seconds",
}


def make(name: str = "springs-4-3-state-hri", still: bool = False, **header: Any) -> Checkpoint:
    """A fresh model; ``still``: it predicts no change."""
    config = preset(name)
    torch.manual_seed(3)
    model = Model(config).eval()
    with torch.no_grad():
        for parameter in model.dynamics.out.parameters():
            parameter *= 0.0 if still else 0.05
    return Checkpoint(name, model, Header(config, normalisation=Normalisation.of(SYSTEMS), **header))


def data(checkpoint: Checkpoint, systems: Trajectories = SYSTEMS) -> Springs:
    return springs_of(checkpoint, systems)


@pytest.mark.parametrize("variant", ["hri", "nri", "fcmp", "lstm", "lstm-lo", "hri-gt"])
def test_predicting_no_change_scores_what_copying_does(variant: str) -> None:
    still = make(f"springs-4-3-state-{variant}", still=True)
    scores = evaluate(still, data(still))
    assert scores["nll"] == pytest.approx(scores["copy_baseline"]["nll"], rel=1e-5)
    assert scores["mse_by_step"] == pytest.approx(scores["copy_baseline"]["mse_by_step"], rel=1e-5)


def test_predicting_no_change_in_frames_draws_the_last_slots() -> None:
    still = make("springs-4-3-par-hri-h", still=True)
    scores = evaluate(still, data(still, SYSTEMS[:2]))
    assert scores["mse_by_step"] == pytest.approx(scores["copy_baseline"]["mse_by_step"], rel=1e-4, abs=1e-9)
    assert len(scores["frame_mse_by_step"]) == len(scores["copy_baseline"]["frame_mse_by_step"]) == HORIZON
    assert scores["reconstruction_mse"] == pytest.approx(reconstruction_mse(still.model, data(still, SYSTEMS[:2])))
    assert scores["edge_accuracy"] is None
    assert "no true edge" in scores["reasons"]["edge_accuracy"]


def test_errors_by_step_begin_one_step_after_the_last_true_input() -> None:
    still = make(still=True)
    states = data(still).states.double()
    last = states.shape[1] - 1 - HORIZON
    truth = ((states[:, last + 1 :] - states[:, last : last + 1]) ** 2).mean((0, 2, 3))
    assert evaluate(still, data(still))["mse_by_step"] == pytest.approx(truth.tolist(), rel=1e-4)


def test_all_promised_scores_are_there_as_plain_json() -> None:
    scores = evaluate(make(), data(make()))
    assert scores.keys() >= PROMISED
    assert json.loads(json.dumps(scores)) == scores
    assert len(scores["mse_by_step"]) == HORIZON
    assert scores["reconstruction_mse"] is None
    assert "sees states" in scores["reasons"]["reconstruction_mse"]
    assert scores["parameters"] == sum(parameter.numel() for parameter in make().model.parameters())


def test_scores_are_those_of_training_and_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint, told = make(), []
    whole = evaluate(checkpoint, data(checkpoint))
    monkeypatch.setattr("hri.evaluate._BLOCK", 4)
    parts = evaluate(checkpoint, data(checkpoint), told.append)
    assert told == [4, 6]
    for name, value in free_run_scores(checkpoint.model, data(checkpoint), 5).items():
        assert whole[name] == pytest.approx(value, rel=1e-5)
        assert parts[name] == pytest.approx(value, rel=1e-5)
    assert parts["mse_by_step"] == pytest.approx(whole["mse_by_step"], rel=1e-5)
    assert parts["edge_accuracy"] == pytest.approx(whole["edge_accuracy"])


def test_short_sequences_have_fewer_steps_and_too_short_ones_none() -> None:
    checkpoint = make()
    short = simulate(Tree.parse("4-3"), "04", range(2), steps=801)
    assert len(evaluate(checkpoint, data(checkpoint, short))["mse_by_step"]) == 6
    with pytest.raises(ValueError, match="5 free steps need 6"):
        evaluate(checkpoint, data(checkpoint, simulate(Tree.parse("4-3"), "04", range(2), steps=501)))


@pytest.mark.parametrize("flipped", [False, True])
def test_who_infers_the_springs_scores_one_whatever_the_types_are_called(
    flipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def knowing(model: Model, part: Springs, rows: np.ndarray, source: str) -> Any:
        types = part.true_types(model.senders, model.receivers)[rows]
        return given(1 - types if flipped else types)

    monkeypatch.setattr("hri.evaluate.natural_choice", knowing)
    scores = evaluate(make(), data(make()))["edge_accuracy"]
    right = {name: score for name, score in scores.items() if "guess" not in name}
    assert right.keys() == {"overall", "possible", "root-intermediate", "intermediate-leaf", "siblings", "unrelated"}
    assert set(right.values()) == {1.0}
    assert 0.5 <= scores["guess_possible"] < scores["guess"] < 1


def test_types_are_matched_once_over_all_edges() -> None:
    """Right on one half, wrong on the other: a matching for each half would score one, a single one cannot."""
    model = make("springs-4-3-state-hri-h").model
    confusion = np.zeros((len(model.senders), 2, 2), dtype=np.int64)
    half = len(confusion) // 2
    confusion[:half, 0, 0] = confusion[:half, 1, 1] = 10
    confusion[half:, 0, 1] = confusion[half:, 1, 0] = 10
    assert edge_accuracy(model, confusion)["overall"] == 0.5


def test_a_third_type_stands_for_nothing() -> None:
    model = make("springs-4-3-state-hri-h").model
    confusion = np.zeros((len(model.senders), 3, 2), dtype=np.int64)
    confusion[:, 2, 0], confusion[:, 0, 1], confusion[:, 1, 1] = 6, 3, 1
    scores = edge_accuracy(model, confusion)
    assert scores["overall"] == pytest.approx(0.9)
    assert scores["guess"] == pytest.approx(0.6)


@pytest.mark.parametrize("pairs", ["all", "hierarchy", "leaves"])
@pytest.mark.parametrize("tree", [Tree.parse("4-3"), SLOT_TREE, Tree.parse("2-2-2"), Tree.parse("3")])
def test_every_edge_belongs_to_one_level_pair(tree: Tree, pairs: str) -> None:
    senders, receivers = tree.edges_among(pairs)
    groups = level_pairs(tree, senders, receivers)
    assert (sum(members.astype(int) for members in groups.values()) == 1).all()
    assert (groups["unrelated"] == (tree.possible[senders, receivers] == 0)).all()


def test_level_pairs_of_the_paper_have_their_names_and_numbers() -> None:
    tree = Tree.parse("4-3")
    groups = {name: int(members.sum()) for name, members in level_pairs(tree, *tree.edges).items()}
    assert groups == {"root-intermediate": 8, "intermediate-leaf": 24, "siblings": 24, "unrelated": 216}


@pytest.mark.parametrize("variant", ["hri-gt", "fcmp", "lstm"])
def test_who_infers_nothing_has_no_edge_accuracy(variant: str) -> None:
    checkpoint = make(f"springs-4-3-state-{variant}")
    scores = evaluate(checkpoint, data(checkpoint))
    assert scores["edge_accuracy"] is None
    assert scores["reasons"]["edge_accuracy"] == "the model infers no edges"


def test_encoder_and_decoder_alone_are_scored_by_their_reconstruction() -> None:
    alone = make("springs-4-3-slot-hri", parts="vision")
    scores = evaluate(alone, data(alone, SYSTEMS[:1]))
    assert scores["reconstruction_mse"] > 0
    assert scores["nll"] is None
    assert scores["copy_baseline"] is None
    assert "predicts nothing" in scores["reasons"]["nll"]
    vision = alone.model.vision
    assert vision is not None
    parts = [*vision.leaves.parameters(), *vision.decoder.parameters()]
    assert scores["parameters"] == sum(parameter.numel() for parameter in parts)


def test_the_own_test_split_is_unseen() -> None:
    checkpoint = make()
    test = springs_of(checkpoint, systems=3)
    assert test.trajectories.seeds.tolist() == [200_042, 200_043, 200_044]
    assert test.normalisation == checkpoint.header.normalisation
    assert len(springs_of(checkpoint, SYSTEMS, 2)) == 2


def test_data_that_do_not_fit_are_answered_with_a_sentence() -> None:
    checkpoint = make()
    with pytest.raises(ValueError, match=r"knows 17 balls \(tree 4-3\), the data have 13"):
        springs_of(checkpoint, simulate(Tree.parse("3-3"), "05", [1]))
    with pytest.raises(ValueError, match="not finite"):
        springs_of(checkpoint, dataclasses.replace(SYSTEMS, velocities=SYSTEMS.velocities * np.nan))
    for systems in (0, -1):
        with pytest.raises(ValueError, match="cannot be tested"):
            springs_of(checkpoint, SYSTEMS, systems)
        with pytest.raises(ValueError, match="cannot be tested"):
            springs_of(checkpoint, systems=systems)

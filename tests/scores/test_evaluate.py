"""Scores: a model that predicts no change scores what copying does, and naming types otherwise changes nothing."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.presets import preset
from hri.core.records import Normalisation, Trajectories
from hri.data.dataset import Springs
from hri.model.checkpoint import Checkpoint, Header
from hri.model.choices import given
from hri.model.model import Model
from hri.physics.slot_springs import slot_springs
from hri.physics.springs import simulate
from hri.scores.edges import level_pairs
from hri.scores.evaluate import HORIZON, evaluate, springs_of
from hri.scores.metrics import free_run_scores, reconstruction_mse

SYSTEMS = simulate(Tree.parse("4-3"), "04", range(6), steps=2601)
PROMISED = {
    "nll",
    "nll_leaves",
    "nll_upper",
    "nll_free",
    "mse_by_step",
    "reconstruction_mse",
    "edge_accuracy",
    "edges",
    "ceiling",
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


def test_frames_have_decibels_and_similarities_beside_errors() -> None:
    """The mean of logarithms is never below the logarithm of the mean."""
    model = make("springs-4-3-par-hri-h")
    scores = evaluate(model, data(model, SYSTEMS[:5]))
    sets = [("frame_{}_by_step", scores), ("frame_{}_by_step", scores["copy_baseline"])]
    for name, found in [*sets, ("frame_{}", scores), ("reconstruction_{}", scores)]:
        mse, psnr, ssim = (np.atleast_1d(found[name.format(kind)]) for kind in ("mse", "psnr", "ssim"))
        assert mse.shape == psnr.shape == ssim.shape
        assert (psnr >= -10 * np.log10(mse) - 1e-4).all()
        assert (np.abs(ssim) <= 1).all()


def test_light_left_and_balls_kept_are_told_of_predictions_and_of_repeating_the_last_frame() -> None:
    model = make("springs-4-3-par-hri-h")
    scores = evaluate(model, data(model, SYSTEMS[:5]))
    copied = scores["copy_baseline"]
    for found in (scores, copied):
        assert len(found["frame_light_by_step"]) == len(found["frame_balls_by_step"]) == HORIZON
        assert all(0 <= share <= 1 for share in found["frame_balls_by_step"])
    # A frame that is repeated is as bright as ever, and soon shows the balls where they no longer are.
    assert np.mean(copied["frame_light_by_step"]) == pytest.approx(1, abs=0.15)
    assert copied["frame_balls_by_step"][0] > copied["frame_balls_by_step"][-1]
    assert "frame_light_by_step" not in evaluate(make(), data(make()))


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
    monkeypatch.setattr("hri.scores.evaluate._BLOCK", 4)
    parts = evaluate(checkpoint, data(checkpoint), told.append)
    assert told == [4, 6]
    for name, value in free_run_scores(checkpoint.model, data(checkpoint), 5).items():
        assert whole[name] == pytest.approx(value, rel=1e-5)
        assert parts[name] == pytest.approx(value, rel=1e-5)
    assert parts["mse_by_step"] == pytest.approx(whole["mse_by_step"], rel=1e-5)
    assert parts["edge_accuracy"] == pytest.approx(whole["edge_accuracy"])
    for period in ("burn_in", "free_run"):
        for name, scores in whole["edges"][period].items():
            for key, value in scores.items():
                assert parts["edges"][period][name][key] == (value and pytest.approx(value, abs=1e-3))


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

    monkeypatch.setattr("hri.scores.evaluate.natural_choice", knowing)
    whole = evaluate(make(), data(make()))
    scores, edges = whole["edge_accuracy"], whole["edges"]
    assert edges["truth"] == "balls"
    assert edges["types"] == (["spring", "none"] if flipped else ["none", "spring"])
    assert edges["by_frame"]["accuracy"] == [1] * 26
    for period in ("burn_in", "free_run"):
        for name in ("accuracy", "precision", "recall", "f1"):
            assert edges[period]["overall"][name] == 1
    right = {name: score for name, score in scores.items() if "guess" not in name}
    assert right.keys() == {"overall", "possible", "root-intermediate", "intermediate-leaf", "siblings", "unrelated"}
    assert set(right.values()) == {1.0}
    assert 0.5 <= scores["guess_possible"] < scores["guess"] < 1


def test_edges_are_those_of_the_long_run_by_period_and_frame() -> None:
    """26 frames, 20 of them free: the last true input is frame 5, so no window of ten is full: the longest counts."""
    scores = evaluate(make(), data(make()))
    edges = scores["edges"]
    assert edges["by_frame"]["period"] == ["warm_up"] * 6 + ["burn_in"] + ["free_run"] * 19
    assert edges["burn_in"]["overall"]["count"] == 6 * 272
    assert edges["free_run"]["siblings"]["count"] == 6 * 19 * 24
    for name in ("overall", "possible", "siblings", "root-intermediate"):
        assert edges["burn_in"][name]["accuracy"] == pytest.approx(scores["edge_accuracy"][name])
    assert edges["by_frame"]["auroc"][0] == 0.5  # nothing was seen yet: every edge looks the same


def test_windows_are_full_after_ten_frames() -> None:
    checkpoint = make("springs-4-3-state-hri-h")
    edges = evaluate(checkpoint, data(checkpoint, simulate(Tree.parse("4-3"), "04", [1])))["edges"]
    assert edges["by_frame"]["period"] == ["warm_up"] * 10 + ["burn_in"] * 20 + ["free_run"] * 19


def test_who_infers_the_springs_of_slots_is_right_at_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """True springs of slots change over time: what speaks at a frame is compared with the springs of that frame."""

    def knowing(model: Model, part: Springs, rows: np.ndarray, source: str) -> Any:
        systems = part.trajectories[rows]
        joined = slot_springs(Tree.parse("4-3"), systems.adjacency, systems.positions)
        types = torch.from_numpy(joined[..., model.senders, model.receivers].astype(np.int64)).permute(2, 1, 0)
        return lambda logits, times: torch.nn.functional.one_hot(types[:, times], 2).to(logits)

    monkeypatch.setattr("hri.scores.evaluate.natural_choice", knowing)
    checkpoint = make("springs-4-3-par-hri-h")
    scores = evaluate(checkpoint, data(checkpoint, SYSTEMS[:2]))
    edges = scores["edges"]
    assert scores["edge_accuracy"] is None
    assert edges["truth"] == "slots"
    assert edges["by_frame"]["accuracy"] == [1] * 26
    assert len(set(edges["by_frame"]["springs"])) > 5
    assert edges["burn_in"].keys() == {"overall", "possible", "root-intermediate", "intermediate-leaf", "siblings"}
    assert 0 < edges["lost"]["same_slot"] < 1
    assert 0 <= edges["lost"]["not_inferred"] < 1
    assert json.loads(json.dumps(scores)) == scores


@pytest.mark.parametrize("types", [3, 4])
def test_more_types_than_two_are_scored(types: int) -> None:
    config = preset("springs-4-3-state-hri-h")
    relations = dataclasses.replace(config.model.relations, edge_types=types)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, relations=relations))
    checkpoint = Checkpoint("more", Model(config).eval(), Header(config, normalisation=Normalisation.of(SYSTEMS)))
    edges = evaluate(checkpoint, data(checkpoint))["edges"]
    assert sorted(edges["types"], key=str) == [None] * (types - 2) + ["none", "spring"]
    assert np.shape(edges["confusion"]) == (types, 2)


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
    assert scores["edge_accuracy"] is scores["edges"] is None
    assert scores["reasons"]["edge_accuracy"] == scores["reasons"]["edges"] == "the model infers no edges"


def test_encoder_and_decoder_alone_are_scored_by_their_reconstruction() -> None:
    alone = make("springs-4-3-slot-hri", parts="vision")
    scores = evaluate(alone, data(alone, SYSTEMS[:1]))
    assert scores["reconstruction_mse"] > 0
    assert scores["nll"] is None
    assert scores["copy_baseline"] is scores["edges"] is None
    assert np.isfinite([scores["reconstruction_psnr"], scores["reconstruction_ssim"]]).all()
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

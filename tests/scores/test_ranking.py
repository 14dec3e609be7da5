"""Hardest and easiest scenes are those whose rollouts err most and least."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from hri.core.hierarchy import Tree
from hri.physics.springs import simulate
from hri.rollout.edits import SetLevel
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import roll_out
from hri.rollout.settings import Settings
from hri.scores.ranking import PICTURES, Ranker, digest, rank_seeds
from tests.rollout.test_rollout import made, make

STATES = "springs-4-3-state-hri-h"
SEEDS = [11, 5, 8, 30]


@pytest.mark.parametrize("name", [STATES, "springs-4-3-state-lstm-lo"])
def test_the_error_is_that_of_the_rollout(name: str) -> None:
    ranking = rank_seeds(made(name), SEEDS)
    assert sorted(ranking.seeds) == sorted(SEEDS)
    assert (np.diff(ranking.errors) >= 0).all()
    assert ranking.easiest(1) == [int(ranking.seeds[0])]
    assert ranking.hardest(2) == ranking.seeds[::-1][:2].tolist()
    rolled = roll_out(made(name), simulate(Tree.parse("4-3"), "04", ranking.seeds), pictures=False)
    truth = rolled.slots[:, :, -12:] if "lo" in name else rolled.slots
    free = rolled.last_true_input + 2
    wrong = np.square(rolled.predicted_slots[:, free - 1 :] - truth[:, free:]).mean((1, 2, 3))
    assert ranking.errors == pytest.approx(wrong, rel=1e-4)


def test_pictures_are_compared_for_image_models_of_any_tree() -> None:
    name = "springs-4-3-slot-hri-h"
    ranking = rank_seeds(made(name), SEEDS[:2], Settings(free_steps=4), tree="3-3", physics="05")
    scene = simulate(Tree.parse("3-3"), "05", [int(ranking.seeds[1])])
    rolled = roll_out(made(name), scene, 4, tree=Tree.parse("3-3"))
    assert rolled.frames is not None
    assert rolled.predicted_frames is not None
    shown = np.linspace(rolled.last_true_input + 2, 48, PICTURES).round().astype(int)
    wrong = np.square(rolled.predicted_frames[0, shown - 1] - rolled.frames[0, shown] / 255).mean()
    assert ranking.errors[1] == pytest.approx(wrong, rel=1e-3)
    with pytest.raises(ValueError, match="sees the states of tree 4-3 only"):
        rank_seeds(made(STATES), SEEDS, tree="3-3", physics="05")


def test_answers_are_kept_by_what_was_asked(tmp_path: Path) -> None:
    heard: list[int] = []
    first = rank_seeds(made(STATES), SEEDS, cache=tmp_path, progress=heard.append)
    assert heard[-1] == len(SEEDS)
    again = rank_seeds(made(STATES), SEEDS, cache=tmp_path, progress=heard.append)
    assert len(heard) == 1
    assert np.array_equal(first.errors, again.errors)
    assert np.array_equal(first.seeds, again.seeds)
    edited = Settings(intervention=Intervention((SetLevel("all"),)))
    other = rank_seeds(made(STATES), SEEDS, edited, cache=tmp_path)
    assert not np.array_equal(first.errors, other.errors)
    assert len(list(tmp_path.iterdir())) == 2
    next(tmp_path.glob("*.json")).write_bytes(b'{"seeds": [')
    assert rank_seeds(made(STATES), SEEDS, cache=tmp_path).seeds.tolist() == first.seeds.tolist()


def test_a_digest_names_the_weights() -> None:
    one, same = make(STATES), make(STATES)
    assert digest(one) == digest(same)
    with torch.no_grad():
        next(same.model.parameters())[0] += 1e-3
    assert digest(one) != digest(same)


def test_nothing_to_rank_is_refused() -> None:
    for seeds in ([], [1, 1]):
        with pytest.raises(ValueError, match="at least one seed, and each only once"):
            rank_seeds(made(STATES), seeds)
    alone = dataclasses.replace(made("springs-4-3-slot-hri-h").header, parts="vision")
    with pytest.raises(ValueError, match="predicts nothing to rank by"):
        rank_seeds(dataclasses.replace(made("springs-4-3-slot-hri-h"), header=alone), [1])


def test_a_ranker_works_while_somebody_looks_and_ends_where_all_at_once_does() -> None:
    seeds, lock = list(range(23)), threading.Lock()
    ranker = Ranker(made(STATES), lock, seeds, patience=-1.0)  # rests after every block
    assert (ranker.seeds_done, ranker.working) == (0, True)
    for done in (10, 20, 23):
        ranker.look()
        ranker.wait()
        assert ranker.seeds_done == done
        assert lock.acquire(blocking=False), "the model is free again between blocks"
        lock.release()
    assert not ranker.working
    found, whole = ranker.look(), rank_seeds(made(STATES), seeds)
    assert found.seeds.tolist() == whole.seeds.tolist()
    assert found.errors == pytest.approx(whole.errors, rel=1e-4)
    wrong = Ranker(made(STATES), lock, seeds, tree="3-3", physics="05")
    wrong.look()
    wrong.wait()
    assert "sees the states of tree 4-3 only" in wrong.problem
    assert not wrong.working
    assert len(wrong.look().seeds) == 0

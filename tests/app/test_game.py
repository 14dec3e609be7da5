"""Guess the springs: rounds follow from a number, scores can be counted by hand, and the model plays fair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.learn import course, game
from app.learn.game import GameResult, Score
from hri.core.config import DataConfig
from hri.model.checkpoint import Checkpoint, load
from hri.physics.springs import simulate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load(ROOT / "checkpoints" / f"{course.STATE_MODEL}.safetensors")


def test_a_number_gives_ten_rounds_that_get_harder() -> None:
    first, again, other = game.rounds(3), game.rounds(3), game.rounds(4)
    assert [(r.seed, r.families) for r in first] == [(r.seed, r.families) for r in again]
    assert [r.seed for r in first] != [r.seed for r in other]
    assert [r.number for r in first] == list(range(1, 11))
    assert len({r.seed for r in first}) == 10
    for asked in first:
        assert 0 < len(asked.springs) < len(asked.pairs)
        assert asked.scene.positions.shape[1] == asked.level.frames
        nodes = {node for pair in asked.pairs for node in pair}
        assert nodes == set(asked.balls_shown)
        whole = simulate(game.TREE, game.PHYSICS, [asked.seed])
        assert asked.springs == {pair for pair in asked.pairs if whole.adjacency[0][pair]}
    pairs = [len(r.pairs) for r in first]
    assert pairs[0] < pairs[2] < pairs[4]  # more to judge
    assert first[4].level.frames > first[5].level.frames > first[6].level.frames  # less to see
    with pytest.raises(ValueError, match="from 0 to 9999"):
        game.rounds(10_000)


def test_no_round_is_of_a_system_that_a_model_was_trained_on() -> None:
    data = DataConfig()
    met = {int(seed) for split in ("train", "validation") for seed in data.seeds(split)}
    assert not met & {asked.seed for number in range(5) for asked in game.rounds(number)}
    assert set(game.CALIBRATION) <= {int(seed) for seed in data.seeds("train")}


def test_scores_count_hits_and_mistakes() -> None:
    asked = game.rounds(1)[4]
    joined, free = sorted(asked.springs), sorted(set(asked.pairs) - asked.springs)
    assert game.score(asked, asked.springs) == Score(len(joined), 0, 0, 12)
    assert game.score(asked, asked.springs).points == 100
    assert game.score(asked, free).points == 0
    assert game.score(asked, free).f1 == 0
    found = game.score(asked, [joined[0][::-1], free[0], (0, 1)])  # turned round counts, what was not asked does not
    assert found == Score(1, 1, len(joined) - 1, 12)
    assert found.right == 12 - len(joined)
    assert found.f1 == pytest.approx(2 / (2 + 1 + len(joined) - 1))
    assert Score(0, 0, 0, 3).f1 == 1
    # Of all ways to mark at random, the mean of right - wrong is zero.
    random = np.random.default_rng(0)
    coins = [game.score(asked, [p for p in asked.pairs if random.random() < 0.5]) for _ in range(2000)]
    assert abs(np.mean([2 * s.right - s.pairs for s in coins])) < 0.3


def test_a_result_travels_in_an_address() -> None:
    random = np.random.default_rng(1)
    marks = tuple(frozenset(p for p in r.pairs if random.random() < 0.5) for r in game.rounds(7))
    whole = GameResult(7, marks)
    assert GameResult.parse(whole.to_address()) == whole
    assert whole.points == sum(game.score(r, m).points for r, m in zip(game.rounds(7), marks, strict=True))
    begun = GameResult(7, marks[:3])
    assert GameResult.parse(begun.to_address()) == begun
    assert len(begun.scores) == 3
    perfect = GameResult(7, tuple(r.springs for r in game.rounds(7)))
    assert perfect.points == 1000
    for wrong in ("", "7", "7-", "x-1", "7-g", "99999-1", "7-ffffff", "7-1.1.1.1.1.1.1.1.1.1.1", "7-1&x=1"):
        with pytest.raises(ValueError, match="link"):
            GameResult.parse(wrong)


def test_the_model_learns_its_answers_from_training_systems_and_beats_marking_all(checkpoint: Checkpoint) -> None:
    judges = game.calibrate(checkpoint, range(42, 62))
    assert {kind for kind, _ in judges} == {"parent", "siblings"}
    scores = {"model": [], "all": []}
    for number in range(4):
        for asked in game.rounds(number):
            said = game.answer(checkpoint, asked, judges)
            assert said <= set(asked.pairs)
            assert said == game.answer(checkpoint, asked, judges)
            scores["model"].append(game.score(asked, said).points)
            scores["all"].append(game.score(asked, asked.pairs).points)
    assert np.mean(scores["model"]) > 2 * np.mean(scores["all"])


def test_the_model_sees_no_more_frames_than_the_player(checkpoint: Checkpoint) -> None:
    pairs, scenes = game.rounds(1)[4].pairs, simulate(game.TREE, game.PHYSICS, [5])
    said = game.chances(checkpoint, scenes, [15], pairs)
    scenes.positions[:, 15:] = scenes.positions[:, 14:15]  # another future
    assert np.array_equal(game.chances(checkpoint, scenes, [15], pairs), said)
    scenes.positions[:, 14] += 0.1
    assert not np.array_equal(game.chances(checkpoint, scenes, [15], pairs), said)


def test_a_threshold_is_the_best_there_is() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        values, joined = np.round(random.random(30), 1), random.random(30) < 0.6  # many equal values
        found = game._best("up", values, joined)
        possible = [np.mean((values >= t) == joined) for t in [*np.unique(values), 2.0]]
        assert found.right == pytest.approx(max(possible))
        assert np.mean((values >= found.threshold) == joined) == pytest.approx(found.right)


def test_models_that_infer_other_things_are_refused() -> None:
    for name in ("springs-4-3-state-lstm", "springs-4-3-state-nri-lo", "springs-4-3-slot-hri"):
        other = load(ROOT / "checkpoints" / f"{name}.safetensors")
        with pytest.raises(ValueError, match="does not infer these pairs"):
            game.chances(other, simulate(game.TREE, game.PHYSICS, [5]), [15], [(1, 5)])

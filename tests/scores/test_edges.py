"""Edge scores with known answers: counted by hand, or pair by pair."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.scores.edges import EdgeTally, auroc, brief, level_pairs

TREE = Tree.parse("4-3")
ALL = TREE.edges
ONE = np.array([0]), np.array([1])
"""A single edge, root to intermediate."""


def tally(pairs: Any = ONE, types: int = 2, steps: int = 1, burn_in: slice = slice(0, 1)) -> EdgeTally:
    return EdgeTally(TREE, *pairs, types, steps, burn_in)


def counted(table: list[list[int]]) -> EdgeTally:
    """One edge seen as often as the table [K][no spring, spring] says; each type is certain of itself."""
    said, truth = [], []
    for kind, row in enumerate(table):
        for joined, times in enumerate(row):
            said += [kind] * times
            truth += [joined] * times
    made = tally(types=len(table))
    types = torch.tensor(said).view(-1, 1, 1)
    logits = 4.0 * torch.nn.functional.one_hot(types, len(table))
    made.add(logits, types, torch.tensor(truth).view(-1, 1))
    return made


def test_types_get_their_meaning_where_messages_pass() -> None:
    """Type 0 means "spring" on the hierarchy's edges; of the many other pairs the model says 0 as well."""
    truth = torch.from_numpy(TREE.possible[ALL[0], ALL[1]] > 0).long()[None]
    types = torch.zeros(1, 1, len(ALL[0]), dtype=torch.long)
    logits = torch.nn.functional.one_hot(types, 2).float()
    meanings = {}
    for speaks in (None, TREE.possible[ALL[0], ALL[1]] > 0):
        made = EdgeTally(TREE, *ALL, 2, 1, slice(0, 1), speaks)
        made.add(logits, types, truth)
        meanings[speaks is None] = made.scores()["types"]
    assert meanings == {True: ["none", "spring"], False: ["spring", "none"]}


def scored(logits: np.ndarray, truth: np.ndarray) -> EdgeTally:
    """One edge in many systems; ``logits`` of "spring" against 0 of "none", said whenever above 0."""
    made = tally()
    x = torch.from_numpy(np.asarray(logits, np.float32)).view(-1, 1, 1)
    made.add(torch.stack([torch.zeros_like(x), x], -1), (x > 0).long(), torch.from_numpy(truth).long().view(-1, 1))
    return made


def random_scene(pairs: Any, types: int, systems: int = 6, steps: int = 5, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Logits that lean towards the truth, the types that spoke, and truths that change over time."""
    generator = torch.Generator().manual_seed(seed)
    edges = len(pairs[0])
    truth = (torch.rand(systems, steps, edges, generator=generator) < 0.4).long()
    logits = torch.randn(systems, steps, edges, types, generator=generator)
    logits[..., 1] += 1.5 * truth
    logits[..., 0] += 1.5 * (1 - truth)
    return logits, logits.argmax(-1), truth


# Counting -----------------------------------------------------------------------------------------------


def test_scores_of_a_table_counted_by_hand() -> None:
    """Three springs found and two missed, one invented, four pairs rightly left alone."""
    found = counted([[4, 2], [1, 3]]).scores()
    assert found["types"] == ["none", "spring"]
    assert found["confusion"] == [[4, 2], [1, 3]]
    overall = found["burn_in"]["overall"]
    assert overall["count"] == 10
    assert overall["springs"] == pytest.approx(0.5)
    assert overall["accuracy"] == pytest.approx(7 / 10)
    assert overall["precision"] == pytest.approx(3 / 4)
    assert overall["recall"] == pytest.approx(3 / 5)
    assert overall["f1"] == pytest.approx(6 / 9)
    assert overall["auroc"] == pytest.approx((3 * 4 + 0.5 * (3 * 1 + 2 * 4)) / 25)


def test_a_third_type_stands_for_nothing() -> None:
    """Types: 2 means none, 0 spring; type 1 is wrong whatever the truth, and claims no spring."""
    found = counted([[1, 5], [3, 2], [9, 0]]).scores()
    assert found["types"] == ["spring", None, "none"]
    overall = found["burn_in"]["overall"]
    assert overall["accuracy"] == pytest.approx(14 / 20)
    assert overall["precision"] == pytest.approx(5 / 6)
    assert overall["recall"] == pytest.approx(5 / 7)
    assert overall["f1"] == pytest.approx(10 / 13)


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ([[5, 0], [2, 0]], {"recall", "auroc"}),  # no springs to find
        ([[5, 3], [0, 0]], {"precision"}),  # none claimed
        ([[7, 0], [0, 0]], {"precision", "recall", "f1", "auroc"}),
    ],
)
def test_a_score_without_meaning_is_null(table: list[list[int]], missing: set[str]) -> None:
    overall = counted(table).scores()["burn_in"]["overall"]
    unasked = {"matters", "does_not_matter"}
    assert {name for name, value in overall.items() if value is None} == missing | unasked


def test_springs_are_weighed_by_what_they_do() -> None:
    """One edge; rows say the type, columns: no spring, a spring that does not matter, one that does."""
    table = [[6, 3, 1], [2, 1, 4]]
    said = [(kind, effect) for kind, row in enumerate(table) for effect, times in enumerate(row) for _ in range(times)]
    types, effects = (torch.tensor(column).view(-1, 1, 1) for column in zip(*said, strict=True))
    made = EdgeTally(TREE, *ONE, 2, 1, slice(0, 1), stand_for=("none", "spring"))
    made.add(torch.nn.functional.one_hot(types, 2).float(), types, (effects[:, 0] > 0).long())
    made.add_effects(np.array([0]), types, (effects > 0).long().numpy(), effects.numpy())
    found = made.scores()
    overall = found["burn_in"]["overall"]
    assert overall["matters"] == {"count": 5, "recall": 4 / 5, "accuracy": 10 / 13}
    assert overall["does_not_matter"] == {"count": 4, "recall": 1 / 4, "accuracy": 7 / 12}
    assert overall["recall"] == pytest.approx(5 / 9)
    assert found["free_run"]["overall"]["matters"] == {"count": 0, "recall": None, "accuracy": None}
    assert found["types"] == ["none", "spring"]


def test_of_charges_that_attract_or_repel_both_can_be_right() -> None:
    """Something acts between all pairs; type 0 is right where they attract, type 1 where they repel."""
    types, truth, effects = (
        torch.tensor(row).view(-1, 1, 1) for row in ([0, 0, 1, 1, 0], [0, 1, 1, 0, 0], [2, 2, 2, 2, 1])
    )
    made = EdgeTally(TREE, *ONE, 2, 1, slice(0, 1), stand_for=("none", "spring"))
    made.add_effects(np.array([0]), types, truth.numpy(), effects.numpy())
    overall = made.scores()["burn_in"]["overall"]
    assert overall["matters"] == {"count": 4, "recall": 0.5, "accuracy": 0.5}
    assert overall["does_not_matter"] == {"count": 1, "recall": 1.0, "accuracy": 1.0}


def test_a_meaning_that_was_taught_stays() -> None:
    """A type that is wrong everywhere stays wrong, where an assignment would turn it round."""
    said = torch.ones(4, 1, 1, dtype=torch.long)
    made = EdgeTally(TREE, *ONE, 3, 1, slice(0, 1), stand_for=("none", "spring"))
    made.add(torch.nn.functional.one_hot(said, 3).float(), said, torch.zeros(4, 1, dtype=torch.long))
    assert made.scores()["types"] == ["none", "spring", None]
    assert made.scores()["burn_in"]["overall"]["accuracy"] == 0


def test_nothing_to_count_is_no_error() -> None:
    found = tally().scores()
    assert found["burn_in"]["overall"]["count"] == 0
    assert found["burn_in"]["overall"]["accuracy"] is None
    assert found["calibration"]["burn_in"]["error"] is None
    assert json.loads(json.dumps(found)) == found


# AUROC --------------------------------------------------------------------------------------------------


def pairwise(score: np.ndarray, truth: np.ndarray) -> float:
    """The definition: of all (spring, no spring) pairs, the share ranked rightly; ties count half."""
    above = score[truth == 1][:, None] - score[truth == 0][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


@pytest.mark.parametrize(
    ("score", "truth", "area"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([1, 2, 3, 4], [1, 1, 0, 0], 0.0),
        ([2, 2, 2, 2], [1, 0, 1, 0], 0.5),
        ([1, 2, 2, 3, 3], [0, 0, 1, 0, 1], 4 / 6),
    ],
)
def test_area_of_small_cases_is_exact(score: list[float], truth: list[int], area: float) -> None:
    assert pairwise(np.array(score), np.array(truth)) == pytest.approx(area)
    histogram = np.zeros((2, 50), dtype=np.int64)
    np.add.at(histogram, (np.array(truth), np.searchsorted(np.unique(score), score)), 1)
    assert auroc(histogram)[0] == pytest.approx(area)


@pytest.mark.parametrize("spread", [0.02, 1.0, 9.0])
def test_area_from_bins_is_as_near_as_it_says(spread: float) -> None:
    """Right claims decide the matching, so the spring type is the one whose logit is scored."""
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], [700, 500])
    score = spread * (rng.normal(size=1200) + 1.6 * truth - 0.8)
    found = scored(score, truth).scores()["burn_in"]["overall"]
    exact = pairwise(score.astype(np.float32), truth)
    error = abs(found["auroc"] - exact)
    assert error <= found["auroc_error"] + 1e-9
    assert found["auroc_error"] < (0.05 if spread == 0.02 else 2e-3)


def test_the_bound_is_half_where_all_share_a_bin() -> None:
    assert auroc(np.array([[0, 4, 0], [0, 3, 0]])) == (0.5, 0.5)
    assert auroc(np.array([[4, 0, 0], [0, 0, 3]])) == (1.0, 0.0)
    assert auroc(np.array([[4, 0, 0], [0, 0, 0]])) == (None, 0.0)


def test_certainty_beyond_the_bins_is_a_tie_not_an_error() -> None:
    found = scored(np.array([-90.0, -20.0, 20.0, 90.0, np.inf, -np.inf]), np.array([0, 0, 1, 1, 1, 0])).scores()
    assert found["burn_in"]["overall"]["auroc"] == 1.0


# Matching and names of types ----------------------------------------------------------------------------


@pytest.mark.parametrize("types", [2, 3, 4])
def test_naming_the_types_otherwise_changes_nothing(types: int) -> None:
    logits, said, truth = random_scene(ALL, types)
    names = torch.tensor([[1, 0], [2, 0, 1], [3, 1, 0, 2]][types - 2])  # new name of each type
    results = []
    for new in (torch.arange(types), names):
        made = tally(ALL, types, 5, slice(1, 3))
        renamed = torch.empty_like(logits)
        renamed[..., new] = logits
        made.add(renamed, new[said], truth)
        results.append(made)
    first, second = (made.scores() for made in results)
    assert [second["types"][new] for new in names.tolist()] == first["types"]
    for name in ("burn_in", "free_run", "by_frame", "calibration"):
        assert_near(first[name], second[name])
    assert_near(results[0].accuracy(), results[1].accuracy())


def assert_near(first: Any, second: Any) -> None:
    """Equal to rounding, dict by dict and list by list."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            assert_near(first[name], second[name])
    elif isinstance(first, list):
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            assert_near(a, b)
    else:
        assert first == (pytest.approx(second, abs=1e-3) if isinstance(first, float) else second)


def test_types_are_matched_once_over_all_edges() -> None:
    """Right on one half, wrong on the other: a matching for each half would score one, a single one cannot."""
    pairs = TREE.edges_among("hierarchy")
    truth = torch.zeros(10, len(pairs[0]), dtype=torch.long)
    truth[5:] = 1
    half = torch.arange(len(pairs[0])) < len(pairs[0]) // 2
    said = torch.where(half, truth, 1 - truth)[:, None]
    made = tally(pairs)
    made.add(torch.nn.functional.one_hot(said, 2).float(), said, truth)
    assert made.accuracy()["overall"] == 0.5
    assert made.scores()["burn_in"]["overall"]["accuracy"] == 0.5


def test_types_are_not_matched_anew_in_the_free_run() -> None:
    """Who calls springs by the other name once the free run begins is wrong there."""
    truth = torch.tensor([[0], [1], [1]])
    said = truth[:, None].repeat(1, 4, 1)
    said[:, 2:] = 1 - said[:, 2:]
    made = tally(steps=4, burn_in=slice(1, 2))
    made.add(5.0 * torch.nn.functional.one_hot(said, 2), said, truth)
    found = made.scores()
    assert found["burn_in"]["overall"]["accuracy"] == found["burn_in"]["overall"]["auroc"] == 1
    assert found["free_run"]["overall"]["accuracy"] == found["free_run"]["overall"]["auroc"] == 0
    assert found["by_frame"]["period"] == ["warm_up", "burn_in", "free_run", "free_run"]
    for name in ("accuracy", "precision", "recall", "f1", "auroc"):
        assert found["by_frame"][name] == [1, 1, 0, 0]
    assert found["by_frame"]["springs"] == pytest.approx([2 / 3] * 4)


def test_accuracy_and_guesses_of_a_third_type() -> None:
    made = counted([[0, 3], [0, 1], [6, 0]])
    assert made.accuracy()["overall"] == pytest.approx(0.9)
    assert made.accuracy()["guess"] == pytest.approx(0.6)


# Groups, blocks, truth over time -------------------------------------------------------------------------


def test_each_level_pair_is_scored_by_itself() -> None:
    """Wrong about siblings only."""
    logits, _, truth = random_scene(ALL, 2)
    groups = level_pairs(TREE, *ALL)
    said = truth.clone()
    siblings = torch.from_numpy(groups["siblings"])
    said[..., siblings] = 0
    made = tally(ALL, steps=5, burn_in=slice(0, 5))
    made.add(logits, said, truth)
    scores = made.scores()["burn_in"]
    assert scores.keys() == {"overall", "possible", *groups}
    for name in ("root-intermediate", "intermediate-leaf", "unrelated"):
        assert scores[name]["accuracy"] == scores[name]["f1"] == 1
    assert scores["siblings"]["recall"] == 0
    assert scores["siblings"]["accuracy"] == pytest.approx(float((truth[..., siblings] == 0).float().mean()))
    for name, members in groups.items():
        assert scores[name]["count"] == members.sum() * 6 * 5
    assert scores["overall"]["count"] == 272 * 30
    assert scores["possible"]["count"] == 56 * 30


def test_scores_of_a_group_are_those_of_its_edges_alone() -> None:
    logits, said, truth = random_scene(ALL, 3)
    leaves = level_pairs(TREE, *ALL)["siblings"]
    whole, alone = tally(ALL, 3, 5, slice(0, 3)), tally((ALL[0][leaves], ALL[1][leaves]), 3, 5, slice(0, 3))
    whole.add(logits, said, truth)
    alone.add(logits[..., leaves, :], said[..., leaves], truth[..., leaves])
    for period in ("burn_in", "free_run"):
        assert whole.scores()[period]["siblings"] == alone.scores()[period]["overall"]


def test_blocks_and_constant_truths_change_nothing() -> None:
    logits, said, truth = random_scene(ALL, 3)
    made = [tally(ALL, 3, 5, slice(1, 3)) for _ in range(2)]
    made[0].add(logits, said, truth[:, 2])
    for rows in (slice(0, 1), slice(1, 4), slice(4, 6)):
        made[1].add(logits[rows], said[rows], truth[rows, 2, None].expand(-1, 5, -1))
    first, second = (one.scores() for one in made)
    assert_near(first, second)
    assert made[0].accuracy() == made[1].accuracy()


def test_memory_does_not_grow_with_the_number_of_systems() -> None:
    made = EdgeTally(TREE, *ALL, 4, 49, slice(10, 30))
    before = made.nbytes
    for _ in range(3):
        made.add(*random_scene(ALL, 4, systems=2, steps=49))
    assert made.nbytes == before < 25e6


def test_logits_that_are_not_numbers_are_scored_as_knowing_nothing() -> None:
    logits, said, truth = random_scene(ALL, 3)
    logits[0] = torch.nan
    made = tally(ALL, 3, 5, slice(0, 3))
    made.add(logits, said, truth)
    assert json.loads(json.dumps(made.scores())) == made.scores()


@pytest.mark.parametrize("types", [2, 3, 4])
@pytest.mark.parametrize("tree", [TREE, SLOT_TREE])
def test_results_are_plain_json_for_every_number_of_types(types: int, tree: Tree) -> None:
    logits, said, truth = random_scene(tree.edges, types)
    made = EdgeTally(tree, *tree.edges, types, 5, slice(0, 3))
    made.add(logits, said, truth)
    found = made.scores()
    assert json.loads(json.dumps(found)) == found
    assert {"none", "spring"} <= set(found["types"])
    assert found["types"].count(None) == types - 2
    assert np.sum(found["confusion"]) == found["burn_in"]["overall"]["count"]
    assert found["burn_in"]["overall"]["accuracy"] == made.accuracy()["overall"]


# Calibration --------------------------------------------------------------------------------------------


def test_probabilities_that_come_true_as_often_as_they_say_have_no_error() -> None:
    chances = np.repeat([0.05, 0.25, 0.45, 0.75, 0.95], 40)
    truth = np.concatenate([np.arange(40) < 40 * p for p in (0.05, 0.25, 0.45, 0.75, 0.95)]).astype(int)
    told = scored(np.log(chances / (1 - chances)), truth).scores()["calibration"]["burn_in"]
    assert told["error"] == pytest.approx(0, abs=1e-6)
    assert told["from"] == pytest.approx(np.arange(10) / 10)
    assert told["count"] == [40, 0, 40, 0, 40, 0, 0, 40, 0, 40]
    assert told["predicted"] == [
        None if not n else pytest.approx(p, abs=1e-6)
        for n, p in zip(told["count"], [0.05, 0, 0.25, 0, 0.45, 0, 0, 0.75, 0, 0.95], strict=True)
    ]
    assert told["true"] == [None if p is None else pytest.approx(p, abs=1e-6) for p in told["predicted"]]


def test_the_error_of_calibration_is_how_far_chances_are_from_shares() -> None:
    """Three quarters claimed at 0.95, of which half come true; the rest at 0.2, of which a tenth."""
    chances = np.array([0.95] * 60 + [0.2] * 20)
    truth = np.array([1] * 30 + [0] * 30 + [1] * 2 + [0] * 18)
    told = scored(np.log(chances / (1 - chances)), truth).scores()["calibration"]["burn_in"]
    assert told["error"] == pytest.approx(0.75 * 0.45 + 0.25 * 0.1, abs=1e-6)


def test_certain_probabilities_are_in_the_last_bin() -> None:
    told = scored(np.array([80.0, -80.0]), np.array([1, 0])).scores()["calibration"]["burn_in"]
    assert told["count"] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert told["error"] == pytest.approx(0)


# In words -----------------------------------------------------------------------------------------------


def test_the_short_form_says_what_is_there_and_leaves_out_what_is_not() -> None:
    told = brief(counted([[4, 2], [1, 3]]).scores())
    assert told["types"] == "0 no spring, 1 spring"
    words = "accuracy found 0.700, guessing 0.500; AUROC found 0.700, guessing 0.500; "
    words += "precision 0.750, recall 0.600, F1 0.667"
    assert told["burn_in"]["overall"] == words
    assert all(isinstance(text, str) for text in told["burn_in"].values())
    nothing = brief(counted([[5, 3], [0, 0]]).scores())["burn_in"]["overall"]
    assert "precision" not in nothing
    assert "recall 0.000" in nothing

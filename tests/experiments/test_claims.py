"""Verdicts whose answers are known."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from hri.experiments import claims
from hri.experiments.claims import CLAIMS, Claim, ClaimFinding, findings, judge
from hri.experiments.scoreboard import Board, Entry, Setting, Spread, read
from tests import synthetic_results

ROOT = Path(__file__).parents[2]
STATES = Setting("state", "4-3")
BY_SENTENCE = {claim.sentence: claim for claim in CLAIMS}
NRI_LSTM = BY_SENTENCE["NRI predicts better than LSTM."]
HRI_NRI = BY_SENTENCE["HRI predicts better than NRI."]
MUCH = BY_SENTENCE["NRI-GT predicts much better than NRI."]
RESIDUAL = BY_SENTENCE["HRI still leads when NRI adds its messages as HRI does."]
EQUAL = BY_SENTENCE["HRI-GT predicts about as well as HRI."]


def board(setting: Setting = STATES, metric: str = "nll", **figures: list[float]) -> Board:
    """Models with these scores, one a seed; hri_h stands for hri-h."""
    entries = []
    for name, values in figures.items():
        std = statistics.stdev(values) if len(values) > 1 else None
        spread = Spread(statistics.fmean(values), std, len(values))
        entries.append(Entry("p", setting, name.replace("_", "-"), len(values), {metric: spread}, {}))
    return Board(entries=tuple(entries))


def on_states(claim: Claim, results: Board) -> ClaimFinding:
    """The finding on 4-3 states, always the first."""
    return findings(claim, results)[0]


@pytest.mark.parametrize(
    ("kind", "low", "high", "verdict"),
    [
        ("better", 0.5, 0.9, "holds"),
        ("better", 0.5, 1.0, "too close to call"),
        ("better", 1.0, 1.2, "does not hold"),
        ("better", 1.1, 1.2, "does not hold"),
        ("much better", 0.5, 0.66, "holds"),
        ("much better", 0.6, 0.7, "too close to call"),
        ("much better", 0.67, 0.9, "does not hold"),
        ("about equal", 0.9, 1.1, "holds"),
        ("about equal", 0.8, 1.1, "too close to call"),
        ("about equal", 0.5, 1.5, "too close to call"),
        ("about equal", 0.5, 0.8, "does not hold"),
        ("about equal", 1.16, 1.3, "does not hold"),
    ],
)
def test_a_verdict_needs_the_whole_interval(kind: str, low: float, high: float, verdict: str) -> None:
    assert judge(kind, low, high) == verdict


def test_the_interval_is_students_on_the_pooled_relative_spread() -> None:
    # Relative spreads 10 % (3 runs) and 20 % (2 runs): s^2 = (2 * 0.01 + 1 * 0.04) / 3 = 0.02, t of 3 degrees 3.18.
    results = board(lstm=[90.0, 100.0, 110.0], nri=[50 - 10 / math.sqrt(2), 50 + 10 / math.sqrt(2)])
    found = on_states(NRI_LSTM, results)
    factor = math.exp(3.18 * math.sqrt(0.02) * math.sqrt(1 / 2 + 1 / 3))
    assert found.ratio == pytest.approx(0.5)
    assert (found.low, found.high) == (pytest.approx(0.5 / factor), pytest.approx(0.5 * factor))
    assert found.verdict == "holds"


def test_wide_spread_is_too_close_to_call_and_narrow_spread_is_not() -> None:
    wide = board(lstm=[80.0, 100.0, 120.0], nri=[70.0, 90.0, 110.0])
    narrow = board(lstm=[99.0, 100.0, 101.0], nri=[89.0, 90.0, 91.0])
    assert on_states(NRI_LSTM, wide).verdict == "too close to call"
    assert on_states(NRI_LSTM, narrow).verdict == "holds"


def test_a_verdict_may_go_against_the_paper() -> None:
    found = on_states(HRI_NRI, board(hri=[120.0, 121.0, 122.0], nri=[99.0, 100.0, 101.0]))
    assert found.verdict == "does not hold"
    assert found.says == "HRI errs 21 % more than NRI."


def test_single_runs_are_told_and_ten_percent_is_not_counted() -> None:
    near, far = (on_states(NRI_LSTM, board(lstm=[100.0], nri=[nri])) for nri in (92.0, 88.0))
    assert near.verdict == "too close to call"
    assert far.verdict == "holds"
    assert "Single runs" in far.note
    assert "(1 run)" in far.numbers()
    against = on_states(NRI_LSTM, board(lstm=[100.0], nri=[115.0]))
    assert against.verdict == "does not hold"


def test_single_runs_borrow_the_spread_of_repeated_models() -> None:
    # The others scatter by 20 %, so that a single run 30 % lower says nothing.
    results = board(hri_gt=[70.0], nri_gt=[100.0], lstm=[80.0, 100.0, 120.0])
    found = on_states(BY_SENTENCE["HRI-GT predicts better than NRI-GT."], results)
    assert found.verdict == "too close to call"
    assert found.says == "HRI-GT errs 30 % less than NRI-GT. Runs scatter too much to be sure."
    assert found.note == "HRI-GT and NRI-GT: one run; how far seeds scatter is taken from the repeated models."


def test_the_form_of_hri_with_more_runs_is_compared_and_named() -> None:
    found = on_states(HRI_NRI, board(hri=[95.0], hri_h=[49.0, 50.0, 51.0], nri=[99.0, 100.0, 101.0]))
    assert found.left is not None
    assert found.left.model == "hri-h"
    assert found.says == "HRI-H errs 50 % less than NRI."
    assert "HRI-H stands for HRI; HRI scores 95 (n = 1)." in found.note
    equal = on_states(HRI_NRI, board(hri=[95.0], hri_h=[50.0], nri=[100.0]))
    assert equal.left is not None
    assert equal.left.model == "hri"
    alone = on_states(HRI_NRI, board(hri=[50.0], nri=[100.0]))
    assert "stands for" not in alone.note


def test_much_better_is_a_third() -> None:
    figures = {"nri": [99.0, 100.0, 101.0]}
    assert on_states(MUCH, board(nri_gt=[49.0, 50.0, 51.0], **figures)).verdict == "holds"
    some = on_states(MUCH, board(nri_gt=[79.0, 80.0, 81.0], **figures))
    assert some.verdict == "does not hold"
    assert some.says == "NRI-GT errs 20 % less than NRI, not by a third."


def test_about_equal_is_fifteen_percent_either_way() -> None:
    for gt, verdict in [(100.0, "holds"), (93.0, "holds"), (70.0, "does not hold"), (140.0, "does not hold")]:
        found = on_states(EQUAL, board(hri=[99.0, 100.0, 101.0], hri_gt=[gt - 1, gt, gt + 1]))
        assert found.verdict == verdict, gt
        said = {70.0: "better, not about as well.", 140.0: "worse, not about as well."}.get(gt, "than HRI.")
        assert found.says.endswith(said if gt != 100 else "as HRI.")
    assert on_states(EQUAL, board(hri=[100.0], hri_gt=[85.0])).verdict == "too close to call"
    assert on_states(EQUAL, board(hri=[100.0], hri_gt=[100.0])).says == "HRI-GT errs as much as HRI."


def test_a_missing_model_is_not_run_yet_and_optional_settings_keep_silent() -> None:
    found = findings(NRI_LSTM, board(lstm=[1.0]))
    assert [f.verdict for f in found] == ["not run yet"] * 5
    places = {"States 4-3", "States 4-3, long", "States 3-3", "Images 4-3, SlotDec"}
    assert {f.comparison.where for f in found} >= places
    assert len(findings(RESIDUAL, Board())) == 1
    assert len(findings(RESIDUAL, board(Setting("state", "3-3"), hri=[2.0], nri_residual=[1.0]))) == 2


def test_each_finding_says_how_long_its_models_trained(tmp_path: Path) -> None:
    results = read(synthetic_results.write(tmp_path))
    equal, long, *_ = findings(HRI_NRI, results)
    assert equal.numbers().endswith("; 2,000 updates each")
    assert long.numbers().endswith("; 20,000 and 12,000 updates")
    assert long.comparison.where == "States 4-3, long"


def test_decoders_are_compared_with_each_other_in_pixels() -> None:
    slot, par = (
        board(Setting(seen, "4-3"), "reconstruction_mse", hri=[error])
        for seen, error in (("slot", 2e-3), ("par", 1e-3))
    )
    claim = BY_SENTENCE["ParDec is a little better than SlotDec."]
    reconstruction, prediction = findings(claim, Board(entries=(*slot.entries, *par.entries)))
    assert reconstruction.verdict == "holds"
    assert reconstruction.says == "ParDec errs 50 % less than SlotDec."
    assert "ParDec 0.001 (1 run), SlotDec 0.002 (1 run)" in reconstruction.numbers()
    assert prediction.verdict == "not run yet"


def test_images_are_compared_in_pixels_not_by_the_scale_of_their_slots() -> None:
    for claim in CLAIMS:
        for comparison in claim.comparisons:
            images = comparison.left.setting.seen != "state"
            assert comparison.metric in (("frame_mse", "reconstruction_mse") if images else ("nll",))


def test_an_error_of_zero_is_no_ratio() -> None:
    found = on_states(NRI_LSTM, board(lstm=[0.0], nri=[1.0]))
    assert found.verdict == "too close to call"
    assert found.details()


def test_all_claims_get_a_verdict_from_whole_files(tmp_path: Path) -> None:
    results = read(synthetic_results.write(tmp_path))
    found = {claim.sentence: findings(claim, results) for claim in CLAIMS}
    assert all(f.verdict in claims.VERDICTS for row in found.values() for f in row)
    assert "not run yet" not in {f.verdict for row in found.values() for f in row}
    assert [f.verdict for f in found["HRI still leads when NRI adds its messages as HRI does."]] == ["holds"]
    assert [f.verdict for f in found["Ten states of history predict better than one."]] == ["too close to call"]
    for row in found.values():
        for finding in row:
            assert finding.numbers()
            assert "Ratio" in finding.details()


def test_claims_and_tables_need_neither_torch_nor_streamlit_nor_numpy() -> None:
    heavy = "('torch', 'streamlit', 'numpy')"
    code = f"import sys, hri.experiments.claims; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

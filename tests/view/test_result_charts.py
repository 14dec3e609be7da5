"""What the result figures draw, number by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from hri.experiments import scaling
from hri.experiments.scoreboard import Board, Curve, Entry, Setting, Spread, read
from hri.view import result_charts as figures_results
from tests import synthetic_results as made

STATES = Setting("state", "4-3")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return read(made.write(tmp_path))


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    """Traces by name; each has one of its own."""
    found = {trace.meta: trace for trace in figure.data}
    assert len(found) == len(figure.data)
    return found


def test_curves_bands_and_the_copied_state_are_the_files_numbers(board: Board) -> None:
    drawn = traces(figures_results.error_over_horizon(board.of(STATES), "mse_by_step", log=False))
    for entry in board.of(STATES):
        curve = entry.curves["mse_by_step"]
        assert list(drawn[entry.model].x) == list(range(1, 21))
        np.testing.assert_allclose(drawn[entry.model].y, curve.mean)
        assert (f"band_{entry.model}" in drawn) == (entry.n > 1)
        if curve.std is not None:
            high, low = np.split(np.array(drawn[f"band_{entry.model}"].y), 2)
            np.testing.assert_allclose(high, np.add(curve.mean, curve.std))
            np.testing.assert_allclose(low[::-1], np.subtract(curve.mean, curve.std))
            assert f"{entry.n} runs" in drawn[entry.model].hovertemplate
        else:
            assert "one run" in drawn[entry.model].hovertemplate
    np.testing.assert_allclose(drawn["copy"].y, board.of(STATES)[0].curves["copy_baseline.mse_by_step"].mean)


def test_a_band_hides_with_its_line_and_only_main_models_are_shown_at_first(board: Board) -> None:
    drawn = traces(figures_results.error_over_horizon(board.of(STATES), "mse_by_step"))
    assert drawn["nri"].visible is None
    assert drawn["nri-lo"].visible == drawn["hri-h-one"].visible == "legendonly"
    assert drawn["band_nri"].legendgroup == drawn["nri"].legendgroup
    lone = [entry for entry in board.of(STATES) if entry.model == "nri-lo"]
    assert traces(figures_results.error_over_horizon(lone, "mse_by_step"))["nri-lo"].visible is None


def test_axis_and_bands_of_a_logarithmic_figure(board: Board) -> None:
    log = figures_results.error_over_horizon(board.of(STATES), "mse_by_step", log=True)
    assert log.layout.yaxis.type == "log"
    assert figures_results.error_over_horizon(board.of(STATES), "mse_by_step", log=False).layout.yaxis.type is None
    wide = board.of(STATES)[0]
    curve = wide.curves["mse_by_step"]
    wide.curves["mse_by_step"] = type(curve)(curve.mean, tuple(2 * x for x in curve.mean))
    band = traces(figures_results.error_over_horizon([wide], "mse_by_step", log=True))["band_lstm"]
    assert min(band.y) > 0


def test_every_model_looks_different_even_without_colour() -> None:
    looks = figures_results.LOOKS
    assert len(set(looks.values())) == len(looks)
    assert len({(dash, symbol) for _, dash, symbol in looks.values()}) == len(looks)


def test_unknown_models_and_missing_curves_are_no_error() -> None:
    curves = {"mse_by_step": Curve((1.0, 2.0), None)}
    entry = Entry("p", STATES, "mine", 1, {"nll": Spread(1.0, None, 1)}, curves)
    bare = Entry("p", STATES, "nri", 1, {}, {})
    assert list(traces(figures_results.error_over_horizon([entry, bare], "mse_by_step"))) == ["mine"]
    assert not figures_results.error_over_horizon([], "mse_by_step").data


@pytest.mark.parametrize("cost", ["time", "memory"])
def test_scaling_draws_each_series_with_its_power_at_the_end(cost: figures_results.Cost) -> None:
    growths = scaling.growths(made.scaling_result())
    figure = figures_results.scaling(growths, cost)
    drawn = traces(figure)
    assert list(drawn) == ["flat", "wider", "deeper"]
    assert list(drawn["flat"].x) == [21, 73, 85, 273]
    assert drawn["flat"].text[-1] == " N<sup>2.0</sup>"
    assert set(drawn["flat"].text[:-1]) == {""}
    assert drawn["wider"].text[-1] == " N<sup>1.5</sup>"
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    np.testing.assert_allclose(
        drawn["deeper"].y, [88 / 40, 408 / 40, 1688 / 40] if cost == "time" else [17.6, 81.6, 337.6]
    )

"""How cost grows: slopes with known answers, and a tiny measurement of the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hri.__main__ import main
from hri.experiments import scaling, scaling_measure
from tests import synthetic_results as made

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 2.5])
def test_a_power_law_has_its_power_as_slope(power: float) -> None:
    sizes = [21, 73, 85, 273]
    assert scaling.slope(sizes, [7 * n**power for n in sizes]) == pytest.approx(power)


def test_flat_edges_are_quadratic_and_hierarchical_ones_linear_in_depth() -> None:
    slopes = {growth.series: growth.slopes for growth in scaling.growths(made.scaling_result())}
    assert slopes["flat"]["edges"] == pytest.approx(2, abs=0.03)
    assert slopes["flat"]["time"] == pytest.approx(2)
    assert slopes["deeper"]["edges"] == pytest.approx(1, abs=0.1)
    assert slopes["wider"]["edges"] == pytest.approx(1.5, abs=0.05)


def test_edges_are_those_the_models_infer() -> None:
    assert [scaling_measure.edges(tree, "hri-h") for tree in scaling.WIDER] == [88, 592, 4384]
    assert [scaling_measure.edges(tree, "hri-h") for tree in scaling.DEEPER] == [88, 408, 1688]
    assert scaling_measure.edges("16-16", "nri") == 273 * 272 <= scaling.EDGES < scaling_measure.edges("4-4-4-4", "nri")


@pytest.mark.slow
def test_a_small_tree_is_measured_each_model_in_its_own_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scaling.json"
    code = main(["bench", "--scaling", "--trees", "2-2", "--seconds", "0", "--json", "--out", str(out)])
    told = capsys.readouterr()
    assert code == 0, told.err
    result = json.loads(told.out)
    assert result == json.loads(out.read_text())
    assert [(size["tree"], size["model"], size["edges"]) for size in result["sizes"]] == [
        ("2-2", "hri-h", 16),
        ("2-2", "nri", 42),
    ]
    for size in result["sizes"]:
        assert size["seconds"] > 0
        assert size["matmuls"] > 0
        assert 0 < size["memory_mb"] < 200, "more than the step's own memory was counted"
        assert size["batch"] == 8
    assert result["command"].endswith("--threads 1 --trees 2-2")
    assert result.keys() >= {"commit", "versions", "device", "matmul_ms", "frames", "slopes"}


def test_batches_shrink_where_edges_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Now:
        def __init__(self, *workers: object, **options: object): ...

        def __enter__(self) -> Now:
            return self

        def __exit__(self, *error: object) -> None: ...

        def submit(self, work: object, *job: object) -> Now:
            asked.append(job[:3])
            self.job = job
            return self

        def result(self) -> dict:
            tree, model = self.job[:2]
            return {"tree": tree, "model": model, "nodes": len(asked), "edges": 1, "matmuls": 1.0, "memory_mb": 1.0} | {
                "matmul_ms": 14.0
            }

    monkeypatch.setattr(scaling_measure, "ProcessPoolExecutor", Now)
    scaling_measure.measure_all()
    assert ("16-16", "nri", 1) in asked
    assert ("4-4-4-4", "hri-h", 8) in asked
    assert not [job for job in asked if job[:2] == ("4-4-4-4", "nri")]
    assert {batch for _, _, batch in asked} == {1, 8}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--scaling --trees 4-x", "unknown tree '4-x'"),
        ("--scaling --threads 0", "choose 1 or more of each"),
        ("--trees 4-4", "--trees belongs to --scaling"),
        ("--scaling --out no/such/folder.json", "there is no folder"),
    ],
)
def test_mistakes_are_one_line(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words.split()]) == 1
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sizes": 3}', '{"sizes": [{"model": "nri"}]}', '{"sizes": []}'])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "scaling.json").write_text(content)
    with pytest.raises(ValueError, match=r"scaling\.json cannot be used .*make it again with `python -m hri bench"):
        scaling.read(tmp_path)


def test_no_file_is_none_and_reading_needs_no_torch(tmp_path: Path) -> None:
    assert scaling.read(tmp_path) is None
    code = "import sys, hri.experiments.scaling, hri.view.result_charts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_words_tell_each_power() -> None:
    result = made.scaling_result()
    text = scaling.sentence(scaling.growths(result))
    assert "2.0 for flat messages (NRI), 1.1 for hierarchical ones (HRI-H) as levels are added, 1.5" in text
    assert "1 thread, commit abc1234" in scaling.caption(result)

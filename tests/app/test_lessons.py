"""What holds for every lesson: its parts, its code, where it is known; and the playground that lessons share."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.learn import arena, course
from app.learn.lessons import LESSONS, beliefs, chance, lesson_of
from app.learn.listing import listing
from hri.physics.palette import to_pixels
from tests.app.lessons.shown import ROOT, TREE, model


def test_every_lesson_has_all_its_parts() -> None:
    assert len({lesson.key for lesson in LESSONS}) == len(LESSONS)
    for lesson in LESSONS:
        for text in (lesson.title, lesson.idea, lesson.do, lesson.notice, lesson.question, lesson.answer):
            assert len(text) > 10
            assert "  " not in text
        assert len(lesson.idea.split()) < 110  # five minutes, of which most are for playing
        assert 1 <= len(lesson.mathematics) <= 2
        assert "says(" in lesson.code
    with pytest.raises(ValueError, match="choose from springs"):
        lesson_of("nothing")


def test_values_in_code_are_literals() -> None:
    awkward = "'); raise SystemExit('"
    lines = beliefs.LESSON.lines(checkpoint=awkward, seed=1, frames_seen=2, kind="siblings")
    compile(lines, "lines", "exec")
    assert repr(awkward) in lines


def test_the_lessons_say_how_the_models_were_trained() -> None:
    headers = [model(f"springs-4-3-state-{name}").header for name in ("hri-h-equal", "nri-equal", "lstm-equal")]
    assert {header.config.model.relations.temperature for header in headers} == {0.5}
    assert "0.5" in chance.LESSON.answer
    # "trained on the same systems, for the same number of updates"
    assert len({header.data for header in headers}) == 1
    assert len({header.steps["stage2"] for header in headers}) == 1
    assert headers[0].config.model.relations.history == 10  # "the last ten states"


def test_a_lesson_is_its_file_and_its_registration() -> None:
    """Neither page, hand-out, teacher's form nor another lesson knows one by name, so a new one is two files."""
    folder = ROOT / "app" / "learn" / "lessons"
    assert sorted(path.stem for path in folder.glob("*.py")) == sorted(["__init__", *(one.key for one in LESSONS)])
    for path in (ROOT / "app").rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        known = names & {f"app.learn.lessons.{one.key}" for one in LESSONS}
        assert path == folder / "__init__.py" or not known, (path, known)


def test_lessons_are_there_before_torch_and_numba() -> None:
    heavy = "('torch', 'numba')"
    code = f"import sys, app.learn.lessons; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_code_of_a_lesson_is_the_source_of_its_statement() -> None:
    for lesson in LESSONS:
        values = lesson.class_values(Path("checkpoints"), course.SCENE)
        assert list(inspect.signature(lesson.statement).parameters) == list(values)
        lines = lesson.lines(**values)
        compile(lines, "lines", "exec")
        source = {line.strip() for line in inspect.getsource(inspect.unwrap(lesson.statement)).splitlines()}
        shown = [line.strip() for line in lines.splitlines() if line.strip()]
        given = [line for line in shown if line.split(" = ")[0] in values]
        assert len(given) == len(values)
        imports = [line for line in shown if line.startswith("from ")]
        for line in shown[len(imports) + len(given) : -1]:
            assert line in source
        assert f"return {shown[-1].removeprefix('print(')[:-1]}" in source


def _twice(text: str) -> str:
    """A function with what a listing has to cope with."""
    from pathlib import PurePath

    # Why twice.
    path = PurePath(text) / TREE.__class__.__name__
    return f"{path} {path}"


def test_a_listing_imports_what_its_function_knows_and_prints_what_it_returns() -> None:
    assert listing(_twice, {"text": "a'b"}).splitlines() == [
        "from pathlib import PurePath",
        "from tests.app.test_lessons import TREE",
        "",
        'text = "a\'b"',
        "",
        "# Why twice.",
        "path = PurePath(text) / TREE.__class__.__name__",
        'print(f"{path} {path}")',
    ]
    with pytest.raises(ValueError, match="nothing to print"):
        listing(_nothing, {})


def _nothing() -> str:  # type: ignore[return]
    print("a")


# The playground ---------------------------------------------------------------------------------------


def test_places_go_to_the_browser_and_back() -> None:
    box = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    back = [arena.to_box(place) for place in to_pixels(box, 1).tolist()]
    assert np.allclose(back, box)
    assert arena.to_box([-3.0, 9.0]) == (-1.0, -1.0)


def test_the_playground_is_json_and_draws_what_is_asked() -> None:
    data = arena.arena_data(
        "a", np.zeros((3, 17, 2)), TREE, pairs=[(1, 5)], looks=["right"], balls_shown=[1, 5], chips="Pairs"
    )
    assert json.loads(json.dumps(data)) == data
    assert [node for node, ball in enumerate(data["balls"]) if ball] == [1, 5]
    assert data["arrays"]["index"]["x"]["shape"] == [3, 17, 2]
    assert data["view"] == arena.BOX_VIEW
    cells = arena.grid(np.linspace(0, 2, 16), choose=True)
    assert len(cells["boxes"]) == 16
    assert max(cells["lit"]) == 1
    assert arena.arena_data("a", np.zeros((1, 17, 2)), TREE, cells=cells)["view"] == arena.FRAME_VIEW

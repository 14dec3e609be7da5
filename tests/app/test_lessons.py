"""What lessons state is true: of the simulator by law, of the committed checkpoints by counting again."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import runpy
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from app.learn import arena, course
from app.learn import statements as lessons
from app.learn import statements_models as lessons_models
from app.learn import statements_pictures as lessons_pictures
from app.learn.course import LESSONS
from app.learn.lessons import SHOWS
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.experiments.scoreboard import read
from hri.model.checkpoint import Checkpoint, load
from hri.physics.palette import to_pixels
from hri.physics.springs import simulate
from hri.physics.systems import System
from hri.rollout.composition import slot_effects
from hri.rollout.edits import Curtain, SetEdge
from hri.rollout.influence import influence
from hri.rollout.interventions import Intervention
from hri.rollout.phases import phases
from hri.rollout.rollout import again, roll_out
from tests.synthetic import state_rollout

ROOT = Path(__file__).parents[2]
TREE = Tree.parse("4-3")


@cache
def model(name: str) -> Checkpoint:
    return load(file(name))


def file(name: str) -> Path:
    return ROOT / "checkpoints" / f"{name}.safetensors"


@cache
def stored(name: str) -> Rollout:
    return Rollout.load(ROOT / "assets" / "stored" / f"{name}.npz").scene(0)


def printed(key: str, **values: object) -> str:
    """What the code under a lesson prints, run as it is shown."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        path = Path(folder) / "lines.py"
        path.write_text(course.lesson(key).lines(**values), encoding="utf-8")
        runpy.run_path(str(path))
    return out.getvalue().strip()


def test_every_lesson_has_all_its_parts() -> None:
    assert list(SHOWS) == [lesson.key for lesson in LESSONS]
    for lesson in LESSONS:
        for text in (lesson.title, lesson.idea, lesson.do, lesson.notice, lesson.question, lesson.answer):
            assert len(text) > 10
            assert "  " not in text
        assert len(lesson.idea.split()) < 110  # five minutes, of which most are for playing
        assert 1 <= len(lesson.mathematics) <= 2
        assert "says(" in lesson.code
    with pytest.raises(ValueError, match="choose from springs"):
        course.lesson("nothing")


def test_values_in_code_are_literals() -> None:
    awkward = "'); raise SystemExit('"
    lines = course.BELIEFS.lines(checkpoint=awkward, seed=1, seen=2)
    compile(lines, "lines", "exec")
    assert repr(awkward) in lines


# Motion -----------------------------------------------------------------------------------------------


def test_springs_hold_together_what_they_join() -> None:
    joined, cut = [], []
    for seed in range(course.SCENE, course.SCENE + 20):
        system = System.of_seed("1-3", "04", seed)
        tree = System(system.tree, "04", ((0, 1), (1, 2), (1, 3), (1, 4)), system.positions, system.velocities)
        found = lessons.apart(tree, (4, 1))
        joined.append(found.joined.mean())
        cut.append(found.cut.mean())
        said = [float(number) for number in re.findall(r"\d\.\d\d", found.says())]
        assert said == [round(joined[-1], 2), round(cut[-1], 2)]
        assert ("times as far" in found.says()) == (cut[-1] > 1.1 * joined[-1])
        assert found.pair == (1, 4)
    assert cut[0] > 2 * joined[0]  # the scene that the lesson opens with
    assert np.mean(cut) > 1.5 * np.mean(joined)


def test_a_spring_may_be_there_already_or_not() -> None:
    system = System.of_seed("1-3", "04", 5)
    without = System(system.tree, "04", ((0, 1),), system.positions, system.velocities)
    with_it = System(system.tree, "04", ((0, 1), (1, 3)), system.positions, system.velocities)
    one, other = lessons.apart(without, (1, 3)), lessons.apart(with_it, (1, 3))
    assert np.array_equal(one.joined, other.joined)
    assert np.array_equal(one.cut, other.cut)
    track = with_it.simulate().positions[0]
    assert np.allclose(one.joined, np.hypot(*(track[:, 1] - track[:, 3]).T))
    assert printed("springs", system=without.to_address(), pair=(1, 3)) == one.says()


def test_families_explain_more_than_chance_groups() -> None:
    for seed in range(course.SCENE, course.SCENE + 10):
        found = lessons.grouped(simulate(TREE, "04", [seed]), TREE)
        assert found.chance < found.families <= 1
    assert (found.pairs_all, found.pairs_tree) == (272, 56)
    assert printed("parts", seed=seed) == found.says()


def test_explained_knows_its_limits() -> None:
    random = np.random.default_rng(0)
    middle = random.normal(size=(5, 4, 2))
    groups = np.repeat(np.arange(4), 3)
    assert lessons.explained(middle[:, groups], groups) == pytest.approx(1)  # everyone in the middle of its group
    apart = random.normal(size=(2000, 12, 2))
    assert lessons.explained(apart, groups) == pytest.approx(3 / 11, abs=0.02)  # independent: (G - 1) / (L - 1)
    assert lessons.explained(apart, np.zeros(12, dtype=int)) == pytest.approx(0)
    assert np.allclose(lessons.middles(middle[:, groups], groups), middle)


# Beliefs ----------------------------------------------------------------------------------------------


def test_the_model_knows_the_strong_springs_after_some_frames_and_nothing_before() -> None:
    for scene in range(3):
        rollout = Rollout.load(ROOT / "assets" / "stored" / f"{course.STATE_MODEL}.npz").scene(scene)
        found = lessons.beliefs(rollout)
        assert len(found.chances) == rollout.last_true_input + 2
        assert 0.3 < found.auroc[0] < 0.7
        assert found.auroc[5:].mean() > 0.9
        assert "cannot tell them apart" in found.says(0)
        assert "equal ones count half" in found.says(0)
        assert "tells them apart" in found.says(8)
        # Counted again, one comparison after the other.
        yes, no = found.chances[8, found.springs], found.chances[8, ~found.springs]
        won = sum(a > b for a in yes for b in no) / (len(yes) * len(no))
        assert f"{won:.0%} of {len(yes) * len(no)} comparisons." in found.says(8)
        assert f"get {yes.mean():.2f} on average" in found.says(8)


def test_the_code_of_beliefs_says_what_the_page_says() -> None:
    name = course.STATE_MODEL
    values = {"checkpoint": str(file(name)), "seed": course.SCENE, "seen": 8}
    assert printed("beliefs", **values) == lessons.beliefs(stored(name)).says(8)


def test_beliefs_need_springs_and_inferred_edges() -> None:
    made = state_rollout()
    found = lessons.beliefs(made)
    assert (found.springs == made.true_adjacency[0][tuple(found.sender_receiver.T)]).all()
    sure = lessons.Beliefs(found.sender_receiver, found.springs[None] * 0.5 + 0.2, found.springs)
    assert sure.auroc.tolist() == [1.0]
    one_kind = lessons.Beliefs(found.sender_receiver, found.chances, np.ones(12, dtype=bool))
    assert "nothing to tell apart" in one_kind.says(3)
    with pytest.raises(ValueError, match="state model"):
        lessons.beliefs(Rollout.load(ROOT / "assets" / "stored" / "springs-4-3-slot-hri.npz").scene(0))


# The playground ---------------------------------------------------------------------------------------


def test_places_go_to_the_browser_and_back() -> None:
    box = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    back = [arena.to_box(place) for place in to_pixels(box, 1).tolist()]
    assert np.allclose(back, box)
    assert arena.to_box([-3.0, 9.0]) == (-1.0, -1.0)


def test_the_playground_is_json_and_draws_what_is_asked() -> None:
    import json

    data = arena.arena_data(
        "a", np.zeros((3, 17, 2)), TREE, pairs=[(1, 5)], looks=["right"], shown=[1, 5], chips="Pairs"
    )
    assert json.loads(json.dumps(data)) == data
    assert [node for node, ball in enumerate(data["balls"]) if ball] == [1, 5]
    assert data["arrays"]["index"]["x"]["shape"] == [3, 17, 2]
    assert data["view"] == arena.BOX_VIEW
    cells = arena.grid(np.linspace(0, 2, 16), choose=True)
    assert len(cells["boxes"]) == 16
    assert max(cells["lit"]) == 1
    assert arena.arena_data("a", np.zeros((1, 17, 2)), TREE, cells=cells)["view"] == arena.FRAME_VIEW


# Pictures ---------------------------------------------------------------------------------------------

SLOT, PAR = "springs-4-3-slot-hri", "springs-4-3-par-hri"


def moved_ball(by: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures of three leaves, one of which has moved, and where."""
    start = simulate(TREE, "04", [course.SCENE]).positions[0, 0]
    moved = start.copy()
    moved[6] += [by, 0.1]
    return (*(lessons_pictures.picture_of(x, TREE, (5, 6, 7)) for x in (start, moved)), moved)


def test_only_slots_of_changed_cells_notice_with_slotdec_and_others_with_pardec() -> None:
    before, after, moved = moved_ball(0.35)
    slot = lessons_pictures.slot_change(model(SLOT), before, after)
    assert slot.noticed.any()
    assert not (slot.noticed & ~slot.touched).any()
    assert "none of them from another cell" in slot.says()
    par = lessons_pictures.slot_change(model(PAR), before, after)
    assert (par.touched == slot.touched).all()
    elsewhere = int((par.noticed & ~par.touched).sum())
    assert elsewhere > 0
    assert f"{elsewhere} of them from cells that stayed the same" in par.says()
    changed = np.argwhere((before != after).any(-1))  # row, column
    assert slot.touched.sum() == len({(r // 8, c // 8) for r, c in changed.tolist()})
    values = {"seed": course.SCENE, "places": {6: tuple(moved[6].tolist())}, "shown": (5, 6, 7)}
    assert printed("slots", checkpoint=str(file(SLOT)), **values) == slot.says()
    assert "has not changed" in lessons_pictures.slot_change(model(SLOT), before, before).says()
    with pytest.raises(ValueError, match="image model"):
        lessons_pictures.slot_change(model(course.STATE_MODEL), before, after)


def test_muting_a_slot_changes_its_own_cell_with_slotdec_and_others_with_pardec() -> None:
    effects = {
        name: slot_effects(model(file), stored(file), [20]) for name, file in (("SlotDec", SLOT), ("ParDec", PAR))
    }
    told = [lessons_pictures.muted(effects, slot) for slot in range(5, 21)]
    assert np.nanmean([found.inside["SlotDec"] for found in told]) > 2 * np.nanmean([f.inside["ParDec"] for f in told])
    assert told[0].scores["SlotDec"] > told[0].scores["ParDec"]
    change = np.abs(effects["SlotDec"].effects[0, 0]).sum(-1)  # leaf slot 5: the top left cell
    assert told[0].inside["SlotDec"] == pytest.approx(change[:8, :8].sum() / change.sum())
    files = {"SlotDec": SLOT, "ParDec": PAR}
    values = {name: str(ROOT / "checkpoints" / f"{file}.safetensors") for name, file in files.items()}
    assert printed("decoders", seed=course.SCENE, frame=20, slot=5, checkpoints=values) == told[0].says()


# Draws and messages -----------------------------------------------------------------------------------


def test_temperature_changes_how_decided_draws_are_and_never_who_wins() -> None:
    found = [lessons_models.draws(0.7, temperature, 4000) for temperature in (0.05, 0.5, 5.0)]
    winners = [one.weights > 0.5 for one in found]
    assert (winners[0] == winners[1]).all()
    assert (winners[0] == winners[2]).all()
    assert winners[0].mean() == pytest.approx(0.7, abs=0.03)
    decided = [np.maximum(one.weights, 1 - one.weights).mean() for one in found]
    assert decided[0] > decided[1] > decided[2] > 0.5
    assert printed("chance", probability=0.7, temperature=2.0) == lessons_models.draws(0.7, 2.0).says()
    with pytest.raises(ValueError, match="between 0 and 1"):
        lessons_models.draws(1.0, 0.5)


def test_the_lessons_say_how_the_models_were_trained() -> None:
    headers = [model(f"springs-4-3-state-{name}").header for name in ("hri-h", "nri", "lstm")]
    assert {header.config.model.relations.temperature for header in headers} == {0.5}
    assert "0.5" in course.CHANCE.answer
    assert len({header.data for header in headers}) == 1  # "trained on the same systems and equally long"
    assert len({header.steps["stage2"] for header in headers}) == 1
    assert headers[0].config.model.relations.history == 10  # "the last ten states"


def test_news_reaches_exactly_those_whose_memory_it_changes() -> None:
    """Change a leaf's hidden state before a phase of a real step, and see whose states differ after it."""
    checkpoint, rollout, step = model(course.STATE_MODEL), stored(course.STATE_MODEL), 20
    inside = phases(checkpoint, rollout, step)
    dynamics = checkpoint.model.dynamics
    kinds = torch.from_numpy(rollout.edge_types[0, step].astype(np.int64))
    weights = torch.nn.functional.one_hot(kinds, 2)[:, None].float()
    hidden = torch.from_numpy(inside.hidden[0])[:, None]
    with torch.no_grad():
        plain = [after for _, after in dynamics.speak(hidden, weights)]
        for leaf in (5, 12):
            pushed = hidden.clone()
            pushed[leaf] += 0.5
            others = [after for _, after in dynamics.speak(pushed, weights)]
            found = lessons_models.heard(TREE, inside, rollout, leaf)
            for phase in range(5):
                differs = (others[phase] - plain[phase]).abs().amax((1, 2)).numpy() > 0
                assert (differs == found.reached[phase]).all(), (leaf, phase)
    assert found.names == tuple(inside.titles[:5])
    values = {"checkpoint": str(file(course.STATE_MODEL)), "seed": course.SCENE}
    assert printed("messages", step=step, leaf=12, phase=2, **values) == found.says(2)


# Predictions ------------------------------------------------------------------------------------------


def test_distances_grow_and_are_those_of_balls() -> None:
    checkpoint = model(course.STATE_MODEL)
    rollout = roll_out(checkpoint, simulate(TREE, "04", [course.SCENE]), 40, pictures=False)
    found = lessons_models.horizon(rollout)
    assert found.seen == 10
    assert len(found.model) == 39
    assert found.model[0] < found.model[9] < found.model[-1]
    by_hand = np.hypot(*(rollout.predicted_slots[0, 9, :, :2] - rollout.slots[0, 10, :, :2]).T).mean()
    assert found.model[0] == pytest.approx(by_hand)
    assert (found.overtaken is None) == bool((found.model < found.copy).all())
    values = {"checkpoint": str(file(course.STATE_MODEL)), "seed": course.SCENE}
    assert printed("future", free=40, **values) == found.says()
    lost = dataclasses.replace(found, model=found.copy + np.where(np.arange(39) < 5, -0.01, 0.01))
    assert "From step 6 on" in lost.says()
    with pytest.raises(ValueError, match="state model"):
        lessons_models.horizon(stored(SLOT))


def test_causes_are_what_cutting_does() -> None:
    checkpoint, rollout = model(course.STATE_MODEL), stored(course.STATE_MODEL)
    found = lessons_models.causes(rollout, influence(checkpoint, rollout))
    row = int(found.effect.argmax())
    i, j = found.sender_receiver[row].tolist()
    cut = again(checkpoint, rollout, Intervention((SetEdge(i, j),)))
    moved = np.sqrt(np.square(cut.predicted_slots - rollout.predicted_slots).mean())
    assert found.effect[row] == pytest.approx(moved, rel=1e-3)
    assert "rank 1 of 56" in found.says(row, TREE)
    assert found.correlation == pytest.approx(spearmanr(found.belief, found.effect).statistic)
    flat = dataclasses.replace(found, belief=np.ones_like(found.belief))
    assert "correlation" not in flat.says(row, TREE)


def test_the_code_of_cutting_says_what_the_page_says() -> None:
    checkpoint = model(course.STATE_MODEL)
    seen = roll_out(checkpoint, simulate(TREE, "04", [7]))
    found = lessons_models.causes(seen, influence(checkpoint, seen))
    assert printed("cutting", checkpoint=str(file(course.STATE_MODEL)), seed=7, row=30) == found.says(30, TREE)


def test_the_contest_names_the_best_on_the_scene_and_quotes_the_results() -> None:
    names = {"HRI": "hri-h", "NRI": "nri", "LSTM": "lstm"}
    rolled = [stored(f"springs-4-3-state-{name}") for name in names.values()]
    found = lessons_models.contest(rolled, tuple(names))
    free = [np.square(r.predicted_slots[0, 40:] - r.slots[0, 41:]).mean() for r in rolled]
    assert found.errors == pytest.approx(free, rel=1e-4)
    assert f"On this scene {tuple(names)[int(np.argmin(free))]} errs least" in found.says()
    files = {name: str(file(f"springs-4-3-state-{model}")) for name, model in names.items()}
    assert printed("hierarchy", seed=course.SCENE, checkpoints=files) == found.says()
    said = lessons_models.verdicts(read(ROOT / "assets" / "results"))
    assert len(said) == 2
    assert all("HRI-H errs" in sentence for sentence in said)


def test_failures_are_failures() -> None:
    usual = stored(SLOT)
    covered = again(model(SLOT), usual, Intervention((Curtain(10, 10),)))
    behind = lessons_models.curtain_failure(usual, covered, 10, 10)
    assert behind.failing > 3 * behind.usual
    truth = usual.frames[0, 1:40, 10:22, 10:22] / 255
    by_hand = np.square(covered.predicted_frames[0, :39, 10:22, 10:22] - truth).mean() / np.square(truth).mean()
    assert behind.failing == pytest.approx(by_hand, rel=0.05)
    state = stored(course.STATE_MODEL)
    long = roll_out(model(course.STATE_MODEL), simulate(TREE, "04", [course.SCENE]), 40, pictures=False)
    late = lessons_models.long_failure(dataclasses.replace(state, frames=None), long)
    assert late.failing > 2 * late.usual
    assert "over 9 steps without truth" in late.says().lower()
    assert "times as much" in late.says()
    other = roll_out(model(SLOT), simulate(Tree.parse("3-3"), "05", [course.SCENE]), tree=Tree.parse("3-3"))
    odd = lessons_models.tree_failure(usual, other, "3-3")
    assert odd.failing > odd.usual
    assert "on a 3-3 system" in odd.says()


@pytest.mark.parametrize("case", ["curtain", "another tree", "a long run"])
def test_the_code_of_limits_says_what_the_page_says(case: str) -> None:
    usual = stored(SLOT)
    values = {"checkpoint": str(file(SLOT)), "seed": course.SCENE, "left": 10, "top": 10}
    if case == "curtain":
        covered = again(model(SLOT), usual, Intervention((Curtain(10, 10),)))
        failed = lessons_models.curtain_failure(usual, covered, 10, 10)
    elif case == "another tree":
        tree = Tree.parse("3-3")
        other = roll_out(model(SLOT), simulate(tree, "05", [course.SCENE]), tree=tree)
        failed = lessons_models.tree_failure(usual, other, "3-3")
    else:
        failed = lessons_models.long_failure(usual, roll_out(model(SLOT), simulate(TREE, "04", [course.SCENE]), 40))
    assert printed("limits", case=case, **values) == failed.says()

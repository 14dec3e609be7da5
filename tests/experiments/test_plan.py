"""Plans by name: which jobs they come to, in which order, with which commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hri.core.presets import PRESETS, VARIANTS
from hri.experiments.many_plan import read_plan
from hri.experiments.plan import PLANS, Group, Job, Plan, plan
from hri.experiments.reproduce_publish import published_name

HERE = Path("runs/here")

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_comes_to_jobs_of_presets_with_folders_of_their_own(name: str) -> None:
    jobs = plan(name).jobs(HERE)
    assert len({job.name for job in jobs}) == len(jobs)
    for job in jobs:
        assert job.preset in PRESETS
        assert (job.config.train.seed, job.config.train.updates) == (job.seed, job.updates)
        assert job.name.endswith(f"-seed{job.seed}")
        assert job.counted == (job.config.train.stage1_updates if job.stage == 1 else job.updates) > 0


def test_the_plan_of_states_trains_every_model_and_three_seeds_of_some() -> None:
    jobs = plan("states").jobs(HERE)
    seeds = {model: [job.seed for job in jobs if job.model == model] for model in VARIANTS}
    assert seeds == {
        model: [0, 1, 2] if model in ("lstm", "nri", "hri-h", "nri-residual", "hri-gt", "nri-gt") else [0]
        for model in VARIANTS
    }
    assert [job.seed for job in jobs] == sorted(job.seed for job in jobs)
    assert {job.updates for job in jobs} == {3000}
    assert {job.updates for job in plan("states", updates=7).jobs(HERE)} == {7}


def test_models_of_images_share_one_encoder_and_decoder() -> None:
    jobs = plan("images", stage1_updates=9).jobs(HERE)
    first = [job for job in jobs if job.stage == 1]
    assert [job.name for job in first] == ["springs-4-3-slot-stage1-seed0", "springs-4-3-par-stage1-seed0"]
    assert jobs[:2] == tuple(first)
    assert [job.counted for job in first] == [9, 9]
    for job in jobs[2:]:
        assert job.after == f"springs-4-3-{job.seen}-stage1-seed0"
        assert job.vision == str(HERE / job.after / "best.safetensors")
    given = plan("images", vision={"slot": "mine.safetensors"}).jobs(HERE)
    assert [job.seen for job in given if job.stage == 1] == ["par"]
    assert {(job.vision, job.after) for job in given if job.seen == "slot"} == {("mine.safetensors", "")}


def test_an_encoder_is_trained_once_for_all_seeds() -> None:
    images = replace(PLANS["images"], groups=(Group(("lstm", "nri"), seeds=(0, 3), seen="par"),))
    names = [job.name.removeprefix("springs-4-3-par-") for job in images.jobs(HERE)]
    assert names == ["stage1-seed0", "lstm-seed0", "nri-seed0", "lstm-seed3", "nri-seed3"]


def test_commands_are_what_a_person_would_type() -> None:
    job = Job("nri", "slot", "4-3", 3, 20, (("train.evaluate_every", 5),), vision="v.safetensors")
    train, evaluate = job.commands(HERE)
    assert " ".join(train) == (
        "train --preset springs-4-3-slot-nri --run runs/here/springs-4-3-slot-nri-seed3 --seed 3 --updates 20 "
        "--train.evaluate-every 5 --vision-from v.safetensors --resume"
    )
    assert " ".join(evaluate) == ("evaluate --checkpoint runs/here/springs-4-3-slot-nri-seed3/best.safetensors --json")


def test_what_is_asked_for_is_part_of_the_plan() -> None:
    fixed = plan("images", 30, 20, {"par": "p.safetensors"}).fixed()
    assert fixed == {
        "plan": "images",
        "updates": 30,
        "settings": {"train.stage1_updates": 20},
        "vision": {"par": "p.safetensors"},
    }


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"name": "state"}, r"unknown plan 'state'; choose from states, .* \(did you mean states\?\)"),
        ({"name": "states", "updates": 0}, "--updates is 0"),
        ({"name": "states", "stage1_updates": 5}, "trains no encoder here: leave --stage1-updates out"),
        ({"name": "images", "stage1_updates": 0}, "--stage1-updates is 0"),
        ({"name": "images", "stage1_updates": 3, "vision": {"slot": "a", "par": "b"}}, "trains no encoder here"),
        ({"name": "states", "vision": {"slot": "a"}}, "trains no slot models: leave --vision-from-slot out"),
        ({"name": "states", "updates": 10**9}, "train.updates is 1000000000"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(asked: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan(**asked)


def test_a_setting_that_does_not_exist_is_named() -> None:
    odd = Plan("odd", "", (Group(("lstm",)),), settings=(("train.nonsense", 1),))
    with pytest.raises(ValueError, match=r"unknown setting config\.train\.nonsense"):
        _ = odd.jobs(HERE)[0].config


def test_runs_for_a_gpu_are_those_of_the_plans_setting_for_setting() -> None:
    """So what a GPU trained counts as a run of the plan."""
    wanted = {job.config for name in ("states", "states-3-3", "states-long") for job in PLANS[name].jobs(Path())}
    found = [
        run for run in read_plan(ROOT / "assets" / "plans" / "gpu.json") if run.name.startswith(("long-", "equal-"))
    ]
    assert {run.config for run in found} == wanted
    assert len(found) == len(wanted)


def test_a_model_that_another_plan_trains_longer_leaves_it_the_bare_name(tmp_path: Path) -> None:
    equal, longer = (
        {published_name(PLANS[name], job) for job in PLANS[name].jobs(tmp_path)} for name in ("states", "states-long")
    )
    assert not equal & longer, "no checkpoint overwrites another's"
    assert {f"{name}-equal" for name in longer} <= equal
    assert {"springs-4-3-state-hri", "springs-4-3-state-hri-h-equal-seed2"} <= equal

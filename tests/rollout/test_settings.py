"""The settings of a roll-out: one declaration, from which command, record, script and caches take theirs."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from hri.cli.predict import Flags
from hri.core.limits import limits
from hri.core.records import Rollout
from hri.core.settings import docstrings
from hri.export.script import python_lines
from hri.physics.springs import simulate
from hri.rollout.edits import Mute, SetEdge, SetLevel
from hri.rollout.interventions import Intervention
from hri.rollout.rollout import again, roll_out
from hri.rollout.settings import STANDARD, Settings, settings_of
from tests.rollout.test_rollout import made, scenes
from tests.synthetic import state_rollout

UNUSUAL = Settings(6, "sample", "truth", 5, Intervention((Mute(6), SetEdge(8, 2))))


def test_a_number_is_that_of_free_steps_and_named_settings_replace_the_others() -> None:
    assert Settings.of(STANDARD) == STANDARD
    assert Settings.of(7) == dataclasses.replace(STANDARD, free_steps=7)
    assert Settings.of(UNUSUAL, edges="none").edges_from == "truth"
    with pytest.raises(TypeError, match="edge_from"):
        Settings.of(UNUSUAL, edge_from="truth")


def test_one_object_single_names_and_a_rollout_made_with_them_say_the_same() -> None:
    one, state = roll_out(made(), scenes(), UNUSUAL), vars(UNUSUAL)
    assert settings_of(one) == UNUSUAL
    for other in (roll_out(made(), scenes(), **state), again(made(), roll_out(made(), scenes()), settings=UNUSUAL)):
        assert settings_of(other) == UNUSUAL
        assert (other.predicted_slots == one.predicted_slots).all()


def test_the_record_of_every_setting_is_read_back() -> None:
    plain = state_rollout()
    record = dataclasses.replace(plain, **UNUSUAL.to_record(plain.slots.shape[1]))
    assert settings_of(record) == UNUSUAL
    assert settings_of(dataclasses.replace(plain, **STANDARD.to_record(plain.slots.shape[1]))) == STANDARD


def test_every_stored_rollout_was_made_with_the_standard_settings() -> None:
    stored = sorted((Path(__file__).parents[2] / "assets" / "stored").glob("*.npz"))
    assert stored
    assert {path.stem for path in stored if settings_of(Rollout.load(path)) != STANDARD} == set()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(0), "0 free steps do not fit 16 frames; choose 1 to 15"),
        (Settings(16), "16 free steps do not fit 16 frames; choose 1 to 15"),
        (Settings(seed=-1), "seed is -1; choose a value from 0 to 4294967295"),
        (Settings(seed=2**32), "seed is 4294967296; choose a value from 0 to 4294967295"),
    ],
)
def test_what_does_not_fit_is_one_sentence(settings: Settings, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        settings.check(16)


@pytest.mark.parametrize("name", ["edges", "edges_from"])
def test_a_word_that_is_no_choice_is_answered_with_the_choices(name: str) -> None:
    odd = dataclasses.replace(STANDARD)
    object.__setattr__(odd, name, "best")  # as a stranger's record may say
    with pytest.raises(ValueError, match=f"^unknown {name} 'best'; choose from .*(argmax, sample|predictions, truth)"):
        odd.check(16)


def test_settings_that_do_the_same_have_one_identity() -> None:
    edits = Mute(6), SetLevel("up")
    one, other = (dataclasses.replace(STANDARD, intervention=Intervention(order)) for order in (edits, edits[::-1]))
    assert one.identity == other.identity
    assert one.identity[:4] == list(vars(STANDARD).values())[:4]
    assert one.identity != STANDARD.identity


def test_the_command_and_the_script_have_every_setting() -> None:
    fields = {item.name: item.default for item in dataclasses.fields(Settings)}
    assert {item.name: item.default for item in dataclasses.fields(Flags)} == fields
    assert docstrings(Settings).keys() == fields.keys()
    assert limits(Settings).keys() == {"free_steps", "seed"}
    scene = simulate(made().model.tree, "04", [11])
    lines = python_lines(roll_out(made(), scene, UNUSUAL), "model.safetensors", "4-3", "04")
    told = "free_steps=6, edges='sample', edges_from='truth', seed=5, tree=tree, intervention=edits)"
    assert f"seen = roll_out(model, scene, {told}" in lines

"""The player's scripts: one text for the app and for pages that play offline."""

from __future__ import annotations

import pytest

from app.parts import _place
from app.places import PLAYER
from hri.export.offline import page
from hri.view import browser
from tests.synthetic import slot_rollout

SHARED = ("marks", "clock", "images", "timeline", "graph")


@pytest.mark.parametrize("name", SHARED)
def test_the_app_and_a_page_that_plays_offline_are_given_the_same_script(name: str) -> None:
    assert browser.script(name) in page(slot_rollout())
    assert _place(f"{name}.js").read_text(encoding="utf-8") == browser.script(name)
    assert not (PLAYER / f"{name}.js").exists(), "there is one of each"


def test_a_part_brings_what_it_needs_and_hides_its_names() -> None:
    text = browser.part("graph", "svg")
    assert text.startswith("const graph = (() => {")
    assert text.endswith("return mount;\n})();")
    assert browser.script("svg") in text
    assert browser.script("graph") in text


def test_scripts_of_the_package_do_not_know_streamlit() -> None:
    for script in browser.FOLDER.glob("*.js"):
        assert "treamlit" not in script.read_text(encoding="utf-8"), script.name

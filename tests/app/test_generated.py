"""Addresses, whatever is typed into them: what is here is shown, and all else is one sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import address, library
from app.library import Scene
from tests.generated import cases
from tests.synthetic import slot_rollout

ROLLOUT = slot_rollout(times=13, free=3)
SCENE = Scene(library.ModelSource("a model", Path("none")), "springs-4-3", 7, ROLLOUT)
EDGES = [tuple(pair) for pair in ROLLOUT.edge_sender_receiver.tolist()]
LAST = ROLLOUT.slots.shape[1] - 1
anything = st.text(max_size=80)


def asked(monkeypatch: pytest.MonkeyPatch, **parameters: str) -> None:
    """The address that the browser shows."""
    monkeypatch.setattr(address, "st", SimpleNamespace(query_params=parameters))


@cases(60)
@given(frame=st.none() | st.integers(0, LAST), target=st.none() | st.integers(0, 20) | st.sampled_from(EDGES))
def test_what_the_scene_has_is_opened_without_a_word(
    monkeypatch: pytest.MonkeyPatch, frame: int | None, target: int | tuple[int, int] | None
) -> None:
    wanted = {"frame": frame, "select": "-".join(map(str, target)) if isinstance(target, tuple) else target}
    asked(monkeypatch, **{name: str(value) for name, value in wanted.items() if value is not None})
    opening, told = address.opening(SCENE)
    assert told == []
    if frame is None and target is None:
        assert opening is None
        return
    assert opening is not None
    assert opening["frame"] == frame
    selected = opening["selected"] or {}
    if isinstance(target, tuple):
        assert selected == {"kind": "edge", "sender": target[0], "receiver": target[1]}
    elif target is not None:
        assert selected == {"kind": "node", "node": target}


@cases(100)
@given(
    frame=anything | st.integers(-5, 10**7).map(str),
    target=anything | st.from_regex(r"\A[0-9]{1,5}(-[0-9]{1,5})?\Z"),
)
def test_what_the_scene_has_not_is_told_in_one_sentence_each(
    monkeypatch: pytest.MonkeyPatch, frame: str, target: str
) -> None:
    asked(monkeypatch, frame=frame, select=target)
    opening, told = address.opening(SCENE)
    shown: dict[str, Any] = opening or {"frame": None, "selected": None}
    assert shown["frame"] is None or 0 <= shown["frame"] <= LAST
    assert len(told) == sum(
        text != "" and value is None for text, value in zip((frame, target), shown.values(), strict=True)
    )
    for sentence in told:
        assert sentence.startswith("The address asks for ")
        assert "\n" not in sentence
        assert len(sentence) < 160


@cases(100)
@given(
    seed=st.integers(0, 2**33).map(str) | anything,
    threshold=st.decimals(0, 2, places=2).map(str) | anything,
    level=st.sampled_from(["16", "all"]) | anything,
)
def test_values_out_of_range_are_told_and_no_others(
    monkeypatch: pytest.MonkeyPatch, seed: str, threshold: str, level: str
) -> None:
    asked(monkeypatch, seed=seed, threshold=threshold, level=level)
    told = address.unknown_values({"level": ("16", "4", "1", "all")})

    def within(text: str, low: float, high: float) -> bool:
        return text.isascii() and text.replace(".", "", 1).isdigit() and low <= float(text) <= high

    assert any("level" in sentence for sentence in told) == (level not in ("16", "4", "1", "all"))
    if within(seed, 0, library.LAST_SEED) and len(seed) <= 10 and "." not in seed:
        assert not any("for seed" in sentence for sentence in told)
    else:
        assert any("for seed" in sentence for sentence in told)
    if not within(threshold, 0, 1):
        assert any("for threshold" in sentence for sentence in told)
    elif len(threshold) < 10 and threshold[0] in "01" and threshold[-1] != ".":
        assert not any("for threshold" in sentence for sentence in told)
    assert all("\n" not in sentence and len(sentence) < 200 for sentence in told)

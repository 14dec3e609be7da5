"""Rollouts from strangers: whatever is accepted can be drawn, and the rest is refused in one sentence."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest

from hri.core.records import Rollout
from hri.rollout.rollout_files import LARGEST, check_rollout, read_rollout
from hri.view import facts as pictures
from hri.view import history_charts as figures_history
from hri.view import player
from tests.synthetic import slot_rollout, state_rollout


@pytest.fixture(autouse=True)
def _as_in_the_app() -> Iterator[None]:
    """Shapes are not checked there while it runs: what is refused here is refused by the reader."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


STATES, SLOTS = state_rollout(times=6, free=3), slot_rollout(times=6, free=3, types=3)
BODY = dataclasses.replace(STATES, joints=np.array([f"Joint_{node}" for node in range(17)]))


def arrays(rollout: Rollout) -> dict[str, Any]:
    return {f.name: np.asarray(v) for f in dataclasses.fields(rollout) if (v := getattr(rollout, f.name)) is not None}


def packed(values: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **values)
    return file.getvalue()


def draw(rollout: Rollout) -> None:
    """What the Explore page makes of a rollout without a model."""
    scene = rollout.scene(len(rollout.slots) - 1)
    player.image_data(scene)
    player.timeline_data(scene)
    player.matrix_data(scene)
    rows = pictures.edge_rows(scene, "hierarchy")
    player.ledger_data(scene, rows)
    player.graph_data(scene, rows, "image")
    figures_history.node_states(scene, scene.tree.size - 1)


@pytest.mark.parametrize("rollout", [STATES, SLOTS, BODY], ids=["states", "slots", "body"])
def test_what_the_page_saves_comes_back_and_can_be_drawn(rollout: Rollout, tmp_path: Path) -> None:
    rollout.save(tmp_path / "mine.npz")
    seen = read_rollout((tmp_path / "mine.npz").read_bytes())
    for name, array in arrays(rollout).items():
        assert np.array_equal(getattr(seen, name), array), name
    draw(seen)


def answer(content: bytes) -> str:
    """Why a file is refused; nothing when it is accepted, which draws it."""
    try:
        seen = read_rollout(content)
    except ValueError as error:
        return str(error)
    draw(seen)
    return ""


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
def test_any_array_that_was_tampered_with_is_refused_or_can_be_drawn(rollout: Rollout) -> None:
    whole, refused, file = arrays(rollout), 0, io.BytesIO()
    for name, array in whole.items():
        for change in (
            lambda a: a[..., None],
            lambda a: a[..., :-1] if a.ndim else a,
            lambda a: a[:0] if a.ndim else a,
            lambda a: a * 0 - 7 if a.dtype.kind in "if" else a,
            lambda a: a * np.float64("nan") if a.dtype.kind in "iuf" else a,
            lambda a: a.astype(np.float64) * 1e30 if a.dtype.kind in "iuf" else a,
            lambda a: a.astype(np.complex64) if a.dtype.kind in "iuf" else a.astype(bytes),
        ):
            with np.errstate(all="ignore"):
                changed = change(array)
                if changed.dtype == array.dtype and np.array_equal(changed, array):
                    continue
                file.seek(0)
                np.savez(file, **whole | {name: changed})
                told = answer(file.getvalue())
            refused += bool(told)
            assert len(told.splitlines()) < 2, name
            assert len(told) < 500, name
    assert refused > 3 * len(whole)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"parents": np.arange(9)}, "damaged"),
        ({"edits": np.array("{")}, "the edits are no JSON"),
        ({"last_true_input": np.array(99)}, "lies in 1 to 5"),
        ({"observation": np.array("dreams")}, "neither states nor frames|no rollout"),
        ({"edge_sender_receiver": np.zeros_like(STATES.edge_sender_receiver)}, "an edge joins no two nodes"),
        ({"edge_probabilities": STATES.edge_probabilities + 1}, "outside 0 … 1"),
        ({"edge_types": STATES.edge_types + 2}, "a type that is not there"),
        ({"checkpoint": np.array("x" * 500)}, "name is too long"),
        ({"slots": STATES.slots * np.float32("inf")}, "not finite"),
        ({"joints": np.array(["<b>ha\nnd</b>"] * 17)}, "names of joints are missing or hold odd characters"),
        ({"joints": np.array(["hand"] * 16)}, "names of joints are missing or hold odd characters"),
        ({"joints": np.array([""] * 17)}, "names of joints are missing or hold odd characters"),
        ({"joints": np.array(["x" * 101] * 17)}, "names of joints are missing or hold odd characters"),
        ({"edges": np.array("guess")}, "chosen in a way that is unknown"),
        ({"edges_from": np.array("<b>")}, "from neither predictions nor truth"),
        ({"checkpoint": np.array([{}], dtype=object)}, "not a readable .npz"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_rollout(packed(arrays(STATES) | values))


def test_other_files_are_refused_and_none_is_unpacked_beyond_the_limit() -> None:
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("slots.npy", "w") as member:
        for _ in range(LARGEST // 10_000_000 + 1):
            member.write(bytes(10_000_000))
    for content, says in [
        (b"", "is empty"),
        (b"\x93NUMPY", "no .npz"),
        (packed({"slots": np.zeros(3)}), "the file is not a rollout: it lacks"),
        (packed(arrays(STATES))[:-300], "no .npz"),
        (large.getvalue(), "the limit is"),
    ]:
        with pytest.raises(ValueError, match=says):
            read_rollout(content)
    many = {
        name: np.repeat(array, 201, 0) if array.ndim and len(array) == 1 else array
        for name, array in arrays(STATES).items()
    }
    with pytest.raises(ValueError, match="it has 201 scenes; the page shows 1 to 200"):
        read_rollout(packed(many))


def test_units_belong_to_what_they_measure() -> None:
    rollout = state_rollout()
    width = rollout.slots.shape[3]
    span = np.stack([np.zeros(width), np.ones(width)], 1).astype(np.float32)
    units = np.array(["mm"] * width)
    good = dataclasses.replace(rollout, state_span=span, units=units)
    check_rollout(good)
    assert np.allclose(good.in_units(rollout.slots), (rollout.slots + 1) / 2)
    for broken in (
        dataclasses.replace(good, units=None),
        dataclasses.replace(good, state_span=span[:, ::-1]),
        dataclasses.replace(good, state_span=span * np.nan),
        dataclasses.replace(good, units=np.array(["m" * 41] * width)),
        dataclasses.replace(good, units=np.array(["\n"] * width)),
    ):
        with pytest.raises(ValueError, match="it is damaged"):
            check_rollout(broken)

"""Records: slices, normalisation, and files that are whole or not there."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from hri.core.files import read_npz, replacing, write_npz, write_npz_parts
from hri.core.hierarchy import Tree
from hri.core.records import Normalisation, Rollout, Trajectories
from tests.disk import disk_of

TREE = Tree.parse("2-2")
UNREADABLE = r"is not a readable \.npz of plain arrays"


def trajectories(count: int = 3) -> Trajectories:
    random, n = np.random.default_rng(0), TREE.size
    return Trajectories(
        seeds=np.arange(42, 42 + count),
        positions=random.uniform(-0.8, 0.9, (count, 5, n, 2)),
        velocities=random.uniform(-2.0, 3.0, (count, 5, n, 2)),
        adjacency=np.stack([TREE.possible] * count),
        possible=TREE.possible,
    )


def rollout(scenes: int = 2, times: int = 6) -> Rollout:
    random, n = np.random.default_rng(1), TREE.size
    senders, receivers = TREE.edges
    logits = random.normal(size=(scenes, times, len(senders), 2)).astype(np.float32)
    return Rollout(
        parents=np.array(TREE.parents),
        edge_sender_receiver=np.stack([senders, receivers], 1),
        last_true_input=3,
        observation="states",
        slots=random.normal(size=(scenes, times, n, 4)).astype(np.float32),
        predicted_slots=random.normal(size=(scenes, times - 1, n, 4)).astype(np.float32),
        edge_logits=logits,
        edge_probabilities=1 / (1 + np.exp(-logits)),
        edge_types=logits.argmax(-1),
        seeds=np.arange(scenes),
        true_adjacency=np.stack([TREE.possible] * scenes),
        checkpoint="springs-4-3-state-hri",
    )


def assert_same(first: Rollout, second: Rollout) -> None:
    for field in dataclasses.fields(Rollout):
        a, b = getattr(first, field.name), getattr(second, field.name)
        assert type(a) is type(b), field.name
        np.testing.assert_array_equal(a, b)


# --- trajectories ----------------------------------------------------------------------------------------


def test_a_part_of_the_trajectories_keeps_rows_together() -> None:
    whole = trajectories()
    assert len(whole) == 3
    for rows in (slice(1, 3), np.array([2, 0])):
        part = whole[rows]
        assert len(part) == 2
        np.testing.assert_array_equal(part.seeds, whole.seeds[rows])
        np.testing.assert_array_equal(part.positions, whole.positions[rows])
        np.testing.assert_array_equal(part.possible, whole.possible)


def test_states_fill_the_range_and_positions_come_back() -> None:
    raw = trajectories()
    ranges = Normalisation.of(raw)
    states = ranges.states(raw.positions, raw.velocities)
    assert states.dtype == np.float32
    for columns in (slice(0, 2), slice(2, 4)):
        np.testing.assert_allclose((states[..., columns].min(), states[..., columns].max()), (-1, 1), atol=1e-6)
    np.testing.assert_allclose(ranges.positions(states), raw.positions, atol=1e-6)


def test_dividing_by_the_largest_position_first_changes_nothing() -> None:
    raw = trajectories()
    largest = np.abs(raw.positions).max()
    divided = dataclasses.replace(raw, positions=raw.positions / largest, velocities=raw.velocities / largest)
    np.testing.assert_allclose(
        Normalisation.of(divided).states(divided.positions, divided.velocities),
        Normalisation.of(raw).states(raw.positions, raw.velocities),
        atol=1e-6,
    )


# --- rollouts --------------------------------------------------------------------------------------------


def test_a_rollout_survives_the_disk(tmp_path: Path) -> None:
    ours = rollout()
    ours.save(tmp_path / "r.npz")
    assert_same(Rollout.load(tmp_path / "r.npz"), ours)
    assert_same(Rollout.load(io.BytesIO((tmp_path / "r.npz").read_bytes())), ours)
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]
    assert ours.tree == TREE


def test_one_scene_of_a_rollout() -> None:
    whole = rollout()
    scene = whole.scene(1)
    np.testing.assert_array_equal(scene.slots, whole.slots[1:])
    np.testing.assert_array_equal(scene.seeds, [1])
    np.testing.assert_array_equal(scene.edge_sender_receiver, whole.edge_sender_receiver)
    assert scene.frames is None
    assert scene.checkpoint == whole.checkpoint


@pytest.mark.parametrize("missing", ["slots", "parents", "last_true_input", "edge_types"])
def test_a_file_that_is_no_rollout_says_what_it_lacks(tmp_path: Path, missing: str) -> None:
    rollout().save(tmp_path / "r.npz")
    arrays = read_npz(tmp_path / "r.npz")
    del arrays[missing]
    write_npz(tmp_path / "r.npz", arrays)
    with pytest.raises(ValueError, match=rf"is not a rollout: it lacks {missing}; make one with"):
        Rollout.load(tmp_path / "r.npz")


# --- reading ---------------------------------------------------------------------------------------------


class CodeInArrays:
    """Unpickling this makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.mark),))


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    np.savez(tmp_path / "trap.npz", a=np.array([CodeInArrays(mark)], dtype=object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(CodeInArrays(mark)))
    for name in ("trap.npz", "pickle.npz"):
        with pytest.raises(ValueError, match=UNREADABLE):
            read_npz(tmp_path / name)
    assert not mark.exists()


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    (tmp_path / "empty.npz").touch()
    for name in ("single.npy", "text.npz", "empty.npz"):
        with pytest.raises(ValueError, match=rf"{name} {UNREADABLE}"):
            read_npz(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path, compressed: bool) -> None:
    buffer, random = io.BytesIO(), np.random.default_rng(3)
    (np.savez_compressed if compressed else np.savez)(buffer, a=np.arange(500), b=random.random(40))
    whole, path = buffer.getvalue(), tmp_path / "damaged.npz"
    for kept in range(0, len(whole), 97):
        path.write_bytes(whole[:kept])
        with pytest.raises(ValueError, match=UNREADABLE):
            read_npz(path)
    for _ in range(400):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        with contextlib.suppress(ValueError):  # some bytes (dates, attributes) mean nothing to the reader
            read_npz(path)


# --- writing ---------------------------------------------------------------------------------------------


def test_writing_replaces_what_was_there(tmp_path: Path) -> None:
    for value in (1, 2):
        write_npz(tmp_path / "a.npz", {"value": np.array(value)})
        assert read_npz(tmp_path / "a.npz")["value"] == value
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    rollout().save(tmp_path / "r.npz")
    older = (tmp_path / "r.npz").read_bytes()
    with disk_of(len(older) // 2), pytest.raises(OSError, match="File too large"):
        rollout().save(tmp_path / "r.npz")
    assert (tmp_path / "r.npz").read_bytes() == older
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failing_disk_is_reported_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_npz(tmp_path / "a.npz", {"value": np.zeros(3)})
    with pytest.raises(OSError, match="No space left on device"):
        write_npz_parts(tmp_path / "a.npz", 3, [{"value": np.zeros(3)}], {})
    assert not list(tmp_path.iterdir())


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replacing(target) as file:
        file.write(b"ne")
        file.flush()
        assert target.read_text() == "old"
        file.write(b"w")
    assert target.read_text() == "new"
    with contextlib.suppress(KeyError), replacing(target) as file:
        file.write(b"newer")
        raise KeyError
    assert target.read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("cuts", [[0, 7], [0, 1, 3, 7], [0, 7, 7]])
def test_parts_join_to_the_whole(tmp_path: Path, cuts: list[int]) -> None:
    random = np.random.default_rng(2)
    whole = {
        "pixels": random.integers(0, 255, (7, 3, 2), dtype=np.uint8),
        "places": random.normal(size=(7, 4)).astype(np.float32),
        "seeds": np.arange(7),
    }
    parts = [{name: array[a:b] for name, array in whole.items()} for a, b in itertools.pairwise(cuts)]
    write_npz_parts(tmp_path / "a.npz", 7, iter(parts), {"once": np.eye(2)})
    written = read_npz(tmp_path / "a.npz")
    assert sorted(written) == ["once", "pixels", "places", "seeds"]
    for name, array in whole.items():
        np.testing.assert_array_equal(written[name], array)
        assert written[name].dtype == array.dtype


@pytest.mark.parametrize("size", [10, 300, 5_000, 30_000])
def test_a_disk_that_fills_while_streaming_leaves_nothing(tmp_path: Path, size: int) -> None:
    noise = np.random.default_rng(4).integers(0, 255, (8, 5000), dtype=np.uint8)
    parts = ({"pixels": noise[i : i + 1], "places": noise[i : i + 1] / 255} for i in range(8))
    with disk_of(size), pytest.raises(OSError, match="File too large"):
        write_npz_parts(tmp_path / "a.npz", 8, parts, {})
    assert not list(tmp_path.iterdir())

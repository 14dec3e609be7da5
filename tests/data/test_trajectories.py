"""Trajectories of one's own: what readers make of arrays, tables and generators' files, and what becomes of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hri.core.hierarchy import Tree
from hri.core.presets import preset
from hri.data.formats import own
from hri.data.grouping import in_order, proposed_parents
from hri.data.own_windows import as_simulated, window_frames
from hri.data.raw import Choices, Layout
from hri.data.sources import source_of
from hri.data.trajectories import FILE, TrajectorySet
from hri.physics.springs import simulate
from tests.trajectories import FIRST_SEED, NAMES, moving, write_generated, write_table

COUNTS = {"train": 6, "valid": 2, "test": 2}


def read(path: Path, layout: Layout | None = None, **choices: object) -> TrajectorySet:
    return own.read([path], Choices(**choices), layout or Layout())  # type: ignore[arg-type]


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **{name: np.asarray(value) for name, value in arrays.items()})
    return path


# The published generator's files -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def springs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_generated(tmp_path_factory.mktemp("nri"), "springs", COUNTS)


def test_files_of_the_published_generator_are_the_systems_that_wrote_them(springs: Path) -> None:
    data = read(springs)
    systems = simulate(Tree.balls(5), "springs", range(FIRST_SEED["test"], FIRST_SEED["test"] + 2))
    assert [len(data.of(split)) for split in ("train", "validation", "test")] == [6, 2, 2]
    assert (data.tree, data.truth, data.axes, data.timed) == (Tree.balls(5), "relations", 2, False)
    for index, sequence in enumerate(data.of("test")):
        np.testing.assert_array_equal(sequence.positions, systems.positions[index])
        np.testing.assert_array_equal(sequence.velocities, systems.velocities[index])
        assert sequence.relations is not None
        assert (sequence.relations == systems.springs[index]).all()


def test_one_of_the_files_stands_for_all_and_a_suffix_chooses_among_sets(springs: Path, tmp_path: Path) -> None:
    assert read(springs / "loc_train_springs5.npy").names == read(springs).names
    for folder in (springs,):
        for file in folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    write_generated(tmp_path, "charged", COUNTS)
    with pytest.raises(ValueError, match=r"several sets \(charged5, springs5\); choose one with --suffix"):
        read(tmp_path)
    assert read(tmp_path, Layout(suffix="charged5")).truth == "signs"
    assert read(tmp_path, Layout(suffix="_springs5")).truth == "relations"


def test_charges_are_signs_of_all_pairs(tmp_path: Path) -> None:
    data = read(write_generated(tmp_path / "charged", "charged", COUNTS))
    (first, *_) = data.of("train")
    assert first.relations is not None
    joined = simulate(Tree.balls(5), "charged", [FIRST_SEED["train"]]).springs[0]
    apart = ~np.eye(5, dtype=bool)
    assert (first.relations[0][apart] == np.where(joined, 1, -1)[apart]).all()
    assert (first.relations[:, range(5), range(5)] == 0).all()


def test_weak_springs_count_and_are_named(springs: Path, tmp_path: Path) -> None:
    for file in springs.iterdir():
        array = np.load(file)
        np.save(tmp_path / file.name, array / 2 if file.name.startswith("edges") else array)
    data, whole = read(tmp_path), read(springs)
    assert any("strengths 0, 0.5: all above 0" in note for note in data.notes)
    for part, same in zip(data.sequences, whole.sequences, strict=True):
        assert part.relations is not None
        assert same.relations is not None
        assert (part.relations == same.relations).all()


def test_one_way_relations_keep_their_way_in_both_layouts(tmp_path: Path) -> None:
    """Object 0 acts on object 1 alone: NRI has the receiver's row, dNRI lists pairs by sender."""
    rng = np.random.default_rng(0)
    nri, dnri = tmp_path / "nri", tmp_path / "dnri"
    nri.mkdir()
    dnri.mkdir()
    for word, other in (("train", "train"), ("valid", "val"), ("test", "test")):
        feats = rng.normal(size=(2, 20, 3, 4))
        edges = np.zeros((2, 3, 3))
        edges[:, 1, 0] = 1
        np.save(nri / f"loc_{word}_toy.npy", feats[..., :2].swapaxes(2, 3))
        np.save(nri / f"vel_{word}_toy.npy", feats[..., 2:].swapaxes(2, 3))
        np.save(nri / f"edges_{word}_toy.npy", edges)
        vectors = torch.zeros(2, 20, 6)
        vectors[..., 0] = 1  # (0, 1), (0, 2), (1, 0), ...
        torch.save(torch.tensor(feats), dnri / f"{other}_feats")
        torch.save(vectors, dnri / f"{other}_edges")
    for folder in (nri, dnri):
        for sequence in read(folder).sequences:
            assert sequence.relations is not None
            assert np.argwhere(sequence.relations[3]).tolist() == [[0, 1]]
    np.testing.assert_allclose(read(nri).sequences[0].positions, read(dnri).sequences[0].positions)


def test_features_by_object_are_turned(tmp_path: Path) -> None:
    feat = np.random.default_rng(1).normal(size=(2, 3, 15, 4))
    for word in ("train", "valid", "test"):
        np.save(tmp_path / f"feat_{word}_acd.npy", feat)
    data = read(tmp_path)
    assert data.truth == "none"
    np.testing.assert_array_equal(data.sequences[1].velocities[4, 2], feat[1, 2, 4, 2:])


# Arrays --------------------------------------------------------------------------------------------------


def test_states_positions_and_velocities(tmp_path: Path) -> None:
    states = np.random.default_rng(0).normal(size=(4, 30, 3, 4))
    whole = read(save(tmp_path / "a.npz", states=states, fps=10, units="cm", names=["a", "b", "c"]))
    parts = read(save(tmp_path / "b.npz", positions=states[..., :2], velocities=states[..., 2:], fps=10))
    bare = read(save(tmp_path / "c.npz", positions=states[..., :2], fps=10))
    assert (whole.names, whole.unit, whole.speed_unit, whole.fps) == (("a", "b", "c"), "cm", "cm/s", 10)
    for first, second in zip(whole.sequences, parts.sequences, strict=True):
        np.testing.assert_array_equal(first.velocities, second.velocities)
    first = bare.of("train")[0]
    assert first.positions.shape == (29, 3, 2)
    np.testing.assert_allclose(first.velocities, np.diff(states[0, :, :, :2], axis=0) * 10)
    np.testing.assert_array_equal(first.positions, states[0, 1:, :, :2])
    assert any("differences" in note for note in bare.notes)
    np.save(tmp_path / "d.npy", states)
    np.testing.assert_array_equal(read(tmp_path / "d.npy").sequences[0].velocities, states[0, ..., 2:])


def test_what_simulate_writes_is_taken_too(tmp_path: Path) -> None:
    systems = simulate(Tree.regular(2, 2), "04", range(4))
    path = save(tmp_path / "s.npz", positions=systems.positions, velocities=systems.velocities,
                adjacency=systems.springs, seeds=systems.seeds, parents=[-1, 0, 0, 1, 1, 2, 2])  # fmt: skip
    data = read(path)
    assert data.tree == Tree.regular(2, 2)
    assert data.sequences[0].relations is not None
    assert (data.sequences[0].relations == systems.springs[0]).all()


def test_edge_vectors_need_their_order_only_where_it_matters(tmp_path: Path) -> None:
    positions, vector = np.zeros((3, 20, 3, 2)), np.array([1, 0, 0, 0, 0, 0])
    path = save(tmp_path / "e.npz", positions=positions, edges=vector)
    with pytest.raises(ValueError, match="not the same both ways"):
        read(path)
    ways = {order: read(path, Layout(edge_order=order)) for order in ("nri", "dnri")}  # type: ignore[arg-type]
    places = [np.argwhere(data.sequences[0].relations[0]).tolist() for data in ways.values()]  # type: ignore[index]
    assert places == [[[1, 0]], [[0, 1]]]
    same = save(tmp_path / "f.npz", positions=positions, edges=np.eye(2)[np.array([1, 0, 1, 0, 0, 0])])
    assert np.argwhere(read(same).sequences[0].relations[0]).tolist() == [[0, 1], [1, 0]]  # type: ignore[index]


def test_relations_that_change_in_time_hold_for_most_of_a_window(tmp_path: Path) -> None:
    adjacency = np.zeros((3, 40, 3, 3))
    adjacency[:, :25, 0, 1] = adjacency[:, :10, 1, 2] = 1
    path = save(tmp_path / "g.npz", states=np.random.default_rng(0).normal(size=(3, 40, 3, 4)), adjacency=adjacency)
    data = read(path)
    (tmp_path / "out").mkdir()
    data.write(tmp_path / "out" / FILE)
    config = preset("own-state-nri")
    source = source_of(source_of(config.data).in_folder(str(tmp_path / "out")))
    config = source.sized(dataclasses.replace(config, data=source.data))
    scene = source_of(config.data).scenes([42])
    assert config.data.own is not None
    assert config.data.own.frames == 40
    assert np.argwhere(scene.adjacency[0]).tolist() == [[0, 1]]  # type: ignore[union-attr, index]


# Tables --------------------------------------------------------------------------------------------------


def test_a_long_table_with_units_and_odd_names(tmp_path: Path) -> None:
    positions = moving(8)
    data = read(write_table(tmp_path / "bees.csv", positions))
    assert (data.names, data.unit, data.speed_unit) == (NAMES, "mm", "mm/s")
    assert data.fps == pytest.approx(25)
    assert [sequence.split for sequence in data.sequences] == ["train", "validation", "test"]
    joined = np.concatenate([sequence.positions for sequence in data.sequences])
    np.testing.assert_allclose(joined, positions[1:], atol=1e-4)
    assert any("id names the object" in note for note in data.notes)
    data.write(tmp_path / FILE)
    again = TrajectorySet.read(tmp_path / FILE)
    assert (again.names, again.notes, again.tree) == (data.names, data.notes, data.tree)
    np.testing.assert_allclose(again.sequences[2].positions, data.sequences[2].positions, rtol=1e-6)


def wide(positions: np.ndarray, names: tuple[str, ...], pattern: str) -> pd.DataFrame:
    columns = {pattern.format(name, axis): positions[:, i, k]
               for i, name in enumerate(names) for k, axis in enumerate("xy")}  # fmt: skip
    return pd.DataFrame({"frame": np.arange(len(positions)), **columns})


@pytest.mark.parametrize("pattern", ["{}_x", "{} x (cm)", "{}.x_cm"])
def test_a_wide_table(tmp_path: Path, pattern: str) -> None:
    names, positions = ("ball1", "ball2", "big box"), np.random.default_rng(0).normal(size=(80, 3, 2))
    table = wide(positions, names, pattern.replace("x", "{}", 1))
    table.to_parquet(tmp_path / "w.parquet")
    data = read(tmp_path / "w.parquet", frame_rate=20.0)
    assert (data.names, data.fps) == (names, 20)
    np.testing.assert_allclose(np.concatenate([s.positions for s in data.sequences]), positions[1:])
    assert data.unit == ("cm" if "cm" in pattern else "")


def test_deeplabcut_s_headers(tmp_path: Path) -> None:
    rows = [
        "scorer,net,net,net,net,net,net",
        "bodyparts,nose,nose,nose,tail,tail,tail",
        "coords,x,y,likelihood,x,y,likelihood",
    ]
    rows += [f"{t},{t},{2 * t},0.9,{3 * t},{4 * t},0.8" for t in range(70)]
    (tmp_path / "dlc.csv").write_text("\n".join(rows))
    data = read(tmp_path / "dlc.csv")
    assert data.names == ("nose", "tail")
    np.testing.assert_allclose(data.sequences[0].velocities[5], [[1, 2], [3, 4]])


def test_flags_name_columns_that_nobody_could_guess(tmp_path: Path) -> None:
    lines = ["wann,wer,links,oben"] + [f"{t},{w},{t + i},{i}" for t in range(70) for i, w in enumerate("ab")]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(
        ValueError, match=r"no column of t.csv says where things are \(--coordinates x y\); its columns"
    ):
        read(tmp_path / "t.csv")
    data = read(tmp_path / "t.csv", Layout(time="wann", object="wer", coordinates=("links", "oben")))
    assert data.names == ("a", "b")
    with pytest.raises(ValueError, match=r"has no column 'nirgends'; its columns are wann, wer"):
        read(tmp_path / "t.csv", Layout(time="nirgends"))


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    lines = ["t;id;x;y"] + [f"{t / 10:g};{i};{t / 4:g};{i}".replace(".", ",") for t in range(70) for i in range(2)]
    (tmp_path / "de.csv").write_text("\n".join(lines))
    data = read(tmp_path / "de.csv")
    assert data.fps == pytest.approx(10)
    np.testing.assert_allclose(data.sequences[0].velocities[:, :, 0], 2.5)


# Gaps, rates, splits, trees -----------------------------------------------------------------------------------


def test_short_gaps_lie_on_straight_lines_and_long_ones_cut(tmp_path: Path) -> None:
    positions = np.cumsum(np.ones((200, 3, 2)), 0)
    positions[10:13, 1] = np.nan
    positions[50:60, 2] = np.nan
    data = read(save(tmp_path / "g.npz", positions=positions[None], fps=1), fill=3)
    assert any("3 places of objects" in note for note in data.notes)
    assert any("2 stretches are left, 10 frames are left out" in note for note in data.notes)
    for sequence in data.sequences:
        np.testing.assert_allclose(sequence.velocities, 1)


def test_missing_rows_are_gaps(tmp_path: Path) -> None:
    path = write_table(tmp_path / "b.csv", moving(8))
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:101], *lines[106:]]))  # one frame without anybody
    data = read(path)
    assert any("5 places of objects" in note for note in data.notes)
    assert sum(len(sequence.positions) for sequence in data.sequences) == 199


def test_unlike_rates_come_to_one_on_demand(tmp_path: Path) -> None:
    for fps in (10, 20):
        times = np.arange(20 * fps) / fps
        positions = np.stack([np.stack([times, 2 * times], 1)] * 2, 1)
        save(tmp_path / f"r{fps}.npz", positions=positions[None], fps=fps)
    with pytest.raises(
        ValueError, match="r10 has 10 frames a second and r20 20; bring all to one rate, such as --resample 10"
    ):
        read(tmp_path)
    data = read(tmp_path, resample=5.0)
    assert data.fps == 5
    for sequence in data.sequences:
        np.testing.assert_allclose(sequence.velocities, np.broadcast_to([1, 2], sequence.velocities.shape))


def test_splits_are_of_whole_sequences(tmp_path: Path) -> None:
    positions = np.random.default_rng(0).normal(size=(20, 20, 2, 2)) + np.arange(20)[:, None, None, None] * 100
    data = read(save(tmp_path / "s.npz", positions=positions))
    numbers = {split: {round(float(s.positions.mean() / 100)) for s in data.of(split)}
               for split in ("train", "validation", "test")}  # fmt: skip
    assert [len(part) for part in numbers.values()] == [14, 3, 3]
    assert set.union(*numbers.values()) == set(range(20))


def test_a_tree_is_the_file_s_or_written_or_proposed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lead = np.cumsum(rng.normal(size=(200, 2, 1, 2)), 0)
    positions = np.concatenate([lead[:, g] + 0.01 * rng.normal(size=(200, 3, 2)) for g in range(2)], 1)
    names = [f"{group}{i}" for group in "ab" for i in range(3)]
    path = save(tmp_path / "t.npz", positions=positions[None], names=names, parents=["a1", "", "a1", "a1", "b0", "b0"])
    given = read(path)
    assert given.names == ("a1", "a0", "a2", "b0", "b1", "b2")
    assert given.tree.parents == (-1, 0, 0, 0, 3, 3)
    np.testing.assert_allclose(
        given.sequences[0].positions[:, 1], positions[1 : 1 + len(given.sequences[0].positions), 0]
    )
    assert read(path, tree="0,0,1,1,1").tree.parents == (-1, 0, 0, 1, 1, 1)
    assert read(path, tree="flat").tree.flat
    proposed = read(path, tree="cluster")
    families = [{proposed.names[node], *(proposed.names[child] for child in proposed.tree.children(node))}
                for node in range(1, 6) if proposed.tree.children(node)]  # fmt: skip
    assert {"b0", "b1", "b2"} in families or {"a0", "a1", "a2"} in families
    assert any("the tree is proposed" in note for note in proposed.notes)


def test_groups_are_those_that_move_together() -> None:
    rng = np.random.default_rng(2)
    leads = rng.normal(size=(400, 3, 2))
    velocities = np.concatenate([leads[:, [0]] + leads[:, [1]]] + [leads[:, [g]] + 0.05 * rng.normal(size=(400, 3, 2))
                                 for g in (0, 1)], 1)  # fmt: skip
    parents = proposed_parents([velocities])
    assert parents[0] == -1
    leaders = np.flatnonzero(parents == 0)
    assert sorted(sorted([int(lead), *np.flatnonzero(parents == lead).tolist()]) for lead in leaders) == [
        [1, 2, 3],
        [4, 5, 6],
    ]
    assert in_order(parents)[0] == 0
    with pytest.raises(ValueError, match="hangs from itself"):
        in_order(np.array([-1, 2, 1]))


# Bad input ----------------------------------------------------------------------------------------------------


def table(path: Path, *rows: str, head: str = "time,id,x,y") -> Path:
    good = [f"{t},{i},{t},{t / 2}" for t in range(60) for i in "ab"]
    path.write_text("\n".join([head, *good, *rows]))
    return path


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("60,a,1,2", "59,b,1,2", "58,b,1,2"), r"row 123 of t.csv is b at time 59 once more \(as row 121\)"),
        (("60,a,1,2", "61,b,1,2", "60,b,1,2"), "row 124 of t.csv goes back in time: b is at time 60 after 61"),
        (("60,a,one,2",), "row 122 of t.csv holds 'one' as x; write a number, or leave it empty"),
        ((",a,1,2",), "row 122 of t.csv has no time; give every row its time"),
        (("60,,1,2",), r"row 122 of t.csv does not say which object it is of \(id\)"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(table(tmp_path / "t.csv", *rows))


def test_objects_that_come_and_go(tmp_path: Path) -> None:
    lines = ["frame,id,x,y"] + [f"{t},{i},{t},{i}" for t in range(80) for i in range(3) if t // 8 % 3 != i]
    (tmp_path / "c.csv").write_text("\n".join(lines))
    with pytest.raises(
        ValueError, match=r"all 3 objects are never there together for 12 frames: in c, \d is missing for 8"
    ):
        read(tmp_path / "c.csv")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"positions": np.zeros((3, 30, 1, 2))}, "the data have 1 object, and from 2 to 100 can be related; cho"),
        ({"positions": np.zeros((3, 30, 300, 2))}, "the data have 300 objects, and from 2 to 100 can be related"),
        ({"positions": np.full((3, 30, 2, 2), np.inf)}, "holds an infinite number for object 1 at frame 0"),
        ({"positions": np.zeros((3, 5, 2, 2))}, "the longest sequence has 5 frames; a model needs 12 or more"),
        ({"positions": np.zeros((3, 30, 2, 5))}, "positions in a.npz have 5 numbers an object; they need 2 or 3"),
        ({"positions": np.zeros((3, 30, 2, 2)), "velocities": np.zeros((3, 29, 2, 2))}, "velocities in a.npz are"),
        ({"positions": np.zeros((3, 30, 2, 2)), "adjacency": np.zeros((3, 4, 4))},
         r"adjacency in a.npz is float64 \[3, 4, 4\]; 2 objects in 3 sequences of 30 frames need numbers \[3, 2, 2\]"),
        ({"positions": np.zeros((3, 30, 3, 2)), "edges": np.zeros((3, 9))}, "3 objects have 6 pairs, so they must be"),
        ({"positions": np.zeros((3, 30, 2, 2)), "names": ["a"]}, "names in a.npz has 1 entries and there are 2 obj"),
        ({"positions": np.zeros((3, 30, 2, 2)), "names": ["a", "a"]}, "two objects are called 'a'"),
        ({"positions": np.zeros((3, 30, 3, 2)), "parents": [1, 2, 0]}, "a tree has one root and these parents have 0"),
        ({"positions": np.zeros((3, 30, 2, 2)), "fps": 0}, "fps in a.npz is 0; it must be one number above 0"),
        ({"frames": np.zeros(3)}, "a.npz holds frames; store states"),
        ({"positions": np.zeros((1, 30, 2, 2))}, "the longest stretch has 29 frames, too few to train"),
    ],
)  # fmt: skip
def test_bad_arrays_are_named_by_their_key(tmp_path: Path, arrays: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(save(tmp_path / "a.npz", **arrays))


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with open(huge, "wb") as file:
        file.truncate(own.LARGEST + 1)  # takes no room on the disk
    with pytest.raises(ValueError, match=r"huge.csv take 2,000,000,001 bytes; the limit is 2,000,000,000"):
        read(huge)


def test_a_set_without_a_part_is_refused(springs: Path, tmp_path: Path) -> None:
    for file in springs.iterdir():
        if "vel_test" not in file.name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match=r"there is no vel_… file beside loc_test_springs5.npy; bring both"):
        read(tmp_path)
    pickled = tmp_path / "p.npy"
    np.save(pickled, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"p.npy is no plain .npy"):
        read(pickled)


# Scenes -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bees")
    read(write_table(folder / "bees.csv", moving(40)), tree="cluster").write(folder / FILE)
    return folder


def test_scenes_are_windows_in_the_box_and_their_units_come_back(bees: Path) -> None:
    config = preset("own-state-hri")
    source = source_of(source_of(config.data).in_folder(str(bees)))
    config = source.sized(dataclasses.replace(config, data=source.data))
    source = source_of(config.data)
    assert set(config.data.origin.joints) == set(NAMES)
    assert [axis.unit for axis in source.axes] == ["mm", "mm", "mm/s", "mm/s"]
    train, test = source.sequences("train"), source.scenes(range(200_042, 200_050))
    assert train.states.shape == (config.data.train, 50, 5, 4)
    assert (train.states.min(), train.states.max()) == (-1, 1)
    assert np.abs(test.positions).max() < 1.2
    measures = source.measures(train.normalisation)
    low, high = measures["state_span"].T
    data = TrajectorySet.read(bees / FILE)
    (sequence,) = data.of("train")
    world = low + (train.states.numpy() + 1) / 2 * (high - low)
    places = sequence.positions.reshape(len(sequence.positions), -1)
    window = world[0, :, :, :2].reshape(50, -1)
    starts = [k for k in range(len(places) - 49) if np.allclose(places[k : k + 50], window, atol=1e-3)]
    assert len(starts) == 1
    np.testing.assert_allclose(world[0, :, :, 2:], sequence.velocities[starts[0] : starts[0] + 50], atol=1e-2)


def test_seeds_count_through_windows_and_splits_never_meet(bees: Path) -> None:
    source = source_of(source_of(preset("own-state-hri").data).in_folder(str(bees)))
    config = source.sized(dataclasses.replace(preset("own-state-hri"), data=source.data))
    source = source_of(config.data)
    train = [source.part(seed) for seed in range(42, 42 + config.data.train)]
    assert len(set(train)) > 0.2 * len(train)  # windows begin at tenths of a second, in words
    whole = source.scenes([42, 42 + config.data.train])
    assert (whole.positions[0] == whole.positions[1]).all()  # seeds beyond the last window begin anew
    assert "never seen in training" in source.standing(200_042)
    assert source.standing(42).startswith("bees, from ")


def test_windows_suit_the_lengths(tmp_path: Path) -> None:
    def frames(*lengths: int) -> int:
        parts = [np.zeros((3, length, 2, 4)) for length in lengths]
        files = [save(tmp_path / f"{'-'.join(map(str, lengths))}-{i}.npz", states=part) for i, part in enumerate(parts)]
        return window_frames(own.read(files))

    assert frames(80) == 50
    assert frames(30) == 30
    assert frames(30, 200) == 50
    assert frames(12) == 12


def test_published_files_fit_a_model_of_simulated_balls(springs: Path, tmp_path: Path) -> None:
    read(springs).write(tmp_path / FILE)
    systems = as_simulated(tmp_path)
    again = simulate(Tree.balls(5), "springs", range(FIRST_SEED["test"], FIRST_SEED["test"] + 2))
    np.testing.assert_allclose(systems.positions, again.positions, atol=1e-6)
    assert (systems.springs == again.springs).all()

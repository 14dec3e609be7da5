"""Laws of the pictures: what is drawn is what the rollout says."""

from __future__ import annotations

import base64
import json
import zlib

import networkx as nx
import numpy as np
import pytest

from hri import figures, pictures, player
from hri.hierarchy import SLOT_TREE, Tree
from tests.synthetic import BALLS, slot_rollout, state_rollout

STATES, SLOTS = state_rollout(), slot_rollout()


@pytest.mark.parametrize(
    "tree", [BALLS, SLOT_TREE, Tree.parse("3-3"), Tree.parse("2"), Tree.parse("2-3-2"), Tree((-1, 0, 0, 1))]
)
def test_radial_layout_puts_levels_on_circles_and_children_beyond_their_parent(tree: Tree) -> None:
    at = figures.graph_layout(tree, "radial")
    radius = np.hypot(*at.T)
    assert np.allclose(radius, tree.depth / tree.depth.max())
    for node in range(1, tree.size):
        if parent := tree.parents[node]:
            assert at[node] @ at[parent] > 0, "a child is on its parent's side"
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) + 9 * np.eye(tree.size)
    assert apart.min() > 0.1


def test_radial_layout_turns_quadrants_as_the_image_has_them() -> None:
    radial, image = figures.graph_layout(SLOT_TREE, "radial"), figures.graph_layout(SLOT_TREE, "image")
    assert (np.sign(radial[1:5]).astype(int) == np.sign(image[1:5] - 0.5).astype(int)).all()


def test_image_layout_is_the_middle_of_each_cell() -> None:
    at = figures.graph_layout(SLOT_TREE, "image")
    cells = SLOT_TREE.cells
    assert np.allclose(at[:, 0], cells[:, [0, 2]].mean(1))
    assert np.allclose(1 - at[:, 1], cells[:, [1, 3]].mean(1))


def test_a_bow_and_its_way_back_never_meet() -> None:
    a, b, cut = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.05, 0.05]])
    start, there, end = figures.bow(a, b, cut, 0.1)
    back_start, back, back_end = figures.bow(b, a, cut, 0.1)
    assert there[0, 1] == -back[0, 1] < 0, "to the right of its own direction"
    assert np.allclose(start, back_end)
    assert np.allclose(end, back_start)
    assert np.allclose(start, [[0.05, 0]])


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
@pytest.mark.parametrize("layout", ["radial", "image"])
@pytest.mark.parametrize("pairs", ["hierarchy", "all"])
def test_every_edge_is_one_named_shape_in_row_order(rollout, layout, pairs) -> None:
    rows = pictures.edge_rows(rollout, pairs)
    edges = rollout.edge_sender_receiver[rows]
    figure = figures.interaction_graph(rollout.tree, edges, 2, layout)
    names = [shape.name for shape in figure.layout.shapes if shape.name.startswith("edge")]
    assert names == [f"edge_{i}_{j}" for i, j in edges]
    assert set(nx.DiGraph(tuple(map(int, n.split("_")[1:])) for n in names).edges) == set(map(tuple, edges.tolist()))
    assert json.loads(figure.to_json()) == json.loads(
        figures.interaction_graph(rollout.tree, edges, 2, layout).to_json()
    )


@pytest.mark.parametrize("rollout", [STATES, SLOTS], ids=["states", "slots"])
@pytest.mark.parametrize("layout", ["radial", "image"])
def test_painting_follows_probabilities_threshold_and_springs(rollout, layout) -> None:
    rows, frame, threshold = pictures.edge_rows(rollout, "hierarchy"), 20, 0.7
    edges = rollout.edge_sender_receiver[rows]
    figure = figures.interaction_graph(rollout.tree, edges, 2, layout)
    before = figure.to_json()
    painted = {
        s.name: s.line for s in figures.paint_graph(figure, rollout, rows, frame, layout, threshold).layout.shapes
    }
    assert figure.to_json() == before, "the shared figure stays as it was"
    springs = pictures.true_springs(rollout)
    interacts = 1 - rollout.edge_probabilities[0, frame - 1, rows, 0]
    for (i, j), p in zip(edges, interacts, strict=True):
        alpha = float(painted[f"edge_{i}_{j}"].color.rsplit(",", 1)[1][:-1])
        assert (alpha > 0) == (p >= threshold)
    for name, line in painted.items():
        if name.startswith("spring"):
            i, j = map(int, name.split("_")[1:])
            assert line.color.endswith("1.000)") == bool(springs[frame, i, j])


def test_wider_and_more_solid_with_probability() -> None:
    looks = [figures.edge_look(1, p, p, 0.0, 88) for p in np.linspace(0, 1, 11)]
    assert looks == sorted(looks)
    assert figures.edge_look(1, 0.4, 0.4, 0.5, 88)[1] == 0


def test_springs_of_slots_join_the_slots_their_balls_are_in() -> None:
    springs, at = pictures.true_springs(SLOTS), pictures.node_positions(STATES)
    cells = SLOT_TREE.cells
    for time in (0, 17, 48):
        wanted = np.zeros((21, 21), dtype=np.uint8)
        home = [
            next(
                n
                for n in SLOT_TREE.leaves
                if (cells[n, :2] <= at[time, b]).all() and (at[time, b] < cells[n, 2:]).all()
            )
            for b in range(17)
        ]
        for a, b in zip(*np.nonzero(SLOTS.true_adjacency[0]), strict=True):
            if home[a] != home[b]:
                wanted[home[a], home[b]] = 1
        assert (springs[time] == wanted).all()


def test_the_copying_curve_repeats_the_last_frame_seen() -> None:
    curves, last = pictures.error_curves(STATES), STATES.last_true_input
    truth = STATES.slots[0]
    assert curves.copy[0] == pytest.approx(((truth[0] - truth[1]) ** 2).mean())
    assert curves.copy[-1] == pytest.approx(((truth[last] - truth[-1]) ** 2).mean())
    assert (np.diff(curves.model[last + 1 :]) > 0).all()


def test_pack_and_unpack() -> None:
    arrays = {"a": np.arange(5, dtype=np.uint8), "b": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)}
    packed = player.pack(arrays)
    blob = zlib.decompress(base64.b64decode(packed["blob"]))
    for name, array in arrays.items():
        place = packed["index"][name]
        assert place["at"] % 4 == 0
        read = np.frombuffer(blob, place["type"], array.size, place["at"]).reshape(place["shape"])
        assert (read == array).all()


@pytest.mark.parametrize(
    "rollout", [STATES, SLOTS, slot_rollout(types=4, pairs="all", slots=False)], ids=["states", "slots", "four types"]
)
def test_what_the_player_is_sent_is_json_and_small(rollout) -> None:
    sent = [player.image_data(rollout), player.timeline_data(rollout)]
    sent += [
        player.graph_data(rollout, pictures.edge_rows(rollout, pairs), layout)
        for pairs in ("all", "hierarchy")
        for layout in ("radial", "image")
    ]
    assert len(json.dumps(sent, allow_nan=False)) < 2_000_000


def test_leaves_alone_and_nonsense_numbers_can_be_drawn() -> None:
    import dataclasses

    leaves = dataclasses.replace(STATES, predicted_slots=STATES.predicted_slots[:, :, BALLS.leaves])
    predicted = pictures.node_positions(leaves, "prediction")
    assert np.isnan(predicted[1:, :5]).all()
    assert np.isfinite(predicted[:, 5:]).all()
    assert np.isfinite(pictures.error_curves(leaves).model).all()
    broken = dataclasses.replace(
        SLOTS,
        predicted_frames=np.full_like(SLOTS.predicted_frames, np.nan),
        predicted_slots=np.full_like(SLOTS.predicted_slots, np.inf),
    )
    assert set(player.timeline_data(broken)["errors"]) == {None}
    json.dumps(player.image_data(broken), allow_nan=False)


def test_a_model_without_edges_still_has_a_graph() -> None:
    figure = figures.interaction_graph(BALLS, np.empty((0, 2), dtype=np.int64), 2)
    assert [trace.meta for trace in figure.data] == ["heads", "hits", "nodes"]


def test_figures_need_neither_torch_nor_streamlit() -> None:
    import subprocess
    import sys

    code = "import sys, hri.figures; sys.exit(any(m in sys.modules for m in ('torch', 'streamlit')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

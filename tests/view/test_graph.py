"""Laws of the pictures: what is drawn is what the rollout says."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib

import networkx as nx
import numpy as np
import pytest

from hri.core.hierarchy import SLOT_TREE, Tree
from hri.rollout.edits import Nudge, SetEdge
from hri.rollout.interventions import Intervention
from hri.view import facts as pictures
from hri.view import graph as figures
from hri.view import history_charts as figures_history
from hri.view import layout, player, style
from tests.synthetic import BALLS, slot_rollout, state_rollout

STATES, SLOTS = state_rollout(), slot_rollout()


@pytest.mark.parametrize(
    "tree", [BALLS, SLOT_TREE, Tree.parse("3-3"), Tree.parse("2"), Tree.parse("2-3-2"), Tree((-1, 0, 0, 1))]
)
def test_radial_layout_puts_levels_on_circles_and_children_beyond_their_parent(tree: Tree) -> None:
    at = layout.graph_layout(tree, "radial")
    radius = np.hypot(*at.T)
    assert np.allclose(radius, tree.depth / tree.depth.max())
    for node in range(1, tree.size):
        if parent := tree.parents[node]:
            assert at[node] @ at[parent] > 0, "a child is on its parent's side"
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) + 9 * np.eye(tree.size)
    assert apart.min() > 0.1


def test_radial_layout_turns_quadrants_as_the_image_has_them() -> None:
    radial, image = layout.graph_layout(SLOT_TREE, "radial"), layout.graph_layout(SLOT_TREE, "image")
    assert (np.sign(radial[1:5]).astype(int) == np.sign(image[1:5] - 0.5).astype(int)).all()


def test_image_layout_is_the_middle_of_each_cell() -> None:
    at = layout.graph_layout(SLOT_TREE, "image")
    cells = SLOT_TREE.cells
    assert np.allclose(at[:, 0], cells[:, [0, 2]].mean(1))
    assert np.allclose(1 - at[:, 1], cells[:, [1, 3]].mean(1))


def test_a_bow_and_its_way_back_never_meet() -> None:
    a, b, cut = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.05, 0.05]])
    start, there, end = layout.bow(a, b, cut, 0.1)
    back_start, back, back_end = layout.bow(b, a, cut, 0.1)
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
    looks = [style.edge_look(1, p, p, 0.0, 88) for p in np.linspace(0, 1, 11)]
    assert looks == sorted(looks)
    assert style.edge_look(1, 0.4, 0.4, 0.5, 88)[1] == 0


@pytest.mark.parametrize("known", [True, False], ids=["tree known", "tree unknown"])
def test_springs_of_slots_join_the_slots_their_balls_are_in(known: bool) -> None:
    """Each ball in a slot of its own level; all in leaf slots where nobody knows which ball is what."""
    rollout = SLOTS if known else dataclasses.replace(SLOTS, ball_parents=None)
    springs, at = pictures.true_springs(rollout), pictures.node_positions(STATES)
    cells, level = SLOT_TREE.cells, {0: [0], 1: range(1, 5), 2: SLOT_TREE.leaves}

    def home(ball: int, time: int) -> int:
        slots = level[min(ball, 1) + (ball > 4) if known else 2]
        return next(
            s for s in slots if (cells[s, :2] <= at[time, ball]).all() and (at[time, ball] < cells[s, 2:]).all()
        )

    for time in (0, 17, 48):
        wanted = np.zeros((21, 21), dtype=np.uint8)
        for a, b in zip(*np.nonzero(SLOTS.true_adjacency[0]), strict=True):
            if home(a, time) != home(b, time):
                wanted[home(a, time), home(b, time)] = 1
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
    assert [trace.meta for trace in figure.data] == ["heads", "cuts", "forces", "hits", "nodes"]


def test_figures_need_neither_torch_nor_streamlit() -> None:
    import subprocess
    import sys

    code = "import sys, hri.view.graph; sys.exit(any(m in sys.modules for m in ('torch', 'streamlit')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_states_of_a_node_are_its_true_and_predicted_numbers() -> None:
    rollout = state_rollout()
    lines = {line.name: line for line in figures_history.node_states(rollout, 5).data}
    assert list(lines)[::2] == ["x", "y", "vx", "vy"]
    assert np.allclose(lines["vx"].y, rollout.slots[0, :, 5, 2])
    assert np.allclose(lines["vx predicted"].y, rollout.predicted_slots[0, :, 5, 2])
    assert list(lines["x predicted"].x) == list(range(1, rollout.slots.shape[1]))


def test_states_of_a_joint_with_depth_are_named_so() -> None:
    flat = state_rollout()
    slots, predicted = (np.concatenate([x, x[..., :2]], -1) for x in (flat.slots, flat.predicted_slots))
    deep = dataclasses.replace(flat, slots=slots, predicted_slots=predicted)
    lines = {line.name: line for line in figures_history.node_states(deep, 5).data}
    assert list(lines)[::2] == ["x", "y", "z", "vx", "vy", "vz"]
    assert np.allclose(lines["z"].y, slots[0, :, 5, 2])


def test_edges_that_edits_hold_are_marked_while_they_do() -> None:
    """A cross where an edge is cut, a star where a type is forced, from the frame that the edit first changes."""
    senders, receivers = STATES.edge_sender_receiver[[3, 40]].T
    edits = Intervention((
        SetEdge(int(senders[0]), int(receivers[0]), 0, first=4), SetEdge(int(senders[1]), int(receivers[1]), 1),
    ))  # fmt: skip
    edited, rows = dataclasses.replace(STATES, edits=edits.to_json()), np.arange(len(STATES.edge_sender_receiver))
    figure = figures.interaction_graph(STATES.tree, STATES.edge_sender_receiver, 2, "image")
    for frame, cut, forced in ((4, set(), {40}), (5, {3}, {40})):
        painted = figures.paint_graph(figure, edited, rows, frame, "image")
        traces = {trace.meta: trace for trace in painted.data}
        for meta, wanted in (("cuts", cut), ("forces", forced)):
            marked = {row for row, ink in enumerate(traces[meta].marker.color) if not ink.endswith(",0)")}
            assert marked == wanted, (frame, meta)
            middle = np.array(traces["hits"].x).reshape(len(rows), -1)[:, 2]
            assert np.allclose(traces[meta].x, middle, atol=1e-3), "marks go with their edges"
        arrays = player.graph_arrays(edited, rows, "radial")
        assert set(np.flatnonzero(arrays["forced"][frame] == 1)) == cut
        assert set(np.flatnonzero(arrays["forced"][frame] == 2)) == forced
    assert "forced" not in player.graph_arrays(STATES, rows, "radial")
    assert (
        pictures.forced_types(dataclasses.replace(STATES, edits=Intervention((Nudge(3, 2, (0.1,)),)).to_json())) is None
    )

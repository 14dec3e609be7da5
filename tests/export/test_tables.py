"""Graphs, tables and drawings open in programs that we did not write, and say what the rollout holds."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pandas
import pytest
from PIL import Image

from hri.core.records import Rollout
from hri.export.formats import export, file_content
from hri.export.tables import graph
from hri.rollout.edits import Mute
from hri.rollout.interventions import Intervention
from hri.view.facts import edge_rows, edge_step, error_curves, true_springs
from hri.view.style import STYLE, colour, edge_look
from hri.view.svg import SIDE, svg
from tests.synthetic import slot_rollout, state_rollout

FRAME = 23
SLOTS = slot_rollout()
STATES = state_rollout(types=3)
LEAVES = dataclasses.replace(STATES, predicted_slots=STATES.predicted_slots[:, :, 5:])
UNKNOWN = dataclasses.replace(SLOTS, true_adjacency=None, seeds=None, checkpoint='<b>"ü&\x00\x1b\n')
ALL = {"slots": SLOTS, "states": STATES, "leaves": LEAVES, "unknown": UNKNOWN}
each = pytest.mark.parametrize("rollout", ALL.values(), ids=ALL)


# GraphML -----------------------------------------------------------------------------------------------


@each
def test_networkx_and_igraph_read_the_same_graph(rollout: Rollout, tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    export(rollout, path, frame=FRAME)
    first, second = nx.read_graphml(path, node_type=int), igraph.Graph.Read_GraphML(str(path))
    step, springs = edge_step(rollout, FRAME), true_springs(rollout)
    assert first.is_directed()
    assert second.is_directed()
    assert len(first) == second.vcount() == rollout.tree.size
    assert first.number_of_edges() == second.ecount() == len(rollout.edge_sender_receiver)
    assert first.graph["frame"] == second["frame"] == FRAME
    assert first.graph["seed"] == second["seed"] == (-1 if rollout.seeds is None else 7)
    for node in second.vs:
        told = first.nodes[int(node["id"])]
        assert {name: node[name] for name in ("name", "level", "parent", "x", "y")} == pytest.approx(
            {name: told[name] for name in ("name", "level", "parent", "x", "y")}
        )
        assert told["parent"] == rollout.tree.parents[int(node["id"])]
    predicted_nodes = [node for node in first if "error" in first.nodes[node]]
    assert len(predicted_nodes) == (12 if rollout is LEAVES else rollout.tree.size)
    for edge in second.es:
        sender, receiver = (int(second.vs[end]["id"]) for end in edge.tuple)
        told, row = first.edges[sender, receiver], int(edge["row"])
        assert rollout.edge_sender_receiver[row].tolist() == [sender, receiver]
        assert told["row"] == row
        assert told["type"] == edge["type"] == rollout.edge_types[0, step, row]
        for kind, chance in enumerate(rollout.edge_probabilities[0, step, row]):
            assert told[f"probability_{kind}"] == pytest.approx(chance, abs=1e-5)
            assert edge[f"probability_{kind}"] == pytest.approx(chance, abs=1e-5)
        if springs is None:
            assert "spring" not in told
        else:
            assert told["spring"] == edge["spring"] == springs[FRAME, sender, receiver]


# Tables ------------------------------------------------------------------------------------------------


@each
def test_pandas_reads_one_row_an_edge_and_step(rollout: Rollout, tmp_path: Path) -> None:
    export(rollout, tmp_path / "edges.csv")
    table = pandas.read_csv(tmp_path / "edges.csv")
    steps, edges, types = rollout.edge_probabilities.shape[1:]
    assert len(table) == steps * edges
    assert (table.row.to_numpy().reshape(edges, steps) == np.arange(edges)[:, None]).all()
    pairs = table[["sender", "receiver"]].to_numpy().reshape(edges, steps, 2)
    assert (pairs == rollout.edge_sender_receiver[:, None]).all()
    assert (rollout.edge_types[0] == table.type.to_numpy().reshape(edges, steps).T).all()
    chances = table[[f"probability_{kind}" for kind in range(types)]].to_numpy().reshape(edges, steps, types)
    assert np.abs(chances.transpose(1, 0, 2) - rollout.edge_probabilities[0]).max() < 1e-5
    assert ((table.input == "true") == (table.step <= rollout.last_true_input)).all()
    assert (table.predicts_frame == table.step + 1).all()
    assert table.sender_name[0].startswith(("root", "intermediate", "leaf"))
    if rollout.true_adjacency is None:
        assert table.spring.isna().all()
    elif rollout.observation == "states":
        joined = rollout.true_adjacency[0][table.sender, table.receiver]
        assert (table.spring.to_numpy() == joined).all()


@each
def test_json_holds_all_but_pixels(rollout: Rollout, tmp_path: Path) -> None:
    path = tmp_path / "rollout.json"
    edited = dataclasses.replace(rollout, edits=Intervention((Mute(6),)).to_json())
    export(edited, path)
    told = json.loads(path.read_text(), parse_constant=pytest.fail)  # no NaN, no Infinity
    assert told["edits"] == {"version": 1, "edits": [{"edit": "mute", "node": 6}]}
    assert len(told["nodes"]) == rollout.tree.size
    for edge in told["edges"]:
        assert rollout.edge_sender_receiver[edge["row"]].tolist() == [edge["sender"], edge["receiver"]]
        assert edge["types"] == rollout.edge_types[0, :, edge["row"]].tolist()
        assert (edge["spring"] is None) == (rollout.true_adjacency is None)
    assert np.allclose(told["truth"], rollout.slots[0], atol=1e-4)
    assert told["errors"]["model"] == pytest.approx(error_curves(rollout).model.tolist(), rel=1e-4)
    alone = np.array(told["predicted"], dtype=float)
    assert np.isnan(alone).all((0, 2)).sum() == (5 if rollout is LEAVES else 0)


# SVG ---------------------------------------------------------------------------------------------------

NAMES = {"svg": "http://www.w3.org/2000/svg"}


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


@each
def test_the_graph_is_drawn_as_the_page_draws_it(rollout: Rollout, tmp_path: Path) -> None:
    export(rollout, tmp_path / "a.svg", frame=FRAME)
    root = parsed((tmp_path / "a.svg").read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//svg:g[@class='node']", NAMES)) == rollout.tree.size
    edges = root.findall(".//svg:g[@class='edge']", NAMES)
    rows = edge_rows(rollout, "hierarchy")
    assert [int(edge.get("data-row", "")) for edge in edges] == rows.tolist()
    step = edge_step(rollout, FRAME)
    for edge, row in zip(edges, rows, strict=True):
        chances, kind = rollout.edge_probabilities[0, step, row], int(rollout.edge_types[0, step, row])
        width, alpha = edge_look(kind, float(chances[kind]), 1 - float(chances[0]), 0.0, len(rows))
        line, head = edge.findall("svg:path", NAMES)
        assert float(edge.get("opacity", "")) == pytest.approx(alpha, abs=1e-3)
        assert float(line.get("stroke-width", "")) == pytest.approx(width, abs=0.01)
        assert line.get("stroke") == colour(kind)
        assert (line.get("stroke-dasharray") is None) == (kind > 0)
        assert float(head.get("fill-opacity", "")) == (kind > 0)
    lit = [
        spring for spring in root.findall(".//svg:path[@class='spring']", NAMES) if spring.get("stroke-opacity") == "1"
    ]
    springs = true_springs(rollout)
    assert all(spring.get("stroke") == STYLE.spring for spring in lit)
    if springs is None:
        assert not lit
    else:
        joined = [tuple(map(int, spring.get("data-pair", "").split())) for spring in lit]
        assert all(springs[FRAME, i, j] for i, j in joined)
        assert rollout.observation == "frames" or len(joined) == springs[FRAME].sum() / 2


@each
def test_marks_stay_inside_the_picture(rollout: Rollout) -> None:
    for layout in ("radial", "image"):
        root = parsed(svg(rollout, FRAME, show="graph", layout=layout))  # type: ignore[arg-type]
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        for node in root.findall(".//svg:g[@class='node']", NAMES):
            x, y = map(float, node.get("transform", "").removeprefix("translate(").removesuffix(")").split())
            assert -1 <= x <= SIDE + 1
            assert -1 <= y <= SIDE + 1
        assert width >= SIDE
        assert height > SIDE


def test_pictures_in_the_file_are_the_frames() -> None:
    root = parsed(file_content(SLOTS, ".svg", frame=FRAME).decode())
    images = root.findall(".//svg:image", NAMES)
    assert len(images) == 3
    assert SLOTS.frames is not None
    for image, frame in zip(images[:1], [SLOTS.frames[0, FRAME]], strict=True):
        kind, _, data = image.get("href", "").partition(",")
        assert kind == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert (np.asarray(picture) == frame.repeat(8, 0).repeat(8, 1)).all()


def test_names_of_strangers_are_text_and_nothing_else() -> None:
    strange = dataclasses.replace(SLOTS, checkpoint="</title><script>alert(1)</script>\x00 & co")
    root = parsed(file_content(strange, ".svg", frame=FRAME).decode())
    assert root.findall(".//svg:script", NAMES) == []
    assert "<script>alert(1)</script>" in "".join(root.itertext())
    page = file_content(strange, ".html").decode()
    assert "<script>alert" not in page
    assert "{{" not in page.replace("{{}}", "")


def test_frames_that_are_not_there_are_refused() -> None:
    for made in (lambda: graph(SLOTS, 49), lambda: svg(SLOTS, -1)):
        with pytest.raises(ValueError, match="this rollout has frames 0 to 48"):
            made()

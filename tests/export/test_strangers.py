"""Nothing in a stranger's rollout runs or formats anything, whatever it becomes: its names are shown as they are."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pandas
import pytest

from hri.__main__ import main
from hri.core.records import Rollout
from hri.export.formats import FORMATS, file_content
from hri.rollout.rollout_files import open_rollout, read_rollout
from hri.view.facts import edge_rows
from hri.view.graph import interaction_graph, paint_graph
from hri.view.player import graph_data, ledger_data, matrix_data
from tests.bodies import body_rollout
from tests.strangers import NAMES, crafted


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stranger") / "stranger.npz"
    crafted().save(path)
    return path


def test_any_printable_name_is_accepted_and_comes_back(path: Path) -> None:
    for rollout in (read_rollout(path.read_bytes()), open_rollout(path)):
        assert rollout.tree.names == NAMES


class Tags(HTMLParser):
    """What a browser would make of a page: its elements and the events they listen to."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.titles: list[str] = []
        self.events: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.events += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] == "title":
            self.titles.append(data)


def test_a_page_that_plays_offline_has_the_elements_of_any_other(path: Path) -> None:
    crafted_page, plain_page = Tags(), Tags()
    text = file_content(open_rollout(path), ".html", frame=5).decode()
    crafted_page.feed(text)
    plain_page.feed(file_content(body_rollout(), ".html", frame=5).decode())
    assert crafted_page.elements == plain_page.elements
    assert crafted_page.events == plain_page.events
    data = json.loads(re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert {part for name in data["graph"]["names"] for part in name.split(" → ")} == set(NAMES)


@pytest.mark.parametrize("kind", [".svg", ".graphml"])
def test_drawings_and_graphs_hold_names_as_text(kind: str, path: Path) -> None:
    root = ElementTree.fromstring(file_content(open_rollout(path), kind, frame=5))
    # A joint called head is drawn as one, so the other body's names say nothing either.
    nameless = dataclasses.replace(body_rollout(), joints=np.array([f"joint {number}" for number in range(15)]))
    plain = ElementTree.fromstring(file_content(nameless, kind, frame=5))
    assert [part.tag for part in root.iter()] == [part.tag for part in plain.iter()]
    texts = [part.text or "" for part in root.iter()]
    assert all(any(name in text for text in texts) for name in NAMES)


def test_tables_graphs_and_arrays_come_back_with_the_names_and_numbers(path: Path, tmp_path: Path) -> None:
    rollout = open_rollout(path)
    table = pandas.read_csv(io.BytesIO(file_content(rollout, ".csv", frame=5)))
    pairs = rollout.edge_sender_receiver
    steps = rollout.slots.shape[1]
    first = table[table["step"] == 0]
    assert first["sender_name"].tolist() == [NAMES[i] for i in pairs[:, 0]]
    assert first["receiver_name"].tolist() == [NAMES[i] for i in pairs[:, 1]]
    chances = table["probability_1"].to_numpy().reshape(len(pairs), steps).T
    np.testing.assert_allclose(chances, rollout.edge_probabilities[0, :, :, 1], rtol=1e-4)
    assert next(csv.reader(io.StringIO(file_content(rollout, ".csv", frame=5).decode())))[3] == "sender_name"

    network = nx.parse_graphml(file_content(rollout, ".graphml", frame=5).decode(), node_type=int)
    assert [network.nodes[node]["name"] for node in range(15)] == list(NAMES)
    assert set(network.edges) == {tuple(pair) for pair in pairs.tolist()}
    for row, (sender, receiver) in enumerate(pairs.tolist()):
        assert network.edges[sender, receiver]["probability_1"] == pytest.approx(
            rollout.edge_probabilities[0, 4, row, 1], rel=1e-4
        )

    (tmp_path / "again.npz").write_bytes(file_content(rollout, ".npz", frame=5))
    same = open_rollout(tmp_path / "again.npz")
    assert same.arrays.keys() == rollout.arrays.keys()
    assert all(np.array_equal(same.arrays[name], array) for name, array in rollout.arrays.items())
    said = json.loads(file_content(rollout, ".json", frame=5))
    assert [node["name"] for node in said["nodes"]] == list(NAMES)


@pytest.mark.parametrize("layout", ["radial", "image"])
def test_hovers_of_the_graph_show_names_as_they_are(layout: str, path: Path) -> None:
    rollout = open_rollout(path)
    rows = edge_rows(rollout, "hierarchy")
    figure = interaction_graph(rollout.tree, rollout.edge_sender_receiver[rows], 2, layout)  # type: ignore[arg-type]
    painted = paint_graph(figure, rollout, rows, 5, layout)  # type: ignore[arg-type]
    for drawn in (figure, painted):
        traces = {trace.meta: trace for trace in drawn.data}
        said = [custom[1] for trace in ("nodes", "hits") for custom in traces[trace].customdata]
        assert not any("<" in text or ">" in text for text in said)
        assert {unescape(text) for text in said[:15]} == set(NAMES)


def test_the_player_is_sent_names_as_data(path: Path) -> None:
    """The browser puts them in as text (textContent); only there is nothing to escape."""
    rollout = open_rollout(path)
    rows = edge_rows(rollout, "hierarchy")
    assert matrix_data(rollout)["nodes"] == list(NAMES)
    for data in (graph_data(rollout, rows, "radial"), ledger_data(rollout, rows)):
        json.dumps(data)


@pytest.mark.parametrize("format", [ending[1:] for ending in FORMATS])
def test_the_export_command_checks_a_file_and_takes_any_name(
    format: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"out.{format}"
    words = ["export", "--rollout", str(path), "--out", str(target), "--scale", "1"]
    assert main(words) == 0, capsys.readouterr().err
    assert target.stat().st_size > 500
    broken = crafted().arrays | {"edge_types": crafted().edge_types + 7}
    np.savez(tmp_path / "broken.npz", **broken)  # type: ignore[arg-type]
    before = target.read_bytes()
    words[2] = str(tmp_path / "broken.npz")
    assert main(words) == 1
    told = capsys.readouterr().err
    assert f"{tmp_path / 'broken.npz'}: it is damaged: an edge has a type that is not there" in told
    assert target.read_bytes() == before


def test_a_rollout_larger_than_a_page_shows_is_exported(tmp_path: Path) -> None:
    few = body_rollout(times=6, free=2)
    shared = {"parents", "edge_sender_receiver", "ball_parents", "joints"}
    many = {
        name: np.repeat(array, 201, 0) if array.ndim > 1 or name == "seeds" else array
        for name, array in few.arrays.items()
        if name not in shared
    }
    np.savez(tmp_path / "many.npz", **many | {name: few.arrays[name] for name in shared})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="it has 201 scenes; the page shows 1 to 200"):
        read_rollout((tmp_path / "many.npz").read_bytes())
    rollout = open_rollout(tmp_path / "many.npz")
    assert isinstance(rollout, Rollout)
    assert main(["export", "--rollout", str(tmp_path / "many.npz"), "--out", str(tmp_path / "a.csv")]) == 0

"""What pages put together: the player's parts.

The player is three small browser components on one clock (``hri/view/clock.js``): images, timeline,
and one that repaints the Plotly graph. Their data goes over once a scene; a step asks nothing of the
server. Text from users travels in ``data`` only.

Over 350 lines: every component that the app shows is declared here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from app import drawn, library, parts, places
from app.compute import scene_id
from hri.core import hierarchy
from hri.core.forces import force
from hri.core.hierarchy import Tree
from hri.core.records import Rollout
from hri.physics.systems import MAX_SPEED, System
from hri.view import beliefs, style
from hri.view import facts as pictures
from hri.view import graph as figures
from hri.view.beliefs import Named
from hri.view.layout import Layout

Fields = Float[np.ndarray, "N 4"]
Pairs = Int[np.ndarray, "E 2"]
Shares = Float[np.ndarray, " E"]

_PLAYER = places.PLAYER


_SHEET = "player.css"
_images, _timeline, _matrix, _ledger, _strips, _shares = (
    parts.part(name, marks=True, sheet=_SHEET)
    for name in ("images", "timeline", "matrix", "ledger", "strips", "shares")
)
_beside = parts.part("images", marks=True, sheet=_SHEET, root="beside")
_graph = parts.part("graph", "plotly.js", marks=True, sheet=_SHEET)
_share, _board, _family, _crop = (parts.part(name, sheet=_SHEET) for name in ("share", "board", "family", "crop"))
_link = parts.part("link")


def page_style() -> None:
    """Spacing that lets the page fit one screen."""
    st.html(f"<style>{style.css()}{(_PLAYER / 'page.css').read_text(encoding='utf-8')}</style>")


# The player --------------------------------------------------------------------------------------------


def images(
    rollout: Rollout, player: str = "explore", original: Rollout | None = None, fields: Fields | None = None
) -> None:
    """Truth, prediction and error with the partition over them; SlotDec's slots below.

    Args:
        rollout: to be watched.
        player: whose clock it follows.
        original: without the visitor's edits: its prediction stays as a ghost, and the change is shown.
        fields: what each slot can see of the true frame (:func:`hri.model.receptive.receptive_fields`).
    """
    data = {"fields": None if fields is None else fields.tolist()}
    _images(key=f"{player}-images", data=_of_scene("images", rollout, player, original) | data)


def result(rollout: Rollout, player: str = "explore", original: Rollout | None = None) -> None:
    """Truth and prediction once more, on the same clock, beside what has just changed them."""
    shown = {"panels": ["truth", "prediction"], "part": "beside"}
    _beside(key=f"{player}-beside", data=_of_scene("images", rollout, player, original) | shown)


def timeline(rollout: Rollout, player: str = "explore", original: Rollout | None = None) -> None:
    """Play, step, scrub; the error of every frame, and beside it that of the rollout without edits."""
    with st.container(key=f"{player}-transport"):
        _timeline(key=f"{player}-timeline", data=_of_scene("timeline", rollout, player, original))


def mount(part: Literal["images", "timeline", "shares"], key: str, data: dict[str, Any]) -> None:
    """One part of a player whose data were put together elsewhere (:mod:`hri.view.player_compare`)."""
    {"images": _images, "timeline": _timeline, "shares": _shares}[part](key=key, data=data)


def _of_scene(kind: str, rollout: Rollout, player: str, original: Rollout | None) -> dict[str, Any]:
    """What one part is sent; ``start`` is equal for all futures of one scene, so that the player keeps its frame."""
    sent = drawn.payload(kind, rollout, *([] if original is None else [original]))
    return {"player": player, "scene": scene_id(rollout), "start": library.start_id(rollout)} | sent


def frame(rollout: Rollout, part: str, player: str = "explore") -> int:
    """The frame at which the player last came to rest; call inside a fragment, which alone reruns then.

    Args:
        rollout: in the player.
        part: a name for the place that asks, another one for each.
        player: which.
    """
    report = _link(
        key=f"{player}-{part}-frame",
        data={"player": player, "report": "frame", "rest": 250},
        on_frame_change=lambda: None,
    )
    return min(int(report.get("frame") or 0), rollout.slots.shape[1] - 1)


def keep_address(opening: dict[str, Any] | None, player: str = "explore") -> None:
    """Let the player begin at what an address asked for, once, and the address follow frame and selection."""
    with st.container(key=f"{player}-address-sync"):
        if opening is not None:
            _link(key=f"{player}-opening", data={"player": player, "opening": opening})
        _share(key=f"{player}-address", data={"player": player, "keep": True})


def tell(player: str, name: str, settings: dict[str, Any]) -> None:
    """Settings for the player's parts in the browser; each name is one message that is replaced by the next."""
    _link(key=f"{player}-{name}", data={"player": player, "settings": settings})


def copy_link(address: dict[str, str], player: str = "explore") -> None:
    """A button that copies the address of what is on the screen; ``address`` holds parameters it must name."""
    _share(key=f"{player}-copy", data={"player": player, "given": address})


def graph(
    rollout: Rollout,
    pairs: pictures.Pairs,
    layout: Layout,
    player: str = "explore",
    names: drawn.Names = "raw",
    part: str = "graph",
    scene: str | None = None,
    **more: Any,
) -> None:
    """The interaction graph: a Plotly chart that follows the player, or says that it cannot and follows on pause.

    Args:
        rollout: whose edges.
        pairs: which of them.
        layout: of the nodes.
        player: whose clock it follows.
        names: of the edge types.
        part: a name for this graph, another one for each graph of a player.
        scene: what the player shows, where that is more than this rollout.
        more: for the painter (``tree``), and ``height`` in pixels for the chart.
    """
    rows = pictures.edge_rows(rollout, pairs)
    edges = rollout.edge_sender_receiver[rows].reshape(-1, 2)
    figure = drawn.interaction_graph(
        tuple(rollout.tree.parents),
        tuple((int(i), int(j)) for i, j in edges),
        drawn.named_types(rollout, names).types,
        layout,
        rollout.true_adjacency is not None,
        rollout.tree.names,
        rollout.physics,
    )
    if st.session_state.get("graph_broken"):
        _graph_on_pause(figure, drawn.named_types(rollout, names), rows, layout, player, part)
        return
    chart, height = f"{player}-{part}", more.pop("height", "content")
    # Outside any fragment: a fragment's rerun would mount the chart anew and lose the zoom.
    with st.container(key=chart):
        st.plotly_chart(
            figure,
            key=f"{chart}-chart",
            config={
                "scrollZoom": True,
                "doubleClick": False,
                "modeBarButtonsToRemove": ["zoom2d", "pan2d", "autoScale2d"],
            },
            alt="Interaction graph of the current frame",
            height=height,
        )
    with st.container(key=f"{chart}-sync"):
        sent = drawn.payload("graph", rollout, names, pairs, layout)
        place = {"player": player, "scene": scene or scene_id(rollout), "chart": chart, "part": part}
        data = place | more | sent
        _graph(key=f"{chart}-painter-{layout}-{pairs}-{names}", data=data, on_broken_change=_graph_broke)


def matrix(rollout: Rollout, player: str = "explore", names: drawn.Names = "raw") -> None:
    """Every inferred pair as a square: rows send, columns receive."""
    with st.container(key=f"{player}-matrix"):
        sent = drawn.payload("matrix", rollout, names)
        _matrix(key=f"{player}-matrix-{names}", data={"player": player, "scene": scene_id(rollout)} | sent)


def ledger(rollout: Rollout, pairs: pictures.Pairs, player: str = "explore", names: drawn.Names = "raw") -> None:
    """The strongest edges of the frame that is shown, and the greatest changes of mind."""
    sent = drawn.payload("ledger", rollout, names, pairs)
    _ledger(key=f"{player}-ledger-{pairs}-{names}", data={"player": player, "scene": scene_id(rollout)} | sent)


def strips(
    rollout: Rollout, pairs: pictures.Pairs, history: int = 0, player: str = "explore", names: drawn.Names = "raw"
) -> None:
    """Every edge as a strip over time, with the truth beside it; ``history``: states of the model's window."""
    sent = drawn.payload("strips", rollout, names, pairs, history)
    _strips(key=f"{player}-strips-{pairs}-{names}", data={"player": player, "scene": scene_id(rollout)} | sent)


def board(begin: System, on_change: Callable[[], None], player: str = "explore") -> None:
    """Balls to place and throw, springs to switch; ``on_change`` is called when the system on the board is sent.

    Args:
        begin: what is on the board until the visitor changes it.
        on_change: a callback.
        player: that begins to play when the visitor asks for the simulation.
    """
    tree = Tree.parse(begin.tree)
    pairs = np.argwhere(np.triu(tree.possible)).tolist()
    fills, inks = style.node_colours(tree)
    data = {
        "player": player,
        "base": begin.to_json(),
        "pairs": pairs,
        # Slots are places and have the same numbers: what lies on the board is a ball.
        "names": [_ball(tree, node) for node in range(tree.size)],
        "ranks": hierarchy.ranks(tree).tolist(),
        "colours": fills,
        "inks": inks,
        "fastest": MAX_SPEED,
        "box": force(begin.physics).box,
        "signs": not force(begin.physics).silent,
    }
    _board(key="board", data=data, on_system_change=on_change)


def _ball(tree: Tree, node: int) -> str:
    """Such as "ball 5 (leaf)"; "ball 3" without a hierarchy."""
    name = hierarchy.node_name(tree, node)
    return name if tree.flat else f"ball {node} ({name.split()[0]})"


def crop(
    picture: str, size: tuple[int, int], part: tuple[int, int, int, int], key: str, on_change: Callable[[], None]
) -> None:
    """A picture with a square on it to drag; the new one is under ``crop`` in the session's value of ``key``.

    Args:
        picture: its address, such as of data.
        size: width and height that the part is counted in.
        part: left, top, right and bottom.
        key: another one for each picture.
        on_change: called when the visitor lets go.
    """
    data = {"picture": picture, "width": size[0], "height": size[1], "crop": list(part)}
    _crop(key=key, data=data, on_crop_change=on_change)


def family(
    groups: dict[str, list[tuple[str, dict[str, Any]]]],
    within: tuple[str, list[int]] | None = None,
    player: str = "explore",
) -> None:
    """Buttons that select something else in the player.

    Args:
        groups: heading to (label, what it selects).
        within: label and nodes of a button that leaves only the edges among these nodes.
        player: which.
    """
    rows = [
        {
            "heading": heading,
            "items": [{"label": label, "hint": f"Select {label}", "what": what} for label, what in items],
        }
        for heading, items in groups.items()
    ]
    only = None if within is None else {"label": within[0], "nodes": within[1], "told": within[0]}
    _family(key=f"{player}-family", data={"player": player, "groups": rows, "within": only})


def _graph_broke() -> None:
    st.session_state["graph_broken"] = True


@st.fragment
def _graph_on_pause(figure: Any, naming: Named, rows: Any, layout: Layout, player: str, part: str) -> None:
    """The slow, safe way: the figure of the frame at which the player stands, drawn by Python."""
    st.caption("The graph cannot follow playback in this browser; it is redrawn on pause.")
    report = _link(
        key=f"{player}-{part}-pause", data={"player": player, "report": "frame"}, on_frame_change=lambda: None
    )
    rollout, session = naming.rollout, st.session_state
    frame = min(int(report.get("frame") or 0), rollout.slots.shape[1] - 1)
    passes = beliefs.passes(naming, rows, frame, session.get("ways", []), session.get("types", []))
    still = figures.paint_graph(figure, rollout, rows, frame, layout, session.get("threshold", 0.0), passes)
    with st.container(key=f"{player}-{part}"):
        st.plotly_chart(still, key=f"{player}-{part}-still-{frame}")


AFTER_GLANCE = 150
"""Milliseconds by which a second place hears of a selection later: of two that report at once, only one would rerun."""


def selection(player: str = "explore", part: str = "selection") -> dict[str, Any] | None:
    """What is selected in the player: a node or an edge; call inside a fragment, which alone reruns on a click.

    Args:
        player: whose selection.
        part: a name for the place that asks, another one for each.
    """
    report = _link(
        key=f"{player}-{part}",
        data={"player": player, "report": "selected", "rest": 0 if part == "selection" else AFTER_GLANCE},
        on_selected_change=lambda: None,
    )
    return report.get("selected")


def edge_weights(rollout: Rollout, pairs: Pairs, shares: Shares | None, caption: str, player: str = "explore") -> None:
    """Let widths in the graph stand for these shares (0 ... 1, one a pair) instead of probabilities; None: no more.

    They hold for this rollout alone and end when this is no longer on the page.
    """
    weights = None
    if shares is not None:
        by_pair = {f"{i}-{j}": round(float(share), 3) for (i, j), share in zip(pairs.tolist(), shares, strict=True)}
        weights = {"scene": scene_id(rollout), "shares": by_pair, "told": caption}
    _link(
        key=f"{player}-weights", data={"player": player, "settings": {"weights": weights}, "after": {"weights": None}}
    )


def keep_place(player: str) -> None:
    """Let a player stay at its frame when another rollout of the same scene comes."""
    with st.container(key=f"{player}-place-sync"):
        tell(player, "place", {"keepsPlace": True})


_JOINER = "\u2060"
"""Nothing that can be seen: it parts what a browser would replace even where each character of it is escaped."""
_REPLACED = re.compile(
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=\w)(?=@)"  # addresses become links
    r"|(?<=:)(?=[\w+/-]+:)"  # symbols by name
    r"|(?<=\s[<>~-])(?=[>=-]>?(?:\s|$))",  # arrows and dashes
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Text from outside so that it is shown as it is: nothing in it makes a link, a picture, a symbol or a formula."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|:$~&@-])", r"\\\1", _REPLACED.sub(_JOINER, text))


def said(text: str) -> str:
    """A message of this program with text from outside in it: :func:`plain`, but commands in backticks stay code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them came from outside
        return plain(text)
    return "".join(f"`{part}`" if k % 2 else plain(part) for k, part in enumerate(parts))

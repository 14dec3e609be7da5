"""Classroom mode: an address that hides controls, fixes the scene and sets the size of letters for a projector."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import streamlit as st

from app import library, places
from app.address import Field, WholeNumber, Words
from app.learn import course

_STYLE = places.PLAYER / "learn.css"
SIZES = (100, 125, 150, 175, 200)
"""Percent of the usual size of letters."""
ON = ("true", "1", "yes")
SCENES = WholeNumber(0, library.LAST_SEED, "scenes")
GAMES = WholeNumber(0, course.LAST_GAME, "games")
FIELDS: dict[str, Field] = {
    "scene": SCENES,
    "game": GAMES,
    "size": Words(list(map(str, SIZES))),
    "classroom": Words((*ON, "false", "0", "no", "True", "False")),
}
"""What these parameters of an address may be."""


@dataclass(frozen=True)
class Classroom:
    """What the address asks for."""

    on: bool = False
    seed: int = course.SCENE
    size: int = 100
    """Percent."""


def from_query(query: Mapping[str, str]) -> Classroom:
    """Read an address; what it cannot mean is left at its usual value."""
    seed, size = SCENES.value(query.get("scene", "")), query.get("size", "")
    return Classroom(
        on=query.get("classroom", "").lower() in ON,
        seed=course.SCENE if seed is None else seed,
        size=int(size) if size in map(str, SIZES) else 100,
    )


def address(
    view: str, size: int, lesson: str = "", scene: int | None = None, game: int | None = None, mathematics: bool = False
) -> str:
    """The part of an address after the host that opens one lesson, or the game, in classroom mode."""
    parts = {"view": view, "lesson": lesson, "scene": scene, "game": game, "size": size}
    parts |= {"math": "true" if mathematics else "", "classroom": "true"}
    return "/learn?" + urlencode({name: value for name, value in parts.items() if value not in ("", None)})


def host() -> str:
    """Where this app is, as the visitor's browser calls it."""
    return (st.context.url or "").split("?")[0].rstrip("/").removesuffix("/learn")


def reach(place: str) -> str:
    """What a teacher must know of an address: that it means this machine alone, and what to do; "" where others can.

    Args:
        place: :func:`host`.
    """
    if for_others(place) == place:
        return ""
    own, port = own_address(), urlsplit(place).port or 80
    start = f'STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_ALLOWED_HOSTS="localhost 127.0.0.1 {own}"'
    return (
        f"The address in this browser works on this machine only. For a class, start the app with `{start} PORT={port} "
        f"make app` and let port {port} through this machine's firewall. The address below is then one that others in "
        f"the same network can open; `http://{own}:{port}/learn` is this page's."
    )


def for_others(place: str) -> str:
    """The same address by this machine's name in its network, where it names this machine alone."""
    name = urlsplit(place).hostname or ""
    if not (name in ("localhost", "::1") or name.startswith("127.")):
        return place
    return f"http://{own_address()}:{urlsplit(place).port or 80}"


def own_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # set aside for documentation: nobody is there
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def style(room: Classroom) -> None:
    """Larger letters, and without the bar of pages and the menu."""
    rules = [f"html {{ font-size: {15 * room.size / 100:g}px !important; }}"] if room.size != 100 else []
    if room.on:
        rules.append('header[data-testid="stHeader"] { display: none; }')
        rules.append('[data-testid="stMainBlockContainer"] { max-width: 100%; padding-top: 1rem; }')
    st.html(_STYLE)
    if rules:
        st.html(f"<style>{' '.join(rules)}</style>")

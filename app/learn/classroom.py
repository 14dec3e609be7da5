"""Classroom mode: an address that hides controls, fixes the scene and sets the size of letters for a projector."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from app import library, places
from app.learn import course

_STYLE = places.PLAYER / "learn.css"
SIZES = (100, 125, 150, 175, 200)
"""Percent of the usual size of letters."""


@dataclass(frozen=True)
class Classroom:
    """What the address asks for."""

    on: bool = False
    seed: int = course.SCENE
    size: int = 100
    """Percent."""


def from_query(query: Mapping[str, str]) -> Classroom:
    """Read an address; what it cannot mean is left at its usual value."""
    seed, size = query.get("scene", ""), query.get("size", "")
    is_seed = re.fullmatch(r"[0-9]{1,10}", seed) is not None and int(seed) <= library.LAST_SEED
    return Classroom(
        on=query.get("classroom", "").lower() in ("true", "1", "yes"),
        seed=int(seed) if is_seed else course.SCENE,
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


def style(room: Classroom) -> None:
    """Larger letters, and without the bar of pages and the menu."""
    rules = [f"html {{ font-size: {15 * room.size / 100:g}px !important; }}"] if room.size != 100 else []
    if room.on:
        rules.append('header[data-testid="stHeader"] { display: none; }')
        rules.append('[data-testid="stMainBlockContainer"] { max-width: 100%; padding-top: 1rem; }')
    st.html(_STYLE)
    if rules:
        st.html(f"<style>{' '.join(rules)}</style>")

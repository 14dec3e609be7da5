"""Where a training on trajectories of one's own begins: its data set, its model, and how long."""

from __future__ import annotations

import dataclasses

import streamlit as st

from app import places, widgets
from hri.core.config import Config
from hri.core.presets import OWN, preset
from hri.data.sources import source_of

SHORT = {"train.updates": 700, "train.evaluate_every": 50, "data.validation": 60}
"""Enough to see whether there is something to find; how long it takes here is estimated below it."""
LENGTHS = {"short": "short", "whole": "as the data suggest"}
ABOUT = {
    "hri": "HRI: relations along the hierarchy",
    "nri": "NRI: any two may be related, with memory",
    "nri-mlp": "NRI's first model: one graph a window, no memory",
    "lstm": "LSTM: no relations, to compare with",
}


def beginning() -> tuple[str, Config] | None:
    """A name for where the form begins, and the experiment; None where no data set was brought.

    Raises:
        ValueError: the data set has gone or is damaged.
    """
    place = st.session_state.get("train_own")
    if not place:
        return None
    folder = _relative(place)
    usable = {}
    for variant in OWN:
        config = preset(f"own-state-{variant}")
        source = source_of(source_of(config.data).in_folder(folder))
        if not source.here:
            st.session_state.pop("train_own")
            raise ValueError(f"{folder} has gone; bring the trajectories again under Upload on the Explore page")
        try:
            usable[variant] = source.sized(dataclasses.replace(config, data=source.data))
        except ValueError:  # hri without a hierarchy
            continue
    first = next(iter(usable.values()))
    with st.container(horizontal=True, vertical_alignment="center"):
        title = widgets.plain(source_of(first.data).title)
        st.markdown(f"Trains on **{title}**: {widgets.plain(', '.join(first.data.origin.joints))}.", width="content")
        st.button("Begin elsewhere", on_click=lambda: st.session_state.pop("train_own"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        variant = st.selectbox(
            "Model", list(usable), list(usable).index("nri-mlp") if first.data.tree.startswith("flat") else 0,
            format_func=lambda name: ABOUT[name], key=f"own-variant-{folder}", width=380,
        )  # fmt: skip
        length = st.segmented_control(
            "How long", list(LENGTHS), default="short", required=True, format_func=LENGTHS.__getitem__,
            key="own-length",
        )  # fmt: skip
    config = usable[variant]
    if length != "whole":
        from hri.core.settings import changed

        config = changed(config, {**SHORT, "data.validation": min(60, config.data.validation)})
    return f"own-{folder.replace('/', '-')}-{variant}-{length}", config


def _relative(place: str) -> str:
    """As a checkpoint's header may say it on another machine."""
    root = f"{places.ROOT}/"
    return place.removeprefix(root)

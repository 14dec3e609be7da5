"""What can be said of a body's relations, of which nobody knows the truth."""

from __future__ import annotations

import streamlit as st

from app import bodies, drawn, widgets
from app.explore import changes
from app.library import Scene

SIGNS = {True: ":material/check_circle:", False: ":material/do_not_disturb_on:", None: ":material/info:"}
"""Beside what is more than chance, what is not, and what has no chance beside it."""


def panel(scene: Scene) -> None:
    """A sentence for each thing that can be asked, the mirror image of every edge, and what each edge does here."""
    st.markdown(
        "**Nobody knows which joints truly act on each other: no edge here is right or wrong.** This can be asked "
        "without a truth, and what is found stands beside what chance gives:"
    )
    try:
        with st.spinner("Looking at the edges of many scenes …"):
            relations, where = bodies.body_relations_of(scene.source)
    except ValueError as error:
        st.info(widgets.plain(str(error)))
        return
    words, picture = st.columns([1.25, 1], gap="large")
    with words:
        for finding in relations.findings:
            st.markdown(f"{SIGNS[finding.clear]} **{finding.about}.** {widgets.plain(finding.sentence)}")
        st.caption(
            f"{where} Scenes cut from one recording may overlap: small shares of shuffles look smaller than they are.",
            help="Edges: the type in the burn-in, from full windows of true states. On the ground: low, and neither "
            "rising nor sinking. Shuffles: mirrored edges are paired anew within their family; a course in time is "
            "turned around within its scene.",
        )
    with picture:
        if relations.mirror() is not None:
            drawn.load_pandas()
            from hri.view.body_chart import mirror_chart

            st.markdown(":small[**Each edge against its mirror image:** on the line, both sides speak equally often.]")
            st.plotly_chart(
                mirror_chart(relations), key="mirror-chart", config={"displayModeBar": False},
                alt="How often each edge and its mirror image speak",
            )  # fmt: skip
    if len(relations.pairs):
        changes.what_edges_do(scene)

"""Inside one step: the phases of message passing, one after the other."""

from __future__ import annotations

import streamlit as st

from app import drawn, running, widgets
from app.library import Scene


def panel(scene: Scene) -> None:
    """Walk the phases of the step that predicts the frame at which the player rests."""
    rests = widgets.frame(scene.rollout, "steps")  # 0 until the player has said where
    frame = max(1, rests)
    try:
        rollout, phases = running.phases_of(scene, frame - 1)
    except ValueError as error:
        st.info(str(error))
        return
    drawn.load_pandas()
    from hri.view import phase_chart as figures_phases

    words, picture = st.columns([1, 1.3], gap="large")
    with words:
        st.markdown(f"**How frame {frame} is predicted from frame {frame - 1}**")
        titles = [f"{number}. {title}" for number, title in enumerate(phases.titles, 1)]
        spoken, key = phases.phase[phases.type > 0], f"phase-{'-'.join(phases.names)}"
        if rests and f"{key}-begun" not in st.session_state:
            # The first phase in which an edge speaks: an earlier one has nothing to show.
            st.session_state[key] = titles[int(spoken.min()) if len(spoken) else 0]
            st.session_state[f"{key}-begun"] = True
        heading = st.radio(
            "Phase", titles, key=key,
            help="Messages go up, across and down the tree; then the LSTM steps, and a change is read off.",
        )  # fmt: skip
        phase = titles.index(heading or titles[0])
        st.markdown(
            widgets.plain(figures_phases.in_words(phases, rollout, phase)),
            help="Lengths of vectors (Euclidean norm), in units of the hidden state; for the last phase, of states.",
        )
        if scene.source.path is not None and not (phases.type > 0).any():
            st.caption("No edge carries a message in this step.")
    with picture:
        st.plotly_chart(
            figures_phases.phase_graph(phases, rollout, phase), key="phase-graph", config={"displayModeBar": False},
            alt=f"Messages and moved nodes of the phase {phases.titles[phase]}",
        )  # fmt: skip
        st.caption("Width: length of the message. Orange rim: how far the node moves.")

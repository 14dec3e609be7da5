"""Train: a small experiment from idea to rollout; trainings run by themselves, the page only watches."""

from __future__ import annotations

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
with st.container(horizontal=True, vertical_alignment="center", key="headline"):
    st.markdown("**Train a model yourself and watch it learn: first to see, then to predict.**")
    invitation = st.container(width="content")

from app import address, places, widgets
from app.train import form, guide, listing, watch
from app.train.shared import say_problem, standing
from hri.experiments import queueing, runs
from hri.training.starters import STARTERS

VIEWS = ("new", "watch", "runs")

widgets.page_style()
form.watch_what_started()
folders = sorted(runs.folders(places.RUNS), key=lambda folder: folder.name)
all_runs = sorted(map(standing, folders), key=lambda run: (-run.about.made, run.name))
names = [run.name for run in all_runs]
queueing.wake(places.RUNS)  # after a restart of the machine somebody may still wait

address.check(
    "train",
    {"view": address.Words(VIEWS), "run": address.Words(names), "starter": address.Words(list(STARTERS))},
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = st.segmented_control(
        "View", VIEWS, default="watch" if all_runs else "new",
        required=True, key="view",  bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    view = view or ("watch" if all_runs else "new")
    if view == "watch" and names:
        last_name = st.session_state.get("watched")
        if last_name and last_name not in names:
            st.warning(f"The run {last_name} has gone: its folder was deleted. Other runs are untouched.")
        name = st.selectbox("Run", names, key="run", bind="query-params", label_visibility="collapsed", width=330)
        st.session_state["watched"] = name
with invitation:
    guide.show(bool(names))
say_problem()
if view == "new":
    form.show()
elif view == "runs":
    listing.show(all_runs)
elif not names:
    st.info("There is nothing to watch yet: start a run under “new”; *First steps* is the quickest.")
else:
    watch.show(places.RUNS / name)

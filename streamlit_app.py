"""HRI Explorer: `streamlit run streamlit_app.py`. The list of pages and nothing else."""

import streamlit as st

st.set_page_config(page_title="HRI Explorer", page_icon=":material/hub:", layout="wide")

st.navigation(
    [
        st.Page("app/pages/explore.py", title="Explore", icon=":material/play_circle:", default=True),
        st.Page("app/pages/compare.py", title="Compare", icon=":material/compare:"),
        st.Page("app/pages/learn.py", title="Learn", icon=":material/school:"),
        st.Page("app/pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("app/pages/results.py", title="Results", icon=":material/leaderboard:"),
    ],
    position="top",
).run()

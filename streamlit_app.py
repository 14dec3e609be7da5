"""HRI Explorer: `streamlit run streamlit_app.py`. The list of pages and nothing else."""

import streamlit as st

st.set_page_config(page_title="HRI Explorer", page_icon=":material/hub:", layout="wide")

st.navigation(
    [st.Page("app/pages/explore.py", title="Explore", icon=":material/play_circle:", default=True)], position="top"
).run()

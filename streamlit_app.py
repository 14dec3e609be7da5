"""HRI Explorer: `streamlit run streamlit_app.py`. The list of pages and nothing else."""

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parent / "app" / "player" / "icon.svg"  # a Material symbol would be asked of another host

st.set_page_config(page_title="HRI Explorer", page_icon=str(ICON), layout="wide")


def to_explore() -> None:
    """The page that opens by itself has no name in the address; whoever types one gets there all the same."""
    st.switch_page("app/explore/page.py", query_params=st.query_params.to_dict())


st.navigation(
    [
        st.Page("app/explore/page.py", title="Explore", icon=":material/play_circle:", default=True),
        st.Page(to_explore, url_path="explore", visibility="hidden"),
        st.Page("app/compare/page.py", title="Compare", url_path="compare", icon=":material/compare:"),
        st.Page("app/learn/page.py", title="Learn", url_path="learn", icon=":material/school:"),
        st.Page("app/train/page.py", title="Train", url_path="train", icon=":material/model_training:"),
        st.Page("app/results/page.py", title="Results", url_path="results", icon=":material/leaderboard:"),
    ],
    position="top",
).run()

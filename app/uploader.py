"""The box in which a visitor gives a checkpoint, weights or a rollout of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from app import uploads, widgets


def box(trajectories: Callable[[], None]) -> None:
    """Add a checkpoint, the authors' weights or a rollout of one's own; what is wrong with a file is said where it was
    given.

    Args:
        trajectories: opens the dialog that takes trajectories of one's own.
    """
    session = st.session_state
    with st.popover(
        "Upload", icon=":material/upload:", help="Your own checkpoint, weights or rollout, or trajectories to train on"
    ):
        about = "Tables or arrays of where your own objects were: look at them and train a model."
        if st.button("Trajectories …", icon=":material/timeline:", key="own-open", help=about):
            trajectories()
        file = st.file_uploader(
            "Checkpoint (.safetensors), authors' weights (.pt) or rollout (.npz), 20 MB at most",
            type=["safetensors", "npz", *(ending[1:] for ending in uploads.WEIGHTS)], key="upload",
            help="A checkpoint predicts any scene; weights become one, and no code in them is run; a rollout, saved "
            "under share as NumPy, is shown as it is.",
        )  # fmt: skip
        if file is None:
            return
        # A file stays in the box while the page runs again and again: look at each once, and at each of its variants.
        is_new = session.get("upload_seen", ("",))[0] != file.file_id
        variant = None if is_new else session.get("upload-variant")
        if session.get("upload_seen") != (file.file_id, variant):
            session["upload_seen"] = (file.file_id, variant)
            with st.spinner("Looking at it …"):
                _take(file.name, file.getvalue(), variant, is_new)
        if variants := session.get("upload_variants"):
            st.selectbox(
                "It fits several models of the paper: which is it?", variants, None, key="upload-variant",
                help="Files of some models have the same parts; whoever trained it knows.",
            )  # fmt: skip
        if answer := session.get("upload_answer"):
            st.error(widgets.said(answer))
            if (picture := session.get("upload_picture")) is not None:
                caption = "Frames of an unseen scene, and what it makes of them"
                st.image(picture, caption=caption, width="stretch", alt=caption)
        elif not variants or variant:
            st.caption("Added to the list of models and chosen.")


def _take(name: str, content: bytes, variant: str | None, is_new: bool) -> None:
    """Look at a file that was given, and remember what there is to say."""
    session = st.session_state
    session["upload_answer"], session["upload_picture"] = None, None
    if is_new:
        session["upload_variants"] = None
    try:
        session["model"] = uploads.accept_upload(name, content, variant)
    except ValueError as error:
        if variants := getattr(error, "variants", None):
            session["upload_variants"] = variants
            return
        why = re.sub(r"^\S+\.(safetensors|npz|pth?|ckpt) (?=is |holds )", "it ", str(error))  # named once is enough
        session["upload_answer"] = f"{name} was not added: {why}"
        session["upload_picture"] = getattr(error, "picture", None)

"""Which scene a page shows: model, data set and seed in one row."""

from __future__ import annotations

import streamlit as st

from app import address, library, running, uploader, widgets
from app.explore import clip, drawing, editing, models, motions, own
from app.library import Scene
from hri.core.config import Config
from hri.data.sources import source_of


def another_scene(source: library.ModelSource) -> None:
    """Called before the page runs again, when the seed's box may still be changed."""
    st.session_state["seed"] = library.another_seed(source, st.session_state["seed"])
    _leave_own()


def _leave_own() -> None:
    """Whoever chooses a seed or a data set wants to see it, not what was drawn or filmed."""
    drawing.put(None)
    clip.put(None)


def pick_scene() -> Scene:
    """Model, data set and seed in one row, and the scene they name.

    Raises:
        ValueError: the choice cannot be shown; one sentence.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="pickers"):
        model, listing = st.container(width=330), st.container(width="content")
        with st.container(horizontal=True, width=355, key="of-a-seed"):
            data, seed = (st.container(width=170) for _ in range(2))
        buttons, about = st.container(width="content"), st.container(width="stretch")
    with buttons, st.container(horizontal=True, vertical_alignment="bottom"):
        another, gallery, upload = (st.container(width="content") for _ in range(3))
    with upload:
        uploader.box(own.dialog)
    with listing:
        models.button("explore", ("model",))
    models.wanted()
    sources, session = library.sources(), st.session_state
    if motions.wanted():
        _leave_own()
    names = list(sources)
    # Defaults never depend on what was chosen since: an address without a value stands for the same one for ever.
    name = model.selectbox(
        "Model", names, index=library.first_choice(names), key="model", bind="query-params",
        help="A name says what it learned from (springs-4-3), what it sees (state: where balls are and how fast; slot, "
        "par, overlap, strided: pictures), and its kind: hri, a hierarchy; nri, all pairs; lstm, no relations; -gt, "
        "told the truth.",
    )  # fmt: skip
    source = sources[name]
    choices = library.datasets(source)
    address.check("explore", {"data": address.Words(choices)})
    dataset = data.selectbox(
        "Data", choices, key="data", bind="query-params", disabled=len(choices) == 1, on_change=_leave_own,
        help="This model can only be shown what it has learned from." if len(choices) == 1 else None,
    )  # fmt: skip
    stored_seeds = library.stored_seeds(source)
    scenes = source_of((library.config_of(source) or Config()).data)
    if session.get("model_before") != name and not library.can_make(source) and session.get("seed") not in stored_seeds:
        # A model whose scenes are only stored begins with one it has, whatever the address still says.
        session["seed"] = next(iter(stored_seeds), library.FIRST_UNSEEN)
    session["model_before"] = name
    first = next(iter(stored_seeds), library.FIRST_UNSEEN)
    number = seed.number_input(
        "Seed",
        0,
        library.LAST_SEED,
        first,
        key="seed",
        bind="query-params",
        help=scenes.seeds_mean,
        on_change=_leave_own,
    )
    another.button("Another scene", icon=":material/casino:", on_click=another_scene, args=(source,))
    with gallery:
        motions.button(source)
    place = (source, dataset, int(number))
    system = None if source.only_recorded else drawing.current()
    with st.spinner("Rolling the model out …"):
        video, rollout = (None, None) if source.only_recorded else clip.rolled_out(place)
        if system is not None:
            try:
                rollout = running.rollout(*place, own=system)
            except ValueError as error:
                st.warning(
                    f"Your springs do not apply, and seed {number} is shown instead: {error}", icon=":material/draw:"
                )
                if st.button("Forget them", key="system-drop"):
                    drawing.put(None)
                    st.rerun()
        if rollout is None:
            rollout, system = running.rollout(*place), None
    drawing.keep_in_address()
    scene = editing.with_edits(Scene(*place, rollout, system, video))
    beyond = running.beyond(scene)
    badge = "  \n:orange-badge[:material/warning: beyond its training]" if beyond else ""
    elsewhere = "" if scenes.here else widgets.said(f"For other scenes: `{scenes.how_to_get}`.")
    about.caption(running.standing(scene) + badge, help=f"{widgets.plain(beyond)} {elsewhere}".strip() or None)
    if video is not None:  # neither a data set nor a seed says what is seen
        st.html("<style>.st-key-of-a-seed { display: none !important; }</style>")
    return scene

"""What the Compare page is made of: which models and scene, one column a model, graphs under them, one timeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import address, drawn, library, running, widgets
from app.compute import scene_id
from app.explore import inspector, models, motions
from app.library import ModelSource, Scene
from hri.core.config import Config
from hri.core.decoding import DECODERS
from hri.core.hierarchy import Tree
from hri.data.sources import source_of
from hri.physics.palette import half_axes
from hri.scores import ceilings
from hri.scores.compare import RolloutComparison, unequal
from hri.scores.pictures import ball_area
from hri.view import facts as pictures
from hri.view.agreement import beside as with_guessing
from hri.view.agreement import hundredth
from hri.view.layout import Layout
from hri.view.player_compare import LETTERS, tree_name

PLAYER = "compare"
KEYS = library.COMPARED
FAVOURITES = (
    *(f"springs-3-3-{seen}-hri-h" for seen in ("overlap", "strided")),
    *(f"springs-4-3-{name}" for name in ("slot-hri-h", "par-hri-h", "slot-nri", "slot-lstm")),
    library.FAVOURITE,
)
"""Chosen first, where they are there: one model through two decoders, whose pictures hold longest; then one through the
paper's two, and other relational models, all of them trained equally long; then what Explore opens with."""
SCORE = (
    "How far the picture is the sum of what its slots draw, each in its own place: additivity × locality, 0 to 1. "
    "Additivity: 1 − Σ|P − E − Σₖ eₖ| / (Σ|P − E| + Σₖ Σ|eₖ|), with P the picture, E the picture without any slot and "
    "eₖ what slot k adds: P minus P with slot k muted. Locality: Σₖ |eₖ| inside slot k's own cell / Σₖ |eₖ|. "
    "Sums run over all pixels and predicted frames of this scene. SlotDec adds its slots up, so its additivity is 1."
)


def defaults(sources: Mapping[str, ModelSource], open_model: str | None = None) -> list[str]:
    """A model for each column: the favourites that are there, then whatever else there is; of one data set if possible.

    Args:
        sources: to choose from.
        open_model: the model that the visitor comes from; it goes first, then it with other decoders, then models that
            see what it sees.
    """
    words = open_model.split("-") if open_model else []
    others = ["-".join(decoder if word in DECODERS else word for word in words) for decoder in DECODERS]
    first = [open_model, *others] if open_model else []
    candidates = list(dict.fromkeys(name for name in (*first, *FAVOURITES, *sources) if name in sources))
    if open_model in candidates:
        kind = _sees_images(sources[candidates[0]])
        candidates.sort(key=lambda name: _sees_images(sources[name]) not in (kind, None))
    if candidates:
        begin = sources[candidates[0]]
        candidates.sort(key=lambda name: not _shares_data(begin, sources[name]))
    return [candidates[k % len(candidates)] for k in range(len(KEYS))]


def training_inequality(scenes: Sequence[Scene]) -> str | None:
    """That the models were trained unequally long, where their headers tell."""
    try:
        updates_by_model = {
            s.source.name: library.header(s.source.path).steps for s in scenes if s.source.path is not None
        }
    except ValueError:  # a damaged file; said where it is needed
        return None
    return unequal(updates_by_model) if len(updates_by_model) > 1 else None


def _shares_data(one: ModelSource, other: ModelSource) -> bool:
    """Whether there is a data set that both can see."""
    try:
        return bool(set(library.datasets(one)) & set(library.datasets(other)))
    except ValueError:  # said when this model is chosen
        return False


def _sees_images(source: ModelSource) -> bool | None:
    """None where it cannot be known without a rollout."""
    try:
        config = library.config_of(source)
    except ValueError:  # said when this model is chosen
        return None
    return None if config is None else config.model.sees_frames


def common_datasets(sources: Sequence[ModelSource]) -> list[str]:
    """Data sets whose scenes all of the models can see.

    Raises:
        ValueError: none; one sentence.
    """
    datasets = [library.datasets(source) for source in sources]
    common = [name for name in datasets[0] if all(name in other for other in datasets[1:])]
    if not common:
        listing = ", ".join(
            f"{source.name} sees {' or '.join(names)}" for source, names in zip(sources, datasets, strict=True)
        )
        raise ValueError(f"These models have no scene in common: {listing}; choose models of one data set.")
    return common


def common_seeds(sources: Sequence[ModelSource]) -> list[int]:
    """Scenes that are stored for all of the models."""
    first, *others = [library.stored_seeds(source) for source in sources]
    return [seed for seed in first if all(seed in other for other in others)]


def another_scene(sources: Sequence[ModelSource]) -> None:
    """Called before the page runs again, when the seed's box may still be changed."""
    seed, seeds = st.session_state["seed"], common_seeds(sources)
    if all(source.path is not None for source in sources):
        st.session_state["seed"] = library.another_seed(sources[0], seed)
    elif seeds:
        st.session_state["seed"] = seeds[(seeds.index(seed) + 1) % len(seeds)] if seed in seeds else seeds[0]


def columns(count: int) -> list[Any]:
    """A narrow column for what is the same for all, and one for each model."""
    return st.columns([1.1, *[3.0 if count == 2 else 2.2] * count], gap="medium" if count == 2 else "small")


def pick_models(places: Sequence[Any], names: list[str]) -> list[ModelSource]:
    """One model for each place."""
    models.wanted()
    session, sources = st.session_state, library.sources()
    last: Scene | None = session.get("last_scene")
    # Chosen once a visit: an address without a model then stands for the same one for ever.
    usual = session.setdefault("compare_usual", defaults(sources, None if last is None else last.source.name))
    usual = [name if name in sources else names[0] for name in usual]
    picks = []
    for place, key, letter, first in zip(places, KEYS, LETTERS, usual, strict=False):
        hint = "A file of your own: upload it on Explore, then come back." if key == KEYS[0] else None
        picks.append(
            place.selectbox(f"Model {letter}", names, index=names.index(first), key=key, bind="query-params", help=hint)
        )
    return [sources[name] for name in picks]


def pick_scene(sources: Sequence[ModelSource], data: Any, seed: Any, another: Any, gallery: Any) -> list[Scene]:
    """Data set and seed for all, and what each model makes of the scene; from one start, with one burn-in.

    Raises:
        ValueError: nothing they have in common, or a scene that one of them cannot show; one sentence.
    """
    motions.wanted()
    choices = common_datasets(sources)
    address.check(PLAYER, {"data": address.Words(choices)})
    dataset = data.selectbox("Data", choices, key="data", bind="query-params", disabled=len(choices) == 1)
    start = next(iter(common_seeds(sources) or library.stored_seeds(sources[0])), library.FIRST_UNSEEN)
    config = library.config_of(sources[0])
    hint = source_of((config or Config()).data).seeds_mean
    number = int(seed.number_input("Seed", 0, library.LAST_SEED, start, key="seed", bind="query-params", help=hint))
    another.button("Another scene", icon=":material/casino:", on_click=another_scene, args=(sources,))
    if all(source.path is not None for source in sources):
        with gallery:
            motions.button(sources[0], PLAYER)
    # All as stored, or all computed here: another machine's last digits are no difference between models.
    live = not all(library.is_stored(source, dataset, number) for source in sources)
    with st.spinner("Rolling the models out …"):
        return [
            Scene(
                source, dataset, number, running.rollout(source, dataset, number, live=live and source.path is not None)
            )
            for source in sources
        ]


def place_of(scenes: Sequence[Scene]) -> dict[str, Any]:
    """What joins a part to the clock: one name for all rollouts together, another for the system they start from."""
    rollouts = [scene.rollout for scene in scenes]
    together = "-".join(scene_id(rollout)[:8] for rollout in rollouts)
    return {"player": PLAYER, "scene": together, "start": library.start_id(rollouts[0], by_model=False)}


def truth(scenes: Sequence[Scene]) -> None:
    """What is the same for all: the true frames, and how far the predictions lie apart."""
    sent = drawn.payload("shared", *(scene.rollout for scene in scenes))
    widgets.mount("images", f"{PLAYER}-shared", place_of(scenes) | {"part": "shared"} | sent)


def column(scenes: Sequence[Scene], index: int) -> None:
    """One model: its prediction and error, and the way to look at it alone."""
    scene = scenes[index]
    sent = drawn.payload("column", scene.rollout, index, *(other.rollout for other in scenes))
    # An uploaded model is known to this visit only, which a link leaves.
    way = {"model": scene.source.name, "data": scene.dataset, "seed": str(scene.seed)}
    more = {"part": f"images-{index}", "explore": None if scene.source.uploaded else way}
    widgets.mount("images", f"{PLAYER}-images-{index}", place_of(scenes) | more | sent)


def timeline(scenes: Sequence[Scene]) -> None:
    """Play, step, scrub; the errors of all models over one axis."""
    sent = drawn.payload("curves", *(scene.rollout for scene in scenes))
    with st.container(key=f"{PLAYER}-transport"):
        widgets.mount("timeline", f"{PLAYER}-timeline", place_of(scenes) | sent)


def numbers(scene: Scene, comparison: RolloutComparison, index: int, fair: bool) -> Any:
    """Errors before and after the burn-in, against the first model's, and edges; the place left for the score."""
    with st.container(horizontal=True, key=f"{PLAYER}-numbers-{index}"):
        for label, errors, about in (
            ("One step ahead", comparison.burn_in, "frames predicted from true frames"),
            ("Free run", comparison.free_run, "frames predicted from the model's own predictions"),
        ):
            beside = pictures.against(float(errors[index]), float(errors[0]), LETTERS[0]) if fair and index else ""
            change = f" :small[:gray[{beside}]]" if beside else ""
            st.metric(
                label, pictures.scientific(float(errors[index])) + change,
                help=f"Mean squared error over {comparison.unit}, mean of the {about}. Lower is better. "
                f"Beside it: how much more or less than model {LETTERS[0]}, or how many times as much.",
            )  # fmt: skip
        words = None
        try:
            naming = drawn.named_types(scene.rollout, "aligned", library.window_of(scene.source))
            edges = "–" if naming.right is None else f"{hundredth(naming.right)} %"
            words = with_guessing(naming.guess, drawn.findable(scene.source))
        except ValueError:
            unknown = scene.rollout.true_adjacency is None and len(pictures.edge_rows(scene.rollout, "all"))
            edges = "not known" if unknown else "none"
        st.metric(
            "Edges right", edges, words or None, delta_color="off", delta_arrow="off",
            help="Of the pairs that may be related, the share whose type stands for the truth in this scene's "
            "burn-in, learned types matched to the true relations by assignment. For image slots, springs between the "
            f"slots that hold the balls. {ceilings.EXPLAINED}",
        )  # fmt: skip
        return st.empty()


def score(place: Any, value: float | None) -> None:
    """Compositionality, once it is known."""
    text = "–" if value is None or math.isnan(value) else f"{value:.2f}"
    place.metric("Compositionality", text, help=SCORE)


def graph(scenes: Sequence[Scene], index: int, pairs: pictures.Pairs, layout: Layout) -> None:
    """What one model believes acts on what."""
    rollout = scenes[index].rollout
    if not len(pictures.edge_rows(rollout, pairs)):
        st.caption(f"**{LETTERS[index]}** passes no messages: no part tells another anything.")
    else:
        count, inferred = len(pictures.edge_rows(rollout, pairs)), len(rollout.edge_sender_receiver)
        part = "" if count == inferred else f", {count} shown"
        st.caption(f"**{LETTERS[index]}** {scenes[index].source.name}, infers {inferred} edges{part}")
    widgets.graph(
        rollout, pairs, layout, player=PLAYER, part=f"graph-{index}", scene=place_of(scenes)["scene"],
        tree=tree_name(rollout), height=432 if len(scenes) == 2 else 340,
        tally=drawn.tally(rollout, scenes[index].source),
    )  # fmt: skip


@st.fragment
def show_selection(scenes: Sequence[Scene]) -> None:
    """What each model says of the slot, ball or edge that is selected in any of them."""
    selection = widgets.selection(PLAYER)
    side, *places = columns(len(scenes))
    if selection is None:
        side.caption("Click a slot, a node or an edge to see what each model says of it.")
        return
    for index, (scene, place) in enumerate(zip(scenes, places, strict=True)):
        rollout = scene.rollout
        with place:
            if selection.get("tree", tree_name(rollout)) != tree_name(rollout):
                st.caption(f"**{LETTERS[index]}** has other nodes: balls and slots cannot be matched.")
            elif selection["kind"] == "node":
                inspector.inspect_node(rollout, selection["node"], f"-{index}")
            elif len(pictures.edge_rows(rollout, "all")):
                inspector.inspect_edge(rollout, selection, f"-{index}")
            else:
                st.caption(f"**{LETTERS[index]}** passes no messages, along this edge or any other.")


def pictures_over_time(scenes: Sequence[Scene]) -> None:
    """Whether predicted pictures keep their light and their balls, where all models draw some."""
    config = next((known for scene in scenes if (known := library.config_of(scene.source)) is not None), None)
    balls = config is not None and source_of(config.data).has_states
    area = ball_area(half_axes(Tree.parse(config.data.tree), config.data.render)) if config and balls else None
    figure = drawn.picture_chart(area, *(scene.rollout for scene in scenes))
    if figure is None:
        return
    st.markdown(
        "**Do the pictures hold?**",
        help="Light left: the sum of predicted pixels over that of true ones. Balls kept: of the balls that the true "
        "frame shows, the share that the prediction shows within two pixels, in the right colour. A model that is "
        "unsure draws less of everything, so squared errors alone reward fading. Step 1 is the first frame after the "
        "last true one.",
    )
    st.plotly_chart(figure, key=f"{PLAYER}-pictures", config={"displayModeBar": False})


def opening(scenes: Sequence[Scene]) -> dict[str, Any] | None:
    """Frame and selection that the address asks for; a number means a node of the first model."""
    start = address.first_opening(scenes[0], PLAYER)
    if start is None or start["selected"] is None:
        return start
    return start | {"selected": start["selected"] | {"tree": tree_name(scenes[0].rollout)}}


def parameters(scenes: Sequence[Scene]) -> dict[str, str]:
    """What a link must name: everything a visitor may have left as it was."""
    models = {key: scene.source.name for key, scene in zip(KEYS, scenes, strict=False)}
    return {"models": str(len(scenes)), **models, "data": scenes[0].dataset, "seed": str(scenes[0].seed)}


def parts(scenes: Sequence[Scene], places: Sequence[Any], scores: Sequence[Any]) -> None:
    """Each slot's share of the picture, in the place under its model; this needs the models, so it comes last."""
    contents: list[Any] = []
    for scene, place in zip(scenes, places, strict=True):
        try:
            with place, st.spinner("Muting one slot after another …"):
                contents.append(running.parts_of(scene) if scene.rollout.observation == "frames" else None)
        except ValueError as error:
            contents.append(str(error))
    top = max([share for one in contents if isinstance(one, tuple) for share in [one[1]]], default=1.0)
    for index, (scene, one, place, number) in enumerate(zip(scenes, contents, places, scores, strict=True)):
        score(number, one[2].score if isinstance(one, tuple) else None)
        with place:
            if not isinstance(one, tuple):
                st.caption("Sees states: no slot draws anything." if one is None else widgets.plain(one))
                continue
            alone = scene.rollout.slot_frames is not None
            title = "Each slot draws" if alone else "Each slot changes"
            about = (
                "Each leaf slot decoded alone; the prediction is their sum." if alone
                else "Each leaf slot muted in turn: how far every pixel changes."
            )  # fmt: skip
            share = f"{about} Bar: its share of all slots' effects, full height {top:.0%}. Click to select."
            labels = {"title": title, "about": share, "top": top, "part": f"shares-{index}"}
            widgets.mount("shares", f"{PLAYER}-shares-{index}", place_of(scenes) | labels | one[0])

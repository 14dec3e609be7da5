"""A video of the visitor's own: uploaded, cut, looked at small, and shown in place of data set and seed."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import library, running, uploads, widgets
from app.compute import shared_cache
from app.explore import drawing
from app.library import Scene
from hri.core.config import RenderConfig
from hri.core.records import Rollout
from hri.data.timing import FASTEST
from hri.data.video import KINDS, USUAL, Cut, VideoClip, VideoFacts
from hri.rollout.settings import STANDARD

FRAMES = (STANDARD.free_steps + 2, 100)
"""Fewest and most frames that the page takes: more would be slow to send."""
SLOWEST = 0.5
"""Frames a second that the page takes at least."""
PREVIEW = 8
"""Frames of the preview, evenly over the part that is taken."""


def current() -> VideoClip | None:
    """The clip that is to be shown."""
    return st.session_state.get("clip")


def put(clip: VideoClip | None) -> None:
    """Show this clip from now on, or the seed's scene again."""
    if clip is not None:
        drawing.put(None)
    st.session_state["clip"] = clip


def rolled_out(place: tuple[library.ModelSource, str, int]) -> tuple[VideoClip | None, Rollout | None]:
    """The clip and its rollout by the chosen model; what this model cannot do is said, and neither is given."""
    clip = current()
    if clip is None:
        return None, None
    try:
        return clip, running.rollout(*place, own=clip)
    except ValueError as error:
        notice = widgets.plain(f"Your clip does not apply, and seed {place[2]} is shown instead: {error}")
        st.warning(notice, icon=":material/movie:")
        if st.button("Forget it", key="clip-drop"):
            put(None)
            st.rerun()
        return None, None


def panel(scene: Scene) -> None:
    """Upload, cut, look and roll out; whether the model knows such frames."""
    config = library.config_of(scene.source)
    if config is None or not config.model.sees_frames:
        why = "has no checkpoint here" if config is None else "sees states, not images"
        st.info(f"{scene.source.name} {why}, so it cannot predict a video; choose a model that sees images above.")
        return
    upload, cut, look = st.columns([0.8, 1, 1.1], gap="large")
    with upload:
        clip_and_facts = _upload()
        if clip_and_facts is None:
            st.caption("One moving thing before a still background works best.")
            return
        frame_to_drag = st.container()
        if scene.clip is not None:
            _verdict(scene, scene.clip)
    with cut:
        clip = dataclasses.replace(
            clip_and_facts[0], cut=_cut(clip_and_facts[0], clip_and_facts[1], config.data.render)
        )
    with frame_to_drag:
        _square(clip, clip_and_facts[1])
    with look:
        _look(scene, clip, config.data.render)


def _upload() -> tuple[VideoClip, VideoFacts] | None:
    """The last file that was given, looked at once; what is wrong with it is said in one sentence."""
    session = st.session_state
    st.file_uploader(
        "Your video (20 MB at most)", key="clip-file", on_change=_take,
        help=f"{', '.join(KINDS)}. Its frames are brought to the size and colours that the model sees.",
    )  # fmt: skip
    if problem := session.get("clip_problem"):
        st.error(widgets.said(f"{problem}."))
    upload: tuple[VideoClip, VideoFacts] | None = session.get("clip_given")
    if upload is not None:
        clip, about = upload
        length = "" if about.seconds is None else f", {about.seconds:.1f} s"
        rate = f"{about.rate:.3g} frames a second{' (measured)' if about.measured else ''}"
        facts = f"{clip.name}: {about.width} × {about.height} pixels, {rate}{length}"
        st.caption(widgets.plain(facts))
    return upload


def _take() -> None:
    """Called when the file in the box changes; a panel that was away has an empty box and keeps its clip."""
    session, file = st.session_state, st.session_state["clip-file"]
    session["clip_given"], session["clip_problem"] = None, None
    if file is None:
        return
    try:
        path, about = uploads.accept_clip(file.name, file.getvalue())
        session["clip_given"] = (VideoClip(path, file.name), about)
    except ValueError as error:
        session["clip_problem"] = str(error)


def _cut(clip: VideoClip, about: VideoFacts, render: RenderConfig) -> Cut:
    """Which part of the clip, and how it is changed; as it was left when the panel was last seen."""
    session, seconds = st.session_state, about.seconds
    choices: dict[str, Any] = session.setdefault("clip_choices", {})
    left, top, side = centred_square(about.width, about.height)
    begin = {
        "rate": min(max(about.rate, SLOWEST), FASTEST),
        "frames": USUAL,
        "start": 0.0,
        "columns": (left, left + side),
        "rows": (top, top + side),
        "grey": render.grey,
        "background": False,
    }
    keys = {name: f"{clip.path.parent.name}-{name}" for name in begin}
    for name, value in begin.items():
        session.setdefault(keys[name], choices.get(keys[name], value))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.number_input(
            "Frames a second", SLOWEST, FASTEST, step=1.0, key=keys["rate"], width=140, format="%.4g",
            help="Fewer make the motion look faster to the model. The clip's own rate at first.",
        )  # fmt: skip
        frames = st.number_input(
            "Frames", *FRAMES, key=keys["frames"], width=110,
            help=f"The last {STANDARD.free_steps - 1} are not seen: they are predicted 1, 2, 3 … steps ahead.",
        )  # fmt: skip
        start = st.number_input(
            "Start (s)", 0.0, seconds, step=0.1, key=keys["start"], width=120, help="Seconds that are skipped.",
        )  # fmt: skip
    st.slider("Columns", 0, about.width, key=keys["columns"],
                        help="Left and right edge in pixels; the rest is cut off.")  # fmt: skip
    st.slider("Rows", 0, about.height, key=keys["rows"],
                     help="Top and bottom edge in pixels. At first the largest square in the middle.")  # fmt: skip
    wide, high = (session[keys[name]][1] - session[keys[name]][0] for name in ("columns", "rows"))
    if wide != high:
        st.caption(f"{wide} × {high} pixels are squeezed to a square: what is round becomes an oval.")
    with st.container(horizontal=True):
        grey = st.toggle("Grey", key=keys["grey"], disabled=render.grey, help="Brightness without colour.")
        background = st.toggle(
            "Without background", key=keys["background"],
            help="What stands still becomes black, like the background of the springs. The camera must not move.",
        )  # fmt: skip
    choices |= {key: session[key] for key in keys.values()}
    (left, right), (top, bottom) = session[keys["columns"]], session[keys["rows"]]
    edges = (left, top, right, bottom)
    crop = None if edges == (0, 0, about.width, about.height) else edges
    length = (frames + 0.001) / rate
    return Cut(float(start), float(length), crop, float(rate), bool(grey and not render.grey), bool(background))


def _square(clip: VideoClip, about: VideoFacts) -> None:
    """The first frame of the part that is taken, with the part of the picture on it, to be dragged."""
    try:
        picture = _first_frame(clip.path, clip.name, clip.cut.start)
    except ValueError:  # beside the preview, the same is said in words
        return
    session, keys = st.session_state, [f"{clip.path.parent.name}-{axis}" for axis in ("columns", "rows")]
    (left, right), (top, bottom) = (session[key] for key in keys)
    place = f"{clip.path.parent.name}-square"

    def take() -> None:
        try:
            a, b, c, d = (int(value) for value in session[place]["crop"])
        except (TypeError, ValueError):  # nothing that the square sends
            return
        if 0 <= a < c <= about.width and 0 <= b < d <= about.height:
            session[keys[0]], session[keys[1]] = (a, c), (b, d)

    widgets.crop(picture, (about.width, about.height), (left, top, right, bottom), place, take)
    st.caption("Drag the square to what moves, pull its corners to change its size.")


@shared_cache(16)
def _first_frame(path: Path, name: str, moment: float) -> str:
    """The frame of a clip at a moment, as an address of data for the browser.

    Raises:
        ValueError: a clip that has none there; one sentence.
    """
    import imageio.v3 as iio

    from hri.data.video import still

    content = iio.imwrite("<bytes>", still(path, name, moment), extension=".jpeg")
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def centred_square(width: int, height: int) -> tuple[int, int, int]:
    """Left and upper edge and side of the largest square in the middle of a picture, in pixels."""
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side


def _verdict(scene: Scene, clip: VideoClip) -> None:
    """Whether the model knows such frames, and the way back."""
    likeness = running.seen_of(scene.source, clip).likeness
    if likeness.alike:
        st.success("Like what it was trained on.", icon=":material/check:")
    else:
        st.warning("Unlike what it was trained on: its predictions mean little.", icon=":material/help:")
    st.caption(
        f"It redraws {likeness.share_redrawn:.0%} of these frames, at least {likeness.usual:.0%} of training frames.",
        help=widgets.plain(likeness.sentence(scene.source.name)),
    )
    if st.button("Back to the seed", icon=":material/undo:", key="clip-leave", help=f"Show seed {scene.seed} again."):
        put(None)
        st.rerun()


def _look(scene: Scene, clip: VideoClip, render: RenderConfig) -> None:
    """The frames as the model will see them, and the button."""
    try:
        footage = running.footage(clip, render.size, render.channels)
    except ValueError as error:
        st.error(widgets.said(f"{error}."))
        return
    count = len(footage.frames)
    if clip == scene.clip:
        widgets.result(scene.rollout, original=scene.original if scene.edited else None)
        st.caption(f"{count} frames as the model sees them, and what it predicts.")
        for note in footage.notes:
            st.caption(widgets.plain(note))
        return
    few = footage.frames[np.linspace(0, count - 1, PREVIEW).astype(int)]
    large = np.repeat(few.repeat(3, 1).repeat(3, 2), 3 // render.channels, -1)
    framed = np.pad(large, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=128)  # where one ends and the next begins
    picture = np.concatenate([np.concatenate(list(part), 1) for part in np.split(framed, 2)])
    caption = f"{PREVIEW} of {count} frames as the model will see them"
    st.image(picture, caption=caption, width="stretch", alt=caption)
    for note in footage.notes:
        st.caption(widgets.plain(note))
    if count < FRAMES[0]:
        st.error(f"This part has {count} frames; {FRAMES[0]} are needed: take a longer part or more a second.")
        return
    if st.button(
        "Roll out", icon=":material/play_arrow:", type="primary", disabled=clip == scene.clip, key="clip-roll"
    ):
        put(clip)
        st.rerun()
